"""The SDK against a running gateway over mutual TLS: the whole round, large files, crashes, refusals, the network."""

import os
import signal
import socket
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
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

from ..gateways import ROOT, RunningGateway, TestPki
from .relay import Cut, Relay

SUBMIT = """
import sys
from pathlib import Path
from xds_gateway.client import DocumentToSubmit, Gateway
from xds_gateway.client.samples import SOURCE_ID, make_sample
url, certificate, key, ca, journal, patient, document = sys.argv[1:]
with Gateway(url + "registry", url + "repository", certificate=Path(certificate), key=Path(key), ca=Path(ca),
             journal=Path(journal)) as gateway:
    gateway.submit(DocumentToSubmit(content=Path(document), metadata=make_sample().changed(unique_id=None).metadata),
                   patient_id=patient, source_id=SOURCE_ID)
"""
SEEDS = count(1000)

Connect = Callable[..., Gateway]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def connect(gateway: RunningGateway, pki: TestPki, journal: Path) -> Iterator[Connect]:
    """Makes clients of the running gateway, or of another port or host."""
    with ExitStack() as opened:

        def make(port: int = gateway.port, host: str = "https://localhost", **changes: Any) -> Gateway:
            base = f"{host}:{port}/services/"
            paths = [base + changes.pop(name, name) for name in ("registry", "repository")]
            files = pki.files
            given = {"certificate": files.client_certificate, "key": files.client_key, "ca": files.ca}
            given |= {"journal": journal, "timeout": (10.0, 60.0)}
            return opened.enter_context(Gateway(*paths, **(given | changes)))

        yield make


@pytest.fixture
def sdk(connect: Connect) -> Gateway:
    """A client of the running gateway."""
    return connect()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder for what is retrieved."""
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


@pytest.fixture
def patient() -> str:
    return patient_id(next(SEEDS), "SDK")


def new_sample(**changes: Any) -> DocumentToSubmit:
    return make_sample(seed=next(SEEDS)).changed(**changes)


def submit(sdk: Gateway, patient: str, *documents: DocumentToSubmit, **details: Any) -> Any:
    return sdk.submit(documents, patient_id=patient, source_id=SOURCE_ID, **details)


# --- the whole round ----------------------------------------------------------------------------------------------


def test_documents_go_there_and_come_back(sdk: Gateway, patient: str, copies: Path) -> None:
    samples = make_samples(4, seed=next(SEEDS))
    result = submit(sdk, patient, *samples, title="Four")
    assert not result.already_there
    found = {entry.entry_uuid: entry for entry in sdk.find(patient)}
    assert set(found) == {entry.entry_uuid for entry in result.entries}
    for number, (entry, sample) in enumerate(zip(result.entries, samples, strict=True)):
        received = sdk.retrieve(found[entry.entry_uuid], copies / str(number))
        assert (copies / str(number)).read_bytes() == sample.content
        assert (received.size, received.sha1, received.mime_type) == (entry.size, entry.sha1, sample.metadata.mime_type)
    assert sorted(path.name for path in copies.iterdir()) == ["0", "1", "2", "3"]


def test_a_document_is_found_by_what_is_said_of_it(sdk: Gateway, patient: str) -> None:
    sample = new_sample()
    (entry,) = submit(sdk, patient, sample).entries
    metadata = sample.metadata
    assert metadata.type_code
    assert metadata.class_code
    assert [d.entry_uuid for d in sdk.find(patient, type_codes=[metadata.type_code])] == [entry.entry_uuid]
    assert [d.entry_uuid for d in sdk.find(patient, class_codes=[metadata.class_code])] == [entry.entry_uuid]
    assert sdk.find(patient, type_codes=[metadata.class_code]) == ()
    assert len(sdk.find(patient, created=("2024", "2030"), authors=["%"])) == 1
    assert sdk.find(patient, created=("2030", None)) == ()
    (found,) = sdk.get(entry.unique_id)
    assert (found.title, found.authors, found.hash) == (metadata.title, metadata.authors, entry.sha1)
    assert sdk.get("urn:uuid:00000000-0000-4000-8000-000000000000") == ()


def test_a_replacement_deprecates(sdk: Gateway, patient: str) -> None:
    (old,) = submit(sdk, patient, new_sample()).entries
    result = sdk.replace(old.entry_uuid, new_sample(), patient_id=patient, source_id=SOURCE_ID)
    (new,) = result.entries
    assert {e.entry_uuid: e.status for e in sdk.get(old.entry_uuid, new.entry_uuid)} == {
        old.entry_uuid: "Deprecated",
        new.entry_uuid: "Approved",
    }
    related = sdk.related(old.entry_uuid)
    assert [(r.type, r.source, r.target) for r in related.relations] == [("RPLC", new.entry_uuid, old.entry_uuid)]
    assert [d.entry_uuid for d in sdk.find(patient)] == [new.entry_uuid]
    assert len(sdk.find(patient, status=["Approved", "Deprecated"])) == 2


@pytest.mark.parametrize("how", ["entryUUID", "uniqueId", "pair"])
def test_a_document_is_retrieved_by_any_of_its_ids(sdk: Gateway, patient: str, how: str) -> None:
    sample = new_sample()
    (entry,) = submit(sdk, patient, sample).entries
    (found,) = sdk.get(entry.entry_uuid)
    assert found.repository_unique_id
    pair = (found.repository_unique_id, entry.unique_id)
    wanted = {"entryUUID": entry.entry_uuid, "uniqueId": entry.unique_id, "pair": pair}[how]
    stream = BytesIO()
    assert sdk.retrieve(wanted, stream).path is None
    assert stream.getvalue() == sample.content


def test_the_demonstration_has_no_problems(sdk: Gateway, copies: Path) -> None:
    steps = []
    report = run_demo(sdk, demo_documents(None), patient_prefix="DEMO", folder=copies, progress=steps.append)
    assert report.problems == ()
    assert all(document.identical for document in report.documents)
    assert (report.replacement.old_status, report.replacement.new_status) == ("Deprecated", "Approved")
    assert len(report.refusal) > 3
    assert report.nameless is None  # nobody without assertion called
    assert {step.step.value for step in steps} == {"submit", "find", "retrieve", "replace", "refuse"}
    assert report.size == sum(path.stat().st_size for path in copies.iterdir())


def test_a_large_document_streams_from_and_to_a_file(sdk: Gateway, patient: str, tmp_path: Path) -> None:
    large, mebibyte = tmp_path / "large", 1024 * 1024
    with large.open("wb") as stream:
        for _ in range(48):
            stream.write(os.urandom(mebibyte))
    tracemalloc.start()
    document = DocumentToSubmit(content=large, metadata=new_sample().metadata)
    (entry,) = submit(sdk, patient, document).entries
    received = sdk.retrieve(entry.entry_uuid, tmp_path / "copy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (received.size, received.sha1) == (48 * mebibyte, entry.sha1)
    assert peak < 8 * mebibyte


# --- once, however often it is tried ------------------------------------------------------------------------------


def test_the_same_submission_again_is_there_already(connect: Connect, sdk: Gateway, patient: str) -> None:
    sample = new_sample()
    first = submit(sdk, patient, sample)
    again = submit(connect(), patient, sample)
    assert again == replace(first, already_there=True)
    assert len(sdk.find(patient)) == 1


def test_a_journal_key_is_for_one_submission(sdk: Gateway, patient: str) -> None:
    first = submit(sdk, patient, new_sample(title="First"), journal_key=patient)
    with pytest.raises(Misconfigured, match=r"belongs to other documents"):
        submit(sdk, patient, new_sample(), journal_key=patient)
    assert [d.title for d in sdk.find(patient)] == ["First"]
    assert not first.already_there


class Victim:
    """The SDK as a process of its own, killed when so many bytes have passed the relay to or from it."""

    def __init__(self, relay: Relay, pki: TestPki, journal: Path, patient: str, document: Path) -> None:
        files = pki.files
        paths = (files.client_certificate, files.client_key, files.ca, journal)
        arguments = [f"https://localhost:{relay.port}/services/", *map(str, paths), patient, str(document)]
        self._command = [sys.executable, "-c", SUBMIT, *arguments]

    def run(self) -> int:
        with subprocess.Popen(self._command, cwd=ROOT) as self._process:
            return self._process.wait(60)

    def kill_at_answer(self, sent: int, answered: int) -> None:
        if sent > 300_000:
            self._kill()

    def kill_while_sending(self, sent: int) -> None:
        if sent > 100_000:
            self._kill()

    def _kill(self) -> None:
        self._process.kill()
        raise Cut


@pytest.mark.parametrize(("when", "already_there"), [("answered", True), ("sending", False)])
def test_a_crash_is_made_good_by_the_next_run(
    gateway: RunningGateway,
    pki: TestPki,
    connect: Connect,
    journal: Path,
    patient: str,
    tmp_path: Path,
    when: str,
    already_there: bool,
) -> None:
    document = tmp_path / "document"
    document.write_bytes(os.urandom(300_000))
    with Relay(gateway.port) as relay:
        victim = Victim(relay, pki, journal, patient, document)
        if when == "answered":
            relay.arm(on_answered=victim.kill_at_answer)
        else:
            relay.arm(on_sent=victim.kill_while_sending)
        assert victim.run() == -signal.SIGKILL
        (record,) = journal.glob("*.json")
        assert '"state": "begun"' in record.read_text()
        relay.arm()
        sdk = connect(relay.port)
        again = DocumentToSubmit(content=document, metadata=make_sample().changed(unique_id=None).metadata)
        result = submit(sdk, patient, again)
        assert [d.entry_uuid for d in sdk.find(patient)] == [result.entries[0].entry_uuid]
    assert result.already_there is already_there
    assert result.submission_set_uuid in record.read_text()
    assert '"state": "done"' in record.read_text()


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_refusal_tells_every_mistake_and_leaves_nothing(sdk: Gateway, patient: str) -> None:
    wrong = new_sample(creation_time="20241345", language_code="French, mostly", source_patient_id="somebody")
    with pytest.raises(Refused) as caught:
        submit(sdk, patient, wrong)
    assert caught.value.status == "Failure"
    for attribute in ("creationTime", "languageCode", "sourcePatientId"):
        assert any((error.location or "").endswith(attribute) for error in caught.value.errors)
    assert sdk.find(patient) == ()


def test_a_refusal_that_comes_before_the_document_is_sent_is_told(sdk: Gateway, patient: str, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(96 * 1024 * 1024)  # more than the gateway reads of what it has refused
    document = DocumentToSubmit(content=large, metadata=new_sample(creation_time="soon").metadata)
    with pytest.raises(Refused) as caught:
        submit(sdk, patient, document)
    assert [(error.location or "").rpartition("/")[2] for error in caught.value.errors] == ["creationTime"]
    assert sdk.find(patient) == ()


def test_a_refused_submission_may_be_tried_again(sdk: Gateway, patient: str) -> None:
    replacing = {"replaces": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            submit(sdk, patient, new_sample(), journal_key=None, **replacing)
        assert "UnresolvedReferenceException" in {error.code for error in caught.value.errors}


@pytest.mark.parametrize(
    ("document", "code"),
    [(("9.9.9", "1.2.3"), "XDSUnknownRepositoryId"), (("known", "1.2.3"), "XDSDocumentUniqueIdError")],
)
def test_what_is_not_there_is_refused_and_leaves_no_file(
    sdk: Gateway, patient: str, copies: Path, document: tuple[str, str], code: str
) -> None:
    (entry,) = submit(sdk, patient, new_sample()).entries
    repository = sdk.get(entry.entry_uuid)[0].repository_unique_id or ""
    with pytest.raises(Refused) as caught:
        sdk.retrieve((document[0].replace("known", repository), document[1]), copies / "copy")
    assert [error.code for error in caught.value.errors] == [code]
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize(("changes", "what"), [({"size": 1}, "size"), ({"hash": "0" * 40}, "hash")])
def test_other_bytes_than_the_entry_says_are_damaged_and_leave_no_file(
    sdk: Gateway, patient: str, copies: Path, changes: dict[str, Any], what: str
) -> None:
    (entry,) = submit(sdk, patient, new_sample()).entries
    (found,) = sdk.get(entry.entry_uuid)
    with pytest.raises(Damaged) as caught:
        sdk.retrieve(replace(found, **changes), copies / "copy")
    assert caught.value.what == what
    assert list(copies.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(sdk: Gateway, patient: str, copies: Path) -> None:
    (entry,) = submit(sdk, patient, new_sample()).entries
    with pytest.raises(Misconfigured, match="no folder/copy cannot be written"):
        sdk.retrieve(entry.entry_uuid, copies / "no folder" / "copy")


def test_the_wrong_endpoint_faults(connect: Connect) -> None:
    with pytest.raises(Fault) as caught:
        connect(registry="repository").find(patient_id(1))
    assert (caught.value.code, caught.value.subcodes[-1]) == ("Sender", "ActionNotSupported")


def test_another_path_is_no_gateway(connect: Connect) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        connect(registry="elsewhere").find(patient_id(1))
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
def test_tls_that_fails_is_named(gateway: RunningGateway, connect: Connect, changes: dict[str, Any], told: str) -> None:
    host = "127.0.0.2" if "host" in changes else "127.0.0.1"
    with Relay(gateway.port, host) as relay, pytest.raises(TlsRefused, match=told):
        connect(relay.port, **changes).find(patient_id(1))


@pytest.mark.parametrize("name", ["rogue", "expired"])
def test_a_certificate_that_is_not_trusted_gets_nowhere(connect: Connect, pki: TestPki, name: str) -> None:
    certificate, key = getattr(pki, name)
    with pytest.raises(Unreachable):
        connect(certificate=certificate, key=key).find(patient_id(1))


def test_nobody_listening_is_unreachable(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        connect(free).find(patient_id(1))


@pytest.mark.parametrize("host", ["https://localhost", "http://localhost"])
def test_silence_times_out(connect: Connect, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimedOut):
        connect(silent.getsockname()[1], host=host, timeout=(0.2, 0.2)).find(patient_id(1))


def test_an_answer_cut_short_is_unreachable_and_leaves_no_file(
    gateway: RunningGateway, connect: Connect, patient: str, copies: Path
) -> None:
    def cut(sent: int, answered: int) -> None:
        if answered > 100_000:
            raise Cut

    with Relay(gateway.port) as relay:
        sdk = connect(relay.port)
        document = DocumentToSubmit(content=os.urandom(1_000_000), metadata=new_sample().metadata)
        (entry,) = submit(sdk, patient, document).entries
        (found,) = sdk.get(entry.entry_uuid)
        relay.arm(on_answered=cut)
        with pytest.raises(Unreachable):
            sdk.retrieve(found, copies / "copy")
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ca": "absent.pem"}, r"absent\.pem is not a file"),
        ({"ca": "client.key"}, "holds no PEM certificates"),
        ({"key": "signer.key"}, "are not a PEM pair"),
    ],
)
def test_unusable_files_are_named_at_once(connect: Connect, pki: TestPki, changes: dict[str, str], told: str) -> None:
    folder = pki.files.ca.parent
    with pytest.raises(Misconfigured, match=told):
        connect(**{name: folder / value for name, value in changes.items()})


@pytest.mark.parametrize("host", ["ftp://localhost", "localhost", "https://"])
def test_an_address_that_is_none_is_named(connect: Connect, host: str) -> None:
    with pytest.raises(Misconfigured, match="not an http or https address"):
        connect(host=host).find(patient_id(1))
