"""Stored queries over the tables: which objects each returns (ITI TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.1)."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..actors.ports import Found
from ..model import queries as q
from ..model import vocabulary as v
from ..model.principal import AccessFilter
from ..model.queries import StoredQuery
from ..waiting import blocking, is_carried
from .answers import Answers
from .query_statements import ENTRY, FOLDER, SUBMISSION_SET
from .readers import Readers
from .selections import Row, Selection
from .terms import Terms

_FEW: Final = 200  # objects that may hold up an event loop
_MEMBERSHIP: Final = (v.HAS_MEMBER,)


class SqlQueryStore:
    """`QueryStore`: every statement has the domain and the access filter in its conditions."""

    def __init__(self, readers: Readers, terms: Terms) -> None:
        self._readers: Final = readers
        self._terms: Final = terms

    def find(self, query: StoredQuery, access: AccessFilter, limit: int) -> Found:
        """The objects that a stored query selects; `more` and nothing else when there are over `limit`."""
        if not is_carried():
            return self._find(query, access, limit)
        found = self._find(query, access, min(limit, _FEW))
        return blocking(self._find, query, access, limit) if found.more and limit > _FEW else found

    def _find(self, query: StoredQuery, access: AccessFilter, limit: int) -> Found:
        with self._readers.snapshot() as connection:
            domain = self._terms.domain(connection, access.domain)
            if domain is None:
                return Found()
            selected = _SELECT[type(query)](query, self._selection(connection, domain, query, access, limit))
            if sum(map(len, selected)) > limit:
                return Found(more=True)
            answers = Answers(connection, self._terms)
            answers.add_objects(selected.submission_sets)
            answers.add_objects(selected.entries)
            answers.add_folders(selected.folders)
            answers.add_associations(selected.associations)
            return answers.found()

    def _selection(
        self, connection: sqlite3.Connection, domain: int, query: StoredQuery, access: AccessFilter, limit: int
    ) -> Selection:
        if isinstance(query, q.Associated):
            shown = query.association_statuses
            return Selection(
                connection, self._terms, domain, access, limit, level=query.level, association_statuses=shown
            )
        return Selection(connection, self._terms, domain, access, limit, level=query.level)


class Selected(NamedTuple):
    """The objects of an answer, in its order."""

    submission_sets: Sequence[Row] = ()
    entries: Sequence[Row] = ()
    folders: Sequence[Row] = ()
    associations: Sequence[Row] = ()


def _ids(*selected: Sequence[Row]) -> list[int]:
    return [row[0] for rows in selected for row in rows]


def _sources(associations: Sequence[Row]) -> list[int]:
    return [row[-2] for row in associations]


def _targets(associations: Sequence[Row]) -> list[int]:
    return [row[-1] for row in associations]


def _between(associations: Sequence[Row], ids: Sequence[int]) -> list[Row]:
    """The associations that have both ends among these objects."""
    known = frozenset(ids)
    return [row for row in associations if row[-2] in known and row[-1] in known]


def _by_ids(
    table: str, query: q.GetDocuments | q.GetFolders | q.GetDocumentsAndAssociations, read: Selection
) -> list[Row]:
    rows = read.by_uuid(table, query.uuids) + read.by_unique_id(table, query.unique_ids)
    if isinstance(query, (q.GetDocuments, q.GetFolders)) and query.logical_ids:
        rows += read.by_logical_id(table, query.logical_ids)
    return list({row[0]: row for row in rows}.values())


_OfOne = q.GetSubmissionSetAndContents | q.GetFolderAndContents | q.GetFoldersForDocument | q.GetRelatedDocuments


def _by_one_id(table: str, query: _OfOne, read: Selection) -> list[Row]:
    """The object; of one uniqueId there may be several entries."""
    return read.by_uuid(table, (query.uuid,)) if query.uuid else read.by_unique_id(table, (query.unique_id or "",))


# --- what each query returns, in the order of 3.18.4.1.2.3.7 ------------------------------------------------------


def _find_documents(query: q.FindDocuments, read: Selection) -> Selected:
    return Selected(entries=read.find_documents(query))


def _find_submission_sets(query: q.FindSubmissionSets, read: Selection) -> Selected:
    return Selected(submission_sets=read.find_submission_sets(query))


def _find_folders(query: q.FindFolders, read: Selection) -> Selected:
    return Selected(folders=read.find_folders(query))


def _find_documents_for_multiple_patients(query: q.FindDocumentsForMultiplePatients, read: Selection) -> Selected:
    return Selected(entries=read.find_documents_of_many(query))


def _find_folders_for_multiple_patients(query: q.FindFoldersForMultiplePatients, read: Selection) -> Selected:
    return Selected(folders=read.find_folders_of_many(query))


def _get_all(query: q.GetAll, read: Selection) -> Selected:
    """All of a patient, and the associations from and to it, whatever is at their other end."""
    patient, wanted = query.patient_id, query.entries
    sets = q.FindSubmissionSets(patient_id=patient, statuses=query.submission_set_statuses)
    entries = q.FindDocuments(
        patient_id=patient,
        statuses=query.entry_statuses,
        object_types=wanted.object_types,
        codes=wanted.codes,
        level=query.level,
    )
    folders = q.FindFolders(patient_id=patient, statuses=query.folder_statuses)
    objects = Selected(read.find_submission_sets(sets), read.find_documents(entries), read.find_folders(folders))
    ids = _ids(*objects)
    if len(ids) > read.limit:
        return objects
    return objects._replace(associations=read.associations_around(ids, limit=read.limit))


def _get_documents(query: q.GetDocuments, read: Selection) -> Selected:
    return Selected(entries=_by_ids(ENTRY, query, read))


def _get_folders(query: q.GetFolders, read: Selection) -> Selected:
    return Selected(folders=_by_ids(FOLDER, query, read))


def _get_associations(query: q.GetAssociations, read: Selection) -> Selected:
    return Selected(associations=read.associations_around(read.object_ids(query.uuids), limit=read.limit))


def _get_documents_and_associations(query: q.GetDocumentsAndAssociations, read: Selection) -> Selected:
    entries = _by_ids(ENTRY, query, read)
    return Selected(entries=entries, associations=read.associations_around(_ids(entries), limit=read.limit))


def _get_submission_sets(query: q.GetSubmissionSets, read: Selection) -> Selected:
    """The sets that have these objects as members, and these memberships."""
    memberships = read.associations("target", read.object_ids(query.uuids), _MEMBERSHIP)
    sets = read.by_id(SUBMISSION_SET, _sources(memberships))
    known = frozenset(_ids(sets))
    return Selected(submission_sets=sets, associations=[row for row in memberships if row[-2] in known])


def _get_submission_set_and_contents(query: q.GetSubmissionSetAndContents, read: Selection) -> Selected:
    """The set, its entries that pass the filter, its folders, its associations between these; their memberships."""
    sets = _by_one_id(SUBMISSION_SET, query, read)
    memberships = read.associations("source", _ids(sets), _MEMBERSHIP)
    members = _targets(memberships)
    entries = read.by_id(ENTRY, members, query.entries)
    folders = read.by_id(FOLDER, members)
    objects = _ids(sets, entries, folders)
    links = _between(read.associations("id", members), objects)
    told = _between(memberships, [*objects, *_ids(links)])
    # a membership may itself be a member, then it is in both
    associations = {row[0]: row for row in (*links, *told)}
    return Selected(sets, entries, folders, sorted(associations.values()))


def _get_folder_and_contents(query: q.GetFolderAndContents, read: Selection) -> Selected:
    """The folder, its entries that pass the filter, and their memberships."""
    folders = _by_one_id(FOLDER, query, read)
    memberships = read.associations("source", _ids(folders), _MEMBERSHIP)
    entries = read.by_id(ENTRY, _targets(memberships), query.entries)
    return Selected(entries=entries, folders=folders, associations=_between(memberships, _ids(entries, folders)))


def _get_folders_for_document(query: q.GetFoldersForDocument, read: Selection) -> Selected:
    """The folders that have the entry as a member."""
    entries = _by_one_id(ENTRY, query, read)
    return Selected(folders=read.by_id(FOLDER, _sources(read.associations("target", _ids(entries), _MEMBERSHIP))))


def _get_related_documents(query: q.GetRelatedDocuments, read: Selection) -> Selected:
    """Associations between the given entry and others, and the entries at their ends; nothing when there is none."""
    given = _by_one_id(ENTRY, query, read)
    links = read.associations_around(_ids(given), query.association_types)
    others = {*_sources(links), *_targets(links)} - {*_ids(given)}
    entries = [*given, *read.by_id(ENTRY, sorted(others), q.EntryFilter(object_types=query.object_types))]
    kept = _between(links, _ids(entries))
    linked = {*_sources(kept), *_targets(kept)}
    return Selected(entries=sorted(row for row in entries if row[0] in linked), associations=kept)


_SELECT: Final[Mapping[type, Callable[[Any, Selection], Selected]]] = {
    q.FindDocuments: _find_documents,
    q.FindSubmissionSets: _find_submission_sets,
    q.FindFolders: _find_folders,
    q.FindDocumentsForMultiplePatients: _find_documents_for_multiple_patients,
    q.FindFoldersForMultiplePatients: _find_folders_for_multiple_patients,
    q.GetAll: _get_all,
    q.GetDocuments: _get_documents,
    q.GetFolders: _get_folders,
    q.GetAssociations: _get_associations,
    q.GetDocumentsAndAssociations: _get_documents_and_associations,
    q.GetSubmissionSets: _get_submission_sets,
    q.GetSubmissionSetAndContents: _get_submission_set_and_contents,
    q.GetFolderAndContents: _get_folder_and_contents,
    q.GetFoldersForDocument: _get_folders_for_document,
    q.GetRelatedDocuments: _get_related_documents,
}
