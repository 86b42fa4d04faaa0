"""Values of parameters made into stored queries (ITI TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.1)."""

from dataclasses import replace
from typing import Any, Final

from ..model import queries as q
from ..model import vocabulary as v
from ..model.queries import EntryFilter, StoredQuery, TimeRange


class Values(dict[str, tuple[tuple[Any, ...], ...]]):
    """The values of each slot, by attribute; what was not sent has none."""

    def __missing__(self, attribute: str) -> tuple[tuple[Any, ...], ...]:
        return ()


CODES: Final = (
    # attribute                      parameter                     AND across slots (notes 1 and 3 of the tables)
    ("class_code", "ClassCode", False),
    ("type_code", "TypeCode", False),
    ("practice_setting_code", "PracticeSettingCode", False),
    ("healthcare_facility_type_code", "HealthcareFacilityTypeCode", False),
    ("event_code_list", "EventCodeList", True),
    ("confidentiality_code", "ConfidentialityCode", True),
    ("format_code", "FormatCode", False),
)
TIMES: Final = {
    "creation_time": "CreationTime",
    "service_start_time": "ServiceStartTime",
    "service_stop_time": "ServiceStopTime",
}
_ENDS: Final = tuple((name, f"{name}_from", f"{name}_to") for name in TIMES)
_DEFAULT_TYPES: Final = (v.STABLE_DOCUMENT,)  # 3.18.4.1.2.3.6.2


def flat(values: Values, name: str) -> tuple[Any, ...]:
    """The values of all slots of an attribute."""
    return tuple([value for group in values[name] for value in group])


def _one(values: Values, name: str) -> Any:
    return next(iter(flat(values, name)), None)


def _range(values: Values, name: str) -> TimeRange:
    return TimeRange(_one(values, f"{name}_from"), _one(values, f"{name}_to"))


def at_level(query: StoredQuery, values: Values) -> StoredQuery:
    """The query with `$MetadataLevel` and `$XDSAssociationStatus`, which has no effect at level 1 (Metadata Update)."""
    if metadata_level(values) == 1:
        return query
    statuses = flat(values, "association_status")
    if statuses and isinstance(query, q.Associated):
        return replace(query, level=2, association_statuses=statuses)
    return replace(query, level=2)


def metadata_level(values: Values) -> int:
    """`$MetadataLevel`: 1 unless it is sent."""
    return _one(values, "metadata_level") or 1


# --- ids ----------------------------------------------------------------------------------------------------------


def ids(values: Values) -> dict[str, Any]:
    """Objects asked for by their ids."""
    return {"uuids": flat(values, "uuid"), "unique_ids": flat(values, "unique_id")}


def logical_ids(values: Values) -> dict[str, Any]:
    """Objects asked for by their ids, that of all their versions among them."""
    return {**ids(values), "logical_ids": flat(values, "logical_id")}


def one_id(values: Values) -> dict[str, Any]:
    """One object asked for by its id."""
    return {"uuid": _one(values, "uuid"), "unique_id": _one(values, "unique_id")}


# --- criteria -----------------------------------------------------------------------------------------------------


def _types(values: Values) -> tuple[str, ...]:
    return flat(values, "object_type") or _DEFAULT_TYPES


def entries(values: Values) -> EntryFilter:
    """Which entries of a container are returned."""
    codes = {name: values[name] for name in ("format_code", "confidentiality_code") if values[name]}
    return EntryFilter(object_types=_types(values), codes=codes)


def _documents(values: Values) -> dict[str, Any]:
    return {
        "statuses": flat(values, "status"),
        "object_types": _types(values),
        "codes": {name: values[name] for name, _, _ in CODES if values[name]},
        "times": {
            name: TimeRange(_one(values, start), _one(values, stop))
            for name, start, stop in _ENDS
            if values[start] or values[stop]
        },
        "author_person": values["author_person"],
        "reference_ids": values["reference_id"],
    }


def _folders(values: Values) -> dict[str, Any]:
    return {
        "statuses": flat(values, "status"),
        "last_update_time": _range(values, "last_update_time"),
        "codes": values["code"],
    }


# --- queries that are more than ids -------------------------------------------------------------------------------


def find_documents(values: Values) -> q.FindDocuments:
    """FindDocuments and FindDocumentsByReferenceId."""
    return q.FindDocuments(patient_id=_one(values, "patient_id"), **_documents(values))


def find_documents_for_multiple_patients(values: Values) -> q.FindDocumentsForMultiplePatients:
    """FindDocumentsForMultiplePatients."""
    return q.FindDocumentsForMultiplePatients(patient_ids=flat(values, "patient_id"), **_documents(values))


def find_submission_sets(values: Values) -> q.FindSubmissionSets:
    """FindSubmissionSets."""
    return q.FindSubmissionSets(
        patient_id=_one(values, "patient_id"),
        statuses=flat(values, "status"),
        source_ids=flat(values, "source_id"),
        submission_time=_range(values, "submission_time"),
        author_person=values["author_person"],
        content_types=flat(values, "content_type"),
    )


def find_folders(values: Values) -> q.FindFolders:
    """FindFolders."""
    return q.FindFolders(patient_id=_one(values, "patient_id"), **_folders(values))


def find_folders_for_multiple_patients(values: Values) -> q.FindFoldersForMultiplePatients:
    """FindFoldersForMultiplePatients."""
    return q.FindFoldersForMultiplePatients(patient_ids=flat(values, "patient_id"), **_folders(values))


def get_all(values: Values) -> q.GetAll:
    """GetAll."""
    return q.GetAll(
        patient_id=_one(values, "patient_id"),
        entry_statuses=flat(values, "entry_status"),
        submission_set_statuses=flat(values, "submission_set_status"),
        folder_statuses=flat(values, "folder_status"),
        entries=entries(values),
    )


def get_related_documents(values: Values) -> q.GetRelatedDocuments:
    """GetRelatedDocuments."""
    types = flat(values, "association_type")
    return q.GetRelatedDocuments(**one_id(values), association_types=types, object_types=_types(values))
