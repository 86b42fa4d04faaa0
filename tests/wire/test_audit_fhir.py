"""ITI-20 to a FHIR server: every event, in order, while the server fails, refuses and comes back."""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from xds_gateway.storage.audit_opening import open_audit

from .commands import run
from .messages import find_documents, new_patient, send

REFUSED = "urn:refuse-this"


class Server(ThreadingHTTPServer):
    """Keeps what it gets; answers `status` first, if it is set, then 201, and 422 to what says REFUSED."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[dict[str, Any]] = []
        self.status: int | None = None
        self.asked = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        queries = [b64decode(entity.get("query", "")) for entity in json.loads(body)["entity"]]
        status = self.server.status or (422 if any(REFUSED.encode() in query for query in queries) else 201)
        assert (self.path, self.headers["Content-Type"]) == ("/fhir/AuditEvent", "application/fhir+json; charset=UTF-8")
        if status == 201:
            AuditEvent.model_validate_json(body)
            self.server.got.append(json.loads(body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def wait(condition) -> None:
    until = time.monotonic() + 60
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)


def test_every_event_is_posted_once_it_can_be(start_gateway, server):
    server.status = 503
    url = f"http://127.0.0.1:{server.server_port}/fhir/"
    gateway = start_gateway(audit_repositories=[{"protocol": "fhir", "url": url}])
    patient = new_patient()
    for number in range(6):
        document = REFUSED if number == 3 else "1.2.3"
        send(gateway, find_documents(patient, ClassCode=f"('{document}^^1.2.3')"))
    wait(lambda: server.asked)
    server.status = None
    wait(lambda: len(server.got) >= 6)
    wait(lambda: told_of(gateway).sent >= 7)
    queries = [each for each in server.got if each["subtype"][0]["code"] == "ITI-18"]
    assert len(queries) == 5
    assert server.got[0]["subtype"][0]["code"] == "110120"
    assert len({each["id"] for each in server.got}) == len(server.got)
    assert all(each["entity"][0]["what"]["identifier"]["value"] == patient for each in queries)
    told = told_of(gateway)
    assert (told.failure, [(aside.number, aside.reason) for aside in told.set_aside]) == (
        None,
        [(5, f"HTTP 422 {HTTPStatus.UNPROCESSABLE_ENTITY.phrase}")],
    )


def told_of(gateway):
    """How far the server is, as the gateway has it."""
    url = f"sqlite:///{gateway.data_folder}/registry.sqlite3"
    with open_audit(url, gateway.data_folder, wait_seconds=10) as audit:
        return audit.told_of("main", 10)


@pytest.mark.parametrize("others", [{}, {"allow_reset": True}], ids=["a domain that stays", "domains for tests"])
def test_a_reset_lets_go_of_what_waits_where_all_domains_are_for_tests(start_gateway, server, tmp_path, others):
    server.status = 503
    url = f"http://127.0.0.1:{server.server_port}/fhir/"
    gateway = start_gateway(
        audit_repositories=[{"protocol": "fhir", "url": url}],
        domains=[{"allow_reset": True}, {"name": "other", "repository_unique_id": "2.25.77", **others}],
    )
    patient, later = new_patient(), new_patient()
    send(gateway, find_documents(patient))
    wait(lambda: server.asked)
    config = ("--config", str(gateway.log.parent / "gateway.toml"), "--json")
    told = run(tmp_path, "reset", "--domain", "default", "--yes", *config)
    unsent = json.loads(told.stdout)["removed"]["unsent_audit_events"]
    send(gateway, find_documents(later))
    server.status = None
    wait(lambda: any(later in json.dumps(event) for event in server.got))
    sent = any(patient in json.dumps(event) for event in server.got)
    assert (sent, unsent > 0) == ((False, True) if others else (True, False))
    kept = json.loads(run(tmp_path, "audit", "list", "--transaction", "ITI-18", *config).stdout)["events"]
    assert [event["patient_ids"] for event in kept] == [[patient], [later]]
