"""A file system of a few megabytes that fills up and gets room again (security.md D5)."""

from pathlib import Path

from tests.gateways import RunningGateway
from tests.wire.messages import find_documents, new_patient, provide, register, registrable, retrieve, send

SIZE = "24m"
FILLER = 4 << 20
REFUSALS = {"XDSRepositoryOutOfResources", "XDSRegistryOutOfResources", "XDSRepositoryBusy", "XDSRegistryBusy"}
_MOUNTED = f'mount -t tmpfs -o size={SIZE} none "$0" && head -c {FILLER} /dev/zero > "$0/filler" && exec "$@"'


def test_a_full_disk_refuses_submissions_and_loses_nothing(start_gateway, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNTED, str(disk))
    gateway = start_gateway(prefix=prefix, data_folder=disk / "data")
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

    full = _filled(gateway, disk)
    for message in (provide(b"tiny", patient=patient).message(), register(registrable())):
        assert set(send(gateway, message).errors) <= REFUSALS
    full.unlink()

    Path(f"/proc/{gateway.process.pid}/root{disk}/filler").unlink()
    made = provide(b"room again" * 1000, patient=patient)
    assert send(gateway, made.message()).status == "Success"
    kept[made.unique_ids[0]] = b"room again" * 1000
    assert send(gateway, register(registrable())).status == "Success"
    _all_there(gateway, patient, kept, refused)


def _filled(gateway: RunningGateway, disk: Path) -> Path:
    """Take the last byte of the disk."""
    path = Path(f"/proc/{gateway.process.pid}/root{disk}/last")
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
