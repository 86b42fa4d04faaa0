"""Refused nodes reach the journal, together; what cannot be written is tried again."""

import asyncio

import pytest

from xds_gateway.actors.node_authentication import NodeFailures
from xds_gateway.model.errors import StorageFull
from xds_gateway.model.nodes import NodeReason
from xds_gateway.server.watching import FailureTeller


class Journal:
    """Keeps what is recorded, one item for each write; a full one refuses."""

    def __init__(self) -> None:
        self.writes: list[list[tuple[str, tuple[str, ...]]]] = []
        self.full = False

    def record(self, *events) -> None:
        if self.full:
            raise StorageFull("no room")
        self.writes.append([(event.address, event.objects) for event in events])


async def run(function, *arguments):
    return function(*arguments)


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def teller(journal):
    failures = NodeFailures(now=lambda: "20260102030405", new_uuid=lambda: "urn:uuid:1")
    return FailureTeller(failures, journal, run)


def test_all_that_is_due_is_one_write(teller, journal):
    for number in range(3):
        teller.note(NodeReason.REVOKED, f"192.0.2.{number}", "CN=One")
    asyncio.run(teller.finish())
    assert journal.writes == [[(f"192.0.2.{number}", ()) for number in range(3)]]


def test_nothing_is_written_when_nobody_failed(teller, journal):
    asyncio.run(teller.finish())
    assert journal.writes == []


def test_what_could_not_be_written_is_told_with_the_next(teller, journal):
    journal.full = True
    teller.note(NodeReason.REVOKED, "192.0.2.1", None)
    asyncio.run(teller.finish())
    journal.full = False
    teller.note(NodeReason.REVOKED, "192.0.2.1", None)
    asyncio.run(teller.finish())
    assert journal.writes == [[("192.0.2.1", ("2 times",))]]
