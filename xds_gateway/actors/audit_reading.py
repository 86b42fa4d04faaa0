"""What a patient is owed: who looked at the record, when, at what, for which purpose, and whether it was granted."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..codec.audit_messages import for_patient
from ..codec.queries import MULTI_PATIENT_QUERIES, QUERIES
from ..model.identifiers import PatientId, parse_patient_id
from ..model.messages import AuditEvent
from .audit_ports import AuditEntry
from .ports import Snapshot

# fmt: off
WHAT: Final = {
    "ITI-18": "searched", "ITI-51": "searched", "ITI-43": "read",
    "ITI-41": "added", "ITI-42": "added", "ITI-61": "added",
    "ITI-57": "changed", "ITI-92": "changed",
    "ITI-62": "removed metadata", "ITI-86": "removed documents",
    "ITI-8": "told of the identity", "ITI-44": "told of the identity", "ITI-64": "moved documents",
    "administration": "administered the identity", "audit": "looked at this audit",
    "consent": "changed consent",
}
# fmt: on
_NAMES: Final = {identifier: query.name for identifier, query in (*QUERIES.items(), *MULTI_PATIENT_QUERIES.items())}


class Look(NamedTuple):
    """One access as it is told to the patient; `objects` are ids, `query` is the name of a stored query."""

    id: str
    at: str
    patient: str
    user: str | None
    name: str | None
    roles: tuple[str, ...]
    organization: str | None
    node: str
    address: str
    what: str
    query: str | None
    objects: tuple[str, ...]
    purposes: tuple[str, ...]
    break_glass: bool
    outcome: str
    reasons: tuple[str, ...]


def looks(entries: Iterable[AuditEntry], patients: Collection[str]) -> Iterator[Look]:
    """The accesses to the record of one patient, who has these identifiers; others are never named."""
    for entry in entries:
        yield from (look_of(entry, each) for each in entry.event.patient_ids if _key(each) in patients)


def look_of(entry: AuditEntry, patient: str) -> Look:
    """One access to one patient's record."""
    event = for_patient(entry.event, patient)
    user = event.user
    return Look(
        id=entry.id,
        at=event.at,
        patient=patient,
        user=user.audited if user else None,
        name=user.name if user else None,
        roles=tuple(role.display or role.code for role in user.roles) if user else (),
        organization=(user.organization or user.organization_id) if user else None,
        node=event.node,
        address=event.address,
        what=_what(event),
        query=_NAMES.get(event.query.query_id, event.query.query_id) if event.query else None,
        objects=_objects(event),
        purposes=tuple(purpose.display or purpose.code for purpose in user.purposes) if user else (),
        break_glass=event.break_glass,
        outcome="granted" if event.outcome != "failure" else "refused",
        reasons=(*event.codes, *([event.note] if event.note else ())),
    )


def _what(event: AuditEvent) -> str:
    return WHAT.get(event.transaction, event.transaction)


def _objects(event: AuditEvent) -> tuple[str, ...]:
    """Documents by their uniqueIds, without the repository's; other objects as they are."""
    if event.transaction in ("ITI-43", "ITI-86"):
        return tuple(each.rpartition(" ")[2] for each in event.objects)
    return event.objects


def _key(text: str) -> str:
    found = parse_patient_id(text)
    return found.as_cx() if found else text


def identifiers_of(snapshot: Snapshot, patient: PatientId) -> tuple[PatientId, ...]:
    """All identifiers that mean this patient: those it was merged with, also over others, undone merges apart."""
    found, ahead = [patient], [patient]
    while ahead:
        for merge in snapshot.merges_of(ahead.pop()):
            for other in (merge.subsumed, merge.surviving):
                if not merge.undone_at and other not in found:
                    found.append(other)
                    ahead.append(other)
    return tuple(found)


def titles_of(snapshot: Snapshot, repository: str, ids: Collection[str]) -> Mapping[str, str]:
    """Titles of documents that are still registered, by the entryUUID or uniqueId that an event names."""
    held = snapshot.documents_of(repository, [each for each in ids if not each.startswith("urn:uuid:")])
    entries = {each: document.entries for each, document in held.items()}
    entries |= {each: (each,) for each in ids if each.startswith("urn:uuid:")}
    read = snapshot.read([uuid for uuids in entries.values() for uuid in uuids])
    named = ((each, read[uuid].name) for each, uuids in entries.items() for uuid in uuids if uuid in read)
    return {each: names[0].value for each, names in named if names}
