"""On-demand entries and their documents, over the real storage (ITI TF-2 3.61, 3.43.4.2.3)."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.submissions import EVERYTHING, reading
from tests.unit.actors.test_registry import answer, ask, numbered, register
from tests.unit.actors.test_repository import asked, content, provide, retrieve
from tests.unit.builders import CONTENT, PATIENT, REPOSITORY, make_association, make_submission
from tests.unit.domains import Domain, make_call, open_domain
from tests.unit.rules.broken import as_sent_in
from xds_gateway.actors.making import OnDemandHook
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, RequestRefused
from xds_gateway.model.identifiers import parse_patient_id
from xds_gateway.model.messages import RegisterRequest, RegistryResponse, RetrieveRequest, RetrieveResponse
from xds_gateway.model.metadata import Association, DocumentEntry, RegistryObject, Submission, SubmissionSet
from xds_gateway.model.principal import Access, AccessFilter
from xds_gateway.rules.ihe import check_submission

ON_DEMAND = make_call("ITI-61")
LARGE = bytes(range(256)) * 5000  # more than one MiB


def made(number: int = 1, **changes: Any) -> Submission:
    return as_sent_in("ITI-61", numbered(number, **changes))


def register_on_demand(domain: Domain, submission: Submission) -> RegistryResponse:
    request = RegisterRequest(submission=submission)
    domain.registry.admit_register_on_demand(ON_DEMAND, request, ())
    return domain.registry.register_on_demand(ON_DEMAND, request)


def refusal(domain: Domain, submission: Submission) -> tuple[Finding, ...]:
    with pytest.raises(RequestRefused) as refused:
        register_on_demand(domain, submission)
    return refused.value.findings


def entries(domain: Domain, *types: str) -> list[DocumentEntry]:
    """Approved entries of the patient, of these types."""
    listed = "(" + ",".join(f"'{each}'" for each in types or (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)) + ")"
    request = ask("FindDocuments", PatientId=f"'{PATIENT}'", Status=f"('{v.APPROVED}')", Type=listed)
    return [item for item in answer(domain, request) if isinstance(item, DocumentEntry)]


def about(domain: Domain, uuid: str) -> list[RegistryObject]:
    """The sets and associations of an object."""
    sets = answer(domain, ask_plain("GetSubmissionSets", uuid))
    return [*sets, *answer(domain, ask_plain("GetAssociations", uuid))]


def ask_plain(name: str, uuid: str) -> Any:
    return replace(ask(name), parameters=(("$uuid", (f"('{uuid}')",)),))


@contextmanager
def making(folder: Path, hook: OnDemandHook, *, persistent: bool = False, **limits: Any) -> Iterator[Domain]:
    with open_domain(folder, hook=hook, persistent=persistent, **limits) as domain:
        register_on_demand(domain, made())
        yield domain


def letter(unique_id: str, entry: DocumentEntry, patient: Any) -> tuple[bytes, str | None]:
    return CONTENT, None


# ---- ITI-61 ----


def test_an_on_demand_entry_is_found_by_its_type_only(domain: Domain) -> None:
    assert register_on_demand(domain, made()) == RegistryResponse()
    (entry,) = entries(domain, v.ON_DEMAND_DOCUMENT)
    assert (entry.hash, entry.size, entry.slot_value("creationTime")) == (None, None, None)
    assert entries(domain, v.STABLE_DOCUMENT) == []


def test_its_registration_is_audited(domain: Domain) -> None:
    register_on_demand(domain, made())
    (event,) = domain.changes()
    assert (event.transaction, event.outcome, event.patient_ids) == ("ITI-61", "success", (PATIENT,))


@pytest.mark.parametrize("slot", ["creationTime", "hash", "size"])
def test_what_only_a_document_has_is_refused(domain: Domain, slot: str) -> None:
    submission = made()
    (entry,) = submission.document_entries
    slots = (*entry.slots, *(s for s in numbered(1).document_entries[0].slots if s.name == slot))
    findings = refusal(domain, replace(submission, document_entries=(replace(entry, slots=slots),)))
    assert [(f.code, f.rule) for f in findings] == [
        (ErrorCode.REGISTRY_METADATA_ERROR, f"ihe.de.{slot}.prohibited")
    ]  # fmt: skip


def test_a_stable_entry_is_refused(domain: Domain) -> None:
    assert {f.code for f in refusal(domain, numbered(1))} == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_on_demand_entries_may_share_a_unique_id_stable_ones_do_not(domain: Domain) -> None:
    register_on_demand(domain, made())
    again = make_submission(submission_set=numbered(2).submission_sets[0], entries=numbered(1).document_entries)
    assert register_on_demand(domain, as_sent_in("ITI-61", again)) == RegistryResponse()
    assert len(entries(domain, v.ON_DEMAND_DOCUMENT)) == 2
    with pytest.raises(RequestRefused) as refused:
        register(domain, make_submission(submission_set=numbered(3).submission_sets[0]))
    assert [f.code for f in refused.value.findings] == [ErrorCode.NON_IDENTICAL_HASH]


def test_an_on_demand_entry_replaces_a_stable_one_and_the_other_way_round(domain: Domain) -> None:
    register(domain, numbered(1))
    (old,) = entries(domain)
    register_on_demand(domain, made(2, relationships=(make_association("Document02", old.id, v.RPLC),)))
    (newer,) = entries(domain)
    assert newer.object_type == v.ON_DEMAND_DOCUMENT
    register(domain, numbered(3, relationships=(make_association("Document03", newer.id, v.RPLC),)))
    (newest,) = entries(domain)
    assert newest.object_type == v.STABLE_DOCUMENT


# ---- ITI-43 without persistence ----


@pytest.mark.parametrize("size", [0, 20, len(LARGE)])
@pytest.mark.parametrize("as_file", [False, True])
def test_what_the_hook_makes_is_given(tmp_path: Path, size: int, as_file: bool) -> None:
    data = LARGE[:size]

    def hook(unique_id: str, entry: DocumentEntry, patient: Any) -> Any:
        return (io.BytesIO(data) if as_file else data), "application/pdf"

    with making(tmp_path, hook) as domain:
        response = retrieve(domain, asked(1))
        (document,) = response.documents
        assert response.findings == ()
        assert content(domain, response) == [data]
        assert (document.mime_type, document.new_repository_unique_id) == ("application/pdf", None)
        assert document.new_document_unique_id not in (None, asked(1).document_unique_id)
        assert document.transient
        assert entries(domain, v.STABLE_DOCUMENT) == []
        assert domain.spooled() == []


def test_the_hook_is_told_what_is_asked_for(tmp_path: Path) -> None:
    told: list[Any] = []

    def hook(*arguments: Any) -> Any:
        told.append(arguments)
        return CONTENT, None

    with making(tmp_path, hook) as domain:
        (document,) = retrieve(domain, asked(1)).documents
        (entry,) = entries(domain)
    assert told == [(asked(1).document_unique_id, entry, parse_patient_id(PATIENT))]
    assert document.mime_type == entry.mime_type


@pytest.mark.parametrize("persistent", [False, True])
def test_the_same_content_has_the_same_id_and_other_content_another(tmp_path: Path, persistent: bool) -> None:
    contents = iter([b"one", b"one", b"two", b"one"])
    with making(tmp_path, lambda *_: (next(contents), None), persistent=persistent) as domain:
        ids = [retrieve(domain, asked(1)).documents[0].new_document_unique_id for _ in range(4)]
    assert ids[0] == ids[1] == ids[3] != ids[2]


def test_a_new_id_is_an_oid_that_depends_on_entry_and_media_type(tmp_path: Path) -> None:
    types = iter(["text/plain", "text/html", "text/plain"])
    with making(tmp_path, lambda *_: (CONTENT, next(types))) as domain:
        register_on_demand(domain, made(2))
        answers = [retrieve(domain, asked(number)).documents[0] for number in (1, 1, 2)]
    ids = {document.new_document_unique_id or "" for document in answers}
    assert len(ids) == 3
    assert all(each.startswith("2.25.") and len(each) <= 64 for each in ids)


def test_a_retrieval_is_audited_with_the_new_id(tmp_path: Path) -> None:
    with making(tmp_path, letter) as domain:
        (document,) = retrieve(domain, asked(1)).documents
        (event,) = domain.journal()
    assert (event.transaction, event.outcome, event.patient_ids) == ("ITI-43", "success", (PATIENT,))
    assert event.objects == (
        f"{REPOSITORY} {asked(1).document_unique_id}",
        f"{REPOSITORY} {document.new_document_unique_id}",
    )


# ---- what keeps a document from being made ----


def failing(_unique_id: str, _entry: DocumentEntry, _patient: Any) -> Any:
    raise ValueError("no data")


def leaving(*_: Any) -> Any:
    raise SystemExit(1)


def halfway(*_: Any) -> Any:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the source is gone")

    return Broken(), None


@pytest.mark.parametrize(
    ("hook", "rule"),
    [
        (failing, "ihe.onDemand.failed"),
        (leaving, "ihe.onDemand.failed"),
        (halfway, "ihe.onDemand.failed"),
        (lambda *_: None, "ihe.onDemand.failed"),
        (lambda *_: ("text", None), "ihe.onDemand.failed"),
        (lambda *_: (io.StringIO("text"), None), "ihe.onDemand.failed"),
    ],
)
def test_a_failure_of_the_hook_is_one_of_that_document_only(tmp_path: Path, hook: OnDemandHook, rule: str) -> None:
    with making(tmp_path, hook) as domain:
        provide(domain, numbered(2))
        response = retrieve(domain, asked(1), asked(2))
        assert content(domain, response) == [CONTENT]
        assert [(f.rule, f.code, f.object_id) for f in response.findings] == [
            (rule, ErrorCode.REPOSITORY_ERROR, asked(1).document_unique_id)
        ]
        assert domain.spooled() == []


def test_a_hook_that_takes_too_long_is_left_alone_and_its_document_dropped(tmp_path: Path) -> None:
    go, gone = threading.Event(), threading.Event()

    def slow(*_: Any) -> Any:
        go.wait()

        class Told(io.BytesIO):
            def close(self) -> None:
                super().close()
                gone.set()

        return Told(CONTENT), None

    with making(tmp_path, slow, seconds=0.01, at_once=1) as domain:
        assert [f.rule for f in retrieve(domain, asked(1)).findings] == ["ihe.onDemand.time"]
        # it still counts: there is no room for another one
        assert [f.code for f in retrieve(domain, asked(1)).findings] == [ErrorCode.REPOSITORY_BUSY]
        go.set()
        assert gone.wait(30)
        for thread in threading.enumerate():
            if thread.name == "on_demand":
                thread.join(30)
        assert domain.spooled() == []
        assert domain.documents() == []


def test_without_a_hook_there_is_no_document(domain: Domain) -> None:
    register_on_demand(domain, made())
    assert [f.code for f in retrieve(domain, asked(1)).findings] == [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR]


@pytest.mark.parametrize(
    ("access", "given"),
    [
        (EVERYTHING, True),
        (reading("R"), False),
    ],
)
def test_nothing_is_made_of_an_entry_that_the_caller_may_not_see(
    tmp_path: Path, access: AccessFilter, given: bool
) -> None:
    with making(tmp_path, letter) as domain:
        call = make_call("ITI-43", access=Access.alike(access))
        response = domain.repository.retrieve(call, RetrieveRequest(documents=(asked(1),)))
        assert [f.code for f in response.findings] == ([] if given else [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR])


def test_an_entry_of_another_repository_is_not_made_here(tmp_path: Path) -> None:
    with open_domain(tmp_path, hook=letter) as domain:
        submission = made(entry={"slots": {"repositoryUniqueId": "1.2.3.4"}})
        register_on_demand(domain, submission)
        assert [f.code for f in retrieve(domain, asked(1)).findings] == [ErrorCode.DOCUMENT_UNIQUE_ID_ERROR]


# ---- ITI-43 with persistence ----


def test_a_snapshot_is_registered_before_the_answer(tmp_path: Path) -> None:
    with making(tmp_path, lambda *_: (CONTENT, "application/pdf"), persistent=True) as domain:
        (document,) = retrieve(domain, asked(1)).documents
        assert document.new_repository_unique_id == REPOSITORY
        assert not document.transient
        (source,) = entries(domain, v.ON_DEMAND_DOCUMENT)
        (snapshot,) = entries(domain, v.STABLE_DOCUMENT)
        assert snapshot.unique_id == document.new_document_unique_id
        assert (snapshot.mime_type, snapshot.size, snapshot.repository_unique_id) == (
            "application/pdf",
            str(len(CONTENT)),
            REPOSITORY,
        )
        assert [c[2:] for c in snapshot.classifications] == [c[2:] for c in source.classifications]
        links = about(domain, snapshot.id)
        assert [item.KIND for item in links if isinstance(item, SubmissionSet)] == ["SubmissionSet"]
        (link,) = [a for a in links if isinstance(a, Association) and a.association_type == v.IS_SNAPSHOT_OF]
        assert (link.source, link.target) == (snapshot.id, source.id)
        assert domain.documents() == [CONTENT]


def test_the_snapshot_can_be_retrieved_by_its_new_ids(tmp_path: Path) -> None:
    with making(tmp_path, letter, persistent=True) as domain:
        (document,) = retrieve(domain, asked(1)).documents
        again = replace_id(asked(1), document.new_document_unique_id or "")
        response = retrieve(domain, again)
        assert content(domain, response) == [CONTENT]
        assert response.documents[0].new_document_unique_id is None


def replace_id(request: Any, unique_id: str) -> Any:
    return request._replace(document_unique_id=unique_id)


def test_a_snapshot_keeps_the_rules_of_a_registration(tmp_path: Path) -> None:
    seen: list[Submission] = []
    with making(tmp_path, letter, persistent=True) as domain:
        commit = domain.registry.submission_change

        def watched(call: Any, final: Any, *others: Any) -> Any:
            seen.append(final.submission)
            return commit(call, final, *others)

        domain.registry.submission_change = watched  # type: ignore[method-assign]
        retrieve(domain, asked(1))
    (submission,) = seen
    assert check_submission(submission, actor="registry", transaction="ITI-42") == ()


def test_unchanged_content_is_registered_once(tmp_path: Path) -> None:
    contents = iter([b"one", b"one", b"two", b"one"])
    with making(tmp_path, lambda *_: (next(contents), None), persistent=True) as domain:
        given = [content(domain, retrieve(domain, asked(1))) for _ in range(4)]
        assert given == [[b"one"], [b"one"], [b"two"], [b"one"]]
        assert len(entries(domain, v.STABLE_DOCUMENT)) == 2
        assert domain.documents() == [b"one", b"two"]
        assert [event.transaction for event in domain.changes()] == ["ITI-61", "ITI-42", "ITI-42"]


def test_of_many_that_make_the_same_at_once_one_is_registered(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def hook(*_: Any) -> Any:
        together.wait(30)
        return CONTENT, None

    with making(tmp_path, hook, persistent=True, at_once=4, seconds=60) as domain:
        answers: list[RetrieveResponse] = []
        threads = [threading.Thread(target=lambda: answers.append(retrieve(domain, asked(1)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [response.findings for response in answers] == [()] * 4
        assert len({response.documents[0].new_document_unique_id for response in answers}) == 1
        assert len(entries(domain, v.STABLE_DOCUMENT)) == 1
        assert domain.documents() == [CONTENT]


def test_a_deprecated_entry_gets_no_snapshot(tmp_path: Path) -> None:
    with making(tmp_path, letter, persistent=True) as domain:
        (old,) = entries(domain)
        register_on_demand(domain, made(2, relationships=(make_association("Document02", old.id, v.RPLC),)))
        response = retrieve(domain, asked(1))
        assert [f.rule for f in response.findings] == ["ihe.onDemand.snapshot"]
        assert domain.documents() == []
