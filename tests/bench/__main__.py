"""`make bench`: a table of ratios, and the same as JSON in var/bench.json. Ratios compare within one run only."""

import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from xds_gateway.config import load as load_settings

from . import floors, messages
from .in_process import Sender, open_gateway
from .loopback import load, resident, running

_COUNT = int(os.environ.get("BENCH_REQUESTS", "400"))
_WARM = 100
_TURN = 100  # requests before the floor has its turn: four fifths of them at once, the others alone
_AT_ONCE = 16  # requests in flight
_HUGE = int(os.environ.get("BENCH_HUGE_BYTES", str(1024**3)))
_OUTPUT = Path("var/bench.json")


def main() -> int:
    """Run everything and print it."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_scratch()) as name:
        folder = Path(name)
        console.print(f"CPU per request in process, {_COUNT} requests each ...")
        rows = _in_process(folder)
        console.print("Over loopback with mutual TLS, two workers ...")
        first_answer, loads, growth = _over_loopback(folder)
    for transaction, row in rows.items():
        row |= {name: round(value, 2) for name, value in asdict(loads[transaction]).items()}
    result = {
        "transactions": rows,
        "first_answer_s": round(first_answer, 2),
        "huge_document": {"bytes": _HUGE, "growth_bytes": growth},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    _OUTPUT.parent.mkdir(exist_ok=True)
    _OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    console.print(_table(rows))
    console.print(f"First answer {first_answer:.2f} s after the start of the program (TLS included).")
    console.print(f"A document of {_HUGE / 2**20:.0f} MiB in and out: workers grew by {growth / 2**20:.1f} MiB.")
    console.print(f"Written to {_OUTPUT}")
    return 0


def _scratch() -> str | None:
    """Documents and databases of the benchmark belong on the disk that the gateway would use."""
    Path("var").mkdir(exist_ok=True)
    return str(Path("var").resolve())


def _in_process(folder: Path) -> dict[str, dict[str, float]]:
    """Ratios of CPU: the gateway and its floor take turns, so that both meet the same neighbours on the machine."""
    document = messages.content()
    repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
    total = _WARM + _COUNT
    provided = [messages.provide(s, document) for s in messages.submissions(document, total)]
    registered = [messages.register(s, document) for s in messages.submissions(document, total, first=1_000_000)]
    queries = [messages.find(n % (total // messages.RESULTS)) for n in range(total)]
    retrieved = [messages.retrieve(repository, m.unique_id) for m in provided]
    told = _record(folder / "recorded", provided, registered, queries[0], retrieved[0])

    gateway = open_gateway(folder / "measured")
    sender = Sender(gateway)
    write_floor = floors.WriteFloor(folder / "floor-write", told.written)
    write_floor.skip(told.setup)
    rows = {
        "ITI-41": _compare(sender, provided, lambda m: write_floor.once(m, document)),
        "ITI-42": _compare(sender, registered, lambda m: write_floor.once(m, None)),
    }
    url = f"sqlite:///{folder / 'measured' / 'registry.sqlite3'}"
    stored = next(path for path in (folder / "measured" / "documents").rglob("*") if path.is_file())
    query_floor = floors.ReadFloor(url, folder / "floor-query", told.query)
    retrieve_floor = floors.ReadFloor(url, folder / "floor-retrieve", told.retrieve)
    rows["ITI-18"] = _compare(sender, queries, query_floor.query)
    rows["ITI-43"] = _compare(sender, retrieved, lambda m: retrieve_floor.retrieve(m, stored))
    gateway.close()
    return rows


@dataclass(frozen=True, slots=True)
class _Told:
    """What the gateway asked of SQLite: writing transactions (the first `setup` open the store) and two look-ups."""

    setup: int
    written: list[list[floors.Statement]]
    query: list[floors.Statement]
    retrieve: list[floors.Statement]


def _record(
    folder: Path,
    provided: list[messages.Message],
    registered: list[messages.Message],
    query: messages.Message,
    retrieve: messages.Message,
) -> _Told:
    recorder = floors.Recorder()
    with recorder.recording():
        gateway = open_gateway(folder)
        setup = len(floors.transactions(recorder.written))
        sender = Sender(gateway)
        sender.cpu(provided)
        sender.cpu(registered)
        lookups = []
        for message in (query, retrieve):
            sender.cpu([message])
            recorder.read.clear()
            sender.cpu([message])
            lookups.append(_selects(recorder.read))
        gateway.close()
    return _Told(setup, floors.transactions(recorder.written), *lookups)


def _compare(
    sender: Sender, sent: list[messages.Message], floor: Callable[[messages.Message], None]
) -> dict[str, float]:
    """CPU per request beside its floor, in milliseconds, and their ratio: under load, and of a lone caller."""
    sender.cpu(sent[:_WARM])
    for message in sent[:_WARM]:
        floor(message)
    loaded, alone, low = _Figure(), _Figure(), _Figure()
    for start in range(_WARM, len(sent), _TURN):
        turn = sent[start : start + _TURN]
        split = len(turn) * 4 // 5
        loaded.add(sender.cpu(turn[:split], at_once=_AT_ONCE), split)
        alone.add(sender.cpu(turn[split:]), len(turn) - split)
        started = time.process_time()
        for message in turn:
            floor(message)
        low.add(time.process_time() - started, len(turn))
    return {
        "cpu_ms": round(loaded.mean_ms, 3),
        "floor_ms": round(low.mean_ms, 3),
        "ratio": round(loaded.mean_ms / low.mean_ms, 2),
        "alone_cpu_ms": round(alone.mean_ms, 3),
        "alone_ratio": round(alone.mean_ms / low.mean_ms, 2),
    }


@dataclass(slots=True)
class _Figure:
    """Processor seconds of so many requests."""

    seconds: float = 0.0
    count: int = 0

    def add(self, seconds: float, count: int) -> None:
        self.seconds += seconds
        self.count += count

    @property
    def mean_ms(self) -> float:
        return self.seconds / self.count * 1000


def _selects(statements: list[floors.Statement]) -> list[floors.Statement]:
    """The look-ups among what a request asked of SQLite."""
    return [(s, v) for s, v in statements if s.lstrip().upper().startswith(("SELECT", "WITH"))]


def _over_loopback(folder: Path) -> tuple[float, dict[str, object], int]:
    document = messages.content()
    home = folder / "loopback"
    home.mkdir()
    with running(home) as gateway:
        provided = [messages.provide(s, document) for s in messages.submissions(document, 2 * _COUNT)]
        repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
        registered = [
            messages.register(s, document) for s in messages.submissions(document, 2 * _COUNT, first=1_000_000)
        ]
        loads = {"ITI-41": load(gateway, _each(provided)), "ITI-42": load(gateway, _each(registered))}
        patients = 2 * _COUNT // messages.RESULTS
        loads["ITI-18"] = load(gateway, _each([messages.find(n % patients) for n in range(4 * _COUNT)]))
        loads["ITI-43"] = load(gateway, _each([messages.retrieve(repository, m.unique_id) for m in provided] * 2))
        growth = _huge(gateway, repository)
    return gateway.first_answer, loads, growth  # type: ignore[return-value]


def _each(items: list[messages.Message]) -> Callable[[], messages.Message | None]:
    remaining: Iterator[messages.Message] = iter(items)
    return lambda: next(remaining, None)


def _huge(gateway: object, repository: str) -> int:
    """How much the workers grow while one huge document goes in and comes out again."""
    from .huge import round_trip

    peak = [0]
    before = resident(gateway.process)  # type: ignore[attr-defined]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], resident(gateway.process))  # type: ignore[attr-defined]

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        round_trip(gateway, repository, _HUGE)  # type: ignore[arg-type]
    finally:
        done.set()
        watcher.join()
    return peak[0] - before


def _table(rows: dict[str, dict[str, float]]) -> Table:
    table = Table("transaction", "CPU ms", "floor ms", "ratio", "ratio alone", "requests/s", "p50 ms", "p99 ms")
    for transaction, row in sorted(rows.items()):
        table.add_row(
            transaction,
            *(f"{row[name]:g}" for name in ("cpu_ms", "floor_ms", "ratio", "alone_ratio", "rps", "p50_ms", "p99_ms")),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
