"""Stored queries over the tables: values to integers, cached statements, rows to fragments (ITI TF-2 3.18)."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from ..actors.ports import Found
from ..model import vocabulary as v
from ..model.identifiers import PatientId
from ..model.principal import AccessFilter
from ..model.queries import (
    CodeGroups,
    FindDocuments,
    GetDocuments,
    GetRelatedDocuments,
    StoredQuery,
    TextGroups,
    TimeRange,
)
from . import statements as sql
from .answers import Answers, Row
from .keys import uuid_key
from .readers import Readers
from .rows import CODE_LISTS
from .terms import Terms

Q = TypeVar("Q", bound=StoredQuery)
Values = list[Any]


class SqlQueryStore:
    """`QueryStore`: every statement has the domain and the hidden confidentiality codes in its conditions."""

    def __init__(self, readers: Readers, terms: Terms) -> None:
        self._readers: Final = readers
        self._terms: Final = terms

    def find(self, query: StoredQuery, access: AccessFilter, limit: int) -> Found:
        """The objects that a stored query selects; `more` and nothing else when there are over `limit`."""
        with self._readers.snapshot() as connection:
            domain = self._terms.domain(connection, access.domain)
            if domain is None:
                return Found()
            return _Reading(connection, self._terms, domain, access).find(query, limit)


class _Reading:
    """One query on one snapshot: codes are looked up in the same state of the database as objects."""

    def __init__(self, connection: sqlite3.Connection, terms: Terms, domain: int, access: AccessFilter) -> None:
        self._connection: Final = connection
        self._terms: Final = terms
        self._domain: Final = domain
        hidden = self._codes(access.hidden_confidentiality)
        self._hidden: Final = hidden
        self._hidden_size: Final = sql.inline_size(len(hidden)) if hidden else None

    def find(self, query: StoredQuery, limit: int) -> Found:
        associations: list[Row] = []
        if isinstance(query, FindDocuments):
            entries = self._find_documents(query, limit)
        elif isinstance(query, GetDocuments):
            entries = self._get_documents(query)
        else:
            entries, associations = self._get_related_documents(query)
        if len(entries) + len(associations) > limit:
            return Found(more=True)
        answers = Answers(self._connection, self._terms)
        answers.add_entries(entries)
        answers.add_associations(associations)
        return answers.found()

    # --- FindDocuments (3.18.4.1.2.3.7.1) ---

    def _find_documents(self, query: FindDocuments, limit: int) -> list[Row]:
        patient = self._patient(query.patient_id)
        if patient is None:
            return []
        values: Values = [self._domain, patient]
        statuses = sql.bind(values, self._words(query.statuses))
        object_types = sql.bind(values, self._words(query.object_types)) if query.object_types else None
        codes = [
            (name, sql.bind(values, self._all_of(query.codes[name])))
            for name in sql.CODE_COLUMNS
            if query.codes.get(name)
        ]
        lists = [name for name in CODE_LISTS if query.codes.get(name)]
        for name in lists:
            values += (self._groups(query.codes[name]), CODE_LISTS[name])
        times = [(name, *_bind_range(values, query.times[name])) for name in sql.TIME_COLUMNS if name in query.times]
        if query.author_person:
            values.append(_patterns(query.author_person))
        shape = sql.EntryShape(
            statuses=statuses,
            object_types=object_types,
            codes=tuple(codes),
            code_lists=len(lists),
            times=tuple((name, start, stop) for name, start, stop in times if start or stop),
            author_person=bool(query.author_person),
            hidden=self._bind_hidden(values),
        )
        return self._connection.execute(sql.find_documents(shape), (*values, limit + 1)).fetchall()

    def _all_of(self, groups: CodeGroups) -> list[int]:
        """A single-valued attribute matches all groups when its code is in each of them."""
        first, *others = (self._codes(group) for group in groups)
        return [number for number in first if all(number in other for other in others)]

    def _groups(self, groups: CodeGroups) -> str:
        return json.dumps([self._codes(group) for group in groups])

    # --- GetDocuments (3.18.4.1.2.3.7.5) ---

    def _get_documents(self, query: GetDocuments) -> list[Row]:
        rows = self._by_uuid(query.uuids) + self._by_unique_id(query.unique_ids)
        return list({row[0]: row for row in rows}.values())

    def _by_uuid(self, uuids: Sequence[str]) -> list[Row]:
        keys = [key for urn in uuids if (key := uuid_key(urn)) is not None]
        return self._entries(sql.entries_by_uuid, keys)

    def _by_unique_id(self, unique_ids: Sequence[str]) -> list[Row]:
        return self._entries(sql.entries_by_unique_id, unique_ids)

    def _entries(
        self, statement: Callable[[sql.KeyShape], str], keys: Iterable[Any], object_types: Sequence[str] = ()
    ) -> list[Row]:
        """Permitted entries by key, in the order of their registration within a chunk of keys."""
        types = self._words(object_types)
        distinct = list(dict.fromkeys(keys))
        rows: list[Row] = []
        for start in range(0, len(distinct), sql.CHUNK):
            values = sql.padded(distinct[start : start + sql.CHUNK])
            size = len(values)
            values.append(self._domain)
            shape = sql.KeyShape(
                keys=size,
                object_types=sql.bind(values, types) if object_types else None,
                hidden=self._bind_hidden(values),
            )
            rows += self._connection.execute(statement(shape), values).fetchall()
        return sorted(rows)

    # --- GetRelatedDocuments (3.18.4.1.2.3.7.13) ---

    def _get_related_documents(self, query: GetRelatedDocuments) -> tuple[list[Row], list[Row]]:
        given = self._by_uuid((query.uuid,)) if query.uuid else self._by_unique_id((query.unique_id or "",))
        links = {row[0]: row for entry in given for row in self._links(entry[0], query.association_types)}
        others = {end for link in links.values() for end in link[-2:]} - {entry[0] for entry in given}
        entries = {row[0]: row for row in given}
        entries |= {row[0]: row for row in self._entries(sql.entries_by_id, sorted(others), query.object_types)}
        kept = [link for _, link in sorted(links.items()) if link[-2] in entries and link[-1] in entries]
        linked = {end for link in kept for end in link[-2:]}
        return [row for number, row in sorted(entries.items()) if number in linked], kept

    def _links(self, entry: int, association_types: Sequence[str]) -> list[Row]:
        """Approved associations from and to an entry."""
        types, approved = self._words(association_types), self._words((v.APPROVED,))
        links: list[Row] = []
        for end in ("source", "target"):
            values: Values = [entry]
            size = sql.bind(values, types)
            sql.bind(values, approved)
            links += self._connection.execute(sql.associations_of(end, size), values).fetchall()
        return links

    # --- values ---

    def _patient(self, patient_id: PatientId) -> int | None:
        row = self._connection.execute(sql.PATIENT, (self._domain, *patient_id)).fetchone()
        return row[0] if row else None

    def _codes(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """The integers of codes; a code that no object ever had matches nothing."""
        find = self._terms.find
        return [number for pair in pairs if (number := find(self._connection, pair)) is not None]

    def _words(self, words: Iterable[str]) -> list[int]:
        return self._codes((word, "") for word in words)

    def _bind_hidden(self, values: Values) -> int | None:
        if self._hidden_size is not None:
            sql.bind(values, self._hidden)
        return self._hidden_size


def _bind_range(values: Values, range_: TimeRange) -> tuple[bool, bool]:
    if range_.start is not None:
        values.append(range_.start.earliest)
    if range_.stop is not None:
        values += (range_.stop.latest, range_.stop.earliest, range_.stop.latest)
    return range_.start is not None, range_.stop is not None


def _patterns(groups: TextGroups) -> str:
    """LIKE patterns; a backslash is a character like any other (SQL-92 has no escape unless one is named)."""
    return json.dumps([[pattern.replace("\\", "\\\\") for pattern in group] for group in groups])
