"""Replacement and its consequences, one winner of many, and readers who see no state between (ITI TF-2 3.42.4.1.3)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_folder, make_member
from xds_gateway.model import vocabulary as v

from .messages import (
    NAMESPACES,
    Answer,
    Provide,
    accepted,
    availability,
    entry_for,
    entry_uuid,
    find_documents,
    new_oid,
    new_patient,
    new_urn,
    provide,
    query,
    replacement,
    retrieve,
    send,
    slot,
)

REPLACING = (v.RPLC, v.XFRM_RPLC)


def original_of(gateway: RunningGateway, patient: str) -> tuple[Provide, str]:
    """A registered document and its entryUUID."""
    provided = accepted(gateway, provide(b"original", patient=patient))
    return provided, entry_uuid(gateway, provided.unique_ids[0])


# --- consequences -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REPLACING)
def test_a_replacement_deprecates_what_it_replaces(gateway, kind):
    patient = new_patient()
    original, uuid = original_of(gateway, patient)
    made = accepted(gateway, replacement(uuid, b"new", patient, kind))
    assert availability(gateway, *original.unique_ids, *made.unique_ids) == ["Deprecated", "Approved"]
    assert send(gateway, retrieve(*original.unique_ids)).documents == {original.unique_ids[0]: b"original"}
    assert len(send(gateway, find_documents(patient)).entries) == 1


@pytest.mark.parametrize("kind", [v.APND, v.XFRM, v.SIGNS])
def test_an_addendum_leaves_its_target_as_it_is(gateway, kind):
    patient = new_patient()
    original, uuid = original_of(gateway, patient)
    made = accepted(gateway, replacement(uuid, b"more", patient, kind))
    assert availability(gateway, *original.unique_ids, *made.unique_ids) == ["Approved", "Approved"]


def test_addenda_and_transformations_go_with_what_is_replaced(gateway):
    patient = new_patient()
    original, uuid = original_of(gateway, patient)
    addendum = accepted(gateway, replacement(uuid, b"addendum", patient, v.APND))
    transformed = accepted(gateway, replacement(uuid, b"transformed", patient, v.XFRM))
    signature = accepted(gateway, replacement(uuid, b"signature", patient, v.SIGNS))
    new = accepted(gateway, replacement(uuid, b"new", patient))
    ids = (p.unique_ids[0] for p in (original, addendum, transformed, signature, new))
    assert availability(gateway, *ids) == ["Deprecated", "Deprecated", "Deprecated", "Approved", "Approved"]


@pytest.mark.parametrize("kind", [*REPLACING, v.APND, v.XFRM])
def test_nothing_is_done_to_a_document_that_is_deprecated(gateway, kind):
    patient = new_patient()
    _, uuid = original_of(gateway, patient)
    accepted(gateway, replacement(uuid, b"new", patient))
    late = replacement(uuid, b"late", patient, kind)
    answer = send(gateway, late.message())
    assert (answer.status, answer.errors) == ("Failure", ["XDSRegistryDeprecatedDocumentError"])
    assert uuid in answer.contexts[0]
    assert send(gateway, retrieve(*late.unique_ids)).status == "Failure"


@pytest.mark.parametrize("kind", [*REPLACING, v.APND, v.XFRM, v.SIGNS])
def test_an_unknown_target_is_an_unresolved_reference(gateway, kind):
    answer = send(gateway, replacement(new_urn(), b"new", new_patient(), kind).message())
    assert (answer.status, answer.errors) == ("Failure", ["UnresolvedReferenceException"])


def test_a_document_of_another_patient_cannot_be_replaced(gateway):
    patient = new_patient()
    original, uuid = original_of(gateway, patient)
    answer = send(gateway, replacement(uuid, b"new", new_patient()).message())
    assert answer.errors == ["XDSPatientIdDoesNotMatch"]
    assert availability(gateway, *original.unique_ids) == ["Approved"]


def test_one_refused_replacement_of_two_leaves_both_originals(gateway):
    patient = new_patient()
    first, first_uuid = original_of(gateway, patient)
    gone = accepted(gateway, provide(b"second", patient=patient))
    gone_uuid = entry_uuid(gateway, gone.unique_ids[0])
    accepted(gateway, replacement(gone_uuid, b"already", patient))
    made = provide(b"1", b"2", patient=patient)
    one, two = made.submission.document_entries
    links = (make_association(one.id, first_uuid, v.RPLC), make_association(two.id, gone_uuid, v.RPLC))
    submission = replace(made.submission, associations=(*made.submission.associations, *links))
    assert send(gateway, replace(made, submission=submission).message()).status == "Failure"
    assert availability(gateway, *first.unique_ids) == ["Approved"]
    assert send(gateway, retrieve(*made.unique_ids)).documents == {}


def test_a_replacement_joins_the_folder_of_what_it_replaces(gateway):
    patient = new_patient()
    folder = make_folder(id=new_urn(), home=None, identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()})
    made = provide(b"filed", patient=patient, folders=(folder,))
    filed = make_association(folder.id, made.entry.id)
    told = make_member(made.submission.submission_sets[0].id, filed.id, None)
    associations = (*made.submission.associations, filed, told)
    made = accepted(gateway, replace(made, submission=replace(made.submission, associations=associations)))
    new = accepted(gateway, replacement(entry_uuid(gateway, made.unique_ids[0]), b"new", patient))
    parameters = {"$XDSDocumentEntryUniqueId": f"'{new.unique_ids[0]}'", "$AssociationTypes": f"('{v.RPLC}')"}
    related = send(gateway, query("GetRelatedDocuments", parameters))
    assert len(related.entries) == 2
    # what is in the folder is shown by the next replacement: it carries on the membership of this one
    third = accepted(gateway, replacement(entry_uuid(gateway, new.unique_ids[0]), b"third", patient))
    assert availability(gateway, *new.unique_ids, *third.unique_ids) == ["Deprecated", "Approved"]


def test_a_known_document_may_be_put_into_another_set_by_reference(gateway):
    patient = new_patient()
    _, uuid = original_of(gateway, patient)
    made = provide(b"new", patient=patient)
    referred = make_member(made.submission.submission_sets[0].id, uuid, "Reference")
    submission = replace(made.submission, associations=(*made.submission.associations, referred))
    accepted(gateway, replace(made, submission=submission))
    answer = send(gateway, query("GetSubmissionSets", {"$uuid": f"('{uuid}')"}))
    sets = {package.get("id") for package in answer.all(".//rim:RegistryPackage")}
    members = {item.get("sourceObject"): slot(item, "SubmissionSetStatus") for item in answer.all(".//rim:Association")}
    assert len(sets) == 2
    assert members.keys() == sets
    assert sorted(members.values()) == [["Original"], ["Reference"]]
    (referring,) = (holder for holder, status in members.items() if status == ["Reference"])
    held = send(gateway, query("GetSubmissionSetAndContents", {"$XDSSubmissionSetEntryUUID": f"'{referring}'"}))
    assert {entry.get("id") for entry in held.entries} == {uuid, entry_uuid(gateway, made.unique_ids[0])}


# --- one winner ---------------------------------------------------------------------------------------------------


def at_once(messages: list[object], gateway: RunningGateway) -> list[Answer]:
    """Send messages at the same moment."""
    ready = threading.Barrier(len(messages))

    def one(message: object) -> Answer:
        ready.wait()
        return send(gateway, message)  # type: ignore[arg-type]

    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(one, messages))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("round_", range(3))
def test_of_sixteen_replacements_of_one_document_exactly_one_succeeds(request, workers, round_):
    gateway = request.getfixturevalue("gateway" if workers == 1 else "gateway2")
    patient = new_patient()
    original, uuid = original_of(gateway, patient)
    rivals = [replacement(uuid, b"rival %d" % number, patient) for number in range(16)]
    answers = at_once([rival.message() for rival in rivals], gateway)
    winners = [rival for rival, answer in zip(rivals, answers, strict=True) if answer.status == "Success"]
    refused = {code for answer in answers if answer.status != "Success" for code in answer.errors}
    assert len(winners) == 1
    assert refused == {"XDSRegistryDeprecatedDocumentError"}
    found = send(gateway, find_documents(patient, Status=f"('{v.APPROVED}','{v.DEPRECATED}')"))
    assert len(found.entries) == 2
    assert availability(gateway, *original.unique_ids, *winners[0].unique_ids) == ["Deprecated", "Approved"]
    losers = [unique_id for rival in rivals if rival is not winners[0] for unique_id in rival.unique_ids]
    assert send(gateway, retrieve(*losers)).documents == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_of_sixteen_contents_of_one_uniqueId_exactly_one_is_kept(request, workers):
    gateway = request.getfixturevalue("gateway" if workers == 1 else "gateway2")
    patient, unique_id = new_patient(), {v.DE_UNIQUE_ID: new_oid()}
    contents = [b"content %02d" % number for number in range(16)]
    rivals = [
        provide(content, patient=patient, entries=(entry_for(content, patient, identifiers=unique_id),))
        for content in contents
    ]
    answers = at_once([rival.message() for rival in rivals], gateway)
    kept = [content for content, answer in zip(contents, answers, strict=True) if answer.status == "Success"]
    assert len(kept) == 1
    assert {code for answer in answers for code in answer.errors} == {"XDSNonIdenticalHash"}
    assert send(gateway, retrieve(unique_id[v.DE_UNIQUE_ID])).documents == {unique_id[v.DE_UNIQUE_ID]: kept[0]}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_replayed_submission_is_registered_once(request, workers):
    gateway = request.getfixturevalue("gateway" if workers == 1 else "gateway2")
    patient = new_patient()
    message = provide(b"once", patient=patient).message()
    answers = at_once([message] * 8, gateway)
    assert len(send(gateway, find_documents(patient)).entries) == 1
    assert {code for answer in answers for code in answer.errors} <= {"XDSDuplicateUniqueIdInRegistry"}
    assert any(answer.status == "Success" for answer in answers)


# --- no state between ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_readers_see_exactly_one_approved_version_of_a_chain(request, workers):
    gateway = request.getfixturevalue("gateway" if workers == 1 else "gateway2")
    patient = new_patient()
    current, uuid = original_of(gateway, patient)
    done = threading.Event()
    seen: list[int] = []
    missing: list[str] = []

    def read() -> None:
        while not done.is_set():
            answer = send(gateway, find_documents(patient))
            seen.append(len(answer.entries))
            path = f"rim:ExternalIdentifier[@identificationScheme='{v.DE_UNIQUE_ID}']"
            ids = [item.get("value", "") for e in answer.entries for item in e.findall(path, NAMESPACES)]
            missing.extend(set(ids) - set(send(gateway, retrieve(*ids)).documents))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(30):
            current = accepted(gateway, replacement(uuid, b"version %d" % number, patient))
            uuid = entry_uuid(gateway, current.unique_ids[0])
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert len(seen) > 10
    assert set(seen) == {1}
    assert missing == []
    (entry,) = send(gateway, find_documents(patient)).entries
    assert slot(entry, "size") == [str(len(b"version 29"))]
