"""Stored queries as tables: their parameters, and the values that they make (ITI TF-2 3.18.4.1.2.3.7)."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..model import vocabulary as v
from ..model.errors import ErrorCode, Finding
from ..model.messages import QueryRequest
from ..model.queries import FindDocuments, GetDocuments, GetRelatedDocuments, StoredQuery, TimeRange
from .query_parameters import Parameter, Reading
from .query_values import ASSOCIATION_TYPE, CODE, OBJECT_TYPE, PATIENT, PATTERN, STATUS, TIME, UNIQUE_ID, UUID

LEAF_CLASS: Final = "LeafClass"
OBJECT_REF: Final = "ObjectRef"


class Query(NamedTuple):
    """A stored query: its name, parameters and how they make a value."""

    name: str
    clause: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Mapping[str, Any], Reading], StoredQuery | None]


def parse_stored_query(request: QueryRequest, findings: list[Finding]) -> StoredQuery | None:
    """The query that a request asks; None with findings when it cannot be asked (ITI TF-3 Table 4.2.4.1-2)."""
    query = QUERIES.get(request.query_id)
    reading = Reading(query.name if query else "", query.clause if query else "", findings)
    if request.return_type not in (LEAF_CLASS, OBJECT_REF):
        reading.found(
            ErrorCode.REGISTRY_ERROR,
            "ihe.query.returnType",
            "returnType must be LeafClass or ObjectRef.",
            "returnType",
            request.return_type,
            "LeafClass or ObjectRef",
            "ITI TF-2 3.18.4.1.2.5",
        )
    if query is None:
        _refuse_unknown(request.query_id, reading)
        return None
    sent = {name for name, _ in request.parameters}
    values = _Values()
    for parameter in query.parameters:
        if parameter.required or parameter.name in sent:
            values[parameter.attribute] = reading.values(parameter, request.parameters)
    return None if findings else query.build(values, reading)


class _Values(dict[str, tuple[Any, ...]]):
    """Values by attribute; what was not sent has none."""

    def __missing__(self, attribute: str) -> tuple[Any, ...]:
        return ()


def _refuse_unknown(query_id: str, reading: Reading) -> None:
    known = ", ".join(q.name for q in QUERIES.values())
    named = NOT_HANDLED.get(query_id)
    told = f"The stored query {named} is not handled yet" if named else "This is not the id of a stored query"
    reading.found(
        ErrorCode.UNKNOWN_STORED_QUERY,
        "ihe.query.unknown",
        f"{told}; handled here: {known}.",
        "AdhocQuery/@id",
        query_id,
        "the id of a stored query",
        "ITI TF-2 3.18.4.1.2.4",
    )


_ENTRY: Final = "$XDSDocumentEntry"
_DEFAULT_TYPES: Final = (v.STABLE_DOCUMENT,)  # 3.18.4.1.2.3.6.2
_TIMES: Final = {
    "creation_time": "CreationTime",
    "service_start_time": "ServiceStartTime",
    "service_stop_time": "ServiceStopTime",
}
_ENDS: Final = tuple((name, f"{name}_from", f"{name}_to") for name in _TIMES)


def _flat(values: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple([value for group in values[name] for value in group])


def _one(values: Mapping[str, Any], name: str) -> Any:
    return next(iter(_flat(values, name)), None)


def _times(values: Mapping[str, Any]) -> dict[str, TimeRange]:
    return {
        name: TimeRange(_one(values, start), _one(values, stop))
        for name, start, stop in _ENDS
        if values[start] or values[stop]
    }


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


def _has_one_id(values: Mapping[str, Any], reading: Reading) -> bool:
    """True when exactly one of the two id parameters is given, as the Get queries ask (notes 1 of their tables)."""
    given = [name for name in ("uuid", "unique_id") if values[name]]
    if len(given) == 1:
        return True
    code, told = (
        (ErrorCode.STORED_QUERY_PARAM_NUMBER, "takes only one of")
        if given
        else (ErrorCode.STORED_QUERY_MISSING_PARAM, "needs one of")
    )
    names = f"{_ENTRY}EntryUUID and {_ENTRY}UniqueId"
    sentence = f"{reading.query} {told} {names}."
    reading.found(code, "ihe.query.either", sentence, names, str(len(given)), "one of them", reading.clause)
    return False


def _find_documents(values: Mapping[str, Any], reading: Reading) -> FindDocuments:
    return FindDocuments(
        patient_id=_one(values, "patient_id"),
        statuses=_flat(values, "status"),
        object_types=_flat(values, "object_type") or _DEFAULT_TYPES,
        codes={name: values[name] for name, _, _ in _CODES if values[name]},
        times=_times(values),
        author_person=values["author_person"],
    )


def _get_documents(values: Mapping[str, Any], reading: Reading) -> GetDocuments | None:
    if not _has_one_id(values, reading):
        return None
    return GetDocuments(uuids=_flat(values, "uuid"), unique_ids=_flat(values, "unique_id"))


def _get_related(values: Mapping[str, Any], reading: Reading) -> GetRelatedDocuments | None:
    if not _has_one_id(values, reading):
        return None
    return GetRelatedDocuments(
        uuid=_one(values, "uuid"),
        unique_id=_one(values, "unique_id"),
        association_types=_flat(values, "association_type"),
        object_types=_flat(values, "object_type") or _DEFAULT_TYPES,
    )


def _time_rows() -> tuple[Parameter, ...]:
    return tuple(
        Parameter(f"{_ENTRY}{name}{end}", f"{attribute}_{end.lower()}", False, False, False, TIME)
        for attribute, name in _TIMES.items()
        for end in ("From", "To")
    )


QUERIES: Final[Mapping[str, Query]] = {
    "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d": Query(
        "FindDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.1",
        (
            #         parameter                attribute        required multiple AND    type
            Parameter(f"{_ENTRY}PatientId", "patient_id", True, False, False, PATIENT),
            Parameter(f"{_ENTRY}Status", "status", True, True, False, STATUS),
            Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
            Parameter(f"{_ENTRY}AuthorPerson", "author_person", False, True, False, PATTERN),
            *(Parameter(_ENTRY + name, attribute, False, True, both, CODE) for attribute, name, both in _CODES),
            *_time_rows(),
        ),
        _find_documents,
    ),
    "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4": Query(
        "GetDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.5",
        (
            Parameter(f"{_ENTRY}EntryUUID", "uuid", False, True, False, UUID),
            Parameter(f"{_ENTRY}UniqueId", "unique_id", False, True, False, UNIQUE_ID),
        ),
        _get_documents,
    ),
    "urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6": Query(
        "GetRelatedDocuments",
        "ITI TF-2 3.18.4.1.2.3.7.13",
        (
            Parameter(f"{_ENTRY}EntryUUID", "uuid", False, False, False, UUID),
            Parameter(f"{_ENTRY}UniqueId", "unique_id", False, False, False, UNIQUE_ID),
            Parameter("$AssociationTypes", "association_type", True, True, False, ASSOCIATION_TYPE),
            Parameter(f"{_ENTRY}Type", "object_type", False, True, False, OBJECT_TYPE),
        ),
        _get_related,
    ),
}

# The other queries of ITI TF-2 3.18.4.1.2.4, refused by name.
NOT_HANDLED: Final[Mapping[str, str]] = {
    "urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9": "FindSubmissionSets",
    "urn:uuid:958f3006-baad-4929-a4de-ff1114824431": "FindFolders",
    "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3": "GetAll",
    "urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4": "GetFolders",
    "urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155": "GetAssociations",
    "urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a": "GetDocumentsAndAssociations",
    "urn:uuid:51224314-5390-4169-9b91-b1980040715a": "GetSubmissionSets",
    "urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83": "GetSubmissionSetAndContents",
    "urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7": "GetFolderAndContents",
    "urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578": "GetFoldersForDocument",
    "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492": "FindDocumentsByReferenceId",
}
QUERY_IDS: Final[Mapping[str, str]] = {query.name: identifier for identifier, query in QUERIES.items()}
