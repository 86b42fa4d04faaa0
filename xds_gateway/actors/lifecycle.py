"""What a submission does to the registry, decided on a snapshot: changes, or why not (ITI TF-2 3.42.4.1.3).

`plan` reads and judges; nothing happens until its changes are committed in the same transaction.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import Association, DocumentEntry, Folder, RegistryObject, Slot, SubmissionSet
from ..rules.engine import Transaction
from ..rules.ihe import finding
from .changes import Changes
from .identity import NewUuid, Resolved
from .ports import KnownObject, KnownUniqueId, Snapshot

REPLACING = (v.RPLC, v.XFRM_RPLC)
HANGING = (v.APND, v.XFRM)


def plan(
    resolved: Resolved,
    snapshot: Snapshot,
    *,
    patients_open: bool,
    transaction: Transaction,
    new_uuid: NewUuid,
    authorities: frozenset[str] = frozenset(),
    follow_merges: bool = False,
) -> tuple[Changes, tuple[Finding, ...]]:
    """What this submission would change; findings when it must be refused instead."""
    planning = Planning(resolved, snapshot, transaction)
    planning.check_patients(patients_open=patients_open, authorities=authorities, follow_merges=follow_merges)
    planning.check_identity()
    planning.check_associations()
    if planning.findings:
        return Changes(), tuple(planning.findings)
    return planning.changes(new_uuid), tuple(planning.findings)


class Planning:
    """One submission held against one snapshot."""

    def __init__(self, resolved: Resolved, snapshot: Snapshot, transaction: Transaction) -> None:
        self.submission = resolved.submission
        self._sent_ids = resolved.sent_ids
        self.snapshot = snapshot
        self.transaction = transaction
        self.findings: list[Finding] = []

    @cached_property
    def own(self) -> Mapping[str, RegistryObject]:
        """The objects of the message."""
        return {item.id: item for item in self.submission.objects}

    @cached_property
    def known(self) -> Mapping[str, KnownObject]:
        """Every object of the registry that the message names, its own ids included."""
        ends = {end for a in self.submission.associations for end in (a.source, a.target)}
        return self.snapshot.objects({*ends, *self.own})

    def found(
        self,
        rule: str,
        item: str | None = None,
        *,
        received: str | None = None,
        attribute: str | None = None,
        expected: str | None = None,
    ) -> None:
        """One more reason why not; objects of the message are called as their sender called them."""
        sent = self._sent_ids
        self.findings.append(
            finding(
                rule,
                object_id=None if item is None else sent.get(item, item),
                attribute=attribute,
                received=None if received is None else sent.get(received, received),
                expected=expected,
                transaction=self.transaction,
            )
        )

    # -- patients and identity

    def check_patients(self, *, patients_open: bool, authorities: frozenset[str], follow_merges: bool = False) -> None:
        """Patients of the domain's authorities (all when none is named), known ones, and none that was merged.

        An open domain knows each patient from its first submission (3.42.4.1.3.3.2). With `follow_merges`, what names
        a merged patient is taken and shown as the surviving one's.
        """
        authorities = authorities or self.snapshot.value_sets().authorities
        for patient in self.patients:
            if authorities and patient.authority not in authorities:
                self.found(
                    "ihe.registry.patient",
                    received=patient.as_cx(),
                    expected=f"a patientId of the authority {' or '.join(sorted(authorities))}",
                )
                continue
            survivor = self.snapshot.survivor(patient)
            if survivor is None:
                if not patients_open:
                    self.found("ihe.registry.patient", received=patient.as_cx())
            elif survivor != patient and not follow_merges:
                self.found("ihe.registry.patient.merged", received=patient.as_cx(), expected=survivor.as_cx())

    @cached_property
    def patients(self) -> tuple[PatientId, ...]:
        """The patients that the message names."""
        texts = {item.patient_id for item in self.own.values() if item.patient_id}
        return tuple(dict.fromkeys(found for text in sorted(texts) if (found := parse_patient_id(text))))

    def check_identity(self) -> None:
        """UUIDs are new, so are uniqueIds of sets and folders; those of entries name the same bytes (3.42.4.1.3.3)."""
        self.check_ids()
        items = {item.unique_id: item for item in self.own.values() if item.unique_id}
        for value, taken in self.snapshot.unique_ids(items).items():
            item = items[value]
            if not isinstance(item, DocumentEntry):
                kind = "set" if isinstance(item, SubmissionSet) else "folder"
                self.found(f"ihe.registry.uniqueId.{kind}", item.id, received=value)
            elif taken.kind != DocumentEntry.KIND:
                self.found("ihe.registry.uniqueId.entry", item.id, received=value)
            else:
                self._check_same_bytes(item, taken)

    def check_ids(self) -> None:
        """No id is registered, nor the logical id of what is: a first version may be removed before the others."""
        versioned = (*self.submission.document_entries, *self.submission.folders)
        given = [item.id for item in versioned if self._sent_ids.get(item.id, "")[:9].lower() == "urn:uuid:"]
        for identifier in sorted(self.own.keys() & (self.known.keys() | self.snapshot.latest_versions(given).keys())):
            self.found("ihe.registry.id", identifier, received=identifier)

    def _check_same_bytes(self, entry: DocumentEntry, taken: KnownUniqueId) -> None:
        """Stable entries of one uniqueId have the same bytes; on-demand entries share one with their like only."""
        if taken.on_demand or entry.object_type == v.ON_DEMAND_DOCUMENT:
            if not (taken.on_demand and entry.object_type == v.ON_DEMAND_DOCUMENT):
                owner = "an on-demand entry" if taken.on_demand else "a stable entry"
                told = owner if taken.shown else None
                self.found("ihe.registry.uniqueId.onDemand", entry.id, received=entry.unique_id, expected=told)
            return
        if taken.hash is not None and entry.hash is not None and entry.hash.lower() != taken.hash.lower():
            self.found("ihe.registry.hash", entry.id, received=entry.hash, expected=taken.hash if taken.shown else None)
        if taken.size is not None and entry.size is not None and entry.size.strip() != str(taken.size):
            self.found(
                "ihe.registry.size", entry.id, received=entry.size, expected=str(taken.size) if taken.shown else None
            )

    # -- associations

    def check_associations(self) -> None:
        """Ends exist, are of the right kind, Approved and of one patient (3.42.4.1.3.4, 3.42.4.1.3.5)."""
        for association in self.submission.associations:
            if association.association_type == v.HAS_MEMBER:
                self._check_membership(association)
            else:
                self._check_relationship(association)

    def _check_membership(self, association: Association) -> None:
        """What is only referred to may be of another patient in a set, never in a folder (TF-3 4.2.2.1.1, .2)."""
        container = self._end(association, "source")
        member = self._end(association, "target")
        if container is None or member is None:
            return
        if container.kind == Folder.KIND:
            if member.kind != DocumentEntry.KIND:
                self.found("ihe.registry.target.kind", association.id, received=association.target)
                return
            self._check_approved(association, "source", container)
            self._check_approved(association, "target", member)
            self._check_one_patient(association, container, member)
            if not self.own.keys() & {association.source, association.target}:  # else the message itself is checked
                self._check_one_patient(association, as_known(self.submission.submission_sets[0]), container)
        elif association.source not in self.own:  # TF-3 4.2.1.2: nothing is added to a set later
            self.found("ihe.registry.source.kind", association.id, received=association.source)
        elif member.kind == SubmissionSet.KIND and association.target not in self.own:
            self.found("ihe.registry.target.kind", association.id, received=association.target)

    def _check_relationship(self, association: Association) -> None:
        target = self._end(association, "target")
        source = self.own.get(association.source)
        if not isinstance(source, DocumentEntry):
            self.found("ihe.registry.source.unknown", association.id, received=association.source)
        if target is None:
            return
        if target.kind != DocumentEntry.KIND:
            # wider: a signature may sign a submission set (docs/divergences.md)
            if association.association_type != v.SIGNS or target.kind != SubmissionSet.KIND:
                self.found("ihe.registry.target.entry", association.id, received=association.target)
            elif isinstance(source, DocumentEntry):
                self._check_one_patient(association, as_known(source), target)
            return
        self._check_approved(association, "target", target)
        self._check_target_type(association, target)
        if isinstance(source, DocumentEntry):
            self._check_one_patient(association, as_known(source), target)

    def _check_target_type(self, association: Association, target: KnownObject) -> None:
        """A snapshot is one of an on-demand entry, and no transformation is appended (TF-3 4.2.2.2.1)."""
        if association.association_type == v.IS_SNAPSHOT_OF and target.object_type != v.ON_DEMAND_DOCUMENT:
            self.found("ihe.registry.target.onDemand", association.id, received=association.target)
        if association.association_type == v.APND and self.snapshot.transformations((target.uuid,)):
            self.found("ihe.registry.target.transformation", association.id, received=association.target)

    def _end(self, association: Association, end: str) -> KnownObject | None:
        identifier = association.source if end == "source" else association.target
        if identifier in self.own:
            return as_known(self.own[identifier])
        if identifier in self.known:
            return self.known[identifier]
        self.found(f"ihe.registry.{end}.unknown", association.id, received=identifier)
        return None

    def _check_approved(self, association: Association, end: str, found: KnownObject) -> None:
        if found.status != v.APPROVED:
            self.found(f"ihe.registry.{end}.deprecated", association.id, received=found.uuid)

    def _check_one_patient(self, association: Association, one: KnownObject, other: KnownObject) -> None:
        if one.patient_id and other.patient_id and not self._same_patient(one.patient_id, other.patient_id):
            self.found(
                "ihe.registry.target.patient",
                association.id,
                received=other.patient_id.as_cx(),
                expected=one.patient_id.as_cx(),
            )

    def _same_patient(self, one: PatientId, other: PatientId) -> bool:
        """Merged patients count as one (ITI TF-2 3.8.4.2.4); what is registered already names the surviving one."""
        return one == other or (self.snapshot.survivor(one) or one) == (self.snapshot.survivor(other) or other)

    # -- consequences

    def changes(self, new_uuid: NewUuid) -> Changes:
        """The consequences of a submission that is accepted; may still find what stands against them."""
        replacements = {a.target: a for a in self.submission.associations if a.association_type in REPLACING}
        dependents = self.dependents(tuple(replacements))
        self._check_hanging({*replacements, *dependents})
        carried = [a for target, by in replacements.items() for a in self._carried_over(target, by, new_uuid)]
        filed = {a.source for a in (*self.submission.associations, *carried) if a.association_type == v.HAS_MEMBER}
        folders = {f.id for f in self.submission.folders} | {i for i in filed if self._is_folder(i)}
        return Changes(
            patients=self.patients,
            associations=tuple(carried),
            deprecated=(*replacements, *dependents),
            touched_folders=tuple(sorted(folders | {a.source for a in carried if a.source not in self.own})),
        )

    def _check_hanging(self, deprecated: AbstractSet[str]) -> None:
        """Nothing new hangs on what the same submission deprecates (3.42.4.1.3.5)."""
        for association in self.submission.associations if deprecated else ():
            if association.association_type in HANGING and association.target in deprecated:
                self.found("ihe.registry.target.deprecated", association.id, received=association.target)

    def _is_folder(self, identifier: str) -> bool:
        return isinstance(self.own.get(identifier), Folder) or (
            identifier in self.known and self.known[identifier].kind == "Folder"
        )

    def dependents(self, replaced: tuple[str, ...]) -> tuple[str, ...]:
        """Addenda and transformations of what is replaced, and theirs in turn."""
        found: dict[str, None] = {}
        wave: Iterable[str] = replaced
        while wave:
            wave = [d.uuid for d in self.snapshot.dependents(wave) if d.uuid not in found and d.uuid not in replaced]
            found.update(dict.fromkeys(wave))
        return tuple(found)

    def _carried_over(self, target: str, by: Association, new_uuid: NewUuid) -> list[Association]:
        """The replacement joins every Approved folder of the replaced entry, and the set says so."""
        submission_set = self.submission.submission_sets[0].id
        filed = {a.source for a in self.submission.associations if a.target == by.source}
        made: list[Association] = []
        for folder in self.snapshot.folders_of(target):
            if folder.uuid in filed:  # by the sender
                continue
            self._check_one_patient(by, as_known(self.own[by.source]), folder)
            membership = has_member(new_uuid(), folder.uuid, by.source)
            made += [membership, has_member(new_uuid(), submission_set, membership.id)]
        return made


def as_known(item: RegistryObject) -> KnownObject:
    """An object of a message as it will be known when it is registered."""
    text = item.patient_id
    return KnownObject(
        uuid=item.id,
        lid=item.id,
        kind=item.KIND,
        object_type=item.object_type,
        status=v.APPROVED,
        version=1,
        patient_id=parse_patient_id(text) if text else None,
        unique_id=item.unique_id,
    )


def has_member(identifier: str, source: str, target: str, slots: tuple[Slot, ...] = ()) -> Association:
    """A membership that the registry makes."""
    return Association(
        id=identifier,
        lid=identifier,
        status=v.APPROVED,
        version="1",
        object_type=v.ASSOCIATION_OBJECT,
        association_type=v.HAS_MEMBER,
        source=source,
        target=target,
        slots=slots,
    )
