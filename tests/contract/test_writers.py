"""RegistryStore.write over threads and processes: one after the other, durable, whole or not at all."""

import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.contract.submissions import (
    EVERYTHING,
    PATIENT,
    make_entry,
    make_event,
    make_link,
    make_set,
    open_in,
    register,
    submission,
    submit,
    urn,
)
from xds_gateway.actors.ports import Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import StorageBusy, StorageFull
from xds_gateway.model.queries import FindDocuments, GetDocuments
from xds_gateway.storage.locks import FairFileLock
from xds_gateway.storage.opening import Storage


class Refused(Exception):
    pass


def replace(storage: Storage, number: int) -> str:
    """Replace entry 0 by entry `number` if it is still Approved, as a plan would; else refuse."""
    prepared = storage.registry.prepare(
        [*submission(number), make_link(urn(f"entry {number}"), urn("entry 0"), v.RPLC)]
    )

    def work(transaction: Transaction) -> str:
        if transaction.objects([urn("entry 0")])[urn("entry 0")].status != v.APPROVED:
            raise Refused
        transaction.add(prepared)
        transaction.set_status([urn("entry 0")], v.DEPRECATED)
        transaction.audit(make_event())
        return f"entry {number}"

    try:
        return storage.registry.write(work)
    except Refused:
        return "refused"


def approved(storage: Storage) -> set[str]:
    query = FindDocuments(patient_id=PATIENT, statuses=(v.APPROVED,), object_types=())
    return set(storage.queries.find(query, EVERYTHING, 10_000).uuids)


def rows(folder: Path, table: str) -> int:
    connection = sqlite3.connect(folder / "registry.db")
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


def test_of_concurrent_replacements_by_threads_one_is_accepted(storage: Storage) -> None:
    register(storage, *submission(0))
    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(lambda number: replace(storage, number), range(1, 17)))
    (accepted,) = [outcome for outcome in outcomes if outcome != "refused"]
    assert approved(storage) == {urn(accepted)}


def _replace_in_process(folder: Path, numbers: range) -> list[str]:
    storage = open_in(folder, f"w{numbers.start}")
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(lambda number: replace(storage, number), numbers))
    storage.close()
    return outcomes


def test_of_concurrent_replacements_by_processes_one_is_accepted(storage: Storage, tmp_path: Path) -> None:
    register(storage, *submission(0))
    with get_context("spawn").Pool(2) as processes:
        parts = [(tmp_path, range(1, 9)), (tmp_path, range(9, 17))]
        outcomes = [outcome for part in processes.starmap(_replace_in_process, parts) for outcome in part]
    (accepted,) = [outcome for outcome in outcomes if outcome != "refused"]
    assert approved(storage) == {urn(accepted)}
    assert rows(tmp_path, "audit_event") == 1


def _submit_in_process(folder: Path, numbers: range) -> int:
    storage = open_in(folder, f"w{numbers.start}")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: register(storage, *submission(number)), numbers))
    storage.close()
    return len(numbers)


def test_submissions_of_two_processes_are_all_there(storage: Storage, tmp_path: Path) -> None:
    with get_context("spawn").Pool(2) as processes:
        parts = [(tmp_path, range(100)), (tmp_path, range(100, 200))]
        assert processes.starmap(_submit_in_process, parts) == [100, 100]
    assert approved(storage) == {urn(f"entry {n}") for n in range(200)}
    assert (rows(tmp_path, "object"), rows(tmp_path, "association")) == (600, 200)


def test_a_work_of_a_group_that_fails_undoes_itself_alone(storage: Storage) -> None:
    started, waiting = threading.Event(), threading.Event()

    def first(_: Transaction) -> None:
        started.set()
        waiting.wait(10)

    def second(number: int) -> str:
        prepared = storage.registry.prepare(submission(number))

        def work(transaction: Transaction) -> None:
            transaction.add_patient(PATIENT)
            transaction.add(prepared)
            if number % 2:
                raise Refused

        try:
            storage.registry.write(work)
        except Refused:
            return "refused"
        return "kept"

    with ThreadPoolExecutor(9) as threads:
        leader = threads.submit(storage.registry.write, first)
        started.wait(10)
        outcomes = [threads.submit(second, number) for number in range(8)]
        time.sleep(0.1)  # most of them wait for the first now, and become a group
        waiting.set()
        leader.result()
        assert [outcome.result() for outcome in outcomes] == ["kept", "refused"] * 4
    assert approved(storage) == {urn(f"entry {n}") for n in range(0, 8, 2)}


def test_a_code_of_an_undone_work_is_not_remembered(storage: Storage) -> None:
    def refuse(_: Transaction) -> None:
        raise Refused

    with pytest.raises(Refused):
        submit(storage, [make_entry(1, mime_type="text/one")], refuse)
    register(storage, make_entry(2, mime_type="text/two"))
    register(storage, make_entry(3, mime_type="text/one"))
    found = storage.registry.inspect(lambda snapshot: snapshot.objects([urn("entry 2"), urn("entry 3")]))
    assert {known.status for known in found.values()} == {v.APPROVED}
    assert len(storage.queries.find(GetDocuments(uuids=(urn("entry 3"),)), EVERYTHING, 1).uuids) == 1


# --- waiting ---


@contextmanager
def another_writer(folder: Path) -> Iterator[None]:
    """What another process does while it writes."""
    lock = FairFileLock(folder / "registry.db", wait_seconds=1)
    lock.acquire()
    try:
        yield
    finally:
        lock.close()


def test_waiting_for_another_writer_is_bounded(tmp_path: Path) -> None:
    storage = open_in(tmp_path, wait_seconds=0.2)
    with another_writer(tmp_path), ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(register, storage, *submission(number)) for number in range(4)]
        assert {type(work.exception()) for work in waiting} == {StorageBusy}
    register(storage, *submission(9))
    assert approved(storage) == {urn("entry 9")}
    storage.close()


def test_waiting_for_a_stranger_at_the_database_is_bounded(tmp_path: Path) -> None:
    storage = open_in(tmp_path, wait_seconds=0.2)
    stranger = sqlite3.connect(tmp_path / "registry.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusy):
        register(storage, *submission(1))
    stranger.execute("ROLLBACK")
    stranger.close()
    register(storage, *submission(1))
    assert approved(storage) == {urn("entry 1")}
    storage.close()


def test_readers_do_not_wait_for_a_writer(storage: Storage, tmp_path: Path) -> None:
    register(storage, *submission(1))
    with another_writer(tmp_path):
        assert approved(storage) == {urn("entry 1")}
        assert storage.registry.inspect(lambda snapshot: snapshot.survivor(PATIENT))


# --- disks and crashes ---


def test_a_full_disk_is_told_and_the_next_write_goes_on(storage: Storage, tmp_path: Path) -> None:
    """The limit on the size of files stands for a full disk: the system refuses to write, really."""
    register(storage, *submission(1))
    size = (tmp_path / "registry.db-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5000, hard))
    try:
        for number in (2, 3):
            with pytest.raises(StorageFull):
                register(storage, *submission(number))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert approved(storage) == {urn("entry 1")}
    register(storage, *submission(4))
    assert approved(storage) == {urn("entry 1"), urn("entry 4")}


def test_a_commit_that_fails_fails_its_whole_group(storage: Storage, tmp_path: Path) -> None:
    register(storage, *submission(0))
    started, waiting = threading.Event(), threading.Event()

    def first(_: Transaction) -> None:
        started.set()
        waiting.wait(10)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ThreadPoolExecutor(9) as threads:
        leader = threads.submit(storage.registry.write, first)
        started.wait(10)
        group = [threads.submit(register, storage, *submission(number)) for number in range(1, 9)]
        time.sleep(0.1)  # most of them wait for the first now, and become a group
        size = (tmp_path / "registry.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            waiting.set()
            leader.result()  # it changed nothing, so its commit writes nothing
            assert all(isinstance(work.exception(), StorageFull) for work in group)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert approved(storage) == {urn("entry 0")}
    register(storage, *submission(10))
    assert approved(storage) == {urn("entry 0"), urn("entry 10")}


_CRASH = """
import os, sys
from pathlib import Path
from threading import Thread
from tests.contract.submissions import open_in, register, submission
storage = open_in(Path(sys.argv[1]))
first = int(sys.argv[2])
def write(thread):
    for number in range(first + thread, first + 1_000_000, 4):
        register(storage, *submission(number))
        os.write(1, f"{number}\\n".encode())
threads = [Thread(target=write, args=(n,)) for n in range(4)]
[thread.start() for thread in threads]
"""


def test_a_kill_loses_nothing_that_was_answered_and_leaves_no_half(tmp_path: Path) -> None:
    told: set[int] = set()
    for run in range(3):
        command = [sys.executable, "-c", _CRASH, str(tmp_path), str(run * 1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(30 + 11 * run)]
            process.kill()
            lines += process.stdout.readlines()
        told |= {int(line) for line in lines if line.endswith(b"\n")}
    storage = open_in(tmp_path)
    there = approved(storage)
    assert {urn(f"entry {number}") for number in told} <= there
    sets, links = rows(tmp_path, "submission_set"), rows(tmp_path, "association")
    assert (len(there), sets, links, rows(tmp_path, "object")) == (sets, links, len(there), 3 * len(there))
    storage.close()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    storage = open_in(tmp_path)
    register(storage, make_entry(1), make_set(1))
    storage.close()
    again = open_in(tmp_path)
    assert approved(again) == {urn("entry 1")}
    again.close()
    assert not (tmp_path / "registry.db-wal").exists()


def test_the_log_of_the_database_stays_bounded_under_load(storage: Storage, tmp_path: Path) -> None:
    for number in range(1600):
        register(storage, *submission(number))
    assert (tmp_path / "registry.db-wal").stat().st_size < 64 << 20
