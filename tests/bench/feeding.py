"""What an identity feed costs: A04 in batches on one connection, in process beside its floor, and over loopback.

The floor of a batch: frames found and made, each message split into segments and fields and digested, the rows that are
inserted for each (patient, accepted message, audit), one commit.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

import uvloop

from xds_gateway.codec.hl7v2 import parse_ack
from xds_gateway.codec.mllp import END, Frames, frame
from xds_gateway.model.principal import Principal
from xds_gateway.storage.database import connect, migrate
from xds_gateway.wiring import Gateway

from . import floors
from .comparing import COUNT
from .in_process import open_gateway

_BATCH: Final = 64  # messages that the server takes in one transaction
_TURNS: Final = 10
_ALONE: Final = 50  # messages of a turn that wait for their answer, one after the other
_LARGEST: Final = 1 << 20
_SETTINGS: Final = {"XDS_GATEWAY_FEEDS": '[{"tls": "off"}]'}
_CALLER: Final = Principal(node="CN=HIS", address="127.0.0.1")
# As hospitals send it: most of it is not read
_MESSAGE: Final = (
    "MSH|^~\\&|HIS|CLINIC|XDS|REGION|20260314083000||ADT^A04^ADT_A01|{number}|P|2.5|||||FRA|UNICODE UTF-8\r"
    "EVN|A04|20260314083000||||20260314082900\r"
    "PID|1||BENCH{number}^^^&1.2.250.1.213.1.4.10&ISO^PI~{number}^^^LOCAL^PI||Dupont^Jeanne^Marie^^Mme^^L||19610702|F"
    "|||12 rue des Lilas^^Lyon^^69003^FRA^H||^PRN^PH^^33^4^72000000|||M||A{number}^^^CLINIC^AN\r"
    "PV1|1|O|CARDIO^12^A^CLINIC||||10003456789^Martin^Paul|||CAR||||R|||||V{number}^^^CLINIC^VN"
    "|||||||||||||||||||||||||20260314082900\r"
)


def message(number: int) -> bytes:
    """An A04 of a patient of its own."""
    return _MESSAGE.format(number=number).encode()


def rows(folder: Path) -> dict[str, dict[str, float]]:
    """The ratio of CPU for each message: of batches, and of messages that wait for each other."""
    batches = max(_TURNS, COUNT * 10 // _BATCH)
    numbers = iter(range(10**9))
    batched = [[message(next(numbers)) for _ in range(_BATCH)] for _ in range(batches)]
    alone = [[message(next(numbers))] for _ in range(_TURNS * _ALONE)]
    opening, written = _record(folder / "recorded", [*batched, *alone])
    side, floor = _Side(folder / "measured"), _Floor(folder / "floor", opening)
    told: dict[str, list[float]] = {"cpu": [], "floor": [], "alone_cpu": [], "alone_floor": []}
    for prefix, groups, inserts in (("", batched, written[:batches]), ("alone_", alone, written[batches:])):
        each = -(-len(groups) // _TURNS)
        for start in range(0, len(groups), each):  # both take turns, so that they meet the same neighbours
            turn, rows_of = groups[start : start + each], inserts[start : start + each]
            count = sum(map(len, turn))
            told[f"{prefix}cpu"].append(_spent(side.take, turn) / count)
            told[f"{prefix}floor"].append(_spent(floor.take, list(zip(turn, rows_of, strict=True))) / count)
    side.close()
    cpu, low, cpu_alone, low_alone = (fmean(each) * 1000 for each in told.values())
    figures = {
        "cpu_ms": round(cpu, 3),
        "floor_ms": round(low, 3),
        "ratio": round(cpu / low, 2),
        "alone_cpu_ms": round(cpu_alone, 3),
        "alone_floor_ms": round(low_alone, 3),
        "alone_ratio": round(cpu_alone / low_alone, 2),
    }
    return {"ITI-8 A04": figures}


def _spent(work: Callable[[list], None], items: list) -> float:  # type: ignore[type-arg]
    """Seconds of processor time."""
    started = time.process_time()
    work(items)
    return time.process_time() - started


class _Side:
    """The gateway: what a connection does between the socket's bytes in and out."""

    def __init__(self, folder: Path) -> None:
        self._gateway: Final[Gateway] = open_gateway(folder, _SETTINGS)
        self._runner: Final = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._frames: Final = Frames(_LARGEST)

    def take(self, batches: Sequence[Sequence[bytes]]) -> None:
        """Have each batch acknowledged; all must be accepted."""
        self._runner.run(self._take(batches))

    async def _take(self, batches: Sequence[Sequence[bytes]]) -> None:
        (feed,) = self._gateway.feeds
        for batch in batches:
            contents = list(self._frames.feed(b"".join(map(frame, batch))))
            answers = await feed.answers(_CALLER, contents)
            if b"".join(map(frame, answers)).count(b"MSA|AA|") != len(batch):
                raise RuntimeError(f"a message was refused: {answers!r}")

    def close(self) -> None:
        """Close the gateway."""
        self._gateway.close()


Rows = list[floors.Statement]


def _record(folder: Path, batches: Sequence[Sequence[bytes]]) -> tuple[list[Rows], list[Rows]]:
    """The rows that the gateway inserts when it opens, and those for each batch."""
    recorder = floors.Recorder()
    with recorder.recording():
        side = _Side(folder)
        opening = recorder.take()
        side.take(batches)
        side.close()
    return opening, [[each for each in one if each[0].lstrip().startswith("INSERT")] for one in recorder.take()]


class _Floor:
    """The unavoidable work of a batch."""

    def __init__(self, folder: Path, opening: Sequence[Rows]) -> None:
        folder.mkdir(parents=True)
        url = f"sqlite:///{folder / 'floor.sqlite3'}"
        migrate(url)
        self._connection: Final = connect(url, wait_seconds=10)
        for rows_of in opening:
            self._insert(rows_of)
        self._answer: Final = frame(b"MSH|^~\\&|XDS|REGION|HIS|CLINIC|20260314083000||ACK^A04^ACK|1|P|2.5\rMSA|AA|1\r")

    def take(self, batches: Sequence[tuple[Sequence[bytes], Rows]]) -> None:
        """Batches with the rows that are inserted for them."""
        for batch, statements in batches:
            for content in b"".join(map(frame, batch)).split(END)[:-1]:
                for segment in content.split(b"\r"):
                    segment.split(b"|")
                hashlib.sha256(content).digest()
            self._insert(statements)
            b"".join([self._answer] * len(batch))

    def _insert(self, statements: Rows) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for statement, values in statements:
            execute(statement, values).fetchall()
        execute("COMMIT")


# --- over loopback --------------------------------------------------------------------------------------------------


def load(port: int, count: int) -> dict[str, float]:
    """Messages per second on one connection: sent without waiting, and each after the answer to the one before."""
    numbers = iter(range(500_000_000, 10**9))
    batched, alone = ([message(next(numbers)) for _ in range(each)] for each in (count, count // 10))
    return asyncio.run(_load(port, batched, alone))


async def _load(port: int, batched: Sequence[bytes], alone: Sequence[bytes]) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LARGEST)
    answers = _answers(reader)
    started = time.perf_counter()
    sending = asyncio.create_task(_send(writer, batched))
    for sent in batched:
        _accepted(sent, await anext(answers))
    await sending
    together = len(batched) / (time.perf_counter() - started)
    started = time.perf_counter()
    for sent in alone:
        await _send(writer, [sent])
        _accepted(sent, await anext(answers))
    each = len(alone) / (time.perf_counter() - started)
    writer.close()
    return {"rps": round(together), "alone_rps": round(each)}


async def _send(writer: asyncio.StreamWriter, messages: Sequence[bytes]) -> None:
    for sent in messages:
        writer.write(frame(sent))
        await writer.drain()


async def _answers(reader: asyncio.StreamReader):  # type: ignore[no-untyped-def]
    frames = Frames(_LARGEST)
    while data := await reader.read(1 << 16):
        for content in frames.feed(data):
            yield content


def _accepted(sent: bytes, answer: bytes) -> None:
    """The answers come in the order of the messages."""
    code, control_id, sentence = parse_ack(answer)
    if code != "AA" or control_id.encode() != sent.split(b"|")[9]:
        raise RuntimeError(f"MSH-10 {control_id} was answered {code}: {sentence}")
