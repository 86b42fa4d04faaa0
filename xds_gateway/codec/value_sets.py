"""Files of value sets: SVS XML (ITI TF-2 3.48, 3.60) and the `codes.xml` of IHE test kits.

SVS knows status and dates of a whole value set; the same names are read on a concept too, and those of French files.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from lxml import etree

from ..model.errors import GatewayError, SoapFault
from ..model.value_sets import ATTRIBUTES, AUTHORITIES, BY_NAME, ListedCode, Pair, Place, Source, ValueSet
from .xml import XmlLimits, elements, parse, text

LIMITS: Final = XmlLimits(size=64 << 20, elements=1_000_000)  # far above any list that is published
_BROKEN: Final = {
    "xml.size": f"it is over {LIMITS.size >> 20} MiB",
    "xml.doctype": "it has a document type declaration",
    "xml.encoding": "its encoding is not supported, or not the one that it declares",
    "xml.instruction": "it has processing instructions",
}
_RETIRED: Final = frozenset(("inactive", "retired", "deprecated", "withdrawn", "rejected", "expired", "superseded"))
_SINCE: Final = ("effectiveDate", "dateValid")
_UNTIL: Final = ("expirationDate", "dateFin")
_DTM: Final = re.compile(r"[0-9]{8}(?:[0-9]{2}){0,3}")
_SCHEMES: Final = {each.key: each.name for each in ATTRIBUTES if each.place is Place.CODE}
_BY_LENGTH: Final = sorted(BY_NAME, key=len, reverse=True)


class NotValueSets(GatewayError):
    """A file that holds no value sets; the text says why, after "The file ...: "."""


class ParsedValueSet(NamedTuple):
    """One list of a file; `attribute` is what the file itself says that it is for, when it does."""

    attribute: str | None
    codes: tuple[ListedCode, ...]
    id: str | None = None
    name: str | None = None
    version: str | None = None


def parse_value_sets(data: bytes) -> tuple[ParsedValueSet, ...]:
    """All lists of a file. Raises NotValueSets."""
    try:
        root = parse(data, LIMITS)
    except SoapFault as broken:
        why = _BROKEN.get(broken.rule) or str(broken).replace("The message", "it")
        raise NotValueSets(why) from None
    form = _FORMS.get(_name(root))
    found = tuple(form(root)) if form else ()
    if not found:
        raise NotValueSets("it is neither SVS XML (RetrieveValueSetResponse) nor a codes.xml with CodeType elements")
    return found


def make_value_set(attribute: str, lists: Iterable[tuple[str, ParsedValueSet]]) -> ValueSet:
    """The list of an attribute from lists of files, each with the file's name. Raises NotValueSets.

    Attributes without coding scheme, such as mimeType, are compared by code alone; authors' may have one.
    """
    place = BY_NAME[attribute].place
    codes: dict[Pair, ListedCode] = {}
    sources = []
    for file, parsed in lists:
        sources.append(Source(file, parsed.id, parsed.name, parsed.version))
        for code in parsed.codes:
            if place is Place.CODE and not code.scheme:
                raise NotValueSets(f"the code {code.code!r} of {attribute} has no coding scheme")
            listed = code if place in (Place.CODE, Place.AUTHOR) else code._replace(scheme="")
            codes[listed.code, listed.scheme] = _either(codes.get((listed.code, listed.scheme)), listed)
    return ValueSet(attribute, codes, tuple(sources))


def value_sets_of(
    files: Sequence[tuple[str, bytes]], attributes: Sequence[str] = ()
) -> tuple[Mapping[str, ValueSet], tuple[str, ...]]:
    """The list of each attribute from files, by name and content, and the names of lists that are for no attribute.

    `attributes` say what the files are for: none when they say it themselves, one for all files, or one for each. Of a
    file with several lists, only those that it has for this attribute are taken then. Raises NotValueSets with a whole
    sentence.
    """
    told = attributes if len(attributes) == len(files) else [*attributes, *[None] * len(files)][:1] * len(files)
    found: dict[str, list[tuple[str, ParsedValueSet]]] = {}
    ignored: list[str] = []
    for (file, data), attribute in zip(files, told, strict=True):
        try:
            lists, others = _of_file(parse_value_sets(data), attribute)
        except NotValueSets as wrong:
            raise NotValueSets(f"{file} cannot be used: {wrong}.") from None
        ignored += others
        for name, parsed in lists:
            found.setdefault(name, []).append((file, parsed))
    try:
        return {name: make_value_set(name, lists) for name, lists in found.items()}, tuple(ignored)
    except NotValueSets as wrong:
        raise NotValueSets(f"The files cannot be used: {wrong}.") from None


def _of_file(
    lists: tuple[ParsedValueSet, ...], attribute: str | None
) -> tuple[list[tuple[str, ParsedValueSet]], list[str]]:
    """The lists of a file with their attributes, and the names of the others."""
    if attribute and len(lists) == 1:
        return [(attribute, lists[0])], []
    taken = [(each.attribute, each) for each in lists if each.attribute and attribute in (None, each.attribute)]
    if not taken:
        names = ", ".join(each.name or each.id or "a list without name" for each in lists)
        raise NotValueSets(f"it has {names}, which is for no attribute by its name; say which one it is for")
    return taken, [] if attribute else [each.name or each.id or "" for each in lists if not each.attribute]


def attribute_named(name: str) -> str | None:
    """The attribute whose name is part of a name, as typeCode of JDV_J07_XdsTypeCode_CISIS; of several the longest."""
    told = name.lower()
    return next((each for each in _BY_LENGTH if each.lower() in told), None)


# --- SVS ----------------------------------------------------------------------------------------------------------


def _svs(root: etree._Element) -> Iterator[ParsedValueSet]:
    for element in root.iter(etree.Element):
        if _name(element) in ("ValueSet", "DescribedValueSet"):
            yield _value_set(element)


def _value_set(element: etree._Element) -> ParsedValueSet:
    told: dict[str, str] = {str(name): str(value) for name, value in element.attrib.items()}
    for child in elements(element):
        if not len(child):
            told.setdefault(_name(child)[:1].lower() + _name(child)[1:], text(child))
    name = told.get("displayName") or None
    concepts = (c for each in elements(element) if _name(each) == "ConceptList" for c in elements(each))
    return ParsedValueSet(
        attribute=attribute_named(name) if name else None,
        codes=_once(_listed(c, told, "codeSystem", "displayName") for c in concepts if _name(c) == "Concept"),
        id=told.get("id") or told.get("ID") or None,
        name=name,
        version=told.get("version") or told.get("revisionDate") or None,
    )


# --- codes.xml ----------------------------------------------------------------------------------------------------


def _codes(root: etree._Element) -> Iterator[ParsedValueSet]:
    authorities = []
    for element in elements(root):
        if _name(element) == "AssigningAuthority":
            authorities.append(ListedCode(_needed(element, "id"), "", element.get("display") or ""))
        elif _name(element) == "CodeType":
            yield _code_type(element)
    if authorities:
        yield ParsedValueSet(AUTHORITIES, _once(authorities), name=AUTHORITIES)


def _code_type(element: etree._Element) -> ParsedValueSet:
    name = _needed(element, "name")
    attribute = _SCHEMES.get(element.get("classScheme") or "") or attribute_named(name)
    codes = (_listed(code, {}, "codingScheme", "display") for code in elements(element) if _name(code) == "Code")
    return ParsedValueSet(attribute, _once(codes), name=name)


_FORMS: Final = {
    "RetrieveValueSetResponse": _svs,
    "RetrieveMultipleValueSetsResponse": _svs,
    "ValueSet": _svs,
    "Codes": _codes,
}


# --- both ---------------------------------------------------------------------------------------------------------


def _listed(element: etree._Element, around: Mapping[str, str], scheme: str, display: str) -> ListedCode:
    """A code; status and dates are its own, else those of the value set around it."""

    def told(*names: str) -> str:
        return next((value for place in (element, around) for name in names if (value := place.get(name))), "")

    return ListedCode(
        code=_needed(element, "code"),
        scheme=(element.get(scheme) or "").strip(),
        display=(element.get(display) or "").strip(),
        active=told("status").strip().lower() not in _RETIRED,
        since=_time(told(*_SINCE), element),
        until=_time(told(*_UNTIL), element),
    )


def _time(told: str, element: etree._Element) -> str | None:
    """A DTM or an ISO 8601 date and time as DTM to the second in UTC; a time without offset is taken as UTC."""
    told = told.strip()
    if not told:
        return None
    if _DTM.fullmatch(told):
        told = f"{told[:4]}-{told[4:6]}-{told[6:8]}T{told[8:].ljust(6, '0')}"
    try:
        at = datetime.fromisoformat(told)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotValueSets(f"{told[:40]!r} is no date (line {element.sourceline})") from None
    return at.strftime("%Y%m%d%H%M%S").rjust(14, "0")


def _once(codes: Iterable[ListedCode]) -> tuple[ListedCode, ...]:
    """Each code once, with the display name that is told first."""
    found: dict[Pair, ListedCode] = {}
    for code in codes:
        pair = (code.code, code.scheme)
        found[pair] = _either(found.get(pair), code)
    return tuple(found.values())


def _either(one: ListedCode | None, other: ListedCode) -> ListedCode:
    """Of two lines about one code the active one, else the first."""
    return other if one is None or (other.active and not one.active) else one


def _needed(element: etree._Element, name: str) -> str:
    value = (element.get(name) or "").strip()
    if not value:
        raise NotValueSets(f"{_name(element)} of line {element.sourceline} has no {name}")
    return value


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
