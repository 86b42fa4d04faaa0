"""The audit held against its chains and anchors: what was changed, removed, put in or moved, and where.

What nobody can tell from here: events after the last turn of the keeper that were cut off at the end of a chain, and
anchors cut off at the end together with all that they cover. Digests of anchors are in the log, and events at the audit
repositories, for that.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ..codec.anchors import anchor_digest
from ..model.anchors import Anchor, ChainState
from ..model.errors import GatewayError
from . import audit_statements as sql
from .audit_log import place, read_states
from .chains import TABLE, follow, seed
from .readers import Readers
from .segments import read_lines, segments

_AT_ONCE: Final = 1000
_INDEX: Final = "the index"
_BROKEN: Final = "It does not follow from the event before it: it was changed, or others were put in or removed."
VerifyAnchor = Callable[[bytes, bytes | None], Anchor]  # raises a GatewayError whose text says why not


class Problem(NamedTuple):
    """One thing that is not as it was written."""

    place: str
    sentence: str


class Checkpoint(NamedTuple):
    """A state that a chain must go through, and who says so."""

    state: ChainState
    said_by: str


class AuditVerification:
    """One run; the counts are right when `problems` is exhausted."""

    def __init__(self, readers: Readers, journal: Path, verify: VerifyAnchor) -> None:
        self._readers: Final = readers
        self._journal: Final = journal
        self._verify: Final = verify
        self._checkpoints: dict[str, list[Checkpoint]] = {}
        self._cut: dict[str, ChainState] = {}
        self.anchors = 0
        self.last_anchor: str | None = None
        self.anchored = 0
        self.events = 0

    def problems(self) -> Iterator[Problem]:
        """Each problem, anchors first, then the table, then segment by segment."""
        yield from self._read_anchors()
        with self._readers.snapshot() as connection:
            for name, state in read_states(connection).items():
                self._checkpoints.setdefault(name, []).insert(0, Checkpoint(state, _INDEX))
        yield from self._table()
        left = {name for name in self._checkpoints if name != TABLE}
        for path in segments(self._journal):
            left.discard(path.name)
            yield from self._segment(path)
        yield from self._missing(sorted(left))

    # -- anchors

    def _read_anchors(self) -> Iterator[Problem]:
        last, previous = 0, None
        while rows := self._page(sql.ANCHORS, last):
            for number, text, signature in rows:
                yield from self._anchor(number, text.encode(), signature, last, previous)
                last, previous = number, anchor_digest(text.encode(), signature)

    def _anchor(
        self, number: int, content: bytes, signature: bytes | None, last: int, previous: bytes | None
    ) -> Iterator[Problem]:
        where = f"anchor {number}"
        try:
            anchor = self._verify(content, signature)
        except GatewayError as refused:
            yield Problem(where, f"{refused}.")
            return
        if anchor.number != number or number != last + 1 or anchor.previous != previous:
            yield Problem(where, "It does not follow from the one before it: anchors were removed, put in or moved.")
        self.anchors, self.last_anchor = self.anchors + 1, anchor.at
        for name, state in anchor.chains.items():
            self._checkpoints.setdefault(name, []).append(Checkpoint(state, f"{where} of {anchor.at}"))
        for name, state in anchor.cut.items():
            self._cut[name] = state
            if name != TABLE:
                self._checkpoints.pop(name, None)

    # -- chains

    def _table(self) -> Iterator[Problem]:
        start = self._cut.get(TABLE) or ChainState(0, 0, seed(TABLE))
        run = _Run(TABLE, start, self._checkpoints.get(TABLE, []))
        last = start.position
        while rows := self._page(sql.ROWS, last):
            for last, event, told in rows:
                computed = follow(run.state.chain, event.encode())
                yield from run.step(last, last, told or computed, intact=told == computed)
        yield from run.end()
        self._count(run)

    def _segment(self, path: Path) -> Iterator[Problem]:
        run = _Run(path.name, ChainState(0, 0, seed(path.name)), self._checkpoints.get(path.name, []))
        try:
            with path.open("rb") as segment:
                plain = True
                for line in read_lines(segment, 0, run.state.chain):
                    plain = plain and not line.chained  # a segment of an older release has no digests at all
                    yield from run.step(line.start, line.end, line.chain, intact=line.intact and line.chained != plain)
        except FileNotFoundError:
            yield from self._missing([path.name])
            return
        if path.name not in self._cut or run.state.events:
            yield from run.end()
        self._count(run)

    def _count(self, run: "_Run") -> None:
        self.events += run.state.events - run.start.events
        self.anchored += max(0, run.anchored - run.start.events)

    def _missing(self, names: list[str]) -> Iterator[Problem]:
        """Segments that are not there; retention may have removed them since the anchors were read."""
        if names:
            again = AuditVerification(self._readers, self._journal, self._verify)
            list(again._read_anchors())
            self._cut = again._cut
        for name in names:
            if name not in self._cut:
                yield Problem(name, "The whole segment is missing.")

    def _page(self, statement: str, last: int) -> list[tuple[int, str, bytes | None]]:
        with self._readers.snapshot() as connection:
            return _rows(connection, statement, last)


def _rows(connection: sqlite3.Connection, statement: str, last: int) -> list[tuple[int, str, bytes | None]]:
    return connection.execute(statement, (last, _AT_ONCE)).fetchall()


class _Run:
    """One chain walked from its start; after a break it goes on from what stands there, so that each is told once."""

    def __init__(self, name: str, start: ChainState, checkpoints: list[Checkpoint]) -> None:
        self.start: Final = start
        self.state = start
        self.anchored = 0
        self._name: Final = name
        self._ahead: Final = {each.state.chain: each for each in checkpoints if each.state.position > start.position}

    def step(self, start: int, end: int, chain: bytes, *, intact: bool) -> Iterator[Problem]:
        """One event."""
        if not intact:
            yield Problem(place(self._name, start), _BROKEN)
        self.state = ChainState(end, self.state.events + 1, chain)
        passed = self._ahead.pop(chain, None)
        if passed is not None and passed.said_by != _INDEX:
            self.anchored = self.state.events

    def end(self) -> Iterator[Problem]:
        """The checkpoints that it did not go through: the first one, and how much is missing at the end."""
        missed = sorted(self._ahead.values(), key=lambda each: each.state.position)
        beyond = [each for each in missed if each.state.position > self.state.position]
        if len(missed) > len(beyond):
            state, said_by = missed[0]
            yield Problem(place(self._name, state.position), f"Up to here it is not what {said_by} has tied.")
        if beyond:
            state, said_by = beyond[-1]
            lost = state.events - self.state.events
            yield Problem(
                place(self._name, self.state.position),
                f"The end is missing, {lost} event{'s' if lost != 1 else ''}: {said_by} goes further.",
            )
