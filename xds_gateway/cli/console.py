"""What people see: terminals and pipes, sizes, times, and signs of life for whatever takes longer than a second."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

_PIPE_WIDTH: Final = 110  # columns where there is no terminal to ask
_SIGN_OF_LIFE_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 3.0  # between lines of progress where no bar can be drawn
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def output() -> Console:
    """Standard output; colours only on a terminal and without NO_COLOR."""
    return _console(error=False)


def errors() -> Console:
    """Standard error."""
    return _console(error=True)


def _console(*, error: bool) -> Console:
    console = Console(stderr=error, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def shown(text: str | None) -> str:
    """Text from elsewhere without the characters that command a terminal."""
    return _CONTROL.sub("\ufffd", text or "")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Write a value as one JSON document to standard output."""
    print(json.dumps(as_plain(value), ensure_ascii=False, indent=indent), flush=True)


def as_plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses and named tuples become objects, paths text."""
    if is_dataclass(value):
        return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return {name: as_plain(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {name: as_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    if isinstance(value, Enum):
        return as_plain(value.value)
    return str(value) if isinstance(value, Path) else value


def size_text(size: int | None) -> str:
    """A number of bytes for people."""
    if size is None:
        return ""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def seconds_text(seconds: float) -> str:
    """A duration for people."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def time_text(dtm: str | None) -> str:
    """A DTM for people, as precise as it is; UTC."""
    if not dtm or not re.fullmatch(r"\d{4,14}", dtm):
        return shown(dtm)
    date = "-".join(part for part in (dtm[:4], dtm[4:6], dtm[6:8]) if part)
    clock = ":".join(part for part in (dtm[8:10], dtm[10:12]) if part)
    return f"{date} {clock}".strip()


@contextmanager
def working(sentence: str, *, quiet: bool) -> Iterator[None]:
    """Show on standard error that something is going on, when it lasts; nothing when `quiet`."""
    console = errors()
    if quiet:
        yield
    elif console.is_terminal:
        with console.status(f"{sentence} ..."):
            yield
    else:
        timer = threading.Timer(_SIGN_OF_LIFE_SECONDS, lambda: print(f"{sentence} ...", file=sys.stderr, flush=True))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class Transfer:
    """Bytes on their way: a bar on a terminal, else a line now and then; nothing when `quiet`."""

    def __init__(self, sentence: str, total: int, *, quiet: bool) -> None:
        self._sentence = sentence
        self._total = total
        self._console = errors()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._lines = not quiet and not self._console.is_terminal
        self._done = 0
        self._told = time.monotonic() + _SIGN_OF_LIFE_SECONDS - _LINE_SECONDS

    def __enter__(self) -> "Transfer":
        self._bar.start()
        self._task = self._bar.add_task(self._sentence, total=self._total or None)
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def advance(self, size: int) -> None:
        """So many bytes more; envelopes count too, so that the sum is cut at the total."""
        self._done = min(self._done + size, self._total)
        self._bar.update(self._task, completed=self._done)
        if self._lines and time.monotonic() - self._told >= _LINE_SECONDS:
            self._told = time.monotonic()
            print(f"{self._sentence}: {size_text(self._done)} of {size_text(self._total)}", file=sys.stderr, flush=True)
