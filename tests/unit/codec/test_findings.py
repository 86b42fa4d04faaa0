"""codeContext: a sentence for people, and evidence that a program reads back."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.findings import parse_code_context, render_code_context
from xds_gateway.model.errors import ErrorCode, Finding

FINDING = Finding(
    code=ErrorCode.REGISTRY_METADATA_ERROR,
    rule="ihe.entry.hash",
    sentence="Send the hash of the document.",
    object_id="Document01",
    attribute="hash",
    received="abc",
    expected="40 hexadecimal digits",
    clause="ITI TF-3 4.2.3.2.10",
)
NAMES = {
    "rule": "rule",
    "object": "object_id",
    "attribute": "attribute",
    "received": "received",
    "expected": "expected",
    "clause": "clause",
}
# Text that no part of the form is made of, short enough to be shown whole
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="|[]"), max_size=40)
VALUES = PLAIN.map(str.strip).filter(bool)


def test_a_context_reads_as_a_sentence_with_evidence_in_order() -> None:
    assert render_code_context(FINDING) == (
        "Send the hash of the document. [rule=ihe.entry.hash | object=Document01 | attribute=hash | received=abc"
        " | expected=40 hexadecimal digits | clause=ITI TF-3 4.2.3.2.10]"
    )


def test_a_hint_stands_between_the_sentence_and_the_evidence() -> None:
    context = render_code_context(replace(FINDING, hint="this looks like a SHA-256."))
    assert context.startswith("Send the hash of the document. Hint: this looks like a SHA-256. [rule=ihe.entry.hash | ")
    assert parse_code_context(context) == {
        **parse_code_context(render_code_context(FINDING)),
        "hint": "this looks like a SHA-256.",
    }


@given(st.builds(Finding, code=st.sampled_from(ErrorCode), sentence=VALUES, **dict.fromkeys(NAMES.values(), VALUES)))
def test_evidence_comes_back(finding: Finding) -> None:
    found = parse_code_context(render_code_context(finding))
    assert found.pop("sentence") == finding.sentence
    assert found == {name: getattr(finding, attribute) for name, attribute in NAMES.items()}


@pytest.mark.parametrize("absent", ["object_id", "attribute", "received", "expected", "clause"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_absent_evidence_keeps_its_place(absent: str, nothing: str | None) -> None:
    changed: dict[str, Any] = {absent: nothing}
    found = parse_code_context(render_code_context(replace(FINDING, **changed)))
    assert list(found) == ["sentence", *NAMES]
    shown = next(name for name, attribute in NAMES.items() if attribute == absent)
    assert found[shown] == ("nothing" if absent == "received" else "-")


@given(st.text(max_size=300))
def test_no_value_breaks_the_form(value: str) -> None:
    found = parse_code_context(render_code_context(replace(FINDING, received=value, object_id=value)))
    assert list(found) == ["sentence", *NAMES]
    assert found["expected"] == FINDING.expected
    assert len(found["received"]) <= 161


@pytest.mark.parametrize(
    ("received", "shown"),
    [("a|b", "a¦b"), ("[a]", "(a)"), ("a\nb\x07", "a\ufffdb\ufffd"), ("x" * 161, "x" * 160 + "…"), ("a=b", "a=b")],
)
def test_received_values_are_shown_safely(received: str, shown: str) -> None:
    assert parse_code_context(render_code_context(replace(FINDING, received=received)))["received"] == shown


@pytest.mark.parametrize("context", ["", "The patient is unknown", "wrong [see log]", "open [rule=x"])
def test_the_context_of_others_is_a_sentence(context: str) -> None:
    assert parse_code_context(context) == {"sentence": context}


def test_every_field_of_a_finding_has_its_place() -> None:
    assert {f.name for f in fields(Finding)} == {"code", "sentence", "severity", "hint", *NAMES.values()}
