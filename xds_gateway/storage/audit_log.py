"""The audit as one sequence: events of the table and of all segments of the journal, numbered once and for good.

The keeper takes up what is durable: in one transaction an event gets its number, its patients are indexed, and the
place behind it becomes its source's position. So each event has one number, whatever is killed. Readers see what was
written after the last turn too, by reading on from those positions.
"""

import heapq
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

from ..actors.audit_ports import AuditEntry, Selection
from ..model.anchors import ChainState
from ..model.identifiers import parse_patient_id
from ..model.messages import AuditEvent
from . import audit_statements as sql
from .chains import TABLE, event_id, parse_chained, seed
from .database import inserted
from .events import parse_event
from .readers import Readers
from .segments import SegmentFiles, durable_lines, read_lines, segment_files, segments
from .writer import Writer

_AT_ONCE: Final = 500  # entries that are read in one statement
_LONGEST: Final = 256  # characters of a patient's name that is no CX


class Taken(NamedTuple):
    """An event of a source that has no number yet; `position` finds it, `after` is where the next one begins."""

    at: str
    source: str
    position: int
    after: int
    chain: bytes
    event: AuditEvent

    @property
    def entry(self) -> AuditEntry:
        """The same for readers."""
        return AuditEntry(None, event_id(self.chain), self.event, place(self.source, self.position))


def place(source: str, position: int) -> str:
    """Where an event is, for people."""
    return f"{source} row {position}" if source == TABLE else f"{source} byte {position}"


def patient_key(text: str) -> str:
    """A patient as the index has it: compared by id and authority only."""
    found = parse_patient_id(text)
    return found.as_cx() if found else text[:_LONGEST]


class SqlAuditLog:
    """`AuditReads` and the taking up of `AuditBook`, over one database and one folder of segments."""

    def __init__(self, readers: Readers, journal: Path) -> None:
        self._readers: Final = readers
        self._journal: Final = journal

    # -- taking up

    def take_up(self, writer: Writer, limit: int) -> int:
        """Number up to `limit` durable events of each source, in the order of their times; how many."""
        with self._readers.snapshot() as connection:
            states = read_states(connection)
            tails = [self._rows(connection, states, limit)]
        tails += self._lines(states, limit)
        taken = _merged([tail for tail in tails if tail], limit)
        if taken:
            writer.write(lambda connection: _number(connection, taken, states))
        return len(taken)

    def _rows(self, connection: sqlite3.Connection, states: Mapping[str, ChainState], limit: int) -> list[Taken]:
        last = states[TABLE].position if TABLE in states else 0
        rows = connection.execute(sql.ROWS, (last, limit)).fetchall()
        return [_taken(TABLE, number, number, chain, event) for number, event, chain in rows]

    def _lines(self, states: Mapping[str, ChainState], limit: int) -> Iterator[list[Taken]]:
        for path in segments(self._journal):
            state = states.get(path.name) or ChainState(0, 0, seed(path.name))
            with suppress(FileNotFoundError):  # its writer has never used it, and has gone
                if os.stat(path).st_size > state.position:
                    lines = durable_lines(path, state.position, state.chain, limit)
                    yield [_taken(path.name, line.start, line.end, line.chain, line.event) for line in lines]

    # -- reading

    def selected(self, selection: Selection) -> Iterator[AuditEntry]:
        """Events in the order of their times, those without number last; bounded memory, however many there are."""
        with self._readers.snapshot() as connection:  # what is taken up meanwhile is not read twice, nor passed over
            states, last = read_states(connection), connection.execute(sql.LAST_ENTRY).fetchone()[0]
        with segment_files(self._journal) as files:
            for page in self._pages(selection, files):
                yield from (each for each in page if (each.number or 0) <= last and selection.wants(each.event))
        wanted = frozenset(selection.patients)
        for taken in heapq.merge(self._rows_after(states), *self._lines_after(states), key=lambda each: each.at):
            if selection.wants(taken.event) and (not wanted or wanted & set(map(patient_key, taken.event.patient_ids))):
                yield taken.entry

    def _pages(self, selection: Selection, files: SegmentFiles) -> Iterator[list[AuditEntry]]:
        """Entries, each page from a state of its own: a long reading holds nobody up."""
        statement = sql.of_patients(len(selection.patients)) if selection.patients else sql.AFTER_TIME
        at, number = selection.since, 0
        while True:
            with self._readers.snapshot() as connection:
                rows = connection.execute(statement, (*selection.patients, at, number, _AT_ONCE)).fetchall()
                page = [load(connection, files, *row) for row in rows]
            yield page
            if len(rows) < _AT_ONCE or (selection.until and rows[-1][1] >= selection.until):
                return
            number, at = rows[-1][:2]

    def _rows_after(self, states: Mapping[str, ChainState]) -> Iterator[Taken]:
        last = states[TABLE].position if TABLE in states else 0
        while True:
            with self._readers.snapshot() as connection:
                rows = connection.execute(sql.ROWS, (last, _AT_ONCE)).fetchall()
            for last, event, chain in rows:
                yield _taken(TABLE, last, last, chain, event)
            if len(rows) < _AT_ONCE:
                return

    def _lines_after(self, states: Mapping[str, ChainState]) -> Iterator[Iterable[Taken]]:
        for path in segments(self._journal):
            state = states.get(path.name) or ChainState(0, 0, seed(path.name))
            with suppress(FileNotFoundError):
                if os.stat(path).st_size > state.position:
                    yield _tail(path, state)

    def after(self, number: int, limit: int) -> Sequence[AuditEntry]:
        """The entries that follow one in the order of numbers."""
        with self._readers.snapshot() as connection, segment_files(self._journal) as files:
            rows = connection.execute(sql.AFTER, (number, limit)).fetchall()
            return [load(connection, files, *row) for row in rows]


def read_states(connection: sqlite3.Connection) -> dict[str, ChainState]:
    """How far each source is taken up, by its name."""
    rows = connection.execute(sql.SOURCES).fetchall()
    return {name: ChainState(position, events, chain) for name, position, events, chain in rows}


def load(
    connection: sqlite3.Connection, files: SegmentFiles, number: int, at: str, source: str, position: int
) -> AuditEntry:
    """The event of an entry; one that is gone or cannot be read is told as such, and `audit verify` explains it."""
    if source == TABLE:
        row = connection.execute(sql.ROW, (position,)).fetchone()
        event, chain = row or (None, None)
    else:
        line = files.line(source, position)
        event, chain = parse_chained(line) if line else (None, None)
    taken = _taken(source, position, 0, chain, event or b"")
    return taken.entry._replace(number=number, event=taken.event._replace(at=taken.event.at or at))


def _tail(path: Path, state: ChainState) -> Iterator[Taken]:
    with path.open("rb") as segment:
        for line in read_lines(segment, state.position, state.chain):
            yield _taken(path.name, line.start, line.end, line.chain, line.event)


def _taken(source: str, position: int, after: int, chain: bytes | None, text: bytes | str) -> Taken:
    try:
        event = parse_event(text)
    except (ValueError, TypeError):  # somebody was at it: what is left of it is told, `audit verify` says where
        event = AuditEvent("", "unreadable", "failure", "", "", "", place(source, position))
    named = chain or sha256(f"{source} {position}".encode()).digest()
    return Taken(event.at, source, position, after, named, event)


def _merged(tails: Sequence[list[Taken]], limit: int) -> list[Taken]:
    """In the order of times, as far as no event that was not read may come before."""
    cut_off = [max(each.at for each in tail) for tail in tails if len(tail) == limit]
    merged = heapq.merge(*tails, key=lambda each: each.at)
    return list(takewhile(lambda each: not cut_off or each.at <= min(cut_off), merged))


def _number(connection: sqlite3.Connection, taken: Sequence[Taken], states: Mapping[str, ChainState]) -> None:
    if read_states(connection) != dict(states):
        return  # another keeper was faster
    ids: dict[str, int] = {}
    last: dict[str, tuple[int, Taken]] = {}
    for each in taken:
        source = ids.get(each.source) or ids.setdefault(each.source, _source(connection, each.source))
        number = inserted(connection.execute(sql.ADD_ENTRY, (each.at, source, each.position)))
        for patient in dict.fromkeys(map(patient_key, each.event.patient_ids)):
            connection.execute(sql.ADD_PATIENT, (patient, number))
        last[each.source] = (last[each.source][0] + 1 if each.source in last else 1, each)
    for name, (count, each) in last.items():
        connection.execute(sql.ADVANCE, (each.after, count, each.chain, each.at, ids[name]))


def _source(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute(sql.SOURCE_ID, (name,)).fetchone()
    return int(row[0]) if row else inserted(connection.execute(sql.ADD_SOURCE, (name, seed(name))))
