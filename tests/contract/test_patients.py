"""Patients and merges in storage: who stands for whom, what queries then find, how a merge is undone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.contract.submissions import EVERYTHING, make_entry, make_folder, make_link, make_set, register, submit, urn
from tests.unit import builders
from xds_gateway.actors.patient_ports import PatientMerge, ReceivedMessage
from xds_gateway.actors.ports import Found, KnownObject, Transaction
from xds_gateway.model import queries as q
from xds_gateway.model import vocabulary as v
from xds_gateway.model.identifiers import PatientId
from xds_gateway.storage.opening import Storage

A, B, C, D = (PatientId(name, "1.2.3") for name in "ABCD")
NOBODY = PatientId("X", "1.2.3")
STABLE: dict[str, Any] = {"statuses": (v.APPROVED,), "object_types": (v.STABLE_DOCUMENT,)}


def record(number: int, patient: PatientId) -> tuple[Any, ...]:
    """A set with an entry in a folder, all of one patient."""
    cx = patient.as_cx()
    entry = make_entry(number, identifiers={v.DE_PATIENT_ID: cx})
    folder = make_folder(number, identifiers={v.FD_PATIENT_ID: cx})
    the_set = make_set(number, identifiers={v.SS_PATIENT_ID: cx})
    return entry, folder, the_set, make_link(the_set.id, entry.id), make_link(folder.id, entry.id)


def change(storage: Storage, *changes: Callable[[Transaction], object]) -> None:
    for each in changes:
        storage.registry.write(each)


def merging(subsumed: PatientId, surviving: PatientId) -> Callable[[Transaction], None]:
    merge = PatientMerge(subsumed, surviving, "20260101120000", "HIS|HOSPITAL", f"{subsumed.id}-{surviving.id}")
    return lambda transaction: transaction.merge_patients(merge)


def unmerging(patient: PatientId) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.unmerge_patient(patient, "20260102120000", "an administrator")


MERGES = {name: merging(PatientId(name[0], "1.2.3"), PatientId(name[1], "1.2.3")) for name in ("AB", "BC", "DB", "CD")}
UNDO = {f"-{patient.id}": unmerging(patient) for patient in (A, B, C, D)}
STEPS = {**MERGES, **UNDO}


@pytest.fixture
def full(storage: Storage) -> Storage:
    for number, patient in enumerate((A, B, C, D), 1):
        register(storage, *record(number, patient))
    return storage


def entries_of(storage: Storage, patient: PatientId) -> Found:
    return storage.queries.find(q.FindDocuments(patient_id=patient, **STABLE), EVERYTHING, 100)


def found(storage: Storage) -> dict[str, set[int]]:
    """By patient the numbers of the entries that a query finds."""
    numbers = {urn(f"entry {number}"): number for number in (1, 2, 3, 4)}
    return {p.id: {numbers[uuid] for uuid in entries_of(storage, p).uuids} for p in (A, B, C, D)}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], {"A": {1}, "B": {2}, "C": {3}, "D": {4}}),
        (["AB"], {"A": set(), "B": {1, 2}, "C": {3}, "D": {4}}),
        (["AB", "BC"], {"A": set(), "B": set(), "C": {1, 2, 3}, "D": {4}}),
        (["AB", "DB", "BC"], {"A": set(), "B": set(), "C": {1, 2, 3, 4}, "D": set()}),
        (["AB", "BC", "CD"], {"A": set(), "B": set(), "C": set(), "D": {1, 2, 3, 4}}),
        (["AB", "-A"], {"A": {1}, "B": {2}, "C": {3}, "D": {4}}),
        (["AB", "BC", "-A"], {"A": {1}, "B": set(), "C": {2, 3}, "D": {4}}),
        (["AB", "BC", "-B"], {"A": set(), "B": {1, 2}, "C": {3}, "D": {4}}),
        (["AB", "BC", "CD", "-B"], {"A": set(), "B": {1, 2}, "C": set(), "D": {3, 4}}),
        (["AB", "BC", "-B", "-A"], {"A": {1}, "B": {2}, "C": {3}, "D": {4}}),
        (["AB", "-A", "AB"], {"A": set(), "B": {1, 2}, "C": {3}, "D": {4}}),
    ],
    ids=lambda value: " ".join(value) or "none" if isinstance(value, list) else "",
)
def test_the_survivor_of_the_whole_chain_has_all_records(full, steps, expected):
    change(full, *[STEPS[step] for step in steps])
    assert found(full) == expected
    for patient in (A, B, C, D):
        survivor = full.registry.inspect(lambda snapshot, p=patient: snapshot.survivor(p))
        assert (survivor == patient) == bool(expected[patient.id])


def test_answers_name_the_survivor_in_every_object(full):
    change(full, MERGES["AB"], MERGES["BC"])
    questions: Sequence[Any] = (
        q.FindDocuments(patient_id=C, **STABLE),
        q.FindSubmissionSets(patient_id=C, statuses=(v.APPROVED,)),
        q.FindFolders(patient_id=C, statuses=(v.APPROVED,)),
        q.GetDocuments(uuids=(urn("entry 1"), urn("entry 2"), urn("entry 3"))),
    )
    for question in questions:
        answer = full.queries.find(question, EVERYTHING, 100)
        texts = b"".join(answer.fragments)
        assert len(answer.uuids) == 3
        assert answer.patients == (C.as_cx(),)
        assert texts.count(C.as_cx().replace("&", "&amp;").encode()) == 3
        assert A.as_cx().replace("&", "&amp;").encode() not in texts
    for patient in (A, B):
        every = {f"{kind}_statuses": (v.APPROVED,) for kind in ("submission_set", "entry", "folder")}
        question = q.GetAll(patient_id=patient, entries=q.EntryFilter(), **every)
        assert full.queries.find(question, EVERYTHING, 100) == Found()


def test_a_query_for_several_patients_has_each_record_once(full):
    change(full, MERGES["AB"])
    query = q.FindDocumentsForMultiplePatients(patient_ids=(A, B, C), **STABLE)
    answer = full.queries.find(query, EVERYTHING, 100)
    assert answer.uuids == tuple(urn(f"entry {number}") for number in (1, 2, 3))


def test_plans_know_registered_objects_by_the_survivor(full):
    change(full, MERGES["AB"], MERGES["BC"])

    def look(snapshot: Any) -> tuple[KnownObject, str | None]:
        uuid = urn("entry 1")
        return snapshot.objects((uuid,))[uuid], snapshot.read((uuid,))[uuid].patient_id

    known, shown = full.registry.inspect(look)
    assert (known.patient_id, shown) == (C, C.as_cx())


def test_what_was_submitted_for_a_merged_patient_stays_its_own(full):
    change(full, MERGES["AB"])
    submit(full, record(9, A))
    assert set(entries_of(full, B).uuids) == {urn("entry 1"), urn("entry 2"), urn("entry 9")}
    change(full, UNDO["-A"])
    assert set(entries_of(full, A).uuids) == {urn("entry 1"), urn("entry 9")}
    assert builders.PATIENT not in entries_of(full, A).patients


def test_merges_are_told_as_they_came_with_who_undid_them(full):
    change(full, MERGES["AB"], MERGES["DB"], UNDO["-A"], MERGES["AB"])
    merges = full.registry.inspect(lambda snapshot: snapshot.merges_of(B))
    assert [(m.subsumed, m.surviving, m.message_id, m.undone_by) for m in merges] == [
        (A, B, "A-B", "an administrator"),
        (D, B, "D-B", None),
        (A, B, "A-B", None),
    ]
    assert full.registry.inspect(lambda snapshot: snapshot.merges_of(NOBODY)) == []


def test_patients_are_listed_in_pages(full):
    change(full, MERGES["AB"])

    def listed(after: PatientId | None, limit: int) -> list[tuple[PatientId, PatientId | None]]:
        return [tuple(p) for p in full.registry.inspect(lambda snapshot: snapshot.patients(after, limit))]  # type: ignore[misc]

    assert listed(None, 2) == [(A, B), (B, None)]
    assert listed(B, 9) == [(C, None), (D, None)]


def test_a_merge_in_a_transaction_that_fails_never_was(full):
    def work(transaction: Transaction) -> None:
        MERGES["AB"](transaction)
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        full.registry.write(work)
    assert found(full)["A"] == {1}
    assert full.registry.inspect(lambda snapshot: snapshot.merges_of(A)) == []


# --- entries of a source

LOCAL, OTHER = PatientId("local<&>", "1.9.1"), PatientId("other", "1.9.1")
APART = PatientId("local<&>", "1.9.2")
TWICE = PatientId("alone", "1.9.1")


def sourced(number: int, patient: PatientId, source: str | None, **changes: Any) -> tuple[Any, ...]:
    entry = make_entry(
        number, identifiers={v.DE_PATIENT_ID: patient.as_cx()}, slots={"sourcePatientId": source}, **changes
    )
    return (entry,)


@pytest.fixture
def sources(storage: Storage) -> Storage:
    """Entries 1 to 9, of which 1 and 2 are A's from LOCAL, 8 is B's."""
    named = f"{LOCAL.id}^^^HOSP&{LOCAL.authority}&ISO"
    for number, patient, source in (
        (1, A, LOCAL.as_cx()), (2, A, named), (3, A, OTHER.as_cx()), (4, A, APART.as_cx()), (5, A, None),
        (6, A, LOCAL.as_cx()), (7, A, f"{LOCAL.id}2^^^&1.9.1&ISO"), (8, B, LOCAL.as_cx()),
    ):  # fmt: skip
        register(storage, *sourced(number, patient, source))
    change(storage, lambda transaction: transaction.set_status([urn("entry 6")], v.DEPRECATED))
    return storage


def from_source(storage: Storage, patient: PatientId, *wanted: PatientId) -> list[int]:
    found = storage.registry.inspect(lambda snapshot: snapshot.entries_from(patient, wanted))
    assert {item.status for item in found} <= {v.APPROVED}
    return [number for item in found for number in range(1, 10) if item.id == urn(f"entry {number}")]


@pytest.mark.parametrize(
    ("patient", "wanted", "expected"),
    [
        (A, (LOCAL,), [1, 2]),
        (A, (LOCAL, OTHER), [1, 2, 3]),
        (A, (APART,), [4]),
        (A, (PatientId("local", "1.9.1"),), []),
        (A, (TWICE,), []),
        (A, (), []),
        (B, (LOCAL,), [8]),
        (C, (LOCAL,), []),
        (NOBODY, (LOCAL,), []),
    ],
)
def test_approved_entries_of_a_source_are_found_by_id_and_authority(sources, patient, wanted, expected):
    assert from_source(sources, patient, *wanted) == expected


def test_the_entries_of_a_source_are_whole(sources):
    (entry,) = sources.registry.inspect(lambda snapshot: snapshot.entries_from(B, (LOCAL,)))
    assert entry == sources.registry.inspect(lambda snapshot: snapshot.read([entry.id]))[entry.id]


def test_only_the_latest_version_of_an_entry_is_found(sources):
    later = sourced(1, A, LOCAL.as_cx(), id=urn("entry 9"), lid=urn("entry 1"), version="2")
    submit(sources, later, lambda t: (t.supersede([urn("entry 1")]), t.set_status([urn("entry 1")], v.DEPRECATED)))
    assert from_source(sources, A, LOCAL) == [2, 9]


def test_a_survivor_has_the_entries_of_the_patients_it_stands_for(sources):
    change(sources, MERGES["AB"])
    assert from_source(sources, B, LOCAL) == [8, 1, 2]
    shown = sources.registry.inspect(lambda snapshot: snapshot.entries_from(B, (LOCAL,)))
    assert {item.patient_id for item in shown} == {B.as_cx()}


# --- messages of feeds


MESSAGE = ReceivedMessage("HIS|HOSPITAL", "1", b"digest")


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (MESSAGE, True),
        (MESSAGE._replace(sender="LAB|HOSPITAL"), False),
        (MESSAGE._replace(message_id="2"), False),
        (MESSAGE._replace(digest=b"another"), False),
    ],
)
def test_a_message_is_known_by_sender_id_and_content(storage, message, known):
    change(storage, lambda transaction: transaction.note_received(MESSAGE, "20260101120000"))
    assert storage.registry.inspect(lambda snapshot: snapshot.was_received(message)) is known


def test_an_id_that_is_used_again_names_the_later_message(storage):
    later = MESSAGE._replace(digest=b"another")
    change(storage, *[lambda t, m=m: t.note_received(m, "20260101120000") for m in (MESSAGE, later)])
    assert storage.registry.inspect(lambda s: (s.was_received(MESSAGE), s.was_received(later))) == (False, True)


@pytest.mark.parametrize(("later", "kept"), [("20260131120000", True), ("20260301000000", False)])
def test_messages_are_forgotten_after_a_month(storage, later, kept):
    change(
        storage,
        lambda transaction: transaction.note_received(MESSAGE, "20260101120000"),
        lambda transaction: transaction.note_received(MESSAGE._replace(message_id="2"), later),
    )
    assert storage.registry.inspect(lambda snapshot: snapshot.was_received(MESSAGE)) is kept
