"""Audit messages over syslog and TLS (RFC 5424, 5425; ITI TF-2 3.20.4.1.2.1.1).

Syslog has no acknowledgments. What was sent counts as received when the receiver's system has acknowledged every byte
and the connection has then lived on for a while; when a connection breaks, everything since is sent again.
"""

import array
import fcntl
import select
import socket
import ssl
import termios
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..actors.audit_ports import AuditEntry, MessageRefused, Unreachable

Frames = Callable[[AuditEntry], Sequence[bytes]]
_KEEPALIVE: Final = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogReceiver:
    """Where messages go: `longest` message in bytes, seconds that a step may take, and seconds until it is sure."""

    host: str
    port: int
    tls: ssl.SSLContext
    longest: int
    step_seconds: float
    confirm_seconds: float


class SyslogRepository:
    """`AuditRepository`: one TLS connection, opened when it is made. Raises Unreachable."""

    def __init__(self, receiver: SyslogReceiver, frames: Frames, monotonic: Callable[[], float]) -> None:
        """`frames` renders an event as messages with their length in front; `monotonic` tells seconds."""
        self._receiver: Final = receiver
        self._frames: Final = frames
        self._monotonic: Final = monotonic
        self._last: int | None = None
        self._settling: Final[deque[tuple[int, float]]] = deque()  # acknowledged by the receiver's system, since when
        self._socket: Final = _connected(receiver)

    def send(self, entry: AuditEntry) -> None:
        """Send all messages of an event. Raises Unreachable, MessageRefused for one that is too long."""
        self._last = entry.number
        frames = self._frames(entry)
        longest = max(map(len, frames))
        if longest > self._receiver.longest:
            raise MessageRefused(f"{longest} bytes, and max_bytes is {self._receiver.longest}")
        try:
            self._socket.sendall(b"".join(frames))
        except OSError as failure:
            raise Unreachable(_told(failure)) from failure

    def flush(self) -> int | None:
        """The last event that is sure to be there. Raises Unreachable when the receiver has gone."""
        self._see_that_it_lives()
        moment, sure = self._monotonic(), None
        if self._last is not None and self._acknowledged():
            self._settling.append((self._last, moment))
            self._last = None
        while self._settling and moment - self._settling[0][1] >= self._receiver.confirm_seconds:
            sure, _ = self._settling.popleft()
        return sure

    def close(self) -> None:
        """Close the connection without ceremony."""
        self._socket.close()

    def _acknowledged(self) -> bool:
        """Whether no byte is on its way (tcp(7), SIOCOUTQ)."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, waiting)
        return waiting[0] == 0

    def _see_that_it_lives(self) -> None:
        """A receiver says nothing but that it closes; TLS session tickets are read and dropped."""
        try:
            while select.select([self._socket], [], [], 0)[0]:
                self._socket.settimeout(0)
                if not self._socket.recv(4096):
                    raise Unreachable("the receiver has closed the connection")
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except OSError as failure:
            raise Unreachable(_told(failure)) from failure
        finally:
            self._socket.settimeout(self._receiver.step_seconds)


def _connected(receiver: SyslogReceiver) -> ssl.SSLSocket:
    try:
        plain = socket.create_connection((receiver.host, receiver.port), receiver.step_seconds)
    except OSError as failure:
        raise Unreachable(_told(failure)) from failure
    try:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            plain.setsockopt(socket.IPPROTO_TCP, option, value)
        return receiver.tls.wrap_socket(plain, server_hostname=receiver.host)
    except OSError as failure:
        plain.close()
        raise Unreachable(_told(failure)) from failure


def _told(failure: OSError) -> str:
    return failure.strerror or str(failure) or type(failure).__name__
