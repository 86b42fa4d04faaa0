"""A small registry in plain Python: dicts, no storage, no XML; what the gateway should hold after each request.

It is written from the standard's text and docs/divergences.md, not from the gateway. Requests are in `submissions`,
`updates`, `removals`, `patients`, `links` and `retries`, queries in `questions`; each request is performed and gives no
codes, or changes nothing and gives the error codes of its answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, RegistryObject, Submission, SubmissionSet

from .patients import People

if TYPE_CHECKING:
    from .retries import Accepted

Codes = set[str]
UNKNOWN_PATIENT = "XDSUnknownPatientId"


class Policy(NamedTuple):
    """What a domain chooses: as fields of DomainPolicy."""

    patients_open: bool = True
    follow_merges: bool = False
    safe_retries: bool = True


DEFAULT = Policy()


@dataclass
class Thing:
    """An object of the registry: as its sender wrote it, and what the registry manages of it."""

    sent: RegistryObject
    id: str
    lid: str
    number: int  # in the order of registration
    people: People
    version: int = 1
    status: str = v.APPROVED
    latest: bool = True
    time: str = ""  # Folder.lastUpdateTime
    document: int | None = None  # of a DocumentEntry, in Registry.contents
    source: str = ""  # of an Association
    target: str = ""

    @property
    def is_entry(self) -> bool:
        return isinstance(self.sent, DocumentEntry)

    @property
    def is_set(self) -> bool:
        return isinstance(self.sent, SubmissionSet)

    @property
    def is_folder(self) -> bool:
        return isinstance(self.sent, Folder)

    @property
    def is_association(self) -> bool:
        return isinstance(self.sent, Association)

    @property
    def approved(self) -> bool:
        return self.status == v.APPROVED

    @property
    def type(self) -> str:
        """associationType."""
        assert isinstance(self.sent, Association)
        return self.sent.association_type

    @property
    def patient(self) -> str | None:
        """The patient that answers show: who stands for the one that was sent (3.18.4.1.2.3.9.1)."""
        return self.people.survivor(self.sent.patient_id) if self.sent.patient_id else None

    @property
    def on_demand(self) -> bool:
        return self.sent.object_type == v.ON_DEMAND_DOCUMENT

    @property
    def offline(self) -> bool:
        return self.sent.slot_value("documentAvailability") == v.OFFLINE


@dataclass
class Registry:
    """All objects by entryUUID, the bytes of documents, and those whose metadata were removed by uniqueId."""

    policy: Policy = DEFAULT
    people: People = field(default_factory=People)
    accepted: dict[str, "Accepted"] = field(default_factory=dict)  # by uniqueId of the set
    things: dict[str, Thing] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    kept: dict[str, set[int]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)  # ids given here to what the registry made itself
    count: int = 0

    # -- what there is

    def get(self, identifier: str) -> Thing | None:
        return self.things.get(identifier)

    def all(self, kind: type[RegistryObject]) -> list[Thing]:
        """The objects of a kind, in the order of registration."""
        return [thing for thing in self.things.values() if isinstance(thing.sent, kind)]

    def entries(self) -> list[Thing]:
        return self.all(DocumentEntry)

    def folders(self) -> list[Thing]:
        return self.all(Folder)

    def sets(self) -> list[Thing]:
        return self.all(SubmissionSet)

    def associations(self) -> list[Thing]:
        return self.all(Association)

    def from_(self, identifier: str) -> list[Thing]:
        return [link for link in self.associations() if link.source == identifier]

    def to(self, identifier: str) -> list[Thing]:
        return [link for link in self.associations() if link.target == identifier]

    def around(self, identifiers: Iterable[str]) -> list[Thing]:
        ends = set(identifiers)
        return [link for link in self.associations() if link.source in ends or link.target in ends]

    def versions(self, lid: str, kind: type[RegistryObject]) -> list[Thing]:
        found = [thing for thing in self.all(kind) if thing.lid == lid]
        return sorted(found, key=lambda thing: thing.version)

    def with_unique_id(self, unique_id: str | None) -> list[Thing]:
        return [thing for thing in self.things.values() if unique_id and thing.sent.unique_id == unique_id]

    def memberships_in_folders(self, entry: str) -> Iterator[tuple[Thing, Thing]]:
        """Folders that an Approved HasMember puts the entry into, with it."""
        for link in self.to(entry):
            folder = self.get(link.source)
            if link.type == v.HAS_MEMBER and link.approved and folder is not None and folder.is_folder:
                yield folder, link

    def dependents(self, replaced: Iterable[str]) -> set[str]:
        """Approved addenda and transformations of these entries, and theirs in turn."""
        found: set[str] = set()
        wave = set(replaced)
        while wave:
            links = [link for link in self.associations() if link.target in wave and link.approved]
            sources = {link.source for link in links if link.type in (v.APND, v.XFRM)}
            wave = {source for source in sources if self.things[source].approved} - found
            found |= wave
        return found

    # -- patients

    def one_patient(self, *patients: str | None) -> bool:
        """Whether all of them are one; merged patients count as one (3.8.4.2.4)."""
        return len({self.people.survivor(patient) for patient in patients if patient}) < 2

    def unknown_patients(self, message: Submission, *, follow: bool) -> Codes:
        """3.42.4.1.3.3.2: patients that no feed has told of, and those that were merged, unless they are followed."""
        named = {item.patient_id for item in message.objects if item.patient_id}
        fed = {patient for patient in named if patient not in self.people.known and not self.policy.patients_open}
        merged = {patient for patient in named if patient in self.people.into and not follow}
        return {UNKNOWN_PATIENT} if fed | merged else set()

    def meet(self, message: Submission) -> None:
        """An open domain knows a patient from the first submission that is accepted."""
        if self.policy.patients_open:
            self.people.known.update(item.patient_id for item in message.objects if item.patient_id)

    # -- changes

    def add(self, sent: RegistryObject, *, lid: str | None = None, version: int = 1) -> Thing:
        self.count += 1
        thing = Thing(sent, sent.id, lid or sent.id, self.count, self.people, version)
        if isinstance(sent, Association):
            thing.source, thing.target = sent.source, sent.target
        self.things[thing.id] = thing
        return thing

    def make(self, pattern: RegistryObject, source: str, target: str) -> Thing:
        """An Association that the registry makes itself; its id is learned later."""
        self.count += 1
        identifier = f"made {self.count}"
        thing = Thing(pattern, identifier, identifier, self.count, self.people, source=source, target=target)
        self.things[thing.id] = thing
        self.made.append(thing.id)
        return thing

    def make_object(self, sent: RegistryObject, lid: str | None = None, version: int = 1) -> Thing:
        """A set or a version that the registry makes itself; its id is learned later."""
        identifier = f"made {self.count + 1}"
        made = self.add(replace(sent, id=identifier), lid=lid, version=version)
        self.made.append(identifier)
        return made

    def learn(self, given: str, real: str) -> None:
        """Call what was made by its real id, wherever it is named."""
        self.made.remove(given)
        self.things = {(real if key == given else key): thing for key, thing in self.things.items()}
        thing = self.things[real]
        thing.id, thing.lid = real, real if thing.lid == given else thing.lid
        for link in self.associations():
            link.source = real if link.source == given else link.source
            link.target = real if link.target == given else link.target

    def keep(self, document: bytes, thing: Thing) -> None:
        """Store a document for an entry."""
        self.contents[len(self.contents) + 1] = document
        thing.document = len(self.contents)

    def deprecate(self, identifiers: Iterable[str]) -> None:
        for identifier in identifiers:
            self.things[identifier].status = v.DEPRECATED

    def touch(self, identifiers: Iterable[str], now: str) -> None:
        for identifier in identifiers:
            if self.things[identifier].is_folder:
                self.things[identifier].time = now

    # -- documents

    def retrievable(self, unique_id: str) -> bytes | None:
        """What ITI-43 gives: the document of the latest version that has one, of several entries the last."""
        given = [
            thing.document
            for thing in self.with_unique_id(unique_id)
            if thing.is_entry and thing.latest and thing.document is not None
        ]
        return self.contents[given[-1]] if given else None

    def held(self) -> list[bytes]:
        """The documents that are on disk: of entries, and of removed metadata."""
        needed = {thing.document for thing in self.entries() if thing.document is not None}
        return sorted(self.contents[number] for number in needed.union(*self.kept.values()))
