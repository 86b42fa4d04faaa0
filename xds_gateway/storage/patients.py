"""Patients, which one stands for which, and messages of feeds: what plans see and transactions change of them.

A merge never touches an object: each stays with the patient that it was submitted for, and the patient's row tells who
stands for it. So a merge is as fast for a large record as for a small one, and can be undone.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from ..actors.patient_ports import ListedPatient, PatientMerge, ReceivedMessage
from ..model.identifiers import PatientId
from . import patient_statements as sql
from .database import StorageConflict

_FORGET_AT_ONCE: Final = 2  # old messages that each new one makes room for
_REMEMBERED: Final = timedelta(days=31)


@lru_cache(maxsize=1)  # all messages of one day have the same
def _forgotten(day: str) -> int:
    """The DTM before which messages are forgotten on a day, as a number."""
    return int((datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) - _REMEMBERED).strftime("%Y%m%d%H%M%S"))


class PatientRow(NamedTuple):
    """A row of `patient`: `survivor` is the row that stands for it, `survives` says that others were merged into it."""

    id: int
    survivor: int | None
    survives: bool


class PatientSnapshot:
    """`PatientReads` on a connection that is inside a transaction; rows are looked up once."""

    def __init__(self, cursor: sqlite3.Cursor, domain: int) -> None:
        self._cursor: Final = cursor
        self._domain: Final = domain
        self._patient_rows: Final[dict[PatientId, PatientRow]] = {}

    def survivor(self, patient_id: PatientId) -> PatientId | None:
        """The patient that stands for this one: itself while it is active; None when it is not known."""
        row = self._patient_row(patient_id)
        if row is None or row.survivor is None:
            return patient_id if row else None
        return self._patient_id(row.survivor)

    def merges_of(self, patient_id: PatientId) -> Sequence[PatientMerge]:
        """All merges that this patient was part of, undone ones too, as they came."""
        row = self._patient_row(patient_id)
        found = self._cursor.execute(sql.MERGES_OF, (row.id, row.id)).fetchall() if row else []
        return [PatientMerge(PatientId(*merge[1:3]), PatientId(*merge[3:5]), *merge[5:]) for merge in found]

    def patients(self, after: PatientId | None, limit: int) -> Sequence[ListedPatient]:
        """Known patients in the order of id and authority, those after one of them."""
        found = self._cursor.execute(sql.LIST, (self._domain, *(after or ("", "")), limit)).fetchall()
        return [
            ListedPatient(PatientId(*row[:2]), None if row[2] is None else self._patient_id(row[2])) for row in found
        ]

    def was_received(self, message: ReceivedMessage) -> bool:
        """Whether this very message was accepted already."""
        identity = (message.message_id, message.sender, self._domain)
        row = self._cursor.execute(sql.RECEIVED, identity).fetchone()
        return row is not None and row[0] == message.digest

    def _patient_row(self, patient_id: PatientId) -> PatientRow | None:
        known = self._patient_rows.get(patient_id)
        if known is None:
            row = self._cursor.execute(sql.PATIENT, (self._domain, *patient_id)).fetchone()
            if row is None:
                return None
            known = self._patient_rows[patient_id] = PatientRow(row[0], row[1], row[2] != 0)
        return known

    def _and_merged(self, patient_id: PatientId) -> Sequence[int]:
        """The ids of a patient and of all that it stands for; none when it is not known."""
        row = self._patient_row(patient_id)
        if row is None:
            return ()
        merged = self._cursor.execute(sql.MERGED, (row.id,)).fetchall() if row.survives else ()
        return (row.id, *(number for (number,) in merged))

    def _patient_id(self, number: int) -> PatientId:
        value, authority, _ = self._cursor.execute(sql.PATIENT_BY_ID, (number,)).fetchone()
        return PatientId(value, authority)


class PatientTransaction(PatientSnapshot):
    """`PatientChanges` on the writing connection; failures of the database are told to the transaction."""

    def _add_patient(self, patient_id: PatientId) -> None:
        if self._patient_row(patient_id) is None:
            self._cursor.execute(sql.ADD_PATIENT, (self._domain, *patient_id))

    def _merge_patients(self, merge: PatientMerge) -> None:
        """All that `subsumed` stood for has the new survivor as well: nobody has to walk a chain."""
        subsumed, surviving = self._number(merge.subsumed), self._number(merge.surviving)
        told = (merge.at, merge.by, merge.message_id)
        self._cursor.execute(sql.ADD_MERGE, (self._domain, subsumed, surviving, *told))
        self._cursor.execute(sql.MERGE_ALL, (surviving, subsumed, subsumed))
        self._cursor.execute(sql.SET_SURVIVES, (1, surviving))
        self._cursor.execute(sql.SET_SURVIVES, (0, subsumed))
        self._patient_rows.clear()

    def _unmerge_patient(self, patient_id: PatientId, at: str, by: str) -> None:
        """The patients that came with it go with it; who was their survivor may have nobody left."""
        number = self._number(patient_id)
        before = self._cursor.execute(sql.SURVIVOR, (number,)).fetchone()[0]
        self._cursor.execute(sql.UNDO_MERGE, (at, by, number))
        mine = [row[0] for row in self._cursor.execute(sql.MERGED_INTO, (number,)).fetchall()]
        self._cursor.execute(sql.SET_SURVIVOR, (None, number))
        self._cursor.executemany(sql.SET_SURVIVOR, [(number, each) for each in mine])
        self._cursor.execute(sql.SET_SURVIVES, (1 if mine else 0, number))
        if before is not None and self._cursor.execute(sql.ANY_MERGED, (before,)).fetchone() is None:
            self._cursor.execute(sql.SET_SURVIVES, (0, before))
        self._patient_rows.clear()

    def _note_received(self, message: ReceivedMessage, at: str) -> None:
        identity = (self._domain, message.sender, message.message_id)
        self._cursor.execute(sql.NOTE_RECEIVED, (*identity, message.digest, int(at)))
        self._cursor.execute(sql.FORGET_RECEIVED, (_forgotten(at[:8]), _FORGET_AT_ONCE))

    def _number(self, patient_id: PatientId) -> int:
        row = self._patient_row(patient_id)
        if row is None:
            raise StorageConflict("a patient of a merge is not known")
        return row.id
