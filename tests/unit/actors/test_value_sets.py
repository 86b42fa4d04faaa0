"""Value sets over the real storage: loaded whole, seen by everybody at once, judged with everything else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.actors.test_on_demand import asked, entries, letter, made, register_on_demand
from tests.unit.actors.test_registry import answer, find, numbered, register
from tests.unit.actors.test_updates import METHODS, perform, registered, update
from tests.unit.builders import (
    OTHER_PATIENT,
    PATIENT,
    make_entry,
    make_parts,
    make_set,
    make_submission,
)
from tests.unit.domains import NOW, Domain, make_call, open_domain
from tests.unit.value_sets import SENT, make_list
from xds_gateway.actors.value_sets import Loaded, ValueSetLoading
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.errors import Finding, RequestRefused
from xds_gateway.model.messages import AuditEvent, ProvideRequest, RegisterRequest, RetrieveRequest
from xds_gateway.model.value_sets import ListedCode, ValueSet
from xds_gateway.rules.ihe import IHE

OTHER = ListedCode("other", "9.9", "Other")
(TYPE,) = SENT["typeCode"]


def loading(domain: Domain, now: str = NOW) -> ValueSetLoading:
    return ValueSetLoading(domain.storage.registry, IHE, lambda: now)


def event(at: str, objects: tuple[str, ...]) -> AuditEvent:
    return AuditEvent(at, "vocabulary load", "success", "admin", "local", "main", "", objects=objects)


def load(domain: Domain, *lists: ValueSet, **more: Any) -> tuple[int, tuple[Loaded, ...]]:
    return loading(domain, **more).load({each.attribute: each for each in lists}, event)


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    with open_domain(tmp_path) as opened:
        yield opened


@pytest.fixture
def other(domain: Domain) -> Iterator[Domain]:
    """Another process over the same registry, which has seen no lists."""
    with open_domain(domain.folder) as opened:
        yield opened


def refused(findings: tuple[Finding, ...]) -> set[tuple[str, str | None]]:
    return {(finding.rule, finding.object_id) for finding in findings}


def refusal(work: Any) -> set[tuple[str, str | None]]:
    with pytest.raises(RequestRefused) as raised:
        work()
    return refused(raised.value.findings)


# Loading


def test_nothing_is_loaded_at_first(domain: Domain) -> None:
    present = loading(domain).present()
    assert (present.number, dict(present.lists)) == (0, {})


def test_a_load_is_a_version_and_is_audited(domain: Domain) -> None:
    assert load(domain, make_list("typeCode"), make_list("mimeType")) == (
        1,
        (Loaded("typeCode", 1, 1, 0), Loaded("mimeType", 2, 2, 0)),
    )
    assert [(e.transaction, e.at, e.objects) for e in domain.changes()] == [
        ("vocabulary load", NOW, ("typeCode 1", "mimeType 1"))
    ]
    present = loading(domain).present()
    assert present.lists["typeCode"].same_codes(make_list("typeCode"))
    assert present.lists["mimeType"].number == 1


def test_the_same_load_again_changes_nothing(domain: Domain) -> None:
    load(domain, make_list("typeCode"))
    assert load(domain, make_list("typeCode")) == (1, ())
    load(domain, make_list("typeCode", OTHER))
    assert load(domain, make_list("typeCode", OTHER)) == (2, ())
    assert len(domain.changes()) == 2


def test_a_list_replaces_that_of_its_attribute_only_and_keeps_old_codes_as_retired(domain: Domain) -> None:
    load(domain, make_list("typeCode"), make_list("mimeType"))
    assert load(domain, make_list("typeCode", OTHER), now="20260401000000") == (2, (Loaded("typeCode", 1, 1, 1),))
    present = loading(domain).present()
    assert set(present.lists) == {"typeCode", "mimeType"}
    assert set(present.lists["typeCode"].codes.values()) == {
        OTHER,
        TYPE._replace(active=False, until="20260401000000"),
    }


def test_a_retired_code_that_is_listed_again_is_in_force(domain: Domain) -> None:
    for codes in ((TYPE,), (OTHER,), (TYPE, OTHER)):
        load(domain, make_list("typeCode", *codes))
    assert set(loading(domain).present().lists["typeCode"].codes.values()) == {TYPE, OTHER}


def test_a_list_can_be_dropped_and_every_version_is_kept(domain: Domain) -> None:
    load(domain, make_list("typeCode"))
    assert loading(domain).load({"typeCode": None, "classCode": None}, event) == (2, (Loaded("typeCode", 0, 0, 1),))
    assert dict(loading(domain).present().lists) == {}
    versions = [loading(domain).earlier(number).lists for number in (0, 1, 2)]
    assert [list(lists) for lists in versions] == [[], ["typeCode"], []]


def test_a_domain_has_lists_of_its_own(domain: Domain) -> None:
    from tests.contract.submissions import open_in

    elsewhere = open_in(domain.folder, "w2", "elsewhere")
    load(domain, make_list("typeCode", OTHER))
    assert elsewhere.registry.inspect(lambda snapshot: snapshot.value_sets()).number == 0
    elsewhere.close()


# Judging: ITI-42, ITI-41, ITI-61


def test_a_code_outside_is_refused_by_every_process_at_once(domain: Domain, other: Domain) -> None:
    load(domain, make_list("typeCode", OTHER))
    for each in (domain, other):
        assert refusal(lambda each=each: register(each, numbered(2))) == {("ihe.valueSet.typeCode", "Document02")}
    load(domain, make_list("typeCode"))
    register(other, numbered(2))


def test_a_load_between_admission_and_commit_is_seen_by_the_commit(domain: Domain, other: Domain) -> None:
    request, call = RegisterRequest(submission=numbered(1)), make_call("ITI-42")
    other.registry.admit_register(call, request, ())
    load(domain, make_list("typeCode", OTHER))
    assert refusal(lambda: other.registry.register(call, request)) == {("ihe.valueSet.typeCode", "Document01")}
    assert answer(domain, find()) == ()


def test_codes_are_told_with_all_other_mistakes_and_with_what_the_state_adds(domain: Domain) -> None:
    register(domain, numbered(1))
    load(domain, make_list("typeCode", OTHER))
    wrong = numbered(1, entry={"slots": {"languageCode": "fr_FR"}})
    rules = {rule for rule, _ in refusal(lambda: register(domain, wrong))}
    assert {"ihe.valueSet.typeCode", "ihe.de.languageCode.format", "ihe.registry.uniqueId.set"} <= rules


def test_a_refused_document_is_never_taken(domain: Domain, other: Domain) -> None:
    load(domain, make_list("formatCode", OTHER))
    request = ProvideRequest(submission=numbered(1), parts=make_parts(numbered(1)))
    call = make_call("ITI-41")
    for each in (other, domain):
        assert refusal(lambda each=each: _provide(each, request, call)) == {("ihe.valueSet.formatCode", "Document01")}
    assert domain.documents() == []


def _provide(domain: Domain, request: ProvideRequest, call: Any) -> None:
    domain.repository.admit_provide(call, request, ())
    domain.repository.provide(call, request, domain.spool_all(request.submission))


def test_dry_runs_are_judged_too(domain: Domain) -> None:
    load(domain, make_list("typeCode", OTHER))
    request, call = RegisterRequest(submission=numbered(1)), make_call("ITI-42", dry_run=True)
    assert refusal(lambda: domain.registry.register(call, request)) == {("ihe.valueSet.typeCode", "Document01")}
    assert refusal(lambda: domain.registry.admit_register(call, request, ())) == {
        ("ihe.valueSet.typeCode", "Document01")
    }


@pytest.mark.parametrize(("patient", "accepted"), [(PATIENT, True), (OTHER_PATIENT.replace("3000", "3001"), False)])
def test_authorities_of_the_lists_are_those_that_are_accepted(domain: Domain, patient: str, accepted: bool) -> None:
    load(domain, make_list("assigningAuthority"))
    sent = make_submission(
        entries=(make_entry(identifiers={v.DE_PATIENT_ID: patient}),),
        submission_set=make_set(identifiers={v.SS_PATIENT_ID: patient}),
    )
    if accepted:
        register(domain, sent)
    else:
        assert {rule for rule, _ in refusal(lambda: register(domain, sent))} == {"ihe.registry.patient"}


# Queries, updates, documents made on demand


def test_documents_with_retired_codes_are_found(domain: Domain) -> None:
    register(domain, numbered(1))
    load(domain, make_list("typeCode", TYPE._replace(active=False)))
    assert (
        len(
            answer(
                domain,
                find(),
            )
        )
        == 1
    )
    assert refusal(lambda: register(domain, numbered(2))) == {("ihe.valueSet.typeCode.retired", "Document02")}


@pytest.mark.parametrize("transaction", METHODS)
def test_an_update_may_keep_a_retired_code_and_bring_none(domain: Domain, transaction: str) -> None:
    registered(domain)
    load(domain, make_list("typeCode", TYPE._replace(active=False), OTHER._replace(code="gone", active=False)))
    gone = {v.DE_TYPE_CODE: (Code("gone", OTHER.scheme, "Gone"),)}
    assert {rule for rule, _ in refusal(lambda: perform(domain, update(entry={"codes": gone}), transaction))} == {
        "ihe.valueSet.typeCode.retired"
    }
    perform(domain, update(), transaction)


@pytest.mark.parametrize("transaction", METHODS)
def test_an_update_cannot_bring_or_keep_a_code_of_no_list(domain: Domain, transaction: str) -> None:
    registered(domain)
    load(domain, make_list("typeCode", OTHER))
    sent = update()
    wanted = {("ihe.valueSet.typeCode", sent.document_entries[0].id)}
    assert refusal(lambda: perform(domain, sent, transaction)) == wanted
    request, call = RegisterRequest(submission=sent), make_call(transaction)
    assert refusal(lambda: getattr(domain.actors.updates, METHODS[transaction])(call, request)) == wanted


@pytest.mark.parametrize("attribute", ["typeCode", "contentTypeCode"])
def test_the_snapshot_of_a_document_made_on_demand_is_registered_whatever_the_lists_say(
    tmp_path: Path, attribute: str
) -> None:
    with open_domain(tmp_path, hook=letter, persistent=True) as domain:
        register_on_demand(domain, made())
        load(domain, make_list(attribute, OTHER))
        request = RetrieveRequest(documents=(asked(1),))
        assert domain.repository.retrieve(make_call("ITI-43"), request).findings == ()
        assert len(entries(domain, v.STABLE_DOCUMENT)) == 1


@pytest.mark.parametrize("safe", [True, False])
def test_a_submission_that_is_sent_again_has_its_first_outcome_whatever_was_loaded_since(
    tmp_path: Path, safe: bool
) -> None:
    with open_domain(tmp_path, safe_retries=safe) as domain:
        register(domain, numbered(1))
        load(domain, make_list("typeCode", OTHER))
        if safe:
            assert register(domain, numbered(1)).retried
        else:
            rules = {rule for rule, _ in refusal(lambda: register(domain, numbered(1)))}
            assert {"ihe.valueSet.typeCode", "ihe.registry.uniqueId.set"} <= rules
        other = numbered(1, entry={"slots": {"languageCode": "en-GB"}})
        rules = {rule for rule, _ in refusal(lambda: register(domain, other))}
        assert {"ihe.valueSet.typeCode", "ihe.registry.uniqueId.set"} <= rules


@pytest.mark.parametrize("transaction", METHODS)
def test_an_update_that_is_sent_again_has_its_first_outcome_too(domain: Domain, transaction: str) -> None:
    registered(domain)
    perform(domain, update(), transaction)
    load(domain, make_list("typeCode", OTHER))
    assert perform(domain, update(), transaction).retried


# What is stored


def test_stored_objects_that_would_be_refused_are_found(domain: Domain) -> None:
    registered(domain)
    assert list(loading(domain).failing()) == []
    load(domain, make_list("typeCode", OTHER), make_list("codeList", OTHER), make_list("contentTypeCode"))
    failing = [(item.KIND, {f.rule for f in found}) for item, found in loading(domain).failing()]
    assert failing == [("DocumentEntry", {"ihe.valueSet.typeCode"}), ("Folder", {"ihe.valueSet.codeList"})]
    load(domain, make_list("typeCode", OTHER, TYPE))
    perform(domain, update(entry={"codes": {v.DE_TYPE_CODE: (Code(*OTHER[:3]),)}}))
    load(domain, make_list("typeCode", OTHER))
    assert [item.KIND for item, _ in loading(domain).failing()] == ["Folder"]  # its latest version has another code
