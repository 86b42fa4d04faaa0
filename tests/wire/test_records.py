"""The SDK keeps records correct: every query, history, updates, statuses, folders and removal, on a running gateway."""

from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from xds_gateway.client import (
    Code,
    DocumentSummary,
    DocumentToSubmit,
    Gateway,
    Misconfigured,
    NotFound,
    Refused,
)
from xds_gateway.client.queries import QUERIES_BY_NAME
from xds_gateway.client.samples import SOURCE_ID, make_sample, patient_id

from ..gateways import RunningGateway, TestPki

SEEDS = count(5000)
CODE = Code("71388002", "2.16.840.1.113883.6.96", "Procedure")
BOTH = ("Approved", "Deprecated")
NOWHERE = "urn:uuid:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sdk(gateway: RunningGateway, pki: TestPki, tmp_path: Path) -> Iterator[Gateway]:
    """A client of the running gateway."""
    base, files = f"https://localhost:{gateway.port}/services/", pki.files
    with Gateway(
        f"{base}registry",
        f"{base}repository",
        certificate=files.client_certificate,
        key=files.client_key,
        ca=files.ca,
        journal=tmp_path / "journal",
    ) as client:
        yield client


@pytest.fixture
def patient() -> str:
    return patient_id(next(SEEDS), "RECORDS")


def new_sample(**changes: Any) -> DocumentToSubmit:
    return make_sample(seed=next(SEEDS)).changed(**changes)


def submit(sdk: Gateway, patient: str, **details: Any) -> DocumentSummary:
    """A new document, found again."""
    result = sdk.submit(new_sample(), patient_id=patient, source_id=SOURCE_ID, **details)
    (entry,) = sdk.get(result.entries[0].entry_uuid)
    return entry


def codes_of(caught: Any) -> set[str]:
    return {error.code for error in caught.value.errors}


# --- queries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("return_type", ["LeafClass", "ObjectRef"])
@pytest.mark.parametrize("name", QUERIES_BY_NAME)
def test_every_query_is_answered(sdk: Gateway, patient: str, name: str, return_type: Any) -> None:
    old = submit(sdk, patient)
    new = sdk.replace(old.entry_uuid, new_sample(reference_ids=("r^^^&1.2&ISO^urn:x",)), patient_id=patient,
                      source_id=SOURCE_ID)  # fmt: skip
    folder = sdk.folder_new("Folder", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[
        new.entries[0].entry_uuid])  # fmt: skip
    entry_uuid = new.entries[0].entry_uuid
    values = {
        "FolderEntryUUID": folder.entry_uuid,
        "SubmissionSetEntryUUID": new.submission_set_uuid,
        "DocumentEntryEntryUUID": entry_uuid,
        "uuid": entry_uuid,
        "AssociationTypes": "RPLC",
        "DocumentEntryReferenceIdList": "r^^^&1.2&ISO^urn:x",
    }
    table = QUERIES_BY_NAME[name].table
    short = [p.name.removeprefix("$").removeprefix("XDS") for p in table.parameters]
    given = {each: values[each] for each in short if each in values}
    given |= {each: patient for each in short if each.lower().endswith("patientid")}
    given |= {each: "Approved" for each in short if each.endswith("Status") and each != "AssociationStatus"}
    found = sdk.query(name, given, return_type=return_type)
    kinds = (found.documents, found.submission_sets, found.folders, found.associations)
    assert len(found) > 0
    assert bool(found.references) == (return_type == "ObjectRef")
    assert any(map(len, kinds)) == (return_type == "LeafClass")


def test_folders_and_sets_are_found(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient, title="First")
    folder = sdk.folder_new(
        "Diabetes", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[entry.entry_uuid]
    )
    (found,) = sdk.find_folders(patient, codes=[CODE], updated=("2020", None))
    assert (found.entry_uuid, found.title, found.codes) == (folder.entry_uuid, "Diabetes", (CODE,))
    assert sdk.find_folders(patient, codes=[Code("other", "1.2")]) == ()
    titles = {each.title for each in sdk.find_submission_sets(patient, source_ids=[SOURCE_ID])}
    assert titles == {"First", "Diabetes"}
    contents = sdk.set_contents(folder.submission_set_uuid)
    assert [each.unique_id for each in contents.folders] == [folder.unique_id]


# --- relations and folders ----------------------------------------------------------------------------------------


def test_relations_are_told_from_document_to_document(sdk: Gateway, patient: str) -> None:
    first = submit(sdk, patient)
    sender = {"patient_id": patient, "source_id": SOURCE_ID}
    addendum = sdk.append(first.entry_uuid, new_sample(), **sender).entries[0].entry_uuid
    second = sdk.replace(first.entry_uuid, new_sample(), **sender).entries[0].entry_uuid
    third = sdk.replace(second, new_sample(), transformed=True, **sender).entries[0].entry_uuid
    pdf = sdk.transform(third, new_sample(), **sender).entries[0].entry_uuid
    told = sdk.history(first.entry_uuid)
    assert {(r.type, r.source, r.target) for r in told.relations} == {
        ("APND", addendum, first.entry_uuid),
        ("RPLC", second, first.entry_uuid),
        ("XFRM_RPLC", third, second),
        ("XFRM", pdf, third),
    }
    assert {d.entry_uuid: d.status for d in told.documents} == {
        addendum: "Deprecated",
        second: "Deprecated",
        third: "Approved",
        pdf: "Approved",
    }
    assert [v.entry_uuid for v in told.versions] == [first.entry_uuid]
    assert told.complete


def test_relations_without_end_are_not_followed_without_end(
    sdk: Gateway, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xds_gateway.client.history._GENERATIONS", 2)
    chain = [submit(sdk, patient)]
    for _ in range(3):
        chain.append(submit(sdk, patient, replaces=chain[-1].entry_uuid))
    told = sdk.history(chain[0].entry_uuid)
    assert ([d.entry_uuid for d in told.documents], told.complete) == ([d.entry_uuid for d in chain[1:3]], False)


def test_documents_go_into_folders_and_out(sdk: Gateway, patient: str) -> None:
    one, two = submit(sdk, patient), submit(sdk, patient)
    folder = sdk.folder_new(
        "Diabetes", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[one.entry_uuid]
    )
    sdk.folder_add(folder.unique_id or "", [two.unique_id or ""], source_id=SOURCE_ID)
    three = submit(sdk, patient, folders=[folder.entry_uuid])

    def inside() -> set[str]:
        return {each.entry_uuid for each in sdk.folder_contents(folder.entry_uuid).documents}

    assert inside() == {one.entry_uuid, two.entry_uuid, three.entry_uuid}
    sdk.folder_remove(folder.entry_uuid, [two, three], source_id=SOURCE_ID, comments="another patient's ward")
    assert inside() == {one.entry_uuid}
    membership = [a.status for a in sdk.history(two.entry_uuid).memberships if a.source == folder.entry_uuid]
    assert membership == ["Deprecated"]
    with pytest.raises(NotFound):
        sdk.folder_remove(folder.entry_uuid, [two], source_id=SOURCE_ID)


def test_a_folder_needs_a_code(sdk: Gateway, patient: str) -> None:
    with pytest.raises(Misconfigured, match="code"):
        sdk.folder_new("Diabetes", patient_id=patient, source_id=SOURCE_ID, codes=[])


# --- updates ------------------------------------------------------------------------------------------------------


def test_an_update_makes_a_version_with_one_change(sdk: Gateway, patient: str) -> None:
    before = submit(sdk, patient)
    done = sdk.update_metadata(before, {"title": "Corrigé"}, source_id=SOURCE_ID, comments="typing error")
    (after,) = sdk.find(patient)
    assert (after.entry_uuid, after.version, done.version) == (done.entry_uuid, "2", "2")
    assert (after.title, after.logical_id, after.unique_id) == ("Corrigé", before.logical_id, before.unique_id)
    same = ("class_code", "authors", "hash", "size", "creation_time", "repository_unique_id", "source_patient_id")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    copy = BytesIO()
    assert sdk.retrieve(after, copy).size == before.size
    told = sdk.history(before.entry_uuid)
    assert [(v.version, v.status) for v in told.versions] == [("1", "Deprecated"), ("2", "Approved")]
    assert told == sdk.history(after.entry_uuid) == sdk.history(after.unique_id or "")
    assert {s.entry_uuid: s.comments for s in told.submission_sets}[done.submission_set_uuid] == "typing error"
    assert [a.previous_version for a in told.memberships if a.source == done.submission_set_uuid] == ["1"]


def test_nobody_overwrites_a_change_that_he_has_not_seen(sdk: Gateway, patient: str) -> None:
    seen = submit(sdk, patient)
    sdk.update_metadata(seen, {"title": "one"}, source_id=SOURCE_ID)
    with pytest.raises(Refused) as caught:
        sdk.update_metadata(seen, {"title": "two"}, source_id=SOURCE_ID)
    assert codes_of(caught) == {"XDSMetadataVersionError"}
    sdk.update_metadata(seen.entry_uuid, {"title": "three"}, source_id=SOURCE_ID)  # an id means the latest version
    assert [v.title for v in sdk.versions(seen.entry_uuid)][1:] == ["one", "three"]


@pytest.mark.parametrize("propagate", [True, False])
def test_an_updated_document_stays_in_its_folder_unless_told(sdk: Gateway, patient: str, propagate: bool) -> None:
    entry = submit(sdk, patient)
    folder = sdk.folder_new("F", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[entry.entry_uuid])
    done = sdk.update_metadata(entry, {"comments": "x"}, source_id=SOURCE_ID, propagate=propagate)
    inside = [each.entry_uuid for each in sdk.folder_contents(folder.entry_uuid).documents]
    assert (done.entry_uuid in inside) == propagate


def test_a_document_moves_to_the_patient_that_it_belongs_to(sdk: Gateway, patient: str) -> None:
    other = patient_id(next(SEEDS), "RECORDS")
    submit(sdk, other)  # a patient is known from the first submission
    entry = submit(sdk, patient)
    sdk.folder_new("F", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[entry.entry_uuid])
    done = sdk.update_metadata(entry, {"patient_id": other}, source_id=SOURCE_ID, propagate=False)
    assert sdk.find(patient) == ()
    assert done.entry_uuid in {each.entry_uuid for each in sdk.find(other)}
    told = sdk.history(entry.unique_id or "")
    assert [version.patient_id for version in told.versions] == [patient, other]
    assert {each.patient_id for each in told.submission_sets} == {patient, other}
    sdk.remove(sdk.plan_removal(entry.unique_id or ""))
    assert len(sdk.find(other, status=BOTH)) == 1


def test_a_folder_is_updated(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient)
    made = sdk.folder_new(
        "Diabete", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[entry.entry_uuid]
    )
    other = Code("2", "1.2", "Other")
    done = sdk.update_metadata(made.entry_uuid, {"title": "Diabetes", "codes": [CODE, other]}, source_id=SOURCE_ID)
    (found,) = sdk.find_folders(patient)
    assert (found.entry_uuid, found.version, found.title) == (done.entry_uuid, "2", "Diabetes")
    assert set(found.codes) == {CODE, other}
    assert sdk.folder(made.entry_uuid) == sdk.folder(made.unique_id or "") == found
    assert [d.entry_uuid for d in sdk.folder_contents(found.entry_uuid).documents] == [entry.entry_uuid]


def test_a_document_is_withdrawn_and_comes_back(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient)
    sdk.deprecate(entry.unique_id or "", source_id=SOURCE_ID)
    assert sdk.find(patient) == ()
    assert [d.status for d in sdk.find(patient, status=BOTH)] == ["Deprecated"]
    sdk.approve(entry.entry_uuid, source_id=SOURCE_ID)
    assert [d.entry_uuid for d in sdk.find(patient)] == [entry.entry_uuid]


def test_a_folder_is_withdrawn(sdk: Gateway, patient: str) -> None:
    made = sdk.folder_new("F", patient_id=patient, source_id=SOURCE_ID, codes=[CODE])
    sdk.deprecate(made.entry_uuid, source_id=SOURCE_ID)
    assert sdk.find_folders(patient) == ()


@pytest.mark.parametrize("identifier", [NOWHERE, "1.2.3.4.999"])
def test_what_is_not_there_is_named(sdk: Gateway, identifier: str) -> None:
    for call in (
        lambda: sdk.history(identifier),
        lambda: sdk.folder(identifier),
        lambda: sdk.update_metadata(identifier, {"title": "x"}, source_id=SOURCE_ID),
        lambda: sdk.deprecate(identifier, source_id=SOURCE_ID),
        lambda: sdk.folder_add(identifier, [], source_id=SOURCE_ID),
        lambda: sdk.plan_removal(identifier),
        lambda: sdk.retrieve(identifier, BytesIO()),
    ):
        with pytest.raises(NotFound, match=identifier):
            call()


# --- removal ------------------------------------------------------------------------------------------------------


def test_a_removal_takes_all_versions_and_the_bytes_and_nothing_else(sdk: Gateway, patient: str) -> None:
    entry, neighbour = submit(sdk, patient), submit(sdk, patient)
    folder = sdk.folder_new("F", patient_id=patient, source_id=SOURCE_ID, codes=[CODE],
                            documents=[entry.entry_uuid, neighbour.entry_uuid])  # fmt: skip
    sdk.update_metadata(entry, {"title": "new"}, source_id=SOURCE_ID)
    plan = sdk.plan_removal(entry.unique_id or "")
    assert {d.version for d in plan.documents} == {"1", "2"}
    assert (len(plan.submission_sets), plan.folders, plan.severed) == (2, (), ())
    assert [d.unique_id for d in plan.contents] == [entry.unique_id]
    assert sdk.remove(plan) == ()
    assert sdk.get(entry.unique_id or "") == ()
    with pytest.raises(Refused) as caught:
        sdk.retrieve((entry.repository_unique_id or "", entry.unique_id or ""), BytesIO())
    assert codes_of(caught) == {"XDSDocumentUniqueIdError"}
    assert [d.entry_uuid for d in sdk.folder_contents(folder.entry_uuid).documents] == [neighbour.entry_uuid]
    assert sdk.retrieve(neighbour, BytesIO()).size == neighbour.size


def test_what_stays_loses_its_relations_to_what_goes(sdk: Gateway, patient: str) -> None:
    old = submit(sdk, patient)
    new = sdk.replace(old.entry_uuid, new_sample(), patient_id=patient, source_id=SOURCE_ID).entries[0].entry_uuid
    plan = sdk.plan_removal(new)
    assert [(r.type, r.source, r.target) for r in plan.severed] == [("RPLC", new, old.entry_uuid)]
    sdk.remove(plan)
    assert [d.status for d in sdk.find(patient, status=BOTH)] == ["Deprecated"]  # nothing is revived


def test_a_removed_set_takes_what_it_brought(sdk: Gateway, patient: str) -> None:
    result = sdk.submit([new_sample(), new_sample()], patient_id=patient, source_id=SOURCE_ID)
    plan = sdk.plan_removal(result.unique_id)
    assert {d.entry_uuid for d in plan.documents} == {entry.entry_uuid for entry in result.entries}
    sdk.remove(plan)
    assert sdk.find(patient, status=BOTH) == ()
    assert sdk.find_submission_sets(patient, status=BOTH) == ()


def test_one_of_two_documents_leaves_their_set(sdk: Gateway, patient: str) -> None:
    result = sdk.submit([new_sample(), new_sample()], patient_id=patient, source_id=SOURCE_ID)
    one, two = (entry.entry_uuid for entry in result.entries)
    plan = sdk.plan_removal(one)
    assert plan.submission_sets == ()
    sdk.remove(plan)
    contents = sdk.set_contents(result.submission_set_uuid)
    assert [d.entry_uuid for d in contents.documents] == [two]


def test_a_removed_folder_leaves_its_documents(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient)
    folder = sdk.folder_new("F", patient_id=patient, source_id=SOURCE_ID, codes=[CODE], documents=[entry.entry_uuid])
    plan = sdk.plan_removal(folder.entry_uuid)
    assert ([f.entry_uuid for f in plan.folders], plan.documents, plan.contents) == ([folder.entry_uuid], (), ())
    sdk.remove(plan)
    assert sdk.find_folders(patient, status=BOTH) == ()
    assert [d.entry_uuid for d in sdk.find(patient)] == [entry.entry_uuid]


def test_bytes_that_another_entry_has_stay(sdk: Gateway, patient: str) -> None:
    sample = new_sample()
    first, second = (
        sdk.submit(sample, patient_id=patient, source_id=SOURCE_ID, journal_key=f"{patient} {number}").entries[0]
        for number in (1, 2)
    )
    assert first.unique_id == second.unique_id
    plan = sdk.plan_removal(first.entry_uuid)
    assert (plan.contents, [d.unique_id for d in plan.kept]) == ((), [first.unique_id])
    sdk.remove(plan)
    assert sdk.retrieve(second.entry_uuid, BytesIO()).sha1 == second.sha1


def test_a_set_that_is_not_closed_is_refused(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient)
    with pytest.raises(Refused) as caught:
        sdk.remove_metadata([entry.entry_uuid])
    assert codes_of(caught) == {"ReferencesExistException"}
    assert [d.entry_uuid for d in sdk.find(patient)] == [entry.entry_uuid]


def test_bytes_that_are_not_there_are_named_and_the_others_go(sdk: Gateway, patient: str) -> None:
    entry = submit(sdk, patient)
    with pytest.raises(Refused) as caught:
        sdk.remove_documents(entry, (entry.repository_unique_id or "", "1.2.3.4.5"))
    assert (caught.value.status, codes_of(caught)) == ("PartialSuccess", {"XDSDocumentUniqueIdError"})
    with pytest.raises(Refused):
        sdk.retrieve(entry, BytesIO())
