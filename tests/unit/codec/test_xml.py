"""The hardened parser: each limit has one message within it and one beyond; escaping keeps every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.strategies import XML_TEXT
from xds_gateway.codec.xml import XmlLimits, escape, parse
from xds_gateway.model.errors import FaultCode, SoapFault

LIMITS = XmlLimits()


def refusal(data: bytes, *, charset: str | None = None, **limits: int) -> SoapFault | None:
    try:
        parse(data, XmlLimits(**limits), charset=charset)
    except SoapFault as fault:
        return fault
    return None


def attributes(count: int) -> bytes:
    return b"<a " + b" ".join(b'a%d=""' % n for n in range(count)) + b"/>"


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("rule", "limit", "within", "beyond"),
    [
        ("xml.size", {"size": 20}, b"<a>" + b"x" * 13 + b"</a>", b"<a>" + b"x" * 14 + b"</a>"),
        ("xml.depth", {"depth": 5}, nested(5), nested(6)),
        ("xml.depth", {}, nested(100), nested(101)),
        ("xml.elements", {"elements": 10}, b"<a>" + b"<b/>" * 9 + b"</a>", b"<a>" + b"<b/>" * 10 + b"</a>"),
        ("xml.elements", {"elements": 10}, b"<a>" + b"<b></b>" * 9 + b"</a>", b"<a>" + b"<b></b>" * 10 + b"</a>"),
        ("xml.elements", {"elements": 10}, b"<a>" + b"&lt;" * 40 + b"</a>", b"<a>" + b"<b/>" * 90 + b"</a>"),
        ("xml.attributes", {"attributes": 4}, attributes(4), attributes(5)),
        ("xml.attributes", {}, attributes(500), attributes(501)),
        ("xml.attribute_bytes", {"attribute_bytes": 8}, b'<a b="12345678"/>', b'<a b="123456789"/>'),
        (
            "xml.attribute_bytes",
            {"attribute_bytes": 8},
            '<a b="éééé"/>'.encode(),
            '<a b="ééééé"/>'.encode(),
        ),
        ("xml.namespaces", {"namespaces": 2}, b'<a xmlns="" xmlns:b="c"/>', b'<a xmlns="" xmlns:b="c" xmlns:d="e"/>'),
    ],
)
def test_a_limit_has_two_sides(rule: str, limit: dict[str, int], within: bytes, beyond: bytes) -> None:
    assert refusal(within, **limit) is None
    fault = refusal(beyond, **limit)
    assert fault is not None
    assert (fault.code, fault.rule) == (FaultCode.SENDER, rule)
    assert str(next(iter(limit.values()), "")) in fault.reason


@pytest.mark.parametrize("limit", ["size", "depth", "elements", "attributes", "attribute_bytes", "namespaces"])
def test_a_refusal_names_its_setting(limit: str) -> None:
    data = b'<a xmlns:n="m" b="12" c=""><b xmlns:o="p"><c/></b></a>'
    fault = refusal(data, **{limit: 1})
    assert fault is not None
    assert f"limit {'envelope_bytes' if limit == 'size' else f'xml_{limit}'}" in fault.reason


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("xml.doctype", b"<!DOCTYPE a><a/>"),
        ("xml.doctype", b'<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>'),
        ("xml.doctype", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'),
        ("xml.doctype", b'<!DOCTYPE a [<!ENTITY e "ha"><!ENTITY f "&e;&e;">]><a>&f;</a>'),
        ("xml.doctype", b"<!-- Envelope --><!DOCTYPE a><a/>"),
        ("xml.doctype", "\ufeff<!DOCTYPE a><a/>".encode("utf-16-le")),
        ("xml.instruction", b"<a><?run this?></a>"),
        ("xml.instruction", b"<?style sheet?><a/>"),
        ("xml.well-formed", b""),
        ("xml.well-formed", b"<a>"),
        ("xml.well-formed", b"<a/><b/>"),
        ("xml.well-formed", b"<a/>trailing"),
        ("xml.well-formed", b"<a>&undefined;</a>"),
        ("xml.well-formed", b"<a>\x00</a>"),
        ("xml.well-formed", b"<a>\xff</a>"),
        ("xml.well-formed", b"<a b='1' b='2'/>"),
        ("xml.well-formed", b"<n:a/>"),
        ("xml.well-formed", b"\n<?xml version='1.0'?><a/>"),
        ("xml.encoding", b"<?xml version='1.0' encoding='utf-7'?><a/>"),
        ("xml.encoding", b"<?xml version='1.0' encoding='EBCDIC-CP-FR'?><a/>"),
        ("xml.encoding", "<a/>".encode("utf-16-le")),
        ("xml.encoding", "<a/>".encode("utf-16-be")),
        ("xml.encoding", b"\xff\xfe<"),
    ],
)
def test_what_is_never_read(rule: str, data: bytes) -> None:
    fault = refusal(data)
    assert fault is not None
    assert (fault.code, fault.rule) == (FaultCode.SENDER, rule)


def test_a_refusal_does_not_quote_the_message() -> None:
    fault = refusal(b"<patient>Durand</wrong>")
    assert fault is not None
    assert "Durand" not in fault.reason
    assert "wrong" not in fault.reason
    assert fault.__cause__ is None


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("<a>é</a>".encode(), None, "é"),
        ("<a>é</a>".encode(), "UTF-8", "é"),
        (b"\xef\xbb\xbf" + "<a>é</a>".encode(), "utf-8", "é"),
        ("<?xml version='1.0' encoding='UTF-8'?><a>é</a>".encode(), None, "é"),
        ("<?xml version='1.0' encoding='iso-8859-15'?><a>€</a>".encode("iso-8859-15"), None, "€"),
        ("<a>é</a>".encode("iso-8859-1"), "ISO-8859-1", "é"),
        ("<a>€</a>".encode("windows-1252"), "windows-1252", "€"),
        ("<a>é</a>".encode("utf-16"), "utf-16", "é"),
        ("<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode("utf-16"), None, "é"),
        ("<a>😀</a>".encode("utf-16"), None, "😀"),
    ],
)
def test_encodings_that_are_read(data: bytes, charset: str | None, text: str) -> None:
    assert parse(data, LIMITS, charset=charset).text == text


@pytest.mark.parametrize("charset", ["utf-7", "cp037", "x-unknown", "utf-32"])
def test_a_charset_that_is_not_read(charset: str) -> None:
    fault = refusal(b"<a/>", charset=charset)
    assert fault is not None
    assert fault.rule == "xml.encoding"


def test_comments_are_no_content() -> None:
    root = parse(b"<a>one<!-- two --><b/></a>", LIMITS)
    assert [child.tag for child in root] == ["b"]
    assert root.text == "one"


@pytest.mark.parametrize("text", ["<?no instruction?>", "<!DOCTYPE no>", "<<<", "xmlns xmlns xmlns", "a=b=c=d=e="])
def test_what_only_looks_dangerous_is_text(text: str) -> None:
    data = f"<Envelope><a><![CDATA[{text}]]></a></Envelope>".encode()
    assert parse(data, XmlLimits(namespaces=3, attributes=3))[0].text == text


@given(st.binary(max_size=60))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    fault = refusal(data)
    assert fault is None or fault.code is FaultCode.SENDER


@given(st.text(max_size=30) | XML_TEXT)
def test_any_text_survives_as_text_and_attribute(text: str) -> None:
    safe = escape(text)
    root = etree.fromstring(f'<a b="{safe}">{safe}</a>'.encode())
    assert root.get("b") == (root.text or "")
    assert root.get("b") == "".join("\ufffd" if _forbidden(character) else character for character in text)


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_character_that_xml_forbids_is_replaced(character: str) -> None:
    assert escape(f"a{character}<b") == "a\ufffd&lt;b"


def _forbidden(character: str) -> bool:
    number = ord(character)
    return (number < 0x20 and character not in "\t\n\r") or 0xD800 <= number <= 0xDFFF or number in (0xFFFE, 0xFFFF)
