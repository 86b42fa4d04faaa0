"""Parts of ebRIM 3.0 objects to metadata values: slots, classifications, identifiers, names (ITI TF-3 4.2.3.1)."""

from typing import Final

from lxml import etree

from ..model.errors import ErrorCode, Finding
from ..model.metadata import Classification, ExternalIdentifier, LocalizedString, Slot
from .namespaces import RIM
from .xml import XML_NS

SLOT: Final = f"{{{RIM}}}Slot"
NAME: Final = f"{{{RIM}}}Name"
DESCRIPTION: Final = f"{{{RIM}}}Description"
VERSION_INFO: Final = f"{{{RIM}}}VersionInfo"
_LANG: Final = f"{{{XML_NS}}}lang"
_VALUE: Final = f"{{{RIM}}}Value"
_LOCALIZED: Final = f"{{{RIM}}}LocalizedString"
_CLAUSE: Final = "ITI TF-3 4.2; ebRIM 3.0"
_WHITE_SPACE: Final = " \t\r\n"  # of XML; str.strip takes more


class PartReader:
    """Reads the parts of objects; what is not ebRIM where it stands becomes a finding."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def _slot(self, element: etree._Element, owner: str) -> Slot:
        name = element.get("name")
        if not name:
            self._missing(owner, "name", "Slot")
            name = ""
        values: list[str] = []
        for value_list in element:
            for value in value_list:
                if value.tag == _VALUE:
                    values.append(_text(value))
                else:
                    self._unexpected(value, owner)
        return Slot(name, tuple(values), element.get("slotType"))

    def _classification(self, element: etree._Element) -> Classification:
        get = element.get
        owner = get("classifiedObject") or ""
        slots, name, description = self._parts(element, owner)
        return Classification(
            get("id") or "",
            owner,
            get("classificationScheme"),
            get("classificationNode"),
            get("nodeRepresentation"),
            slots,
            name,
            description,
        )

    def _external_identifier(self, element: etree._Element) -> ExternalIdentifier:
        get = element.get
        owner = get("registryObject") or ""
        slots, name, description = self._parts(element, owner)
        return ExternalIdentifier(
            get("id") or "", owner, get("identificationScheme"), get("value"), name, description, slots
        )

    def _parts(
        self, element: etree._Element, owner: str
    ) -> tuple[tuple[Slot, ...], tuple[LocalizedString, ...], tuple[LocalizedString, ...]]:
        """Slots, name and description of what belongs to an object."""
        slots: list[Slot] = []
        name: tuple[LocalizedString, ...] = ()
        description: tuple[LocalizedString, ...] = ()
        for child in element:
            tag = child.tag
            if tag == SLOT:
                slots.append(self._slot(child, owner))
            elif tag == NAME:
                name = localized(child)
            elif tag == DESCRIPTION:
                description = localized(child)
            elif tag != VERSION_INFO:
                self._unexpected(child, owner)
        return tuple(slots), name, description

    def _unexpected(self, element: etree._Element, where: str) -> None:
        if isinstance(element.tag, str):
            name = etree.QName(element).localname[:80]
            sentence = f"Element {name} has no place in {where or 'its object'}; remove it."
            self._found("ihe.ebrim.element", sentence, received=name, object_id=where)

    def _missing(self, object_id: str, attribute: str, kind: str) -> None:
        self._found(
            "ihe.ebrim.attribute",
            f"{kind} needs the XML attribute {attribute}; add it.",
            object_id=object_id or None,
            attribute=attribute,
            received="",
            expected="a value",
        )

    def _found(
        self,
        rule: str,
        sentence: str,
        *,
        object_id: str | None = None,
        attribute: str | None = None,
        received: str | None = None,
        expected: str | None = None,
    ) -> None:
        self._findings.append(
            Finding(
                code=ErrorCode.REGISTRY_METADATA_ERROR,
                rule=rule,
                sentence=sentence,
                object_id=object_id,
                attribute=attribute,
                received=received,
                expected=expected,
                clause=_CLAUSE,
            )
        )


def localized(element: etree._Element) -> tuple[LocalizedString, ...]:
    """The language versions of a Name or Description."""
    strings: list[LocalizedString] = []
    for child in element:
        if child.tag == _LOCALIZED:
            get = child.get
            strings.append(LocalizedString(get("value", ""), get(_LANG), get("charset")))
    return tuple(strings)


def _text(value: etree._Element) -> str:
    """A value as sent; only the line breaks of a pretty-printing sender go, with the white space around them."""
    text = value.text or ""
    return text.strip(_WHITE_SPACE) if "\n" in text else text
