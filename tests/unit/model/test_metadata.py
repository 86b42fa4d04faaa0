"""Views over what a sender wrote: slots, codes, identifiers of an object."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from tests.unit.builders import (
    CONTENT,
    CONTENT_SHA1,
    PATIENT,
    REPOSITORY,
    SOURCE,
    make_association,
    make_entry,
    make_folder,
    make_set,
    make_slots,
    make_submission,
)
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Classification, RegistryObject, Slot, UnclassifiedPackage


@pytest.mark.parametrize(
    ("item", "patient", "unique_id"),
    [
        (make_entry(), PATIENT, f"{SOURCE}.1.1^2026"),
        (make_set(), PATIENT, f"{SOURCE}.2.1"),
        (make_folder(), PATIENT, f"{SOURCE}.3.1"),
        (make_association("a", "b"), None, None),
        (UnclassifiedPackage(id="p", external_identifiers=make_set().external_identifiers), None, None),
        (make_entry(identifiers={v.DE_PATIENT_ID: None, v.DE_UNIQUE_ID: None}), None, None),
    ],
)
def test_identifiers_are_found_by_the_scheme_of_the_kind(
    item: RegistryObject, patient: str | None, unique_id: str | None
) -> None:
    assert (item.patient_id, item.unique_id) == (patient, unique_id)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("hash", CONTENT_SHA1), ("size", str(len(CONTENT))), ("repository_unique_id", REPOSITORY)],
)
def test_attributes_of_an_entry(attribute: str, value: str) -> None:
    assert getattr(make_entry(), attribute) == value
    slot = {"repository_unique_id": "repositoryUniqueId"}.get(attribute, attribute)
    assert getattr(make_entry(slots={slot: None}), attribute) is None


@pytest.mark.parametrize(
    ("slots", "values"),
    [
        ((), ()),
        ((Slot("n", ()),), ()),
        ((Slot("n", ("a", "b")),), ("a", "b")),
        ((Slot("n", ("a",)), Slot("m", ("x",)), Slot("n", ("b",))), ("a", "b")),
    ],
)
def test_values_of_a_slot(slots: tuple[Slot, ...], values: tuple[str, ...]) -> None:
    entry = make_entry()
    item = type(entry)(id="e", slots=slots)
    assert item.slot_values("n") == values
    assert item.slot_value("n") == (values[0] if values else None)
    assert Classification("c", "e", slots=slots).slot_values("n") == values


def test_slots_of_one_name_stay_apart() -> None:
    item = make_association("a", "b", slots=(*make_slots({"n": "1"}), *make_slots({"n": "2", "m": "3"})))
    assert {name: len(slots) for name, slots in item.slots_by_name.items()} == {"n": 2, "m": 1}


def test_codes_and_authors_by_scheme() -> None:
    entry = make_entry()
    assert [c.code for c in entry.codes(v.DE_CONFIDENTIALITY_CODE)] == ["N", "NOREUSE"]
    assert entry.codes(v.DE_CLASS_CODE)[0].coding_scheme == "1.2.250.1.213.1.1.4.1"
    assert len(entry.codes(v.DE_AUTHOR)) == 2
    assert entry.codes(v.SS_AUTHOR) == ()
    assert entry.codes(v.DE_AUTHOR)[0].coding_scheme is None


def test_nodes_are_flags() -> None:
    assert make_set().has_node(v.SUBMISSION_SET_NODE)
    assert not make_set().has_node(v.FOLDER_NODE)
    assert not make_entry().has_node(v.SUBMISSION_SET_NODE)


def test_all_objects_of_a_submission() -> None:
    package = UnclassifiedPackage(id="p")
    submission = make_submission(folders=(make_folder(),), unclassified=(package,))
    assert [item.KIND for item in submission.objects] == [
        "DocumentEntry",
        "SubmissionSet",
        "Folder",
        "RegistryPackage",
        "Association",
        "Association",
    ]


@pytest.mark.parametrize("make", [make_entry, make_set, make_folder, make_submission])
def test_values_are_frozen(make: Callable[[], Any]) -> None:
    with pytest.raises(FrozenInstanceError):
        make().id = "other"


def test_equal_values_are_equal_whatever_was_asked_of_them() -> None:
    asked, other = make_entry(), make_entry()
    assert asked.hash == other.slot_value("hash")
    assert asked == make_entry()
