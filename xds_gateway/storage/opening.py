"""Storage opened for one process and one domain: what wiring gives to the actors."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .blobs import FileDocumentStore
from .database import check_schema
from .documents import SqlDocumentIndex
from .journal import FileAccessJournal
from .queries import SqlQueryStore
from .readers import Readers
from .registry import SqlRegistryStore
from .replays import SqlReplayMemory
from .terms import Terms
from .writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The ports of `actors/ports.py` over one database and one data folder."""

    registry: SqlRegistryStore
    queries: SqlQueryStore
    documents: FileDocumentStore
    index: SqlDocumentIndex
    journal: FileAccessJournal
    replays: SqlReplayMemory
    close: Callable[[], None]


@contextmanager
def open_registry(
    url: str, data_folder: Path, domain: str, *, wait_seconds: float = 10.0
) -> Iterator[tuple[SqlRegistryStore, FileDocumentStore]]:
    """Registry and documents of one domain, for a process that reads nothing out. Raises as `open_storage`."""
    check_schema(url)
    with ExitStack() as opened:
        writer = Writer(url, wait_seconds=wait_seconds)
        opened.callback(writer.close)
        readers = Readers(url, wait_seconds=wait_seconds)
        opened.callback(readers.close)
        documents = FileDocumentStore(data_folder, quota=0)
        opened.callback(documents.close)
        yield SqlRegistryStore(writer, readers, Terms(), domain), documents


def open_storage(
    url: str,
    data_folder: Path,
    domain: str,
    *,
    writer_name: str,
    spool_quota: int,
    wait_seconds: float = 10.0,
    journal_segment_bytes: int = 64 << 20,
    remembered_assertions: int = 1_000_000,
) -> Storage:
    """Open everything of one domain in this process, after any fork and after `database.migrate`.

    `writer_name` is unique among living processes and names journal files; `spool_quota` is in bytes, `wait_seconds`
    bounds every wait for a lock. Raises DatabaseUnusable (SchemaNewer, SchemaMissing), FolderUnusable.
    """
    check_schema(url)
    terms = Terms()
    writer = Writer(url, wait_seconds=wait_seconds)
    readers = Readers(url, wait_seconds=wait_seconds)
    documents = FileDocumentStore(data_folder, quota=spool_quota)
    journal = FileAccessJournal(
        data_folder / "journal", writer_name, segment_bytes=journal_segment_bytes, wait_seconds=wait_seconds
    )

    def close() -> None:
        journal.close()
        documents.close()
        readers.close()
        writer.close()

    return Storage(
        registry=SqlRegistryStore(writer, readers, terms, domain),
        queries=SqlQueryStore(readers, terms),
        documents=documents,
        index=SqlDocumentIndex(readers, terms),
        journal=journal,
        replays=SqlReplayMemory(writer, capacity=remembered_assertions),
        close=close,
    )
