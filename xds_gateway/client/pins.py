"""PINs that a token has refused, remembered on disk: a program that runs every night must not lock the token.

One file for each token, readable by its owner only, which holds a slow salted hash of the PIN.
"""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .errors import KeyUnavailable
from .journal import default_journal

_SALT: Final = 16


class PinRefused(Exception):
    """The token has refused the PIN just now."""


def default_pins() -> Path:
    """The folder beside the journal in the user's state folder."""
    return default_journal().with_name("refused-pins")


class PinMemory:
    """Sees that no PIN is tried again that a token has refused, by whatever process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def trying(self, token: str, pin: bytes) -> Iterator[None]:
        """Try this PIN inside: one process at a time; remembered before, forgotten unless PinRefused is raised.

        A process that is killed while it tries leaves the PIN remembered. Raises KeyUnavailable for a remembered PIN.
        """
        path = self._folder / hashlib.sha256(token.encode()).hexdigest()[:32]
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            kept = file.read()
            if kept and hmac.compare_digest(_hashed(pin, kept[:_SALT]), kept[_SALT:]):
                raise KeyUnavailable(f"the token has refused this PIN before, it is not tried again: {_way_out(path)}")
            salt = os.urandom(_SALT)
            _write(file.fileno(), salt + _hashed(pin, salt))
            try:
                yield
            except PinRefused as refused:
                raise KeyUnavailable(f"the token refuses the PIN, it is not tried again: {_way_out(path)}") from refused
            except BaseException:
                _write(file.fileno(), kept)
                raise
            _write(file.fileno(), b"")


def _way_out(path: Path) -> str:
    return f"correct it in its file or variable, or remove {path} when it was right after all"


def _hashed(pin: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(pin, salt=salt, n=2**14, r=8, p=1)


def _write(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
    os.fsync(descriptor)
