"""One HTTP exchange as values: what the edge hands to the pipeline and what it gets back."""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple


class ClientGone(Exception):
    """The peer closed the connection before its request was whole: there is nobody to answer."""


class HttpRequest(NamedTuple):
    """A request whose body is still arriving; header names are lower case, `certificate` is the client's, DER."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    certificate: bytes | None
    body: AsyncIterator[bytes]


class HttpResponse(NamedTuple):
    """An answer: its body is whole (`content`) or comes in chunks (`stream`) of `length` bytes in all."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    length: int = -1

    @property
    def content_length(self) -> int:
        """Bytes of the body."""
        return self.length if self.stream is not None else len(self.content)
