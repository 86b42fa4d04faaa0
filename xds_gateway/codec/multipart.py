"""Parts of a multipart message while its bytes arrive, exactly and in linear time (RFC 2046 5.1)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .mime import HeadReader, MimeLimits, PartHead, mime_fault
from .transfer_encodings import Decoder, decoder_of


class PartBegin(NamedTuple):
    """A part begins."""

    head: PartHead


class PartData(NamedTuple):
    """Some bytes of the part, its transfer encoding undone; never empty."""

    data: bytes


class PartEnd(NamedTuple):
    """The part is complete."""


Event = PartBegin | PartData | PartEnd

_BOUNDARY: Final = re.compile(r"[\x20-\x7e]*[\x21-\x7e]")  # wider than RFC 2046 5.1.1: senders use more characters
_PADDING: Final = 64  # blanks that may follow a boundary in its line


class _Style(NamedTuple):
    """How delimiters look in this message: decided by its first one, so that a document ending in CR stays exact."""

    newline: bytes
    tail: re.Pattern[bytes]  # what follows the boundary in a delimiter; group 1 in the closing one
    unfinished: re.Pattern[bytes]  # what more bytes may make a tail


_TAIL: Final = rb"(?:(--)[ \t]{0,%d}\r?\n|[ \t]{0,%d}%s)"
_CRLF: Final = _Style(
    b"\r\n",
    re.compile(_TAIL % (_PADDING, _PADDING, rb"\r\n")),
    re.compile(rb"-|(?:--)?[ \t]{0,%d}\r?" % _PADDING),
)
_LF: Final = _Style(
    b"\n",
    re.compile(_TAIL % (_PADDING, _PADDING, rb"\n")),
    re.compile(rb"-|[ \t]{0,%d}|--[ \t]{0,%d}\r?" % (_PADDING, _PADDING)),
)
_FIRST_TAIL: Final = re.compile(rb"(--)?[ \t]{0,%d}(\r?\n)" % _PADDING)  # while no style is decided
_CLOSED: Final = re.compile(rb"--[ \t]{0,%d}\r?" % _PADDING)  # the end of the message needs no line end
_TAIL_BYTES: Final = 2 + _PADDING + 2
_SHORT_HEAD: Final = 512  # bytes of a head that is remembered


@lru_cache(maxsize=256)  # a sender writes the same heads again and again
def _short_head(block: bytes, newline: bytes, limits: MimeLimits) -> PartHead | None:
    """The head of these lines; None when a line end is of another style. Raises SoapFault."""
    if block.count(b"\n") != block.count(newline):
        return None
    reader = HeadReader(limits)
    for line in block.split(newline):
        reader.take(line)
    return reader.finish()


class MultipartParser:
    """Turns the bytes of a multipart message into events; it does no I/O and never holds more than one header block.

    A line is a delimiter when it is the boundary, perhaps `--`, perhaps blanks, and nothing else: look-alikes are data.
    After it raised, it takes no more bytes. The root part is the caller's matter: see `mtom.is_root`.
    """

    def __init__(self, boundary: str, limits: MimeLimits) -> None:
        """Raises SoapFault for a boundary that cannot be one (RFC 2046 5.1.1)."""
        if len(boundary) > limits.boundary_chars or not _BOUNDARY.fullmatch(boundary):
            raise mime_fault(
                "boundary",
                f"The boundary must be 1 to {limits.boundary_chars} printable ASCII characters, the last one no blank",
            )
        self._limits = limits
        self._dashed = b"--" + boundary.encode()
        self._state = self._read_preamble
        self._pending = b""  # bytes that wait for the next ones
        self._preamble = 0  # bytes before the first delimiter
        self._style = _CRLF
        self._delimiter = b""
        self._parts = 0
        self._content_ids: set[str] = set()
        self._head = HeadReader(limits)
        self._decoder: Decoder = decoder_of("binary")
        self._skip = 0  # bytes at the place of reading that belong to the empty line before the body

    @property
    def buffered(self) -> int:
        """Bytes that wait for the next ones: at most a header line, a preamble or a delimiter line."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete; raises SoapFault."""
        if self._pending:
            data, self._pending = self._pending + data, b""
        events: list[Event] = []
        position: int | None = 0
        while position is not None:
            position = self._state(data, position, events)
        return events

    def close(self) -> list[Event]:
        """The message is over; raises SoapFault when it has no closing delimiter or a delimiter after it."""
        if self._state == self._read_body and self._pending.startswith(self._delimiter):
            tail = self._pending[len(self._delimiter) :]
            if _CLOSED.fullmatch(tail):
                self._state, self._pending = self._read_epilogue, b""
                return self._end_part([])
        if self._state != self._read_epilogue:
            raise mime_fault("truncated", "The multipart message ends before its closing delimiter")
        if any(self._delimiter_tail(line + b"\n", 0, len(line) + 1) for line in self._pending.split(b"\n")):
            raise mime_fault("epilogue", "The multipart message goes on after its closing delimiter")
        return []

    # Each state reads from a position and gives the next one, or None when it needs more bytes (kept in _pending).

    def _read_preamble(self, data: bytes, position: int, events: list[Event]) -> int | None:
        end = data.find(b"\n", position) + 1
        if not end:
            self._pending = data[position:]
            if self._preamble + len(self._pending) > self._limits.preamble_bytes + len(self._dashed) + _TAIL_BYTES:
                raise self._preamble_fault()
            return None
        first = self._delimiter_tail(data, position, end)
        if first is None:
            self._preamble += end - position
            if self._preamble > self._limits.preamble_bytes:
                raise self._preamble_fault()
            return end
        if first[1]:
            raise mime_fault("parts", "The multipart message has no part")
        self._style = _CRLF if first[2] == b"\r\n" else _LF
        self._delimiter = self._style.newline + self._dashed
        return self._begin_head(end)

    def _delimiter_tail(self, data: bytes, begin: int, end: int) -> re.Match[bytes] | None:
        """What follows the boundary in a line that is a delimiter with either line end."""
        if not data.startswith(self._dashed, begin):
            return None
        return _FIRST_TAIL.fullmatch(data, begin + len(self._dashed), end)

    def _preamble_fault(self) -> Exception:
        return mime_fault("preamble", f"No boundary in the first {self._limits.preamble_bytes} bytes of the message")

    def _begin_head(self, position: int) -> int:
        """A part begins; its head is read at once when it is there and short, line by line otherwise."""
        self._parts += 1
        if self._parts > self._limits.parts:
            raise mime_fault("parts", f"The multipart message has more than {self._limits.parts} parts")
        self._head = HeadReader(self._limits)
        self._state = self._read_short_head
        return position

    def _read_short_head(self, data: bytes, position: int, events: list[Event]) -> int | None:
        self._state = self._read_head
        newline = self._style.newline
        end = data.find(newline + newline, position, position + _SHORT_HEAD)
        block = data[position:end] if end > position else b""
        if not block or block.startswith(newline) or self._dashed in block:
            return position
        head = _short_head(block, newline, self._limits)
        if head is None:
            return position
        self._begin_part(head, events)
        return end + len(newline)

    def _read_head(self, data: bytes, position: int, events: list[Event]) -> int | None:
        end = data.find(b"\n", position) + 1
        if not end:
            self._pending = data[position:]
            self._head.check_size(len(self._pending) - 1)  # the last byte may be a CR
            return None
        newline = self._style.newline
        if end - position < len(newline) or not data.endswith(newline, position, end):
            raise mime_fault("header", "A part header has a line end of another style than the first delimiter")
        if self._delimiter_tail(data, position, end):
            raise mime_fault("header", "A delimiter follows part headers that have no empty line after them")
        if end - position > len(newline):
            self._head.take(data[position : end - len(newline)])
            return end
        self._begin_part(self._head.finish(), events)
        return position  # a delimiter may follow at once: its line end is then that of the empty line

    def _begin_part(self, head: PartHead, events: list[Event]) -> None:
        if head.content_id is not None and head.content_id in self._content_ids:
            raise mime_fault("content-id", f"Two parts have the Content-ID {head.content_id[:80]!a}")
        if head.content_id is not None:
            self._content_ids.add(head.content_id)
        self._decoder = decoder_of(head.transfer_encoding)
        self._skip = len(self._style.newline)
        self._state = self._read_body
        events.append(PartBegin(head))

    def _read_body(self, data: bytes, position: int, events: list[Event]) -> int | None:
        start = position + self._skip
        found = data.find(self._delimiter, position)
        while found >= 0:
            after = found + len(self._delimiter)
            tail = self._style.tail.match(data, after)
            if tail is not None:
                self._give(data[start:found], events)
                self._end_part(events)
                self._state = self._read_epilogue
                return tail.end() if tail[1] else self._begin_head(tail.end())
            if self._style.unfinished.fullmatch(data, after):
                break
            found = data.find(self._delimiter, after)
        kept = found if found >= 0 else self._undecided(data, position)
        self._give(data if start == 0 and kept == len(data) else data[start:kept], events)
        self._skip = max(0, start - kept)
        self._pending = data[kept:]
        return None

    def _undecided(self, data: bytes, position: int) -> int:
        """Where an incomplete delimiter begins; its first byte occurs in it only once, so the last one counts."""
        newline = self._style.newline[:1]
        found = data.rfind(newline, max(position, len(data) - len(self._delimiter) + 1))
        return found if found >= 0 and self._delimiter.startswith(data[found:]) else len(data)

    def _give(self, data: bytes, events: list[Event]) -> None:
        decoded = self._decoder.decode(data) if data else b""
        if decoded:
            events.append(PartData(decoded))

    def _end_part(self, events: list[Event]) -> list[Event]:
        rest = self._decoder.finish()
        if rest:
            events.append(PartData(rest))
        events.append(PartEnd())
        return events

    def _read_epilogue(self, data: bytes, position: int, events: list[Event]) -> int | None:
        self._pending = data[position:]
        if len(self._pending) > self._limits.preamble_bytes:
            raise mime_fault(
                "epilogue", f"More than {self._limits.preamble_bytes} bytes follow the closing delimiter of the message"
            )
        return None
