"""Audit events as JSON, one form for the database and the journal."""

import json
import os
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from ..model.identifiers import parse_patient_id
from ..model.messages import AuditEvent, QueryRequest
from ..model.principal import Coded, User

_TUPLES: Final = ("patient_ids", "objects", "codes", "patient_types")
_TEXTS: Final = ("action", "sender", "note", "decision")


def event_json(event: AuditEvent) -> str:
    """One line of ASCII without a line break; absent and empty values are left out."""
    # Written field by field: every request has an event, and a JSON encoder takes three times as long.
    query = "" if event.query is None else f',"query":{_query(event.query)}'
    user = "" if event.user is None else f',"user":{_user(event.user)}'
    glass = ',"break_glass":true' if event.break_glass else ""
    process = os.getpid() if event.process is None else event.process
    return (
        f'{{"at":{_quoted(event.at)},"transaction":{_quoted(event.transaction)},"outcome":{_quoted(event.outcome)}'
        f',"node":{_quoted(event.node)},"address":{_quoted(event.address)},"domain":{_quoted(event.domain)}'
        f',"message_id":{_quoted(event.message_id)}{_listed("patient_ids", event.patient_ids)}'
        f"{_listed('objects', event.objects)}{query}{_listed('codes', event.codes)}{user}{glass}{_texts(event)}"
        f'{_listed("patient_types", event.patient_types)},"process":{process}}}'
    )


def _texts(event: AuditEvent) -> str:
    if event[11:14] == (None, None, None) and event.decision is None:  # action, sender, note
        return ""
    told = ((name, getattr(event, name)) for name in _TEXTS)
    return "".join([f',"{name}":{_quoted(text)}' for name, text in told if text is not None])


def _listed(name: str, values: tuple[str, ...]) -> str:
    return f',"{name}":{_array(values)}' if values else ""


def _array(values: tuple[str, ...]) -> str:
    return f"[{','.join([_quoted(value) for value in values])}]"


def _query(query: QueryRequest) -> str:
    slots = ",".join([f"[{_quoted(name)},{_array(values)}]" for name, values in query.parameters])
    home = "" if query.home is None else f',"home":{_quoted(query.home)}'
    return f'{{"id":{_quoted(query.query_id)},"returns":{_quoted(query.return_type)},"parameters":[{slots}]{home}}}'


@lru_cache(maxsize=256)  # one assertion serves many calls
def _user(user: User) -> str:
    told = {name: value for name, value in user._asdict().items() if value}
    if user.patient_id is not None:
        told["patient_id"] = user.patient_id.as_cx()
    return json.dumps(told, separators=(",", ":"))


def parse_event(text: str | bytes) -> AuditEvent:
    """The event of a line, also of an older release. Raises ValueError or TypeError when it is not one."""
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("an event is a JSON object")
    fields.pop("chain", None)
    for name in _TUPLES:
        fields[name] = tuple(fields.get(name, ()))
    query, user = fields.get("query"), fields.get("user")
    if isinstance(query, str):  # until schema 0006
        fields["note"] = fields.pop("query")
    elif query is not None:
        fields["query"] = _parsed_query(query)
    if user is not None:
        fields["user"] = _parsed_user(user)
    return AuditEvent(**fields)


def _parsed_query(told: dict[str, Any]) -> QueryRequest:
    parameters = tuple((name, tuple(values)) for name, values in told["parameters"])
    return QueryRequest(query_id=told["id"], return_type=told["returns"], parameters=parameters, home=told.get("home"))


def _parsed_user(told: dict[str, Any]) -> User:
    for name in ("roles", "purposes"):
        told[name] = tuple(Coded(*coded) for coded in told.get(name, ()))
    if "patient_id" in told:
        told["patient_id"] = parse_patient_id(told["patient_id"])
    return User(**told)
