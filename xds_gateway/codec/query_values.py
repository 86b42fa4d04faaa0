"""Values of stored query parameters: literals, and how those of each kind are read (ITI TF-2 3.18.4.1.2.3)."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..model import vocabulary as v
from ..model.datatypes import parse_dtm
from ..model.identifiers import parse_patient_id

_CLAUSE: Final = "ITI TF-2 3.18.4.1.2.3"


class Kind(NamedTuple):
    """How one value of a parameter is read; `expected` is told when it cannot be."""

    parse: Callable[[str], Any]
    expected: str
    clause: str


IGNORED: Final = object()  # a value that the text says to ignore
_LITERAL: Final = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^\s,()'][^,()']*))\s*")


def parse_literals(text: str) -> tuple[str, ...] | None:
    """Split one Value into its literals: quoted strings, numbers, lists in parentheses; None when it is none of these.

    `''` in a quoted string is one quote. A bare string is accepted too, since senders forget quotes (3.18.4.1.2.3.5).
    """
    inner = text.strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1]
    if not inner.strip():
        return ()
    literals: list[str] = []
    position = 0
    while True:
        match = _LITERAL.match(inner, position)
        if match is None:
            return None
        quoted, bare = match.groups()
        literals.append(quoted.replace("''", "'") if quoted is not None else bare.strip())
        position = match.end()
        if position == len(inner):
            return tuple(literals)
        if inner[position] != ",":
            return None
        position += 1


def _code(text: str) -> tuple[str, str] | None:
    parts = text.split("^")
    return (parts[0], parts[2]) if len(parts) == 3 and parts[0] and not parts[1] and parts[2] else None


def _status(text: str) -> object:
    return _STATUSES.get(text, IGNORED)


def _object_type(text: str) -> str | None:
    return text if text in (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT) else None


def _association_type(text: str) -> str:
    return _ASSOCIATION_NAMES.get(text, text)


def _pattern(text: str) -> str | None:
    return text if 0 < len(text) <= _LONGEST_PATTERN else None


_LONGEST_PATTERN: Final = 10_000  # characters; values are 256 at most, and databases refuse patterns without end
_STATUSES: Final = {name: name for name in (v.APPROVED, v.DEPRECATED)}
_ASSOCIATION_NAMES: Final = {name.rsplit(":", 1)[1]: name for name in v.ASSOCIATION_TYPES}

PATIENT: Final = Kind(parse_patient_id, "'id^^^&oid&ISO'", "ITI TF-3 4.2.3.1.7")
CODE: Final = Kind(_code, "'code^^coding-scheme'", "ITI TF-2 3.18.4.1.2.3.4")
TIME: Final = Kind(parse_dtm, "YYYY[MM[DD[hh[mm[ss]]]]]", "ITI TF-2 3.18.4.1.2.3.3")
STATUS: Final = Kind(_status, "a status URN such as Approved", "ITI TF-2 3.18.4.1.2.3.6")
OBJECT_TYPE: Final = Kind(_object_type, "the UUID of stable or on-demand entries", "ITI TF-2 3.18.4.1.2.3.6.2")
UUID: Final = Kind(lambda text: text.lower() or None, "'urn:uuid:...'", _CLAUSE)
UNIQUE_ID: Final = Kind(lambda text: text or None, "a uniqueId in quotes", _CLAUSE)
SOURCE_ID: Final = Kind(lambda text: text or None, "an OID in quotes", "ITI TF-2 3.18.4.1.2.3.7.2")
PATTERN: Final = Kind(
    _pattern, f"a LIKE pattern in quotes, up to {_LONGEST_PATTERN} characters", "ITI TF-2 3.18.4.1.2.3.7.1"
)
REFERENCE_ID: Final = PATTERN._replace(clause="ITI TF-2 3.18.4.1.2.3.7.14")
LEVEL: Final = Kind({"1": 1, "2": 2}.get, "1 or 2", "ITI TF-2 3.57")
ASSOCIATION_TYPE: Final = Kind(_association_type, "the URN of an association type", "ITI TF-2 3.18.4.1.2.3.7.13")
