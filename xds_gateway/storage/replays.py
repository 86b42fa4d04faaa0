"""Assertions for one use that were used: remembered by a digest until they expire, shared by all processes.

A row is forgotten when its assertion has expired by the clock of the latest use. The latest expiry that was forgotten
stays: what expires before it could be one of those, and counts as such even when the clock goes back.
"""

import sqlite3
from datetime import datetime
from hashlib import sha256
from typing import Final

from ..actors.ports import ReplayVerdict
from ..model.errors import StorageFull
from .writer import Writer

_AT_ONCE: Final = 200  # rows that one use forgets at most
_READ: Final = "SELECT forgotten, held FROM replay_memory"
_FORGET: Final = (
    "DELETE FROM used_assertion WHERE digest IN "
    "(SELECT digest FROM used_assertion WHERE until < ? ORDER BY until LIMIT ?) RETURNING until"
)
_ADD: Final = "INSERT INTO used_assertion (digest, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
_WRITE: Final = "UPDATE replay_memory SET forgotten = ?, held = ?"


class SqlReplayMemory:
    """`ReplayMemory` over one database, for all its domains; it holds at most `capacity` assertions."""

    def __init__(self, writer: Writer, *, capacity: int) -> None:
        self._writer: Final = writer
        self._capacity: Final = capacity

    def use(self, issuer: str, assertion_id: str, *, until: datetime, now: datetime) -> ReplayVerdict:
        """Remember a use, durably, unless it is not the first. Raises StorageFull, StorageBusy."""
        digest = _digest(issuer, assertion_id)
        end, time = int(until.timestamp()) + 1, int(now.timestamp())

        def work(connection: sqlite3.Connection) -> ReplayVerdict:
            return self._use(connection.cursor(), digest, end, time)

        return self._writer.write(work)

    def _use(self, cursor: sqlite3.Cursor, digest: bytes, end: int, time: int) -> ReplayVerdict:
        forgotten, held = cursor.execute(_READ).fetchone()
        gone = [until for (until,) in cursor.execute(_FORGET, (time, _AT_ONCE)).fetchall()]
        forgotten, held = max([forgotten, *gone]), held - len(gone)
        added = end > forgotten and cursor.execute(_ADD, (digest, end)).rowcount == 1
        if added and held >= self._capacity:
            raise StorageFull("the memory of assertions for one use is full")
        cursor.execute(_WRITE, (forgotten, held + added))
        if added:
            return "first"
        return "forgotten" if end <= forgotten else "again"


def _digest(issuer: str, assertion_id: str) -> bytes:
    """What stands for an assertion: the lengths keep two pairs apart that run together to the same text."""
    name, identifier = issuer.encode(), assertion_id.encode()
    return sha256(b"%d:%s:%s" % (len(name), name, identifier)).digest()
