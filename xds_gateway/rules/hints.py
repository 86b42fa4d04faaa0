"""Hints: what a wrong value probably is, found in the table of known mistakes; only refusals pay for the search."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from ..model.errors import Finding
from .known_mistakes import KNOWN_MISTAKES, Mistake

SOURCES: Final[Mapping[str, str]] = MappingProxyType({row.sentence: row.source for row in KNOWN_MISTAKES})
"""Where it is said what a hint says, by the sentence of the hint."""


def hint_for(rule: str, received: str | None, expected: str | None = None) -> str | None:
    """What the received value of a broken rule probably is and what to do, None when it looks like nothing known."""
    return next((row.sentence for row in _rows(rule) if row.applies(received or "", expected or "")), None)


def hinted(finding: Finding) -> Finding:
    """The finding with a hint where its mistake is a known one; one that has a hint keeps it."""
    if finding.hint is not None:
        return finding
    hint = hint_for(finding.rule, finding.received, finding.expected)
    return finding if hint is None else replace(finding, hint=hint)


@lru_cache(maxsize=4096)  # there are fewer rules than that
def _rows(rule: str) -> tuple[Mistake, ...]:
    return tuple(row for row in KNOWN_MISTAKES if any(fnmatchcase(rule, pattern) for pattern in row.rules))
