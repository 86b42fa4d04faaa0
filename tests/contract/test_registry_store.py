"""RegistryStore: snapshots tell what is registered, transactions are all or nothing."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.contract.submissions import (
    EVERYTHING,
    OTHER_PATIENT,
    PATIENT,
    make_entry,
    make_event,
    make_folder,
    make_link,
    make_set,
    register,
    submission,
    submit,
    urn,
)
from tests.unit import builders
from xds_gateway.actors.ports import KnownObject, KnownUniqueId, Snapshot, Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry, RegistryObject
from xds_gateway.model.queries import GetDocuments
from xds_gateway.storage.database import StorageConflict
from xds_gateway.storage.opening import Storage


def known(storage: Storage, *uuids: str) -> dict[str, KnownObject]:
    return dict(storage.registry.inspect(lambda snapshot: snapshot.objects(uuids)))


def test_nothing_is_known_in_an_empty_registry(storage: Storage) -> None:
    def look(snapshot: Snapshot) -> tuple[Any, ...]:
        return (
            snapshot.survivor(PATIENT),
            dict(snapshot.objects([urn(1), "not a uuid"])),
            dict(snapshot.unique_ids(["1.2.3"])),
            list(snapshot.dependents([urn(1)])),
            list(snapshot.folders_of(urn(1))),
        )

    assert storage.registry.inspect(look) == (None, {}, {}, [], [])


@pytest.mark.parametrize(
    ("item", "kind", "object_type", "unique_id"),
    [
        (make_entry(), "DocumentEntry", v.STABLE_DOCUMENT, make_entry().unique_id),
        (make_set(), "SubmissionSet", None, make_set().unique_id),
        (make_folder(), "Folder", None, make_folder().unique_id),
    ],
)
def test_a_registered_object_is_known_with_defaults(
    storage: Storage, item: RegistryObject, kind: str, object_type: str | None, unique_id: str
) -> None:
    register(storage, item)
    assert known(storage, item.id) == {
        item.id: KnownObject(
            uuid=item.id,
            lid=item.id,
            kind=kind,
            object_type=object_type,
            status=v.APPROVED,
            version=1,
            patient_id=PATIENT,
            unique_id=unique_id,
        )
    }


def test_an_association_is_known_without_patient(storage: Storage) -> None:
    entry, submission_set, member = submission(1)
    register(storage, entry, submission_set, member)
    assert known(storage, member.id)[member.id] == KnownObject(
        member.id, member.id, "Association", None, v.APPROVED, 1, None, None
    )


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"lid": urn("first")}, "lid", urn("first")),
        ({"version": "3"}, "version", 3),
        ({"version": "1.1"}, "version", 1),
        ({"status": v.DEPRECATED}, "status", v.DEPRECATED),
        ({"object_type": v.ON_DEMAND_DOCUMENT}, "object_type", v.ON_DEMAND_DOCUMENT),
        ({"identifiers": {v.DE_PATIENT_ID: builders.OTHER_PATIENT}}, "patient_id", OTHER_PATIENT),
    ],
)
def test_what_an_object_brings_is_kept(storage: Storage, changes: dict[str, Any], field: str, expected: object) -> None:
    register(storage, make_entry(1, **changes))
    assert getattr(known(storage, urn("entry 1"))[urn("entry 1")], field) == expected


@pytest.mark.parametrize(
    ("item", "kind", "digest", "size"),
    [
        (make_entry(slots={"hash": builders.CONTENT_SHA1.upper()}), "DocumentEntry", builders.CONTENT_SHA1, 20),
        (make_entry(slots={"hash": None, "size": None}), "DocumentEntry", None, None),
        (make_entry(slots={"size": "9" * 30}), "DocumentEntry", builders.CONTENT_SHA1, 2**63 - 1),
        (make_set(), "SubmissionSet", None, None),
        (make_folder(), "Folder", None, None),
    ],
)
def test_a_unique_id_is_taken_with_hash_and_size(
    storage: Storage, item: RegistryObject, kind: str, digest: str | None, size: int | None
) -> None:
    register(storage, item)
    value = item.unique_id or ""
    found = storage.registry.inspect(lambda snapshot: snapshot.unique_ids([value, "1.9"]))
    assert dict(found) == {value: KnownUniqueId(value, kind, digest, size)}


def test_thousands_of_ids_are_looked_up_at_once(storage: Storage) -> None:
    register(storage, *submission(1))
    ids, values = [urn(n) for n in range(5000)], [f"1.{n}" for n in range(5000)]

    def look(snapshot: Snapshot) -> tuple[list[str], list[str]]:
        return (
            list(snapshot.objects([*ids, urn("entry 1")])),
            list(snapshot.unique_ids([*values, make_set().unique_id or ""])),
        )

    assert storage.registry.inspect(look) == ([urn("entry 1")], [make_set().unique_id])


def test_a_patient_is_known_once_added_and_adding_twice_changes_nothing(storage: Storage) -> None:
    def add(transaction: Transaction) -> bool:
        transaction.add_patient(PATIENT)
        transaction.add_patient(PATIENT)
        return transaction.survivor(PATIENT)

    assert storage.registry.write(add)
    assert storage.registry.inspect(lambda snapshot: snapshot.survivor(PATIENT))
    assert not storage.registry.inspect(lambda snapshot: snapshot.survivor(OTHER_PATIENT))


def test_a_transaction_sees_its_own_changes_and_others_see_them_after_it(storage: Storage) -> None:
    entry = make_entry()
    prepared = storage.registry.prepare([entry])

    def work(transaction: Transaction) -> tuple[bool, bool]:
        transaction.add_patient(PATIENT)
        transaction.add(prepared)
        return entry.id in transaction.objects([entry.id]), entry.id in known(storage, entry.id)

    assert storage.registry.write(work) == (True, False)
    assert entry.id in known(storage, entry.id)


def test_what_a_work_raises_undoes_all_of_it(storage: Storage) -> None:
    class Refused(Exception):
        pass

    prepared = storage.registry.prepare(submission(1))

    def work(transaction: Transaction) -> None:
        transaction.add_patient(PATIENT)
        transaction.add(prepared)
        transaction.audit(make_event())
        raise Refused

    with pytest.raises(Refused):
        storage.registry.write(work)
    assert known(storage, urn("entry 1"), urn("set 1")) == {}
    assert not storage.registry.inspect(lambda snapshot: snapshot.survivor(PATIENT))
    register(storage, *submission(1))
    assert urn("entry 1") in known(storage, urn("entry 1"))


@pytest.mark.parametrize(
    "second",
    [
        (make_entry(2, id=urn("entry 1")),),
        (make_set(2, id=urn("entry 1")),),
        (make_link(urn("a"), urn("b"), id=urn("set 1")),),
        (make_set(2, identifiers={v.SS_UNIQUE_ID: make_set(1).unique_id}),),
        (make_folder(2, identifiers={v.FD_UNIQUE_ID: make_entry(1).unique_id}),),
        (make_entry(2, identifiers={v.DE_UNIQUE_ID: make_set(1).unique_id}),),
        (make_entry(2, identifiers={v.DE_UNIQUE_ID: make_entry(1).unique_id}, slots={"size": "21"}),),
        (make_entry(2, identifiers={v.DE_UNIQUE_ID: make_entry(1).unique_id}, slots={"hash": "0" * 40}),),
        (make_entry(2), make_entry(3, id=urn("entry 2"))),
    ],
    ids=["uuid", "uuid, other kind", "uuid of a set", "set", "folder", "entry after set", "size", "hash", "in message"],
)
def test_constraints_refuse_what_a_plan_has_overlooked(storage: Storage, second: tuple[RegistryObject, ...]) -> None:
    register(storage, *submission(1))
    before = known(storage, urn("entry 1"), urn("set 1"))
    with pytest.raises(StorageConflict):
        register(storage, *second)
    assert known(storage, urn("entry 1"), urn("set 1"), urn("entry 2"), urn("set 2")) == before


def test_a_failure_that_a_work_swallows_still_undoes_it(storage: Storage) -> None:
    register(storage, *submission(1))
    prepared = storage.registry.prepare([make_entry(2), make_entry(3, id=urn("entry 1"))])

    def work(transaction: Transaction) -> None:
        with suppress(StorageConflict):
            transaction.add(prepared)

    with pytest.raises(StorageConflict):
        storage.registry.write(work)
    assert known(storage, urn("entry 2")) == {}


def test_a_document_may_be_registered_again_with_the_same_hash_and_size(storage: Storage) -> None:
    register(storage, make_entry(1))
    register(storage, make_entry(2, identifiers={v.DE_UNIQUE_ID: make_entry(1).unique_id}))
    found = storage.queries.find(GetDocuments(unique_ids=(make_entry(1).unique_id or "",)), EVERYTHING, 10)
    assert found.uuids == (urn("entry 1"), urn("entry 2"))


def test_an_object_of_an_unknown_patient_is_refused(storage: Storage) -> None:
    prepared = storage.registry.prepare([make_entry()])
    with pytest.raises(StorageConflict):
        storage.registry.write(lambda transaction: transaction.add(prepared))


@pytest.mark.parametrize("item", [make_entry(id="Document01"), make_link("urn:uuid:1", urn("b"))])
def test_an_id_that_is_no_uuid_is_refused_before_any_lock(storage: Storage, item: RegistryObject) -> None:
    with pytest.raises(StorageConflict):
        storage.registry.prepare([item])


def test_an_association_may_end_at_an_object_of_no_table_that_is_registered_later(storage: Storage) -> None:
    register(storage, make_entry(1), make_link(urn("entry 1"), urn("entry 2"), v.APND))
    assert known(storage, urn("entry 2")) == {}
    register(storage, make_entry(2))
    dependents = storage.registry.inspect(lambda snapshot: snapshot.dependents([urn("entry 2")]))
    assert [found.uuid for found in dependents] == [urn("entry 1")]


def _deprecate(*uuids: str) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.set_status(uuids, v.DEPRECATED)


@pytest.mark.parametrize(
    ("link", "then", "expected"),
    [
        (make_link(urn("entry 2"), urn("entry 1"), v.APND), _deprecate(), [urn("entry 2")]),
        (make_link(urn("entry 2"), urn("entry 1"), v.XFRM), _deprecate(), [urn("entry 2")]),
        (make_link(urn("entry 1"), urn("entry 2"), v.APND), _deprecate(), []),
        (make_link(urn("entry 2"), urn("entry 1"), v.SIGNS), _deprecate(), []),
        (make_link(urn("entry 2"), urn("entry 1"), v.APND), _deprecate(urn("entry 2")), []),
        (
            make_link(urn("entry 2"), urn("entry 1"), v.APND, id=urn("link")),
            _deprecate(urn("link")),
            [],
        ),
    ],
)
def test_dependents_hang_by_approved_apnd_or_xfrm(
    storage: Storage, link: RegistryObject, then: Callable[[Transaction], None], expected: list[str]
) -> None:
    submit(storage, [make_entry(1), make_entry(2), link], then)
    found = storage.registry.inspect(lambda snapshot: snapshot.dependents([urn("entry 1"), urn("nobody")]))
    assert [item.uuid for item in found] == expected


@pytest.mark.parametrize(
    ("association_type", "deprecated", "expected"),
    [
        (v.XFRM, (), {urn("entry 2")}),
        (v.XFRM, (urn("entry 1"), urn("entry 2")), {urn("entry 2")}),
        (v.XFRM, (urn("link"),), set()),
        (v.XFRM_RPLC, (), set()),
        (v.APND, (), set()),
    ],
)
def test_transformations_are_sources_of_an_approved_xfrm(
    storage: Storage, association_type: str, deprecated: tuple[str, ...], expected: set[str]
) -> None:
    link = make_link(urn("entry 2"), urn("entry 1"), association_type, id=urn("link"))
    submit(storage, [make_entry(1), make_entry(2), link], _deprecate(*deprecated))
    asked = [urn("entry 1"), urn("entry 2"), urn("nobody")]
    assert storage.registry.inspect(lambda snapshot: snapshot.transformations(asked)) == expected


@pytest.mark.parametrize(
    ("deprecated", "expected"), [((), [urn("folder 1")]), ((urn("folder 1"),), []), ((urn("link"),), [])]
)
def test_folders_of_an_entry_are_the_approved_ones(
    storage: Storage, deprecated: tuple[str, ...], expected: list[str]
) -> None:
    link = make_link(urn("folder 1"), urn("entry 1"), id=urn("link"))
    submit(storage, [make_entry(1), make_set(1), make_folder(1), link], _deprecate(*deprecated))
    register(storage, make_link(urn("set 1"), urn("entry 1")))
    found = storage.registry.inspect(lambda snapshot: snapshot.folders_of(urn("entry 1")))
    assert [item.uuid for item in found] == expected


def test_a_status_changes_for_objects_of_every_kind_and_unknown_ones_are_passed_over(storage: Storage) -> None:
    objects = (*submission(1), make_folder(1))
    register(storage, *objects)
    storage.registry.write(_deprecate(urn("nobody"), *(item.id for item in objects)))
    found = known(storage, *(item.id for item in objects))
    assert [item.status for item in found.values()] == [v.DEPRECATED] * 4


def test_two_domains_of_one_database_do_not_see_each_other(storage: Storage, tmp_path: Any) -> None:
    from tests.contract.submissions import open_in

    other = open_in(tmp_path, "w2", "other")
    register(storage, *submission(1))
    assert known(other, urn("entry 1")) == {}
    register(other, *submission(1))
    assert urn("entry 1") in known(other, urn("entry 1"))
    other.close()


def test_rare_texts_come_back_as_they_were(storage: Storage) -> None:
    unique_id = "1.2.3^it's % _ \\ \u00e9\U0001f600"
    entry: DocumentEntry = make_entry(identifiers={v.DE_UNIQUE_ID: unique_id})
    register(storage, entry)
    assert known(storage, entry.id)[entry.id].unique_id == unique_id
