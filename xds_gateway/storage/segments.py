"""Segments of the journal, read line by line while they are written or long after."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from .chains import follow, parse_chained

_PATTERN: Final = "*.jsonl"


class Line(NamedTuple):
    """One whole line: where it begins and ends in bytes, its event as JSON, and its digest.

    `chained` says whether it carries its digest, which lines of older releases do not; it is `intact` when that one
    follows from the line before.
    """

    start: int
    end: int
    event: bytes
    chain: bytes
    chained: bool
    intact: bool


def segments(folder: Path) -> Iterator[Path]:
    """All segments, those of a writer in their order."""
    return iter(sorted(folder.glob(_PATTERN)))


def read_lines(segment: BufferedReader, start: int, chain: bytes) -> Iterator[Line]:
    """The lines from a place on, `chain` being the digest before it; ends at what is not whole."""
    segment.seek(start)
    while segment.peek(1)[:1] not in (b"", b"\0"):  # what is reserved is not read through
        line = segment.readline()
        if not line.endswith(b"\n") or b"\0" in line:
            return
        event, told = parse_chained(line)
        computed = follow(chain, event)
        chain = told or computed
        yield Line(start, start + len(line), event, chain, chained=told is not None, intact=chain == computed)
        start += len(line)


def durable_lines(path: Path, start: int, chain: bytes, limit: int) -> list[Line]:
    """At most `limit` lines from a place on, on disk when this returns: a writer may not have come so far."""
    with path.open("rb") as segment:
        found = [line for _, line in zip(range(limit), read_lines(segment, start, chain), strict=False)]
        if found:
            os.fdatasync(segment.fileno())
    return found


class SegmentFiles:
    """Lines by their places; a few segments stay open."""

    def __init__(self, folder: Path, *, most: int = 16) -> None:
        self._folder: Final = folder
        self._most: Final = most
        self._open: Final[dict[str, BinaryIO]] = {}

    def line(self, name: str, start: int) -> bytes | None:
        """The line of a segment that begins at a place; None when the segment or the place is gone."""
        try:
            segment = self._opened(name)
        except FileNotFoundError:
            return None
        segment.seek(start)
        line = segment.readline()
        return line if line.endswith(b"\n") and b"\0" not in line else None

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popitem()[1].close()

    def _opened(self, name: str) -> BinaryIO:
        found = self._open.pop(name, None) or (self._folder / name).open("rb")
        self._open[name] = found  # the last one used is the last one closed
        if len(self._open) > self._most:
            self._open.pop(next(iter(self._open))).close()
        return found


@contextmanager
def segment_files(folder: Path) -> Iterator[SegmentFiles]:
    """The same for a block."""
    files = SegmentFiles(folder)
    try:
        yield files
    finally:
        files.close()
