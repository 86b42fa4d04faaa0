"""Values of stored query parameters as the standard writes them: quoted, in lists, codes, times (3.18.4.1.2.3)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ..codec.query_parameters import Parameter
from ..codec.query_values import (
    ASSOCIATION_TYPE,
    CODE,
    IGNORED,
    LEVEL,
    OBJECT_TYPE,
    PATIENT,
    PATTERN,
    REFERENCE_ID,
    SOURCE_ID,
    STATUS,
    TIME,
    UNIQUE_ID,
    UUID,
    Kind,
    parse_literals,
)
from ..model import vocabulary as v
from ..model.datatypes import Code

_STATUS_NAMES: Final = {name.rsplit(":", 1)[1].lower(): name for name in (v.APPROVED, v.DEPRECATED)}
_ASSOCIATION_NAMES: Final = {name.rsplit(":", 1)[1].lower(): name for name in v.ASSOCIATION_TYPES}
_OBJECT_TYPE_NAMES: Final = {"stable": v.STABLE_DOCUMENT, "on-demand": v.ON_DEMAND_DOCUMENT}
_BARE_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHORT_PATIENT: Final = re.compile(r"([^\^&@]+)@([0-9]+(?:\.[0-9]+)+)")
_NUMBERS: Final = (TIME, LEVEL)


def render_values(parameter: Parameter, values: Sequence[Any], problems: list[str]) -> tuple[str, ...]:
    """The Value elements of one slot, one for each value: none then exceeds the length of a Value (3.18.4.1.2.3.5).

    A value that its kind does not allow becomes a problem.
    """
    rendered = []
    for value in values:
        text = _text(parameter.kind, value)
        if parameter.kind.parse(text) in (None, IGNORED):
            problems.append(f"{parameter.name} is {text}: write it as {parameter.kind.expected}")
        rendered.append(text if parameter.kind in _NUMBERS else _quoted(text))
    return tuple(f"({text})" for text in rendered) if parameter.multiple else tuple(rendered)


def written_as(parameter: Parameter) -> str:
    """How people write a value of this parameter."""
    return next((each.example for each in _WRITINGS if each.kind is parameter.kind), parameter.kind.expected)


def split_values(text: str) -> tuple[str, ...]:
    """The values of a text that a person typed: split at commas; what begins with a quote or parenthesis as in 3.18.

    >>> split_values("RPLC,APND"), split_values("('a,b','c')"), split_values("%O'Brien%")
    (('RPLC', 'APND'), ('a,b', 'c'), ("%O'Brien%",))
    """
    told = text.strip()
    literals = parse_literals(told) if told.startswith(("'", "(")) else None
    return literals or tuple(part for each in told.split(",") if (part := each.strip()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(kind: Kind, value: Any) -> str:
    if isinstance(value, Code):
        return f"{value.code}^^{value.scheme}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    told = str(value).strip()
    return next((each.write(told) for each in _WRITINGS if each.kind is kind), told)


def _code(text: str) -> str:
    """A code without the display name that it may be written with."""
    parts = text.split("^")
    return f"{parts[0]}^^{parts[2]}" if len(parts) == 3 else text


def _time(text: str) -> str:
    """A DTM, from 2024-03-01T10:30 too."""
    return re.sub(r"(?<=\d)[-:T ](?=\d)", "", text)


def _uuid(text: str) -> str:
    return f"urn:uuid:{text.lower()}" if _BARE_UUID.fullmatch(text) else text


def patient_text(text: str) -> str:
    """A patient as CX, from `id@oid` too.

    >>> patient_text("42@1.2.3")
    '42^^^&1.2.3&ISO'
    """
    short = _SHORT_PATIENT.fullmatch(text.strip())
    return f"{short[1]}^^^&{short[2]}&ISO" if short else text


def _named(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda text: names.get(text.lower(), text)


class _Writing(NamedTuple):
    """How values of one kind are written here: an example, and how that becomes what the standard has."""

    kind: Kind
    example: str
    write: Callable[[str], str] = str


_WRITINGS: Final = (
    _Writing(STATUS, "Approved, Deprecated", _named(_STATUS_NAMES)),
    _Writing(ASSOCIATION_TYPE, "RPLC, APND, XFRM ...", _named(_ASSOCIATION_NAMES)),
    _Writing(OBJECT_TYPE, "stable, on-demand", _named(_OBJECT_TYPE_NAMES)),
    _Writing(CODE, "CODE^^SCHEME", _code),
    _Writing(PATIENT, "42@1.2.3, or a CX", patient_text),
    _Writing(TIME, "2024-03-01T10:30", _time),
    _Writing(UUID, "entryUUID", _uuid),
    _Writing(PATTERN, "%Martin%"),
    _Writing(REFERENCE_ID, "CXi, with % and _"),
    _Writing(UNIQUE_ID, "uniqueId"),
    _Writing(SOURCE_ID, "OID"),
)
