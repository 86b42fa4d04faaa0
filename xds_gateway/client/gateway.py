"""The SDK: submit, find, retrieve and replace documents in a few lines.

from pathlib import Path
from xds_gateway.client import Gateway, read_document

with Gateway(registry_url, repository_url, certificate=certificate, key=key, ca=ca) as gateway:
    done = gateway.submit(read_document(Path("report.xml")), patient_id="42^^^&1.2.3&ISO", source_id="1.2.3.4")
    for document in gateway.find("42^^^&1.2.3&ISO"):
        gateway.retrieve(document, Path("copies") / document.unique_id)
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace as changed
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID, uuid4

from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.messages import DocumentRequest
from .answers import read_documents, read_related
from .errors import Damaged, Misconfigured
from .http import HttpChannel, Timeouts, TlsFiles, Transferred, nobody_watches
from .journal import Journal
from .mtom import DocumentReceiver
from .queries import ANY_TIME, DocumentFilter, Period, find_documents, get_documents, get_related_documents
from .soap import SoapClient
from .source import DocumentSource
from .submission import (
    SubmissionDetails,
)
from .values import DocumentSummary, DocumentToSubmit, RelatedDocuments, RetrievedFile, SubmissionResult


class Gateway:
    """A Document Source and Document Consumer of one gateway, over mutual TLS; use one for each thread.

    Every method raises the errors of `xds_gateway.client.errors`: Unreachable, TimedOut, TlsRefused, UnexpectedAnswer,
    Fault and Refused; what else a method raises stands with it.
    """

    def __init__(
        self,
        registry_url: str,
        repository_url: str,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        ca: Path | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        journal: Path | None = None,
        transferred: Transferred = nobody_watches,
        new_uuid: Callable[[], UUID] = uuid4,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is sent yet. `certificate`, `key` and `ca` are PEM files; `timeout` is (connect, read) in seconds.

        `journal` is the folder of submission journals, by default `xds-gateway/journal` in the user's state folder.
        `transferred` is told the size of each piece of a body that has been sent or received, for those who draw it.
        Raises Misconfigured for unusable files.
        """
        self._new_uuid = new_uuid
        kept = Journal(journal or default_journal())
        self._channel = HttpChannel(TlsFiles(certificate=certificate, key=key, ca=ca), Timeouts(*timeout), transferred)
        self._soap = SoapClient(registry_url, repository_url, self._channel, new_uuid)
        self._source = DocumentSource(self._soap, kept, f"{registry_url} {repository_url}", new_uuid, clock)

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- Document Source ------------------------------------------------------------------------------------------

    def submit(
        self,
        documents: DocumentToSubmit | Sequence[DocumentToSubmit],
        *,
        patient_id: str,
        source_id: str,
        authors: Sequence[Author] = (),
        content_type_code: Code | None = None,
        title: str | None = None,
        comments: str | None = None,
        replaces: str | None = None,
        journal_key: str | None = None,
    ) -> SubmissionResult:
        """Submit documents of one patient as one submission set: all are registered, or none (ITI-41).

        `patient_id` is a CX as "42^^^&1.2.3&ISO", `source_id` the OID of the sending system. The set's author and
        contentTypeCode are by default those of the first document. `replaces` is the entryUUID that the one document
        replaces.

        The ids are journaled before the first byte leaves. A later run with the same documents and details, or the same
        `journal_key`, sends the same ids; when the set is there already nothing is sent and `already_there` is True.

        Raises IncompleteMetadata before anything is sent, Misconfigured for an unreadable file or journal.

        >>> gateway.submit(document, patient_id=patient, source_id="1.2.3.4").entries[0].entry_uuid   # doctest: +SKIP
        'urn:uuid:8c4f...'
        """
        chosen = (documents,) if isinstance(documents, DocumentToSubmit) else tuple(documents)
        details = SubmissionDetails(
            patient_id=patient_id,
            source_id=source_id,
            authors=tuple(authors),
            content_type_code=content_type_code,
            title=title,
            comments=comments,
            replaces=replaces,
        )
        return self._source.submit(chosen, details, journal_key)

    def replace(
        self,
        old_entry_uuid: str,
        document: DocumentToSubmit,
        *,
        patient_id: str,
        source_id: str,
        title: str | None = None,
    ) -> SubmissionResult:
        """Submit a document that takes the place of another, which becomes Deprecated (ITI TF-3 4.2.2.2.3).

        >>> gateway.replace(old.entry_uuid, corrected, patient_id=patient, source_id="1.2.3.4")       # doctest: +SKIP
        """
        return self.submit(document, patient_id=patient_id, source_id=source_id, title=title, replaces=old_entry_uuid)

    # --- Document Consumer ----------------------------------------------------------------------------------------

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
        return read_documents(self._soap.query(*find_documents(patient_id, wanted)))

    def get(self, *identifiers: str) -> tuple[DocumentSummary, ...]:
        """The entries of these entryUUIDs, or of these uniqueIds; an unknown one is left out (GetDocuments).

        >>> (entry,) = gateway.get("urn:uuid:8c4f...")                                                # doctest: +SKIP
        """
        return read_documents(self._soap.query(*get_documents(identifiers))) if identifiers else ()

    def related(self, identifier: str, *, types: Iterable[str] = v.RELATIONSHIPS) -> RelatedDocuments:
        """What a document replaces, amends or transforms and what does so to it; empty when nothing does.

        `identifier` is an entryUUID or a uniqueId; `types` are association types as "RPLC" or their URNs.
        """
        return read_related(self._soap.query(*get_related_documents(identifier, types)))

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
            raise Misconfigured(f"there is no document {identifier} for this caller")
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
        mime_type = self._soap.retrieve(request, receiver)
        if size is not None and receiver.size != size:
            raise Damaged("size", str(size), str(receiver.size))
        if sha1 is not None and receiver.sha1 != sha1.lower():
            raise Damaged("hash", sha1.lower(), receiver.sha1)
        return RetrievedFile(size=receiver.size, sha1=receiver.sha1, mime_type=mime_type or None)


def _requested(document: DocumentSummary | tuple[str, str]) -> tuple[DocumentRequest, int | None, str | None]:
    """The request for a document, and the size and hash that it must have where they are known."""
    if isinstance(document, tuple):
        return DocumentRequest(*document), None, None
    if not (document.repository_unique_id and document.unique_id):
        raise Misconfigured(f"the entry {document.entry_uuid} does not tell where its document is")
    request = DocumentRequest(document.repository_unique_id, document.unique_id, document.home)
    return request, document.size, document.hash


def default_journal() -> Path:
    """`xds-gateway/journal` in `$XDG_STATE_HOME` or `~/.local/state`; raises Misconfigured where there is no home."""
    state = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "xds-gateway" / "journal"
    except RuntimeError as wrong:
        raise Misconfigured(
            "there is no home folder to keep the journal in: give the client a journal folder"
        ) from wrong
