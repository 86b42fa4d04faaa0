"""Answers explained: of this gateway, of others, faults, lines of text, and what an empty registry cannot know."""

import pytest

from tests.unit.feeds import NOW, WRAPPER
from xds_gateway.codec.captures import parse_capture
from xds_gateway.codec.namespaces import RS
from xds_gateway.codec.soap import (
    ENVELOPE_END,
    action_mismatch,
    render_envelope_start,
    render_fault,
    render_request_envelope,
    render_soap11_version_mismatch,
)
from xds_gateway.codec.transactions import TRANSACTIONS, Stamp
from xds_gateway.codec.xdsb import render_registry_response
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, Severity
from xds_gateway.model.feeds import FeedResponse
from xds_gateway.model.messages import DocumentRequest, PlannedEffect, RegistryResponse, RemoveDocumentsResponse
from xds_gateway.rules.explaining import explain_answer, of_request, without_registry
from xds_gateway.rules.hints import hinted
from xds_gateway.rules.patients import problem

PLAIN = "application/soap+xml; charset=UTF-8"
ROWS = {row.name: row for row in TRANSACTIONS}
STAMP = Stamp("urn:uuid:1", NOW)
HASH = hinted(
    Finding(
        code=ErrorCode.REGISTRY_METADATA_ERROR,
        rule="ihe.de.hash.format",
        sentence="Write hash as a SHA-1.",
        object_id="Document01",
        attribute="hash",
        received="a" * 64,
        expected="a SHA-1",
        clause="ITI TF-3 4.2.3.2.10",
    )
)
UNKNOWN = Finding(code=ErrorCode.UNRESOLVED_REFERENCE, rule="ihe.registry.target.unknown", sentence="Name it.")
PART = Finding(code=ErrorCode.MISSING_DOCUMENT, rule="ihe.document.part", sentence="Send it.")
WARNING = Finding(code=ErrorCode.EXTRA_METADATA_NOT_SAVED, rule="x", sentence="Kept.", severity=Severity.WARNING)
ASKED = DocumentRequest("1.2", "1.2.3")
EFFECT = PlannedEffect("register", "Document01", "DocumentEntry 1.2.3, version 1")


def enveloped(*body):
    return render_envelope_start("urn:a", "urn:uuid:1", None) + b"".join(body) + ENVELOPE_END


def explained(*findings, planned=None):
    answer = render_registry_response(RegistryResponse(findings=findings, planned=planned))
    return explain_answer(200, PLAIN, enveloped(*answer))


def test_a_success_tells_what_would_happen():
    found = explained(planned=(EFFECT,))
    assert found == ("accepted", (), (EFFECT,), ())


def test_a_refusal_is_taken_apart_with_its_hint_and_the_hints_source():
    found = explained(HASH, WARNING)
    assert (found.outcome, found.effects) == ("refused", None)
    error, warning = found.findings
    assert (error.code, error.object, error.attribute, error.received, error.expected, error.clause, error.rule) == (
        "XDSRegistryMetadataError", "Document01", "hash", "a" * 64, "a SHA-1", "ITI TF-3 4.2.3.2.10", HASH.rule,
    )  # fmt: skip
    assert (error.hint, error.source) == (HASH.hint, "ITI TF-3 4.2.3.2.10")
    assert (warning.severity, warning.object, warning.hint) == ("Warning", None, None)


def test_a_partial_answer_has_both():
    row = ROWS["ITI-86"]
    answer = row.render(RemoveDocumentsResponse(removed=(ASKED,), findings=(UNKNOWN,), planned=(EFFECT,)), STAMP)
    found = explain_answer(200, PLAIN, enveloped(*answer))
    assert (found.outcome, found.effects, len(found.findings)) == ("partly accepted", (EFFECT,), 1)


@pytest.mark.parametrize(
    ("rule", "outcome", "told", "left"),
    [
        (None, "accepted", 0, 0),
        ("ihe.feed.merge.itself", "refused", 1, 0),
        ("ihe.feed.merge.subsumed.unknown", "accepted", 0, 1),
    ],
)
def test_an_accept_acknowledgement_is_explained(rule, outcome, told, left):
    row = ROWS["ITI-44"]
    problems = (problem(rule, received="A", transaction="ITI-44"),) if rule else ()
    planned = None if rule else (EFFECT,)
    answer = row.render(FeedResponse(header=WRAPPER, findings=problems, planned=planned), STAMP)
    found = without_registry(explain_answer(200, PLAIN, enveloped(*answer)))
    assert (found.outcome, len(found.findings), len(found.open), found.effects) == (outcome, told, left, planned)
    assert [each.rule for each in (*found.findings, *found.open)] == ([rule] if rule else [])


def test_an_acknowledgement_of_nothing_is_none():
    found = explain_answer(200, PLAIN, enveloped(b'<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"/>'))
    assert found.outcome == "unreadable"


def test_a_refusal_of_another_product_is_a_sentence():
    error = '<rs:RegistryError errorCode="XDSRegistryError" codeContext="Sorry." severity=""/>'
    body = f'<rs:RegistryResponse xmlns:rs="{RS}" status="{v.FAILURE}">{error}</rs:RegistryResponse>'
    (told,) = explain_answer(200, PLAIN, enveloped(body.encode())).findings
    assert (told.code, told.severity, told.sentence, told.rule, told.hint) == (
        "XDSRegistryError", "Error", "Sorry.", None, None,
    )  # fmt: skip


ACTION = ROWS["ITI-42"].request_action
MISMATCH = render_request_envelope(ACTION, "urn:x", b'<x:Q xmlns:x="urn:x"/>', "urn:uuid:1")

#   status, type, body                                                               code            word of the hint
BELOW = [
    (500, PLAIN, render_fault(action_mismatch(ACTION), "urn:uuid:1", None),
     "Fault Sender/InvalidAddressingHeader/ActionMismatch", "two transactions"),
    (500, "text/xml", render_soap11_version_mismatch(), "Fault VersionMismatch", "SOAP 1.1"),
    (415, "text/plain", b"Send application/soap+xml\n", "HTTP 415", "Content-Type"),
    (502, "text/html", b"<html>Bad gateway</html>", "HTTP 502", None),
    (200, "", b"", "HTTP 200", None),
    (200, PLAIN, enveloped(b'<x:Odd xmlns:x="urn:x"/>'), "HTTP 200", None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "content_type", "body", "code", "word"), BELOW, ids=[row[3] for row in BELOW])
def test_what_is_no_answer_of_a_transaction_is_unreadable(status, content_type, body, code, word):
    found = explain_answer(status, content_type, body)
    (told,) = found.findings
    assert (found.outcome, told.code) == ("unreadable", code)
    assert (word is None) is (told.hint is None)
    assert (word or "") in (told.hint or "")
    assert told.sentence


def test_a_fault_about_the_action_tells_which_would_fit():
    sent = render_request_envelope(ACTION, "urn:x", b'<q xmlns="urn:ihe:iti:xds-b:2007"/>', "urn:uuid:1")
    sent = sent.replace(b"<q ", b"<RetrieveDocumentSetRequest ")
    fault = explain_answer(500, PLAIN, render_fault(action_mismatch(ACTION), "urn:uuid:1", None))
    (told,) = of_request(fault, parse_capture(sent)).findings
    assert told.received == ACTION
    assert told.expected == f"{ROWS['ITI-43'].request_action} (ITI-43, to the repository)"


@pytest.mark.parametrize(
    ("findings", "outcome", "told", "left"),
    [
        ((UNKNOWN,), "accepted", 0, 1),
        ((UNKNOWN, HASH), "refused", 1, 1),
        ((HASH,), "refused", 1, 0),
        ((), "accepted", 0, 0),
    ],
)
def test_what_an_empty_registry_cannot_know_is_left_open(findings, outcome, told, left):
    found = without_registry(explained(*findings))
    assert (found.outcome, len(found.findings), len(found.open)) == (outcome, told, left)


def test_documents_that_a_capture_leaves_out_are_left_open():
    alone = parse_capture(MISMATCH)
    found = of_request(explained(PART), alone)
    assert (found.outcome, len(found.open)) == ("accepted", 1)
    whole = alone._replace(alone=False)
    assert of_request(explained(PART), whole).outcome == "refused"
