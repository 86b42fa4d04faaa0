"""An audit of a folder: events written as the gateway writes them, and the keeper's view of them."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.contract.submissions import make_event, open_in, url_of
from xds_gateway.model.messages import AuditEvent
from xds_gateway.security.anchors import sign_anchor, verify_anchor
from xds_gateway.storage.audit_opening import AuditStorage, open_audit
from xds_gateway.storage.audit_verification import AuditVerification, Problem
from xds_gateway.storage.database import sqlite_path
from xds_gateway.storage.opening import Storage

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
sign: Callable[[bytes], bytes] = partial(sign_anchor, key=KEY)
verify = partial(verify_anchor, keys=[KEY.public_key()])


def event_at(second: int, **changes: object) -> AuditEvent:
    """An event of one second of a morning, told apart by its message id."""
    return make_event(at=f"2026031409{second // 60:02}{second % 60:02}", message_id=f"urn:{second}", **changes)


@dataclass(frozen=True)
class Audit:
    """A folder with an audit."""

    folder: Path
    storage: Storage
    audit: AuditStorage

    def write(self, *events: AuditEvent) -> None:
        """Rows of changes."""
        for event in events:
            self.storage.registry.write(lambda store, event=event: store.audit(event))  # type: ignore[misc]

    def read(self, *events: AuditEvent) -> None:
        """Lines of reads."""
        for event in events:
            self.storage.journal.record(event)

    def take_up(self) -> None:
        """All turns that are due."""
        while self.audit.book.take_up(100):
            pass

    def anchor(self, at: str = "20260314100000") -> str | None:
        """Take up and anchor."""
        self.take_up()
        return self.audit.book.anchor(at, sign)

    def problems(self) -> list[Problem]:
        """What a verification finds."""
        return list(self.verification().problems())

    def verification(self) -> AuditVerification:
        """One run."""
        return self.audit.verification(verify)

    def change(self, statement: str, *values: object) -> None:
        """What somebody does to the database who should not."""
        with closing(sqlite3.connect(sqlite_path(url_of(self.folder)))) as database, database:
            database.execute(statement, values)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """What the database has."""
        with closing(sqlite3.connect(sqlite_path(url_of(self.folder)))) as database:
            return database.execute(statement).fetchall()

    @property
    def segments(self) -> Sequence[Path]:
        """Files of the journal."""
        return sorted((self.folder / "data" / "journal").glob("*.jsonl"))


@contextmanager
def open_audit_in(folder: Path) -> Iterator[Audit]:
    """The audit of a folder."""
    storage = open_in(folder)
    try:
        with open_audit(url_of(folder), folder / "data", wait_seconds=10) as audit:
            yield Audit(folder, storage, audit)
    finally:
        storage.close()
