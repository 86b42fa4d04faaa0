"""Rules of value sets: for each attribute a message that passes, and the same one under a list that lacks its code."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import (
    REGISTERED,
    make_association,
    make_code,
    make_documentation,
    make_entry,
    make_folder,
    make_submission,
)
from tests.unit.rules.broken import as_sent_in
from tests.unit.value_sets import SENT, make_list, make_value_sets
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.metadata import Submission
from xds_gateway.model.value_sets import BY_NAME, ListedCode, ValueSets
from xds_gateway.rules import value_sets
from xds_gateway.rules.engine import LIMIT, Transaction
from xds_gateway.rules.ihe import IHE, check_submission
from xds_gateway.rules.nearest import nearest
from xds_gateway.rules.value_sets import author_code

NOW = "20260314090001"
ATTRIBUTES = tuple(name for name in SENT if name != "assigningAuthority")
BROKEN = {rule.id: rule.attribute for rule in value_sets.RULES}
TRANSACTIONS: tuple[Transaction, ...] = ("ITI-41", "ITI-41 limited", "ITI-42", "ITI-57", "ITI-61", "ITI-92")
OTHER = ListedCode("other", "9.9")


def message() -> Submission:
    """A folder, and a relationship that says why, so that every attribute is there."""
    relation = make_association("Document01", REGISTERED, v.RPLC)
    said = replace(relation, classifications=(make_documentation(relation.id),))
    return make_submission(folders=(make_folder(),), relationships=(said,))


def findings(allowed: ValueSets, transaction: Transaction = "ITI-42", sent: Submission | None = None, now: str = NOW):
    limited = transaction == "ITI-41 limited"
    found = check_submission(
        as_sent_in(transaction, sent or message()),
        actor="repository" if transaction.startswith("ITI-41") else "registry",
        transaction="ITI-41" if limited else transaction,
        limited=limited,
        allowed=allowed,
        now=now,
    )
    return [f for f in found if f.rule in value_sets.RULE_IDS]


def without(attribute: str, listed: ListedCode = OTHER) -> ValueSets:
    """Lists that allow all that is sent, but for this attribute."""
    pairs = {(c.code, c.scheme): c for c in (listed,)}
    kept = make_list(attribute)
    return make_value_sets(*(make_list(a) for a in ATTRIBUTES if a != attribute), replace(kept, codes=pairs))


def retired(attribute: str) -> ValueSets:
    codes = [code._replace(until=NOW) for code in SENT[attribute]]
    return make_value_sets(*(make_list(a) for a in ATTRIBUTES if a != attribute), make_list(attribute, *codes))


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_codes_of_the_lists_pass(transaction):
    assert findings(make_value_sets(), transaction) == []


def test_without_lists_every_code_passes():
    assert findings(make_value_sets(make_list("assigningAuthority"))) == []


@pytest.mark.parametrize("transaction", TRANSACTIONS)
@pytest.mark.parametrize("rule", BROKEN)
def test_a_code_that_is_not_allowed_gets_the_code_of_the_transaction(rule, transaction):
    make = retired if rule.endswith(".retired") else without
    found = findings(make(BROKEN[rule]), transaction)
    code = "XDSRepositoryMetadataError" if transaction.startswith("ITI-41") else "XDSRegistryMetadataError"
    assert {(f.rule, str(f.code)) for f in found} == {(rule, code)}
    assert all(f.attribute == BROKEN[rule] and f.received and f.clause and "None" not in f.sentence for f in found)
    assert all(f.clause.startswith("ITI TF-2 3.42.4.1.3.3.") for f in found)


def test_all_findings_come_at_once_and_with_the_others():
    nothing = make_value_sets(*(replace(make_list(a), codes={}) for a in ATTRIBUTES))
    found = check_submission(
        make_submission(entries=(make_entry(slots={"creationTime": "never"}),)),
        actor="registry",
        transaction="ITI-42",
        allowed=nothing,
        now=NOW,
    )
    assert {f.attribute for f in found} == {*ATTRIBUTES, "creationTime"} - {"codeList", "associationDocumentation"}


def test_display_names_are_not_compared():
    (code,) = SENT["typeCode"]
    assert findings(make_value_sets(make_list("typeCode", code._replace(display="another")))) == []


@pytest.mark.parametrize(
    ("since", "until", "active", "in_force"),
    [
        (None, None, True, True),
        (None, None, False, False),
        (NOW, None, True, True),
        ("20260314090002", None, True, False),
        (None, "20260314090002", True, True),
        (None, NOW, True, False),
        ("20260101000000", "20270101000000", True, True),
    ],
)
def test_a_code_is_in_force_from_since_and_before_until(since, until, active, in_force):
    code = SENT["typeCode"][0]._replace(since=since, until=until, active=active)
    assert (findings(make_value_sets(make_list("typeCode", code))) == []) is in_force


@pytest.mark.parametrize("limit", [LIMIT, LIMIT + 7])
def test_very_many_codes_are_counted(limit):
    codes = {v.DE_EVENT_CODE_LIST: tuple(Code(f"e{n}", "1.2", "e") for n in range(limit))}
    sent = make_submission(entries=(make_entry(codes=codes),))
    found = check_submission(sent, actor="registry", transaction="ITI-42", allowed=without("eventCodeList"), now=NOW)
    assert len(found) == min(limit, LIMIT + 1)


def test_a_code_without_scheme_is_told_by_its_own_rule_only():
    entry = make_entry(codes={v.DE_TYPE_CODE: ()})
    bare = make_code(v.DE_TYPE_CODE, Code("34105-7", "1.2", "x"), entry.id, "c")._replace(slots=())
    sent = make_submission(entries=(replace(entry, classifications=(*entry.classifications, bare)),))
    assert findings(without("typeCode"), sent=sent) == []


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        ("Cardiologie", ("Cardiologie", "")),
        ("G15_10/SM26^Médecin^1.2.250.1.213.1.1.4.5", ("G15_10/SM26", "1.2.250.1.213.1.1.4.5")),
        ("PRF^^^&2.16.840.1.113883.5.90&ISO", ("PRF", "2.16.840.1.113883.5.90")),
        ("", ("", "")),
    ],
)
def test_roles_and_specialties_are_codes_in_text(value, pair):
    assert author_code(value)[0] == pair


def test_a_row_that_a_profile_drops_is_reported_by_nobody():
    ours = IHE.extended("ours", drop={"ihe.valueSet.typeCode": "any type"})
    allowed = without("typeCode")
    assert check_submission(
        message(), actor="registry", transaction="ITI-42", profile=ours, allowed=allowed, now=NOW
    ) == check_submission(message(), actor="registry", transaction="ITI-42", profile=ours)


# --- hints ------------------------------------------------------------------------------------------------------------

LOINC = "2.16.840.1.113883.6.1"
TYPES = make_list(
    "typeCode",
    ListedCode("34105-7", LOINC, "CR hospitalier"),
    ListedCode("34112-3", LOINC, "CR de séjour"),
    ListedCode("11488-4", LOINC, "CR de consultation"),
    ListedCode("LETTRE", LOINC, "Lettre de sortie", active=False),
)


@pytest.mark.parametrize(
    ("pair", "display", "hint"),
    [
        (
            ("34105-7", "1.2.3"),
            "",
            f"this code is listed with another coding scheme: 34105-7^^{LOINC} (CR hospitalier).",
        ),
        (("34105-7", f"urn:oid:{LOINC}"), "", f"with another coding scheme: 34105-7^^{LOINC}"),
        (("34105-8", LOINC), "", f"34105-7^^{LOINC} (CR hospitalier)"),
        (("CONSULT", LOINC), "CR de Consultation", f"the nearest code is 11488-4^^{LOINC} (CR de consultation)."),
        (("LETTRES", LOINC), "Lettre de sortie", None),
        (("zzz", LOINC), "qqq", None),
    ],
)
def test_the_nearest_codes_in_force_are_the_hint(pair, display, hint):
    found = nearest(pair, display, TYPES, NOW)
    assert hint in found if hint and found else found is hint


def test_the_hint_stands_in_the_finding():
    found = findings(
        make_value_sets(TYPES),
        sent=make_submission(entries=(make_entry(codes={v.DE_TYPE_CODE: (Code("34105-8", LOINC, "?"),)}),)),
    )
    assert [f.hint for f in found] == [nearest(("34105-8", LOINC), "?", TYPES, NOW)]
    assert found[0].expected == "a code of List_typeCode"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=300))
def test_a_search_finds_its_end_for_any_text(code, scheme, display):
    found = nearest((code, scheme), display, TYPES, NOW)
    assert found is None or "^^" in found


def test_the_table_names_every_attribute_once():
    assert set(BY_NAME) == set(SENT)
    assert {rule.attribute for rule in value_sets.RULES} == set(ATTRIBUTES)
