"""Messages and a document to send by hand: written fresh at each start, so that their ids are new."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from ..client.mtom import Attachment, MtomMessage
from ..client.queries import DocumentFilter, find_documents
from ..client.samples import SOURCE_ID, make_sample
from ..client.submission import SubmissionDetails, build_submission, make_ids, make_oid, read_digest
from ..codec.mtom import SOAP
from ..codec.soap import render_request_envelope
from ..codec.transactions import TRANSACTIONS
from ..codec.xdsb import render_provide_request, render_query_request
from ..model.messages import DocumentPart, ProvideRequest, QueryRequest

_ACTIONS: Final = {row.name: row.request_action for row in TRANSACTIONS}
_PATIENT: Final = "42^^^&1.2.3&ISO"
_BOUNDARY: Final = "xds-gateway-example"
_CONTENT_ID: Final = "document1@xds-gateway"


class Examples(NamedTuple):
    """Files, and the header that each message needs."""

    patient_id: str
    document: Path
    find: Path
    find_type: str
    provide: Path
    provide_type: str


def write_examples(folder: Path, url: str) -> Examples:
    """Write a CDA document, an ITI-18 and an ITI-41 request for the mount at `url`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Examples(
        patient_id=_PATIENT,
        document=folder / "report.xml",
        find=folder / "find.xml",
        find_type=f'Content-Type: {SOAP}; charset=UTF-8; action="{_ACTIONS["ITI-18"]}"',
        provide=folder / "provide.mime",
        provide_type="",
    )
    sample = make_sample(seed=uuid4().int)
    content, body = sample.content, _provide(url)
    made.document.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    made.find.write_bytes(_find(url, made.patient_id))
    made.provide.write_bytes(b"".join(body))
    return made._replace(provide_type=f"Content-Type: {body.content_type}")


def _find(url: str, patient: str) -> bytes:
    _, query_id, parameters = find_documents(patient, DocumentFilter())
    request = QueryRequest(query_id=query_id, return_type="LeafClass", parameters=parameters)
    return render_request_envelope(_ACTIONS["ITI-18"], f"{url}/registry", render_query_request(request), uuid4().urn)


def _provide(url: str) -> MtomMessage:
    document = make_sample(seed=uuid4().int).changed(unique_id=make_oid(uuid4()))
    ids = make_ids((document,), (read_digest(document.content),), uuid4, datetime.now(UTC))
    details = SubmissionDetails(patient_id=_PATIENT, source_id=SOURCE_ID)
    (entry,) = ids.entries
    request = ProvideRequest(
        submission=build_submission((document,), ids, details),
        parts=(DocumentPart(entry.entry_uuid, _CONTENT_ID, None),),
    )
    action = _ACTIONS["ITI-41"]
    envelope = render_request_envelope(action, f"{url}/repository", render_provide_request(request), uuid4().urn)
    attachment = Attachment(_CONTENT_ID, "application/octet-stream", document.content, entry.size)
    return MtomMessage(envelope, (attachment,), action, _BOUNDARY)
