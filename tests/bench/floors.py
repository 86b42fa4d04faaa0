"""The physical floor of each transaction: only the native parts that cannot be left out, called by hand.

parse (libxml2), hash and check (OpenSSL), fsync (kernel), insert (SQLite), file read; a read also its look-up, its
decompression and its line of the journal. What a write looks up and compresses is counted as ours: it is a choice.
Statements and their values are those that the gateway executed, replayed on a database of their own.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lxml import etree

from xds_gateway.storage import readers, writer
from xds_gateway.storage.database import connect, migrate
from xds_gateway.storage.fragments import unpack

from .messages import Message

Statement = tuple[str, Sequence[Any]]


class Recorder:
    """Remembers what the gateway executes, by connection kind."""

    def __init__(self) -> None:
        self.written: list[Statement] = []
        self.read: list[Statement] = []

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
                told.append((statement, tuple(values)))
                return super().execute(statement, values)

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
    """Inserts and updates of each committed transaction."""
    found: list[list[Statement]] = []
    current: list[Statement] = []
    for statement, values in statements:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word in ("INSERT", "UPDATE"):
            current.append((statement, values))
        elif word == "COMMIT":
            found.append(current)
            current = []
        elif word in ("BEGIN", "ROLLBACK"):
            current = []
    return found


def parse(root: bytes) -> None:
    """What libxml2 alone costs."""
    etree.fromstring(root, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


class WriteFloor:
    """ITI-42: parse, insert, commit; ITI-41 also: hash, write, fsync, rename, fsync the folder."""

    def __init__(self, folder: Path, written: list[list[Statement]]) -> None:
        folder.mkdir()
        url = f"sqlite:///{folder / 'floor.sqlite3'}"
        migrate(url)
        self._connection = connect(url, wait_seconds=10)
        self._folder = folder
        self._written = iter(written)

    def skip(self, count: int) -> None:
        """Bring the database to where the gateway's was, outside of the measure."""
        for _ in range(count):
            self._insert(next(self._written))

    def once(self, message: Message, document: bytes | None) -> None:
        """The unavoidable work of one submission."""
        parse(message.root)
        if document is not None:
            self._keep(document)
        self._insert(next(self._written))

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

    def __init__(self, url: str, folder: Path, lookups: Sequence[Statement]) -> None:
        folder.mkdir()
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

    def retrieve(self, message: Message, stored: Path) -> None:
        """The unavoidable work of one retrieve."""
        parse(message.root)
        for statement, values in self._lookups:
            self._connection.execute(statement, values).fetchall()
        document = stored.read_bytes()
        hashlib.sha256(document).digest()
        b"".join((message.root, document))
        self._record()

    def _record(self) -> None:
        self._size += os.pwrite(self._journal, b"x" * 400 + b"\n", self._size)
        os.fdatasync(self._journal)


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
