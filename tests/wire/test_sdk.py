"""The SDK against a running gateway over mutual TLS: the whole round, large files, crashes, refusals, the network."""

import os
import signal
import socket
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from xds_gateway.client import (
    Damaged,
    DocumentToSubmit,
    Fault,
    Gateway,
    Misconfigured,
    Refused,
    TimedOut,
    TlsRefused,
    UnexpectedAnswer,
    Unreachable,
)
from xds_gateway.client.demo import demo_documents, run_demo
from xds_gateway.client.samples import SOURCE_ID, make_sample, make_samples, patient_id
from xds_gateway.pki import Pki, make_pki

from .relay import Cut, Relay

CHECKOUT = Path(__file__).parents[2]
SERVE = """
import sys
from pathlib import Path
from xds_gateway.config import load
from xds_gateway.serving import Supervisor
sys.exit(Supervisor(load(Path(sys.argv[1]), {}), lambda s: print(s.listeners[0].port, flush=True)).run())
"""
CONFIGURATION = """
data_folder = "{folder}/data"
[[listeners]]
port = 0
certificate = "{pki.server_certificate}"
key = "{pki.server_key}"
client_ca = "{pki.ca}"
"""
SUBMIT = """
import sys
from pathlib import Path
from xds_gateway.client import DocumentToSubmit, Gateway
from xds_gateway.client.samples import SOURCE_ID, make_sample
folder, port, patient, document = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
url = f"https://localhost:{port}/services/"
pki = folder / "pki"
with Gateway(url + "registry", url + "repository", certificate=pki / "client.crt", key=pki / "client.key",
             ca=pki / "ca.crt", journal=folder / "journal") as gateway:
    result = gateway.submit(DocumentToSubmit(content=document, metadata=make_sample().changed(unique_id=None).metadata),
                            patient_id=patient, source_id=SOURCE_ID)
print(result.already_there, result.submission_set_uuid)
"""
SEEDS = count(1000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sdk")


@pytest.fixture(scope="module")
def pki(folder: Path) -> Pki:
    return make_pki(folder / "pki", now=datetime.now(UTC))


@pytest.fixture(scope="module")
def port(folder: Path, pki: Pki) -> Iterator[int]:
    """A running gateway."""
    configuration = folder / "gateway.toml"
    configuration.write_text(CONFIGURATION.format(folder=folder, pki=pki))
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, str(configuration)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=CHECKOUT) as process:
            try:
                assert process.stdout is not None
                yield int(process.stdout.readline())
            finally:
                process.terminate()
            assert process.wait(30) == 0


def connect(folder: Path, port: int, **changes: Any) -> Gateway:
    base, host = f":{port}/services/", changes.pop("host", "https://localhost")
    paths = {name: changes.pop(name, name) for name in ("registry", "repository")}
    pki = folder / "pki"
    given = {"certificate": pki / "client.crt", "key": pki / "client.key", "ca": pki / "ca.crt"}
    given |= {"journal": folder / "journal", "timeout": (5.0, 30.0)}
    return Gateway(host + base + paths["registry"], host + base + paths["repository"], **(given | changes))


@pytest.fixture
def gateway(folder: Path, port: int) -> Iterator[Gateway]:
    with connect(folder, port) as gateway:
        yield gateway


@pytest.fixture
def patient() -> str:
    return patient_id(next(SEEDS), "SDK")


def new_sample(**changes: Any) -> DocumentToSubmit:
    return make_sample(seed=next(SEEDS)).changed(**changes)


def submit(gateway: Gateway, patient: str, *documents: DocumentToSubmit, **details: Any) -> Any:
    return gateway.submit(documents, patient_id=patient, source_id=SOURCE_ID, **details)


# --- the whole round ----------------------------------------------------------------------------------------------


def test_documents_go_there_and_come_back(gateway: Gateway, patient: str, tmp_path: Path) -> None:
    samples = make_samples(4, seed=next(SEEDS))
    result = submit(gateway, patient, *samples, title="Four")
    assert not result.already_there
    found = {entry.entry_uuid: entry for entry in gateway.find(patient)}
    assert set(found) == {entry.entry_uuid for entry in result.entries}
    for number, (entry, sample) in enumerate(zip(result.entries, samples, strict=True)):
        received = gateway.retrieve(found[entry.entry_uuid], tmp_path / str(number))
        assert (tmp_path / str(number)).read_bytes() == sample.content
        assert (received.size, received.sha1, received.mime_type) == (entry.size, entry.sha1, sample.metadata.mime_type)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "3"]


def test_a_document_is_found_by_what_is_said_of_it(gateway: Gateway, patient: str) -> None:
    sample = new_sample()
    (entry,) = submit(gateway, patient, sample).entries
    metadata = sample.metadata
    assert metadata.type_code
    assert metadata.class_code
    assert [d.entry_uuid for d in gateway.find(patient, type_codes=[metadata.type_code])] == [entry.entry_uuid]
    assert [d.entry_uuid for d in gateway.find(patient, class_codes=[metadata.class_code])] == [entry.entry_uuid]
    assert gateway.find(patient, type_codes=[metadata.class_code]) == ()
    assert len(gateway.find(patient, created=("2024", "2030"), authors=["%"])) == 1
    assert gateway.find(patient, created=("2030", None)) == ()
    (found,) = gateway.get(entry.unique_id)
    assert (found.title, found.authors, found.hash) == (metadata.title, metadata.authors, entry.sha1)
    assert gateway.get("urn:uuid:00000000-0000-4000-8000-000000000000") == ()


def test_a_replacement_deprecates(gateway: Gateway, patient: str) -> None:
    (old,) = submit(gateway, patient, new_sample()).entries
    result = gateway.replace(old.entry_uuid, new_sample(), patient_id=patient, source_id=SOURCE_ID)
    (new,) = result.entries
    assert {e.entry_uuid: e.status for e in gateway.get(old.entry_uuid, new.entry_uuid)} == {
        old.entry_uuid: "Deprecated",
        new.entry_uuid: "Approved",
    }
    related = gateway.related(old.entry_uuid)
    assert [(r.type, r.source, r.target) for r in related.relations] == [("RPLC", new.entry_uuid, old.entry_uuid)]
    assert [d.entry_uuid for d in gateway.find(patient)] == [new.entry_uuid]
    assert len(gateway.find(patient, status=["Approved", "Deprecated"])) == 2


@pytest.mark.parametrize("how", ["entryUUID", "uniqueId", "pair"])
def test_a_document_is_retrieved_by_any_of_its_ids(gateway: Gateway, patient: str, how: str) -> None:
    sample = new_sample()
    (entry,) = submit(gateway, patient, sample).entries
    (found,) = gateway.get(entry.entry_uuid)
    assert found.repository_unique_id
    pair = (found.repository_unique_id, entry.unique_id)
    wanted = {"entryUUID": entry.entry_uuid, "uniqueId": entry.unique_id, "pair": pair}[how]
    stream = BytesIO()
    assert gateway.retrieve(wanted, stream).path is None
    assert stream.getvalue() == sample.content


def test_the_demonstration_has_no_problems(gateway: Gateway, tmp_path: Path) -> None:
    steps = []
    report = run_demo(gateway, demo_documents(None), patient_prefix="DEMO", folder=tmp_path, progress=steps.append)
    assert report.problems == ()
    assert all(document.identical for document in report.documents)
    assert (report.replacement.old_status, report.replacement.new_status) == ("Deprecated", "Approved")
    assert len(report.refusal) > 3
    assert {step.step.value for step in steps} == {"submit", "find", "retrieve", "replace", "refuse"}
    assert report.size == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_large_document_streams_from_and_to_a_file(gateway: Gateway, patient: str, tmp_path: Path) -> None:
    large, mebibyte = tmp_path / "large", 1024 * 1024
    with large.open("wb") as stream:
        for _ in range(48):
            stream.write(os.urandom(mebibyte))
    tracemalloc.start()
    document = DocumentToSubmit(content=large, metadata=new_sample().metadata)
    (entry,) = submit(gateway, patient, document).entries
    received = gateway.retrieve(entry.entry_uuid, tmp_path / "copy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (received.size, received.sha1) == (48 * mebibyte, entry.sha1)
    assert peak < 8 * mebibyte


# --- once, however often it is tried ------------------------------------------------------------------------------


def test_the_same_submission_again_is_there_already(folder: Path, port: int, gateway: Gateway, patient: str) -> None:
    sample = new_sample()
    first = submit(gateway, patient, sample)
    with connect(folder, port) as another_run:
        again = submit(another_run, patient, sample)
    assert again == replace(first, already_there=True)
    assert len(gateway.find(patient)) == 1


def test_a_journal_key_is_for_one_submission(gateway: Gateway, patient: str) -> None:
    first = submit(gateway, patient, new_sample(title="First"), journal_key=patient)
    with pytest.raises(Misconfigured, match=r"belongs to other documents"):
        submit(gateway, patient, new_sample(), journal_key=patient)
    assert [d.title for d in gateway.find(patient)] == ["First"]
    assert not first.already_there


def crash(folder: Path, relay: Relay, patient: str, document: Path) -> int:
    command = [sys.executable, "-c", SUBMIT, str(folder), str(relay.port), patient, str(document)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=CHECKOUT) as process:
        victims.append(process.pid)
        return process.wait(60)


victims: list[int] = []


def kill() -> None:
    os.kill(victims[-1], signal.SIGKILL)
    raise Cut


def kill_at_answer(sent: int, answered: int) -> None:
    if sent > 300_000:
        kill()


def kill_while_sending(sent: int) -> None:
    if sent > 100_000:
        kill()


@pytest.mark.parametrize(("when", "already_there"), [("answered", True), ("sending", False)])
def test_a_crash_is_made_good_by_the_next_run(
    folder: Path, port: int, patient: str, tmp_path: Path, when: str, already_there: bool
) -> None:
    document = tmp_path / "document"
    document.write_bytes(os.urandom(300_000))
    with Relay(port) as relay:
        if when == "answered":
            relay.arm(on_answered=kill_at_answer)
        else:
            relay.arm(on_sent=kill_while_sending)
        before = set((folder / "journal").glob("*.json")) if (folder / "journal").exists() else set()
        assert crash(folder, relay, patient, document) == -signal.SIGKILL
        (record,) = set((folder / "journal").glob("*.json")) - before
        assert '"state": "begun"' in record.read_text()
        relay.arm()
        with connect(folder, relay.port) as gateway:
            submitted = DocumentToSubmit(content=document, metadata=make_sample().changed(unique_id=None).metadata)
            result = submit(gateway, patient, submitted)
            assert [d.entry_uuid for d in gateway.find(patient)] == [result.entries[0].entry_uuid]
    assert result.already_there is already_there
    assert result.submission_set_uuid in record.read_text()
    assert '"state": "done"' in record.read_text()


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_refusal_tells_every_mistake_and_leaves_nothing(gateway: Gateway, patient: str) -> None:
    wrong = new_sample(creation_time="20241345", language_code="French, mostly", source_patient_id="somebody")
    with pytest.raises(Refused) as caught:
        submit(gateway, patient, wrong)
    assert caught.value.status == "Failure"
    for attribute in ("creationTime", "languageCode", "sourcePatientId"):
        assert any((error.location or "").endswith(attribute) for error in caught.value.errors)
    assert gateway.find(patient) == ()


def test_a_refusal_that_comes_before_the_document_is_sent_is_told(
    gateway: Gateway, patient: str, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(96 * 1024 * 1024)  # more than the gateway reads of what it has refused
    document = DocumentToSubmit(content=large, metadata=new_sample(creation_time="soon").metadata)
    with pytest.raises(Refused) as caught:
        submit(gateway, patient, document)
    assert [(error.location or "").rpartition("/")[2] for error in caught.value.errors] == ["creationTime"]
    assert gateway.find(patient) == ()


def test_a_refused_submission_may_be_tried_again(gateway: Gateway, patient: str) -> None:
    replacing = {"replaces": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            submit(gateway, patient, new_sample(), journal_key=None, **replacing)
        assert "UnresolvedReferenceException" in {error.code for error in caught.value.errors}


@pytest.mark.parametrize(
    ("document", "code"),
    [(("9.9.9", "1.2.3"), "XDSUnknownRepositoryId"), (("known", "1.2.3"), "XDSDocumentUniqueIdError")],
)
def test_what_is_not_there_is_refused_and_leaves_no_file(
    gateway: Gateway, patient: str, tmp_path: Path, document: tuple[str, str], code: str
) -> None:
    (entry,) = submit(gateway, patient, new_sample()).entries
    repository = gateway.get(entry.entry_uuid)[0].repository_unique_id or ""
    with pytest.raises(Refused) as caught:
        gateway.retrieve((document[0].replace("known", repository), document[1]), tmp_path / "copy")
    assert [error.code for error in caught.value.errors] == [code]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("changes", "what"), [({"size": 1}, "size"), ({"hash": "0" * 40}, "hash")])
def test_other_bytes_than_the_entry_says_are_damaged_and_leave_no_file(
    gateway: Gateway, patient: str, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    (entry,) = submit(gateway, patient, new_sample()).entries
    (found,) = gateway.get(entry.entry_uuid)
    with pytest.raises(Damaged) as caught:
        gateway.retrieve(replace(found, **changes), tmp_path / "copy")
    assert caught.value.what == what
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(gateway: Gateway, patient: str, tmp_path: Path) -> None:
    (entry,) = submit(gateway, patient, new_sample()).entries
    with pytest.raises(Misconfigured, match="no folder/copy cannot be written"):
        gateway.retrieve(entry.entry_uuid, tmp_path / "no folder" / "copy")


def test_the_wrong_endpoint_faults(folder: Path, port: int) -> None:
    with connect(folder, port, registry="repository") as gateway, pytest.raises(Fault) as caught:
        gateway.find(patient_id(1))
    assert (caught.value.code, caught.value.subcodes[-1]) == ("Sender", "ActionNotSupported")


def test_another_path_is_no_gateway(folder: Path, port: int) -> None:
    with connect(folder, port, registry="elsewhere") as gateway, pytest.raises(UnexpectedAnswer) as caught:
        gateway.find(patient_id(1))
    assert caught.value.status == 404


# --- the network --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"certificate": None, "key": None}, "no client certificate was given"),
        ({"ca": None}, "not accepted"),
        ({"host": "https://127.0.0.2"}, "not accepted"),
    ],
    ids=["no certificate", "unknown authority", "another host"],
)
def test_tls_that_fails_is_named(folder: Path, port: int, changes: dict[str, Any], told: str) -> None:
    host = "127.0.0.2" if "host" in changes else "127.0.0.1"
    with (
        Relay(port, host) as relay,
        connect(folder, relay.port, **changes) as gateway,
        pytest.raises(TlsRefused, match=told),
    ):
        gateway.find(patient_id(1))


def test_a_certificate_that_is_for_no_client_gets_nowhere(folder: Path, port: int) -> None:
    signer = {"certificate": folder / "pki" / "signer.crt", "key": folder / "pki" / "signer.key"}
    with connect(folder, port, **signer) as gateway, pytest.raises(Unreachable):
        gateway.find(patient_id(1))


def test_nobody_listening_is_unreachable(folder: Path, pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with connect(folder, free) as gateway, pytest.raises(Unreachable, match=r"refused"):
        gateway.find(patient_id(1))


@pytest.mark.parametrize("host", ["https://localhost", "http://localhost"])
def test_silence_times_out(folder: Path, pki: Pki, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with connect(folder, port, host=host, timeout=(0.2, 0.2)) as gateway, pytest.raises(TimedOut):
            gateway.find(patient_id(1))


def test_an_answer_cut_short_is_unreachable_and_leaves_no_file(
    folder: Path, port: int, patient: str, tmp_path: Path
) -> None:
    def cut(sent: int, answered: int) -> None:
        if answered > 100_000:
            raise Cut

    with Relay(port) as relay, connect(folder, relay.port) as gateway:
        document = DocumentToSubmit(content=os.urandom(1_000_000), metadata=new_sample().metadata)
        (entry,) = submit(gateway, patient, document).entries
        (found,) = gateway.get(entry.entry_uuid)
        relay.arm(on_answered=cut)
        with pytest.raises(Unreachable):
            gateway.retrieve(found, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ca": "absent.pem"}, "absent.pem is not a file"),
        ({"ca": "client.key"}, "holds no PEM certificates"),
        ({"key": "signer.key"}, "are not a PEM pair"),
    ],
)
def test_unusable_files_are_named_at_once(folder: Path, pki: Pki, changes: dict[str, str], told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        connect(folder, 1, **{name: folder / "pki" / value for name, value in changes.items()})


@pytest.mark.parametrize("host", ["ftp://localhost", "localhost", "https://"])
def test_an_address_that_is_none_is_named(folder: Path, pki: Pki, host: str) -> None:
    with connect(folder, 1, host=host) as gateway, pytest.raises(Misconfigured, match="not an http or https address"):
        gateway.find(patient_id(1))
