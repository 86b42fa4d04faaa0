"""From documents with typed metadata to the objects of one submission (ITI TF-3 4.2; ITI TF-2 3.41.4.1.2).

Ids are made once and given in: the same ids, documents and details always build the same submission, so that a retry
is recognised as one.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    LocalizedString,
    Slot,
    Submission,
    SubmissionSet,
)
from .errors import IncompleteMetadata, Misconfigured
from .values import DocumentMetadata, DocumentToSubmit, SubmittedEntry

CHUNK: Final = 1024 * 1024
CHARSET: Final = "UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionDetails:
    """What the source says of the whole submission (ITI TF-3 4.2.3.3).

    `patient_id` is a CX, `source_id` the OID of the sending system, `replaces` the entryUUID of the document that the
    one document of this submission replaces.
    """

    patient_id: str
    source_id: str
    authors: tuple[Author, ...] = ()
    content_type_code: Code | None = None
    title: str | None = None
    comments: str | None = None
    replaces: str | None = None


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
    """Raise IncompleteMetadata that names all that is missing; Misconfigured for a `replaces` of several documents."""
    if not documents or (details.replaces and len(documents) > 1):
        raise Misconfigured("a submission needs a document, and one that replaces needs exactly one")
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
    symbols = map("part{:03d}".format, range(1, 1_000_000))
    entries = tuple(
        _entry(document.metadata, entry, details, symbols)
        for document, entry in zip(documents, ids.entries, strict=True)
    )
    return Submission(
        submission_sets=(_submission_set(documents, ids, details, symbols),),
        document_entries=entries,
        associations=(*_members(ids, symbols), *_replacements(ids, details, symbols)),
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
        name=_text(metadata.title, metadata.language_code),
        description=_text(metadata.comments, metadata.language_code),
        classifications=(
            *(_author(v.DE_AUTHOR, author, ids.entry_uuid, symbols) for author in metadata.authors),
            *(_coded(scheme, code, ids.entry_uuid, symbols) for scheme, code in _entry_codes(metadata)),
        ),
        external_identifiers=_identifiers(identifiers, ids.entry_uuid, symbols),
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
    content_type = details.content_type_code or first.type_code
    identifiers = (
        (v.SS_PATIENT_ID, "XDSSubmissionSet.patientId", details.patient_id),
        (v.SS_SOURCE_ID, "XDSSubmissionSet.sourceId", details.source_id),
        (v.SS_UNIQUE_ID, "XDSSubmissionSet.uniqueId", ids.set_unique_id),
    )
    return SubmissionSet(
        id=ids.set_uuid,
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        slots=(Slot("submissionTime", (ids.submission_time,)),),
        name=_text(details.title, None),
        description=_text(details.comments, None),
        classifications=(
            Classification(next(symbols), ids.set_uuid, node=v.SUBMISSION_SET_NODE),
            *(_author(v.SS_AUTHOR, author, ids.set_uuid, symbols) for author in details.authors or first.authors[:1]),
            *((_coded(v.SS_CONTENT_TYPE_CODE, content_type, ids.set_uuid, symbols),) if content_type else ()),
        ),
        external_identifiers=_identifiers(identifiers, ids.set_uuid, symbols),
    )


def _members(ids: SubmissionIds, symbols: Iterator[str]) -> Iterator[Association]:
    for entry in ids.entries:
        yield Association(
            id=next(symbols),
            association_type=v.HAS_MEMBER,
            source=ids.set_uuid,
            target=entry.entry_uuid,
            slots=(Slot("SubmissionSetStatus", ("Original",)),),
        )


def _replacements(ids: SubmissionIds, details: SubmissionDetails, symbols: Iterator[str]) -> Iterator[Association]:
    if details.replaces:
        yield Association(
            id=next(symbols), association_type=v.RPLC, source=ids.entries[0].entry_uuid, target=details.replaces
        )


def _coded(scheme: str, code: Code, classified: str, symbols: Iterator[str]) -> Classification:
    return Classification(
        next(symbols),
        classified,
        scheme=scheme,
        code=code.code,
        slots=(Slot("codingScheme", (code.scheme,)),),
        name=_text(code.display or code.code, None),
    )


def _author(scheme: str, author: Author, classified: str, symbols: Iterator[str]) -> Classification:
    rows = (
        ("authorPerson", (author.person,) if author.person else ()),
        ("authorInstitution", author.institutions),
        ("authorRole", author.roles),
        ("authorSpecialty", author.specialties),
        ("authorTelecommunication", author.telecommunications),
    )
    slots = tuple(Slot(name, values) for name, values in rows if values)
    return Classification(next(symbols), classified, scheme=scheme, code="", slots=slots)


def _identifiers(
    rows: Iterable[tuple[str, str, str]], registry_object: str, symbols: Iterator[str]
) -> tuple[ExternalIdentifier, ...]:
    return tuple(
        ExternalIdentifier(next(symbols), registry_object, scheme, value, name=_text(name, None))
        for scheme, name, value in rows
    )


def _text(value: str | None, lang: str | None) -> tuple[LocalizedString, ...]:
    return (LocalizedString(value, lang, CHARSET),) if value else ()
