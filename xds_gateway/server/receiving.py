"""A SOAP message off the wire: the root part first and whole, attachments only when wanted (ITI TF-2 V.8)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ..actors.ports import DocumentStore, Spool
from ..codec.mtom import (
    MULTIPART,
    SOAP,
    ContentType,
    Event,
    MimeLimits,
    MultipartParser,
    PartBegin,
    PartData,
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
_BATCH: Final = 256 * 1024  # bytes of attachments held in memory before they go to the spool
_SOAP11: Final = "text/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingLimits:
    """What a message may cost: bytes of the root part, of one document, of the whole body; and its MIME structure."""

    envelope: int
    document: int
    body: int
    mime: MimeLimits


class Attachment:
    """A document on its way to the spool: in memory at first, in its file once there is much of it."""

    def __init__(self, documents: DocumentStore, limit: int) -> None:
        self._documents = documents
        self._limit = limit
        self._pending: list[bytes] = []
        self._spool: Spool | None = None
        self._size = 0

    def take(self, data: bytes) -> None:
        """More bytes. Raises SoapFault when the document is over the limit."""
        self._size += len(data)
        if self._size > self._limit:
            raise mime_fault("document", f"A document is over {self._limit} bytes (limit document_bytes)")
        self._pending.append(data)

    def flush(self) -> Spool:
        """Write what is pending; blocks on the disk. Raises StorageFull, StorageBusy."""
        if self._spool is None:
            self._spool = self._documents.spool()
        for data in self._pending:
            self._spool.write(data)
        self._pending.clear()
        return self._spool

    def finish(self) -> SpooledDocument:
        """The whole document."""
        return self.flush().finish()

    def discard(self) -> None:
        """Delete its spool file, if it has one."""
        if self._spool is not None:
            self._spool.discard()


class Intake:
    """Takes the parts of a message that somebody wants and passes over the others."""

    def __init__(self, wanted: Collection[str], documents: DocumentStore, limit: int) -> None:
        self._wanted = wanted
        self._documents = documents
        self._limit = limit
        self._current: Attachment | None = None
        self.taken: dict[str, Attachment] = {}
        self.held = 0  # bytes in memory

    def take(self, event: Event) -> None:
        """The next event of the message."""
        if isinstance(event, PartData):
            if self._current is not None:
                self._current.take(event.data)
                self.held += len(event.data)
        elif isinstance(event, PartBegin):
            self._current = self._begun(event.head.content_id)
        else:
            self._current = None

    def _begun(self, content_id: str | None) -> Attachment | None:
        """A part begins; None when nobody wants it."""
        if content_id is None or content_id not in self._wanted:
            return None
        if content_id in self.taken:
            raise mime_fault("twice", "Two parts have one Content-ID: nobody can tell which is meant (RFC 2045 7)")
        attachment = self.taken[content_id] = Attachment(self._documents, self._limit)
        return attachment

    def flush(self) -> None:
        """Write all that is in memory to the spool."""
        for attachment in self.taken.values():
            attachment.flush()
        self.held = 0


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
        self._received = 0  # bytes of the body
        self._closed = False  # the body has ended
        self._collected: list[bytes] | None = None  # of the root part, once it has begun
        self._size = 0  # of what is collected, or of the parts before it
        self._parts = 0
        self._early: list[Event] = []  # events of parts before the root, and of what came at once after it
        self._after: list[Event] | None = None  # events that came in one piece with the end of the root
        self.whole = False  # nothing of the message is left on the wire
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
        while (events := await self._next_events()) is not None:
            if self._find_root(events):
                return
        raise mime_fault("root", "No part of the message is the root part that the start parameter names")

    def _find_root(self, events: list[Event]) -> bool:
        """Take events up to the end of the root part; True when it is among them."""
        for number, event in enumerate(events, 1):
            if self._collected is None:
                self._take_before_root(event)
            elif isinstance(event, PartData):
                self._size += len(event.data)
                self._check_envelope(self._size)
                self._collected.append(event.data)
            else:
                self.root = b"".join(self._collected)
                self._after = events[number:]
                return True
        return False

    def _take_before_root(self, event: Event) -> None:
        if isinstance(event, PartBegin):
            self._parts += 1
            if is_root(event.head, self._parts - 1, self._start):
                self._collected, self._size = [], 0
                self._take_charset(event)
                return
        self._size += _weight(event)
        if self._size > _EARLY_PARTS:
            raise mime_fault("start", f"Parts before the root part are over {_EARLY_PARTS} bytes; send the root first")
        self._early.append(event)

    def _take_charset(self, begin: PartBegin) -> None:
        if begin.head.content_type:
            self.charset = parse_content_type(begin.head.content_type).parameters.get("charset", self.charset)

    async def _receive_plain(self) -> None:
        collected, size = [], 0
        while (data := await self._next_bytes()) is not None:
            size += len(data)
            self._check_envelope(size)
            collected.append(data)
        self.root = b"".join(collected)

    def _check_envelope(self, size: int) -> None:
        if size > self._limits.envelope:
            raise mime_fault("envelope", f"The envelope is over {self._limits.envelope} bytes (limit envelope_bytes)")

    async def _next_bytes(self) -> bytes | None:
        """The next bytes of the body; None after the last ones. Raises HttpRefused when they are too many."""
        try:
            data = await self._body.__anext__()
        except StopAsyncIteration:
            self._closed = True
            return None
        self._received += len(data)
        if self._received > self._limits.body:
            raise _too_long(self._limits)
        return data

    async def _next_events(self) -> list[Event] | None:
        """The events of the next bytes; None after the last ones."""
        if self._closed or self._parser is None:
            return None
        data = await self._next_bytes()
        return self._parser.close() if data is None else self._parser.feed(data)

    async def receive_early(self) -> None:
        """Read on after the root while what comes fits into memory; `whole` tells whether that was all."""
        held = 0
        events = self._after
        while events is not None:
            self._early += events
            held += sum([_weight(event) for event in events])
            if held > _BATCH:
                return
            events = await self._next_events()
        self.whole = True

    def take_attachments(self, wanted: Collection[str], documents: DocumentStore) -> Mapping[str, Attachment]:
        """The wanted parts of a message that is whole, by Content-ID; nothing is on disk yet. Raises SoapFault."""
        intake = Intake(wanted, documents, self._limits.document)
        for event in self._early:
            intake.take(event)
        return intake.taken

    async def receive_attachments(
        self, wanted: Collection[str], documents: DocumentStore, run: Run
    ) -> Mapping[str, Attachment]:
        """Read to the end of the message, wanted parts to the spool, others passed over.

        On any failure what was received is discarded. Raises SoapFault, StorageFull, StorageBusy.
        """
        intake = Intake(wanted, documents, self._limits.document)
        try:
            for event in self._early:
                intake.take(event)
            while (events := await self._next_events()) is not None:
                for event in events:
                    intake.take(event)
                if intake.held > _BATCH:
                    await run(intake.flush)
        except BaseException:
            discard(intake.taken)
            raise
        return intake.taken


def discard(attachments: Mapping[str, Attachment]) -> None:
    """Delete the spool files of a message that is not stored."""
    for attachment in attachments.values():
        attachment.discard()


async def receive_message(request: HttpRequest, limits: ReceivingLimits) -> IncomingMessage:
    """The message of a request, read as far as its root part and what else fits into memory.

    Raises HttpRefused, SoapFault, ClientGone.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HttpRefused(
            415,
            "Content-Encoding is not supported; send the message as it is",
            headers=(("Accept-Encoding", "identity"),),
        )
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limits.body:
        raise _too_long(limits)
    content_type = parse_content_type(request.headers.get("content-type", ""))
    if content_type.media_type not in (MULTIPART, SOAP, _SOAP11):
        raise HttpRefused(415, f"Send {SOAP}, or {MULTIPART} for MTOM", headers=(("Accept", f"{SOAP}, {MULTIPART}"),))
    message = IncomingMessage(request.body, content_type, limits)
    await message.receive_root()
    await message.receive_early()
    return message


def _too_long(limits: ReceivingLimits) -> HttpRefused:
    return HttpRefused(413, f"The body is over {limits.body} bytes (limit body_bytes)")


def _weight(event: Event) -> int:
    """What an event costs in memory, roughly, in bytes."""
    return len(event.data) if isinstance(event, PartData) else 1
