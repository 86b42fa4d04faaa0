"""Every rule of an operation: a message that passes, and one that differs only there (ITI-57, ITI-92)."""

from dataclasses import replace

import pytest

from tests.unit.builders import (
    REGISTERED,
    REGISTERED_FOLDER,
    make_association,
    make_entry,
    make_folder,
    make_node,
    make_set,
    make_slots,
)
from tests.unit.rules.broken import Pair
from tests.unit.updates import SET, make_status_update, make_submit, make_update, make_version
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Submission, UnclassifiedPackage
from xds_gateway.rules import updates
from xds_gateway.rules.engine import Transaction
from xds_gateway.rules.ihe import IHE, check_submission, read_update
from xds_gateway.rules.operations import NewVersion, Operations, StatusUpdate

LID = REGISTERED
OTHER = "urn:uuid:7d1b1e9e-7f5b-4f0f-8f53-6d2f6d3e9a01"
ENTRY = make_entry(lid=LID)
FOLDER = make_folder(lid=REGISTERED_FOLDER)
LINK = make_association(REGISTERED_FOLDER, OTHER, id="link")
GOOD = make_update(ENTRY)
STATUS = make_update(associations=(make_status_update(OTHER),))
SUBMIT = make_update(associations=(LINK, make_submit("link")))
BOTH: tuple[Transaction, ...] = ("ITI-57", "ITI-92")


def with_lid(lid: str | None) -> Submission:
    return make_update(replace(ENTRY, lid=lid))


def with_slots(**slots: str | tuple[str, ...] | None) -> Submission:
    return make_update(ENTRY, slots=slots)


def status(*values: str | tuple[str, ...] | None) -> Submission:
    return make_update(associations=(make_status_update(OTHER, *values),))


PAIRS = {
    "ihe.update.empty": Pair(GOOD, make_update()),
    "ihe.update.initial": Pair(GOOD, with_lid("Document01")),
    "ihe.update.lid": Pair(with_lid(LID.upper().replace("URN:UUID", "urn:uuid")), with_lid("entry")),
    "ihe.update.once": Pair(
        make_update(ENTRY, make_entry(2, lid=OTHER)),
        make_update(ENTRY, make_entry(2, lid=LID.upper().replace("URN:UUID", "urn:uuid"))),
    ),
    "ihe.update.member": Pair(GOOD, replace(GOOD, associations=())),
    "ihe.update.submissionSetStatus": Pair(GOOD, with_slots(SubmissionSetStatus=None)),
    "ihe.update.previousVersion": Pair(with_slots(PreviousVersion="12"), with_slots(PreviousVersion="1.1")),
    "ihe.update.propagation": Pair(with_slots(AssociationPropagation="yes"), with_slots(AssociationPropagation="YES")),
    "ihe.update.propagation.restricted": Pair(
        with_slots(AssociationPropagation="yes"), with_slots(AssociationPropagation="no")
    ),
    "ihe.update.slot": Pair(with_slots(**{"urn:example:why": "x"}), with_slots(OriginalStatus=v.APPROVED)),
    "ihe.update.restricted": Pair(GOOD, make_update(ENTRY, FOLDER)),
    "ihe.update.command.source": Pair(
        STATUS, make_update(associations=(make_status_update(OTHER, source=REGISTERED),))
    ),
    "ihe.update.statusValue": Pair(STATUS, status("Approved", v.DEPRECATED)),
    "ihe.update.statusChange": Pair(STATUS, status(v.DEPRECATED, v.DEPRECATED)),
    "ihe.update.submitted": Pair(SUBMIT, make_update(associations=(make_submit(OTHER),))),
    "ihe.update.submitted.propagated": Pair(
        make_update(
            ENTRY,
            associations=(replace(LINK, target=ENTRY.id), make_submit("link")),
            slots={"AssociationPropagation": "no"},
        ),
        make_update(ENTRY, associations=(replace(LINK, target=ENTRY.id), make_submit("link"))),
    ),
    "ihe.update.surplus": Pair(GOOD, make_update(ENTRY, associations=(make_version(replace(ENTRY, id=OTHER)),))),
}


def broken(submission: Submission, transaction: Transaction) -> set[str]:
    return {found.rule for found in read_update(submission, transaction=transaction)[1]}


def test_every_rule_of_an_operation_has_a_pair():
    assert set(PAIRS) == {rule.id for rule in updates.OPERATION_RULES}


EACH = pytest.mark.parametrize(
    ("rule", "transaction"),
    [(rule, transaction) for rule in PAIRS for transaction in BOTH if IHE.rules[rule].code(transaction)],
)


@EACH
def test_a_message_that_keeps_the_rule_passes(rule: str, transaction: Transaction):
    assert read_update(PAIRS[rule].good, transaction=transaction)[1] == ()
    assert check_submission(PAIRS[rule].good, actor="registry", transaction=transaction) == ()


@EACH
def test_a_message_that_breaks_the_rule_gets_that_finding_and_no_other(rule: str, transaction: Transaction):
    _, findings = read_update(PAIRS[rule].bad, transaction=transaction)
    wanted = "ihe.update.restricted" if rule == "ihe.update.surplus" and transaction == "ITI-92" else rule
    assert {(f.rule, f.code) for f in findings} == {(wanted, IHE.rules[wanted].code(transaction))}
    assert all("None" not in f.sentence and f.clause and f.clause.startswith("ITI Supplement") for f in findings)


@pytest.mark.parametrize(
    ("submission", "expected"),
    [
        (with_lid(None), {"ihe.update.initial"}),
        (with_lid(" "), {"ihe.update.initial"}),
        (with_slots(PreviousVersion=None), {"ihe.update.previousVersion"}),
        (with_slots(PreviousVersion=("1", "2")), {"ihe.update.previousVersion"}),
        (with_slots(PreviousVersion="0"), {"ihe.update.previousVersion"}),
        (with_slots(PreviousVersion="9" * 5000), {"ihe.update.previousVersion"}),
        (with_slots(PreviousVersion="\u0661"), {"ihe.update.previousVersion"}),
        (with_slots(SubmissionSetStatus="Reference"), {"ihe.update.submissionSetStatus"}),
        (with_slots(SubmissionSetStatus=None, PreviousVersion="x"),
         {"ihe.update.submissionSetStatus", "ihe.update.previousVersion"}),
        (with_slots(AssociationPropagation=("yes", "no")), {"ihe.update.propagation"}),
        (make_update(FOLDER, slots={"SubmissionSetStatus": None}), {"ihe.update.submissionSetStatus"}),
        (status((v.APPROVED, v.DEPRECATED), None), {"ihe.update.statusValue"}),
        (status(v.SUBMITTED, v.DEPRECATED), {"ihe.update.statusValue"}),
        (make_update(associations=(make_status_update(OTHER), make_status_update(OTHER, id="again"))),
         {"ihe.update.once"}),
        (make_update(associations=(make_status_update(OTHER, slots=make_slots(
            {"OriginalStatus": v.APPROVED, "NewStatus": v.DEPRECATED, "PreviousVersion": "1"})),)),
         {"ihe.update.slot"}),
        (make_update(associations=(LINK,)), {"ihe.update.surplus"}),
        (make_update(associations=(LINK, make_submit("link"), make_submit("link", id="again"))),
         {"ihe.update.surplus"}),
        (make_update(ENTRY, associations=(make_association(SET, OTHER, id="reference"),)), {"ihe.update.surplus"}),
        (make_update(ENTRY, associations=(replace(make_version(ENTRY), id="two"),)),
         {"ihe.update.surplus"}),
        (make_update(associations=(make_association(OTHER, LID, v.APND, id="apnd"),)), {"ihe.update.surplus"}),
        (make_update(associations=(replace(LINK, association_type="urn:example:x"), make_submit("link"))), set()),
        (make_update(associations=(replace(LINK, association_type="urn:example:x"),)), set()),
    ],
)  # fmt: skip
def test_what_is_no_operation_of_iti_57(submission: Submission, expected: set[str]):
    assert broken(submission, "ITI-57") == expected


@pytest.mark.parametrize(
    "submission",
    [
        make_update(FOLDER),
        STATUS,
        SUBMIT,
        make_update(ENTRY, associations=(make_association(OTHER, LID, v.RPLC, id="rplc"),)),
        make_update(ENTRY, associations=(make_status_update(ENTRY.id),)),
    ],
)
def test_a_restricted_update_knows_new_versions_of_entries_only(submission: Submission):
    assert broken(submission, "ITI-92") == {"ihe.update.restricted"}


def test_operations_are_read_as_values():
    command = make_status_update(OTHER)
    sent = make_update(
        ENTRY, FOLDER, associations=(command, LINK, make_submit("link")), slots={"AssociationPropagation": "no"}
    )
    assert read_update(sent, transaction="ITI-57") == (
        Operations(
            versions=(NewVersion(ENTRY, LID, 1, False), NewVersion(FOLDER, REGISTERED_FOLDER, 1, False)),
            statuses=(StatusUpdate(command, OTHER, v.APPROVED, v.DEPRECATED),),
            submitted=(LINK,),
        ),
        (),
    )


@pytest.mark.parametrize("sets", [(), (make_set(1), make_set(2))])
@pytest.mark.parametrize("transaction", BOTH)
def test_without_its_one_set_a_message_is_judged_by_that_alone(sets, transaction: Transaction):
    sent = replace(GOOD, submission_sets=sets)
    assert read_update(sent, transaction=transaction) == (Operations(), ())
    findings = check_submission(sent, actor="registry", transaction=transaction)
    assert "ihe.submission.set" in {found.rule for found in findings}


def test_a_package_that_says_not_what_it_is_is_judged_by_that_alone():
    package = UnclassifiedPackage(id="package", classifications=(make_node("urn:example:x", "package", "node"),))
    sent = replace(GOOD, unclassified=(package,), associations=(*GOOD.associations, make_association(SET, "package")))
    for transaction in BOTH:
        assert broken(sent, transaction) == set()
        rules = {found.rule for found in check_submission(sent, actor="registry", transaction=transaction)}
        assert rules == {"ihe.package.kind"}


@pytest.mark.parametrize(
    ("submission", "rule"),
    [
        (make_update(make_entry(lid=LID, slots={"languageCode": None})), "ihe.de.languageCode.required"),
        (make_update(make_entry(lid=LID, codes={v.DE_TYPE_CODE: ()})), "ihe.de.typeCode.required"),
        (make_update(make_folder(lid=LID, name=())), "ihe.fd.title.required"),
        (make_update(ENTRY, submission_set=make_set(slots={"submissionTime": None})), "ihe.ss.submissionTime.required"),
        (make_update(associations=(replace(LINK, association_type="urn:example:x"), make_submit("link"))),
         "ihe.as.type"),
    ],
)  # fmt: skip
def test_an_update_brings_whole_objects(submission: Submission, rule: str):
    findings = check_submission(submission, actor="registry", transaction="ITI-57")
    assert {(found.rule, found.code.value) for found in findings} == {(rule, "XDSRegistryMetadataError")}
