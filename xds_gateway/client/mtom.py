"""MTOM messages out of files and into them: an attachment is never whole in memory (ITI TF-2 V.8)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from ..codec.mtom import (
    MULTIPART,
    SOAP,
    XOP,
    ContentType,
    Event,
    MimeLimits,
    MultipartParser,
    MultipartRenderer,
    PartBegin,
    PartData,
    is_root,
    parse_content_type,
)
from ..model.errors import GatewayError
from .answers import ANSWER_LIMITS
from .errors import Misconfigured, UnexpectedAnswer
from .http import CHUNK, HttpAnswer
from .submission import open_content

_XML_TYPES: Final = (SOAP, XOP, "text/xml", "application/xml")


class Attachment(NamedTuple):
    """A document on its way out: the id that the envelope refers to it by, and its length in bytes."""

    content_id: str
    media_type: str
    content: Path | bytes
    size: int


class MtomMessage:
    """An envelope and its attachments as the bytes of one HTTP body, of known length."""

    def __init__(self, envelope: bytes, attachments: tuple[Attachment, ...], action: str, boundary: str) -> None:
        self._attachments = attachments
        self._renderer = MultipartRenderer(boundary)
        self._start = self._renderer.root_head() + envelope
        self.content_type: str = self._renderer.content_type(action)

    def __len__(self) -> int:
        heads = sum(len(self._head(a)) + a.size for a in self._attachments)
        return len(self._start) + heads + len(self._renderer.closing())

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        for attachment in self._attachments:
            yield self._head(attachment)
            yield from _whole(attachment)
        yield self._renderer.closing()

    def _head(self, attachment: Attachment) -> bytes:
        return self._renderer.part_head(attachment.content_id, attachment.media_type)


def _whole(attachment: Attachment) -> Iterator[bytes]:
    """The bytes of a document; raises Misconfigured when the file is no longer as long as it was."""
    left = attachment.size
    with open_content(attachment.content) as stream:
        while chunk := _read(stream, attachment):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise Misconfigured(f"{attachment.content!s:.200} changed while it was being sent")


def _read(stream: BinaryIO, attachment: Attachment) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as wrong:  # must not look like a failure of the network
        raise Misconfigured(f"{attachment.content!s:.200} cannot be read: {wrong.strerror}") from wrong


class DocumentReceiver:
    """Where the one document of an answer goes: written and hashed as it arrives."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self.content_id: str | None = None
        self.size = 0

    @property
    def sha1(self) -> str:
        """SHA-1 of what was written, in hexadecimal."""
        return self._sha1.hexdigest()

    def begin(self, content_id: str | None) -> None:
        """An attachment begins; raises UnexpectedAnswer for a second one, and for one that nothing can refer to."""
        if self.content_id is not None or content_id is None:
            raise UnexpectedAnswer("the answer to one document request has attachments that nobody asked for")
        self.content_id = content_id

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises Misconfigured when they cannot be written."""
        try:
            self._stream.write(data)
        except OSError as wrong:
            raise Misconfigured(f"the document cannot be written: {wrong.strerror}") from wrong
        self._sha1.update(data)
        self.size += len(data)


def read_envelope(answer: HttpAnswer, receiver: DocumentReceiver | None = None) -> bytes:
    """The envelope of an answer, plain or MTOM; an attachment goes to the receiver.

    Raises UnexpectedAnswer for anything that is no SOAP answer, or too large.
    """
    try:
        content_type = parse_content_type(answer.content_type)
        if content_type.media_type == MULTIPART:
            return _read_multipart(answer, content_type, receiver)
    except GatewayError as wrong:
        raise UnexpectedAnswer(f"the answer cannot be read: {wrong}", status=answer.status) from wrong
    if content_type.media_type not in _XML_TYPES:
        raise UnexpectedAnswer(f"the answer is {content_type.media_type}, not SOAP", status=answer.status)
    envelope = _Capped()
    for data in answer:
        envelope.add(data)
    return bytes(envelope.data)


def _read_multipart(answer: HttpAnswer, content_type: ContentType, receiver: DocumentReceiver | None) -> bytes:
    parser = MultipartParser(content_type.parameters.get("boundary", ""), MimeLimits())
    parts = _Parts(content_type.parameters.get("start"), receiver)
    for data in answer:
        parts.take(parser.feed(data))
    parts.take(parser.close())
    if not parts.has_root:
        raise UnexpectedAnswer("the multipart answer has no root part", status=answer.status)
    return bytes(parts.root.data)


class _Capped:
    """Bytes up to the limit of an envelope."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, data: bytes) -> None:
        self.data += data
        if len(self.data) > ANSWER_LIMITS.size:
            raise UnexpectedAnswer(f"the envelope of the answer is over {ANSWER_LIMITS.size} bytes")


class _Parts:
    """Sends the root part to memory and the other to the receiver."""

    def __init__(self, start: str | None, receiver: DocumentReceiver | None) -> None:
        self._start = start
        self._receiver = receiver
        self._index = -1
        self._in_root = False
        self.has_root = False
        self.root = _Capped()

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, PartBegin):
                self._begin(event)
            elif isinstance(event, PartData) and self._in_root:
                self.root.add(event.data)
            elif isinstance(event, PartData) and self._receiver:
                self._receiver.write(event.data)

    def _begin(self, part: PartBegin) -> None:
        self._index += 1
        self._in_root = is_root(part.head, self._index, self._start)
        if self._in_root:
            self.has_root = True
        elif self._receiver:
            self._receiver.begin(part.head.content_id)
