"""Queries, and what each should return of the small registry (ITI TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.1)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry, Folder, RegistryObject

from .registry import Registry, Thing

BOTH = (v.APPROVED, v.DEPRECATED)
STABLE = (v.STABLE_DOCUMENT,)
ANY = (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)
Parameters = tuple[tuple[str, tuple[str, ...]], ...]


class Question(NamedTuple):
    """A query as sent, and the objects that it should return, or the codes of its refusal."""

    name: str
    parameters: Parameters
    expected: Sequence[Thing]
    codes: frozenset[str] = frozenset()

    @property
    def refused(self) -> frozenset[str]:
        """What a LeafClass answer is refused for: objects of two patients, except in ITI-51."""
        patients = {thing.patient for thing in self.expected if thing.patient}
        several = len(patients) > 1 and not self.name.endswith("ForMultiplePatients")
        return self.codes or frozenset({"XDSResultNotSinglePatient"} if several else ())


@dataclass(frozen=True)
class View:
    """What a query shows of the registry: its metadata level, and at level 2 the statuses of Associations."""

    registry: Registry
    level: int
    statuses: tuple[str, ...] | None = None  # $XDSAssociationStatus

    def parameters(self) -> Parameters:
        level = (("$MetadataLevel", (str(self.level),)),) if self.level == 2 else ()
        statuses = (("$XDSAssociationStatus", (_listed(self.statuses),)),) if self.statuses else ()
        return (*level, *statuses)

    def current(self, thing: Thing) -> bool:
        """Level 1 hides older versions, Offline entries and Deprecated folders from queries by id."""
        if self.level == 2 or thing.is_set:
            return True
        return thing.latest and not thing.offline and (thing.is_entry or thing.approved)

    def online(self, thing: Thing) -> bool:
        """A status parameter decides about versions and folders; Offline entries are hidden all the same."""
        return self.level == 2 or not thing.offline

    def links(self, found: Iterable[Thing]) -> list[Thing]:
        shown = (self.statuses or (v.APPROVED,)) if self.level == 2 else (v.APPROVED,)
        return [link for link in found if link.status in shown]

    def members(self, holders: Iterable[Thing]) -> list[Thing]:
        """The HasMembers of sets or folders."""
        found = [link for holder in holders for link in self.registry.from_(holder.id)]
        return [link for link in self.links(found) if link.type == v.HAS_MEMBER]

    def at(self, identifiers: Iterable[str]) -> list[Thing]:
        """The objects of these ids that the level shows."""
        found = [thing for each in dict.fromkeys(identifiers) if (thing := self.registry.get(each)) is not None]
        return [thing for thing in found if not thing.is_association and self.current(thing)]

    def named(self, kind: str, identifier: str) -> list[Thing]:
        """Objects of a kind by entryUUID or uniqueId."""
        by_unique_id = self.registry.with_unique_id(identifier)
        found = [self.registry.things[identifier]] if identifier in self.registry.things else by_unique_id
        return [thing for thing in found if kind == thing.sent.KIND and self.current(thing)]


def _listed(values: Iterable[str]) -> str:
    return "(" + ",".join(f"'{value}'" for value in values) + ")"


def _id(prefix: str, identifier: str, *, many: bool = False) -> tuple[str, tuple[str, ...]]:
    name = f"{prefix}EntryUUID" if identifier.startswith("urn:uuid:") else f"{prefix}UniqueId"
    return name, (_listed([identifier]) if many else f"'{identifier}'",)


# --- Find queries and GetAll ----------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What entries are selected by."""

    statuses: tuple[str, ...] = BOTH
    types: tuple[str, ...] = STABLE
    scheme: str | None = None  # a code that they must have
    name: str = ""  # of its parameter
    code: tuple[str, str] = ("", "")

    def parameters(self) -> Parameters:
        told = [("$XDSDocumentEntryStatus", (_listed(self.statuses),))]
        if self.types != STABLE:
            told.append(("$XDSDocumentEntryType", (_listed(self.types),)))
        if self.scheme:
            told.append((f"$XDSDocumentEntry{self.name}", (_listed([f"{self.code[0]}^^{self.code[1]}"]),)))
        return tuple(told)

    def fits(self, thing: Thing) -> bool:
        codes = [(c.code, c.coding_scheme) for c in thing.sent.codes(self.scheme or "")]
        return (
            thing.status in self.statuses
            and thing.sent.object_type in self.types
            and (self.scheme is None or self.code in codes)
        )


def find_documents(view: View, patient: str, wanted: Wanted) -> Question:
    found = [thing for thing in view.registry.entries() if thing.patient == patient and wanted.fits(thing)]
    asked = ("$XDSDocumentEntryPatientId", (f"'{patient}'",))
    parameters = (asked, *wanted.parameters(), *view.parameters())
    return Question("FindDocuments", parameters, [thing for thing in found if view.online(thing)])


def find_documents_by_reference_id(view: View, patient: str, wanted: Wanted, reference: str) -> Question:
    found = find_documents(view, patient, wanted)
    name = "urn:ihe:iti:xds:2013:referenceIdList"
    expected = [thing for thing in found.expected if reference in thing.sent.slot_values(name)]
    asked = ("$XDSDocumentEntryReferenceIdList", (_listed([reference]),))
    return Question("FindDocumentsByReferenceId", (*found.parameters, asked), expected)


def find_documents_for_multiple_patients(view: View, patients: Sequence[str], wanted: Wanted) -> Question:
    found = [thing for thing in view.registry.entries() if thing.patient in (patients or (thing.patient,))]
    asked = (("$XDSDocumentEntryPatientId", (_listed(patients),)),) if patients else ()
    expected = [thing for thing in found if wanted.fits(thing) and view.online(thing)]
    parameters = (*asked, *wanted.parameters(), *view.parameters())
    return Question("FindDocumentsForMultiplePatients", parameters, expected)


def find_submission_sets(view: View, patient: str, statuses: tuple[str, ...]) -> Question:
    expected = [thing for thing in view.registry.sets() if thing.patient == patient and thing.status in statuses]
    asked = (("$XDSSubmissionSetPatientId", (f"'{patient}'",)), ("$XDSSubmissionSetStatus", (_listed(statuses),)))
    return Question("FindSubmissionSets", (*asked, *view.parameters()), expected)


def find_folders(view: View, patient: str, statuses: tuple[str, ...], since: str = "") -> Question:
    found = [thing for thing in view.registry.folders() if thing.patient == patient and thing.status in statuses]
    asked = (("$XDSFolderPatientId", (f"'{patient}'",)), ("$XDSFolderStatus", (_listed(statuses),)))
    from_ = (("$XDSFolderLastUpdateTimeFrom", (since,)),) if since else ()
    expected = [thing for thing in found if thing.time >= since]
    return Question("FindFolders", (*asked, *from_, *view.parameters()), expected)


def find_folders_for_multiple_patients(view: View, patients: Sequence[str], statuses: tuple[str, ...]) -> Question:
    expected = [thing for thing in view.registry.folders() if thing.patient in patients and thing.status in statuses]
    asked = (("$XDSFolderPatientId", (_listed(patients),)), ("$XDSFolderStatus", (_listed(statuses),)))
    return Question("FindFoldersForMultiplePatients", (*asked, *view.parameters()), expected)


def get_all(view: View, patient: str, wanted: Wanted) -> Question:
    statuses = wanted.statuses
    sets, folders = (find(view, patient, statuses).expected for find in (find_submission_sets, find_folders))
    entries = find_documents(view, patient, wanted)
    asked = [("$patientId", (f"'{patient}'",)), *entries.parameters[1:]]
    asked += [(f"$XDS{kind}Status", (_listed(statuses),)) for kind in ("SubmissionSet", "Folder")]
    objects = [*sets, *entries.expected, *folders]
    links = view.links(view.registry.around(thing.id for thing in objects))
    return Question("GetAll", tuple(asked), [*objects, *links])


# --- Get queries ----------------------------------------------------------------------------------------------------


def get_objects(name: str, kind: str, view: View, identifier: str) -> Question:
    """GetDocuments or GetFolders by entryUUID or uniqueId."""
    asked = _id(f"$XDS{kind}", identifier, many=True)
    return Question(name, (asked, *view.parameters()), view.named(kind, identifier))


def get_versions(name: str, kind: type[RegistryObject], view: View, lid: str) -> Question:
    """GetDocuments or GetFolders by logicalID, at level 2 only."""
    asked = (f"$XDS{kind.KIND}LogicalID", (_listed([lid]),))
    if view.level == 1:
        return Question(name, (asked,), (), frozenset({"XDSRegistryError"}))
    return Question(name, (asked, *view.parameters()), view.registry.versions(lid, kind))


def get_associations(view: View, identifiers: Sequence[str]) -> Question:
    asked = ("$uuid", (_listed(identifiers),))
    return Question("GetAssociations", (asked, *view.parameters()), view.links(view.registry.around(identifiers)))


def get_documents_and_associations(view: View, identifier: str) -> Question:
    entries = view.named("DocumentEntry", identifier)
    links = view.links(view.registry.around(thing.id for thing in entries))
    asked = _id("$XDSDocumentEntry", identifier, many=True)
    return Question("GetDocumentsAndAssociations", (asked, *view.parameters()), [*entries, *links])


def get_submission_sets(view: View, identifiers: Sequence[str]) -> Question:
    links = view.links(link for each in identifiers for link in view.registry.to(each) if link.type == v.HAS_MEMBER)
    links = [link for link in links if view.registry.things[link.source].is_set]
    sets = {link.source: view.registry.things[link.source] for link in links}
    asked = ("$uuid", (_listed(identifiers),))
    return Question("GetSubmissionSets", (asked, *view.parameters()), [*sets.values(), *links])


def get_submission_set_and_contents(view: View, identifier: str, wanted: Wanted) -> Question:
    sets = view.named("SubmissionSet", identifier)
    members = view.members(sets)
    things = view.at(link.target for link in members)
    things = [thing for thing in things if not thing.is_set]
    held = [thing for thing in things if thing.is_folder or wanted._replace(statuses=BOTH).fits(thing)]
    shown = {thing.id for thing in (*sets, *held)}
    targets = {link.target for link in members}
    links = view.links(link for link in view.registry.associations() if link.id in targets)
    links = [link for link in links if {link.source, link.target} <= shown]
    told = [link for link in members if link.target in shown | {link.id for link in links}]
    found = {thing.id: thing for thing in (*sets, *held, *links, *told)}
    asked = _id("$XDSSubmissionSet", identifier)
    parameters = (asked, *wanted.parameters()[1:], *view.parameters())
    return Question("GetSubmissionSetAndContents", parameters, list(found.values()))


def get_folder_and_contents(view: View, identifier: str, wanted: Wanted) -> Question:
    folders = view.named("Folder", identifier)
    members = view.members(folders)
    entries = [thing for thing in view.at(link.target for link in members) if thing.is_entry]
    entries = [thing for thing in entries if wanted._replace(statuses=BOTH).fits(thing)]
    shown = {thing.id for thing in entries}
    told = [link for link in members if link.target in shown]
    parameters = (_id("$XDSFolder", identifier), *wanted.parameters()[1:], *view.parameters())
    return Question("GetFolderAndContents", parameters, [*folders, *entries, *told])


def get_folders_for_document(view: View, identifier: str) -> Question:
    entries = view.named("DocumentEntry", identifier)
    links = view.links(link for entry in entries for link in view.registry.to(entry.id) if link.type == v.HAS_MEMBER)
    folders = [thing for thing in view.at(link.source for link in links) if thing.is_folder]
    asked = _id("$XDSDocumentEntry", identifier)
    return Question("GetFoldersForDocument", (asked, *view.parameters()), folders)


def get_related_documents(view: View, identifier: str, types: Sequence[str], wanted: Wanted) -> Question:
    given = view.named("DocumentEntry", identifier)
    ids = {thing.id for thing in given}
    links = [link for link in view.links(view.registry.around(ids)) if link.type in types]
    others = {end for link in links for end in (link.source, link.target)} - ids
    related = [thing for thing in view.at(others) if thing.is_entry and thing.sent.object_type in wanted.types]
    shown = ids | {thing.id for thing in related}
    links = [link for link in links if {link.source, link.target} <= shown]
    linked = {end for link in links for end in (link.source, link.target)}
    entries = [thing for thing in (*given, *related) if thing.id in linked]
    asked = (_id("$XDSDocumentEntry", identifier), ("$AssociationTypes", (_listed(types),)))
    filtered = tuple(p for p in wanted.parameters() if p[0] == "$XDSDocumentEntryType")
    return Question("GetRelatedDocuments", (*asked, *filtered, *view.parameters()), [*entries, *links])


# --- which are asked ------------------------------------------------------------------------------------------------

_CHOICES = ((v.APPROVED,), BOTH, (v.DEPRECATED,))
_WANTED = (
    Wanted(types=STABLE),
    Wanted(types=ANY),
    Wanted(types=(v.ON_DEMAND_DOCUMENT,)),
)
_TYPES = (v.RELATIONSHIPS, (v.RPLC, v.XFRM_RPLC), (v.APND,), (v.XFRM, v.SIGNS), v.ASSOCIATION_TYPES)


def of_patients(
    registry: Registry, patients: Sequence[str], turn: int, filters: Sequence[Wanted]
) -> Iterator[Question]:
    """The Find queries and GetAll; `turn` chooses among their parameters."""
    for level in (1, 2):
        view = View(registry, level)
        statuses = _CHOICES[(turn + level) % 3]
        wanted = _WANTED[turn // 3 % 3]._replace(statuses=statuses)
        filtered = filters[turn % len(filters)]._replace(statuses=statuses, types=wanted.types)
        times = sorted(folder.time for folder in registry.folders())
        for patient in patients:
            yield find_documents(view, patient, wanted)
            yield find_documents(view, patient, filtered)
            yield find_submission_sets(view, patient, statuses)
            yield find_folders(view, patient, statuses)
            yield find_folders(view, patient, statuses, times[turn % len(times)] if times else "")
            yield get_all(View(registry, level, _CHOICES[turn % 3]), patient, wanted)
            yield find_documents_by_reference_id(view, patient, wanted, REFERENCES[turn % 2])
        yield find_documents_for_multiple_patients(view, patients, wanted)
        yield find_documents_for_multiple_patients(view, (), filtered)
        yield find_folders_for_multiple_patients(view, patients, statuses)


def of_ids(registry: Registry, identifier: str, turn: int, filters: Sequence[Wanted]) -> Iterator[Question]:
    """The Get queries about one id, or one uniqueId, whatever it is of."""
    for level, statuses in ((1, _CHOICES[turn % 3]), (2, None), (2, _CHOICES[turn % 3])):
        view = View(registry, level, statuses)
        yield from _by_either(view, identifier, turn, filters)
        if identifier.startswith("urn:uuid:"):
            yield from _by_uuid(view, identifier)


def _by_either(view: View, identifier: str, turn: int, filters: Sequence[Wanted]) -> Iterator[Question]:
    wanted = _WANTED[(turn + 1) % 3]
    filtered = filters[turn % len(filters)]._replace(types=wanted.types) if turn % 2 else wanted
    asked: tuple[Callable[[View, str], Question], ...] = (
        partial(get_objects, "GetDocuments", "DocumentEntry"),
        partial(get_objects, "GetFolders", "Folder"),
        get_documents_and_associations,
        partial(get_submission_set_and_contents, wanted=filtered),
        partial(get_folder_and_contents, wanted=filtered),
        get_folders_for_document,
        partial(get_related_documents, types=_TYPES[turn % len(_TYPES)], wanted=wanted),
    )
    for ask in asked:
        yield ask(view, identifier)


def _by_uuid(view: View, identifier: str) -> Iterator[Question]:
    yield get_versions("GetDocuments", DocumentEntry, view, identifier)
    yield get_versions("GetFolders", Folder, view, identifier)
    yield get_associations(view, [identifier])
    yield get_submission_sets(view, [identifier])


REFERENCES = tuple(f"20260{n}^^^&1.3.6.1.4.1.21367.13.20.8&ISO^urn:ihe:iti:xds:2013:accession" for n in (1, 2))
