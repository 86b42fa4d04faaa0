"""Identifiers: what is an OID, a UUID URN, a patient identifier, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.model.identifiers import PatientId, is_oid, is_symbolic, is_uuid_urn, parse_patient_id

UUID = "urn:uuid:5e9a4f5c-6d0a-4a36-9d3c-2f1d1a6d7c10"


@pytest.mark.parametrize(
    "text", [UUID, UUID[:9] + UUID[9:].upper(), "urn:uuid:" + "0" * 8 + "-0000-0000-0000-" + "0" * 12]
)
def test_uuids(text: str) -> None:
    assert is_uuid_urn(text)
    assert not is_symbolic(text)


@pytest.mark.parametrize(
    "text",
    ["", UUID[9:], UUID + "0", UUID[:-1], UUID.upper(), UUID + "\n", UUID.replace("-", ""), UUID.replace("5e", "g5")],
)
def test_what_is_no_uuid(text: str) -> None:
    assert not is_uuid_urn(text)


@pytest.mark.parametrize(("text", "symbolic"), [("Document01", True), ("", True), ("urn:uuid:x", False), (UUID, False)])
def test_symbolic_ids(text: str, symbolic: bool) -> None:
    assert is_symbolic(text) is symbolic


@pytest.mark.parametrize("text", ["1.2", "0.0", "2.999.1", "1.2.250.1.213", "2." + "1" * 62])
def test_oids(text: str) -> None:
    assert is_oid(text)


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "3.1", "1.02", "1..2", "1.2.", "1.a", "1.2\n", " 1.2", "1.٣", "2." + "1" * 63]
)
def test_what_is_no_oid(text: str) -> None:
    assert not is_oid(text)


@pytest.mark.parametrize(
    ("text", "patient"),
    [
        ("P^^^&1.2.3&ISO", PatientId("P", "1.2.3")),
        ("P^^^A&1.2.3&ISO", PatientId("P", "1.2.3")),
        ("P^^^&1.2.3&ISO^NH", PatientId("P", "1.2.3")),
        ("P^1^M10^&1.2.3&ISO", PatientId("P", "1.2.3")),
        ("P Q'^^^&1.2.3&ISO", PatientId("P Q'", "1.2.3")),
    ],
)
def test_patients_compare_by_id_and_authority(text: str, patient: PatientId) -> None:
    assert parse_patient_id(text) == patient


@pytest.mark.parametrize(
    "text",
    ["", "P", "P^^^", "^^^&1.2.3&ISO", "P^^^1.2.3", "P^^^&1.2.3", "P^^^&1.2.3&UUID", "P^^^&x&ISO", "P^^&1.2.3&ISO"],
)
def test_what_is_no_patient(text: str) -> None:
    assert parse_patient_id(text) is None


@given(st.text(min_size=1).filter(lambda text: "^" not in text), st.sampled_from(["1.2.3", "2.16.840.1.113883"]))
def test_a_patient_comes_back(identifier: str, authority: str) -> None:
    patient = PatientId(identifier, authority)
    assert parse_patient_id(patient.as_cx()) == patient
