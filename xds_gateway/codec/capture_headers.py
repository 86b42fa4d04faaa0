"""Header blocks put into captured requests: every other byte stays as it was, or the message is left alone."""

import re
from collections.abc import Callable
from typing import Final

from lxml import etree

from ..model.errors import GatewayError
from .captures import Capture, root_part
from .namespaces import SOAP12, WSSE
from .soap import DRY_RUN, DRY_RUN_HEADER, render_security_header
from .xml import XmlLimits, parse

_ENVELOPE: Final = re.compile(rb"<(?:[\w.-]+:)?Envelope(?:\s[^>]*)?>")
_HEADER: Final = re.compile(rb"<((?:[\w.-]+:)?Header)(\s[^>]*?)?(/?)>")
_BODY: Final = re.compile(rb"<(?:[\w.-]+:)?Body[\s/>]")
_SECURITY: Final = re.compile(
    rb"<((?:[\w.-]+:)?Security)(?:\s(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)?(?:/>|>.*?</\1\s*>)", re.DOTALL
)


def with_dry_run(capture: Capture) -> Capture | None:
    """The same request with the header DryRun; None when there is no safe place for it."""

    def right(tree: etree._Element) -> bool:
        return tree.find(f"{{*}}Header/{DRY_RUN}") is not None

    return _changed(capture, lambda root: insert_header(root, DRY_RUN_HEADER.encode()), right)


def with_assertion(capture: Capture, assertion: bytes) -> Capture | None:
    """The same request with a Security header that holds this assertion, in place of one that is there.

    None when there is no safe place for it.
    """
    block, identifier = render_security_header(assertion).encode(), etree.fromstring(assertion).get("ID")

    def right(tree: etree._Element) -> bool:
        headers = tree.findall(f"{{*}}Header/{{{WSSE}}}Security")
        return [[child.get("ID") for child in header] for header in headers] == [[identifier]]

    return _changed(capture, lambda root: insert_header(_without_security(root), block), right)


def insert_header(envelope: bytes, block: bytes) -> bytes | None:
    """An envelope with one more header block, the first; None for what does not look like an envelope."""
    opened = _ENVELOPE.search(envelope)
    if opened is None:
        return None
    header = _header(envelope, opened.end())
    if header is None:
        made = f'<h:Header xmlns:h="{SOAP12}">'.encode() + block + b"</h:Header>"
        return envelope[: opened.end()] + made + envelope[opened.end() :]
    if not header[3]:
        return envelope[: header.end()] + block + envelope[header.end() :]
    whole = b"<" + header[1] + (header[2] or b"") + b">" + block + b"</" + header[1] + b">"
    return envelope[: header.start()] + whole + envelope[header.end() :]


def _header(envelope: bytes, start: int) -> re.Match[bytes] | None:
    body = _BODY.search(envelope, start)
    return _HEADER.search(envelope, start, body.start() if body else len(envelope))


def _without_security(envelope: bytes) -> bytes:
    opened = _ENVELOPE.search(envelope)
    header = _header(envelope, opened.end()) if opened else None
    body = _BODY.search(envelope, header.end()) if header else None
    found = _SECURITY.search(envelope, header.end(), body.start()) if header and body else None
    return envelope[: found.start()] + envelope[found.end() :] if found else envelope


def _changed(
    capture: Capture, change: Callable[[bytes], bytes | None], right: Callable[[etree._Element], bool]
) -> Capture | None:
    """The request with its envelope changed; None unless what came out is right, as a parser reads it."""
    root = root_part(capture.content_type, capture.body)
    place = capture.body.find(root) if root else -1
    changed = change(root) if place >= 0 else None
    if changed is None:
        return None
    body = capture.body[:place] + changed + capture.body[place + len(root) :]
    try:
        tree = parse(root_part(capture.content_type, body), XmlLimits())
    except GatewayError:
        return None
    return capture._replace(body=body) if right(tree) else None
