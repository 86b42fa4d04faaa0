"""Rules as rows, profiles as tables of rows, and the report that turns broken rows into findings.

A row says everything about one rule except how it is found out: attribute rows carry a test that the attribute pass
compiles into look-up tables, message rows are reported by the functions of their module, by id. A row that a profile
drops is reported by nobody, a row that it replaces speaks with its new words and code.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from ..model.errors import ErrorCode, Finding
from ..model.metadata import Submission
from .datatypes import DataType
from .hints import hinted

# "ITI-41 limited" are the objects of ITI-41 that are flagged as limited metadata (ITI TF-3 Table 4.3.1-3, "XDR MS")
Transaction = Literal["ITI-41", "ITI-41 limited", "ITI-42", "ITI-57", "ITI-61", "ITI-62", "ITI-86", "ITI-92"]
Actor = Literal["registry", "repository"]

LIMIT: Final = 100  # findings of one message; the rest is counted
_CUT: Final = 128


class Codes(NamedTuple):
    """The error code of a rule per transaction; None where the rule does not apply (ITI TF-3 Table 4.2.4.1-2).

    `others` are the transactions that differ; what it does not name is as in ITI-42, limited metadata as in ITI-41.
    """

    iti41: ErrorCode | None
    iti42: ErrorCode | None
    others: tuple[tuple[Transaction, ErrorCode | None], ...] = ()

    def code(self, transaction: Transaction) -> ErrorCode | None:
        """The code in a transaction."""
        usual = self.iti41 if transaction in ("ITI-41", "ITI-41 limited") else self.iti42
        return next((code for name, code in self.others if name == transaction), usual)

    def all(self) -> tuple[ErrorCode, ...]:
        """Every code that the rule can give."""
        return tuple(code for code in (self.iti41, self.iti42, *(code for _, code in self.others)) if code is not None)


class Check(Enum):
    """What an attribute row tests (ITI TF-3 4.2.3.1.9, Table 4.3.1-2)."""

    REQUIRED = "required"
    PROHIBITED = "prohibited"
    SINGLE = "single"
    FORMAT = "format"


class Coding(Enum):
    """Where an attribute is found in its object (ITI TF-3 4.2.3.1.8)."""

    SLOT = 'a Slot named "{0}"'
    CODE = "a Classification with classificationScheme {0}"
    AUTHOR = "an author Classification with classificationScheme {0}"
    IDENTIFIER = "an ExternalIdentifier with identificationScheme {0}"
    FIELD = "the XML attribute {0}"
    NAME = "a {0} with a LocalizedString that is not empty"
    FLAG = "a Classification with classificationNode {0}"


class AttributeTest(NamedTuple):
    """A test of one attribute: what, on which kind of object, coded how, under which ebRIM name or UUID.

    `datatype` belongs to FORMAT.
    """

    check: Check
    kind: str
    coding: Coding
    key: str
    datatype: DataType | None = None


MessageTest = Callable[[Submission, "Report"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: stable id, what it is about, its codes, what to tell a vendor, where the standard says so.

    `sentence` is a format string over object, attribute, received and expected. `example` is a value or a situation
    that breaks the rule. `test` is None when the module that owns the row reports it; a row that a profile adds may
    bring a function.
    """

    id: str
    object: str
    attribute: str
    codes: Codes
    sentence: str
    expected: str
    clause: str
    example: str
    test: AttributeTest | MessageTest | None = None

    def code(self, transaction: Transaction) -> ErrorCode | None:
        """The error code in a transaction, None where the rule does not apply."""
        return self.codes.code(transaction)


class Change(NamedTuple):
    """What a profile did to a row of its base: "added", "replaced" or "dropped", and why."""

    kind: str
    rule: str
    why: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Profile:
    """A named table of rules by id; `changes` is how it differs from its base."""

    name: str
    rules: Mapping[str, Rule]
    changes: tuple[Change, ...] = ()
    compiled: dict[tuple[str, str], object] = field(default_factory=dict, repr=False)  # by (transaction, actor)

    @classmethod
    def of(cls, name: str, *tables: Iterable[Rule]) -> "Profile":
        """A profile of these rows. Raises ValueError when two rows have one id."""
        rules: dict[str, Rule] = {}
        for rule in (rule for table in tables for rule in table):
            if rule.id in rules:
                raise ValueError(f"two rows of profile {name} are called {rule.id}")
            rules[rule.id] = rule
        return cls(name=name, rules=MappingProxyType(rules))

    def extended(
        self,
        name: str,
        *,
        add: Mapping[Rule, str] | None = None,
        replace: Mapping[Rule, str] | None = None,
        drop: Mapping[str, str] | None = None,
    ) -> "Profile":
        """Another profile with rows added, replaced and dropped, each with the reason why.

        Raises ValueError for an added id that exists, or a replaced or dropped one that does not.
        """
        rules, changes = dict(self.rules), list(self.changes)
        for kind, rows in (("added", add or {}), ("replaced", replace or {})):
            for rule, why in rows.items():
                if (rule.id in rules) is (kind == "added"):
                    raise ValueError(f"profile {name} cannot have {rule.id} {kind}")
                rules[rule.id] = rule
                changes.append(Change(kind, rule.id, why))
        for rule_id, why in (drop or {}).items():
            if rules.pop(rule_id, None) is None:
                raise ValueError(f"profile {name} cannot have {rule_id} dropped")
            changes.append(Change("dropped", rule_id, why))
        return Profile(name=name, rules=MappingProxyType(rules), changes=tuple(changes))

    def applicable(self, transaction: Transaction, actor: Actor) -> Mapping[str, Rule]:
        """The rows of an actor in a transaction: all of them for a repository, not its own for a registry."""
        return {
            rule.id: rule
            for rule in self.rules.values()
            if (code := rule.code(transaction)) is not None
            and (actor == "repository" or not code.value.startswith("XDSRepository"))
        }


class Evidence(NamedTuple):
    """What was found for one rule: the words of the row are filled from it; `hint` goes before known mistakes."""

    object: str | None = None
    object_id: str | None = None
    attribute: str | None = None
    received: str | None = None
    expected: str | None = None
    hint: str | None = None


def make_finding(rule: Rule, evidence: Evidence, transaction: Transaction) -> Finding:
    """A finding of this row, with the code of the transaction, or another one where it has none there."""
    code = rule.code(transaction) or next(iter(rule.codes.all()), None)
    if code is None:
        raise ValueError(f"{rule.id} has no code in any transaction")
    received = None if evidence.received is None else quoted(evidence.received)
    attribute = quoted(evidence.attribute) if evidence.attribute else rule.attribute
    expected = quoted(evidence.expected) if evidence.expected else rule.expected
    sentence = rule.sentence.format(
        object=evidence.object or rule.object, attribute=attribute, received=received, expected=expected
    )
    return hinted(
        Finding(
            code=code,
            rule=rule.id,
            sentence=sentence,
            object_id=None if evidence.object_id is None else quoted(evidence.object_id),
            attribute=attribute,
            received=received,
            expected=expected,
            clause=rule.clause,
            hint=evidence.hint,
        )
    )


def quoted(text: str) -> str:
    """A received value fit for a message: cut to 128 characters, control and invisible characters escaped."""
    shown = text[:_CUT] + "…" if len(text) > _CUT else text
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


class Report:
    """The findings of one message while they are collected; over `LIMIT` they are only counted."""

    __slots__ = ("_rules", "_transaction", "found", "more")

    def __init__(self, rules: Mapping[str, Rule], transaction: Transaction) -> None:
        self._rules = rules
        self._transaction = transaction
        self.found: list[Finding] = []
        self.more = 0

    def by(self, rules: Mapping[str, Rule]) -> "Report":
        """A report by other rows that adds to these findings."""
        if rules is self._rules:
            return self
        other = Report(rules, self._transaction)
        other.found = self.found
        return other

    def add(
        self,
        rule_id: str,
        *,
        object: str | None = None,
        object_id: str | None = None,
        attribute: str | None = None,
        received: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Report a broken rule; nothing happens when the profile has no such row here."""
        rule = self._rules.get(rule_id)
        if rule is None:
            return
        if len(self.found) >= LIMIT:
            self.more += 1
            return
        evidence = Evidence(object, object_id, attribute, received, expected, hint)
        self.found.append(make_finding(rule, evidence, self._transaction))

    def findings(self) -> tuple[Finding, ...]:
        """All findings, the last one counting those that were left out."""
        if self.more:
            left_out = self._rules.get(MORE.id, MORE)
            last = make_finding(left_out, Evidence(received=str(self.more)), self._transaction)
            return (*self.found, last)
        return tuple(self.found)


METADATA: Final = Codes(ErrorCode.REGISTRY_METADATA_ERROR, ErrorCode.REGISTRY_METADATA_ERROR)
REPOSITORY_METADATA: Final = Codes(ErrorCode.REPOSITORY_METADATA_ERROR, ErrorCode.REGISTRY_METADATA_ERROR)
ONLY_REGISTER: Final = Codes(None, ErrorCode.REGISTRY_METADATA_ERROR)
ONLY_PROVIDE: Final = Codes(ErrorCode.REPOSITORY_METADATA_ERROR, None)
ONLY_ON_DEMAND: Final = Codes(None, None, (("ITI-61", ErrorCode.REGISTRY_METADATA_ERROR),))
NOT_ON_DEMAND: Final = METADATA._replace(others=(("ITI-61", None),))
UNRESOLVED: Final = Codes(ErrorCode.UNRESOLVED_REFERENCE, ErrorCode.UNRESOLVED_REFERENCE)
PATIENT: Final = Codes(ErrorCode.PATIENT_ID_DOES_NOT_MATCH, ErrorCode.PATIENT_ID_DOES_NOT_MATCH)

MORE: Final = Rule(
    id="ihe.more",
    object="Submission",
    attribute="submission",
    codes=METADATA._replace(others=(("ITI-62", ErrorCode.REGISTRY_ERROR),)),
    sentence="Correct what is listed and send again: there are {received} more findings that are not shown.",
    expected=f"at most {LIMIT} findings",
    clause="ITI TF-3 4.2.4.1",
    example="101 entries without a title that fits",
)


def row(
    rule_id: str,
    kind: str,
    attribute: str,
    sentence: str,
    expected: str,
    clause: str,
    example: str,
    codes: Codes = METADATA,
) -> Rule:
    """A message row as the tables write it, one after the other."""
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute,
        codes=codes,
        sentence=sentence,
        expected=expected,
        clause=clause,
        example=example,
    )


def not_in_updates(rule: Rule) -> Rule:
    """The row without ITI-57 and ITI-92, which have their own (`updates.py`)."""
    codes = rule.codes
    return replace(rule, codes=codes._replace(others=(*codes.others, ("ITI-57", None), ("ITI-92", None))))


__all__ = [
    "LIMIT",
    "METADATA",
    "MORE",
    "NOT_ON_DEMAND",
    "ONLY_ON_DEMAND",
    "ONLY_PROVIDE",
    "ONLY_REGISTER",
    "PATIENT",
    "REPOSITORY_METADATA",
    "UNRESOLVED",
    "Actor",
    "AttributeTest",
    "Change",
    "Check",
    "Codes",
    "Coding",
    "Evidence",
    "MessageTest",
    "Profile",
    "Report",
    "Rule",
    "Transaction",
    "make_finding",
    "not_in_updates",
    "quoted",
    "row",
]
