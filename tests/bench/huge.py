"""One huge document in and out, streamed on this side too."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace

from xds_gateway.client.samples import make_sample
from xds_gateway.model.metadata import Slot

from . import messages
from .loopback import Running

_CHUNK = 1024 * 1024


def round_trip(gateway: Running, repository: str, size: int) -> None:
    """Submit `size` bytes and retrieve them; raises RuntimeError when they differ."""
    digest = hashlib.sha1(usedforsecurity=False)
    for chunk in _content(size):
        digest.update(chunk)
    submission = next(messages.submissions(make_sample(seed=7).content, 1, first=9_000_000))  # type: ignore[arg-type]
    (entry,) = submission.document_entries
    declared = {"hash": digest.hexdigest(), "size": str(size)}
    slots = [slot for slot in entry.slots if slot.name not in declared]
    slots += [Slot(name, (value,)) for name, value in declared.items()]
    changed = replace(submission, document_entries=(replace(entry, slots=tuple(slots)),))
    message = messages.provide(changed, b"")
    tail = messages.RENDERER.closing()
    head = message.body.removesuffix(tail)
    with _connected(gateway) as tls:
        length = len(head) + size + len(tail)
        tls.sendall(_request(message, length) + head)
        for chunk in _content(size):
            tls.sendall(chunk)
        tls.sendall(tail)
        _read(tls, None)
        asked = messages.retrieve(repository, message.unique_id)
        tls.sendall(_request(asked, len(asked.body)) + asked.body)
        if _read(tls, size) != digest.hexdigest():
            raise RuntimeError("the document came back with other bytes")


def _content(size: int) -> Iterator[bytes]:
    block = hashlib.sha256(b"block").digest() * (_CHUNK // 32)
    for start in range(0, size, _CHUNK):
        yield block[: min(_CHUNK, size - start)]


def _connected(gateway: Running) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", gateway.port), 120)
    return gateway.client.wrap_socket(plain, server_hostname="localhost")


def _request(message: messages.Message, length: int) -> bytes:
    return (
        f"POST /services/{message.endpoint} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: {message.content_type}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def _read(tls: socket.socket, document: int | None) -> str | None:
    """Read one answer; with a size, the SHA-1 of the attachment of that size."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += tls.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    start, left = body, length - len(body)
    while left and len(start) < 8192:
        data = tls.recv(65536)
        left -= len(data)
        start += data
    if b"ResponseStatusType:Success" not in start:
        raise RuntimeError(f"refused: {start[:1000]!r}")
    if document is None:
        while left:
            left -= len(tls.recv(65536))
        return None
    offset = start.index(b"\r\n\r\n", start.index(b"</s:Envelope>")) + 4
    digest = hashlib.sha1(usedforsecurity=False)
    first = start[offset : offset + document]
    digest.update(first)
    wanted = document - len(first)
    while left:
        data = tls.recv(min(left, _CHUNK))
        left -= len(data)
        digest.update(data[:wanted])
        wanted -= len(data[:wanted])
    return digest.hexdigest()
