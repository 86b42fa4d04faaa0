"""A submission that is sent again over the wire: one answer for all, stored once, also when all come at once."""

import threading
from dataclasses import replace
from hashlib import sha1

import pytest

from tests.gateways import RunningGateway

from .messages import (
    Answer,
    Message,
    Provide,
    find_documents,
    new_oid,
    new_patient,
    provide,
    register,
    registrable,
    retrieve,
    send,
)
from .raw import call

AT_ONCE = 16


def all_at_once(gateway: RunningGateway, messages: list[Message]) -> list[Answer]:
    """The answers to messages on connections of their own, sent at the same moment."""
    together = threading.Barrier(len(messages))
    answers: list[Answer] = []

    def send_one(message: Message) -> None:
        together.wait()
        answers.append(Answer(call(gateway, f"/services/{message.endpoint}", message.body, message.headers)))

    threads = [threading.Thread(target=send_one, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def copies(gateway: RunningGateway, content: bytes) -> int:
    """How often these bytes lie in the document store."""
    wanted = sha1(content).digest()
    files = [
        path for path in (gateway.data_folder / "documents").glob("??/??/*") if path.stat().st_size == len(content)
    ]
    return sum(sha1(path.read_bytes()).digest() == wanted for path in files)


@pytest.mark.parametrize("size", [100, 400_000])
def test_the_same_submission_sixteen_times_at_once_is_stored_once(gateway2: RunningGateway, size: int) -> None:
    patient = new_patient()
    content = (patient.encode() * size)[:size]
    made = provide(content, patient=patient)
    answers = all_at_once(gateway2, [made.message() for _ in range(AT_ONCE)])
    assert [answer.status for answer in answers] == ["Success"] * AT_ONCE
    assert len(send(gateway2, find_documents(patient)).entries) == 1
    assert copies(gateway2, content) == 1
    assert send(gateway2, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: content}


def test_the_same_registration_sixteen_times_at_once_is_registered_once(gateway2: RunningGateway) -> None:
    patient = new_patient()
    submission = registrable(patient)
    answers = all_at_once(gateway2, [register(submission) for _ in range(AT_ONCE)])
    assert [answer.status for answer in answers] == ["Success"] * AT_ONCE
    assert len(send(gateway2, find_documents(patient)).entries) == 1


def test_of_different_submissions_with_one_uniqueid_one_is_registered(gateway2: RunningGateway) -> None:
    patient = new_patient()
    first = provide(b"the letter", patient=patient)
    others = [
        replace(first, submission=replace(first.submission, document_entries=(_with_new_id(first),)))
        for _ in range(AT_ONCE)
    ]
    answers = all_at_once(gateway2, [made.message() for made in others])
    assert sorted(answer.status for answer in answers) == ["Failure"] * (AT_ONCE - 1) + ["Success"]
    assert {tuple(a.errors) for a in answers if a.status == "Failure"} == {("XDSDuplicateUniqueIdInRegistry",)}
    assert len(send(gateway2, find_documents(patient)).entries) == 1


def _with_new_id(made: Provide):  # type: ignore[no-untyped-def]
    entry = made.entry
    identifiers = tuple(
        i._replace(value=new_oid()) if i.value == entry.unique_id else i for i in entry.external_identifiers
    )
    return replace(entry, external_identifiers=identifiers)


@pytest.fixture(scope="module")
def strict(start_shared) -> RunningGateway:  # type: ignore[no-untyped-def]
    """A gateway that takes the text at its word."""
    return start_shared(workers=2, domains=[{"retries": "strict"}])


def test_a_strict_domain_says_that_the_uniqueid_is_taken(strict: RunningGateway) -> None:
    made = provide(b"the letter")
    answers = all_at_once(strict, [made.message() for _ in range(AT_ONCE)])
    assert sorted(answer.status for answer in answers) == ["Failure"] * (AT_ONCE - 1) + ["Success"]
    assert {tuple(a.errors) for a in answers if a.status == "Failure"} == {("XDSDuplicateUniqueIdInRegistry",)}
