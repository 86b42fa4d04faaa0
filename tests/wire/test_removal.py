"""Removal as others ask for it: exact answers, neighbours unharmed, and serial outcomes against what runs beside it."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from zeep.transports import Transport

from tests.gateways import RunningGateway
from xds_gateway.codec.soap import DRY_RUN_HEADER
from xds_gateway.model import vocabulary as v

from .messages import (
    REPOSITORY,
    Answer,
    Message,
    Provide,
    accepted,
    entry_for,
    find_documents,
    new_patient,
    new_urn,
    provide,
    query,
    remove,
    remove_documents,
    replacement,
    retrieve,
    send,
)
from .raw import Connection, request_head

DRY = {"DryRun": DRY_RUN_HEADER}
BOTH = f"('{v.APPROVED}','{v.DEPRECATED}')"
DELETED = "urn:ihe:iti:2010:DeleteDocumentSetResponse"
REMOVED = "urn:ihe:iti:2017:RemoveDocumentsResponse"


def all_of(gateway: RunningGateway, patient: str) -> list[str]:
    """entryUUIDs of all that a patient has."""
    statuses = {f"$XDS{kind}Status": BOTH for kind in ("DocumentEntry", "SubmissionSet", "Folder")}
    return send(gateway, query("GetAll", {"$patientId": f"'{patient}'", **statuses}, "ObjectRef")).ids


def outcome(answer: Answer) -> tuple[str, list[str]]:
    return answer.status, answer.errors


def stored_files(gateway: RunningGateway) -> set[str]:
    return {path.name for path in Path(gateway.data_folder, "documents").glob("??/??/*")}


# --- answers ------------------------------------------------------------------------------------------------------


def test_a_set_is_removed_in_one_request_and_its_neighbour_stays(gateway):
    patient, neighbour = new_patient(), new_patient()
    made = accepted(gateway, provide(b"going", patient=patient))
    accepted(gateway, provide(b"staying", patient=neighbour))
    beside = all_of(gateway, neighbour)
    answer = send(gateway, remove(*all_of(gateway, patient)))
    assert (answer.action, answer.multipart, outcome(answer)) == (DELETED, False, ("Success", []))
    assert all_of(gateway, patient) == []
    found = send(gateway, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{made.unique_ids[0]}')"}))
    assert (outcome(found), found.ids) == (("Success", []), [])
    assert all_of(gateway, neighbour) == beside
    assert outcome(send(gateway, retrieve(*made.unique_ids))) == ("Failure", ["XDSDocumentUniqueIdError"])
    assert outcome(send(gateway, remove_documents(*made.unique_ids))) == ("Success", [])


def test_the_same_submission_may_come_again_after_its_removal(gateway):
    patient = new_patient()
    made = accepted(gateway, provide(b"again", patient=patient))
    send(gateway, remove(*all_of(gateway, patient)))
    accepted(gateway, made)
    assert send(gateway, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"again"}


def test_a_removal_that_is_not_closed_is_refused_by_name_and_changes_nothing(gateway):
    patient = new_patient()
    accepted(gateway, provide(b"kept", patient=patient))
    (entry,) = send(gateway, find_documents(patient, "ObjectRef")).ids
    before = all_of(gateway, patient)
    answer = send(gateway, remove(entry))
    assert (answer.action, outcome(answer)) == (DELETED, ("Failure", ["ReferencesExistException"]))
    assert f"object={entry}" in answer.contexts[0]
    assert all_of(gateway, patient) == before


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        (lambda: remove(), ["XDSRegistryError"]),
        (lambda: remove(new_urn(), "Document01"), ["UnresolvedReferenceException"] * 2),
        (lambda: remove_documents("1.2.3.4"), ["XDSDocumentUniqueIdError"]),
        (lambda: remove_documents("1.2.3.4", repository="1.2.3"), ["XDSUnknownRepositoryId"]),
        (lambda: remove_documents(""), ["XDSDocumentUniqueIdError"]),
    ],
)
def test_what_cannot_be_removed_is_a_failure_with_the_response_action(gateway, message: Callable[[], Message], errors):
    sent = message()
    answer = send(gateway, sent)
    assert outcome(answer) == ("Failure", errors)
    assert answer.action == (DELETED if sent.endpoint == "registry" else REMOVED)
    assert not answer.multipart


def test_bytes_are_gone_from_disk_when_the_answer_comes(start_gateway):
    gateway = start_gateway()
    made = accepted(gateway, provide(b"one", b"two"))
    assert len(stored_files(gateway)) == 2
    answer = send(gateway, remove_documents(made.unique_ids[0]))
    assert (answer.action, answer.multipart, outcome(answer)) == (REMOVED, False, ("Success", []))
    assert len(stored_files(gateway)) == 1
    returned = send(gateway, retrieve(*made.unique_ids))
    assert outcome(returned) == ("PartialSuccess", ["XDSDocumentUniqueIdError"])
    assert returned.documents == {made.unique_ids[1]: b"two"}
    assert len(send(gateway, find_documents(made.entry.patient_id)).entries) == 2


def test_some_removed_and_some_not_is_a_partial_success_with_an_error_for_each_failed_one(gateway):
    made = accepted(gateway, provide(b"one", b"two"))
    answer = send(gateway, remove_documents("1.2.3", *made.unique_ids, "1.2.4"))
    assert outcome(answer) == ("PartialSuccess", ["XDSDocumentUniqueIdError"] * 2)
    assert ["1.2.3" in answer.contexts[0], "1.2.4" in answer.contexts[1]] == [True, True]
    assert outcome(send(gateway, remove_documents(*made.unique_ids))) == ("Failure", ["XDSDocumentUniqueIdError"] * 2)


def test_a_dry_run_removes_nothing(gateway):
    patient = new_patient()
    made = accepted(gateway, provide(b"kept", patient=patient))
    ids = all_of(gateway, patient)
    told = [send(gateway, message) for message in (remove(*ids, **DRY), remove_documents(*made.unique_ids, **DRY))]
    assert [outcome(answer) for answer in told] == [("Success", [])] * 2
    assert [len(answer.all(".//rim:Slot[@name='urn:xds-gateway:2026:remove']//rim:Value")) for answer in told] == [3, 0]
    assert [len(answer.all(".//rim:Slot[@name='urn:xds-gateway:2026:erase']//rim:Value")) for answer in told] == [0, 1]
    assert all_of(gateway, patient) == ids
    assert send(gateway, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"kept"}


def test_zeep_removes_with_nothing_but_the_wsdl(gateway):
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = str(gateway.pki.files.ca), tuple(map(str, gateway.pki.client))
    transport = Transport(session=session)
    registry, repository = (
        zeep.Client(f"{url}?wsdl", transport=transport) for url in (gateway.registry_url, gateway.repository_url)
    )
    patient = new_patient()
    made = accepted(gateway, provide(b"for zeep", patient=patient))
    references = [{"id": uuid} for uuid in all_of(gateway, patient)]
    answer = registry.service.DocumentRegistry_DeleteDocumentSet(ObjectRefList={"ObjectRef": references})
    assert answer["status"].endswith(":Success")
    wanted = [{"RepositoryUniqueId": REPOSITORY, "DocumentUniqueId": each} for each in (*made.unique_ids, "1.2")]
    answer = repository.service.DocumentRepository_RemoveDocuments(DocumentRequest=wanted)
    assert answer["status"] == "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
    (error,) = answer["RegistryErrorList"]["RegistryError"]
    assert error["errorCode"] == "XDSDocumentUniqueIdError"


# --- beside what runs ---------------------------------------------------------------------------------------------


def together(*works: Callable[[], Any]) -> list[Any]:
    """Begin all at once; what each returned."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_readers_get_the_whole_document_or_are_told_that_it_is_not_here(gateway2):
    content = os.urandom(200_000)
    for _ in range(5):
        made = accepted(gateway2, provide(content))
        (wanted,) = made.unique_ids
        gone = threading.Event()

        def read(wanted: str = wanted, gone: threading.Event = gone) -> list[str]:
            """What a reader saw, in order; the last look begins after the removal was answered."""
            seen, last = [], False
            while not last:
                last = gone.is_set()
                answer = send(gateway2, retrieve(wanted))
                assert answer.documents in ({wanted: content}, {})
                seen.append(answer.errors[0] if answer.errors else "whole")
            return seen

        def take(wanted: str = wanted, gone: threading.Event = gone) -> tuple[str, list[str]]:
            answer = outcome(send(gateway2, remove_documents(wanted)))
            gone.set()
            return answer

        removed, *readers = together(take, *[read] * 4)
        assert removed == ("Success", [])
        for seen in readers:
            whole = seen.count("whole")
            assert seen == ["whole"] * whole + ["XDSDocumentUniqueIdError"] * (len(seen) - whole)
            assert seen[-1] != "whole"


def test_a_document_that_is_being_sent_arrives_whole(gateway):
    content = os.urandom(1 << 20) * 48
    made = accepted(gateway, provide(content))
    message = retrieve(*made.unique_ids)
    with Connection(gateway) as connection:
        head = request_head(
            connection, "/services/repository", {"Content-Length": len(message.body), **message.headers}
        )
        connection.send(head, message.body)
        status, headers = connection.head()
        first = connection.received()  # its file is open, and far more is to come than sockets hold
        assert outcome(send(gateway, remove_documents(*made.unique_ids))) == ("Success", [])
        pieces, size = [connection._buffer, first], len(connection._buffer) + len(first)
        while size < int(headers["content-length"]) and (data := connection.received()):
            pieces.append(data)
            size += len(data)
    assert status == 200
    assert content in b"".join(pieces)
    assert outcome(send(gateway, retrieve(*made.unique_ids))) == ("Failure", ["XDSDocumentUniqueIdError"])


def again(made: Provide, content: bytes) -> Provide:
    """Another submission of the same document."""
    patient = made.entry.patient_id
    identifiers = {v.DE_UNIQUE_ID: made.unique_ids[0]}
    return provide(content, patient=patient, entries=(entry_for(content, patient or "", identifiers=identifiers),))


def test_a_submission_beside_the_removal_of_its_document_comes_before_or_after(gateway2):
    for _ in range(6):
        made = accepted(gateway2, provide(b"the same bytes"))
        second = again(made, b"the same bytes")
        removed, submitted = together(
            lambda made=made: outcome(send(gateway2, remove_documents(*made.unique_ids))),
            lambda second=second: outcome(send(gateway2, second.message())),
        )
        assert (removed, submitted) == (("Success", []), ("Success", []))
        documents = send(gateway2, retrieve(*made.unique_ids)).documents
        assert documents in ({}, {made.unique_ids[0]: b"the same bytes"})
        assert len(send(gateway2, find_documents(made.entry.patient_id)).entries) == 2
        expected = ("Success", []) if documents else ("Failure", ["XDSDocumentUniqueIdError"])
        assert outcome(send(gateway2, remove_documents(*made.unique_ids))) == expected


def test_a_replacement_beside_the_removal_of_its_target_comes_before_or_after(gateway2):
    for _ in range(6):
        patient = new_patient()
        accepted(gateway2, provide(b"original", patient=patient))
        (entry,) = send(gateway2, find_documents(patient, "ObjectRef")).ids
        ids = all_of(gateway2, patient)
        new = replacement(entry, b"new", patient)
        removed, replaced = together(
            lambda ids=ids: outcome(send(gateway2, remove(*ids))),
            lambda new=new: outcome(send(gateway2, new.message())),
        )
        first = (("Success", []), ("Failure", ["UnresolvedReferenceException"]))
        after = (("Failure", ["ReferencesExistException"]), ("Success", []))
        assert (removed, replaced) in (first, after)
        assert len(all_of(gateway2, patient)) == (0 if (removed, replaced) == first else len(ids) + 4)


def test_of_several_removals_of_the_same_metadata_one_succeeds(gateway2):
    patient = new_patient()
    accepted(gateway2, provide(b"once", patient=patient))
    ids = all_of(gateway2, patient)
    answers = together(*[lambda: send(gateway2, remove(*ids))] * 6)
    assert Counter(answer.status for answer in answers) == {"Success": 1, "Failure": 5}
    assert {e for answer in answers for e in answer.errors} == {"UnresolvedReferenceException"}


def test_several_removals_of_the_same_bytes_leave_none(start_gateway):
    gateway = start_gateway(workers=2)
    made = accepted(gateway, provide(b"once", b"more"))
    answers = together(*[lambda: send(gateway, remove_documents(*made.unique_ids))] * 6)
    assert "Success" in {answer.status for answer in answers}
    assert {e for answer in answers for e in answer.errors} <= {"XDSDocumentUniqueIdError"}
    assert stored_files(gateway) == set()


def test_metadata_and_bytes_removed_at_once_leave_nothing(gateway2):
    for _ in range(4):
        patient = new_patient()
        made = accepted(gateway2, provide(b"all of it", patient=patient))
        ids = all_of(gateway2, patient)
        answers = together(
            lambda ids=ids: outcome(send(gateway2, remove(*ids))),
            lambda made=made: outcome(send(gateway2, remove_documents(*made.unique_ids))),
        )
        assert answers == [("Success", [])] * 2
        assert all_of(gateway2, patient) == []
        again = send(gateway2, remove_documents(*made.unique_ids))
        assert outcome(again) == ("Failure", ["XDSDocumentUniqueIdError"])
        accepted(gateway2, replace(made, contents=dict(made.contents)))
