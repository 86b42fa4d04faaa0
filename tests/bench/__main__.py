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

from . import allowed, assertions, everyday, feeding, growth, life, merging, messages, queries, secured
from .comparing import COUNT
from .loopback import load, resident, running

_HUGE = int(os.environ.get("BENCH_HUGE_BYTES", str(1024**3)))
_OUTPUT = Path("var/bench.json")


def main() -> int:
    """Run everything and print it."""
    console = Console(width=max(110, Console().width))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_scratch()) as name:
        folder = Path(name)
        console.print(f"CPU per request in process, {COUNT} requests each ...")
        rows = everyday.rows(folder)
        console.print("The other queries, then what happens to documents later ...")
        others = queries.rows(folder / "queries") | life.rows(folder / "life") | feeding.rows(folder / "feed")
        console.print(f"ITI-42 judged by {allowed.CODES} codes for each attribute ...")
        value_sets = allowed.measure(folder / "value-sets")
        console.print("The user of a request ...")
        user = assertions.measure()
        console.print("Every transaction with assertions and access rights, and without ...")
        security = secured.measure(folder / "secured")
        grown = _growth(console, folder)
        console.print("Over loopback with mutual TLS, two workers ...")
        first_answer, loads, fed, huge = _over_loopback(folder)
    for transaction, row in rows.items():
        row |= {name: round(value, 2) for name, value in asdict(loads[transaction]).items()}
    others["ITI-8 A04"] |= fed
    result = {
        "transactions": rows | others,
        "value_sets": value_sets,
        "user": user,
        "security": security,
        **grown,
        "first_answer_s": round(first_answer, 2),
        "huge_document": {"bytes": _HUGE, "growth_bytes": huge},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    _OUTPUT.parent.mkdir(exist_ok=True)
    _OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    console.print(_table(rows, ("rps", "p50_ms", "p99_ms")))
    console.print(_table(others, ("results", "rps", "alone_rps")))
    console.print(_security_table(security))
    for name, figures in grown.items():
        console.print(_growth_table(*_HEADS[name](figures), figures))
    console.print(f"Value sets cost {value_sets['cost']:.1%} of ITI-42.")
    console.print(
        f"An assertion of {user['bytes']} bytes is verified in {user['verify_us']} us, {user['ratio']} times its "
        f"floor; all that a user costs a request: {user['whole_us']} us."
    )
    console.print(f"First answer {first_answer:.2f} s after the start of the program (TLS included).")
    console.print(f"A document of {_HUGE / 2**20:.0f} MiB in and out: workers grew by {huge / 2**20:.1f} MiB.")
    console.print(f"Written to {_OUTPUT}")
    return 0


def _security_table(costs: dict[str, dict[str, float]]) -> Table:
    table = Table("with a user", "off, CPU ms", "on, CPU ms", "ratio")
    for transaction, cost in sorted(costs.items()):
        table.add_row(transaction, f"{cost['off_ms']:g}", f"{cost['on_ms']:g}", f"{cost['ratio']:g}")
    return table


def _growth(console: Console, folder: Path) -> dict[str, growth.Figures]:
    """The growth figures under their keys, those that are asked for."""
    grown = {}
    if growth.LARGE:
        console.print(f"FindDocuments over {growth.LARGE} documents and over a tenth of them ...")
        grown["growth"] = growth.measure(folder / "growth")
    if merging.PATIENTS:
        console.print(f"FindDocuments before and after {merging.PATIENTS} patients were registered and merged ...")
        grown["merges"] = merging.measure(folder / "merges")
    return grown


def _scratch() -> str | None:
    """Documents and databases of the benchmark belong on the disk that the gateway would use."""
    Path("var").mkdir(exist_ok=True)
    return str(Path("var").resolve())


def _over_loopback(folder: Path) -> tuple[float, dict[str, object], dict[str, float], int]:
    document = messages.content()
    home = folder / "loopback"
    home.mkdir()
    with running(home) as gateway:
        provided = [messages.provide(s, document) for s in messages.submissions(document, 2 * COUNT)]
        repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
        registered = [messages.register(s) for s in messages.submissions(document, 2 * COUNT, first=1_000_000)]
        loads = {"ITI-41": load(gateway, _each(provided)), "ITI-42": load(gateway, _each(registered))}
        patients = 2 * COUNT // messages.RESULTS
        loads["ITI-18"] = load(gateway, _each([messages.find(n % patients) for n in range(4 * COUNT)]))
        loads["ITI-43"] = load(gateway, _each([messages.retrieve(repository, m.unique_id) for m in provided] * 2))
        fed = feeding.load(gateway.feed_port, 20 * COUNT)
        huge = _huge(gateway, repository) if _HUGE else 0
    return gateway.first_answer, loads, fed, huge  # type: ignore[return-value]


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


_COLUMNS = {
    "cpu_ms": "CPU ms",
    "floor_ms": "floor ms",
    "ratio": "ratio",
    "alone_ratio": "ratio alone",
    "rps": "requests/s",
    "alone_rps": "requests/s alone",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "results": "objects",
}
_ALWAYS = ("cpu_ms", "floor_ms", "ratio", "alone_ratio")


def _table(rows: dict[str, dict[str, float]], more: tuple[str, ...]) -> Table:
    names = (*_ALWAYS, *more)
    table = Table("transaction", *(_COLUMNS[name] for name in names))
    for transaction, row in sorted(rows.items()):
        table.add_row(transaction, *(f"{row[name]:g}" if name in row else "" for name in names))
    return table


_HEADS: dict[str, Callable[[growth.Figures], list[str]]] = {
    "growth": lambda figures: [f"{count} documents" for count in figures["documents"]],
    "merges": lambda figures: [
        f"{patients} patients, {merges} merges"
        for patients, merges in zip(figures["patients"], figures["merges"], strict=True)
    ],
}


def _growth_table(small: str, large: str, figures: growth.Figures) -> Table:
    table = Table(f"FindDocuments, {growth.EACH} results", small, large, "ratio")
    for name in growth.MEASURED:
        low, high = figures[f"{name}_ms"]
        table.add_row(f"{name.replace('_', ' ')} ms", f"{low:g}", f"{high:g}", f"{figures[f'{name}_ratio']:g}")
    return table


if __name__ == "__main__":
    sys.exit(main())
