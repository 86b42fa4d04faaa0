"""CPU of a transaction beside its floor; both take turns, so that they meet the same neighbours on the machine."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from .in_process import Sender
from .messages import Message

COUNT: Final = int(os.environ.get("BENCH_REQUESTS", "400"))
WARM: Final = 100
TOTAL: Final = WARM + COUNT  # messages that a comparison needs
_TURN: Final = 100  # requests before the floor has its turn: four fifths of them at once, the others alone
_AT_ONCE: Final = 16  # requests in flight


def compare(sender: Sender, sent: Sequence[Message], floor: Callable[[Message], None]) -> dict[str, float]:
    """CPU per request beside its floor, in milliseconds, and their ratio: under load, and of a lone caller."""
    sender.cpu(sent[:WARM])
    for message in sent[:WARM]:
        floor(message)
    loaded, alone, low = _Figure(), _Figure(), _Figure()
    for start in range(WARM, len(sent), _TURN):
        turn = sent[start : start + _TURN]
        split = len(turn) * 4 // 5
        loaded.add(sender.cpu(turn[:split], at_once=_AT_ONCE), split)
        alone.add(sender.cpu(turn[split:]), len(turn) - split)
        started = time.process_time()
        for message in turn:
            floor(message)
        low.add(time.process_time() - started, len(turn))
    return {
        "cpu_ms": round(loaded.mean_ms, 3),
        "floor_ms": round(low.mean_ms, 3),
        "ratio": round(loaded.mean_ms / low.mean_ms, 2),
        "alone_cpu_ms": round(alone.mean_ms, 3),
        "alone_ratio": round(alone.mean_ms / low.mean_ms, 2),
    }


class _Figure:
    """Processor seconds of so many requests."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._count = 0

    def add(self, seconds: float, count: int) -> None:
        self._seconds += seconds
        self._count += count

    @property
    def mean_ms(self) -> float:
        return self._seconds / self._count * 1000
