"""What a stored query reads: cached statements over one snapshot, rows that the caller may see."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ..model import vocabulary as v
from ..model.principal import AccessFilter
from ..model.queries import (
    EntryFilter,
    FindDocuments,
    FindDocumentsForMultiplePatients,
    FindFolders,
    FindFoldersForMultiplePatients,
    FindSubmissionSets,
)
from . import query_statements as sql
from .access import Bound
from .criteria import Criteria, have_creation_time
from .keys import uuid_key
from .rows import CODE_LISTS
from .statements import CHUNK, bind, chunks
from .terms import Terms

Row = tuple[Any, ...]  # of `query_statements`: the id comes first, the ends of an association last
_ANY_ENTRY: Final = EntryFilter()
_APPROVED: Final = (v.APPROVED,)
_NO_LIMIT: Final = -1
_LID: Final = 2  # of `query_statements.COLUMNS`


class Selection:
    """One query on one snapshot, at one metadata level."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        terms: Terms,
        domain: int,
        access: AccessFilter,
        limit: int,
        *,
        level: int = 1,
        association_statuses: Sequence[str] = _APPROVED,
    ) -> None:
        """`limit` is of the whole answer: what is read of one kind may be cut where it has more.

        `level` is for objects by key, `association_statuses` are those of all associations that are read.
        """
        self._connection: Final = connection
        self._criteria: Final = Criteria(connection, terms, domain, access)
        self._domain: Final = domain
        self.limit: Final = limit
        self._level: Final = level
        self._association_statuses: Final = association_statuses

    # --- objects of a patient ---

    def find_documents(self, query: FindDocuments) -> list[Row]:
        """Entries, the newest first (3.18.4.1.2.3.7.1, .14)."""
        patients = self._criteria.patient(query.patient_id)
        if not patients:
            return []
        values: Bound = [self._domain]
        size = bind(values, patients)
        shape = self._criteria.entries(values, query)
        return self._rows(sql.find_documents(shape, size), (*values, self.limit + 1))

    def find_submission_sets(self, query: FindSubmissionSets) -> list[Row]:
        """Sets, the newest first (3.18.4.1.2.3.7.2)."""
        patients = self._criteria.patient(query.patient_id)
        if not patients:
            return []
        values: Bound = [self._domain]
        size = bind(values, patients)
        shape = self._criteria.submission_sets(values, query)
        return self._rows(sql.find_submission_sets(shape, size), (*values, self.limit + 1))

    def find_folders(self, query: FindFolders) -> list[Row]:
        """Folders, the last updated first (3.18.4.1.2.3.7.3)."""
        patients = self._criteria.patient(query.patient_id)
        if not patients:
            return []
        values: Bound = [self._domain]
        size = bind(values, patients)
        shape = self._criteria.folders(values, query)
        return self._rows(sql.find_folders(shape, size), (*values, self.limit + 1))

    # --- objects of several patients, or of any, in the order of their registration ---

    def find_documents_of_many(self, query: FindDocumentsForMultiplePatients) -> list[Row]:
        """Entries by patients or by codes (3.51.4.1.2.1.1)."""
        finder, keys = self._criteria.finder_of_entries(query, query.patient_ids)
        created = have_creation_time(query)

        def statement(values: Bound, size: int) -> str:
            shape = self._criteria.entries(values, query)._replace(created=created)
            return sql.find_documents_by(finder, size, shape)

        return self._found_by(finder, keys, statement)

    def find_folders_of_many(self, query: FindFoldersForMultiplePatients) -> list[Row]:
        """Folders by patients or by codes (3.51.4.1.2.1.2)."""
        finder, keys = self._criteria.finder_of_folders(query, query.patient_ids)

        def statement(values: Bound, size: int) -> str:
            return sql.find_folders_by(finder, size, self._criteria.folders(values, query))

        return self._found_by(finder, keys, statement)

    def _found_by(self, finder: str, keys: Sequence[int], statement: Callable[[Bound, int], str]) -> list[Row]:
        """An object may have several codes of one list: they are asked for one by one, and it is told once."""
        found: dict[int, Row] = {}
        for values in chunks(keys, 1 if finder in CODE_LISTS else CHUNK):
            size = len(values)
            values.append(self._domain)
            text = statement(values, size)
            found.update((row[0], row) for row in self._rows(text, (*values, self.limit + 1)))
            if len(found) > self.limit:
                break
        return sorted(found.values())

    # --- objects by key, in the order of their registration ---

    def by_uuid(self, table: str, uuids: Iterable[str]) -> list[Row]:
        """Objects of one kind; what is no id of one is passed over."""
        return self._by_key(sql.by_uuid, table, _keys(uuids))

    def by_unique_id(self, table: str, unique_ids: Iterable[str]) -> list[Row]:
        """Objects of one kind; of entries there may be several for one uniqueId."""
        return self._by_key(sql.by_unique_id, table, unique_ids)

    def by_logical_id(self, table: str, logical_ids: Sequence[str]) -> list[Row]:
        """All versions of objects of one kind; the logicalID of the first version is its own id."""
        first = [row for row in self.by_uuid(table, logical_ids) if row[_LID] is None]
        return first + self._by_key(sql.later_versions, table, _keys(logical_ids))

    def by_id(self, table: str, ids: Iterable[int], wanted: EntryFilter = _ANY_ENTRY) -> list[Row]:
        """Objects of one kind among those of these ids."""
        return self._by_key(sql.by_id, table, ids, wanted)

    def object_ids(self, uuids: Iterable[str]) -> list[int]:
        """The ids of objects of any kind, hidden ones too: for associations, which hide themselves."""
        found: list[int] = []
        for keys in chunks(_keys(uuids)):
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
        for values in chunks(keys):
            shape = sql.KeyShape(keys=len(values), level=self._level)
            values.append(self._domain)
            if table == sql.ENTRY:
                object_types, codes, lists = self._criteria.entry_filter(values, wanted.object_types, wanted.codes)
                access = self._criteria.access.entry(values)
                shape = shape._replace(object_types=object_types, codes=codes, code_lists=lists, access=access)
            else:
                shape = shape._replace(access=self._criteria.access.container(values))
            rows += self._rows(statement(table, shape), values)
            if len(rows) > self.limit:
                break
        return sorted(rows)

    # --- associations ---

    def associations(
        self, key: str, ids: Iterable[int], types: Sequence[str] = (), limit: int = _NO_LIMIT
    ) -> list[Row]:
        """Associations whose "source", "target" or "id" is one of these; none that leads to a hidden object."""
        statuses, numbers = self._criteria.words(self._association_statuses), self._criteria.words(types)
        rows: list[Row] = []
        for values in chunks(ids):
            shape = sql.LinkShape(keys=len(values))
            values.append(self._domain)
            shape = shape._replace(
                statuses=bind(values, statuses),
                types=bind(values, numbers) if types else None,
                access=self._criteria.access.association(values),
            )
            rows += self._rows(sql.associations(key, shape), (*values, limit if limit < 0 else limit + 1))
            if 0 <= limit < len(rows):
                break
        return sorted(rows)

    def associations_around(self, ids: Sequence[int], types: Sequence[str] = (), limit: int = _NO_LIMIT) -> list[Row]:
        """Associations from or to one of these objects, each once."""
        ends = [row for end in ("source", "target") for row in self.associations(end, ids, types, limit)]
        return sorted({row[0]: row for row in ends}.values())

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()


def _keys(uuids: Iterable[str]) -> list[bytes]:
    return [key for urn in uuids if (key := uuid_key(urn)) is not None]
