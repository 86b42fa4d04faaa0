"""kill -9 under load: each acknowledged access has one audit event, and the chain verifies (security.md A1, A2).

XDS_TEST_KILLS sets the number of kills; 4 when not set. Anchors and numbers are made as often as possible, so that the
keeper is hit too.
"""

import os
import random
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.contract.submissions import make_event
from tests.gateways import RunningGateway
from tests.wire.clinic import eventually
from tests.wire.messages import Answer, find_documents, new_patient, new_urn, provide, retrieve
from tests.wire.raw import call
from xds_gateway.actors.audit_keeping import days_before
from xds_gateway.actors.audit_ports import Selection
from xds_gateway.clock import now
from xds_gateway.model.messages import AuditEvent
from xds_gateway.security.anchors import anchor_key, anchor_public_key, sign_anchor, verify_anchor
from xds_gateway.storage.audit_opening import AuditStorage, open_audit
from xds_gateway.storage.opening import open_storage

from .killing import killed_under_load, under_load

KILLS = int(os.environ.get("XDS_TEST_KILLS", "4"))
SENDERS = 4
OLD = 1500  # rows, and lines
LATER = days_before(now(), 60)


@dataclass
class Caller:
    """One caller's accesses: message ids of those that were answered, and of those that were cut off."""

    patient: str = field(default_factory=new_patient)
    answered: list[str] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        """Submit, query and retrieve until the gateway is gone."""
        known: list[str] = []
        while not over.is_set():
            made = provide(b"x", patient=self.patient)
            for endpoint, message in self._messages(made, known):
                identifier = new_urn()
                sent = message(identifier)
                try:
                    response = call(gateway, f"/services/{endpoint}", sent.body, sent.headers)
                except (OSError, ssl.SSLError):
                    self.cut_off.append(identifier)
                    return
                if not response.whole:
                    self.cut_off.append(identifier)
                    return
                assert Answer(response).status == "Success", Answer(response).contexts
                self.answered.append(identifier)
            known.append(made.unique_ids[0])

    def _messages(self, made, known) -> Iterator[tuple[str, object]]:
        yield "repository", lambda identifier: made.message(message_id=identifier)
        yield "registry", lambda identifier: find_documents(self.patient, "ObjectRef", message_id=identifier)
        if known:
            yield "repository", lambda identifier: retrieve(known[-1], message_id=identifier)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("workers", [1, 2])
def test_each_acknowledged_access_has_one_event_and_the_chain_holds(start_gateway, pki, workers):
    chance = random.Random(workers)
    callers = [Caller() for _ in range(SENDERS)]
    settings = {"workers": workers, "audit": {"anchor_seconds": 0.1, "anchor_key": pki.files.audit_key}}
    gateway = start_gateway(**settings)
    folder = gateway.data_folder
    for _ in range((KILLS + 1) // 2):
        killed_under_load(gateway, [caller.work for caller in callers], chance.uniform(0.2, 1.5))
        gateway = start_gateway(data_folder=folder, **settings)
    assert gateway.stop() == 0
    with opened(folder) as audit:
        entries = list(audit.log.selected(Selection()))
        problems, anchors = verified(audit, pki)
    told = Counter(entry.event.message_id for entry in entries)
    answered = [identifier for caller in callers for identifier in caller.answered]
    assert [identifier for identifier in answered if told[identifier] != 1] == []
    assert [identifier for caller in callers for identifier in caller.cut_off if told[identifier] > 1] == []
    assert problems == []
    numbers = [entry.number for entry in entries if entry.number is not None]
    assert sorted(numbers) == [*range(1, len(numbers) + 1)]
    assert len({entry.id for entry in entries}) == len(entries)
    print(f"{len(answered)} accesses, {len(entries)} events, {anchors} anchors, {(KILLS + 1) // 2} kills of {workers}")
    assert len(answered) > KILLS


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_retention_goes_on_through_kills_and_takes_nothing_but_what_is_old(start_gateway, pki):
    chance = random.Random(5)
    settings = {"workers": 2, "audit": {"anchor_seconds": 0.1, "anchor_key": pki.files.audit_key, "retention_days": 30}}
    gateway = start_gateway(**settings)
    folder = gateway.data_folder
    gateway.stop()
    with old_audit(folder, pki) as audit:
        assert len(list(audit.log.selected(Selection(until=LATER)))) == 2 * OLD
    callers = [Caller() for _ in range(SENDERS)]
    for _ in range((KILLS + 1) // 2):
        gateway = start_gateway(data_folder=folder, **settings)
        killed_under_load(gateway, [caller.work for caller in callers], chance.uniform(0.2, 1.0))
    gateway = start_gateway(data_folder=folder, **settings)
    with under_load(gateway, [caller.work for caller in callers]), opened(folder) as audit:
        eventually(lambda: not list(audit.log.selected(Selection(until=LATER))))
    assert gateway.stop() == 0
    with opened(folder) as audit:
        told = Counter(entry.event.message_id for entry in audit.log.selected(Selection()))
        problems, _ = verified(audit, pki)
    assert problems == []
    answered = [identifier for caller in callers for identifier in caller.answered]
    assert {told[identifier] for identifier in answered} == {1}


def old_event(second: int) -> AuditEvent:
    return make_event(at=f"{days_before(now(), 90)[:8]}09{second // 60:02}{second % 60:02}", message_id=f"urn:{second}")


@contextmanager
def old_audit(folder: Path, pki) -> Iterator[AuditStorage]:
    """Rows and lines of months ago, numbered and anchored then."""
    url = f"sqlite:///{folder}/registry.sqlite3"
    storage = open_storage(url, folder, "default", writer_name="old-0", spool_quota=0)
    try:
        for second in range(OLD):
            storage.registry.write(lambda store, second=second: store.audit(old_event(second)))
        storage.journal.record(*map(old_event, range(OLD)))
    finally:
        storage.close()
    with opened(folder) as audit:
        while audit.book.take_up(500):
            pass
        audit.book.anchor(LATER, partial(sign_anchor, key=anchor_key(pki.files.audit_key.read_bytes())))
        yield audit


def opened(folder: Path) -> AbstractContextManager[AuditStorage]:
    return open_audit(f"sqlite:///{folder}/registry.sqlite3", folder, wait_seconds=10)


def verified(audit: AuditStorage, pki) -> tuple[list[object], int]:
    key = anchor_public_key(pki.files.audit_key.read_bytes())
    run = audit.verification(lambda content, signature: verify_anchor(content, signature, [key]))
    return list(run.problems()), run.anchors
