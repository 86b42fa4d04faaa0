"""The audit of a data folder opened for one process: to read, to keep, to send, to add to."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..actors.audit_ports import TargetReport
from .audit_book import SqlAuditBook, SqlOutbox, read_target
from .audit_log import SqlAuditLog
from .audit_verification import AuditVerification, VerifyAnchor
from .database import check_schema
from .journal import FileAccessJournal
from .locks import try_lock
from .readers import Readers
from .spools import usable
from .writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStorage:
    """The ports of `actors/audit_ports.py` over one database and one data folder."""

    log: SqlAuditLog
    book: SqlAuditBook
    readers: Readers
    writer: Writer
    folder: Path

    def outbox(self, name: str) -> SqlOutbox:
        """What is to be sent to an audit repository."""
        return SqlOutbox(self.log, self.writer, name)

    def told_of(self, name: str, most: int) -> TargetReport:
        """How far a repository is, and at most so many events that were set aside."""
        with self.readers.snapshot() as connection:
            return read_target(connection, name, most)

    def verification(self, verify: VerifyAnchor) -> AuditVerification:
        """One run over everything; `verify` proves an anchor."""
        return AuditVerification(self.readers, self.folder, verify)


@contextmanager
def open_audit(url: str, data_folder: Path, *, wait_seconds: float) -> Iterator[AuditStorage]:
    """Open the audit of all domains. Raises DatabaseUnusable (SchemaNewer, SchemaMissing)."""
    check_schema(url)
    with ExitStack() as opened:
        writer = Writer(url, wait_seconds=wait_seconds)
        opened.callback(writer.close)
        readers = Readers(url, wait_seconds=wait_seconds)
        opened.callback(readers.close)
        folder = journal_folder(data_folder)
        log = SqlAuditLog(readers, folder)
        book = SqlAuditBook(log, writer, folder)
        yield AuditStorage(log=log, book=book, readers=readers, writer=writer, folder=folder)


@contextmanager
def open_journal(data_folder: Path, writer_name: str) -> Iterator[FileAccessJournal]:
    """A journal for events that belong to no domain. Raises FolderUnusable."""
    journal = FileAccessJournal(journal_folder(data_folder), writer_name)
    try:
        yield journal
    finally:
        journal.close()


def journal_folder(data_folder: Path) -> Path:
    """Where the segments of all writers are."""
    return data_folder / "journal"


class AuditGuard:
    """Who keeps the audit: one process of those that share a data folder; the kernel gives a dead one's place away."""

    def __init__(self, data_folder: Path) -> None:
        with usable(data_folder):
            self._file = os.open(data_folder / "audit-keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def taken(self) -> bool:
        """Whether it is this process now."""
        return try_lock(self._file)

    def close(self) -> None:
        """Give the place away."""
        os.close(self._file)
