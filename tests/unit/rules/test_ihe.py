"""Every rule of the international profile: a message that passes, and one that differs only there."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import xds_gateway
from tests.unit.builders import (
    CONTENT,
    CONTENT_SHA1,
    OTHER_PATIENT,
    PATIENT,
    REGISTERED,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_parts,
    make_set,
    make_submission,
)
from tests.unit.rules.broken import MESSAGES, as_sent_in, pair_of
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode
from xds_gateway.model.messages import DocumentPart
from xds_gateway.model.metadata import Submission, UnclassifiedPackage
from xds_gateway.rules import access, documents, patients, reading, removal, service, state, updates, value_sets
from xds_gateway.rules.engine import MORE, AttributeTest, Transaction
from xds_gateway.rules.ihe import IHE, check_content, check_documents, check_submission, finding

ATTRIBUTES = {rule.id for rule in IHE.rules.values() if isinstance(rule.test, AttributeTest)}
OF_MESSAGES = sorted(ATTRIBUTES | set(MESSAGES))
DOCUMENTS = {rule.id for rule in documents.RULES}
ELSEWHERE = {
    rule.id
    for module in (access, reading, state, updates, removal, service, value_sets)
    for rule in (*module.RULES, MORE)
}
TRANSACTIONS: tuple[Transaction, ...] = ("ITI-41", "ITI-42", "ITI-61", "ITI-41 limited")


def check(submission: Submission, transaction: Transaction = "ITI-41"):
    limited = transaction == "ITI-41 limited"
    return check_submission(
        submission, actor="repository", transaction="ITI-41" if limited else transaction, limited=limited
    )


def test_every_rule_has_a_pair_of_messages():
    assert set(OF_MESSAGES) == set(IHE.rules) - DOCUMENTS - ELSEWHERE


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("rule", OF_MESSAGES)
def test_a_message_that_keeps_the_rule_passes(rule: str, transaction: Transaction):
    assert check(pair_of(IHE.rules[rule], transaction).good, transaction) == ()


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("rule", OF_MESSAGES)
def test_a_message_that_breaks_the_rule_gets_that_finding_and_no_other(rule: str, transaction: Transaction):
    code = IHE.rules[rule].code(transaction)
    found = {(f.rule, f.code) for f in check(pair_of(IHE.rules[rule], transaction).bad, transaction)}
    if code:
        assert found == {(rule, code)}
    else:
        assert rule not in {name for name, _ in found}


@pytest.mark.parametrize("rule", OF_MESSAGES)
def test_a_finding_says_what_to_change_and_where_that_stands(rule: str):
    transaction = next(each for each in TRANSACTIONS if IHE.rules[rule].code(each))
    found = check(pair_of(IHE.rules[rule], transaction).bad, transaction)[0]
    assert found.sentence.endswith((".", ")."))
    assert "None" not in found.sentence
    assert found.expected
    assert found.clause
    assert found.clause.startswith("ITI TF-")
    assert found.attribute


@pytest.mark.parametrize(
    ("submission", "rule", "object_id", "attribute", "received", "expected"),
    [
        (
            make_submission(entries=(make_entry(slots={"creationTime": "2026-03-14T08:30:00Z"}),)),
            "ihe.de.creationTime.format", "Document01", "creationTime", "2026-03-14T08:30:00Z",
            "YYYY[MM[DD[hh[mm[ss]]]]] in UTC",
        ),
        (
            make_submission(submission_set=make_set(identifiers={v.SS_SOURCE_ID: None})),
            "ihe.ss.sourceId.required", "SubmissionSet01", "sourceId", None,
            f"an ExternalIdentifier with identificationScheme {v.SS_SOURCE_ID}",
        ),
        (
            make_submission(entries=(make_entry(1), make_entry(2, identifiers={v.DE_PATIENT_ID: OTHER_PATIENT}))),
            "ihe.patient.same", "Document02", "patientId", OTHER_PATIENT, PATIENT,
        ),
        (
            make_submission(entries=(make_entry(codes={v.DE_CLASS_CODE: ()}),)),
            "ihe.de.classCode.required", "Document01", "classCode", None,
            f"a Classification with classificationScheme {v.DE_CLASS_CODE}",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("ihe.") else "",
)  # fmt: skip
def test_a_finding_carries_its_evidence(submission, rule, object_id, attribute, received, expected):
    (found,) = check(submission)
    assert (found.rule, found.object_id, found.attribute, found.received, found.expected) == (
        rule, object_id, attribute, received, expected,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("slots", "hint"),
    [
        ({"creationTime": "20260314083000+0100"}, "convert the time to UTC"),
        ({"creationTime": "20260314083000.123"}, "fractions"),
        ({"creationTime": "2026-03-14"}, "without hyphens"),
        ({"hash": "a" * 64}, "SHA-256"),
        ({"hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}, "base64"),
        ({"hash": "d41d8cd98f00b204e9800998ecf8427e"}, "MD5"),
        ({"sourcePatientId": "IPP-77^^^&1.2.3&ISO^PI"}, "leave out the identifier type"),
        ({"sourcePatientId": "IPP-77^^^HOSPITAL&1.2.3&ISO"}, "leave out the namespace"),
    ],
)
def test_a_usual_mistake_gets_a_hint(slots, hint):
    (found,) = check(make_submission(entries=(make_entry(slots=slots),)))
    assert hint in (found.hint or "")


def test_all_findings_of_a_message_come_at_once():
    entry = make_entry(
        slots={"creationTime": "yesterday", "languageCode": None}, codes={v.DE_TYPE_CODE: ()}, mime_type=None
    )
    findings = check(make_submission(entries=(entry,), submission_set=make_set(slots={"submissionTime": None})))
    assert {f.rule for f in findings} == {
        "ihe.ss.submissionTime.required",
        "ihe.de.creationTime.format",
        "ihe.de.languageCode.required",
        "ihe.de.typeCode.required",
        "ihe.de.mimeType.required",
    }


def test_many_findings_are_cut_and_counted():
    entries = [make_entry(n, slots={"creationTime": "x"}) for n in range(1, 121)]
    findings = check(make_submission(entries=entries))
    assert len(findings) == 101
    assert findings[-1].rule == "ihe.more"
    assert findings[-1].received == "20"


def test_received_values_are_cut_and_escaped():
    (found,) = check(make_submission(entries=(make_entry(slots={"creationTime": "2026\x1b\u202e" + "9" * 200}),)))
    assert found.received == "2026\\x1b\\u202e" + "9" * 122 + "…"


@pytest.mark.parametrize(
    "submission",
    [
        make_submission(entries=(make_entry(identifiers={v.DE_UNIQUE_ID: unique_id}),))
        for unique_id in ("1.2.3", "1.2.3^a b", "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "http://example.org/7")
    ],
    ids=("OID", "OID and extension", "UUID", "URI"),
)
def test_the_unique_id_of_a_document_is_opaque(submission):
    assert check(submission) == ()


@pytest.mark.parametrize(
    "entry",
    [
        make_entry(status=v.DEPRECATED),
        make_entry(version="7"),
        make_entry(slots={"sourcePatientInfo": "PID-19|123"}),
        make_entry(slots={"hash": None, "size": None, "repositoryUniqueId": "not an OID"}),
        make_entry(slots={"legalAuthenticator": " "}),
        make_entry(
            classifications=(
                *make_entry().classifications,
                make_entry().classifications[0]._replace(id="z", scheme="urn:uuid:0"),
            )
        ),
    ],
    ids=("status", "version", "PID-19", "repository's attributes", "blank optional value", "unknown scheme"),
)
def test_what_the_text_lets_pass_passes(entry):
    assert check(make_submission(entries=(entry,))) == ()


@pytest.mark.parametrize("association_type", v.RELATIONSHIPS)
def test_every_relationship_to_a_registered_entry_passes(association_type):
    relationship = make_association("Document01", REGISTERED, association_type)
    assert check(make_submission(relationships=(relationship,))) == ()


@pytest.mark.parametrize(
    ("status", "target", "passes"),
    [
        ("Original", "Document01", True),
        ("Reference", REGISTERED, True),
        ("Reference", "Document01", False),
        ("Original", REGISTERED, False),
        (None, "Document01", False),
        ("original", "Document01", False),
    ],
)
def test_submission_set_status_tells_new_from_referenced(status, target, passes):
    member = make_member("SubmissionSet01", target, status, id="member")
    others = () if target == "Document01" else (make_member("SubmissionSet01", "Document01"),)
    rules = [f.rule for f in check(make_submission(associations=(member, *others)))]
    assert rules == ([] if passes else ["ihe.as.member.status"])


def test_nothing_follows_from_a_package_that_does_not_say_what_it_is():
    the_set = make_set()
    fields = {name: getattr(the_set, name) for name in ("id", "slots", "name", "external_identifiers")}
    submission = make_submission(submission_sets=(), unclassified=(UnclassifiedPackage(**fields),))
    assert [f.rule for f in check(submission)] == ["ihe.package.kind"]


def test_nothing_follows_from_what_could_not_be_read():
    nameless = make_association("", "", "", id="")
    assert check(make_submission(relationships=(nameless,))) == ()


def test_a_folder_does_not_hold_a_folder():
    nested = make_association("Folder01", "Folder02", id="nested")
    rules = {f.rule for f in check(make_submission(folders=(make_folder(1), make_folder(2)), relationships=(nested,)))}
    assert "ihe.as.member.target" in rules


def test_one_patient_is_compared_by_id_and_authority():
    same = PATIENT + "^"
    assert check(make_submission(entries=(make_entry(identifiers={v.DE_PATIENT_ID: same}),))) == ()


def test_an_unreadable_patient_is_not_also_another_patient():
    findings = check(make_submission(entries=(make_entry(identifiers={v.DE_PATIENT_ID: "42"}),)))
    assert [f.rule for f in findings] == ["ihe.de.patientId.format"]


def test_a_registry_leaves_the_repository_its_own_rules():
    submission = make_submission(entries=(make_entry(slots={"hash": "x"}),))
    assert check_submission(submission, actor="registry", transaction="ITI-41") == ()
    (found,) = check(submission)
    assert found.code is ErrorCode.REPOSITORY_METADATA_ERROR
    (found,) = check_submission(submission, actor="registry", transaction="ITI-42")
    assert found.code is ErrorCode.REGISTRY_METADATA_ERROR


# --- documents --------------------------------------------------------------------------------------------------------

TWO = make_submission(entries=(make_entry(1), make_entry(2)))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (make_parts(TWO), set()),
        ((DocumentPart("Document01", "one", None), DocumentPart("Document02", "one", None)), set()),
        (make_parts(TWO)[:1], {("ihe.document.missing", ErrorCode.MISSING_DOCUMENT, "Document02")}),
        (
            (*make_parts(TWO), DocumentPart("Document03", "three", None)),
            {("ihe.document.entry", ErrorCode.MISSING_DOCUMENT_METADATA, "Document03")},
        ),
        (
            (*make_parts(TWO), DocumentPart("Document02", None, "QQ==")),
            {("ihe.document.once", ErrorCode.REPOSITORY_METADATA_ERROR, "Document02")},
        ),
    ],
    ids=("each has its own", "one attachment for two", "missing", "without entry", "twice"),
)
def test_documents_and_entries_belong_together(parts, expected):
    assert {(f.rule, f.code, f.object_id) for f in check_documents(TWO, parts)} == expected


@pytest.mark.parametrize(
    ("slots", "rule"),
    [
        ({}, None),
        ({"hash": CONTENT_SHA1.upper()}, None),
        ({"hash": None, "size": None}, None),
        ({"size": "0020"}, None),
        ({"hash": v.EMPTY_SHA1}, "ihe.document.hash"),
        ({"size": "21"}, "ihe.document.size"),
        ({"size": "9" * 5000}, "ihe.document.size"),
        ({"size": "twenty"}, "ihe.document.size"),
    ],
)
def test_the_declared_content_is_what_arrived(slots, rule):
    findings = check_content(make_entry(slots=slots), len(CONTENT), CONTENT_SHA1)
    assert [(f.rule, f.code) for f in findings] == ([(rule, ErrorCode.REPOSITORY_METADATA_ERROR)] if rule else [])


def test_a_sha_256_is_recognized():
    (found,) = check_content(make_entry(slots={"hash": "b" * 64}), len(CONTENT), CONTENT_SHA1)
    assert "SHA-256" in (found.hint or "")
    assert found.expected == CONTENT_SHA1


# --- rows that others raise -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", sorted(ELSEWHERE | DOCUMENTS))
@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_a_finding_is_made_from_its_row(rule, transaction):
    made = finding(rule, object_id="x", received="this", expected="that", transaction=transaction)
    row = IHE.rules[rule]
    assert made.code in row.codes.all()
    assert (made.rule, made.object_id, made.received, made.expected, made.clause) == (
        rule,
        "x",
        "this",
        "that",
        row.clause,
    )
    assert "{" not in made.sentence


def test_every_rule_that_the_program_names_has_a_row():
    package = Path(xds_gateway.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'"(ihe\.[\w.{}]+)"', source)}
    patterns = {name: re.compile(re.sub(r"\{.*?\}", r"\\w+", name.replace(".", r"\."))) for name in named}
    rows = (*IHE.rules, *patients.BY_ID)
    unknown = [name for name, pattern in patterns.items() if not any(map(pattern.fullmatch, rows))]
    assert len(named) > 50
    assert unknown == []


def test_a_finding_of_no_row_is_a_mistake():
    with pytest.raises(KeyError):
        finding("ihe.no.such.rule")


# --- on-demand entries and limited metadata ---------------------------------------------------------------------------


@pytest.mark.parametrize("transaction", ["ITI-57", "ITI-92"])
@pytest.mark.parametrize(
    ("slots", "rules"),
    [
        ({}, set()),
        ({"hash": CONTENT_SHA1}, {"ihe.de.hash.prohibited"}),
        ({"creationTime": "2026", "size": "20"}, {"ihe.de.creationTime.prohibited", "ihe.de.size.prohibited"}),
    ],
)
def test_a_new_version_of_an_on_demand_entry_is_judged_as_one(transaction: Transaction, slots, rules):
    left_out = {"creationTime": None, "hash": None, "size": None}
    entry = make_entry(slots={**left_out, **slots}, object_type=v.ON_DEMAND_DOCUMENT)
    submission = make_submission(entries=(entry,))
    found = check_submission(submission, actor="registry", transaction=transaction)
    assert {f.rule for f in found} == rules
    assert {f.code for f in found} <= {ErrorCode.REGISTRY_METADATA_ERROR}


@pytest.mark.parametrize("transaction", ["ITI-42", "ITI-61"])
def test_only_iti_41_knows_limited_metadata(transaction: Transaction):
    submission = as_sent_in("ITI-41 limited", as_sent_in(transaction, make_submission()))
    found = check_submission(submission, actor="registry", transaction=transaction, limited=True)
    assert {f.rule for f in found} == {"ihe.de.limitedMetadata.prohibited", "ihe.ss.limitedMetadata.prohibited"}


def test_an_object_without_the_flag_is_judged_in_full_beside_limited_ones():
    submission = as_sent_in("ITI-41 limited", make_submission(entries=(make_entry(1), make_entry(2))))
    first, second = submission.document_entries
    bare = replace(first, classifications=first.classifications[-1:])  # the flag alone
    unflagged = replace(second, classifications=second.classifications[:1])
    assert check(replace(submission, document_entries=(bare, second)), "ITI-41 limited") == ()
    found = check(replace(submission, document_entries=(bare, unflagged)), "ITI-41 limited")
    assert {f.object_id for f in found} == {"Document02"}
