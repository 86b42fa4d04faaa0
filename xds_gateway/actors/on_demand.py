"""On-Demand Document Source: a document made when it is asked for, perhaps kept as a snapshot (ITI TF-2 3.43.4.2.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ..model import vocabulary as v
from ..model.errors import Finding, RequestRefused, StorageBusy, StorageFaulty, StorageFull
from ..model.identifiers import parse_patient_id
from ..model.messages import DocumentRequest, RetrievedDocument, StoredDocument
from ..model.metadata import DocumentEntry
from ..model.principal import AccessFilter, Call
from ..model.queries import GetDocuments
from ..rules.ihe import finding
from .changes import Changes, Plan
from .identity import NewUuid, resolved
from .making import DocumentMaker, MadeDocument, NotMade
from .permissions import own_act
from .ports import DocumentIndex, DocumentStore, QueryStore, RegistryStore, Snapshot
from .registry import DocumentRegistry, DomainPolicy
from .snapshots import snapshot_id, snapshot_submission


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDemandPolicy:
    """Who makes the documents of a domain's on-demand entries, and whether they are kept and registered."""

    maker: DocumentMaker
    persistent: bool


class OnDemandDocument(NamedTuple):
    """What became of one request for an on-demand document: a document or a finding, and whose it is."""

    document: RetrievedDocument | None
    finding: Finding | None
    patient_id: str | None


class _Registered(Exception):
    """Another caller has registered the same snapshot since it was looked for."""


class OnDemandSource:
    """The on-demand documents of one domain; what is kept of them is kept and registered as by its repository."""

    def __init__(
        self,
        *,
        registry: DocumentRegistry,
        store: RegistryStore,
        queries: QueryStore,
        index: DocumentIndex,
        documents: DocumentStore,
        policy: DomainPolicy,
        on_demand: OnDemandPolicy,
        now: Callable[[], str],
        new_uuid: NewUuid,
    ) -> None:
        """`now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
        self._registry = registry
        self._store = store
        self._queries = queries
        self._index = index
        self._documents = documents
        self._policy = policy
        self._on_demand = on_demand
        self._now = now
        self._new_uuid = new_uuid

    def retrieve(self, call: Call, asked: DocumentRequest) -> OnDemandDocument | None:
        """The document made for this request, None when the caller sees no on-demand entry with its ids.

        Whatever keeps it from being made is a finding about this document alone.
        """
        entry = self._entry(call, asked)
        if entry is None:
            return None
        patient = parse_patient_id(entry.patient_id) if entry.patient_id else None
        try:
            made = self._on_demand.maker.make(asked.document_unique_id, entry, patient)
            try:
                return OnDemandDocument(self._given(call, asked, entry, made), None, entry.patient_id)
            finally:
                made.spool.discard()  # unless it was kept
        except NotMade as failure:
            rule = failure.rule
        except RequestRefused:  # the patient or the entry is gone meanwhile
            rule = "ihe.onDemand.snapshot"
        except StorageFull:
            rule = "ihe.repository.full"
        except StorageBusy:
            rule = "ihe.repository.busy"
        told = finding(rule, object_id=asked.document_unique_id, received=asked.document_unique_id)
        return OnDemandDocument(None, told, entry.patient_id)

    def _entry(self, call: Call, asked: DocumentRequest) -> DocumentEntry | None:
        """The on-demand entry of these ids: the Approved one, of several the latest registered."""
        query = GetDocuments(unique_ids=(asked.document_unique_id,))
        uuids = self._queries.find(query, call.access.retrieve, self._policy.max_results).uuids
        if not uuids:
            return None
        known = self._store.inspect(lambda snapshot: snapshot.read(uuids))
        return _latest([item for uuid in uuids if isinstance(item := known.get(uuid), DocumentEntry)], asked)

    # -- from what was made to what is given

    def _given(self, call: Call, asked: DocumentRequest, entry: DocumentEntry, made: MadeDocument) -> RetrievedDocument:
        own = self._policy.repository_unique_id
        new_id = snapshot_id(own, asked.document_unique_id, made.mime_type, made.spooled)
        if not self._on_demand.persistent or call.dry_run:
            (stored,) = self._documents.keep((made.spooled,))
            return RetrievedDocument(asked, stored, made.mime_type, new_document_unique_id=new_id, transient=True)
        stored = self._snapshot(call, entry, made, new_id)
        return RetrievedDocument(
            asked, stored, made.mime_type, new_document_unique_id=new_id, new_repository_unique_id=own
        )

    def _snapshot(self, call: Call, entry: DocumentEntry, made: MadeDocument, new_id: str) -> StoredDocument:
        """The stored document of a snapshot that is registered when this returns, now or by an earlier request."""
        have = self._kept(call, new_id)
        if have is not None:
            return have
        (stored,) = self._documents.keep((made.spooled,))
        try:
            self._register(call, entry, made, stored, new_id, once=True)
        except _Registered:
            have = self._kept(call, new_id)
            if have is not None:
                self._documents.remove((stored.key,))
                return have
            self._register(call, entry, made, stored, new_id, once=False)  # its bytes were removed: here they are again
        return stored

    def _kept(self, call: Call, new_id: str) -> StoredDocument | None:
        """What was kept of the very bytes that the caller is given now."""
        own = self._policy.repository_unique_id
        have = self._index.documents(own, [new_id], AccessFilter.everything(call.access.domain)).get(new_id)
        return have.document if have else None

    def _register(
        self,
        call: Call,
        entry: DocumentEntry,
        made: MadeDocument,
        stored: StoredDocument,
        new_id: str,
        *,
        once: bool,
    ) -> None:
        """Register a snapshot as by ITI-42, durably; its document goes when it is refused. Raises _Registered."""
        submission = snapshot_submission(
            entry,
            made.spooled,
            unique_id=new_id,
            mime_type=made.mime_type,
            repository_unique_id=self._policy.repository_unique_id,
            now=self._now(),
            new_uuid=self._new_uuid,
        )
        final = resolved(submission, self._new_uuid, self._policy.home_community_id)
        change = self._registry.submission_change(
            own_act(call, "ITI-42"), final, {final.submission.document_entries[0].id: stored}, "ITI-42"
        )
        if once:
            change = change._replace(plan=partial(_plan_once, change.plan, new_id))
        try:
            self._registry.make(own_act(call, call.transaction), change)
        except StorageFaulty:  # the entry may be there after all: its document stays, orphans are swept
            raise
        except (RequestRefused, StorageFull, StorageBusy):
            self._documents.remove((stored.key,))
            raise


def _latest(entries: Sequence[DocumentEntry], asked: DocumentRequest) -> DocumentEntry | None:
    ours = [
        entry
        for entry in entries
        if entry.object_type == v.ON_DEMAND_DOCUMENT and entry.repository_unique_id == asked.repository_unique_id
    ]
    approved = [entry for entry in ours if entry.status == v.APPROVED]
    return next(reversed(approved or ours), None)


def _plan_once(planned: Plan, unique_id: str, snapshot: Snapshot) -> tuple[Changes, tuple[Finding, ...]]:
    """The plan of a snapshot that nobody has registered yet. Raises _Registered."""
    if snapshot.unique_ids((unique_id,)):
        raise _Registered
    return planned(snapshot)
