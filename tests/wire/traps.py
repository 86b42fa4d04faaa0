"""A port of this machine on which a fetch or a call would be noticed."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager


class Trap:
    """Listens and never answers."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]

    @property
    def called(self) -> bool:
        """Whether somebody has called, or does so in the next moments."""
        return bool(select.select([self._listening], [], [], 0.02)[0])


@contextmanager
def listening() -> Iterator[Trap]:
    """A trap on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield Trap(bound)
