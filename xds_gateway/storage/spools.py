"""Documents being received: spool files, hashed while they come, bounded in bytes, removed after a crash."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Final

from ..model.errors import GatewayError, StorageBusy, StorageFull
from ..model.messages import SpooledDocument
from .database import StorageFailure
from .locks import try_lock

CHUNK: Final = 1 << 20  # bytes that one SHA-256 covers
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_LOCK_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
_NO_HANDLES: Final = frozenset((errno.EMFILE, errno.ENFILE))


class FolderUnusable(GatewayError):
    """A folder for data cannot be used; the text is one sentence that says what to do."""


class FileSpool:
    """`Spool`: one document being received; SHA-1 of all and SHA-256 of each chunk are made while it comes."""

    def __init__(self, path: str, quota: "Quota") -> None:
        self._path: Final = path
        self._quota: Final = quota
        self._file: Final = os.open(path, _NEW_FILE, 0o600)
        self._open = True
        self._size = 0
        self._sha1: Final = hashlib.sha1(usedforsecurity=False)  # the hash attribute of ITI TF-3 4.2.3.2.10
        self._chunk = hashlib.sha256()
        self._digests: Final[list[bytes]] = []

    def write(self, data: bytes) -> None:
        """Take more bytes. Raises StorageFull, and StorageBusy when too many bytes are in flight."""
        self._quota.take(self._path, len(data))
        view = memoryview(data)
        with room():
            rest = view
            while rest:
                rest = rest[os.write(self._file, rest) :]
        self._sha1.update(view)
        while view:
            left = CHUNK - self._size % CHUNK
            part = view[:left]
            self._chunk.update(part)
            self._size += len(part)
            if len(part) == left:
                self._end_chunk()
            view = view[left:]

    def finish(self) -> SpooledDocument:
        """Close the file and tell its size and digests; not durable yet."""
        if self._size % CHUNK:
            self._end_chunk()
        self._close()
        return SpooledDocument(
            path=self._path, size=self._size, sha1=self._sha1.hexdigest(), chunk_digests=b"".join(self._digests)
        )

    def discard(self) -> None:
        """Delete what was received, also after `finish`; nothing happens to a document that was kept."""
        self._close()
        with suppress(FileNotFoundError):
            os.unlink(self._path)
        self._quota.give_back(self._path)

    def _end_chunk(self) -> None:
        self._digests.append(self._chunk.digest())
        self._chunk = hashlib.sha256()

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._file)


class Quota:
    """Bytes in flight, by spool file."""

    def __init__(self, largest: int) -> None:
        self._largest: Final = largest
        self._lock: Final = Lock()
        self._held: Final[dict[str, int]] = {}
        self._total = 0

    def take(self, path: str, size: int) -> None:
        """Count bytes of a file. Raises StorageBusy when they are too many."""
        with self._lock:
            if self._total + size > self._largest:
                raise StorageBusy("too many bytes of documents are in flight")
            self._total += size
            self._held[path] = self._held.get(path, 0) + size

    def give_back(self, path: str) -> None:
        """Forget a file."""
        with self._lock:
            self._total -= self._held.pop(path, 0)


class SpoolFolder:
    """The folder of this process's spool files; those of dead processes are removed when it is made.

    A process keeps a lock in its folder as long as it lives. Raises FolderUnusable.
    """

    def __init__(self, folder: Path, random_hex: Callable[[int], str]) -> None:
        own = folder / f"{os.getpid()}-{random_hex(4)}"
        with usable(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            guard = os.open(folder / ".lock", _LOCK_FILE, 0o600)
            try:
                fcntl.flock(guard, fcntl.LOCK_EX)
                for other in folder.iterdir():
                    _remove_if_dead(other)
                own.mkdir(mode=0o700)
                self._lock: Final = os.open(own / "lock", _LOCK_FILE, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            finally:
                os.close(guard)
        self.path: Final = str(own)

    def close(self) -> None:
        """Remove the folder with what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_if_dead(folder: Path) -> None:
    if not folder.is_dir():
        return
    lock = os.open(folder / "lock", _LOCK_FILE, 0o600)
    try:
        if try_lock(lock):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


@contextmanager
def room() -> Iterator[None]:
    """Failures of files in our words: StorageFull, StorageBusy or StorageFailure."""
    try:
        yield
    except OSError as failure:
        raise without_room(failure) from failure


def without_room(failure: OSError) -> GatewayError:
    """A failure of a file in our words."""
    text = f"documents: {failure.strerror}"
    if failure.errno in _NO_ROOM:
        return StorageFull(text)
    return (StorageBusy if failure.errno in _NO_HANDLES else StorageFailure)(text)


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Failures at start as FolderUnusable."""
    try:
        yield
    except OSError as failure:
        raise FolderUnusable(
            f"The folder {folder} cannot be used: {failure.strerror}; change its owner or the setting."
        ) from failure
