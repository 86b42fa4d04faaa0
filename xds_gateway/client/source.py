"""The Document Source: one submission, sent once, however often it is tried (ITI TF-2 3.41)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from ..model.messages import DocumentPart, ProvideRequest
from .answers import read_documents
from .errors import Misconfigured, Refused
from .journal import Journal
from .mtom import Attachment
from .queries import get_documents
from .soap import SoapClient
from .submission import (
    ContentDigest,
    SubmissionDetails,
    SubmissionIds,
    build_submission,
    check_complete,
    make_ids,
    read_digest,
    submission_key,
)
from .values import DocumentToSubmit, SubmissionResult

# A part's own type would be another copy of metadata, to disagree with it.
_PART_TYPE: Final = "application/octet-stream"


class DocumentSource:
    """Journals the ids of a submission, asks whether an earlier run got through, and sends it when not."""

    def __init__(
        self,
        soap: SoapClient,
        journal: Journal,
        destination: str,
        new_uuid: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        """`destination` names the gateway in journal keys."""
        self._soap = soap
        self._journal = journal
        self._destination = destination
        self._new_uuid = new_uuid
        self._clock = clock

    def submit(
        self, documents: tuple[DocumentToSubmit, ...], details: SubmissionDetails, journal_key: str | None
    ) -> SubmissionResult:
        """Submit once; raises what `Gateway.submit` says."""
        check_complete(documents, details)
        digests = tuple(read_digest(document.content) for document in documents)
        key = self._key(documents, digests, details, journal_key)
        self._journal.prune(self._clock())
        ids, seen_before = self._journal.claim(key, make_ids(documents, digests, self._new_uuid, self._clock()))
        if [(e.size, e.sha1) for e in ids.entries] != [(d.size, d.sha1) for d in digests]:
            raise Misconfigured(f"the journal key {journal_key} belongs to other documents")
        if seen_before and self._is_there(ids):
            return self._found_there(key, ids)
        try:
            warnings = self._soap.provide(*_message(documents, ids, details))
        except Refused as refused:
            # the request of the earlier run may have come through between the question and this answer
            if seen_before and self._is_there(ids):
                return self._found_there(key, ids)
            self._journal.finish(key, ids, " ".join(("refused", *(error.code for error in refused.errors))))
            raise
        self._journal.finish(key, ids, "accepted")
        return replace(_result(ids), warnings=warnings)

    def rehearse(self, documents: tuple[DocumentToSubmit, ...], details: SubmissionDetails) -> SubmissionResult:
        """Ask what a submission would do, by a dry run with ids of its own that nothing keeps; raises Refused."""
        check_complete(documents, details)
        digests = tuple(read_digest(document.content) for document in documents)
        ids = make_ids(documents, digests, self._new_uuid, self._clock())
        warnings, planned = self._soap.rehearse(*_message(documents, ids, details))
        return replace(_result(ids), warnings=warnings, planned=planned)

    def _key(
        self,
        documents: Sequence[DocumentToSubmit],
        digests: Sequence[ContentDigest],
        details: SubmissionDetails,
        journal_key: str | None,
    ) -> str:
        if journal_key is None:
            return submission_key(documents, digests, details, self._destination)
        return hashlib.sha256(f"{self._destination} {journal_key}".encode()).hexdigest()

    def _found_there(self, key: str, ids: SubmissionIds) -> SubmissionResult:
        self._journal.finish(key, ids, "already there")
        return replace(_result(ids), already_there=True)

    def _is_there(self, ids: SubmissionIds) -> bool:
        """All or nothing is registered, so that the entries tell of the whole set."""
        wanted = {entry.entry_uuid for entry in ids.entries}
        found = read_documents(self._soap.query(get_documents(sorted(wanted))))
        return wanted <= {document.entry_uuid for document in found}


def _result(ids: SubmissionIds) -> SubmissionResult:
    return SubmissionResult(submission_set_uuid=ids.set_uuid, unique_id=ids.set_unique_id, entries=ids.entries)


def _message(
    documents: tuple[DocumentToSubmit, ...], ids: SubmissionIds, details: SubmissionDetails
) -> tuple[ProvideRequest, tuple[Attachment, ...]]:
    """The request of a submission and its documents."""
    attachments = tuple(
        Attachment(f"document{number}@xds-gateway", _PART_TYPE, document.content, entry.size)
        for number, (document, entry) in enumerate(zip(documents, ids.entries, strict=True), 1)
    )
    parts = tuple(
        DocumentPart(entry.entry_uuid, attachment.content_id, None)
        for entry, attachment in zip(ids.entries, attachments, strict=True)
    )
    request = ProvideRequest(submission=build_submission(documents, ids, details), parts=parts)
    return request, attachments
