"""Document Sharing metadata as values: every ebRIM object keeps all that its sender wrote (ITI TF-3 4.1, 4.2).

The objects are ebRIM-shaped on purpose: what we do not know (extra slots, classifications, languages) stays in
place, and the standard's attributes are views over the same tuples. The small parts are NamedTuples because a
message holds hundreds of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

from . import vocabulary as v

T = TypeVar("T", "Slot", "Classification", "ExternalIdentifier")


class Slot(NamedTuple):
    """A named list of values (ebRIM Slot1)."""

    name: str
    values: tuple[str, ...]
    slot_type: str | None = None


class LocalizedString(NamedTuple):
    """One language version of a Name or Description."""

    value: str
    lang: str | None = None
    charset: str | None = None


class Classification(NamedTuple):
    """A code (scheme and code), an author (scheme and slots) or a flag (node) of an object."""

    id: str
    classified_object: str
    scheme: str | None = None
    node: str | None = None
    code: str | None = None
    slots: tuple[Slot, ...] = ()
    name: tuple[LocalizedString, ...] = ()
    description: tuple[LocalizedString, ...] = ()

    def slot_values(self, name: str) -> tuple[str, ...]:
        """All values of the slots of this name, in order."""
        return tuple(value for slot in self.slots if slot.name == name for value in slot.values)

    @property
    def coding_scheme(self) -> str | None:
        """The coding scheme of a code (slot `codingScheme`)."""
        values = self.slot_values("codingScheme")
        return values[0] if values else None


class ExternalIdentifier(NamedTuple):
    """A patientId, uniqueId or sourceId of an object."""

    id: str
    registry_object: str
    scheme: str | None
    value: str | None
    name: tuple[LocalizedString, ...] = ()
    description: tuple[LocalizedString, ...] = ()
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RegistryObject:
    """What all objects of the registry share (ebRIM RegistryObject)."""

    id: str
    lid: str | None = None
    home: str | None = None
    status: str | None = None
    object_type: str | None = None
    version: str | None = None
    slots: tuple[Slot, ...] = ()
    name: tuple[LocalizedString, ...] = ()
    description: tuple[LocalizedString, ...] = ()
    classifications: tuple[Classification, ...] = ()
    external_identifiers: tuple[ExternalIdentifier, ...] = ()

    KIND: ClassVar[str] = "RegistryObject"
    PATIENT_ID_SCHEME: ClassVar[str | None] = None
    UNIQUE_ID_SCHEME: ClassVar[str | None] = None

    @cached_property
    def slots_by_name(self) -> Mapping[str, tuple[Slot, ...]]:
        """The slots of each name; more than one of a name is for the rules to refuse."""
        return _group(self.slots, 0)

    @cached_property
    def classifications_by_scheme(self) -> Mapping[str, tuple[Classification, ...]]:
        """The classifications of each classificationScheme (codes and authors)."""
        return _group(self.classifications, 2)

    @cached_property
    def identifiers_by_scheme(self) -> Mapping[str, tuple[ExternalIdentifier, ...]]:
        """The external identifiers of each identificationScheme."""
        return _group(self.external_identifiers, 2)

    def slot_values(self, name: str) -> tuple[str, ...]:
        """All values of the slots of this name, in order; empty when there is none."""
        slots = self.slots_by_name.get(name, ())
        return slots[0].values if len(slots) == 1 else tuple(value for slot in slots for value in slot.values)

    def slot_value(self, name: str) -> str | None:
        """The first value of a slot."""
        values = self.slot_values(name)
        return values[0] if values else None

    def codes(self, scheme: str) -> tuple[Classification, ...]:
        """The classifications of one scheme."""
        return self.classifications_by_scheme.get(scheme, ())

    def identifier(self, scheme: str | None) -> str | None:
        """The value of the first external identifier of a scheme."""
        found = self.identifiers_by_scheme.get(scheme, ()) if scheme else ()
        return found[0].value if found else None

    @property
    def patient_id(self) -> str | None:
        """patientId as sent, a CX (ITI TF-3 4.2.3.2.16)."""
        return self.identifier(self.PATIENT_ID_SCHEME)

    @property
    def unique_id(self) -> str | None:
        """uniqueId as sent (ITI TF-3 4.2.3.2.26)."""
        return self.identifier(self.UNIQUE_ID_SCHEME)

    def has_node(self, node: str) -> bool:
        """True when the object carries a flag classification of this node."""
        return any(c.node == node for c in self.classifications)


@dataclass(frozen=True, kw_only=True)
class DocumentEntry(RegistryObject):
    """A document's metadata (ebRIM ExtrinsicObject, ITI TF-3 4.2.3.2)."""

    mime_type: str | None = None
    is_opaque: str | None = None

    KIND: ClassVar[str] = "DocumentEntry"
    PATIENT_ID_SCHEME: ClassVar[str | None] = v.DE_PATIENT_ID
    UNIQUE_ID_SCHEME: ClassVar[str | None] = v.DE_UNIQUE_ID

    @property
    def hash(self) -> str | None:
        """SHA-1 of the document, hexadecimal (ITI TF-3 4.2.3.2.10)."""
        return self.slot_value("hash")

    @property
    def size(self) -> str | None:
        """Size of the document in bytes, as sent (ITI TF-3 4.2.3.2.22)."""
        return self.slot_value("size")

    @property
    def repository_unique_id(self) -> str | None:
        """OID of the repository that holds the document (ITI TF-3 4.2.3.2.18)."""
        return self.slot_value("repositoryUniqueId")


@dataclass(frozen=True, kw_only=True)
class SubmissionSet(RegistryObject):
    """One submission and who made it (ebRIM RegistryPackage, ITI TF-3 4.2.3.3)."""

    KIND: ClassVar[str] = "SubmissionSet"
    PATIENT_ID_SCHEME: ClassVar[str | None] = v.SS_PATIENT_ID
    UNIQUE_ID_SCHEME: ClassVar[str | None] = v.SS_UNIQUE_ID


@dataclass(frozen=True, kw_only=True)
class Folder(RegistryObject):
    """A named grouping of documents of one patient (ebRIM RegistryPackage, ITI TF-3 4.2.3.4)."""

    KIND: ClassVar[str] = "Folder"
    PATIENT_ID_SCHEME: ClassVar[str | None] = v.FD_PATIENT_ID
    UNIQUE_ID_SCHEME: ClassVar[str | None] = v.FD_UNIQUE_ID


@dataclass(frozen=True, kw_only=True)
class Association(RegistryObject):
    """A link between two objects (ITI TF-3 4.2.2)."""

    association_type: str
    source: str
    target: str

    KIND: ClassVar[str] = "Association"


@dataclass(frozen=True, kw_only=True)
class UnclassifiedPackage(RegistryObject):
    """A RegistryPackage that says neither SubmissionSet nor Folder, or both: the rules refuse it by name."""

    nodes: tuple[str, ...] = ()

    KIND: ClassVar[str] = "RegistryPackage"


class ObjectRef(NamedTuple):
    """A reference to an object that is already in a registry (ebRIM ObjectRef)."""

    id: str
    home: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A Submission Request: all objects of one lcm:SubmitObjectsRequest (ITI TF-3 4.1.4)."""

    submission_sets: tuple[SubmissionSet, ...] = ()
    document_entries: tuple[DocumentEntry, ...] = ()
    folders: tuple[Folder, ...] = ()
    associations: tuple[Association, ...] = ()
    unclassified: tuple[UnclassifiedPackage, ...] = ()
    object_refs: tuple[ObjectRef, ...] = ()
    stray_classifications: tuple[Classification, ...] = ()  # at list level, pointing at no package of the message
    request_slots: tuple[Slot, ...] = ()

    @property
    def objects(self) -> tuple[RegistryObject, ...]:
        """Every object of the message: entries, sets, folders, unclassified packages, associations."""
        return (
            *self.document_entries,
            *self.submission_sets,
            *self.folders,
            *self.unclassified,
            *self.associations,
        )


def _group(items: tuple[T, ...], position: int) -> Mapping[Any, tuple[T, ...]]:
    """Items by the value of one of their fields; nearly every one has a value of its own."""
    grouped: dict[Any, tuple[T, ...]] = {}
    for item in items:
        key: Any = item[position]
        before = grouped.get(key)
        grouped[key] = (item,) if before is None else before + (item,)  # noqa: RUF005
    return grouped
