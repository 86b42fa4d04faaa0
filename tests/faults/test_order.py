"""What the operating system is asked to do, in order: document, name, registry, then the answer (security.md D4)."""

import re
import time
from pathlib import Path

import pytest

from tests.gateways import listener
from tests.wire.messages import (
    find_documents,
    new_patient,
    provide,
    register,
    registrable,
    remove_documents,
    replacement,
    retrieve,
    send,
)

KEEPER_SECONDS = 1.3  # longer than the audit's keeper waits between two turns


def traced(text: str, data: Path) -> list[tuple[str, str]]:
    """What happened, in order: (kind, what), failures left out; a call that was interrupted counts where it ended."""
    waiting: dict[str, str] = {}
    events = []
    for line in text.splitlines():
        process, _, rest = line.partition(" ")
        if "<unfinished ...>" in rest:
            waiting[process] = rest.split("<unfinished ...>")[0].strip()
            continue
        if "resumed>" in rest:
            rest = waiting.pop(process, "") + rest.split("resumed>", 1)[1]
        found = re.match(r"(\w+)\((.*)\) += +(-?\d+)", rest.strip())
        if found and int(found[3]) >= 0 and (event := _event(found[1], found[2], str(data))):
            events.append(event)
    return events


def _event(name: str, arguments: str, data: str) -> tuple[str, str] | None:
    if name in ("fsync", "fdatasync"):
        path = re.search(r"<(.*?)>", arguments)
        place = path[1].removeprefix(data) if path else ""
        for folder in ("spool", "documents", "journal"):
            if place.startswith(f"/{folder}/"):
                return "sync", folder
        return ("sync", "database") if "registry.sqlite3" in place else None
    if name.startswith("rename"):
        return ("rename", "document") if "/spool/" in arguments and "/documents/" in arguments else None
    if name.startswith("unlink"):
        return ("unlink", "document") if f"{data}/documents/" in arguments else None
    return ("answer", "") if "HTTP/1.1 200" in arguments else None


@pytest.fixture
def traced_gateway(start_gateway, pki, tmp_path):
    """A gateway under strace, and where the trace goes."""
    trace = tmp_path / "trace"
    calls = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,write,writev,sendto,sendmsg"
    prefix = ("strace", "-D", "-f", "-y", "-s", "64", "-e", f"trace={calls}", "-o", str(trace))
    gateway = start_gateway(
        prefix=prefix, listeners=[listener(pki, tls="off")], mounts=[{"authentication": "none"}], workers=1
    )
    return gateway, trace


def quiet(trace: Path) -> int:
    """The trace's length once nothing is written any more: the audit's keeper, that turns every second, is done."""
    length, since = -1, time.monotonic()
    while time.monotonic() - since < KEEPER_SECONDS:
        if length != (length := trace.stat().st_size):
            since = time.monotonic()
        time.sleep(0.05)
    return length


def after(gateway, trace: Path, message) -> list[tuple[str, str]]:
    """What one message makes the gateway do, until its answer."""
    before = quiet(trace)
    assert send(gateway, message).status == "Success"
    events = traced(trace.read_bytes()[before:].decode(errors="replace"), gateway.data_folder)
    assert ("answer", "") in events
    return events[: events.index(("answer", ""))]


def document_before_entry(events: list[tuple[str, str]]) -> bool:
    """Whether files are synced before they are renamed, then their folders, then the database."""
    at: dict[tuple[str, str], list[int]] = {}
    for position, event in enumerate(events):
        at.setdefault(event, []).append(position)
    spool, rename, folder, database = (
        at[kind] for kind in (("sync", "spool"), ("rename", "document"), ("sync", "documents"), ("sync", "database"))
    )
    return spool[-1] < rename[0] <= rename[-1] < folder[-1] < database[0]


def test_a_document_is_on_disk_before_its_name_its_entry_and_the_answer(traced_gateway):
    gateway, trace = traced_gateway
    patient, uuid = new_patient(), None
    for size in (10, 100_000, 300_000, 3_000_000, 0):
        made = provide(b"x" * size, b"y" * size, patient=patient)
        events = after(gateway, trace, made.message())
        assert events.count(("sync", "spool")) == 2
        assert events.count(("rename", "document")) == 2
        assert document_before_entry(events)
        uuid = send(gateway, find_documents(patient, "ObjectRef")).ids[0]
    events = after(gateway, trace, replacement(uuid or "", b"new", patient).message())
    assert document_before_entry(events)


def test_an_entry_is_on_disk_before_the_answer(traced_gateway):
    gateway, trace = traced_gateway
    assert ("sync", "database") in after(gateway, trace, register(registrable()))


def test_a_read_is_in_the_journal_on_disk_before_the_answer(traced_gateway):
    gateway, trace = traced_gateway
    made = provide(b"x")
    assert send(gateway, made.message()).status == "Success"
    assert after(gateway, trace, find_documents(new_patient())) == [("sync", "journal")]
    assert after(gateway, trace, retrieve(*made.unique_ids))[-1:] == [("sync", "journal")]


def test_the_registry_gives_a_document_out_no_more_before_its_bytes_go_and_both_are_on_disk_before_the_answer(
    traced_gateway,
):
    gateway, trace = traced_gateway
    made = provide(b"x", b"y")
    assert send(gateway, made.message()).status == "Success"
    assert after(gateway, trace, remove_documents(*made.unique_ids)) == [
        ("sync", "database"),
        ("unlink", "document"),
        ("unlink", "document"),
        ("sync", "documents"),
        ("sync", "database"),
    ]
