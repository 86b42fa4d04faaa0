"""Limited metadata: taken by a mount for Document Recipients, refused by code everywhere else (ITI TF-3 4.3.1)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_folder
from tests.unit.rules.broken import as_sent_in
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry, Folder, RegistryObject, SubmissionSet

from .messages import Provide, find_documents, new_oid, new_patient, provide, query, register, retrieve, send

LIMITED = "ITI-41 limited"
KEPT_SLOTS = ("submissionTime",)
KEPT_IDENTIFIERS = (v.DE_UNIQUE_ID, v.SS_UNIQUE_ID, v.SS_SOURCE_ID, v.FD_UNIQUE_ID)
NODES = (v.SUBMISSION_SET_NODE, v.FOLDER_NODE)


@pytest.fixture(scope="module")
def recipient(start_shared) -> RunningGateway:
    """One domain behind two mounts, of which the second takes limited metadata."""
    return start_shared(mounts=[{"path": "/services"}, {"path": "/recipient", "metadata": "limited"}])


def bare(item: Any) -> Any:
    """An object with nothing but what the column "XDR MS" requires."""
    return replace(
        item,
        name=(),
        slots=tuple(slot for slot in item.slots if slot.name in KEPT_SLOTS),
        classifications=tuple(c for c in item.classifications if c.node in NODES),
        external_identifiers=tuple(e for e in item.external_identifiers if e.scheme in KEPT_IDENTIFIERS),
    )


def limited(provided: Provide) -> Provide:
    """The same submission with bare objects, flagged as such."""
    submission = provided.submission
    made = replace(
        submission,
        document_entries=tuple(map(bare, submission.document_entries)),
        submission_sets=tuple(map(bare, submission.submission_sets)),
        folders=tuple(map(bare, submission.folders)),
    )
    return replace(provided, submission=as_sent_in(LIMITED, made))


def with_folder() -> Provide:
    return provide(b"scan", folders=(make_folder(identifiers={v.FD_UNIQUE_ID: new_oid()}, home=None),))


def test_a_recipient_takes_objects_with_hardly_any_metadata(recipient):
    sent = limited(provide(b"scan"))
    answer = send(recipient, sent.message(), mount="/recipient")
    assert (answer.status, answer.contexts) == ("Success", [])
    found = send(recipient, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{sent.unique_ids[0]}')"}))
    (entry,) = found.entries
    assert v.LIMITED_DOCUMENT_ENTRY.encode() not in found.xml  # ITI TF-3 Table 4.3.2.1-3
    assert entry.get("mimeType") == sent.entry.mime_type
    assert send(recipient, retrieve(*sent.unique_ids)).documents == {sent.unique_ids[0]: b"scan"}


def test_folders_may_be_limited_too(recipient):
    patient = new_patient()
    folder = make_folder(identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()}, home=None)
    sent = limited(provide(b"scan", patient=patient, folders=(folder,)))
    answer = send(recipient, sent.message(), mount="/recipient")
    assert (answer.status, answer.contexts) == ("Success", [])


def test_limited_metadata_may_name_the_patient(recipient):
    patient = new_patient()
    sent = provide(b"scan", patient=patient)
    flagged = replace(sent, submission=as_sent_in(LIMITED, sent.submission))
    assert send(recipient, flagged.message(), mount="/recipient").status == "Success"
    assert len(send(recipient, find_documents(patient)).entries) == 1


def test_another_mount_refuses_the_flag_by_name(recipient):
    answer = send(recipient, replace_submission(provide(b"scan")).message())
    assert answer.status == "Failure"
    assert set(answer.errors) == {"XDSRegistryMetadataError"}
    assert sum("limitedMetadata" in context for context in answer.contexts) == 2  # of the set and of the entry


def replace_submission(provided: Provide) -> Provide:
    return replace(provided, submission=as_sent_in(LIMITED, provided.submission))


@pytest.mark.parametrize("kind", [DocumentEntry, SubmissionSet])
def test_each_object_is_judged_by_its_own_flag(recipient, kind: type[RegistryObject]):
    sent = limited(provide(b"scan"))
    submission = sent.submission
    without = {
        DocumentEntry: {"document_entries": tuple(map(bare, submission.document_entries))},
        SubmissionSet: {"submission_sets": tuple(map(bare, submission.submission_sets))},
    }[kind]
    answer = send(recipient, replace(sent, submission=replace(submission, **without)).message(), mount="/recipient")
    assert answer.status == "Failure"
    assert all(kind.KIND in context or "author" in context for context in answer.contexts)


def test_registration_does_not_take_it_anywhere(recipient):
    sent = with_folder()
    answer = send(recipient, register(as_sent_in(LIMITED, sent.submission)), mount="/recipient")
    assert answer.status == "Failure"
    assert any("limitedMetadata" in context for context in answer.contexts)
    assert Folder.KIND in " ".join(answer.contexts)
