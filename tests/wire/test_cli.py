"""The command line as people and programs call it: real processes, real gateways, free ports."""

import contextlib
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from xds_gateway.client import read_document
from xds_gateway.client.samples import make_sample, make_samples, write_samples

from ..gateways import ROOT, START_SECONDS, STOP_SECONDS, TestPki
from .commands import Served, end, environment, keys_of, read_until, run, served_gateway, settings, started

PATIENT = "4711^^^&1.2.3&ISO"
EXAMPLES = ROOT.parent / "shared" / "data" / "cda"


def is_alive(process: int) -> bool:
    """True while a process has not ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def processes_of(log: Path) -> set[int]:
    """The workers that wrote a log."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["process"] for line in lines}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Iterator[Served]:
    """One gateway for all tests that only call it."""
    with served_gateway(tmp_path_factory.mktemp("served"), pki) as gateway:
        yield gateway


# A gateway and its clients


def test_serve_tells_programs_where_it_is(served: Served) -> None:
    assert set(served.ready) == keys_of("serve")
    (endpoint,) = served.ready["endpoints"]
    assert (endpoint["mount"], endpoint["domain"]) == ("/services", "default")
    assert is_alive(served.ready["process"])


def test_submit_find_get_replace(served: Served) -> None:
    files = [str(d.content) for d in write_samples(served.folder, make_samples(4)[:2])]
    sent = served.answer("submit", *files, "--patient", PATIENT)
    uuids = [document["entry_uuid"] for document in sent["documents"]]
    assert [document["file"] for document in sent["documents"]] == files

    again = served.answer("submit", *files, "--patient", PATIENT)
    assert (again["already_there"], again["submission_set_uuid"]) == (True, sent["submission_set_uuid"])

    found = served.answer("find", "--patient", PATIENT)["documents"]
    assert {document["entry_uuid"] for document in found} == set(uuids)
    assert found[0]["class_code"].keys() == {"code", "scheme", "display"}

    (got,) = served.answer("get", uuids[0].removeprefix("urn:uuid:"), "--output", "copy.xml")["documents"]
    assert (served.folder / "copy.xml").read_bytes() == Path(files[0]).read_bytes()
    assert (got["path"], got["size"]) == ("copy.xml", sent["documents"][0]["size"])
    status, out, _ = served.call("get", sent["documents"][1]["unique_id"], "--output", "-")
    assert (status, out.encode()) == (0, Path(files[1]).read_bytes())

    (served.folder / "new.txt").write_text("Bonjour")
    told = read_document(Path(files[0])).metadata
    (served.folder / "new.json").write_text(
        json.dumps(
            {
                "language_code": "fr-FR",
                "confidentiality_codes": ["N^Normal^2.16.840.1.113883.5.25"],
                **{
                    name: f"{code.code}^{code.display}^{code.scheme}"
                    for name in ("class_code", "type_code", "healthcare_facility_type_code", "practice_setting_code")
                    if (code := getattr(told, name))
                },
                "authors": [{"person": "^Martin^Claire", "institutions": ["Cabinet Martin"]}],
            }
        )
    )
    more = ("--metadata", "new.json", "--title", "Corrigé", "--replaces", uuids[0])
    new = served.answer("submit", "new.txt", "--patient", PATIENT, *more)
    assert new["replaces"] == uuids[0]
    everything = served.answer("find", "--patient", PATIENT, "--status", "all")["documents"]
    statuses = {document["entry_uuid"]: document["status"] for document in everything}
    assert (statuses[uuids[0]], statuses[new["documents"][0]["entry_uuid"]]) == ("Deprecated", "Approved")
    (only,) = served.answer("find", "--patient", PATIENT, "--status", "deprecated")["documents"]
    assert only["entry_uuid"] == uuids[0]


def test_people_get_tables_without_colours_in_a_pipe(served: Served) -> None:
    (document,) = write_samples(served.folder, [make_sample(seed=2)])
    patient = "4712^^^&1.2.3&ISO"
    sent = served.run("submit", str(document.content), "--patient", patient)
    (uuid,) = re.findall(r"urn:uuid:\S+$", sent.stdout, re.MULTILINE)
    found = served.run("find", "--patient", patient)
    assert uuid in found.stdout
    assert "1 document of 4712" in found.stdout
    assert all("\x1b" not in done.stdout + done.stderr for done in (sent, found))
    assert served.call("find", "--patient", "nobody^^^&1.2.3&ISO")[1].startswith("No documents of nobody")


def test_a_refusal_is_explained(served: Served) -> None:
    (document,) = write_samples(served.folder, [make_sample(seed=3)])
    wrong = ("submit", str(document.content), "--patient", PATIENT, "--language-code", "French, mostly")
    told = served.run(*wrong)
    assert (told.returncode, told.stdout) == (1, "")
    assert all(part in told.stderr for part in ("languageCode", "French, mostly", "RFC 5646", "ITI TF-3"))
    (error,) = json.loads(served.call(*wrong, "--json")[2])["error"]["errors"]
    assert (error["attribute"], error["received"]) == ("languageCode", "French, mostly")


def test_what_is_not_there_has_a_status_of_its_own(served: Served) -> None:
    status, _, err = served.call("get", "1.2.3.4.5", "--json")
    assert (status, json.loads(err)["error"]["kind"]) == (4, "not_found")


def test_who_is_not_reached_and_who_is_not_trusted(served: Served, pki: TestPki) -> None:
    certificate, key = map(str, pki.rogue)
    rows = (
        (("--url", f"https://localhost:{free_port()}/services"), ("unreachable",)),
        (("--cert", certificate, "--key", key), ("tls_refused", "unreachable")),
        (("--ca", certificate), ("tls_refused",)),
        (("--url", f"{served.variables['XDS_CLIENT_URL']}/nowhere"), ("unexpected_answer",)),
    )
    for options, kinds in rows:
        status, _, err = served.call("find", "--patient", PATIENT, "--json", *options)
        assert status == 3, err
        assert json.loads(err)["error"]["kind"] in kinds
    told = served.run("find", "--patient", PATIENT, *rows[1][0])
    assert (told.returncode, certificate in told.stderr, "Traceback" in told.stderr) == (3, True, False)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# What serve prints, and how it ends


def test_the_printed_lines_work_in_another_terminal(tmp_path: Path) -> None:
    assert run(tmp_path, "pki").returncode == 0
    with started(tmp_path, "serve", XDS_GATEWAY_LISTENERS__0__PORT="0") as process:
        told = read_until(process, b"Ctrl-C ends it")
        shell, python = told.split("# And with Python:\n")
        commands = re.findall(
            r"^(?:\S+ -m xds_gateway (?:submit|find|assertion)|curl).*(?:\n(?:  |curl).*)*", shell, re.MULTILINE
        )
        commands = [line for line in commands if "curl" not in line or shutil.which("curl")]
        assert sum(" assertion new " in line for line in commands) == (2 if shutil.which("curl") else 0)
        variables = environment(XDG_STATE_HOME=str(tmp_path / "state"))
        for line in [*commands, f"{sys.executable} -c {quoted(python.split('Ctrl-C')[0])}"]:
            done = subprocess.run(
                ["/bin/sh", "-c", line], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (line, done)
            assert "ResponseStatusType:Failure" not in done.stdout
            assert "Envelope" not in done.stdout or "ResponseStatusType:Success" in done.stdout
        assert "['" in done.stdout  # the titles that the Python lines found
        assert end(process, signal.SIGINT) == 0
    assert "Traceback" not in (tmp_path / "err").read_text()


def quoted(text: str) -> str:
    """Text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_serving_goes_on_when_nobody_reads_what_it_says(tmp_path: Path, pki: TestPki, form: list[str]) -> None:
    with started(tmp_path, "serve", *form, **settings(pki, tmp_path)) as process:
        assert process.stdout is not None
        process.stdout.close()
        until = time.monotonic() + START_SECONDS
        data = tmp_path / "data"
        while not list(data.glob("**/*.sqlite3-wal")) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)  # time to say it
        assert process.poll() is None
        assert end(process, signal.SIGTERM) == 0


@contextmanager
def refused(folder: Path, **changes: str) -> Iterator[list[str]]:
    """The sentences of a gateway that does not start, there when the block ends."""
    messages: list[str] = []
    with started(folder, "serve", "--json", **changes) as process:
        yield messages
        assert process.wait(START_SECONDS) == 2
    error = json.loads((folder / "err").read_text().splitlines()[-1])["error"]
    assert error["kind"] == "configuration"
    messages += error["messages"]


#   changed settings                                                a part of the only sentence
REFUSED = [
    ({"XDS_GATEWAY_WORKER": "2"}, "There is no setting worker (variable XDS_GATEWAY_WORKER): did you mean workers?"),
    ({"XDS_GATEWAY_LISTENERS__0__KEY": "{pki.client_key}"}, "The TLS files of listeners[0] do not serve"),
    ({"XDS_GATEWAY_LISTENERS__0__KEY": "nowhere.key"}, "xds-gateway pki"),
    ({"XDS_GATEWAY_LISTENERS__0__PORT": "{taken}"}, "Port {taken} of 127.0.0.1"),
]


def test_serve_refuses_what_cannot_work(tmp_path: Path, pki: TestPki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, contextlib.ExitStack() as together:
        filled = {"pki": pki.files, "taken": taken.getsockname()[1]}
        told = []
        for number, (changes, _) in enumerate(REFUSED):
            folder = tmp_path / str(number)
            folder.mkdir()
            wrong = {name: value.format(**filled) for name, value in changes.items()}
            told.append(together.enter_context(refused(folder, **{**settings(pki, folder), **wrong})))
    for (_, part), sentences in zip(REFUSED, told, strict=True):
        (sentence,) = sentences
        assert part.format(**filled) in sentence


def test_serve_refuses_a_newer_database_and_leaves_it_alone(tmp_path: Path, pki: TestPki) -> None:
    with started(tmp_path, "serve", "--json", **settings(pki, tmp_path)) as process:
        read_until(process, b"\n")
        assert end(process, signal.SIGTERM) == 0
    database = tmp_path / "data" / "registry.sqlite3"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with refused(tmp_path, **settings(pki, tmp_path)) as sentences:
        pass
    (sentence,) = sentences
    assert "newer release (schema 9999)" in sentence
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


# The demonstration


def test_the_demonstration_for_programs(tmp_path: Path) -> None:
    folder, beside = tmp_path / "checkout", tmp_path / "shared" / "data" / "cda"
    folder.mkdir()
    beside.mkdir(parents=True)
    examples = sorted(EXAMPLES.glob("*.xml"))[::8]  # some, where they are at all
    for path in examples:
        shutil.copy(path, beside)
    done = run(folder, "demo", "--json", XDS_GATEWAY_WORKERS="not for the demonstration")
    assert done.returncode == 0, done
    made = json.loads(done.stdout)
    assert set(made) == keys_of("demo")
    assert made["problems"] == []
    assert made["found"] == len(made["documents"]) > 5
    assert "InvalidSecurity" in made["nameless"]
    assert [error["code"] for error in made["denied"]["errors"]] == ["XDSDocumentUniqueIdError"]
    assert all(row["why_not"] for row in made["denied"]["rows"])
    assert [look["outcome"] for look in made["looks"] if "Administrative" in str(look["roles"])] == ["refused"]
    assert all(document["identical"] for document in made["documents"])
    assert (made["replacement"]["old_status"], made["replacement"]["new_status"]) == ("Deprecated", "Approved")
    assert {"code", "attribute", "received", "expected", "clause", "sentence"} <= made["refusal"][0].keys()
    assert ("shared" in made["source"]) is bool(examples)
    assert not any(map(is_alive, processes_of(folder / made["folder"] / "gateway.log")))
    assert list(folder.iterdir()) == [folder / "var"]


def test_the_demonstration_for_people(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--folder", "here")
    assert done.returncode == 0, done
    steps = (
        "Submit: 12 of 12",
        "Find by patient: 3 of 3",
        "Retrieve and compare bytes: 12 of 12",
        "Replace one: 1 of 1",
        "Call without assertion: 1 of 1",
        "Ask as somebody who may not: 1 of 1",
    )
    assert all(step in done.stderr for step in steps)
    assert all(
        part in done.stdout
        for part in (
            "12 of 12 identical",
            "Deprecated",
            "Approved",
            "received",
            "administrative.read",
            "Who looked",
            "What to try",
        )
    )
    assert "\x1b" not in done.stdout + done.stderr
    (made,) = (tmp_path / "here").iterdir()
    assert (made / "gateway.toml").is_file()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_an_interrupted_demonstration_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with started(tmp_path, "demo") as process:
        until = time.monotonic() + START_SECONDS
        while b"Submit" not in (tmp_path / "err").read_bytes() and time.monotonic() < until:
            time.sleep(0.02)
        assert end(process, number) == status
    assert "Traceback" not in (tmp_path / "err").read_text()
    (log,) = tmp_path.glob("var/demo/*/gateway.log")
    until = time.monotonic() + STOP_SECONDS
    while any(map(is_alive, processes_of(log))) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_alive, processes_of(log)))
