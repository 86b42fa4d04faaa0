"""Content-Type, Content-ID and header blocks, as the standard says and as senders write them."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.mime import (
    ContentType,
    HeadReader,
    MimeLimits,
    PartHead,
    parse_content_id,
    parse_content_type,
    render_content_type,
)
from xds_gateway.model.errors import FaultCode, HttpRefused, SoapFault

LIMITS = MimeLimits()


# ---- Content-Type ----


@pytest.mark.parametrize(
    ("value", "media_type", "parameters"),
    [
        ("application/soap+xml", "application/soap+xml", {}),
        (" Multipart/Related ; Boundary=x", "multipart/related", {"boundary": "x"}),
        ('a/b; x="1; y=2"; z=3', "a/b", {"x": "1; y=2", "z": "3"}),
        (r'a/b; x="say \"so\" \\"', "a/b", {"x": r'say "so" \ '.strip()}),
        ("a/b;x=1;;y=2; ", "a/b", {"x": "1", "y": "2"}),
        ("a/b; x = 1 ; y\t=\t2", "a/b", {"x": "1", "y": "2"}),
        ('a/b; x=""', "a/b", {"x": ""}),
        # without quotes, though the characters need them
        ("multipart/related; boundary=uuid:1-2", "multipart/related", {"boundary": "uuid:1-2"}),
        ("multipart/related; type=application/xop+xml; start=<a@b>", "multipart/related", None),
        # junk
        ("application/xop+xml; charset=UTF-8; action=\"None\"; type='x'", "application/xop+xml", None),
        ('a/b; x="1"junk; y=2', "a/b", {"x": "1", "y": "2"}),
        ("a/b; junk; =3; x=1", "a/b", {"x": "1"}),
        ('a/b; x="open', "a/b", {"x": ""}),
        ("a/b; x=1; X=1", "a/b", {"x": "1"}),
    ],
)
def test_a_content_type_is_read(value: str, media_type: str, parameters: dict[str, str] | None) -> None:
    found = parse_content_type(value)
    assert found.media_type == media_type
    if parameters is not None:
        assert dict(found.parameters) == parameters


def test_the_content_type_of_cxf_is_read() -> None:
    found = parse_content_type(
        'multipart/related; type="application/xop+xml"; boundary="uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82"; '
        'start="<root.message@cxf.apache.org>"; start-info="application/soap+xml"'
    )
    assert found.parameters["boundary"] == "uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82"
    assert found.parameters["start"] == "<root.message@cxf.apache.org>"


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "text",
        "text/",
        "/xml",
        "a/b/c",
        "text xml",
        "a/b c",
        "a/b; x=1; x=2",
        'a/b; boundary="a\r\nb"',
        "a/b\0",
    ],
)
def test_an_unreadable_content_type_is_refused_with_415(value: str) -> None:
    with pytest.raises(HttpRefused) as refused:
        parse_content_type(value)
    assert refused.value.status == 415


_NAMES = st.from_regex(r"[a-z][a-z0-9*_-]{0,8}", fullmatch=True)
_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


@given(st.dictionaries(_NAMES, _VALUES))
def test_a_content_type_comes_back_as_written(parameters: dict[str, str]) -> None:
    written = ContentType("multipart/related", parameters)
    assert parse_content_type(render_content_type(written)) == written


# ---- Content-ID ----


@pytest.mark.parametrize(
    ("value", "content_id"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        ("<a%40b>", "a@b"),
        ("%3Ca%40b%3E", "a@b"),
        (" <1.urn:uuid:7@apache.org> ", "1.urn:uuid:7@apache.org"),
        ("<http://tempuri.org/1/634>", "http://tempuri.org/1/634"),
        ("<100%>", "100%"),
        ("<caf%C3%A9@b>", "café@b"),
        ("<>", None),
        ("", None),
    ],
)
def test_a_content_id_is_read(value: str, content_id: str | None) -> None:
    assert parse_content_id(value) == content_id


@pytest.mark.parametrize("value", ["<a%00b>", "<a%0d%0ab>", "<%ff>"])
def test_a_content_id_that_is_no_text_is_refused(value: str) -> None:
    with pytest.raises(SoapFault) as fault:
        parse_content_id(value)
    assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, "mime.content-id")


# ---- header block ----


def read_head(lines: Iterable[bytes], limits: MimeLimits = LIMITS) -> PartHead:
    reader = HeadReader(limits)
    for line in lines:
        reader.take(line)
    return reader.finish()


def test_a_head_is_read() -> None:
    head = read_head([b"Content-Type: text/xml", b"CONTENT-ID:<a@b>", b"Content-Transfer-Encoding: BASE64", b"X-Y:"])
    assert head.content_type == "text/xml"
    assert head.content_id == "a@b"
    assert head.transfer_encoding == "base64"
    assert head.headers[3] == ("X-Y", "")


def test_a_part_without_headers_is_binary() -> None:
    assert read_head([]) == PartHead(None, None, "binary", ())


def test_folded_headers_are_joined() -> None:
    head = read_head([b"Content-Type: application/xop+xml;", b'\ttype="application/soap+xml";', b"   charset=UTF-8"])
    assert head.content_type == 'application/xop+xml; type="application/soap+xml"; charset=UTF-8'


@pytest.mark.parametrize(("raw", "text"), [("é".encode(), "é"), (b"\xe9", "é")])
def test_header_text_beyond_ascii_is_kept(raw: bytes, text: str) -> None:
    assert read_head([b"Content-Description: " + raw]).headers == (("Content-Description", text),)


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ([b"no colon"], "mime.header"),
        ([b": no name"], "mime.header"),
        ([b"Content-ID : <a>"], "mime.header"),
        ([b"N\xc3\xa9: x"], "mime.header"),
        ([b"A: b\0c"], "mime.header"),
        ([b"A: b\rC: d"], "mime.header"),
        ([b"A: \x7f"], "mime.header"),
        ([b" folds nothing"], "mime.header"),
        ([b"A: b", b"  \t"], "mime.header"),
        ([b"Content-ID: <a>", b"content-id: <b>"], "mime.header"),
        ([b"Content-Type: a/b", b"Content-Type: a/b"], "mime.header"),
        ([b"Content-ID: <%00>"], "mime.content-id"),
    ],
)
def test_a_malformed_head_is_refused(lines: list[bytes], rule: str) -> None:
    with pytest.raises(SoapFault) as fault:
        read_head(lines)
    assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, rule)


@pytest.mark.parametrize(
    ("at_limit", "over_limit", "rule", "named"),
    [
        ([b"A: b"] * 3, [b"A: b"] * 4, "mime.headers", "3"),
        ([b"A: 4567890"], [b"A: 45678901"], "mime.header-size", "10"),
        ([b"A: 3", b" 678", b" 0"], [b"A: 3", b" 678", b" 01"], "mime.header-size", "10"),
    ],
)
def test_a_head_over_a_limit_is_refused_and_the_limit_named(
    at_limit: list[bytes], over_limit: list[bytes], rule: str, named: str
) -> None:
    limits = MimeLimits(headers_per_part=3, header_bytes=10)
    assert read_head(at_limit, limits).headers
    with pytest.raises(SoapFault) as fault:
        read_head(over_limit, limits)
    assert fault.value.rule == rule
    assert named in fault.value.reason
