"""RegistryStore: versions of a logical object, and objects read back whole."""

from typing import Any

import pytest

from tests.contract.submissions import (
    EVERYTHING,
    make_entry,
    make_folder,
    make_link,
    make_set,
    open_in,
    reading,
    register,
    submission,
    submit,
    urn,
)
from tests.unit import builders
from xds_gateway.actors.ports import KnownUniqueId, Snapshot, Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import StoredDocument
from xds_gateway.model.metadata import RegistryObject
from xds_gateway.model.queries import GetDocuments
from xds_gateway.storage.database import StorageConflict
from xds_gateway.storage.opening import Storage

UNIQUE_ID = make_entry(1).unique_id or ""
DOCUMENT = StoredDocument("ab" * 16, 20, builders.CONTENT_SHA1, b"\0" * 32)


def version(number: int, **changes: Any) -> RegistryObject:
    """A version of entry 1; the first one is the entry itself."""
    later = {} if number == 1 else {"id": urn(f"version {number}"), "lid": urn("entry 1")}
    return make_entry(1, **{"version": str(number), **later, **changes})


def add_versions(storage: Storage, *versions: RegistryObject) -> None:
    """Register versions one after the other, the last one the latest."""
    for before, item in zip((None, *versions), versions, strict=False):
        gone = (before.id,) if before else ()
        submit(storage, (item,), lambda transaction, gone=gone: transaction.supersede(gone))


def latest(storage: Storage, *lids: str) -> dict[str, tuple[str, int]]:
    found = storage.registry.inspect(lambda snapshot: snapshot.latest_versions(lids))
    return {lid: (known.uuid, known.version) for lid, known in found.items()}


def read(storage: Storage, *uuids: str) -> dict[str, RegistryObject]:
    return dict(storage.registry.inspect(lambda snapshot: snapshot.read(uuids)))


# --- the latest version -----------------------------------------------------------------------------------------------


def test_the_first_version_is_the_latest_until_there_is_another(storage: Storage) -> None:
    add_versions(storage, version(1))
    assert latest(storage, urn("entry 1")) == {urn("entry 1"): (urn("entry 1"), 1)}
    add_versions(storage, version(2), version(10), version(9, id=urn("late")))
    assert latest(storage, urn("entry 1")) == {urn("entry 1"): (urn("version 10"), 10)}


def test_the_id_of_a_later_version_is_no_logical_id(storage: Storage) -> None:
    add_versions(storage, version(1), version(2))
    assert latest(storage, urn("version 2"), urn("nothing"), "not a uuid") == {}


@pytest.mark.parametrize("item", [make_set(), make_link(urn("a"), urn("b"))])
def test_sets_and_associations_have_no_versions(storage: Storage, item: RegistryObject) -> None:
    register(storage, item)
    assert latest(storage, item.id) == {}


def test_a_folder_has_versions(storage: Storage) -> None:
    add_versions(storage, make_folder(), make_folder(id=urn("new"), lid=urn("folder 1"), version="2"))
    assert latest(storage, urn("folder 1")) == {urn("folder 1"): (urn("new"), 2)}


def test_another_domain_has_its_own_versions(storage: Storage, tmp_path: Any) -> None:
    add_versions(storage, version(1), version(2))
    other = open_in(tmp_path, "w2", domain="other")
    try:
        assert latest(other, urn("entry 1")) == {}
        assert read(other, urn("entry 1")) == {}
    finally:
        other.close()


# --- uniqueId and document --------------------------------------------------------------------------------------------


def test_a_later_version_shares_the_unique_id_and_gives_it_its_hash_and_size(storage: Storage) -> None:
    add_versions(storage, version(1), version(2, slots={"hash": "0" * 40, "size": "7"}))
    found = storage.registry.inspect(lambda snapshot: snapshot.unique_ids([UNIQUE_ID]))
    assert dict(found) == {UNIQUE_ID: KnownUniqueId(UNIQUE_ID, "DocumentEntry", "0" * 40, 7)}


def test_a_later_version_of_another_kind_does_not_share_a_unique_id(storage: Storage) -> None:
    register(storage, version(1))
    stranger = make_folder(2, lid=urn("folder 1"), identifiers={v.FD_UNIQUE_ID: UNIQUE_ID})
    with pytest.raises(StorageConflict):
        register(storage, stranger)


def test_the_document_goes_over_to_the_latest_version(storage: Storage) -> None:
    submit(storage, (version(1),), lambda transaction: transaction.add_documents({urn("entry 1"): DOCUMENT}))
    submit(storage, (version(2, mime_type="text/html"),), lambda t: t.supersede([urn("entry 1")]))
    found = storage.index.documents(builders.REPOSITORY, [UNIQUE_ID], EVERYTHING)
    assert found[UNIQUE_ID].document == DOCUMENT
    assert found[UNIQUE_ID].mime_type == "text/html"


def test_the_latest_version_decides_who_may_read_the_document(storage: Storage) -> None:
    submit(storage, (version(1),), lambda transaction: transaction.add_documents({urn("entry 1"): DOCUMENT}))
    secret = {v.DE_CONFIDENTIALITY_CODE: (builders.Code("V", "2.16.840.1.113883.5.25", "Secret"),)}
    submit(storage, (version(2, codes=secret),), lambda t: t.supersede([urn("entry 1")]))
    filtered = reading("N")
    assert storage.index.documents(builders.REPOSITORY, [UNIQUE_ID], filtered) == {}
    assert list(storage.index.documents(builders.REPOSITORY, [UNIQUE_ID], EVERYTHING)) == [UNIQUE_ID]


def test_queries_show_the_latest_version_and_all_of_them_at_level_two(storage: Storage) -> None:
    add_versions(storage, version(1), version(2), version(3))
    query = GetDocuments(unique_ids=(UNIQUE_ID,))
    assert storage.queries.find(query, EVERYTHING, 10).uuids == (urn("version 3"),)
    every = GetDocuments(unique_ids=(UNIQUE_ID,), level=2)
    assert storage.queries.find(every, EVERYTHING, 10).uuids == (urn("entry 1"), urn("version 2"), urn("version 3"))


def test_to_supersede_what_has_no_versions_changes_nothing(storage: Storage) -> None:
    register(storage, *submission(1))
    storage.registry.write(lambda t: t.supersede([urn("set 1"), urn("nothing")]))
    assert latest(storage, urn("entry 1")) == {urn("entry 1"): (urn("entry 1"), 1)}


# --- whole objects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        make_entry(lid=urn("first"), version="3", status=v.DEPRECATED),
        make_set(lid=urn("set 1"), version="1", status=v.APPROVED),
        make_folder(lid=urn("first"), version="2", status=v.APPROVED),
        make_link(
            urn("a"),
            urn("b"),
            v.APND,
            lid=urn(f"{v.APND} {urn('a')} {urn('b')}"),
            version="1",
            status=v.APPROVED,
            slots=builders.make_slots({"urn:example:why": "<&>"}),
        ),
    ],
    ids=lambda item: item.KIND,
)
def test_an_object_is_read_back_whole(storage: Storage, item: RegistryObject) -> None:
    register(storage, item)
    assert read(storage, item.id) == {item.id: item}


def test_what_the_registry_has_changed_is_read(storage: Storage) -> None:
    register(storage, make_folder(home=None))

    def change(transaction: Transaction) -> RegistryObject:
        transaction.set_status([urn("folder 1")], v.DEPRECATED)
        transaction.touch_folders([urn("folder 1")], "20300101")
        return transaction.read([urn("folder 1")])[urn("folder 1")]

    changed = storage.registry.write(change)
    assert (changed.status, changed.home, changed.slot_value("lastUpdateTime")) == (v.DEPRECATED, None, "20300101")


def test_ids_are_returned_as_they_were_given(storage: Storage) -> None:
    register(storage, make_entry(1))
    given = "urn:uuid:" + urn("entry 1")[9:].upper()

    def look(snapshot: Snapshot) -> tuple[list[str], list[str]]:
        return list(snapshot.read([given, urn("nothing"), "x"])), list(snapshot.latest_versions([given]))

    assert storage.registry.inspect(look) == ([given], [given])
