"""Bodies of the four transactions: every request and answer comes back as it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.builders import make_parts, make_submission
from tests.unit.strategies import OPTIONAL, PARTS, REQUESTED, SOME_TEXT, SUBMISSIONS, XML_TEXT, tuples
from xds_gateway.codec import xdsb
from xds_gateway.codec.ebrim import LCM, QUERY, RIM, RS, render_submission
from xds_gateway.codec.findings import render_code_context
from xds_gateway.codec.mtom import content_id_of, render_href
from xds_gateway.codec.xdsb import PROVIDE_REQUEST, XDSB, XOP
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, FaultCode, Finding, Severity, SoapFault
from xds_gateway.model.messages import (
    DocumentPart,
    DocumentRequest,
    PlannedEffect,
    ProvideRequest,
    QueryRequest,
    QueryResponse,
    RegisterRequest,
    RegistryResponse,
    RetrievedDocument,
    RetrieveRequest,
    RetrieveResponse,
    StoredDocument,
)
from xds_gateway.model.metadata import Submission

NAMESPACES = f'xmlns:x="{XDSB}" xmlns:l="{LCM}" xmlns:q="{QUERY}" xmlns:r="{RIM}" xmlns:rs="{RS}" xmlns:i="{XOP}"'
FINDING = Finding(
    code=ErrorCode.UNKNOWN_PATIENT,
    rule="ihe.registry.patient",
    sentence="Use a patient.",
    object_id="SubmissionSet01",
    attribute="patientId",
    received='"<&>',
    expected="a patient",
    clause="ITI TF-2",
)
WARNING = Finding(
    code=ErrorCode.EXTRA_METADATA_NOT_SAVED, rule="ihe.extra", sentence="Kept.", severity=Severity.WARNING
)


def element(text: str | bytes) -> etree._Element:
    return etree.fromstring(text)


def body(name: str, inner: str, attributes: str = "") -> etree._Element:
    return element(f"<{name} {NAMESPACES} {attributes}>{inner}</{name}>")


def whole(pieces: tuple[xdsb.Piece, ...], document: bytes = b"") -> etree._Element:
    return element(b"".join(piece if isinstance(piece, bytes) else document for piece in pieces))


def refused(parse: Any, root: etree._Element) -> SoapFault:
    with pytest.raises(SoapFault) as raised:
        parse(root, [])
    assert raised.value.code is FaultCode.SENDER
    return raised.value


# ---- ITI-41 and ITI-42 ----


@given(SUBMISSIONS, tuples(PARTS))
def test_a_provide_request_comes_back_as_it_was(submission: Submission, parts: tuple[DocumentPart, ...]) -> None:
    request = ProvideRequest(submission=submission, parts=parts)
    findings: list[Finding] = []
    root = element(xdsb.render_provide_request(request))
    assert root.tag == PROVIDE_REQUEST
    assert xdsb.parse_provide_request(root, findings) == request
    assert findings == []


@given(SUBMISSIONS)
def test_a_register_request_comes_back_as_it_was(submission: Submission) -> None:
    root = element(xdsb.render_register_request(submission))
    assert root.tag == xdsb.REGISTER_REQUEST
    assert xdsb.parse_register_request(root, []) == RegisterRequest(submission=submission)


SUBMIT = "<l:SubmitObjectsRequest><r:RegistryObjectList/></l:SubmitObjectsRequest>"
PROVIDE = "x:ProvideAndRegisterDocumentSetRequest"


@pytest.mark.parametrize(
    ("document", "content_id", "inline"),
    [
        ("", None, ""),
        ("QUJD", None, "QUJD"),
        ("\n QUJD\n REVG\n", None, "\n QUJD\n REVG\n"),
        ('<i:Include href="cid:a@b"/>', "a@b", None),
        ('\n <i:Include href="cid:a%40b"/>\n', "a@b", None),
        ('<i:Include href="CID:a"/>', "a", None),
    ],
)
def test_a_document_is_inline_or_attached(document: str, content_id: str | None, inline: str | None) -> None:
    root = body(PROVIDE, f'{SUBMIT}<x:Document id="d">{document}</x:Document>')
    assert xdsb.parse_provide_request(root, []).parts == (DocumentPart("d", content_id, inline),)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        SUBMIT + SUBMIT,
        SUBMIT + "<x:Other/>",
        SUBMIT + "<Document/>",
        SUBMIT + '<x:Document><i:Include href="cid:a"/><i:Include href="cid:b"/></x:Document>',
        SUBMIT + '<x:Document>QUJD<i:Include href="cid:a"/></x:Document>',
        SUBMIT + "<x:Document><x:Include/></x:Document>",
        SUBMIT + "<x:Document><i:Include/></x:Document>",
        SUBMIT + '<x:Document><i:Include href="http://127.0.0.1/a"/></x:Document>',
        SUBMIT + '<x:Document><i:Include href="file:///etc/hostname"/></x:Document>',
        SUBMIT + '<x:Document><i:Include href="cid:"/></x:Document>',
    ],
)
def test_what_is_no_provide_request(inner: str) -> None:
    fault = refused(xdsb.parse_provide_request, body(PROVIDE, inner))
    assert fault.rule.startswith(("xdsb.", "mime."))


def test_what_is_not_ebrim_is_a_finding() -> None:
    findings: list[Finding] = []
    root = body("l:SubmitObjectsRequest", "<r:RegistryObjectList><r:Organization/></r:RegistryObjectList>")
    xdsb.parse_register_request(root, findings)
    xdsb.parse_provide_request(body(PROVIDE, "<l:SubmitObjectsRequest/>"), findings)
    assert [f.rule for f in findings] == ["ihe.ebrim.element", "ihe.ebrim.objectList"]


def test_the_parts_of_a_built_submission() -> None:
    submission = make_submission()
    request = ProvideRequest(submission=submission, parts=make_parts(submission))
    data = xdsb.render_provide_request(request)
    assert render_submission(submission) in data
    assert b'href="cid:Document01@example.org"' in data


# ---- dry runs ----

EFFECTS = st.builds(
    PlannedEffect,
    st.sampled_from(["register", "deprecate", "touch", "remove"]),
    st.from_regex(r"[A-Za-z0-9:-]{1,60}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9<&>\" ]{0,60}[A-Za-z]", fullmatch=True),
)


@given(st.lists(EFFECTS, max_size=6))
def test_planned_effects_come_back(effects: list[PlannedEffect]) -> None:
    body = whole(xdsb.render_registry_response(RegistryResponse(planned=tuple(effects))))
    assert sorted(xdsb.parse_planned(body) or ()) == sorted(effects)
    assert xdsb.parse_registry_response(body) == (v.SUCCESS, ())


def test_an_answer_of_no_dry_run_plans_nothing() -> None:
    assert xdsb.parse_planned(whole(xdsb.render_registry_response(RegistryResponse()))) is None
    assert xdsb.parse_planned(whole(xdsb.render_registry_response(RegistryResponse(planned=())))) == ()


def test_a_long_effect_is_cut_to_what_a_value_may_have() -> None:
    effect = PlannedEffect("register", "Document01", "x" * 1000)
    ((_, _, detail),) = (
        xdsb.parse_planned(whole(xdsb.render_registry_response(RegistryResponse(planned=(effect,))))) or ()
    )
    assert (len(f"Document01 {detail}"), detail[-1]) == (256, "…")


# ---- RegistryResponse ----


def status_of(root: etree._Element) -> str | None:
    holder = root if root.get("status") else root.find(f"{{{RS}}}RegistryResponse")
    assert holder is not None
    return holder.get("status")


@pytest.mark.parametrize(
    ("findings", "status", "highest"),
    [
        ((), v.SUCCESS, None),
        ((WARNING,), v.SUCCESS, v.WARNING),
        ((FINDING,), v.FAILURE, v.ERROR),
        ((WARNING, FINDING), v.FAILURE, v.ERROR),
    ],
)
def test_findings_decide_the_status(findings: tuple[Finding, ...], status: str, highest: str | None) -> None:
    for root in (
        whole(xdsb.render_registry_response(RegistryResponse(findings=findings))),
        whole(xdsb.render_query_response(QueryResponse(findings=findings))),
        whole(xdsb.render_retrieve_response(RetrieveResponse(findings=findings))),
    ):
        assert status_of(root) == status
        errors = root.find(f".//{{{RS}}}RegistryErrorList")
        assert (errors is not None and errors.get("highestSeverity")) == (highest or False)


FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(ErrorCode),
    rule=st.just("ihe.example"),
    sentence=XML_TEXT,
    object_id=OPTIONAL,
    attribute=OPTIONAL,
    received=OPTIONAL,
    expected=OPTIONAL,
    severity=st.sampled_from(Severity),
)


@given(tuples(FINDINGS))
def test_every_finding_arrives(findings: tuple[Finding, ...]) -> None:
    root = whole(xdsb.render_registry_response(RegistryResponse(findings=findings)))
    _, errors = xdsb.parse_registry_response(root)
    assert [(e.code, e.context, e.severity) for e in errors] == [
        (f.code.value, render_code_context(f), f.severity.value) for f in findings
    ]


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({}, "SubmissionSet01/patientId"),
        ({"object_id": None}, "patientId"),
        ({"attribute": None}, "SubmissionSet01"),
        ({"attribute": None, "object_id": None}, None),
    ],
)
def test_an_error_says_where(changes: dict[str, Any], location: str | None) -> None:
    fields = {name: getattr(FINDING, name) for name in Finding.__slots__} | changes
    root = whole(xdsb.render_registry_response(RegistryResponse(findings=(Finding(**fields),))))
    assert [e.location for e in xdsb.parse_registry_response(root)[1]] == [location]


def test_an_answer_without_a_status_is_no_answer() -> None:
    with pytest.raises(ValueError, match="status"):
        xdsb.parse_registry_response(element("<x/>"))


# ---- ITI-18 ----

PARAMETERS = tuples(st.tuples(SOME_TEXT, tuples(XML_TEXT)))


@given(
    st.builds(
        QueryRequest,
        query_id=st.uuids().map(lambda uuid: f"urn:uuid:{uuid}"),
        return_type=SOME_TEXT,
        parameters=PARAMETERS,
        home=OPTIONAL,
    )
)
def test_a_query_request_comes_back_as_it_was(request: QueryRequest) -> None:
    root = element(xdsb.render_query_request(request))
    assert root.tag == xdsb.QUERY_REQUEST
    assert xdsb.parse_query_request(root, []) == request


@pytest.mark.parametrize(
    ("inner", "query_id", "return_type"),
    [
        ('<q:ResponseOption returnType="LeafClass"/><r:AdhocQuery id="urn:uuid:AB"/>', "urn:uuid:ab", "LeafClass"),
        ('<r:AdhocQuery id=" urn:uuid:ab "/>', "urn:uuid:ab", "RegistryObject"),
        ("<q:ResponseOption/><r:AdhocQuery/>", "", "RegistryObject"),
    ],
)
def test_a_query_as_senders_write_it(inner: str, query_id: str, return_type: str) -> None:
    found = xdsb.parse_query_request(body("q:AdhocQueryRequest", inner), [])
    assert (found.query_id, found.return_type, found.parameters) == (query_id, return_type, ())


@pytest.mark.parametrize("inner", ["", "<q:ResponseOption/>", "<q:AdhocQuery/>"])
def test_a_request_without_a_query(inner: str) -> None:
    assert refused(xdsb.parse_query_request, body("q:AdhocQueryRequest", inner)).rule == "xdsb.structure"


def test_fragments_are_the_objects_of_the_answer() -> None:
    fragments = (xdsb.render_object_ref("urn:uuid:<1>", None), xdsb.render_object_ref("urn:uuid:2", "urn:oid:1"))
    root = whole(xdsb.render_query_response(QueryResponse(fragments=fragments)))
    objects = root.find(f"{{{RIM}}}RegistryObjectList")
    assert objects is not None
    assert [dict(child.attrib) for child in objects] == [
        {"id": "urn:uuid:<1>"},
        {"id": "urn:uuid:2", "home": "urn:oid:1"},
    ]


# ---- ITI-43 ----


@given(st.lists(REQUESTED, min_size=1, max_size=3).map(tuple))
def test_a_retrieve_request_comes_back_as_it_was(documents: tuple[DocumentRequest, ...]) -> None:
    findings: list[Finding] = []
    root = element(xdsb.render_retrieve_request(RetrieveRequest(documents=documents)))
    assert xdsb.parse_retrieve_request(root, findings) == RetrieveRequest(documents=documents)
    assert findings == []


@pytest.mark.parametrize(
    ("inner", "codes"),
    [
        ("<x:DocumentUniqueId>1</x:DocumentUniqueId>", [ErrorCode.UNKNOWN_REPOSITORY_ID]),
        ("<x:RepositoryUniqueId>1</x:RepositoryUniqueId>", [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR]),
        (
            "<x:RepositoryUniqueId>1</x:RepositoryUniqueId><x:DocumentUniqueId> </x:DocumentUniqueId>",
            [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR],
        ),
        ("", [ErrorCode.UNKNOWN_REPOSITORY_ID, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR]),
    ],
)
def test_a_document_request_needs_both_ids(inner: str, codes: list[ErrorCode]) -> None:
    findings: list[Finding] = []
    root = body("x:RetrieveDocumentSetRequest", f"<x:DocumentRequest>{inner}</x:DocumentRequest>")
    xdsb.parse_retrieve_request(root, findings)
    assert [f.code for f in findings] == codes


def test_a_retrieve_request_asks_for_something() -> None:
    assert refused(xdsb.parse_retrieve_request, body("x:RetrieveDocumentSetRequest", "")).rule == "xdsb.structure"


def retrieved(request: DocumentRequest, mime_type: str) -> RetrievedDocument:
    return RetrievedDocument(request, StoredDocument(key="k", size=3, sha1="", chunk_digests=b""), mime_type)


@pytest.mark.parametrize(
    ("content", "content_id", "inline"),
    [(xdsb.render_include("d%1@é"), "d%1@é", None), (b"QUJD", None, "QUJD")],
)
@given(tuples(st.tuples(REQUESTED, SOME_TEXT.map(str.strip))))
def test_a_retrieve_response_comes_back_as_it_was(
    content: bytes, content_id: str | None, inline: str | None, documents: tuple[tuple[DocumentRequest, str], ...]
) -> None:
    response = RetrieveResponse(documents=tuple(retrieved(*document) for document in documents))
    status, errors, found = xdsb.parse_retrieve_response(whole(xdsb.render_retrieve_response(response), content))
    assert (status, errors) == (v.SUCCESS, ())
    assert found == tuple(xdsb.ReceivedDocument(*document, content_id, inline) for document in documents)


@pytest.mark.parametrize(
    ("documents", "findings", "status"),
    [
        (0, (), v.SUCCESS),
        (1, (), v.SUCCESS),
        (1, (WARNING,), v.SUCCESS),
        (1, (FINDING,), v.PARTIAL_SUCCESS),
        (0, (FINDING,), v.FAILURE),
    ],
)
def test_some_documents_are_a_partial_success(documents: int, findings: tuple[Finding, ...], status: str) -> None:
    some = (retrieved(DocumentRequest("1", "2"), "text/plain"),) * documents
    response = RetrieveResponse(documents=some, findings=findings)
    found, errors, received = xdsb.parse_retrieve_response(whole(xdsb.render_retrieve_response(response), b"QUJD"))
    assert (found, len(errors), len(received)) == (status, len(findings), documents)


def test_the_documents_of_an_answer_are_pieces_of_their_own() -> None:
    one, two = retrieved(DocumentRequest("1", "2"), "a/b"), retrieved(DocumentRequest("1", "3"), "a/b")
    pieces = xdsb.render_retrieve_response(RetrieveResponse(documents=(one, two)))
    assert [piece for piece in pieces if not isinstance(piece, bytes)] == [one, two]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip))
def test_a_reference_leads_back_to_its_part(content_id: str) -> None:
    kept = content_id_of(render_href(content_id))
    include = element(xdsb.render_include(kept))
    assert content_id_of(include.get("href", "")) == kept
