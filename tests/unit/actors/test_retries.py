"""A submission that is sent again: its first outcome, stored once, whatever has happened to it since."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.unit.actors import test_updates as updates
from tests.unit.actors.test_registry import answer, find, numbered
from tests.unit.builders import (
    CONTENT,
    OTHER_PATIENT,
    PATIENT,
    REGISTERED,
    make_association,
    make_entry,
    make_folder,
    make_set,
    make_submission,
)
from tests.unit.domains import NOW, Domain, make_call, open_domain
from tests.unit.strategies import CLASSIFICATIONS, SLOTS, STRINGS, tuples
from tests.unit.updates import make_status_update, make_update
from xds_gateway.actors.patient_ports import PatientMerge
from xds_gateway.actors.ports import Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, RequestRefused
from xds_gateway.model.identifiers import parse_patient_id
from xds_gateway.model.messages import DocumentPart, ProvideRequest, RegisterRequest, RegistryResponse
from xds_gateway.model.metadata import Association, Submission
from xds_gateway.model.principal import Call, Principal

REGISTER = make_call("ITI-42")
ANOTHER = make_call("ITI-42", principal=Principal(node="CN=Cabinet Sud", address="127.0.0.1"))
AGAIN = RegistryResponse(retried=True)
Send = Callable[[Domain, Submission], RegistryResponse]


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    with open_domain(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with open_domain(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


def register(domain: Domain, submission: Submission, call: Call = REGISTER) -> RegistryResponse:
    return domain.registry.register(call, RegisterRequest(submission=submission))


def provide(domain: Domain, submission: Submission, content: bytes = CONTENT) -> RegistryResponse:
    request = ProvideRequest(
        submission=submission,
        parts=tuple(DocumentPart(entry.id, f"{entry.id}@x", None) for entry in submission.document_entries),
    )
    spooled = {entry.id: domain.spool(content) for entry in submission.document_entries}
    return domain.repository.provide(make_call("ITI-41"), request, spooled)


def refused(domain: Domain, submission: Submission, call: Call = REGISTER) -> list[ErrorCode]:
    with pytest.raises(RequestRefused) as raised:
        register(domain, submission, call)
    return [found.code for found in raised.value.findings]


def renamed(submission: Submission) -> Submission:
    """The same with other symbolic ids, as a sender makes them that forgot the first ones."""
    names = {item.id: f"again-{item.id}" for item in submission.objects}

    def name(item: Any) -> Any:
        if not isinstance(item, Association):
            return replace(item, id=names[item.id])
        ends = (names.get(item.source, item.source), names.get(item.target, item.target))
        return replace(item, id=names[item.id], source=ends[0], target=ends[1])

    return replace(
        submission,
        submission_sets=tuple(map(name, submission.submission_sets)),
        document_entries=tuple(map(name, submission.document_entries)),
        folders=tuple(map(name, submission.folders)),
        associations=tuple(map(name, submission.associations)),
    )


def reordered(submission: Submission) -> Submission:
    return replace(
        submission,
        document_entries=submission.document_entries[::-1],
        associations=submission.associations[::-1],
        folders=submission.folders[::-1],
    )


def rich(number: int = 1) -> Submission:
    """Two documents, a folder that holds one of them, and an addendum between them."""
    base, other = make_entry(number), make_entry(number + 1)
    folder = make_folder(number)
    submission = make_submission(entries=(base, other), folders=(folder,), submission_set=make_set(number))
    membership = make_association(folder.id, base.id, v.HAS_MEMBER, id="membership")
    named = make_association(submission.submission_sets[0].id, "membership", v.HAS_MEMBER, id="named")
    return replace(submission, associations=(*submission.associations, membership, named))


def traces(domain: Domain) -> tuple[object, ...]:
    return answer(domain, find()), domain.documents(), domain.spooled()


# --- the same again


@pytest.mark.parametrize("change", [lambda s: s, renamed, reordered], ids=["as it was", "other ids", "other order"])
@pytest.mark.parametrize("submission", [numbered(1), rich()], ids=["one document", "folder"])
def test_what_is_sent_again_is_registered_once(
    domain: Domain, submission: Submission, change: Callable[[Submission], Submission]
) -> None:
    assert register(domain, submission) == RegistryResponse()
    before = traces(domain)
    assert register(domain, change(submission)) == AGAIN
    assert traces(domain) == before


def test_a_document_that_is_sent_again_is_stored_once(domain: Domain) -> None:
    assert provide(domain, numbered(1)) == RegistryResponse()
    before = traces(domain)
    assert provide(domain, renamed(numbered(1))) == AGAIN
    assert traces(domain) == before


def test_the_audit_tells_a_retry(domain: Domain) -> None:
    register(domain, numbered(1))
    register(domain, numbered(1))
    first, second = domain.changes()
    assert (first.note, second.note, second.outcome) == (None, "retry", "success")
    assert (second.patient_ids, second.node) == (first.patient_ids, first.node)


@settings(max_examples=60, deadline=None)
@given(slots=tuples(SLOTS), name=STRINGS, description=STRINGS, classifications=tuples(CLASSIFICATIONS))
def test_whatever_a_sender_writes_is_known_again(shared: Domain, **written: Any) -> None:
    """What is stored reads as what was sent."""
    number = len(shared.changes()) + 100
    made = numbered(number)
    (entry,) = made.document_entries
    added = {name: (*getattr(entry, name), *values) for name, values in written.items()}
    submission = replace(made, document_entries=(replace(entry, **added),))
    assert register(shared, submission) == RegistryResponse()
    assert register(shared, renamed(submission)) == AGAIN


# --- later changes stay


def replaced(domain: Domain) -> None:
    (entry,) = answer(domain, find())
    link = make_association("Document02", entry.id, v.RPLC)
    register(domain, numbered(2, relationships=(link,)))


def deprecated(domain: Domain) -> None:
    (entry,) = answer(domain, find())
    domain.storage.registry.write(lambda store: store.set_status((entry.id,), v.DEPRECATED))


def merged(domain: Domain) -> None:
    one, other = (parse_patient_id(text) for text in (PATIENT, OTHER_PATIENT))
    assert one
    assert other

    def work(store: Transaction) -> None:
        store.add_patient(other)
        store.merge_patients(PatientMerge(subsumed=one, surviving=other, at=NOW, by="feed", message_id="1"))

    domain.storage.registry.write(work)


@pytest.mark.parametrize("later", [replaced, deprecated, merged])
def test_a_late_retry_undoes_nothing(domain: Domain, later: Callable[[Domain], None]) -> None:
    register(domain, numbered(1))
    later(domain)
    before = traces(domain)
    assert register(domain, numbered(1)) == AGAIN
    assert traces(domain) == before


def test_a_replacement_is_known_again_though_its_target_is_deprecated_by_itself(domain: Domain) -> None:
    register(domain, rich())
    target = next(item for item in answer(domain, find()) if item.unique_id == make_entry(1).unique_id)
    link = make_association("Document05", target.id, v.RPLC)
    replacement = numbered(5, relationships=(link,))
    assert register(domain, replacement) == RegistryResponse()  # which adds the folder's memberships by itself
    before = traces(domain)
    assert register(domain, renamed(replacement)) == AGAIN
    assert traces(domain) == before


def test_what_was_removed_is_a_duplicate_not_a_retry(domain: Domain) -> None:
    register(domain, numbered(1))
    (entry,) = answer(domain, find())
    associations = domain.storage.registry.inspect(lambda snapshot: snapshot.associations((entry.id,)))
    domain.storage.registry.write(lambda store: store.remove([*(a.uuid for a in associations), entry.id]))
    assert refused(domain, numbered(1)) == [ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY]
    assert answer(domain, find()) == ()


# --- not the same


def with_entry(number: int = 1, **changes: Any) -> Submission:
    return numbered(number, entry=changes)


def with_uuid(uuid: str) -> Submission:
    made = make_entry(1, id=uuid)
    return make_submission(entries=(made,), submission_set=make_set(1))


#   what differs              first, then
OTHERS: dict[str, tuple[Submission, Submission]] = {
    "a slot": (with_entry(), with_entry(slots={"languageCode": "en-GB"})),
    "a slot more": (with_entry(), with_entry(slots={"urn:example:more": "1"})),
    "a code": (with_entry(), with_entry(codes={v.DE_CLASS_CODE: ()})),
    "a title": (with_entry(), with_entry(name=())),
    "a media type": (with_entry(), with_entry(mime_type="text/html")),
    "the hash": (with_entry(), with_entry(slots={"hash": "0" * 40})),
    "the set": (with_entry(), numbered(1, set={"slots": {"submissionTime": "2026"}})),
    "the document": (with_entry(), make_submission(entries=(make_entry(2),), submission_set=make_set(1))),
    "a document more": (with_entry(), make_submission(entries=(make_entry(), make_entry(2)))),
    "a document less": (make_submission(entries=(make_entry(), make_entry(2))), with_entry()),
    "an association": (
        numbered(1, relationships=(make_association("Document01", REGISTERED, v.SIGNS),)),
        numbered(1, relationships=(make_association("Document01", REGISTERED, v.XFRM),)),
    ),
    "the given UUID": (with_uuid(REGISTERED), with_uuid(REGISTERED.replace("5e9a", "5e9b"))),
    "the patient": (
        with_entry(),
        numbered(
            1,
            entry={"identifiers": {v.DE_PATIENT_ID: OTHER_PATIENT}},
            set={"identifiers": {v.SS_PATIENT_ID: OTHER_PATIENT}},
        ),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_submission_with_the_uniqueid_of_a_set_is_a_duplicate(domain: Domain, name: str) -> None:
    first, then = OTHERS[name]
    if name == "an association":
        register(domain, make_submission(entries=(make_entry(9, id=REGISTERED),), submission_set=make_set(9)))
    register(domain, first)
    before = traces(domain)
    assert ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY in refused(domain, then)
    assert traces(domain) == before


def test_what_another_caller_sends_is_a_duplicate(domain: Domain) -> None:
    register(domain, numbered(1))
    assert refused(domain, numbered(1), ANOTHER) == [ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY]


def test_only_the_sender_is_told_that_it_was_the_sender(domain: Domain) -> None:
    register(domain, numbered(1))
    hints = []
    for call in (REGISTER, ANOTHER):
        with pytest.raises(RequestRefused) as raised:
            register(domain, with_entry(name=()), call)
        hints += [found.hint or "" for found in raised.value.findings]
    assert hints[0] == (
        "you have registered this set with a message in which the DocumentEntry Document01 was not so; "
        "a new submission needs a new uniqueId."
    )
    assert "you have" not in hints[1]


def test_other_bytes_are_a_duplicate_and_are_not_kept(domain: Domain) -> None:
    undescribed = with_entry(slots={"hash": None, "size": None})
    provide(domain, undescribed)
    before = traces(domain)
    with pytest.raises(RequestRefused) as raised:
        provide(domain, undescribed, b"other bytes")
    assert ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY in {found.code for found in raised.value.findings}
    assert traces(domain) == before


def test_a_strict_domain_refuses_what_comes_again(tmp_path: Path) -> None:
    with open_domain(tmp_path, safe_retries=False) as domain:
        register(domain, numbered(1))
        assert refused(domain, numbered(1)) == [ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY]


def test_a_set_of_a_release_that_kept_no_receipts_is_a_duplicate(domain: Domain) -> None:
    register(domain, numbered(1))
    domain.storage.registry.write(lambda store: store._cursor.execute("UPDATE submission_set SET sender = NULL"))  # type: ignore[attr-defined]
    assert refused(domain, numbered(1)) == [ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY]


def test_a_dry_run_tells_a_retry_and_keeps_nothing(domain: Domain) -> None:
    register(domain, numbered(1))
    changes = domain.changes()
    told = register(domain, numbered(1), make_call("ITI-42", dry_run=True))
    assert [(effect.effect, effect.object_id) for effect in told.planned or ()] == [("retry", "SubmissionSet01")]
    assert domain.changes() == changes
    assert [event.note for event in domain.journal()] == ["dry run"]


# --- updates (ITI-57, ITI-92)


def status_update(status: str = v.DEPRECATED) -> Submission:
    before = v.APPROVED if status == v.DEPRECATED else v.DEPRECATED
    command = make_status_update(updates.OLD, before, status, source="SubmissionSet02")
    return make_update(associations=(command,), submission_set=make_set(2, home=None))


@pytest.mark.parametrize(
    ("transaction", "sent"),
    [("ITI-57", updates.update()), ("ITI-92", updates.update()), ("ITI-57", status_update())],
    ids=["new version", "restricted", "status"],
)
def test_an_update_that_is_sent_again_is_performed_once(domain: Domain, transaction: str, sent: Submission) -> None:
    updates.registered(domain)
    assert updates.perform(domain, sent, transaction) == RegistryResponse()
    before = updates.state(domain)
    assert updates.perform(domain, sent, transaction) == AGAIN
    assert updates.state(domain) == before
    assert [event.note for event in domain.changes()] == [None, None, "retry"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (updates.update(), updates.update(entry={"name": ()})),
        (status_update(), status_update(v.APPROVED)),
        (updates.update(), updates.update(set={"name": ()})),
    ],
    ids=["content", "status", "set"],
)
def test_another_update_with_the_uniqueid_of_a_set_is_a_duplicate(
    domain: Domain, first: Submission, then: Submission
) -> None:
    updates.registered(domain)
    updates.perform(domain, first)
    assert "ihe.registry.uniqueId.set" in updates.refusal(domain, then)
