"""Sockets and their serving in one process: TLS per listener, orderly stop (RFC 9325, ITI TF-2 3.19)."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from typing import Any, Final

import uvicorn
from uvicorn.server import ServerState

from .edge import EdgeLimits, EdgeProtocol
from .forwarding import Forwarding, ProxyRules
from .handshakes import SecureServer, Tell
from .tap import Tap
from .tls import LiveTls

_log = logging.getLogger("xds_gateway.server")
_BACKLOG: Final = 1024


Server = asyncio.Server | SecureServer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSocket:
    """A bound socket and how it speaks: over TLS, or in clear when `tls` has no certificate."""

    socket: socket.socket
    tls: LiveTls
    proxies: ProxyRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingLimits:
    """Limits of the edge, and: open connections of a process, seconds of idleness, seconds to end after a stop."""

    edge: EdgeLimits
    connections: int
    keep_alive_seconds: float
    shutdown_seconds: float


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family=family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


class HttpServer:
    """All HTTP listeners in one process."""

    def __init__(
        self, application: Any, limits: ServingLimits, *, tap: Tap | None, tell: Tell, now: Callable[[], datetime]
    ) -> None:
        """`tell` hears of nodes that were refused; `now` judges certificates."""
        self._application: Final = application
        self._limits: Final = limits
        self._tap: Final = tap
        self._tell: Final = tell
        self._now: Final = now
        self._state: Final = ServerState()
        self._servers: Final[list[Server]] = []

    async def start(self, listeners: Sequence[ListenerSocket]) -> None:
        """Serve these sockets."""
        config = self._config()
        self._clock = asyncio.get_running_loop().create_task(_dated(self._state))
        for listener in listeners:
            self._servers.append(await self._started(config, listener))

    def recheck(self) -> None:
        """End connections of callers that are trusted no more: what they have asked is answered, nothing after it."""
        for connection in list(self._state.connections):
            if isinstance(connection, EdgeProtocol) and not connection.still_trusted():
                connection.shutdown()

    async def finish(self) -> None:
        """No new connections, idle ones closed, running requests awaited, the rest cut off."""
        self._clock.cancel()
        await _finish(self._servers, self._state, self._limits.shutdown_seconds)

    def _config(self) -> uvicorn.Config:
        config = uvicorn.Config(
            self._application,
            http=EdgeProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # X-Forwarded-For would let a caller choose the address that the audit names
            limit_concurrency=self._limits.connections,
            timeout_keep_alive=int(self._limits.keep_alive_seconds),
        )
        config.load()
        return config

    async def _started(self, config: uvicorn.Config, listener: ListenerSocket) -> Server:
        protocol: type[EdgeProtocol] = type(
            "ListeningProtocol", (EdgeProtocol,), {"limits": self._limits.edge, "tap": self._tap}
        )

        def make_protocol() -> asyncio.Protocol:
            return protocol(config=config, server_state=self._state, app_state={})

        if listener.proxies is not None:
            protocol.forwarding = Forwarding(listener.proxies, listener.tls, tell=self._tell, now=self._now)
        if listener.tls.current.context is None:
            loop = asyncio.get_running_loop()
            return await loop.create_server(make_protocol, sock=listener.socket, backlog=_BACKLOG)
        protocol.secure_server = SecureServer(
            listener.tls,
            make_protocol,
            tell=self._tell,
            now=self._now,
            seconds=self._limits.edge.header_seconds,
            most=self._limits.connections,
        )
        protocol.secure_server.start(listener.socket)
        return protocol.secure_server


async def _dated(state: ServerState) -> None:
    while True:
        state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        await asyncio.sleep(1)


async def _finish(servers: Sequence[Server], state: ServerState, seconds: float) -> None:
    for server in servers:
        server.close()
    for connection in list(state.connections):
        connection.shutdown()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while state.tasks or any(not c.transport.is_closing() for c in state.connections):
                await asyncio.sleep(0.02)
    for task in list(state.tasks):
        _log.error("request cut off at shutdown")
        task.cancel()
    for connection in list(state.connections):
        connection.transport.abort()
