"""Composite values of metadata: codes, authors and times (ITI TF-3 4.2.3.1)."""

from calendar import monthrange
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple


class Code(NamedTuple):
    """A coded value: code, coding scheme and display name (ITI TF-3 4.2.3.1.2)."""

    code: str
    scheme: str
    display: str = ""


class Author(NamedTuple):
    """An author of a document or a submission set; persons are XCN, institutions XON (ITI TF-3 4.2.3.2.1)."""

    person: str | None = None
    institutions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    specialties: tuple[str, ...] = ()
    telecommunications: tuple[str, ...] = ()


class TimeInterval(NamedTuple):
    """The instants that a DTM of limited precision may mean, as comparable numbers YYYYMMDDhhmmss, both inclusive."""

    earliest: int
    latest: int


_LENGTHS = (4, 6, 8, 10, 12, 14)
_FIRST = "00000101000000"
_LAST = "99991231235959"


def parse_dtm(text: str) -> TimeInterval | None:
    """Read a DTM `YYYY[MM[DD[hh[mm[ss]]]]]` in UTC; None when it is not one (ITI TF-3 Table 4.2.3.1.7-2)."""
    return _interval(text) if len(text) in _LENGTHS and text.isascii() and text.isdigit() else None


@lru_cache(maxsize=1024)  # rules and storage read the same times of one message
def _interval(text: str) -> TimeInterval | None:
    length = len(text)
    full = text + _FIRST[length:]
    try:
        first = _datetime(full)
    except ValueError:
        return None
    if length == 6:
        return TimeInterval(int(full), int(f"{text}{monthrange(first.year, first.month)[1]}235959"))
    return TimeInterval(int(full), int(text + _LAST[length:]))


def _datetime(full: str) -> datetime:  # a tenth of the time of strptime, and every message has several
    year, month, day = int(full[:4]), int(full[4:6]), int(full[6:8])
    return datetime(year, month, day, int(full[8:10]), int(full[10:12]), int(full[12:]), tzinfo=UTC)
