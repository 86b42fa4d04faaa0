"""The one writer of a database: group commit in the process, a fair lock between processes (stack: SQLite, WAL)."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..model.errors import GatewayError, StorageFull
from ..waiting import syncing
from .checkpoints import Checkpoints
from .database import connect, sqlite_path, translate, translated
from .groups import GroupCommit, Turn
from .locks import FairFileLock

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]


class Writer:
    """Runs works one after the other, each all or nothing, and answers when their common commit is on disk.

    A work that raises is undone alone. A commit that fails fails every work of its group, and nobody tries it again.
    """

    def __init__(self, url: str, *, wait_seconds: float) -> None:
        self._step: Final = _Step(url, wait_seconds)
        self._group: Final[GroupCommit[Work]] = GroupCommit(self._step, wait_seconds=wait_seconds)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the writing connection. Raises what it raises, StorageBusy, StorageFull, StorageFailure."""
        result: T = self._group.submit(work)
        return result

    def close(self) -> None:
        """Close the connection; no write may be running."""
        self._step.close()


class _Step:
    """One group: lock, BEGIN, works, COMMIT, unlock."""

    def __init__(self, url: str, wait_seconds: float) -> None:
        self._url: Final = url
        self._wait_seconds: Final = wait_seconds
        self._lock: Final = FairFileLock(sqlite_path(url), wait_seconds=wait_seconds)
        self._checkpoints: Final = Checkpoints(url, wait_seconds=wait_seconds)
        self._connection: sqlite3.Connection | None = connect(url, wait_seconds=wait_seconds)

    def begin(self) -> None:
        self._lock.acquire()
        try:
            with translated():
                self._opened().execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise

    def run(self, turns: list[Turn[Work]]) -> None:
        connection = self._opened()
        failure: GatewayError | None = None
        try:
            _run_all(connection, turns)
            failure = _commit(connection, turns)
        except sqlite3.Error as raised:
            failure = translate(raised)
        finally:
            if failure is not None or connection.in_transaction:
                self._forget(connection)
            self._lock.release()
        if failure is not None:
            _take_back(turns, failure)
        self._checkpoints.committed(len(turns))

    def close(self) -> None:
        self._checkpoints.close()
        if self._connection is not None:
            self._connection.close()
        self._lock.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._url, wait_seconds=self._wait_seconds)
        return self._connection

    def _forget(self, connection: sqlite3.Connection) -> None:
        """Close a connection whose disk has failed: what is open in it is undone, what it believes is gone."""
        self._connection = None
        connection.close()


def _run_all(connection: sqlite3.Connection, turns: list[Turn[Work]]) -> None:
    """Run works until the database takes the transaction back, which it does when it has no room."""
    if len(turns) == 1:  # one work needs no savepoint: the transaction is its own
        _run(connection, turns[0])
        if turns[0].failure is not None and connection.in_transaction:
            connection.execute("ROLLBACK")
        return
    for turn in turns:
        connection.execute("SAVEPOINT work")
        _run(connection, turn)
        if not connection.in_transaction:
            return
        if turn.failure is not None:
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")


def _run(connection: sqlite3.Connection, turn: Turn[Work]) -> None:
    try:
        turn.succeed(turn.work(connection))
    except sqlite3.Error as failure:
        turn.fail(translate(failure))
    except BaseException as failure:  # noqa: BLE001  it is raised again, in the thread of its caller
        turn.fail(failure)


def _commit(connection: sqlite3.Connection, turns: list[Turn[Work]]) -> GatewayError | None:
    """Commit; what kept the works that went well from becoming durable, if anything did."""
    if not connection.in_transaction:
        undone = any(turn.failure is None for turn in turns)
        return StorageFull("the database took the transaction back") if undone else None
    try:
        syncing(connection.execute, "COMMIT")
    except sqlite3.Error as failure:
        return translate(failure)
    return None


def _take_back(turns: list[Turn[Work]], failure: GatewayError) -> None:
    """Fail the works that went well, each with an exception of its own."""
    for turn in turns:
        if turn.failure is None:
            turn.fail(type(failure)(*failure.args))
