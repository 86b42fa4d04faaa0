"""MTOM/XOP messages: references to parts, the root part, the bytes around parts (XOP 1.0, MTOM 1.0, RFC 2387, 2392).

A reader feeds `MultipartParser` and asks `is_root` at each `PartBegin`. RFC 2387 allows the root anywhere: parts that
come before it are the reader's to hold, up to a small cap, until the root tells whether the caller is admitted. When
no part was the root at the end, `start` names none: the reader raises `mime_fault("root", ...)`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from .mime import (
    ContentType,
    MimeLimits,
    PartHead,
    mime_fault,
    parse_content_id,
    parse_content_type,
    render_content_type,
)
from .multipart import Event, MultipartParser, PartBegin, PartData, PartEnd

MULTIPART: Final = "multipart/related"
XOP: Final = "application/xop+xml"
SOAP: Final = "application/soap+xml"

# What is the same in all our messages
_MESSAGE_TYPE: Final = render_content_type(ContentType(MULTIPART, {"type": XOP, "start-info": SOAP}))
_ROOT_TYPE: Final = render_content_type(ContentType(XOP, {"charset": "UTF-8", "type": SOAP}))

# A cid of ours: percent-encoded as readers compare it, with nothing that would need it in Content-ID.
_ID_SAFE: Final = "@!$'*+-._~:="
_MEDIA_TYPE: Final = re.compile(r"[!-~][ -~]*")
_URL: Final = re.compile(r"/|[A-Za-z][A-Za-z0-9+.\-]*:/|.*//", re.DOTALL)


def content_id_of(href: str) -> str:
    """The Content-ID that an xop:Include refers to; anything but `cid:` raises SoapFault: no reference is ever fetched.

    An id that is written as a URL is refused too; percent-encoded (as .NET writes its `http://tempuri.org/1/...`) it is
    an id like any other, to be found among the parts or not at all (XOP 1.0 3.2, RFC 2392).
    """
    text = href.strip()
    if text[:4].lower() != "cid:" or _URL.match(text, 4):
        raise mime_fault("href", f"xop:Include must refer to a part of the message by cid:, not {text[:80]!a}")
    content_id = parse_content_id(text[4:])
    if content_id is None:
        raise mime_fault("href", "xop:Include refers to an empty Content-ID")
    return content_id


def is_root(head: PartHead, index: int, start: str | None) -> bool:
    """Whether this part is the root: the one that the `start` parameter names, else that of index 0 (RFC 2387 3.2)."""
    wanted = parse_content_id(start or "")
    return index == 0 if wanted is None else head.content_id == wanted


def render_href(content_id: str) -> str:
    """The href of an xop:Include for a part (RFC 2392)."""
    return "cid:" + quote(content_id, safe=_ID_SAFE)


@dataclass(frozen=True, slots=True)
class MultipartRenderer:
    """The bytes around the parts of one MTOM message; `boundary` must not occur in them, `start` is the root's id.

    A message is `root_head()`, the envelope, for each document `part_head(...)` and its bytes, then `closing()`:
    the Content-Length is the sum of their lengths.
    """

    boundary: str
    start: str = "root@xds-gateway"

    def content_type(self, action: str | None = None) -> str:
        """The HTTP Content-Type, with the wsa:Action of the message when given (RFC 2387 3, MTOM 1.0 3.2)."""
        changing = {"start": f"<{_render_id(self.start)}>", "boundary": self.boundary}
        return render_content_type(ContentType(_MESSAGE_TYPE, changing | {"action": action} if action else changing))

    def root_head(self) -> bytes:
        """The first delimiter and the head of the root part (XOP 1.0 5.1)."""
        return self._head(self.start, _ROOT_TYPE)

    def part_head(self, content_id: str, media_type: str) -> bytes:
        """The end of the part before and the head of an attachment; ValueError for a media type that is no header."""
        return b"\r\n" + self._head(content_id, media_type)

    def closing(self) -> bytes:
        """The closing delimiter."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    def _head(self, content_id: str, media_type: str) -> bytes:
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise ValueError(f"not a media type: {media_type!r}")
        return (
            f"--{self.boundary}\r\n"
            f"Content-Type: {media_type}\r\n"
            "Content-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{_render_id(content_id)}>\r\n"
            "\r\n"
        ).encode()


@lru_cache(maxsize=256)
def _render_id(content_id: str) -> str:
    return quote(content_id, safe=_ID_SAFE)


__all__ = [
    "MULTIPART",
    "SOAP",
    "XOP",
    "ContentType",
    "Event",
    "MimeLimits",
    "MultipartParser",
    "MultipartRenderer",
    "PartBegin",
    "PartData",
    "PartEnd",
    "PartHead",
    "content_id_of",
    "is_root",
    "mime_fault",
    "parse_content_type",
    "render_content_type",
    "render_href",
]
