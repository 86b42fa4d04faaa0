"""The next version of an entry or folder: what is changed is changed, everything else stays."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from lxml import etree

from tests.unit.builders import make_entry, make_folder
from xds_gateway.client import Author, Code, DocumentMetadata, Misconfigured
from xds_gateway.client.changes import CHANGEABLE, next_version
from xds_gateway.client.parts import SetDetails, SetIds, new_symbols
from xds_gateway.client.summaries import summarize, summarize_folder
from xds_gateway.client.updates import (
    StatusChange,
    build_filing,
    build_folder,
    build_status_changes,
    build_update,
)
from xds_gateway.codec.ebrim import parse_submission, render_submission
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry, Folder, Slot, Submission

NEW = "urn:uuid:00000000-0000-4000-8000-0000000000ff"
SET = SetIds("urn:uuid:00000000-0000-4000-8000-0000000000aa", "2.25.1", "20240101")
CODE = Code("A", "1.2", "shown")
DETAILS = SetDetails("42^^^&1.2.3&ISO", "1.2.3.4", (), CODE, "Correction")
EXTRA = Slot("urn:example:ward", ("3",))


def next_entry(entry: DocumentEntry, changes: dict[str, Any]) -> DocumentEntry:
    made = next_version(entry, changes, NEW, new_symbols())
    assert isinstance(made, DocumentEntry)
    return made


def registered(**changes: Any) -> DocumentEntry:
    entry = make_entry()
    return replace(entry, lid=entry.id, version="1", status=v.APPROVED, slots=(*entry.slots, EXTRA), **changes)


#   attribute, new value, and where it is seen
CHANGES = [
    ("title", "Corrigé", "title"),
    ("comments", "why", "comments"),
    ("mime_type", "application/pdf", "mime_type"),
    ("patient_id", "43^^^&1.2.3&ISO", "patient_id"),
    ("source_patient_id", "44^^^&1.2.3&ISO", "source_patient_id"),
    ("creation_time", "20240102", "creation_time"),
    ("service_start_time", "20240103", "service_start_time"),
    ("service_stop_time", "20240104", "service_stop_time"),
    ("language_code", "de-CH", "language_code"),
    ("legal_authenticator", "^Weber^Anna", "legal_authenticator"),
    ("class_code", CODE, "class_code"),
    ("type_code", CODE, "type_code"),
    ("format_code", CODE, "format_code"),
    ("healthcare_facility_type_code", CODE, "healthcare_facility_type_code"),
    ("practice_setting_code", CODE, "practice_setting_code"),
    ("confidentiality_codes", (CODE, Code("B", "1.3", "other")), "confidentiality_codes"),
    ("event_codes", (CODE,), "event_codes"),
    ("authors", (Author(person="^Weber^Anna", institutions=("Ward 3",)),), "authors"),
]


@pytest.mark.parametrize(("name", "value", "seen"), CHANGES, ids=[name for name, *_ in CHANGES])
def test_one_attribute_changes_and_no_other(name: str, value: Any, seen: str) -> None:
    before, after = registered(), next_entry(registered(), {name: value})
    old, new = summarize(before), summarize(after)
    assert getattr(new, seen) == value
    managed = {"entry_uuid": NEW, "version": None, "status": None, "home": None}
    assert new == replace(old, **{**managed, seen: value})
    assert EXTRA in after.slots


@pytest.mark.parametrize("name", ["comments", "service_start_time", "event_codes", "legal_authenticator", "authors"])
def test_an_attribute_is_removed(name: str) -> None:
    assert not getattr(summarize(next_entry(registered(), {name: None})), name)


@pytest.mark.parametrize(
    ("name", "slot"),
    [("reference_ids", "urn:ihe:iti:xds:2013:referenceIdList"), ("source_patient_info", "sourcePatientInfo")],
)
def test_a_list_becomes_the_values_of_one_slot(name: str, slot: str) -> None:
    after = next_entry(registered(), {name: ("a", "b")})
    assert [each.values for each in after.slots if each.name == slot] == [("a", "b")]


def test_every_attribute_that_is_submitted_but_the_unique_id_can_change() -> None:
    assert set(DocumentMetadata.__dataclass_fields__) - {"unique_id"} <= set(CHANGEABLE["DocumentEntry"])


def test_the_next_version_keeps_its_logical_id_and_has_ids_of_its_own() -> None:
    before = registered()
    after = next_entry(before, {"title": "New"})
    assert (after.id, after.lid, after.unique_id) == (NEW, before.id, before.unique_id)
    parts = [*after.classifications, *after.external_identifiers]
    assert not {part.id for part in parts} & {
        part.id for part in (*before.classifications, *before.external_identifiers)
    }
    assert {c.classified_object for c in after.classifications} == {NEW}
    assert {e.registry_object for e in after.external_identifiers} == {NEW}


def test_a_folder_changes_and_leaves_its_update_time_to_the_registry() -> None:
    before = replace(make_folder(), lid=make_folder().id, slots=(Slot("lastUpdateTime", ("20240101",)),))
    after = next_version(before, {"title": "Diabetes", "codes": (CODE,)}, NEW, new_symbols())
    assert isinstance(after, Folder)
    told = summarize_folder(after)
    assert (told.title, told.codes, told.last_update_time, told.unique_id) == (
        "Diabetes",
        (CODE,),
        None,
        before.unique_id,
    )
    assert after.has_node(v.FOLDER_NODE)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"titel": "x"}, "is title meant?"),
        ({"unique_id": "1.2"}, "no attribute unique_id"),
        ({}, "nothing is changed"),
    ],
)
def test_what_no_update_changes_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        next_entry(registered(), changes)


# Messages


def sent(submission: Submission) -> Submission:
    """The submission as the other side reads it."""
    findings: list[Any] = []
    read = parse_submission(etree.fromstring(render_submission(submission)), findings)
    assert (read, findings) == (submission, [])
    return read


@pytest.mark.parametrize("propagate", [True, False])
def test_an_update_names_the_version_that_it_follows(propagate: bool) -> None:
    entry = next_entry(registered(), {"title": "New"})
    read = sent(build_update(entry, 3, SET, DETAILS, new_symbols(), propagate=propagate))
    (member,) = read.associations
    assert (member.association_type, member.source, member.target) == (v.HAS_MEMBER, SET.uuid, NEW)
    told = {slot.name: slot.values for slot in member.slots}
    assert told.pop("AssociationPropagation", ("yes",)) == (("yes",) if propagate else ("no",))
    assert told == {"SubmissionSetStatus": ("Original",), "PreviousVersion": ("3",)}
    assert read.submission_sets[0].unique_id == SET.unique_id


def test_a_change_of_status_is_a_command_of_the_set() -> None:
    read = sent(
        build_status_changes([StatusChange("urn:uuid:x", v.APPROVED, v.DEPRECATED)], SET, DETAILS, new_symbols())
    )
    (command,) = read.associations
    assert (command.association_type, command.source, command.target) == (
        v.UPDATE_AVAILABILITY_STATUS,
        SET.uuid,
        "urn:uuid:x",
    )
    assert command.slots == (Slot("OriginalStatus", (v.APPROVED,)), Slot("NewStatus", (v.DEPRECATED,)))


@pytest.mark.parametrize("known", [True, False])
def test_the_set_holds_a_new_folder_and_each_membership(known: bool) -> None:
    symbols = (f"part{number}" for number in count())
    folder = build_folder(NEW, "2.25.2", [CODE], DETAILS, None, symbols)
    read = sent(build_filing(NEW if known else folder, ["urn:uuid:1", "urn:uuid:2"], SET, DETAILS, symbols))
    filed = [a for a in read.associations if a.source == NEW]
    held = [a.target for a in read.associations if a.source == SET.uuid]
    assert [a.target for a in filed] == ["urn:uuid:1", "urn:uuid:2"]
    assert held == ([] if known else [NEW]) + [a.id for a in filed]
    assert len(read.folders) == (0 if known else 1)
