"""What an update does to the registry, decided on a snapshot: changes, or why not (ITI-57, ITI-92).

Phases follow each other, and each tells all that it finds: what is named exists, the versions are the latest, their
statuses allow it, what must stay has stayed, patients are kept apart. Nothing happens until the changes are committed
in the same transaction, so that of two updates of one version the second finds another latest one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import Association, DocumentEntry, Folder, RegistryObject, SubmissionSet
from ..rules.engine import Transaction
from ..rules.ihe import finding
from ..rules.operations import NewVersion, Operations, StatusUpdate
from .changes import Changes
from .identity import NewUuid, Resolved
from .lifecycle import REPLACING, Planning, as_known
from .ports import KnownObject, Snapshot
from .propagation import Copies, propagate

# Attributes that a restricted update cannot change, with what their absence means
_UNMODIFIABLE: Final[Mapping[str, str | None]] = {
    "repositoryUniqueId": None,
    "sourcePatientId": None,
    "documentAvailability": v.ONLINE,
}


class Update(NamedTuple):
    """A message with final ids: its operations, and the objects that are stored of it."""

    resolved: Resolved
    operations: Operations
    objects: tuple[RegistryObject, ...]


def check_object_types(
    versions: Sequence[NewVersion], snapshot: Snapshot, *, transaction: Transaction
) -> tuple[Finding, ...]:
    """Entries that would change from stable to on-demand or back: no other rule can judge them (ITI-57, ITI-92)."""
    latest = snapshot.latest_versions([version.lid for version in versions])
    return tuple(
        finding(rule, object_id=version.item.id, received=received, expected=expected, transaction=transaction)
        for rule, version, received, expected in _changed_types(versions, latest, transaction)
    )


def _changed_types(
    versions: Sequence[NewVersion], latest: Mapping[str, KnownObject], transaction: Transaction
) -> Iterator[tuple[str, NewVersion, str | None, str | None]]:
    for version in versions:
        known = latest.get(version.lid)
        if known is None or known.kind != DocumentEntry.KIND or known.object_type == version.item.object_type:
            continue
        yield "ihe.update.objectType", version, version.item.object_type, known.object_type
        if transaction == "ITI-92":
            yield "ihe.update.objectType.restricted", version, version.item.object_type, known.object_type


def plan_update(
    update: Update,
    snapshot: Snapshot,
    *,
    patients_open: bool,
    authorities: frozenset[str],
    transaction: Transaction,
    new_uuid: NewUuid,
) -> tuple[Changes, tuple[Finding, ...]]:
    """What this update would change; findings of the first phase that has some when it must be refused instead."""
    planning = _Planning(update, snapshot, transaction)
    phases: tuple[Callable[[], None], ...] = (
        planning.check_existence,
        planning.check_versions,
        planning.check_status,
        planning.check_unchanged,
        lambda: planning.check_patients(patients_open=patients_open, authorities=authorities),
        planning.check_one_patient_each,
    )
    for check in phases:
        check()
        if planning.findings:
            return Changes(), tuple(planning.findings)
    changes = planning.consequences(new_uuid)
    return (Changes() if planning.findings else changes), tuple(planning.findings)


class _Planning(Planning):
    """One update held against one snapshot."""

    def __init__(self, update: Update, snapshot: Snapshot, transaction: Transaction) -> None:
        super().__init__(update.resolved, snapshot, transaction)
        self._versions: Final = update.operations.versions
        self._statuses: Final = update.operations.statuses
        self._submitted: Final = update.operations.submitted
        self._set: Final = update.resolved.submission.submission_sets[0]
        self._new: Final[Mapping[str, RegistryObject]] = {version.item.id: version.item for version in self._versions}

    @cached_property
    def latest(self) -> Mapping[str, KnownObject]:
        """The latest version of each logical object that gets a new one, by lid."""
        return self.snapshot.latest_versions([version.lid for version in self._versions])

    @cached_property
    def superseded(self) -> Mapping[str, NewVersion]:
        """Versions that are the latest until now, by id."""
        return {self.latest[version.lid].uuid: version for version in self._versions}

    # -- what is named exists

    def check_existence(self) -> None:
        """New ids and a new set; logical objects, targets and ends that are registered."""
        self.check_ids()
        for value in self.snapshot.unique_ids(filter(None, (self._set.unique_id,))):
            self.found("ihe.registry.uniqueId.set", self._set.id, received=value)
        for version in self._versions:
            known = self.latest.get(version.lid)
            if known is None or known.kind != version.item.KIND:
                self._found_unknown(version)
        for status in self._statuses:
            if status.target not in self.own and status.target not in self.known:
                self.found("ihe.update.target.unknown", status.command.id, received=status.target)
        for association in self._submitted:
            for name, end in (("sourceObject", association.source), ("targetObject", association.target)):
                if end not in self.own and end not in self.known:
                    self.found("ihe.update.end.unknown", association.id, attribute=name, received=end)

    def _found_unknown(self, version: NewVersion) -> None:
        """Of a folder both codes are told: the text leaves open which one it is."""
        if isinstance(version.item, Folder):
            self.found("ihe.update.folder.unknown", version.item.id, received=version.lid)
        self.found("ihe.update.entry.unknown", version.item.id, received=version.lid)

    # -- versions and statuses

    def check_versions(self) -> None:
        """The sender has seen the latest version."""
        for version in self._versions:
            latest = self.latest[version.lid].version
            if version.previous != latest:
                self.found("ihe.update.version", version.item.id, received=str(version.previous), expected=str(latest))

    def check_status(self) -> None:
        """Only what is Approved gets a new version or an association; what changes its status has the one told."""
        for version in self._versions:
            latest = self.latest[version.lid]
            if latest.status != v.APPROVED and self.transaction != "ITI-92":
                self.found("ihe.update.latest.deprecated", version.item.id, received=latest.uuid)
        for status in self._statuses:
            self._check_target(status)
        for position, association in enumerate(self._submitted):
            self._check_ends(association)
            self._check_not_there(association, self._submitted[:position])

    def _check_target(self, status: StatusUpdate) -> None:
        present = self._present_status(status.target)
        if present is None:
            self.found("ihe.update.target.kind", status.command.id, received=status.target)
            return
        known = self.known.get(status.target)
        if known is not None and known.kind in (DocumentEntry.KIND, Folder.KIND):
            latest = self.snapshot.latest_versions((known.lid,))[known.lid].uuid
            current = self.superseded[latest].item.id if latest in self.superseded else latest
            if current != status.target:
                self.found(
                    "ihe.update.target.latest",
                    status.command.id,
                    received=status.target,
                    expected=self._sent_ids.get(current, current),
                )
                return
        if present != status.original:
            self.found("ihe.update.target.status", status.command.id, received=status.original, expected=present)

    def _present_status(self, target: str) -> str | None:
        """The status of what has one to change: not of sets, nor of their memberships, which are Approved for ever."""
        if target in self._new or target in {association.id for association in self._submitted}:
            return v.APPROVED
        known = self.known.get(target)
        if known is None or known.kind == SubmissionSet.KIND:
            return None
        if known.kind == Association.KIND:
            whole = self.snapshot.read((target,))[target]
            if isinstance(whole, Association) and whole.association_type == v.HAS_MEMBER:
                holder = self.snapshot.objects((whole.source,)).get(whole.source)
                return known.status if holder is not None and holder.kind == Folder.KIND else None
        return known.status

    def _check_ends(self, association: Association) -> None:
        source, target = self._end_known(association.source), self._end_known(association.target)
        wanted = (
            Folder.KIND if association.association_type == v.HAS_MEMBER else DocumentEntry.KIND,
            DocumentEntry.KIND,
        )
        told = f"from a {wanted[0]} to a {wanted[1]}"
        for name, end, kind in (("sourceObject", source, wanted[0]), ("targetObject", target, wanted[1])):
            if end.kind != kind:
                self.found("ihe.update.end.kind", association.id, attribute=name, received=end.uuid, expected=told)
            elif end.status != v.APPROVED or end.uuid in self.superseded:
                self.found("ihe.update.end.deprecated", association.id, attribute=name, received=end.uuid)
        if source.uuid == target.uuid:
            self.found(
                "ihe.update.end.kind",
                association.id,
                attribute="targetObject",
                received=target.uuid,
                expected="to another object",
            )
        if association.association_type == v.IS_SNAPSHOT_OF and target.object_type == v.STABLE_DOCUMENT:
            self.found("ihe.registry.target.onDemand", association.id, received=association.target)

    def _end_known(self, identifier: str) -> KnownObject:
        own = self.own.get(identifier)
        return self.known[identifier] if own is None else as_known(own)

    def _check_not_there(self, association: Association, before: Sequence[Association]) -> None:
        around = self.snapshot.associations((association.source,)) if association.source in self.known else ()
        same_ends = [a.uuid for a in around if (a.source, a.target) == (association.source, association.target)]
        registered = [a for a in self.snapshot.read(same_ends).values() if a.status == v.APPROVED]
        for other in (*registered, *before):
            if isinstance(other, Association) and _link(other) == _link(association):
                self.found("ihe.update.association.exists", association.id, received=other.id)
                return

    # -- what must stay

    def check_unchanged(self) -> None:
        """uniqueId and objectType stay; in a restricted update more than these (ITI-92)."""
        for version in self._versions:
            latest = self.latest[version.lid]
            if latest.unique_id != version.item.unique_id:
                self.found(
                    "ihe.update.uniqueId", version.item.id, received=version.item.unique_id, expected=latest.unique_id
                )
            if self.transaction == "ITI-92":
                self._check_restricted(version, latest)
        for rule, version, received, expected in _changed_types(self._versions, self.latest, self.transaction):
            self.found(rule, version.item.id, received=received, expected=expected)

    def _check_restricted(self, version: NewVersion, latest: KnownObject) -> None:
        if latest.patient_id != _patient_of(version.item):
            expected = latest.patient_id.as_cx() if latest.patient_id else None
            self.found(
                "ihe.update.patient.restricted", version.item.id, received=version.item.patient_id, expected=expected
            )
        before = self.snapshot.read((latest.uuid,))[latest.uuid]
        for name, absent in _UNMODIFIABLE.items():
            old, new = before.slot_value(name) or absent, version.item.slot_value(name) or absent
            if old != new:
                self.found("ihe.update.unmodifiable", version.item.id, attribute=name, received=new, expected=old)

    # -- patients

    def check_one_patient_each(self) -> None:
        """What is associated, and what one set changes, is of one patient."""
        of_set = parse_patient_id(self._set.patient_id or "")
        for status in self._statuses:
            known = self.known.get(status.target)
            if known is not None and known.patient_id:
                self._check_same(status.command.id, known.patient_id, of_set)
        for association in self._submitted:
            source, target = self._end_known(association.source), self._end_known(association.target)
            self._check_same(association.id, source.patient_id, target.patient_id)
            if source.patient_id == target.patient_id:
                self._check_same(association.id, source.patient_id, of_set)

    def _check_same(self, item: str, one: PatientId | None, other: PatientId | None) -> None:
        if one and other and one != other:
            self.found("ihe.update.patient", item, received=one.as_cx(), expected=other.as_cx())

    # -- consequences

    def consequences(self, new_uuid: NewUuid) -> Changes:
        """All changes; may still find that an association would lead to another patient."""
        successors = {old: version.item for old, version in self.superseded.items() if version.propagate}
        copies = propagate(successors, self.superseded, self.snapshot, new_uuid)
        self._check_copies(copies)
        stay_deprecated = [new.item.id for new in self._versions if self._was_deprecated(new)]
        replacements = {a.target: a.source for a in self._submitted if a.association_type in REPLACING}
        filed = {a.source for a in (*copies.associations, *self._submitted) if a.association_type == v.HAS_MEMBER}
        return Changes(
            patients=self.patients,
            associations=copies.associations,
            deprecated=(
                *self.superseded,
                *stay_deprecated,
                *replacements,
                *(d for d in self.dependents(tuple(replacements)) if d not in replacements.values()),
                *(status.target for status in self._statuses if status.new == v.DEPRECATED),
            ),
            approved=tuple(status.target for status in self._statuses if status.new == v.APPROVED),
            superseded=tuple(self.superseded),
            touched_folders=tuple(sorted(filed)),
            folder_times=tuple(self._kept_times(filed)),
            concerned=self._concerned(),
        )

    def _was_deprecated(self, version: NewVersion) -> bool:
        return self.latest[version.lid].status != v.APPROVED

    def _check_copies(self, copies: Copies) -> None:
        for copy in copies.associations:
            patients = [self._patient_at(end, copies.ends) for end in (copy.source, copy.target)]
            item = copy.source if copy.source in self._new else copy.target
            self._check_same(item, *patients)

    def _patient_at(self, end: str, known: Mapping[str, KnownObject]) -> PatientId | None:
        return _patient_of(self._new[end]) if end in self._new else known[end].patient_id if end in known else None

    def _kept_times(self, filed: set[str]) -> Iterator[tuple[str, str]]:
        """A new version of a folder that gets no member keeps the time of the one before."""
        for old, version in self.superseded.items():
            if isinstance(version.item, Folder) and version.item.id not in filed:
                yield version.item.id, self.snapshot.read((old,))[old].slot_value("lastUpdateTime") or ""

    def _concerned(self) -> tuple[str, ...]:
        """The patients of the audit row: that of the set, and those that a new version is taken away from."""
        before = {known.patient_id.as_cx() for known in self.latest.values() if known.patient_id}
        present = parse_patient_id(self._set.patient_id or "")
        others = sorted(before - {present.as_cx()}) if present else []
        return (self._set.patient_id or "", *others) if others else ()


def _patient_of(item: RegistryObject) -> PatientId | None:
    return parse_patient_id(item.patient_id) if item.patient_id else None


def _link(association: Association) -> tuple[str, str, str]:
    return association.association_type, association.source, association.target
