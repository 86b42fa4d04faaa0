"""What the actors need from the outside: small protocols, implemented in `storage` and `wiring`."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from ..model.identifiers import PatientId
from ..model.messages import AuditEvent, SpooledDocument, StoredDocument
from ..model.metadata import DocumentEntry, RegistryObject
from ..model.principal import AccessFilter
from ..model.queries import StoredQuery
from ..model.value_sets import ValueSet, ValueSets
from .consent_ports import ConsentChanges, ConsentReads
from .patient_ports import PatientChanges, PatientReads

T = TypeVar("T")


class KnownObject(NamedTuple):
    """What a plan needs to know of an object that is already registered."""

    uuid: str
    lid: str
    kind: str  # "DocumentEntry", "SubmissionSet", "Folder", "Association"
    object_type: str | None
    status: str
    version: int
    patient_id: PatientId | None
    unique_id: str | None


class KnownUniqueId(NamedTuple):
    """A uniqueId already taken, in the one namespace of entries, sets and folders (ITI TF-3 4.2.3.2.26)."""

    value: str
    kind: str
    hash: str | None
    size: int | None
    shown: bool = True  # whether the caller of this snapshot may find it

    @property
    def on_demand(self) -> bool:
        """True for the uniqueId of on-demand entries: every stable entry has a hash (ITI TF-3 Table 4.3.1-3)."""
        return self.kind == "DocumentEntry" and self.hash is None


class KnownAssociation(NamedTuple):
    """An association that is registered, whatever its status: its ids, and whether it is a HasMember."""

    uuid: str
    source: str
    target: str
    member: bool


class HeldDocument(NamedTuple):
    """What the repository holds under one uniqueId: keys of stored documents, and entries that give them out."""

    keys: tuple[str, ...]
    entries: tuple[str, ...]
    patients: tuple[str, ...]  # of the entries, CX as sent


class Receipt(NamedTuple):
    """What is kept of the message that brought a submission set, to know it when it is sent again.

    `node` is the caller's, `objects` counts what the message held. `digest` tells the content of an update, whose
    commands leave no object behind; the content of other messages is what was registered.
    """

    node: str
    objects: int
    digest: bytes | None = None


class RegisteredSet(NamedTuple):
    """A registered submission set and the receipt of its message; None for one of a release that kept none."""

    uuid: str
    receipt: Receipt | None


class Snapshot(PatientReads, ConsentReads, Protocol):
    """The registry as one write transaction sees it: nothing changes under it until it ends."""

    def look_as(self, access: AccessFilter, named: Iterable[str]) -> None:
        """Let `objects` and `latest_versions` not know what a caller may not find of these ids and logicalIDs.

        What follows from them is known as before; `shown` and `unique_ids` tell whether the caller may find it.
        """

    def permitted(self, uuids: Iterable[str], access: AccessFilter) -> frozenset[str]:
        """Those of these registered objects that a filter permits, by id as given."""

    def shown(self, uuids: Iterable[str]) -> frozenset[str]:
        """Those of these registered objects that the caller may find; all that are, before `look_as`."""

    def objects(self, uuids: Iterable[str]) -> Mapping[str, KnownObject]:
        """The objects of these ids that exist, by id."""

    def unique_ids(self, values: Iterable[str]) -> Mapping[str, KnownUniqueId]:
        """The uniqueIds that are taken, by value."""

    def registered_set(self, unique_id: str) -> RegisteredSet | None:
        """The submission set of this uniqueId."""

    def dependents(self, uuids: Iterable[str]) -> Sequence[KnownObject]:
        """Approved entries that hang on these entries by Approved APND or XFRM associations (ITI TF-2 3.42.4.1.3.5)."""

    def transformations(self, uuids: Iterable[str]) -> frozenset[str]:
        """Those of these entries that are transformations: the source of an Approved XFRM."""

    def folders_of(self, uuid: str) -> Sequence[KnownObject]:
        """Approved folders that hold this entry by an Approved HasMember."""

    def latest_versions(self, logical_ids: Iterable[str]) -> Mapping[str, KnownObject]:
        """The latest version of each of these entries and folders, by logicalID as given."""

    def read(self, uuids: Iterable[str]) -> Mapping[str, RegistryObject]:
        """These objects whole, as a query would return them now, by id as given."""

    def entries_from(self, patient_id: PatientId, sources: Collection[PatientId]) -> Sequence[DocumentEntry]:
        """Approved entries of a patient whose sourcePatientId is one of these, whole, as they were registered.

        A patient who stands for others has theirs too (ITI TF-2 3.8.4.2.4).
        """

    def associations(self, uuids: Iterable[str]) -> Sequence[KnownAssociation]:
        """All associations that these ids name, lead from or lead to, of any status, each once."""

    def documents_of(self, repository_unique_id: str, unique_ids: Iterable[str]) -> Mapping[str, HeldDocument]:
        """Documents held, by uniqueId: those of entries, those whose metadata were removed, those half removed."""

    def documents_to_erase(self) -> Sequence[str]:
        """Keys of stored documents that were removed and whose bytes may still be there."""

    def value_sets(self) -> ValueSets:
        """The codes that the domain allows now."""

    def earlier_value_sets(self, number: int) -> ValueSets:
        """The codes that the domain allowed in a version of its value sets."""

    def registered(self, kind: str, after: int, limit: int) -> Sequence[tuple[int, RegistryObject]]:
        """Objects of a kind in their latest version, those after a place (0: the first), each with its place."""


class Prepared(NamedTuple):
    """An object made ready to be added outside of the transaction; `row` is the storage's own."""

    object: RegistryObject
    row: Any


class Cleared(NamedTuple):
    """What a reset removed: how many of what there were, and keys of documents whose bytes must go."""

    keys: tuple[str, ...]
    counts: Mapping[str, int]


class Transaction(Snapshot, PatientChanges, ConsentChanges, Protocol):
    """A snapshot that can be changed: all of it becomes durable together, or nothing does."""

    def add(self, prepared: Sequence[Prepared]) -> None:
        """Add objects with their uniqueIds; status, version and patient come from the object.

        A later version shares the uniqueId of its logical object, whose hash and size become its own, and its document.
        """

    def add_documents(self, documents: Mapping[str, StoredDocument]) -> None:
        """Tie stored documents to entries of this transaction, by entry uuid."""

    def set_status(self, uuids: Iterable[str], status: str) -> None:
        """Change availabilityStatus of these objects."""

    def supersede(self, uuids: Iterable[str]) -> None:
        """Make these entries and folders older versions: another one is the latest of their logical object."""

    def touch_folders(self, uuids: Iterable[str], last_update_time: str) -> None:
        """Set Folder.lastUpdateTime (ITI TF-3 4.2.3.4.6)."""

    def remove(self, uuids: Iterable[str]) -> None:
        """Remove objects with all that belongs to them; their documents stay until ITI-86 removes them."""

    def detach_documents(self, repository_unique_id: str, unique_ids: Iterable[str]) -> Sequence[str]:
        """Give documents out no more; the keys whose bytes nothing needs now, noted until `forget_documents`."""

    def forget_documents(self, keys: Iterable[str]) -> None:
        """Forget removed documents: their bytes are gone."""

    def clear(self, outboxes: Sequence[str]) -> Cleared:
        """Remove everything of the domain but its audit; the bytes of its documents, noted until `forget_documents`.

        What waits for the audit repositories of these names is not sent any more; it stays in the audit.
        """

    def set_value_sets(self, lists: Mapping[str, ValueSet | None]) -> int:
        """Begin new lists for these attributes, None for none; returns the number of this version."""

    def audit(self, event: AuditEvent) -> None:
        """Add the audit row of this change."""


class RegistryStore(Protocol):
    """The registry's data of one domain."""

    def prepare(self, objects: Sequence[RegistryObject], receipt: Receipt | None = None) -> Sequence[Prepared]:
        """Render objects to rows, outside of any lock; their submission set keeps the receipt."""

    def inspect(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a snapshot that nothing changes, without queueing behind writers."""

    def value_sets(self) -> ValueSets:
        """The value sets as this process knows them, without reading; every snapshot that is asked renews them."""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` alone in one durable transaction; what it raises undoes it. Raises StorageFull, StorageBusy."""


class Found(NamedTuple):
    """Objects that a query selected: finished fragments, their ids, kinds and patients."""

    fragments: tuple[bytes, ...] = ()
    uuids: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()  # of these objects, as CX id^^^&oid&ISO
    more: bool = False  # the limit was reached: nothing may be returned


class QueryStore(Protocol):
    """Reads of the registry; the access filter is part of every statement."""

    def find(self, query: StoredQuery, access: AccessFilter, limit: int) -> Found:
        """The objects that a stored query selects; `more` when there are over `limit`."""


class DocumentFound(NamedTuple):
    """A document of an entry that the caller may read."""

    unique_id: str
    document: StoredDocument
    mime_type: str
    patient_id: str


class DocumentIndex(Protocol):
    """Which stored document belongs to a uniqueId."""

    def documents(
        self, repository_unique_id: str, unique_ids: Sequence[str], access: AccessFilter
    ) -> Mapping[str, DocumentFound]:
        """Documents of permitted entries, by uniqueId."""

    def given_out(self, key: str) -> bool:
        """Whether an entry names this stored document."""


class Spool(Protocol):
    """A document being received."""

    def write(self, data: bytes) -> None:
        """Take more bytes. Raises StorageFull."""

    def finish(self) -> SpooledDocument:
        """Close the file and tell its size and digests; not durable yet."""

    def discard(self) -> None:
        """Delete what was received."""


class DocumentStore(Protocol):
    """Documents under random keys."""

    def spool(self) -> Spool:
        """Begin to receive a document."""

    def keep(self, spooled: Sequence[SpooledDocument]) -> Sequence[StoredDocument]:
        """Make documents durable: file, rename and directory are on disk when this returns. Raises StorageFull."""

    def open(self, document: StoredDocument) -> Iterator[bytes]:
        """The bytes in chunks, each verified before it is given. Raises DocumentDamaged."""

    def remove(self, keys: Iterable[str]) -> None:
        """Delete documents; unknown keys are fine."""

    def erase(self, keys: Iterable[str]) -> Collection[str]:
        """Delete documents durably; the keys that are gone, unknown ones too."""


class AccessJournal(Protocol):
    """The durable journal of reads: events are on disk when `record` returns."""

    def record(self, *events: AuditEvent) -> None:
        """Append the events of one request, all or none. Raises StorageFull, StorageBusy."""


ReplayVerdict = Literal["first", "again", "forgotten"]


class ReplayMemory(Protocol):
    """Assertions for one use that were used, for all processes and across restarts (SAML 2.0 core 2.5.1.5)."""

    def use(self, issuer: str, assertion_id: str, *, until: datetime, now: datetime) -> ReplayVerdict:
        """Use an assertion that counts until a time: the first use is durable when this returns, others are told.

        "forgotten" is an assertion of a time whose uses are no longer known. Raises StorageFull, also when the memory
        holds as much as it may, and StorageBusy.
        """


__all__ = [
    "AccessJournal",
    "Cleared",
    "DocumentFound",
    "DocumentIndex",
    "DocumentStore",
    "Found",
    "HeldDocument",
    "KnownAssociation",
    "KnownObject",
    "KnownUniqueId",
    "Prepared",
    "QueryStore",
    "Receipt",
    "RegisteredSet",
    "RegistryStore",
    "ReplayMemory",
    "ReplayVerdict",
    "Snapshot",
    "Spool",
    "Transaction",
]
