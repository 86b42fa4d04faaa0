"""Content-Transfer-Encoding of a body part, undone while its bytes arrive (RFC 2045 6)."""

import binascii
import re
from collections.abc import Mapping
from typing import Final, Protocol

from ..model.errors import SoapFault
from .mime import mime_fault


class Decoder(Protocol):
    """Undoes a transfer encoding while the bytes arrive."""

    def decode(self, data: bytes) -> bytes:
        """Decode what can be decoded so far; raises SoapFault."""

    def finish(self) -> bytes:
        """The rest at the end of the part; raises SoapFault when it is incomplete."""


class _Identity:
    def decode(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Base64:
    """RFC 2045 6.8; white space anywhere is fine, any other foreign byte and anything after the padding is not."""

    def __init__(self) -> None:
        self._rest = b""
        self._padded = False

    def decode(self, data: bytes) -> bytes:
        text = self._rest + data.translate(None, b" \t\r\n")
        if not text:
            return b""
        whole = len(text) & ~3
        self._rest = text[whole:]
        padded = text[:whole].endswith(b"=")
        if self._padded or (padded and self._rest):
            raise mime_fault("base64", "A part sent as base64 goes on after its padding")
        self._padded = padded
        try:
            return binascii.a2b_base64(text[:whole], strict_mode=True)
        except binascii.Error:
            raise mime_fault("base64", "A part sent as base64 is not base64") from None

    def finish(self) -> bytes:
        if self._rest:
            raise mime_fault("base64", "A part sent as base64 ends within a group of four characters")
        return b""


class _QuotedPrintable:
    """RFC 2045 6.7; white space at the end of a line is dropped, line ends stay as sent, foreign bytes are refused."""

    # A run of blanks is limited because it is held back until the next byte tells whether the line ends there.
    _BLANKS = 998
    _BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*+\r?\n)")
    _ALLOWED = bytes([*b"\t\r\n", *range(0x20, 0x7F)])
    _TAB_AS_BLANK = bytes.maketrans(b"\t", b" ")
    _LINE_BLANKS = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        text = self._rest + data
        whole = self._undecided(text)
        self._rest = text[whole:]
        if len(self._rest) > self._BLANKS + 2:
            raise self._malformed()
        return self._decode(text[:whole])

    def finish(self) -> bytes:
        text = self._rest.rstrip(b" \t")
        return self._decode(text.removesuffix(b"="))  # the line end after a last '=' belongs to the delimiter

    def _decode(self, text: bytes) -> bytes:
        blanked = text.translate(self._TAB_AS_BLANK)
        if (
            self._BAD_ESCAPE.search(text)
            or text.translate(None, self._ALLOWED)
            or text.count(b"\r") != text.count(b"\r\n")
            or b" " * (self._BLANKS + 1) in blanked
        ):
            raise self._malformed()
        if b" \n" in blanked or b" \r" in blanked:
            text = self._LINE_BLANKS.sub(b"", text)
        return binascii.a2b_qp(text)

    @staticmethod
    def _undecided(text: bytes) -> int:
        """Where the end begins that the next bytes may change: blanks, CR, '=' with at most one digit after it."""
        stripped = len(text.rstrip(b" \t\r"))
        if text[:stripped].endswith(b"="):
            return stripped - 1
        if stripped == len(text) and text[-2:-1] == b"=":
            return stripped - 2
        return stripped

    @staticmethod
    def _malformed() -> SoapFault:
        return mime_fault("quoted-printable", "A part sent as quoted-printable is not quoted-printable")


_DECODERS: Final[Mapping[str, type[Decoder]]] = {
    #   RFC 2045 6.1
    "binary": _Identity,
    "8bit": _Identity,
    "7bit": _Identity,
    "base64": _Base64,
    "quoted-printable": _QuotedPrintable,
}


def decoder_of(transfer_encoding: str) -> Decoder:
    """A decoder for a Content-Transfer-Encoding in lower case; raises SoapFault for an unknown one (RFC 2045 6.1)."""
    decoder = _DECODERS.get(transfer_encoding)
    if decoder is None:
        known = ", ".join(_DECODERS)
        raise mime_fault("transfer-encoding", f"Transfer encoding {transfer_encoding[:40]!a} is none of {known}")
    return decoder()
