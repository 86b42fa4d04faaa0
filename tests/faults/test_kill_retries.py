"""kill -9 between commit and answer: the sender sends again, and what was stored is stored once."""

import random
import threading

import pytest

from tests.gateways import RunningGateway, listener
from tests.wire.messages import Answer, Message, Provide, find_documents, new_patient, provide, retrieve, send
from tests.wire.raw import call
from tests.wire.relay import Cut, Relay

from .killing import killed_under_load
from .test_kill import KILLS

OPEN = {"mounts": [{"authentication": "none"}]}
SENDERS = 4


def tried(gateway: RunningGateway, message: Message, url: str | None = None) -> bool:
    """Send once; whether an answer came, which is then a Success."""
    try:
        response = call(gateway, f"/services/{message.endpoint}", message.body, message.headers, url=url)
    except OSError:
        return False
    if response.whole:
        assert Answer(response).status == "Success", Answer(response).contexts
    return response.whole


def stored_once(gateway: RunningGateway, made: Provide, patient: str) -> None:
    assert len(send(gateway, find_documents(patient)).entries) == 1
    assert send(gateway, retrieve(*made.unique_ids)).documents[made.unique_ids[0]] in made.contents.values()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_answer_that_was_lost_with_the_gateway_is_given_by_the_next_one(start_gateway, pki, workers):
    settings = {"listeners": [listener(pki, tls="off")], "workers": workers, **OPEN}
    gateway = start_gateway(**settings)
    patient = new_patient()
    made = provide(b"the letter", patient=patient)

    def kill(sent: int, answered: int) -> None:
        gateway.kill()
        raise Cut

    with Relay(gateway.port) as relay:
        relay.arm(on_answered=kill)
        assert not tried(gateway, made.message(), f"http://127.0.0.1:{relay.port}")
    gateway = start_gateway(data_folder=gateway.data_folder, **settings)
    stored_once(gateway, made, patient)  # it was committed
    assert tried(gateway, made.message())
    stored_once(gateway, made, patient)
    files = [path for path in (gateway.data_folder / "documents").glob("??/??/*") if path.is_file()]
    assert len(files) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_senders_that_send_until_they_are_answered_store_everything_once(start_gateway, pki, workers):
    chance = random.Random(workers)
    settings = {"listeners": [listener(pki, tls="off")], "workers": workers, **OPEN}
    gateway = start_gateway(**settings)
    made: dict[str, Provide] = {}
    unanswered: list[str] = []

    def work(gateway: RunningGateway, over: threading.Event) -> None:
        while not over.is_set():
            patient = new_patient()
            made[patient] = provide(patient.encode(), patient=patient)
            if not tried(gateway, made[patient].message()):
                unanswered.append(patient)
                return

    for _ in range((KILLS + 3) // 4):
        killed_under_load(gateway, [work] * SENDERS, chance.uniform(0.1, 0.6))
        gateway = start_gateway(data_folder=gateway.data_folder, **settings)
        assert all(tried(gateway, made[patient].message()) for patient in unanswered for _ in range(2))
    assert unanswered
    for patient, submission in made.items():
        stored_once(gateway, submission, patient)
