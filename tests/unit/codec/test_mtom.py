"""MTOM messages: references stay inside the message, the root is found, what is written is read again."""

from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.mtom import (
    MimeLimits,
    MultipartParser,
    MultipartRenderer,
    PartBegin,
    PartData,
    PartHead,
    content_id_of,
    is_root,
    parse_content_type,
    render_href,
)
from xds_gateway.model.errors import FaultCode, SoapFault

RENDERER = MultipartRenderer("----b0undary")


# ---- references ----


@pytest.mark.parametrize(
    ("href", "content_id"),
    [
        ("cid:a@b", "a@b"),
        ("cid:a%40b", "a@b"),
        ("cid:%3Ca%40b%3E", "a@b"),
        ("cid:<a@b>", "a@b"),
        ("CID:a@b", "a@b"),
        (" cid:a@b\n", "a@b"),
        ("cid:4d8f-1@urn%3Aihe%3Aiti%3Axds-b%3A2007", "4d8f-1@urn:ihe:iti:xds-b:2007"),  # CXF
        ("cid:1.urn:uuid:0A1B@apache.org", "1.urn:uuid:0A1B@apache.org"),  # Axis2
        ("cid:http%3A%2F%2Ftempuri.org%2F1%2F634", "http://tempuri.org/1/634"),  # .NET: only ever compared
        ("cid:a+b", "a+b"),
    ],
)
def test_a_reference_names_a_part(href: str, content_id: str) -> None:
    assert content_id_of(href) == content_id


_NOT_PARTS = [
    "",
    " ",
    "cid",
    "cid:",
    "cid: ",
    "cid:<>",
    "cid:%3C%3E",
    "a@b",
    "#a",
    "?a",
    "http://127.0.0.1/a",
    "HTTP://127.0.0.1/a",
    "https://[::1]/a",
    "//127.0.0.1/a",
    "file:///etc/passwd",
    "file:/etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "C:\\windows\\win.ini",
    "\\\\host\\share",
    "gopher://127.0.0.1:70/_a",
    "ftp://127.0.0.1/a",
    "jar:file:///a.jar!/b",
    "data:text/plain,a",
    "ldap://127.0.0.1/",
    "netdoc:/etc/passwd",
    "mid:a@b",
    "urn:uuid:0A1B",
    "cid:http://127.0.0.1/a",
    "cid:HTTPS://127.0.0.1/a",
    "cid:file:///etc/passwd",
    "cid:file:/etc/passwd",
    "cid:gopher://127.0.0.1/",
    "cid:/etc/passwd",
    "cid://127.0.0.1/a",
    "cid:x//y",
    "cid:\nhttp://127.0.0.1/a",
    "cid :a@b",
    "c%69d:a@b",
]


@pytest.mark.parametrize("href", _NOT_PARTS)
def test_any_other_reference_is_a_sender_fault(href: str) -> None:
    with pytest.raises(SoapFault) as fault:
        content_id_of(href)
    assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, "mime.href")


@pytest.mark.parametrize("href", ["cid:%00", "cid:a%0d%0ab", "cid:%ff"])
def test_a_reference_that_is_no_text_is_a_sender_fault(href: str) -> None:
    with pytest.raises(SoapFault) as fault:
        content_id_of(href)
    assert fault.value.rule == "mime.content-id"


# ---- the root ----


@pytest.mark.parametrize(
    ("start", "root"),
    [
        (None, 0),
        ("", 0),
        ("<a@b>", 0),
        ("<c@d>", 1),
        ("c@d", 1),
        ("<c%40d>", 1),
        ("<nowhere>", None),
    ],
)
def test_the_root_is_what_start_names_else_the_first_part(start: str | None, root: int | None) -> None:
    heads = [PartHead(content_id, None, "binary", ()) for content_id in ("a@b", "c@d", None)]
    assert [i for i, head in enumerate(heads) if is_root(head, i, start)] == ([] if root is None else [root])


# ---- rendering ----


def test_the_content_type_says_what_mtom_wants() -> None:
    found = parse_content_type(RENDERER.content_type("urn:ihe:iti:2007:RetrieveDocumentSetResponse"))
    assert found.media_type == "multipart/related"
    assert dict(found.parameters) == {
        "type": "application/xop+xml",
        "start": "<root@xds-gateway>",
        "start-info": "application/soap+xml",
        "boundary": "----b0undary",
        "action": "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
    }
    assert "action" not in RENDERER.content_type()


def test_another_mime_reader_understands_the_message() -> None:
    sent = RENDERER.root_head() + b"<e/>" + RENDERER.part_head("1@x", "application/pdf") + b"%PDF" + RENDERER.closing()
    read = message_from_bytes(b"Content-Type: " + RENDERER.content_type().encode() + b"\r\n\r\n" + sent, policy=HTTP)
    root, document = read.iter_parts()
    assert root.get_content_type() == "application/xop+xml"
    assert root.get_param("type") == "application/soap+xml"
    assert root.get_payload(decode=True) == b"<e/>"
    assert document["Content-ID"] == "<1@x>"
    assert document.get_payload(decode=True) == b"%PDF"


def test_a_message_of_the_root_alone() -> None:
    parser = MultipartParser(RENDERER.boundary, MimeLimits())
    begin, data, _ = parser.feed(RENDERER.root_head() + b"<e/>" + RENDERER.closing()) + parser.close()
    assert isinstance(begin, PartBegin)
    assert is_root(begin.head, 0, "<root@xds-gateway>")
    assert begin.head.content_type == 'application/xop+xml; charset="UTF-8"; type="application/soap+xml"'
    assert data == PartData(b"<e/>")


@pytest.mark.parametrize("media_type", ["", "a/b\r\nX: y", "é", " a/b"])
def test_a_media_type_that_would_break_the_header_is_not_written(media_type: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        RENDERER.part_head("a", media_type)


_IDS = st.text(st.characters(codec="utf-8", min_codepoint=0x20, exclude_characters="<>\x7f"), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(_IDS)
def test_a_reference_comes_back_and_names_the_part_as_written(content_id: str) -> None:
    parser = MultipartParser(RENDERER.boundary, MimeLimits())
    (begin,) = parser.feed(RENDERER.part_head(content_id, "text/xml"))[:1]
    assert isinstance(begin, PartBegin)
    assert begin.head.content_id == content_id_of(render_href(content_id)) == content_id


@given(st.text())
def test_any_reference_is_read_or_refused(href: str) -> None:
    try:
        read = content_id_of("cid:" + href)
    except SoapFault as fault:
        read = fault.rule
    assert read


_BODIES = st.lists(st.binary(max_size=200), max_size=5)


@given(_BODIES, st.integers(1, 50))
def test_what_is_rendered_is_parsed(bodies: list[bytes], size: int) -> None:
    sent = RENDERER.root_head() + b"<e/>"
    for i, body in enumerate(bodies):
        sent += RENDERER.part_head(f"{i}@x", "application/octet-stream") + body
    sent += RENDERER.closing()
    parser = MultipartParser(RENDERER.boundary, MimeLimits())
    events = [event for at in range(0, len(sent), size) for event in parser.feed(sent[at : at + size])] + parser.close()
    parts: dict[str | None, bytes] = {}
    for event in events:
        if isinstance(event, PartBegin):
            current = event.head.content_id
            parts[current] = b""
        elif isinstance(event, PartData):
            parts[current] += event.data
    assert parts == {"root@xds-gateway": b"<e/>"} | {f"{i}@x": body for i, body in enumerate(bodies)}
