"""Multipart messages: what is accepted comes back byte for byte however it arrives, the rest is a Sender fault."""

import base64
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.mime import MimeLimits
from xds_gateway.codec.multipart import MultipartParser, PartBegin, PartData, PartEnd
from xds_gateway.model.errors import FaultCode, HttpRefused, SoapFault

B = "uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82"
LIMITS = MimeLimits()


class Part(NamedTuple):
    """A part as the parser gave it."""

    content_id: str | None
    data: bytes


def parse(chunks: Iterable[bytes], boundary: str = B, limits: MimeLimits = LIMITS) -> list[Part]:
    """The parts of a message; the order of events is asserted on the way."""
    parser = MultipartParser(boundary, limits)
    events = [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()
    parts: list[Part] = []
    open_part = False
    for event in events:
        match event:
            case PartBegin(head):
                assert not open_part
                open_part = True
                parts.append(Part(head.content_id, b""))
            case PartData(data):
                assert open_part
                assert data
                parts[-1] = parts[-1]._replace(data=parts[-1].data + data)
            case PartEnd():
                assert open_part
                open_part = False
    assert not open_part
    return parts


def message(*bodies: bytes, newline: bytes = b"\r\n", boundary: str = B) -> bytes:
    """A message of parts 0, 1, 2, ... with these bodies."""
    dashed = b"--" + boundary.encode()
    parts = [dashed + newline + b"Content-ID: <%d>" % i + newline * 2 + body for i, body in enumerate(bodies)]
    return newline.join([*parts, dashed + b"--" + newline])


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    return [*chunks, data]


def refusal(chunks: Iterable[bytes], boundary: str = B, limits: MimeLimits = LIMITS) -> SoapFault:
    with pytest.raises(SoapFault) as fault:
        parse(chunks, boundary, limits)
    assert fault.value.code is FaultCode.SENDER
    return fault.value


# ---- what is accepted ----

_D = b"--" + B.encode()


@pytest.mark.parametrize(
    "sent",
    [
        _D + b"\r\n\r\nbody\r\n" + _D + b"--\r\n",
        _D + b"\r\n\r\nbody\r\n" + _D + b"--",
        _D + b"\r\n\r\nbody\r\n" + _D + b"--\r",
        _D + b"\r\n\r\nbody\r\n" + _D + b"-- \t",
        _D + b"\r\n\r\nbody\r\n" + _D + b"--\n",
        b"\r\n" + _D + b"\r\n\r\nbody\r\n" + _D + b"--",
        _D + b" \t \r\n\r\nbody\r\n" + _D + b" --\r\n\r\n" + _D + b"-- \r\n",
        b"This is a multi-part message in MIME format.\r\n" + _D + b"x\r\n" + _D + b"\r\n\r\nbody\r\n" + _D + b"--\r\n",
        b"LF preamble\n" + _D + b"\r\n\r\nbody\r\n" + _D + b"--\r\n",
        _D + b"\r\n\r\nbody\r\n" + _D + b"--\r\n\r\nThe end.\r\n" + _D + b"x",
        _D + b"\n\nbody\n" + _D + b"--\n",
        _D + b"\n\nbody\n" + _D + b"--\r\n",
        b"\n" + _D + b"\n\nbody\n" + _D + b"--",
    ],
    ids=lambda sent: repr(sent.replace(_D, b"--B")),
)
def test_the_frame_of_a_message_may_vary(sent: bytes) -> None:
    for chunks in ([sent], single_bytes(sent)):
        assert parse(chunks)[0].data.removesuffix(b"\r\n" + _D + b" --\r\n") == b"body"


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/xml;{n} charset=utf-8;{n}\tx=y{n}Content-ID:{n} <a@b>{n}",
        b"content-id: <a%40b>{n}",
        b"Content-ID: a@b{n}",
    ],
)
def test_folded_headers_and_every_writing_of_a_content_id(head: bytes, newline: bytes) -> None:
    head = head.replace(b"{n}", newline)
    sent = newline.join([_D, head, b"body", _D + b"--"])
    assert parse([sent]) == parse(single_bytes(sent)) == [Part("a@b", b"body")]


def test_a_part_may_have_no_header_and_no_body() -> None:
    # the empty line's end may be that of the delimiter (RFC 2046 5.1.1: the body is optional)
    sent = _D + b"\r\n\r\n\r\n" + _D + b"\r\n\r\n" + _D + b"\r\nContent-ID: <x>\r\n\r\n" + _D + b"--"
    assert parse([sent]) == parse(single_bytes(sent)) == [Part(None, b""), Part(None, b""), Part("x", b"")]


_DOCUMENTS = [
    b"",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n" * 5,
    b"\r\r\r\n\n\n\r",
    b"-",
    b"--",
    b"\r\n--",
    b"\r\n--\r\n",
    _D[:-1],
    b"\r\n" + _D[:-1],
    b"\r\n" + _D[:-1] + b"\r\n",
    b"\r\n" + _D[:-1] + b"\r\n" + _D[:-3] + b"\r",
    _D + b"x\r\n",
    b"\r\n" + _D + b"x\r\n",
    b"\r\n" + _D + b"-\r\n",
    b"\r\n" + _D + b"---\r\n",
    b"\r\n" + _D + b"--x\r\n",
    b"\r\n" + _D + b" x\r\n",
    b"\r\n" + _D + b" " * 65 + b"\r\n",
    b"\r\n" + _D + b"-",
    b"\r\n" + _D + b"--" + _D,
    b"x" + _D + b"\r\n",
    b"x" + _D + b"--\r\n",
    b"\r\n-" + _D + b"\r\n",
    b"\r\n " + _D + b"\r\n",
    b"%PDF-1.4\r\n\0\xff\xfe--",
    b"\xef\xbb\xbf<ClinicalDocument/>\r",
]


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda document: repr(document.replace(_D, b"--B")))
def test_a_document_with_boundary_look_alikes_comes_back(document: bytes, newline: bytes) -> None:
    if newline == b"\n":
        document = document.replace(b"\r\n", b"\n")
    sent = message(b"<root/>", document, b"last", newline=newline)
    wanted = [Part("0", b"<root/>"), Part("1", document), Part("2", b"last")]
    assert parse([sent]) == wanted
    assert parse(single_bytes(sent)) == wanted
    assert parse(sent[i : i + 7] for i in range(0, len(sent), 7)) == wanted


@pytest.mark.parametrize(
    ("newline", "document"),
    [
        (b"\r\n", b"\n" + _D + b"\n"),
        (b"\r\n", b"\n" + _D + b"--\r\n"),
        (b"\r\n", b"\r" + _D + b"\r\n"),
        (b"\r\n", b"\r\n" + _D + b"\n"),
        (b"\n", b"\n" + _D + b"\r\n"),
        (b"\n", b"\r" + _D + b"\n"),
        (b"\n", b"ends in CR\r"),
    ],
)
def test_the_first_delimiter_decides_which_line_ends_count(newline: bytes, document: bytes) -> None:
    sent = message(document, newline=newline)
    assert parse([sent]) == parse(single_bytes(sent)) == [Part("0", document)]


@pytest.mark.parametrize(
    "boundary", ["b", "x" * 70, "uuid:1-2", "=_Part_1.2+3?'(a)/,", "a b", "[*.{2}]^$|\\", "---", '"']
)
def test_boundaries_of_odd_characters(boundary: str) -> None:
    sent = message(b"one", b"two", boundary=boundary)
    assert parse(single_bytes(sent), boundary) == [Part("0", b"one"), Part("1", b"two")]


@pytest.mark.parametrize(
    ("encoding", "body", "data"),
    [
        ("8BIT", b"a=3D", b"a=3D"),
        ("base64", base64.encodebytes(bytes(range(256))).strip(), bytes(range(256))),
        ("Base64", b"", b""),
        ("quoted-printable", b"caf=C3=A9=\r\n =3D =", "café = ".encode()),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, body: bytes, data: bytes) -> None:
    sent = b"\r\n".join([_D, b"Content-Transfer-Encoding: " + encoding.encode(), b"", body, _D + b"--"])
    assert parse([sent]) == parse(single_bytes(sent)) == [Part(None, data)]


# ---- what is refused ----

_OK = message(b"<root/>", b"document")


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        (b"", "mime.truncated"),
        (b"no boundary at all", "mime.truncated"),
        (b"\r\n" + _D, "mime.truncated"),
        (_OK[:-3], "mime.truncated"),
        (_OK.removesuffix(_D + b"--\r\n"), "mime.truncated"),
        (_OK.replace(b"--\r\n", b"--x\r\n"), "mime.truncated"),
        (_D + b"\r\nContent-ID: <a>\r\n", "mime.truncated"),
        (_D + b"\nContent-ID: <a>\n\nbody\r\n" + _D + b"\r\n\r\n" + _D + b"\r\n", "mime.truncated"),
        (_D + b"--\r\n", "mime.parts"),
        (b"\r\n" + _D + b"--", "mime.truncated"),
        (_OK + _OK, "mime.epilogue"),
        (_OK + b"\r\n" + _D + b"--", "mime.epilogue"),
        (_OK + _D + b" \r", "mime.epilogue"),
        (_D + b"\r\nContent-ID: <a>\n\r\nbody\r\n" + _D + b"--", "mime.header"),
        (_D + b"\r\nContent-ID: <a>\r\n\nbody\r\n" + _D + b"--", "mime.header"),
        (_D + b"\nContent-ID: <a>\r\n\nbody\n" + _D + b"--", "mime.header"),
        (_D + b"\r\n" + _D + b"--\r\n", "mime.header"),
        (_D + b"\r\nContent-ID: <a>\r\n" + _D + b" \r\n\r\nbody\r\n" + _D + b"--", "mime.header"),
        (_D + b"\r\nno colon\r\n\r\nbody\r\n" + _D + b"--", "mime.header"),
        (_D + b"\r\nA: \0\r\n\r\nbody\r\n" + _D + b"--", "mime.header"),
        (_OK.replace(b"<1>", b"<0>"), "mime.content-id"),
        (_OK.replace(b"<1>", b"%30"), "mime.content-id"),
        (_OK.replace(b"Content-ID: <1>", b"Content-Transfer-Encoding: gzip"), "mime.transfer-encoding"),
        (
            _OK.replace(b"Content-ID: <1>", b"Content-Transfer-Encoding: base64").replace(b"document", b"docu*"),
            "mime.base64",
        ),
        (
            _OK.replace(b"Content-ID: <1>", b"Content-Transfer-Encoding: base64").replace(b"document", b"docum"),
            "mime.base64",
        ),
        (
            _OK.replace(b"Content-ID: <1>", b"Content-Transfer-Encoding: quoted-printable").replace(
                b"document", b"=XY"
            ),
            "mime.quoted-printable",
        ),
    ],
)
def test_a_malformed_message_is_a_sender_fault(sent: bytes, rule: str) -> None:
    assert refusal([sent]).rule == rule
    assert refusal(single_bytes(sent)).rule == rule


@pytest.mark.parametrize("boundary", ["", "x" * 71, "ends in a blank ", "\r\n", "a\0b", "é"])
def test_a_boundary_that_cannot_be_one_is_refused(boundary: str) -> None:
    fault = refusal([], boundary)
    assert fault.rule == "mime.boundary"
    assert "70" in fault.reason


@pytest.mark.parametrize(
    ("build", "limit", "rule"),
    [
        (lambda n: message(*[b"x"] * n), {"parts": 20}, "mime.parts"),
        (lambda n: _D + b"\r\n" + b"A: b\r\n" * n + b"\r\n\r\n" + _D + b"--", {"headers_per_part": 20}, "mime.headers"),
        (
            lambda n: _D + b"\r\nA: " + b"b" * (n - 3) + b"\r\n\r\n\r\n" + _D + b"--",
            {"header_bytes": 20},
            "mime.header-size",
        ),
        (lambda n: b"p" * (n - 1) + b"\n" + _OK, {"preamble_bytes": 20}, "mime.preamble"),
        (lambda n: b"\n" * n + _OK, {"preamble_bytes": 20}, "mime.preamble"),
        (lambda n: _OK + b"e" * n, {"preamble_bytes": 20}, "mime.epilogue"),
    ],
    ids=["parts", "headers", "header bytes", "preamble", "preamble lines", "epilogue"],
)
def test_each_limit_is_named_when_it_is_passed(build: Callable[[int], bytes], limit: dict[str, int], rule: str) -> None:
    limits = MimeLimits(**limit)
    assert parse(single_bytes(build(20)), limits=limits)
    for chunks in ([build(21)], single_bytes(build(21))):
        fault = refusal(chunks, limits=limits)
        assert fault.rule == rule
        assert "20" in fault.reason


# ---- work and memory ----


class Searched(bytes):
    """Bytes that count how many of them were searched."""

    total = 0

    def find(self, *arguments: Any) -> int:  # type: ignore[override]
        found = super().find(*arguments)
        Searched.total += (len(self) if found < 0 else found + len(arguments[0])) - arguments[1]
        return found

    def rfind(self, *arguments: Any) -> int:  # type: ignore[override]
        Searched.total += len(self) - arguments[1]
        return super().rfind(*arguments)


_HOSTILE = {
    "CRLF": b"\r\n",
    "CR": b"\r",
    "boundary without its end": b"\r\n" + _D[:-1],
    "look-alike": b"\r\n" + _D + b"x",
    "unfinished closing": b"\r\n" + _D + b"-",
    "blanks after the boundary": b"\r\n" + _D + b" " * 64 + b"x",
    "delimiters of the other style": b"\n" + _D + b"\n",
}


@pytest.mark.parametrize("hostile", _HOSTILE.values(), ids=_HOSTILE)
def test_every_byte_is_searched_about_once(hostile: bytes) -> None:
    sent = message(hostile * (1 << 20 // len(hostile)))
    Searched.total = 0
    parse([Searched(sent)])
    assert Searched.total <= len(sent) + 200


@contextmanager
def counted_lines() -> Iterator[list[int]]:
    """Counts the Python lines that run in the block: a measure of work that no clock disturbs."""
    count = [0]

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        count[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("hostile", _HOSTILE.values(), ids=_HOSTILE)
def test_single_bytes_cost_the_same_work_each_and_little_is_held(hostile: bytes) -> None:
    parser = MultipartParser(B, LIMITS)
    parser.feed(message(b"").split(b"\r\n" + _D)[0])
    held, lines = 0, []
    for _ in range(3):
        with counted_lines() as count:
            for byte in single_bytes(hostile * (2000 // len(hostile))):
                parser.feed(byte)
                held = max(held, parser.buffered)
        lines.append(count[0])
    assert held <= len(_D) + 70
    assert lines[2] <= lines[1] + 100


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"", b"preamble"),
        (b"", b"\r\n"),
        (_D + b"\r\n", b"A"),
        (_D + b"\r\n", b"A: b\r\n"),
        (_D + b"\r\nA: b\r\n", b" c\r\n"),
    ],
    ids=["preamble", "preamble lines", "header", "headers", "folded"],
)
def test_what_has_no_end_is_refused_at_a_limit(begin: bytes, endless: bytes) -> None:
    parser = MultipartParser(B, LIMITS)
    parser.feed(begin)

    def feed_for_ever() -> None:
        while True:
            parser.feed(endless)
            assert parser.buffered <= LIMITS.header_bytes + 200

    with pytest.raises(SoapFault):
        feed_for_ever()


def test_a_large_chunk_of_a_document_is_not_copied() -> None:
    parser = MultipartParser(B, LIMITS)
    parser.feed(_D + b"\r\n\r\nbegin")
    chunk = bytes(65536)
    (event,) = parser.feed(chunk)
    assert isinstance(event, PartData)
    assert event.data is chunk


# ---- any message, any chunks ----

_PIECES = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"-", b"--", _D, _D[:-1], b"x", b" ", b"\0", b"Content-ID: <0>", b"--\r\n"]
)
_NEAR = st.lists(_PIECES, max_size=12).map(b"".join)
_BODIES = st.lists(st.binary(max_size=80) | _NEAR, min_size=1, max_size=4)
_SIZES = st.lists(st.integers(1, 30), max_size=60)


def occurs(body: bytes, newline: bytes) -> bool:
    """Whether a body has a line that is a delimiter, so that no sender could send it with this boundary."""
    lines = (newline + body).split(newline + _D)[1:]
    return any(line.removeprefix(b"--").lstrip(b" \t")[:1] in (b"", b"\r", b"\n") for line in lines)


@given(_BODIES, _SIZES, st.sampled_from([b"\r\n", b"\n"]))
def test_parts_come_back_whatever_they_hold_and_however_they_arrive(
    bodies: list[bytes], sizes: list[int], newline: bytes
) -> None:
    bodies = [b"?" if occurs(body, newline) else body for body in bodies]
    wanted = [Part(str(i), body) for i, body in enumerate(bodies)]
    assert parse(cut(message(*bodies, newline=newline), sizes)) == wanted


_RICH = (
    b"preamble\r\n--B\r\nContent-Type: a/b;\r\n c=d\r\nContent-ID: <0>\r\n\r\n<root/>\r\n"
    b"--B\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <%30>\r\n\r\nQUJD\r\nRA==\r\n"
    b"--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3D=\r\nb \r\n--B--\r\nepilogue"
).replace(b"<%30>", b"<1>")
_MUTATIONS = st.tuples(
    st.integers(0, len(_RICH)),
    st.integers(0, 6),
    st.binary(max_size=3)
    | st.sampled_from([b"\r\n--B\r\n", b"\r\n--B--", b"\r", b"\n", b"\0", b"%ff", b":", b"=", b"<0>"]),
)


def mutated(mutations: list[tuple[int, int, bytes]]) -> bytes:
    sent = _RICH
    for place, removed, inserted in mutations:
        sent = sent[:place] + inserted + sent[place + removed :]
    return sent


def outcome(chunks: Iterable[bytes]) -> list[Part] | str:
    try:
        return parse(chunks, "B", MimeLimits(header_bytes=60, headers_per_part=3, parts=4, preamble_bytes=30))
    except SoapFault as fault:
        return fault.rule
    except HttpRefused as refused:
        return str(refused.status)


def test_the_message_that_is_mutated_is_whole() -> None:
    assert outcome([_RICH]) == [Part("0", b"<root/>"), Part("1", b"ABCD"), Part(None, b"a=b")]


@given(st.lists(_MUTATIONS, min_size=1, max_size=4), _SIZES)
def test_a_damaged_message_is_read_or_refused_and_the_chunks_do_not_matter(
    mutations: list[tuple[int, int, bytes]], sizes: list[int]
) -> None:
    sent = mutated(mutations)
    assert outcome([sent]) == outcome(cut(sent, sizes)) == outcome(single_bytes(sent))


def test_a_message_that_nothing_follows_is_over_once():
    parser = MultipartParser(B, LIMITS)
    parser.feed(message(b"abc").removesuffix(b"\r\n"))  # as CXF ends its messages
    assert parser.close() == [PartEnd()]
    assert parser.close() == []
