"""kill -9 during a reset, under load: all that was there is there, or nothing of it; two workers go on."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from tests.gateways import RunningGateway
from tests.wire.commands import PROGRAM, environment, run
from tests.wire.messages import Answer, Provide, find_documents, new_patient, provide, retrieve, send

from .test_kill import KILLS
from .test_kill_feeds import all_survivors

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


def resets(gateway: RunningGateway) -> int:
    """How many resets the audit has."""
    with closing(sqlite3.connect(gateway.data_folder / "registry.sqlite3")) as database:
        events = [json.loads(text) for (text,) in database.execute("SELECT event FROM audit_event")]
    return sum(event["transaction"] == "reset" for event in events)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reset_that_is_killed_has_happened_or_not(start_gateway, tmp_path, workers):
    chance = random.Random(workers)
    settings = {"workers": workers, "domains": [{"allow_reset": True}]}
    gateway = start_gateway(**settings)
    config = str(gateway.log.parent / "gateway.toml")
    arguments = [*PROGRAM, "reset", "--config", config, "--yes"]
    seen = []
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
        known = patient in all_survivors(gateway)
        assert (found, len(returned), known) in ((0, 0, False), (DOCUMENTS, DOCUMENTS, True))
        seen.append(found)
        assert resets(gateway) == seen.count(0)  # in the audit when it has happened, and only then
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
