"""kill -9 during a reset, under load: all that was there is there, or nothing of it; two workers go on."""

import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.gateways import RunningGateway
from tests.wire.commands import PROGRAM, environment, run
from tests.wire.messages import Answer, Provide, find_documents, new_patient, provide, retrieve, send

from .test_kill import KILLS

DOCUMENTS = 40


def fill(gateway: RunningGateway, patient: str) -> list[Provide]:
    made = [provide(f"{patient} {number}".encode(), patient=patient) for number in range(DOCUMENTS)]
    assert {send(gateway, each.message()).status for each in made} == {"Success"}
    return made


def submitting(gateway: RunningGateway, over: threading.Event, accepted: list[str]) -> None:
    """One document after the other, while the reset runs."""
    while not over.is_set():
        made = provide(b"meanwhile")
        answer: Answer = send(gateway, made.message())
        assert answer.status == "Success"
        accepted.append(made.unique_ids[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reset_that_is_killed_has_happened_or_not(start_gateway, tmp_path, workers):
    chance = random.Random(workers)
    settings = {"workers": workers, "domains": [{"allow_reset": True}]}
    gateway = start_gateway(**settings)
    config = str(gateway.log.parent / "gateway.toml")
    arguments = [*PROGRAM, "reset", "--config", config, "--yes"]
    seen = set()
    for number in range((KILLS + 3) // 4):
        patient = new_patient()
        made = fill(gateway, patient)
        over, accepted = threading.Event(), []
        thread = threading.Thread(target=submitting, args=(gateway, over, accepted))
        thread.start()
        process = subprocess.Popen(arguments, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
        if number % 2:
            time.sleep(chance.uniform(0.0, 2.0))
        else:
            until = time.monotonic() + 60  # at the moment when it is seen
            while send(gateway, find_documents(patient, "ObjectRef")).ids and time.monotonic() < until:
                pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        over.set()
        thread.join()
        found = len(send(gateway, find_documents(patient, "ObjectRef")).ids)
        returned = send(gateway, retrieve(*(u for each in made for u in each.unique_ids))).documents
        assert (found, len(returned)) in ((0, 0), (DOCUMENTS, DOCUMENTS))
        seen.add(found)
    assert 0 in seen
    assert run(tmp_path, "reset", "--config", config, "--yes").returncode == 0
    assert gateway.stop() == 0
    assert not any(path.is_file() for path in (gateway.data_folder / "documents").rglob("*"))


def test_files_of_a_killed_reset_go_with_the_next_start(start_gateway, tmp_path):
    settings = {"workers": 2, "domains": [{"allow_reset": True}]}
    gateway = start_gateway(**settings)
    fill(gateway, new_patient())
    assert gateway.stop() == 0
    config = str(gateway.log.parent / "gateway.toml")
    killed = (
        "import os, signal, sys; from pathlib import Path; from xds_gateway.storage.blobs import FileDocumentStore;"
        "FileDocumentStore.erase = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        f"from xds_gateway.cli import main; main(['reset', '--config', {config!r}, '--yes'])"
    )
    done = subprocess.run([sys.executable, "-c", killed], env=environment(), cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    folder = gateway.data_folder / "documents"
    assert sum(path.is_file() for path in folder.rglob("*")) == DOCUMENTS
    again = start_gateway(data_folder=gateway.data_folder, **settings)
    assert again.stop() == 0
    assert not any(path.is_file() for path in folder.rglob("*"))
