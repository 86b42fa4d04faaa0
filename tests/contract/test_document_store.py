"""DocumentStore: documents are durable before they are told, whole when they are read, and never leaked."""

import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from xds_gateway.model.errors import DocumentDamaged, StorageBusy, StorageFull
from xds_gateway.model.messages import SpooledDocument, StoredDocument
from xds_gateway.model.vocabulary import EMPTY_SHA1
from xds_gateway.storage.blobs import FileDocumentStore
from xds_gateway.storage.spools import CHUNK, FolderUnusable


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileDocumentStore]:
    opened = FileDocumentStore(tmp_path, quota=16 << 20)
    yield opened
    opened.close()


def receive(store: FileDocumentStore, *pieces: bytes) -> SpooledDocument:
    spool = store.spool()
    for piece in pieces:
        spool.write(piece)
    return spool.finish()


def keep(store: FileDocumentStore, *documents: bytes) -> Sequence[StoredDocument]:
    return store.keep([receive(store, document) for document in documents])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "lock" not in path.name)


CHECKOUT = Path(__file__).parents[2]


def content(size: int) -> bytes:
    return bytes(range(251)) * (size // 251 + 1)


@pytest.mark.parametrize("size", [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
@pytest.mark.parametrize("piece", [999_999, 4 * CHUNK])
def test_a_document_comes_back_as_it_was_received(store: FileDocumentStore, size: int, piece: int) -> None:
    data = content(size)[:size]
    (document,) = store.keep([receive(store, *(data[n : n + piece] for n in range(0, size, piece)))])
    chunks = list(store.open(document))
    assert b"".join(chunks) == data
    assert [len(chunk) for chunk in chunks] == [min(CHUNK, size - n) for n in range(0, size, CHUNK)]
    assert (document.size, document.sha1) == (size, hashlib.sha1(data, usedforsecurity=False).hexdigest())
    digests = [hashlib.sha256(data[n : n + CHUNK]).digest() for n in range(0, size, CHUNK)]
    assert document.chunk_digests == b"".join(digests)


def test_an_empty_document_has_the_hash_of_nothing(store: FileDocumentStore) -> None:
    assert receive(store).sha1 == EMPTY_SHA1


def test_keys_are_random_also_for_equal_documents(store: FileDocumentStore, tmp_path: Path) -> None:
    first, second = keep(store, b"same", b"same")
    assert first.key != second.key
    assert hashlib.sha256(b"same").hexdigest()[:8] not in first.key + second.key
    names = {path.name: path for path in files(tmp_path / "documents")}
    assert set(names) == {first.key, second.key}
    assert [names[d.key].parent.parent.name + names[d.key].parent.name for d in (first, second)] == [
        first.key[:4],
        second.key[:4],
    ]


def test_files_are_for_the_owner_alone(store: FileDocumentStore, tmp_path: Path) -> None:
    keep(store, b"secret")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "documents").rglob("*")} == {0}


# --- damage ---


def _flip(position: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[position] ^= 1
        path.write_bytes(data)

    return damage


@pytest.mark.parametrize(
    ("damage", "given"),
    [
        (_flip(0), 0),
        (_flip(CHUNK + 3), CHUNK),
        (_flip(-1), 2 * CHUNK),
        (lambda path: os.truncate(path, CHUNK + 5), 0),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), 0),
        (os.unlink, 0),
    ],
    ids=["first chunk", "second chunk", "last chunk", "truncated", "longer", "gone"],
)
def test_damage_is_told_before_the_damaged_chunk_is_given(
    store: FileDocumentStore, tmp_path: Path, damage: Callable[[Path], None], given: int
) -> None:
    (document,) = keep(store, content(2 * CHUNK + 10)[: 2 * CHUNK + 10])
    damage(files(tmp_path / "documents")[0])
    received: list[bytes] = []
    with pytest.raises(DocumentDamaged):
        received.extend(store.open(document))
    assert sum(len(chunk) for chunk in received) == given


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "ab", "a" * 31 + "/"])
def test_a_key_is_no_path(store: FileDocumentStore, key: str) -> None:
    with pytest.raises(DocumentDamaged):
        store.open(StoredDocument(key=key, size=0, sha1=EMPTY_SHA1, chunk_digests=b""))


# --- room ---


def test_bytes_in_flight_are_bounded_over_all_spools(tmp_path: Path) -> None:
    store = FileDocumentStore(tmp_path, quota=1000)
    first, second = store.spool(), store.spool()
    first.write(b"x" * 600)
    with pytest.raises(StorageBusy):
        second.write(b"x" * 600)
    store.keep([first.finish()])
    second.write(b"x" * 1000)
    second.discard()
    assert keep(store, b"x" * 1000)[0].size == 1000
    store.close()


@pytest.mark.parametrize("finished", [True, False])
def test_a_discarded_document_leaves_no_file(store: FileDocumentStore, tmp_path: Path, finished: bool) -> None:
    spool = store.spool()
    spool.write(b"data")
    if finished:
        spool.finish()
    spool.discard()
    spool.discard()
    assert files(tmp_path) == []


def test_discarding_after_keep_does_not_touch_the_document(store: FileDocumentStore) -> None:
    spool = store.spool()
    spool.write(b"data")
    (document,) = store.keep([spool.finish()])
    spool.discard()
    assert b"".join(store.open(document)) == b"data"


def test_a_full_disk_is_told_and_leaves_nothing(store: FileDocumentStore, tmp_path: Path) -> None:
    """The limit on the size of files stands for a full disk: the system refuses to write, really."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool = store.spool()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageFull):
            spool.write(b"x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.discard()
    assert files(tmp_path) == []
    assert keep(store, b"x" * 200_000)[0].size == 200_000


def test_when_one_document_cannot_be_kept_none_is(store: FileDocumentStore, tmp_path: Path) -> None:
    spooled = [receive(store, b"first"), receive(store, b"second"), receive(store, b"third")]
    os.unlink(spooled[1].path)
    with pytest.raises(Exception, match="documents"):
        store.keep(spooled)
    assert files(tmp_path) == []


# --- durability ---


def test_a_new_process_removes_spool_files_of_dead_ones_only(store: FileDocumentStore, tmp_path: Path) -> None:
    alive = receive(store, b"in flight")
    crash = "import os, sys\nfrom pathlib import Path\nfrom xds_gateway.storage.blobs import FileDocumentStore\n"
    crash += "s = FileDocumentStore(Path(sys.argv[1]), quota=99).spool(); s.write(b'lost'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", crash, str(tmp_path)], check=False, cwd=CHECKOUT)
    assert len(files(tmp_path / "spool")) == 2
    FileDocumentStore(tmp_path, quota=99).close()
    assert [str(path) for path in files(tmp_path / "spool")] == [alive.path]


def test_sweeping_removes_old_documents_that_nothing_refers_to(tmp_path: Path) -> None:
    now = time.time()
    store = FileDocumentStore(tmp_path, quota=1 << 20, clock=lambda: now + 3600)
    kept, orphan = keep(store, b"kept", b"orphan")
    assert store.sweep(7200, lambda key: key == kept.key) == 0
    assert store.sweep(1800, lambda key: key == kept.key) == 1
    assert [path.name for path in files(tmp_path / "documents")] == [kept.key]
    with pytest.raises(DocumentDamaged):
        store.open(orphan)
    store.close()


def test_removing_is_by_key_and_unknown_keys_are_fine(store: FileDocumentStore, tmp_path: Path) -> None:
    first, second = keep(store, b"1", b"2")
    store.remove([first.key, "0" * 32])
    assert [path.name for path in files(tmp_path / "documents")] == [second.key]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match=r"^The folder .* cannot be used: .*\.$"):
        FileDocumentStore(tmp_path / "file", quota=1)


@pytest.fixture
def calls(store: FileDocumentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What `keep` asks of the system from now on, in order, with paths below the folder."""
    made: list[tuple[str, str]] = []
    opened: dict[int, str] = {}

    def short(path: object) -> str:
        return os.path.relpath(str(path), tmp_path)

    def noting(name: str, real: Callable[..., object], tell: Callable[..., str]) -> None:
        def call(*arguments: object, **options: object) -> object:
            result = real(*arguments, **options)
            if name == "open":
                opened[int(str(result))] = short(arguments[0])
            else:
                made.append((name, tell(*arguments)))
            return result

        monkeypatch.setattr(os, name, call)

    noting("open", os.open, lambda *_: "")
    noting("fsync", os.fsync, lambda descriptor: opened[descriptor])
    noting("rename", os.rename, lambda _, target: short(target))
    noting("mkdir", os.mkdir, lambda path, *_: short(path))
    return made


def test_files_then_names_then_folders_are_made_durable(
    store: FileDocumentStore, tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    spooled = [receive(store, b"1"), receive(store, b"2")]
    first, second = store.keep(spooled)
    top, shelf = f"documents/{first.key[:2]}", f"documents/{first.key[:2]}/{first.key[2:4]}"
    assert calls == [
        *(("fsync", os.path.relpath(document.path, tmp_path)) for document in spooled),
        ("mkdir", top),
        ("fsync", "documents"),
        ("mkdir", shelf),
        ("fsync", top),
        ("rename", f"{shelf}/{first.key}"),
        ("rename", f"{shelf}/{second.key}"),
        ("fsync", shelf),
    ]
    calls.clear()
    (third,) = keep(store, b"3")
    assert [name for name, _ in calls] == ["fsync", "rename", "fsync"]
    assert calls[-1] == ("fsync", f"documents/{third.key[:2]}/{third.key[2:4]}")


def test_a_failed_fsync_is_final(store: FileDocumentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spooled = [receive(store, b"1"), receive(store, b"2")]
    failures = [OSError(5, "Input/output error")]

    def fsync(_: int) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageFull):
        store.keep(spooled)
    assert files(tmp_path) == []
