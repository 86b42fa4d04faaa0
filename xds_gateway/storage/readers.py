"""Reading connections of one process: each serves one thread at a time, the last one returned is used first."""

import sqlite3
from contextlib import suppress
from types import TracebackType
from typing import Final

from .database import connect, translate


class Readers:
    """A pool that grows with the threads that read at once."""

    def __init__(self, url: str, *, wait_seconds: float) -> None:
        self._url: Final = url
        self._wait_seconds: Final = wait_seconds
        self._idle: Final[list[sqlite3.Connection]] = []

    def snapshot(self) -> "_Snapshot":
        """A connection whose statements all see the same committed state; the driver's failures in our words."""
        return _Snapshot(self)

    def one_statement(self) -> "_Loan":
        """A connection for one statement, which is a snapshot of its own; the driver's failures in our words."""
        return _Loan(self)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def take(self) -> sqlite3.Connection:
        """A connection for one thread."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def give_back(self, connection: sqlite3.Connection) -> None:
        """The connection is free for the next; one that cannot leave its transaction is closed."""
        if connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._url, wait_seconds=self._wait_seconds)
        connection.execute("PRAGMA query_only = ON")
        return connection


class _Loan:
    """A connection for a block. A class: every read has one, and a generator costs three times as much."""

    __slots__ = ("_connection", "_readers")

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._connection = readers.take()

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
        if isinstance(raised, sqlite3.Error):
            raise translate(raised) from raised

    def _end(self) -> None:
        self._readers.give_back(self._connection)


class _Snapshot(_Loan):
    """A read transaction as a block."""

    __slots__ = ()

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._connection.execute("BEGIN")
        except sqlite3.Error as failure:
            self._end()
            raise translate(failure) from failure
        return self._connection

    def _end(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")  # there is nothing to commit
        super()._end()
