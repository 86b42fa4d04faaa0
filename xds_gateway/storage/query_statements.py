"""The SQL of stored queries, built once per shape; a shape says what is asked for, without the values.

Each statement has the domain in its conditions, and what the caller's access filter asks of the objects that it shows
(`access_conditions.py`). Values are always bound, in the forms of `statements.py`; sizes in a
shape are those of `inline_size`.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from . import access_conditions as access
from . import query_conditions as sql
from .access_conditions import AccessShape
from .query_conditions import ENTRY as ENTRY
from .query_conditions import FOLDER as FOLDER
from .query_conditions import SUBMISSION_SET as SUBMISSION_SET
from .rows import CODE_LISTS
from .statements import CODE_COLUMNS, TIME_COLUMNS, in_list

# The holes of a fragment and what goes with them, in the order that answers.py reads.
_OBJECT: Final = "e.id, e.uuid, e.lid, e.version, e.status, e.patient_cx, e.home, e.patient, e.fragment"
COLUMNS: Final = {ENTRY: _OBJECT, SUBMISSION_SET: _OBJECT, FOLDER: f"{_OBJECT}, e.last_update_time"}
_ASSOCIATION: Final = "a.id, a.uuid, a.lid, a.version, a.status, a.home, a.fragment, a.source, a.target"

# --- Find queries and GetAll: objects of a patient, and of all that it stands for -----------------------------------


class EntryShape(NamedTuple):
    """What a FindDocuments asks for."""

    statuses: int
    object_types: int | None
    codes: tuple[tuple[str, int], ...] = ()  # attribute of CODE_COLUMNS, size
    code_lists: int = 0  # multi-valued attributes, each with its groups as JSON
    times: tuple[tuple[str, bool, bool], ...] = ()  # attribute, has From, has To
    author_person: bool = False
    reference_ids: bool = False
    access: AccessShape | None = None
    level: int = 1
    created: bool = False  # all have a creationTime: no on-demand entry is asked for


@lru_cache(maxsize=512)
def find_documents(shape: EntryShape, patients: int = 1) -> str:
    """Bind: domain, patients, then the conditions, limit."""
    return _of_patient(ENTRY, patients, _entry_conditions(shape), "creation_time")


def _entry_conditions(shape: EntryShape) -> list[str]:
    """Bind: statuses, types, codes, lists, times, authors, references, access."""
    conditions = [
        in_list("e.status", shape.statuses),
        *([sql.ONLINE] if shape.level == 1 else []),
        *_entry_filter(shape.object_types, shape.codes, shape.code_lists),
    ]
    for name, start, stop in shape.times:
        rule = sql.present_time if shape.created and name == "creation_time" else sql.time
        conditions += rule(TIME_COLUMNS[name], start, stop)
    if shape.author_person:
        conditions.append(sql.AUTHOR_PERSON)
    if shape.reference_ids:
        conditions.append(sql.REFERENCE_ID)
    return [*conditions, *_permitted(ENTRY, shape.access)]


def _permitted(table: str, shape: AccessShape | None) -> list[str]:
    """What the access filter asks of the objects `e` of a table. Bind: as `BoundAccess` does."""
    if shape is None:
        return []
    return [(access.entry if table == ENTRY else access.container)(shape).sql]


class SubmissionSetShape(NamedTuple):
    """What a FindSubmissionSets asks for."""

    statuses: int
    source_ids: bool = False
    submission_time: tuple[bool, bool] = (False, False)  # has From, has To
    author_person: bool = False
    content_types: int | None = None
    access: AccessShape | None = None


@lru_cache(maxsize=128)
def find_submission_sets(shape: SubmissionSetShape, patients: int = 1) -> str:
    """Bind: domain, patients, statuses, sources as JSON, time, authors, content types, access, limit."""
    conditions = [in_list("e.status", shape.statuses)]
    if shape.source_ids:
        conditions.append(in_list("e.source_id", 0))
    conditions += sql.time("e.submission_time", *shape.submission_time)
    if shape.author_person:
        conditions.append(sql.AUTHOR_PERSON)
    if shape.content_types is not None:
        conditions.append(in_list("e.content_type_code", shape.content_types))
    conditions += _permitted(SUBMISSION_SET, shape.access)
    return _of_patient(SUBMISSION_SET, patients, conditions, "submission_time")


class FolderShape(NamedTuple):
    """What a FindFolders asks for."""

    statuses: int
    last_update_time: tuple[bool, bool] = (False, False)  # has From, has To
    codes: bool = False
    access: AccessShape | None = None


@lru_cache(maxsize=64)
def find_folders(shape: FolderShape, patients: int = 1) -> str:
    """Bind: domain, patients, then the conditions, limit."""
    return _of_patient(FOLDER, patients, _folder_conditions(shape), "last_update_time")


def _folder_conditions(shape: FolderShape) -> list[str]:
    """Bind: statuses, time, codes, access."""
    conditions = [in_list("e.status", shape.statuses), *sql.time("e.last_update_time", *shape.last_update_time)]
    codes = [sql.CODE_LIST] if shape.codes else []
    return [*conditions, *codes, *_permitted(FOLDER, shape.access)]


def _of_patient(table: str, patients: int, conditions: list[str], time: str) -> str:
    """The newest first, as the index of the patient has them; of merged patients they are sorted."""
    return (
        f"SELECT {COLUMNS[table]} FROM {table} e WHERE e.domain = ? AND {in_list('e.patient', patients)}"
        f" AND {' AND '.join(conditions)} ORDER BY e.{time}_lo DESC, e.id LIMIT ?"
    )


def _entry_filter(object_types: int | None, codes: tuple[tuple[str, int], ...], code_lists: int) -> list[str]:
    return [
        *([] if object_types is None else [in_list("e.object_type", object_types)]),
        *(in_list(CODE_COLUMNS[attribute], size) for attribute, size in codes),
        *[sql.CODE_LIST] * code_lists,
    ]


# --- ITI-51: objects of several patients, or of any -----------------------------------------------------------------

# What finds the objects first: an index that starts with it. Of a list of codes one code at a time, for an object may
# have several of them; confidentiality codes have no index (see tables.py).
_FINDERS: Final = {
    "patient": ("{table} e", "e.patient"),
    "class_code": ("{table} e", "e.class_code"),
    "healthcare_facility_type_code": ("{table} e", "e.healthcare_facility_type_code"),
    "event_code_list": ("object_code k CROSS JOIN {table} e ON e.id = k.object", "k.code"),
    "folder_code_list": ("object_code k CROSS JOIN {table} e ON e.id = k.object", "k.code"),
}


@lru_cache(maxsize=512)
def find_documents_by(finder: str, keys: int, shape: EntryShape) -> str:
    """Entries by patients, or by codes of one attribute. Bind: keys, domain, then the conditions, limit."""
    return _found_by(finder, keys, ENTRY, _entry_conditions(shape))


@lru_cache(maxsize=128)
def find_folders_by(finder: str, keys: int, shape: FolderShape) -> str:
    """Folders by patients, or by codes. Bind: keys, domain, then the conditions, limit."""
    return _found_by(finder, keys, FOLDER, _folder_conditions(shape))


def _found_by(finder: str, keys: int, table: str, conditions: list[str]) -> str:
    source, column = _FINDERS[finder]
    first = [in_list(column, keys)]
    if finder in CODE_LISTS:
        first += [f"k.attribute <> {CODE_LISTS['confidentiality_code']}", f"k.attribute = {CODE_LISTS[finder]}"]
    where = " AND ".join([*first, "e.domain = ?", *conditions])
    return f"SELECT {COLUMNS[table]} FROM {source.format(table=table)} WHERE {where} LIMIT ?"


# --- Get queries and documents: objects by key --------------------------------------------------------------------


class KeyShape(NamedTuple):
    """How many keys, and what else is asked of entries; sets and folders have keys and access alone."""

    keys: int
    access: AccessShape | None = None
    object_types: int | None = None
    codes: tuple[tuple[str, int], ...] = ()
    code_lists: int = 0
    level: int = 1


@lru_cache(maxsize=512)
def by_uuid(table: str, shape: KeyShape) -> str:
    """Bind: UUID keys, domain, types, codes, lists, access."""
    return (
        f"SELECT {COLUMNS[table]} FROM object o CROSS JOIN {table} e ON e.id = o.id"
        f" WHERE {in_list('o.uuid', shape.keys)} AND o.domain = ?{_shown(table, shape)}"
    )


@lru_cache(maxsize=512)
def by_unique_id(table: str, shape: KeyShape) -> str:
    """Bind: uniqueIds, domain, types, codes, lists, access."""
    return (
        f"SELECT {COLUMNS[table]} FROM unique_id u CROSS JOIN {table} e ON e.unique_id = u.id"
        f" WHERE {in_list('u.value', shape.keys)} AND u.domain = ?{_shown(table, shape)}"
    )


@lru_cache(maxsize=64)
def later_versions(table: str, shape: KeyShape) -> str:
    """All versions but the first, whose logicalID is its own id. Bind: UUID keys, domain, access."""
    where = f"{in_list('e.lid', shape.keys)} AND e.domain = ?{_shown(table, shape)}"
    return f"SELECT {COLUMNS[table]} FROM {table} e WHERE {where}"


@lru_cache(maxsize=512)
def by_id(table: str, shape: KeyShape) -> str:
    """Bind: ids, domain, types, codes, lists, access."""
    where = f"{in_list('e.id', shape.keys)} AND e.domain = ?{_shown(table, shape)}"
    return f"SELECT {COLUMNS[table]} FROM {table} e WHERE {where}"


@lru_cache(maxsize=256)
def documents(shape: KeyShape) -> str:
    """Stored documents of a repository, each by the latest version of its entry; a later entry comes later.

    Bind: uniqueIds, domain, repository, access.
    """
    return (
        "SELECT u.value, d.key, d.size, d.sha1, d.chunk_digests, e.mime_type, e.patient_cx"
        " FROM unique_id u CROSS JOIN document_entry e ON e.unique_id = u.id"
        " CROSS JOIN stored_document d ON d.id = e.document"
        f" WHERE {in_list('u.value', shape.keys)} AND u.domain = ? AND e.repository_unique_id = ?"
        f" AND e.latest = 1{_filters(ENTRY, shape)} ORDER BY e.id"
    )


def _shown(table: str, shape: KeyShape) -> str:
    """What the level shows of what passes the filters."""
    current = sql.CURRENT[table] if shape.level == 1 else []
    return "".join(f" AND {condition}" for condition in current) + _filters(table, shape)


def _filters(table: str, shape: KeyShape) -> str:
    conditions = [
        *_entry_filter(shape.object_types, shape.codes, shape.code_lists),
        *_permitted(table, shape.access),
    ]
    return "".join(f" AND {condition}" for condition in conditions)


@lru_cache(maxsize=32)
def object_ids(keys: int) -> str:
    """Objects of any kind, also those that are only known as ends of associations. Bind: UUID keys, domain."""
    return f"SELECT id FROM object WHERE {in_list('uuid', keys)} AND domain = ?"


# --- associations -------------------------------------------------------------------------------------------------


class LinkShape(NamedTuple):
    """How many keys, and of which types and statuses associations are."""

    keys: int
    types: int | None = None
    access: AccessShape | None = None
    statuses: int = 1


@lru_cache(maxsize=256)
def associations(key: str, shape: LinkShape) -> str:
    """Associations by "source", "target" or "id". Bind: ids, domain, statuses, types, access, limit (-1: none)."""
    conditions = [in_list(f"a.{key}", shape.keys), "a.domain = ?", in_list("a.status", shape.statuses)]
    if shape.types is not None:
        conditions.append(in_list("a.type", shape.types))
    if shape.access is not None:
        conditions.append(access.association(shape.access).sql)
    where = " AND ".join(conditions)
    return f"SELECT {_ASSOCIATION} FROM association a WHERE {where} LIMIT ?"
