"""The alert of a handshake that fails reaches the peer: the loop's own TLS drops it, and the peer hears nothing.

A connection sends it itself, over the socket that the task of its handshake names (`shaking`).
"""

import socket
import ssl
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

shaking: ContextVar[socket.socket | None] = ContextVar("shaking", default=None)


class _Connection(ssl.SSLObject):
    """The TLS of one connection; of a handshake that fails the peer hears the alert, which the loop would drop."""

    outgoing: ssl.MemoryBIO
    over: socket.socket | None

    def do_handshake(self) -> None:
        """Go on with the handshake. Raises ssl.SSLError."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.over is not None:
                with suppress(OSError):
                    self.over.send(self.outgoing.read())
            raise


class SecureContext(ssl.SSLContext):
    """A context whose connections know the socket that they are over."""

    sslobject_class = _Connection

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *arguments: Any, **named: Any
    ) -> ssl.SSLObject:
        """The TLS of a connection; called in the context of its handshake."""
        connection = super().wrap_bio(incoming, outgoing, *arguments, **named)
        if isinstance(connection, _Connection):
            connection.outgoing, connection.over = outgoing, shaking.get()
        return connection
