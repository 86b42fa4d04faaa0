"""Snapshots of on-demand documents: their ids, and the submission that registers one (ITI TF-2 3.43.4.2.3)."""

from dataclasses import replace
from hashlib import sha256
from typing import Final

from ..model import vocabulary as v
from ..model.messages import SpooledDocument
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Slot,
    Submission,
    SubmissionSet,
)
from .identity import NewUuid, new_oid

_ENTRY: Final = "Snapshot"
_SET: Final = "SnapshotSet"
_MANAGED: Final = ("creationTime", "hash", "size", "repositoryUniqueId")


def snapshot_id(repository_unique_id: str, unique_id: str, mime_type: str, spooled: SpooledDocument) -> str:
    """NewDocumentUniqueId: the same on-demand entry with the same content always has the same one, an OID (2.25).

    The number is a UUID of version 8 made of SHA-256 digests (RFC 9562 5.8, ITU-T X.667).
    """
    text = "\0".join((repository_unique_id, unique_id, mime_type, str(spooled.size), ""))
    digest = bytearray(sha256(text.encode() + spooled.chunk_digests).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


def snapshot_submission(
    entry: DocumentEntry,
    spooled: SpooledDocument,
    *,
    unique_id: str,
    mime_type: str,
    repository_unique_id: str,
    now: str,
    new_uuid: NewUuid,
) -> Submission:
    """A set, the stable entry of what was made, its membership, and IsSnapshotOf to the on-demand `entry`."""
    return Submission(
        submission_sets=(_submission_set(entry, repository_unique_id, now, new_uuid),),
        document_entries=(_stable_entry(entry, spooled, unique_id, mime_type, repository_unique_id, now),),
        associations=(
            _association("member", v.HAS_MEMBER, _SET, _ENTRY, (Slot("SubmissionSetStatus", ("Original",)),)),
            _association("snapshot", v.IS_SNAPSHOT_OF, _ENTRY, entry.id),
        ),
    )


def _stable_entry(
    entry: DocumentEntry, spooled: SpooledDocument, unique_id: str, mime_type: str, repository: str, now: str
) -> DocumentEntry:
    """What the on-demand entry says, of a document that is there: who, what and where stay."""
    made = {
        "creationTime": now,
        "hash": spooled.sha1,
        "size": str(spooled.size),
        "repositoryUniqueId": repository,
    }
    kept = tuple(slot for slot in entry.slots if slot.name not in _MANAGED)
    return replace(
        entry,
        id=_ENTRY,
        object_type=v.STABLE_DOCUMENT,
        mime_type=mime_type,
        slots=(*(Slot(name, (value,)) for name, value in made.items()), *kept),
        classifications=tuple(c._replace(id="", classified_object=_ENTRY) for c in entry.classifications),
        external_identifiers=tuple(
            e._replace(id="", registry_object=_ENTRY, value=unique_id if e.scheme == v.DE_UNIQUE_ID else e.value)
            for e in entry.external_identifiers
        ),
    )


def _submission_set(entry: DocumentEntry, repository: str, now: str, new_uuid: NewUuid) -> SubmissionSet:
    """A set whose source is this repository; its contentTypeCode is the typeCode of the entry."""
    unique_id = new_oid(new_uuid)
    identifiers = {v.SS_PATIENT_ID: entry.patient_id, v.SS_SOURCE_ID: repository, v.SS_UNIQUE_ID: unique_id}
    codes = tuple(
        c._replace(id="", classified_object=_SET, scheme=v.SS_CONTENT_TYPE_CODE) for c in entry.codes(v.DE_TYPE_CODE)
    )
    return SubmissionSet(
        id=_SET,
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        slots=(Slot("submissionTime", (now,)),),
        classifications=(Classification("", _SET, node=v.SUBMISSION_SET_NODE), *codes),
        external_identifiers=tuple(
            ExternalIdentifier("", _SET, scheme, value) for scheme, value in identifiers.items() if value
        ),
    )


def _association(
    identifier: str, association_type: str, source: str, target: str, slots: tuple[Slot, ...] = ()
) -> Association:
    return Association(id=identifier, association_type=association_type, source=source, target=target, slots=slots)
