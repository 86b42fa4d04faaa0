"""An access matrix as a TOML file: rows and words as in `access_matrix.py` (docs/decide-access.md)."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from ..model.principal import Consent, Pair
from .access_matrix import ACTIONS, ANY, NODE, NORMAL, AccessMatrix, AccessRow, DocumentTypes

_TABLES: Final = ("roles", "modes", "confidentialities", "documents", "rows")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "documents": ANY,
    "mode": ANY,
    "owner": "anyone",
    "consent": "unless opposed",
    "patient": ANY,
}
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "owner": ("anyone", "own"),
    "consent": get_args(Consent),
    "patient": (ANY, "named"),
}


class NotAMatrix(Exception):
    """A text that is no access matrix; `mistakes` has one sentence for each reason."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def parse_matrix(name: str, text: str) -> AccessMatrix:
    """Read a matrix. Raises NotAMatrix with everything that is wrong."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise NotAMatrix(f"it is not TOML: {wrong}") from wrong
    unknown = sorted(tables.keys() - set(_TABLES))
    if unknown or not tables.get("rows"):
        raise NotAMatrix(f"write the tables {', '.join(_TABLES)}, with one row or more, and no other")
    try:
        matrix = AccessMatrix(
            name=name,
            roles=_codes(tables.get("roles", {})),
            modes=_codes(tables.get("modes", {})),
            confidentialities=_codes(tables.get("confidentialities", {})),
            documents={group: _types(codes) for group, codes in tables.get("documents", {}).items()},
            rows=tuple(_row(number, row) for number, row in enumerate(tables["rows"], 1)),
        )
    except (TypeError, AttributeError) as wrong:
        raise NotAMatrix("each table holds names with lists of codes, each row names with texts or lists") from wrong
    mistakes = tuple(_mistakes(matrix))
    if mistakes:
        raise NotAMatrix(*mistakes)
    return matrix


def _codes(words: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[Pair, ...]]:
    return {word: tuple(map(_code, codes)) for word, codes in words.items()}


def _code(text: str) -> Pair:
    """A code as queries write it: code^^scheme (ITI TF-2 3.18.4.1.2.3.4)."""
    code, caret, scheme = text.partition("^^")
    if not code or not caret or not scheme:
        raise NotAMatrix(f'write a code as "code^^scheme", not "{text}"')
    return code, scheme


def _types(codes: Mapping[str, Sequence[str]]) -> DocumentTypes:
    if not codes or codes.keys() - {"class_codes", "type_codes"}:
        raise NotAMatrix("a group of documents has class_codes, type_codes or both")
    return DocumentTypes(*(tuple(map(_code, codes.get(name, ()))) for name in ("class_codes", "type_codes")))


def _row(number: int, told: Mapping[str, Any]) -> AccessRow:
    row = {"id": f"row {number}", **_DEFAULTS, **told}
    odd = row.keys() ^ set(AccessRow._fields)
    if odd:
        names = ", ".join(sorted(odd))
        raise NotAMatrix(f"{row['id']} has names missing or unknown: {names}; there are {', '.join(AccessRow._fields)}")
    levels = row["confidentiality"]
    listed = (levels,) if isinstance(levels, str) else tuple(levels)
    return AccessRow(**{**row, "actions": tuple(row["actions"]), "confidentiality": listed})


def _mistakes(matrix: AccessMatrix) -> Iterator[str]:
    seen: set[str] = set()
    for row in matrix.rows:
        if row.id in seen:
            yield f'two rows have the id "{row.id}": give each an id of its own'
        seen.add(row.id)
        for column, words, known in (
            ("role", (row.role,), (NODE, *matrix.roles)),
            ("actions", row.actions, ACTIONS),
            ("documents", (row.documents,), (ANY, *matrix.documents)),
            ("confidentiality", row.confidentiality, (*matrix.confidentialities, *_any_alone(row))),
            ("mode", (row.mode,), (ANY, NORMAL, *matrix.modes)),
            *((column, (getattr(row, column),), choices) for column, choices in _CHOICES.items()),
        ):
            for word in words or ("nothing",):
                if word not in known:
                    yield f'{row.id}: {column} is "{word}": write one of {", ".join(known)}'


def _any_alone(row: AccessRow) -> tuple[str, ...]:
    return (ANY,) if row.confidentiality == (ANY,) else ()
