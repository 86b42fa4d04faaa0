"""Audit events as JSON, one form for the database and the journal."""

import json
from typing import Any, Final

from ..model.messages import AuditEvent

_TUPLES: Final = ("patient_ids", "objects", "codes")
_encode: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def event_json(event: AuditEvent) -> str:
    """One line of ASCII without a line break; absent and empty values are left out."""
    fields: dict[str, Any] = {
        "at": event.at,
        "transaction": event.transaction,
        "outcome": event.outcome,
        "node": event.node,
        "address": event.address,
        "domain": event.domain,
        "message_id": event.message_id,
    }
    if event.patient_ids:
        fields["patient_ids"] = event.patient_ids
    if event.objects:
        fields["objects"] = event.objects
    if event.query is not None:
        fields["query"] = event.query
    if event.codes:
        fields["codes"] = event.codes
    return _encode(fields)


def parse_event(text: str | bytes) -> AuditEvent:
    """The event of a line. Raises ValueError or TypeError when it is not one."""
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("an event is a JSON object")
    for name in _TUPLES:
        fields[name] = tuple(fields.get(name, ()))
    return AuditEvent(**fields)
