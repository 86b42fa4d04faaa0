"""A file system of a few megabytes that fills up and gets room again (security.md D5)."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.wire.clinic import eventually
from tests.wire.commands import PROGRAM, environment
from tests.wire.messages import Message, find_documents, new_patient, provide, register, registrable, retrieve, send

SIZE = "24m"
FILLER = 4 << 20
REFUSALS = {"XDSRepositoryOutOfResources", "XDSRegistryOutOfResources", "XDSRepositoryBusy", "XDSRegistryBusy"}
_MOUNTED = f'mount -t tmpfs -o size={SIZE} none "$0" && head -c {FILLER} /dev/zero > "$0/filler" && exec "$@"'


@pytest.fixture
def small_disk(start_gateway, tmp_path: Path) -> tuple[RunningGateway, Path]:
    """A gateway whose data are on a small disk of its own, and that disk as other processes reach it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNTED, str(disk))
    gateway = start_gateway(prefix=prefix, data_folder=disk / "data")
    return gateway, Path(f"/proc/{gateway.process.pid}/root{disk}")


def test_a_full_disk_refuses_submissions_and_loses_nothing(small_disk):
    gateway, disk = small_disk
    patient = new_patient()
    kept: dict[str, bytes] = {}
    refused: list[str] = []
    number = 0
    while len(refused) < 10:
        content = b"%06d" % number + bytes(150_000)
        number += 1
        made = provide(content, patient=patient)
        answer = send(gateway, made.message())
        if answer.status == "Success":
            kept[made.unique_ids[0]] = content
        else:
            assert set(answer.errors) <= REFUSALS
            refused.append(made.unique_ids[0])
    assert len(kept) > 20
    _all_there(gateway, patient, kept, refused)

    full = _filled(disk)
    for message in (provide(b"tiny", patient=patient).message(), register(registrable())):
        assert set(send(gateway, message).errors) <= REFUSALS
    full.unlink()

    (disk / "filler").unlink()
    made = provide(b"room again" * 1000, patient=patient)
    assert send(gateway, made.message()).status == "Success"
    kept[made.unique_ids[0]] = b"room again" * 1000
    assert send(gateway, register(registrable())).status == "Success"
    _all_there(gateway, patient, kept, refused)


def test_what_the_audit_cannot_keep_is_not_given_out_and_it_goes_on_when_there_is_room(small_disk):
    gateway, disk = small_disk
    patient = new_patient()
    made = provide(b"the letter", patient=patient)
    assert send(gateway, made.message()).status == "Success"
    full = _filled(disk)
    long = [f"('{number:04}{'x' * 80}^^1.2.3')" for number in range(1000)]  # an event tells what was asked for
    given = _until_refused(gateway, lambda: find_documents(patient, EventCodeList=long))
    given += _until_refused(gateway, lambda: retrieve(*made.unique_ids))  # shorter ones had room left
    assert given > 10
    eventually(lambda: "the audit is not being kept" in gateway.log_text())

    full.unlink()
    (disk / "filler").unlink()
    assert send(gateway, retrieve(*made.unique_ids)).documents == {made.unique_ids[0]: b"the letter"}
    eventually(lambda: all(each["number"] for each in _accesses(gateway)))  # the keeper goes on
    assert len(_accesses(gateway)) == given + 2  # the submission, what was read, the retrieval
    assert _inside(gateway, "audit", "verify")["problems"] == []


def _accesses(gateway: RunningGateway) -> list[dict[str, Any]]:
    """Each access that the audit calls a success."""
    events = _inside(gateway, "audit", "list", "--outcome", "success", "--limit", "10000")["events"]
    return [each for each in events if each["transaction"] in ("ITI-18", "ITI-41", "ITI-43")]


def _inside(gateway: RunningGateway, *arguments: str) -> dict[str, Any]:
    """What a command says of the gateway's settings, where its disk is mounted."""
    where = ("nsenter", "--target", str(gateway.process.pid), "--user", "--mount", "--preserve-credentials")
    command = [*where, *PROGRAM, *arguments, "--json", "--config", str(gateway.log.parent / "gateway.toml")]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=True)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def _until_refused(gateway: RunningGateway, message: Callable[[], Message]) -> int:
    """How many reads are answered; the one that is refused gives nothing out."""
    for answered in range(2000):
        answer = send(gateway, message())
        if answer.status != "Success":
            assert answer.errors
            assert set(answer.errors) <= REFUSALS
            assert (answer.ids, answer.documents) == ([], {})
            return answered
    raise AssertionError("it was never refused")


def _filled(disk: Path) -> Path:
    """Take the last byte of a disk."""
    path = disk / "last"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def _all_there(gateway: RunningGateway, patient: str, kept: dict[str, bytes], refused: list[str]) -> None:
    """Queries go on, and say exactly what was acknowledged."""
    assert len(send(gateway, find_documents(patient, "ObjectRef")).ids) == len(kept)
    for unique_id, content in kept.items():
        assert send(gateway, retrieve(unique_id)).documents == {unique_id: content}
    assert send(gateway, retrieve(*refused)).documents == {}
