"""Captured requests: what a file holds, from a whole HTTP request down to a naked body, as a message to send again."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from lxml import etree

from ..model.errors import GatewayError
from .mtom import (
    MULTIPART,
    SOAP,
    ContentType,
    MimeLimits,
    MultipartParser,
    PartBegin,
    PartData,
    is_root,
    parse_content_type,
    render_content_type,
)
from .namespaces import SOAP11, WSA
from .soap import render_request_envelope
from .transactions import ENDPOINTS, TRANSACTIONS, TransactionRow
from .xml import XmlLimits, parse

_REQUEST_LINE: Final = re.compile(rb"[A-Z]+ (\S+) HTTP/1\.[01]\r?\n")
_HEADER_LINE: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:")
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_DELIMITER: Final = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200}?)[ \t]*\r?\n(?=[A-Za-z-]+:)")
_DECLARATION: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")
_MESSAGE_ID: Final = "urn:uuid:00000000-0000-4000-8000-000000000000"
_TEXT_XML: Final = "text/xml; charset=UTF-8"
_PLAIN: Final = f"{SOAP}; charset=UTF-8"


class NotACapture(GatewayError):
    """The bytes are no request of a known form; the text says what was looked for."""


class Capture(NamedTuple):
    """A request to send again: `endpoint` is None when nothing tells it; `row` and `action` are what it seems to be.

    `path` is that of the request line; header names are lower case; `element` is that in the Body. `naked`: the
    envelope was made here; `alone`: parts that it refers to may have been left out of the capture.
    """

    path: str | None
    headers: Mapping[str, str]
    body: bytes
    endpoint: str | None
    action: str | None
    element: str | None
    row: TransactionRow | None
    naked: bool
    alone: bool

    @property
    def content_type(self) -> str:
        """The Content-Type, as sent or as it should have been."""
        return self.headers["content-type"]


def parse_capture(data: bytes, transaction: str | None = None) -> Capture:
    """Read a capture: an HTTP request, MIME with or without headers, an envelope, or the element of a Body.

    `transaction`, as "ITI-57", says what a naked body is meant for where its element leaves a choice. Raises
    NotACapture.
    """
    path, headers, body = _split(data)
    if not body.strip():
        raise NotACapture("There is nothing in it beside headers")
    alone = "content-type" not in headers
    if alone:
        headers = {**headers, "content-type": _content_type_of(body)}
    if headers["content-type"] == "":
        return _naked(path, headers, body, transaction)
    root = root_part(headers["content-type"], body)
    action, element = _addressed(root)
    row = _row_of(action, element, transaction)
    endpoint = _endpoint_of(path) or (row.endpoint if row else None)
    alone = alone and not headers["content-type"].startswith(MULTIPART)
    return Capture(path, headers, body, endpoint, action, element, row, naked=False, alone=alone)


# ---- the forms ----


def _split(data: bytes) -> tuple[str | None, dict[str, str], bytes]:
    """Path, headers and body; without a head the bytes are the body."""
    first = _REQUEST_LINE.match(data)
    if first is None and not _HEADER_LINE.match(data):
        return None, {}, data
    end = _END_OF_HEAD.search(data)
    if end is None:
        raise NotACapture("The HTTP head does not end: an empty line is missing")
    head = data[first.end() if first else 0 : end.start()].decode("latin-1")
    lines = re.sub(r"\r?\n[ \t]+", " ", head).splitlines()
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = data[end.end() :]
    if headers.pop("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    length = headers.pop("content-length", "")
    if length.isdigit():
        body = body[: int(length)]
    return first[1].decode("latin-1").partition("?")[0] if first else None, headers, body


def _unchunked(data: bytes) -> bytes:
    """A body without its chunked coding, as far as it goes (RFC 9112 7.1)."""
    pieces, place = [], 0
    while (head := _CHUNK.match(data, place)) and (size := int(head[1], 16)):
        pieces.append(data[head.end() : head.end() + size])
        place = head.end() + size + 2
    return b"".join(pieces)


def _content_type_of(body: bytes) -> str:
    """The Content-Type that such a body has; empty for a naked body. Raises NotACapture."""
    delimiter = _DELIMITER.search(body[:16384])
    if delimiter:
        boundary = delimiter[1].decode("latin-1")
        return render_content_type(ContentType(MULTIPART, {"type": "application/xop+xml", "boundary": boundary}))
    name = _first_element(body)
    if name is None:
        raise NotACapture("It is neither an HTTP request, nor MIME, nor XML")
    if name == f"{{{SOAP11}}}Envelope":
        return _TEXT_XML
    return _PLAIN if name.endswith("}Envelope") or name == "Envelope" else ""


def _first_element(body: bytes) -> str | None:
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True, load_dtd=False)
    with suppress(etree.XMLSyntaxError):
        parser.feed(body.lstrip())
    for _, element in parser.read_events():
        return str(element.tag) if isinstance(element, etree._Element) else None
    return None


def _naked(path: str | None, headers: Mapping[str, str], body: bytes, transaction: str | None) -> Capture:
    """An envelope around the element of a Body."""
    element = _first_element(body)
    row = _row_of(None, element, transaction)
    if row is None:
        raise NotACapture("Its root element is neither an Envelope nor that of a known transaction")
    declaration = _DECLARATION.match(body)
    content = body[declaration.end() :] if declaration else body
    envelope = render_request_envelope(row.request_action, f"urn:{row.endpoint}", content, _MESSAGE_ID)
    whole = (declaration[0].strip() if declaration else b"") + envelope
    headers = {**headers, "content-type": _PLAIN}
    action = row.request_action
    return Capture(path, headers, whole, row.endpoint, action, element, row, naked=True, alone=True)


# ---- what it seems to be ----


def root_part(content_type: str, body: bytes) -> bytes:
    """The envelope; empty when it cannot be found."""
    try:
        parsed = parse_content_type(content_type)
        if parsed.media_type != MULTIPART:
            return body
        parser = MultipartParser(parsed.parameters.get("boundary", ""), MimeLimits())
        events, index, inside = parser.feed(body), -1, False
        pieces: list[bytes] = []
        for event in events:
            if isinstance(event, PartBegin):
                index += 1
                inside = is_root(event.head, index, parsed.parameters.get("start"))
            elif inside and isinstance(event, PartData):
                pieces.append(event.data)
        return b"".join(pieces)
    except GatewayError:
        return b""


def _addressed(root: bytes) -> tuple[str | None, str | None]:
    """wsa:Action and the element in the Body, of any envelope that can be parsed."""
    try:
        tree = parse(root, XmlLimits())
    except GatewayError:
        return None, None
    action = tree.findtext(f"{{*}}Header/{{{WSA}}}Action")
    element = tree.find("{*}Body/*")
    return (action or "").strip() or None, None if element is None else str(element.tag)


def _row_of(action: str | None, element: str | None, transaction: str | None) -> TransactionRow | None:
    """The row of this action, else the first of this body element; a transaction that is named comes first."""
    named = [row for row in TRANSACTIONS if row.name == transaction]
    by_action = [row for row in TRANSACTIONS if row.request_action == action]
    by_element = [row for row in TRANSACTIONS if row.body == element]
    usual = sorted(by_element, key=lambda row: row.name != "ITI-42")
    named.sort(key=lambda row: row.body != element)  # a transaction may have several messages
    return next(iter([*named, *by_action, *usual]), None)


def _endpoint_of(path: str | None) -> str | None:
    last = (path or "").rstrip("/").rpartition("/")[2]
    return last if last in ENDPOINTS else None
