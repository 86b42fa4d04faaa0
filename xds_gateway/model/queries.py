"""Stored queries after parsing: what storage compiles into statements (ITI TF-2 3.18.4.1.2.3.7).

An entry, set or folder that is asked for by id has either `uuid` or `unique_id`; in the plural, one list has values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from . import vocabulary as v
from .datatypes import TimeInterval
from .identifiers import PatientId

# A list inside one slot is OR, two slots of one name are AND: ((a OR b) AND (c)).
CodeGroups = tuple[tuple[tuple[str, str], ...], ...]  # (code, coding scheme)
TextGroups = tuple[tuple[str, ...], ...]


class TimeRange(NamedTuple):
    """A From/To pair; each end as the instants that it may mean (ITI TF-2 3.18.4.1.2.3.3).

    A value [lo, hi] matches when `lo is NULL`, or
    (from is None or from.earliest <= hi) and
    (to is None or (lo <= to.latest and (lo, hi) != (to.earliest, to.latest))).
    """

    start: TimeInterval | None
    stop: TimeInterval | None


ANY_TIME = TimeRange(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levelled:
    """What every query has: `$MetadataLevel` (XDS Metadata Update).

    Level 1 hides older versions, entries that are Offline and folders that are Deprecated; where a query has a status
    parameter, that parameter decides about versions and folders. Level 2 hides nothing.
    """

    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Associated(Levelled):
    """What queries over associations have: `$XDSAssociationStatus`, which is Approved at level 1."""

    association_statuses: tuple[str, ...] = (v.APPROVED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCriteria(Levelled):
    """What the queries for entries select by, besides patients (ITI TF-2 3.18.4.1.2.3.7.1).

    `codes` maps "class_code", "type_code", "practice_setting_code", "healthcare_facility_type_code", "format_code",
    "event_code_list" and "confidentiality_code" to AND of ORs; `times` maps "creation_time", "service_start_time" and
    "service_stop_time"; `author_person` and `reference_ids` are LIKE patterns (`%`, `_`).
    """

    statuses: tuple[str, ...]
    object_types: tuple[str, ...]
    codes: Mapping[str, CodeGroups] = field(default_factory=dict)
    times: Mapping[str, TimeRange] = field(default_factory=dict)
    author_person: TextGroups = ()
    reference_ids: TextGroups = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDocuments(DocumentCriteria):
    """FindDocuments and FindDocumentsByReferenceId (ITI TF-2 3.18.4.1.2.3.7.1, .14)."""

    patient_id: PatientId


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDocumentsForMultiplePatients(DocumentCriteria):
    """Entries of several patients, or of any when there is none (ITI TF-2 3.51.4.1.2.1.1).

    Without a patient there is a class code, an event code or a healthcare facility type code.
    """

    patient_ids: tuple[PatientId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSubmissionSets(Levelled):
    """FindSubmissionSets; `author_person` are LIKE patterns (ITI TF-2 3.18.4.1.2.3.7.2)."""

    patient_id: PatientId
    statuses: tuple[str, ...]
    source_ids: tuple[str, ...] = ()
    submission_time: TimeRange = ANY_TIME
    author_person: TextGroups = ()
    content_types: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCriteria(Levelled):
    """What the queries for folders select by, besides patients (ITI TF-2 3.18.4.1.2.3.7.3)."""

    statuses: tuple[str, ...]
    last_update_time: TimeRange = ANY_TIME
    codes: CodeGroups = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindFolders(FolderCriteria):
    """FindFolders (ITI TF-2 3.18.4.1.2.3.7.3)."""

    patient_id: PatientId


@dataclass(frozen=True, slots=True, kw_only=True)
class FindFoldersForMultiplePatients(FolderCriteria):
    """Folders of several patients, or of any when there is none; then there is a code (ITI TF-2 3.51.4.1.2.1.2)."""

    patient_ids: tuple[PatientId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries of a container are returned: their types, and "format_code" and "confidentiality_code"."""

    object_types: tuple[str, ...] = ()  # none: of any type
    codes: Mapping[str, CodeGroups] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAll(Associated):
    """GetAll (ITI TF-2 3.18.4.1.2.3.7.4)."""

    patient_id: PatientId
    entry_statuses: tuple[str, ...]
    submission_set_statuses: tuple[str, ...]
    folder_statuses: tuple[str, ...]
    entries: EntryFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDocuments(Levelled):
    """GetDocuments by entryUUID, by uniqueId or by logicalID (ITI TF-2 3.18.4.1.2.3.7.5)."""

    uuids: tuple[str, ...] = ()
    unique_ids: tuple[str, ...] = ()
    logical_ids: tuple[str, ...] = ()  # of all versions; at level 2 only


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFolders(Levelled):
    """GetFolders by entryUUID, by uniqueId or by logicalID (ITI TF-2 3.18.4.1.2.3.7.6)."""

    uuids: tuple[str, ...] = ()
    unique_ids: tuple[str, ...] = ()
    logical_ids: tuple[str, ...] = ()  # of all versions; at level 2 only


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAssociations(Associated):
    """GetAssociations from and to objects of any kind (ITI TF-2 3.18.4.1.2.3.7.7)."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDocumentsAndAssociations(Associated):
    """GetDocumentsAndAssociations by entryUUID or by uniqueId (ITI TF-2 3.18.4.1.2.3.7.8)."""

    uuids: tuple[str, ...] = ()
    unique_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSubmissionSets(Associated):
    """GetSubmissionSets that hold entries or folders (ITI TF-2 3.18.4.1.2.3.7.9)."""

    uuids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSubmissionSetAndContents(Associated):
    """GetSubmissionSetAndContents (ITI TF-2 3.18.4.1.2.3.7.10)."""

    uuid: str | None = None
    unique_id: str | None = None
    entries: EntryFilter = field(default_factory=EntryFilter)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFolderAndContents(Associated):
    """GetFolderAndContents (ITI TF-2 3.18.4.1.2.3.7.11)."""

    uuid: str | None = None
    unique_id: str | None = None
    entries: EntryFilter = field(default_factory=EntryFilter)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFoldersForDocument(Associated):
    """GetFoldersForDocument (ITI TF-2 3.18.4.1.2.3.7.12)."""

    uuid: str | None = None
    unique_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRelatedDocuments(Associated):
    """GetRelatedDocuments (ITI TF-2 3.18.4.1.2.3.7.13)."""

    uuid: str | None = None
    unique_id: str | None = None
    association_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()


StoredQuery = (
    FindDocuments
    | FindDocumentsForMultiplePatients
    | FindSubmissionSets
    | FindFolders
    | FindFoldersForMultiplePatients
    | GetAll
    | GetDocuments
    | GetFolders
    | GetAssociations
    | GetDocumentsAndAssociations
    | GetSubmissionSets
    | GetSubmissionSetAndContents
    | GetFolderAndContents
    | GetFoldersForDocument
    | GetRelatedDocuments
)
