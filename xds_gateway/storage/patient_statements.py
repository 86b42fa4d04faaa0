"""The SQL of patients: rows, merges, messages of feeds."""

from typing import Final

# Bind: domain, value, authority
PATIENT: Final = "SELECT id, survivor, survives FROM patient WHERE domain = ? AND value = ? AND authority = ?"
PATIENT_BY_ID: Final = "SELECT value, authority, survivor FROM patient WHERE id = ?"
# All that a patient stands for beside itself
MERGED: Final = "SELECT id FROM patient WHERE survivor = ?"
ANY_MERGED: Final = f"{MERGED} LIMIT 1"
SURVIVOR: Final = "SELECT survivor FROM patient WHERE id = ?"
# Bind: domain, value and authority after which, limit
LIST: Final = (
    "SELECT value, authority, survivor FROM patient"
    " WHERE domain = ? AND (value, authority) > (?, ?) ORDER BY value, authority LIMIT ?"
)
ADD_PATIENT: Final = "INSERT INTO patient (domain, value, authority) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

# Bind: survivor, the subsumed patient twice
MERGE_ALL: Final = "UPDATE patient SET survivor = ? WHERE id = ? OR survivor = ?"
SET_SURVIVOR: Final = "UPDATE patient SET survivor = ? WHERE id = ?"
SET_SURVIVES: Final = "UPDATE patient SET survives = ? WHERE id = ?"

ADD_MERGE: Final = (
    "INSERT INTO patient_merge (domain, subsumed, surviving, at, by, message_id) VALUES (?, ?, ?, ?, ?, ?)"
)
# Bind: time, who, the subsumed patient
UNDO_MERGE: Final = "UPDATE patient_merge SET undone_at = ?, undone_by = ? WHERE subsumed = ? AND undone_at IS NULL"
# Patients merged into this one, or into one that was, by merges that stand
MERGED_INTO: Final = (
    "WITH RECURSIVE merged(id) AS (SELECT ? UNION SELECT m.subsumed FROM merged CROSS JOIN patient_merge m"
    " ON m.surviving = merged.id AND m.undone_at IS NULL) SELECT id FROM merged LIMIT -1 OFFSET 1"
)
_MERGE: Final = (
    "SELECT m.id, s.value, s.authority, t.value, t.authority, m.at, m.by, m.message_id, m.undone_at, m.undone_by"
    " FROM patient_merge m CROSS JOIN patient s ON s.id = m.subsumed CROSS JOIN patient t ON t.id = m.surviving"
)
# Bind: the patient twice
MERGES_OF: Final = f"{_MERGE} WHERE m.subsumed = ? UNION {_MERGE} WHERE m.surviving = ? ORDER BY 1"

# Bind: message id, sender, domain
RECEIVED: Final = "SELECT digest FROM received_message WHERE message_id = ? AND sender = ? AND domain = ?"
# Bind: domain, sender, message id, digest, time. An id that its sender uses again names the later message.
NOTE_RECEIVED: Final = (
    "INSERT INTO received_message (domain, sender, message_id, digest, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (message_id, sender, domain) DO UPDATE SET digest = excluded.digest, at = excluded.at"
)
# Bind: time, how many
FORGET_RECEIVED: Final = (
    "DELETE FROM received_message WHERE id IN (SELECT id FROM received_message WHERE at < ? ORDER BY at LIMIT ?)"
)

STATEMENTS: Final = (
    PATIENT, PATIENT_BY_ID, MERGED, ANY_MERGED, SURVIVOR, LIST, MERGE_ALL, SET_SURVIVOR, SET_SURVIVES, UNDO_MERGE,
    MERGES_OF, RECEIVED, FORGET_RECEIVED,
)  # fmt: skip
