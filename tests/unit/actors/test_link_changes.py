"""What a changed link makes of a registry: each case of the text, and each conflict (ITI TF-2 3.64.4.1.3)."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.builders import (
    make_association,
    make_documentation,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_slots,
)
from xds_gateway.actors.link_changes import LinkChange, Moved, SetDetails, plan_link_change
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.identifiers import PatientId, is_oid, parse_patient_id
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, RegistryObject, SubmissionSet

NEW, PREVIOUS, THIRD = (PatientId(name, "1.2.3") for name in ("new", "previous", "third"))
LOCAL, SUBSUMED, FOREIGN = (PatientId(name, "1.9.1") for name in ("local", "subsumed", "foreign"))
DETAILS = SetDetails("1.9.2", Code("moved", "2.25.1", "Moved"), "20260314083000")
MOVE = LinkChange(NEW, PREVIOUS, LOCAL)
ACROSS = LinkChange(NEW, PREVIOUS, LOCAL, SUBSUMED)
RENAME = LinkChange(PREVIOUS, PREVIOUS, LOCAL, SUBSUMED)


def urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}"


def entry(name: str, source: PatientId | None = LOCAL, patient: PatientId = PREVIOUS, **changes: Any) -> DocumentEntry:
    identifiers = {v.DE_PATIENT_ID: patient.as_cx(), v.DE_UNIQUE_ID: f"1.9.9.{sum(name.encode())}"}
    slots = {"sourcePatientId": source.as_cx() if source else None}
    return make_entry(id=urn(name), slots=slots, identifiers=identifiers, **changes)


def folder(name: str, patient: PatientId = PREVIOUS, **changes: Any) -> Folder:
    identifiers = {v.FD_PATIENT_ID: patient.as_cx(), v.FD_UNIQUE_ID: f"1.9.8.{sum(name.encode())}"}
    return make_folder(id=urn(name), identifiers=identifiers, **changes)


def link(source: str, target: str, kind: str = v.HAS_MEMBER, **changes: Any) -> Association:
    return make_association(urn(source), urn(target), kind, id=urn(f"{source}>{target}"), **changes)


def member(target: str, role: str = "Original", source: str = "set", **changes: Any) -> Association:
    return replace(make_member(urn(source), urn(target), role, id=urn(f"{source}>{target}")), **changes)


def the_set(name: str = "set", patient: PatientId = PREVIOUS) -> SubmissionSet:
    return make_set(id=urn(name), identifiers={v.SS_PATIENT_ID: patient.as_cx()})


def planned(change: LinkChange, *registered: RegistryObject) -> Moved:
    snapshot: Any = MemorySnapshot.of(*registered)
    return plan_link_change(change, DETAILS, snapshot, lambda: uuid.uuid4().urn)


class Told:
    """A plan in the names of the test: what is new is called as what it came from, with a star."""

    def __init__(self, moved: Moved, *registered: RegistryObject) -> None:
        made = (*moved.objects, *moved.changes.associations)
        self.by_name = {_name_of(item, registered): item for item in made if not isinstance(item, Association)}
        names = {item.id: name for name, item in self.by_name.items()}
        names |= {item.id: _name_of(item, registered) for item in registered}
        self.links = []
        linked = [item for item in made if isinstance(item, Association)]
        for item in linked:
            ends = f"{names.get(item.source, item.source)}>{names.get(item.target, item.target)}"
            names[item.id] = ends
        for item in linked:
            kind = item.association_type.rsplit(":", 1)[1]
            self.links.append(f"{kind} {names[item.source]}>{names.get(item.target, item.target)}")
        self.deprecated = sorted(names[each] for each in moved.changes.deprecated)
        self.superseded = sorted(names[each] for each in moved.changes.superseded)
        self.touched = sorted(names[each] for each in moved.changes.touched_folders)
        self.dropped = sorted(names[each] for each in moved.dropped)
        self.made = linked


NAMES = {urn(name): name for name in ("a", "b", "c", "f", "g", "set", "old", "other")}


def _name_of(item: RegistryObject, registered: Iterable[RegistryObject]) -> str:
    if item.id in NAMES:
        return NAMES[item.id]
    if isinstance(item, Association):
        return f"{NAMES[item.source]}>{NAMES[item.target]}"
    return f"{NAMES[item.lid or '']}*" if item.lid != item.id else "new"


def tell(change: LinkChange, *registered: RegistryObject) -> Told:
    return Told(planned(change, *registered), *registered)


# --- which entries, and what becomes of them


@pytest.mark.parametrize(
    ("change", "source", "patient", "status", "moves"),
    [
        (MOVE, LOCAL, PREVIOUS, v.APPROVED, True),
        (MOVE, SUBSUMED, PREVIOUS, v.APPROVED, False),
        (MOVE, None, PREVIOUS, v.APPROVED, False),
        (MOVE, PatientId("local", "1.9.7"), PREVIOUS, v.APPROVED, False),
        (MOVE, LOCAL, NEW, v.APPROVED, False),
        (MOVE, LOCAL, THIRD, v.APPROVED, False),
        (MOVE, LOCAL, PREVIOUS, v.DEPRECATED, False),
        (ACROSS, LOCAL, PREVIOUS, v.APPROVED, True),
        (ACROSS, SUBSUMED, PREVIOUS, v.APPROVED, True),
        (ACROSS, SUBSUMED, NEW, v.APPROVED, True),
        (ACROSS, LOCAL, NEW, v.APPROVED, False),
        (ACROSS, FOREIGN, PREVIOUS, v.APPROVED, False),
        (ACROSS, SUBSUMED, PREVIOUS, v.DEPRECATED, False),
        (ACROSS, SUBSUMED, THIRD, v.APPROVED, False),
        (RENAME, SUBSUMED, PREVIOUS, v.APPROVED, True),
        (RENAME, LOCAL, PREVIOUS, v.APPROVED, False),
        (RENAME, SUBSUMED, NEW, v.APPROVED, False),
        (RENAME, SUBSUMED, PREVIOUS, v.DEPRECATED, False),
    ],
)
def test_approved_entries_with_the_local_identifier_move(change, source, patient, status, moves):
    moved = planned(change, entry("a", source, patient, status=status))
    if not moves:
        assert moved == Moved()
        return
    new = moved.objects[0]
    assert isinstance(new, DocumentEntry)
    assert parse_patient_id(new.patient_id or "") == change.new
    assert parse_patient_id(new.slot_value("sourcePatientId") or "") == LOCAL
    assert moved.dropped == ()


def test_a_new_version_says_all_that_the_one_before_said_under_new_ids():
    before = entry("a", version="3", lid=urn("b"), status=v.APPROVED, home="urn:oid:1.2")
    moved = planned(MOVE, before)
    (after,) = (item for item in moved.objects if isinstance(item, DocumentEntry))
    assert (after.lid, after.version, after.status) == (before.lid, "4", v.APPROVED)
    assert (after.name, after.description, after.slots) == (before.name, before.description, before.slots)
    assert (after.mime_type, after.object_type, after.home) == (before.mime_type, before.object_type, before.home)
    assert (after.unique_id, after.patient_id) == (before.unique_id, NEW.as_cx())
    assert [c[2:] for c in after.classifications] == [c[2:] for c in before.classifications]
    assert [(e.scheme, e.name) for e in after.external_identifiers] == [
        (e.scheme, e.name) for e in before.external_identifiers
    ]
    parts = (*after.classifications, *after.external_identifiers)
    assert {part[1] for part in parts} == {after.id}
    ids = [after.id, *(part.id for part in parts)]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {before.id, *(p.id for p in (*before.classifications, *before.external_identifiers))}
    assert moved.changes.deprecated == moved.changes.superseded == (before.id,)


def test_a_source_patient_id_that_stays_is_as_it_was_sent():
    sent = f"local^^^HOSP&{LOCAL.authority}&ISO"
    slots = tuple(s._replace(values=(sent,)) if s.name == "sourcePatientId" else s for s in entry("a").slots)
    told = tell(ACROSS, replace(entry("a"), slots=slots), entry("b", SUBSUMED))
    assert [told.by_name[name].slot_value("sourcePatientId") for name in ("a*", "b*")] == [sent, LOCAL.as_cx()]


def test_the_set_says_who_told_and_holds_every_new_version():
    before = entry("a", version="3", lid=urn("b"))
    moved = planned(MOVE, before, folder("f", version="2"), link("f", "a"))
    entry_after, folder_after, made, *members = moved.objects
    assert isinstance(made, SubmissionSet)
    assert (made.patient_id, made.identifier(v.SS_SOURCE_ID)) == (NEW.as_cx(), DETAILS.source_id)
    assert is_oid(made.unique_id or "")
    assert made.slots_by_name.keys() == {"submissionTime"}
    assert made.slot_value("submissionTime") == DETAILS.submission_time
    (code,) = made.codes(v.SS_CONTENT_TYPE_CODE)
    assert (code.code, code.coding_scheme, code.name[0].value) == DETAILS.content_type
    assert (made.codes(v.SS_AUTHOR), made.home, made.has_node(v.SUBMISSION_SET_NODE)) == ((), None, True)
    slots = ("SubmissionSetStatus", "PreviousVersion")
    links = [m for m in members if isinstance(m, Association)]
    assert [(m.source, m.target, *(m.slot_values(name) for name in slots)) for m in links] == [
        (made.id, entry_after.id, ("Original",), ("3",)),
        (made.id, folder_after.id, ("Original",), ("2",)),
    ]
    assert moved.told == (made.id, entry_after.id, folder_after.id)


# --- associations of entries

CASES: dict[str, tuple[LinkChange, list[RegistryObject], dict[str, Any]]] = {
    "a set that submitted the entry keeps the version that it submitted": (
        MOVE,
        [entry("a"), the_set(), member("a")],
        {"links": ["HasMember new>a*"], "deprecated": ["a"], "superseded": ["a"]},
    ),
    "a set that refers to the entry refers to its new version": (
        MOVE,
        [entry("a"), the_set("other", THIRD), member("a", "Reference", "other")],
        {"links": ["HasMember new>a*", "HasMember other>a*"], "deprecated": ["a", "other>a"], "superseded": ["a"]},
    ),
    "a reference that is Deprecated stays": (
        MOVE,
        [entry("a"), the_set("other"), member("a", "Reference", "other", status=v.DEPRECATED)],
        {"links": ["HasMember new>a*"]},
    ),
    "both ends of a relationship move": (
        MOVE,
        [entry("a"), entry("b"), link("b", "a", v.APND)],
        {"links": ["HasMember new>a*", "HasMember new>b*", "APND b*>a*"], "dropped": []},
    ),
    "one end moves to where the other one is": (
        MOVE,
        [entry("a"), entry("b", FOREIGN, NEW), link("b", "a", v.XFRM)],
        {"links": ["HasMember new>a*", "XFRM b>a*"], "dropped": []},
    ),
    "one end stays behind": (
        MOVE,
        [entry("a"), entry("b", FOREIGN), link("b", "a", v.APND)],
        {"links": ["HasMember new>a*"], "dropped": ["b>a"], "deprecated": ["a"]},
    ),
    "a relationship that is Deprecated stays": (
        MOVE,
        [entry("a"), entry("b"), link("b", "a", v.APND, status=v.DEPRECATED)],
        {"links": ["HasMember new>a*", "HasMember new>b*"], "dropped": []},
    ),
    "what was replaced stays, and nobody has to be told": (
        MOVE,
        [entry("a"), entry("b", status=v.DEPRECATED), link("a", "b", v.RPLC)],
        {"links": ["HasMember new>a*"], "dropped": []},
    ),
    "an addendum to what is Deprecated is dropped": (
        MOVE,
        [entry("a"), entry("b", status=v.DEPRECATED), link("a", "b", v.APND)],
        {"links": ["HasMember new>a*"], "dropped": ["a>b"]},
    ),
    "a replaced entry that was approved again loses who replaced it": (
        MOVE,
        [entry("a"), entry("b", FOREIGN), link("b", "a", v.RPLC)],
        {"links": ["HasMember new>a*"], "dropped": ["b>a"]},
    ),
    "a local merge leaves the patient, so all relationships go on": (
        RENAME,
        [entry("a", SUBSUMED), entry("b", FOREIGN, status=v.DEPRECATED), link("a", "b", v.RPLC)],
        {"links": ["HasMember new>a*", "RPLC a*>b"], "dropped": []},
    ),
    "a signature of a set does not follow the signed set's patient": (
        MOVE,
        [entry("a"), the_set(), link("a", "set", v.SIGNS)],
        {"links": ["HasMember new>a*"], "dropped": ["a>set"]},
    ),
    "what the registry does not know is no end": (
        MOVE,
        [entry("a"), link("a", "other", v.APND), link("other", "a")],
        {"links": ["HasMember new>a*"], "dropped": ["a>other"]},
    ),
    # --- folders
    "a folder whose entries all move gets a version with them": (
        MOVE,
        [entry("a"), entry("b"), folder("f"), link("f", "a"), link("f", "b")],
        {
            "links": [
                "HasMember new>a*", "HasMember new>b*", "HasMember new>f*", "HasMember f*>a*", "HasMember f*>b*",
                "HasMember new>f*>a*", "HasMember new>f*>b*",
            ],
            "deprecated": ["a", "b", "f"], "superseded": ["a", "b", "f"], "touched": ["f*"], "dropped": [],
        },
    ),
    "Deprecated entries in a folder stay in its version before": (
        MOVE,
        [entry("a"), entry("b", FOREIGN, status=v.DEPRECATED), folder("f"), link("f", "a"), link("f", "b")],
        {"deprecated": ["a", "f"], "touched": ["f*"], "dropped": []},
    ),
    "an entry that was taken out of the folder does not keep it": (
        MOVE,
        [entry("a"), entry("b", FOREIGN), folder("f"), link("f", "a"), link("f", "b", status=v.DEPRECATED)],
        {"deprecated": ["a", "f"], "dropped": []},
    ),
    "a folder with entries of others stays, without those that move": (
        MOVE,
        [entry("a"), entry("b", FOREIGN), folder("f"), link("f", "a"), link("f", "b")],
        {"links": ["HasMember new>a*"], "deprecated": ["a"], "touched": [], "dropped": ["f"]},
    ),
    "a folder with an entry that has no local identifier stays": (
        MOVE,
        [entry("a"), entry("b", None), folder("f"), link("f", "a"), link("f", "b")],
        {"links": ["HasMember new>a*"], "dropped": ["f"]},
    ),
    "one folder moves, the other one stays": (
        MOVE,
        [entry("a"), entry("b", FOREIGN), folder("f"), folder("g"), link("f", "a"), link("g", "a"), link("g", "b")],
        {"deprecated": ["a", "f"], "touched": ["f*"], "dropped": ["g"]},
    ),
    "a Deprecated folder is not touched": (
        MOVE,
        [entry("a"), folder("f", status=v.DEPRECATED), link("f", "a")],
        {"links": ["HasMember new>a*"], "deprecated": ["a"], "dropped": []},
    ),
    "an entry that was taken out of a folder does not go back": (
        MOVE,
        [entry("a"), folder("f"), link("f", "a", status=v.DEPRECATED)],
        {"links": ["HasMember new>a*"], "deprecated": ["a"], "dropped": []},
    ),
    "both local identifiers of a merge count as one": (
        ACROSS,
        [entry("a"), entry("b", SUBSUMED), folder("f"), link("f", "a"), link("f", "b")],
        {"deprecated": ["a", "b", "f"], "touched": ["f*"], "dropped": []},
    ),
    "a folder of a patient who stays gets the new versions": (
        RENAME,
        [entry("a", SUBSUMED), entry("b", FOREIGN), folder("f"), link("f", "a"), link("f", "b")],
        {
            "links": ["HasMember new>a*", "HasMember f>a*", "HasMember new>f>a*"],
            "deprecated": ["a"], "superseded": ["a"], "touched": ["f"], "dropped": [],
        },
    ),
    "a folder that is the new patient's already gets the new versions": (
        ACROSS,
        [entry("a", SUBSUMED, NEW), folder("f", NEW), link("f", "a"), entry("b")],
        {
            "links": ["HasMember new>b*", "HasMember new>a*", "HasMember f>a*", "HasMember new>f>a*"],
            "deprecated": ["a", "b"], "touched": ["f"], "dropped": [],
        },
    ),
    "folder and relationship together": (
        MOVE,
        [entry("a"), entry("b"), folder("f"), link("f", "a"), link("f", "b"), link("b", "a", v.APND)],
        {
            "links": [
                "HasMember new>a*", "HasMember new>b*", "HasMember new>f*", "HasMember f*>a*", "HasMember f*>b*",
                "HasMember new>f*>a*", "HasMember new>f*>b*", "APND b*>a*",
            ],
            "deprecated": ["a", "b", "f"], "dropped": [],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_goes_with_the_entries(case):
    change, registered, expected = CASES[case]
    told = tell(change, *registered)
    assert {name: getattr(told, name) for name in expected} == expected


def test_copies_keep_what_they_say_under_ids_of_their_own():
    documented = link("b", "a", v.APND, classifications=(make_documentation(urn("b>a")),))
    filing = link("f", "a", slots=make_slots({"urn:example:why": "chosen"}))
    told = tell(MOVE, entry("a"), entry("b"), folder("f"), documented, filing, link("f", "b"))
    (apnd,) = (a for a in told.made if a.association_type == v.APND)
    (code,) = apnd.classifications
    assert (code.code, code.classified_object, apnd.status, apnd.lid) == ("COR", apnd.id, v.APPROVED, apnd.id)
    assert [a.slot_value("urn:example:why") for a in told.made if a.slots_by_name.get("urn:example:why")] == ["chosen"]


def test_the_version_of_a_folder_says_all_that_the_one_before_said():
    before = folder("f", version="2", lid=urn("g"))
    told = tell(MOVE, entry("a"), before, link("f", "a"))
    after = told.by_name["g*"]
    assert isinstance(after, Folder)
    assert (after.lid, after.version, after.patient_id, after.unique_id) == (
        before.lid, "3", NEW.as_cx(), before.unique_id,
    )  # fmt: skip
    assert [c[2:] for c in after.classifications] == [c[2:] for c in before.classifications]
    assert {c.classified_object for c in after.classifications} == {after.id}


def test_no_logical_object_gets_two_versions():
    """An entry in two folders and three relationships."""
    registered = [entry("a"), entry("b"), entry("c"), folder("f"), folder("g")]
    registered += [link("f", "a"), link("g", "a"), link("f", "b"), link("b", "a", v.APND), link("c", "a", v.XFRM)]
    moved = planned(MOVE, *registered)
    versions = [item.lid for item in moved.objects if isinstance(item, (DocumentEntry, Folder))]
    assert sorted(versions) == sorted(set(versions))
    made = [(a.association_type, a.source, a.target) for a in moved.changes.associations]
    assert len(made) == len(set(made))
