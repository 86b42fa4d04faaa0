"""Certificates, keys and revocation lists are read again by every worker while it serves, and open callers follow."""

import json
import shutil
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from tests.gateways import RunningGateway
from tests.unit.certificates import DAY, NOW, make_crl
from xds_gateway.pki import certificate_pem, issue_authority, issue_server, key_pem

from .clinic import Clinic, event_of, eventually, make_clinic, new_address
from .feeds import Sender, adt, fed_domain
from .messages import find_documents, new_patient
from .raw import Connection, request_head


@dataclass(frozen=True)
class Live:
    """A gateway of two workers whose files are its own, and the clinic that its callers are of."""

    gateway: RunningGateway
    clinic: Clinic
    folder: Path

    def revoke(self, *names: str, **changes: object) -> None:
        """Put a new list of the authority below the root in place."""
        revoked = [self.clinic.clients[name] for name in names]
        replace(self.folder / "below.crl", make_crl(self.clinic.below, *revoked, **changes))

    def reloaded(self) -> set[int]:
        """Workers that have read the files again, by the log."""
        return {each["process"] for each in log(self.gateway) if each["event"] == "TLS files reloaded"}


def replace(path: Path, content: bytes) -> None:
    """As an administrator should: written beside, then renamed."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


def log(gateway: RunningGateway) -> Iterator[dict[str, object]]:
    for line in gateway.log_text().splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def settings(clinic: Clinic, folder: Path) -> dict[str, object]:
    """Settings whose files are copies in `folder`."""
    files = clinic.pki.files
    for name, path in (("server.crt", files.server_certificate), ("server.key", files.server_key)):
        shutil.copy(path, folder / name)
    (folder / "root.crl").write_bytes(make_crl(clinic.root))
    (folder / "below.crl").write_bytes(make_crl(clinic.below))
    own = {
        "certificate": folder / "server.crt",
        "key": folder / "server.key",
        "crls": [folder / "root.crl", folder / "below.crl"],
    }
    fed = fed_domain(clinic.pki)
    return {**fed, "listeners": [clinic.listener(**own)], "feeds": [fed["feeds"][0], clinic.listener(**own)]}


@pytest.fixture(scope="module")
def live(tmp_path_factory, pki, start_shared) -> Live:
    folder = tmp_path_factory.mktemp("live")
    clinic = make_clinic(folder / "clinic", pki)
    gateway = start_shared(workers=2, certificates={"watch_seconds": 0.2}, **settings(clinic, folder))
    return Live(gateway, clinic, folder)


@pytest.fixture
def restored(live) -> Iterator[None]:
    """Another certificate of the gateway is there for this test only."""
    names = ("server.key", "server.crt")
    contents = [(live.folder / name).read_bytes() for name in names]
    before = serial(live.gateway, live.clinic.context("ward"))
    yield
    for name, content in zip(names, contents, strict=True):
        replace(live.folder / name, content)
    eventually(lambda: {serial(live.gateway, live.clinic.context("ward")) for _ in range(10)} == {before})


def serial(gateway: RunningGateway, context: ssl.SSLContext) -> int:
    """Serial number of the certificate that the gateway shows to a new connection."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with Connection(gateway, context=context) as connection:
        shown = connection.socket.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).serial_number


def asked(connection: Connection) -> int:
    """HTTP status of a query on an open connection; 0 when it was closed."""
    message = find_documents(new_patient())
    headers = {"Content-Length": len(message.body), **message.headers}
    connection.send(request_head(connection, "/services/registry", headers) + message.body)
    return connection.response().status


def new_server(folder: Path) -> int:
    """Put another certificate and key of the gateway in place; its serial number."""
    now = datetime.now(UTC)
    issued = issue_server("Renewed", issue_authority("Another", now=now), now=now, hosts=("localhost",))
    replace(folder / "server.key", key_pem(issued))
    replace(folder / "server.crt", certificate_pem(issued))
    return issued.certificate.serial_number


def test_every_worker_shows_a_new_certificate_and_open_connections_stay(live, restored):
    with Connection(live.gateway, context=live.clinic.context("ward")) as connection:
        assert asked(connection) != 0
        renewed = new_server(live.folder)
        eventually(lambda: live.reloaded() == set(live.gateway.workers()))
        assert {serial(live.gateway, live.clinic.context("ward")) for _ in range(10)} == {renewed}
        assert asked(connection) != 0


def test_a_broken_file_keeps_what_was_there_and_is_told(live, restored):
    before = serial(live.gateway, live.clinic.context("ward"))
    replace(live.folder / "server.key", b"no key")
    eventually(
        lambda: (
            {each["process"] for each in log(live.gateway) if each["event"] == "TLS files not reloaded"}
            == set(live.gateway.workers())
        )
    )
    assert serial(live.gateway, live.clinic.context("ward")) == before
    told = next(each for each in log(live.gateway) if each["event"] == "TLS files not reloaded")
    assert (told["level"], told["place"]) == ("error", "listeners[0]")
    assert "server.key cannot be used together" in str(told["reason"])


def connected(live: Live, name: str, address: str) -> Connection:
    """An open connection of this client from this address."""
    connection = Connection(live.gateway, context=live.clinic.context(name), address=address)
    assert asked(connection) != 0
    return connection


def test_who_is_revoked_is_disconnected_and_others_go_on(live):
    live.revoke()
    address = new_address()
    with connected(live, "ward", "127.0.0.1") as ward, connected(live, "theatre", address) as theatre:
        live.revoke("theatre")
        assert theatre.received() == b""
        event = event_of(live.gateway, address)
        assert (event["codes"], event["node"]) == (["revoked"], "CN=theatre,O=XDS gateway demonstration")
        assert asked(ward) != 0
    live.revoke()


def test_a_feed_of_a_revoked_sender_ends(live):
    live.revoke()
    with Connection(live.gateway, context=live.clinic.context("visitor"), url=feed_url(live)) as connection:
        patient = new_patient()
        assert Sender(connection.socket).send(adt("A04", patient)) == ["AA"]
        live.revoke("visitor")
        assert connection.received() == b""
    live.revoke()


def feed_url(live: Live) -> str:
    return f"https://127.0.0.1:{live.gateway.feed_ports[1]}"


def test_a_list_that_ends_while_they_are_connected(live):
    address = new_address()
    live.revoke(now=NOW)
    with connected(live, "ward", address) as ward:
        live.revoke(now=NOW - 2 * DAY)
        assert ward.received() == b""
        assert event_of(live.gateway, address)["codes"] == ["crl-stale"]
    eventually(lambda: any(each["event"] == "has ended" for each in log(live.gateway)))
    live.revoke()


def test_sighup_makes_all_workers_look_at_once(tmp_path, pki, start_gateway):
    clinic = make_clinic(tmp_path / "clinic", pki)
    gateway = start_gateway(workers=2, certificates={"watch_seconds": 3600}, **settings(clinic, tmp_path))
    live = Live(gateway, clinic, tmp_path)
    renewed = new_server(tmp_path)
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: live.reloaded() == set(gateway.workers()))
    assert {serial(gateway, clinic.context("ward")) for _ in range(5)} == {renewed}
