"""Codes, words and domains as integers: looked up once, remembered for good, for rows of `code` never change."""

import sqlite3
from typing import Final

from .database import inserted

Pair = tuple[str, str]  # (code, coding scheme); a word of the standard has the scheme ""

_FIND: Final = "SELECT id FROM code WHERE code = ? AND scheme = ?"
_ADD: Final = "INSERT INTO code (code, scheme) VALUES (?, ?)"
_TEXT: Final = "SELECT code FROM code WHERE id = ?"
_FIND_DOMAIN: Final = "SELECT id FROM domain WHERE name = ?"
_ADD_DOMAIN: Final = "INSERT INTO domain (name) VALUES (?)"


class Terms:
    """What this process knows of `code` and `domain`.

    Only committed rows are remembered, so `find`, `word` and `domain` are for reading connections. Codes come with
    messages, so the memory is bounded: beyond it, they are looked up each time.
    """

    def __init__(self, *, largest: int = 50_000) -> None:
        self.ids: Final[dict[Pair, int]] = {}  # of codes that this process has met
        self._words: Final[dict[int, str]] = {}
        self._domains: Final[dict[str, int]] = {}
        self._largest: Final = largest

    def find(self, connection: sqlite3.Connection, pair: Pair) -> int | None:
        """The id of a code; None when no object ever had it."""
        found = self.ids.get(pair)
        if found is None:
            row = connection.execute(_FIND, pair).fetchone()
            if row is None:
                return None
            found = int(row[0])
            self.remember({pair: found})
        return found

    def remember(self, committed: dict[Pair, int]) -> None:
        """Keep ids that are committed."""
        if len(self.ids) < self._largest:
            self.ids.update(committed)

    def known_word(self, number: int) -> str | None:
        """The word of an id that this process has met."""
        return self._words.get(number)

    def word(self, connection: sqlite3.Connection, number: int) -> str:
        """The word of an id."""
        found = self._words.get(number)
        if found is None:
            found = str(connection.execute(_TEXT, (number,)).fetchone()[0])
            if len(self._words) < self._largest:
                self._words[number] = found
        return found

    def domain(self, connection: sqlite3.Connection, name: str) -> int | None:
        """The id of a domain; None when it holds nothing."""
        found = self._domains.get(name)
        if found is None:
            row = connection.execute(_FIND_DOMAIN, (name,)).fetchone()
            if row is None:
                return None
            found = self._domains[name] = int(row[0])
        return found


class NewTerms:
    """Codes met in one transaction, told to `Terms` when it is committed."""

    def __init__(self, terms: Terms, connection: sqlite3.Connection) -> None:
        self._terms: Final = terms
        self._known: Final = terms.ids
        self._connection: Final = connection
        self.met: Final[dict[Pair, int]] = {}

    def id(self, pair: Pair) -> int:
        """The id of a code, added when it is new."""
        found = self._known.get(pair) or self.met.get(pair)
        if found is None:
            row = self._connection.execute(_FIND, pair).fetchone()
            found = int(row[0]) if row else self._added(pair)
            self.met[pair] = found
        return found

    def find(self, pair: Pair) -> int | None:
        """The id of a code; None when no object ever had it."""
        found = self._known.get(pair)
        if found is None:
            row = self._connection.execute(_FIND, pair).fetchone()
            found = int(row[0]) if row else None
        return found

    def word(self, number: int | None) -> str | None:
        """The word of an id."""
        if number is None:
            return None
        found = self._terms.known_word(number)
        return found if found is not None else str(self._connection.execute(_TEXT, (number,)).fetchone()[0])

    def _added(self, pair: Pair) -> int:
        return inserted(self._connection.execute(_ADD, pair))


def add_domain(connection: sqlite3.Connection, name: str) -> int:
    """The id of a domain inside a write transaction, added when it is new."""
    row = connection.execute(_FIND_DOMAIN, (name,)).fetchone()
    return int(row[0]) if row else inserted(connection.execute(_ADD_DOMAIN, (name,)))
