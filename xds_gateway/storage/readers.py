"""Reading connections of one process: each serves one thread at a time, the last one returned is used first."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from .database import connect, translated


class Readers:
    """A pool that grows with the threads that read at once."""

    def __init__(self, url: str, *, wait_seconds: float) -> None:
        self._url: Final = url
        self._wait_seconds: Final = wait_seconds
        self._idle: Final[list[sqlite3.Connection]] = []

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements all see the same committed state."""
        connection = self._take()
        try:
            with translated():
                connection.execute("BEGIN")
            yield connection
        finally:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")  # there is nothing to commit
            self._give_back(connection)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._url, wait_seconds=self._wait_seconds)
        connection.execute("PRAGMA query_only = ON")
        return connection
