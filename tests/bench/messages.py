"""Messages of the benchmark: one realistic document of 100 KB per submission, made by our own client code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from xds_gateway.client.queries import stored_query
from xds_gateway.client.samples import make_sample
from xds_gateway.client.submission import SubmissionDetails, build_submission, make_ids, read_digest
from xds_gateway.codec.hl7v3 import render_feed
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.soap import render_request_envelope
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.codec.xdsb import (
    render_provide_request,
    render_query_request,
    render_register_request,
    render_retrieve_request,
)
from xds_gateway.model.datatypes import Author, Code
from xds_gateway.model.feeds import FeedMessage, Identifier, InstanceIdentifier, Wrapper
from xds_gateway.model.messages import DocumentPart, DocumentRequest, ProvideRequest, QueryRequest, RetrieveRequest
from xds_gateway.model.metadata import Slot, Submission

SIZE: Final = 100 * 1024  # bytes of a document
ACTIONS: Final = {row.name: row.request_action for row in TRANSACTIONS}
CONTENT_TYPE: Final = Code("34133-9", "2.16.840.1.113883.6.1", "Episode")  # of sets and folders
ENDPOINTS: Final = {row.name: row.endpoint for row in TRANSACTIONS}
RESULTS: Final = 10  # documents of one patient, so results of one query
# of the organisation of throw-away assertions, so that their user may replace and remove
AUTHOR: Final = Author(person="^Martin^Claire", institutions=("Cabinet Martin^^^^^^^^^2.25.55555555555555555",))
FEED_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201301UV02"
_HIS, _GATEWAY = InstanceIdentifier("1.2.9.1"), InstanceIdentifier("1.2.9.2")
RENDERER: Final = MultipartRenderer("bench-0123456789abcdef")


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
        metadata = replace(
            sample.metadata, unique_id=f"2.25.{uuid4().int}", title=f"Compte rendu {number}", authors=(AUTHOR,)
        )
        documents = (type(sample)(content=document, metadata=metadata),)
        ids = make_ids(documents, (digest,), new_uuid, datetime.now(UTC))
        details = SubmissionDetails(patient_id=patient(number // RESULTS), source_id="1.2.250.1.999.1")
        yield build_submission(documents, ids, details)


def new_uuid() -> UUID:
    """A random one."""
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


def register(submission: Submission) -> Message:
    """ITI-42 for documents of another repository."""
    return plain("ITI-42", render_register_request(held_elsewhere(submission)))


def held_elsewhere(submission: Submission) -> Submission:
    """The submission with the repositoryUniqueId of another repository in its entries."""
    place = Slot("repositoryUniqueId", ("1.2.3.4.5",))
    entries = tuple(replace(entry, slots=(*entry.slots, place)) for entry in submission.document_entries)
    return replace(submission, document_entries=entries)


def find(number: int) -> Message:
    """FindDocuments for one patient, LeafClass."""
    return ask("FindDocuments", {"patient_id": patient(number), "status": "Approved"})


def ask(name: str, parameters: Mapping[str, Any]) -> Message:
    """A stored query by its name and the names of its parameters, LeafClass."""
    asked = stored_query(name, parameters)
    request = QueryRequest(query_id=asked.query_id, return_type="LeafClass", parameters=asked.parameters)
    return plain(asked.transaction, render_query_request(request))


def retrieve(repository_unique_id: str, unique_id: str) -> Message:
    """ITI-43 for one document, asked in MTOM."""
    request = RetrieveRequest(documents=(DocumentRequest(repository_unique_id, unique_id),))
    root = _envelope("ITI-43", render_retrieve_request(request))
    body = b"".join((RENDERER.root_head(), root, RENDERER.closing()))
    return Message(transaction="ITI-43", root=root, body=body, content_type=RENDERER.content_type())


def plain(transaction: str, body: bytes, action: str | None = None) -> Message:
    """A message that is one envelope; the action is that of the transaction, where it has one only."""
    root = _envelope(transaction, body, action)
    return Message(transaction=transaction, root=root, body=root, content_type="application/soap+xml; charset=UTF-8")


def feed(number: int) -> Message:
    """ITI-44: a patient of its own becomes known."""
    header = Wrapper("PRPA_IN201301UV02", InstanceIdentifier("1.2.9", str(number)), (_HIS,), (_GATEWAY,))
    identifier, _, _, authority = patient(number).split("^")
    content = FeedMessage(header, (Identifier(identifier, *authority.split("&")),), ())
    return plain("ITI-44", render_feed(content, now="20260314083000"), FEED_ACTION)


def _envelope(transaction: str, body: bytes, action: str | None = None) -> bytes:
    address = f"https://localhost/services/{ENDPOINTS[transaction]}"
    return render_request_envelope(action or ACTIONS[transaction], address, body, new_uuid().urn)
