"""The clock and the randomness of a process: only from here they reach everything else."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache


def now() -> str:
    """The time as a DTM to the second, UTC (ITI TF-3 Table 4.2.3.1.7-2)."""
    return _dtm(int(time.time()))


def clock() -> datetime:
    """The time in UTC, for what is judged closer than to the second."""
    return datetime.now(UTC)


@lru_cache(maxsize=1)  # all requests of one second have the same
def _dtm(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S")


class UuidSource:
    """Random UUIDs as URNs (RFC 9562 version 4), drawn in blocks; each process draws its own."""

    def __init__(self) -> None:
        self._drawn: list[str] = []
        os.register_at_fork(after_in_child=self._drawn.clear)

    def __call__(self) -> str:
        """A new one."""
        try:
            return self._drawn.pop()
        except IndexError:
            self._drawn.extend(self._block())
            return self._drawn.pop()

    @staticmethod
    def _block() -> Iterator[str]:
        entropy = os.urandom(16 * 64).hex()
        for start in range(0, len(entropy), 32):
            drawn = entropy[start : start + 32]
            variant = "89ab"[int(drawn[16], 16) & 3]
            yield f"urn:uuid:{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:]}"
