"""Transfer encodings are undone however the bytes arrive; what is malformed is a Sender fault."""

import base64
import quopri
from collections.abc import Iterable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.transfer_encodings import decoder_of
from xds_gateway.model.errors import FaultCode, SoapFault


def decode(encoding: str, chunks: Iterable[bytes]) -> bytes:
    decoder = decoder_of(encoding)
    return b"".join([*map(decoder.decode, chunks), decoder.finish()])


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


_BASE64_BAD = [b"QUJ", b"QUJD*A==", b"QQ==QQ==", b"QQ==\r\nQQ", b"Q===", b"=QQQ", b"QQ=Q", b"QQ==="]
_QP_BAD = [b"=4", b"=G0", b"a=4 ", b"==", b"\xe9", b"\0", b"a\rb", b"a\r", b"= 4", b"a" + b" " * 999 + b"b"]


@pytest.mark.parametrize(
    ("encoding", "sent", "meant"),
    [
        ("binary", b"\0\r\n\xff", b"\0\r\n\xff"),
        ("8bit", b"\xe9\r\n", b"\xe9\r\n"),
        ("7bit", b"a\r\n", b"a\r\n"),
        ("base64", b"", b""),
        ("base64", b"QQ==", b"A"),
        ("base64", b" QUI\r\n=\r\n\t\r\n", b"AB"),
        ("base64", b"QUJD\r\nREVG\n", b"ABCDEF"),
        ("quoted-printable", b"", b""),
        ("quoted-printable", b"caf=C3=a9 =3D\r\n", "café =\r\n".encode()),
        ("quoted-printable", b"soft=\r\nline= \t\r\nend=\nLF", b"softlineendLF"),
        ("quoted-printable", b"blanks \t\r\nare dropped \nhere  ", b"blanks\r\nare dropped\nhere"),
        ("quoted-printable", b"inner  blanks", b"inner  blanks"),
        (
            "quoted-printable",
            b"the last line end belongs to the delimiter=",
            b"the last line end belongs to the delimiter",
        ),
        ("quoted-printable", b"a" + b" " * 998 + b"b", b"a" + b" " * 998 + b"b"),
    ],
)
def test_transfer_encodings_are_undone_however_the_bytes_arrive(encoding: str, sent: bytes, meant: bytes) -> None:
    assert decode(encoding, [sent]) == meant
    assert decode(encoding, single_bytes(sent)) == meant


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [*(("base64", sent) for sent in _BASE64_BAD), *(("quoted-printable", sent) for sent in _QP_BAD)],
)
def test_a_malformed_transfer_encoding_is_refused_however_the_bytes_arrive(encoding: str, sent: bytes) -> None:
    for chunks in ([sent], single_bytes(sent)):
        with pytest.raises(SoapFault) as fault:
            decode(encoding, chunks)
        assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, f"mime.{encoding}")


def test_an_endless_run_of_blanks_is_not_held_back_for_ever() -> None:
    with pytest.raises(SoapFault):
        decode("quoted-printable", repeat(b" "))


@pytest.mark.parametrize("encoding", ["gzip", "x-uuencode", "", "base64; q=1"])
def test_an_unknown_transfer_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(SoapFault) as fault:
        decoder_of(encoding)
    assert (fault.value.code, fault.value.rule) == (FaultCode.SENDER, "mime.transfer-encoding")


@given(st.binary(max_size=300), st.lists(st.integers(1, 20)))
def test_base64_comes_back(data: bytes, sizes: list[int]) -> None:
    assert decode("base64", cut(base64.encodebytes(data), sizes)) == data


@given(st.text(st.sampled_from("ab =é\t\n_."), max_size=300), st.lists(st.integers(1, 20)))
def test_quoted_printable_comes_back(text: str, sizes: list[int]) -> None:
    data = text.encode()
    assert decode("quoted-printable", cut(quopri.encodestring(data, quotetabs=True), sizes)) == data


@given(
    st.sampled_from(["base64", "quoted-printable"]),
    st.text(st.sampled_from("A=4 \t\r\n"), max_size=30).map(str.encode),
    st.lists(st.integers(1, 4)),
)
def test_the_chunks_do_not_change_what_is_decoded_or_refused(encoding: str, data: bytes, sizes: list[int]) -> None:
    assert outcome(encoding, cut(data, sizes)) == outcome(encoding, [data])


def outcome(encoding: str, chunks: Iterable[bytes]) -> bytes | str:
    try:
        return decode(encoding, chunks)
    except SoapFault as fault:
        return fault.rule


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(data[:size])
        data = data[size:]
    return [*chunks, data]
