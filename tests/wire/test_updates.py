"""New versions, statuses and associations on the wire, seen by queries and by ITI-43 (ITI-57, ITI-92)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.unit.builders import make_association
from tests.unit.updates import make_status_update, make_submit
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import LocalizedString

from .messages import (
    NAMESPACES,
    Answer,
    Message,
    find_documents,
    new_patient,
    provide,
    query,
    retrieve,
    send,
    slot,
)
from .updates import (
    BOTH_STATUSES,
    associations,
    filed,
    message,
    refused,
    registered,
    renamed,
    titled,
    told,
    update,
    updated,
    version_of,
    versions,
)

EACH = pytest.mark.parametrize("transaction", ["ITI-57", "ITI-92"])


# --- new versions -----------------------------------------------------------------------------------------------------


@EACH
def test_a_new_version_is_seen_the_old_one_too_and_the_document_stays(gateway, transaction):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    updated(gateway, update(patient, titled(made, uuid, "Corrected")), transaction)
    old, new = versions(gateway, made.unique_ids[0])
    assert (told(old), told(new)) == ((uuid, "1", "Deprecated"), (uuid, "2", "Approved"))
    assert (old.get("id"), old.get("id") == new.get("id")) == (uuid, False)
    assert new.find("rim:Name/rim:LocalizedString", NAMESPACES).get("value") == "Corrected"
    assert [e.get("id") for e in versions(gateway, made.unique_ids[0], 1)] == [new.get("id")]
    assert [e.get("id") for e in send(gateway, find_documents(patient)).entries] == [new.get("id")]
    assert len(send(gateway, find_documents(patient, Status=BOTH_STATUSES)).entries) == 2
    assert send(gateway, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"the letter"}


@EACH
def test_the_set_of_an_update_holds_the_version_that_it_brought(gateway, transaction):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    sent = update(patient, version_of(made, uuid))
    updated(gateway, sent, transaction)
    parameters = {"$XDSSubmissionSetUniqueId": f"'{sent.submission_sets[0].unique_id}'"}
    answer = send(gateway, query("GetSubmissionSetAndContents", parameters))
    (new,), (member,) = answer.entries, answer.all(".//rim:Association")
    assert told(new)[1] == "2"
    assert (member.get("targetObject"), slot(member, "PreviousVersion")) == (new.get("id"), ["1"])
    assert [told(e)[1] for e in versions(gateway, made.unique_ids[0])] == ["1", "2"]


def test_hash_and_size_may_change_and_later_submissions_are_compared_with_them(gateway):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    slots = {s.name: s for s in version_of(made, uuid).slots}
    slots["size"] = slots["size"]._replace(values=("77",))
    updated(gateway, update(patient, version_of(made, uuid, slots=tuple(slots.values()))))
    assert [slot(e, "size") for e in versions(gateway, made.unique_ids[0])] == [["10"], ["77"]]
    again = provide(b"the letter", patient=patient, entries=(replace(made.entry, id="Document01"),))
    assert send(gateway, again.message()).errors == ["XDSNonIdenticalSize"]


def test_a_folder_gets_a_new_version_that_holds_the_same(gateway):
    patient = new_patient()
    _, uuid, folder = filed(gateway, patient)
    updated(gateway, update(patient, renamed(folder, "Folder01", lid=folder.id, name=(LocalizedString("New"),))))
    parameters = {"$XDSFolderUniqueId": f"('{folder.unique_id}')", "$MetadataLevel": "2"}
    found = send(gateway, query("GetFolders", parameters)).all(".//rim:RegistryPackage")
    assert [told(item) for item in found] == [(folder.id, "1", "Deprecated"), (folder.id, "2", "Approved")]
    new = found[1].get("id")
    (membership,) = [a for a in associations(gateway, new) if a.get("sourceObject") == new]
    assert (membership.get("targetObject"), membership.get("status")) == (uuid, v.APPROVED)
    contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
    assert [e.get("id") for e in contents.entries] == [uuid]


@EACH
def test_a_new_version_stays_in_its_folder(gateway, transaction):
    patient = new_patient()
    made, uuid, folder = filed(gateway, patient)
    updated(gateway, update(patient, version_of(made, uuid)), transaction)
    contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
    assert [told(e)[1] for e in contents.entries] == ["2"]
    (new,) = versions(gateway, made.unique_ids[0], 1)
    (around,) = [a for a in associations(gateway, new.get("id")) if a.get("sourceObject") == folder.id]
    assert around.get("status") == v.APPROVED


def test_without_propagation_it_leaves_its_folder(gateway):
    patient = new_patient()
    made, uuid, folder = filed(gateway, patient)
    updated(gateway, update(patient, version_of(made, uuid), slots={"AssociationPropagation": "no"}))
    contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
    assert contents.entries == []


# --- statuses and associations ----------------------------------------------------------------------------------------


def test_a_document_is_deprecated_and_approved_again(gateway):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    for original, new in ((v.APPROVED, v.DEPRECATED), (v.DEPRECATED, v.APPROVED)):
        updated(gateway, update(patient, associations=(make_status_update(uuid, original, new),)))
        (entry,) = versions(gateway, made.unique_ids[0])
        assert (entry.get("status"), told(entry)[1]) == (new, "1")


def test_a_new_version_may_be_deprecated_at_once_and_updated_when_restricted(gateway):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    commands = (make_status_update("Document01"),)
    updated(gateway, update(patient, version_of(made, uuid), associations=commands))
    assert [told(e)[2] for e in versions(gateway, made.unique_ids[0])] == ["Deprecated", "Deprecated"]
    assert refused(gateway, update(patient, version_of(made, uuid), previous=2)).errors == ["XDSMetadataUpdateError"]
    updated(gateway, update(patient, version_of(made, uuid), previous=2), "ITI-92")
    assert [told(e)[1:] for e in versions(gateway, made.unique_ids[0])][2:] == [("3", "Deprecated")]


def test_a_document_is_filed_and_commands_are_not_kept(gateway):
    patient = new_patient()
    _, _, folder = filed(gateway, patient)
    _, uuid = registered(gateway, patient)
    filing = make_association(folder.id, uuid, id="filing")
    sent = update(patient, associations=(filing, make_submit("filing")))
    updated(gateway, sent)
    contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
    assert uuid in {e.get("id") for e in contents.entries}
    parameters = {"$XDSSubmissionSetUniqueId": f"'{sent.submission_sets[0].unique_id}'", "$MetadataLevel": "2"}
    alone = send(gateway, query("GetSubmissionSetAndContents", parameters))
    assert len(alone.ids) == 1
    again = refused(gateway, update(patient, associations=(filing, make_submit("filing"))))
    assert again.errors == ["XDSMetadataUpdateError"]


def test_a_deprecated_membership_vanishes_and_comes_back(gateway):
    patient = new_patient()
    _, uuid, folder = filed(gateway, patient)
    (membership,) = [a.get("id") for a in associations(gateway, uuid) if a.get("sourceObject") == folder.id]
    for original, new, count in ((v.APPROVED, v.DEPRECATED, 0), (v.DEPRECATED, v.APPROVED, 1)):
        updated(gateway, update(patient, associations=(make_status_update(membership, original, new),)))
        contents = send(gateway, query("GetFolderAndContents", {"$XDSFolderUniqueId": f"'{folder.unique_id}'"}))
        assert len(contents.entries) == count


# --- refusals ---------------------------------------------------------------------------------------------------------


@EACH
def test_a_refused_update_changes_nothing(gateway, transaction):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    other, other_uuid = registered(gateway, patient)
    good = titled(made, uuid, "New")
    bad = renamed(version_of(other, other_uuid), "Document02")
    sent = update(patient, good, bad)
    members = list(sent.associations)
    slots = tuple(s._replace(values=("7",)) if s.name == "PreviousVersion" else s for s in members[1].slots)
    members[1] = replace(members[1], slots=slots)
    answer = refused(gateway, replace(sent, associations=tuple(members)), transaction)
    assert answer.errors == ["XDSMetadataVersionError"]
    assert "Document02" in answer.contexts[0]
    assert [told(e)[1] for e in versions(gateway, made.unique_ids[0])] == ["1"]
    assert [told(e)[1] for e in versions(gateway, other.unique_ids[0])] == ["1"]
    parameters = {"$XDSSubmissionSetUniqueId": f"'{sent.submission_sets[0].unique_id}'"}
    assert send(gateway, query("GetSubmissionSetAndContents", parameters)).ids == []


@pytest.mark.parametrize(
    ("transaction", "changes", "errors"),
    [
        ("ITI-57", {"lid": None}, {"XDSMetadataUpdateError"}),
        ("ITI-92", {"lid": None}, {"XDSInvalidRequestException"}),
        ("ITI-57", {"mime_type": None}, {"XDSRegistryMetadataError"}),
        ("ITI-92", {"mime_type": None}, {"XDSRegistryMetadataError"}),
        ("ITI-57", {"object_type": v.ON_DEMAND_DOCUMENT}, {"XDSMetadataUpdateError"}),
        ("ITI-92", {"object_type": v.ON_DEMAND_DOCUMENT}, {"UnmodifiableMetadataError", "XDSObjectTypeError"}),
        ("ITI-57", {"lid": "urn:uuid:00000000-0000-4000-8000-000000000000"}, {"XDSMetadataVersionError"}),
        ("ITI-92", {"lid": "urn:uuid:00000000-0000-4000-8000-000000000000"}, {"XDSMetadataVersionError"}),
        ("ITI-57", {"slots": {"PreviousVersion": None}}, {"XDSMetadataUpdateOperationError"}),
        ("ITI-92", {"slots": {"PreviousVersion": None}}, {"XDSMetadataAnnotationError"}),
        ("ITI-92", {"slots": {"AssociationPropagation": "no"}}, {"XDSMetadataAnnotationError"}),
    ],
)
def test_each_transaction_refuses_in_its_own_words(gateway, transaction, changes, errors):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    slots = changes.get("slots")
    item = version_of(made, uuid, **{name: value for name, value in changes.items() if name != "slots"})
    assert set(refused(gateway, update(patient, item, slots=slots), transaction).errors) == errors
    assert [told(e)[1] for e in versions(gateway, made.unique_ids[0])] == ["1"]


def test_a_restricted_update_cannot_change_the_patient(gateway):
    patient, other = new_patient(), new_patient()
    made, uuid = registered(gateway, patient)
    identifiers = tuple(
        e._replace(value=other) if e.scheme == v.DE_PATIENT_ID else e for e in made.entry.external_identifiers
    )
    moved = version_of(made, uuid, external_identifiers=identifiers)
    assert refused(gateway, update(other, moved), "ITI-92").errors == ["XDSPatientIDReconciliationError"]
    updated(gateway, update(other, moved))
    assert [told(e)[1] for e in send(gateway, find_documents(other)).entries] == ["2"]
    assert send(gateway, find_documents(patient)).entries == []


def test_the_endpoints_know_their_own_update_only(gateway):
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    sent = message(update(patient, version_of(made, uuid)))
    assert send(gateway, sent._replace(endpoint="responder")).subcodes == ["ActionNotSupported"]
    restricted = message(update(patient, version_of(made, uuid)), "ITI-92")
    assert send(gateway, restricted._replace(endpoint="registry")).subcodes == ["ActionNotSupported"]


# --- one winner -------------------------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("workers", [1, 2])
def test_of_sixteen_updates_of_one_version_exactly_one_succeeds(request, workers, transaction):
    gateway = request.getfixturevalue("gateway" if workers == 1 else "gateway2")
    patient = new_patient()
    made, uuid = registered(gateway, patient)
    rivals = [message(update(patient, titled(made, uuid, f"rival {n}")), transaction) for n in range(16)]
    ready = threading.Barrier(len(rivals))

    def one(rival: Message) -> Answer:
        ready.wait()
        return send(gateway, rival)

    with ThreadPoolExecutor(len(rivals)) as pool:
        answers = list(pool.map(one, rivals))
    outcomes = sorted(tuple(answer.errors) for answer in answers)
    assert outcomes == [(), *[("XDSMetadataVersionError",)] * 15]
    assert [told(e)[1:] for e in versions(gateway, made.unique_ids[0])] == [("1", "Deprecated"), ("2", "Approved")]
