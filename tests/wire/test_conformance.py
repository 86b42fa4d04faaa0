"""The bench for testers: the shipped configuration, what a kit asks for, exact wire logs, and a fresh start."""

import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.documents import CHECKOUT, blocks
from tests.gateways import RunningGateway, listener
from xds_gateway.codec.mllp import frame
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.config.shipped import CONFORMANCE

from .commands import PROGRAM, end, environment, read_until, run, started
from .feeds import adt, fed_domain, sending
from .messages import PLAIN, Answer, find_documents, new_patient, provide, registrable, retrieve, send
from .messages import register as registration
from .raw import Connection, chunked, request_head
from .test_docs_examples import SENDERS

PAGE = CHECKOUT / "docs" / "conformance-testing.md"
(SERVE, *STEPS) = blocks(PAGE, "sh")
ADDRESS = "http://localhost:8480"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module", params=SENDERS)
def bench(request, tmp_path_factory):
    """What each block of the page writes, in its order, in a folder like the project's, and that folder."""
    folder, port, fed = tmp_path_factory.mktemp("bench"), free_port(), free_port()
    (folder / "bin").mkdir()
    (folder / "var").mkdir()
    (folder / "docs").symlink_to(CHECKOUT / "docs")
    if request.param == "python":
        curl = folder / "bin" / "curl"
        curl.write_text(f'#!/bin/sh\nexec {sys.executable} {CHECKOUT}/tests/wire/curl.py "$@"\n')
        curl.chmod(0o755)
    variables = {
        "XDS_GATEWAY_LISTENERS__0__PORT": str(port),
        "XDS_GATEWAY_FEEDS__0__PORT": str(fed),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    assert SERVE.strip() == ".venv/bin/xds-gateway serve --config conformance"
    with started(folder, "serve", "--config", "conformance", **variables) as process:
        told = [read_until(process, b"Ctrl-C")]
        told += [written(step, folder, port, variables) for step in STEPS]
        yield folder, told
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def written(step, folder, port, variables):
    program = " ".join(PROGRAM)
    here = step.replace(".venv/bin/python", sys.executable).replace(".venv/bin/xds-gateway", program)
    here = here.replace(ADDRESS, f"http://localhost:{port}")
    done = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", here],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == b""
    return done.stdout.decode(errors="replace")


#   what the block has           what it writes
EXPECTED = [
    ("endpoints --config conformance --json", ["ITI-41", "repositoryUniqueId", "/recipient"]),
    ("?wsdl", ["<wsdl:definitions"]),
    ("kit.toml", ["/services", "homeCommunityId"]),
    ("iti-41.mime", ["ResponseStatusType:Success", "ResponseStatusType:Failure", "XDSDuplicateUniqueIdInRegistry"]),
    ("explain", ["POST /services/repository HTTP/1.1"]),
    ("reset", ["The domain conformance is empty; there was 1 document entries"]),
]


@pytest.mark.parametrize(("block", "expected"), EXPECTED, ids=[block for block, _ in EXPECTED])
def test_a_step_does_what_the_page_says(bench, block, expected):
    (told,) = [told for step, told in zip(STEPS, bench[1][1:], strict=True) if block in step]
    assert [text for text in expected if text not in told] == []


def test_every_step_is_tried():
    assert [sum(block in step for block, _ in EXPECTED) for step in STEPS] == [1] * len(STEPS)


def test_endpoints_tell_all_that_a_kit_asks_for(bench):
    folder, _ = bench
    told = json.loads((folder / "var" / "endpoints.json").read_text())
    services, recipient = told["mounts"]
    assert [(feed["url"].rpartition(":")[0], feed["domain"]) for feed in told["feeds"]] == [
        ("mllp://localhost", "conformance")
    ]
    shipped = tomllib.loads(CONFORMANCE)["domains"][0]
    for mount in (services, recipient):
        assert list(mount["transactions"]) == list(dict.fromkeys(row.name for row in TRANSACTIONS))
        assert mount["repository_unique_id"] == shipped["repository_unique_id"]
        assert mount["home_community_id"] == shipped["home_community_id"]
        assert mount["assigning_authorities"] == shipped["assigning_authorities"]
    assert recipient["metadata"] == "limited"
    assert services["transactions"]["ITI-92"].endswith("/services/responder")


def test_a_free_port_has_no_address_yet(tmp_path):
    done = run(tmp_path, "endpoints", "--config", "conformance", XDS_GATEWAY_LISTENERS__0__PORT="0")
    assert done.returncode == 2
    assert "serve --json" in done.stderr


# --- the codes of a kit


def test_the_codes_of_a_kit_are_in_force_from_the_start_on(tmp_path):
    """As the page says it: the file is named by a variable."""
    (variables,) = [line for line in PAGE.read_text().splitlines() if "VALUE_SETS=" in line]
    name, _, file = variables.split()[0].partition("=")
    settings = {
        name: str(CHECKOUT / file),
        "XDS_GATEWAY_LISTENERS__0__PORT": "0",
        "XDS_GATEWAY_FEEDS__0__PORT": "0",
    }
    for _ in range(2):  # what is in force already makes no version
        with started(tmp_path, "serve", "--config", "conformance", "--json", **settings) as process:
            url = json.loads(read_until(process, b"\n"))["endpoints"][0]["registry"].removesuffix("/registry")
            note = ("submit", str(CHECKOUT / "docs/examples/note.txt"), "--url", url, "--patient")
            told = ("--metadata", str(CHECKOUT / "docs/examples/note.toml"))
            allowed = run(tmp_path, *note, "5713@2.25.98765432109876543210", *told)
            stranger = run(tmp_path, *note, "5713@1.2.3", *told)
            other = run(tmp_path, *note, "5713@2.25.98765432109876543210", *told, "--type-code", "1^One^1.2")
            assert end(process, signal.SIGTERM) == 0
        assert allowed.returncode == 0, allowed.stderr  # a slow machine is told how far it is
        assert "XDSUnknownPatientId" in stranger.stderr
        assert "ihe.valueSet.typeCode" in other.stderr
    listed = json.loads(run(tmp_path, "vocabulary", "list", "--config", "conformance", "--json").stdout)
    assert listed["version"] == 1


def test_a_gateway_does_not_start_with_a_file_that_is_wrong(tmp_path):
    (tmp_path / "codes.xml").write_text("<Codes/>")
    done = run(tmp_path, "serve", "--config", "conformance", XDS_GATEWAY_DOMAINS__0__VALUE_SETS="codes.xml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "codes.xml cannot be used: it is neither SVS XML" in done.stderr


# --- reset


def configured(folder: Path, gateway: RunningGateway) -> str:
    return str(gateway.log.parent / "gateway.toml")


def reset(folder: Path, gateway: RunningGateway, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, "reset", "--config", configured(folder, gateway), *arguments)


@pytest.mark.parametrize(
    ("domain", "arguments", "status", "text"),
    [
        ({}, ["--yes"], 2, "allow_reset = true"),
        ({"allow_reset": True}, [], 2, "nobody can be asked"),
        ({"allow_reset": True}, ["--yes", "--domain", "other"], 2, "no domain other"),
        ({"allow_reset": True}, ["--yes"], 0, "is empty"),
    ],
    ids=["not allowed", "not confirmed", "no such domain", "allowed"],
)
def test_a_reset_happens_only_where_it_may(start_gateway, tmp_path, domain, arguments, status, text):
    gateway = start_gateway(domains=[domain])
    patient = new_patient()
    made = provide(b"the letter", patient=patient)
    assert send(gateway, made.message()).status == "Success"
    done = reset(tmp_path, gateway, *arguments)
    assert done.returncode == status
    assert text in done.stdout + done.stderr
    left = 0 if status == 0 else 1
    assert len(send(gateway, find_documents(patient)).entries) == left
    assert len(send(gateway, retrieve(*made.unique_ids)).documents) == left


def test_a_gateway_of_two_workers_goes_on_after_a_reset(start_gateway, tmp_path):
    gateway = start_gateway(workers=2, domains=[{"allow_reset": True, "retries": "strict"}])
    patient = new_patient()
    submission = registrable(patient)
    for _ in range(3):
        assert send(gateway, registration(submission)).status == "Success"
        assert send(gateway, registration(submission)).errors == ["XDSDuplicateUniqueIdInRegistry"]
        assert json.loads(reset(tmp_path, gateway, "--yes", "--json").stdout)["removed"]["document_entries"] == 1
        assert [len(send(gateway, find_documents(patient)).entries) for _ in range(8)] == [0] * 8


# --- wire log


@pytest.mark.parametrize("tls", ["off", "server"])
def test_a_chunked_body_is_in_the_wire_log_as_it_was_sent(start_gateway, pki, tmp_path, tls):
    folder = tmp_path / "wire"
    gateway = start_gateway(
        listeners=[listener(pki, tls=tls)], mounts=[{"authentication": "none"}], wire_log={"folder": folder}
    )
    message = provide(b"x" * 100_000).message()
    body = chunked([message.body[at : at + 7001] for at in range(0, len(message.body), 7001)])
    with Connection(gateway) as connection:
        head = request_head(
            connection, f"/services/{message.endpoint}", {**message.headers, "Transfer-Encoding": "chunked"}
        )
        connection.send(head, body)
        answer = connection.response()
    assert Answer(answer).status == "Success"
    assert gateway.stop() == 0
    (exchange,) = folder.iterdir()
    assert (exchange / "request").read_bytes() == head + body
    assert (exchange / "response").read_bytes().endswith(b"\r\n\r\n" + answer.body)


def test_each_message_of_a_feed_is_in_the_wire_log_also_a_broken_one(start_gateway, pki, tmp_path):
    folder = tmp_path / "wire"
    gateway = start_gateway(**fed_domain(pki, message_bytes=2000), wire_log={"folder": folder})
    good, odd, bare = (frame(adt("A04", new_patient())), frame(adt("A37", new_patient())), frame(b"PID|||1"))
    cut, long = b"\x0b" + adt("A04", new_patient())[:60], b"\x0b" + adt("A04", new_patient()).ljust(2001, b"x")
    answers = []
    for sent, count in ((good + b"\r\n" + odd, 2), (bare, 0), (cut, 0), (long, 1)):
        with sending(gateway) as sender:
            sender.write(sent)
            sender.connection.shutdown(socket.SHUT_WR)
            answers += [frame(answer) for answer in sender.read(count + 1)]
    assert gateway.stop() == 0
    told = [(each / "request", each / "response") for each in sorted(folder.iterdir())]
    assert [request.read_bytes() for request, _ in told] == [good, odd, bare, cut, long]
    assert [response.read_bytes() for _, response in told if response.exists()] == answers
    assert [response.exists() for _, response in told] == [True, True, False, False, True]


def test_what_comes_after_an_early_answer_belongs_to_its_exchange(start_gateway, pki, tmp_path):
    folder = tmp_path / "wire"
    gateway = start_gateway(
        listeners=[listener(pki, tls="off")], mounts=[{"authentication": "none"}], wire_log={"folder": folder}
    )
    with Connection(gateway) as connection:
        head = request_head(connection, "/nowhere", {"Content-Type": PLAIN, "Content-Length": 100_000})
        connection.send(head, b"a" * 10_000)
        assert connection.response().status == 404
        connection.send(b"b" * 90_000)
        following = request_head(connection, "/services/registry?wsdl", {}, "GET")
        connection.send(following)
        connection.response()
    assert gateway.stop() == 0
    first, *others = sorted(folder.iterdir())
    assert (first / "request").read_bytes().startswith(head + b"a" * 10_000)
    assert [(each / "request").read_bytes()[:4] for each in others] in ([], [b"GET "])
