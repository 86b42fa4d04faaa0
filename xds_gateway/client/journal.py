"""Which ids a submission was given, on disk before its first byte leaves: a run after a crash sends the same ones.

One JSON file per submission, named by its key. It holds ids, sizes and hashes, nothing of the patient; finished ones
are deleted after some time, and a submission that is run again later than that is a new one.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from .errors import Misconfigured
from .submission import SubmissionIds
from .values import SubmittedEntry

KEPT: Final = timedelta(days=90)
_VERSION: Final = 1
_PRUNED_EACH: Final = 24 * 3600.0  # seconds


class JournalRecord(NamedTuple):
    """What the journal knows of a submission; `outcome` is None until the gateway answered.

    Outcomes: "accepted", "already there", or "refused" followed by the error codes.
    """

    ids: SubmissionIds
    outcome: str | None


class Journal:
    """A folder of submission records.

    >>> journal = Journal(Path("/var/lib/practice/journal"))                      # doctest: +SKIP
    >>> ids, seen_before = journal.claim(key, ids)                                # doctest: +SKIP
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder, made with its parents when absent; raises Misconfigured when it cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as wrong:
            raise Misconfigured(f"the journal folder {folder} cannot be made: {wrong.strerror}") from wrong
        self._folder = folder

    def claim(self, key: str, ids: SubmissionIds) -> tuple[SubmissionIds, bool]:
        """Record these ids durably, or give those that the key already has; the flag tells which.

        Two processes that claim one key at once get the same ids.
        """
        temporary = self._write_temporary(key, ids, None)
        try:
            os.link(temporary, self._path(key))
        except FileExistsError:
            return self.read(key).ids, True
        except OSError as wrong:
            raise self._unwritable(wrong) from wrong
        finally:
            temporary.unlink()
        self._sync_folder()
        return ids, False

    def finish(self, key: str, ids: SubmissionIds, outcome: str) -> None:
        """Record what became of a submission."""
        temporary = self._write_temporary(key, ids, outcome)
        os.replace(temporary, self._path(key))
        self._sync_folder()

    def read(self, key: str) -> JournalRecord:
        """The record of a key; raises Misconfigured when it is not one."""
        path = self._path(key)
        try:
            return _parse_record(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            raise Misconfigured(
                f"{path} is not a journal record of this version; move it away to submit anew"
            ) from wrong

    def prune(self, now: datetime) -> None:
        """Once a day, delete records that were finished more than KEPT ago; unfinished ones stay until they are."""
        marker = self._folder / ".pruned"
        if marker.exists() and now.timestamp() - marker.stat().st_mtime < _PRUNED_EACH:
            return
        marker.touch()
        oldest = (now - KEPT).timestamp()
        for path in (*self._folder.glob("*.json"), *self._folder.glob(".*.new")):
            with suppress(FileNotFoundError):  # another process prunes too
                if path.stat().st_mtime < oldest and self._is_over(path):
                    path.unlink()

    def _is_over(self, path: Path) -> bool:
        """True for what a crash left behind and for finished records; one that cannot be read is left to its owner."""
        try:
            return path.suffix == ".new" or self.read(path.stem).outcome is not None
        except Misconfigured:
            return False

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _write_temporary(self, key: str, ids: SubmissionIds, outcome: str | None) -> Path:
        path = self._folder / f".{key}.{uuid4().hex}.new"
        try:
            with path.open("x", encoding="utf-8") as stream:
                json.dump(_render_record(ids, outcome), stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as wrong:
            path.unlink(missing_ok=True)
            raise self._unwritable(wrong) from wrong
        return path

    def _unwritable(self, wrong: OSError) -> Misconfigured:
        return Misconfigured(f"the journal folder {self._folder} cannot be written: {wrong.strerror}")

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def default_journal() -> Path:
    """`xds-gateway/journal` in `$XDG_STATE_HOME` or `~/.local/state`; raises Misconfigured where there is no home."""
    state = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "xds-gateway" / "journal"
    except RuntimeError as wrong:
        raise Misconfigured(
            "there is no home folder to keep the journal in: give the client a journal folder"
        ) from wrong


def _render_record(ids: SubmissionIds, outcome: str | None) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "state": "begun" if outcome is None else "done",
        "outcome": outcome,
        "submission_set": {"entry_uuid": ids.set_uuid, "unique_id": ids.set_unique_id},
        "submission_time": ids.submission_time,
        "entries": [entry._asdict() for entry in ids.entries],
    }


def _parse_record(record: dict[str, Any]) -> JournalRecord:
    if record["version"] != _VERSION:
        raise ValueError(record["version"])
    named: dict[str, str] = record["submission_set"]
    entries: Sequence[dict[str, Any]] = record["entries"]
    ids = SubmissionIds(
        named["entry_uuid"],
        named["unique_id"],
        record["submission_time"],
        tuple(SubmittedEntry(**entry) for entry in entries),
    )
    return JournalRecord(ids, record["outcome"])
