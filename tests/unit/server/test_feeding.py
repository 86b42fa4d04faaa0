"""Feed messages whose taking fails: each is told, none is accepted that was not taken, the others go on."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.unit.feeds import NOW, feed_bytes
from xds_gateway.codec.hl7v2 import parse_ack
from xds_gateway.model.errors import StorageBusy, StorageFull
from xds_gateway.model.feeds import FeedMessage, FeedProblem
from xds_gateway.model.principal import Principal
from xds_gateway.server.feeding import FeedPipeline

CALLER = Principal(node="CN=HIS", address="127.0.0.1")


class Actor:
    """Takes whole groups of messages, but for those about patients whose names it stumbles over."""

    def __init__(self, failure: Callable[[], Exception]) -> None:
        self.failure = failure
        self.taken: list[str] = []

    def feed(self, caller: Principal, messages: Sequence[FeedMessage]) -> Sequence[FeedProblem | None]:
        names = [message.patients[0].id for message in messages]
        if "STONE" in names:
            raise self.failure()
        self.taken += names
        return [None for _ in messages]


async def run(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def answered(actor: Actor, *contents: bytes) -> list[tuple[str, str]]:
    pipeline = FeedPipeline(actor, run=run, now=lambda: NOW, new_uuid=lambda: "urn:uuid:1-2")  # type: ignore[arg-type]
    answers = asyncio.run(pipeline.answers(CALLER, contents))
    return [parse_ack(answer)[:2] for answer in answers]


def message(number: int, name: str = "A") -> bytes:
    return feed_bytes("A04", name, control_id=str(number))


@pytest.mark.parametrize("failure", [StorageBusy, StorageFull])
def test_without_room_or_time_nothing_of_a_group_is_accepted(failure):
    actor = Actor(lambda: failure("no"))
    assert answered(actor, message(1), message(2, "STONE"), message(3)) == [("AR", "1"), ("AR", "2"), ("AR", "3")]
    assert actor.taken == []


def test_one_message_that_fails_does_not_take_the_others_with_it():
    actor = Actor(lambda: ZeroDivisionError("a fault of ours"))
    assert answered(actor, message(1), message(2, "STONE"), message(3, "B")) == [("AA", "1"), ("AR", "2"), ("AA", "3")]
    assert actor.taken == ["A", "B"]


def test_a_message_that_cannot_be_read_is_answered_in_its_place():
    broken = message(2).replace(b"PID|", b"ZID|")
    assert answered(Actor(ZeroDivisionError), message(1), broken, message(3)) == [("AA", "1"), ("AE", "2"), ("AA", "3")]


def test_nothing_is_taken_after_a_message_without_a_header():
    actor = Actor(ZeroDivisionError)
    assert answered(actor, message(1), b"no HL7", message(3, "B")) == [("AA", "1")]
    assert actor.taken == ["A"]


@pytest.mark.parametrize(("beginning", "answer"), [(message(7)[:120], ("AR", "7")), (b"Z" * 100, None)])
def test_a_message_that_is_too_long_is_answered_by_its_header(beginning, answer):
    pipeline = FeedPipeline(Actor(ValueError), run=run, now=lambda: NOW, new_uuid=lambda: "urn:uuid:1")  # type: ignore[arg-type]
    found = pipeline.too_long(beginning, 100)
    assert (parse_ack(found)[:2] if found else None) == answer
