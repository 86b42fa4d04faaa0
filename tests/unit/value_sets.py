"""Lists that allow what the builders send, and files of lists."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import quoteattr

from tests.unit.builders import ENTRY_CODES, FOLDER_CODES, SET_CODES
from xds_gateway.model.value_sets import ATTRIBUTES, ListedCode, Place, Source, ValueSet, ValueSets

_SENT: Final = {scheme: codes for table in (ENTRY_CODES, SET_CODES, FOLDER_CODES) for scheme, codes in table.items()}
_OTHERS: Final = {
    "mimeType": (ListedCode("text/plain", ""), ListedCode("application/pdf", "", "PDF")),
    "languageCode": (ListedCode("fr-FR", ""), ListedCode("en-GB", "")),
    "associationDocumentation": (ListedCode("COR", "1.2.3.4", "Correction"),),
    "authorRole": (ListedCode("PRF", "2.16.840.1.113883.5.90", "Performer"),),
    "authorSpecialty": (ListedCode("Cardiologie", ""),),
    "assigningAuthority": (ListedCode("1.3.6.1.4.1.21367.13.20.3000", ""),),
}
SENT: Final[Mapping[str, tuple[ListedCode, ...]]] = {
    a.name: tuple(ListedCode(*code) for code in _SENT[a.key]) if a.key in _SENT else _OTHERS[a.name] for a in ATTRIBUTES
}
"""For each attribute the codes of the builders' messages."""


def make_list(attribute: str, *codes: ListedCode, number: int = 1) -> ValueSet:
    """A list of these codes, by default those that the builders send."""
    listed = {(code.code, code.scheme): code for code in codes or SENT[attribute]}
    return ValueSet(
        attribute, MappingProxyType(listed), (Source(f"{attribute}.xml", "1.2.3", f"List_{attribute}"),), number
    )


def make_value_sets(*lists: ValueSet, number: int = 1) -> ValueSets:
    """These lists, by default one for each attribute, allowing what the builders send."""
    chosen = lists or tuple(make_list(attribute) for attribute in SENT)
    return ValueSets(number, MappingProxyType({listed.attribute: listed for listed in chosen}))


def svs(*codes: ListedCode, name: str = "XdsTypeCode", **attributes: str) -> bytes:
    """An SVS file of one value set."""
    concepts = "".join(_concept("Concept", code, "codeSystem", "displayName") for code in codes)
    told = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?><RetrieveValueSetResponse xmlns="urn:ihe:iti:svs:2008">'
        f'<ValueSet id="1.2.3" displayName={quoteattr(name)}{told}><ConceptList>{concepts}</ConceptList></ValueSet>'
        "</RetrieveValueSetResponse>"
    ).encode()


def codes_xml(lists: Mapping[str, Iterable[ListedCode]], *authorities: str) -> bytes:
    """A codes.xml with a CodeType for each attribute: those with a classScheme have one."""
    schemes = {a.name: a.key for a in ATTRIBUTES if a.place is Place.CODE}
    types = "".join(
        f'<CodeType name="{name}" classScheme="{schemes.get(name, "")}">'
        f"{''.join(_concept('Code', code, 'codingScheme', 'display') for code in codes)}</CodeType>"
        for name, codes in lists.items()
    )
    named = "".join(f'<AssigningAuthority id="{authority}"/>' for authority in authorities)
    return f"<Codes>{named}{types}</Codes>".encode()


def _concept(element: str, code: ListedCode, scheme: str, display: str) -> str:
    told = {"code": code.code, scheme: code.scheme, display: code.display}
    told |= {} if code.active else {"status": "retired"}
    told |= {"effectiveDate": code.since} if code.since else {}
    told |= {"expirationDate": code.until} if code.until else {}
    return f"<{element} {' '.join(f'{name}={quoteattr(value)}' for name, value in told.items())}/>"
