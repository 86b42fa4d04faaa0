"""Content-Type, Content-ID, header blocks and transfer encodings, as the standard says and as senders write them."""

import base64
import quopri
from collections.abc import Iterable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.mime import (
    ContentType,
    HeadReader,
    MimeLimits,
    PartHead,
    decoder_of,
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


# ---- transfer encodings ----


def decode(encoding: str, chunks: Iterable[bytes]) -> bytes:
    decoder = decoder_of(encoding)
    return b"".join([*map(decoder.decode, chunks), decoder.finish()])


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


_BASE64_BAD = [b"QUJ", b"QUJD*A==", b"QQ==QQ==", b"QQ==\r\nQQ", b"Q===", b"=QQQ", b"QQ=Q", b"QQ==="]
_QP_BAD = [b"=4", b"=G0", b"a=4 ", b"==", b"\xe9", b"\0", b"a\rb", b"a\r", b"= 4", b"a" + b" " * 999 + b"b"]


@pytest.mark.parametrize(
    ("encoding", "sent", "meant"),
    [
        ("binary", b"\0\r\n\xff", b"\0\r\n\xff"),
        ("8bit", b"\xe9\r\n", b"\xe9\r\n"),
        ("7bit", b"a\r\n", b"a\r\n"),
        ("base64", b"", b""),
        ("base64", b"QQ==", b"A"),
        ("base64", b" QUI\r\n=\r\n\t\r\n", b"AB"),
        ("base64", b"QUJD\r\nREVG\n", b"ABCDEF"),
        ("quoted-printable", b"", b""),
        ("quoted-printable", b"caf=C3=a9 =3D\r\n", "café =\r\n".encode()),
        ("quoted-printable", b"soft=\r\nline= \t\r\nend=\nLF", b"softlineendLF"),
        ("quoted-printable", b"blanks \t\r\nare dropped \nhere  ", b"blanks\r\nare dropped\nhere"),
        ("quoted-printable", b"inner  blanks", b"inner  blanks"),
        (
            "quoted-printable",
            b"the last line end belongs to the delimiter=",
            b"the last line end belongs to the delimiter",
        ),
        ("quoted-printable", b"a" + b" " * 998 + b"b", b"a" + b" " * 998 + b"b"),
    ],
)
def test_transfer_encodings_are_undone_however_the_bytes_arrive(encoding: str, sent: bytes, meant: bytes) -> None:
    assert decode(encoding, [sent]) == meant
    assert decode(encoding, single_bytes(sent)) == meant


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [*(("base64", sent) for sent in _BASE64_BAD), *(("quoted-printable", sent) for sent in _QP_BAD)],
)
def test_a_malformed_transfer_encoding_is_refused_however_the_bytes_arrive(encoding: str, sent: bytes) -> None:
    for chunks in ([sent], single_bytes(sent)):
        with pytest.raises(SoapFault) as fault:
            decode(encoding, chunks)
        assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, f"mime.{encoding}")


def test_an_endless_run_of_blanks_is_not_held_back_for_ever() -> None:
    with pytest.raises(SoapFault):
        decode("quoted-printable", repeat(b" "))


@pytest.mark.parametrize("encoding", ["gzip", "x-uuencode", "", "base64; q=1"])
def test_an_unknown_transfer_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(SoapFault) as fault:
        decoder_of(encoding)
    assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, "mime.transfer-encoding")


@given(st.binary(max_size=300), st.lists(st.integers(1, 20)))
def test_base64_comes_back(data: bytes, sizes: list[int]) -> None:
    assert decode("base64", cut(base64.encodebytes(data), sizes)) == data


@given(st.text(st.sampled_from("ab =é\t\n_."), max_size=300), st.lists(st.integers(1, 20)))
def test_quoted_printable_comes_back(text: str, sizes: list[int]) -> None:
    data = text.encode()
    assert decode("quoted-printable", cut(quopri.encodestring(data, quotetabs=True), sizes)) == data


@given(
    st.sampled_from(["base64", "quoted-printable"]),
    st.text(st.sampled_from("A=4 \t\r\n"), max_size=30).map(str.encode),
    st.lists(st.integers(1, 4)),
)
def test_the_chunks_do_not_change_what_is_decoded_or_refused(encoding: str, data: bytes, sizes: list[int]) -> None:
    assert outcome(encoding, cut(data, sizes)) == outcome(encoding, [data])


def outcome(encoding: str, chunks: Iterable[bytes]) -> bytes | str:
    try:
        return decode(encoding, chunks)
    except SoapFault as fault:
        return fault.rule


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    return [*chunks, data]
