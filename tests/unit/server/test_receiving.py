"""Messages off the wire: the root first, attachments when somebody wants them, whatever the chunks."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.unit.domains import Domain
from tests.unit.server.exchanges import BOUNDARY, Bench, Body, make_request, multipart, run
from xds_gateway.codec.mtom import MimeLimits, MultipartRenderer
from xds_gateway.model.errors import HttpRefused, SoapFault, StorageBusy
from xds_gateway.server.exchange import ClientGone, HttpRequest
from xds_gateway.server.receiving import IncomingMessage, ReceivingLimits, receive_message

LIMITS = ReceivingLimits(envelope=1000, document=600_000, body=4_000_000, mime=MimeLimits())
MTOM = MultipartRenderer(BOUNDARY).content_type()
ROOT = b"<root/>"
LARGE = bytes(500_000)


def request(data: bytes | Body, content_type: str = MTOM, size: int = 1000, **headers: str) -> HttpRequest:
    body = data if isinstance(data, Body) else Body([data[n : n + size] for n in range(0, len(data), size)])
    return make_request(body, content_type, headers=headers)


def received(asked: HttpRequest) -> IncomingMessage:
    return asyncio.run(receive_message(asked, LIMITS))


def taken(bench: Bench, asked: HttpRequest, wanted: Iterable[str]) -> tuple[bytes, dict[str, bytes]]:
    """The root and the attachments of a message, whichever way it came."""

    async def receive() -> tuple[bytes, dict[str, bytes]]:
        message = await receive_message(asked, LIMITS)
        if message.whole:
            found = message.take_attachments(frozenset(wanted), bench.documents)
        else:
            found = await message.receive_attachments(frozenset(wanted), bench.documents, run)
        stored = {name: attachment.finish() for name, attachment in found.items()}
        contents = {name: Path(document.path).read_bytes() for name, document in stored.items()}
        for attachment in found.values():
            attachment.discard()
        return message.root, contents

    return asyncio.run(receive())


# ---- plain messages ----


@pytest.mark.parametrize("content_type", ["application/soap+xml", "application/soap+xml; charset=UTF-8", "text/xml"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_plain_message_is_its_root(content_type: str, size: int) -> None:
    message = received(request(ROOT, content_type, size))
    assert (message.root, message.mtom, message.whole) == (ROOT, False, True)


@pytest.mark.parametrize(("length", "refused"), [(1000, False), (1001, True)])
@pytest.mark.parametrize("form", ["plain", "mtom"])
def test_an_envelope_has_a_limit(length: int, refused: bool, form: str) -> None:
    root = b"x" * length
    asked = request(root, "application/soap+xml") if form == "plain" else request(multipart(root, []))
    if not refused:
        assert received(asked).root == root
        return
    with pytest.raises(SoapFault, match="envelope_bytes"):
        received(asked)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "identity"}, None),
        ({"content-length": "4000000"}, None),
        ({"content-length": "4000001"}, 413),
        ({"content-length": "many"}, None),
    ],
)
def test_headers_that_refuse(headers: dict[str, str], status: int | None) -> None:
    asked = request(ROOT, "application/soap+xml", **headers)
    if status is None:
        assert received(asked).root == ROOT
        return
    with pytest.raises(HttpRefused) as refused:
        received(asked)
    assert refused.value.status == status


@pytest.mark.parametrize("content_type", ["", "text/html", "application/json", "multipart/form-data; boundary=b", "x"])
def test_other_media_types_are_refused(content_type: str) -> None:
    with pytest.raises(HttpRefused) as refused:
        received(request(ROOT, content_type))
    assert refused.value.status == 415


# ---- the root part ----


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_the_root_comes_whole_from_any_chunks(size: int) -> None:
    assert received(request(multipart(ROOT, [("a", b"x")]), size=size)).root == ROOT


def part(content_id: str, data: bytes) -> bytes:
    return f"--b\r\nContent-Type: text/plain\r\nContent-ID: <{content_id}>\r\n\r\n".encode() + data + b"\r\n"


def with_start(start: str) -> str:
    return f'multipart/related; boundary=b; start="{start}"'


def test_the_root_may_come_later(bench: Bench) -> None:
    data = part("a", b"one") + part("root", ROOT) + part("c", b"two") + b"--b--"
    root, contents = taken(bench, request(data, with_start("<root>"), 5), ["a", "c"])
    assert (root, contents) == (ROOT, {"a": b"one", "c": b"two"})


@pytest.mark.parametrize(("size", "refused"), [(900_000, False), (1_100_000, True)])
def test_what_comes_before_the_root_is_bounded(size: int, refused: bool) -> None:
    asked = request(part("a", bytes(size)) + part("root", ROOT) + b"--b--", with_start("<root>"), 64_000)
    if not refused:
        assert received(asked).root == ROOT
        return
    with pytest.raises(SoapFault, match="send the root first"):
        received(asked)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (part("a", b"one") + b"--b--", with_start("<root>")),
        (b"--b--", "multipart/related; boundary=b"),
        (b"", "multipart/related; boundary=b"),
        (b"no delimiter", "multipart/related; boundary=b"),
        (part("root", ROOT), "multipart/related"),
        (part("root", ROOT), "multipart/related; boundary=b"),
        (part("root", ROOT)[:-10], "multipart/related; boundary=b"),
    ],
)
def test_a_message_without_a_whole_root(data: bytes, content_type: str) -> None:
    with pytest.raises(SoapFault):
        received(request(data, content_type))


def test_the_charset_of_the_root_part_counts() -> None:
    head = b"--b\r\nContent-Type: application/xop+xml; charset=iso-8859-1\r\n\r\n"
    assert received(request(head + ROOT + b"\r\n--b--", "multipart/related; boundary=b")).charset == "iso-8859-1"


# ---- attachments ----


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([], []),
        ([("a", b"one")], ["a"]),
        ([("a", b"")], ["a"]),
        ([("a", b"one"), ("b", LARGE), ("c", b"two")], ["a", "b", "c"]),
        ([("a", b"one"), ("b", LARGE), ("c", b"two")], ["c"]),
        ([("a", LARGE), ("b", LARGE)], ["a", "b"]),
        ([("a", LARGE)], []),
        ([("a", b"one")], ["a", "missing"]),
    ],
)
@pytest.mark.parametrize("size", [777, 65_536, 4_000_000])
def test_wanted_parts_are_taken(bench: Bench, parts: list[tuple[str, bytes]], wanted: list[str], size: int) -> None:
    root, contents = taken(bench, request(multipart(ROOT, parts), size=size), wanted)
    assert root == ROOT
    assert contents == {name: data for name, data in parts if name in wanted}
    assert bench.domain.spooled() == []


@pytest.mark.parametrize("size", [100, 4_000_000])
def test_a_small_message_is_whole_and_nothing_of_it_on_disk(bench: Bench, size: int) -> None:
    message = received(request(multipart(ROOT, [("a", b"one")]), size=size))
    assert message.whole
    message.take_attachments(frozenset({"a"}), bench.documents)
    assert bench.documents.begun == 0


def test_a_large_message_waits_to_be_admitted(bench: Bench) -> None:
    body = Body([multipart(ROOT, [("a", LARGE)])[start : start + 1000] for start in range(0, 500_000, 1000)])
    message = received(request(body))
    assert not message.whole
    assert body.taken < 300
    assert bench.documents.begun == 0


@pytest.mark.parametrize(
    ("parts", "cut", "failure"),
    [
        ([("a", LARGE), ("b", bytes(700_000))], 0, SoapFault),
        ([("a", LARGE), ("a", LARGE)], 0, SoapFault),
        ([("a", LARGE), ("b", LARGE)], 10, SoapFault),
        ([("a", LARGE), ("b", LARGE)], 100_000, SoapFault),
    ],
)
def test_what_fails_is_discarded(
    bench: Bench, parts: list[tuple[str, bytes]], cut: int, failure: type[Exception]
) -> None:
    data = multipart(ROOT, parts)
    with pytest.raises(failure):
        taken(bench, request(data[: len(data) - cut], size=10_000), ["a", "b"])
    assert bench.documents.begun > 0
    assert bench.domain.spooled() == []


@pytest.mark.parametrize("failure", [ClientGone(), asyncio.CancelledError(), StorageBusy("x")])
def test_what_breaks_off_is_discarded(bench: Bench, failure: BaseException) -> None:
    data = multipart(ROOT, [("a", LARGE)])
    body = Body([data[start : start + 10_000] for start in range(0, 400_000, 10_000)], failure)  # type: ignore[arg-type]
    with pytest.raises(type(failure)):
        taken(bench, request(body), ["a"])
    assert bench.documents.begun == 1
    assert bench.domain.spooled() == []


def test_bytes_in_flight_are_given_back(bench: Bench) -> None:
    domain: Domain = bench.domain
    for _ in range(3):
        root, contents = taken(bench, request(multipart(ROOT, [("a", LARGE)])), ["a"])
        assert (root, contents) == (ROOT, {"a": LARGE})
    assert domain.spooled() == []
