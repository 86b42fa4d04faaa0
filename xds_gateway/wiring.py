"""Where everything meets: settings in, a gateway out. Only here all objects are known."""

import gc
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .access_files import access_matrix
from .actors.domain import domain_actors
from .actors.making import DocumentMaker, OnDemandHook
from .actors.node_authentication import NodeFailures
from .actors.on_demand import OnDemandPolicy
from .actors.patients import PatientIdentityFeed
from .actors.registry import DomainPolicy
from .actors.removals import finish_removals
from .clock import UuidSource, clock, now
from .codec.transactions import TRANSACTIONS
from .config import ConfigurationError, Domain, Feed, Settings
from .domains import PROFILES, feed_policy
from .limits import pipeline_limits
from .nodes import identify_by, open_node_journal
from .security.access import access_of
from .server.feeding import FeedPipeline
from .server.http import HttpApplication
from .server.mllp import Identify
from .server.mounts import MountedDomain
from .server.pipeline import Pipeline
from .server.soap import SoapServices
from .server.watching import FailureTeller
from .server.workers import Workers
from .storage.journal import FileAccessJournal
from .storage.opening import Storage, open_storage
from .users import LiveIssuers, live_issuers, x_service_provider

_COLLECT_AFTER = 20_000  # container objects made since the last collection
_THREADS = 8  # what waits for a disk or takes long, of one process


@dataclass(frozen=True, slots=True)
class Gateway:
    """One process's gateway: the application that serves every listener, and what must be closed after it."""

    application: HttpApplication
    pipeline: Pipeline
    mounts: dict[str, MountedDomain]
    storages: dict[str, Storage]
    workers: Workers
    feeds: tuple[FeedPipeline, ...]  # as in the settings
    identify: Identify
    failures: FailureTeller
    node_journal: FileAccessJournal
    issuers: tuple[LiveIssuers, ...]

    def finish_removals(self) -> int:
        """Delete the bytes of documents whose removal was interrupted; returns how many (ITI-86)."""
        return sum(finish_removals(storage.registry, storage.documents) for storage in self.storages.values())

    def sweep(self, older_than_seconds: float) -> int:
        """Finish removals, and delete documents that belong to no registration and are older than this; how many."""
        return self.finish_removals() + sum(
            storage.documents.sweep(older_than_seconds, storage.index.referenced) for storage in self.storages.values()
        )

    def close(self) -> None:
        """Wait for running work and close databases and journals."""
        self.workers.close()
        self.node_journal.close()
        for storage in self.storages.values():
            storage.close()


def build(settings: Settings, worker: int = 0) -> Gateway:
    """Make the gateway of one process, called by its number; database and folders must be ready (`prepare`)."""
    workers = Workers(_THREADS)
    identify = identify_by(settings)
    new_uuid = UuidSource()
    storages = {domain.name: _storage(settings, domain, worker) for domain in settings.domains}
    hooks = {domain.name: _on_demand(domain, storages[domain.name]) for domain in settings.domains}
    issuers = live_issuers(settings)
    mounts = {
        mount.path: _mounted(
            settings, mount, storages[mount.domain], hooks[mount.domain], issuers.get(mount.domain), new_uuid
        )
        for mount in settings.mounts
    }

    node_journal = open_node_journal(settings, worker)
    failures = FailureTeller(NodeFailures(now=now, new_uuid=new_uuid), node_journal, workers.run)
    pipeline = Pipeline(
        services=SoapServices(TRANSACTIONS),
        limits=pipeline_limits(settings.limits),
        run=workers.run,
        run_apart=workers.run_apart,
        now=now,
        new_uuid=new_uuid,
        sender_fault_status=settings.soap.sender_fault_status,
        identify=identify,
        count=failures.count,
    )
    application = HttpApplication(pipeline=pipeline, mounts=mounts, public_url=settings.public_url)
    feeds = tuple(_feed(settings, feed, storages[feed.domain], workers, new_uuid) for feed in settings.feeds)
    gateway = Gateway(
        application=application,
        pipeline=pipeline,
        mounts=mounts,
        storages=storages,
        workers=workers,
        feeds=feeds,
        identify=identify,
        failures=failures,
        node_journal=node_journal,
        issuers=tuple(issuers.values()),
    )
    gateway.finish_removals()
    _settle()
    return gateway


def _settle() -> None:
    """Take all that lives as long as the process out of garbage collection, and collect for many requests at once.

    A request makes some thousand small tuples, none of them in a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def _storage(settings: Settings, domain: Domain, worker: int) -> Storage:
    return open_storage(
        settings.database_url,
        settings.data_folder,
        domain.name,
        writer_name=f"{domain.name}-{worker}",
        spool_quota=settings.limits.spool_in_flight_bytes,
        wait_seconds=settings.limits.request_seconds,
        remembered_assertions=settings.limits.remembered_assertions,
    )


def _on_demand(domain: Domain, storage: Storage) -> OnDemandPolicy | None:
    if domain.on_demand is None:
        return None
    maker = DocumentMaker(
        load_hook(domain.on_demand),
        storage.documents,
        seconds=domain.on_demand_seconds,
        at_once=domain.on_demand_at_once,
    )
    return OnDemandPolicy(maker=maker, persistent=domain.on_demand_persistence)


def load_hook(name: str) -> OnDemandHook:
    """The function that `module:function` names. Raises ConfigurationError, and whatever the module raises."""
    module, _, function = name.partition(":")
    hook = getattr(importlib.import_module(module), function, None)
    if not callable(hook):
        raise ConfigurationError(f'on_demand is "{name}": the module {module} has no function {function}.')
    return hook  # type: ignore[no-any-return]


def check_hooks(settings: Settings) -> None:
    """See in the parent that the modules of hooks are there; workers load them. Raises ConfigurationError."""
    for number, domain in enumerate(settings.domains):
        module = (domain.on_demand or "").partition(":")[0]
        if not module or _is_there(module):
            continue
        raise ConfigurationError(
            f'domains[{number}].on_demand is "{domain.on_demand}": Python finds no module {module}; '
            "install it, or name its folder in PYTHONPATH."
        )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _mounted(
    settings: Settings,
    mount: Any,
    storage: Storage,
    on_demand: OnDemandPolicy | None,
    issuers: LiveIssuers | None,
    new_uuid: Callable[[], str],
) -> MountedDomain:
    domain = settings.domain(mount.domain)
    policy = DomainPolicy(
        profile=PROFILES[domain.profile],
        repository_unique_id=domain.repository_unique_id,
        home_community_id=domain.home_community_id,
        patients_open=domain.patients == "open",
        follow_merges=domain.merged_patients == "follow",
        authorities=frozenset(domain.assigning_authorities),
        max_results=domain.max_results,
        limited_metadata=mount.metadata == "limited",
        safe_retries=domain.retries == "safe",
    )
    actors = domain_actors(
        store=storage.registry,
        queries=storage.queries,
        index=storage.index,
        documents=storage.documents,
        journal=storage.journal,
        policy=policy,
        feed=feed_policy(domain),
        now=now,
        new_uuid=new_uuid,
        on_demand=on_demand,
    )
    matrix = access_matrix(domain)
    return MountedDomain(
        domain=domain.name,
        access=lambda principal: access_of(matrix, principal, domain.name, now()),
        actors=actors,
        documents=storage.documents,
        certificate_required=mount.authentication == "certificate",
        dry_run=mount.dry_run,
        users=x_service_provider(
            settings, mount, issuers, replays=storage.replays, journal=storage.journal, clock=clock, now=now
        ),
        tell_refusals=mount.tell_refusals,
    )


def _feed(
    settings: Settings, feed: Feed, storage: Storage, workers: Workers, new_uuid: Callable[[], str]
) -> FeedPipeline:
    policy = feed_policy(settings.domain(feed.domain))
    actor = PatientIdentityFeed(store=storage.registry, policy=policy, now=now, new_uuid=new_uuid)
    return FeedPipeline(actor, run=workers.run, now=now, new_uuid=new_uuid)
