"""Stored bytes that changed on disk are never returned as if they were whole (security.md D3)."""

import json
from pathlib import Path

import pytest

from tests.gateways import RunningGateway
from tests.wire.messages import accepted, plain, provide, retrieve, retrieve_body, send
from tests.wire.raw import call

MIB = 1 << 20


def stored_as(gateway: RunningGateway, content: bytes) -> Path:
    """The file of a document."""
    (path,) = (
        path
        for path in (gateway.data_folder / "documents").rglob("*")
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    )
    return path


def flip(path: Path, position: int) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "first byte": lambda path: flip(path, 0),
    "last byte": lambda path: flip(path, -1),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


@pytest.fixture(scope="module")
def gateway(start_shared) -> RunningGateway:
    """A gateway whose files are changed behind its back."""
    return start_shared()


@pytest.mark.parametrize("wire", ["mtom", "inline"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_small_document_that_is_damaged_is_an_error_and_others_are_returned(gateway, damage, wire):
    whole, bad = b"whole " + damage.encode() + wire.encode(), b"damaged " + damage.encode() + wire.encode()
    provided = accepted(gateway, provide(whole, bad))
    DAMAGE[damage](stored_as(gateway, bad))
    message = retrieve(*provided.unique_ids)
    if wire == "inline":
        message = plain("ITI-43", retrieve_body(*provided.unique_ids))
    answer = send(gateway, message)
    assert (answer.status, answer.errors) == ("PartialSuccess", ["XDSRepositoryError"])
    assert answer.documents == {provided.unique_ids[0]: whole}
    assert provided.unique_ids[1] in answer.contexts[0]
    assert send(gateway, retrieve(provided.unique_ids[1])).status == "Failure"


@pytest.mark.parametrize("wire", ["mtom", "inline"])
@pytest.mark.parametrize("position", [0, MIB, 2 * MIB + 7, -1])
def test_the_answer_with_a_large_document_ends_before_the_damage(gateway, position, wire):
    content = bytes([position % 251]) * (3 * MIB) + wire.encode()
    provided = accepted(gateway, provide(content))
    flip(stored_as(gateway, content), position)
    message = retrieve(*provided.unique_ids)
    if wire == "inline":
        message = plain("ITI-43", retrieve_body(*provided.unique_ids))
    response = call(gateway, "/services/repository", message.body, message.headers)
    if response.whole:  # damage at the very beginning is seen before the answer begins
        assert content[:1000] not in response.body
        assert b"XDSRepositoryError" in response.body
    else:
        assert len(response.body) < int(response.headers["content-length"])
    assert send(gateway, retrieve("1.2.3")).status == "Failure"


@pytest.mark.parametrize("damage", ["cut off", "longer", "empty", "gone"])
def test_a_large_document_whose_file_is_not_what_was_stored_is_never_whole(gateway, damage):
    content = damage.encode() + b"x" * (2 * MIB)
    provided = accepted(gateway, provide(content))
    DAMAGE[damage](stored_as(gateway, content))
    message = retrieve(*provided.unique_ids)
    response = call(gateway, "/services/repository", message.body, message.headers)
    assert not response.whole
    assert send(gateway, retrieve("1.2.3")).status == "Failure"


def test_damage_is_an_alarm_and_in_the_audit(start_gateway):
    gateway = start_gateway()
    small, large = accepted(gateway, provide(b"small")), accepted(gateway, provide(b"large" * MIB))
    for number, (provided, content) in enumerate(((small, b"small"), (large, b"large" * MIB)), 1):
        flip(stored_as(gateway, content), len(content) // 2)
        message = retrieve(*provided.unique_ids)
        call(gateway, "/services/repository", message.body, message.headers)
        assert len(alarms(gateway)) == number
    assert gateway.stop() == 0
    journal = [path.read_text() for path in (gateway.data_folder / "journal").glob("*.jsonl")]
    assert "".join(journal).count("XDSRepositoryError") == 2


def alarms(gateway: RunningGateway) -> list[str]:
    """Documents that the log calls damaged."""
    lines = [json.loads(line) for line in gateway.log_text().splitlines()]
    return [line["document"] for line in lines if line["level"] == "critical" and line["event"] == "document damaged"]
