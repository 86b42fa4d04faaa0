"""Mistakes as sentences: what is wrong, where it was written, what to write instead."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from .tree import dotted, masked

#   pydantic's error type     what the setting must be
EXPECTED: Final = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "string_too_short": "some text",
    "path_type": "a path in quotes",
    "literal_error": "{expected}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "a list, in the file as [...] or with [[...]] before each of its tables",
    "too_short": "at least one",
    "missing": "a value, it has no default",
}

FOLLOWING: Final = ("default_factory_not_called", "too_short")  # said of a setting because another one is wrong


class ConfigurationError(Exception):
    """The gateway cannot start as configured; `problems` has one sentence for each mistake, saying what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def sentences(error: ValidationError, sources: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each mistake that pydantic found; `sources` tells where each setting was written."""
    for detail in error.errors():
        if detail["type"] not in FOLLOWING or dotted(detail["loc"]) in sources:
            yield _sentence(detail, sources)


def _sentence(detail: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    place = dotted(detail["loc"])
    source = sources.get(place)
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        advice = str(context["error"])
    else:
        advice = "write " + EXPECTED[detail["type"]].format(**context) if detail["type"] in EXPECTED else detail["msg"]
    return f"{place}{f' ({source})' if source else ''} {_received(detail['input'])}: {advice}."


def _received(value: Any) -> str:
    return "is wrong" if isinstance(value, dict | list | tuple) else f"is {masked(json.dumps(value, default=str))}"
