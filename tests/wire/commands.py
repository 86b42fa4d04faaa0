"""The command line as people and programs call it: real processes, real gateways, free ports."""

import contextlib
import importlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from xds_gateway.cli.program import run as run_here

from ..gateways import ROOT, START_SECONDS, STOP_SECONDS, TestPki

PROGRAM = (sys.executable, "-m", "xds_gateway")


def keys_of(command: str) -> set[str]:
    """The documented keys of a command's JSON."""
    return set(importlib.import_module(f"xds_gateway.cli.{command}").KEYS)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without settings of anybody, and these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDS_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **changes}


def called(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process, which takes a tenth of the time."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict(os.environ, environment(**changes), clear=True),
    ):
        status = run_here(arguments)
    for stream in (out, err):
        stream.seek(0)
    return subprocess.CompletedProcess(arguments, status, out.read(), err.read())


def run(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def settings(pki: TestPki, folder: Path) -> dict[str, str]:
    """Variables of a gateway with mutual TLS on a free port, which wants assertions."""
    listener = {
        "PORT": "0",
        "CERTIFICATE": str(pki.files.server_certificate),
        "KEY": str(pki.files.server_key),
        "CLIENT_CA": str(pki.files.ca),
    }
    numbered = {f"XDS_GATEWAY_LISTENERS__0__{name}": value for name, value in listener.items()}
    numbered["XDS_GATEWAY_ISSUERS__0__CERTIFICATES"] = str(pki.files.issuer_certificate)
    return {**numbered, "XDS_GATEWAY_DATA_FOLDER": str(folder / "data"), "XDS_GATEWAY_WORKERS": "1"}


@contextmanager
def started(folder: Path, *arguments: str, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command while it runs; its standard error goes to the file `err`."""
    with (folder / "err").open("wb") as errors:
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=folder,
            env=environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def read_until(process: subprocess.Popen[bytes], wanted: bytes) -> str:
    """What a command writes until it has written this."""
    assert process.stdout is not None
    told, until = b"", time.monotonic() + START_SECONDS
    while wanted not in told and time.monotonic() < until:
        if select.select([process.stdout], [], [], 0.1)[0]:
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                break
            told += piece
    assert wanted in told, told
    return told.decode()


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """Ask a command to end; its exit status."""
    process.send_signal(number)
    return process.wait(STOP_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A gateway served by the command line, and a folder to call it from."""

    folder: Path
    ready: Mapping[str, Any]
    variables: Mapping[str, str]

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a client command against it, as a process of its own."""
        return run(self.folder, *arguments, **{**self.variables, **changes})

    def call(self, *arguments: str, **changes: str) -> tuple[int, str, str]:
        """The same in this process, which is quicker: exit status, standard output and error."""
        done = called(self.folder, *arguments, **{**self.variables, **changes})
        return done.returncode, done.stdout, done.stderr

    def answer(self, *arguments: str) -> dict[str, Any]:
        """The JSON of a client command that succeeds."""
        status, out, err = self.call(*arguments, "--json")
        assert (status, err) == (0, "")
        answer: dict[str, Any] = json.loads(out)
        assert set(answer) == keys_of(arguments[0])
        return answer


@contextmanager
def served_gateway(folder: Path, pki: TestPki) -> Iterator[Served]:
    """A gateway that `xds-gateway serve` serves, and how to call it."""
    with started(folder, "serve", "--json", **settings(pki, folder)) as process:
        ready = json.loads(read_until(process, b"\n"))
        certificate, key = pki.client
        variables = {
            "XDS_CLIENT_ASSERTION": str(pki.files.assertion_profile),
            "XDS_CLIENT_URL": ready["endpoints"][0]["registry"].removesuffix("/registry"),
            "XDS_CLIENT_CERT": str(certificate),
            "XDS_CLIENT_KEY": str(key),
            "XDS_CLIENT_CA": str(pki.files.ca),
            "XDS_CLIENT_JOURNAL": str(folder / "journal"),
        }
        yield Served(folder=folder, ready=ready, variables=variables)
        assert end(process, signal.SIGTERM) == 0
