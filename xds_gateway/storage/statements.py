"""The SQL of plans and changes, and how values are bound; `query_statements.py` has that of stored queries.

Values are always bound. A list of up to 64 integers is bound as padded placeholders (few shapes, few statements);
longer lists, groups of lists and patterns are bound as one JSON text, so that no number of values is too many.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

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


def chunks(keys: Iterable[Any], size: int = CHUNK) -> Iterable[list[Any]]:
    """Keys, each once, as many as a statement takes."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), size):
        yield padded(distinct[start : start + size])


def in_list(column: str, size: int) -> str:
    """The condition that a column is one of a list of this `inline_size`."""
    if size == 0:
        return f"{column} IN (SELECT value FROM json_each(?))"
    return f"{column} IN ({', '.join('?' * size)})" if size > 1 else f"{column} = ?"


# --- columns that queries select by ---------------------------------------------------------------------------------

# attribute of the query -> column of document_entry; a plus keeps an index of many rows out of queries of a patient
CODE_COLUMNS: Final[dict[str, str]] = {
    "class_code": "+e.class_code",
    "type_code": "e.type_code",
    "practice_setting_code": "e.practice_setting_code",
    "healthcare_facility_type_code": "+e.healthcare_facility_type_code",
    "format_code": "e.format_code",
}
TIME_COLUMNS: Final[dict[str, str]] = {
    "creation_time": "e.creation_time",
    "service_start_time": "e.service_start_time",
    "service_stop_time": "e.service_stop_time",
}

# --- what a plan asks, inside the write transaction ---------------------------------------------------------------


@lru_cache(maxsize=32)
def objects(keys: int) -> str:
    """Bind: UUID keys, domain."""
    return f"SELECT id, kind FROM object WHERE {in_list('uuid', keys)} AND domain = ? AND kind <> 0"


@lru_cache(maxsize=32)
def unique_ids(keys: int) -> str:
    """Bind: values, domain."""
    return f"SELECT id, value, kind, hash, size FROM unique_id WHERE {in_list('value', keys)} AND domain = ?"


# Bind: uniqueId, domain
REGISTERED_SET: Final = (
    "SELECT s.uuid, s.sender, s.sent_objects, s.sent_digest FROM unique_id u"
    " CROSS JOIN submission_set s ON s.unique_id = u.id WHERE u.value = ? AND u.domain = ?"
)
# kind -> what KnownObject needs of it: uuid, lid, object type, status, version, uniqueId; patient: value, authority and
# who stands for it
_PATIENT_AND_UNIQUE_ID: Final = "LEFT JOIN patient p ON p.id = e.patient LEFT JOIN unique_id u ON u.id = e.unique_id"
KNOWN: Final[dict[int, str]] = {
    1: "SELECT e.uuid, e.lid, e.object_type, e.status, e.version, u.value, p.value, p.authority, p.survivor"
    f" FROM document_entry e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    2: "SELECT e.uuid, e.lid, NULL, e.status, e.version, u.value, p.value, p.authority, p.survivor"
    f" FROM submission_set e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    3: "SELECT e.uuid, e.lid, NULL, e.status, e.version, u.value, p.value, p.authority, p.survivor"
    f" FROM folder e {_PATIENT_AND_UNIQUE_ID} WHERE e.id = ?",
    4: "SELECT e.uuid, e.lid, NULL, e.status, e.version, NULL, NULL, NULL, NULL FROM association e WHERE e.id = ?",
}
# Bind: the entry's id, status, two types, status
DEPENDENTS: Final = (
    "SELECT DISTINCT e.id FROM association a CROSS JOIN document_entry e ON e.id = a.source"
    " WHERE a.target = ? AND a.status = ? AND a.type IN (?, ?) AND e.status = ? ORDER BY e.id"
)
# Bind: the entry's id, type, status
STARTS: Final = "SELECT 1 FROM association WHERE source = ? AND type = ? AND status = ? LIMIT 1"
# Bind: the entry's id, status, type, status
FOLDERS_OF: Final = (
    "SELECT DISTINCT f.id FROM association a CROSS JOIN folder f ON f.id = a.source"
    " WHERE a.target = ? AND a.status = ? AND a.type = ? AND f.status = ? AND f.latest = 1 ORDER BY f.id"
)

# Bind: the patient's id, status
FRAGMENTS_OF: Final = (
    "SELECT id, fragment FROM document_entry WHERE patient = ? AND status = ? AND latest = 1 ORDER BY id"
)

# kind -> the latest version of a logical object: bind lid, domain. Where there is no later one, the first one itself.
LATEST: Final[dict[int, str]] = {
    kind: f"SELECT id FROM {table} WHERE lid = ? AND domain = ? ORDER BY version DESC LIMIT 1"
    for kind, table in ((1, "document_entry"), (3, "folder"))
}
FIRST: Final[dict[int, str]] = {
    kind: f"SELECT e.id FROM object o CROSS JOIN {table} e ON e.id = o.id"
    " WHERE o.uuid = ? AND o.domain = ? AND e.lid IS NULL"
    for kind, table in ((1, "document_entry"), (3, "folder"))
}
# kind -> a whole object: uuid, lid, version, status, patient, home, Folder.lastUpdateTime, fragment
_SURVIVING_CX: Final = (
    "coalesce((SELECT s.value || '^^^&' || s.authority || '&ISO' FROM patient p CROSS JOIN patient s"
    " ON s.id = p.survivor WHERE p.id = e.patient), e.patient_cx)"
)
WHOLE: Final[dict[int, str]] = {
    1: f"SELECT uuid, lid, version, status, {_SURVIVING_CX}, home, NULL, fragment FROM document_entry e WHERE id = ?",
    2: f"SELECT uuid, lid, version, status, {_SURVIVING_CX}, home, NULL, fragment FROM submission_set e WHERE id = ?",
    3: f"SELECT uuid, lid, version, status, {_SURVIVING_CX}, home, last_update_time, fragment"
    " FROM folder e WHERE id = ?",
    4: "SELECT uuid, lid, version, status, NULL, home, NULL, fragment FROM association WHERE id = ?",
}
# kind -> ids in the order of registration: bind the one before the first, domain, how many
REGISTERED: Final[dict[int, str]] = {
    kind: f"SELECT id FROM {table} WHERE id > ? AND domain = ?{latest} ORDER BY id LIMIT ?"
    for kind, table, latest in (
        (1, "document_entry", " AND latest = 1"),
        (2, "submission_set", ""),
        (3, "folder", " AND latest = 1"),
        (4, "association", ""),
    )
}

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
            *CODE_COLUMNS,
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
            "sender",
            "source_id",
            "submission_time_lo",
            "submission_time_hi",
            "sent_objects",
            "sent_digest",
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
ADD_CODE: Final = _insert("object_code", ("object", "attribute", "code"))
ADD_AUTHOR: Final = _insert("object_author", ("object", "position", "person"))
ADD_REFERENCE: Final = _insert("entry_reference", ("object", "position", "value"))
ADD_DOCUMENT: Final = _insert("stored_document", ("key", "size", "sha1", "chunk_digests"))
ADD_AUDIT: Final = _insert("audit_event", ("domain", "event", "chain"))
LAST_AUDIT: Final = "SELECT chain FROM audit_event ORDER BY id DESC LIMIT 1"
SET_DOCUMENT: Final = "UPDATE document_entry SET document = ? WHERE id = ?"
SET_STATUS: Final[dict[int, str]] = {
    1: "UPDATE document_entry SET status = ? WHERE id = ?",
    2: "UPDATE submission_set SET status = ? WHERE id = ?",
    3: "UPDATE folder SET status = ? WHERE id = ?",
    4: "UPDATE association SET status = ? WHERE id = ?",
}
SUPERSEDE: Final[dict[int, str]] = {
    1: "UPDATE document_entry SET latest = 0 WHERE id = ?",
    3: "UPDATE folder SET latest = 0 WHERE id = ?",
}
# Bind: hash, size, id
CHANGE_UNIQUE_ID: Final = "UPDATE unique_id SET hash = ?, size = ? WHERE id = ?"
# Bind: id of the version before, id of the new one
INHERIT_DOCUMENT: Final = (
    "UPDATE document_entry SET document = (SELECT p.document FROM document_entry p WHERE p.id = ?) WHERE id = ?"
)
TOUCH_FOLDER: Final = (
    "UPDATE folder SET last_update_time = ?, last_update_time_lo = ?, last_update_time_hi = ? WHERE id = ?"
)
DOCUMENT_KEY: Final = "SELECT 1 FROM stored_document WHERE key = ?"
