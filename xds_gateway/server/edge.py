"""The protocol at the edge: uvicorn's HTTP/1.1 with a client certificate, deadlines and limits (security.md H1, H2).

A sender that is slow with its headers or silent in its body is closed; what it holds open costs a few hundred bytes.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .forwarding import Forwarding
from .handshakes import SecureServer
from .tap import Exchange, Tap

_REFUSED_431 = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=UTF-8\r\n"
    b"Content-Length: 35\r\nConnection: close\r\n\r\nHeaders over limit http_header_bytes"
)
_DISCARDED = 64 * 1024 * 1024  # bytes of a body that are still read after its answer was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Bytes of all headers, and seconds: until the headers are there, of silence in a body or of an unread answer."""

    header_bytes: int
    header_seconds: float
    stall_seconds: float


class EdgeProtocol(HttpToolsProtocol):
    """One connection. Subclasses carry the limits and the tap of a listener."""

    limits: ClassVar[EdgeLimits]
    tap: ClassVar[Tap | None] = None
    forwarding: ClassVar[Forwarding | None] = None  # of a listener behind a proxy
    secure_server: ClassVar[SecureServer | None] = None  # of a listener with TLS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the certificate that TLS has verified and start the clock for the first headers."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self._header_bytes = 0
        self._discarded = 0
        self._in_headers = True
        self._head_is_known = False  # the parser reads a head of our making
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._exchange: Exchange | None = None
        self._request_over = True
        self._rearm(self.limits.header_seconds)
        if self.tap is not None:
            self._tapped(transport)

    def _tapped(self, transport: asyncio.Transport) -> None:
        self.transport = TappedTransport(transport, self)  # type: ignore[assignment]
        self.flow._transport = self.transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        for timer in (self._deadline, self._write_deadline):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def still_trusted(self) -> bool:
        """Whether the peer would be let in now."""
        return self.secure_server is None or self.secure_server.still_trusts(self.transport)

    # -- deadlines

    def _rearm(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_headers or not self.flow.read_paused:
            self.transport.abort()
        else:  # we are the slow ones
            self._rearm(self.limits.stall_seconds)

    def pause_writing(self) -> None:
        """The peer does not read its answer: give it a while."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(self.limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    # -- bytes

    def data_received(self, data: bytes) -> None:
        """Count headers, then parse."""
        if self.tap is not None:
            self._record_received(data, self.tap)
        if self._in_headers:
            self._header_bytes += len(data)
        self._feed(data)
        if self._in_headers and self._header_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self.transport.write(_REFUSED_431)
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        if self.timeout_keep_alive_task is not None:  # the peer ends the idleness: a request has to come of it
            self._rearm(self.limits.header_seconds)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over_upgrade()
            if rest := data[upgrade.args[0] :]:
                self._feed(rest)
        except httptools.HttpParserError:
            if not self.transport.is_closing():
                self.send_400_response("Invalid HTTP request received.")

    def _pass_over_upgrade(self) -> None:
        """Where another protocol is offered (h2c of Java) the parser stops; one that is not told of it reads on."""
        framing = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        self.parser = httptools.HttpRequestParser(self)
        self._head_is_known = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(b"%b: %b\r\n" % header for header in framing) + b"\r\n")
        self._head_is_known = False

    def _record_received(self, data: bytes, tap: Tap) -> None:
        if self._exchange is None or (self._exchange.answered and self._request_over):
            self._exchange = tap.exchange()
        self._exchange.received(data)

    def record_sent(self, data: bytes) -> None:
        """Keep what is sent, for the wire log."""
        if self._exchange is not None:
            self._exchange.sent(data)

    # -- parser callbacks

    def on_message_begin(self) -> None:
        """A request begins: its headers have a deadline of their own."""
        if self._head_is_known:
            return
        self._request_over = False
        super().on_message_begin()
        self.scope["extensions"] = {"tls": {"client_certificate": self._certificate, "forwarding": self.forwarding}}
        self._rearm(self.limits.header_seconds)

    def on_url(self, url: bytes) -> None:
        """Some of the target."""
        if not self._head_is_known:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        if not self._head_is_known:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are there; from now on the body must keep coming."""
        if self._head_is_known:
            return
        headers_size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._in_headers = False
        self._discarded = 0
        if headers_size > self.limits.header_bytes:
            self.transport.write(_REFUSED_431)
            self.transport.close()
            return
        super().on_headers_complete()
        self._rearm(self.limits.stall_seconds)

    def on_body(self, body: bytes) -> None:
        """Some of the body: the clock starts again; what comes after the answer is dropped, to a limit."""
        if self.cycle is None or self.transport.is_closing():
            return
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > _DISCARDED:
                self.transport.abort()
        self._rearm(self.limits.stall_seconds)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: nothing more is expected of the peer."""
        if self.parser.should_upgrade():
            return
        self._rearm(None)
        self._request_over = True
        self._in_headers = True
        self._header_bytes = 0
        if self.cycle is not None and not self.transport.is_closing():
            super().on_message_complete()


class TappedTransport:
    """A transport that shows the tap what is written."""

    def __init__(self, transport: asyncio.Transport, protocol: EdgeProtocol) -> None:
        self._transport = transport
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        """Write and remember."""
        self._protocol.record_sent(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
