"""Captured requests: each form is read as the message that it is, and gets a header or none at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.builders import make_submission
from xds_gateway.codec.capture_headers import with_assertion, with_dry_run
from xds_gateway.codec.captures import Capture, NotACapture, parse_capture, root_part
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.namespaces import WSSE
from xds_gateway.codec.soap import DRY_RUN, parse_envelope, render_request_envelope
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.codec.xdsb import render_register_request
from xds_gateway.codec.xml import XmlLimits, parse

ROWS = {row.name: row for row in TRANSACTIONS}
BODY = render_register_request(make_submission())
ENVELOPE = render_request_envelope(ROWS["ITI-42"].request_action, "urn:registry", BODY, "urn:uuid:1")
RENDERER = MultipartRenderer("uuid:b")
MIME = RENDERER.root_head() + ENVELOPE + RENDERER.part_head("d@x", "text/plain") + b"bytes" + RENDERER.closing()
PLAIN = "application/soap+xml; charset=UTF-8"


def http(body: bytes, *headers: str, path: str = "/services/registry") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(f"{len(piece):X};x=1\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


TYPED = f"Content-Type: {PLAIN}"
MIME_TYPED = f"Content-Type: {RENDERER.content_type()}"
FORMS = {
    "HTTP": http(ENVELOPE, TYPED),
    "HTTP with a length": http(ENVELOPE, TYPED, f"Content-Length: {len(ENVELOPE)}") + b"\r\nPOST / HTTP/1.1\r\n",
    "HTTP in chunks": http(chunked(ENVELOPE, 700), TYPED, "Transfer-Encoding: chunked"),
    "HTTP of MIME": http(MIME, MIME_TYPED),
    "HTTP without a type": http(ENVELOPE),
    "MIME with its header": f"MIME-Version: 1.0\n{MIME_TYPED}\n\n".encode() + MIME,
    "MIME with a folded header": MIME_TYPED.replace("; ", ";\r\n\t").encode() + b"\r\n\r\n" + MIME,
    "MIME": MIME,
    "MIME after a preamble": b"preamble\r\n" + MIME,
    "MIME with LF": MIME.replace(b"\r\n", b"\n"),
    "an envelope": ENVELOPE,
    "an envelope with a declaration": b"\xef\xbb\xbf<?xml version='1.0'?>\n" + ENVELOPE,
    "a body": BODY,
    "a body with a declaration": b'<?xml version="1.0" encoding="UTF-8"?>\n' + BODY,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_message(form: str) -> None:
    capture = parse_capture(FORMS[form])
    root = root_part(capture.content_type, capture.body)
    read = parse_envelope(parse(root, XmlLimits()))
    assert (read.action, read.body.tag) == (ROWS["ITI-42"].request_action, ROWS["ITI-42"].body)
    assert (capture.row, capture.endpoint, capture.action) == (ROWS["ITI-42"], "registry", read.action)
    assert capture.naked is form.startswith("a body")
    assert capture.alone is (form.startswith(("a body", "an envelope")) or form == "HTTP without a type")


@pytest.mark.parametrize("form", FORMS)
def test_the_header_is_added_and_nothing_else_is_changed(form: str) -> None:
    capture = parse_capture(FORMS[form])
    dry = with_dry_run(capture)
    assert dry is not None
    assert parse_envelope(parse(root_part(dry.content_type, dry.body), XmlLimits())).dry_run
    added = len(dry.body) - len(capture.body)
    start = dry.body.index(b"<g:DryRun ")
    assert dry.body[:start] + dry.body[start + added :] == capture.body


ASSERTION = b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_new">&#233;</saml:Assertion>'


@pytest.mark.parametrize("form", FORMS)
def test_an_assertion_is_put_in_and_nothing_else_is_changed(form: str) -> None:
    capture = parse_capture(FORMS[form])
    secured = with_assertion(capture, ASSERTION)
    assert secured is not None
    (security,) = parse_envelope(parse(root_part(secured.content_type, secured.body), XmlLimits())).security
    assert [child.get("ID") for child in security] == ["_new"]
    added = len(secured.body) - len(capture.body)
    start = secured.body.index(b"<w:Security ")
    assert secured.body[:start] + secured.body[start + added :] == capture.body


@pytest.mark.parametrize(
    "old",
    [
        f'<w:Security xmlns:w="{WSSE}"/>',
        f"<w:Security xmlns:w='{WSSE}' a='>'>\n<old xmlns='urn:x'>text</old>\n</w:Security >",
        f'<Security xmlns="{WSSE}"><Timestamp/><a/></Security>',
    ],
)
def test_an_assertion_takes_the_place_of_the_old_header(old: str) -> None:
    envelope = ENVELOPE.replace(b"</s:Header>", old.encode() + b"</s:Header>")
    secured, plain = (with_assertion(parse_capture(data), ASSERTION) for data in (envelope, ENVELOPE))
    assert secured is not None
    assert plain is not None
    assert secured.body == plain.body


@pytest.mark.parametrize(
    "header",
    [2 * f'<w:Security xmlns:w="{WSSE}"/>', f'<w:Security xmlns:w="{WSSE}"><w:Security></w:Security></w:Security>'],
    ids=["two", "one in another"],
)
def test_an_assertion_is_not_put_where_security_headers_are_odd(header: str) -> None:
    envelope = ENVELOPE.replace(b"</s:Header>", header.encode() + b"</s:Header>")
    assert with_assertion(parse_capture(envelope), ASSERTION) is None


SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.mark.parametrize(
    "envelope",
    [
        f'<Envelope xmlns="{SOAP12}"><Header/><Body/></Envelope>',
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Header a="1"/><e:Body/></e:Envelope>',
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Body><Header xmlns=""/></e:Body></e:Envelope>',
        f'<e:Envelope xmlns:e="{SOAP12}"\n>\n<e:Header\n>\n</e:Header><e:Body/></e:Envelope>',
        f'<e:Envelope xmlns:e="{SOAP11}"><e:Header/><e:Body/></e:Envelope>',
    ],
)
def test_headers_are_written_in_many_ways(envelope: str) -> None:
    dry = with_dry_run(parse_capture(envelope.encode()))
    assert dry is not None
    assert etree.fromstring(dry.body).find(f"{{*}}Header/{DRY_RUN}") is not None


@pytest.mark.parametrize(
    "message",
    [
        f'<e:Envelope xmlns:e="{SOAP12}"><e:Header><e:Body/></e:Envelope>'.encode(),
        f'<!-- <e:Envelope><e:Header> --><e:Envelope xmlns:e="{SOAP12}"><e:Header/><e:Body/></e:Envelope>'.encode(),
        b"\xff\xfe" + f'<e:Envelope xmlns:e="{SOAP12}"><e:Header/><e:Body/></e:Envelope>'.encode("utf-16-le"),
        MIME.replace(b"Transfer-Encoding: binary", b"Transfer-Encoding: base64", 1),
    ],
    ids=["not well-formed", "a comment that looks like it", "UTF-16", "an envelope in base64"],
)
def test_without_a_safe_place_no_header_is_added(message: bytes) -> None:
    capture = parse_capture(http(message, MIME_TYPED if message.startswith(b"--") else TYPED))
    assert with_dry_run(capture) is None


def test_an_attachment_that_repeats_the_envelope_takes_no_header_for_it() -> None:
    first = b"--uuid:b\r\nContent-ID: <copy>\r\n\r\n" + ENVELOPE + b"\r\n"
    renderer = MultipartRenderer("uuid:b")
    message = http(
        first + renderer.root_head() + ENVELOPE + renderer.closing(), f"Content-Type: {renderer.content_type()}"
    )
    assert with_dry_run(parse_capture(message)) is None


#   transaction named, wsa:Action, element                   what it is taken for
MEANT = [
    (None, ROWS["ITI-57"].request_action, ROWS["ITI-57"].body, "ITI-57"),
    (None, "urn:unknown", ROWS["ITI-43"].body, "ITI-43"),
    (None, "urn:unknown", ROWS["ITI-57"].body, "ITI-42"),
    ("ITI-92", "urn:unknown", ROWS["ITI-57"].body, "ITI-92"),
    (None, "urn:unknown", "{urn:x}y", None),
]


@pytest.mark.parametrize(("named", "action", "element", "expected"), MEANT)
def test_what_a_message_is_meant_for(named: str | None, action: str, element: str, expected: str | None) -> None:
    namespace, _, name = element[1:].partition("}")
    body = f'<b:{name} xmlns:b="{namespace}"/>'.encode()
    capture = parse_capture(render_request_envelope(action, "urn:x", body, "urn:uuid:1"), named)
    assert (capture.row.name if capture.row else None) == expected
    assert capture.element == element


@pytest.mark.parametrize("row", TRANSACTIONS, ids=lambda row: row.name)
def test_a_naked_element_is_wrapped_for_the_transaction_that_is_named(row) -> None:  # type: ignore[no-untyped-def]
    namespace, _, name = row.body[1:].partition("}")
    capture = parse_capture(f'<b:{name} xmlns:b="{namespace}"/>'.encode(), row.name)
    assert (capture.row, capture.action, capture.endpoint) == (row, row.request_action, row.endpoint)


@pytest.mark.parametrize(
    ("path", "expected"), [("/services/repository", "repository"), ("/x/registry/?a=b", "registry"), ("/x", "registry")]
)
def test_the_path_says_the_endpoint(path: str, expected: str) -> None:
    assert parse_capture(http(ENVELOPE, TYPED, path=path)).endpoint == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n",
        b"hello",
        b"%PDF-1.4",
        b"<html><body/></html>",
        b"POST / HTTP/1.1\r\nHost: x\r\n",
        http(b"", TYPED),
    ],
)
def test_what_is_no_request_is_said_so(data: bytes) -> None:
    with pytest.raises(NotACapture):
        parse_capture(data)


@given(st.binary(max_size=400) | st.sampled_from(sorted(FORMS.values())).flatmap(
    lambda data: st.tuples(st.integers(0, len(data)), st.binary(max_size=20)).map(lambda cut: data[: cut[0]] + cut[1])
))  # fmt: skip
def test_any_bytes_are_a_capture_or_none(data: bytes) -> None:
    try:
        capture = parse_capture(data)
    except NotACapture:
        return
    assert isinstance(capture, Capture)
    dry = with_dry_run(capture)
    assert dry is None or dry.body != capture.body
