"""CPU of the four transactions that everybody uses, beside their floors."""

from dataclasses import dataclass
from pathlib import Path

from xds_gateway.config import load as load_settings

from . import floors, messages
from .comparing import TOTAL, compare
from .in_process import Sender, open_gateway


def rows(folder: Path) -> dict[str, dict[str, float]]:
    """Ratios of CPU of the four transactions that everybody uses."""
    document = messages.content()
    repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
    provided = [messages.provide(s, document) for s in messages.submissions(document, TOTAL)]
    registered = [messages.register(s) for s in messages.submissions(document, TOTAL, first=1_000_000)]
    asked = [messages.find(n % (TOTAL // messages.RESULTS)) for n in range(TOTAL)]
    retrieved = [messages.retrieve(repository, m.unique_id) for m in provided]
    told = _record(folder / "recorded", provided, registered, asked[0], retrieved[0])

    gateway = open_gateway(folder / "measured")
    sender = Sender(gateway)
    write_floor = floors.WriteFloor(folder / "floor-write", told.written)
    write_floor.skip(told.setup)
    compared = {
        "ITI-41": compare(sender, provided, lambda m: write_floor.provide(m, document)),
        "ITI-42": compare(sender, registered, write_floor.register),
    }
    url = f"sqlite:///{folder / 'measured' / 'registry.sqlite3'}"
    stored = next(path for path in (folder / "measured" / "documents").rglob("*") if path.is_file())
    query_floor = floors.ReadFloor(url, folder / "floor-query", told.query)
    retrieve_floor = floors.ReadFloor(url, folder / "floor-retrieve", told.retrieve)
    compared["ITI-18"] = compare(sender, asked, query_floor.query)
    compared["ITI-43"] = compare(sender, retrieved, lambda m: retrieve_floor.retrieve(m, stored))
    gateway.close()
    return compared


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
            lookups.append(floors.selects(recorder.read))
        gateway.close()
    return _Told(setup, floors.transactions(recorder.written), *lookups)
