"""What stored queries return besides documents: sets, folders, associations and references, as frozen values."""

from dataclasses import dataclass
from typing import NamedTuple

from ..model.datatypes import Author, Code
from .errors import RegistryError
from .values import DocumentSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSetSummary:
    """A SubmissionSet as a reader wants it (ITI TF-3 4.2.3.3); `submission_time` is a DTM in UTC."""

    entry_uuid: str
    unique_id: str | None
    source_id: str | None = None
    patient_id: str | None = None
    submission_time: str | None = None
    title: str | None = None
    comments: str | None = None
    content_type_code: Code | None = None
    authors: tuple[Author, ...] = ()
    intended_recipients: tuple[str, ...] = ()
    home: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSummary:
    """A Folder as a reader wants it (ITI TF-3 4.2.3.4); `last_update_time` is a DTM in UTC."""

    entry_uuid: str
    logical_id: str | None = None
    unique_id: str | None
    patient_id: str | None = None
    title: str | None = None
    comments: str | None = None
    codes: tuple[Code, ...] = ()
    last_update_time: str | None = None
    home: str | None = None
    status: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSummary:
    """An Association; `type` is the last word of its URN, as "RPLC" or "HasMember" (ITI TF-3 4.2.2).

    `submission_set_status` ("Original" or "Reference") and `previous_version` stand on the members of a set only.
    """

    entry_uuid: str
    type: str
    source: str
    target: str
    status: str | None = None
    submission_set_status: str | None = None
    previous_version: str | None = None
    documentation: Code | None = None
    home: str | None = None


class ObjectReference(NamedTuple):
    """An object of the registry by its entryUUID (returnType ObjectRef, ITI TF-2 3.18.4.1.2.5)."""

    entry_uuid: str
    home: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What a stored query answered, each kind of object in answer order (ITI TF-2 3.18.4.1.3).

    `references` is filled when ObjectRef was asked for, the others when LeafClass was.
    """

    documents: tuple[DocumentSummary, ...] = ()
    submission_sets: tuple[SubmissionSetSummary, ...] = ()
    folders: tuple[FolderSummary, ...] = ()
    associations: tuple[AssociationSummary, ...] = ()
    references: tuple[ObjectReference, ...] = ()
    warnings: tuple[RegistryError, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, (self.documents, self.submission_sets, self.folders, self.associations, self.references)))
