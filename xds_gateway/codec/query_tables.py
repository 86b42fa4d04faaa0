"""The stored queries of ITI-18 and ITI-51: their parameters, laid out as the standard's tables.

ITI TF-2 3.18.4.1.2.3.7 and 3.51.4.1.2.1.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ..model import queries as q
from ..model.queries import StoredQuery
from . import query_building as build
from .query_building import Values
from .query_parameters import Parameter
from .query_values import (
    ASSOCIATION_TYPE,
    CODE,
    LEVEL,
    OBJECT_TYPE,
    PATIENT,
    PATTERN,
    REFERENCE_ID,
    SOURCE_ID,
    STATUS,
    TIME,
    UNIQUE_ID,
    UUID,
)


class Query(NamedTuple):
    """A stored query: its name, its parameters and how they make a value.

    `either` is the object of which exactly one of the ids is needed, as in "$XDSFolderEntryUUID": "$XDSFolder";
    `some_of` are attributes of which at least one is needed.
    """

    name: str
    clause: str
    build: Callable[[Values], StoredQuery]
    parameters: tuple[Parameter, ...]
    either: str | None = None
    some_of: tuple[str, ...] = ()


_ENTRY: Final = "$XDSDocumentEntry"
_SET: Final = "$XDSSubmissionSet"
_FOLDER: Final = "$XDSFolder"
IDS: Final = ("uuid", "unique_id", "logical_id")  # attributes that name an object

# --- rows that several tables have --------------------------------------------------------------------------------


def _time_rows(prefix: str, times: Mapping[str, str]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(f"{prefix}{name}{end}", f"{attribute}_{end.lower()}", False, False, False, TIME)
        for attribute, name in times.items()
        for end in ("From", "To")
    )


def _id_rows(prefix: str, *, multiple: bool) -> tuple[Parameter, ...]:
    return (
        Parameter(f"{prefix}EntryUUID", "uuid", False, multiple, False, UUID),
        Parameter(f"{prefix}UniqueId", "unique_id", False, multiple, False, UNIQUE_ID),
    )


def _logical_id(prefix: str) -> Parameter:
    return Parameter(f"{prefix}LogicalID", "logical_id", False, True, False, UUID)


_DOCUMENTS: Final = (
    #         parameter                attribute        required multiple AND    type
    Parameter(f"{_ENTRY}Status", "status", True, True, False, STATUS),
    Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
    Parameter(f"{_ENTRY}AuthorPerson", "author_person", False, True, False, PATTERN),
    *(Parameter(_ENTRY + name, attribute, False, True, both, CODE) for attribute, name, both in build.CODES),
    *_time_rows(_ENTRY, build.TIMES),
)
_FOLDERS: Final = (
    *_time_rows(_FOLDER, {"last_update_time": "LastUpdateTime"}),
    Parameter(f"{_FOLDER}CodeList", "code", False, True, True, CODE),
    Parameter(f"{_FOLDER}Status", "status", True, True, False, STATUS),
)
_OF_PATIENT: Final = Parameter(f"{_ENTRY}PatientId", "patient_id", True, False, False, PATIENT)
_FIND_DOCUMENTS: Final = (_OF_PATIENT, *_DOCUMENTS)
_ENTRY_FILTER: Final = (
    Parameter(f"{_ENTRY}FormatCode", "format_code", False, True, False, CODE),
    Parameter(f"{_ENTRY}ConfidentialityCode", "confidentiality_code", False, True, True, CODE),
    Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
)
_ANY_UUIDS: Final = Parameter("$uuid", "uuid", True, True, False, UUID)

# Metadata Update: every query has the level, and those that return or follow associations their status.
_LEVEL: Final = Parameter("$MetadataLevel", "metadata_level", False, False, False, LEVEL)
_ASSOCIATION_STATUS: Final = Parameter("$XDSAssociationStatus", "association_status", False, True, False, STATUS)

# --- the tables, in the order of 3.18.4.1.2.3.7 -------------------------------------------------------------------

_QUERIES: Final = {
    "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d": Query(
        "FindDocuments", "ITI TF-2 3.18.4.1.2.3.7.1", build.find_documents, _FIND_DOCUMENTS
    ),
    "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9": Query(
        "FindSubmissionSets",
        "ITI TF-2 3.18.4.1.2.3.7.2",
        build.find_submission_sets,
        (
            Parameter(f"{_SET}PatientId", "patient_id", True, False, False, PATIENT),
            Parameter(f"{_SET}SourceId", "source_id", False, True, False, SOURCE_ID),
            *_time_rows(_SET, {"submission_time": "SubmissionTime"}),
            Parameter(f"{_SET}AuthorPerson", "author_person", False, False, False, PATTERN),
            Parameter(f"{_SET}ContentType", "content_type", False, True, False, CODE),
            Parameter(f"{_SET}Status", "status", True, True, False, STATUS),
        ),
    ),
    "urn:uuid:958f3006-baad-4929-a4de-ff1114824431": Query(
        "FindFolders",
        "ITI TF-2 3.18.4.1.2.3.7.3",
        build.find_folders,
        (
            Parameter(f"{_FOLDER}PatientId", "patient_id", True, False, False, PATIENT),
            *_FOLDERS,
        ),
    ),
    "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3": Query(
        "GetAll",
        "ITI TF-2 3.18.4.1.2.3.7.4",
        build.get_all,
        (
            Parameter("$patientId", "patient_id", True, False, False, PATIENT),
            Parameter(f"{_ENTRY}Status", "entry_status", True, True, False, STATUS),
            Parameter(f"{_SET}Status", "submission_set_status", True, True, False, STATUS),
            Parameter(f"{_FOLDER}Status", "folder_status", True, True, False, STATUS),
            *_ENTRY_FILTER,
            _ASSOCIATION_STATUS,
        ),
    ),
    "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4": Query(
        "GetDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.5",
        lambda values: q.GetDocuments(**build.logical_ids(values)),
        (*_id_rows(_ENTRY, multiple=True), _logical_id(_ENTRY)),
        _ENTRY,
    ),
    "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4": Query(
        "GetFolders",
        "ITI TF-2 3.18.4.1.2.3.7.6",
        lambda values: q.GetFolders(**build.logical_ids(values)),
        (*_id_rows(_FOLDER, multiple=True), _logical_id(_FOLDER)),
        _FOLDER,
    ),
    "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155": Query(
        "GetAssociations",
        "ITI TF-2 3.18.4.1.2.3.7.7",
        lambda values: q.GetAssociations(uuids=build.flat(values, "uuid")),
        (_ANY_UUIDS, _ASSOCIATION_STATUS),
    ),
    "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a": Query(
        "GetDocumentsAndAssociations",
        "ITI TF-2 3.18.4.1.2.3.7.8",
        lambda values: q.GetDocumentsAndAssociations(**build.ids(values)),
        (*_id_rows(_ENTRY, multiple=True), _ASSOCIATION_STATUS),
        _ENTRY,
    ),
    "urn:uuid:51224314-5390-4169-9b91-b1980040715a": Query(
        "GetSubmissionSets",
        "ITI TF-2 3.18.4.1.2.3.7.9",
        lambda values: q.GetSubmissionSets(uuids=build.flat(values, "uuid")),
        (_ANY_UUIDS, _ASSOCIATION_STATUS),
    ),
    "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83": Query(
        "GetSubmissionSetAndContents",
        "ITI TF-2 3.18.4.1.2.3.7.10",
        lambda values: q.GetSubmissionSetAndContents(**build.one_id(values), entries=build.entries(values)),
        (*_id_rows(_SET, multiple=False), *_ENTRY_FILTER, _ASSOCIATION_STATUS),
        _SET,
    ),
    "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7": Query(
        "GetFolderAndContents",
        "ITI TF-2 3.18.4.1.2.3.7.11",
        lambda values: q.GetFolderAndContents(**build.one_id(values), entries=build.entries(values)),
        (*_id_rows(_FOLDER, multiple=False), *_ENTRY_FILTER, _ASSOCIATION_STATUS),
        _FOLDER,
    ),
    "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578": Query(
        "GetFoldersForDocument",
        "ITI TF-2 3.18.4.1.2.3.7.12",
        lambda values: q.GetFoldersForDocument(**build.one_id(values)),
        (*_id_rows(_ENTRY, multiple=False), _ASSOCIATION_STATUS),
        _ENTRY,
    ),
    "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6": Query(
        "GetRelatedDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.13",
        build.get_related_documents,
        (
            *_id_rows(_ENTRY, multiple=False),
            Parameter("$AssociationTypes", "association_type", True, True, False, ASSOCIATION_TYPE),
            Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
            _ASSOCIATION_STATUS,
        ),
        _ENTRY,
    ),
    "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492": Query(
        "FindDocumentsByReferenceId",
        "ITI TF-2 3.18.4.1.2.3.7.14",
        build.find_documents,
        (
            *_FIND_DOCUMENTS,
            Parameter(f"{_ENTRY}ReferenceIdList", "reference_id", True, True, True, REFERENCE_ID),
        ),
    ),
}

# --- the tables of 3.51.4.1.2.1 -----------------------------------------------------------------------------------

_MULTI_PATIENT: Final = {
    "urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f": Query(
        "FindDocumentsForMultiplePatients",
        "ITI TF-2 3.51.4.1.2.1.1",
        build.find_documents_for_multiple_patients,
        (_OF_PATIENT._replace(required=False, multiple=True), *_DOCUMENTS),
        some_of=("patient_id", "class_code", "event_code_list", "healthcare_facility_type_code"),
    ),
    "urn:uuid:50d3f5ac-39a2-11de-a1ca-b366239e58df": Query(
        "FindFoldersForMultiplePatients",
        "ITI TF-2 3.51.4.1.2.1.2",
        build.find_folders_for_multiple_patients,
        (Parameter(f"{_FOLDER}PatientId", "patient_id", False, True, False, PATIENT), *_FOLDERS),
        some_of=("patient_id", "code"),
    ),
}


def _with_level(queries: Mapping[str, Query]) -> Mapping[str, Query]:
    return {key: query._replace(parameters=(*query.parameters, _LEVEL)) for key, query in queries.items()}


QUERIES: Final = _with_level(_QUERIES)  # of ITI-18, by id
MULTI_PATIENT_QUERIES: Final = _with_level(_MULTI_PATIENT)  # of ITI-51, by id
QUERY_IDS: Final[Mapping[str, str]] = {
    query.name: identifier for identifier, query in (*QUERIES.items(), *MULTI_PATIENT_QUERIES.items())
}
