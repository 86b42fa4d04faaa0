"""Real gateways for tests: each a program of its own on a free port of this machine, stopped by its process id."""

import json
import os
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.databases import ready
from xds_gateway.pki import Pki, certificate_pem, issue_authority, issue_client, key_pem, make_pki

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0  # machines under load
STOP_SECONDS = 60.0

_PROGRAM = """
import json, os, sys
from pathlib import Path
from xds_gateway.config import load
from xds_gateway.server.logs import start_log
from xds_gateway.serving import Supervisor

settings = load(Path(sys.argv[1]), {})
start_log(settings.log.level)
def ready(served):
    urls = [[listener.url for listener in served.listeners], [feed.port for feed in served.feeds]]
    print(json.dumps([served.public_url, *urls]), flush=True)
sys.exit(Supervisor(settings, ready).run())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPki:
    """The PKI of the gateways, and two clients that must be refused; each client is (certificate, key)."""

    __test__ = False

    files: Pki
    rogue: tuple[Path, Path]  # of an authority that nobody trusts
    expired: tuple[Path, Path]  # of the trusted authority's name and key, out of date
    expired_ca: Path  # the authority of `expired`

    @property
    def client(self) -> tuple[Path, Path]:
        """The client that is trusted."""
        return self.files.client_certificate, self.files.client_key


def make_test_pki(folder: Path) -> TestPki:
    """Make all keys; ca.crt trusts the authority of the expired client too."""
    now = datetime.now(UTC)
    files = make_pki(folder, now=now)
    old = now - timedelta(days=3000)
    elder = issue_authority("An older authority", now=old)
    rogue = issue_authority("An authority that nobody trusts", now=now)
    with files.ca.open("ab") as trusted:
        trusted.write(certificate_pem(elder))
    return TestPki(
        files=files,
        rogue=_client(folder, "rogue", issue_client("Stranger", rogue, now=now)),
        expired=_client(folder, "expired", issue_client("Latecomer", elder, now=old)),
        expired_ca=files.ca,
    )


def _client(folder: Path, name: str, issued: Any) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(certificate_pem(issued))
    key.write_bytes(key_pem(issued))
    return certificate, key


@dataclass(slots=True, kw_only=True)
class RunningGateway:
    """A gateway that serves. `urls` are those of its listeners, in order."""

    process: subprocess.Popen[bytes]
    pki: TestPki
    data_folder: Path
    log: Path
    urls: tuple[str, ...]
    public_url: str
    feed_ports: tuple[int, ...] = ()
    mount: str = "/services"
    status: int | None = field(default=None)

    @property
    def url(self) -> str:
        """The address of the first listener."""
        return self.urls[0]

    @property
    def registry_url(self) -> str:
        """The Document Registry."""
        return f"{self.url}{self.mount}/registry"

    @property
    def repository_url(self) -> str:
        """The Document Repository."""
        return f"{self.url}{self.mount}/repository"

    @property
    def responder_url(self) -> str:
        """The Update Responder."""
        return f"{self.url}{self.mount}/responder"

    @property
    def patients_url(self) -> str:
        """The Document Registry, asked by identity feeds."""
        return f"{self.url}{self.mount}/patients"

    @property
    def port(self) -> int:
        """The port of the first listener."""
        return int(self.url.rsplit(":", 1)[1])

    def workers(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        pid = self.process.pid
        return tuple(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def log_text(self) -> str:
        """All that the program has written to its log and to standard error."""
        return self.log.read_text(errors="replace")

    def client_context(self, client: tuple[Path, Path] | None = None, *, anonymous: bool = False) -> ssl.SSLContext:
        """TLS of a caller that trusts the gateway, with the trusted client's certificate unless told otherwise."""
        context = ssl.create_default_context(cafile=str(self.pki.files.ca))
        if not anonymous:
            context.load_cert_chain(*(client or self.pki.client))
        return context

    def stop(self) -> int:
        """Ask the program to end as an operator does; returns its exit status."""
        if self.status is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.status = self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.status

    def kill(self) -> None:
        """End parent and workers at once, as a power cut does, as far as the operating system survives it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.status = self.process.wait(STOP_SECONDS)


def write_toml(path: Path, settings: Mapping[str, Any]) -> None:
    """Write settings: scalars, tables and lists of tables."""
    lines = [f"{name} = {_toml(value)}" for name, value in settings.items() if not _is_table(value)]
    for name, value in settings.items():
        if _is_table(value):
            tables = [value] if isinstance(value, Mapping) else value
            head = f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"
            for table in tables:
                lines += ["", head, *(f"{key} = {_toml(item)}" for key, item in table.items())]
    path.write_text("\n".join(lines) + "\n")


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _toml(value: Any) -> str:
    return json.dumps(value, default=str)


def listener(pki: TestPki, **changes: Any) -> dict[str, Any]:
    """A listener on a free port of this machine with mutual TLS, unless changed."""
    files = pki.files
    return {
        "host": "127.0.0.1",
        "port": 0,
        "tls": "mutual",
        "certificate": files.server_certificate,
        "key": files.server_key,
        "client_ca": files.ca,
        **changes,
    }


def with_users(pki: TestPki, **mount: Any) -> dict[str, Any]:
    """Settings of a mount that wants assertions of the throw-away issuer, as the defaults have it."""
    return {
        "mounts": [{"assertions": "required", **mount}],
        "issuers": [{"certificates": [pki.files.issuer_certificate]}],
    }


def start(
    folder: Path, pki: TestPki, *, data_folder: Path | None = None, prefix: Sequence[str] = (), **settings: Any
) -> RunningGateway:
    """Start a gateway and wait until it serves. `settings` are those of the TOML file, `prefix` a program around it.

    Mounts read no assertions unless they say so: most tests are about something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data_folder = data_folder or folder / "data"
    if not prefix:  # which may mount a disk there
        ready(f"sqlite:///{data_folder}/registry.sqlite3")
    defaults = {"data_folder": data_folder, "workers": 1, "listeners": [listener(pki)]}
    mounts = [{"assertions": "off", **mount} for mount in settings.get("mounts", [{}])]
    write_toml(folder / "gateway.toml", {**defaults, **settings, "mounts": mounts})
    log = folder / "log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", _PROGRAM, str(folder / "gateway.toml")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
    try:
        public_url, urls, feed_ports = json.loads(_first_line(process, log))
    except BaseException:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _close(process)
        raise
    mount = settings.get("mounts", [{}])[0].get("path", "/services")
    return RunningGateway(
        process=process,
        pki=pki,
        data_folder=data_folder,
        log=log,
        urls=tuple(urls),
        feed_ports=tuple(feed_ports),
        public_url=public_url,
        mount=mount,
    )


class StartFailed(Exception):
    """The program ended, or said nothing, before it served; the text is its log."""


def _first_line(process: subprocess.Popen[bytes], log: Path) -> bytes:
    assert process.stdout is not None
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if select.select([process.stdout], [], [], 0.1)[0]:
            line = process.stdout.readline()
            if line:
                return line
            break
    raise StartFailed(f"exit status {process.poll()}: {log.read_text(errors='replace')}")


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def starting(folder: Path, pki: TestPki) -> Iterator[Any]:
    """A function that starts gateways in folders of their own below `folder`; all are stopped at the end."""
    running: list[RunningGateway] = []

    def start_gateway(**settings: Any) -> RunningGateway:
        gateway = start(folder / f"gateway{len(running)}", pki, **settings)
        running.append(gateway)
        return gateway

    try:
        yield start_gateway
    finally:
        for gateway in running:
            try:
                gateway.stop()
            finally:
                _close(gateway.process)
