"""The durable journal of reads: files of JSON lines, on disk before the answer leaves.

File format. `<folder>/<writer>-<number>.jsonl`, number with eight digits, is a *segment*: only one process ever
writes it, and only at its end. Each line is the JSON object of one AuditEvent (absent values left out) in ASCII,
ended by a line feed. A line without its end is what a crash left behind: it was never answered, and can only be the
last of a segment, because a writer never continues a segment of another run, and leaves a segment after any failure.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..model.errors import GatewayError
from ..model.messages import AuditEvent
from .events import event_json, parse_event
from .groups import GroupCommit, Turn
from .spools import room, usable

_NEW_SEGMENT: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
_WRITER: Final = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*")
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
            self._step: Final = _Segments(folder, writer, segment_bytes)
        self._group: Final[GroupCommit[bytes]] = GroupCommit(self._step, wait_seconds=wait_seconds)

    def record(self, event: AuditEvent) -> None:
        """Append one event; it is on disk when this returns. Raises StorageFull, StorageBusy."""
        self._group.submit(event_json(event).encode("ascii") + b"\n")

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

    def begin(self) -> None:
        if self._file is not None and self._size >= self._segment_bytes:
            self.end()
        with room():
            self._opened()

    def run(self, turns: list[Turn[bytes]]) -> None:
        lines = b"".join([turn.work for turn in turns])
        try:
            with room():
                file, rest = self._opened(), memoryview(lines)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fdatasync(file)
        except GatewayError as failure:
            self.end()  # nobody knows what of it is on disk: the next group begins a new segment
            for turn in turns:
                turn.fail(type(failure)(*failure.args))
            return
        self._size += len(lines)
        for turn in turns:
            turn.succeed(None)

    def end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        """The segment, or a new one whose name is on disk before anything is in it."""
        if self._file is not None:
            return self._file
        file = self._created()
        self._size = 0
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._file = file
        return file

    def _created(self) -> int:
        """A file of the next free number: a process that is just ending may have the same name."""
        while True:
            self._number += 1
            with suppress(FileExistsError):
                return os.open(self._folder / f"{self._writer}-{self._number:08}.jsonl", _NEW_SEGMENT, 0o600)


def read_journal(folder: Path) -> Iterator[AuditEvent]:
    """All events, segment by segment, in the order of each writer. Raises JournalDamaged."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as segment:
            for number, line in enumerate(segment, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    yield parse_event(line)
                except (ValueError, TypeError) as failure:
                    raise JournalDamaged(f"line {number} of {path.name} is no event") from failure


def _number(path: Path) -> int:
    found = _NUMBER.search(path.name)
    return int(found[1]) if found else 0
