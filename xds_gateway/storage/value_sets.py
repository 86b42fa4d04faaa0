"""Value sets of a domain: read when their number has changed, written as lists that end and lists that begin."""

import json
import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..model.value_sets import NO_VALUE_SETS, ListedCode, Source, ValueSet, ValueSets
from .database import inserted

NUMBER: Final = "SELECT value_sets FROM domain WHERE id = ?"
CURRENT: Final = "SELECT id, attribute, number, sources FROM value_set WHERE domain = ? AND ended IS NULL ORDER BY id"
# Bind: domain, number twice
EARLIER: Final = (
    "SELECT id, attribute, number, sources FROM value_set"
    " WHERE domain = ? AND number <= ? AND (ended IS NULL OR ended > ?) ORDER BY id"
)
CODES: Final = (
    "SELECT code, scheme, display, active, since, until FROM listed_code WHERE value_set = ? ORDER BY scheme, code"
)
NEXT: Final = "UPDATE domain SET value_sets = value_sets + 1 WHERE id = ? RETURNING value_sets"
# Bind: number, domain, attribute
END: Final = "UPDATE value_set SET ended = ? WHERE domain = ? AND ended IS NULL AND attribute = ?"
_ADD: Final = "INSERT INTO value_set (domain, attribute, number, sources) VALUES (?, ?, ?, ?)"
_ADD_CODE: Final = (
    "INSERT INTO listed_code (value_set, code, scheme, display, active, since, until) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class HeldValueSets:
    """The value sets of a domain that this process has read last, for all its threads."""

    def __init__(self) -> None:
        self.last: ValueSets = NO_VALUE_SETS


def number_of(cursor: sqlite3.Cursor, domain: int) -> int:
    """The number of the present version; 0 when nothing was ever loaded."""
    row = cursor.execute(NUMBER, (domain,)).fetchone()
    return int(row[0]) if row else 0


def read_value_sets(cursor: sqlite3.Cursor, domain: int, number: int) -> ValueSets:
    """All present lists, which are version `number`."""
    return _lists(cursor, number, cursor.execute(CURRENT, (domain,)).fetchall())


def read_earlier(cursor: sqlite3.Cursor, domain: int, number: int) -> ValueSets:
    """All lists as version `number` had them."""
    return _lists(cursor, number, cursor.execute(EARLIER, (domain, number, number)).fetchall())


def write_value_sets(cursor: sqlite3.Cursor, domain: int, lists: Mapping[str, ValueSet | None]) -> int:
    """End the lists of these attributes and begin the new ones, None begins none; returns the new number."""
    number = int(cursor.execute(NEXT, (domain,)).fetchone()[0])
    for attribute, listed in lists.items():
        cursor.execute(END, (number, domain, attribute))
        if listed is None:
            continue
        sources = json.dumps(listed.sources, ensure_ascii=False)
        new = inserted(cursor.execute(_ADD, (domain, attribute, number, sources)))
        rows = ((new, c.code, c.scheme, c.display, int(c.active), c.since, c.until) for c in listed.codes.values())
        cursor.executemany(_ADD_CODE, rows)
    return number


def _lists(cursor: sqlite3.Cursor, number: int, rows: list[tuple[int, str, int, str]]) -> ValueSets:
    found = {
        attribute: ValueSet(
            attribute, _codes(cursor, row), tuple(Source(*source) for source in json.loads(sources)), since
        )
        for row, attribute, since, sources in rows
    }
    return ValueSets(number, MappingProxyType(found))


def _codes(cursor: sqlite3.Cursor, row: int) -> Mapping[tuple[str, str], ListedCode]:
    return MappingProxyType(
        {
            (code, scheme): ListedCode(code, scheme, display, bool(active), since, until)
            for code, scheme, display, active, since, until in cursor.execute(CODES, (row,))
        }
    )
