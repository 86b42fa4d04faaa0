"""SIGTERM as an orderly end of a command: what it has begun is taken down on the way out."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_on_sigterm(status: int) -> Iterator[None]:
    """End with this exit status when SIGTERM comes in the block; a second one changes nothing."""

    def end(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(status)

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
