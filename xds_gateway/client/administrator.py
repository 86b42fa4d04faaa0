"""The Document Administrator: updates, statuses, folders and removal (ITI-57, ITI-62, ITI-86), and filing (ITI-41)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..codec.ebrim import render_submission
from ..codec.xdsb import render_remove_documents_request, render_remove_request
from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.messages import DocumentRequest, ProvideRequest, RemoveDocumentsRequest, RemoveRequest
from ..model.metadata import Submission
from .answers import read_objects
from .changes import Versioned, next_version
from .errors import Misconfigured, NotFound, RegistryError
from .history import Historian, version_number
from .parts import SetDetails, new_symbols
from .queries import id_attribute, stored_query
from .registry_values import AssociationSummary, FolderSummary
from .removal import RemovalPlan, RemovalPlanner
from .session import Session
from .submission import make_oid
from .summaries import describe
from .updates import (
    StatusChange,
    build_filing,
    build_folder,
    build_status_changes,
    build_update,
)
from .values import AdministrationResult, DocumentSummary

Described = DocumentSummary | FolderSummary
_STATUSES: Final = {"Approved": v.APPROVED, "Deprecated": v.DEPRECATED}


class DocumentAdministrator(Session):
    """Keeps records correct.

    Each change is told by a submission set of its own: `source_id` is the OID of the system that makes it; author and
    contentTypeCode are by default those of the object. Nothing is journaled: after TimedOut, look before trying again.
    """

    # --- metadata update (ITI-57) ---------------------------------------------------------------------------------

    def update_metadata(
        self,
        item: Described | str,
        changes: Mapping[str, Any],
        *,
        source_id: str,
        title: str | None = None,
        comments: str | None = None,
        authors: Sequence[Author] = (),
        content_type_code: Code | None = None,
        propagate: bool = True,
    ) -> AdministrationResult:
        """A new version of a document's or folder's metadata, the bytes stay (ITI-57).

        `item` is an entry or folder that was found, or an entryUUID or uniqueId, which stands for its latest version.
        Of an entry that is no longer the latest version the update is refused, so that nobody's change is lost.
        `changes` are named as in `DocumentMetadata`, and `codes` of a folder; None removes. `title` and `comments` are
        those of the submission set. `propagate` keeps folders and relations.

        Raises NotFound, and Misconfigured for an unknown attribute, before anything is changed.

        >>> gateway.update_metadata(entry, {"title": "Compte rendu"}, source_id="1.2.3.4").version     # doctest: +SKIP
        '2'
        """
        found = self._described(item)
        symbols = new_symbols()
        new = next_version(found, changes, self._new_uuid().urn, symbols)
        details = self._details(new, source_id, authors, content_type_code)._replace(title=title, comments=comments)
        previous = version_number(describe(found))
        ids = self._new_set()
        warnings = self._update(build_update(new, previous, ids, details, symbols, propagate=propagate))
        return AdministrationResult(
            submission_set_uuid=ids.uuid, entry_uuid=new.id, version=str(previous + 1), warnings=warnings
        )

    def deprecate(
        self, item: Described | AssociationSummary | str, *, source_id: str, **details: Any
    ) -> AdministrationResult:
        """Withdraw the latest version of a document or folder, or an association, without a successor (ITI-57).

        Raises NotFound. `details` are `authors`, `content_type_code`, `title` and `comments` of the submission set.
        """
        return self._set_status([item], "Deprecated", source_id, **details)

    def approve(
        self, item: Described | AssociationSummary | str, *, source_id: str, **details: Any
    ) -> AdministrationResult:
        """Undo `deprecate` (ITI-57); raises NotFound."""
        return self._set_status([item], "Approved", source_id, **details)

    def _set_status(
        self,
        items: Sequence[Described | AssociationSummary | str],
        status: str,
        source_id: str,
        *,
        authors: Sequence[Author] = (),
        content_type_code: Code | None = None,
        title: str | None = None,
        comments: str | None = None,
    ) -> AdministrationResult:
        targets = [item if isinstance(item, AssociationSummary) else self._described(item) for item in items]
        changes = [_status_change(target, status) for target in targets]
        told = self._end_of(targets[0]) if isinstance(targets[0], AssociationSummary) else targets[0]
        details = self._details(told, source_id, authors, content_type_code)._replace(title=title, comments=comments)
        ids = self._new_set()
        warnings = self._update(build_status_changes(changes, ids, details, new_symbols()))
        return AdministrationResult(submission_set_uuid=ids.uuid, entry_uuid=changes[0].target, warnings=warnings)

    def _update(self, submission: Submission) -> tuple[RegistryError, ...]:
        return self._soap.administer("ITI-57", render_submission(submission))

    # --- folders --------------------------------------------------------------------------------------------------

    def folder_new(
        self,
        title: str,
        *,
        patient_id: str,
        source_id: str,
        codes: Sequence[Code],
        documents: Sequence[str] = (),
        comments: str | None = None,
        authors: Sequence[Author] = (),
        content_type_code: Code | None = None,
    ) -> AdministrationResult:
        """A new folder with these registered documents, by entryUUID, in it; its code tells the set's content type.

        Raises Misconfigured without a code.
        """
        if not codes:
            raise Misconfigured("a folder has at least one code (ITI TF-3 4.2.3.4.1)")
        symbols, ids = new_symbols(), self._new_set()
        details = SetDetails(patient_id, source_id, tuple(authors), content_type_code or codes[0], title)
        uuid, unique_id = self._new_uuid().urn, make_oid(self._new_uuid())
        folder = build_folder(uuid, unique_id, codes, details, comments, symbols)
        warnings = self._provide(build_filing(folder, documents, ids, details, symbols))
        return AdministrationResult(
            submission_set_uuid=ids.uuid, entry_uuid=uuid, unique_id=unique_id, version="1", warnings=warnings
        )

    def folder_add(
        self, folder: FolderSummary | str, documents: Sequence[DocumentSummary | str], *, source_id: str, **details: Any
    ) -> AdministrationResult:
        """Put registered documents into a folder, latest versions (ITI-41); raises NotFound."""
        found, symbols, ids = self._folder(folder), new_symbols(), self._new_set()
        uuids = [each.entry_uuid if isinstance(each, DocumentSummary) else self._entry(each).id for each in documents]
        told = self._details(found, source_id, **details)
        warnings = self._provide(build_filing(found.id, uuids, ids, told, symbols))
        return AdministrationResult(submission_set_uuid=ids.uuid, entry_uuid=found.id, warnings=warnings)

    def folder_remove(
        self, folder: FolderSummary | str, documents: Sequence[DocumentSummary | str], *, source_id: str, **details: Any
    ) -> AdministrationResult:
        """Take documents out of a folder: their memberships become Deprecated, and can come back (ITI-57).

        Raises NotFound for a document that is not in it.
        """
        found = self._folder(folder)
        uuids = [each.entry_uuid if isinstance(each, DocumentSummary) else self._entry(each).id for each in documents]
        members = {
            a.target: a
            for a in self._historian().associations([found.id]).values()
            if (a.type, a.source, a.status) == ("HasMember", found.id, "Approved")
        }
        for uuid in uuids:
            if uuid not in members:
                raise NotFound("document in this folder", uuid)
        return self._set_status([members[uuid] for uuid in uuids], "Deprecated", source_id, **details)

    def _provide(self, submission: Submission) -> tuple[RegistryError, ...]:
        return self._soap.provide(ProvideRequest(submission=submission, parts=()), ())

    # --- removal (ITI-62, ITI-86) ---------------------------------------------------------------------------------

    def plan_removal(self, *identifiers: str) -> RemovalPlan:
        """What goes when these documents, folders or submission sets go; nothing is changed yet. Raises NotFound.

        >>> gateway.remove(gateway.plan_removal("1.2.3.4"))                                           # doctest: +SKIP
        """
        return RemovalPlanner(self._historian()).plan(identifiers)

    def remove(self, plan: RemovalPlan) -> tuple[RegistryError, ...]:
        """Carry out a plan: metadata first, then the bytes; the warnings (ITI-62, ITI-86).

        When the bytes cannot be removed after the metadata were, `remove_documents` with `plan.contents` tries again.
        """
        warnings = self.remove_metadata(plan.uuids)
        return warnings + (self.remove_documents(*plan.contents) if plan.contents else ())

    def remove_metadata(self, uuids: Iterable[str]) -> tuple[RegistryError, ...]:
        """Remove registry objects, all or none: the set must be closed, see `plan_removal` (ITI-62)."""
        return self._soap.administer("ITI-62", render_remove_request(RemoveRequest(references=tuple(uuids))))

    def remove_documents(self, *documents: DocumentSummary | tuple[str, str]) -> tuple[RegistryError, ...]:
        """Remove the bytes of documents, entries or pairs of repositoryUniqueId and uniqueId, for good (ITI-86).

        Each goes by itself: Refused with status "PartialSuccess" names those that did not. Raises Misconfigured for an
        entry that does not tell where its document is.
        """
        requests = []
        for document in documents:
            place = document if isinstance(document, tuple) else (document.repository_unique_id, document.unique_id)
            if not all(place):
                raise Misconfigured("an entry that does not tell where its document is has none to remove")
            home = None if isinstance(document, tuple) else document.home
            requests.append(DocumentRequest(str(place[0]), str(place[1]), home))
        request = RemoveDocumentsRequest(documents=tuple(requests))
        return self._soap.administer("ITI-86", render_remove_documents_request(request))

    # --- what is there --------------------------------------------------------------------------------------------

    def _historian(self) -> Historian:
        return Historian(self._soap)

    def _described(self, item: Described | str) -> Versioned:
        """The registered object with all that the registry keeps; raises NotFound."""
        if isinstance(item, DocumentSummary):
            return self._entry(item)
        if isinstance(item, FolderSummary):
            return self._folder(item)
        try:
            return self._entry(item)
        except NotFound:
            return self._folder(item, "document or folder")

    def _entry(self, item: DocumentSummary | str) -> Versioned:
        uuid = item if isinstance(item, str) else item.entry_uuid
        if isinstance(item, str):
            uuid = self._historian().versions(item)[-1].entry_uuid
        found = self._objects("GetDocuments", uuid).document_entries
        if not found:
            raise NotFound("document", uuid)
        return found[0]

    def _folder(self, item: FolderSummary | str, kind: str = "folder") -> Versioned:
        uuid = item if isinstance(item, str) else item.entry_uuid
        if isinstance(item, str):
            versions = self._historian().folder_versions(item)
            uuid = versions[-1].entry_uuid if versions else item
        found = self._objects("GetFolders", uuid).folders if id_attribute(uuid) == "uuid" else ()
        if not found:
            raise NotFound(kind, uuid)
        return found[0]

    def _end_of(self, association: AssociationSummary) -> Versioned:
        """The document or folder that an association begins at."""
        return self._described(association.source)

    def _objects(self, query: str, uuid: str) -> Submission:
        body, _ = self._soap.ask(stored_query(query, {"uuid": uuid, "metadata_level": 2}), "LeafClass")
        return read_objects(body)

    def _details(
        self,
        item: Versioned,
        source_id: str,
        authors: Sequence[Author] = (),
        content_type_code: Code | None = None,
        title: str | None = None,
        comments: str | None = None,
    ) -> SetDetails:
        """The submission set of a change: patient, author and content type are those of the object."""
        told = describe(item)
        if isinstance(told, DocumentSummary):
            known_authors, known_code = told.authors[:1], told.type_code or told.class_code
        else:
            known_authors, known_code = (), next(iter(told.codes), None)
        return SetDetails(
            told.patient_id or "", source_id, tuple(authors) or known_authors, content_type_code or known_code,
            title, comments,
        )  # fmt: skip


def _status_change(item: Versioned | AssociationSummary, status: str) -> StatusChange:
    uuid = item.entry_uuid if isinstance(item, AssociationSummary) else item.id
    present = _STATUSES.get(item.status or "", item.status or v.APPROVED)
    return StatusChange(uuid, present, _STATUSES[status])
