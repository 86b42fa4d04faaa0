"""kill -9 at random moments while documents move between two patients: wholly moved or not at all, AA is never a lie.

The number of kills is bounded as in test_kill.py.
"""

import random
import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from lxml import etree

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_member
from tests.wire.feeds import adt, fed_domain, link_change, sending
from tests.wire.messages import (
    Provide,
    accepted,
    entry_for,
    find_documents,
    new_patient,
    new_urn,
    provide,
    query,
    retrieve,
    send,
)
from tests.wire.updates import BOTH_STATUSES, folder_of, told
from xds_gateway.model import vocabulary as v

from .killing import killed_under_load
from .test_kill import KILLS

DOCUMENTS = 6
LOCAL = "IPP-77^^^&1.3.6.1.4.1.21367.13.20.9&ISO"


@dataclass
class Shuttle:
    """Moves a folder with its documents to and fro between two patients until the gateway is gone."""

    patients: tuple[str, str] = field(default_factory=lambda: (new_patient(), new_patient()))
    unique_ids: tuple[str, ...] = ()
    moves: int = 0  # acknowledged, or found done after a kill
    pending: bytes = b""

    def begin(self, gateway: RunningGateway) -> None:
        with sending(gateway) as sender:
            assert sender.send(*(adt("A04", patient) for patient in self.patients)) == ["AA", "AA"]
        self.unique_ids = accepted(gateway, _record(self.patients[0])).unique_ids

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        try:
            with sending(gateway) as sender:
                while not over.is_set():
                    here, there = self._ends()
                    self.pending = self.pending or link_change(there, LOCAL, here)
                    answers = sender.send(self.pending)
                    if not answers:
                        return
                    assert answers == ["AA"]
                    self.moves, self.pending = self.moves + 1, b""
        except OSError:
            return

    def _ends(self) -> tuple[str, str]:
        """Whose the documents are now, and who gets them next."""
        return self.patients if self.moves % 2 == 0 else self.patients[::-1]

    def settle(self, gateway: RunningGateway) -> None:
        """All is where it was, or all is where it was going to; the message may come again either way."""
        here, there = self._ends()
        if self.pending and len(_approved(gateway, there)) == DOCUMENTS:
            self._check(gateway, there, self.moves + 1)
        else:
            self._check(gateway, here, self.moves)
        if self.pending:
            with sending(gateway) as sender:
                assert sender.send(self.pending, self.pending) == ["AA", "AA"]
            self.moves, self.pending = self.moves + 1, b""
            self._check(gateway, there, self.moves)

    def _check(self, gateway: RunningGateway, owner: str, moves: int) -> None:
        (other,) = set(self.patients) - {owner}
        entries = _approved(gateway, owner)
        assert _approved(gateway, other) == []
        assert {told(each)[1] for each in entries} == {str(moves + 1)}
        versions = [send(gateway, find_documents(p, Status=BOTH_STATUSES)).entries for p in self.patients]
        assert sum(map(len, versions)) == DOCUMENTS * (moves + 1)
        (folder,) = _folders(gateway, owner)
        assert (told(folder)[1], _folders(gateway, other)) == (str(moves + 1), [])
        parameters = {"$XDSFolderEntryUUID": f"'{folder.get('id')}'"}
        held = send(gateway, query("GetFolderAndContents", parameters)).entries
        assert {each.get("id") for each in held} == {each.get("id") for each in entries}
        assert len(send(gateway, retrieve(*self.unique_ids)).documents) == DOCUMENTS


def _record(patient: str) -> Provide:
    """Documents in a folder, with a chain of addenda."""
    folder = folder_of(patient)
    contents = [b"document %d" % number for number in range(DOCUMENTS)]
    entries = tuple(entry_for(each, patient, number, id=new_urn()) for number, each in enumerate(contents, 1))
    filings = [make_association(folder.id, entry.id) for entry in entries]
    chain = [make_association(b.id, a.id, v.APND) for a, b in pairwise(entries)]
    made = provide(*contents, patient=patient, entries=entries, folders=(folder,), relationships=[*filings, *chain])
    set_id = made.submission.submission_sets[0].id
    links = (*made.submission.associations, *(make_member(set_id, each.id, None) for each in filings))
    return replace(made, submission=replace(made.submission, associations=links))


def _approved(gateway: RunningGateway, patient: str) -> list[etree._Element]:
    return send(gateway, find_documents(patient)).entries


def _folders(gateway: RunningGateway, patient: str) -> list[etree._Element]:
    parameters = {"$XDSFolderPatientId": f"'{patient}'", "$XDSFolderStatus": f"('{v.APPROVED}')"}
    return send(gateway, query("FindFolders", parameters)).all(".//rim:RegistryPackage")


@pytest.mark.parametrize("workers", [1, 2])
def test_moves_survive_kill_9_whole_or_not_at_all(start_gateway, pki, workers):
    chance = random.Random(workers)
    settings = fed_domain(pki)
    gateway = start_gateway(workers=workers, **settings)
    shuttles = [Shuttle() for _ in range(2)]
    for shuttle in shuttles:
        shuttle.begin(gateway)
    for _ in range((KILLS + 5) // 6):
        killed_under_load(gateway, [shuttle.work for shuttle in shuttles], chance.uniform(0.1, 0.5))
        gateway = start_gateway(workers=workers, data_folder=gateway.data_folder, **settings)
        for shuttle in shuttles:
            shuttle.settle(gateway)
    assert sum(shuttle.moves for shuttle in shuttles) > 0
