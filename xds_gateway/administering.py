"""What an administrator at the machine of the gateway works with, beside the workers that may be serving."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .access_files import access_matrix
from .actors.access_explanation import AccessExplanation
from .actors.administrator import Administrator
from .actors.consent_administration import ConsentAdministration
from .actors.patient_administration import PatientAdministration
from .config import Settings
from .model.principal import Principal
from .storage.opening import Storage, open_storage
from .wiring import UuidSource, feed_policy, now


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


def _administrator(storage: Storage, domain: str, name: str) -> Administrator:
    caller = Principal(node=name, address="local")
    return Administrator(
        store=storage.registry, journal=storage.journal, domain=domain, caller=caller, now=now, new_id=UuidSource()
    )
