"""The wire log: the bytes of each exchange as they were."""

from pathlib import Path

import pytest

from xds_gateway.server.tap import Tap

BYTES = bytes(range(256))


def test_an_exchange_has_a_folder_with_what_was_received_and_sent(tmp_path: Path) -> None:
    exchange = Tap(tmp_path / "wire").exchange()
    exchange.received(BYTES[:100])
    exchange.received(BYTES[100:])
    exchange.sent(b"HTTP/1.1 200 OK\r\n\r\n")
    exchange.sent(BYTES)
    (folder,) = (tmp_path / "wire").iterdir()
    assert (folder / "request").read_bytes() == BYTES
    assert (folder / "response").read_bytes() == b"HTTP/1.1 200 OK\r\n\r\n" + BYTES


def test_exchanges_have_folders_in_their_order(tmp_path: Path) -> None:
    tap = Tap(tmp_path)
    for number in range(12):
        tap.exchange().received(b"%d" % number)
    read = [(folder / "request").read_bytes() for folder in sorted(tmp_path.iterdir())]
    assert read == [b"%d" % number for number in range(12)]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ([], False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], False),
        ([b"HTTP/1.1 200 OK\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 500 No\r\n\r\n"], True),
    ],
)
def test_an_invitation_to_go_on_is_no_answer(tmp_path: Path, sent: list[bytes], answered: bool) -> None:
    exchange = Tap(tmp_path).exchange()
    for data in sent:
        exchange.sent(data)
    assert exchange.answered is answered
