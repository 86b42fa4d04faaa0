"""Whatever a caller does to a message, the answer is about the message: never an accident of ours."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.actors.test_registry import find
from tests.unit.builders import CONTENT, make_entry, make_folder, make_parts, make_submission
from tests.unit.domains import open_domain
from tests.unit.server.exchanges import BOUNDARY, Bench, envelope, make_request, multipart
from xds_gateway.codec import xdsb
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.model.messages import DocumentRequest, ProvideRequest, RetrieveRequest

SUBMISSION = make_submission(entries=(make_entry(1), make_entry(2)), folders=(make_folder(),))
PARTS = [(part.content_id or "", CONTENT) for part in make_parts(SUBMISSION)]
MESSAGES = {
    "ITI-41": multipart(
        envelope(
            "ITI-41", xdsb.render_provide_request(ProvideRequest(submission=SUBMISSION, parts=make_parts(SUBMISSION)))
        ),
        PARTS,
    ),
    "ITI-42": envelope("ITI-42", render_submission(SUBMISSION)),
    "ITI-18": envelope("ITI-18", xdsb.render_query_request(find(ClassCode="('a^^b','c^^d')", CreationTimeFrom="2020"))),
    "ITI-43": envelope(
        "ITI-43", xdsb.render_retrieve_request(RetrieveRequest(documents=(DocumentRequest("1.2", "3.4", "5.6"),)))
    ),
}
OURS = (b":Receiver<", b".failed ", b"rule=ihe.registry.failed", b"rule=ihe.repository.failed")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_domain(tmp_path_factory.mktemp("domain")) as domain:
        yield Bench(domain)


def ask(bench: Bench, transaction: str, data: bytes) -> bytes:
    content_type = MultipartRenderer(BOUNDARY).content_type() if transaction == "ITI-41" else "application/soap+xml"
    endpoint = "repository" if transaction in ("ITI-41", "ITI-43") else "registry"
    received = bench.answer(make_request(data, content_type), endpoint)
    assert received.status in (200, 415, 500)
    assert not any(sign in received.content for sign in OURS)
    return received.content


def pieces(data: bytes) -> list[bytes]:
    """Tags, texts and white space: what a mutation takes, doubles or moves."""
    return [piece for piece in re.split(rb"(<[^>]*>|\s+)", data) if piece]


PIECES = {name: pieces(data) for name, data in MESSAGES.items()}
REPLACEMENTS = st.binary(max_size=8) | st.sampled_from(
    [b"", b"<x/>", b'id=""', b"urn:uuid:0", b"&lt;", b"&#0;", b"\xff", b"\0", b"'", b"999999999999999999999", b"999912"]
)


@pytest.mark.parametrize("transaction", MESSAGES)
@given(st.data())
@settings(max_examples=60)
def test_pieces_taken_doubled_moved_or_replaced(shared: Bench, transaction: str, data: st.DataObject) -> None:
    changed = list(PIECES[transaction])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.sampled_from(["take", "double", "move", "replace"])):
            case "take":
                del changed[place]
            case "double":
                changed.insert(place, changed[place])
            case "move":
                changed.insert(data.draw(st.integers(0, len(changed) - 1)), changed.pop(place))
            case _:
                changed[place] = data.draw(REPLACEMENTS)
    assert ask(shared, transaction, b"".join(changed))


VALUES = re.compile(rb'(?<=")[^"]*(?=")|(?<=>)[^<>]+(?=<)')
PLACES = {name: [match.span() for match in VALUES.finditer(data)] for name, data in MESSAGES.items()}


@pytest.mark.parametrize("transaction", MESSAGES)
@given(st.data(), st.text(st.characters(codec="utf-8", exclude_characters='<>&"'), max_size=20) | st.sampled_from(
    ["", "urn:uuid:", "urn:uuid:x", "0", "-1", "999912", "(", "'", "^^^&&", "a" * 5000, "999999999999999999999999"]
))  # fmt: skip
@settings(max_examples=60)
def test_values_of_any_kind(shared: Bench, transaction: str, data: st.DataObject, value: str) -> None:
    message = MESSAGES[transaction]
    start, end = data.draw(st.sampled_from(PLACES[transaction]))
    assert ask(shared, transaction, message[:start] + value.encode() + message[end:])


@pytest.mark.parametrize("transaction", MESSAGES)
@given(st.data())
@settings(max_examples=40)
def test_a_message_cut_anywhere(shared: Bench, transaction: str, data: st.DataObject) -> None:
    message = MESSAGES[transaction]
    assert ask(shared, transaction, message[: data.draw(st.integers(0, len(message) - 1))])
