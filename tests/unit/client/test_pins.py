"""PINs that a token has refused are not tried again, by whatever process, whenever."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from xds_gateway.client import KeyUnavailable
from xds_gateway.client.pins import PinMemory, PinRefused

TOKEN, PIN, OTHER = "a token", b"1234", b"5678"


@pytest.fixture
def pins(tmp_path):
    return PinMemory(tmp_path / "pins")


def refuse(pins, pin=PIN, token=TOKEN):
    with pytest.raises(KeyUnavailable, match="refuses the PIN"), pins.trying(token, pin):
        raise PinRefused


def try_it(pins, pin=PIN, token=TOKEN) -> int:
    """How often the token was asked."""
    tries = 0
    with suppress(KeyUnavailable), pins.trying(token, pin):
        tries += 1
    return tries


def test_a_pin_that_was_refused_is_not_tried_again(pins, tmp_path):
    refuse(pins)
    assert [try_it(pins), try_it(PinMemory(tmp_path / "pins"))] == [0, 0]


@pytest.mark.parametrize(("pin", "token"), [(OTHER, TOKEN), (PIN, "another token")])
def test_another_pin_or_token_is_tried(pins, pin, token):
    refuse(pins)
    assert try_it(pins, pin, token) == 1


def test_a_pin_that_is_right_may_be_used_again_and_again(pins):
    assert [try_it(pins) for _ in range(3)] == [1, 1, 1]


def test_a_corrected_pin_is_followed_by_any(pins):
    refuse(pins)
    assert [try_it(pins, OTHER), try_it(pins, OTHER)] == [1, 1]


def test_a_token_that_fails_otherwise_has_not_refused(pins):
    with pytest.raises(OSError, match="unplugged"), pins.trying(TOKEN, PIN):
        raise OSError("unplugged")
    assert try_it(pins) == 1


def test_whoever_knows_better_removes_the_file_that_the_error_names(pins, tmp_path):
    refuse(pins)
    with pytest.raises(KeyUnavailable) as known, pins.trying(TOKEN, PIN):
        pass
    (path,) = (tmp_path / "pins").iterdir()
    assert str(path) in str(known.value)
    path.unlink()
    assert try_it(pins) == 1


def test_the_file_is_private_and_does_not_hold_the_pin(pins, tmp_path):
    refuse(pins)
    (path,) = (tmp_path / "pins").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert PIN not in path.read_bytes()


KILLED = """
import sys
from pathlib import Path
from xds_gateway.client.pins import PinMemory
with PinMemory(Path(sys.argv[1])).trying("a token", b"1234"):
    print("trying", flush=True)
    sys.stdin.read()
"""


def test_a_process_that_is_killed_while_it_tries_has_tried(pins, tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "pins")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"trying\n"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert try_it(pins) == 0
