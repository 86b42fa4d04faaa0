"""Audit messages as FHIR R4 AuditEvent resources (HL7 FHIR R4 6.4, with its mapping to DICOM)."""

import json
from base64 import b64encode
from ipaddress import ip_address
from typing import Any, Final

from ..model.audit_messages import AuditMessage, Participant, ParticipantObject
from ..model.principal import Coded
from .atna import clean

_SYSTEMS: Final = {
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "IHE Transactions": "urn:ihe:event-type-code",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.5.8": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
}
_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLES: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_LIFE_CYCLES: Final = "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle"


def render_audit_event(message: AuditMessage) -> bytes:
    """The resource as one line of JSON in ASCII; its id is that of the message."""
    told = {
        "resourceType": "AuditEvent",
        "id": message.id.removeprefix("urn:uuid:"),
        "type": _coding(message.event),
        "subtype": [_coding(code) for code in message.types],
        "action": message.action,
        "recorded": message.at,
        "outcome": str(message.outcome),
        "outcomeDesc": message.outcome_description and clean(message.outcome_description),
        "purposeOfEvent": [_concept(code) for code in message.purposes],
        "agent": [_agent(each) for each in message.participants],
        "source": _filled({"site": message.site_id, "observer": {"identifier": {"value": clean(message.source_id)}}}),
        "entity": [_entity(each) for each in message.objects],
    }
    return json.dumps(_filled(told), separators=(",", ":")).encode("ascii")


def _agent(each: Participant) -> dict[str, Any]:
    network = each.address and {"address": clean(each.address), "type": _point(each.address)}
    return _filled(
        {
            "type": _concept(each.roles[0]) if each.roles else None,
            "role": [_concept(code) for code in each.roles],
            "who": {"identifier": {"value": clean(each.user_id)}},
            "altId": each.alternative_id and clean(each.alternative_id),
            "name": each.name and clean(each.name),
            "requestor": each.requestor,
            "network": network,
        }
    )


def _point(address: str) -> str:
    try:
        ip_address(address)
    except ValueError:
        return "1"
    return "2"


def _entity(each: ParticipantObject) -> dict[str, Any]:
    cycle = None if each.life_cycle is None else {"system": _LIFE_CYCLES, "code": str(each.life_cycle)}
    return _filled(
        {
            "what": {"identifier": {"type": _concept(each.id_type), "value": clean(each.id)}},
            "type": {"system": _TYPES, "code": str(each.type)},
            "role": {"system": _ROLES, "code": str(each.role)},
            "lifecycle": cycle,
            "query": None if each.query is None else b64encode(each.query.encode("utf-8", "replace")).decode(),
            "detail": [{"type": kind, "valueString": clean(value)} for kind, value in each.details if value],
        }
    )


def _coding(code: Coded) -> dict[str, Any]:
    system = _SYSTEMS.get(code.scheme) or (f"urn:oid:{code.scheme}" if code.scheme[:1].isdigit() else code.scheme)
    display = code.display and clean(code.display)
    word = " ".join(clean(code.code).split()) or "-"  # no space around, none doubled (FHIR R4 2.24.0.1, code)
    return _filled({"system": "".join(clean(system).split()), "code": word, "display": display})


def _concept(code: Coded) -> dict[str, Any]:
    return {"coding": [_coding(code)]}


def _filled(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}
