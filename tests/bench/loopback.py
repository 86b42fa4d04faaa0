"""Requests per second and latencies over loopback with mutual TLS, against the real program with two workers."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xds_gateway.pki import make_pki

from .messages import Message

CONNECTIONS = 16
_START_SECONDS = 60  # of a machine that others use too


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that serves."""

    port: int
    feed_port: int
    process: int
    client: ssl.SSLContext
    first_answer: float  # seconds from the start of the program


@dataclass(frozen=True, slots=True)
class Load:
    """What a load gave: requests per second, and latencies in milliseconds."""

    rps: float
    p50_ms: float
    p99_ms: float


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The program on a free port, stopped at the end."""
    pki = make_pki(folder / "pki", now=datetime.now(UTC))
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, feed_port = free.getsockname()[1], other.getsockname()[1]
    files = f'certificate = "{pki.server_certificate}"\nkey = "{pki.server_key}"\nclient_ca = "{pki.ca}"\n'
    config = folder / "gateway.toml"
    config.write_text(
        f'data_folder = "{folder / "data"}"\n[log]\nlevel = "warning"\n[[listeners]]\nport = {port}\n{files}'
        f'[[feeds]]\nport = {feed_port}\ntls = "off"\n'
        '[[mounts]]\nassertions = "off"\n'
    )
    context = ssl.create_default_context(cafile=str(pki.ca))
    context.load_cert_chain(pki.client_certificate, pki.client_key)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "xds_gateway.cli", "serve", "--config", str(config)], stdout=subprocess.DEVNULL
    )
    try:
        first = _first_answer(port, context, started)
        yield Running(port, feed_port, process.pid, context, first)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _first_answer(port: int, context: ssl.SSLContext, started: float) -> float:
    while time.perf_counter() - started < _START_SECONDS:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(b"GET /services/registry?wsdl HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if tls.recv(12) == b"HTTP/1.1 200":
                return time.perf_counter() - started
        time.sleep(0.01)
    raise RuntimeError("the gateway does not answer")


def load(gateway: Running, next_message: Callable[[], Message | None]) -> Load:
    """Send messages from CONNECTIONS connections until there are none left."""

    async def run() -> Load:
        latencies: list[float] = []
        started = time.perf_counter()
        await asyncio.gather(*(_connection(gateway, next_message, latencies) for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - started
        latencies.sort()
        at = lambda share: latencies[min(len(latencies) - 1, int(len(latencies) * share))] * 1000  # noqa: E731
        return Load(len(latencies) / seconds, at(0.50), at(0.99))

    return asyncio.run(run())


async def _connection(gateway: Running, next_message: Callable[[], Message | None], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.port, ssl=gateway.client, server_hostname="localhost", limit=1 << 20
    )
    while (message := next_message()) is not None:
        started = time.perf_counter()
        writer.write(_head(message) + message.body)
        await writer.drain()
        await _answer(reader, message)
        latencies.append(time.perf_counter() - started)
    writer.close()


def _head(message: Message) -> bytes:
    return (
        f"POST /services/{message.endpoint} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {message.content_type}\r\n"
        f"Content-Length: {len(message.body)}\r\n\r\n"
    ).encode()


async def _answer(reader: asyncio.StreamReader, message: Message) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200") or b"ResponseStatusType:Success" not in body[:4000]:
        raise RuntimeError(f"{message.transaction} was refused: {body[:1000]!r}")


def resident(process: int) -> int:
    """Bytes of resident memory of the workers of a gateway."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children)
    return pages * os.sysconf("SC_PAGE_SIZE")
