"""The Update Responder over the real storage: phases, audit, dry run, nothing half done (ITI-57, ITI-92)."""

from typing import Any

import pytest

from tests.unit.builders import (
    OTHER_PATIENT,
    PATIENT,
    SOURCE,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_submission,
)
from tests.unit.domains import NOW, Domain, make_call, open_domain
from tests.unit.updates import make_status_update, make_update
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding, RequestRefused
from xds_gateway.model.messages import RegisterRequest, RegistryResponse
from xds_gateway.model.metadata import RegistryObject, Submission

OLD, FOLDER, NEW = (f"urn:uuid:0000000{n}-bbbb-4bbb-8bbb-bbbbbbbbbbbb" for n in range(3))
METHODS = {"ITI-57": "update", "ITI-92": "restricted_update"}
HOME = "urn:oid:1.2.3"
EACH = pytest.mark.parametrize("transaction", METHODS)


def registered(domain: Domain) -> None:
    """An entry in a folder."""
    filed = make_association(FOLDER, OLD, id="filed")
    sent = make_submission(
        entries=(make_entry(id=OLD),),
        folders=(make_folder(id=FOLDER),),
        relationships=(filed, make_member("SubmissionSet01", "filed", None, id="filing")),
    )
    call, request = make_call("ITI-42"), RegisterRequest(submission=sent)
    domain.registry.admit_register(call, request, ())
    domain.registry.register(call, request)


def update(*, patient: str = PATIENT, **changes: Any) -> Submission:
    """A new version of the entry."""
    identifiers = {v.DE_PATIENT_ID: patient}
    item = make_entry(**{"id": NEW, "lid": OLD, "home": None, "identifiers": identifiers, **changes.pop("entry", {})})
    the_set = make_set(2, identifiers={v.SS_PATIENT_ID: patient}, **{"home": None, **changes.pop("set", {})})
    return make_update(item, submission_set=the_set, **changes)


def perform(
    domain: Domain, sent: Submission, transaction: str = "ITI-57", findings: tuple[Finding, ...] = (), **call: Any
) -> RegistryResponse:
    request = RegisterRequest(submission=sent)
    made = make_call(transaction, **call)
    getattr(domain.actors.updates, f"admit_{METHODS[transaction]}")(made, request, findings)
    response: RegistryResponse = getattr(domain.actors.updates, METHODS[transaction])(made, request)
    return response


def refusal(domain: Domain, sent: Submission, transaction: str = "ITI-57", **how: Any) -> set[str]:
    with pytest.raises(RequestRefused) as refused:
        perform(domain, sent, transaction, **how)
    return {found.rule for found in refused.value.findings}


def state(domain: Domain) -> dict[str, RegistryObject]:
    return dict(domain.storage.registry.inspect(lambda snapshot: snapshot.read([OLD, NEW, FOLDER])))


@EACH
def test_an_update_is_performed_and_audited(domain: Domain, transaction: str) -> None:
    registered(domain)
    assert perform(domain, update(), transaction) == RegistryResponse()
    found = state(domain)
    assert (found[OLD].status, found[OLD].version) == (v.DEPRECATED, "1")
    assert (found[NEW].status, found[NEW].version, found[NEW].lid) == (v.APPROVED, "2", OLD)
    assert found[FOLDER].slot_value("lastUpdateTime") == NOW
    event = domain.changes()[-1]
    assert (event.transaction, event.outcome, event.patient_ids) == (transaction, "success", (PATIENT,))
    assert event.objects == (f"{SOURCE}.2.2", NEW)


def test_the_audit_names_both_patients_of_a_change(domain: Domain) -> None:
    registered(domain)
    perform(domain, update(patient=OTHER_PATIENT, slots={"AssociationPropagation": "no"}))
    assert domain.changes()[-1].patient_ids == (OTHER_PATIENT, PATIENT)


def test_the_audit_names_what_has_a_new_status(domain: Domain) -> None:
    registered(domain)
    sent = make_update(associations=(make_status_update(FOLDER, source="SubmissionSet02"),), submission_set=make_set(2))
    perform(domain, sent)
    assert domain.changes()[-1].objects == (f"{SOURCE}.2.2", FOLDER)
    assert state(domain)[FOLDER].status == v.DEPRECATED


@EACH
def test_a_dry_run_tells_all_and_changes_nothing(domain: Domain, transaction: str) -> None:
    registered(domain)
    before, told = state(domain), len(domain.changes())
    planned = perform(domain, update(), transaction, dry_run=True).planned
    assert planned is not None
    assert {(effect.effect, effect.object_id) for effect in planned} >= {
        ("register", NEW), ("deprecate", OLD), ("supersede", OLD), ("touch", FOLDER),
    }  # fmt: skip
    assert (state(domain), len(domain.changes())) == (before, told)


# --- phases -----------------------------------------------------------------------------------------------------------


UNREADABLE = Finding(code=ErrorCode.REGISTRY_METADATA_ERROR, rule="ihe.ebrim.missing", sentence="Add it.")


@EACH
@pytest.mark.parametrize(
    ("sent", "findings", "expected"),
    [
        (update(entry={"lid": None}), (UNREADABLE,), {"ihe.ebrim.missing"}),
        (update(entry={"lid": None, "mime_type": None}), (), {"ihe.update.initial"}),
        (update(entry={"mime_type": None}, previous=7), (), {"ihe.de.mimeType.required"}),
        (update(previous=7, entry={"identifiers": {v.DE_UNIQUE_ID: "1.2"}}), (), {"ihe.update.version"}),
        (update(slots={"PreviousVersion": None, "SubmissionSetStatus": None}), (),
         {"ihe.update.previousVersion", "ihe.update.submissionSetStatus"}),
    ],
    ids=["reading", "operations", "metadata", "registry", "all of a phase"],
)  # fmt: skip
def test_a_request_ends_with_the_first_phase_that_has_errors(domain, transaction, sent, findings, expected) -> None:
    registered(domain)
    before = state(domain)
    assert refusal(domain, sent, transaction, findings=findings) == expected
    assert state(domain) == before
    assert len(domain.changes()) == 1


@EACH
def test_an_entry_that_becomes_on_demand_is_refused_for_that(domain: Domain, transaction: str) -> None:
    registered(domain)
    rules = refusal(domain, update(entry={"object_type": v.ON_DEMAND_DOCUMENT}), transaction)
    assert "ihe.update.objectType" in rules
    assert all(rule.startswith("ihe.update.objectType") for rule in rules)


@EACH
def test_an_on_demand_entry_is_updated_as_one(domain: Domain, transaction: str) -> None:
    on_demand = {
        "object_type": v.ON_DEMAND_DOCUMENT,
        "home": None,
        "slots": {"creationTime": None, "hash": None, "size": None},
    }
    request = RegisterRequest(submission=make_submission(entries=(make_entry(id=OLD, **on_demand),)))
    domain.registry.admit_register_on_demand(make_call("ITI-61"), request, ())
    domain.registry.register_on_demand(make_call("ITI-61"), request)
    perform(domain, update(entry=on_demand), transaction)
    assert (state(domain)[NEW].object_type, state(domain)[NEW].version) == (v.ON_DEMAND_DOCUMENT, "2")
    with_bytes = update(entry={"id": "Document01", "object_type": v.ON_DEMAND_DOCUMENT}, previous=2)
    assert refusal(domain, with_bytes, transaction) >= {"ihe.de.hash.prohibited", "ihe.de.size.prohibited"}


@EACH
def test_the_second_of_two_updates_of_one_version_finds_another_latest_one(domain: Domain, transaction: str) -> None:
    registered(domain)
    perform(domain, update(), transaction)
    sent = make_update(make_entry(lid=OLD, home=None), submission_set=make_set(3, home=None))
    assert refusal(domain, sent, transaction) == {"ihe.update.version"}


# --- communities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "entry", "the_set", "passes"),
    [
        (None, None, None, True),
        (None, HOME, HOME, True),
        (None, HOME, "urn:oid:1.2.4", False),
        (HOME, None, None, True),
        (HOME, HOME, None, True),
        (HOME, None, HOME, True),
        (HOME, "urn:oid:1.2.4", None, False),
        (HOME, HOME, "urn:oid:1.2.4", False),
    ],
)
def test_a_restricted_update_is_for_this_community(tmp_path, own, entry, the_set, passes) -> None:
    with open_domain(tmp_path, home_community_id=own) as domain:
        registered(domain)
        sent = update(entry={"home": entry}, set={"home": the_set})
        if passes:
            perform(domain, sent, "ITI-92")
            assert state(domain)[NEW].home == own
        else:
            assert refusal(domain, sent, "ITI-92") == {"ihe.update.home"}
            perform(domain, sent)  # as a submission may name any
