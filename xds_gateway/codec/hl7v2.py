"""HL7 v2 messages of identity feeds and their acknowledgments (ITI TF-2 3.8, 3.64; HL7 v2.3.1, v2.5 chapters 2, 3).

Reading is lenient: EVN and PV1 may be missing, segments may end with LF, nothing but MSH, PID-3 and MRG-1 is read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import hl7

from ..model.feeds import SEPARATORS, FeedMessage, FeedProblem, FeedUnreadable, Header, Identifier

MERGE: Final = "A40"
LINK_CHANGE: Final = "A43"  # ITI-64
EVENTS: Final = ("A01", "A04", "A05", "A08", MERGE, LINK_CHANGE)
QUERY: Final = "QBP"
_WITH_MRG: Final = {MERGE: "merge", LINK_CHANGE: "link"}  # by event: what its rules are called
VERSIONS: Final = ("", "2.3", "2.3.1", "2.4", "2.5", "2.5.1")

# MSH-18 (HL7 table 0211); without one, UTF-8 where it is valid, else what Western systems write
_UNSAID: Final = ("utf-8", "iso8859-1")
CHARSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "": _UNSAID,
    "ASCII": _UNSAID,
    "UNICODE UTF-8": ("utf-8",),
    "UNICODE": ("utf-8",),
    "UTF-8": ("utf-8",),
    **{f"8859/{part}": (f"iso8859-{part}",) for part in (*range(1, 10), 15)},
    "GB 18030-2000": ("gb18030",),
    "KS X 1001": ("euc_kr",),
    "BIG-5": ("big5",),
}
_STRUCTURES: Final = {MERGE: "ADT_A39", LINK_CHANGE: "ADT_A43"}
_NULL: Final = '""'  # HL7's explicit nothing
_START: Final = b"MSH"
_READ: Final = {"PID": 3, "MRG": 1, "MSA": 2, "ERR": 8}  # segments beside the header, and the last field that is read
_ESCAPES: Final = dict(zip("FSRET", SEPARATORS, strict=True))
_ESCAPED: Final = re.compile(r"\\([FSRET])\\")

# HL7 table 0357
_CODE_TEXTS: Final = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "207": "Application internal error",
}


def parse_adt(data: bytes) -> FeedMessage[Header]:
    """Read the content of one MLLP frame. Raises FeedUnreadable, with the header as far as there is one."""
    header = parse_header(data)
    if not header.control_id:
        raise FeedUnreadable(header, "ihe.feed.controlId")
    _check_kind(header)
    message = _parsed(header, _decoded(data, header))
    pid = _segments(message, "PID")
    mrg = _segments(message, "MRG")
    with_mrg = _WITH_MRG.get(header.event)
    if not pid or (with_mrg and not mrg):
        raise FeedUnreadable(header, f"ihe.feed.segment.{with_mrg}" if pid else "ihe.feed.segment")
    if with_mrg and (len(pid), len(mrg)) != (1, 1):
        raise FeedUnreadable(header, f"ihe.feed.{with_mrg}.one", f"{len(pid)} PID and {len(mrg)} MRG")
    return FeedMessage(
        header=header,
        patients=tuple(_identifiers(pid[0], 3, header.separators)),
        subsumed=tuple(_identifiers(mrg[0], 1, header.separators)) if with_mrg else (),
        digest=sha256(data).digest()[:16],
    )


def parse_header(data: bytes) -> Header:
    """MSH alone, of a message that may be cut short. Raises FeedUnreadable without a header."""
    segment = data.lstrip(b"\r\n").split(b"\r", 1)[0].split(b"\n", 1)[0]
    if not segment.startswith(_START) or len(segment) < 8:
        raise FeedUnreadable(None, "ihe.feed.header")
    separators = segment[3:8].decode("latin-1")
    if len(set(separators)) != 5 or any(c.isalnum() or c <= " " or c > "~" for c in separators):
        raise FeedUnreadable(None, "ihe.feed.header")
    fields = _header_text(segment).split(separators[0])

    def field(number: int) -> str:
        value = fields[number - 1] if number <= len(fields) else ""
        return "" if value == _NULL else value

    kind = field(9).split(separators[1])
    return Header(
        field(3), field(4), field(5), field(6),
        kind[0], kind[1] if len(kind) > 1 else "",
        field(10), field(11),
        field(12).split(separators[1])[0],
        field(18).split(separators[2])[0],
        separators,
    )  # fmt: skip


def _header_text(segment: bytes) -> str:
    """The header is read before its character set is known; names in it may be in any."""
    try:
        return segment.decode("utf-8")
    except UnicodeDecodeError:
        return segment.decode("iso8859-1")


def _check_kind(header: Header) -> None:
    if header.message_type == QUERY:
        raise FeedUnreadable(header, "ihe.feed.query", f"QBP {header.event}".strip())
    if header.message_type != "ADT":
        raise FeedUnreadable(header, "ihe.feed.type", header.message_type)
    if header.event not in EVENTS:
        raise FeedUnreadable(header, "ihe.feed.event", header.event)
    if header.version not in VERSIONS:
        raise FeedUnreadable(header, "ihe.feed.version", header.version)
    if header.charset.upper() not in CHARSETS:
        raise FeedUnreadable(header, "ihe.feed.charset", header.charset)


def _decoded(data: bytes, header: Header) -> str:
    for name in CHARSETS[header.charset.upper()]:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise FeedUnreadable(header, "ihe.feed.charset", f"bytes that are not {header.charset}")


def _parsed(header: Header, text: str) -> Any:
    text = text.lstrip("\r\n")
    text = text.replace("\r\n", "\r") if "\r" in text else text.replace("\n", "\r")
    field = header.separators[0]
    msh, *others = text.rstrip("\r\n").split("\r")
    read = [field.join((*msh.split(field, 2)[:2], ""))]  # its other fields are read already
    for segment in others:
        last = _READ.get(segment.partition(field)[0])
        if last is not None:
            read.append(field.join(segment.split(field, last + 1)[: last + 1]))
    try:
        return hl7.parse("".join(f"{segment}\r" for segment in read))
    except (hl7.HL7Exception, ValueError, IndexError, KeyError, TypeError) as wrong:
        raise FeedUnreadable(header, "ihe.feed.segment") from wrong


def _segments(message: Any, name: str) -> list[Any]:
    return [segment for segment in message if str(segment[0]) == name]


def _identifiers(segment: Any, number: int, separators: str) -> Iterator[Identifier]:
    """The CX values of a field, in the standard's separators; those without an id are passed over."""
    for repetition in _parts(segment[number]) if number < len(segment) else ():
        components = [_parts(component) for component in _parts(repetition)]
        authority = components[3] if len(components) > 3 else []
        values = [components[0][0] if components else "", *authority[:3]]
        texts = [_standard("" if str(value) == _NULL else str(value), separators) for value in values]
        if texts[0]:
            yield Identifier(*texts)


def _parts(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else list(value)


def _standard(text: str, separators: str) -> str:
    """Text with the escapes of the usual separators, as patient ids are compared (ITI TF-3 Table 4.2.3.1.7-2)."""
    if separators == SEPARATORS:
        return text
    escapes = dict(zip(SEPARATORS, "FSRET", strict=True))
    made = "".join(f"\\{escapes[c]}\\" if c in escapes and c not in separators else c for c in text)
    return made.replace(separators[3], "\\")


# --- writing --------------------------------------------------------------------------------------------------------


def render_ack(header: Header, problem: FeedProblem | None, *, now: str, control_id: str) -> bytes:
    """The acknowledgment in original mode, in the sender's separators and character set (HL7 v2.5, 2.9.2)."""
    separators = header.separators
    field, component = separators[0], separators[1]
    kind = component.join(("ACK", header.event, "ACK") if header.event else ("ACK",))
    msh = [
        f"MSH{field}{separators[1:]}",
        header.receiving_application, header.receiving_facility,
        header.sending_application, header.sending_facility,
        now, "", kind, control_id, header.processing_id or "P", header.version or "2.3.1",
        *(("", "", "", "", "", header.charset) if header.charset else ()),
    ]  # fmt: skip
    segments = [field.join(msh), field.join(("MSA", problem.acknowledgment if problem else "AA", header.control_id))]
    if problem is not None:
        code = component.join((problem.code.value, _CODE_TEXTS[problem.code.value], "HL70357"))
        place = problem.location.replace("^", component)
        sentence = escaped(problem.sentence, separators)
        rule = escaped(problem.rule, separators)
        segments.append(field.join(("ERR", "", place, code, "E", rule, "", "", sentence)))
    charset = CHARSETS.get(header.charset.upper(), _UNSAID)[0]
    return "".join(f"{segment}\r" for segment in segments).encode(charset, "replace")


def parse_ack(data: bytes) -> tuple[str, str, str]:
    """MSA-1, MSA-2 and the sentence of ERR-8 of an acknowledgment. Raises FeedUnreadable when it is none."""
    header = parse_header(data)
    if header.message_type != "ACK":
        raise FeedUnreadable(header, "ihe.feed.type", header.message_type)
    message = _parsed(header, _decoded(data, header))
    found = {str(segment[0]): [str(field) for field in segment] for segment in message}
    msa, err = found.get("MSA", []), found.get("ERR", [])
    if len(msa) < 3:
        raise FeedUnreadable(header, "ihe.feed.segment")
    return msa[1], msa[2], err[8] if len(err) > 8 else ""


def render_adt(message: FeedMessage[Header], *, now: str) -> bytes:
    """A message as `parse_adt` reads it: MSH, EVN, PID, and MRG for a merge or a changed link."""
    header = message.header
    separators = header.separators
    field, component, repetition, _, subcomponent = tuple(separators)

    def cx(identifier: Identifier) -> str:
        return component.join((identifier.id, "", "", subcomponent.join(identifier[1:])))

    structure = _STRUCTURES.get(header.event, "ADT_A01")
    msh = (
        f"MSH{field}{separators[1:]}",
        *header[:4], now, "",
        component.join((header.message_type, header.event, structure)),
        *header[6:9], "", "", "", "", "", header.charset,
    )  # fmt: skip
    segments = [field.join(msh), field.join(("EVN", header.event, now))]
    segments.append(field.join(("PID", "", "", repetition.join(map(cx, message.patients)), "", " ")))
    if header.event in _WITH_MRG:
        segments.append(field.join(("MRG", repetition.join(map(cx, message.subsumed)))))
    charset = CHARSETS.get(header.charset.upper(), _UNSAID)[0]
    return "".join(f"{segment}\r" for segment in segments).encode(charset)


def escaped(text: str, separators: str = SEPARATORS) -> str:
    """Text in which separators are escape sequences (HL7 v2.5, 2.7)."""
    escape = separators[3]
    escapes = {c: f"{escape}{letter}{escape}" for c, letter in zip(separators, "FSRET", strict=True)}
    return "".join(escapes.get(c, " " if c < " " else c) for c in text)


def unescaped(text: str) -> str:
    """Text that `escaped` wrote with the usual separators."""
    return _ESCAPED.sub(lambda found: _ESCAPES[found[1]], text)
