"""kill -9 at random moments while documents are submitted and removed (ITI-41, ITI-62, ITI-86).

What was acknowledged is done, everything else is wholly there or wholly gone, and no bytes stay without a row. The
number of kills is bounded as in test_kill.py.
"""

import random
import sqlite3
import ssl
import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.gateways import RunningGateway
from tests.wire.messages import (
    REPOSITORY,
    Answer,
    Message,
    Provide,
    entry_for,
    new_patient,
    new_urn,
    provide,
    query,
    remove,
    remove_documents,
    retrieve,
    send,
    set_for,
)
from tests.wire.raw import call
from xds_gateway.config import load
from xds_gateway.model.principal import AccessFilter
from xds_gateway.storage.opening import open_storage

from .killing import killed_under_load
from .test_kill import KILLS

SENDERS = 4
DOMAIN = load(None, {}).domains[0].name
HELD, GONE, EITHER = "held", "gone", "either"


@dataclass
class Life:
    """One submission, and whether its metadata and its bytes are held, gone, or either after a kill."""

    made: Provide
    metadata: str = EITHER
    content: str = EITHER

    @property
    def ids(self) -> tuple[str, ...]:
        """entryUUIDs of all its objects."""
        return tuple(item.id for item in self.made.submission.objects)


@dataclass
class Administrator:
    """Submits documents and removes metadata, bytes, or both, in either order, until the gateway is gone."""

    seed: int
    patient: str = field(default_factory=new_patient)
    lives: list[Life] = field(default_factory=list)
    removed: int = 0
    settled: int = 0  # lives that were looked at after an earlier kill

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        chance = random.Random(self.seed * 1000 + len(self.lives))
        while not over.is_set():
            life = Life(self.new(chance))
            self.lives.append(life)
            if not acknowledged(gateway, life.made.message()):
                return
            life.metadata = life.content = HELD
            for what in chance.choice(
                ([], ["metadata"], ["content"], ["metadata", "content"], ["content", "metadata"])
            ):
                setattr(life, what, EITHER)
                if not acknowledged(gateway, self.removal(life, what)):
                    return
                setattr(life, what, GONE)
                self.removed += 1

    def new(self, chance: random.Random) -> Provide:
        """A submission with permanent ids."""
        content = chance.randbytes(chance.choice((20, 3_000, 300_000)))
        the_set = set_for(self.patient, id=new_urn())
        made = provide(
            content,
            patient=self.patient,
            entries=(entry_for(content, self.patient, id=new_urn()),),
            submission_set=the_set,
        )
        (member,) = made.submission.associations
        object.__setattr__(member, "id", new_urn())
        return made

    def removal(self, life: Life, what: str) -> Message:
        return remove(*life.ids) if what == "metadata" else remove_documents(*life.made.unique_ids)

    def settle(self, gateway: RunningGateway) -> None:
        """What may be either is one of both; the rest is as it was acknowledged."""
        for life in self.lives[self.settled :]:
            life.metadata = seen(life.metadata, self.metadata_held(gateway, life))
            if life.metadata == HELD:
                life.content = seen(life.content, self.content_held(gateway, life))
        self.settled = len(self.lives)

    def metadata_held(self, gateway: RunningGateway, life: Life) -> bool:
        """Whether all objects are there, or none."""
        entry = life.made.entry.id
        sets = query("GetSubmissionSets", {"$uuid": f"('{entry}')"}, "ObjectRef")
        found = send(gateway, query("GetDocuments", {"$XDSDocumentEntryEntryUUID": f"('{entry}')"}, "ObjectRef")).ids
        found += send(gateway, sets).ids
        found += send(gateway, query("GetAssociations", {"$uuid": f"('{entry}')"}, "ObjectRef")).ids
        assert set(found) in (set(), set(life.ids))
        return bool(found)

    def content_held(self, gateway: RunningGateway, life: Life) -> bool:
        """Whether the bytes come back whole; only asked while there are metadata."""
        documents = send(gateway, retrieve(*life.made.unique_ids)).documents
        expected = dict(zip(life.made.unique_ids, life.made.contents.values(), strict=True))
        assert documents in ({}, expected)
        return bool(documents)


def acknowledged(gateway: RunningGateway, message: Message) -> bool:
    """Send; False when the gateway was killed before its answer was whole."""
    try:
        response = call(gateway, f"/services/{message.endpoint}", message.body, message.headers)
    except (OSError, ssl.SSLError):
        return False
    if not response.whole:
        return False
    assert Answer(response).status == "Success", Answer(response).contexts
    return True


def seen(expected: str, held: bool) -> str:
    """What is there now, which must be what is expected."""
    found = HELD if held else GONE
    assert expected in (EITHER, found)
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_removal_that_was_acknowledged_is_done_and_no_other_is_half_done(start_gateway, workers):
    chance = random.Random(workers)
    administrators = [Administrator(seed=workers * 10 + number) for number in range(SENDERS)]
    gateway = start_gateway(workers=workers)
    folder = gateway.data_folder
    for _ in range((KILLS + 3) // 4):
        killed_under_load(gateway, [each.work for each in administrators], chance.uniform(0.3, 1.2))
        gateway = start_gateway(workers=workers, data_folder=folder)
        for each in administrators:
            each.settle(gateway)
    assert gateway.stop() == 0
    removed = sum(each.removed for each in administrators)
    print(f"{removed} removals acknowledged across {(KILLS + 3) // 4} kills of {workers} workers")
    assert removed > KILLS
    lives = [life for each in administrators for life in each.lives]
    check_disk(folder, lives)


def check_disk(folder: Path, lives: list[Life]) -> None:
    """After the sweep there is a row for each file and a file for each row, and they are those of what is held."""
    storage = open_storage(f"sqlite:///{folder}/registry.sqlite3", folder, DOMAIN, writer_name="test", spool_quota=1)
    storage.documents.sweep(-1, storage.index.referenced)
    files = {path.name for path in (folder / "documents").glob("??/??/*")}
    with closing(sqlite3.connect(f"file:{folder}/registry.sqlite3?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {key for (key,) in database.execute("SELECT key FROM stored_document")} == files
        assert database.execute("SELECT count(*) FROM detached_document WHERE removed = 1").fetchone() == (0,)
        counted = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("object", "document_entry", "submission_set", "association", "unique_id")
        }
    there = sum(life.metadata == HELD for life in lives)
    assert counted == {
        "object": 3 * there,
        "document_entry": there,
        "submission_set": there,
        "association": there,
        "unique_id": 2 * there,
    }
    held = {life.made.unique_ids[0] for life in lives if life.metadata == HELD and life.content == HELD}
    wanted = [life.made.unique_ids[0] for life in lives]
    assert set(storage.index.documents(REPOSITORY, wanted, AccessFilter.everything(DOMAIN))) == held
    certain = sum(life.content == HELD for life in lives)
    open_ = sum(life.content == EITHER for life in lives)
    assert certain <= len(files) <= certain + open_
    storage.close()


def test_a_removal_that_was_interrupted_after_its_commit_is_finished_before_the_gateway_serves(start_gateway):
    gateway = start_gateway()
    folder = gateway.data_folder
    made = provide(b"half removed", b"kept")
    assert acknowledged(gateway, made.message())
    gateway.kill()
    storage = open_storage(f"sqlite:///{folder}/registry.sqlite3", folder, DOMAIN, writer_name="test", spool_quota=1)
    storage.registry.write(lambda t: t.detach_documents(REPOSITORY, made.unique_ids[:1]))
    storage.close()
    assert len(list((folder / "documents").glob("??/??/*"))) == 2
    gateway = start_gateway(data_folder=folder)
    (left,) = (folder / "documents").glob("??/??/*")
    assert left.read_bytes() == b"kept"
    answer = send(gateway, retrieve(*made.unique_ids))
    assert (answer.errors, list(answer.documents)) == (["XDSDocumentUniqueIdError"], [made.unique_ids[1]])
