"""MIME heads: Content-Type, Content-ID and the header block of a body part (RFC 2045, RFC 5322 2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import unquote

from ..model.errors import FaultCode, HttpRefused, SoapFault


@dataclass(frozen=True, slots=True, kw_only=True)
class MimeLimits:
    """What a multipart message may have at most; `header_bytes` is one header with its folded lines, without line ends.

    `preamble_bytes` is allowed before the first delimiter and again after the closing one.
    """

    headers_per_part: int = 50
    header_bytes: int = 8192
    parts: int = 1000
    preamble_bytes: int = 8192
    boundary_chars: int = 70  # RFC 2046 5.1.1


class ContentType(NamedTuple):
    """A Content-Type: media type in lower case, parameters by lower-case name (RFC 2045 5.1)."""

    media_type: str
    parameters: Mapping[str, str]


class PartHead(NamedTuple):
    """The head of a body part: Content-ID without <>, percent-decoded; encoding in lower case; all headers as sent."""

    content_id: str | None
    content_type: str | None
    transfer_encoding: str
    headers: tuple[tuple[str, str], ...]


def mime_fault(rule: str, reason: str) -> SoapFault:
    """The Sender fault of a message that is not readable as MIME."""
    return SoapFault(FaultCode.SENDER, reason, rule=f"mime.{rule}")


_TCHARS: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE: Final = re.compile(rf"\s*({_TCHARS}/{_TCHARS})[ \t]*(?=;|\Z)")
# One parameter up to its ';'. Reality: '/', ':', '<' without quotes, text after the closing quote, empty parameters.
_PARAMETER: Final = re.compile(
    rf""";[ \t]*(?:(?P<name>{_TCHARS})[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^;"]*+)))?+[^;]*+"""
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@lru_cache(maxsize=256)  # a sender's messages differ in their boundary, if at all
def parse_content_type(value: str) -> ContentType:
    """Read a Content-Type header; raises HttpRefused 415 when it is none or contradicts itself (RFC 2045 5.1)."""
    found = _MEDIA_TYPE.match(value)
    if found is None or _CONTROL.search(value):
        raise HttpRefused(415, f"The Content-Type {value[:80]!a} cannot be read")
    parameters: dict[str, str] = {}
    for parameter in _PARAMETER.finditer(value, found.end()):
        if parameter["name"] is None:
            continue
        name = parameter["name"].lower()
        quoted, plain = parameter["quoted"], parameter["plain"]
        text = plain.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if parameters.setdefault(name, text) != text:
            raise HttpRefused(415, f"The Content-Type has two different values of its parameter {name[:40]}")
    return ContentType(found[1].lower(), MappingProxyType(parameters))


def render_content_type(content_type: ContentType) -> str:
    """Write a Content-Type header with every parameter as a quoted string (RFC 2045 5.1)."""
    escaped = [f'{name}="{_escaped(text)}"' for name, text in content_type.parameters.items()]
    return "; ".join([content_type.media_type, *escaped])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def parse_content_id(value: str) -> str | None:
    """Read a Content-ID: without <>, percent-decoded, None when empty; raises SoapFault (RFC 2045 7, RFC 2392).

    Senders percent-encode it in the reference, in the header, in both or in none: both are decoded, then compared.
    """
    text = _unquote(value.strip())
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if _CONTROL.search(text):
        raise mime_fault("content-id", "A Content-ID has control characters")
    return text or None


def _unquote(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise mime_fault("content-id", f"The Content-ID {text[:80]!a} is not UTF-8 when percent-decoded") from None


# ---- header block ----

_NAME: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+")  # RFC 5322 2.2: printable ASCII but the colon
_CONTROL_BYTE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SINGLE: Final = ("content-id", "content-type", "content-transfer-encoding")


class HeadReader:
    """Takes the header lines of one part and gives its head; folded lines are joined with a space (RFC 5322 2.2.3)."""

    def __init__(self, limits: MimeLimits) -> None:
        self._limits = limits
        self._headers: list[list[bytes]] = []
        self._size = 0  # of the header that is being read

    def take(self, line: bytes) -> None:
        """Take one line without its line end; raises SoapFault."""
        self.check_size(len(line))
        if _CONTROL_BYTE.search(line):
            raise mime_fault("header", "A part header has control characters, or line ends of another style")
        if line[:1] in (b" ", b"\t"):
            self._fold(line.strip(b" \t"))
            return
        name, colon, _ = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise mime_fault("header", "A part has a header line that is not 'Name: value'")
        if len(self._headers) >= self._limits.headers_per_part:
            raise mime_fault("headers", f"A part has more than {self._limits.headers_per_part} headers")
        self._headers.append([line])
        self._size = len(line)

    def _fold(self, text: bytes) -> None:
        if not text or not self._headers:
            raise mime_fault("header", "A part has a folded header line that continues nothing or is empty")
        self._headers[-1].append(text)
        self._size += len(text) + 1
        self.check_size(self._size)

    def check_size(self, size: int) -> None:
        """Raise SoapFault when a header of so many bytes is too long."""
        if size > self._limits.header_bytes:
            raise mime_fault("header-size", f"A part has a header of more than {self._limits.header_bytes} bytes")

    def finish(self) -> PartHead:
        """The head, at the empty line after it; raises SoapFault for a header that counts and is there twice."""
        headers = tuple(_split(b" ".join(lines)) for lines in self._headers)
        values: dict[str, str] = {}
        for name, value in headers:
            if name.lower() in values and name.lower() in _SINGLE:
                raise mime_fault("header", f"A part has two headers {name}")
            values[name.lower()] = value
        return PartHead(
            content_id=parse_content_id(values.get("content-id", "")),
            content_type=values.get("content-type"),
            transfer_encoding=values.get("content-transfer-encoding", "binary").lower(),
            headers=headers,
        )


def _split(header: bytes) -> tuple[str, str]:
    try:
        text = header.decode()
    except UnicodeDecodeError:
        text = header.decode("latin-1")  # file names of old mail software
    name, _, value = text.partition(":")
    return name, value.strip(" \t")
