"""Requests that contend for one document: each outcome is one that some order of them gives, with 1 and 2 workers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_member
from tests.unit.updates import make_status_update
from xds_gateway.model import vocabulary as v

from .messages import (
    Answer,
    Message,
    accepted,
    entry_uuid,
    find_documents,
    new_patient,
    provide,
    query,
    remove,
    replacement,
    retrieve,
    send,
)
from .updates import (
    BOTH_STATUSES,
    associations,
    filed,
    message,
    registered,
    renamed,
    told,
    update,
    updated,
    version_of,
    versions,
)

ROUNDS = range(4)


@pytest.fixture(params=["gateway", "gateway2"])
def contended(request: pytest.FixtureRequest) -> RunningGateway:
    """A gateway of one worker, and one of two."""
    found: RunningGateway = request.getfixturevalue(request.param)
    return found


def outcomes(gateway: RunningGateway, *messages: Message) -> list[str]:
    """Send messages at the same moment: "Success" or the error code of each."""
    ready = threading.Barrier(len(messages))

    def one(each: Message) -> Answer:
        ready.wait()
        return send(gateway, each)

    with ThreadPoolExecutor(len(messages)) as pool:
        answers = list(pool.map(one, messages))
    assert all(answer.status == "Success" or len(set(answer.errors)) == 1 for answer in answers)
    return [answer.errors[0] if answer.errors else answer.status for answer in answers]


def statuses(gateway: RunningGateway, patient: str) -> list[str]:
    """The statuses of a patient's entries, all versions, sorted."""
    entries = send(gateway, find_documents(patient, Status=BOTH_STATUSES)).entries
    return sorted(entry.get("status", "").rsplit(":", 1)[1] for entry in entries)


def everything(gateway: RunningGateway, patient: str, uuid: str) -> list[str]:
    """An entry with its set, as a removal names them."""
    answer = send(gateway, query("GetSubmissionSets", {"$uuid": f"('{uuid}')"}))
    return [uuid, *answer.ids]


@contextmanager
def reading(look: Callable[[], None]) -> Iterator[None]:
    """Look again and again, in two threads, while something goes on."""
    done = threading.Event()

    def again() -> None:
        while not done.is_set():
            look()

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(again) for _ in range(2)]
        try:
            yield
        finally:
            done.set()
    for reader in readers:
        reader.result()


# --- one winner -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("_", ROUNDS)
def test_of_changes_of_all_kinds_to_one_document_exactly_one_succeeds(contended, _):
    patient = new_patient()
    made, uuid = registered(contended, patient)
    rivals = {
        f"replacement {n}": replacement(uuid, b"rival %d" % n, patient, kind).message()
        for n, kind in enumerate((v.RPLC, v.XFRM_RPLC, v.RPLC))
    }
    for n, transaction in enumerate(("ITI-57", "ITI-92", "ITI-57")):
        rivals[f"update {n}"] = message(update(patient, version_of(made, uuid)), transaction)
    for n in range(2):
        command = update(patient, associations=[make_status_update(uuid)])
        rivals[f"status {n}"] = message(command)
    told_of = dict(zip(rivals, outcomes(contended, *rivals.values()), strict=True))
    winners = [name for name, outcome in told_of.items() if outcome == "Success"]
    # ITI-92 may follow a replacement or a change of status: it updates what is Deprecated, too
    (winner,) = winners if len(winners) == 1 else set(winners) - {"update 1"}
    losers = {"replacement": "XDSRegistryDeprecatedDocumentError", "status": "XDSMetadataUpdateError"}
    for name, outcome in told_of.items():
        kind = name.split()[0]
        if name not in winners and kind in losers:
            assert outcome == losers[kind]
        elif name not in winners:
            assert outcome in ("XDSMetadataVersionError", "XDSMetadataUpdateError")
    approved = 0 if winner.startswith("status") else 1
    assert statuses(contended, patient).count("Approved") == approved


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_removals_one_comes_too_late(contended, _):
    patient = new_patient()
    _made, uuid = registered(contended, patient)
    gone = remove(*everything(contended, patient, uuid))
    assert sorted(outcomes(contended, gone, gone)) == ["Success", "UnresolvedReferenceException"]
    assert statuses(contended, patient) == []


# --- before or after --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("_", ROUNDS)
def test_an_update_beside_a_replacement_comes_before_or_after(contended, _):
    patient = new_patient()
    made, uuid = registered(contended, patient)
    found = outcomes(
        contended,
        message(update(patient, version_of(made, uuid))),
        replacement(uuid, b"new", patient).message(),
    )
    after = [("1", "Deprecated"), ("2", "Approved")], [("1", "Deprecated")]
    expected = {
        ("Success", "XDSRegistryDeprecatedDocumentError"): after[0],
        ("XDSMetadataUpdateError", "Success"): after[1],
    }
    assert [told(each)[1:] for each in versions(contended, made.unique_ids[0])] == expected[found[0], found[1]]
    assert statuses(contended, patient) == ["Approved", "Deprecated"]


@pytest.mark.parametrize("_", ROUNDS)
def test_an_update_beside_a_removal_comes_before_or_after(contended, _):
    patient = new_patient()
    made, uuid = registered(contended, patient)
    gone = everything(contended, patient, uuid)
    updating, removing = outcomes(contended, message(update(patient, version_of(made, uuid))), remove(*gone))
    assert removing == "Success"
    left = {"Success": [("2", "Approved")], "XDSMetadataVersionError": []}
    assert [told(each)[1:] for each in versions(contended, made.unique_ids[0])] == left[updating]
    documents = send(contended, retrieve(*made.unique_ids)).documents
    assert list(documents.values()) == [b"the letter"] * len(left[updating])


@pytest.mark.parametrize("kind", [v.APND, v.XFRM, v.SIGNS])
def test_an_addendum_beside_the_removal_of_its_target_comes_before_or_after(contended, kind):
    patient = new_patient()
    _made, uuid = registered(contended, patient)
    gone = everything(contended, patient, uuid)
    found = outcomes(contended, replacement(uuid, b"more", patient, kind).message(), remove(*gone))
    left = {
        ("Success", "ReferencesExistException"): ["Approved", "Approved"],
        ("UnresolvedReferenceException", "Success"): [],
    }
    assert statuses(contended, patient) == left[found[0], found[1]]


@pytest.mark.parametrize("_", ROUNDS)
def test_a_document_filed_beside_an_update_of_its_folder_is_in_it_or_refused(contended, _):
    patient = new_patient()
    _made, _uuid, folder = filed(contended, patient)
    other = provide(b"another letter", patient=patient)
    filing = make_association(folder.id, other.entry.id)
    telling = make_member(other.submission.submission_sets[0].id, filing.id, None)
    links = (*other.submission.associations, filing, telling)
    other = replace(other, submission=replace(other.submission, associations=links))
    later = renamed(folder, "Folder01", lid=folder.id)
    updating, putting = outcomes(contended, message(update(patient, later)), other.message())
    assert updating == "Success"
    (latest,) = send(contended, query("GetFolders", {"$XDSFolderUniqueId": f"('{folder.unique_id}')"}, "ObjectRef")).ids
    held = [link.get("sourceObject") for link in associations(contended, latest)]
    assert held.count(latest) == {"Success": 2, "XDSRegistryDeprecatedDocumentError": 1}[putting]


# --- no state between -------------------------------------------------------------------------------------------------


def test_readers_see_exactly_one_approved_version_while_it_is_updated(contended):
    patient = new_patient()
    made, uuid = registered(contended, patient)
    seen: list[Sequence[tuple[str, str]]] = []

    def look() -> None:
        seen.append([told(each)[1:] for each in versions(contended, made.unique_ids[0])])
        assert len(send(contended, find_documents(patient)).entries) == 1
        assert send(contended, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"the letter"}

    with reading(look):
        for number in range(1, 16):
            updated(contended, update(patient, version_of(made, uuid), previous=number))
    for each in seen:
        numbers = [str(number) for number in range(1, len(each) + 1)]
        assert each == [(number, "Deprecated") for number in numbers[:-1]] + [(numbers[-1], "Approved")]
    assert len(seen) > 3


def test_readers_see_a_set_whole_or_not_at_all_while_it_is_removed(contended):
    patient = new_patient()
    made = accepted(contended, provide(b"one", b"two", patient=patient))
    uuid = entry_uuid(contended, made.unique_ids[0])
    answer = send(contended, query("GetSubmissionSets", {"$uuid": f"('{uuid}')"}))
    (the_set,) = [package.get("id") for package in answer.all(".//rim:RegistryPackage")]
    seen: list[tuple[int, int]] = []

    def look() -> None:
        parameters = {"$XDSSubmissionSetEntryUUID": f"'{the_set}'"}
        whole = send(contended, query("GetSubmissionSetAndContents", parameters, "ObjectRef")).ids
        seen.append((len(whole), len(send(contended, retrieve(*made.unique_ids)).documents)))

    with reading(look):
        content = send(contended, query("GetSubmissionSetAndContents", {"$XDSSubmissionSetEntryUUID": f"'{the_set}'"}))
        assert send(contended, remove(*content.ids)).status == "Success"
    look()
    assert {objects for objects, _ in seen} <= {5, 0}
    assert {documents for _, documents in seen} <= {2, 0}
    assert seen[-1] == (0, 0)
