"""Parameters of stored queries read from their slots, by the columns of their tables (ITI TF-2 3.18.4.1.2.3)."""

from typing import Any, NamedTuple

from ..model.errors import ErrorCode, Finding
from .query_values import IGNORED, Kind, parse_literals


class Parameter(NamedTuple):
    """One row of a query's parameter table. `multiple`: several values are OR; `conjunction`: several slots are AND."""

    name: str
    attribute: str
    required: bool
    multiple: bool
    conjunction: bool
    kind: Kind


class Reading:
    """The reading of one request for a query: values where they can be read, findings where not."""

    def __init__(self, query: str, clause: str, findings: list[Finding]) -> None:
        """`query` and `clause` say whose parameters are read."""
        self.query = query
        self.clause = clause
        self._findings = findings

    def found(
        self,
        code: ErrorCode,
        rule: str,
        sentence: str,
        attribute: str | None,
        received: str | None,
        expected: str | None,
        clause: str,
    ) -> None:
        """One more reason why the query cannot be asked."""
        self._findings.append(
            Finding(
                code=code,
                rule=rule,
                sentence=sentence,
                attribute=attribute,
                received=received,
                expected=expected,
                clause=clause,
            )
        )

    def values(
        self, parameter: Parameter, slots: tuple[tuple[str, tuple[str, ...]], ...]
    ) -> tuple[tuple[Any, ...], ...]:
        """The parsed values: one tuple for each slot of this name."""
        groups = [self._group(parameter, texts) for name, texts in slots if name == parameter.name]
        groups = [group for group in groups if group]
        if parameter.required and not groups:
            self._missing(parameter)
        if not parameter.multiple and (count := sum(map(len, groups))) > 1:
            self._number(parameter, count)
        if not parameter.conjunction and len(groups) > 1:
            groups = [tuple(value for group in groups for value in group)]
        return tuple(groups)

    def _group(self, parameter: Parameter, texts: tuple[str, ...]) -> tuple[Any, ...]:
        parsed = []
        for text in texts:
            literals = parse_literals(text)
            if literals is None:
                self._unreadable(parameter, text, "'value', ('value','value') or a number", "ITI TF-2 3.18.4.1.2.3.5")
                continue
            for literal in literals:
                value = parameter.kind.parse(literal)
                if value is None:
                    self._unreadable(parameter, literal, parameter.kind.expected, parameter.kind.clause)
                elif value is not IGNORED:
                    parsed.append(value)
        return tuple(parsed)

    def _missing(self, parameter: Parameter) -> None:
        if any(f.attribute == parameter.name for f in self._findings):
            return  # unreadable is said already
        self.found(
            ErrorCode.STORED_QUERY_MISSING_PARAM,
            "ihe.query.required",
            f"{self.query} needs the parameter {parameter.name} with a value that this registry understands.",
            parameter.name,
            "",
            parameter.kind.expected,
            self.clause,
        )

    def _number(self, parameter: Parameter, count: int) -> None:
        self.found(
            ErrorCode.STORED_QUERY_PARAM_NUMBER,
            "ihe.query.single",
            f"{parameter.name} of {self.query} takes one value, not {count}.",
            parameter.name,
            f"{count} values",
            "one value",
            self.clause,
        )

    def _unreadable(self, parameter: Parameter, received: str, expected: str, clause: str) -> None:
        self.found(
            ErrorCode.REGISTRY_ERROR,
            "ihe.query.value",
            f"A value of {parameter.name} cannot be read; write it as {expected}.",
            parameter.name,
            received,
            expected,
            clause,
        )
