"""Sockets and their serving in one process: TLS per listener, orderly stop (RFC 9325, ITI TF-2 3.19)."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.server import ServerState

from .edge import EdgeLimits, EdgeProtocol
from .tap import Tap

_log = logging.getLogger("xds_gateway.server")
_BACKLOG: Final = 1024
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-RSA-AES256-SHA384"  # the last for TLS 1.2 senders of the DMP


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of a listener; `client_ca` asks every caller for a certificate of these authorities."""

    certificate: Path
    key: Path
    client_ca: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSocket:
    """A bound socket and how it speaks: TLS, or plain HTTP when `tls` is None."""

    socket: socket.socket
    tls: TlsFiles | None


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


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 or 1.3 with forward secrecy; raises ssl.SSLError or OSError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(files.certificate, files.key)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def serve(
    application: Any,
    listeners: Sequence[ListenerSocket],
    limits: ServingLimits,
    *,
    tap: Tap | None,
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Serve until `stop` is set, then finish running requests; `ready` is called once every socket is served."""
    state = ServerState()
    protocol = type("ListeningProtocol", (EdgeProtocol,), {"limits": limits.edge, "tap": tap})
    config = uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For would let a caller choose the address that the audit names
        limit_concurrency=limits.connections,
        timeout_keep_alive=int(limits.keep_alive_seconds),
    )
    config.load()
    loop = asyncio.get_running_loop()
    servers = []
    for listener in listeners:
        context = tls_context(listener.tls) if listener.tls else None
        servers.append(
            await loop.create_server(
                lambda: protocol(config=config, server_state=state, app_state={}),
                sock=listener.socket,
                ssl=context,
                ssl_handshake_timeout=limits.edge.header_seconds if context else None,
                backlog=_BACKLOG,
            )
        )
    clock = loop.create_task(_dated(state))
    ready()
    await stop.wait()
    clock.cancel()
    await _finish(servers, state, limits.shutdown_seconds)


async def _dated(state: ServerState) -> None:
    while True:
        state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        await asyncio.sleep(1)


async def _finish(servers: Sequence[asyncio.Server], state: ServerState, seconds: float) -> None:
    """No new connections, idle ones closed, running requests awaited, the rest cut off."""
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
