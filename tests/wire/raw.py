"""HTTP/1.1 byte by byte over a socket: nothing is repaired on the way, so that a test sends exactly what it says."""

import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.gateways import RunningGateway

PATIENCE = 20.0  # seconds until a silent server fails a test


class Response(NamedTuple):
    """What came back: the status 0 means that the connection ended before a whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True

    @property
    def content_type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip()


class Connection:
    """One connection of a client to a listener of a gateway."""

    def __init__(
        self,
        gateway: RunningGateway,
        *,
        url: str | None = None,
        context: ssl.SSLContext | None = None,
        address: str | None = None,
    ) -> None:
        """`address` is one of this machine to come from."""
        target = urlsplit(url or gateway.url)
        self.host = target.netloc
        self.socket: socket.socket = socket.create_connection(
            (target.hostname, target.port), timeout=PATIENCE, source_address=(address, 0) if address else None
        )
        self._buffer = b""
        if target.scheme == "https":
            try:
                wrapped = (context or gateway.client_context()).wrap_socket(
                    self.socket, server_hostname=target.hostname
                )
            except BaseException:
                self.socket.close()
                raise
            self.socket = wrapped

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def send(self, *pieces: bytes) -> None:
        """Send bytes; a server that has closed already is not an error, its answer may still be read."""
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            for piece in pieces:
                self.socket.sendall(piece)

    def end(self) -> None:
        """Tell the server that nothing more is sent."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def received(self) -> bytes:
        """Some more bytes; empty at the end."""
        try:
            return self.socket.recv(1 << 18)
        except (ConnectionResetError, ssl.SSLError, BrokenPipeError):
            return b""

    def line(self) -> bytes | None:
        """A line without its end; None when the connection ended."""
        while b"\r\n" not in self._buffer:
            data = self.received()
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer, interim ones too; status 0 when there is none."""
        first = self.line()
        if first is None:
            return 0, {}
        headers: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(first.split(b" ")[1]), headers

    def response(self) -> Response:
        """The next final answer."""
        status, headers = self.head()
        while 100 <= status < 200:
            status, headers = self.head()
        if status == 0:
            return Response(0, {}, b"", whole=False)
        length = int(headers.get("content-length", -1))
        pieces, size = [self._buffer], len(self._buffer)
        while length < 0 or size < length:
            data = self.received()
            if not data:
                break
            pieces.append(data)
            size += len(data)
        body = b"".join(pieces)
        self._buffer = body[length:] if length >= 0 else b""
        return Response(status, headers, body[:length] if length >= 0 else body, whole=length < 0 or size >= length)


def request_head(connection: Connection, target: str, headers: Mapping[str, Any], method: str = "POST") -> bytes:
    """Request line and headers; Host is there unless given."""
    lines = {"Host": connection.host, **headers}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {target} HTTP/1.1\r\n{text}\r\n".encode("latin-1")


def call(
    gateway: RunningGateway,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    url: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Response:
    """One request on a connection of its own, and its answer."""
    with Connection(gateway, url=url, context=context) as connection:
        length = {"Content-Length": len(body)} if body or method == "POST" else {}
        connection.send(request_head(connection, target, {**length, **(headers or {})}, method), body)
        return connection.response()


def chunked(pieces: Iterable[bytes]) -> bytes:
    """A body in the chunked transfer coding (RFC 9112 7.1)."""
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces if piece) + b"0\r\n\r\n"
