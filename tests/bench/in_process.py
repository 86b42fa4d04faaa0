"""CPU of requests through the whole pipeline, without sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import uvloop

from xds_gateway.config import load
from xds_gateway.domains import prepare
from xds_gateway.server.exchange import HttpRequest
from xds_gateway.wiring import Gateway, build

from .messages import Message

_CHUNK = 64 * 1024
_SUCCESS = (b'status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"', b'<typeCode code="CA"/>')


def open_gateway(folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> Gateway:
    """A gateway of one process over a new data folder, with more settings; callers need no certificate."""
    mounts = '[{"authentication": "none", "assertions": "off"}]'
    settings = load(None, {"XDS_GATEWAY_DATA_FOLDER": str(folder), "XDS_GATEWAY_MOUNTS": mounts, **variables})
    prepare(settings)
    return build(settings)


async def _body(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


async def answered(gateway: Gateway, message: Message) -> bytes:
    """The body of the answer to a message, which must succeed."""
    ((_, mount),) = gateway.mounts.items()
    request = HttpRequest(
        method="POST",
        path=f"/services/{message.endpoint}",
        query="",
        headers={"content-type": message.content_type, "content-length": str(len(message.body))},
        address="127.0.0.1",
        certificate=None,
        body=_body(message.body),
    )
    response = await gateway.pipeline.answer(request, mount, message.endpoint)
    if response.status != 200 or not any(each in response.content[:3000] for each in _SUCCESS):
        raise RuntimeError(f"{message.transaction} answered {response.status}: {response.content[:2000]!r}")
    return response.content


class Spent(NamedTuple):
    """Seconds: of processor time of this process, all its threads together; of each request from start to end, and of
    processor time from its start to its end, which is its own when no other is in flight."""

    cpu: float
    latencies: list[float]
    cpus: list[float]


class Sender:
    """Sends messages through one gateway on one event loop, the one that the server uses."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def cpu(self, messages: Sequence[Message], *, at_once: int = 1) -> float:
        """Seconds of processor time, with so many requests in flight."""
        return self.send(messages, at_once=at_once).cpu

    def send(self, messages: Sequence[Message], *, at_once: int = 1) -> Spent:
        """What the messages cost, with so many requests in flight."""
        remaining = iter(messages)
        latencies: list[float] = []
        cpus: list[float] = []

        async def caller() -> None:
            for message in remaining:
                started, cpu = time.perf_counter(), time.process_time()
                await answered(self._gateway, message)
                cpus.append(time.process_time() - cpu)
                latencies.append(time.perf_counter() - started)

        async def run() -> Spent:
            started = time.process_time()
            await asyncio.gather(*(caller() for _ in range(at_once)))
            return Spent(time.process_time() - started, latencies, cpus)

        return self._runner.run(run())

    def answer(self, message: Message) -> bytes:
        """The body of the answer to one message."""
        return self._runner.run(answered(self._gateway, message))
