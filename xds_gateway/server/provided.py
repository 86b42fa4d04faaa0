"""The documents of a request: attachments, and those inside the envelope."""

import binascii
from collections.abc import Mapping

from ..actors.ports import DocumentStore
from ..model.errors import FaultCode, Finding, RequestRefused, SoapFault
from ..model.feeds import FeedMessage, Wrapper
from ..model.messages import DocumentPart, ProvideRequest, Request, SpooledDocument
from ..rules.ihe import finding
from .receiving import Attachment


def wanted(request: Request | FeedMessage[Wrapper]) -> frozenset[str]:
    """Content-IDs of the attachments that a request names."""
    if not isinstance(request, ProvideRequest):
        return frozenset()
    return frozenset(part.content_id for part in request.parts if part.content_id is not None)


def spooled(
    request: ProvideRequest, taken: dict[str, Attachment], documents: DocumentStore, limit: int
) -> Mapping[str, SpooledDocument]:
    """The documents of ITI-41 by entry id; inline ones, of at most `limit` bytes, join those `taken`."""
    missing = [part for part in request.parts if part.content_id is not None and part.content_id not in taken]
    if missing:
        raise RequestRefused(*(_part_missing(part) for part in missing))
    keys = {part.id: part.content_id or _inline(part, taken, documents, limit) for part in request.parts}
    finished = {key: attachment.finish() for key, attachment in taken.items()}
    return {identifier: finished[key] for identifier, key in keys.items()}


def _inline(part: DocumentPart, taken: dict[str, Attachment], documents: DocumentStore, limit: int) -> str:
    """Take a document out of the envelope; returns its key, which no Content-ID can be."""
    key = f"\0{part.id}"
    attachment = taken[key] = Attachment(documents, limit)
    attachment.take(_decoded(part.inline or "", limit))
    return key


def _part_missing(part: DocumentPart) -> Finding:
    return finding("ihe.document.part", object_id=part.id, received=f"cid:{part.content_id}")


def _decoded(text: str, limit: int) -> bytes:
    """Inline base64, white space apart; raises SoapFault when it is none or too long."""
    compact = "".join(text.split())
    if len(compact) // 4 * 3 - compact[-2:].count("=") > limit:
        raise SoapFault(
            FaultCode.SENDER,
            f"A document in the envelope is over {limit} bytes (limit inline_document); send it by MTOM",
            rule="xdsb.inline",
        )
    not_base64 = SoapFault(FaultCode.SENDER, "A document in the envelope is not base64", rule="xdsb.base64")
    if len(compact) % 4:  # what a2b_base64 does not see: one `=` too many
        raise not_base64
    try:
        return binascii.a2b_base64(compact, strict_mode=True)
    except ValueError:
        raise not_base64 from None
