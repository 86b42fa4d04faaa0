"""What a stored query reads: values to integers, cached statements, rows that the caller may see."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..model import vocabulary as v
from ..model.identifiers import PatientId
from ..model.principal import AccessFilter
from ..model.queries import (
    CodeGroups,
    EntryFilter,
    FindDocuments,
    FindFolders,
    FindSubmissionSets,
    TextGroups,
    TimeRange,
)
from . import query_statements as sql
from .keys import uuid_key
from .rows import CODE_LISTS
from .statements import CHUNK, CODE_COLUMNS, PATIENT, TIME_COLUMNS, bind, inline_size, padded
from .terms import Terms

Row = tuple[Any, ...]  # of `query_statements`: the id comes first, the ends of an association last
Values = list[Any]
_ANY_ENTRY: Final = EntryFilter()
_NO_LIMIT: Final = -1


class Selection:
    """One query on one snapshot: codes are looked up in the same state of the database as objects."""

    def __init__(
        self, connection: sqlite3.Connection, terms: Terms, domain: int, access: AccessFilter, limit: int
    ) -> None:
        """`limit` is of the whole answer: what is read of one kind may be cut where it has more."""
        self._connection: Final = connection
        self._terms: Final = terms
        self._domain: Final = domain
        self.limit: Final = limit
        hidden = self._codes(access.hidden_confidentiality)
        self._hidden: Final = hidden
        self._hidden_size: Final = inline_size(len(hidden)) if hidden else None

    # --- objects of a patient ---

    def find_documents(self, query: FindDocuments) -> list[Row]:
        """Entries, the newest first (3.18.4.1.2.3.7.1, .14)."""
        patient = self._patient(query.patient_id)
        if patient is None:
            return []
        values: Values = [self._domain, patient]
        statuses = bind(values, self._words(query.statuses))
        object_types, codes, lists = self._bind_entry_filter(values, query.object_types, query.codes)
        times = [(name, *_bind_range(values, query.times[name])) for name in TIME_COLUMNS if name in query.times]
        values += [_patterns(groups) for groups in (query.author_person, query.reference_ids) if groups]
        shape = sql.EntryShape(
            statuses=statuses,
            object_types=object_types,
            codes=codes,
            code_lists=lists,
            times=tuple(times),
            author_person=bool(query.author_person),
            reference_ids=bool(query.reference_ids),
            hidden=self._bind_hidden(values),
        )
        return self._rows(sql.find_documents(shape), (*values, self.limit + 1))

    def find_submission_sets(self, query: FindSubmissionSets) -> list[Row]:
        """Sets, the newest first (3.18.4.1.2.3.7.2)."""
        patient = self._patient(query.patient_id)
        if patient is None:
            return []
        values: Values = [self._domain, patient]
        statuses = bind(values, self._words(query.statuses))
        if query.source_ids:
            values.append(json.dumps(query.source_ids))
        time = _bind_range(values, query.submission_time)
        if query.author_person:
            values.append(_patterns(query.author_person))
        shape = sql.SubmissionSetShape(
            statuses=statuses,
            source_ids=bool(query.source_ids),
            submission_time=time,
            author_person=bool(query.author_person),
            content_types=bind(values, self._codes(query.content_types)) if query.content_types else None,
        )
        return self._rows(sql.find_submission_sets(shape), (*values, self.limit + 1))

    def find_folders(self, query: FindFolders) -> list[Row]:
        """Folders, the last updated first (3.18.4.1.2.3.7.3)."""
        patient = self._patient(query.patient_id)
        if patient is None:
            return []
        values: Values = [self._domain, patient]
        statuses = bind(values, self._words(query.statuses))
        time = _bind_range(values, query.last_update_time)
        if query.codes:
            values += (self._groups(query.codes), CODE_LISTS["folder_code_list"])
        shape = sql.FolderShape(statuses=statuses, last_update_time=time, codes=bool(query.codes))
        return self._rows(sql.find_folders(shape), (*values, self.limit + 1))

    # --- objects by key, in the order of their registration ---

    def by_uuid(self, table: str, uuids: Iterable[str]) -> list[Row]:
        """Objects of one kind; what is no id of one is passed over."""
        return self._by_key(sql.by_uuid, table, _keys(uuids))

    def by_unique_id(self, table: str, unique_ids: Iterable[str]) -> list[Row]:
        """Objects of one kind; of entries there may be several for one uniqueId."""
        return self._by_key(sql.by_unique_id, table, unique_ids)

    def by_id(self, table: str, ids: Iterable[int], wanted: EntryFilter = _ANY_ENTRY) -> list[Row]:
        """Objects of one kind among those of these ids."""
        return self._by_key(sql.by_id, table, ids, wanted)

    def object_ids(self, uuids: Iterable[str]) -> list[int]:
        """The ids of objects of any kind, hidden ones too: for associations, which hide themselves."""
        found: list[int] = []
        for keys in _chunks(_keys(uuids)):
            rows = self._rows(sql.object_ids(len(keys)), (*keys, self._domain))
            found += [number for (number,) in rows]
        return found

    def _by_key(
        self,
        statement: Callable[[str, sql.KeyShape], str],
        table: str,
        keys: Iterable[Any],
        wanted: EntryFilter = _ANY_ENTRY,
    ) -> list[Row]:
        rows: list[Row] = []
        for values in _chunks(keys):
            shape = sql.KeyShape(keys=len(values))
            values.append(self._domain)
            if table == sql.ENTRY:
                object_types, codes, lists = self._bind_entry_filter(values, wanted.object_types, wanted.codes)
                hidden = self._bind_hidden(values)
                shape = shape._replace(object_types=object_types, codes=codes, code_lists=lists, hidden=hidden)
            rows += self._rows(statement(table, shape), values)
            if len(rows) > self.limit:
                break
        return sorted(rows)

    # --- associations ---

    def associations(
        self, key: str, ids: Iterable[int], types: Sequence[str] = (), limit: int = _NO_LIMIT
    ) -> list[Row]:
        """Approved associations whose "source", "target" or "id" is one of these; none that leads to a hidden entry."""
        approved, numbers = self._words((v.APPROVED,)), self._words(types)
        rows: list[Row] = []
        for values in _chunks(ids):
            size = len(values)
            values.append(self._domain)
            bind(values, approved)
            shape = sql.LinkShape(
                keys=size, types=bind(values, numbers) if types else None, hidden=self._bind_hidden(values)
            )
            rows += self._rows(sql.associations(key, shape), (*values, limit if limit < 0 else limit + 1))
            if 0 <= limit < len(rows):
                break
        return sorted(rows)

    def associations_around(self, ids: Sequence[int], types: Sequence[str] = (), limit: int = _NO_LIMIT) -> list[Row]:
        """Approved associations from or to one of these objects, each once."""
        ends = [row for end in ("source", "target") for row in self.associations(end, ids, types, limit)]
        return sorted({row[0]: row for row in ends}.values())

    # --- values ---

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def _patient(self, patient_id: PatientId) -> int | None:
        row = self._connection.execute(PATIENT, (self._domain, *patient_id)).fetchone()
        return row[0] if row else None

    def _codes(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """The integers of codes; a code that no object ever had matches nothing."""
        find = self._terms.find
        return [number for pair in pairs if (number := find(self._connection, pair)) is not None]

    def _words(self, words: Iterable[str]) -> list[int]:
        return self._codes((word, "") for word in words)

    def _all_of(self, groups: CodeGroups) -> list[int]:
        """A single-valued attribute matches all groups when its code is in each of them."""
        first, *others = (self._codes(group) for group in groups)
        return [number for number in first if all(number in other for other in others)]

    def _groups(self, groups: CodeGroups) -> str:
        return json.dumps([self._codes(group) for group in groups])

    def _bind_entry_filter(
        self, values: Values, types: Sequence[str], asked: Mapping[str, CodeGroups]
    ) -> tuple[int | None, tuple[tuple[str, int], ...], int]:
        """Bind types, codes and lists of codes, in this order; tells the shape of each."""
        object_types = bind(values, self._words(types)) if types else None
        codes = [(name, bind(values, self._all_of(asked[name]))) for name in CODE_COLUMNS if asked.get(name)]
        lists = [name for name in CODE_LISTS if asked.get(name)]
        for name in lists:
            values += (self._groups(asked[name]), CODE_LISTS[name])
        return object_types, tuple(codes), len(lists)

    def _bind_hidden(self, values: Values) -> int | None:
        if self._hidden_size is not None:
            bind(values, self._hidden)
        return self._hidden_size


def _keys(uuids: Iterable[str]) -> list[bytes]:
    return [key for urn in uuids if (key := uuid_key(urn)) is not None]


def _chunks(keys: Iterable[Any]) -> Iterable[Values]:
    """Keys, each once, as many as a statement takes."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), CHUNK):
        yield padded(distinct[start : start + CHUNK])


def _bind_range(values: Values, range_: TimeRange) -> tuple[bool, bool]:
    if range_.start is not None:
        values.append(range_.start.earliest)
    if range_.stop is not None:
        values += (range_.stop.latest, range_.stop.earliest, range_.stop.latest)
    return range_.start is not None, range_.stop is not None


def _patterns(groups: TextGroups) -> str:
    """LIKE patterns; a backslash is a character like any other (SQL-92 has no escape unless one is named)."""
    return json.dumps([[pattern.replace("\\", "\\\\") for pattern in group] for group in groups])
