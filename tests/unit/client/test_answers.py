"""Answers become values, or the error that says what they are."""

import pytest
from lxml import etree

from xds_gateway.client import Code, Fault, Refused, RegistryError, UnexpectedAnswer
from xds_gateway.client.answers import check_status, read_answer_body, read_documents, read_related
from xds_gateway.client.samples import make_sample
from xds_gateway.codec.ebrim import QUERY, RIM, RS, render_object
from xds_gateway.codec.soap import ENVELOPE_END, render_envelope_start, render_fault
from xds_gateway.codec.xdsb import parse_registry_response, render_registry_response
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, FaultCode, Finding, SoapFault
from xds_gateway.model.messages import RegistryResponse

from .test_submission import build

RESPONSE = f"{{{RS}}}RegistryResponse"


def envelope(body: bytes) -> bytes:
    return render_envelope_start("urn:action", "urn:uuid:1", "urn:uuid:2") + body + ENVELOPE_END


def response(*findings: Finding) -> bytes:
    return b"".join(p for p in render_registry_response(RegistryResponse(findings=findings)) if isinstance(p, bytes))


def finding(sentence: str) -> Finding:
    return Finding(code=ErrorCode.REGISTRY_METADATA_ERROR, rule="ihe.test", sentence=sentence, object_id="urn:uuid:3")


def test_a_success_has_no_warnings() -> None:
    body = read_answer_body(envelope(response()), RESPONSE, status=200)
    assert check_status(*parse_registry_response(body)) == ()


def test_a_failure_is_refused_with_all_its_errors() -> None:
    body = read_answer_body(envelope(response(finding("one"), finding("two"))), RESPONSE, status=200)
    with pytest.raises(Refused) as caught:
        check_status(*parse_registry_response(body))
    assert [(e.code, e.severity) for e in caught.value.errors] == [("XDSRegistryMetadataError", "Error")] * 2
    assert isinstance(caught.value.errors[0], RegistryError)
    assert "one" in caught.value.errors[0].context
    assert caught.value.status == "Failure"


def test_a_fault_tells_code_subcodes_and_reason() -> None:
    fault = SoapFault(FaultCode.SENDER, "Too bad", rule="r", subcodes=(("urn:a", "First"), ("urn:b", "Second")))
    with pytest.raises(Fault) as caught:
        read_answer_body(render_fault(fault, "urn:uuid:1", None), RESPONSE, status=500)
    assert (caught.value.code, caught.value.subcodes, caught.value.reason) == ("Sender", ("First", "Second"), "Too bad")


@pytest.mark.parametrize(
    "data",
    [b"", b"<html/>", b"not xml", envelope(b""), envelope(b"<a/>"), b"<!DOCTYPE a><a/>", envelope(response() * 2)],
    ids=["empty", "html", "text", "no body", "other body", "doctype", "two bodies"],
)
def test_anything_else_is_unexpected(data: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read_answer_body(data, RESPONSE, status=502)
    assert caught.value.status == 502


def query_answer(*objects: bytes) -> etree._Element:
    listed = b"<rim:RegistryObjectList>" + b"".join(objects) + b"</rim:RegistryObjectList>"
    start = f'<q:AdhocQueryResponse xmlns:q="{QUERY}" xmlns:rim="{RIM}" status="{v.SUCCESS}">'.encode()
    return etree.fromstring(start + listed + b"</q:AdhocQueryResponse>")


def test_an_entry_is_summarized() -> None:
    submission = build(make_sample())
    (entry,) = submission.document_entries
    (summary,) = read_documents(query_answer(render_object(entry)))
    metadata = make_sample().metadata
    assert summary.entry_uuid == entry.id
    assert summary.patient_id == "42^^^&1.2.3&ISO"
    for name in (
        "title",
        "mime_type",
        "creation_time",
        "language_code",
        "type_code",
        "class_code",
        "format_code",
        "authors",
    ):
        assert getattr(summary, name) == getattr(metadata, name)
    assert summary.confidentiality_codes == (Code("N", "2.16.840.1.113883.5.25", "Normal"),)
    assert isinstance(summary.size, int)
    assert summary.hash == entry.hash


def test_a_bare_entry_is_summarized() -> None:
    (summary,) = read_documents(query_answer(f'<rim:ExtrinsicObject id="x" status="{v.DEPRECATED}"/>'.encode()))
    assert (summary.entry_uuid, summary.status, summary.size, summary.title) == ("x", "Deprecated", None, None)


def test_relations_are_told_with_the_documents() -> None:
    submission = build(make_sample(), relation=(v.RPLC, "urn:uuid:old"))
    related = read_related(
        query_answer(*map(render_object, (*submission.document_entries, submission.associations[-1])))
    )
    new = submission.document_entries[0].id
    assert [(r.type, r.source, r.target) for r in related.relations] == [("RPLC", new, "urn:uuid:old")]
    assert [d.entry_uuid for d in related.documents] == [new]


def test_no_objects_are_no_documents() -> None:
    answer = etree.fromstring(f'<q:AdhocQueryResponse xmlns:q="{QUERY}" status="{v.SUCCESS}"/>')
    assert (read_documents(answer), read_related(answer).documents) == ((), ())
