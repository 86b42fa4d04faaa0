"""A document of any size passes through little memory (security.md M4).

XDS_TEST_HUGE_BYTES sets the size of the document; 256 MiB when not set.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateways import RunningGateway
from tests.wire.messages import (
    Answer,
    accepted,
    entry_for,
    new_patient,
    plain,
    provide,
    retrieve,
    retrieve_body,
    send,
)
from tests.wire.raw import Connection, request_head

SIZE = int(os.environ.get("XDS_TEST_HUGE_BYTES", str(256 << 20)))
GROWTH = 32 << 20
_BLOCK = hashlib.shake_128(b"a block of a large document").digest(1 << 20)


def memory(process: int, name: str) -> int:
    """A figure of a process in bytes: VmRSS is what it has, VmHWM the most it has had."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


class Growth:
    """The most that a gateway's workers grow by from now on."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._before = {worker: memory(worker, "VmRSS") for worker in gateway.workers()}
        for worker in self._before:
            Path(f"/proc/{worker}/clear_refs").write_text("5")

    @property
    def bytes(self) -> int:
        """The largest growth of a worker."""
        return max(memory(worker, "VmHWM") - before for worker, before in self._before.items())


def sha1_of(blocks: int) -> str:
    """The SHA-1 of so many blocks."""
    digest = hashlib.sha1(usedforsecurity=False)
    for _ in range(blocks):
        digest.update(_BLOCK)
    return digest.hexdigest()


@pytest.mark.parametrize("transfer", ["length", "chunked"])
def test_a_huge_document_goes_in_and_out_in_little_memory(start_gateway, transfer):
    blocks = SIZE >> 20
    gateway = start_gateway(workers=1)
    accepted(gateway, provide(b"first"))  # what every process needs is there
    sha1, patient = sha1_of(blocks), new_patient()
    slots = {"hash": sha1, "size": str(blocks << 20)}
    provided = provide(b"@", patient=patient, entries=(entry_for(b"@", patient, slots=slots),))
    message = provided.message()
    before, after = message.body.split(b"\r\n\r\n@\r\n")
    before, after = before + b"\r\n\r\n", b"\r\n" + after
    growth = Growth(gateway)
    length = {"Content-Length": len(before) + (blocks << 20) + len(after)}
    framing = length if transfer == "length" else {"Transfer-Encoding": "chunked"}
    with Connection(gateway) as connection:
        connection.socket.settimeout(120)
        connection.send(request_head(connection, "/services/repository", {**message.headers, **framing}))
        for piece in (before, *(_BLOCK for _ in range(blocks)), after):
            if transfer == "chunked":
                connection.send(f"{len(piece):x}\r\n".encode(), piece, b"\r\n")
            else:
                connection.send(piece)
        if transfer == "chunked":
            connection.send(b"0\r\n\r\n")
        assert Answer(connection.response()).status == "Success"
    grown_in = growth.bytes
    grown_out = _retrieved(gateway, provided.unique_ids[0], blocks)
    print(f"{SIZE >> 20} MiB {transfer}: grew by {grown_in >> 10} KiB in, {grown_out >> 10} KiB out")
    assert grown_in <= GROWTH
    assert grown_out <= GROWTH


def test_many_documents_leave_together_in_little_memory(start_gateway):
    gateway = start_gateway(workers=1)
    content = _BLOCK[:500_000]
    patient = new_patient()
    unique_ids = [u for _ in range(10) for u in accepted(gateway, provide(*[content] * 20, patient=patient)).unique_ids]
    growth = Growth(gateway)
    for message in (retrieve(*unique_ids), plain("ITI-43", retrieve_body(*unique_ids))):
        answer = send(gateway, message)
        assert list(answer.documents.values()) == [content] * 200
    assert growth.bytes <= GROWTH


def test_many_documents_arrive_together_in_little_memory(start_gateway):
    gateway = start_gateway(workers=1)
    accepted(gateway, provide(b"first"))
    made = [provide(bytes([number]) + _BLOCK * 10) for number in range(8)]
    growth = Growth(gateway)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: send(gateway, one.message()), made))
    assert [answer.status for answer in answers] == ["Success"] * 8
    assert growth.bytes <= 2 * GROWTH


def _retrieved(gateway: RunningGateway, unique_id: str, blocks: int) -> int:
    """Retrieve the document, compare it block by block, and tell by how much the gateway grew."""
    growth = Growth(gateway)
    message = retrieve(unique_id)
    with Connection(gateway) as connection:
        headers = {**message.headers, "Content-Length": len(message.body)}
        connection.send(request_head(connection, "/services/repository", headers), message.body)
        status, _ = connection.head()
        assert status == 200
        for _ in range(2):  # past the root part and the head of the attachment
            while connection.line():
                pass
        expected, position = hashlib.sha1(usedforsecurity=False), 0
        left = blocks << 20
        data = connection._buffer
        while left:
            take = data[:left]
            expected.update(take)
            position += len(take)
            left -= len(take)
            data = connection.received() if left else b""
        assert position == blocks << 20
    assert expected.hexdigest() == sha1_of(blocks)
    return growth.bytes
