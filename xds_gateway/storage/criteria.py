"""What stored queries select by: their values as integers and bound texts, and the shapes of their statements."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from ..model import vocabulary as v
from ..model.identifiers import PatientId
from ..model.principal import AccessFilter
from ..model.queries import CodeGroups, DocumentCriteria, FindSubmissionSets, FolderCriteria, TextGroups, TimeRange
from . import query_statements as sql
from .access import Bound, BoundAccess, patients_standing_for
from .rows import CODE_LISTS
from .statements import CODE_COLUMNS, TIME_COLUMNS, bind
from .terms import Terms


class Criteria:
    """Binds what is asked for, in the order of the statements; codes are looked up in the state of one snapshot."""

    def __init__(self, connection: sqlite3.Connection, terms: Terms, domain: int, access: AccessFilter) -> None:
        """`access` is part of every statement that shows objects."""
        self._connection: Final = connection
        self._terms: Final = terms
        self.domain: Final = domain
        self.access: Final = BoundAccess(connection.execute, partial(terms.find, connection), domain, access)

    # --- values ---

    def patient(self, patient_id: PatientId) -> list[int]:
        """The integers of a patient and of all that it stands for; none when it is unknown or subsumed."""
        return patients_standing_for(self._connection.execute, self.domain, patient_id)

    def codes(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """The integers of codes; a code that no object ever had matches nothing."""
        find = self._terms.find
        return [number for pair in pairs if (number := find(self._connection, pair)) is not None]

    def words(self, words: Iterable[str]) -> list[int]:
        """The integers of words of the standard."""
        return self.codes((word, "") for word in words)

    def all_of(self, groups: CodeGroups) -> list[int]:
        """A single-valued attribute matches all groups when its code is in each of them."""
        first, *others = (self.codes(group) for group in groups)
        return [number for number in first if all(number in other for other in others)]

    def _groups(self, groups: CodeGroups) -> str:
        return json.dumps([self.codes(group) for group in groups])

    # --- shapes: each binds the values of its statement ---

    def entries(self, values: Bound, query: DocumentCriteria) -> sql.EntryShape:
        """Bind what entries are found by, in the order of `query_statements.find_documents`."""
        statuses = bind(values, self.words(query.statuses))
        object_types, codes, lists = self.entry_filter(values, query.object_types, query.codes)
        times = [(name, *_bind_range(values, query.times[name])) for name in TIME_COLUMNS if name in query.times]
        values += [_patterns(groups) for groups in (query.author_person, query.reference_ids) if groups]
        return sql.EntryShape(
            statuses=statuses,
            object_types=object_types,
            codes=codes,
            code_lists=lists,
            times=tuple(times),
            author_person=bool(query.author_person),
            reference_ids=bool(query.reference_ids),
            access=self.access.entry(values),
            level=query.level,
        )

    def submission_sets(self, values: Bound, query: FindSubmissionSets) -> sql.SubmissionSetShape:
        """Bind what sets are found by, in the order of `query_statements.find_submission_sets`."""
        statuses = bind(values, self.words(query.statuses))
        if query.source_ids:
            values.append(json.dumps(query.source_ids))
        time = _bind_range(values, query.submission_time)
        if query.author_person:
            values.append(_patterns(query.author_person))
        return sql.SubmissionSetShape(
            statuses=statuses,
            source_ids=bool(query.source_ids),
            submission_time=time,
            author_person=bool(query.author_person),
            content_types=bind(values, self.codes(query.content_types)) if query.content_types else None,
            access=self.access.container(values),
        )

    def folders(self, values: Bound, query: FolderCriteria) -> sql.FolderShape:
        """Bind what folders are found by, in the order of `query_statements.find_folders`."""
        statuses = bind(values, self.words(query.statuses))
        time = _bind_range(values, query.last_update_time)
        if query.codes:
            values += (self._groups(query.codes), CODE_LISTS["folder_code_list"])
        access = self.access.container(values)
        return sql.FolderShape(statuses=statuses, last_update_time=time, codes=bool(query.codes), access=access)

    def entry_filter(
        self, values: Bound, types: Sequence[str], asked: Mapping[str, CodeGroups]
    ) -> tuple[int | None, tuple[tuple[str, int], ...], int]:
        """Bind types, codes and lists of codes, in this order; tells the shape of each."""
        object_types = bind(values, self.words(types)) if types else None
        codes = [(name, bind(values, self.all_of(asked[name]))) for name in CODE_COLUMNS if asked.get(name)]
        lists = [name for name in CODE_LISTS if asked.get(name)]
        for name in lists:
            values += (self._groups(asked[name]), CODE_LISTS[name])
        return object_types, tuple(codes), len(lists)

    # --- ITI-51: what finds the objects first ---

    def finder_of_entries(self, query: DocumentCriteria, patients: Sequence[PatientId]) -> tuple[str, list[int]]:
        """Patients, or else the codes that an index has, the most telling first; neither finds nothing."""
        if patients:
            return "patient", self._patients(patients)
        if events := query.codes.get("event_code_list"):
            return "event_code_list", self.codes(events[0])
        for name in ("class_code", "healthcare_facility_type_code"):
            if groups := query.codes.get(name):
                return name, self.all_of(groups)
        return "patient", []

    def finder_of_folders(self, query: FolderCriteria, patients: Sequence[PatientId]) -> tuple[str, list[int]]:
        """Patients, or else the codes of one group; neither finds nothing."""
        if not patients and query.codes:
            return "folder_code_list", self.codes(query.codes[0])
        return "patient", self._patients(patients)

    def _patients(self, patients: Iterable[PatientId]) -> list[int]:
        return [number for each in patients for number in self.patient(each)]


def have_creation_time(query: DocumentCriteria) -> bool:
    """Whether all entries that a query can find have a creationTime: only those on demand have none."""
    return bool(query.object_types) and v.ON_DEMAND_DOCUMENT not in query.object_types


def _bind_range(values: Bound, range_: TimeRange) -> tuple[bool, bool]:
    if range_.start is not None:
        values.append(range_.start.earliest)
    if range_.stop is not None:
        values += (range_.stop.latest, range_.stop.earliest, range_.stop.latest)
    return range_.start is not None, range_.stop is not None


def _patterns(groups: TextGroups) -> str:
    """LIKE patterns; a backslash is a character like any other (SQL-92 has no escape unless one is named)."""
    return json.dumps([[pattern.replace("\\", "\\\\") for pattern in group] for group in groups])
