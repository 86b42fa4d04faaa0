"""Removal in storage: nothing of an object is left, nothing else is touched, and documents leave in steps."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.builders import CONTENT, OTHER_PATIENT, PATIENT, REPOSITORY
from xds_gateway.actors.ports import HeldDocument, KnownAssociation
from xds_gateway.actors.removals import erase, finish_removals
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import StoredDocument
from xds_gateway.model.metadata import DocumentEntry
from xds_gateway.storage import blobs
from xds_gateway.storage.database import StorageConflict, sqlite_path
from xds_gateway.storage.opening import Storage

from .submissions import (
    EVERYTHING,
    make_entry,
    make_event,
    make_folder,
    make_link,
    make_set,
    open_in,
    register,
    submission,
    submit,
    url_of,
    urn,
)

OURS = {"slots": {"repositoryUniqueId": REPOSITORY}}
TABLES = (
    "object",
    "document_entry",
    "submission_set",
    "folder",
    "association",
    "object_code",
    "object_author",
    "entry_reference",
    "unique_id",
)


def rows(folder: Path, *tables: str) -> dict[str, list[Any]]:
    """What the tables hold."""
    with closing(sqlite3.connect(sqlite_path(url_of(folder)))) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        return {table: database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}


def counts(folder: Path, *tables: str) -> list[int]:
    """How many rows each table has."""
    return [len(found) for found in rows(folder, *tables).values()]


def remove(storage: Storage, *uuids: str) -> None:
    storage.registry.write(lambda transaction: transaction.remove(uuids))


def keep(storage: Storage, content: bytes = CONTENT) -> StoredDocument:
    spool = storage.documents.spool()
    spool.write(content)
    return storage.documents.keep([spool.finish()])[0]


def provide(storage: Storage, number: int = 1, content: bytes = CONTENT, **changes: Any) -> StoredDocument:
    """A submission with its document in this repository."""
    stored = keep(storage, content)
    objects = submission(number, **{**OURS, **changes})
    submit(storage, objects, lambda transaction: transaction.add_documents({objects[0].id: stored}))
    return stored


def unique_id(number: int = 1) -> str:
    return make_entry(number).unique_id or ""


def detach(storage: Storage, *unique_ids: str, repository: str = REPOSITORY) -> list[str]:
    return list(storage.registry.write(lambda t: t.detach_documents(repository, unique_ids)))


def held(storage: Storage, *unique_ids: str, repository: str = REPOSITORY) -> dict[str, HeldDocument]:
    return dict(storage.registry.inspect(lambda s: s.documents_of(repository, unique_ids)))


def to_erase(storage: Storage) -> list[str]:
    return list(storage.registry.inspect(lambda s: s.documents_to_erase()))


def given_out(storage: Storage, *unique_ids: str) -> set[str]:
    return set(storage.index.documents(REPOSITORY, unique_ids, EVERYTHING))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "data" / "documents").glob("??/??/*"))


# --- objects ------------------------------------------------------------------------------------------------------


def filed(number: int) -> tuple[Any, ...]:
    """A set with an entry in a folder."""
    entry, submission_set, member = submission(number, slots={"repositoryUniqueId": "1.2.3"})
    folder = make_folder(number)
    return (
        entry,
        submission_set,
        member,
        folder,
        make_link(submission_set.id, folder.id),
        make_link(folder.id, entry.id),
        make_link(submission_set.id, make_link(folder.id, entry.id).id),
    )


def test_a_removed_set_leaves_no_row_and_its_neighbour_every_row(storage: Storage, tmp_path: Path) -> None:
    register(storage, *filed(1))
    before = rows(tmp_path, *TABLES)
    register(storage, *filed(2))
    remove(storage, *(item.id for item in filed(2)))
    assert rows(tmp_path, *TABLES) == before
    remove(storage, *(item.id for item in filed(1)))
    assert counts(tmp_path, *TABLES) == [0] * len(TABLES)


def test_the_same_objects_may_come_again_after_their_removal(storage: Storage, tmp_path: Path) -> None:
    register(storage, *filed(1))
    before = counts(tmp_path, *TABLES)
    remove(storage, *(item.id for item in filed(1)))
    register(storage, *filed(1))
    assert counts(tmp_path, *TABLES) == before


def test_objects_are_removed_and_added_again_in_one_transaction(storage: Storage, tmp_path: Path) -> None:
    objects = submission(1)
    register(storage, *objects)
    prepared = storage.registry.prepare(objects)

    def work(transaction: Any) -> None:
        transaction.objects([item.id for item in objects])
        transaction.remove([item.id for item in objects])
        assert transaction.objects([item.id for item in objects]) == {}
        transaction.add(prepared)

    storage.registry.write(work)
    assert counts(tmp_path, "document_entry", "submission_set", "association") == [1, 1, 1]


def test_thousands_of_objects_go_at_once(storage: Storage, tmp_path: Path) -> None:
    objects = [item for number in range(1, 401) for item in submission(number)]
    register(storage, *objects)
    remove(storage, *(item.id for item in objects))
    assert counts(tmp_path, *TABLES) == [0] * len(TABLES)


def test_what_an_association_that_stays_refers_to_is_not_removed(storage: Storage, tmp_path: Path) -> None:
    entry, submission_set, member = submission(1)
    register(storage, entry, submission_set, member)
    with pytest.raises(StorageConflict):
        remove(storage, entry.id)
    assert counts(tmp_path, "document_entry", "submission_set", "association") == [1, 1, 1]


def test_unknown_ids_are_passed_over(storage: Storage, tmp_path: Path) -> None:
    register(storage, *submission(1))
    remove(storage, urn("nothing"), "no uuid")
    assert counts(tmp_path, "object") == [3]


def test_an_unknown_end_goes_with_its_last_association(storage: Storage, tmp_path: Path) -> None:
    links = [make_link(make_set(number).id, urn("elsewhere")) for number in (1, 2)]
    register(storage, make_set(1), make_set(2), *links)
    assert counts(tmp_path, "object") == [5]
    remove(storage, links[0].id)
    assert counts(tmp_path, "object") == [4]
    remove(storage, links[1].id)
    assert counts(tmp_path, "object") == [2]


def test_a_unique_id_is_free_when_its_last_entry_is_gone(storage: Storage) -> None:
    again = make_entry(1, id=urn("again"))
    register(storage, make_entry(1))
    register(storage, again)
    for entry, left in ((make_entry(1), {unique_id(): 1}), (again, {})):
        remove(storage, entry.id)
        assert dict.fromkeys(storage.registry.inspect(lambda s: s.unique_ids([unique_id()])), 1) == left


def version(number: int, **slots: str) -> DocumentEntry:
    """A version of one logical entry."""
    lid = urn("version 1")
    return make_entry(1, id=urn(f"version {number}"), lid=lid, version=str(number), slots=slots)


def versions(storage: Storage) -> list[str]:
    """The latest version of the logical entry, and the hash that its uniqueId has."""
    latest = storage.registry.inspect(lambda s: s.latest_versions([urn("version 1")]))
    known = storage.registry.inspect(lambda s: s.unique_ids([unique_id()]))
    return [*(each.uuid for each in latest.values()), *(each.hash or "" for each in known.values())]


@pytest.mark.parametrize(
    ("removed", "latest"),
    [((3,), 2), ((3, 2), 1), ((1,), 3), ((2,), 3), ((1, 2), 3), ((1, 3), 2), ((1, 2, 3), None)],
)
def test_the_latest_version_that_is_left_counts(storage: Storage, removed: Iterable[int], latest: int | None) -> None:
    for number in (1, 2, 3):
        submit(storage, (version(number, hash=str(number) * 40),))
        if number > 1:
            storage.registry.write(lambda t, before=number - 1: t.supersede([version(before).id]))
    remove(storage, *(version(number).id for number in removed))
    assert versions(storage) == ([] if latest is None else [version(latest).id, str(latest) * 40])


@pytest.mark.parametrize("end", ["itself", "source", "target"])
def test_associations_are_found_by_both_ends_and_by_themselves_whatever_their_status(
    storage: Storage, end: str
) -> None:
    link = make_link(make_entry(2).id, make_entry(1).id, v.APND, status=v.DEPRECATED)
    register(storage, *submission(1), *submission(2), link)
    asked = {"itself": link.id, "source": link.source, "target": link.target}[end]
    found = storage.registry.inspect(lambda s: s.associations([asked, asked]))
    assert KnownAssociation(link.id, link.source, link.target, member=False) in found
    assert len({each.uuid for each in found}) == len(found) == (1 if end == "itself" else 2)
    assert all(each.member for each in found if each.uuid != link.id)


def test_a_domain_removes_nothing_of_another(storage: Storage, tmp_path: Path) -> None:
    provide(storage)
    other = open_in(tmp_path, "w2", "other")
    remove(other, make_link(make_set(1).id, make_entry(1).id).id)
    assert other.registry.inspect(lambda s: s.associations([make_entry(1).id])) == []
    assert (held(other, unique_id()), detach(other, unique_id()), to_erase(other)) == ({}, [], [])
    other.close()
    assert counts(tmp_path, "association") == [1]
    assert given_out(storage, unique_id()) == {unique_id()}


# --- documents ----------------------------------------------------------------------------------------------------


def test_a_document_leaves_in_three_steps(storage: Storage, tmp_path: Path) -> None:
    stored = provide(storage)
    assert held(storage, unique_id()) == {
        unique_id(): HeldDocument(keys=(stored.key,), entries=(make_entry(1).id,), patients=(PATIENT,))
    }
    assert detach(storage, unique_id()) == [stored.key]
    assert (given_out(storage, unique_id()), to_erase(storage)) == (set(), [stored.key])
    assert storage.index.referenced(stored.key)  # the sweep does not take it for an orphan
    assert files(tmp_path) == [stored.key]
    assert set(storage.documents.erase([stored.key])) == {stored.key}
    assert (files(tmp_path), to_erase(storage)) == ([], [stored.key])
    storage.registry.write(lambda t: t.forget_documents([stored.key]))
    assert (to_erase(storage), held(storage, unique_id())) == ([], {})
    assert counts(tmp_path, "stored_document", "detached_document", "document_entry") == [0, 0, 1]


@pytest.mark.parametrize("steps", [1, 2])
def test_what_was_interrupted_is_finished(storage: Storage, tmp_path: Path, steps: int) -> None:
    stored = provide(storage)
    detach(storage, unique_id())
    if steps == 2:
        storage.documents.erase([stored.key])
    assert finish_removals(storage.registry, storage.documents) == 1
    assert (files(tmp_path), counts(tmp_path, "stored_document", "detached_document")) == ([], [0, 0])
    assert finish_removals(storage.registry, storage.documents) == 0


def test_a_removal_that_was_interrupted_may_be_asked_for_again(storage: Storage) -> None:
    stored = provide(storage)
    assert detach(storage, unique_id()) == [stored.key]
    assert held(storage, unique_id()) == {unique_id(): HeldDocument((stored.key,), (), ())}
    assert detach(storage, unique_id()) == [stored.key]
    assert erase(storage.registry, storage.documents, [stored.key]) == {stored.key}
    assert detach(storage, unique_id()) == []


def test_all_entries_of_a_unique_id_lose_their_documents(storage: Storage) -> None:
    first, second = provide(storage), keep(storage)
    again = make_entry(1, id=urn("again"), identifiers={v.DE_PATIENT_ID: OTHER_PATIENT}, **OURS)
    submit(storage, (again,), lambda transaction: transaction.add_documents({again.id: second}))
    assert held(storage, unique_id())[unique_id()].patients == (PATIENT, OTHER_PATIENT)
    assert sorted(detach(storage, unique_id())) == sorted([first.key, second.key])
    assert given_out(storage, unique_id()) == set()


@pytest.mark.parametrize("repository", ["1.2.3", "1.2.3.4"])
def test_documents_of_another_repository_are_not_held(storage: Storage, repository: str) -> None:
    provide(storage, slots={"repositoryUniqueId": "1.2.3"})
    expected = {unique_id()} if repository == "1.2.3" else set()
    assert set(held(storage, unique_id(), repository=repository)) == expected
    assert len(detach(storage, unique_id(), repository=repository)) == len(expected)


def test_bytes_that_two_documents_share_stay_until_both_are_removed(storage: Storage) -> None:
    stored = keep(storage)
    objects = (*submission(1, **OURS), *submission(2, **OURS))
    submit(storage, objects, lambda t: t.add_documents({make_entry(n).id: stored for n in (1, 2)}))
    assert detach(storage, unique_id(1)) == []
    assert given_out(storage, unique_id(1), unique_id(2)) == {unique_id(2)}
    assert detach(storage, unique_id(2)) == [stored.key]


def test_two_documents_that_share_bytes_are_removed_together(storage: Storage) -> None:
    stored = keep(storage)
    objects = (*submission(1, **OURS), *submission(2, **OURS))
    submit(storage, objects, lambda t: t.add_documents({make_entry(n).id: stored for n in (1, 2)}))
    assert detach(storage, unique_id(1), unique_id(2)) == [stored.key]
    assert to_erase(storage) == [stored.key]


def test_a_document_without_metadata_stays_until_it_is_removed(storage: Storage, tmp_path: Path) -> None:
    stored = provide(storage)
    remove(storage, *(item.id for item in submission(1)))
    assert given_out(storage, unique_id()) == set()
    assert (storage.index.referenced(stored.key), storage.index.given_out(stored.key)) == (True, False)
    assert storage.documents.sweep(-1, storage.index.referenced) == 0
    assert (files(tmp_path), to_erase(storage)) == ([stored.key], [])
    assert held(storage, unique_id()) == {unique_id(): HeldDocument((stored.key,), (), ())}
    assert detach(storage, unique_id()) == [stored.key]
    assert finish_removals(storage.registry, storage.documents) == 1
    assert counts(tmp_path, "stored_document", "detached_document", *TABLES) == [0] * (2 + len(TABLES))


def test_a_document_goes_with_the_one_that_has_its_unique_id_without_metadata(storage: Storage, tmp_path: Path) -> None:
    old = provide(storage)
    remove(storage, *(item.id for item in submission(1)))
    new = provide(storage, content=b"other bytes", slots={**OURS["slots"], "hash": "0" * 40, "size": "11"})
    assert given_out(storage, unique_id()) == {unique_id()}
    assert sorted(detach(storage, unique_id())) == sorted([old.key, new.key])
    assert finish_removals(storage.registry, storage.documents) == 2
    assert files(tmp_path) == []


def test_only_removed_documents_are_forgotten(storage: Storage, tmp_path: Path) -> None:
    given, kept = provide(storage, 1), provide(storage, 2)
    remove(storage, *(item.id for item in submission(2)))
    storage.registry.write(lambda t: t.forget_documents([given.key, kept.key, "unknown"]))
    assert counts(tmp_path, "stored_document", "detached_document") == [2, 1]
    assert given_out(storage, unique_id(1)) == {unique_id(1)}


def test_what_a_work_raises_undoes_a_removal(storage: Storage, tmp_path: Path) -> None:
    provide(storage)

    def work(transaction: Any) -> None:
        transaction.detach_documents(REPOSITORY, [unique_id()])
        transaction.remove([item.id for item in submission(1)])
        transaction.audit(make_event())
        raise ValueError("never mind")

    before = rows(tmp_path, *TABLES, "detached_document", "stored_document", "audit_event")
    with pytest.raises(ValueError, match="never mind"):
        storage.registry.write(work)
    assert rows(tmp_path, *TABLES, "detached_document", "stored_document", "audit_event") == before


def test_bytes_are_gone_from_disk_when_erase_returns(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync = blobs._fsync_folder
    monkeypatch.setattr(blobs, "_fsync_folder", lambda path: done.append(path) or fsync(path))
    stored = [keep(storage, content) for content in (b"a", b"b")]
    done.clear()
    assert sorted(storage.documents.erase([each.key for each in stored])) == sorted(each.key for each in stored)
    assert files(tmp_path) == []
    assert done == [f"{tmp_path}/data/documents/{stored[0].key[:2]}/{stored[0].key[2:4]}"]


def test_bytes_that_cannot_be_deleted_are_tried_again(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = provide(storage)
    detach(storage, unique_id())

    def read_only(path: str) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr(blobs.os, "unlink", read_only)
        assert list(storage.documents.erase([stored.key])) == []
        assert finish_removals(storage.registry, storage.documents) == 0
    assert to_erase(storage) == [stored.key]
    assert finish_removals(storage.registry, storage.documents) == 1
    assert files(tmp_path) == []


def test_an_opened_document_is_read_whole_while_it_is_removed(storage: Storage, tmp_path: Path) -> None:
    content = bytes(range(256)) * 12_000  # three chunks
    stored = provide(storage, content=content)
    chunks = storage.documents.open(stored)
    first = next(chunks)
    detach(storage, unique_id())
    assert finish_removals(storage.registry, storage.documents) == 1
    assert files(tmp_path) == []
    assert b"".join([first, *chunks]) == content
