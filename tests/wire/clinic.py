"""A clinic's own authorities, clients and revocation lists as files, and real TLS clients: openssl and curl."""

import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.gateways import RunningGateway, TestPki, listener
from tests.unit.certificates import DAY, NOW, make_authority, make_certificate, make_client, make_crl
from xds_gateway.pki import Issued, certificate_pem, key_pem

_addresses = count(2)
PATIENCE = 30.0
_OPENSSL = ("openssl", "s_client", "-ign_eof")
_CURL = ("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "25")


@dataclass(frozen=True)
class Clinic:
    """Root, authority below it, and clients by their names in `clients`; files are in `folder`."""

    folder: Path
    pki: TestPki
    root: Issued
    below: Issued
    clients: dict[str, Issued]

    @property
    def authorities(self) -> Path:
        return self.folder / "root.crt"

    @property
    def root_only(self) -> Path:
        """The root without the authority below it, which callers bring."""
        path = self.folder / "root-only.crt"
        path.write_bytes(certificate_pem(self.root))
        return path

    def list_of_root(self) -> Path:
        """A list of the root that revokes the authority below it."""
        path = self.folder / "no-below.crl"
        path.write_bytes(make_crl(self.root, self.below))
        return path

    def crl(self, name: str, authority: Issued, *revoked: str, **changes: Any) -> Path:
        """Write the list of an authority."""
        path = self.folder / f"{name}.crl"
        path.write_bytes(make_crl(authority, *(self.clients[each] for each in revoked), **changes))
        return path

    def pair(self, name: str) -> tuple[Path, Path]:
        """Certificate, with the authority below the root, and key."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def listener(self, **changes: Any) -> dict[str, Any]:
        """A listener that trusts the root."""
        return listener(self.pki, **{"client_ca": self.authorities, **changes})

    def context(self, name: str) -> ssl.SSLContext:
        """TLS of a client of the clinic."""
        context = ssl.create_default_context(cafile=str(self.pki.files.ca))
        context.load_cert_chain(*self.pair(name))
        return context


def make_clinic(folder: Path, pki: TestPki) -> Clinic:
    """Make all keys and certificates."""
    folder.mkdir()
    root = make_authority("Clinic root")
    below = make_authority("Clinic authority", under=root, path_length=0)
    clients = {name: make_client(below, name) for name in ("ward", "stolen", "visitor", "theatre")}
    clients |= {
        "alone": make_certificate(),
        "old": make_client(below, "old", now=NOW - 900 * DAY),
        "early": make_client(below, "early", now=NOW + 5 * DAY),
        "printer": make_certificate(
            [(NameOID.COMMON_NAME, "printer")], under=below, usage=ExtendedKeyUsageOID.SERVER_AUTH
        ),
        "stranger": make_client(make_authority("A stranger"), "stranger"),
    }
    clinic = Clinic(folder, pki, root, below, clients)
    clinic.authorities.write_bytes(certificate_pem(root) + certificate_pem(below))
    for name, issued in clients.items():
        certificate, key = clinic.pair(name)
        chain = b"" if name in ("alone", "stranger") else certificate_pem(below)
        certificate.write_bytes(certificate_pem(issued) + chain)
        key.write_bytes(key_pem(issued))
    return clinic


def new_address() -> str:
    """An address of this machine that no other caller of the test run has: its failures are told by themselves."""
    return f"127.0.0.{next(_addresses)}"


def openssl(gateway: RunningGateway, url: str, address: str, *arguments: str | Path, sent: bytes = b"") -> str:
    """What `openssl s_client` says of a connection from this address."""
    port = url.rsplit(":", 1)[1]
    done = subprocess.run(
        [*_OPENSSL, "-connect", f"127.0.0.1:{port}", "-bind", address, "-CAfile", gateway.pki.files.ca, *arguments],
        input=sent,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return (done.stdout + done.stderr).decode(errors="replace")


def curl(gateway: RunningGateway, url: str, address: str, *arguments: str | Path) -> tuple[int, str]:
    """Exit status of curl and the HTTP status that it got ("000" for none), from this address."""
    done = subprocess.run(
        [*_CURL, "--interface", address, "--cacert", gateway.pki.files.ca, *arguments, url],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def events(gateway: RunningGateway) -> Iterator[dict[str, Any]]:
    """Nodes that were refused, as the journal on disk has them."""
    for path in sorted((gateway.data_folder / "journal").glob("gateway.nodes-*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n") and b"\0" not in line:
                yield json.loads(line)


def event_of(gateway: RunningGateway, address: str) -> dict[str, Any]:
    """The first event of this address, which comes within seconds."""
    found: list[dict[str, Any]] = []
    eventually(lambda: found.extend(each for each in events(gateway) if each["address"] == address) or bool(found))
    return found[0]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something has come true."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.05)


__all__ = ["Clinic", "curl", "event_of", "events", "eventually", "make_clinic", "new_address", "openssl"]
