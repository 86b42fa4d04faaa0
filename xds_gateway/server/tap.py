"""A tap at the edge: the bytes of each exchange as they were, in a folder of its own (off by default)."""

import itertools
import os
from datetime import UTC, datetime
from pathlib import Path

_NUMBERS = itertools.count(1)


class Exchange:
    """One exchange on a connection: files `request` and `response`, heads and bodies exactly as on the wire."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._request = folder / "request"
        self._response = folder / "response"
        self.answered = False

    def received(self, data: bytes) -> None:
        """Bytes of the caller."""
        _append(self._request, data)

    def sent(self, data: bytes) -> None:
        """Bytes of the gateway."""
        self.answered = self.answered or not data.startswith(b"HTTP/1.1 100 ")
        _append(self._response, data)


class Tap:
    """Gives each exchange its folder: time, process and number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exchange(self) -> Exchange:
        """A new exchange begins."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        return Exchange(self._folder / f"{moment}-{os.getpid()}-{next(_NUMBERS):06d}")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
