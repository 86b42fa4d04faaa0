"""The durable journal of reads: files of JSON lines, on disk before the answer leaves.

File format. `<folder>/<writer>-<number>.jsonl`, number with eight digits, is a *segment*: only one process ever
writes it, and only at its end. Each line is the JSON object of one AuditEvent (absent values left out) in ASCII, its
digest as last member (chains.py), ended by a line feed. A line without its end, or NULs, are what a crash left behind:
it was never answered, and can only be the last of a segment, because a writer never continues a segment of another
run, and leaves a segment after any failure. Room for the next lines is reserved ahead, so that reads go on while a full
disk refuses documents; what was reserved is given back when the segment ends, or by the next run of the writer.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from ..model.errors import GatewayError
from ..model.messages import AuditEvent
from ..waiting import blocking, syncing
from .chains import chained, follow, seed
from .events import event_json, parse_event
from .groups import GroupCommit, Turn
from .locks import try_lock
from .spools import room, usable, without_room

_NEW_SEGMENT: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_LONGEST_SECONDS: Final = 86_400.0
_RESERVE: Final = 4 << 20  # bytes, some ten thousand reads
_WRITER: Final = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*")
Events = list[bytes]  # of one request, as JSON
_NUMBER: Final = re.compile(r"-([0-9]{8})\.jsonl\Z")


class JournalDamaged(GatewayError):
    """A line of the journal that is not the torn last one cannot be read."""


class FileAccessJournal:
    """`AccessJournal` of one writer; threads that come together share one fdatasync.

    `writer` names its files; each segment belongs to one process even when a name is used twice. Segments end at
    `segment_bytes`. Raises FolderUnusable.
    """

    def __init__(self, folder: Path, writer: str, *, segment_bytes: int = 64 << 20, wait_seconds: float = 10.0) -> None:
        if _WRITER.fullmatch(writer) is None:
            raise ValueError(f"{writer!r} is no name of a journal's writer")
        with usable(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in folder.glob(f"{writer}-*.jsonl"):
                _give_back_reserve(path)
            self._step: Final = _Segments(folder, writer, segment_bytes)
        self._group: Final[GroupCommit[Events]] = GroupCommit(self._step, wait_seconds=wait_seconds)

    def record(self, *events: AuditEvent) -> None:
        """Append events of one request; they are on disk when this returns. Raises StorageFull, StorageBusy."""
        self._group.submit([event_json(event).encode("ascii") for event in events])

    def close(self) -> None:
        """Close the segment; no record may be running."""
        self._step.end()


class _Segments:
    """The step of the group commit: one write, one fdatasync."""

    def __init__(self, folder: Path, writer: str, segment_bytes: int) -> None:
        self._folder: Final = folder
        self._writer: Final = writer
        self._segment_bytes: Final = segment_bytes
        self._number = max((_number(path) for path in folder.glob(f"{writer}-*.jsonl")), default=0)
        self._file: int | None = None
        self._size = 0
        self._reserved = 0
        self._chain = b""
        self._ends = 0.0  # when retention wants another segment: they go as wholes
        self._opened()

    def begin(self) -> None:
        if self._file is not None and (self._size >= self._segment_bytes or time.monotonic() > self._ends):
            self.end()
        if self._file is None:
            with room():
                blocking(self._opened)

    def run(self, turns: list[Turn[Events]]) -> None:
        try:
            file = self._opened()
            lines, chain = self._lines(turns)
            self._reserve(file, len(lines))
            written = os.pwrite(file, lines, self._size)
            while written < len(lines):
                written += os.pwrite(file, lines[written:], self._size + written)
            syncing(os.fdatasync, file)
        except OSError as failure:
            self.end()  # nobody knows what of it is on disk: the next group begins a new segment
            for turn in turns:
                turn.fail(without_room(failure))
            return
        self._size += len(lines)
        self._chain = chain
        for turn in turns:
            turn.succeed(None)

    def _lines(self, turns: list[Turn[Events]]) -> tuple[bytes, bytes]:
        """The lines of a group, and the digest of the last one."""
        chain, lines = self._chain, []
        for turn in turns:
            for event in turn.work:
                chain = follow(chain, event)
                lines.append(chained(event, chain))
        return b"".join(lines), chain

    def end(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # the reader copes with a reserve that is still there
                os.ftruncate(self._file, self._size)
            os.close(self._file)
            self._file = None

    def _reserve(self, file: int, size: int) -> None:
        """Have room for `size` more bytes and then some; a full disk is felt only when the reserve is used up."""
        wanted = self._size + size
        if wanted + _RESERVE // 2 <= self._reserved:
            return
        for ahead in (_RESERVE, 0):
            try:
                os.posix_fallocate(file, 0, wanted + ahead)
                self._reserved = wanted + ahead
                return
            except OSError:
                if not ahead and wanted > self._reserved:
                    raise

    def _opened(self) -> int:
        """The segment, or a new one whose name is on disk before anything is in it."""
        if self._file is not None:
            return self._file
        file, name = self._created()
        try_lock(file)  # as long as this process lives, nobody takes the reserve for left behind
        self._size = self._reserved = 0
        with suppress(OSError):
            self._reserve(file, 0)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._file = file
        self._chain = seed(name)
        self._ends = time.monotonic() + _LONGEST_SECONDS
        return file

    def _created(self) -> tuple[int, str]:
        """A file of the next free number, and its name: a process that is just ending may have the same name."""
        while True:
            self._number += 1
            name = f"{self._writer}-{self._number:08}.jsonl"
            with suppress(FileExistsError):
                return os.open(self._folder / name, _NEW_SEGMENT, 0o600), name


def read_journal(folder: Path) -> Iterator[AuditEvent]:
    """All events, segment by segment, in the order of each writer. Raises JournalDamaged."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as segment:
            for number, line in enumerate(segment, 1):
                if not line.endswith(b"\n") or b"\0" in line:
                    break
                try:
                    yield parse_event(line)
                except (ValueError, TypeError) as failure:
                    raise JournalDamaged(f"line {number} of {path.name} is no event") from failure


def _give_back_reserve(path: Path) -> None:
    """Cut what a crashed writer had reserved after its last whole line; nothing happens while its process lives."""
    with path.open("r+b") as segment:
        if _is_whole(segment) or not try_lock(segment.fileno()):
            return
        kept = 0
        for line in segment:
            if not line.endswith(b"\n") or b"\0" in line:
                break
            kept += len(line)
        segment.truncate(kept)


def _is_whole(segment: BinaryIO) -> bool:
    """True for a segment that ends with a line; reading starts at its beginning again."""
    if segment.seek(0, os.SEEK_END) == 0:
        return True
    segment.seek(-1, os.SEEK_END)
    last = segment.read(1)
    segment.seek(0)
    return last == b"\n"


def _number(path: Path) -> int:
    found = _NUMBER.search(path.name)
    return int(found[1]) if found else 0
