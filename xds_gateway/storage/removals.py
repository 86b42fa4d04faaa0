"""Removal inside the write transaction: rows of every table, uniqueIds, and the steps in which documents leave."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from . import removal_statements as sql
from .rows import KINDS
from .statements import CHUNK, padded

_ENTRY: Final = KINDS["DocumentEntry"]
_ASSOCIATION: Final = KINDS["Association"]
_Latest = Callable[[int, bytes | None], int | None]


class Remaining(NamedTuple):
    """The entry that was registered last of those that still have a uniqueId: ids of both."""

    number: int
    unique_id: int


def remove_objects(cursor: sqlite3.Cursor, objects: Sequence[tuple[int, int]], latest: _Latest) -> Sequence[Remaining]:
    """Delete objects given as (id, kind) with all that belongs to them; by which entries uniqueIds are judged now.

    An association that stays and refers to one of them is a constraint's failure: sqlite3.IntegrityError.
    """
    by_kind: dict[int, list[int]] = {}
    for number, kind in dict.fromkeys(objects):
        by_kind.setdefault(kind, []).append(number)
    ends = _removed_associations(cursor, by_kind.pop(_ASSOCIATION, ()))
    unique_ids: set[int] = set()
    logical: dict[tuple[int, bytes], None] = {}
    for kind, numbers in by_kind.items():
        for uuid, lid, was_latest, unique_id, document, repository in _removed(cursor, kind, numbers):
            if document is not None:
                cursor.execute(sql.KEEP_DOCUMENT, (repository, document, unique_id))
            if unique_id is not None:
                unique_ids.add(unique_id)
            if was_latest:
                logical[kind, lid or uuid] = None
    cursor.executemany(sql.REMOVE_UNIQUE_ID, [(number,) for number in sorted(unique_ids)])
    _remove_ids(cursor, [number for number, _ in dict.fromkeys(objects)])
    cursor.executemany(sql.REMOVE_END, [(end,) for end in sorted(ends)])
    _promote(cursor, logical, latest)
    return list(_remaining(cursor, sorted(unique_ids)))


def _removed_associations(cursor: sqlite3.Cursor, numbers: Sequence[int]) -> set[int]:
    ends: set[int] = set()
    for chunk in _chunks(numbers):
        for row in cursor.execute(sql.remove_associations(len(chunk)), chunk).fetchall():
            ends.update(row)
    return ends


def _removed(cursor: sqlite3.Cursor, kind: int, numbers: Sequence[int]) -> Iterator[tuple]:  # type: ignore[type-arg]
    for chunk in _chunks(numbers):
        yield from cursor.execute(sql.remove(kind, len(chunk)), chunk).fetchall()


def _remove_ids(cursor: sqlite3.Cursor, numbers: Sequence[int]) -> None:
    for chunk in _chunks(numbers):
        for table in sql.LISTS:
            cursor.execute(sql.remove_lists(table, len(chunk)), chunk)
        cursor.execute(sql.remove_ids(len(chunk)), chunk)


def _promote(cursor: sqlite3.Cursor, logical: Iterable[tuple[int, bytes]], latest: _Latest) -> None:
    for kind, lid in logical:
        number = latest(kind, lid)
        if number is not None:
            cursor.execute(sql.MAKE_LATEST[kind], (number,))


def _remaining(cursor: sqlite3.Cursor, unique_ids: Iterable[int]) -> Iterator[Remaining]:
    for unique_id in unique_ids:
        for (number,) in cursor.execute(sql.LAST_ENTRY, (unique_id,)).fetchall():
            yield Remaining(number, unique_id)


def _chunks(numbers: Sequence[int]) -> Iterator[list[int | None]]:
    for start in range(0, len(numbers), CHUNK):
        yield padded(numbers[start : start + CHUNK])


def detach(cursor: sqlite3.Cursor, domain: int, repository: int, unique_ids: Iterable[str]) -> Sequence[str]:
    """Take documents from their entries; the keys whose bytes nothing needs any more, noted as removed."""
    asked = [(value, domain, repository) for value in dict.fromkeys(unique_ids)]
    found: dict[int, tuple[str, str]] = {}  # document -> key, uniqueId
    for identity in asked:
        for number, key in held(cursor, identity):
            found[number] = (key, identity[0])
        entries = cursor.execute(sql.ENTRIES_WITH_DOCUMENT, identity).fetchall()
        cursor.executemany(sql.TAKE_FROM_ENTRIES, entries)
        cursor.execute(sql.FORGET_KEPT, identity)
    keys = []
    for number, (key, value) in found.items():
        if cursor.execute(sql.NEEDED, (number, number)).fetchone() is None:
            cursor.execute(sql.NOTE_REMOVED, (domain, repository, value, number, number))
            keys.append(key)
    return keys


def held(cursor: sqlite3.Cursor, identity: tuple[str, int, int]) -> Iterator[tuple[int, str]]:
    """Documents of a uniqueId, domain and repository as (id, key): given out, kept without metadata, half removed."""
    for statement in (sql.DOCUMENTS_OF_ENTRIES, sql.DETACHED_DOCUMENTS):
        for number, key, _, _ in cursor.execute(statement, identity).fetchall():
            yield number, key


def forget(cursor: sqlite3.Cursor, keys: Iterable[str]) -> None:
    """Drop the notes of removed documents, and what is known of their bytes; others are passed over."""
    for key in keys:
        for row in cursor.execute(sql.FORGET_REMOVED, (key,)).fetchall():
            cursor.execute(sql.FORGET_DOCUMENT, row)
