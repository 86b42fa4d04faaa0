"""The repository over the real storage: documents are durable before they are registered, and come back whole."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from tests.contract.submissions import reading
from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.actors.test_registry import answer, find, numbered
from tests.unit.builders import (
    CONTENT,
    CONTENT_SHA1,
    PATIENT,
    REGISTERED,
    REPOSITORY,
    make_association,
    make_entry,
    make_parts,
    make_submission,
)
from tests.unit.domains import Domain, make_call, open_domain
from xds_gateway.actors.ports import Prepared, Receipt, Snapshot, Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, RequestRefused, StorageBusy, StorageFull
from xds_gateway.model.messages import (
    DocumentRequest,
    ProvideRequest,
    RegistryResponse,
    RetrieveRequest,
    RetrieveResponse,
    SpooledDocument,
)
from xds_gateway.model.metadata import DocumentEntry, RegistryObject, Submission
from xds_gateway.model.principal import Access
from xds_gateway.model.value_sets import NO_VALUE_SETS, ValueSets

T = TypeVar("T")
PROVIDE = make_call("ITI-41")
RETRIEVE = make_call("ITI-43")
TWO = make_submission(entries=(make_entry(1), make_entry(2)))


def provide(
    domain: Domain, submission: Submission, spooled: dict[str, SpooledDocument] | None = None
) -> RegistryResponse:
    request = ProvideRequest(submission=submission, parts=make_parts(submission))
    domain.repository.admit_provide(PROVIDE, request, ())
    return domain.repository.provide(PROVIDE, request, spooled or domain.spool_all(submission))


def refusal(
    domain: Domain, submission: Submission, spooled: dict[str, SpooledDocument] | None = None
) -> tuple[Finding, ...]:
    with pytest.raises(RequestRefused) as refused:
        provide(domain, submission, spooled)
    return refused.value.findings


def asked(number: int = 1, repository: str = REPOSITORY, home: str | None = None) -> DocumentRequest:
    return DocumentRequest(repository, make_entry(number).unique_id or "", home)


def retrieve(domain: Domain, *documents: DocumentRequest) -> RetrieveResponse:
    request = RetrieveRequest(documents=documents)
    domain.repository.admit_retrieve(RETRIEVE, request, ())
    return domain.repository.retrieve(RETRIEVE, request)


def content(domain: Domain, response: RetrieveResponse) -> list[bytes]:
    return [b"".join(domain.storage.documents.open(found.document)) for found in response.documents]


# ---- ITI-41 ----


def test_what_is_provided_is_stored_registered_and_comes_back(domain: Domain) -> None:
    assert provide(domain, TWO) == RegistryResponse()
    assert domain.documents() == [CONTENT, CONTENT]
    assert domain.spooled() == []
    assert len(answer(domain, find())) == 2
    response = retrieve(domain, asked(2), asked(1))
    assert content(domain, response) == [CONTENT, CONTENT]
    assert [found.request for found in response.documents] == [asked(2), asked(1)]
    assert {found.mime_type for found in response.documents} == {"text/plain"}


@pytest.mark.parametrize(
    "slots",
    [
        {},
        {"hash": None},
        {"size": None},
        {"hash": None, "size": None},
        {"repositoryUniqueId": None},
        {"hash": CONTENT_SHA1.upper()},
    ],
)
def test_the_registry_learns_what_only_the_repository_knows(domain: Domain, slots: dict[str, str | None]) -> None:
    provide(domain, numbered(1, entry={"slots": slots}))
    (entry,) = answer(domain, find())
    assert isinstance(entry, DocumentEntry)
    assert ((entry.hash or "").lower(), entry.size, entry.repository_unique_id) == (CONTENT_SHA1, "20", REPOSITORY)


@pytest.mark.parametrize(
    ("slots", "rules"),
    [
        ({"hash": "0" * 40}, 1),
        ({"size": "21"}, 1),
        ({"hash": "0" * 40, "size": "21"}, 2),
        ({"hash": hashlib.sha256(CONTENT).hexdigest()}, 1),
    ],
)
def test_a_document_that_is_not_as_declared(domain: Domain, slots: dict[str, str], rules: int) -> None:
    submission = numbered(1, entry={"slots": slots})
    spooled = domain.spool_all(submission)
    request = ProvideRequest(submission=submission, parts=make_parts(submission))
    with pytest.raises(RequestRefused) as refused:
        domain.repository.provide(PROVIDE, request, spooled)
    assert [f.code for f in refused.value.findings] == [ErrorCode.REPOSITORY_METADATA_ERROR] * rules
    assert domain.documents() == []
    assert answer(domain, find()) == ()


@pytest.mark.parametrize(
    ("submission", "code"),
    [
        (
            numbered(1, relationships=(make_association("Document01", REGISTERED, v.RPLC),)),
            ErrorCode.UNRESOLVED_REFERENCE,
        ),
        (numbered(9, entry={"name": ()}), ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY),
    ],
)
def test_what_the_registry_refuses_leaves_no_document(domain: Domain, submission: Submission, code: ErrorCode) -> None:
    provide(domain, numbered(9))
    assert {f.code for f in refusal(domain, submission)} == {code}
    assert domain.documents() == [CONTENT]
    assert len(domain.changes()) == 1


def test_other_bytes_under_one_unique_id_do_not_replace_the_first(domain: Domain) -> None:
    provide(domain, numbered(1))
    other = b"Another letter.\n"
    submission = make_submission(
        entries=(make_entry(1, slots={"hash": hashlib.sha1(other).hexdigest(), "size": str(len(other))}),),
        submission_set=numbered(2).submission_sets[0],
    )
    findings = refusal(domain, submission, {"Document01": domain.spool(other)})
    assert {f.code for f in findings} == {ErrorCode.NON_IDENTICAL_HASH, ErrorCode.NON_IDENTICAL_SIZE}
    assert content(domain, retrieve(domain, asked(1))) == [CONTENT]
    assert domain.documents() == [CONTENT]


def test_the_same_bytes_again_are_a_second_entry(domain: Domain) -> None:
    provide(domain, numbered(1))
    again = make_submission(submission_set=numbered(2).submission_sets[0])
    assert provide(domain, again) == RegistryResponse()
    assert len(answer(domain, find())) == 2
    assert content(domain, retrieve(domain, asked(1))) == [CONTENT]


def test_one_attachment_may_be_two_documents(domain: Domain) -> None:
    one = domain.spool()
    assert provide(domain, TWO, {"Document01": one, "Document02": one}) == RegistryResponse()
    assert content(domain, retrieve(domain, asked(1), asked(2))) == [CONTENT, CONTENT]


def test_entries_and_documents_belong_together(domain: Domain) -> None:
    submission = TWO
    parts = make_parts(submission)
    for changed, code in (
        (parts[:1], ErrorCode.MISSING_DOCUMENT),
        ((*parts, parts[0]._replace(id="Document03")), ErrorCode.MISSING_DOCUMENT_METADATA),
    ):
        with pytest.raises(RequestRefused) as refused:
            domain.repository.admit_provide(PROVIDE, ProvideRequest(submission=submission, parts=changed), ())
        assert [f.code for f in refused.value.findings] == [code]


def test_findings_of_repository_and_registry_come_together(domain: Domain) -> None:
    provide(domain, numbered(1))
    bad = numbered(1, entry={"slots": {"languageCode": None}})
    assert [f.code for f in refusal(domain, bad)] == [
        ErrorCode.REGISTRY_METADATA_ERROR,
        ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY,
    ]


class FailingStore:
    """A registry store that cannot commit."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def prepare(self, objects: Sequence[RegistryObject], receipt: Receipt | None = None) -> Sequence[Prepared]:
        return [Prepared(item, None) for item in objects]

    def value_sets(self) -> ValueSets:
        return NO_VALUE_SETS

    def inspect(self, work: Callable[[Snapshot], T]) -> T:
        return work(MemorySnapshot())

    def write(self, work: Callable[[Transaction], T]) -> T:
        raise self._failure


@pytest.mark.parametrize("failure", [StorageFull("full"), StorageBusy("busy")])
def test_no_document_stays_when_the_registry_has_no_room(tmp_path: Path, failure: Exception) -> None:
    with open_domain(tmp_path, store=FailingStore(failure)) as domain:
        with pytest.raises(type(failure)):
            provide(domain, TWO)
        assert domain.documents() == []


def test_a_submission_without_documents_is_registered(domain: Domain) -> None:
    provide(domain, numbered(1))
    (entry,) = answer(domain, find())
    member = make_association("SubmissionSet02", entry.id, slots=TWO.associations[0].slots)
    reference = tuple(slot._replace(values=("Reference",)) for slot in member.slots)
    only_reference = make_submission(
        entries=(), submission_set=numbered(2).submission_sets[0], relationships=(replace(member, slots=reference),)
    )
    assert provide(domain, only_reference) == RegistryResponse()
    assert len(domain.changes()) == 2


def test_a_provide_is_audited_once(domain: Domain) -> None:
    provide(domain, TWO)
    (event,) = domain.changes()
    assert (event.transaction, event.outcome, event.patient_ids, len(event.objects)) == (
        "ITI-41",
        "success",
        (PATIENT,),
        3,
    )
    assert domain.journal() == []


# ---- ITI-43 ----


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked(7), ErrorCode.DOCUMENT_UNIQUE_ID_ERROR),
        (asked(1, "1.2.3"), ErrorCode.UNKNOWN_REPOSITORY_ID),
        (asked(1, home="urn:oid:9.9"), ErrorCode.UNKNOWN_COMMUNITY),
    ],
)
@pytest.mark.parametrize("others", [0, 1])
def test_what_cannot_be_returned(tmp_path: Path, request_: DocumentRequest, code: ErrorCode, others: int) -> None:
    with open_domain(tmp_path, home_community_id="urn:oid:1.2.3") as domain:
        provide(domain, TWO)
        response = retrieve(domain, *[asked(2)] * others, request_)
        assert [(f.code, f.object_id) for f in response.findings] == [(code, request_.document_unique_id)]
        assert content(domain, response) == [CONTENT] * others
        told = [(event.outcome, event.codes, event.patient_ids) for event in domain.journal()]
        assert sorted(told) == [("failure", (code.value,), ()), *[("success", (), (PATIENT,))] * others]


@pytest.mark.parametrize("home", [None, "urn:oid:1.2.3"])
def test_the_own_community_may_be_named(tmp_path: Path, home: str | None) -> None:
    with open_domain(tmp_path, home_community_id="urn:oid:1.2.3") as domain:
        provide(domain, numbered(1))
        assert retrieve(domain, asked(1, home=home)).findings == ()


def test_a_retrieve_is_audited_with_documents_and_patients(domain: Domain) -> None:
    provide(domain, TWO)
    retrieve(domain, asked(1), asked(2))
    (event,) = domain.journal()
    assert (event.transaction, event.outcome, event.patient_ids) == ("ITI-43", "success", (PATIENT,))
    assert event.objects == tuple(f"{REPOSITORY} {asked(n).document_unique_id}" for n in (1, 2))


def test_a_document_that_the_caller_may_not_see_is_unknown(domain: Domain) -> None:
    provide(domain, numbered(1))
    response = domain.repository.retrieve(
        make_call("ITI-43", access=Access.alike(reading("R"))), RetrieveRequest(documents=(asked(1),))
    )
    assert response.documents == ()
    assert [f.code for f in response.findings] == [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR]
    (event,) = domain.journal()
    assert (event.outcome, event.patient_ids) == ("failure", (PATIENT,))  # the patient is told who was refused


def test_a_replaced_document_can_still_be_retrieved(domain: Domain) -> None:
    provide(domain, numbered(1))
    (old,) = answer(domain, find())
    provide(domain, numbered(2, relationships=(make_association("Document02", old.id, v.RPLC),)))
    assert content(domain, retrieve(domain, asked(1))) == [CONTENT]


def test_a_request_that_names_nothing_is_refused(domain: Domain) -> None:
    finding = Finding(code=ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, rule="ihe.retrieve.DocumentUniqueId", sentence="Add it.")
    with pytest.raises(RequestRefused) as refused:
        domain.repository.admit_retrieve(RETRIEVE, RetrieveRequest(documents=(asked(1),)), (finding,))
    assert refused.value.findings == (finding,)


class FullJournal:
    """A journal without room."""

    def record(self, *events: object) -> None:
        raise StorageFull("full")


def test_no_audit_no_access(tmp_path: Path) -> None:
    with open_domain(tmp_path, journal=FullJournal()) as domain:
        provide(domain, numbered(1))
        with pytest.raises(StorageFull):
            retrieve(domain, asked(1))
        with pytest.raises(StorageFull):
            answer(domain, find())
