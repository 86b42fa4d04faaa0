"""The stored queries of ITI-18: their parameters, laid out as the standard's tables (ITI TF-2 3.18.4.1.2.3.7)."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..model import queries as q
from ..model import vocabulary as v
from ..model.queries import EntryFilter, StoredQuery, TimeRange
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


class Values(dict[str, tuple[tuple[Any, ...], ...]]):
    """The values of each slot, by attribute; what was not sent has none."""

    def __missing__(self, attribute: str) -> tuple[tuple[Any, ...], ...]:
        return ()


class Query(NamedTuple):
    """A stored query: its name, its parameters and how they make a value.

    `either` is the object of which one of the two ids is needed, as in "$XDSFolderEntryUUID": "$XDSFolder".
    """

    name: str
    clause: str
    build: Callable[[Values], StoredQuery]
    parameters: tuple[Parameter, ...]
    either: str | None = None


_ENTRY: Final = "$XDSDocumentEntry"
_SET: Final = "$XDSSubmissionSet"
_FOLDER: Final = "$XDSFolder"
_DEFAULT_TYPES: Final = (v.STABLE_DOCUMENT,)  # 3.18.4.1.2.3.6.2
_TIMES: Final = {
    "creation_time": "CreationTime",
    "service_start_time": "ServiceStartTime",
    "service_stop_time": "ServiceStopTime",
}
_ENDS: Final = tuple((name, f"{name}_from", f"{name}_to") for name in _TIMES)

# --- values to queries --------------------------------------------------------------------------------------------


def _flat(values: Values, name: str) -> tuple[Any, ...]:
    return tuple([value for group in values[name] for value in group])


def _one(values: Values, name: str) -> Any:
    return next(iter(_flat(values, name)), None)


def _range(values: Values, name: str) -> TimeRange:
    return TimeRange(_one(values, f"{name}_from"), _one(values, f"{name}_to"))


def _ids(values: Values) -> dict[str, Any]:
    return {"uuids": _flat(values, "uuid"), "unique_ids": _flat(values, "unique_id")}


def _one_id(values: Values) -> dict[str, Any]:
    return {"uuid": _one(values, "uuid"), "unique_id": _one(values, "unique_id")}


def _types(values: Values) -> tuple[str, ...]:
    return _flat(values, "object_type") or _DEFAULT_TYPES


def _entries(values: Values) -> EntryFilter:
    codes = {name: values[name] for name in ("format_code", "confidentiality_code") if values[name]}
    return EntryFilter(object_types=_types(values), codes=codes)


def _find_documents(values: Values) -> q.FindDocuments:
    return q.FindDocuments(
        patient_id=_one(values, "patient_id"),
        statuses=_flat(values, "status"),
        object_types=_types(values),
        codes={name: values[name] for name, _, _ in _CODES if values[name]},
        times={
            name: TimeRange(_one(values, start), _one(values, stop))
            for name, start, stop in _ENDS
            if values[start] or values[stop]
        },
        author_person=values["author_person"],
        reference_ids=values["reference_id"],
    )


def _find_submission_sets(values: Values) -> q.FindSubmissionSets:
    return q.FindSubmissionSets(
        patient_id=_one(values, "patient_id"),
        statuses=_flat(values, "status"),
        source_ids=_flat(values, "source_id"),
        submission_time=_range(values, "submission_time"),
        author_person=values["author_person"],
        content_types=_flat(values, "content_type"),
    )


def _find_folders(values: Values) -> q.FindFolders:
    return q.FindFolders(
        patient_id=_one(values, "patient_id"),
        statuses=_flat(values, "status"),
        last_update_time=_range(values, "last_update_time"),
        codes=values["code"],
    )


def _get_all(values: Values) -> q.GetAll:
    return q.GetAll(
        patient_id=_one(values, "patient_id"),
        entry_statuses=_flat(values, "entry_status"),
        submission_set_statuses=_flat(values, "submission_set_status"),
        folder_statuses=_flat(values, "folder_status"),
        entries=_entries(values),
    )


def _get_related_documents(values: Values) -> q.GetRelatedDocuments:
    types = _flat(values, "association_type")
    return q.GetRelatedDocuments(**_one_id(values), association_types=types, object_types=_types(values))


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


_CODES: Final = (
    #  attribute                        parameter                        AND across slots (notes 1 and 3)
    ("class_code", "ClassCode", False),
    ("type_code", "TypeCode", False),
    ("practice_setting_code", "PracticeSettingCode", False),
    ("healthcare_facility_type_code", "HealthcareFacilityTypeCode", False),
    ("event_code_list", "EventCodeList", True),
    ("confidentiality_code", "ConfidentialityCode", True),
    ("format_code", "FormatCode", False),
)
_FIND_DOCUMENTS: Final = (
    #         parameter                attribute        required multiple AND    type
    Parameter(f"{_ENTRY}PatientId", "patient_id", True, False, False, PATIENT),
    Parameter(f"{_ENTRY}Status", "status", True, True, False, STATUS),
    Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
    Parameter(f"{_ENTRY}AuthorPerson", "author_person", False, True, False, PATTERN),
    *(Parameter(_ENTRY + name, attribute, False, True, both, CODE) for attribute, name, both in _CODES),
    *_time_rows(_ENTRY, _TIMES),
)
_ENTRY_FILTER: Final = (
    Parameter(f"{_ENTRY}FormatCode", "format_code", False, True, False, CODE),
    Parameter(f"{_ENTRY}ConfidentialityCode", "confidentiality_code", False, True, True, CODE),
    Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
)
_ANY_UUIDS: Final = Parameter("$uuid", "uuid", True, True, False, UUID)

# Every query has it (Metadata Update, ITI TF-2 3.57); it is read, but no version is older than another yet.
_LEVEL: Final = Parameter("$MetadataLevel", "metadata_level", False, False, False, LEVEL)

# --- the tables, in the order of 3.18.4.1.2.3.7 -------------------------------------------------------------------

_QUERIES: Final = {
    "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d": Query(
        "FindDocuments", "ITI TF-2 3.18.4.1.2.3.7.1", _find_documents, _FIND_DOCUMENTS
    ),
    "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9": Query(
        "FindSubmissionSets",
        "ITI TF-2 3.18.4.1.2.3.7.2",
        _find_submission_sets,
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
        _find_folders,
        (
            Parameter(f"{_FOLDER}PatientId", "patient_id", True, False, False, PATIENT),
            *_time_rows(_FOLDER, {"last_update_time": "LastUpdateTime"}),
            Parameter(f"{_FOLDER}CodeList", "code", False, True, True, CODE),
            Parameter(f"{_FOLDER}Status", "status", True, True, False, STATUS),
        ),
    ),
    "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3": Query(
        "GetAll",
        "ITI TF-2 3.18.4.1.2.3.7.4",
        _get_all,
        (
            Parameter("$patientId", "patient_id", True, False, False, PATIENT),
            Parameter(f"{_ENTRY}Status", "entry_status", True, True, False, STATUS),
            Parameter(f"{_SET}Status", "submission_set_status", True, True, False, STATUS),
            Parameter(f"{_FOLDER}Status", "folder_status", True, True, False, STATUS),
            *_ENTRY_FILTER,
        ),
    ),
    "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4": Query(
        "GetDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.5",
        lambda values: q.GetDocuments(**_ids(values)),
        _id_rows(_ENTRY, multiple=True),
        _ENTRY,
    ),
    "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4": Query(
        "GetFolders",
        "ITI TF-2 3.18.4.1.2.3.7.6",
        lambda values: q.GetFolders(**_ids(values)),
        _id_rows(_FOLDER, multiple=True),
        _FOLDER,
    ),
    "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155": Query(
        "GetAssociations",
        "ITI TF-2 3.18.4.1.2.3.7.7",
        lambda values: q.GetAssociations(uuids=_flat(values, "uuid")),
        (_ANY_UUIDS,),
    ),
    "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a": Query(
        "GetDocumentsAndAssociations",
        "ITI TF-2 3.18.4.1.2.3.7.8",
        lambda values: q.GetDocumentsAndAssociations(**_ids(values)),
        _id_rows(_ENTRY, multiple=True),
        _ENTRY,
    ),
    "urn:uuid:51224314-5390-4169-9b91-b1980040715a": Query(
        "GetSubmissionSets",
        "ITI TF-2 3.18.4.1.2.3.7.9",
        lambda values: q.GetSubmissionSets(uuids=_flat(values, "uuid")),
        (_ANY_UUIDS,),
    ),
    "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83": Query(
        "GetSubmissionSetAndContents",
        "ITI TF-2 3.18.4.1.2.3.7.10",
        lambda values: q.GetSubmissionSetAndContents(**_one_id(values), entries=_entries(values)),
        (*_id_rows(_SET, multiple=False), *_ENTRY_FILTER),
        _SET,
    ),
    "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7": Query(
        "GetFolderAndContents",
        "ITI TF-2 3.18.4.1.2.3.7.11",
        lambda values: q.GetFolderAndContents(**_one_id(values), entries=_entries(values)),
        (*_id_rows(_FOLDER, multiple=False), *_ENTRY_FILTER),
        _FOLDER,
    ),
    "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578": Query(
        "GetFoldersForDocument",
        "ITI TF-2 3.18.4.1.2.3.7.12",
        lambda values: q.GetFoldersForDocument(**_one_id(values)),
        _id_rows(_ENTRY, multiple=False),
        _ENTRY,
    ),
    "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6": Query(
        "GetRelatedDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.13",
        _get_related_documents,
        (
            *_id_rows(_ENTRY, multiple=False),
            Parameter("$AssociationTypes", "association_type", True, True, False, ASSOCIATION_TYPE),
            Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
        ),
        _ENTRY,
    ),
    "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492": Query(
        "FindDocumentsByReferenceId",
        "ITI TF-2 3.18.4.1.2.3.7.14",
        _find_documents,
        (
            *_FIND_DOCUMENTS,
            Parameter(f"{_ENTRY}ReferenceIdList", "reference_id", True, True, True, REFERENCE_ID),
        ),
    ),
}
QUERIES: Final[Mapping[str, Query]] = {
    identifier: query._replace(parameters=(*query.parameters, _LEVEL)) for identifier, query in _QUERIES.items()
}
QUERY_IDS: Final[Mapping[str, str]] = {query.name: identifier for identifier, query in QUERIES.items()}
