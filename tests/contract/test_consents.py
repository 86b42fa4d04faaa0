"""Consents: kept, withdrawn, of merged patients together; and what they let storage show."""

import pytest

from tests.contract.submissions import DOMAIN, OTHER_PATIENT, PATIENT, make_entry, register, urn
from tests.unit import builders
from xds_gateway.actors.patient_ports import PatientMerge
from xds_gateway.model import vocabulary as v
from xds_gateway.model.consents import Consent, Nearness, nearness_of
from xds_gateway.model.principal import AccessFilter, Permit
from xds_gateway.model.queries import GetDocuments
from xds_gateway.storage.database import StorageConflict
from xds_gateway.storage.opening import Storage

BOTH = GetDocuments(uuids=(urn("entry 1"), urn("entry 2")))
AT = "20260314120000"


@pytest.fixture
def held(storage: Storage) -> Storage:
    """A document of each of two patients."""
    register(storage, make_entry(1), make_entry(2, identifiers={v.DE_PATIENT_ID: builders.OTHER_PATIENT}))
    return storage


def say(storage: Storage, patient: object = PATIENT, permits: bool = False, grantee: str = "everybody", **more: object):  # type: ignore[no-untyped-def]
    consent = Consent(patient_id=patient, permits=permits, grantee=grantee, **more)  # type: ignore[arg-type]
    return storage.registry.write(lambda store: store.add_consent(consent, AT, "admin"))


def shown(
    storage: Storage, *permits: Permit, grantees: tuple[str, ...] = ("everybody",), **changes: object
) -> list[int]:
    """The numbers of the entries that a caller finds."""
    access = AccessFilter(DOMAIN, permits or (Permit(),), grantees=grantees, at=int(AT))._replace(**changes)
    found = storage.queries.find(BOTH, access, 10).uuids
    return [number for number in (1, 2) if urn(f"entry {number}") in found]


def test_a_consent_is_kept_as_it_was_told_and_withdrawn_once(held: Storage) -> None:
    number = say(held, scope="type_code", code=("1", "1.2"), until="20990101000000", break_glass=True)
    (kept,) = held.registry.inspect(lambda store: store.consents_of(PATIENT))
    assert (kept.number, kept.at, kept.by, kept.withdrawn_at) == (number, AT, "admin", None)
    assert kept.consent == Consent(
        PATIENT, False, "everybody", "type_code", ("1", "1.2"), "20990101000000", break_glass=True
    )
    withdrawn = held.registry.write(lambda store: store.withdraw_consent(number, "20260315", "other"))
    assert withdrawn is not None
    assert (withdrawn.withdrawn_at, withdrawn.withdrawn_by) == ("20260315", "other")
    assert held.registry.write(lambda store: store.withdraw_consent(number, "20260316", "other")) is None
    assert held.registry.inspect(lambda store: store.consents_of(PATIENT)) == [withdrawn]
    assert held.registry.inspect(lambda store: store.consents_of(OTHER_PATIENT)) == []


def test_a_consent_of_an_unknown_patient_is_refused(held: Storage) -> None:
    with pytest.raises(StorageConflict):
        say(held, PATIENT._replace(id="nobody"))


@pytest.mark.parametrize(
    ("consent", "caller", "expected"),
    [
        ({}, {}, [2]),
        ({"until": "20260314120000"}, {}, [1, 2]),
        ({"until": "20260314120001"}, {}, [2]),
        ({"break_glass": True}, {}, [2]),
        ({"break_glass": True}, {"break_glass": True}, [1, 2]),
        ({}, {"break_glass": True}, [2]),
        ({"grantee": "person:jane"}, {}, [1, 2]),
        ({"grantee": "person:jane"}, {"grantees": ("everybody", "person:jane")}, [2]),
        ({"scope": "confidentiality_code", "code": ("N", "2.16.840.1.113883.5.25")}, {}, [2]),
        ({"scope": "confidentiality_code", "code": ("R", "2.16.840.1.113883.5.25")}, {}, [1, 2]),
    ],
)
def test_an_opposition_hides(held: Storage, consent: dict, caller: dict, expected: list[int]) -> None:  # type: ignore[type-arg]
    assert shown(held, **caller) == [1, 2]
    say(held, **consent)
    assert shown(held, **caller) == expected
    assert shown(held, Permit(consent="regardless"), **caller) == [1, 2]


def test_a_withdrawn_opposition_hides_no_more(held: Storage) -> None:
    number = say(held)
    held.registry.write(lambda store: store.withdraw_consent(number, AT, "admin"))
    assert shown(held) == [1, 2]


def test_the_nearer_consent_wins_and_of_equals_the_opposition(held: Storage) -> None:
    jane = ("everybody", "role:1^^2", "organization:3", "person:jane")
    for number, nearer in enumerate(jane[1:]):
        say(held, grantee=jane[number])
        assert shown(held, grantees=jane) == [2]
        say(held, permits=True, grantee=nearer)
        assert shown(held, grantees=jane) == [1, 2]
    say(held, grantee="person:jane")
    assert shown(held, grantees=jane) == [2]
    assert [nearness_of(name) for name in jane] == list(Nearness)
    assert [nearness_of(name) for name in ("nobody", "role:", "person:")] == [None, None, None]


def test_what_needs_a_permission_is_shown_with_one(held: Storage) -> None:
    needed = Permit(consent="if permitted")
    assert shown(held, needed) == []
    say(held, permits=True)
    assert shown(held, needed) == [1]
    say(held, grantee="everybody")
    assert shown(held, needed) == []


def test_consents_of_merged_patients_count_together_and_the_stricter_wins(held: Storage) -> None:
    jane = ("everybody", "person:jane")
    say(held, PATIENT)
    say(held, OTHER_PATIENT, permits=True, grantee="person:jane")
    assert shown(held, grantees=jane) == [2]
    merge = PatientMerge(subsumed=PATIENT, surviving=OTHER_PATIENT, at=AT, by="x", message_id="1")
    held.registry.write(lambda store: store.merge_patients(merge))
    assert shown(held, grantees=jane) == []
    for patient in (PATIENT, OTHER_PATIENT):
        assert len(held.registry.inspect(lambda store, patient=patient: store.consents_of(patient))) == 2
    say(held, PATIENT, permits=True, grantee="person:jane")
    assert shown(held, grantees=jane) == [1, 2]
    held.registry.write(lambda store: store.unmerge_patient(PATIENT, AT, "x"))
    assert shown(held) == [2]


def test_a_caller_of_one_patient_sees_what_that_one_stands_for(held: Storage) -> None:
    assert shown(held, patient=OTHER_PATIENT) == [2]
    merge = PatientMerge(subsumed=PATIENT, surviving=OTHER_PATIENT, at=AT, by="x", message_id="1")
    held.registry.write(lambda store: store.merge_patients(merge))
    assert shown(held, patient=OTHER_PATIENT) == [1, 2]
    assert shown(held, patient=PATIENT) == []


def test_an_organisation_of_an_author_owns_a_document(held: Storage) -> None:
    """The builders' author is of Hôpital Nord, 0750000001 of its authority."""
    assert shown(held, Permit(organization="1.2.250.1.71.4.2.2.0750000001")) == [1, 2]
    assert shown(held, Permit(organization="0750000001")) == []


def test_a_document_without_a_confidentiality_code_needs_a_row_that_asks_for_none(storage: Storage) -> None:
    """As limited metadata may be."""
    register(storage, make_entry(1, codes={v.DE_CONFIDENTIALITY_CODE: ()}))
    assert shown(storage, Permit(confidentiality=(("N", "2.16.840.1.113883.5.25"),))) == []
    assert shown(storage, Permit()) == [1]
