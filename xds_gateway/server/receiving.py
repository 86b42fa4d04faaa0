"""A SOAP message off the wire: the root part first and whole, attachments only when wanted (ITI TF-2 V.8)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ..actors.ports import DocumentStore, Spool
from ..codec.mtom import (
    MULTIPART,
    SOAP,
    ContentType,
    MimeLimits,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    is_root,
    mime_fault,
    parse_content_type,
)
from ..model.errors import HttpRefused
from ..model.messages import SpooledDocument
from .exchange import HttpRequest

T = TypeVar("T")
Run = Callable[..., Awaitable[Any]]

_EARLY_PARTS: Final = 1024 * 1024  # bytes of parts that come before the root, held in memory
_BATCH: Final = 256 * 1024  # bytes of attachments held before they go to their spool file
_SOAP11: Final = "text/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingLimits:
    """What a message may cost: bytes of the root part, of one document, of the whole body; and its MIME structure."""

    envelope: int
    document: int
    body: int
    mime: MimeLimits


@dataclass(slots=True)
class Attachment:
    """A document on its way to the spool."""

    spool: Spool
    pending: list[bytes] = field(default_factory=list)
    size: int = 0

    def flush(self) -> None:
        """Write what is pending; blocks on the disk."""
        for data in self.pending:
            self.spool.write(data)
        self.pending.clear()

    def finish(self) -> SpooledDocument:
        """The whole document."""
        self.flush()
        return self.spool.finish()


class IncomingMessage:
    """A message being received; `root` is complete once `receive_message` returns it."""

    def __init__(self, body: AsyncIterator[bytes], content_type: ContentType, limits: ReceivingLimits) -> None:
        self._body = body
        self._limits = limits
        self.media_type = content_type.media_type
        self.charset = content_type.parameters.get("charset")
        self.mtom = content_type.media_type == MULTIPART
        self.root = b""
        self._parser: MultipartParser | None = None
        self._start = content_type.parameters.get("start")
        self._events: list[Any] = []
        self._early: list[Any] = []  # events of parts before the root
        self._parts = 0
        if self.mtom:
            boundary = content_type.parameters.get("boundary")
            if not boundary:
                raise mime_fault("boundary", "The Content-Type of a multipart message needs a boundary parameter")
            self._parser = MultipartParser(boundary, limits.mime)

    async def receive_root(self) -> None:
        """Read until the root part is complete; parts before it are kept up to a small cap. Raises SoapFault."""
        if self._parser is None:
            await self._receive_plain()
            return
        collected: list[bytes] | None = None
        size = early = 0
        async for event in self._multipart_events():
            if isinstance(event, PartBegin) and collected is None and is_root(event.head, self._parts - 1, self._start):
                collected = []
                self._take_charset(event)
            elif collected is None:
                early += len(event.data) if isinstance(event, PartData) else 1
                if early > _EARLY_PARTS:
                    raise mime_fault(
                        "start", f"Parts before the root part are over {_EARLY_PARTS} bytes; send the root first"
                    )
                self._early.append(event)
            elif isinstance(event, PartData):
                size += len(event.data)
                self._check_envelope(size)
                collected.append(event.data)
            else:
                self.root = b"".join(collected)
                return
        raise mime_fault("root", "No part of the message is the root part that the start parameter names")

    def _take_charset(self, begin: PartBegin) -> None:
        if begin.head.content_type:
            self.charset = parse_content_type(begin.head.content_type).parameters.get("charset", self.charset)

    async def _receive_plain(self) -> None:
        collected, size = [], 0
        async for data in self._body:
            size += len(data)
            self._check_envelope(size)
            collected.append(data)
        self.root = b"".join(collected)

    def _check_envelope(self, size: int) -> None:
        if size > self._limits.envelope:
            raise mime_fault("envelope", f"The envelope is over {self._limits.envelope} bytes (limit envelope_bytes)")

    async def _multipart_events(self) -> AsyncIterator[Any]:
        """Events in order; those of a chunk that were not taken stay for the next call."""
        parser = self._parser
        if parser is None:
            return
        while True:
            while self._events:
                event = self._events.pop()
                self._parts += isinstance(event, PartBegin)
                yield event
            data = await anext(self._body, None)
            if data is None:
                self._events = parser.close()
                if not self._events:
                    return
            else:
                self._events = parser.feed(data)
            self._events.reverse()

    async def receive_attachments(
        self, wanted: Collection[str], documents: DocumentStore, run: Run
    ) -> Mapping[str, Attachment]:
        """Read to the end of the message; parts whose Content-ID is wanted go to the spool, others are passed over.

        On any failure what was received is discarded. Raises SoapFault, StorageFull, StorageBusy.
        """
        taken: dict[str, Attachment] = {}
        try:
            if self._parser is not None:
                await self._take(wanted, documents, run, taken)
        except BaseException:
            discard(taken)
            raise
        return taken

    async def _take(
        self, wanted: Collection[str], documents: DocumentStore, run: Run, taken: dict[str, Attachment]
    ) -> None:
        current: Attachment | None = None
        held = 0
        async for event in self._remaining_events():
            if isinstance(event, PartBegin):
                current = None
                if event.head.content_id in wanted and event.head.content_id is not None:
                    current = taken[event.head.content_id] = Attachment(documents.spool())
            elif isinstance(event, PartData) and current is not None:
                held += self._hold(current, event.data)
                if held > _BATCH:
                    await run(_flush, tuple(taken.values()))
                    held = 0
            elif isinstance(event, PartEnd):
                current = None

    def _hold(self, attachment: Attachment, data: bytes) -> int:
        attachment.size += len(data)
        if attachment.size > self._limits.document:
            raise mime_fault("document", f"A document is over {self._limits.document} bytes (limit document_bytes)")
        attachment.pending.append(data)
        return len(data)

    async def _remaining_events(self) -> AsyncIterator[Any]:
        for event in self._early:
            yield event
        async for event in self._multipart_events():
            yield event


def discard(attachments: Mapping[str, Attachment]) -> None:
    """Delete the spool files of a message that is not stored."""
    for attachment in attachments.values():
        attachment.spool.discard()


def _flush(attachments: tuple[Attachment, ...]) -> None:
    for attachment in attachments:
        attachment.flush()


async def receive_message(request: HttpRequest, limits: ReceivingLimits) -> IncomingMessage:
    """The message of a request, read as far as its root part. Raises HttpRefused, SoapFault, ClientGone."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HttpRefused(
            415,
            "Content-Encoding is not supported; send the message as it is",
            headers=(("Accept-Encoding", "identity"),),
        )
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limits.body:
        raise HttpRefused(413, f"The body is over {limits.body} bytes (limit body_bytes)")
    content_type = parse_content_type(request.headers.get("content-type", ""))
    if content_type.media_type not in (MULTIPART, SOAP, _SOAP11):
        raise HttpRefused(415, f"Send {SOAP}, or {MULTIPART} for MTOM", headers=(("Accept", f"{SOAP}, {MULTIPART}"),))
    message = IncomingMessage(_counted(request.body, limits.body), content_type, limits)
    await message.receive_root()
    return message


async def _counted(body: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for data in body:
        size += len(data)
        if size > limit:
            raise HttpRefused(413, f"The body is over {limit} bytes (limit body_bytes)")
        yield data
