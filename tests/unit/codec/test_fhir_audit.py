"""AuditEvent resources of FHIR R4, read by a library that knows the specification."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from tests.unit.builders import PATIENT
from xds_gateway.codec.audit_messages import ROWS
from xds_gateway.codec.fhir_audit import render_audit_event

from .test_atna import DOCUMENTS, ID, QUERY, USER, message


def read(transaction: str, **changes: Any) -> AuditEvent:
    return AuditEvent.model_validate_json(render_audit_event(message(transaction, **changes)))


@pytest.mark.parametrize("transaction", ROWS)
def test_each_transaction_is_a_valid_resource(transaction: str) -> None:
    query = QUERY if transaction in ("ITI-18", "ITI-51") else None
    made = read(transaction, query=query, objects=DOCUMENTS)
    assert made.id == ID.removeprefix("urn:uuid:")
    assert made.source.observer.identifier.value == "gateway"
    assert made.recorded.isoformat() == "2026-03-14T09:00:01+00:00"


def test_who_did_what_for_which_purpose_to_whom() -> None:
    made = read("ITI-18", query=QUERY, objects=())
    assert (made.type.system, made.type.code) == ("http://dicom.nema.org/resources/ontology/DCM", "110112")
    assert [(each.system, each.code) for each in made.subtype] == [("urn:ihe:event-type-code", "ITI-18")]
    assert (made.action, made.outcome) == ("E", "0")
    assert [concept.coding[0].code for concept in made.purposeOfEvent] == ["TREAT"]
    assert [agent.who.identifier.value for agent in made.agent if agent.requestor] == ["CN=Cabinet é", USER.audited]
    patient, query = made.entity[0], made.entity[1]
    assert (patient.what.identifier.value, patient.type.code, patient.role.code) == (PATIENT, "1", "1")
    assert b"AdhocQueryRequest" in query.query  # which the library has decoded


@pytest.mark.parametrize("text", ["a\nb", "<x/>", '"', "\0", "é\u2028", "  "])
def test_a_value_stays_a_value(text: str) -> None:
    line = render_audit_event(message("ITI-41", node=text, sender=None))
    assert b"\n" not in line
    AuditEvent.model_validate_json(line)
    assert json.loads(line)["agent"][0]["who"]["identifier"]["value"] == text.replace("\0", "\ufffd")
