"""A fair lock between processes: two files and `flock`, given back by the kernel when a process dies."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from ..model.errors import StorageBusy
from ..waiting import blocking

_FIRST_PAUSE: Final = 0.0001  # seconds
_LONGEST_PAUSE: Final = 0.002


class FairFileLock:
    """One holder at a time over all processes; who waits comes before who holds it now and wants it again.

    The turnstile does that: a waiter keeps `<path>.next` until it has `<path>.lock`, and everybody passes through
    `.next`. One object serves one caller at a time.
    """

    def __init__(self, path: Path, *, wait_seconds: float) -> None:
        self._next: Final = _open(path.with_name(path.name + ".next"))
        self._lock: Final = _open(path.with_name(path.name + ".lock"))
        self._wait_seconds: Final = wait_seconds

    def acquire(self) -> None:
        """Wait for the lock. Raises StorageBusy when the time is over."""
        if try_lock(self._next):
            free = try_lock(self._lock)
            fcntl.flock(self._next, fcntl.LOCK_UN)
            if free:
                return
        blocking(self._wait_for_it)

    def _wait_for_it(self) -> None:
        until = time.monotonic() + self._wait_seconds
        _wait(self._next, until)
        try:
            _wait(self._lock, until)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files; a held lock is given back."""
        os.close(self._next)
        os.close(self._lock)


def try_lock(descriptor: int) -> bool:
    """Take `flock` on an open file when nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _wait(descriptor: int, until: float) -> None:
    pause = _FIRST_PAUSE
    while not try_lock(descriptor):
        if time.monotonic() >= until:
            raise StorageBusy("another process is writing for too long")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
