"""Databases: where they are, how they are opened, which schema they have, and what their failures mean."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ..model.errors import GatewayError, StorageBusy, StorageFaulty, StorageFull
from .migrations import HEAD, REVISIONS

# Pages in the WAL after which a commit checkpoints by itself; checkpoints.py normally comes before.
_BACKSTOP_PAGES: Final = 40_000
_PRAGMAS: Final = (
    ("journal_mode", "wal", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("wal_autocheckpoint", _BACKSTOP_PAGES, _BACKSTOP_PAGES),
)


class DatabaseUnusable(GatewayError):
    """The database cannot be used as configured; the text is one sentence that says what to do."""


class SchemaNewer(DatabaseUnusable):
    """The database was made by a newer release."""


class SchemaMissing(DatabaseUnusable):
    """The database has no schema yet, or one of an older release: migrate it first."""


class StorageConflict(GatewayError):
    """Rows contradict what a plan has checked: a constraint refused them and nothing was changed."""


class StorageFailure(GatewayError):
    """The database failed in a way that is neither lack of room nor lack of time."""


def sqlite_path(url: str) -> Path:
    """The file of a URL `sqlite:///relative` or `sqlite:////absolute`. Raises DatabaseUnusable for another URL."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or len(url) == len(prefix) or "?" in url:
        raise DatabaseUnusable("The database URL must be sqlite:/// followed by the path of a file.")
    return Path(unquote(url.removeprefix(prefix)))


def connect(url: str, *, wait_seconds: float) -> sqlite3.Connection:
    """Open one connection, set for durable commits and checked to be so. Raises DatabaseUnusable, StorageBusy."""
    path = sqlite_path(url)
    with translated():
        connection = sqlite3.connect(
            path, timeout=wait_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            _set(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _set(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA cache_size = -16384")  # KiB per connection
    connection.execute("PRAGMA case_sensitive_like = ON")  # as LIKE of SQL-92 and PostgreSQL
    for name, value, expected in _PRAGMAS:
        connection.execute(f"PRAGMA {name} = {value}")
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != expected:
            raise DatabaseUnusable(f"The database {path} does not take {name}={value}; put it on a local disk.")


def migrate(url: str) -> None:
    """Bring the schema to this release, once, before any process opens the database.

    Raises SchemaNewer, DatabaseUnusable. Alembic is imported only when there is something to do.
    """
    path = sqlite_path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise DatabaseUnusable(f"The folder {path.parent} cannot be made: {failure.strerror}.") from failure
    connection = connect(url, wait_seconds=30)
    try:
        revision = _revision(connection)
        _refuse_newer(revision, path)
        if revision != HEAD:
            from .migrations.upgrade import upgrade

            with translated():
                upgrade(connection)
    finally:
        connection.close()


def check_schema(url: str) -> None:
    """Raise SchemaNewer or SchemaMissing unless the schema is the one of this release."""
    path = sqlite_path(url)
    if not path.exists():
        raise SchemaMissing(f"The database {path} does not exist; start the gateway once to create it.")
    connection = connect(url, wait_seconds=30)
    try:
        revision = _revision(connection)
    finally:
        connection.close()
    _refuse_newer(revision, path)
    if revision != HEAD:
        raise SchemaMissing(f"The database {path} has the schema of an older release; start the gateway to migrate it.")


def _revision(connection: sqlite3.Connection) -> str | None:
    with translated():
        table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if table else None
    return row[0] if row else None


def _refuse_newer(revision: str | None, path: Path) -> None:
    if revision is not None and revision not in REVISIONS:
        raise SchemaNewer(f"The database {path} was made by a newer release (schema {revision}); install that release.")


# --- failures -----------------------------------------------------------------------------------------------------

# Primary result codes of SQLite (https://www.sqlite.org/rescode.html)
_MEANINGS: Final[dict[int, Callable[[str], GatewayError]]] = {
    sqlite3.SQLITE_BUSY: lambda text: StorageBusy(f"database: {text}"),
    sqlite3.SQLITE_LOCKED: lambda text: StorageBusy(f"database: {text}"),
    sqlite3.SQLITE_FULL: lambda text: StorageFull(f"database: {text}"),
    sqlite3.SQLITE_IOERR: lambda text: StorageFaulty(f"database: {text}"),
    sqlite3.SQLITE_CONSTRAINT: lambda text: StorageConflict(f"database: {text}"),
    sqlite3.SQLITE_NOTADB: lambda text: DatabaseUnusable("The database file is not an SQLite database."),
    sqlite3.SQLITE_CANTOPEN: lambda text: DatabaseUnusable("The database file cannot be opened; check its folder."),
    sqlite3.SQLITE_READONLY: lambda text: DatabaseUnusable("The database file cannot be written; check its owner."),
}


def translate(failure: sqlite3.Error) -> GatewayError:
    """A failure of the driver in our words."""
    code = getattr(failure, "sqlite_errorcode", None)
    meaning = _MEANINGS.get(code & 0xFF) if isinstance(code, int) else None
    return meaning(str(failure)) if meaning else StorageFailure(f"database: {failure}")


def inserted(cursor: sqlite3.Cursor) -> int:
    """The integer of the row that a cursor has just inserted."""
    return int(cursor.lastrowid or 0)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's failures of the block in our words."""
    try:
        yield
    except sqlite3.Error as failure:
        raise translate(failure) from failure
