"""What the SDK takes and gives: frozen values in the words of the standard."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..model.datatypes import Author, Code
from ..model.messages import PlannedEffect
from .errors import RegistryError

# attribute                        required of an ITI-41 sender: ITI TF-3 Table 4.3.1-3
REQUIRED = (
    "class_code",
    "confidentiality_codes",
    "creation_time",
    "format_code",
    "healthcare_facility_type_code",
    "language_code",
    "mime_type",
    "practice_setting_code",
    "type_code",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentMetadata:
    """What is known of a document besides its bytes; None or empty is "not known" (ITI TF-3 4.2.3.2).

    Times are DTM in UTC, persons XCN, institutions XON, `source_patient_id` a CX. `unique_id` and `source_patient_id`
    may stay unknown: the client then makes an OID, and takes the patient id.
    """

    title: str | None = None
    comments: str | None = None
    mime_type: str | None = None
    unique_id: str | None = None
    creation_time: str | None = None
    service_start_time: str | None = None
    service_stop_time: str | None = None
    language_code: str | None = None
    class_code: Code | None = None
    type_code: Code | None = None
    format_code: Code | None = None
    healthcare_facility_type_code: Code | None = None
    practice_setting_code: Code | None = None
    confidentiality_codes: tuple[Code, ...] = ()
    event_codes: tuple[Code, ...] = ()
    authors: tuple[Author, ...] = ()
    legal_authenticator: str | None = None
    source_patient_id: str | None = None
    source_patient_info: tuple[str, ...] = ()
    reference_ids: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the required attributes that are unknown (ITI TF-3 Table 4.3.1-3)."""
        return tuple(name for name in REQUIRED if not getattr(self, name))

    def filled_from(self, other: "DocumentMetadata") -> "DocumentMetadata":
        """These attributes, and for each unknown one that of `other`."""
        unknown = [f.name for f in fields(self) if not getattr(self, f.name)]
        return replace(self, **{name: getattr(other, name) for name in unknown})


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentToSubmit:
    """A document and its metadata; `content` is a file that will be streamed, or bytes."""

    content: Path | bytes
    metadata: DocumentMetadata

    @property
    def label(self) -> str:
        """How messages name this document: its file name, or its title."""
        return self.content.name if isinstance(self.content, Path) else self.metadata.title or "document"

    def changed(self, **changes: Any) -> "DocumentToSubmit":
        """The same document with other metadata attributes.

        >>> document.changed(title="Compte rendu")          # doctest: +SKIP
        """
        return replace(self, metadata=replace(self.metadata, **changes))


class SubmittedEntry(NamedTuple):
    """One document of a submission: ids, size in bytes, SHA-1 in hexadecimal."""

    entry_uuid: str
    unique_id: str
    size: int
    sha1: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionResult:
    """An accepted submission; `already_there` when a query found it from an earlier run and nothing was sent.

    `planned` is what a dry run told that would happen; nothing is there then.
    """

    submission_set_uuid: str
    unique_id: str
    entries: tuple[SubmittedEntry, ...]
    already_there: bool = False
    warnings: tuple[RegistryError, ...] = ()
    planned: tuple[PlannedEffect, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """A DocumentEntry as a reader wants it (ITI TF-3 4.2.3.2); times are DTM in UTC, `hash` SHA-1 in hexadecimal.

    `status` is the last word of the status URN: "Approved" or "Deprecated". `home` is set when the entry came from
    another community.
    """

    entry_uuid: str
    logical_id: str | None = None
    unique_id: str | None
    repository_unique_id: str | None
    home: str | None = None
    patient_id: str | None
    source_patient_id: str | None = None
    title: str | None = None
    comments: str | None = None
    class_code: Code | None = None
    type_code: Code | None = None
    format_code: Code | None = None
    healthcare_facility_type_code: Code | None = None
    practice_setting_code: Code | None = None
    confidentiality_codes: tuple[Code, ...] = ()
    event_codes: tuple[Code, ...] = ()
    authors: tuple[Author, ...] = ()
    legal_authenticator: str | None = None
    creation_time: str | None = None
    service_start_time: str | None = None
    service_stop_time: str | None = None
    language_code: str | None = None
    mime_type: str | None = None
    size: int | None = None
    hash: str | None = None
    status: str | None = None
    version: str | None = None


class Relation(NamedTuple):
    """An association between documents; `type` is the last word of its URN, as "RPLC" (ITI TF-3 4.2.2)."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedDocuments:
    """What GetRelatedDocuments answers: the documents, the one asked for among them, and how they hang together."""

    documents: tuple[DocumentSummary, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievedFile:
    """A document received and, where its entry was given, verified; `path` is None when it went to an open stream.

    One made on demand has a `new_unique_id`, and is kept under it by the repository `new_repository_unique_id`, if any.
    """

    size: int
    sha1: str
    mime_type: str | None = None
    path: Path | None = None
    new_unique_id: str | None = None
    new_repository_unique_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrationResult:
    """An accepted change: the submission set that tells it, and the object that it made or changed.

    `version` is set when the object is new, `unique_id` for a new folder.
    """

    submission_set_uuid: str
    entry_uuid: str
    unique_id: str | None = None
    version: str | None = None
    warnings: tuple[RegistryError, ...] = ()
