"""The one XML parser of the gateway: no DTD, no entities, no network, bounded work (SOAP 1.2 part 1, 5)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

from ..model.errors import FaultCode, SoapFault

XML_NS: Final = "http://www.w3.org/XML/1998/namespace"
_ENCODINGS: Final = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"}
)
_DECLARED: Final = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_SHORTEST_NAMESPACE: Final = len(b'xmlns=""')
_INSTRUCTION: Final = etree.XPath("boolean(//processing-instruction())")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLimits:
    """How much XML is read at all; a message beyond it is refused by the name of the limit."""

    size: int = 8 * 1024 * 1024  # bytes
    depth: int = 100  # nested elements
    elements: int = 200_000
    attributes: int = 500  # of one element
    attribute_bytes: int = 64 * 1024  # of one value
    namespaces: int = 1_000  # declarations in the message


def parse(data: bytes, limits: XmlLimits, *, charset: str | None = None) -> etree._Element:
    """Read one document and return its root; raises a Sender fault that names what is wrong, never content."""
    if len(data) > limits.size:
        raise _refused("xml.size", f"The XML of this message is over {limits.size} bytes (limit envelope_bytes)")
    data = _as_utf8_compatible(data, charset)
    _refuse_before_parsing(data, limits)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise _not_well_formed(wrong) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    _refuse_after_parsing(root, data, limits)
    return root


def _as_utf8_compatible(data: bytes, charset: str | None) -> bytes:
    """The same document where ASCII bytes mean ASCII, so that bytes can be counted before parsing."""
    if charset and charset.lower() not in _ENCODINGS:
        raise _refused("xml.encoding", "The charset of the Content-Type is not supported; send UTF-8")
    declared = _DECLARED.match(data[:200].lstrip(b"\xef\xbb\xbf"))
    if declared and declared[1].decode("ascii").lower() not in _ENCODINGS:
        raise _refused("xml.encoding", "The declared XML encoding is not supported; send UTF-8")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _recoded(data, "utf-16")
    if data[:2] in (b"\x00<", b"<\x00") or (charset and charset.lower() == "utf-16"):
        raise _refused("xml.encoding", "UTF-16 needs a byte order mark; send UTF-8")
    if charset and charset.lower() not in ("utf-8", "utf8", "utf-16") and not declared:
        return _recoded(data, charset)
    return data


def _recoded(data: bytes, charset: str) -> bytes:
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        raise _refused("xml.encoding", "The message is not in the encoding that it declares") from None
    return re.sub(r"^\ufeff?<\?xml[^>]*\?>", "", text.lstrip("\ufeff")).encode("utf-8")


def _refuse_before_parsing(data: bytes, limits: XmlLimits) -> None:
    """Refuse what would be expensive to parse at all; counting needs a message that is long enough to be guilty."""
    envelope = data.find(b"Envelope")
    if b"<!DOCTYPE" in (data[:envelope] if envelope >= 0 else data):
        raise _doctype()
    if len(data) > 4 * limits.elements and data.count(b"<") > 2 * limits.elements:
        raise _too_many_elements(limits)
    if len(data) > _SHORTEST_NAMESPACE * limits.namespaces and data.count(b"xmlns") > limits.namespaces:
        raise _refused(
            "xml.namespaces", f"The message declares over {limits.namespaces} namespaces (limit xml_namespaces)"
        )


def _refuse_after_parsing(root: etree._Element, data: bytes, limits: XmlLimits) -> None:
    """Checks that only a message of some size can fail: a short one skips them."""
    checks = _checks(limits)
    if data.count(b"<") > 2 * limits.depth and checks["depth"](root):
        raise _refused("xml.depth", f"Elements are nested deeper than {limits.depth} (limit xml_depth)")
    if len(data) > 4 * limits.elements and checks["elements"](root):
        raise _too_many_elements(limits)
    if data.count(b"=") > limits.attributes and checks["attributes"](root):
        raise _refused("xml.attributes", f"An element has over {limits.attributes} attributes (limit xml_attributes)")
    if len(data) > limits.attribute_bytes and _has_long_attribute(root, limits):
        raise _refused(
            "xml.attribute_bytes", f"An attribute is over {limits.attribute_bytes} bytes (limit xml_attribute_bytes)"
        )
    declared = 2 if data.startswith(b"<?xml ") else 0
    if data.count(b"?") > declared and data.find(b"<?", declared) >= 0 and _has_instruction(data):
        raise _refused(
            "xml.instruction", "A SOAP message must not contain processing instructions (SOAP 1.2 part 1, 5)"
        )


def _too_many_elements(limits: XmlLimits) -> SoapFault:
    return _refused("xml.elements", f"The message has over {limits.elements} elements (limit xml_elements)")


def _has_long_attribute(root: etree._Element, limits: XmlLimits) -> bool:
    candidates = _checks(limits)["long_attributes"](root)
    return isinstance(candidates, list) and any(
        len(str(value).encode()) > limits.attribute_bytes for value in candidates
    )


def _has_instruction(data: bytes) -> bool:
    keeping = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return bool(_INSTRUCTION(etree.fromstring(data, keeping)))


def has_comments(data: bytes, charset: str | None, within: str) -> bool:
    """Whether elements of this name hold comments in a message that `parse` has read: it leaves comments out."""
    data = _as_utf8_compatible(data, charset)
    if b"<!--" not in data:
        return False
    keeping = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    found = etree.fromstring(data, keeping).iter(within)
    return any(next(element.iter(etree.Comment), None) is not None for element in found)


@lru_cache(maxsize=8)
def _checks(limits: XmlLimits) -> dict[str, etree.XPath]:
    return {
        "elements": etree.XPath(f"count(//*) > {limits.elements}"),
        "depth": etree.XPath("boolean(" + "/*" * (limits.depth + 1) + ")"),
        "attributes": etree.XPath(f"boolean(//*[@*[{limits.attributes + 1}]])"),
        "long_attributes": etree.XPath(f"//@*[4 * string-length() > {limits.attribute_bytes}]", smart_strings=False),
    }


def _refused(rule: str, reason: str) -> SoapFault:
    return SoapFault(FaultCode.SENDER, reason, rule=rule)


def _doctype() -> SoapFault:
    return _refused("xml.doctype", "A SOAP message must not contain a document type declaration (SOAP 1.2 part 1, 5)")


def _not_well_formed(wrong: Exception) -> SoapFault:
    line, column = getattr(wrong, "position", (0, 0))
    return _refused("xml.well-formed", f"The message is not well-formed XML (line {line}, column {column})")


def elements(parent: etree._Element) -> list[etree._Element]:
    """The child elements, without entity references that a parser may have left."""
    return [child for child in parent if isinstance(child.tag, str)]


def text(element: etree._Element) -> str:
    """The whole character content of an element that has no children, without surrounding white space."""
    return (element.text or "").strip()


def escape(value: str) -> str:
    """A value made safe for a double-quoted attribute or for text; characters that XML 1.0 forbids become U+FFFD."""
    if value.isprintable() and not ("&" in value or "<" in value or ">" in value or '"' in value):
        return value  # nearly always
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    if value.isprintable():
        return value
    return _CONTROL.sub("\ufffd", value).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
