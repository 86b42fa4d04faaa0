"""The SQL of the registry: fixed statements, and stored queries built once per shape from tables.

Values are always bound. A list of up to 64 integers is bound as padded placeholders (few shapes, few statements);
longer lists, groups of lists and patterns are bound as one JSON text, so that no number of values is too many.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

# --- lists --------------------------------------------------------------------------------------------------------

_LONGEST_INLINE: Final = 64
CHUNK: Final = 512  # keys (UUIDs, uniqueIds) of one statement


def inline_size(count: int) -> int:
    """How many placeholders a list of `count` takes: a power of two; 0 says that the list goes as JSON."""
    return 1 << max(count - 1, 0).bit_length() if count <= _LONGEST_INLINE else 0


def bind(values: list[Any], numbers: Sequence[int]) -> int:
    """Append a list of integers in the form of `inline_size`, which is returned."""
    size = inline_size(len(numbers))
    if size:
        values += (*numbers, *[None] * (size - len(numbers)))
    else:
        values.append(json.dumps(numbers))
    return size


def padded(keys: Sequence[Any]) -> list[Any]:
    """Keys filled up to a power of two with NULL, which equals nothing."""
    return [*keys, *[None] * ((1 << (len(keys) - 1).bit_length()) - len(keys))]


def _in(column: str, size: int) -> str:
    if size == 0:
        return f"{column} IN (SELECT value FROM json_each(?))"
    return f"{column} IN ({', '.join('?' * size)})" if size > 1 else f"{column} = ?"


# --- FindDocuments ------------------------------------------------------------------------------------------------

# The holes of a fragment and what goes with them, in the order that queries.py reads.
ENTRY_COLUMNS: Final = "e.id, e.uuid, e.lid, e.version, e.status, e.patient_cx, e.home, e.patient, e.fragment"

# attribute of the query -> column of document_entry, or number in object_code
CODE_COLUMNS: Final[dict[str, str]] = {
    "class_code": "e.class_code",
    "type_code": "e.type_code",
    "practice_setting_code": "e.practice_setting_code",
    "healthcare_facility_type_code": "e.healthcare_facility_type_code",
    "format_code": "e.format_code",
}
TIME_COLUMNS: Final[dict[str, str]] = {
    "creation_time": "e.creation_time",
    "service_start_time": "e.service_start_time",
    "service_stop_time": "e.service_stop_time",
}


class EntryShape(NamedTuple):
    """What a FindDocuments asks for, without the values. Sizes are those of `inline_size`."""

    statuses: int
    object_types: int | None
    codes: tuple[tuple[str, int], ...] = ()  # attribute of CODE_COLUMNS, size
    code_lists: int = 0  # multi-valued attributes, each with its groups as JSON
    times: tuple[tuple[str, bool, bool], ...] = ()  # attribute, has From, has To
    author_person: bool = False
    hidden: int | None = None


@lru_cache(maxsize=512)
def find_documents(shape: EntryShape) -> str:
    """Bind: domain, patient, statuses, types, codes, lists (attribute, groups), times, patterns, hidden, limit."""
    conditions = ["e.domain = ?", "e.patient = ?", "e.latest = 1", _in("e.status", shape.statuses)]
    if shape.object_types is not None:
        conditions.append(_in("e.object_type", shape.object_types))
    conditions += [_in(CODE_COLUMNS[attribute], size) for attribute, size in shape.codes]
    conditions += [_CODE_LIST] * shape.code_lists
    conditions += [_time(TIME_COLUMNS[name], start, stop) for name, start, stop in shape.times]
    if shape.author_person:
        conditions.append(_AUTHOR_PERSON)
    conditions += _hidden(shape.hidden)
    where = " AND ".join(conditions)
    return f"SELECT {ENTRY_COLUMNS} FROM document_entry e WHERE {where} ORDER BY e.creation_time_lo DESC, e.id LIMIT ?"


# For every group of the parameter the object has one of its codes: ((a OR b) AND (c)).
_CODE_LIST: Final = (
    "NOT EXISTS (SELECT 1 FROM json_each(?) g WHERE NOT EXISTS (SELECT 1 FROM object_code c WHERE c.object = e.id"
    " AND c.attribute = ? AND c.code IN (SELECT value FROM json_each(g.value))))"
)
_AUTHOR_PERSON: Final = (
    "NOT EXISTS (SELECT 1 FROM json_each(?) g WHERE NOT EXISTS (SELECT 1 FROM object_author a, json_each(g.value) p"
    " WHERE a.object = e.id AND a.person LIKE p.value ESCAPE '\\'))"
)


def _time(column: str, start: bool, stop: bool) -> str:
    """The rule of `model.queries.TimeRange`. Bind: From's first instant; To's last, first, last."""
    tests = [f"{column}_hi >= ?"] if start else []
    if stop:
        tests.append(f"{column}_lo <= ? AND NOT ({column}_lo = ? AND {column}_hi = ?)")
    return f"({column}_lo IS NULL OR ({' AND '.join(tests)}))"


def _hidden(size: int | None) -> list[str]:
    """The access filter's confidentiality codes (attribute 1 of object_code)."""
    if size is None:
        return []
    return [
        f"NOT EXISTS (SELECT 1 FROM object_code h WHERE h.object = e.id AND h.attribute = 1 AND {_in('h.code', size)})"
    ]


# --- GetDocuments, GetRelatedDocuments, documents -----------------------------------------------------------------


class KeyShape(NamedTuple):
    """How many keys, and whether confidentiality codes are hidden."""

    keys: int
    hidden: int | None = None
    object_types: int | None = None


@lru_cache(maxsize=256)
def entries_by_uuid(shape: KeyShape) -> str:
    """Bind: UUID keys, domain, object types, hidden."""
    return (
        f"SELECT {ENTRY_COLUMNS} FROM object o CROSS JOIN document_entry e ON e.id = o.id"
        f" WHERE {_in('o.uuid', shape.keys)} AND o.domain = ?{_filters(shape)}"
    )


@lru_cache(maxsize=256)
def entries_by_unique_id(shape: KeyShape) -> str:
    """The latest versions. Bind: uniqueIds, domain, object types, hidden."""
    return (
        f"SELECT {ENTRY_COLUMNS} FROM unique_id u CROSS JOIN document_entry e ON e.unique_id = u.id"
        f" WHERE {_in('u.value', shape.keys)} AND u.domain = ? AND e.latest = 1{_filters(shape)}"
    )


@lru_cache(maxsize=256)
def entries_by_id(shape: KeyShape) -> str:
    """Bind: ids, domain, object types, hidden."""
    return (
        f"SELECT {ENTRY_COLUMNS} FROM document_entry e"
        f" WHERE {_in('e.id', shape.keys)} AND e.domain = ?{_filters(shape)}"
    )


@lru_cache(maxsize=256)
def documents(shape: KeyShape) -> str:
    """Stored documents of a repository; a later entry comes later. Bind: uniqueIds, domain, repository, hidden."""
    return (
        "SELECT u.value, d.key, d.size, d.sha1, d.chunk_digests, e.mime_type, e.patient_cx"
        " FROM unique_id u CROSS JOIN document_entry e ON e.unique_id = u.id"
        " CROSS JOIN stored_document d ON d.id = e.document"
        f" WHERE {_in('u.value', shape.keys)} AND u.domain = ? AND e.repository_unique_id = ?{_filters(shape)}"
        " ORDER BY e.id"
    )


@lru_cache(maxsize=64)
def associations_of(end: str, types: int) -> str:
    """Associations by one end ("source" or "target"). Bind: the object's id, types, status."""
    return (
        "SELECT a.id, a.uuid, a.lid, a.version, a.status, a.home, a.fragment, a.source, a.target"
        f" FROM association a WHERE a.{end} = ? AND {_in('a.type', types)} AND a.status = ?"
    )


def _filters(shape: KeyShape) -> str:
    conditions = [] if shape.object_types is None else [_in("e.object_type", shape.object_types)]
    return "".join(f" AND {condition}" for condition in (*conditions, *_hidden(shape.hidden)))


PATIENT: Final = "SELECT id FROM patient WHERE domain = ? AND value = ? AND authority = ?"
PATIENT_BY_ID: Final = "SELECT value, authority FROM patient WHERE id = ?"

# --- what a plan asks, inside the write transaction ---------------------------------------------------------------


@lru_cache(maxsize=32)
def objects(keys: int) -> str:
    """Bind: UUID keys, domain."""
    return f"SELECT id, kind FROM object WHERE {_in('uuid', keys)} AND domain = ? AND kind <> 0"


@lru_cache(maxsize=32)
def unique_ids(keys: int) -> str:
    """Bind: values, domain."""
    return f"SELECT id, value, kind, hash, size FROM unique_id WHERE {_in('value', keys)} AND domain = ?"


# kind -> what KnownObject needs of it: uuid, lid, object type, status, version, patient value and authority, uniqueId
_PATIENT_AND_UNIQUE_ID: Final = "LEFT JOIN patient p ON p.id = e.patient LEFT JOIN unique_id u ON u.id = e.unique_id"
KNOWN: Final[dict[int, str]] = {
    1: "SELECT e.uuid, e.lid, e.object_type, e.status, e.version, p.value, p.authority, u.value"
    f" FROM document_entry e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    2: "SELECT e.uuid, e.lid, NULL, e.status, e.version, p.value, p.authority, u.value"
    f" FROM submission_set e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    3: "SELECT e.uuid, e.lid, NULL, e.status, e.version, p.value, p.authority, u.value"
    f" FROM folder e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    4: "SELECT e.uuid, e.lid, NULL, e.status, e.version, NULL, NULL, NULL FROM association e WHERE e.id = ?",
}
# Bind: the entry's id, status, two types, status
DEPENDENTS: Final = (
    "SELECT DISTINCT e.id FROM association a CROSS JOIN document_entry e ON e.id = a.source"
    " WHERE a.target = ? AND a.status = ? AND a.type IN (?, ?) AND e.status = ? ORDER BY e.id"
)
# Bind: the entry's id, status, type, status
FOLDERS_OF: Final = (
    "SELECT DISTINCT f.id FROM association a CROSS JOIN folder f ON f.id = a.source"
    " WHERE a.target = ? AND a.status = ? AND a.type = ? AND f.status = ? AND f.latest = 1 ORDER BY f.id"
)

# --- changes ------------------------------------------------------------------------------------------------------


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_INTERVALS: Final = tuple(f"{c.removeprefix('e.')}_{end}" for c in TIME_COLUMNS.values() for end in ("lo", "hi"))
_MANAGED: Final = ("id", "domain", "uuid", "lid", "version", "status")
_OF_PATIENT: Final = ("patient", "patient_cx", "home", "unique_id")

# kind -> insert: managed columns, those of a patient's object, then words, values and fragment as rows.py has them
ADD: Final[dict[int, str]] = {
    1: _insert(
        "document_entry",
        (
            *_MANAGED,
            *_OF_PATIENT,
            "latest",
            "repository_unique_id",
            "object_type",
            "mime_type",
            "availability",
            *(column.removeprefix("e.") for column in CODE_COLUMNS.values()),
            *_INTERVALS,
            "fragment",
        ),
    ),
    2: _insert(
        "submission_set",
        (
            *_MANAGED,
            *_OF_PATIENT,
            "content_type_code",
            "source_id",
            "submission_time_lo",
            "submission_time_hi",
            "fragment",
        ),
    ),
    3: _insert(
        "folder",
        (
            *_MANAGED,
            *_OF_PATIENT,
            "latest",
            "last_update_time",
            "last_update_time_lo",
            "last_update_time_hi",
            "fragment",
        ),
    ),
    4: _insert("association", (*_MANAGED, "home", "source", "target", "type", "fragment")),
}
ADD_OBJECT: Final = _insert("object", ("domain", "uuid", "kind"))
CLAIM_OBJECT: Final = "UPDATE object SET kind = ? WHERE uuid = ? AND domain = ? AND kind = 0 RETURNING id"
END: Final = "SELECT id FROM object WHERE uuid = ? AND domain = ?"
ADD_UNIQUE_ID: Final = _insert("unique_id", ("domain", "value", "kind", "hash", "size"))
ADD_PATIENT: Final = f"{_insert('patient', ('domain', 'value', 'authority'))} ON CONFLICT DO NOTHING"
ADD_CODE: Final = _insert("object_code", ("object", "attribute", "code"))
ADD_AUTHOR: Final = _insert("object_author", ("object", "position", "person"))
ADD_REFERENCE: Final = _insert("entry_reference", ("object", "position", "value"))
ADD_DOCUMENT: Final = _insert("stored_document", ("key", "size", "sha1", "chunk_digests"))
ADD_AUDIT: Final = _insert("audit_event", ("domain", "event"))
SET_DOCUMENT: Final = "UPDATE document_entry SET document = ? WHERE id = ?"
SET_STATUS: Final[dict[int, str]] = {
    1: "UPDATE document_entry SET status = ? WHERE id = ?",
    2: "UPDATE submission_set SET status = ? WHERE id = ?",
    3: "UPDATE folder SET status = ? WHERE id = ?",
    4: "UPDATE association SET status = ? WHERE id = ?",
}
TOUCH_FOLDER: Final = (
    "UPDATE folder SET last_update_time = ?, last_update_time_lo = ?, last_update_time_hi = ? WHERE id = ?"
)
DOCUMENT_KEY: Final = "SELECT 1 FROM stored_document WHERE key = ?"
