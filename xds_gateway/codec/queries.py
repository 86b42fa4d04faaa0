"""Stored queries as tables: their parameters, and how the values of each are read (ITI TF-2 3.18.4.1.2.3)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..model import vocabulary as v
from ..model.datatypes import TimeInterval, parse_dtm
from ..model.errors import ErrorCode, Finding
from ..model.identifiers import parse_patient_id
from ..model.messages import QueryRequest
from ..model.queries import FindDocuments, GetDocuments, GetRelatedDocuments, StoredQuery, TimeRange

LEAF_CLASS: Final = "LeafClass"
OBJECT_REF: Final = "ObjectRef"
_CLAUSE: Final = "ITI TF-2 3.18.4.1.2.3"


class Kind(NamedTuple):
    """How one value of a parameter is read; `expected` is told when it cannot be."""

    parse: Callable[[str], Any]
    expected: str
    clause: str


class Parameter(NamedTuple):
    """One row of a query's parameter table. `multiple`: several values are OR; `conjunction`: several slots are AND."""

    name: str
    attribute: str
    required: bool
    multiple: bool
    conjunction: bool
    kind: Kind


class Query(NamedTuple):
    """A stored query: its name, parameters and how they make a value."""

    name: str
    clause: str
    parameters: tuple[Parameter, ...]
    build: Callable[[Mapping[str, Any], "_Reading"], StoredQuery | None]


def parse_stored_query(request: QueryRequest, findings: list[Finding]) -> StoredQuery | None:
    """The query that a request asks; None with findings when it cannot be asked (ITI TF-3 Table 4.2.4.1-2)."""
    reading = _Reading(findings)
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
    query = QUERIES.get(request.query_id)
    if query is None:
        reading.unknown_query(request.query_id)
        return None
    values = {p.attribute: reading.values(p, request.parameters, query) for p in query.parameters}
    return None if findings else query.build(values, reading)


class _Reading:
    """The reading of one request: values where they can be read, findings where not."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def found(
        self,
        code: ErrorCode,
        rule: str,
        sentence: str,
        attribute: str | None,
        received: str | None,
        expected: str | None,
        clause: str,
    ) -> None:
        self._findings.append(
            Finding(
                code=code,
                rule=rule,
                sentence=sentence,
                attribute=attribute,
                received=received,
                expected=expected,
                clause=clause,
            )
        )

    def unknown_query(self, query_id: str) -> None:
        known = ", ".join(q.name for q in QUERIES.values())
        named = NOT_HANDLED.get(query_id)
        told = f"The stored query {named} is not handled yet" if named else "This is not the id of a stored query"
        self.found(
            ErrorCode.UNKNOWN_STORED_QUERY,
            "ihe.query.unknown",
            f"{told}; handled here: {known}.",
            "AdhocQuery/@id",
            query_id,
            "the id of a stored query",
            "ITI TF-2 3.18.4.1.2.4",
        )

    def values(
        self, parameter: Parameter, slots: tuple[tuple[str, tuple[str, ...]], ...], query: Query
    ) -> tuple[tuple[Any, ...], ...]:
        """The parsed values: one tuple for each slot of this name."""
        groups = [self._group(parameter, texts) for name, texts in slots if name == parameter.name]
        groups = [group for group in groups if group]
        if parameter.required and not groups:
            self._missing(parameter, query)
        if not parameter.multiple and sum(map(len, groups)) > 1:
            self._number(parameter, sum(map(len, groups)), query)
        if not parameter.conjunction and len(groups) > 1:
            groups = [tuple(value for group in groups for value in group)]
        return tuple(groups)

    def _group(self, parameter: Parameter, texts: tuple[str, ...]) -> tuple[Any, ...]:
        parsed = []
        for text in texts:
            literals = parse_literals(text)
            if literals is None:
                self._unreadable(parameter, text, "'value', ('value','value') or a number", "ITI TF-2 3.18.4.1.2.3.5")
                continue
            for literal in literals:
                value = parameter.kind.parse(literal)
                if value is None:
                    self._unreadable(parameter, literal, parameter.kind.expected, parameter.kind.clause)
                elif value is not IGNORED:
                    parsed.append(value)
        return tuple(parsed)

    def _missing(self, parameter: Parameter, query: Query) -> None:
        if any(f.attribute == parameter.name for f in self._findings):
            return  # unreadable is said already
        self.found(
            ErrorCode.STORED_QUERY_MISSING_PARAM,
            "ihe.query.required",
            f"{query.name} needs the parameter {parameter.name} with a value that this registry understands.",
            parameter.name,
            "",
            parameter.kind.expected,
            query.clause,
        )

    def _number(self, parameter: Parameter, count: int, query: Query) -> None:
        self.found(
            ErrorCode.STORED_QUERY_PARAM_NUMBER,
            "ihe.query.single",
            f"{parameter.name} of {query.name} takes one value, not {count}.",
            parameter.name,
            f"{count} values",
            "one value",
            query.clause,
        )

    def _unreadable(self, parameter: Parameter, received: str, expected: str, clause: str) -> None:
        self.found(
            ErrorCode.REGISTRY_ERROR,
            "ihe.query.value",
            f"A value of {parameter.name} cannot be read; write it as {expected}.",
            parameter.name,
            received,
            expected,
            clause,
        )

    def either(self, query_name: str, clause: str, first: str, second: str, values: Mapping[str, Any]) -> bool:
        """True when exactly one of two id parameters is given, as the Get queries ask (notes 1 of their tables)."""
        given = [name for name in (first, second) if values[name]]
        if len(given) == 1:
            return True
        code, told = (
            (ErrorCode.STORED_QUERY_PARAM_NUMBER, "takes only one of")
            if given
            else (ErrorCode.STORED_QUERY_MISSING_PARAM, "needs one of")
        )
        names = f"{_ENTRY}EntryUUID and {_ENTRY}UniqueId"
        self.found(
            code, "ihe.query.either", f"{query_name} {told} {names}.", names, str(len(given)), "one of them", clause
        )
        return False


# --- values -------------------------------------------------------------------------------------------------------

IGNORED: Final = object()  # a value that the text says to ignore
_LITERAL: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^\s,()'][^,()']*))\s*")


def parse_literals(text: str) -> tuple[str, ...] | None:
    """Split one Value into its literals: quoted strings, numbers, lists in parentheses; None when it is none of these.

    `''` in a quoted string is one quote. A bare string is accepted too, since senders forget quotes (3.18.4.1.2.3.5).
    """
    inner = text.strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    if not inner.strip():
        return ()
    literals: list[str] = []
    position = 0
    while True:
        match = _LITERAL.match(inner, position)
        if match is None:
            return None
        quoted, bare = match.groups()
        literals.append(quoted.replace("''", "'") if quoted is not None else bare.strip())
        position = match.end()
        if position == len(inner):
            return tuple(literals)
        if inner[position] != ",":
            return None
        position += 1


def _code(text: str) -> tuple[str, str] | None:
    parts = text.split("^")
    return (parts[0], parts[2]) if len(parts) == 3 and parts[0] and not parts[1] and parts[2] else None


def _time(text: str) -> TimeInterval | None:
    return parse_dtm(text)


def _status(text: str) -> object:
    return _STATUSES.get(text, IGNORED)


def _object_type(text: str) -> str | None:
    return text if text in (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT) else None


def _association_type(text: str) -> str:
    return _ASSOCIATION_NAMES.get(text, text)


_STATUSES: Final = {name: name for name in (v.APPROVED, v.DEPRECATED)}
_ASSOCIATION_NAMES: Final = {name.rsplit(":", 1)[1]: name for name in v.ASSOCIATION_TYPES}

PATIENT: Final = Kind(parse_patient_id, "'id^^^&oid&ISO'", "ITI TF-3 4.2.3.1.7")
CODE: Final = Kind(_code, "'code^^coding-scheme'", "ITI TF-2 3.18.4.1.2.3.4")
TIME: Final = Kind(_time, "YYYY[MM[DD[hh[mm[ss]]]]]", "ITI TF-2 3.18.4.1.2.3.3")
STATUS: Final = Kind(_status, "a status URN such as Approved", "ITI TF-2 3.18.4.1.2.3.6")
OBJECT_TYPE: Final = Kind(_object_type, "the UUID of stable or on-demand entries", "ITI TF-2 3.18.4.1.2.3.6.2")
UUID: Final = Kind(lambda text: text.lower() or None, "'urn:uuid:...'", _CLAUSE)
UNIQUE_ID: Final = Kind(lambda text: text or None, "a uniqueId in quotes", _CLAUSE)
PATTERN: Final = Kind(lambda text: text or None, "a LIKE pattern in quotes", "ITI TF-2 3.18.4.1.2.3.7.1")
ASSOCIATION_TYPE: Final = Kind(_association_type, "the URN of an association type", "ITI TF-2 3.18.4.1.2.3.7.13")


# --- queries ------------------------------------------------------------------------------------------------------

_ENTRY: Final = "$XDSDocumentEntry"
_DEFAULT_TYPES: Final = (v.STABLE_DOCUMENT,)  # 3.18.4.1.2.3.6.2
_TIMES: Final = {
    "creation_time": "CreationTime",
    "service_start_time": "ServiceStartTime",
    "service_stop_time": "ServiceStopTime",
}


def _flat(values: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(value for group in values[name] for value in group)


def _one(values: Mapping[str, Any], name: str) -> Any:
    return next(iter(_flat(values, name)), None)


def _times(values: Mapping[str, Any]) -> dict[str, TimeRange]:
    ranges = {name: TimeRange(_one(values, f"{name}_from"), _one(values, f"{name}_to")) for name in _TIMES}
    return {name: found for name, found in ranges.items() if found != (None, None)}


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


def _find_documents(values: Mapping[str, Any], reading: _Reading) -> FindDocuments:
    return FindDocuments(
        patient_id=_one(values, "patient_id"),
        statuses=_flat(values, "status"),
        object_types=_flat(values, "object_type") or _DEFAULT_TYPES,
        codes={name: values[name] for name, _, _ in _CODES if values[name]},
        times=_times(values),
        author_person=values["author_person"],
    )


def _get_documents(values: Mapping[str, Any], reading: _Reading) -> GetDocuments | None:
    if not reading.either("GetDocuments", "ITI TF-2 3.18.4.1.2.3.7.5", "uuid", "unique_id", values):
        return None
    return GetDocuments(uuids=_flat(values, "uuid"), unique_ids=_flat(values, "unique_id"))


def _get_related(values: Mapping[str, Any], reading: _Reading) -> GetRelatedDocuments | None:
    if not reading.either("GetRelatedDocuments", "ITI TF-2 3.18.4.1.2.3.7.13", "uuid", "unique_id", values):
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
