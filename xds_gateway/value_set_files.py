"""Files of value sets that the settings name: loaded once, before workers start (docs/load-value-sets.md)."""

import logging
import os
from collections.abc import Mapping

from .administering import value_sets_of_domain
from .codec.value_sets import NotValueSets, value_sets_of
from .config import ConfigurationError, Domain, Settings
from .model.messages import AuditEvent
from .model.value_sets import ValueSet

_log = logging.getLogger("xds_gateway.value_sets")


def load_value_sets(settings: Settings) -> None:
    """Make the files of each domain the lists of their attributes, in one transaction for each domain.

    Files whose codes are in force already change nothing and make no version. Nothing is loaded when any file is wrong.
    Raises ConfigurationError with all that are, DatabaseUnusable, StorageBusy, StorageFull.
    """
    read: dict[str, Mapping[str, ValueSet]] = {}
    problems: list[str] = []
    for number, domain in enumerate(settings.domains):
        try:
            read[domain.name] = _lists(domain)
        except OSError as wrong:
            problems.append(
                f"domains[{number}].value_sets has {wrong.filename}, which cannot be read ({wrong.strerror}): "
                "correct its path or its permissions."
            )
        except NotValueSets as wrong:
            problems.append(
                f"domains[{number}].value_sets: {wrong} Correct the file or leave it out; "
                "`xds-gateway vocabulary load --attribute` takes lists that do not say what they are for."
            )
    if problems:
        raise ConfigurationError(*problems)
    for name, lists in read.items():
        if lists:
            _load(settings, name, lists)


def _lists(domain: Domain) -> Mapping[str, ValueSet]:
    """Raises OSError, NotValueSets."""
    lists, ignored = value_sets_of([(str(path), path.read_bytes()) for path in domain.value_sets])
    if ignored:
        _log.warning(
            "value sets ignored: they are for no attribute", extra={"domain": domain.name, "value_sets": ignored}
        )
    return lists


def _load(settings: Settings, name: str, lists: Mapping[str, ValueSet]) -> None:
    def event(at: str, objects: tuple[str, ...]) -> AuditEvent:
        return AuditEvent(
            at=at,
            transaction="vocabulary load",
            outcome="success",
            node=f"xds-gateway serve, process {os.getpid()}",
            address="local",
            domain=name,
            message_id="",
            objects=objects,
        )

    with value_sets_of_domain(settings, name) as domain_lists:
        version, changed = domain_lists.load(lists, event)
    if changed:
        told = {"domain": name, "version": version, "attributes": [each.attribute for each in changed]}
        _log.info("value sets loaded", extra=told)
