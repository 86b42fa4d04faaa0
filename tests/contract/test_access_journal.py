"""AccessJournal: an event is on disk when `record` returns; a crash tears at most what was never answered."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.submissions import make_event
from xds_gateway.model.errors import StorageFull
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.messages import AuditEvent, QueryRequest
from xds_gateway.model.principal import Coded, User
from xds_gateway.storage.chains import chained, follow, seed
from xds_gateway.storage.events import event_json
from xds_gateway.storage.journal import FileAccessJournal, JournalDamaged, read_journal
from xds_gateway.storage.spools import FolderUnusable

USER = User(
    name_id="dr.é<script>",
    issuer="https://idp.example.org",
    assertion_id="_1",
    alias="DR",
    name="Dr\n É",
    organization="Hôpital",
    organization_id="urn:oid:1.2.3",
    roles=(Coded("309343006", "2.16.840.1.113883.6.96", "Physician"), Coded("x", "")),
    purposes=(Coded("TREAT", "2.16.840.1.113883.5.8"),),
    patient_id=PatientId("42", "1.2.3"),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileAccessJournal]:
    opened = FileAccessJournal(tmp_path, "w1")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "event",
    [
        make_event(),
        make_event(patient_ids=(), objects=(), codes=()),
        make_event(note='é^^^&1.2&ISO\'\nline\u2028 "quoted" \U0001f600', action="R", sender="A|B", decision="treat"),
        make_event(
            query=QueryRequest(
                query_id="urn:uuid:1", return_type="LeafClass", parameters=(("$a", ("'\n\"'", "b")), ("$c", ()))
            )
        ),
        make_event(user=USER, break_glass=True),
        make_event(user=User(name_id="jd", issuer="https://idp", assertion_id="_2")),
        make_event(codes=("XDSRegistryError",), outcome="failure"),
        make_event(note=""),
    ],
)
def test_an_event_reads_back_as_recorded(journal: FileAccessJournal, tmp_path: Path, event: AuditEvent) -> None:
    journal.record(event)
    assert list(read_journal(tmp_path)) == [event]


def test_events_of_many_threads_are_all_there_once(journal: FileAccessJournal, tmp_path: Path) -> None:
    events = [make_event(message_id=f"urn:{n}") for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(journal.record, events))
    assert sorted(event.message_id for event in read_journal(tmp_path)) == sorted(e.message_id for e in events)


def test_segments_end_by_size_and_read_in_order(tmp_path: Path) -> None:
    journal = FileAccessJournal(tmp_path, "w1", segment_bytes=1000)
    events = [make_event(n) for n in range(20)]
    for event in events:
        journal.record(event)
    journal.close()
    assert list(read_journal(tmp_path)) == events
    assert len(list(tmp_path.glob("w1-*.jsonl"))) > 3


def test_a_later_run_continues_in_a_segment_of_its_own(tmp_path: Path) -> None:
    for number in (1, 2):
        journal = FileAccessJournal(tmp_path, "w1")
        journal.record(make_event(number))
        journal.close()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["w1-00000001.jsonl", "w1-00000002.jsonl"]
    assert list(read_journal(tmp_path)) == [make_event(1), make_event(2)]


def test_two_writers_of_one_name_do_not_share_a_segment(tmp_path: Path) -> None:
    first, second = FileAccessJournal(tmp_path, "w1"), FileAccessJournal(tmp_path, "w1")
    first.record(make_event(1))
    second.record(make_event(2))
    first.close()
    second.close()
    assert [path.read_text().count("\n") for path in sorted(tmp_path.iterdir())] == [1, 1]


def test_a_torn_last_line_is_passed_over(journal: FileAccessJournal, tmp_path: Path) -> None:
    journal.record(make_event(1))
    (segment,) = tmp_path.iterdir()
    with segment.open("ab") as file:
        file.write(b'{"at":"2026')
    later = FileAccessJournal(tmp_path, "w1")
    later.record(make_event(2))
    later.close()
    assert list(read_journal(tmp_path)) == [make_event(1), make_event(2)]


@pytest.mark.parametrize("line", [b"{}", b'{"at":', b"[]", b"\xff", b'{"at":"1","unknown":1}'])
def test_a_damaged_line_inside_is_an_error(journal: FileAccessJournal, tmp_path: Path, line: bytes) -> None:
    journal.record(make_event(1))
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(line + b"\n" + segment.read_bytes())
    with pytest.raises(JournalDamaged, match=r"line 1 of w1-00000001\.jsonl"):
        list(read_journal(tmp_path))


@contextmanager
def full_disk(allowed: int) -> Iterator[None]:
    """No file of this process grows beyond `allowed` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_reads_go_on_while_the_disk_is_full_as_long_as_the_reserve_lasts(
    journal: FileAccessJournal, tmp_path: Path
) -> None:
    with full_disk(os.stat(next(tmp_path.iterdir())).st_size):
        for number in range(100):
            journal.record(make_event(number))
    assert list(read_journal(tmp_path)) == [make_event(number) for number in range(100)]


def record_until_full(journal: FileAccessJournal, event: AuditEvent) -> int:
    """How many times the journal took the event, 20 at most."""
    for number in range(20):
        try:
            journal.record(event)
        except StorageFull:
            return number
    return 20


def test_a_full_disk_is_told_and_what_follows_is_readable(journal: FileAccessJournal, tmp_path: Path) -> None:
    long = make_event(note="x" * 1_000_000)
    with full_disk(os.stat(next(tmp_path.iterdir())).st_size):
        taken = record_until_full(journal, long)
    journal.record(make_event(3))
    assert 1 <= taken < 20
    assert list(read_journal(tmp_path)) == [long] * taken + [make_event(3)]


def test_the_reserve_of_a_crashed_writer_is_given_back(tmp_path: Path) -> None:
    segment = tmp_path / "w1-00000001.jsonl"
    line = event_json(make_event(1)).encode() + b"\n"
    segment.write_bytes(line + b"{torn" + bytes(100_000))
    FileAccessJournal(tmp_path, "w1").close()
    assert segment.read_bytes() == line
    assert list(read_journal(tmp_path)) == [make_event(1)]


def test_a_closed_segment_holds_its_lines_and_nothing_else(journal: FileAccessJournal, tmp_path: Path) -> None:
    journal.record(make_event(1))
    journal.close()
    (segment,) = tmp_path.iterdir()
    event = event_json(make_event(1)).encode()
    assert segment.read_bytes() == chained(event, follow(seed(segment.name), event))


_CRASH = """
import os, sys
from pathlib import Path
from threading import Thread
from tests.contract.submissions import make_event
from xds_gateway.storage.events import event_json
from xds_gateway.storage.journal import FileAccessJournal
journal = FileAccessJournal(Path(sys.argv[1]), "w1")
def record(thread):
    for number in range(10_000):
        journal.record(make_event(message_id=f"{thread}-{number}"))
        os.write(1, f"{thread}-{number}\\n".encode())
threads = [Thread(target=record, args=(n,)) for n in range(4)]
[thread.start() for thread in threads]
"""


def test_what_was_recorded_before_a_kill_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CRASH, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(200)]
        process.kill()
        told += process.stdout.readlines()
    recorded = {event.message_id for event in read_journal(tmp_path)}
    assert {line.decode().strip() for line in told if line.endswith(b"\n")} <= recorded


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable):
        FileAccessJournal(tmp_path / "file" / "journal", "w1")


@pytest.mark.parametrize("writer", ["", "a/b", "..-", "w 1"])
def test_a_writer_has_a_name_fit_for_files(tmp_path: Path, writer: str) -> None:
    with pytest.raises(ValueError, match="writer"):
        FileAccessJournal(tmp_path, writer)
