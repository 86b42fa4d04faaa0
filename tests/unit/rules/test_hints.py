"""Every row of known mistakes: its example gets its hint, breaks its rule, and a right value gets none."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import make_association, make_entry, make_set, make_submission
from tests.unit.strategies import SOME_TEXT
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.rules.engine import AttributeTest
from xds_gateway.rules.hints import SOURCES, hint_for, hinted
from xds_gateway.rules.ihe import IHE, check_submission
from xds_gateway.rules.known_mistakes import KNOWN_MISTAKES

ROWS = pytest.mark.parametrize("row", KNOWN_MISTAKES, ids=lambda row: f"{row.rules[0]} {row.sentence[:40]}")
BELOW = ("fault.", "http.")


def rules_of(row):
    """The rules of the profile that a row is about."""
    return [rule for rule in IHE.rules.values() if any(fnmatchcase(rule.id, pattern) for pattern in row.rules)]


@ROWS
def test_the_example_of_a_row_gets_its_hint(row):
    rules = [rule.id for rule in rules_of(row)] or [row.rules[0]]
    received, expected = row.example
    assert {hint_for(rule, received or None, expected or None) for rule in rules} == {row.sentence}


@ROWS
def test_a_row_is_about_rules_that_exist(row):
    known = [any(fnmatchcase(rule, pattern) for rule in IHE.rules) for pattern in row.rules]
    assert all(known) or row.rules[0].startswith(BELOW)


@ROWS
def test_the_example_of_a_row_breaks_its_rules(row):
    datatypes = [rule.test.datatype for rule in rules_of(row) if isinstance(rule.test, AttributeTest)]
    assert not any(datatype.valid(row.example[0]) for datatype in datatypes if datatype)


@ROWS
def test_a_hint_is_a_sentence_with_its_source(row):
    assert row.sentence.endswith((".", "?"))
    assert not any(mark in row.sentence for mark in ("[", "Hint: "))
    assert SOURCES[row.sentence] == row.source
    assert row.source


#   rule                       received               a value that is wrong in no usual way
UNUSUAL = [
    ("ihe.de.creationTime.format", "yesterday"),
    ("ihe.de.hash.format", "none"),
    ("ihe.de.size.format", "big"),
    ("ihe.de.languageCode.format", "f"),
    ("ihe.code.scheme", "1"),
    ("ihe.as.member.status", "Approved"),
    ("ihe.no.such.rule", "x"),
    ("ihe.de.hash.required", ""),
]


@pytest.mark.parametrize(("rule", "received"), UNUSUAL)
def test_what_is_no_known_mistake_gets_no_hint(rule, received):
    assert hint_for(rule, received) is None


@given(st.sampled_from(sorted(IHE.rules)), SOME_TEXT, SOME_TEXT)
def test_any_value_is_looked_at_without_harm(rule, received, expected):
    assert hint_for(rule, received, expected) in (None, *SOURCES)


def test_a_hint_that_is_there_already_stays():
    sent = {"rule": "ihe.de.hash.format", "received": "a" * 64}
    own = Finding(code=ErrorCode.REGISTRY_ERROR, sentence="No.", hint="x.", **sent)
    assert hinted(own) is own


#   a submission                                                                   word of the hint
SENT = [
    ({"entries": (make_entry(mime_type=".pdf"),)}, "application/pdf"),
    ({"entries": (make_entry(slots={"CreationTime": "2026"}),)}, "case-sensitive"),
    ({"entries": (make_entry(slots={"languageCode": "fr_FR"}),)}, "underscore"),
    ({"entries": (make_entry(home="1.2.3"),)}, "urn:oid:"),
    ({"submission_set": make_set(identifiers={v.SS_SOURCE_ID: "urn:oid:1.2.3"})}, "without urn:oid:"),
    ({"associations": (make_association("SubmissionSet01", "Document01"),)}, "lacks its Slot SubmissionSetStatus"),
]


@pytest.mark.parametrize(("changes", "word"), SENT)
def test_findings_of_a_message_come_with_their_hints(changes, word):
    found = check_submission(make_submission(**changes), actor="repository", transaction="ITI-41")
    assert [word in (finding.hint or "") for finding in found] == [True]
