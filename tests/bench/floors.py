"""The physical floor of each transaction: only the native parts that cannot be left out, called by hand.

parse (libxml2), hash and check (OpenSSL), fsync (kernel), insert (SQLite), file read; a read also its look-up, its
decompression and its line of the journal. What a write looks up and compresses is counted as ours: it is a choice.
Statements and their values are those that the gateway executed, replayed on a database of their own.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from xds_gateway.storage import readers, writer
from xds_gateway.storage.database import connect, migrate
from xds_gateway.storage.fragments import unpack
from xds_gateway.storage.keys import uuid_urn

from .messages import Message

Statement = tuple[str, Sequence[Any]]
_KEY_BYTES = 16  # of a UUID: the second column of an object's row
_OBJECT_ID = re.compile(rb'<rim:(?:ExtrinsicObject|RegistryPackage|Association)\b[^>]*?\sid="([^"]+)"')


class Lookup(NamedTuple):
    """A look-up of a query; `answered` are those of its rows that are objects of the answer, `column` their fragment's.

    Other rows lead to these, or came twice.
    """

    statement: str
    values: Sequence[Any]
    column: int
    answered: tuple[int, ...]


class Recorder:
    """Remembers what the gateway executes, by connection kind."""

    def __init__(self) -> None:
        self.written: list[Statement] = []
        self.read: list[Statement] = []

    def take(self) -> list[list[Statement]]:
        """The transactions written since this was last asked."""
        taken = transactions(self.written)
        self.written.clear()
        return taken

    @contextmanager
    def recording(self) -> Iterator["Recorder"]:
        """While this lasts, connections that storage opens tell what they execute."""
        plain = connect
        writer.connect = self._connector(self.written)  # type: ignore[attr-defined]
        readers.connect = self._connector(self.read)  # type: ignore[attr-defined]
        try:
            yield self
        finally:
            writer.connect = plain  # type: ignore[attr-defined]
            readers.connect = plain  # type: ignore[attr-defined]

    @staticmethod
    def _connector(told: list[Statement]) -> Callable[..., sqlite3.Connection]:
        class Cursor(sqlite3.Cursor):
            def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
                done = super().execute(statement, values)
                told.append((statement, tuple(values)))  # not what a constraint refused: it can be left out
                return done

            def executemany(self, statement: str, values: Any) -> sqlite3.Cursor:
                for row in values:
                    self.execute(statement, row)
                return self

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
                return self.cursor().execute(statement, values)  # type: ignore[no-any-return]

        original = sqlite3.connect

        def recording_connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
            sqlite3.connect = lambda *a, **n: original(*a, **(n | {"factory": Connection}))  # type: ignore[assignment]
            try:
                return connect(*arguments, **named)
            finally:
                sqlite3.connect = original

        return recording_connect


def transactions(statements: Sequence[Statement]) -> list[list[Statement]]:
    """Inserts, updates and deletes of each committed transaction."""
    found: list[list[Statement]] = []
    current: list[Statement] = []
    for statement, values in statements:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word in ("INSERT", "UPDATE", "DELETE"):
            current.append((statement, values))
        elif word == "COMMIT":
            found.append(current)
            current = []
        elif word in ("BEGIN", "ROLLBACK"):
            current = []
    return found


def selects(statements: Sequence[Statement]) -> list[Statement]:
    """The look-ups among what a request asked of SQLite."""
    return [(s, v) for s, v in statements if s.lstrip().upper().startswith(("SELECT", "WITH"))]


def lookups_of(statements: Sequence[Statement], url: str, answer: bytes) -> list[Lookup]:
    """The look-ups of a query, and which of their rows are in its answer; an object is in one of them only."""
    connection = connect(url, wait_seconds=10)
    missing = set(_OBJECT_ID.findall(answer))
    lookups = []
    for statement, values in selects(statements):
        rows = connection.execute(statement, values).fetchall()
        column, places = 0, []
        for place, row in enumerate(rows):
            if (urn := _urn(row)) in missing:
                missing.remove(urn)
                column = max(c for c, value in enumerate(row) if isinstance(value, bytes))
                places.append(place)
        lookups.append(Lookup(statement, values, column, tuple(places)))
    connection.close()
    if missing:
        raise RuntimeError(f"no look-up has {len(missing)} objects of the answer")
    return lookups


def _urn(row: Sequence[Any]) -> bytes:
    """The id of the object that a row has, if it has one."""
    key = row[1] if len(row) > 1 else None
    return uuid_urn(key).encode() if isinstance(key, bytes) and len(key) == _KEY_BYTES else b""


def parse(root: bytes) -> None:
    """What libxml2 alone costs."""
    etree.fromstring(root, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


class WriteFloor:
    """ITI-42: parse, insert, commit; ITI-41 also: hash, write, fsync, rename, fsync the folder.

    ITI-57, 61, 62, 92: parse, the inserts, updates and deletes, commit; ITI-86 also: unlink, fsync the folder.
    """

    def __init__(self, folder: Path, written: list[list[Statement]]) -> None:
        folder.mkdir(parents=True)
        url = f"sqlite:///{folder / 'floor.sqlite3'}"
        migrate(url)
        self._connection = connect(url, wait_seconds=10)
        self._folder = folder
        self._written = iter(written)
        self._files: list[Path] = []

    def skip(self, count: int) -> None:
        """Bring the database to where the gateway's was, outside of the measure."""
        for _ in range(count):
            self._insert(next(self._written))

    def provide(self, message: Message, document: bytes) -> None:
        """The unavoidable work of one ITI-41."""
        parse(message.root)
        self._keep(document)
        self._insert(next(self._written))

    def register(self, message: Message) -> None:
        """The unavoidable work of one ITI-42, and of all that changes metadata alone."""
        parse(message.root)
        self._insert(next(self._written))

    def remove(self, message: Message) -> None:
        """The unavoidable work of one ITI-86: note what goes, delete the file, sync its folder, drop the note."""
        parse(message.root)
        self._insert(next(self._written))
        self._files.pop().unlink()
        _fsync(self._folder)
        self._insert(next(self._written))

    def keep_files(self, count: int, content: bytes) -> None:
        """Files that ITI-86 may delete, outside of the measure."""
        for number in range(count):
            kept = self._folder / f"kept-{number}"
            kept.write_bytes(content)
            self._files.append(kept)

    def _insert(self, statements: list[Statement]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for statement, values in statements:
            execute(statement, values).fetchall()
        execute("COMMIT")

    def _keep(self, document: bytes) -> None:
        hashlib.sha1(document, usedforsecurity=False).digest()
        hashlib.sha256(document).digest()
        spool, kept = self._folder / "spool", self._folder / os.urandom(16).hex()
        descriptor = os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(descriptor, document)
        os.fsync(descriptor)
        os.close(descriptor)
        os.rename(spool, kept)
        _fsync(self._folder)


class ReadFloor:
    """ITI-18: parse, look up, decompress, join, journal; ITI-43: parse, look up, read, check, join, journal."""

    def __init__(self, url: str, folder: Path, lookups: Sequence[Statement] = ()) -> None:
        folder.mkdir(parents=True)
        self._connection = connect(url, wait_seconds=10)
        self._journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT)
        os.posix_fallocate(self._journal, 0, 4 << 20)
        os.fsync(self._journal)
        self._size = 0
        self._lookups = lookups

    def query(self, message: Message) -> None:
        """The unavoidable work of one query; the fragment is the last blob of a row."""
        parse(message.root)
        rows = [row for statement, values in self._lookups for row in self._connection.execute(statement, values)]
        blobs = [next(v for v in reversed(row) if isinstance(v, bytes)) for row in rows if len(row) > 5]
        b"".join([unpack(blob) for blob in blobs])
        self._record()

    def answer(self, message: Message, lookups: Sequence[Lookup]) -> None:
        """The unavoidable work of one query of any kind: only fragments that are in its answer are decompressed."""
        parse(message.root)
        execute, pieces = self._connection.execute, []
        for statement, values, column, answered in lookups:
            rows = execute(statement, values).fetchall()
            pieces += [unpack(rows[place][column]) for place in answered]
        b"".join(pieces)
        self._record()

    def retrieve(self, message: Message, stored: Path) -> None:
        """The unavoidable work of one retrieve."""
        parse(message.root)
        for statement, values in self._lookups:
            self._connection.execute(statement, values).fetchall()
        document = stored.read_bytes()
        hashlib.sha256(document).digest()
        b"".join((message.root, document))
        self._record()

    def close(self) -> None:
        """Close database and journal."""
        self._connection.close()
        os.close(self._journal)

    def _record(self) -> None:
        self._size += os.pwrite(self._journal, b"x" * 400 + b"\n", self._size)
        os.fdatasync(self._journal)


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
