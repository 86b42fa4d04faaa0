"""The registry over the real storage: whole or not at all, every answer audited."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree

from tests.contract.submissions import EVERYTHING, reading
from tests.unit.builders import (
    OTHER_PATIENT,
    PATIENT,
    REGISTERED,
    SOURCE,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_submission,
)
from tests.unit.domains import NOW, Domain, make_call, open_domain
from tests.unit.strategies import SUBMISSIONS
from xds_gateway.codec.ebrim import RIM, parse_objects
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, RequestRefused, Severity
from xds_gateway.model.messages import QueryRequest, RegisterRequest, RegistryResponse
from xds_gateway.model.metadata import RegistryObject, Submission
from xds_gateway.model.principal import Access, AccessFilter

REGISTER = make_call("ITI-42")
QUERY = make_call("ITI-18")
E = "$XDSDocumentEntry"


def numbered(number: int, **changes: Any) -> Submission:
    """A submission that differs from others in its ids."""
    entry = make_entry(number, **changes.pop("entry", {}))
    return make_submission(entries=(entry,), submission_set=make_set(number, **changes.pop("set", {})), **changes)


def register(domain: Domain, submission: Submission, findings: tuple[Finding, ...] = ()) -> RegistryResponse:
    request = RegisterRequest(submission=submission)
    domain.registry.admit_register(REGISTER, request, findings)
    return domain.registry.register(REGISTER, request)


def refusal(domain: Domain, submission: Submission, findings: tuple[Finding, ...] = ()) -> tuple[Finding, ...]:
    with pytest.raises(RequestRefused) as refused:
        register(domain, submission, findings)
    return refused.value.findings


def ask(name: str, return_type: str = "LeafClass", **parameters: str | tuple[str, ...]) -> QueryRequest:
    return QueryRequest(
        query_id=QUERY_IDS[name],
        return_type=return_type,
        parameters=tuple(
            (f"${key}" if key == "AssociationTypes" else E + key, (value,) if isinstance(value, str) else value)
            for key, value in parameters.items()
        ),
    )


def find(patient: str = PATIENT, return_type: str = "LeafClass", **parameters: str) -> QueryRequest:
    return ask("FindDocuments", return_type, PatientId=f"'{patient}'", Status=f"('{v.APPROVED}')", **parameters)


def answer(domain: Domain, request: QueryRequest) -> tuple[RegistryObject, ...]:
    domain.registry.admit_query(QUERY, request, ())
    fragments = domain.registry.query(QUERY, request).fragments
    found = parse_objects(
        etree.fromstring(f'<r:L xmlns:r="{RIM}" xmlns:rim="{RIM}">'.encode() + b"".join(fragments) + b"</r:L>"), []
    )
    return found.objects or tuple(found.object_refs)  # type: ignore[return-value]


# ---- ITI-42 ----


def test_what_is_registered_can_be_found(domain: Domain) -> None:
    assert register(domain, make_submission()) == RegistryResponse()
    (entry,) = answer(domain, find())
    sent = make_entry()
    assert entry.id.startswith("urn:uuid:")
    assert (entry.lid, entry.version, entry.status, entry.home) == (entry.id, "1", v.APPROVED, None)
    assert (entry.slots, entry.name, entry.description) == (sent.slots, sent.name, sent.description)
    assert [c[2:] for c in entry.classifications] == [c[2:] for c in sent.classifications]
    assert [e[2:] for e in entry.external_identifiers] == [e[2:] for e in sent.external_identifiers]


def test_a_change_is_audited_once(domain: Domain) -> None:
    register(domain, make_submission())
    (event,) = domain.changes()
    assert (event.transaction, event.outcome, event.node, event.domain, event.at) == (
        "ITI-42",
        "success",
        "CN=Cabinet Nord",
        "main",
        NOW,
    )
    (entry,) = answer(domain, find())
    assert (event.patient_ids, event.objects) == ((PATIENT,), (make_set().unique_id, entry.id))


REFUSED = [
    (numbered(1, entry={"slots": {"creationTime": None}}), ErrorCode.REGISTRY_METADATA_ERROR),
    (numbered(1, entry={"identifiers": {v.DE_PATIENT_ID: OTHER_PATIENT}}), ErrorCode.PATIENT_ID_DOES_NOT_MATCH),
    (
        numbered(1, relationships=(make_association("Document01", REGISTERED, v.RPLC),)),
        ErrorCode.UNRESOLVED_REFERENCE,
    ),
    (numbered(9, entry={"name": ()}), ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY),
    (
        numbered(1, entry={"identifiers": {v.DE_UNIQUE_ID: f"{SOURCE}.1.9^2026"}, "slots": {"hash": "0" * 40}}),
        ErrorCode.NON_IDENTICAL_HASH,
    ),
]


@pytest.mark.parametrize(("submission", "code"), REFUSED)
def test_a_refused_submission_leaves_nothing(domain: Domain, submission: Submission, code: ErrorCode) -> None:
    register(domain, numbered(9))
    before = answer(domain, find())
    assert code in {f.code for f in refusal(domain, submission)}
    assert answer(domain, find()) == before
    assert len(domain.changes()) == 1


def test_metadata_and_state_are_told_in_one_answer(domain: Domain) -> None:
    register(domain, numbered(1))
    findings = refusal(domain, numbered(1, entry={"slots": {"creationTime": None}}))
    assert [f.code for f in findings] == [
        ErrorCode.REGISTRY_METADATA_ERROR,
        ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY,
    ]


def test_what_was_found_while_reading_is_told_too(domain: Domain) -> None:
    read = Finding(code=ErrorCode.REGISTRY_METADATA_ERROR, rule="ihe.ebrim.element", sentence="Remove it.")
    assert refusal(domain, make_submission(), (read,)) == (read,)


def test_a_warning_does_not_refuse(domain: Domain) -> None:
    warning = Finding(
        code=ErrorCode.EXTRA_METADATA_NOT_SAVED, rule="ihe.extra", sentence="Odd.", severity=Severity.WARNING
    )
    assert register(domain, make_submission(), (warning,)) == RegistryResponse()


def test_several_sets_are_refused_by_the_rules_alone(domain: Domain) -> None:
    submission = make_submission(submission_sets=(make_set(1), make_set(2)))
    assert {f.code for f in refusal(domain, submission)} == {ErrorCode.REGISTRY_METADATA_ERROR}


def test_a_refusal_is_audited_with_its_codes(domain: Domain) -> None:
    findings = refusal(domain, numbered(1, entry={"slots": {"creationTime": None, "languageCode": None}}))
    assert len(findings) == 2
    domain.registry.record_refusal(REGISTER, [each.audited for each in findings])
    (event,) = domain.journal()
    assert (event.transaction, event.outcome, event.codes) == ("ITI-42", "failure", ("XDSRegistryMetadataError",))


def replacement(number: int, target: str, association_type: str = v.RPLC) -> Submission:
    entry = f"Document{number:02}"
    return numbered(number, relationships=(make_association(entry, target, association_type),))


def test_a_replacement_deprecates_and_joins_the_folder(domain: Domain) -> None:
    folder = make_folder()
    member = make_association(folder.id, "Document01", id="Filed")
    register(
        domain,
        numbered(1, folders=(folder,), relationships=(member, make_member("SubmissionSet01", "Filed", None))),
    )
    (old,) = answer(domain, find())
    register(domain, replacement(2, old.id))
    (new,) = answer(domain, find())
    assert new.unique_id != old.unique_id
    deprecated = ask("FindDocuments", PatientId=f"'{PATIENT}'", Status=f"('{v.DEPRECATED}')")
    assert [item.id for item in answer(domain, deprecated)] == [old.id]
    related = answer(domain, ask("GetRelatedDocuments", EntryUUID=f"'{old.id}'", AssociationTypes="('RPLC')"))
    assert {item.KIND for item in related} == {"DocumentEntry", "Association"}
    joined = domain.storage.registry.inspect(lambda snapshot: snapshot.folders_of(new.id))
    assert [f.unique_id for f in joined] == [folder.unique_id]


def test_a_replaced_document_is_not_replaced_again(domain: Domain) -> None:
    register(domain, numbered(1))
    (old,) = answer(domain, find())
    register(domain, replacement(2, old.id))
    assert [f.code for f in refusal(domain, replacement(3, old.id))] == [ErrorCode.REGISTRY_DEPRECATED_DOCUMENT]


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({}, None),
        ({"patients_open": False}, ErrorCode.UNKNOWN_PATIENT),
        ({"authorities": frozenset({"1.2.3"})}, ErrorCode.UNKNOWN_PATIENT),
        ({"authorities": frozenset({"1.3.6.1.4.1.21367.13.20.3000"})}, None),
    ],
)
def test_the_patients_of_a_domain(tmp_path: Path, policy: dict[str, Any], code: ErrorCode | None) -> None:
    with open_domain(tmp_path, **policy) as domain:
        if code is None:
            assert register(domain, make_submission()) == RegistryResponse()
        else:
            assert [f.code for f in refusal(domain, make_submission())] == [code]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with open_domain(tmp_path_factory.mktemp("domain")) as opened:
        yield opened


@given(SUBMISSIONS)
@settings(max_examples=60)
def test_anything_is_refused_with_reasons_never_an_accident(shared: Domain, submission: Submission) -> None:
    findings = refusal(shared, submission)
    assert findings
    assert all(f.sentence and f.rule for f in findings)


# ---- ITI-18 ----


def test_references_instead_of_objects(tmp_path: Path) -> None:
    with open_domain(tmp_path, home_community_id="urn:oid:1.2.3") as domain:
        register(domain, make_submission())
        (entry,) = answer(domain, find())
        assert entry.home == "urn:oid:1.2.3"
        assert answer(domain, find(return_type="ObjectRef")) == ((entry.id, "urn:oid:1.2.3"),)


def test_an_unknown_patient_has_nothing(domain: Domain) -> None:
    assert answer(domain, find(OTHER_PATIENT)) == ()


def test_a_query_is_audited_with_its_parameters_not_its_results(domain: Domain) -> None:
    register(domain, make_submission())
    two = find(ConfidentialityCode="'N^^2.16.840.1.113883.5.25'")
    both = replace(
        two, parameters=(*two.parameters, (f"{E}ConfidentialityCode", ("'NOREUSE^^2.16.840.1.113883.1.11.20471'",)))
    )
    assert len(answer(domain, both)) == 1
    (event,) = domain.journal()
    assert (event.transaction, event.outcome, event.patient_ids, event.objects) == ("ITI-18", "success", (PATIENT,), ())
    assert event.query == both


def test_the_codes_of_a_query_that_cannot_be_asked(domain: Domain) -> None:
    with pytest.raises(RequestRefused) as refused:
        domain.registry.query(QUERY, ask("FindDocuments"))
    assert [f.code for f in refused.value.findings] == [ErrorCode.STORED_QUERY_MISSING_PARAM] * 2
    assert domain.journal() == []


@pytest.mark.parametrize(("limit", "refused"), [(3, False), (2, True)])
@pytest.mark.parametrize("return_type", ["LeafClass", "ObjectRef"])
def test_too_many_results_are_refused_never_cut(tmp_path: Path, limit: int, refused: bool, return_type: str) -> None:
    with open_domain(tmp_path, max_results=limit) as domain:
        for number in (1, 2, 3):
            register(domain, numbered(number))
        if not refused:
            assert len(answer(domain, find(return_type=return_type))) == 3
            return
        with pytest.raises(RequestRefused) as raised:
            domain.registry.query(QUERY, find(return_type=return_type))
        assert [f.code for f in raised.value.findings] == [ErrorCode.TOO_MANY_RESULTS]


def test_objects_of_two_patients_are_only_referred_to(domain: Domain) -> None:
    register(domain, numbered(1))
    other = {v.DE_PATIENT_ID: OTHER_PATIENT}
    register(domain, numbered(2, entry={"identifiers": other}, set={"identifiers": {v.SS_PATIENT_ID: OTHER_PATIENT}}))
    unique_ids = f"('{make_entry(1).unique_id}','{make_entry(2).unique_id}')"
    with pytest.raises(RequestRefused) as refused:
        domain.registry.query(QUERY, ask("GetDocuments", UniqueId=unique_ids))
    assert [f.code for f in refused.value.findings] == [ErrorCode.RESULT_NOT_SINGLE_PATIENT]
    assert len(answer(domain, ask("GetDocuments", "ObjectRef", UniqueId=unique_ids))) == 2


@pytest.mark.parametrize(
    ("access", "visible"),
    [
        (EVERYTHING, True),
        (AccessFilter.everything("elsewhere"), False),
        (reading("R"), False),
        (reading("N"), True),
    ],
)
def test_what_a_caller_may_not_see_is_not_there(domain: Domain, access: AccessFilter, visible: bool) -> None:
    register(domain, make_submission())
    found = domain.registry.query(make_call("ITI-18", access=Access.alike(access)), find())
    assert len(found.fragments) == visible
