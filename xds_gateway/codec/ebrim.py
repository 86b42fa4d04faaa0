"""ebRIM 3.0 objects to metadata values and back, losing nothing of what a sender wrote (ITI TF-3 4.2).

A *fragment* is one rendered object of an answer. What the registry may change later is a hole in it, a NUL and a
letter: `l` lid, `s` status, `v` version, `p` patientId, `h` the whole home attribute, `t` Folder.lastUpdateTime.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import ErrorCode, Finding
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    ObjectRef,
    RegistryObject,
    Slot,
    Submission,
    SubmissionSet,
    UnclassifiedPackage,
)
from .xml import XML_NS, escape

RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"

LAST_UPDATE_TIME: Final = "lastUpdateTime"
_LANG: Final = f"{{{XML_NS}}}lang"
_SLOT: Final = f"{{{RIM}}}Slot"
_VALUE: Final = f"{{{RIM}}}Value"
_LOCALIZED: Final = f"{{{RIM}}}LocalizedString"
_CLAUSE: Final = "ITI TF-3 4.2; ebRIM 3.0"


# --- reading ------------------------------------------------------------------------------------------------------


def parse_submission(request: etree._Element, findings: list[Finding]) -> Submission:
    """Read an lcm:SubmitObjectsRequest; what is not ebRIM where it stands becomes a finding (ITI TF-3 4.2.1.4)."""
    return _Reader(findings).submission(request)


def parse_objects(objects: etree._Element, findings: list[Finding]) -> Submission:
    """Read a rim:RegistryObjectList, as in the answer of a query."""
    reader = _Reader(findings)
    reader.object_list(objects)
    return reader.gathered(())


class _Reader:
    """One pass over the objects of one message."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._entries: list[DocumentEntry] = []
        self._packages: list[UnclassifiedPackage] = []
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
                slots = tuple(self._slot(slot, "the request") for slot in child if slot.tag == _SLOT)
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
        sets, folders, unclassified, stray = _sorted_packages(self._packages, self._loose)
        return Submission(
            submission_sets=sets,
            document_entries=tuple(self._entries),
            folders=folders,
            associations=tuple(self._associations),
            unclassified=unclassified,
            object_refs=tuple(self._object_refs),
            stray_classifications=stray,
            request_slots=request_slots,
        )

    def extrinsic_object(self, element: etree._Element) -> None:
        self._entries.append(
            DocumentEntry(mime_type=element.get("mimeType"), is_opaque=element.get("isOpaque"), **self._base(element))
        )

    def registry_package(self, element: etree._Element) -> None:
        base = self._base(element)
        nodes = tuple(c.node for c in base["classifications"] if c.node in _PACKAGE_NODES)
        self._packages.append(UnclassifiedPackage(nodes=nodes, **base))

    def association(self, element: etree._Element) -> None:
        base = self._base(element)
        ends = {name: element.get(name, "") for name in ("associationType", "sourceObject", "targetObject")}
        for name, value in ends.items():
            if not value:
                self._missing(base["id"], name, "Association")
        self._associations.append(
            Association(
                association_type=_full_association_type(ends["associationType"]),
                source=ends["sourceObject"],
                target=ends["targetObject"],
                **base,
            )
        )

    def object_ref(self, element: etree._Element) -> None:
        self._object_refs.append(ObjectRef(element.get("id", ""), element.get("home")))

    def loose_classification(self, element: etree._Element) -> None:
        self._loose.append(self._classification(element))

    def _base(self, element: etree._Element) -> dict[str, object]:
        identifier = element.get("id") or ""
        if not identifier:
            self._missing("", "id", etree.QName(element).localname)
        slots: list[Slot] = []
        classifications: list[Classification] = []
        identifiers: list[ExternalIdentifier] = []
        base: dict[str, object] = {
            "id": identifier,
            "lid": element.get("lid"),
            "home": element.get("home"),
            "status": element.get("status"),
            "object_type": element.get("objectType"),
        }
        for child in element:
            tag = child.tag
            if tag == _SLOT:
                slots.append(self._slot(child, identifier))
            elif tag == _CLASSIFICATION:
                classifications.append(self._classification(child))
            elif tag == _EXTERNAL_IDENTIFIER:
                identifiers.append(self._external_identifier(child))
            elif tag == _NAME:
                base["name"] = _localized(child)
            elif tag == _DESCRIPTION:
                base["description"] = _localized(child)
            elif tag == _VERSION_INFO:
                base["version"] = child.get("versionName")
            elif tag != _CONTENT_VERSION_INFO:
                self._unexpected(child, identifier)
        base["slots"] = tuple(slots)
        base["classifications"] = tuple(classifications)
        base["external_identifiers"] = tuple(identifiers)
        return base

    def _slot(self, element: etree._Element, owner: str) -> Slot:
        values: list[str] = []
        for value_list in element:
            for value in value_list:
                if value.tag == _VALUE:
                    values.append(_value(value.text or ""))
                else:
                    self._unexpected(value, owner)
        name = element.get("name")
        if not name:
            self._missing(owner, "name", "Slot")
        return Slot(name or "", tuple(values), element.get("slotType"))

    def _classification(self, element: etree._Element) -> Classification:
        slots: list[Slot] = []
        name: tuple[LocalizedString, ...] = ()
        description: tuple[LocalizedString, ...] = ()
        owner = element.get("classifiedObject") or ""
        for child in element:
            tag = child.tag
            if tag == _SLOT:
                slots.append(self._slot(child, owner))
            elif tag == _NAME:
                name = _localized(child)
            elif tag == _DESCRIPTION:
                description = _localized(child)
            elif tag != _VERSION_INFO:
                self._unexpected(child, owner)
        get = element.get
        return Classification(
            get("id") or "",
            owner,
            get("classificationScheme"),
            get("classificationNode"),
            get("nodeRepresentation"),
            tuple(slots),
            name,
            description,
        )

    def _external_identifier(self, element: etree._Element) -> ExternalIdentifier:
        name: tuple[LocalizedString, ...] = ()
        description: tuple[LocalizedString, ...] = ()
        slots: list[Slot] = []
        owner = element.get("registryObject") or ""
        for child in element:
            tag = child.tag
            if tag == _NAME:
                name = _localized(child)
            elif tag == _DESCRIPTION:
                description = _localized(child)
            elif tag == _SLOT:
                slots.append(self._slot(child, owner))
            elif tag != _VERSION_INFO:
                self._unexpected(child, owner)
        get = element.get
        return ExternalIdentifier(
            get("id") or "", owner, get("identificationScheme"), get("value"), name, description, tuple(slots)
        )

    def _unexpected(self, element: etree._Element, where: str) -> None:
        if isinstance(element.tag, str):
            name = etree.QName(element).localname[:80]
            self._found(
                "ihe.ebrim.element",
                f"Element {name} has no place in {where}; remove it.",
                received=name,
                object_id=where,
            )

    def _missing(self, object_id: str, attribute: str, kind: str) -> None:
        self._found(
            "ihe.ebrim.attribute",
            f"{kind} needs the XML attribute {attribute}; add it.",
            object_id=object_id or None,
            attribute=attribute,
            received="",
            expected="a value",
        )

    def _found(self, rule: str, sentence: str, **evidence: str | None) -> None:
        self._findings.append(
            Finding(code=ErrorCode.REGISTRY_METADATA_ERROR, rule=rule, sentence=sentence, clause=_CLAUSE, **evidence)
        )


_CLASSIFICATION: Final = f"{{{RIM}}}Classification"
_EXTERNAL_IDENTIFIER: Final = f"{{{RIM}}}ExternalIdentifier"
_NAME: Final = f"{{{RIM}}}Name"
_DESCRIPTION: Final = f"{{{RIM}}}Description"
_VERSION_INFO: Final = f"{{{RIM}}}VersionInfo"
_CONTENT_VERSION_INFO: Final = f"{{{RIM}}}ContentVersionInfo"
_PACKAGE_NODES: Final = {v.SUBMISSION_SET_NODE: SubmissionSet, v.FOLDER_NODE: Folder}
_OBJECTS: Final = {
    f"{{{RIM}}}ExtrinsicObject": _Reader.extrinsic_object,
    f"{{{RIM}}}RegistryPackage": _Reader.registry_package,
    f"{{{RIM}}}Association": _Reader.association,
    f"{{{RIM}}}ObjectRef": _Reader.object_ref,
    _CLASSIFICATION: _Reader.loose_classification,
}
# Versions before XDS.b wrote association types without their URN; only HasMember is still seen so.
_SHORT_TYPES: Final = {name.rsplit(":", 1)[1]: name for name in v.ASSOCIATION_TYPES}


def _value(text: str) -> str:
    """A slot value as sent; only the line breaks of a pretty-printing sender go, with the white space around them."""
    return text.strip() if "\n" in text else text


def _full_association_type(name: str) -> str:
    return _SHORT_TYPES.get(name, name)


def _localized(element: etree._Element) -> tuple[LocalizedString, ...]:
    return tuple(
        LocalizedString(child.get("value", ""), child.get(_LANG), child.get("charset"))
        for child in element
        if child.tag == _LOCALIZED
    )


def _sorted_packages(
    packages: list[UnclassifiedPackage], loose: list[Classification]
) -> tuple[tuple[SubmissionSet, ...], tuple[Folder, ...], tuple[UnclassifiedPackage, ...], tuple[Classification, ...]]:
    """Tell sets from folders by their classification, inside the package or beside it (ITI TF-3 4.2.1.2.1)."""
    beside: dict[str, list[Classification]] = {}
    for classification in loose:
        beside.setdefault(classification.classified_object, []).append(classification)
    sets, folders, unclassified = [], [], []
    for package in packages:
        added = tuple(beside.pop(package.id, ()))
        nodes = (*package.nodes, *(c.node for c in added if c.node in _PACKAGE_NODES))
        fields = _fields(package) | {"classifications": (*package.classifications, *added)}
        kinds = set(nodes)
        if kinds == {v.SUBMISSION_SET_NODE}:
            sets.append(SubmissionSet(**fields))
        elif kinds == {v.FOLDER_NODE}:
            folders.append(Folder(**fields))
        else:
            unclassified.append(UnclassifiedPackage(nodes=tuple(n for n in nodes if n), **fields))
    stray = tuple(c for left in beside.values() for c in left)
    return tuple(sets), tuple(folders), tuple(unclassified), stray


_BASE_FIELDS: Final = (
    "id",
    "lid",
    "home",
    "status",
    "object_type",
    "version",
    "slots",
    "name",
    "description",
    "classifications",
    "external_identifiers",
)


def _fields(package: RegistryObject) -> dict[str, object]:
    return {name: getattr(package, name) for name in _BASE_FIELDS}


# --- writing ------------------------------------------------------------------------------------------------------


def render_fragment(item: RegistryObject) -> bytes:
    """One object of an answer, with holes for what the registry manages; ids must be final."""
    return _render(item, ' lid="\0l" status="\0s"\0h', '<rim:VersionInfo versionName="\0v"/>', "\0p").encode()


def fill_fragment(fragment: bytes, holes: Mapping[int, bytes]) -> bytes:
    """A fragment with its holes filled; `holes` maps ord(letter) to escaped bytes."""
    first, *rest = fragment.split(b"\0")
    filled = [first]
    for piece in rest:
        filled.append(holes[piece[0]])
        filled.append(piece[1:])
    return b"".join(filled)


def render_object(item: RegistryObject) -> bytes:
    """One object as it stands, as a source sends it."""
    attributes = _attribute("lid", item.lid) + _attribute("status", item.status) + _attribute("home", item.home)
    version = f"<rim:VersionInfo{_attribute('versionName', item.version)}/>" if item.version is not None else ""
    return _render(item, attributes, version, None).encode()


def render_submission(submission: Submission) -> bytes:
    """An lcm:SubmitObjectsRequest (ITI TF-3 4.2.1.4)."""
    slots = _slots(submission.request_slots)
    loose = "".join(_classification(c) for c in submission.stray_classifications)
    refs = "".join(
        f"<rim:ObjectRef{_attribute('id', r.id)}{_attribute('home', r.home)}/>" for r in submission.object_refs
    )
    return b"".join(
        (
            f'<lcm:SubmitObjectsRequest xmlns:lcm="{LCM}" xmlns:rim="{RIM}" xmlns:rs="{RS}">'.encode(),
            f"<rs:RequestSlotList>{slots}</rs:RequestSlotList>".encode() if slots else b"",
            b"<rim:RegistryObjectList>",
            refs.encode(),
            *(render_object(item) for item in submission.objects),
            loose.encode(),
            b"</rim:RegistryObjectList></lcm:SubmitObjectsRequest>",
        )
    )


def _render(item: RegistryObject, managed: str, version: str, patient: str | None) -> str:
    tag, own = _tag(item)
    slots = item.slots
    last_update = ""
    if patient is not None and isinstance(item, Folder):
        slots = tuple(s for s in slots if s.name != LAST_UPDATE_TIME)
        last_update = _slot(Slot(LAST_UPDATE_TIME, ("\0t",)), raw=True)
    return "".join(
        (
            f'<rim:{tag} id="{escape(item.id)}"{managed}{_attribute("objectType", item.object_type)}{own}>',
            last_update,
            _slots(slots),
            _text("Name", item.name),
            _text("Description", item.description),
            version,
            *[_classification(c) for c in item.classifications],
            *[
                _identifier(e, patient if e.scheme == item.PATIENT_ID_SCHEME else None)
                for e in item.external_identifiers
            ],
            f"</rim:{tag}>",
        )
    )


def _tag(item: RegistryObject) -> tuple[str, str]:
    if isinstance(item, DocumentEntry):
        return "ExtrinsicObject", _attribute("mimeType", item.mime_type) + _attribute("isOpaque", item.is_opaque)
    if isinstance(item, Association):
        return "Association", (
            f"{_attribute('associationType', item.association_type)}{_attribute('sourceObject', item.source)}"
            f"{_attribute('targetObject', item.target)}"
        )
    return "RegistryPackage", ""


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{escape(value)}"'


def _slots(slots: Iterable[Slot]) -> str:
    return "".join([_slot(slot) for slot in slots])


def _slot(slot: Slot, *, raw: bool = False) -> str:
    values = "".join([f"<rim:Value>{value if raw else escape(value)}</rim:Value>" for value in slot.values])
    kind = _attribute("slotType", slot.slot_type) if slot.slot_type is not None else ""
    return f'<rim:Slot name="{escape(slot.name)}"{kind}><rim:ValueList>{values}</rim:ValueList></rim:Slot>'


def _text(tag: str, strings: tuple[LocalizedString, ...]) -> str:
    if not strings:
        return ""
    inner = "".join(
        [
            f'<rim:LocalizedString{_attribute("charset", s.charset)}{_attribute("xml:lang", s.lang)} value="{escape(s.value)}"/>'
            for s in strings
        ]
    )
    return f"<rim:{tag}>{inner}</rim:{tag}>"


def _classification(c: Classification) -> str:
    return (
        f'<rim:Classification id="{escape(c.id)}" objectType="{v.CLASSIFICATION_OBJECT}"'
        f' classifiedObject="{escape(c.classified_object)}"{_attribute("classificationScheme", c.scheme)}'
        f"{_attribute('classificationNode', c.node)}{_attribute('nodeRepresentation', c.code)}>"
        f"{_slots(c.slots)}{_text('Name', c.name)}{_text('Description', c.description)}</rim:Classification>"
    )


def _identifier(e: ExternalIdentifier, patient: str | None) -> str:
    value = f' value="{patient}"' if patient is not None else _attribute("value", e.value)
    return (
        f'<rim:ExternalIdentifier id="{escape(e.id)}" objectType="{v.EXTERNAL_IDENTIFIER_OBJECT}"'
        f' registryObject="{escape(e.registry_object)}"{_attribute("identificationScheme", e.scheme)}{value}>'
        f"{_slots(e.slots)}{_text('Name', e.name)}{_text('Description', e.description)}</rim:ExternalIdentifier>"
    )
