"""The Document Consumer: stored queries and documents (ITI TF-2 3.18, 3.43, 3.51)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ..model import vocabulary as v
from ..model.datatypes import Code
from ..model.messages import DocumentRequest
from .answers import read_documents, read_related, read_result
from .errors import Damaged, Misconfigured, NotFound
from .history import DocumentHistory, Historian
from .mtom import DocumentReceiver
from .queries import (
    ANY_TIME,
    DocumentFilter,
    Period,
    find_documents,
    get_documents,
    get_related_documents,
    id_attribute,
    stored_query,
    stored_query_of_slots,
)
from .registry_values import FolderSummary, QueryResult, SubmissionSetSummary
from .session import Session
from .values import DocumentSummary, RelatedDocuments, RetrievedFile

ReturnType = Literal["LeafClass", "ObjectRef"]


class DocumentConsumer(Session):
    """Asks the registry, and retrieves from the repository."""

    def query(
        self,
        name: str,
        parameters: Mapping[str, Any],
        *,
        return_type: ReturnType = "LeafClass",
        level: int | None = None,
    ) -> QueryResult:
        """Any stored query of ITI-18 or ITI-51, by its name as "FindFolders" (ITI TF-2 3.18.4.1.2.3.7).

        `parameters` are named as in the standard ("$XDSFolderPatientId", with or without "$XDSFolder") or as the
        attribute that they compare ("patient_id"). A value is text, a Code, an aware datetime or a number; several in a
        list are OR; a list of lists is AND, where the standard has it. Statuses and association types may be short
        ("Approved", "RPLC"). `level` 2 shows old versions too ($MetadataLevel).

        Raises InvalidQuery, before anything is sent, for an unknown query or name and for values that are missing, too
        many or unreadable.

        >>> gateway.query("FindFolders", {"patient_id": patient, "status": "Approved"}).folders       # doctest: +SKIP
        """
        given = dict(parameters)
        if level is not None:
            given["$MetadataLevel"] = level
        return read_result(*self._soap.ask(stored_query(name, given), return_type))

    def query_slots(
        self, name: str, slots: Iterable[tuple[str, Sequence[Any]]], *, return_type: ReturnType = "LeafClass"
    ) -> QueryResult:
        """The same with each slot by itself, as a name and its values; several of one name are AND, or OR."""
        return read_result(*self._soap.ask(stored_query_of_slots(name, slots), return_type))

    def find_folders(
        self,
        patient_id: str,
        *,
        status: Iterable[str] = ("Approved",),
        codes: Iterable[Code] = (),
        updated: Period = ANY_TIME,
    ) -> tuple[FolderSummary, ...]:
        """The patient's folders; `updated` is a period of lastUpdateTime (FindFolders).

        >>> gateway.find_folders(patient)                                                             # doctest: +SKIP
        """
        asked = {"patient_id": patient_id, "status": tuple(status), "code": tuple(codes)}
        times = {"last_update_time_from": updated[0], "last_update_time_to": updated[1]}
        return self.query("FindFolders", asked | times).folders

    def find_submission_sets(
        self,
        patient_id: str,
        *,
        status: Iterable[str] = ("Approved",),
        submitted: Period = ANY_TIME,
        source_ids: Iterable[str] = (),
    ) -> tuple[SubmissionSetSummary, ...]:
        """The patient's submission sets; `submitted` is a period of submissionTime (FindSubmissionSets)."""
        asked = {"patient_id": patient_id, "status": tuple(status), "source_id": tuple(source_ids)}
        times = {"submission_time_from": submitted[0], "submission_time_to": submitted[1]}
        return self.query("FindSubmissionSets", asked | times).submission_sets

    def folder_contents(self, identifier: str, *, level: int | None = None) -> QueryResult:
        """A folder by entryUUID or uniqueId, its documents, and what connects them (GetFolderAndContents)."""
        return self.query("GetFolderAndContents", {id_attribute(identifier): identifier}, level=level)

    def set_contents(self, identifier: str, *, level: int | None = None) -> QueryResult:
        """A submission set by entryUUID or uniqueId, and all that it brought (GetSubmissionSetAndContents)."""
        return self.query("GetSubmissionSetAndContents", {id_attribute(identifier): identifier}, level=level)

    def folder(self, identifier: str) -> FolderSummary:
        """The latest version of a folder by entryUUID, of any version, or uniqueId; raises NotFound."""
        found = Historian(self._soap).folder_versions(identifier)
        if not found:
            raise NotFound("folder", identifier)
        return found[-1]

    def versions(self, identifier: str) -> tuple[DocumentSummary, ...]:
        """All versions of a document by entryUUID, of any version, or uniqueId, oldest first; raises NotFound."""
        return Historian(self._soap).versions(identifier)

    def history(self, identifier: str) -> DocumentHistory:
        """All versions of a document, what it is related to, its folders and submission sets; raises NotFound.

        `identifier` is the entryUUID of any version, or the uniqueId.

        >>> [version.status for version in gateway.history("1.2.3.4").versions]                       # doctest: +SKIP
        ['Deprecated', 'Approved']
        """
        return Historian(self._soap).tell(identifier)

    def find(
        self,
        patient_id: str,
        *,
        status: Iterable[str] = ("Approved",),
        class_codes: Iterable[Code] = (),
        type_codes: Iterable[Code] = (),
        practice_setting_codes: Iterable[Code] = (),
        healthcare_facility_type_codes: Iterable[Code] = (),
        format_codes: Iterable[Code] = (),
        event_codes: Iterable[Code] = (),
        confidentiality_codes: Iterable[Code] = (),
        created: Period = ANY_TIME,
        service_started: Period = ANY_TIME,
        service_stopped: Period = ANY_TIME,
        authors: Iterable[str] = (),
    ) -> tuple[DocumentSummary, ...]:
        """The patient's documents that match all that is given (FindDocuments); see `DocumentFilter`.

        >>> gateway.find(patient, status=("Approved", "Deprecated"), created=("2024", None))          # doctest: +SKIP
        """
        wanted = DocumentFilter(
            status=tuple(status),
            class_codes=tuple(class_codes),
            type_codes=tuple(type_codes),
            practice_setting_codes=tuple(practice_setting_codes),
            healthcare_facility_type_codes=tuple(healthcare_facility_type_codes),
            format_codes=tuple(format_codes),
            event_codes=tuple(event_codes),
            confidentiality_codes=tuple(confidentiality_codes),
            created=created,
            service_started=service_started,
            service_stopped=service_stopped,
            authors=tuple(authors),
        )
        return read_documents(self._soap.query(find_documents(patient_id, wanted)))

    def get(self, *identifiers: str) -> tuple[DocumentSummary, ...]:
        """The entries of these entryUUIDs, or of these uniqueIds; an unknown one is left out (GetDocuments).

        >>> (entry,) = gateway.get("urn:uuid:8c4f...")                                                # doctest: +SKIP
        """
        return read_documents(self._soap.query(get_documents(identifiers))) if identifiers else ()

    def related(self, identifier: str, *, types: Iterable[str] = v.RELATIONSHIPS) -> RelatedDocuments:
        """What a document replaces, amends or transforms and what does so to it; empty when nothing does.

        `identifier` is an entryUUID or a uniqueId; `types` are association types as "RPLC" or their URNs.
        """
        return read_related(self._soap.query(get_related_documents(identifier, types)))

    def retrieve(self, document: DocumentSummary | tuple[str, str] | str, to: Path | BinaryIO) -> RetrievedFile:
        """Receive a document into a file or an open stream, a piece at a time (ITI-43).

        `document` is an entry, a pair (repositoryUniqueId, uniqueId), or an entryUUID or uniqueId that is looked up
        first. A file appears under its name only when it is whole; a stream keeps what was written before a failure.

        Raises Damaged when size or hash are not those of the entry, Misconfigured when nothing can be written there.

        >>> gateway.retrieve(entry, Path("report.xml")).size                                          # doctest: +SKIP
        10240
        """
        entry = self._look_up(document) if isinstance(document, str) else document
        request, size, sha1 = _requested(entry)
        if isinstance(to, Path):
            return self._retrieve_file(request, size, sha1, to)
        return self._receive(request, size, sha1, to)

    def _look_up(self, identifier: str) -> DocumentSummary:
        found = self.get(identifier)
        if not found:
            raise NotFound("document", identifier)
        return found[0]

    def _retrieve_file(self, request: DocumentRequest, size: int | None, sha1: str | None, to: Path) -> RetrievedFile:
        part = to.with_name(f".{to.name[:100]}.{self._new_uuid().hex}.part")
        try:
            with part.open("xb") as stream:
                received = self._receive(request, size, sha1, stream)
            part.replace(to)
        except OSError as wrong:
            raise Misconfigured(f"{to} cannot be written: {wrong.strerror}") from wrong
        finally:
            part.unlink(missing_ok=True)
        return changed(received, path=to)

    def _receive(self, request: DocumentRequest, size: int | None, sha1: str | None, stream: BinaryIO) -> RetrievedFile:
        receiver = DocumentReceiver(stream)
        received = self._soap.retrieve(request, receiver)
        if size is not None and receiver.size != size:
            raise Damaged("size", str(size), str(receiver.size))
        if sha1 is not None and receiver.sha1 != sha1.lower():
            raise Damaged("hash", sha1.lower(), receiver.sha1)
        return RetrievedFile(
            size=receiver.size,
            sha1=receiver.sha1,
            mime_type=received.mime_type or None,
            new_unique_id=received.new_document_unique_id,
            new_repository_unique_id=received.new_repository_unique_id,
        )


def _requested(document: DocumentSummary | tuple[str, str]) -> tuple[DocumentRequest, int | None, str | None]:
    """The request for a document, and the size and hash that it must have where they are known."""
    if isinstance(document, tuple):
        return DocumentRequest(*document), None, None
    if not (document.repository_unique_id and document.unique_id):
        raise Misconfigured(f"the entry {document.entry_uuid} does not tell where its document is")
    request = DocumentRequest(document.repository_unique_id, document.unique_id, document.home)
    return request, document.size, document.hash
