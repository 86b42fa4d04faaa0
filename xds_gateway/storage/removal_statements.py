"""The SQL of removal: whatever belongs to an object goes with it (ITI-62), and documents leave in steps (ITI-86)."""

from functools import lru_cache
from typing import Final

from .statements import in_list

# --- what a plan asks ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def associations(key: str, keys: int) -> str:
    """Associations of any status by "id", "source" or "target". Bind: ids, domain."""
    return (
        "SELECT a.id, o.uuid, s.uuid, t.uuid, a.type FROM association a CROSS JOIN object o ON o.id = a.id"
        " CROSS JOIN object s ON s.id = a.source CROSS JOIN object t ON t.id = a.target"
        f" WHERE {in_list(f'a.{key}', keys)} AND a.domain = ?"
    )


# Bind: uniqueId, domain, repository
DOCUMENTS_OF_ENTRIES: Final = (
    "SELECT d.id, d.key, e.uuid, e.patient_cx FROM unique_id u CROSS JOIN document_entry e ON e.unique_id = u.id"
    " CROSS JOIN stored_document d ON d.id = e.document"
    " WHERE u.value = ? AND u.domain = ? AND e.repository_unique_id = ? ORDER BY e.id"
)
DETACHED_DOCUMENTS: Final = (
    "SELECT d.id, d.key, NULL, NULL FROM detached_document t CROSS JOIN stored_document d ON d.id = t.document"
    " WHERE t.unique_id = ? AND t.domain = ? AND t.repository_unique_id = ? ORDER BY t.id"
)
# Bind: domain
DOCUMENTS_TO_ERASE: Final = (
    "SELECT DISTINCT d.key FROM detached_document t CROSS JOIN stored_document d ON d.id = t.document"
    " WHERE t.removed = 1 AND t.domain = ?"
)

# --- objects ------------------------------------------------------------------------------------------------------

_OF_ENTRY: Final = "uuid, lid, latest, unique_id, document, repository_unique_id"
# kind -> table, and what is needed of its rows when they are gone
_REMOVED: Final = {
    1: ("document_entry", _OF_ENTRY),
    2: ("submission_set", "uuid, NULL, 0, unique_id, NULL, NULL"),
    3: ("folder", "uuid, lid, latest, unique_id, NULL, NULL"),
}
LISTS: Final = ("object_code", "object_author", "entry_reference")


@lru_cache(maxsize=64)
def remove(kind: int, keys: int) -> str:
    """Entries, sets or folders. Bind: ids. Returns uuid, lid, latest, uniqueId, document, repository."""
    table, returned = _REMOVED[kind]
    return f"DELETE FROM {table} WHERE {in_list('id', keys)} RETURNING {returned}"


@lru_cache(maxsize=32)
def remove_associations(keys: int) -> str:
    """Bind: ids. Returns the ends."""
    return f"DELETE FROM association WHERE {in_list('id', keys)} RETURNING source, target"


@lru_cache(maxsize=64)
def remove_lists(table: str, keys: int) -> str:
    """Codes, authors or references. Bind: ids."""
    return f"DELETE FROM {table} WHERE {in_list('object', keys)}"


@lru_cache(maxsize=32)
def remove_ids(keys: int) -> str:
    """Bind: ids."""
    return f"DELETE FROM object WHERE {in_list('id', keys)}"


# An id that is only known as the end of an association goes with its last association. Bind: id
REMOVE_END: Final = (
    "DELETE FROM object WHERE id = ? AND kind = 0"
    " AND NOT EXISTS (SELECT 1 FROM association a WHERE a.source = object.id)"
    " AND NOT EXISTS (SELECT 1 FROM association a WHERE a.target = object.id)"
)
# A uniqueId goes with the last object that has it. Bind: id
REMOVE_UNIQUE_ID: Final = (
    "DELETE FROM unique_id WHERE id = ?"
    " AND NOT EXISTS (SELECT 1 FROM document_entry e WHERE e.unique_id = unique_id.id)"
    " AND NOT EXISTS (SELECT 1 FROM submission_set s WHERE s.unique_id = unique_id.id)"
    " AND NOT EXISTS (SELECT 1 FROM folder f WHERE f.unique_id = unique_id.id)"
)
# The version before a removed one is the latest now. kind -> bind: id
MAKE_LATEST: Final = {
    1: "UPDATE document_entry SET latest = 1 WHERE id = ?",
    3: "UPDATE folder SET latest = 1 WHERE id = ?",
}
# The entry registered last of those that have a uniqueId. Bind: uniqueId's id
LAST_ENTRY: Final = "SELECT id FROM document_entry WHERE unique_id = ? ORDER BY id DESC LIMIT 1"
# The document of an entry that goes stays, under its uniqueId. Bind: repository, document, uniqueId's id
KEEP_DOCUMENT: Final = (
    "INSERT INTO detached_document (domain, repository_unique_id, unique_id, document, removed)"
    " SELECT u.domain, ?, u.value, ?, 0 FROM unique_id u WHERE u.id = ?"
)

# --- documents ----------------------------------------------------------------------------------------------------

# Bind: entry
TAKE_FROM_ENTRIES: Final = "UPDATE document_entry SET document = NULL WHERE id = ?"
# Bind: uniqueId, domain, repository. Returns ids of entries
ENTRIES_WITH_DOCUMENT: Final = (
    "SELECT e.id FROM unique_id u CROSS JOIN document_entry e ON e.unique_id = u.id"
    " WHERE u.value = ? AND u.domain = ? AND e.repository_unique_id = ? AND e.document IS NOT NULL"
)
FORGET_KEPT: Final = (
    "DELETE FROM detached_document WHERE unique_id = ? AND domain = ? AND repository_unique_id = ? AND removed = 0"
)
# Whether something needs a document still, under another uniqueId. Bind: document, document
NEEDED: Final = (
    "SELECT 1 FROM document_entry WHERE document = ?"
    " UNION ALL SELECT 1 FROM detached_document WHERE document = ? AND removed = 0 LIMIT 1"
)
# Bind: domain, repository, uniqueId, document, document
NOTE_REMOVED: Final = (
    "INSERT INTO detached_document (domain, repository_unique_id, unique_id, document, removed)"
    " SELECT ?, ?, ?, ?, 1 WHERE NOT EXISTS (SELECT 1 FROM detached_document WHERE document = ?)"
)
# Bind: key. Returns the document
FORGET_REMOVED: Final = (
    "DELETE FROM detached_document WHERE +removed = 1"
    " AND document = (SELECT d.id FROM stored_document d WHERE d.key = ?) RETURNING document"
)
FORGET_DOCUMENT: Final = "DELETE FROM stored_document WHERE id = ?"
# Whether an entry gives a stored document out. Bind: key
GIVEN_OUT: Final = (
    "SELECT 1 FROM stored_document d WHERE d.key = ?"
    " AND EXISTS (SELECT 1 FROM document_entry e WHERE e.document = d.id)"
)

# --- everything of a domain, which is a scan by nature. Bind: domain ----------------------------------------------

# Under no uniqueId, so that nobody finds them
NOTE_ALL_REMOVED: Final = (
    "INSERT INTO detached_document (domain, repository_unique_id, unique_id, document, removed)"
    " SELECT e.domain, max(coalesce(e.repository_unique_id, 0)), '', e.document, 1 FROM document_entry e"
    " WHERE e.domain = ? AND e.document IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM detached_document t WHERE t.document = e.document) GROUP BY e.document"
)


def count(table: str) -> str:
    """How many rows a domain has."""
    return f"SELECT count(*) FROM {table} WHERE domain = ?"


def clear(table: str) -> str:
    """All rows of a domain."""
    return f"DELETE FROM {table} WHERE domain = ?"


def clear_lists(table: str) -> str:
    """Codes, authors or references of all objects of a domain."""
    return f"DELETE FROM {table} WHERE object IN (SELECT id FROM object WHERE domain = ?)"
