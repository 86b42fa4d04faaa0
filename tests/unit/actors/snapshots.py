"""A registry in memory, small and whole: what a snapshot tells is worked out from the objects that it holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xds_gateway.actors.ports import KnownAssociation, KnownObject, KnownUniqueId
from xds_gateway.model import vocabulary as v
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.metadata import Association, DocumentEntry, RegistryObject
from xds_gateway.model.value_sets import NO_VALUE_SETS, ValueSets


@dataclass
class MemorySnapshot:
    """`Snapshot` over registered objects: Approved and of version 1 unless they say otherwise."""

    registered: dict[str, RegistryObject] = field(default_factory=dict)
    patients: set[PatientId] = field(default_factory=set)
    merged: dict[PatientId, PatientId] = field(default_factory=dict)
    allowed: ValueSets = NO_VALUE_SETS

    @classmethod
    def of(cls, *items: RegistryObject) -> "MemorySnapshot":
        """A registry that holds these."""
        return cls({item.id: replace(item, status=item.status or v.APPROVED) for item in items})

    def value_sets(self) -> ValueSets:
        return self.allowed

    def survivor(self, patient_id: PatientId) -> PatientId | None:
        return self.merged.get(patient_id, patient_id if patient_id in self.patients else None)

    def objects(self, uuids: Iterable[str]) -> Mapping[str, KnownObject]:
        return {uuid: self._known(self.registered[uuid]) for uuid in uuids if uuid in self.registered}

    def shown(self, uuids: Iterable[str]) -> frozenset[str]:
        return frozenset(self.registered) & frozenset(uuids)

    def unique_ids(self, values: Iterable[str]) -> Mapping[str, KnownUniqueId]:
        wanted = set(values)
        return {
            item.unique_id: _known_unique_id(item)
            for item in self.registered.values()
            if item.unique_id and item.unique_id in wanted
        }

    def dependents(self, uuids: Iterable[str]) -> Sequence[KnownObject]:
        targets = set(uuids)
        sources = [a.source for a in self._associations(v.APND, v.XFRM) if a.target in targets]
        return [self._known(self.registered[s]) for s in sources if self.registered[s].status == v.APPROVED]

    def transformations(self, uuids: Iterable[str]) -> frozenset[str]:
        return frozenset({a.source for a in self._associations(v.XFRM)} & set(uuids))

    def folders_of(self, uuid: str) -> Sequence[KnownObject]:
        holders = [self.registered[a.source] for a in self._associations(v.HAS_MEMBER) if a.target == uuid]
        return [self._known(h) for h in holders if h.KIND == "Folder" and h.status == v.APPROVED]

    def latest_versions(self, logical_ids: Iterable[str]) -> Mapping[str, KnownObject]:
        wanted = set(logical_ids)
        versions = sorted(
            (self._known(i) for i in self.registered.values() if i.KIND in ("DocumentEntry", "Folder")),
            key=lambda known: known.version,
        )
        return {known.lid: known for known in versions if known.lid in wanted}

    def read(self, uuids: Iterable[str]) -> Mapping[str, RegistryObject]:
        return {uuid: self.registered[uuid] for uuid in uuids if uuid in self.registered}

    def entries_from(self, patient_id: PatientId, sources: Collection[PatientId]) -> Sequence[DocumentEntry]:
        return [
            item
            for item in self.registered.values()
            if isinstance(item, DocumentEntry)
            and item.status == v.APPROVED
            and self._known(item).patient_id == patient_id
            and parse_patient_id(item.slot_value("sourcePatientId") or "") in sources
        ]

    def associations(self, uuids: Iterable[str]) -> Sequence[KnownAssociation]:
        wanted = set(uuids)
        return [
            KnownAssociation(item.id, item.source, item.target, item.association_type == v.HAS_MEMBER)
            for item in self.registered.values()
            if isinstance(item, Association) and wanted & {item.id, item.source, item.target}
        ]

    def _associations(self, *types: str) -> list[Association]:
        return [
            item
            for item in self.registered.values()
            if isinstance(item, Association) and item.association_type in types and item.status == v.APPROVED
        ]

    def _known(self, item: RegistryObject) -> KnownObject:
        return KnownObject(
            uuid=item.id,
            lid=item.lid or item.id,
            kind=item.KIND,
            object_type=item.object_type if isinstance(item, DocumentEntry) else None,
            status=item.status or v.APPROVED,
            version=int(item.version or 1),
            patient_id=parse_patient_id(item.patient_id) if item.patient_id else None,
            unique_id=item.unique_id,
        )


def _known_unique_id(item: RegistryObject) -> KnownUniqueId:
    if isinstance(item, DocumentEntry):
        return KnownUniqueId(item.unique_id or "", item.KIND, item.hash, int(item.size) if item.size else None)
    return KnownUniqueId(item.unique_id or "", item.KIND, None, None)
