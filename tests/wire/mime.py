"""Multipart messages written out by hand, so that they can be odd or broken."""

from collections.abc import Sequence

from xds_gateway.codec.xdsb import render_provide_request
from xds_gateway.model.messages import DocumentPart, ProvideRequest

from .messages import Message, Provide, envelope, retrieve, send

XOP_TYPE = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"'
BOUNDARY = "MIMEBoundary_7f3a"

Piece = tuple[Sequence[str], bytes]  # header lines and content of a part


def provide_body(provided: Provide, *references: str) -> bytes:
    """The body of ITI-41 with these hrefs, as written."""
    parts = tuple(DocumentPart(i, f"@{n}@", None) for n, i in enumerate(provided.contents))
    body = render_provide_request(ProvideRequest(submission=provided.submission, parts=parts))
    for number, reference in enumerate(references):
        assert f'href="cid:@{number}@"'.encode() in body
        body = body.replace(f'href="cid:@{number}@"'.encode(), f'href="{reference}"'.encode())
    return body


def mime(
    *pieces: Piece,
    boundary: str = BOUNDARY,
    newline: bytes = b"\r\n",
    preamble: bytes = b"",
    end: bytes = b"--\r\n",
    parameters: str = 'type="application/xop+xml"; start="<root>"; start-info="application/soap+xml"',
) -> Message:
    """A multipart message written out by hand."""
    delimiter = b"--" + boundary.encode()
    body = preamble
    for headers, content in pieces:
        head = newline.join(line.encode() for line in headers)
        body += delimiter + newline + head + newline + newline + content + newline
    content_type = f'multipart/related; boundary="{boundary}"; {parameters}'
    return Message("repository", {"Content-Type": content_type}, body + delimiter + end)


def root(provided: Provide, *references: str) -> Piece:
    """The root part."""
    return (
        (f"Content-Type: {XOP_TYPE}", "Content-Transfer-Encoding: binary", "Content-ID: <root>"),
        envelope("ITI-41", provide_body(provided, *references)),
    )


def part(content: bytes, content_id: str = "<doc@x>", *headers: str) -> Piece:
    """An attachment."""
    return (("Content-Type: text/plain", f"Content-ID: {content_id}", *headers), content)


def content_of(provided: Provide) -> bytes:
    """The only document."""
    (content,) = provided.contents.values()
    return content


def round_trip(gateway, provided: Provide, message: Message) -> None:
    """The message succeeds, and every document comes back as it was."""
    answer = send(gateway, message)
    assert (answer.status, answer.contexts) == ("Success", [])
    returned = send(gateway, retrieve(*provided.unique_ids))
    assert returned.documents == dict(zip(provided.unique_ids, provided.contents.values(), strict=True))


def plain_one(p: Provide) -> Message:
    """The message as the standard writes it."""
    return mime(root(p, "cid:doc@x"), part(content_of(p)))
