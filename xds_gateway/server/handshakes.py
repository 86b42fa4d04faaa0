"""TLS handshakes of accepted connections: who fails is told with address and reason (ITI TF-2 3.19, 3.20).

A server of the event loop's own drops a failed handshake without a word, to us and to the peer. So connections are
accepted here, the loop does their handshakes, and the alert that says why one failed is sent to the peer. In TLS 1.3 a
client thinks that it is in before we have seen its certificate; what counts is this side.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from ..model.nodes import NodeReason, NodeRefused
from .alerts import shaking
from .tls import LiveTls

_log = logging.getLogger("xds_gateway.tls")
Tell = Callable[[NodeReason, str, str | None], None]  # why, from which address, whose certificate
_REMEMBERED: Final = 1024  # certificates whose path is known for resumed sessions
_NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ROOM_SECONDS: Final = 1.0  # until accepting is tried again when there was no room for a connection

#   OpenSSL's X509_V_ERR_...    x509_vfy.h; all others are a certificate that does not hold
_VERIFICATION: Final[Mapping[int, NodeReason]] = {
    2: NodeReason.UNKNOWN_AUTHORITY,  # UNABLE_TO_GET_ISSUER_CERT
    9: NodeReason.NOT_YET_VALID,  # CERT_NOT_YET_VALID
    10: NodeReason.EXPIRED,  # CERT_HAS_EXPIRED
    18: NodeReason.SELF_SIGNED,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: NodeReason.UNKNOWN_AUTHORITY,  # SELF_SIGNED_CERT_IN_CHAIN
    20: NodeReason.UNKNOWN_AUTHORITY,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: NodeReason.UNKNOWN_AUTHORITY,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    26: NodeReason.WRONG_PURPOSE,  # INVALID_PURPOSE
}

#   OpenSSL's SSL_R_...
_HANDSHAKE: Final[Mapping[str, NodeReason]] = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": NodeReason.NO_CERTIFICATE,
    "HTTP_REQUEST": NodeReason.PLAIN_TEXT,
    "HTTPS_PROXY_REQUEST": NodeReason.PLAIN_TEXT,
    "WRONG_VERSION_NUMBER": NodeReason.PLAIN_TEXT,
    "PACKET_LENGTH_TOO_LONG": NodeReason.PLAIN_TEXT,
    "UNSUPPORTED_PROTOCOL": NodeReason.OLD_PROTOCOL,
    "VERSION_TOO_LOW": NodeReason.OLD_PROTOCOL,
    "NO_SHARED_CIPHER": NodeReason.NO_SHARED_CIPHER,
    "INAPPROPRIATE_FALLBACK": NodeReason.OLD_PROTOCOL,
}


def reason_of(failure: OSError) -> NodeReason:
    """Why a handshake failed."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return _VERIFICATION.get(failure.verify_code, NodeReason.BROKEN_CERTIFICATE)
    if isinstance(failure, ssl.SSLError):
        reason = failure.reason or ""
        if "ALERT" in reason:
            return NodeReason.REFUSED_BY_PEER
        return _HANDSHAKE.get(reason, NodeReason.BAD_HANDSHAKE)
    return NodeReason.TOO_SLOW if isinstance(failure, ConnectionAbortedError) else NodeReason.CUT_OFF


def presented_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """The path that TLS has verified, DER each; empty for a resumed session, which has none.

    Python has it from 3.13 on; before, only the object inside can tell, by the same function.
    """
    ask = getattr(connection, "get_verified_chain", None)
    if ask is not None:
        return tuple(ask())
    inner = getattr(connection, "_sslobj", None)
    chain = inner.get_verified_chain() if inner is not None else None
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in chain or ())


class SecureServer:
    """One listener with TLS in one process: accepts, shakes hands, checks, then hands over to a protocol."""

    def __init__(
        self,
        tls: LiveTls,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        tell: Tell,
        now: Callable[[], datetime],
        seconds: float,
        most: int,
    ) -> None:
        """`make_protocol` is called after a handshake; each has so many `seconds`, and `most` are open at a time.

        Above that the oldest is given up for the newest, so that slow ones do not keep others out.
        """
        self._tls: Final = tls
        self._make_protocol: Final = make_protocol
        self._tell: Final = tell
        self._now: Final = now
        self._seconds: Final = seconds
        self._most: Final = most
        self._loop: Final = asyncio.get_running_loop()
        self._listening: socket.socket | None = None
        self._open: Final[dict[asyncio.Task[None], str]] = {}  # handshakes and the addresses that they are with
        self._paths: Final[OrderedDict[bytes, tuple[bytes, ...]]] = OrderedDict()

    def start(self, listening: socket.socket) -> None:
        """Accept connections of a bound socket that does not block."""
        self._listening = listening
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Accept no more, and end handshakes that are not done."""
        if self._listening is not None:
            self._loop.remove_reader(self._listening)
            self._listening = None
        for task in list(self._open):
            task.cancel()

    def still_trusts(self, transport: asyncio.BaseTransport) -> bool:
        """Whether the peer of an open connection would be let in now; it is told when not."""
        try:
            self._check(transport.get_extra_info("ssl_object"))
        except NodeRefused as refused:
            self._tell(refused.reason, address_of(transport), refused.node)
            return False
        return True

    def _accept(self) -> None:
        """Take one connection: what is left wakes another process, or this one again."""
        if self._listening is None:
            return
        try:
            accepted, peer = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as failure:
            if failure.errno not in _NO_ROOM:
                raise
            _log.error("no room for more connections", extra={"reason": failure.strerror})
            self._loop.remove_reader(self._listening)
            self._loop.call_later(_ROOM_SECONDS, self._resume)
            return
        accepted.setblocking(False)
        self._begin(accepted, str(peer[0]))

    def _resume(self) -> None:
        if self._listening is not None:
            self._loop.add_reader(self._listening, self._accept)

    def _begin(self, accepted: socket.socket, address: str) -> None:
        if len(self._open) >= self._most:
            oldest = next(iter(self._open))
            self._tell(NodeReason.TOO_MANY, self._open.pop(oldest), None)
            oldest.cancel()
        task = self._loop.create_task(self._shake(accepted, address))
        self._open[task] = address
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)

    async def _shake(self, accepted: socket.socket, address: str) -> None:
        shaking.set(accepted)
        try:
            await self._loop.connect_accepted_socket(
                lambda: _Arrival(self._arrived),
                accepted,
                ssl=self._tls.current.context,
                ssl_handshake_timeout=self._seconds,
            )
        except OSError as failure:  # ssl.SSLError is one
            self._tell(reason_of(failure), address, None)

    def _arrived(self, secure: asyncio.Transport) -> None:
        """A handshake is done: let the peer in, or not."""
        if not self.still_trusts(secure):
            secure.abort()
            return
        protocol = self._make_protocol()
        secure.set_protocol(protocol)
        protocol.connection_made(secure)

    def _check(self, connection: ssl.SSLObject) -> None:
        """See that the peer of a connection is trusted by the files as they are now. Raises NodeRefused."""
        certificate = connection.getpeercert(binary_form=True)
        if certificate is not None:
            self._tls.current.trust.check(certificate, self._path(certificate, connection), self._now())

    def _path(self, certificate: bytes, connection: ssl.SSLObject) -> tuple[bytes, ...]:
        """What came with a certificate; a resumed session has it from the one that it continues."""
        chain = presented_chain(connection)
        if not chain:
            return self._paths.get(certificate, ())
        self._paths[certificate] = chain
        self._paths.move_to_end(certificate)
        if len(self._paths) > _REMEMBERED:
            self._paths.popitem(last=False)
        return chain


class _Arrival(asyncio.Protocol):
    """A connection up to the end of its handshake."""

    def __init__(self, arrived: Callable[[asyncio.Transport], None]) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake is done; nothing was read after it."""
        self._arrived(transport)


def address_of(transport: asyncio.BaseTransport) -> str:
    """The peer's host."""
    peer: Any = transport.get_extra_info("peername") or ("",)
    return str(peer[0])
