"""Rows to finished fragments: decompress, fill the holes from the columns (ITI TF-2 3.18.4.1.3)."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from ..actors.ports import Found
from ..codec.ebrim import fill_fragment
from ..codec.xml import escape
from ..model.identifiers import PatientId
from .fragments import unpack
from .keys import uuid_urn
from .patient_statements import PATIENT_BY_ID
from .terms import Terms

Row = tuple[Any, ...]

_LID, _STATUS, _VERSION, _PATIENT, _HOME, _UPDATE_TIME = (ord(letter) for letter in "lsvpht")


class Answers:
    """Collects the objects of one answer; of a patient it knows the id as sent and the id as compared.

    Objects of a patient who was merged have the id of the one who stands for it.
    """

    def __init__(self, connection: sqlite3.Connection, terms: Terms) -> None:
        self._connection: Final = connection
        self._terms: Final = terms
        self._fragments: Final[list[bytes]] = []
        self._uuids: Final[list[str]] = []
        self._patients: Final[dict[int, str]] = {}  # CX of those that the answer is about
        self._survivors: Final[dict[int, bytes | None]] = {}  # of merged patients the CX of who stands for them
        self._statuses: Final[dict[int, bytes]] = {}
        self._holes: Final[dict[int, bytes]] = {}  # of the object at hand

    def add_objects(self, rows: Sequence[Row]) -> None:
        """Take rows of entries or sets, as `query_statements.COLUMNS` has them."""
        last, escaped = None, b""
        add, survivors = self._add, self._survivors
        for _, uuid, lid, version, status, patient_cx, home, patient, fragment in rows:
            if patient_cx != last:
                last, escaped = patient_cx, escape(patient_cx or "").encode()
            if patient is not None and patient not in survivors:
                survivors[patient] = self._met(patient)
            add(uuid, lid, version, status, home, fragment, survivors.get(patient) or escaped)

    def add_folders(self, rows: Sequence[Row]) -> None:
        """Take rows of folders, which have Folder.lastUpdateTime at the end."""
        for row in rows:
            self._holes[_UPDATE_TIME] = escape(row[-1]).encode()
            self.add_objects([row[:-1]])

    def add_associations(self, rows: Sequence[Row]) -> None:
        """Take rows of `query_statements.associations`."""
        for _, uuid, lid, version, status, home, fragment, _, _ in rows:
            self._add(uuid, lid, version, status, home, fragment, b"")

    def found(self) -> Found:
        """The answer."""
        return Found(
            fragments=tuple(self._fragments),
            uuids=tuple(self._uuids),
            patients=tuple(self._patients.values()),
        )

    def _add(
        self,
        uuid: bytes,
        lid: bytes | None,
        version: int,
        status: int,
        home: str | None,
        fragment: bytes,
        patient: bytes,
    ) -> None:
        urn = uuid_urn(uuid)
        holes = self._holes
        holes[_LID] = (urn if lid is None else uuid_urn(lid)).encode()
        holes[_STATUS] = self._statuses.get(status) or self._status(status)
        holes[_VERSION] = b"1" if version == 1 else b"%d" % version
        holes[_PATIENT] = patient
        holes[_HOME] = b"" if home is None else f' home="{escape(home)}"'.encode()
        self._fragments.append(fill_fragment(unpack(fragment), holes))
        self._uuids.append(urn)

    def _status(self, number: int) -> bytes:
        text = self._statuses[number] = escape(self._terms.word(self._connection, number)).encode()
        return text

    def _met(self, patient: int) -> bytes | None:
        """Note a patient of the answer; the CX of who stands for it when it was merged."""
        value, authority, survivor = self._connection.execute(PATIENT_BY_ID, (patient,)).fetchone()
        if survivor is None:
            self._patients[patient] = PatientId(value, authority).as_cx()
            return None
        value, authority, _ = self._connection.execute(PATIENT_BY_ID, (survivor,)).fetchone()
        self._patients[survivor] = cx = PatientId(value, authority).as_cx()
        return escape(cx).encode()
