"""What is written of the audit beside its events: anchors, what retention removed, how far repositories are."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..actors.audit_ports import AuditEntry, SetAside, TargetReport, TargetState
from ..codec.anchors import anchor_digest, render_anchor
from ..model.anchors import Anchor, ChainState
from . import audit_statements as sql
from .audit_log import SqlAuditLog, load, patient_key
from .chains import TABLE
from .locks import try_lock
from .segments import segment_files
from .writer import Writer

Sign = Callable[[bytes], bytes]
_AT_ONCE: Final = 500  # entries that one transaction removes


class SqlAuditBook:
    """`AuditBook` of the one process that keeps the audit."""

    def __init__(self, log: SqlAuditLog, writer: Writer, journal: Path) -> None:
        self._log: Final = log
        self._writer: Final = writer
        self._journal: Final = journal

    def take_up(self, limit: int) -> int:
        """Give durable events their numbers; how many were taken."""
        return self._log.take_up(self._writer, limit)

    def anchor(self, at: str, sign: Sign | None) -> str | None:
        """Tie what is taken up since the last anchor; the new one's digest, None when nothing is new."""

        def work(connection: sqlite3.Connection) -> str | None:
            grown = _grown(connection)
            return _add_anchor(connection, at, grown, {}, sign) if grown else None

        return self._writer.write(work)

    # -- retention

    def cut(self, before: str, at: str, sent: int | None, sign: Sign | None) -> int:
        """Remove what anchors before a DTM cover and is sent up to an entry; how many events went.

        A new anchor tells what goes before anything is gone, so that whatever is interrupted is finished next time.
        """
        last = self._writer.write(lambda connection: _cut_at(connection, before, sent))
        if last is None:
            return 0
        gone = self._writer.write(lambda connection: self._announce(connection, last, at, sign))
        return sum(self._remove(name, state) for name, state in gone.items())

    def _announce(self, connection: sqlite3.Connection, last: int, at: str, sign: Sign | None) -> dict[str, ChainState]:
        gone = {
            name: ChainState(position, events, chain)
            for _, name, position, events, chain in connection.execute(sql.OLD_SOURCES, (TABLE, last)).fetchall()
            if _is_finished(self._journal / name, position)
        }
        row = connection.execute(sql.OLD_ROW, (TABLE, last)).fetchone()[0]
        if row is not None:
            chain = connection.execute(sql.ROW, (row,)).fetchone()[1]
            gone[TABLE] = ChainState(row, connection.execute(sql.COUNT_ROWS, (row, TABLE)).fetchone()[0], chain)
        if gone:
            _add_anchor(connection, at, _grown(connection), gone, sign)
        return gone

    def _remove(self, name: str, state: ChainState) -> int:
        """Take a source out of the index, then remove it: what is interrupted is found by its entries."""
        removed = 0
        while count := self._writer.write(lambda connection: self._remove_some(connection, name, state.position)):
            removed += count
        if name != TABLE:
            (self._journal / name).unlink(missing_ok=True)
            self._writer.write(lambda connection: _drop_source(connection, name))
        return removed

    def _remove_some(self, connection: sqlite3.Connection, name: str, position: int) -> int:
        (source,) = connection.execute(sql.SOURCE_ID, (name,)).fetchone()
        rows = connection.execute(sql.ENTRIES_OF, (source, position, _AT_ONCE)).fetchall()
        with segment_files(self._journal) as files:
            for number, where in rows:
                entry = load(connection, files, number, "", name, where)
                for patient in map(patient_key, entry.event.patient_ids):
                    connection.execute(sql.DROP_PATIENT, (patient, number))
                connection.execute(sql.DROP_REFUSED, (number,))
                connection.execute(sql.DROP_ENTRY, (number,))
                if name == TABLE:
                    connection.execute(sql.DROP_ROW, (where,))
        return len(rows)


def _cut_at(connection: sqlite3.Connection, before: str, sent: int | None) -> int | None:
    most = connection.execute(sql.LAST_ENTRY).fetchone()[0] if sent is None else sent
    found: int | None = connection.execute(sql.ANCHOR_BEFORE, (before, most)).fetchone()[0]
    return found


def _is_finished(path: Path, position: int) -> bool:
    """Whether nobody writes a segment any more, and all of it is taken up."""
    with suppress(FileNotFoundError), path.open("rb") as segment:
        segment.seek(position)
        return segment.peek(1)[:1] in (b"", b"\0") and try_lock(segment.fileno())
    return True


def _drop_source(connection: sqlite3.Connection, name: str) -> None:
    row = connection.execute(sql.SOURCE_ID, (name,)).fetchone()
    if row is not None:
        connection.execute(sql.DROP_SOURCE, row)


def _grown(connection: sqlite3.Connection) -> dict[str, ChainState]:
    """The chains that grew since the last anchor."""
    last = connection.execute(sql.LAST_ANCHOR).fetchone()
    rows = connection.execute(sql.GROWN, (last[1] if last else 0,)).fetchall()
    return {name: ChainState(position, events, chain) for name, position, events, chain in rows}


def _add_anchor(
    connection: sqlite3.Connection,
    at: str,
    chains: Mapping[str, ChainState],
    cut: Mapping[str, ChainState],
    sign: Sign | None,
) -> str:
    last = connection.execute(sql.LAST_ANCHOR).fetchone()
    number, previous = (last[0] + 1, anchor_digest(last[2].encode(), last[3])) if last else (1, None)
    entry = connection.execute(sql.LAST_ENTRY).fetchone()[0]
    anchor = Anchor(number, at, max(entry, last[1] if last else 0), previous, chains, cut)
    content = render_anchor(anchor)
    signature = sign(content) if sign else None
    connection.execute(sql.ADD_ANCHOR, (number, anchor.entry, at, content.decode(), signature))
    return anchor_digest(content, signature).hex()


class SqlOutbox:
    """`Outbox` of one audit repository, by its name."""

    def __init__(self, log: SqlAuditLog, writer: Writer, name: str) -> None:
        self._log: Final = log
        self._writer: Final = writer
        self._name: Final = name

    def state(self) -> TargetState:
        """How far it is; a new one begins with the oldest event that is kept."""

        def work(connection: sqlite3.Connection) -> TargetState:
            row = connection.execute(sql.TARGET, (self._name,)).fetchone()
            if row is None:
                connection.execute(sql.ADD_TARGET, (self._name, 0))
                return TargetState(0, None, None)
            return TargetState(*row[1:])

        return self._writer.write(work)

    def after(self, number: int, limit: int) -> Sequence[AuditEntry]:
        """The next events."""
        return self._log.after(number, limit)

    def confirm(self, number: int) -> int:
        """It has all up to this one; up to which one it needs nothing."""

        def work(connection: sqlite3.Connection) -> int:
            return int(connection.execute(sql.CONFIRM, (number, self._name)).fetchone()[0])

        return self._writer.write(work)

    def failing(self, reason: str, at: str) -> None:
        """It takes nothing at present."""
        self._writer.write(lambda connection: connection.execute(sql.FAILING, (reason, at, self._name)) and None)

    def set_aside(self, number: int, reason: str, at: str) -> None:
        """It will never take this one."""
        self._writer.write(
            lambda connection: connection.execute(sql.ADD_REFUSED, (number, at, reason, self._name)) and None
        )


def empty_outbox(cursor: sqlite3.Cursor, name: str) -> int:
    """Let a repository need nothing of what is numbered now; how many events that was, with those set aside."""
    (last,) = cursor.execute(sql.LAST_ENTRY).fetchone()
    row = cursor.execute(sql.TARGET, (name,)).fetchone()
    if row is None:
        cursor.execute(sql.ADD_TARGET, (name, 0))
    (waiting,) = cursor.execute(sql.COUNT_AFTER, (row[1] if row else 0,)).fetchone()
    cursor.execute(sql.CONFIRM, (last, name)).fetchone()
    return int(waiting) + cursor.execute(sql.DROP_REFUSED_BY, (name,)).rowcount


def read_target(connection: sqlite3.Connection, name: str, most: int) -> TargetReport:
    """How far a repository is; one that nothing was ever sent to has nothing."""
    row = connection.execute(sql.TARGET, (name,)).fetchone() or (None, 0, None, None)
    waiting = connection.execute(sql.COUNT_AFTER, (row[1],)).fetchone()[0]
    aside = [SetAside(*each) for each in connection.execute(sql.REFUSED, (name, 0, most)).fetchall()]
    return TargetReport(name, row[1], waiting, row[2], row[3], tuple(aside))
