"""Permanent identity for a submission: symbolic ids become UUIDs, submitted UUIDs stay (ITI TF-2 3.42.4.1.3.7)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from ..model import vocabulary as v
from ..model.identifiers import PatientId
from ..model.metadata import (
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    RegistryObject,
    Slot,
    Submission,
)

NewUuid = Callable[[], str]
Object = TypeVar("Object", bound=RegistryObject)


class Resolved(NamedTuple):
    """A submission with final ids, and for each final id the one that the sender wrote."""

    submission: Submission
    sent_ids: Mapping[str, str]


def resolved(submission: Submission, new_uuid: NewUuid, home: str | None) -> Resolved:
    """The submission with final lower-case ids everywhere, associations included, and what the registry sets set."""
    ids = _Ids(new_uuid)
    final = replace(
        submission,
        submission_sets=tuple(ids.settled(item, home) for item in submission.submission_sets),
        document_entries=tuple(ids.settled(item, home) for item in submission.document_entries),
        folders=tuple(ids.settled(item, home) for item in submission.folders),
        associations=tuple(
            ids.settled(item, home, source=ids[item.source], target=ids[item.target], object_type=v.ASSOCIATION_OBJECT)
            for item in submission.associations
        ),
    )
    return Resolved(final, {settled: sent for sent, settled in ids.items()})


class _Ids(dict[str, str]):
    """Final ids by the ids of the message; the same symbolic id always becomes the same UUID."""

    def __init__(self, new_uuid: NewUuid) -> None:
        super().__init__()
        self._new_uuid = new_uuid

    def __missing__(self, identifier: str) -> str:
        lower = identifier.lower()
        final = lower if lower.startswith("urn:uuid:") else self._new_uuid()
        self[identifier] = final
        return final

    def settled(self, item: Object, home: str | None, **changed: Any) -> Object:
        """An object with its final ids; small parts are rebuilt by position, `_replace` costs three times as much."""
        final = self[item.id]
        new_uuid = self._new_uuid
        return replace(
            item,
            id=final,
            lid=final,
            home=home,
            status=v.APPROVED,
            version="1",
            classifications=tuple(
                [Classification(self[c[0]] if c[0] else new_uuid(), final, *c[2:]) for c in item.classifications]
            ),
            external_identifiers=tuple(
                [
                    ExternalIdentifier(self[e[0]] if e[0] else new_uuid(), final, *e[2:])
                    for e in item.external_identifiers
                ]
            ),
            **changed,
        )


Versioned = TypeVar("Versioned", DocumentEntry, Folder)


def next_version(item: Versioned, patient: PatientId, new_uuid: NewUuid) -> Versioned:
    """The version after a registered one, for this patient: new ids down to its parts (ITI TF-2 3.64.4.1.3.1.4)."""
    final = new_uuid()
    return replace(
        item,
        id=final,
        lid=item.lid or item.id,
        status=v.APPROVED,
        version=str(int(item.version or 1) + 1),
        classifications=tuple([Classification(new_uuid(), final, *c[2:]) for c in item.classifications]),
        external_identifiers=tuple(
            [
                ExternalIdentifier(
                    new_uuid(),
                    final,
                    e.scheme,
                    patient.as_cx() if e.scheme == item.PATIENT_ID_SCHEME else e.value,
                    *e[4:],
                )
                for e in item.external_identifiers
            ]
        ),
    )


def new_oid(new_uuid: NewUuid) -> str:
    """A new OID: `2.25.<a UUID as an integer>` (ITU-T X.667)."""
    return f"2.25.{int(new_uuid().removeprefix('urn:uuid:').replace('-', ''), 16)}"


def with_document(entry: DocumentEntry, repository_unique_id: str, sha1: str, size: int) -> DocumentEntry:
    """The entry as a repository hands it on: its own id, hash and size unless given (ITI TF-2 3.41.4.1.3.2)."""
    own = Slot("repositoryUniqueId", (repository_unique_id,))
    slots = tuple([own if slot.name == own.name else slot for slot in entry.slots])
    sent = entry.slots_by_name
    made = [own, Slot("hash", (sha1,)), Slot("size", (str(size),))]
    return replace(entry, slots=(*slots, *[slot for slot in made if slot.name not in sent]))


_LIMITED: Final = frozenset((v.LIMITED_DOCUMENT_ENTRY, v.LIMITED_SUBMISSION_SET, v.LIMITED_FOLDER))


def without_flags(submission: Submission) -> Submission:
    """The submission without flags of limited metadata: no answer of a query has one (ITI TF-3 Table 4.3.2.1-3)."""
    return replace(
        submission,
        submission_sets=tuple(map(_unflagged, submission.submission_sets)),
        document_entries=tuple(map(_unflagged, submission.document_entries)),
        folders=tuple(map(_unflagged, submission.folders)),
    )


def _unflagged(item: Object) -> Object:
    kept = tuple(c for c in item.classifications if c.node not in _LIMITED)
    return item if len(kept) == len(item.classifications) else replace(item, classifications=kept)
