"""A change of the registry as a value: what is registered, what that entails, and what is told of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent, PlannedEffect, StoredDocument
from ..model.metadata import Association, RegistryObject
from .ports import Prepared, Receipt, RegistryStore, Snapshot, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that one request changes beside adding its own objects; ids are entryUUIDs."""

    patients: tuple[PatientId, ...] = ()
    associations: tuple[Association, ...] = ()  # made by the registry: folder membership carried over
    deprecated: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()  # no longer the latest version of their logical object
    touched_folders: tuple[str, ...] = ()
    folder_times: tuple[tuple[str, str], ...] = ()  # folders with the lastUpdateTime that they keep
    removed: tuple[str, ...] = ()
    concerned: tuple[str, ...] = ()  # patients that the audit row tells of, as CX, when the request named none


class Named(NamedTuple):
    """What a request names of the registry, by id or logicalID; of that, what it replaces, updates and removes."""

    objects: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


Plan = Callable[[Snapshot], tuple[Changes, tuple[Finding, ...]]]


class Change(NamedTuple):
    """A request that is ready for the registry: `plan` decides on a snapshot whether and how it happens.

    `named` is what it names of the registry; `documents` are by the id of their entry; `event` is its audit row;
    `sent_ids` are the sender's ids by final id; by the `receipt` the request is known when it is sent again.
    """

    objects: Sequence[RegistryObject]
    plan: Plan
    event: AuditEvent
    named: Named
    documents: Mapping[str, StoredDocument] = {}
    sent_ids: Mapping[str, str] = {}
    receipt: Receipt | None = None


def apply(
    changes: Changes,
    transaction: Transaction,
    *,
    added: Sequence[Prepared],
    store: RegistryStore,
    now: str,
    documents: Mapping[str, StoredDocument] = {},
) -> None:
    """Make a planned change in the transaction that it was planned in; its patients are known, its audit is not told.

    `added` are the request's own objects, `documents` by the id of their entry, `now` is a DTM (UTC).
    """
    transaction.add(added)
    if documents:
        transaction.add_documents(documents)
    if changes.associations:
        transaction.add(store.prepare(changes.associations))
    if changes.deprecated:
        transaction.set_status(changes.deprecated, v.DEPRECATED)
    if changes.approved:
        transaction.set_status(changes.approved, v.APPROVED)
    if changes.superseded:
        transaction.supersede(changes.superseded)
    for folder, time in changes.folder_times:
        transaction.touch_folders((folder,), time)
    if changes.touched_folders:
        transaction.touch_folders(changes.touched_folders, now)
    if changes.removed:
        transaction.remove(changes.removed)


def effects(change: Change, changes: Changes) -> tuple[PlannedEffect, ...]:
    """What a change would do, told in the order in which it happens and with the ids that the sender knows."""
    told = [_registered("register", item, change.sent_ids) for item in change.objects]
    told += [_registered("associate", item, change.sent_ids) for item in changes.associations]
    told += [PlannedEffect("deprecate", item, v.DEPRECATED) for item in changes.deprecated]
    told += [PlannedEffect("approve", item, v.APPROVED) for item in changes.approved]
    told += [PlannedEffect("supersede", item, "no longer the latest version") for item in changes.superseded]
    told += [PlannedEffect("touch", item, "lastUpdateTime is set to now") for item in changes.touched_folders]
    told += [PlannedEffect("remove", item, "its metadata are deleted") for item in changes.removed]
    told += [PlannedEffect("know", item.as_cx(), "the patient becomes known") for item in changes.patients]
    return tuple(told)


def _registered(effect: str, item: RegistryObject, sent: Mapping[str, str]) -> PlannedEffect:
    identifier = sent.get(item.id, item.id)
    if isinstance(item, Association):
        name = item.association_type.rpartition(":")[2]
        source, target = sent.get(item.source, item.source), sent.get(item.target, item.target)
        return PlannedEffect(effect, identifier, f"Association {name} from {source} to {target}")
    version = f", version {item.version}" if item.version else ""
    return PlannedEffect(effect, identifier, f"{item.KIND} {item.unique_id or ''}{version}")
