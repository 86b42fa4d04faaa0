"""kill -9 at random moments during feeds and merges: an AA is never a lie, and every merge is whole or is not.

The number of kills is bounded as in test_kill.py.
"""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest

from tests.gateways import RunningGateway
from tests.wire.feeds import adt, fed_domain, sending
from tests.wire.messages import accepted, find_documents, new_patient, provide, send

from .test_kill import KILLS

SENDERS = 3
TOGETHER = 5


@dataclass
class HospitalSystem:
    """Registers patients and merges each into the next, until the gateway is gone; resends what had no answer."""

    patients: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)  # merged one into the next, all acknowledged
    pending: list[bytes] = field(default_factory=list)  # sent, and perhaps not taken
    names: list[list[str]] = field(default_factory=list)  # of each pending message: the patients it is about
    acknowledged: int = 0

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        try:
            with sending(gateway) as sender:
                while not over.is_set():
                    if not self.pending:
                        self._plan()
                    answers = sender.send(*self.pending)
                    assert set(answers) <= {"AA"}
                    self._done(len(answers))
        except OSError:
            return

    def _plan(self) -> None:
        """Some new patients, then the end of the chain is merged into one of them."""
        fresh = [new_patient() for _ in range(TOGETHER)]
        self.names = [[patient] for patient in fresh]
        self.pending = [adt("A04", patient) for patient in fresh]
        if self.chain:
            self.names.append([self.chain[-1], fresh[0]])
            self.pending.append(adt("A40", fresh[0], self.chain[-1]))

    def _done(self, count: int) -> None:
        for names in self.names[:count]:
            if len(names) == 1:
                self.patients.append(names[0])
            else:
                self.chain.append(names[1])
        self.acknowledged += count
        self.pending, self.names = self.pending[count:], self.names[count:]

    def settle(self, gateway: RunningGateway) -> None:
        """What was acknowledged holds after a kill; what was not is taken when it is sent again."""
        with sending(gateway) as sender:
            if self.patients:
                assert sender.send(adt("A08", self.patients[-1])) == ["AA"]
            for merged in self.chain[:-1]:
                assert sender.send(adt("A04", merged)) == ["AE"]
            if self.pending:
                assert set(sender.send(*self.pending)) == {"AA"}
                self._done(len(self.pending))
        for patient in self.patients[-3:]:
            if patient not in self.chain[:-1]:
                assert send(gateway, provide(b"x", patient=patient).message()).status == "Success"
        assert len(send(gateway, find_documents(self.chain[-1])).entries) >= 1
        for merged in self.chain[-4:-1]:
            assert send(gateway, find_documents(merged)).entries == []


@pytest.mark.parametrize("workers", [1, 2])
def test_feeds_and_merges_survive_kill_9_whole_or_not_at_all(start_gateway, pki, workers):
    chance = random.Random(workers)
    settings = fed_domain(pki)
    gateway = start_gateway(workers=workers, **settings)
    systems = [HospitalSystem() for _ in range(SENDERS)]
    for system in systems:
        first = new_patient()
        with sending(gateway) as sender:
            assert sender.send(adt("A04", first)) == ["AA"]
        accepted(gateway, provide(b"the letter", patient=first))
        system.chain.append(first)
    for _ in range((KILLS + 3) // 4):
        over = threading.Event()
        threads = [threading.Thread(target=system.work, args=(gateway, over)) for system in systems]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.1, 0.6))
        gateway.kill()
        over.set()
        for thread in threads:
            thread.join()
        gateway = start_gateway(workers=workers, data_folder=gateway.data_folder, **settings)
        for system in systems:
            system.settle(gateway)
    assert sum(system.acknowledged for system in systems) > 0
