"""What an administrator at the machine of the gateway works with, beside the workers that may be serving."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from .access_files import access_matrix
from .actors.access_explanation import AccessExplanation
from .actors.administrator import Administrator
from .actors.consent_administration import ConsentAdministration
from .actors.patient_administration import PatientAdministration
from .actors.resets import reset
from .actors.value_sets import ValueSetLoading
from .clock import UuidSource, now
from .config import Domain, Settings
from .domains import PROFILES, feed_policy
from .model.messages import AuditEvent
from .model.principal import Principal
from .storage.audit_opening import open_audit
from .storage.opening import Storage, open_registry, open_storage

_TAKEN_AT_ONCE: Final = 500


@contextmanager
def _beside(settings: Settings, name: str) -> Iterator[Storage]:
    """The storage of a domain for an administrator at this machine, beside the workers that may be serving.

    Raises DatabaseUnusable.
    """
    storage = open_storage(
        settings.database_url,
        settings.data_folder,
        name,
        writer_name=f"{name}-administration-{os.getpid()}",
        spool_quota=0,
        wait_seconds=settings.limits.request_seconds,
    )
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def administration(settings: Settings, name: str, administrator: str) -> Iterator[PatientAdministration]:
    """The patients of a domain for an administrator at this machine. Raises DatabaseUnusable."""
    with _beside(settings, name) as storage:
        yield PatientAdministration(_administrator(storage, name, administrator), feed_policy(settings.domain(name)))


@contextmanager
def consents_of_domain(settings: Settings, name: str, administrator: str) -> Iterator[ConsentAdministration]:
    """The consents of the patients of a domain for an administrator at this machine. Raises DatabaseUnusable."""
    with _beside(settings, name) as storage:
        yield ConsentAdministration(_administrator(storage, name, administrator))


@contextmanager
def access_of_domain(settings: Settings, name: str, administrator: str) -> Iterator[AccessExplanation]:
    """Explanations of access rights for an administrator at this machine. Raises DatabaseUnusable."""
    with _beside(settings, name) as storage:
        matrix = access_matrix(settings.domain(name))
        yield AccessExplanation(_administrator(storage, name, administrator), storage.queries, matrix)


@contextmanager
def value_sets_of_domain(settings: Settings, name: str) -> Iterator[ValueSetLoading]:
    """The value sets of a domain, for its administrator, while gateways serve it or not.

    Raises DatabaseUnusable (SchemaNewer, SchemaMissing).
    """
    profile = PROFILES[settings.domain(name).profile]
    with open_registry(
        settings.database_url, settings.data_folder, name, wait_seconds=settings.limits.request_seconds
    ) as (store, _):
        yield ValueSetLoading(store, profile, now)


def _administrator(storage: Storage, domain: str, name: str) -> Administrator:
    caller = Principal(node=name, address="local")
    return Administrator(
        store=storage.registry, journal=storage.journal, domain=domain, caller=caller, now=now, new_id=UuidSource()
    )


def reset_domain(settings: Settings, domain: Domain, *, administrator: str) -> Mapping[str, int]:
    """Empty a domain beside a gateway that may be serving it; how many of what there were.

    What waits for audit repositories goes where every domain may be reset: nobody else's events are among it.

    Raises DatabaseUnusable, FolderUnusable, StorageBusy, StorageFull.
    """
    event = AuditEvent(
        at=now(),
        transaction="reset",
        outcome="success",
        node=administrator,
        address="local",
        domain=domain.name,
        message_id=UuidSource()(),
    )
    outboxes = [each.name for each in settings.audit_repositories if all(d.allow_reset for d in settings.domains)]
    wait_seconds = settings.limits.request_seconds
    if outboxes:
        with open_audit(settings.database_url, settings.data_folder, wait_seconds=wait_seconds) as audit:
            while audit.book.take_up(_TAKEN_AT_ONCE):  # what was done a moment ago is among what waits
                pass
    with open_registry(settings.database_url, settings.data_folder, domain.name, wait_seconds=wait_seconds) as (
        store,
        documents,
    ):
        return reset(store, documents, event, outboxes)
