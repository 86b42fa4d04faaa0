"""Documents as files: made durable by fsync, rename and fsync, read back verified."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final

from ..model.errors import DocumentDamaged
from ..model.messages import SpooledDocument, StoredDocument
from ..waiting import blocking, syncing
from .spools import CHUNK, FileSpool, Quota, SpoolFolder, room, usable

_DIGEST: Final = 32
# A process puts so many documents into one folder of its own choice, then chooses another: few new folders to
# fsync, and neighbours in the index of keys.
_SHELF: Final = 1000
_KEY_LENGTH: Final = 32  # hexadecimal digits
_QUICK: Final = 256 * 1024  # bytes that are read and hashed on the spot


class FileDocumentStore:
    """`DocumentStore` in `<folder>/documents/ab/cd/<key>`; the key is random, its first digits name the folder.

    `quota` bounds the bytes received and not yet kept over all requests of this process. Raises FolderUnusable.
    """

    def __init__(
        self,
        folder: Path,
        *,
        quota: int,
        random_hex: Callable[[int], str] = secrets.token_hex,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._documents: Final = str(folder / "documents")
        self._random_hex: Final = random_hex
        self._clock: Final = clock
        self._quota: Final = Quota(quota)
        self._shelf = ""
        self._shelved = 0
        self._made: Final[set[str]] = set()
        with usable(folder):
            os.makedirs(self._documents, mode=0o700, exist_ok=True)
            _fsync_folder(str(folder))
        with suppress(OSError):  # its parent may be readable to others only
            _fsync_folder(str(folder.parent))
        self._spool: Final = SpoolFolder(folder / "spool", random_hex)

    def spool(self) -> "FileSpool":
        """Begin to receive a document. Raises StorageFull."""
        with room():
            return FileSpool(self._spool.path + "/" + self._random_hex(16), self._quota)

    def keep(self, spooled: Sequence[SpooledDocument]) -> Sequence[StoredDocument]:
        """Make documents durable: each file, then its name, then each folder once. Raises StorageFull, keeps none."""
        keys = [self._new_key() for _ in spooled]
        targets = [self._path(key) for key in keys]
        try:
            with room():
                syncing(self._move, spooled, targets)
        except BaseException:
            _remove((*targets, *(document.path for document in spooled)))
            raise
        finally:
            for document in spooled:
                self._quota.give_back(document.path)
        return [
            StoredDocument(key=key, size=d.size, sha1=d.sha1, chunk_digests=d.chunk_digests)
            for d, key in zip(spooled, keys, strict=True)
        ]

    def open(self, document: StoredDocument) -> Iterator[bytes]:
        """The bytes in chunks of 1 MiB, each verified before it is given. Raises DocumentDamaged."""
        try:
            file = FileIO(self._path(document.key))
        except FileNotFoundError:
            raise DocumentDamaged(document.key, 0) from None
        if os.fstat(file.fileno()).st_size != document.size:
            file.close()
            raise DocumentDamaged(document.key, document.size // CHUNK)
        if 0 < document.size <= CHUNK:
            quick = document.size <= _QUICK
            return iter((_whole(file, document) if quick else blocking(_whole, file, document),))
        return _verified(file, document)

    def remove(self, keys: Iterable[str]) -> None:
        """Delete documents; unknown keys are fine."""
        _remove(self._path(key) for key in keys)

    def erase(self, keys: Iterable[str]) -> Collection[str]:
        """Delete documents, their names gone from disk too when this returns; the keys that are gone."""
        return blocking(self._erase, tuple(dict.fromkeys(keys)))

    def _erase(self, keys: Sequence[str]) -> Collection[str]:
        gone: list[str] = []
        shelves: dict[str, list[str]] = {}
        for key in keys:
            shelves.setdefault(os.path.dirname(self._path(key)), []).append(key)
        for shelf, shelved in shelves.items():
            with suppress(OSError):  # whoever asked hears of it by the keys
                _remove(self._path(key) for key in shelved)
                with suppress(FileNotFoundError):
                    _fsync_folder(shelf)
                gone += shelved
        return gone

    def sweep(self, older_than_seconds: float, is_referenced: Callable[[str], bool]) -> int:
        """Delete documents that are old and belong to no registry entry; how many there were."""
        before = self._clock() - older_than_seconds
        swept = 0
        for path in Path(self._documents).glob("??/??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before and not is_referenced(path.name):
                    path.unlink()
                    swept += 1
        return swept

    def close(self) -> None:
        """Delete what was received and not kept."""
        self._spool.close()

    def _move(self, spooled: Sequence[SpooledDocument], targets: Sequence[str]) -> None:
        for document in spooled:
            _fsync(document.path)
        shelves = dict.fromkeys(os.path.dirname(target) for target in targets)
        for shelf in shelves:
            self._make_shelf(shelf)
        for document, target in zip(spooled, targets, strict=True):
            os.rename(document.path, target)
        for shelf in shelves:
            _fsync_folder(shelf)

    def _make_shelf(self, shelf: str) -> None:
        """Make a folder and its parent durable, also when another process has just made them."""
        for folder in (os.path.dirname(shelf), shelf):
            if folder not in self._made:
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
                _fsync_folder(os.path.dirname(folder))
                self._made.add(folder)

    def _new_key(self) -> str:
        if self._shelved % _SHELF == 0:
            self._shelf = self._random_hex(2)
        self._shelved += 1
        return self._shelf + self._random_hex(_KEY_LENGTH // 2 - 2)

    def _path(self, key: str) -> str:
        if len(key) != _KEY_LENGTH or not key.isalnum():
            raise DocumentDamaged(key, 0)
        return f"{self._documents}/{key[:2]}/{key[2:4]}/{key}"


def _whole(file: FileIO, document: StoredDocument) -> bytes:
    """A document of one chunk, as most are."""
    with file:
        data = file.read(document.size)
    if hashlib.sha256(data).digest() != document.chunk_digests:
        raise DocumentDamaged(document.key, 0)
    return data


def _verified(file: FileIO, document: StoredDocument) -> Iterator[bytes]:
    with file:
        for start in range(0, document.size, CHUNK):
            number = start // CHUNK
            data = file.read(min(CHUNK, document.size - start))
            digest = document.chunk_digests[number * _DIGEST : (number + 1) * _DIGEST]
            if hashlib.sha256(data).digest() != digest:
                raise DocumentDamaged(document.key, number)
            yield data


def _fsync(path: str) -> None:
    _fsync_opened(path, os.O_RDWR)


def _fsync_folder(path: str) -> None:
    _fsync_opened(path, os.O_RDONLY | os.O_DIRECTORY)


def _fsync_opened(path: str, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            os.unlink(path)
