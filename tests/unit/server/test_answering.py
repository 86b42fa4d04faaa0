"""Answers in the caller's form: lengths are known before the bytes, documents come from where they are."""

import asyncio
import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.exchanges import Received, run, whole
from xds_gateway.codec.soap import ENVELOPE_END
from xds_gateway.codec.xdsb import Piece
from xds_gateway.model.errors import DocumentDamaged
from xds_gateway.model.messages import DocumentRequest, RetrievedDocument, StoredDocument
from xds_gateway.server.answering import compose, send

BOUNDARY = "uuid:11111111-2222-4333-8444-555555555555"


class Chunks:
    """A document store that gives each document in chunks of so many bytes."""

    def __init__(self, documents: dict[str, bytes], size: int, damaged: str | None = None) -> None:
        self._documents = documents
        self._size = size
        self._damaged = damaged

    def open(self, document: StoredDocument) -> Iterator[bytes]:
        data = self._documents[document.key]
        for start in range(0, len(data), self._size):
            if document.key == self._damaged and start:
                raise DocumentDamaged(document.key, 1)
            yield data[start : start + self._size]


def piece(key: str, data: bytes, size: int | None = None) -> RetrievedDocument:
    stored = StoredDocument(key=key, size=len(data) if size is None else size, sha1="", chunk_digests=b"")
    return RetrievedDocument(DocumentRequest("1.2", key), stored, "text/plain")


def answered(documents: list[bytes], boundary: str | None, chunk: int = 7) -> tuple[Received, list[Piece]]:
    store = Chunks({str(number): data for number, data in enumerate(documents)}, chunk)
    pieces: list[Piece] = [b"<x>"]
    for number, data in enumerate(documents):
        pieces += [b"<d>", piece(str(number), data), b"</d>"]
    pieces.append(b"</x>")
    answer = compose(pieces, action="urn:a", message_id="urn:uuid:2", relates_to="urn:uuid:1", boundary=boundary)
    response = send(answer, store, run)  # type: ignore[arg-type]
    return Received(response, asyncio.run(whole(response))), pieces


DOCUMENTS = st.lists(st.binary(max_size=40), max_size=3)


@given(DOCUMENTS, st.integers(1, 50))
def test_documents_are_attachments_of_an_mtom_answer(documents: list[bytes], chunk: int) -> None:
    received, _ = answered(documents, BOUNDARY, chunk)
    includes = [element.get("href") for element in received.body.iter("{http://www.w3.org/2004/08/xop/include}Include")]
    parts = received.parts
    assert [parts[(href or "").removeprefix("cid:")] for href in includes] == documents
    assert len(parts) == len(documents) + 1
    assert received.response.content_length == len(received.content)


@given(DOCUMENTS, st.integers(1, 50))
def test_documents_are_base64_in_a_plain_answer(documents: list[bytes], chunk: int) -> None:
    received, _ = answered(documents, None, chunk)
    assert [base64.b64decode(element.text or "") for element in received.body] == documents
    assert received.response.content_length == len(received.content)
    assert received.content.endswith(ENVELOPE_END)


@pytest.mark.parametrize("boundary", [None, BOUNDARY])
@pytest.mark.parametrize(
    ("sizes", "streamed"),
    [
        ([], False),
        ([1 << 20], False),
        ([(1 << 20) + 1], True),
        ([1 << 20] * 4, False),
        ([1 << 20] * 4 + [1], True),
    ],
)
def test_what_is_too_much_for_memory_is_streamed(boundary: str | None, sizes: list[int], streamed: bool) -> None:
    received, _ = answered([bytes(size) for size in sizes], boundary, 1 << 20)
    assert (received.response.stream is not None) is streamed
    assert received.response.content_length == len(received.content)


def test_a_small_damaged_document_is_found_before_the_first_byte() -> None:
    store = Chunks({"k": bytes(20)}, 10, damaged="k")
    answer = compose([piece("k", bytes(20))], action="urn:a", message_id="m", relates_to=None, boundary=None)
    with pytest.raises(DocumentDamaged):
        send(answer, store, run)  # type: ignore[arg-type]


def test_a_large_damaged_document_breaks_off() -> None:
    size = (1 << 20) + 1
    store = Chunks({"k": bytes(size)}, 1 << 20, damaged="k")
    answer = compose([piece("k", bytes(size))], action="urn:a", message_id="m", relates_to=None, boundary=BOUNDARY)
    response = send(answer, store, run)  # type: ignore[arg-type]
    given_out = b""

    async def read() -> None:
        nonlocal given_out
        assert response.stream is not None
        async for chunk in response.stream:
            given_out += chunk

    with pytest.raises(DocumentDamaged):
        asyncio.run(read())
    assert 0 < len(given_out) < response.content_length


@pytest.mark.parametrize(("boundary", "start"), [(None, "application/soap+xml"), (BOUNDARY, "multipart/related")])
def test_the_content_type_names_form_and_action(boundary: str | None, start: str) -> None:
    received, _ = answered([b"x"], boundary)
    assert received.content_type.startswith(start)
    assert 'action="urn:a"' in received.content_type
    assert (received.header("Action"), received.header("RelatesTo")) == ("urn:a", "urn:uuid:1")
