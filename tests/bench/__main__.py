"""`make bench`: a table of ratios, and the same as JSON in var/bench.json. Ratios compare within one run only."""

import json
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from xds_gateway.config import load as load_settings

from . import floors, messages
from .in_process import cpu_per_request, open_gateway
from .loopback import load, resident, running

_COUNT = int(os.environ.get("BENCH_REQUESTS", "400"))
_WARM = 100
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
    document = messages.content()
    recorder = floors.Recorder()
    with recorder.recording():
        recorded = open_gateway(folder / "recorded")
    gateway = open_gateway(folder / "measured")
    total = _WARM + _COUNT + 1
    provided = [messages.provide(s, document) for s in messages.submissions(document, total)]
    registered = [messages.register(s, document) for s in messages.submissions(document, total, first=1_000_000)]
    queries = [messages.find(n % (total // messages.RESULTS - 1)) for n in range(_COUNT + 1)]
    repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
    retrieved = [messages.retrieve(repository, m.unique_id) for m in provided[: _COUNT + 1]]

    with recorder.recording():
        for group in (provided, registered):
            cpu_per_request(recorded, group)
        provide_registers = floors.transactions(recorder.written)[-2 * total :]
        recorder.read.clear()
        cpu_per_request(recorded, queries[:2])
        lookups_query = _selects(recorder.read)
        recorder.read.clear()
        cpu_per_request(recorded, retrieved[:2])
        lookups_retrieve = _selects(recorder.read)

    setup = floors.transactions(recorder.written)[: -2 * total]
    write_floor = floors.WriteFloor(folder / "floor-write", setup + provide_registers)
    write_floor.skip(len(setup) + _WARM)
    cpu_per_request(gateway, provided[:_WARM])
    rows = {}
    rows["ITI-41"] = _row(
        cpu_per_request(gateway, provided[_WARM:]),
        floors.cpu_per_call(lambda n: write_floor.once(provided[_WARM + n], document), _COUNT),
    )
    write_floor.skip(1 + _WARM)
    cpu_per_request(gateway, registered[:_WARM])
    rows["ITI-42"] = _row(
        cpu_per_request(gateway, registered[_WARM:]),
        floors.cpu_per_call(lambda n: write_floor.once(registered[_WARM + n], None), _COUNT),
    )
    url = f"sqlite:///{folder / 'measured' / 'registry.sqlite3'}"
    stored = next(path for path in (folder / "measured" / "documents").rglob("*") if path.is_file())
    query_floor = floors.ReadFloor(url, folder / "floor-query", lookups_query)
    rows["ITI-18"] = _row(
        cpu_per_request(gateway, queries),
        floors.cpu_per_call(lambda n: query_floor.query(queries[n]), _COUNT),
    )
    retrieve_floor = floors.ReadFloor(url, folder / "floor-retrieve", lookups_retrieve)
    rows["ITI-43"] = _row(
        cpu_per_request(gateway, retrieved),
        floors.cpu_per_call(lambda n: retrieve_floor.retrieve(retrieved[n], stored), _COUNT),
    )
    for opened in (recorded, gateway):
        opened.close()
    return rows


def _selects(statements: list[floors.Statement]) -> list[floors.Statement]:
    """The look-ups of the last request."""
    begun = max(n for n, (statement, _) in enumerate(statements) if statement.startswith("BEGIN"))
    return [(s, v) for s, v in statements[begun:] if s.lstrip().upper().startswith(("SELECT", "WITH"))]


def _row(cpu: float, floor: float) -> dict[str, float]:
    return {"cpu_ms": round(cpu * 1000, 3), "floor_ms": round(floor * 1000, 3), "ratio": round(cpu / floor, 2)}


def _over_loopback(folder: Path) -> tuple[float, dict[str, object], int]:
    document = messages.content()
    home = folder / "loopback"
    home.mkdir()
    with running(home) as gateway:
        provided = [messages.provide(s, document) for s in messages.submissions(document, 2 * _COUNT)]
        repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
        registered = [messages.register(s, document) for s in messages.submissions(document, 2 * _COUNT, first=1_000_000)]
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
    table = Table("transaction", "CPU ms", "floor ms", "ratio", "requests/s", "p50 ms", "p99 ms")
    for transaction, row in sorted(rows.items()):
        table.add_row(transaction, *(f"{row[name]:g}" for name in ("cpu_ms", "floor_ms", "ratio", "rps", "p50_ms", "p99_ms")))
    return table


if __name__ == "__main__":
    sys.exit(main())
