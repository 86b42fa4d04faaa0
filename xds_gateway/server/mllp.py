"""MLLP: messages of identity feeds over TCP or TLS, several on a connection (ITI TF-2 3.8.3, 3.19).

A message is answered when it is durable, in the order of arrival. What cannot be read as frames ends its connection,
and nothing else.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Final

from ..codec.mllp import FrameBroken, Frames, FrameTooLong, frame
from ..model.principal import Principal
from .feeding import FeedPipeline
from .handshakes import SecureServer, Tell, address_of
from .listening import ListenerSocket, Server
from .tap import Tap

Identify = Callable[[bytes | None, str], Principal]  # of a verified certificate and an address

_log = logging.getLogger("xds_gateway.mllp")
_CHUNK: Final = 64 * 1024
_TOGETHER: Final = 64  # messages that share a commit: more would hold up the loop


@dataclass(frozen=True, slots=True, kw_only=True)
class MllpLimits:
    """Bytes of a message; seconds for one to arrive or its answer to be taken, and between two; connections.

    `handshakes` may be open at a time, for `handshake_seconds` each.
    """

    message_bytes: int
    message_seconds: float
    idle_seconds: float
    connections: int
    handshakes: int
    handshake_seconds: float
    shutdown_seconds: float


class MllpServer:
    """One feed's listener in one process."""

    def __init__(
        self,
        pipeline: FeedPipeline,
        limits: MllpLimits,
        *,
        tap: Tap | None,
        tell: Tell,
        now: Callable[[], datetime],
        identify: Identify,
    ) -> None:
        """`tell` hears of nodes that were refused, `now` judges certificates, `identify` says whose they are."""
        self._pipeline: Final = pipeline
        self._limits: Final = limits
        self._tap: Final = tap
        self._tell: Final = tell
        self._now: Final = now
        self._identify: Final = identify
        self._server: Server | None = None
        self._secure_server: SecureServer | None = None
        self._connections: Final[set[_Connection]] = set()
        self._stopping = False

    async def start(self, listener: ListenerSocket) -> None:
        """Listen on a bound socket."""
        loop = asyncio.get_running_loop()

        def make_protocol() -> asyncio.Protocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), self._accepted, loop=loop)

        if listener.tls.current.context is None:
            self._server = await loop.create_server(make_protocol, sock=listener.socket)
            return
        self._server = self._secure_server = SecureServer(
            listener.tls,
            make_protocol,
            tell=self._tell,
            now=self._now,
            seconds=self._limits.handshake_seconds,
            most=self._limits.handshakes,
        )
        self._secure_server.start(listener.socket)

    def recheck(self) -> None:
        """End connections of senders that are trusted no more; messages at work are answered first."""
        for connection in list(self._connections):
            if self._secure_server is not None and not self._secure_server.still_trusts(connection.transport):
                connection.end()

    async def finish(self) -> None:
        """Take no more: idle connections are closed, messages at work are answered first."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.shutdown_seconds):
                while self._connections:
                    await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._stopping or len(self._connections) >= self._limits.connections:
            _log.warning("feed connection refused", extra={"connections": len(self._connections)})
            writer.close()
            return
        caller = _caller(writer, self._identify)
        connection = _Connection(reader, writer, caller, self._pipeline, self._limits, self._tap)
        self._connections.add(connection)
        try:
            await connection.serve()
        except FrameBroken as broken:
            _log.warning("feed connection closed", extra={"reason": broken.reason})
        except (OSError, TimeoutError) as failure:  # reset, TLS broken, too slow
            _log.warning("feed connection closed", extra={"reason": type(failure).__name__})
            writer.transport.abort()
        finally:
            self._connections.discard(connection)
            connection.abort()


class _Connection:
    """One sender: reads frames, answers them in order."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        caller: Principal,
        pipeline: FeedPipeline,
        limits: MllpLimits,
        tap: Tap | None,
    ) -> None:
        self._reader: Final = reader
        self._writer: Final = writer
        self._pipeline: Final = pipeline
        self._limits: Final = limits
        self._tap: Final = tap
        self._caller: Final = caller
        self._busy = False
        self._ending = False
        self._refusal = b""  # the answer to what is no whole message

    @property
    def transport(self) -> asyncio.BaseTransport:
        """What it is over."""
        return self._writer.transport

    def end(self) -> None:
        """Close when nothing is at work, else after it."""
        self._ending = True
        if not self._busy:
            self._writer.close()

    def abort(self) -> None:
        """Close now: the sender reads what was written and then the end."""
        self._writer.close()

    async def serve(self) -> None:
        """Until the sender ends. Raises FrameBroken, OSError, TimeoutError."""
        frames = Frames(self._limits.message_bytes)
        try:
            await self._serve(frames)
        finally:
            if frames.inside:
                self._record([frames.rest], [self._refusal])

    async def _serve(self, frames: Frames) -> None:
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        while not self._ending:
            async with asyncio.timeout_at(deadline or loop.time() + self._limits.idle_seconds):
                data = await self._reader.read(_CHUNK)
            if not data:
                if frames.inside:
                    _log.warning("feed message cut off", extra={"address": self._caller.address})
                return
            whole = await self._receive(frames, data)
            # the time for one message counts from its first byte, however slowly the others come
            deadline = (deadline if not whole else None) or loop.time() + self._limits.message_seconds
            if not frames.inside:
                deadline = None

    async def _receive(self, frames: Frames, data: bytes) -> bool:
        """Answer all messages that are whole now; True when there was one. Raises FrameBroken."""
        contents: list[bytes] = []
        answered = False
        try:
            for content in frames.feed(data):
                contents.append(content)
                if len(contents) == _TOGETHER:
                    answered = True
                    await self._answer(contents)
                    contents = []
        except FrameBroken as broken:
            if contents:
                await self._answer(contents)
            if isinstance(broken, FrameTooLong):
                await self._refuse(broken)
            raise
        if contents:
            await self._answer(contents)
        return answered or bool(contents)

    async def _answer(self, contents: Sequence[bytes]) -> None:
        self._busy = True
        try:
            answers = await self._pipeline.answers(self._caller, contents)
            self._record(map(frame, contents), map(frame, answers))
            await self._send(answers)
        finally:
            self._busy = False
        if len(answers) < len(contents):
            raise FrameBroken("a message has no header to answer to")

    async def _refuse(self, broken: FrameTooLong) -> None:
        answer = self._pipeline.too_long(broken.beginning, self._limits.message_bytes)
        if answer is not None:
            self._refusal = frame(answer)
            await self._send([answer])

    async def _send(self, answers: Sequence[bytes]) -> None:
        self._writer.write(b"".join(map(frame, answers)))
        async with asyncio.timeout(self._limits.message_seconds):
            await self._writer.drain()

    def _record(self, received: Iterable[bytes], sent: Iterable[bytes]) -> None:
        """The bytes of each message as they were, of a broken one as far as it came; its answer, if it got one."""
        if self._tap is None:
            return
        for request, response in zip_longest(received, sent, fillvalue=b""):
            exchange = self._tap.exchange()
            exchange.received(request)
            if response:
                exchange.sent(response)


def _caller(writer: asyncio.StreamWriter, identify: Identify) -> Principal:
    tls = writer.get_extra_info("ssl_object")
    return identify(tls.getpeercert(binary_form=True) if tls is not None else None, address_of(writer.transport))
