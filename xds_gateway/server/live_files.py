"""Files that a process reads again when they change, at most as often as it looks (server/watching.py)."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar

_log = logging.getLogger("xds_gateway.tls")

Stamp = tuple[tuple[int, int, int] | None, ...]


class Ending(NamedTuple):
    """Something that ends: `what` it is, the file it is in, and whose it is."""

    what: Literal["certificate", "authority", "pinned certificate", "revocation list", "issuer"]
    path: Path
    subject: str
    until: datetime


class Loaded(Protocol):
    """What files say."""

    @property
    def endings(self) -> Sequence[Ending]:
        """What of it ends, and when."""


class Unusable(ValueError):
    """Files that cannot be used; the text names the file."""


T_co = TypeVar("T_co", bound=Loaded, covariant=True)


class LiveFiles(Generic[T_co]):
    """What some files say now. A change that cannot be used changes nothing, and is told."""

    def __init__(self, what: str, place: str, paths: Sequence[Path], load: Callable[[], T_co]) -> None:
        """`what` the log calls them, `place` is their table in the settings. Raises Unusable, as `load` does."""
        self.place: Final = place
        self._what: Final = what
        self._paths: Final = paths
        self._load: Final = load
        self._stamp: Stamp | None = self._present()
        self._current = load()

    @property
    def current(self) -> T_co:
        """What they said when they were last read and could be used."""
        return self._current

    def forget(self) -> None:
        """Read the files at the next refresh, changed or not."""
        self._stamp = None

    def refresh(self) -> bool:
        """Read the files again if they have changed; True when they count from now on."""
        stamp = self._present()
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # a mistake is told once
        try:
            self._current = self._load()
        except Unusable as wrong:
            _log.error(f"{self._what} not reloaded", extra={"place": self.place, "reason": str(wrong)})
            return False
        _log.info(f"{self._what} reloaded", extra={"place": self.place})
        return True

    def _present(self) -> Stamp:
        return tuple(map(_stamp_of, self._paths))


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def ending_soon(endings: Iterable[Ending], now: datetime, days: float) -> Iterator[tuple[Ending, float]]:
    """What ends within so many days, or has ended, with the days that are left."""
    for ending in endings:
        left = (ending.until - now).total_seconds() / 86_400
        if left <= days:
            yield ending, left
