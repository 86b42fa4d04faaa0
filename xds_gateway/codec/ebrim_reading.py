"""ebRIM 3.0 objects to metadata values (ITI TF-3 4.2).

Every message passes here and an element costs about half a microsecond: the loops look at each element once.
"""

from typing import Final, TypedDict

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    ObjectRef,
    Slot,
    Submission,
    SubmissionSet,
    UnclassifiedPackage,
)
from .ebrim_parts import DESCRIPTION, NAME, SLOT, VERSION_INFO, PartReader, localized
from .namespaces import RIM, RS

_CLASSIFICATION: Final = f"{{{RIM}}}Classification"
_EXTERNAL_IDENTIFIER: Final = f"{{{RIM}}}ExternalIdentifier"
_CONTENT_VERSION_INFO: Final = f"{{{RIM}}}ContentVersionInfo"
_PACKAGE_NODES: Final = (v.SUBMISSION_SET_NODE, v.FOLDER_NODE)
# Versions before XDS.b wrote association types without their URN; only HasMember is still seen so.
_SHORT_TYPES: Final = {name.rsplit(":", 1)[1]: name for name in v.ASSOCIATION_TYPES}


def parse_submission(request: etree._Element, findings: list[Finding]) -> Submission:
    """Read an lcm:SubmitObjectsRequest; what is not ebRIM where it stands becomes a finding (ITI TF-3 4.2.1.4)."""
    return _Reader(findings).submission(request)


def parse_objects(objects: etree._Element, findings: list[Finding]) -> Submission:
    """Read a rim:RegistryObjectList, as in the answer of a query."""
    reader = _Reader(findings)
    reader.object_list(objects)
    return reader.gathered(())


class _Base(TypedDict):
    """What all kinds of objects have, named as in RegistryObject."""

    id: str
    lid: str | None
    home: str | None
    status: str | None
    object_type: str | None
    version: str | None
    slots: tuple[Slot, ...]
    name: tuple[LocalizedString, ...]
    description: tuple[LocalizedString, ...]
    classifications: tuple[Classification, ...]
    external_identifiers: tuple[ExternalIdentifier, ...]


class _Reader(PartReader):
    """One pass over the objects of one message."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings)
        self._entries: list[DocumentEntry] = []
        self._packages: list[_Base] = []
        self._associations: list[Association] = []
        self._object_refs: list[ObjectRef] = []
        self._loose: list[Classification] = []

    def submission(self, request: etree._Element) -> Submission:
        slots: tuple[Slot, ...] = ()
        lists = 0
        for child in request:
            if child.tag == f"{{{RIM}}}RegistryObjectList":
                lists += 1
                self.object_list(child)
            elif child.tag == f"{{{RS}}}RequestSlotList":
                slots = tuple(self._slot(slot, "the request") for slot in child if slot.tag == SLOT)
            else:
                self._unexpected(child, "SubmitObjectsRequest")
        if lists != 1:
            self._found(
                "ihe.ebrim.objectList", f"A SubmitObjectsRequest has exactly one RegistryObjectList, not {lists}."
            )
        return self.gathered(slots)

    def object_list(self, objects: etree._Element) -> None:
        for child in objects:
            read = _OBJECTS.get(child.tag)
            if read is None:
                self._unexpected(child, "RegistryObjectList")
            else:
                read(self, child)

    def gathered(self, request_slots: tuple[Slot, ...]) -> Submission:
        sorted_out = _SortedPackages(self._packages, self._loose)
        return Submission(
            submission_sets=tuple(sorted_out.sets),
            document_entries=tuple(self._entries),
            folders=tuple(sorted_out.folders),
            associations=tuple(self._associations),
            unclassified=tuple(sorted_out.unclassified),
            object_refs=tuple(self._object_refs),
            stray_classifications=sorted_out.stray,
            request_slots=request_slots,
        )

    def extrinsic_object(self, element: etree._Element) -> None:
        self._entries.append(
            DocumentEntry(mime_type=element.get("mimeType"), is_opaque=element.get("isOpaque"), **self._base(element))
        )

    def registry_package(self, element: etree._Element) -> None:
        self._packages.append(self._base(element))

    def association(self, element: etree._Element) -> None:
        base = self._base(element)
        association_type, source, target = (
            self._end(element, base["id"], name) for name in ("associationType", "sourceObject", "targetObject")
        )
        association_type = _SHORT_TYPES.get(association_type, association_type)
        self._associations.append(Association(association_type=association_type, source=source, target=target, **base))

    def _end(self, element: etree._Element, owner: str, name: str) -> str:
        value = element.get(name, "")
        if not value:
            self._missing(owner, name, "Association")
        return value

    def object_ref(self, element: etree._Element) -> None:
        self._object_refs.append(ObjectRef(element.get("id", ""), element.get("home")))

    def loose_classification(self, element: etree._Element) -> None:
        self._loose.append(self._classification(element))

    def _base(self, element: etree._Element) -> _Base:
        get = element.get
        identifier = get("id") or ""
        if not identifier:
            self._missing("", "id", etree.QName(element).localname)
        slots: list[Slot] = []
        classifications: list[Classification] = []
        identifiers: list[ExternalIdentifier] = []
        version: str | None = None
        name: tuple[LocalizedString, ...] = ()
        description: tuple[LocalizedString, ...] = ()
        for child in element:
            tag = child.tag
            if tag == SLOT:
                slots.append(self._slot(child, identifier))
            elif tag == _CLASSIFICATION:
                classifications.append(self._classification(child))
            elif tag == _EXTERNAL_IDENTIFIER:
                identifiers.append(self._external_identifier(child))
            elif tag == NAME:
                name = localized(child)
            elif tag == DESCRIPTION:
                description = localized(child)
            elif tag == VERSION_INFO:
                version = child.get("versionName")
            elif tag != _CONTENT_VERSION_INFO:
                self._unexpected(child, identifier)
        return {
            "id": identifier,
            "lid": get("lid"),
            "home": get("home"),
            "status": get("status"),
            "object_type": get("objectType"),
            "version": version,
            "slots": tuple(slots),
            "name": name,
            "description": description,
            "classifications": tuple(classifications),
            "external_identifiers": tuple(identifiers),
        }


_OBJECTS: Final = {
    f"{{{RIM}}}ExtrinsicObject": _Reader.extrinsic_object,
    f"{{{RIM}}}RegistryPackage": _Reader.registry_package,
    f"{{{RIM}}}Association": _Reader.association,
    f"{{{RIM}}}ObjectRef": _Reader.object_ref,
    _CLASSIFICATION: _Reader.loose_classification,
}


class _SortedPackages:
    """Packages told apart by their classification, inside the package or beside it (ITI TF-3 4.2.1.2.1)."""

    def __init__(self, packages: list[_Base], loose: list[Classification]) -> None:
        self.sets: list[SubmissionSet] = []
        self.folders: list[Folder] = []
        self.unclassified: list[UnclassifiedPackage] = []
        beside: dict[str, list[Classification]] = {}
        for classification in loose:
            beside.setdefault(classification.classified_object, []).append(classification)
        for package in packages:
            package["classifications"] += tuple(beside.pop(package["id"], ()))
            self._sort(package)
        self.stray = tuple(classification for left in beside.values() for classification in left)

    def _sort(self, package: _Base) -> None:
        nodes = [c.node for c in package["classifications"] if c.node in _PACKAGE_NODES]
        kinds = set(nodes)
        if kinds == {v.SUBMISSION_SET_NODE}:
            self.sets.append(SubmissionSet(**package))
        elif kinds == {v.FOLDER_NODE}:
            self.folders.append(Folder(**package))
        else:
            self.unclassified.append(UnclassifiedPackage(nodes=tuple(node for node in nodes if node), **package))
