"""rsyslog as the audit repository: over TLS with client certificates, killed and started again under load (ITI-20).

XDS_TEST_SYSLOG_KILLS sets the number of kills; 3 when not set.
"""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gateways import RunningGateway, TestPki, listener
from tests.wire.messages import accepted, find_documents, new_patient, provide, retrieve, send
from xds_gateway.actors.audit_ports import Selection, TargetReport
from xds_gateway.codec.atna import parse_audit_message
from xds_gateway.storage.audit_opening import open_audit

KILLS = int(os.environ.get("XDS_TEST_SYSLOG_KILLS", "3"))
CONFIRM_SECONDS = 2.0
LONGEST_WAIT = 90.0
_MESSAGE = re.compile(rb"<85>1 (\S+) (\S+) xds-test (\d+) IHE\+RFC-3881 - (<\?xml(?:(?!<\?xml).)*</AuditMessage>)\Z")
_CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="256k" DefaultNetstreamDriver="gtls"
       DefaultNetstreamDriverCAFile="{ca}" DefaultNetstreamDriverCertFile="{certificate}"
       DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{folder}/messages" template="raw")
"""


@dataclass(slots=True)
class Rsyslog:
    """An rsyslogd of the test's own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = ["rsyslogd", "-n", "-f", str(self.folder / "rsyslog.conf"), "-i", str(self.folder / "pid")]
        with (self.folder / "errors").open("ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "errors").read_text())

    def kill(self, name: signal.Signals = signal.SIGKILL) -> None:
        """End it, without a chance to write what it has in memory."""
        if self.process is not None:
            self.process.send_signal(name)
            self.process.wait(30)
            self.process = None
            (self.folder / "pid").unlink(missing_ok=True)

    def messages(self) -> list[bytes]:
        """The whole audit messages that it has written; a kill leaves a torn one, with the next on the same line."""
        path = self.folder / "messages"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        found = [_MESSAGE.search(line) for line in lines]
        return [match[4] for match in found if match]


@contextmanager
def rsyslog_in(folder: Path, pki: TestPki) -> Iterator[Rsyslog]:
    """Configured, not started."""
    folder.mkdir()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = _CONFIGURATION.format(
        folder=folder,
        port=port,
        ca=pki.files.ca,
        certificate=pki.files.server_certificate,
        key=pki.files.server_key,
    )
    (folder / "rsyslog.conf").write_text(told)
    rsyslog = Rsyslog(folder, port)
    try:
        yield rsyslog
    finally:
        rsyslog.kill(signal.SIGTERM)


@pytest.fixture
def rsyslog(tmp_path: Path, pki: TestPki) -> Iterator[Rsyslog]:
    with rsyslog_in(tmp_path / "rsyslog", pki) as made:
        yield made


def repository(rsyslog: Rsyslog, pki: TestPki, **changes: object) -> dict[str, object]:
    certificate, key = pki.client
    return {
        "host": "localhost",
        "port": rsyslog.port,
        "ca": pki.files.ca,
        "certificate": certificate,
        "key": key,
        "confirm_seconds": CONFIRM_SECONDS,
        "step_seconds": 5,
        **changes,
    }


def started(start_gateway, rsyslog, pki, workers=2, **changes):
    return start_gateway(
        workers=workers,
        listeners=[listener(pki)],
        audit={"source_id": "xds-test"},
        audit_repositories=[repository(rsyslog, pki, **changes)],
    )


def kept(gateway: RunningGateway) -> list[str]:
    """Ids of all events in the order of their numbers."""
    url = f"sqlite:///{gateway.data_folder}/registry.sqlite3"
    with open_audit(url, gateway.data_folder, wait_seconds=10) as audit:
        while list(audit.log.selected(Selection()))[-1].number is None:
            time.sleep(0.1)
        return [entry.id for entry in audit.log.after(0, 1_000_000)]


def arrived(rsyslog: Rsyslog) -> list[str]:
    """Ids of messages as they came, each by its first coming."""
    return list(dict.fromkeys(parse_audit_message(message).id for message in rsyslog.messages()))


def wait_for(rsyslog: Rsyslog, wanted: list[str]) -> None:
    until = time.monotonic() + LONGEST_WAIT
    while len(arrived(rsyslog)) < len(wanted) and time.monotonic() < until:
        time.sleep(0.3)


def test_every_event_arrives_in_order_while_the_receiver_is_killed(start_gateway, rsyslog, pki):
    rsyslog.start()
    gateway = started(start_gateway, rsyslog, pki)
    over = threading.Event()
    threads = [threading.Thread(target=work, args=(gateway, over)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        time.sleep(1.0)
        rsyslog.kill()
        time.sleep(0.7)
        rsyslog.start()
    time.sleep(0.5)
    over.set()
    for thread in threads:
        thread.join()
    wanted = kept(gateway)
    wait_for(rsyslog, wanted)
    assert arrived(rsyslog) == wanted
    by_id: dict[str, set[bytes]] = {}
    for message in rsyslog.messages():
        by_id.setdefault(parse_audit_message(message).id, set()).add(message)
    assert all(len(same) == 1 for same in by_id.values())
    print(f"{len(rsyslog.messages())} messages for {len(wanted)} events across {KILLS} kills")


def work(gateway: RunningGateway, over: threading.Event) -> None:
    patient = new_patient()
    while not over.is_set():
        made = accepted(gateway, provide(b"x", patient=patient))
        send(gateway, find_documents(patient, "ObjectRef"))
        send(gateway, retrieve(*made.unique_ids))


def test_a_receiver_that_comes_late_and_a_gateway_that_is_killed(start_gateway, rsyslog, pki):
    gateway = started(start_gateway, rsyslog, pki, workers=1)
    patient = new_patient()
    for _ in range(20):
        send(gateway, find_documents(patient))
    gateway.kill()
    rsyslog.start()
    again = start_gateway(
        data_folder=gateway.data_folder,
        audit={"source_id": "xds-test"},
        audit_repositories=[repository(rsyslog, pki)],
    )
    send(again, find_documents(patient))
    wanted = kept(again)
    wait_for(rsyslog, wanted)
    assert arrived(rsyslog) == wanted
    assert "audit repository not reachable" in gateway.log_text()


def test_what_one_repository_refuses_or_nobody_vouches_for_holds_up_no_other(start_gateway, rsyslog, pki, tmp_path):
    """One takes short messages only, one shows a certificate of another authority than the settings say."""
    rsyslog.start()
    rogue = tmp_path / "rogue.crt"
    rogue.write_bytes(pki.rogue[0].read_bytes())
    gateway = start_gateway(
        audit={"source_id": "xds-test"},
        audit_repositories=[
            repository(rsyslog, pki, name="short", max_bytes=6000),
            repository(rsyslog, pki, name="unknown", ca=rogue),
        ],
    )
    patient = new_patient()
    send(gateway, find_documents(patient))
    send(gateway, find_documents(patient, ClassCode=f"('{'x' * 5000}^^1.2.3')"))
    send(gateway, find_documents(patient))
    wanted = kept(gateway)
    wait_for(rsyslog, wanted[:-1])
    got = arrived(rsyslog)
    assert len(got) == len(wanted) - 1
    assert [each for each in wanted if each in got] == got
    short, unknown = told(gateway, until=len(wanted))
    assert [aside.reason.partition(" bytes")[2] for aside in short.set_aside] == [", and max_bytes is 6000"]
    assert (unknown.sent, "CERTIFICATE_VERIFY_FAILED" in (unknown.failure or "")) == (0, True)
    assert "audit event set aside" in gateway.log_text()


def told(gateway: RunningGateway, until: int) -> tuple[TargetReport, ...]:
    """How far the repositories are, when the first one has so many events, or after a while."""
    over = time.monotonic() + LONGEST_WAIT
    url = f"sqlite:///{gateway.data_folder}/registry.sqlite3"
    with open_audit(url, gateway.data_folder, wait_seconds=10) as audit:
        while True:
            found = tuple(audit.told_of(name, 10) for name in ("short", "unknown"))
            if found[0].sent >= until or time.monotonic() > over:
                return found
            time.sleep(0.2)
