"""MLLP frames: 0x0B, the message, 0x1C 0x0D (HL7 v2 transport specification, MLLP release 1)."""

from collections.abc import Iterator
from typing import Final

from ..model.errors import GatewayError

START: Final = b"\x0b"
END: Final = b"\x1c\x0d"
_BETWEEN: Final = b"\r\n"  # what some senders write between frames


class FrameBroken(GatewayError):
    """Bytes that are no frame: nothing after them can be trusted. `reason` names what is wrong, without content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FrameTooLong(FrameBroken):
    """A frame that exceeds the limit; `beginning` is what arrived of it."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__("the message is too long")
        self.beginning = beginning


def frame(content: bytes) -> bytes:
    """A message in its frame."""
    return START + content + END


class Frames:
    """Bytes in, whole messages out."""

    def __init__(self, largest: int) -> None:
        """`largest` is in bytes of one message."""
        self._largest: Final = largest
        self._buffer = bytearray()

    @property
    def inside(self) -> bool:
        """True when a frame has begun and not ended."""
        return bool(self._buffer)

    @property
    def rest(self) -> bytes:
        """What has arrived and is no whole message, from the beginning of its frame."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Messages that are whole now. Raises FrameBroken, FrameTooLong; what came before was given."""
        buffer = self._buffer
        searched = max(len(buffer) - 1, 0)
        buffer += data
        while self._begun():
            end = buffer.find(END, searched)
            length = (end if end >= 0 else len(buffer)) - 1
            if length > self._largest:
                raise FrameTooLong(bytes(buffer[1 : self._largest + 1]))
            if buffer.find(START, 1, end if end >= 0 else len(buffer)) > 0:
                raise FrameBroken("a message begins inside another one")
            if end < 0:
                return
            content = bytes(buffer[1:end])
            if b"\x1c" in content:
                raise FrameBroken("the end of a message is not followed by 0x0D")
            del buffer[: end + 2]
            searched = 0
            yield content

    def _begun(self) -> bool:
        """Drop what may be between frames; True when there is the beginning of one."""
        buffer = self._buffer
        begin = 0
        while begin < len(buffer) and buffer[begin] in _BETWEEN:
            begin += 1
        del buffer[:begin]
        if not buffer:
            return False
        if buffer[:1] != START:
            raise FrameBroken("a message does not begin with 0x0B")
        return True
