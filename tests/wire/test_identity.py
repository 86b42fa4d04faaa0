"""Ids, patients and objects that a submission may and may not bring (ITI TF-2 3.42.4.1.3, ITI TF-3 4.2.2)."""

from dataclasses import replace

import pytest

from tests.unit.builders import (
    make_association,
    make_folder,
    make_member,
    make_submission,
)
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.model import vocabulary as v

from .messages import (
    REPOSITORY,
    accepted,
    entry_for,
    entry_uuid,
    find_documents,
    multipart,
    new_oid,
    new_patient,
    new_urn,
    provide,
    query,
    register,
    registrable,
    retrieve,
    send,
    set_for,
    slot,
)


def rule_of(context: str) -> str:
    """The id of the rule that a codeContext names."""
    return context.split("[rule=")[1].split(" ")[0].rstrip("]")


# --- ids that are taken -------------------------------------------------------------------------------------------


def test_the_same_document_again_is_no_error_and_both_entries_are_returned(gateway):
    patient = new_patient()
    first = accepted(gateway, provide(b"same", patient=patient))
    same_id = {v.DE_UNIQUE_ID: first.unique_ids[0]}
    accepted(gateway, provide(b"same", patient=patient, entries=(entry_for(b"same", patient, identifiers=same_id),)))
    assert len(send(gateway, find_documents(patient)).entries) == 2
    assert send(gateway, retrieve(first.unique_ids[0])).documents == {first.unique_ids[0]: b"same"}


@pytest.mark.parametrize(
    ("other", "codes"),
    [(b"SAME", {"XDSNonIdenticalHash"}), (b"of another size", {"XDSNonIdenticalHash", "XDSNonIdenticalSize"})],
)
def test_other_bytes_under_a_uniqueId_in_use_are_refused_and_the_first_stay(gateway, other, codes):
    patient = new_patient()
    first = accepted(gateway, provide(b"same", patient=patient))
    entry = entry_for(other, patient, identifiers={v.DE_UNIQUE_ID: first.unique_ids[0]})
    answer = send(gateway, provide(other, patient=patient, entries=(entry,)).message())
    assert (answer.status, set(answer.errors)) == ("Failure", codes)
    assert send(gateway, retrieve(first.unique_ids[0])).documents == {first.unique_ids[0]: b"same"}


@pytest.mark.parametrize("kind", ["set", "folder"])
def test_a_uniqueId_of_a_set_or_folder_is_used_once(gateway, kind):
    patient = new_patient()
    folder = made_folder(patient)
    first = accepted(gateway, provide(b"x", patient=patient, folders=(folder,)))
    again = provide(
        b"y",
        patient=patient,
        submission_set=first.submission.submission_sets[0] if kind == "set" else set_for(patient),
        folders=(folder,) if kind == "folder" else (),
    )
    assert send(gateway, again.message()).errors == ["XDSDuplicateUniqueIdInRegistry"]
    assert len(send(gateway, find_documents(patient)).entries) == 1


def test_one_uniqueId_twice_in_a_message(gateway):
    patient = new_patient()
    unique_id = {v.DE_UNIQUE_ID: new_oid()}
    entries = tuple(entry_for(b"x", patient, number, identifiers=unique_id) for number in (1, 2))
    provided = provide(b"x", b"x", patient=patient, entries=entries)
    answer = send(gateway, provided.message())
    assert {code.removeprefix("XDSRegistry").removeprefix("XDSRepository") for code in answer.errors} == {
        "DuplicateUniqueIdInMessage"
    }
    slots = {"repositoryUniqueId": REPOSITORY}
    entries = tuple(entry_for(b"x", patient, number, identifiers=unique_id, slots=slots) for number in (1, 2))
    answer = send(gateway, register(make_submission(entries=entries, submission_set=set_for(patient))))
    assert set(answer.errors) == {"XDSRegistryDuplicateUniqueIdInMessage"}


def test_a_uuid_that_is_registered_is_refused_and_the_old_object_stays(gateway):
    patient, uuid = new_patient(), new_urn()
    first = accepted(gateway, provide(b"x", patient=patient, entries=(entry_for(b"x", patient, id=uuid),)))
    second = provide(b"y", patient=patient, entries=(entry_for(b"y", patient, id=uuid),))
    answer = send(gateway, second.message())
    assert (answer.status, [rule_of(c) for c in answer.contexts]) == ("Failure", ["ihe.registry.id"])
    assert entry_uuid(gateway, first.unique_ids[0]) == uuid
    assert send(gateway, retrieve(*second.unique_ids)).status == "Failure"


# --- patients -----------------------------------------------------------------------------------------------------


def test_a_fed_domain_refuses_patients_that_nobody_fed(start_gateway):
    gateway = start_gateway(domains=[{"patients": "fed"}])
    assert send(gateway, provide(b"x").message()).errors == ["XDSUnknownPatientId"]
    assert send(gateway, register(registrable())).errors == ["XDSUnknownPatientId"]


# --- folders ------------------------------------------------------------------------------------------------------


def made_folder(patient: str, **changes: object) -> object:
    """A folder of this patient."""
    return make_folder(identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()}, home=None, **changes)


def test_a_document_may_come_in_a_folder_of_the_message(gateway):
    patient = new_patient()
    folder = made_folder(patient)
    provided = provide(b"x", patient=patient, folders=(folder,))
    filed = make_association(folder.id, provided.entry.id)
    told = make_member(provided.submission.submission_sets[0].id, filed.id, None)
    associations = (*provided.submission.associations, filed, told)
    accepted(gateway, replace(provided, submission=replace(provided.submission, associations=associations)))
    contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
    (package,), (entry,), (member,) = (
        contents.all(f".//rim:{name}") for name in ("RegistryPackage", "ExtrinsicObject", "Association")
    )
    assert (member.get("sourceObject"), member.get("targetObject")) == (package.get("id"), entry.get("id"))
    assert entry.get("id") == entry_uuid(gateway, provided.unique_ids[0])
    assert slot(package, "lastUpdateTime") != ["20260314090000"]  # what the sender wrote


def test_a_folder_of_another_patient_is_refused(gateway):
    patient, uuid = new_patient(), new_urn()
    accepted(gateway, provide(b"x", patient=patient, folders=(made_folder(patient, id=uuid),)))
    other = provide(b"y")
    associations = (*other.submission.associations, make_association(uuid, other.entry.id))
    answer = send(gateway, replace(other, submission=replace(other.submission, associations=associations)).message())
    assert "XDSPatientIdDoesNotMatch" in answer.errors


def test_an_empty_submission_set_and_one_without_entries(gateway):
    patient = new_patient()
    submission = make_submission(entries=(), submission_set=set_for(patient))
    answer = send(gateway, register(submission))
    assert answer.status == "Failure"


@pytest.mark.parametrize("count", [0, 2])
def test_a_submission_has_exactly_one_set(gateway, count):
    patient = new_patient()
    provided = provide(b"x", patient=patient)
    sets = tuple(set_for(patient, id=f"Set{number}") for number in range(count))
    submission = replace(provided.submission, submission_sets=sets)
    answer = send(gateway, replace(provided, submission=submission).message())
    assert answer.status == "Failure"
    assert send(gateway, find_documents(patient)).ids == []


def test_objects_that_the_life_cycle_does_not_handle_are_refused_by_name(gateway):
    patient = new_patient()
    entry = entry_for(b"x", patient, object_type=v.ON_DEMAND_DOCUMENT)
    answer = send(gateway, provide(b"x", patient=patient, entries=(entry,)).message())
    assert answer.status == "Failure"
    assert send(gateway, find_documents(patient, Type=f"('{v.ON_DEMAND_DOCUMENT}')")).ids == []


def test_a_multipart_registration_is_read_too(gateway):
    patient = new_patient()
    assert send(gateway, multipart("ITI-42", render_submission(registrable(patient)))).status == "Success"
    assert len(send(gateway, find_documents(patient)).entries) == 1
