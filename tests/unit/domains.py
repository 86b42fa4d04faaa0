"""A domain in a temporary folder: both actors over the real storage, and what can be seen of it from outside."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.contract.submissions import open_in, url_of
from tests.unit.builders import CONTENT, REPOSITORY
from xds_gateway.actors.domain import DomainActors, domain_actors
from xds_gateway.actors.feed_policy import FeedPolicy
from xds_gateway.actors.making import DocumentMaker, OnDemandHook
from xds_gateway.actors.on_demand import OnDemandPolicy
from xds_gateway.actors.ports import AccessJournal, RegistryStore
from xds_gateway.actors.registry import DocumentRegistry, DomainPolicy
from xds_gateway.actors.repository import DocumentRepository
from xds_gateway.model.datatypes import Code
from xds_gateway.model.messages import AuditEvent, SpooledDocument
from xds_gateway.model.metadata import Submission
from xds_gateway.model.principal import Access, Call, Principal
from xds_gateway.rules.ihe import IHE
from xds_gateway.storage.database import sqlite_path
from xds_gateway.storage.events import parse_event
from xds_gateway.storage.journal import read_journal
from xds_gateway.storage.opening import Storage

NOW = "20260314090001"


@dataclass(frozen=True)
class Domain:
    """Actors, their storage, and its traces on disk."""

    folder: Path
    storage: Storage
    actors: DomainActors
    new_uuid: Callable[[], str]

    @property
    def registry(self) -> DocumentRegistry:
        return self.actors.registry

    @property
    def repository(self) -> DocumentRepository:
        return self.actors.repository

    def documents(self) -> list[bytes]:
        """The documents that are stored."""
        return sorted(path.read_bytes() for path in (self.folder / "data" / "documents").glob("??/??/*"))

    def spooled(self) -> list[Path]:
        """Spool files that are still there."""
        return [path for path in (self.folder / "data" / "spool").glob("*/*") if path.name != "lock"]

    def journal(self) -> list[AuditEvent]:
        """Events of reads and refusals."""
        return list(read_journal(self.folder / "data" / "journal"))

    def changes(self) -> list[AuditEvent]:
        """Events of changes."""
        with closing(sqlite3.connect(sqlite_path(url_of(self.folder)))) as database:
            return [parse_event(text) for (text,) in database.execute("SELECT event FROM audit_event ORDER BY id")]

    def spool(self, content: bytes = CONTENT) -> SpooledDocument:
        """A document received."""
        spool = self.storage.documents.spool()
        spool.write(content)
        return spool.finish()

    def spool_all(self, submission: Submission) -> dict[str, SpooledDocument]:
        """One document for each entry, as it declares it."""
        return {entry.id: self.spool() for entry in submission.document_entries}


@contextmanager
def open_domain(
    folder: Path,
    *,
    spool_quota: int = 64 << 20,
    journal: AccessJournal | None = None,
    store: RegistryStore | None = None,
    hook: OnDemandHook | None = None,
    persistent: bool = False,
    seconds: float = 30,
    at_once: int = 4,
    now: Callable[[], str] = lambda: NOW,
    **policy: Any,
) -> Iterator[Domain]:
    """A domain of the profile ihe, with another journal or store when given; `policy` are fields of DomainPolicy.

    `hook` makes on-demand documents, in so many seconds, so many at once; `persistent` says whether they are kept.
    """
    storage = open_in(folder, spool_quota=spool_quota)
    numbers = count(1)

    def new_uuid() -> str:
        return f"urn:uuid:{next(numbers):08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"

    rules = DomainPolicy(**{"profile": IHE, "repository_unique_id": REPOSITORY, **policy})
    actors = domain_actors(
        store=store or storage.registry,
        queries=storage.queries,
        index=storage.index,
        documents=storage.documents,
        journal=journal or storage.journal,
        policy=rules,
        feed=FeedPolicy(domain="main", authorities=rules.authorities, link_change_code=Code("link", "1.2", "Link")),
        now=now,
        new_uuid=new_uuid,
        on_demand=hook
        and OnDemandPolicy(
            maker=DocumentMaker(hook, storage.documents, seconds=seconds, at_once=at_once), persistent=persistent
        ),
    )
    try:
        yield Domain(folder, storage, actors, new_uuid)
    finally:
        storage.close()


def make_call(transaction: str, **changes: Any) -> Call:
    """A call of one transaction by a known node."""
    fields: dict[str, Any] = {
        "principal": Principal(node="CN=Cabinet Nord", address="127.0.0.1", certificate_sha256="00"),
        "access": Access.everything("main"),
        "transaction": transaction,
        "message_id": "urn:uuid:message",
    }
    return Call(**{**fields, **changes})
