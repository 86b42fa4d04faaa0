"""What a changed link does to the registry, decided on a snapshot (ITI-64, ITI TF-2 3.64.4.1.3).

A local identifier, which entries name in sourcePatientId, now belongs to another patient. Its Approved entries go over
as by a metadata update: each gets a new version in a submission set of its own, and takes along the folders and
relationships whose other ends go with it. What would join two patients is dropped and told; what is Deprecated stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.datatypes import Code
from ..model.identifiers import PatientId, parse_patient_id
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    RegistryObject,
    Slot,
    SubmissionSet,
)
from .changes import Changes
from .identity import NewUuid, new_oid, next_version
from .lifecycle import REPLACING, has_member
from .ports import KnownObject, Snapshot
from .propagation import copied

_SOURCE_PATIENT: Final = "sourcePatientId"
_STATUS: Final = "SubmissionSetStatus"


class LinkChange(NamedTuple):
    """`local` belongs to `new` and no longer to `previous`; `subsumed`, if any, was merged into `local`."""

    new: PatientId
    previous: PatientId
    local: PatientId
    subsumed: PatientId | None = None


class SetDetails(NamedTuple):
    """What the submission set says of itself: sourceId an OID, submissionTime a DTM (UTC)."""

    source_id: str
    content_type: Code
    submission_time: str


class Moved(NamedTuple):
    """What a changed link makes and changes; nothing at all when no entry has its local identifier.

    `dropped` are ids of the folders and relationships that moved entries are no longer part of.
    """

    objects: tuple[RegistryObject, ...] = ()
    changes: Changes = Changes()
    dropped: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What the audit names: the submission set, then new versions."""
        versions = (item.id for item in self.objects if isinstance(item, (DocumentEntry, Folder)))
        return (*(item.id for item in self.objects if isinstance(item, SubmissionSet)), *versions)


def plan_link_change(change: LinkChange, details: SetDetails, snapshot: Snapshot, new_uuid: NewUuid) -> Moved:
    """What this change makes of the registry as it stands."""
    entries = _concerned(change, snapshot)
    return _Planning(change, entries, snapshot, new_uuid).moved(details) if entries else Moved()


def _concerned(change: LinkChange, snapshot: Snapshot) -> Sequence[DocumentEntry]:
    """Entries to move: of the previous patient; what is the new one's already only takes its new local identifier."""
    if change.subsumed is None:
        return snapshot.entries_from(change.previous, (change.local,))
    renamed = snapshot.entries_from(change.new, (change.subsumed,))
    if change.new == change.previous:
        return renamed
    return (*snapshot.entries_from(change.previous, (change.local, change.subsumed)), *renamed)


class _Planning:
    """One change held against one snapshot; `successors` are new versions by the id of the one before."""

    def __init__(
        self, change: LinkChange, entries: Sequence[DocumentEntry], snapshot: Snapshot, new_uuid: NewUuid
    ) -> None:
        self._change: Final = change
        self._snapshot: Final = snapshot
        self._new_uuid: Final = new_uuid
        self._before: Final[dict[str, DocumentEntry | Folder]] = {entry.id: entry for entry in entries}
        self._successors: Final[dict[str, DocumentEntry | Folder]] = {
            entry.id: _with_source(next_version(entry, change.new, new_uuid), change.local) for entry in entries
        }
        around = snapshot.associations(tuple(self._before))
        found = snapshot.read(known.uuid for known in around).values()
        self._links: Final = [a for a in found if isinstance(a, Association) and a.status == v.APPROVED]
        self._ends: Final[Mapping[str, KnownObject]] = snapshot.objects(
            {end for link in self._links for end in (link.source, link.target)}
        )
        self._dropped: Final[list[str]] = []

    def moved(self, details: SetDetails) -> Moved:
        """The submission set, new versions in it, and the associations that go with them."""
        the_set = _submission_set(details, self._change.new, self._new_uuid)
        filed = list(self._filed())
        references = list(self._references())
        followed = [copied(a, self._successors, self._new_uuid) for a in (*references, *self._relationships())]
        members = [self._member(the_set.id, before) for before in self._before.values()]
        told = [has_member(self._new_uuid(), the_set.id, membership.id) for membership in filed]
        return Moved(
            objects=(*self._successors.values(), the_set, *members),
            changes=Changes(
                associations=(*filed, *told, *followed),
                deprecated=(*self._before, *(reference.id for reference in references)),
                superseded=tuple(self._before),
                touched_folders=tuple(sorted({membership.source for membership in filed})),
            ),
            dropped=tuple(self._dropped),
        )

    # -- folders (3.64.4.1.3.1.6)

    def _filed(self) -> Iterator[Association]:
        """Memberships of the new entries.

        A folder that has the new patient already just gets them; one whose entries all move gets a version with them.
        """
        for uuid, links in self._holders().items():
            if self._ends[uuid].patient_id != self._change.new:
                if not self._moves_whole(uuid):
                    self._dropped.append(uuid)
                    continue
                folder = self._snapshot.read((uuid,))[uuid]
                if isinstance(folder, Folder):
                    self._before[uuid] = folder
                    self._successors[uuid] = next_version(folder, self._change.new, self._new_uuid)
            for link in links:
                yield copied(link, self._successors, self._new_uuid)

    def _holders(self) -> Mapping[str, list[Association]]:
        """The memberships of entries that move, by their Approved folder."""
        found: dict[str, list[Association]] = {}
        for link in self._links:
            holder = self._ends.get(link.source)
            if link.association_type == v.HAS_MEMBER and holder and _is_approved(holder, Folder.KIND):
                found.setdefault(link.source, []).append(link)
        return found

    def _moves_whole(self, folder: str) -> bool:
        """Whether all Approved entries in a folder move; those that are Deprecated stay in its version before."""
        links = [link for link in self._snapshot.associations((folder,)) if link.member and link.source == folder]
        staying = [link for link in links if link.target not in self._successors]
        standing = {a.id for a in self._snapshot.read(a.uuid for a in staying).values() if a.status == v.APPROVED}
        targets = self._snapshot.objects(link.target for link in staying if link.uuid in standing)
        return not any(_is_approved(target, DocumentEntry.KIND) for target in targets.values())

    # -- other associations (3.64.4.1.3.1.4, 3.64.4.1.3.1.5)

    def _references(self) -> Iterator[Association]:
        """Memberships by which sets that did not submit an entry refer to it: they refer to its new version."""
        for link in self._links:
            holder = self._ends.get(link.source)
            if holder and holder.kind == SubmissionSet.KIND and link.slot_values(_STATUS) == ("Reference",):
                yield link

    def _relationships(self) -> Iterator[Association]:
        """Relationships whose ends are both the new patient's afterwards.

        That an entry replaced another one is told by the version before: the one that it replaced stays behind.
        """
        for link in self._links:
            if link.association_type not in v.RELATIONSHIPS:
                continue
            if self._is_of_new(link.source) and self._is_of_new(link.target):
                yield link
            elif link.association_type not in REPLACING or link.target in self._successors:
                self._dropped.append(link.id)

    def _is_of_new(self, end: str) -> bool:
        return end in self._successors or (end in self._ends and self._ends[end].patient_id == self._change.new)

    def _member(self, submission_set: str, before: DocumentEntry | Folder) -> Association:
        slots = (Slot(_STATUS, ("Original",)), Slot("PreviousVersion", (before.version or "1",)))
        return has_member(self._new_uuid(), submission_set, self._successors[before.id].id, slots)


def _is_approved(known: KnownObject, kind: str) -> bool:
    return known.kind == kind and known.status == v.APPROVED


def _with_source(entry: DocumentEntry, local: PatientId) -> DocumentEntry:
    """The entry with this sourcePatientId; as it was sent where it is the same (3.64.4.1.3.1.4)."""
    if parse_patient_id(entry.slot_value(_SOURCE_PATIENT) or "") == local:
        return entry
    own = Slot(_SOURCE_PATIENT, (local.as_cx(),))
    return replace(entry, slots=tuple(own if slot.name == own.name else slot for slot in entry.slots))


def _submission_set(details: SetDetails, patient: PatientId, new_uuid: NewUuid) -> SubmissionSet:
    """A set without author, recipient and home (Table 3.64.4.1.3.1.1-1)."""
    final = new_uuid()
    code, scheme, display = details.content_type
    coded = Classification(
        new_uuid(),
        final,
        scheme=v.SS_CONTENT_TYPE_CODE,
        code=code,
        slots=(Slot("codingScheme", (scheme,)),),
        name=(LocalizedString(display),) if display else (),
    )
    identifiers = (
        (v.SS_PATIENT_ID, "XDSSubmissionSet.patientId", patient.as_cx()),
        (v.SS_SOURCE_ID, "XDSSubmissionSet.sourceId", details.source_id),
        (v.SS_UNIQUE_ID, "XDSSubmissionSet.uniqueId", new_oid(new_uuid)),
    )
    return SubmissionSet(
        id=final,
        lid=final,
        status=v.APPROVED,
        version="1",
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        slots=(Slot("submissionTime", (details.submission_time,)),),
        classifications=(Classification(new_uuid(), final, node=v.SUBMISSION_SET_NODE), coded),
        external_identifiers=tuple(
            ExternalIdentifier(new_uuid(), final, scheme, value, (LocalizedString(name),))
            for scheme, name, value in identifiers
        ),
    )
