"""kill -9 at random moments during feeds and merges: an AA is never a lie, and every merge is whole or is not.

The number of kills is bounded as in test_kill.py.
"""

import json
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import pytest
from lxml import etree

from tests.gateways import RunningGateway
from tests.wire.feeds import ADDED, MERGED, adt, fed_domain, sending, v3
from tests.wire.messages import Message, accepted, find_documents, new_patient, provide, send
from tests.wire.relay import Cut, Relay
from xds_gateway.administering import administration
from xds_gateway.codec.hl7v3 import parse_accept_ack
from xds_gateway.config import load

from .killing import killed_under_load
from .test_kill import KILLS

SENDERS = 3
TOGETHER = 5
EVERYBODY = 10**6


class Told(NamedTuple):
    """A message and whom it is about; `subsumed` is merged into `patient`."""

    content: Any
    patient: str
    subsumed: str | None = None


class Way(NamedTuple):
    """How messages travel: registrations and merges are made, and sent, each with its acknowledgment."""

    transaction: str
    register: Callable[[str], Any]
    merge: Callable[[str, str], Any]
    sending: Callable[[RunningGateway], AbstractContextManager[Any]]
    taken: str
    refused: str


class SoapSender:
    """One message after the other, until the gateway is gone."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._gateway = gateway

    def send(self, *messages: Message) -> list[str]:
        """The codes of the acknowledgments that came."""
        codes: list[str] = []
        for message in messages:
            try:
                answer = send(self._gateway, message)
            except (OSError, etree.XMLSyntaxError) as gone:  # also when it was cut
                if not codes:
                    raise OSError from gone
                break
            codes.append(parse_accept_ack(answer.root[1][0]).type_code)
        return codes


MLLP = Way("ITI-8", partial(adt, "A04"), partial(adt, "A40"), sending, "AA", "AE")
SOAP = Way("ITI-44", partial(v3, ADDED), partial(v3, MERGED), lambda g: nullcontext(SoapSender(g)), "CA", "CE")


@dataclass
class HospitalSystem:
    """Registers patients and merges each into the next, until the gateway is gone; resends what had no answer."""

    way: Way
    patients: list[str] = field(default_factory=list)  # acknowledged
    chain: list[str] = field(default_factory=list)  # merged one into the next, all acknowledged
    pending: list[Told] = field(default_factory=list)  # sent, and perhaps not taken
    acknowledged: int = 0

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        try:
            with self.way.sending(gateway) as sender:
                while not over.is_set():
                    if not self.pending:
                        self._plan()
                    answers = sender.send(*(told.content for told in self.pending))
                    assert set(answers) <= {self.way.taken}
                    self._done(len(answers))
        except OSError:
            return

    def _plan(self) -> None:
        """Some new patients, then the end of the chain is merged into one of them."""
        fresh = [new_patient() for _ in range(TOGETHER)]
        self.pending = [Told(self.way.register(patient), patient) for patient in fresh]
        if self.chain:
            end = self.chain[-1]
            self.pending.append(Told(self.way.merge(fresh[0], end), fresh[0], end))

    def _done(self, count: int) -> None:
        for told in self.pending[:count]:
            (self.chain if told.subsumed else self.patients).append(told.patient)
        self.acknowledged += count
        self.pending = self.pending[count:]

    def check(self, gateway: RunningGateway, survivors: Mapping[str, str]) -> None:
        """All that was acknowledged holds; a merge without an answer has happened to all of the chain, or to none."""
        assert survivors.keys() >= set(self.patients)
        (end,) = {survivors[patient] for patient in self.chain}
        unanswered = {told.patient for told in self.pending if told.subsumed}
        assert end == self.chain[-1] or end in unanswered
        assert all(survivors[patient] == patient for patient in self.patients if patient not in self.chain)
        assert [found(gateway, patient) for patient in (end, self.chain[0])] == [1, 1 if self.chain == [end] else 0]

    def settle(self, gateway: RunningGateway) -> None:
        """What was not acknowledged is taken when it is sent again, and what was is refused or has no effect."""
        with self.way.sending(gateway) as sender:
            for merged in self.chain[:-1][-3:]:
                assert sender.send(self.way.register(merged)) == [self.way.refused]
            if self.pending:
                assert set(sender.send(*(told.content for told in self.pending))) == {self.way.taken}
                self._done(len(self.pending))
        assert send(gateway, provide(b"x", patient=self.patients[-1]).message()).status == "Success"


def found(gateway: RunningGateway, patient: str) -> int:
    return len(send(gateway, find_documents(patient)).entries)


def all_survivors(gateway: RunningGateway) -> dict[str, str]:
    """Every patient that is known, and who stands for it."""
    settings = load(gateway.log.parent / "gateway.toml", {})
    with administration(settings, "default", "tests") as administrator:
        listed = administrator.list(None, EVERYBODY)
    return {each.patient_id.as_cx(): (each.survivor or each.patient_id).as_cx() for each in listed}


def audited(gateway: RunningGateway, transaction: str = "ITI-8") -> Counter[tuple[str, str]]:
    """How often the audit has each act of the feed, by patient."""
    with closing(sqlite3.connect(gateway.data_folder / "registry.sqlite3")) as database:
        events = [json.loads(text) for (text,) in database.execute("SELECT event FROM audit_event")]
    return Counter(
        (event["action"], patient)
        for event in events
        if event["transaction"] == transaction and event["outcome"] == "success"
        for patient in event["patient_ids"]
    )


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # wrap_socket leaks a socket that is reset
@pytest.mark.parametrize(("way", "workers"), [(MLLP, 1), (MLLP, 2), (SOAP, 2)], ids=["MLLP-1", "MLLP-2", "SOAP-2"])
def test_feeds_and_merges_survive_kill_9_whole_or_not_at_all(start_gateway, pki, way, workers):
    chance = random.Random(workers)
    settings = fed_domain(pki)
    gateway = start_gateway(workers=workers, **settings)
    systems = [HospitalSystem(way) for _ in range(SENDERS)]
    for system in systems:
        first = new_patient()
        with way.sending(gateway) as sender:
            assert sender.send(way.register(first)) == [way.taken]
        accepted(gateway, provide(b"the letter", patient=first))
        system.chain.append(first)
    for _ in range((KILLS + 3) // 4):
        killed_under_load(gateway, [system.work for system in systems], chance.uniform(0.1, 0.6))
        gateway = start_gateway(workers=workers, data_folder=gateway.data_folder, **settings)
        survivors = all_survivors(gateway)
        for system in systems:
            system.check(gateway, survivors)
        for system in systems:
            system.settle(gateway)
    assert sum(system.acknowledged for system in systems) > 0
    acts = audited(gateway, way.transaction)
    for system in systems:  # each effect once, however often its message was sent
        assert {acts["C", patient] for patient in system.patients} == {1}
        assert {acts["D", patient] for patient in system.chain[:-1]} == {1}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_acknowledgment_that_was_lost_with_the_gateway_is_given_by_the_next_one(start_gateway, pki, workers):
    settings = fed_domain(pki)
    gateway = start_gateway(workers=workers, **settings)
    old, new = new_patient(), new_patient()
    with sending(gateway) as sender:
        assert sender.send(adt("A04", old), adt("A04", new)) == ["AA", "AA"]
    accepted(gateway, provide(b"the letter", patient=old))
    merge = adt("A40", new, old)

    def kill(sent: int, answered: int) -> None:
        gateway.kill()
        raise Cut

    with Relay(gateway.feed_ports[0]) as relay:
        relay.arm(on_answered=kill)
        with sending(gateway, port=relay.port) as sender:
            assert sender.send(merge) == []
    gateway = start_gateway(workers=workers, data_folder=gateway.data_folder, **settings)
    assert (found(gateway, old), found(gateway, new)) == (0, 1)  # it was committed
    with sending(gateway) as sender:
        assert sender.send(merge) == ["AA"]
    assert all_survivors(gateway)[old] == new
    assert audited(gateway)["D", old] == 1
