"""What is kept of the message that brought a submission set: who sent it, how many objects, a digest for updates."""

import pytest

from tests.contract.submissions import PATIENT, make_entry, make_folder, make_set, open_in, submission
from xds_gateway.actors.ports import Receipt, RegisteredSet
from xds_gateway.model.metadata import RegistryObject
from xds_gateway.storage.opening import Storage

NODE = "CN=Cabinet é,O=Nord"


def register(storage: Storage, objects: tuple[RegistryObject, ...], receipt: Receipt | None) -> None:
    prepared = storage.registry.prepare(objects, receipt)

    def work(transaction) -> None:  # type: ignore[no-untyped-def]
        transaction.add_patient(PATIENT)
        transaction.add(prepared)

    storage.registry.write(work)


def registered(storage: Storage, unique_id: str | None) -> RegisteredSet | None:
    return storage.registry.inspect(lambda snapshot: snapshot.registered_set(unique_id or ""))


@pytest.mark.parametrize("receipt", [None, Receipt(NODE, 3), Receipt("anonymous", 2, b"\0" * 32)])
def test_a_set_keeps_its_receipt(storage: Storage, receipt: Receipt | None) -> None:
    register(storage, submission(1), receipt)
    assert registered(storage, make_set(1).unique_id) == RegisteredSet(make_set(1).id, receipt)


def test_the_work_that_registers_a_set_sees_its_receipt(storage: Storage) -> None:
    prepared = storage.registry.prepare(submission(1), Receipt(NODE, 3))

    def work(transaction) -> RegisteredSet | None:  # type: ignore[no-untyped-def]
        transaction.add_patient(PATIENT)
        transaction.add(prepared)
        found: RegisteredSet | None = transaction.registered_set(make_set(1).unique_id or "")
        return found

    assert storage.registry.write(work) == RegisteredSet(make_set(1).id, Receipt(NODE, 3))


def test_another_process_sees_it_too(storage: Storage, tmp_path) -> None:  # type: ignore[no-untyped-def]
    register(storage, submission(1), Receipt(NODE, 3))
    other = open_in(tmp_path, "w2")
    assert registered(other, make_set(1).unique_id) == RegisteredSet(make_set(1).id, Receipt(NODE, 3))
    other.close()


@pytest.mark.parametrize("unique_id", [make_entry(1).unique_id, make_folder(1).unique_id, make_set(2).unique_id])
def test_only_the_uniqueid_of_a_set_names_one(storage: Storage, unique_id: str | None) -> None:
    register(storage, (*submission(1), make_folder(1)), Receipt(NODE, 4))
    assert registered(storage, unique_id) is None


def test_another_domain_has_sets_of_its_own(storage: Storage, tmp_path) -> None:  # type: ignore[no-untyped-def]
    register(storage, submission(1), Receipt(NODE, 3))
    other = open_in(tmp_path, "w2", domain="other")
    assert registered(other, make_set(1).unique_id) is None
    other.close()
