"""Audit events as JSON, one form for the database and the journal."""

import json
from json.encoder import encode_basestring_ascii as _quoted
from typing import Final

from ..model.messages import AuditEvent

_TUPLES: Final = ("patient_ids", "objects", "codes")


def event_json(event: AuditEvent) -> str:
    """One line of ASCII without a line break; absent and empty values are left out."""
    # Written field by field: every request has an event, and a JSON encoder takes three times as long.
    query = "" if event.query is None else f',"query":{_quoted(event.query)}'
    action = "" if event.action is None else f',"action":{_quoted(event.action)}'
    sender = "" if event.sender is None else f',"sender":{_quoted(event.sender)}'
    return (
        f'{{"at":{_quoted(event.at)},"transaction":{_quoted(event.transaction)},"outcome":{_quoted(event.outcome)}'
        f',"node":{_quoted(event.node)},"address":{_quoted(event.address)},"domain":{_quoted(event.domain)}'
        f',"message_id":{_quoted(event.message_id)}{_listed("patient_ids", event.patient_ids)}'
        f"{_listed('objects', event.objects)}{query}{_listed('codes', event.codes)}{action}{sender}}}"
    )


def _listed(name: str, values: tuple[str, ...]) -> str:
    return f',"{name}":[{",".join([_quoted(value) for value in values])}]' if values else ""


def parse_event(text: str | bytes) -> AuditEvent:
    """The event of a line. Raises ValueError or TypeError when it is not one."""
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("an event is a JSON object")
    for name in _TUPLES:
        fields[name] = tuple(fields.get(name, ()))
    return AuditEvent(**fields)
