"""Gateways that really serve, for every test that wants one (tests/gateways.py)."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .gateways import RunningGateway, TestPki, make_test_pki, starting
from .peers.programs import notices

StartGateway = Callable[..., RunningGateway]


def pytest_configure() -> None:
    """Have commands under test hear of SIGINT: who runs the tests in the background has it ignored, and that is
    inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests against other products are not there, and why."""
    for notice in notices():
        terminalreporter.write_line(notice)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """Throw-away keys: server, trusted client, and clients that must be refused."""
    return make_test_pki(tmp_path_factory.mktemp("keys") / "pki")


@pytest.fixture
def start_gateway(tmp_path: Path, pki: TestPki) -> Iterator[StartGateway]:
    """Starts gateways with settings of the test's own, as in the TOML file; they end with the test."""
    with starting(tmp_path, pki) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Iterator[StartGateway]:
    """The same for a whole module."""
    with starting(tmp_path_factory.mktemp("shared"), pki) as start:
        yield start


@pytest.fixture(scope="session")
def _session_gateways(tmp_path_factory: pytest.TempPathFactory, pki: TestPki) -> Iterator[StartGateway]:
    with starting(tmp_path_factory.mktemp("session"), pki) as start:
        yield start


@pytest.fixture(scope="session")
def gateway(_session_gateways: StartGateway) -> RunningGateway:
    """A gateway of one worker with mutual TLS; tests share it and use patients of their own."""
    return _session_gateways(workers=1)


@pytest.fixture(scope="session")
def gateway2(_session_gateways: StartGateway) -> RunningGateway:
    """The same with two workers."""
    return _session_gateways(workers=2)
