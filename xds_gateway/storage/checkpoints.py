"""Moving committed pages from the WAL into the database, beside the writers and not in their way.

A checkpoint beside running writers copies nearly all; the last pages are copied under the writers' lock, which is
short, and lets the next commit begin the WAL anew. So the WAL stays bounded under load.
"""

import sqlite3
from contextlib import suppress
from threading import Event, Thread
from typing import Final

from ..model.errors import GatewayError
from .database import connect, sqlite_path
from .locks import FairFileLock

# About 30 pages of 4 KiB each: a WAL of some 60 MB.
_COMMITS: Final = 500


class Checkpoints:
    """A thread that checkpoints after so many works of this process; it starts with the first checkpoint."""

    def __init__(self, url: str, *, wait_seconds: float) -> None:
        self._url: Final = url
        self._wait_seconds: Final = wait_seconds
        self._due: Final = Event()
        self._thread: Thread | None = None
        self._works = 0
        self._closing = False

    def committed(self, works: int) -> None:
        """Count works; called by the writer after its commit, by one thread at a time."""
        self._works += works
        if self._works < _COMMITS:
            return
        self._works = 0
        self._due.set()
        if self._thread is None:
            self._thread = Thread(target=self._serve, name="checkpoint", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            # A failure loses nothing: the WAL keeps the pages, and the next turn or the next opening copies them.
            with suppress(GatewayError, sqlite3.Error, OSError):
                checkpoint(self._url, wait_seconds=self._wait_seconds)


def checkpoint(url: str, *, wait_seconds: float) -> None:
    """Copy the WAL into the database: first beside the writers, then the rest under their lock."""
    connection = connect(url, wait_seconds=wait_seconds)
    lock = FairFileLock(sqlite_path(url), wait_seconds=wait_seconds)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        lock.acquire()
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            lock.release()
    finally:
        lock.close()
        connection.close()
