"""kill -9 at random moments under load: what was acknowledged is there, and nothing half is (security.md D1, D2, D3).

XDS_TEST_KILLS sets the number of kills; 12 when not set. Four senders each replace a document of their own again and
again, so that every kill hits running submissions.
"""

import os
import random
import signal
import sqlite3
import ssl
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_association
from tests.wire.messages import (
    Answer,
    Provide,
    entry_for,
    find_documents,
    new_patient,
    new_urn,
    provide,
    query,
    retrieve,
    send,
)
from tests.wire.raw import call
from xds_gateway.model import vocabulary as v

from .killing import killed_under_load, under_load

KILLS = int(os.environ.get("XDS_TEST_KILLS", "12"))
SENDERS = 4
_STATUSES = f"('{v.APPROVED}','{v.DEPRECATED}')"


@dataclass
class Chain:
    """One sender's documents: each submission replaces the first document of the one before and brings a second one."""

    seed: int
    patient: str = field(default_factory=new_patient)
    kept: list[Provide] = field(default_factory=list)  # acknowledged, or found whole after a kill
    refused: list[Provide] = field(default_factory=list)  # found absent after a kill
    unknown: Provide | None = None
    acknowledged: int = 0

    def next(self) -> Provide:
        """The next submission."""
        chance = random.Random(self.seed * 100_000 + len(self.kept) + len(self.refused))
        contents = (chance.randbytes(chance.choice((20, 3_000, 300_000))), chance.randbytes(50))
        entries = tuple(entry_for(content, self.patient, n, id=new_urn()) for n, content in enumerate(contents, 1))
        made = provide(*contents, patient=self.patient, entries=entries)
        if not self.kept:
            return made
        link = make_association(made.entry.id, self.kept[-1].entry.id, v.RPLC)
        associations = (*made.submission.associations, link)
        return replace(made, submission=replace(made.submission, associations=associations))

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        """Submit until the gateway is gone."""
        while not over.is_set():
            made = self.next()
            message = made.message()
            self.unknown = made
            try:
                response = call(gateway, "/services/repository", message.body, message.headers)
            except (OSError, ssl.SSLError):
                return
            if not response.whole:
                return
            assert Answer(response).status == "Success", Answer(response).contexts
            self.unknown = None
            self.kept.append(made)
            self.acknowledged += 1

    def settle(self, gateway: RunningGateway) -> None:
        """Find out what became of the submission that was not answered: all of it or nothing."""
        if self.unknown is None:
            return
        found = present(gateway, self.unknown)
        assert found in (set(), set(self.unknown.unique_ids))
        (self.kept if found else self.refused).append(self.unknown)
        self.unknown = None

    def check(self, gateway: RunningGateway) -> None:
        """Every document is there with its bytes; exactly the last first document and all second ones are Approved."""
        wanted = {u: c for made in self.kept for u, c in zip(made.unique_ids, made.contents.values(), strict=True)}
        returned = send(gateway, retrieve(*wanted))
        assert returned.contexts == []
        assert returned.documents == wanted
        lost = [unique_id for made in self.refused for unique_id in made.unique_ids]
        if lost:
            assert send(gateway, retrieve(*lost)).documents == {}
        approved = send(gateway, find_documents(self.patient, "ObjectRef")).ids
        current = {made.submission.document_entries[1].id for made in self.kept} | {self.kept[-1].entry.id}
        assert sorted(approved) == sorted(current)
        both = send(gateway, find_documents(self.patient, "ObjectRef", Status=_STATUSES)).ids
        assert sorted(both) == sorted(entry.id for made in self.kept for entry in made.submission.document_entries)


def present(gateway: RunningGateway, made: Provide) -> set[str]:
    """Which documents of a submission the registry knows and the repository returns; both must say the same."""
    names = "','".join(entry.id for entry in made.submission.document_entries)
    known = set(send(gateway, query("GetDocuments", {"$XDSDocumentEntryEntryUUID": f"('{names}')"}, "ObjectRef")).ids)
    documents = send(gateway, retrieve(*made.unique_ids)).documents
    by_id = {entry.id: entry.unique_id or "" for entry in made.submission.document_entries}
    assert {by_id[uuid] for uuid in known} == set(documents)
    assert all(
        documents[u] == c for u, c in zip(made.unique_ids, made.contents.values(), strict=True) if u in documents
    )
    return set(documents)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # wrap_socket leaks a socket that is reset
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_acknowledged_survives_kill_9_and_nothing_half_is_left(start_gateway, workers):
    chance = random.Random(workers)
    chains = [Chain(seed=workers * 10 + number) for number in range(SENDERS)]
    gateway = start_gateway(workers=workers)
    folder = gateway.data_folder
    for _ in range((KILLS + 1) // 2):
        killed_under_load(gateway, [chain.work for chain in chains], chance.uniform(0.1, 0.8))
        gateway = start_gateway(workers=workers, data_folder=folder)
        for chain in chains:
            chain.settle(gateway)
    for chain in chains:
        chain.check(gateway)
    assert gateway.stop() == 0
    acknowledged = sum(chain.acknowledged for chain in chains)
    print(f"{acknowledged} submissions acknowledged across {(KILLS + 1) // 2} kills of {workers} workers")
    assert acknowledged > KILLS
    assert rows(folder / "registry.sqlite3") == (
        "ok",
        sum(len(chain.kept) for chain in chains),
        sum(2 * len(chain.kept) for chain in chains),
        sum(2 * len(chain.kept) + max(0, len(chain.kept) - 1) for chain in chains),
    )
    assert [
        path for path in (folder / "spool").rglob("*") if path.is_file() and path.name not in (".lock", "lock")
    ] == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_killed_worker_takes_nothing_with_it_but_its_running_requests(start_gateway):
    chance = random.Random(7)
    chains = [Chain(seed=70 + number) for number in range(SENDERS)]
    gateway = start_gateway(workers=2)
    for _ in range(4):  # five within ten seconds would end the gateway
        with under_load(gateway, [chain.work for chain in chains]):
            time.sleep(chance.uniform(0.1, 0.8))
            workers = gateway.workers()
            os.kill(chance.choice(workers), signal.SIGKILL)
            while len(set(gateway.workers()) - set(workers)) == 0:
                time.sleep(0.05)
        for chain in chains:
            chain.settle(gateway)
    for chain in chains:
        chain.check(gateway)
    assert gateway.stop() == 0
    assert rows(gateway.data_folder / "registry.sqlite3")[:2] == ("ok", sum(len(chain.kept) for chain in chains))


def rows(database: object) -> tuple[object, ...]:
    """Integrity of the database, and how many sets, entries and associations it has."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("submission_set", "document_entry", "association")
        ]
    return (integrity, *counts)
