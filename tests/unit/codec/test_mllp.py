"""MLLP frames, however they are cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.mllp import FrameBroken, Frames, FrameTooLong, frame

contents = st.lists(
    st.binary(max_size=40).map(lambda data: bytes(b for b in data if b not in (0x0B, 0x1C))), max_size=6
)


@given(contents, st.lists(st.integers(1, 7), min_size=1), st.sampled_from([b"", b"\r", b"\r\n"]))
def test_messages_come_out_whole_and_in_order(messages, pieces, between):
    stream = b"".join(frame(message) + between for message in messages)
    frames, found, position = Frames(1000), [], 0
    for turn in range(len(stream)):
        size = pieces[turn % len(pieces)]
        found += frames.feed(stream[position : position + size])
        position += size
    assert found == messages
    assert not frames.inside


@pytest.mark.parametrize(
    ("stream", "before"),
    [
        (b"GET / HTTP/1.1\r\n", 0),
        (frame(b"one") + b"garbage", 1),
        (b"\x0bone" + frame(b"two"), 0),
        (b"\x0bone\x1c\x0btwo", 0),
        (b"\x0bone\x1cx\x1c\r", 0),
    ],
)
def test_what_is_no_frame_ends_it(stream, before):
    frames, found = Frames(1000), []
    with pytest.raises(FrameBroken):
        found.extend(_each(frames, stream, found))
    assert len(found) == before


def _each(frames, stream, found):
    for content in frames.feed(stream):
        found.append(content)
    return ()


@pytest.mark.parametrize(("size", "good"), [(10, True), (11, False)])
@pytest.mark.parametrize("whole", [True, False])
def test_the_limit_is_of_one_message(size, good, whole):
    stream = frame(b"x" * size) if whole else b"\x0b" + b"x" * size
    frames = Frames(10)
    if good:
        assert list(frames.feed(frame(b"y" * 10) + stream)) == [b"y" * 10, b"x" * 10][: 1 + whole]
        return
    with pytest.raises(FrameTooLong) as broken:
        list(frames.feed(stream))
    assert broken.value.beginning == b"x" * 10


def test_a_message_that_has_not_ended_is_inside():
    frames = Frames(10)
    assert list(frames.feed(b"\r\n")) == []
    assert not frames.inside
    assert list(frames.feed(b"\x0bone\x1c")) == []
    assert frames.inside
    assert list(frames.feed(b"\r")) == [b"one"]
    assert not frames.inside
