"""The actors of one domain, made together: they share their stores, their policy and their clock."""

from collections.abc import Callable
from dataclasses import dataclass

from .feed_policy import FeedPolicy
from .identity import NewUuid
from .on_demand import OnDemandPolicy, OnDemandSource
from .patient_service import PatientIdentityService
from .patients import PatientIdentityFeed
from .ports import AccessJournal, DocumentIndex, DocumentStore, QueryStore, RegistryStore
from .registry import DocumentRegistry, DomainPolicy
from .removals import Removals
from .repository import DocumentRepository
from .updates import UpdateResponder


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainActors:
    """The actors that rows of `codec.transactions` name, by these names."""

    registry: DocumentRegistry
    repository: DocumentRepository
    removals: Removals
    updates: UpdateResponder
    patients: PatientIdentityService


def domain_actors(
    *,
    store: RegistryStore,
    queries: QueryStore,
    index: DocumentIndex,
    documents: DocumentStore,
    journal: AccessJournal,
    policy: DomainPolicy,
    feed: FeedPolicy,
    now: Callable[[], str],
    new_uuid: NewUuid,
    on_demand: OnDemandPolicy | None = None,
) -> DomainActors:
    """The actors over these stores; `now` gives a DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
    registry = DocumentRegistry(
        store=store, queries=queries, journal=journal, policy=policy, now=now, new_uuid=new_uuid
    )
    source = (
        None
        if on_demand is None
        else OnDemandSource(
            registry=registry,
            store=store,
            queries=queries,
            index=index,
            documents=documents,
            policy=policy,
            on_demand=on_demand,
            now=now,
            new_uuid=new_uuid,
        )
    )
    repository = DocumentRepository(
        registry=registry,
        documents=documents,
        index=index,
        journal=journal,
        policy=policy,
        new_uuid=new_uuid,
        on_demand=source,
    )
    removals = Removals(registry=registry, store=store, documents=documents, journal=journal, policy=policy)
    updates = UpdateResponder(registry=registry, store=store, policy=policy, new_uuid=new_uuid)
    patients = PatientIdentityService(
        feed=PatientIdentityFeed(store=store, policy=feed, now=now, new_uuid=new_uuid), journal=journal
    )
    return DomainActors(registry=registry, repository=repository, removals=removals, updates=updates, patients=patients)
