"""A gateway as a child process: it ends before its parent does, in whatever way the parent ends."""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from .failures import CommandFailed

_START_SECONDS: Final = 60.0  # a slow machine under load
_STOP_SECONDS: Final = 45.0  # more than running requests get
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class Child:
    """A gateway that serves: the settings that it announced, and its exit status once it was stopped."""

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any]) -> None:
        self._process = process
        self.registry_url: str = ready["endpoints"][0]["registry"]
        self.repository_url: str = ready["endpoints"][0]["repository"]
        self.workers: int = ready["workers"]

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()


@contextmanager
def child_gateway(config: Path, log: Path) -> Iterator[Child]:
    """Serve with this configuration on a free port; its log goes to a file. Raises CommandFailed."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("XDS_GATEWAY_")}
    environment["XDS_GATEWAY_LISTENERS__0__PORT"] = "0"
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603  this program itself
            [sys.executable, "-m", "xds_gateway", "serve", "--config", str(config), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the parent, which then stops the child in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        yield Child(process, _announced(process, log))
    finally:
        _stop(process)


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent is gone, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _announced(process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    until = time.monotonic() + _START_SECONDS
    while process.stdout and time.monotonic() < until:
        if select.select([process.stdout], [], [], 0.1)[0]:
            line = process.stdout.readline()
            if not line:
                break
            announced: dict[str, Any] = json.loads(line)
            return announced
    raise CommandFailed("start", "The gateway did not start.", *_last_words(log))


def _last_words(log: Path) -> list[str]:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()[-5:]
    return [*lines, f"All it said is in {log}."] if lines else [f"It said nothing in {log}."]


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.wait()
    finally:
        if process.stdout:
            process.stdout.close()
