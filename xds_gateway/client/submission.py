"""From documents with typed metadata to the objects of one submission (ITI TF-3 4.2; ITI TF-2 3.41.4.1.2).

Ids are made once and given in: the same ids, documents and details always build the same submission, so that a retry
is recognised as one.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.metadata import (
    Association,
    DocumentEntry,
    Slot,
    Submission,
    SubmissionSet,
)
from .errors import IncompleteMetadata, Misconfigured
from .parts import (
    SetDetails,
    SetIds,
    make_author,
    make_code,
    make_identifiers,
    make_member,
    make_set,
    make_text,
    new_symbols,
)
from .values import DocumentMetadata, DocumentToSubmit, SubmittedEntry

CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionDetails:
    """What the source says of the whole submission (ITI TF-3 4.2.3.3).

    `patient_id` is a CX, `source_id` the OID of the sending system. `relation` is the type of the association from the
    one document of this submission to an earlier one, and the entryUUID of that; `folders` are entryUUIDs of folders
    that every document is put into.
    """

    patient_id: str
    source_id: str
    authors: tuple[Author, ...] = ()
    content_type_code: Code | None = None
    title: str | None = None
    comments: str | None = None
    relation: tuple[str, str] | None = None
    folders: tuple[str, ...] = ()


class SubmissionIds(NamedTuple):
    """The ids and the time of one submission, kept over retries."""

    set_uuid: str
    set_unique_id: str
    submission_time: str
    entries: tuple[SubmittedEntry, ...]


class ContentDigest(NamedTuple):
    """Size in bytes and digests in hexadecimal of a document."""

    size: int
    sha1: str
    sha256: str


def open_content(content: Path | bytes) -> BinaryIO:
    """The bytes of a document as a stream; raises Misconfigured when the file cannot be read."""
    if isinstance(content, bytes):
        return BytesIO(content)
    try:
        return content.open("rb")
    except OSError as wrong:
        raise Misconfigured(f"{content} cannot be read: {wrong.strerror}") from wrong


def read_digest(content: Path | bytes) -> ContentDigest:
    """Read a document once for its size and digests, a MiB at a time."""
    sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
    with open_content(content) as stream:
        while chunk := stream.read(CHUNK):
            sha1.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
    return ContentDigest(size, sha1.hexdigest(), sha256.hexdigest())


def check_complete(documents: Sequence[DocumentToSubmit], details: SubmissionDetails) -> None:
    """Raise IncompleteMetadata that names all that is missing; Misconfigured for a relation of several documents."""
    if not documents or (details.relation and len(documents) > 1):
        raise Misconfigured("a submission needs a document, and one that relates to another needs exactly one")
    missing = tuple((d.label, d.metadata.missing) for d in documents if d.metadata.missing)
    if missing:
        raise IncompleteMetadata(missing)


def submission_key(
    documents: Sequence[DocumentToSubmit],
    digests: Sequence[ContentDigest],
    details: SubmissionDetails,
    destination: str,
) -> str:
    """One hexadecimal name for "this submission to that gateway": the same input always has the same one."""
    told = {
        "destination": destination,
        "details": asdict(details),
        "documents": [[d.sha256, asdict(document.metadata)] for document, d in zip(documents, digests, strict=True)],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def make_ids(
    documents: Sequence[DocumentToSubmit],
    digests: Sequence[ContentDigest],
    new_uuid: Callable[[], UUID],
    now: datetime,
) -> SubmissionIds:
    """New ids for a submission; a document that has a uniqueId keeps it (ITI TF-3 4.2.3.2.26)."""
    entries = tuple(
        SubmittedEntry(new_uuid().urn, document.metadata.unique_id or make_oid(new_uuid()), digest.size, digest.sha1)
        for document, digest in zip(documents, digests, strict=True)
    )
    submission_time = now.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    return SubmissionIds(new_uuid().urn, make_oid(new_uuid()), submission_time, entries)


def make_oid(uuid: UUID) -> str:
    """A UUID as an OID: `2.25.<the UUID as an integer>` (ITU-T X.667)."""
    return f"2.25.{uuid.int}"


def build_submission(
    documents: Sequence[DocumentToSubmit], ids: SubmissionIds, details: SubmissionDetails
) -> Submission:
    """The submission set, its entries and associations; ids that nobody keeps are symbolic (ITI TF-3 4.2.1.4)."""
    symbols = new_symbols()
    entries = tuple(
        _entry(document.metadata, entry, details, symbols)
        for document, entry in zip(documents, ids.entries, strict=True)
    )
    return Submission(
        submission_sets=(_submission_set(documents, ids, details, symbols),),
        document_entries=entries,
        associations=(*_members(ids, details, symbols), *_relationships(ids, details, symbols)),
    )


def _entry(
    metadata: DocumentMetadata, ids: SubmittedEntry, details: SubmissionDetails, symbols: Iterator[str]
) -> DocumentEntry:
    identifiers = (
        (v.DE_PATIENT_ID, "XDSDocumentEntry.patientId", details.patient_id),
        (v.DE_UNIQUE_ID, "XDSDocumentEntry.uniqueId", ids.unique_id),
    )
    return DocumentEntry(
        id=ids.entry_uuid,
        object_type=v.STABLE_DOCUMENT,
        mime_type=metadata.mime_type,
        slots=tuple(_entry_slots(metadata, ids, details)),
        name=make_text(metadata.title, metadata.language_code),
        description=make_text(metadata.comments, metadata.language_code),
        classifications=(
            *(make_author(v.DE_AUTHOR, author, ids.entry_uuid, symbols) for author in metadata.authors),
            *(make_code(scheme, code, ids.entry_uuid, symbols) for scheme, code in _entry_codes(metadata)),
        ),
        external_identifiers=make_identifiers(identifiers, ids.entry_uuid, symbols),
    )


def _entry_slots(metadata: DocumentMetadata, ids: SubmittedEntry, details: SubmissionDetails) -> Iterator[Slot]:
    rows: tuple[tuple[str, tuple[str | None, ...]], ...] = (
        ("creationTime", (metadata.creation_time,)),
        ("hash", (ids.sha1,)),
        ("languageCode", (metadata.language_code,)),
        ("legalAuthenticator", (metadata.legal_authenticator,)),
        ("serviceStartTime", (metadata.service_start_time,)),
        ("serviceStopTime", (metadata.service_stop_time,)),
        ("size", (str(ids.size),)),
        ("sourcePatientId", (metadata.source_patient_id or details.patient_id,)),
        ("sourcePatientInfo", metadata.source_patient_info),
        ("urn:ihe:iti:xds:2013:referenceIdList", metadata.reference_ids),
    )
    return (Slot(name, known) for name, values in rows if (known := tuple(value for value in values if value)))


def _entry_codes(metadata: DocumentMetadata) -> Iterator[tuple[str, Code]]:
    rows: tuple[tuple[str, tuple[Code | None, ...]], ...] = (
        (v.DE_CLASS_CODE, (metadata.class_code,)),
        (v.DE_CONFIDENTIALITY_CODE, metadata.confidentiality_codes),
        (v.DE_EVENT_CODE_LIST, metadata.event_codes),
        (v.DE_FORMAT_CODE, (metadata.format_code,)),
        (v.DE_HEALTHCARE_FACILITY_TYPE_CODE, (metadata.healthcare_facility_type_code,)),
        (v.DE_PRACTICE_SETTING_CODE, (metadata.practice_setting_code,)),
        (v.DE_TYPE_CODE, (metadata.type_code,)),
    )
    return ((scheme, code) for scheme, codes in rows for code in codes if code)


def _submission_set(
    documents: Sequence[DocumentToSubmit], ids: SubmissionIds, details: SubmissionDetails, symbols: Iterator[str]
) -> SubmissionSet:
    """The set; who names no author or contentTypeCode gets those of the first document."""
    first = documents[0].metadata
    told = SetDetails(
        patient_id=details.patient_id,
        source_id=details.source_id,
        authors=details.authors or first.authors[:1],
        content_type_code=details.content_type_code or first.type_code,
        title=details.title,
        comments=details.comments,
    )
    return make_set(SetIds(ids.set_uuid, ids.set_unique_id, ids.submission_time), told, symbols)


def _members(ids: SubmissionIds, details: SubmissionDetails, symbols: Iterator[str]) -> Iterator[Association]:
    """The entries in their set, and in the folders, which the set holds too (ITI TF-2 3.42.4.1.2)."""
    for entry in ids.entries:
        yield make_member(ids.set_uuid, entry.entry_uuid, symbols)
        for folder in details.folders:
            filed = make_member(folder, entry.entry_uuid, symbols, slots=())
            yield filed
            yield make_member(ids.set_uuid, filed.id, symbols)


def _relationships(ids: SubmissionIds, details: SubmissionDetails, symbols: Iterator[str]) -> Iterator[Association]:
    if details.relation:
        kind, target = details.relation
        yield Association(id=next(symbols), association_type=kind, source=ids.entries[0].entry_uuid, target=target)
