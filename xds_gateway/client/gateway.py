"""The SDK: submit, find, retrieve, replace, update and remove documents in a few lines.

from pathlib import Path
from xds_gateway.client import Gateway, read_document

with Gateway(registry_url, repository_url, certificate=certificate, key=key, ca=ca) as gateway:
    done = gateway.submit(read_document(Path("report.xml")), patient_id="42^^^&1.2.3&ISO", source_id="1.2.3.4")
    for document in gateway.find("42^^^&1.2.3&ISO"):
        gateway.retrieve(document, Path("copies") / document.unique_id)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..codec.captures import NotACapture, parse_capture
from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..rules.explaining import Explanation
from .administrator import DocumentAdministrator
from .consumer import DocumentConsumer
from .errors import Misconfigured
from .explaining import ask
from .submission import SubmissionDetails
from .values import DocumentToSubmit, SubmissionResult


class Gateway(DocumentConsumer, DocumentAdministrator):
    """A Document Source, Document Consumer and Document Administrator of one gateway; see `Session`."""

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
        relation: tuple[str, str] | None = None,
        folders: Sequence[str] = (),
        journal_key: str | None = None,
        dry_run: bool = False,
    ) -> SubmissionResult:
        """Submit documents of one patient as one submission set: all are registered, or none (ITI-41).

        `patient_id` is a CX as "42^^^&1.2.3&ISO", `source_id` the OID of the sending system. The set's author and
        contentTypeCode are by default those of the first document. `replaces` is the entryUUID that the one document
        replaces; `relation` is any other relationship of it, as ("APND", entryUUID). `folders` are entryUUIDs of the
        folders that the documents are put into.

        The ids are journaled before the first byte leaves. A later run with the same documents and details, or the same
        `journal_key`, sends the same ids; when the set is there already nothing is sent and `already_there` is True.

        With `dry_run` the gateway judges all of it, documents too, and changes nothing: the result has `planned`, a
        refusal is raised as Refused, and no id is journaled.

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
            relation=_relation("RPLC", replaces) if replaces else _relation(*relation) if relation else None,
            folders=tuple(folders),
        )
        if dry_run:
            return self._source.rehearse(chosen, details)
        return self._source.submit(chosen, details, journal_key)

    def replace(
        self,
        old_entry_uuid: str,
        document: DocumentToSubmit,
        *,
        patient_id: str,
        source_id: str,
        title: str | None = None,
        transformed: bool = False,
    ) -> SubmissionResult:
        """Submit a document that takes the place of another, which becomes Deprecated (ITI TF-3 4.2.2.2.3).

        `transformed` says that it is the same content in another format, too (XFRM_RPLC).

        >>> gateway.replace(old.entry_uuid, corrected, patient_id=patient, source_id="1.2.3.4")       # doctest: +SKIP
        """
        kind = "XFRM_RPLC" if transformed else "RPLC"
        return self._relate(kind, old_entry_uuid, document, patient_id, source_id, title)

    def append(
        self,
        to_entry_uuid: str,
        document: DocumentToSubmit,
        *,
        patient_id: str,
        source_id: str,
        title: str | None = None,
    ) -> SubmissionResult:
        """Submit an addendum to a document, which stays as it is (APND, ITI TF-3 4.2.2.2.1)."""
        return self._relate("APND", to_entry_uuid, document, patient_id, source_id, title)

    def transform(
        self,
        of_entry_uuid: str,
        document: DocumentToSubmit,
        *,
        patient_id: str,
        source_id: str,
        title: str | None = None,
    ) -> SubmissionResult:
        """Submit the content of a document in another format, beside it (XFRM, ITI TF-3 4.2.2.2.2)."""
        return self._relate("XFRM", of_entry_uuid, document, patient_id, source_id, title)

    def explain(self, message: bytes | Path, *, transaction: str | None = None) -> Explanation:
        """What this gateway would make of a captured request, asked by a dry run: nothing is changed.

        `message` is an HTTP request, a MIME message, an envelope or the element of a Body, or a file of it;
        `transaction`, as "ITI-57", says what a naked element is meant for. What is wrong is told, never raised as
        Refused or Fault. Raises Misconfigured for a message to which the header DryRun cannot be added with certainty.

        >>> gateway.explain(Path("request")).outcome                                                   # doctest: +SKIP
        'refused'
        """
        try:
            capture = parse_capture(_bytes_of(message), transaction)
        except NotACapture as wrong:
            raise Misconfigured(f"this is no captured request: {wrong}") from wrong
        return ask(capture, self._addresses, self._channel, self._assertion() if self._assertion else None)

    def _relate(
        self, kind: str, target: str, document: DocumentToSubmit, patient_id: str, source_id: str, title: str | None
    ) -> SubmissionResult:
        return self.submit(document, patient_id=patient_id, source_id=source_id, title=title, relation=(kind, target))


def _bytes_of(message: bytes | Path) -> bytes:
    if isinstance(message, bytes):
        return message
    try:
        return message.read_bytes()
    except OSError as wrong:
        raise Misconfigured(f"{message} cannot be read: {wrong.strerror}") from wrong


_RELATIONSHIPS: Final = {urn.rpartition(":")[2]: urn for urn in v.RELATIONSHIPS}


def _relation(kind: str, target: str) -> tuple[str, str]:
    """The URN of a relationship, and what it is with."""
    return _RELATIONSHIPS.get(kind, kind), target
