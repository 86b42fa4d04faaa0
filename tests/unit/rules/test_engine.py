"""Profiles as tables: rows are added, replaced and dropped, each with its reason, and nothing branches on a name."""

from dataclasses import replace

import pytest

from tests.unit.builders import make_entry, make_set, make_submission
from xds_gateway.model.errors import ErrorCode
from xds_gateway.model.metadata import Submission
from xds_gateway.rules.datatypes import DataType
from xds_gateway.rules.engine import METADATA, AttributeTest, Change, Check, Coding, Profile, Report, Rule, quoted
from xds_gateway.rules.ihe import IHE, check_submission, finding


def check(submission: Submission, profile: Profile) -> list[str]:
    return [f.rule for f in check_submission(submission, actor="repository", transaction="ITI-41", profile=profile)]


def make_rule(rule_id: str, **changes: object) -> Rule:
    """A row of a profile of ours."""
    rule = Rule(
        id=rule_id,
        object="DocumentEntry",
        attribute="title",
        codes=METADATA,
        sentence="Add {attribute} to the {object}.",
        expected="a title",
        clause="our own",
        example="no title",
    )
    return replace(rule, **changes)


TYPED = make_submission(entries=(make_entry(slots={"sourcePatientId": "IPP-77^^^&1.2.3&ISO^PI"}),))
UNTITLED = make_submission(entries=(make_entry(name=()),))


def _set_is_titled(submission: Submission, report: Report) -> None:
    for submission_set in submission.submission_sets:
        if not submission_set.name:
            report.add("our.ss.title", object_id=submission_set.id)


def test_a_dropped_row_is_not_judged():
    ours = IHE.extended("ours", drop={"ihe.de.sourcePatientId.format": "its CX has a type"})
    assert check(TYPED, IHE) == ["ihe.de.sourcePatientId.format"]
    assert check(TYPED, ours) == []


def test_a_replaced_row_judges_by_its_own_test_code_and_words():
    typed = DataType(name="CX", valid=lambda text: text.endswith("^PI"), expected="a CX with type PI", example="1")
    row = IHE.rules["ihe.de.sourcePatientId.format"]
    assert isinstance(row.test, AttributeTest)
    codes = row.codes._replace(iti41=ErrorCode.REPOSITORY_METADATA_ERROR)
    ours = IHE.extended(
        "ours",
        replace={replace(row, test=row.test._replace(datatype=typed), codes=codes, expected=typed.expected): "types"},
    )
    assert check(TYPED, ours) == []
    (found,) = check_submission(make_submission(), actor="repository", transaction="ITI-41", profile=ours)
    assert (found.code, found.expected) == (ErrorCode.REPOSITORY_METADATA_ERROR, "a CX with type PI")


def test_an_added_row_tests_an_attribute():
    row = make_rule("our.de.title.required", test=AttributeTest(Check.REQUIRED, "DocumentEntry", Coding.NAME, "Name"))
    ours = IHE.extended("ours", add={row: "titles are shown"})
    assert check(UNTITLED, IHE) == []
    assert check(UNTITLED, ours) == ["our.de.title.required"]


def test_an_added_row_brings_a_function():
    ours = IHE.extended("ours", add={make_rule("our.ss.title", test=_set_is_titled): "titles are shown"})
    submission = make_submission(submission_set=make_set(name=()))
    assert check(submission, ours) == ["our.ss.title"]
    assert check(make_submission(), ours) == []


def test_an_added_row_knows_a_slot_of_its_own():
    row = make_rule("our.de.ward.single", test=AttributeTest(Check.SINGLE, "DocumentEntry", Coding.SLOT, "ward"))
    ours = IHE.extended("ours", add={row: "a local slot"})
    submission = make_submission(entries=(make_entry(slots={"ward": ("A", "B")}),))
    assert check(submission, IHE) == ["ihe.slot.extra"]
    assert check(submission, ours) == ["our.de.ward.single"]


def test_a_profile_remembers_what_it_changed_and_why():
    ours = IHE.extended("ours", drop={"ihe.slot.extra": "old senders"}).extended(
        "theirs", add={make_rule("their.x"): "y"}
    )
    assert ours.changes == (Change("dropped", "ihe.slot.extra", "old senders"), Change("added", "their.x", "y"))
    assert IHE.changes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"drop": {"no.such": "x"}},
        {"add": {make_rule("ihe.slot.extra"): "x"}},
        {"replace": {make_rule("no.such"): "x"}},
    ],
    ids=("drop", "add", "replace"),
)
def test_a_change_of_the_wrong_row_is_a_mistake(change):
    with pytest.raises(ValueError, match="ours"):
        IHE.extended("ours", **change)


def test_two_rows_of_one_id_are_a_mistake():
    with pytest.raises(ValueError, match=r"ihe\.x"):
        Profile.of("ours", (make_rule("ihe.x"),), (make_rule("ihe.x"),))


def test_a_finding_of_another_profile_has_its_words():
    ours = IHE.extended("ours", replace={replace(IHE.rules["ihe.lid"], sentence="Leave {attribute} out."): "shorter"})
    assert finding("ihe.lid", profile=ours).sentence == "Leave lid out."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Prénom 山田", "Prénom 山田"),
        ("a\nb\x00", "a\\nb\\x00"),
        ("\u202eevil", "\\u202eevil"),
        ("x" * 129, "x" * 128 + "…"),
    ],
)
def test_what_was_received_is_shown_safely(text, shown):
    assert quoted(text) == shown
