"""Everything of a domain leaves in one transaction: its objects, uniqueIds, patients, and what is known of documents.

Outboxes are of the whole gateway: those that are named are emptied. The audit and the value sets stay, and so do words
and codes, which every process remembers. Documents leave as ITI-86 has them leave: noted as removed here, deleted after
the commit.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ..actors.ports import Cleared
from . import removal_statements as sql
from .audit_book import empty_outbox

# what is told of a reset -> the rows that it counts
_COUNTED: Final = {
    "document_entries": "document_entry",
    "submission_sets": "submission_set",
    "folders": "folder",
    "associations": "association",
    "patients": "patient",
}
_OF_OBJECTS: Final = ("object_code", "object_author", "entry_reference")
_OF_DOMAIN: Final = (
    "association",
    "document_entry",
    "submission_set",
    "folder",
    "unique_id",
    "object",
    "patient_merge",
    "consent",
    "received_message",
    "patient",
)
_NOTE_KEPT_REMOVED: Final = "UPDATE detached_document SET removed = 1 WHERE domain = ?"
CLEARED: Final = frozenset((*_OF_OBJECTS, *_OF_DOMAIN))


def clear(cursor: sqlite3.Cursor, domain: int, outboxes: Sequence[str]) -> Cleared:
    """Delete all rows of a domain but its audit; what went, and the keys whose bytes must go."""
    counts = {name: int(cursor.execute(sql.count(table), (domain,)).fetchone()[0]) for name, table in _COUNTED.items()}
    statements = (
        *(_NOTE_KEPT_REMOVED, sql.NOTE_ALL_REMOVED),
        *(sql.clear_lists(table) for table in _OF_OBJECTS),
        *(sql.clear(table) for table in _OF_DOMAIN),
    )
    for statement in statements:
        cursor.execute(statement, (domain,))
    keys = tuple(key for (key,) in cursor.execute(sql.DOCUMENTS_TO_ERASE, (domain,)).fetchall())
    unsent = sum(empty_outbox(cursor, name) for name in outboxes)
    return Cleared(keys=keys, counts={**counts, "documents": len(keys), "unsent_audit_events": unsent})
