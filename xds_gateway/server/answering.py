"""Answers onto the wire: in the caller's form, with documents streamed from where they are stored (ITI TF-2 V.8)."""

import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from ..actors.ports import DocumentStore
from ..codec.mtom import SOAP, MultipartRenderer
from ..codec.soap import ENVELOPE_END, render_envelope_start
from ..codec.xdsb import Piece, render_include
from ..model.messages import RetrievedDocument
from .exchange import HttpResponse
from .receiving import Run

_WHOLE: Final = 4 * 1024 * 1024  # bytes of documents that an answer may hold in memory
_SMALL: Final = 1024 * 1024  # one chunk of a stored document

Part = bytes | RetrievedDocument


class Answer(NamedTuple):
    """A rendered answer: `parts` are bytes and documents in wire order."""

    status: int
    content_type: str
    parts: tuple[Part, ...]
    inline: bool  # documents go in as base64


def compose(
    pieces: Sequence[Piece], *, action: str, message_id: str, relates_to: str | None, boundary: str | None
) -> Answer:
    """Frame a body: plain SOAP when `boundary` is None, else MTOM with one attachment for each document."""
    start = render_envelope_start(action, message_id, relates_to)
    if boundary is None:
        content_type = f'{SOAP}; charset=UTF-8; action="{action}"'
        return Answer(status=200, content_type=content_type, parts=(start, *pieces, ENVELOPE_END), inline=True)
    renderer = MultipartRenderer(boundary)
    root: list[bytes] = [renderer.root_head(), start]
    attached: list[Part] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            root.append(piece)
            continue
        content_id = f"document{len(attached) // 2 + 1}.{boundary[-12:]}@xds-gateway"
        root.append(render_include(content_id))
        attached += [renderer.part_head(content_id, piece.mime_type), piece]
    parts = (*root, ENVELOPE_END, *attached, renderer.closing())
    return Answer(status=200, content_type=renderer.content_type(action), parts=parts, inline=False)


def send(answer: Answer, documents: DocumentStore, run: Run) -> HttpResponse:
    """The response of an answer: whole when its documents are small, streamed otherwise. Raises DocumentDamaged."""
    sizes = [part.document.size for part in answer.parts if not isinstance(part, bytes)]
    headers = (("Content-Type", answer.content_type),)
    if sum(sizes) <= _WHOLE and max(sizes, default=0) <= _SMALL:
        read: list[bytes] = []
        for part in answer.parts:
            if isinstance(part, bytes):
                read.append(part)
            else:
                read += _chunks(part, documents, inline=answer.inline)
        content = b"".join(read)
        return HttpResponse(status=answer.status, headers=headers, content=content)
    length = sum(_length(part, inline=answer.inline) for part in answer.parts)
    return HttpResponse(status=answer.status, headers=headers, stream=_streamed(answer, documents, run), length=length)


async def _streamed(answer: Answer, documents: DocumentStore, run: Run) -> AsyncIterator[bytes]:
    """Chunks read off the event loop; damage ends the answer before its declared length.

    What comes before a document goes out when its file is open: from then on a removal (ITI-86) does not cut it short.
    """
    before: list[bytes] = []
    for part in answer.parts:
        if isinstance(part, bytes):
            before.append(part)
            continue
        chunks = await run(partial(_chunks, part, documents, inline=answer.inline))
        yield b"".join(before)
        before.clear()
        while (chunk := await run(next, chunks, None)) is not None:
            yield chunk
    yield b"".join(before)


def _chunks(part: RetrievedDocument, documents: DocumentStore, *, inline: bool) -> Iterator[bytes]:
    chunks = documents.open(part.document)
    return _base64(chunks) if inline else chunks


def _base64(chunks: Iterator[bytes]) -> Iterator[bytes]:
    left = b""
    for chunk in chunks:
        data = left + chunk
        whole = len(data) - len(data) % 3
        left = data[whole:]
        yield base64.b64encode(data[:whole])
    yield base64.b64encode(left)


def _length(part: Any, *, inline: bool) -> int:
    if isinstance(part, bytes):
        return len(part)
    size: int = part.document.size
    return -(-size // 3) * 4 if inline else size
