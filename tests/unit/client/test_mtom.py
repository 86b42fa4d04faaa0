"""Messages with attachments: of the length they say, read back as they were sent."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from xds_gateway.client import Misconfigured, UnexpectedAnswer
from xds_gateway.client.mtom import Attachment, DocumentReceiver, MtomMessage, read_envelope


class Answer:
    """An HTTP answer from bytes, in pieces of a given size."""

    status = 200

    def __init__(self, content_type: str, data: bytes, piece: int = 7) -> None:
        self.content_type = content_type
        self._data = data
        self._piece = piece

    def __iter__(self) -> Iterator[bytes]:
        return (self._data[i : i + self._piece] for i in range(0, len(self._data), self._piece))


def message(*contents: Path | bytes) -> MtomMessage:
    attachments = tuple(
        Attachment(
            f"d{n}@x", "text/plain", content, content.stat().st_size if isinstance(content, Path) else len(content)
        )
        for n, content in enumerate(contents)
    )
    return MtomMessage(b"<envelope/>", attachments, "urn:action", "boundary-1")


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_what_is_sent_is_received(tmp_path: Path, piece: int) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"\r\n--boundary-10\r\n" * 1000)
    sent = message(path)
    received = BytesIO()
    receiver = DocumentReceiver(received)
    envelope = read_envelope(Answer(sent.content_type, b"".join(sent), piece), receiver)  # type: ignore[arg-type]
    assert (envelope, received.getvalue()) == (b"<envelope/>", path.read_bytes())


@pytest.mark.parametrize("contents", [(), (b"",), (b"abc", b"\r\n--"), (b"x" * 1_000_000,)])
def test_the_length_is_known_before_and_sending_again_sends_the_same(contents: tuple[bytes, ...]) -> None:
    sent = message(*contents)
    data = b"".join(sent)
    assert (len(sent), b"".join(sent)) == (len(data), data)


@pytest.mark.parametrize(("written", "size"), [(b"abcd", 3), (b"ab", 3)], ids=["longer", "shorter"])
def test_a_file_that_changed_meanwhile_is_noticed(tmp_path: Path, written: bytes, size: int) -> None:
    path = tmp_path / "document"
    path.write_bytes(written)
    changed = MtomMessage(b"<e/>", (Attachment("d@x", "text/plain", path, size),), "urn:a", "b")
    with pytest.raises(Misconfigured, match="changed"):
        b"".join(changed)


@pytest.mark.parametrize("content_type", ["application/soap+xml; charset=utf-8", "text/xml"])
def test_a_plain_answer_is_its_envelope(content_type: str) -> None:
    assert read_envelope(Answer(content_type, b"<e/>" * 10)) == b"<e/>" * 10  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("", b""),
        ("text/html", b"<html/>"),
        ("multipart/related", b""),
        ("multipart/related; boundary=b", b"--b\r\n\r\n<e/>"),
        ('multipart/related; boundary=b; start="<gone>"', b"--b\r\nContent-ID: <d>\r\n\r\n<e/>\r\n--b--\r\n"),
    ],
    ids=["nothing", "html", "no boundary", "truncated", "no root"],
)
def test_what_is_no_soap_answer_is_unexpected(content_type: str, data: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        read_envelope(Answer(content_type, data), DocumentReceiver(BytesIO()))  # type: ignore[arg-type]


def test_more_attachments_than_asked_for_are_unexpected() -> None:
    sent = message(b"abc", b"def")
    with pytest.raises(UnexpectedAnswer, match="nobody asked"):
        read_envelope(Answer(sent.content_type, b"".join(sent)), DocumentReceiver(BytesIO()))  # type: ignore[arg-type]


def test_what_is_received_is_measured() -> None:
    receiver = DocumentReceiver(BytesIO())
    sent = message(b"abc")
    read_envelope(Answer(sent.content_type, b"".join(sent)), receiver)  # type: ignore[arg-type]
    assert (receiver.size, receiver.sha1) == (3, "a9993e364706816aba3e25717850c26c9cd0d89d")
