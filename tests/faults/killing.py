"""A gateway that callers use, and that is killed meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.gateways import RunningGateway

Work = Callable[[RunningGateway, threading.Event], None]


@contextmanager
def under_load(gateway: RunningGateway, works: Sequence[Work]) -> Iterator[None]:
    """Callers that go on until the gateway is gone or the block over; at its end all have noticed."""
    over = threading.Event()
    threads = [threading.Thread(target=work, args=(gateway, over)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def killed_under_load(gateway: RunningGateway, works: Sequence[Work], seconds: float) -> None:
    """Have it used for so long, then kill -9 all its processes."""
    with under_load(gateway, works):
        time.sleep(seconds)
        gateway.kill()
