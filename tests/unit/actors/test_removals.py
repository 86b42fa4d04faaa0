"""Removal over the real storage: what is gone, what stays, what the audit hears, what may come again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.unit.actors.test_registry import numbered
from tests.unit.actors.test_repository import provide, refusal
from tests.unit.builders import CONTENT, PATIENT, REPOSITORY, make_entry, make_submission
from tests.unit.domains import Domain, make_call, open_domain
from xds_gateway.codec.ebrim import RIM, parse_objects
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, RequestRefused
from xds_gateway.model.messages import (
    DocumentRequest,
    QueryRequest,
    RemoveDocumentsRequest,
    RemoveDocumentsResponse,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import Submission
from xds_gateway.storage import blobs

METADATA = make_call("ITI-62")
DOCUMENTS = make_call("ITI-86")
OURS = DocumentRequest(REPOSITORY, make_entry(1).unique_id or "")
UNKNOWN = DocumentRequest(REPOSITORY, "1.2.3.4")
ELSEWHERE = DocumentRequest("1.2.3", OURS.document_unique_id)
NO_IDS = DocumentRequest("", "")
UNIQUE_ID = ErrorCode.DOCUMENT_UNIQUE_ID_ERROR
UNKNOWN_REPOSITORY = ErrorCode.UNKNOWN_REPOSITORY_ID


STATUSES = f"('{v.APPROVED}','{v.DEPRECATED}')"
KINDS = ("DocumentEntry", "SubmissionSet", "Folder")


def registered_ids(domain: Domain) -> list[str]:
    """entryUUIDs of all that the patient has."""
    parameters = {"$patientId": f"'{PATIENT}'", **{f"$XDS{kind}Status": STATUSES for kind in KINDS}}
    request = QueryRequest(
        query_id=QUERY_IDS["GetAll"],
        return_type="LeafClass",
        parameters=tuple((name, (value,)) for name, value in parameters.items()),
    )
    fragments = domain.registry.query(make_call("ITI-18"), request).fragments
    root = etree.fromstring(f'<r xmlns:rim="{RIM}">'.encode() + b"".join(fragments) + b"</r>")
    return [item.id for item in parse_objects(root, []).objects]


def remove(domain: Domain, *references: str, **call: Any) -> Any:
    request = RemoveRequest(references=references)
    domain.actors.removals.admit_remove(METADATA, request, ())
    return domain.actors.removals.remove(METADATA._replace(**call), request)


def remove_documents(domain: Domain, *documents: DocumentRequest, **call: Any) -> RemoveDocumentsResponse:
    request = RemoveDocumentsRequest(documents=documents)
    domain.actors.removals.admit_remove_documents(DOCUMENTS, request, ())
    return domain.actors.removals.remove_documents(DOCUMENTS._replace(**call), request)


def retrievable(domain: Domain, *documents: DocumentRequest) -> list[str]:
    response = domain.repository.retrieve(make_call("ITI-43"), RetrieveRequest(documents=documents or (OURS,)))
    return [found.request.document_unique_id for found in response.documents]


def codes(findings: tuple[Finding, ...]) -> list[tuple[ErrorCode, str | None]]:
    return [(finding.code, finding.object_id) for finding in findings]


# --- ITI-62 -------------------------------------------------------------------------------------------------------


def test_metadata_are_gone_and_the_bytes_stay(domain: Domain) -> None:
    provide(domain, make_submission())
    ids = registered_ids(domain)
    assert remove(domain, *ids).findings == ()
    assert registered_ids(domain) == []
    assert domain.documents() == [CONTENT]
    assert retrievable(domain) == []


def test_a_refused_removal_changes_nothing_and_tells_every_reason(domain: Domain) -> None:
    provide(domain, make_submission())
    ids, before = registered_ids(domain), domain.changes()
    with pytest.raises(RequestRefused) as refused:
        remove(domain, *ids[:2])
    assert {finding.code for finding in refused.value.findings} == {ErrorCode.REFERENCES_EXIST}
    assert len(refused.value.findings) == 2
    assert (registered_ids(domain), domain.changes(), retrievable(domain)) == (ids, before, [OURS.document_unique_id])


@pytest.mark.parametrize(
    ("request_", "rules"),
    [
        (RemoveRequest(references=()), ["ihe.remove.empty"]),
        (RemoveRequest(references=("a",), queries=2), ["ihe.remove.query"]),
        (RemoveRequest(references=("a",), deletion_scope="urn:all"), ["ihe.remove.scope"]),
        (
            RemoveRequest(references=(), queries=1, deletion_scope=""),
            ["ihe.remove.query", "ihe.remove.scope", "ihe.remove.empty"],
        ),
    ],
)
def test_what_selects_by_other_means_than_a_list_is_refused(
    domain: Domain, request_: RemoveRequest, rules: list[str]
) -> None:
    with pytest.raises(RequestRefused) as refused:
        domain.actors.removals.admit_remove(METADATA, request_, ())
    assert [finding.rule for finding in refused.value.findings] == rules
    assert {finding.code for finding in refused.value.findings} == {ErrorCode.REGISTRY_ERROR}


def test_a_removal_of_metadata_is_audited_with_its_patients(domain: Domain) -> None:
    provide(domain, make_submission())
    ids = registered_ids(domain)
    remove(domain, *ids, *ids)
    event = domain.changes()[-1]
    assert (event.transaction, event.outcome) == ("ITI-62", "success")
    assert (event.patient_ids, event.objects) == ((PATIENT,), tuple(ids))


def test_a_dry_run_of_a_removal_tells_and_changes_nothing(domain: Domain) -> None:
    provide(domain, make_submission())
    ids = registered_ids(domain)
    planned = remove(domain, *ids, dry_run=True).planned
    assert [(effect.effect, effect.object_id) for effect in planned] == [("remove", uuid) for uuid in ids]
    told = domain.journal()[-1]
    assert (told.note, told.patient_ids, told.objects) == ("dry run", (PATIENT,), tuple(ids))
    assert (registered_ids(domain), len(domain.changes())) == (ids, 1)


# --- ITI-86 -------------------------------------------------------------------------------------------------------


def test_bytes_are_gone_and_metadata_stay(domain: Domain) -> None:
    provide(domain, make_submission())
    before = registered_ids(domain)
    assert remove_documents(domain, OURS) == RemoveDocumentsResponse(removed=(OURS,))
    assert (domain.documents(), retrievable(domain), registered_ids(domain)) == ([], [], before)
    assert codes(remove_documents(domain, OURS).findings) == [(UNIQUE_ID, OURS.document_unique_id)]


def test_all_entries_of_a_unique_id_lose_their_bytes(domain: Domain) -> None:
    provide(domain, make_submission())
    provide(domain, numbered(2, entry={"identifiers": {make_entry(1).UNIQUE_ID_SCHEME: OURS.document_unique_id}}))
    assert domain.documents() == [CONTENT, CONTENT]
    assert remove_documents(domain, OURS).findings == ()
    assert (domain.documents(), retrievable(domain)) == ([], [])


@pytest.mark.parametrize(
    ("asked", "removed", "failed"),
    [
        ((OURS,), (OURS,), []),
        ((OURS, OURS), (OURS,), []),
        ((OURS, UNKNOWN), (OURS,), [(UNIQUE_ID, UNKNOWN.document_unique_id)]),
        ((UNKNOWN, OURS, ELSEWHERE), (OURS,), [(UNKNOWN_REPOSITORY, OURS.document_unique_id), (UNIQUE_ID, "1.2.3.4")]),
        ((ELSEWHERE,), (), [(UNKNOWN_REPOSITORY, OURS.document_unique_id)]),
        ((UNKNOWN,), (), [(UNIQUE_ID, UNKNOWN.document_unique_id)]),
        ((NO_IDS,), (), [(UNKNOWN_REPOSITORY, "")]),
        ((OURS._replace(home="urn:oid:1.9"),), (), [(ErrorCode.UNKNOWN_COMMUNITY, OURS.document_unique_id)]),
        ((OURS._replace(home="urn:oid:1.2"),), (OURS._replace(home="urn:oid:1.2"),), []),
    ],
)
def test_each_document_is_judged_for_itself(
    tmp_path: Path,
    asked: tuple[DocumentRequest, ...],
    removed: tuple[DocumentRequest, ...],
    failed: list[tuple[ErrorCode, str]],
) -> None:
    with open_domain(tmp_path, home_community_id="urn:oid:1.2") as domain:
        provide(domain, make_submission())
        response = remove_documents(domain, *asked)
        assert (response.removed, codes(response.findings)) == (removed, failed)
        assert domain.documents() == ([] if removed else [CONTENT])
        assert retrievable(domain) == ([] if removed else [OURS.document_unique_id])


def test_the_audit_hears_of_the_removed_and_of_the_failed_separately(domain: Domain) -> None:
    provide(domain, make_submission())
    remove_documents(domain, OURS, UNKNOWN)
    removed, failed = domain.changes()[-2:]
    assert (removed.transaction, removed.outcome, removed.patient_ids) == ("ITI-86", "success", (PATIENT,))
    assert removed.objects == (f"{REPOSITORY} {OURS.document_unique_id}",)
    assert (failed.outcome, failed.patient_ids, failed.codes) == ("failure", (), ("XDSDocumentUniqueIdError",))
    assert failed.objects == (f"{REPOSITORY} 1.2.3.4",)


def test_bytes_that_cannot_be_deleted_are_told_and_tried_again(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    provide(domain, make_submission())

    def read_only(path: str) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr(blobs.os, "unlink", read_only)
        response = remove_documents(domain, OURS)
    assert response.removed == ()
    assert codes(response.findings) == [(ErrorCode.REMOVE_DOCUMENTS_ERROR, OURS.document_unique_id)]
    assert (domain.documents(), retrievable(domain)) == ([CONTENT], [])
    assert domain.journal()[-2].codes == ("XDSRemoveDocumentsError",)
    assert remove_documents(domain, OURS).removed == (OURS,)
    assert domain.documents() == []


def test_a_dry_run_of_documents_tells_and_changes_nothing(domain: Domain) -> None:
    provide(domain, make_submission())
    response = remove_documents(domain, OURS, UNKNOWN, dry_run=True)
    assert response.planned is not None
    assert [(each.effect, each.object_id) for each in response.planned] == [("erase", OURS.document_unique_id)]
    assert codes(response.findings) == [(UNIQUE_ID, "1.2.3.4")]
    assert (domain.documents(), retrievable(domain)) == ([CONTENT], [OURS.document_unique_id])
    assert len(domain.changes()) == 1
    assert [event.note for event in domain.journal()[:2]] == ["dry run", "dry run"]


# --- what comes after ---------------------------------------------------------------------------------------------

OTHER = b"Other bytes.\n"


def other_bytes(number: int) -> Submission:
    """The uniqueId of the first document with other bytes."""
    slots = {"hash": "b3a52c8c7a7e2e9e3d7d1b2b8e6f7f8a9b0c1d2e", "size": str(len(OTHER))}
    return numbered(
        number, entry={"slots": slots, "identifiers": {make_entry(1).UNIQUE_ID_SCHEME: OURS.document_unique_id}}
    )


def described(submission: Submission) -> Submission:
    """The submission without hash and size, which the repository then makes."""
    entries = tuple(
        replace(entry, slots=tuple(slot for slot in entry.slots if slot.name not in ("hash", "size")))
        for entry in submission.document_entries
    )
    return replace(submission, document_entries=entries)


@pytest.fixture
def sent(domain: Domain) -> Domain:
    provide(domain, make_submission())
    return domain


def spooled(domain: Domain, submission: Submission, content: bytes) -> Any:
    return {entry.id: domain.spool(content) for entry in submission.document_entries}


@pytest.mark.parametrize(("content", "accepted"), [(CONTENT, True), (OTHER, False)])
def test_while_metadata_stay_only_the_same_bytes_may_come_again(sent: Domain, content: bytes, accepted: bool) -> None:
    remove_documents(sent, OURS)
    again = described(other_bytes(2))
    if accepted:
        provide(sent, again, spooled(sent, again, content))
        assert (retrievable(sent), sent.documents()) == ([OURS.document_unique_id], [content])
    else:
        found = {finding.code for finding in refusal(sent, again, spooled(sent, again, content))}
        assert found == {ErrorCode.NON_IDENTICAL_HASH, ErrorCode.NON_IDENTICAL_SIZE}
        assert (retrievable(sent), sent.documents()) == ([], [])


@pytest.mark.parametrize("content", [CONTENT, OTHER])
@pytest.mark.parametrize("documents_too", [True, False])
def test_after_metadata_are_removed_a_unique_id_is_free(sent: Domain, content: bytes, documents_too: bool) -> None:
    remove(sent, *registered_ids(sent))
    if documents_too:
        assert remove_documents(sent, OURS).removed == (OURS,)
        assert sent.documents() == []
    again = described(make_submission())
    provide(sent, again, spooled(sent, again, content))
    assert retrievable(sent) == [OURS.document_unique_id]
    assert sent.documents() == sorted([content] if documents_too else [CONTENT, content])
    assert remove_documents(sent, OURS).removed == (OURS,)
    assert sent.documents() == []
