"""A domain that is emptied: all that is stored of it goes at once, the audit and other domains stay."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.submissions import (
    OTHER_PATIENT,
    PATIENT,
    make_event,
    make_folder,
    open_in,
    register,
    submission,
    submit,
    url_of,
    urn,
)
from xds_gateway.actors.patient_ports import PatientMerge, ReceivedMessage
from xds_gateway.actors.resets import reset
from xds_gateway.storage.audit_tables import metadata
from xds_gateway.storage.database import sqlite_path
from xds_gateway.storage.opening import Storage
from xds_gateway.storage.resets import CLEARED

KEPT = {"domain", "code", "stored_document", "detached_document", "value_set", "listed_code"}
KEPT |= {f"audit_{name}" for name in ("event", "source", "entry", "patient", "anchor", "target", "refused")}
KEPT |= {"used_assertion", "replay_memory"}  # what was used once is never taken again
EVENT = make_event(9)._replace(transaction="reset")


def fill(storage: Storage) -> None:
    """Two submissions, one with a document, a folder, a document without metadata, a merge, a message of a feed."""
    spools = [storage.documents.spool() for _ in range(2)]
    for spool in spools:
        spool.write(b"the letter")
    kept, left = storage.documents.keep([spool.finish() for spool in spools])
    submit(storage, submission(1), lambda store: store.add_documents({urn("entry 1"): kept}))
    submit(storage, submission(2), lambda store: store.add_documents({urn("entry 2"): left}))
    register(storage, make_folder(1))
    links = storage.registry.inspect(lambda snapshot: snapshot.associations((urn("entry 2"),)))
    storage.registry.write(lambda store: store.remove([*(link.uuid for link in links), urn("entry 2")]))

    def feed(store) -> None:  # type: ignore[no-untyped-def]
        store.add_patient(OTHER_PATIENT)
        store.merge_patients(
            PatientMerge(subsumed=PATIENT, surviving=OTHER_PATIENT, at="20260101", by="x", message_id="1")
        )
        store.note_received(ReceivedMessage("x", "1", b"1"), "20260101000000")
        store.audit(make_event())

    storage.registry.write(feed)


def rows(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(sqlite_path(url_of(folder)))) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in metadata.tables}


def files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "data" / "documents").rglob("*"))


def test_every_table_is_cleared_or_kept_on_purpose() -> None:
    assert set(metadata.tables) - CLEARED == KEPT


def test_everything_goes_but_the_audit(storage: Storage, tmp_path: Path) -> None:
    fill(storage)
    assert files(tmp_path) == 2
    counts = reset(storage.registry, storage.documents, EVENT)
    assert counts == {
        "document_entries": 1,
        "submission_sets": 2,
        "folders": 1,
        "associations": 1,
        "patients": 2,
        "documents": 2,
        "unsent_audit_events": 0,
    }
    left = {table: count for table, count in rows(tmp_path).items() if count}
    assert set(left) == {"domain", "code", "audit_event", "replay_memory"}
    assert left["audit_event"] == 2
    assert files(tmp_path) == 0


def test_what_was_there_may_come_again(storage: Storage) -> None:
    fill(storage)
    reset(storage.registry, storage.documents, EVENT)
    fill(storage)
    assert reset(storage.registry, storage.documents, EVENT)["document_entries"] == 1


def test_another_domain_keeps_all(storage: Storage, tmp_path: Path) -> None:
    other = open_in(tmp_path, "w2", domain="other")
    fill(other)
    before = rows(tmp_path)
    fill(storage)
    reset(storage.registry, storage.documents, EVENT)
    assert {t: n for t, n in rows(tmp_path).items() if t in CLEARED} == {t: before[t] for t in CLEARED}
    assert files(tmp_path) == 2
    other.close()


def test_a_process_that_goes_on_sees_the_new_state(storage: Storage, tmp_path: Path) -> None:
    other = open_in(tmp_path, "w2")
    fill(storage)
    reset(other.registry, other.documents, EVENT)
    assert storage.registry.inspect(lambda snapshot: snapshot.objects([urn("entry 1")])) == {}
    register(storage, *submission(1))
    assert set(other.registry.inspect(lambda snapshot: snapshot.objects([urn("entry 1")]))) == {urn("entry 1")}
    other.close()


class Interrupted(Exception):
    """The process ended here."""


def test_a_reset_that_is_interrupted_after_its_commit_is_finished_later(storage: Storage, tmp_path: Path) -> None:
    fill(storage)

    class Documents:
        def erase(self, keys: object) -> None:
            raise Interrupted

    with pytest.raises(Interrupted):
        reset(storage.registry, Documents(), EVENT)  # type: ignore[arg-type]
    assert files(tmp_path) == 2
    assert len(storage.registry.inspect(lambda snapshot: snapshot.documents_to_erase())) == 2
    assert reset(storage.registry, storage.documents, EVENT)["documents"] == 2
    assert files(tmp_path) == 0
    assert rows(tmp_path)["stored_document"] == 0


def test_a_reset_that_fails_before_its_commit_has_not_happened(storage: Storage, tmp_path: Path) -> None:
    fill(storage)
    before = rows(tmp_path)

    def work(store) -> None:  # type: ignore[no-untyped-def]
        store.clear(())
        raise Interrupted

    with pytest.raises(Interrupted):
        storage.registry.write(work)
    assert rows(tmp_path) == before
