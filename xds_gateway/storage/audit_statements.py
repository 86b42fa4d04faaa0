"""Statements of the audit's sequence, patients, anchors and targets."""

from typing import Final

SOURCES: Final = "SELECT name, position, events, chain FROM audit_source"
SOURCE_ID: Final = "SELECT id FROM audit_source WHERE name = ?"
ADD_SOURCE: Final = "INSERT INTO audit_source (name, position, events, chain, last_at) VALUES (?, 0, 0, ?, '')"
# Bind: position, events more, chain, last_at, id
ADVANCE: Final = "UPDATE audit_source SET position = ?, events = events + ?, chain = ?, last_at = ? WHERE id = ?"
ROWS: Final = "SELECT id, event, chain FROM audit_event WHERE id > ? ORDER BY id LIMIT ?"
ROW: Final = "SELECT event, chain FROM audit_event WHERE id = ?"
ADD_ENTRY: Final = "INSERT INTO audit_entry (at, source, position) VALUES (?, ?, ?)"
ADD_PATIENT: Final = "INSERT OR IGNORE INTO audit_patient (patient, entry) VALUES (?, ?)"

_ENTRY: Final = "SELECT e.id, e.at, s.name, e.position FROM audit_entry e JOIN audit_source s ON s.id = e.source"
AFTER: Final = f"{_ENTRY} WHERE e.id > ? ORDER BY e.id LIMIT ?"
AFTER_TIME: Final = f"{_ENTRY} WHERE (e.at, e.id) > (?, ?) ORDER BY e.at, e.id LIMIT ?"
LAST_ENTRY: Final = "SELECT COALESCE(MAX(id), 0) FROM audit_entry"
COUNT_AFTER: Final = "SELECT count(*) FROM audit_entry WHERE id > ?"


def of_patients(count: int) -> str:
    """Entries of so many patients after a time and number. Bind: patients, at, id, limit."""
    marks = ", ".join("?" * count)
    chosen = f"SELECT p.entry FROM audit_patient p WHERE p.patient IN ({marks})"  # noqa: S608  marks only
    return f"{_ENTRY} WHERE e.id IN ({chosen}) AND (e.at, e.id) > (?, ?) ORDER BY e.at, e.id LIMIT ?"


# -- anchors

ANCHORS: Final = "SELECT id, content, signature FROM audit_anchor WHERE id > ? ORDER BY id LIMIT ?"
LAST_ANCHOR: Final = "SELECT id, entry, content, signature FROM audit_anchor ORDER BY id DESC LIMIT 1"
ADD_ANCHOR: Final = "INSERT INTO audit_anchor (id, entry, at, content, signature) VALUES (?, ?, ?, ?, ?)"
# Chains that have entries after one
GROWN: Final = (
    "SELECT s.name, s.position, s.events, s.chain FROM audit_source s"
    " WHERE EXISTS (SELECT 1 FROM audit_entry e WHERE e.source = s.id AND e.id > ?)"
)

# -- retention

ANCHOR_BEFORE: Final = "SELECT MAX(entry) FROM audit_anchor WHERE at < ? AND entry <= ?"
# Segments of which nothing is newer than an entry. Bind: table's name, entry
OLD_SOURCES: Final = (
    "SELECT s.id, s.name, s.position, s.events, s.chain FROM audit_source s WHERE s.name <> ?"
    " AND NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.source = s.id AND e.id > ?)"
)
# The last row of the table up to an entry, which is not the newest one. Bind: table's name, entry
OLD_ROW: Final = (
    "SELECT MAX(e.position) FROM audit_entry e JOIN audit_source s ON s.id = e.source"
    " WHERE s.name = ? AND e.id <= ? AND e.position < (SELECT MAX(a.id) FROM audit_event a)"
)
# How many events the table has had up to a row. Bind: row, table's name
COUNT_ROWS: Final = (
    "SELECT s.events - (SELECT count(*) FROM audit_event a WHERE a.id > ? AND a.id <= s.position)"
    " FROM audit_source s WHERE s.name = ?"
)
ENTRIES_OF: Final = "SELECT id, position FROM audit_entry WHERE source = ? AND position <= ? ORDER BY id LIMIT ?"
DROP_PATIENT: Final = "DELETE FROM audit_patient WHERE patient = ? AND entry = ?"
DROP_ENTRY: Final = "DELETE FROM audit_entry WHERE id = ?"
DROP_ROW: Final = "DELETE FROM audit_event WHERE id = ?"
DROP_SOURCE: Final = "DELETE FROM audit_source WHERE id = ?"
DROP_REFUSED: Final = "DELETE FROM audit_refused WHERE entry = ?"

# -- targets

TARGET: Final = "SELECT id, entry, failure, failing_since FROM audit_target WHERE name = ?"
ADD_TARGET: Final = "INSERT INTO audit_target (name, entry) VALUES (?, ?)"
# A reset may have gone further
CONFIRM: Final = (
    "UPDATE audit_target SET entry = MAX(entry, ?), failure = NULL, failing_since = NULL WHERE name = ? RETURNING entry"
)
FAILING: Final = "UPDATE audit_target SET failure = ?, failing_since = COALESCE(failing_since, ?) WHERE name = ?"
ADD_REFUSED: Final = (
    "INSERT OR REPLACE INTO audit_refused (target, entry, at, reason)"
    " SELECT t.id, ?, ?, ? FROM audit_target t WHERE t.name = ?"
)
DROP_REFUSED_BY: Final = "DELETE FROM audit_refused WHERE target = (SELECT id FROM audit_target WHERE name = ?)"
REFUSED: Final = (
    "SELECT r.entry, r.at, r.reason FROM audit_refused r JOIN audit_target t ON t.id = r.target"
    " WHERE t.name = ? AND r.entry > ? ORDER BY r.entry LIMIT ?"
)
