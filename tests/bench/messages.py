"""Messages of the benchmark: one realistic document of 100 KB per submission, made by our own client code."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from xds_gateway.client.samples import make_sample
from xds_gateway.client.submission import SubmissionDetails, build_submission, make_ids, read_digest
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.soap import render_request_envelope
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.codec.xdsb import (
    render_provide_request,
    render_query_request,
    render_register_request,
    render_retrieve_request,
)
from xds_gateway.model.messages import DocumentPart, DocumentRequest, ProvideRequest, QueryRequest, RetrieveRequest
from xds_gateway.model.metadata import Slot, Submission

SIZE: Final = 100 * 1024  # bytes of a document
ACTIONS: Final = {row.name: row.request_action for row in TRANSACTIONS}
ENDPOINTS: Final = {row.name: row.endpoint for row in TRANSACTIONS}
RESULTS: Final = 10  # documents of one patient, so results of one query
RENDERER: Final = MultipartRenderer("bench-0123456789abcdef")
_FIND: Final = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request as bytes: its root part, the body on the wire and its Content-Type; `unique_id` of its document."""

    transaction: str
    root: bytes
    body: bytes
    content_type: str
    unique_id: str = ""

    @property
    def endpoint(self) -> str:
        """registry or repository."""
        return ENDPOINTS[self.transaction]


def content(size: int = SIZE) -> bytes:
    """A document of exactly this size."""
    sample = make_sample(seed=7, size=size).content
    assert isinstance(sample, bytes)
    return sample.ljust(size, b"\n")[:size]


def patient(number: int) -> str:
    """The CX of patient `number`."""
    return f"BENCH{number:07d}^^^&1.2.250.1.213.1.4.10&ISO"


def submissions(document: bytes, count: int, first: int = 0) -> Iterator[Submission]:
    """Submissions of one document each; RESULTS follow each other for one patient."""
    sample = make_sample(seed=7)
    digest = read_digest(document)
    for number in range(first, first + count):
        metadata = replace(sample.metadata, unique_id=f"2.25.{uuid4().int}", title=f"Compte rendu {number}")
        documents = (type(sample)(content=document, metadata=metadata),)
        ids = make_ids(documents, (digest,), _new_uuid, datetime.now(UTC))
        details = SubmissionDetails(patient_id=patient(number // RESULTS), source_id="1.2.250.1.999.1")
        yield build_submission(documents, ids, details)


def _new_uuid() -> UUID:
    return uuid4()


def provide(submission: Submission, document: bytes) -> Message:
    """ITI-41 by MTOM."""
    entry = submission.document_entries[0]
    request = ProvideRequest(submission=submission, parts=(DocumentPart(entry.id, "document@bench", None),))
    root = _envelope("ITI-41", render_provide_request(request))
    body = b"".join(
        (RENDERER.root_head(), root, RENDERER.part_head("document@bench", "text/xml"), document, RENDERER.closing())
    )
    return Message(
        transaction="ITI-41",
        root=root,
        body=body,
        content_type=RENDERER.content_type(),
        unique_id=entry.unique_id or "",
    )


def register(submission: Submission, document: bytes) -> Message:
    """ITI-42 for a document of another repository."""
    (entry,) = submission.document_entries
    known = {"hash": hashlib.sha1(document).hexdigest(), "size": str(len(document)), "repositoryUniqueId": "1.2.3.4.5"}
    slots = (*(s for s in entry.slots if s.name not in known), *(Slot(n, (value,)) for n, value in known.items()))
    root = _envelope(
        "ITI-42", render_register_request(replace(submission, document_entries=(replace(entry, slots=slots),)))
    )
    return _plain("ITI-42", root)


def find(number: int) -> Message:
    """FindDocuments for one patient, LeafClass."""
    request = QueryRequest(
        query_id=_FIND,
        return_type="LeafClass",
        parameters=(
            ("$XDSDocumentEntryPatientId", (f"'{patient(number)}'",)),
            ("$XDSDocumentEntryStatus", ("('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",)),
        ),
    )
    return _plain("ITI-18", _envelope("ITI-18", render_query_request(request)))


def retrieve(repository_unique_id: str, unique_id: str) -> Message:
    """ITI-43 for one document, asked in MTOM."""
    request = RetrieveRequest(documents=(DocumentRequest(repository_unique_id, unique_id),))
    root = _envelope("ITI-43", render_retrieve_request(request))
    body = b"".join((RENDERER.root_head(), root, RENDERER.closing()))
    return Message(transaction="ITI-43", root=root, body=body, content_type=RENDERER.content_type())


def _plain(transaction: str, root: bytes) -> Message:
    return Message(transaction=transaction, root=root, body=root, content_type="application/soap+xml; charset=UTF-8")


def _envelope(transaction: str, body: bytes) -> bytes:
    address = f"https://localhost/services/{ENDPOINTS[transaction]}"
    return render_request_envelope(ACTIONS[transaction], address, body, _new_uuid().urn)
