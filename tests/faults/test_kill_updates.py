"""kill -9 at random moments while documents are updated (ITI-57, ITI-92).

What was acknowledged is there, and of every update all is there or nothing: version, status, folder, set. The number
of kills is bounded as in test_kill.py.
"""

import random
import ssl
import threading
from dataclasses import dataclass, field

import pytest

from tests.gateways import RunningGateway
from tests.wire.messages import Answer, Provide, new_patient, query, retrieve, send
from tests.wire.raw import call
from tests.wire.updates import associations, filed, message, titled, told, update, versions
from xds_gateway.model.metadata import Folder, Submission

from .killing import killed_under_load
from .test_kill import KILLS

SENDERS = 4


@dataclass
class Administrator:
    """Updates one document in a folder, version after version, until the gateway is gone."""

    made: Provide
    uuid: str
    folder: Folder
    patient: str
    version: int = 1  # acknowledged, or found after a kill
    sets: list[Submission] = field(default_factory=list)  # of versions 2 and on, the last one perhaps not there
    acknowledged: int = 0

    def work(self, gateway: RunningGateway, over: threading.Event) -> None:
        while not over.is_set():
            entry = titled(self.made, self.uuid, f"version {self.version + 1}")
            sent = update(self.patient, entry, previous=self.version)
            self.sets = [*self.sets[: self.version - 1], sent]
            request = message(sent, ("ITI-57", "ITI-92")[self.version % 2])
            try:
                response = call(gateway, f"/services/{request.endpoint}", request.body, request.headers)
            except (OSError, ssl.SSLError):
                return
            if not response.whole:
                return
            assert Answer(response).status == "Success", Answer(response).contexts
            self.version += 1
            self.acknowledged += 1

    def settle(self, gateway: RunningGateway) -> None:
        """All versions are there, one after the other; perhaps one more than was acknowledged."""
        found = versions(gateway, self.made.unique_ids[0])
        count = len(found)
        assert count in (self.version, self.version + 1)
        statuses = ["Deprecated"] * (count - 1) + ["Approved"]
        assert [told(e) for e in found] == [(self.uuid, str(n), s) for n, s in enumerate(statuses, 1)]
        self.version = count
        parameters = {"$XDSFolderUniqueId": f"'{self.folder.unique_id}'"}
        (current,) = send(gateway, query("GetFolderAndContents", parameters)).entries
        assert current.get("id") == found[-1].get("id")
        around = associations(gateway, *(e.get("id") for e in found))
        assert len(around) == 2 * count  # of each version its set's and its folder's
        for number, sent in enumerate(self.sets, 2):
            named = {"$XDSSubmissionSetUniqueId": f"'{sent.submission_sets[0].unique_id}'", "$MetadataLevel": "2"}
            assert bool(send(gateway, query("GetSubmissionSetAndContents", named)).entries) is (number <= count)
        assert send(gateway, retrieve(*self.made.unique_ids)).documents == {self.made.unique_ids[0]: b"the letter"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # wrap_socket leaks a reset socket
@pytest.mark.parametrize("workers", [1, 2])
def test_updates_survive_kill_9_whole_or_not_at_all(start_gateway, workers):
    chance = random.Random(workers)
    gateway = start_gateway(workers=workers)
    folder = gateway.data_folder
    senders = []
    for patient in (new_patient() for _ in range(SENDERS)):
        senders.append(Administrator(*filed(gateway, patient), patient))
    for _ in range((KILLS + 3) // 4):
        killed_under_load(gateway, [sender.work for sender in senders], chance.uniform(0.1, 0.6))
        gateway = start_gateway(workers=workers, data_folder=folder)
        for sender in senders:
            sender.settle(gateway)
    assert gateway.stop() == 0
    assert sum(sender.acknowledged for sender in senders) > KILLS // 4
