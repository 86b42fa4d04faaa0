"""`$MetadataLevel`, logicalIDs, availability and `home` on the wire (ITI TF-2 3.18; XDS Metadata Update)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_folder
from xds_gateway.model import vocabulary as v

from .messages import accepted, entry_for, new_oid, new_patient, new_urn, provide, query, send

E, S, F = "$XDSDocumentEntry", "$XDSSubmissionSet", "$XDSFolder"
APPROVED = f"('{v.APPROVED}')"
LEVEL_2 = {"$MetadataLevel": "2"}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One patient with an entry that is online, one that is offline, and a folder."""

    gateway: RunningGateway
    patient: str
    online: str
    offline: str
    folder: str
    submission_set: str

    def ids(self, name: str, parameters: Mapping[str, str]) -> set[str]:
        """The ids of a LeafClass answer."""
        answer = send(self.gateway, query(name, parameters))
        assert (answer.status, answer.contexts) == ("Success", [])
        return set(answer.ids)


@pytest.fixture(scope="module")
def stored(gateway: RunningGateway) -> Stored:
    return _stored(gateway)


def _stored(gateway: RunningGateway) -> Stored:
    patient, online, offline, folder = new_patient(), new_urn(), new_urn(), new_urn()
    entries = (
        entry_for(b"online", patient, id=online),
        entry_for(b"offline", patient, id=offline, slots={"documentAvailability": v.OFFLINE}),
    )
    filed = make_folder(
        id=folder,
        home=None,
        identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()},
        slots={"lastUpdateTime": None},
    )
    made = accepted(gateway, provide(b"online", b"offline", patient=patient, entries=entries, folders=(filed,)))
    submission_set = str(made.submission.submission_sets[0].unique_id)
    return Stored(
        gateway=gateway, patient=patient, online=online, offline=offline, folder=folder, submission_set=submission_set
    )


def test_offline_entries_are_shown_at_level_two(stored: Stored) -> None:
    find = {f"{E}PatientId": f"'{stored.patient}'", f"{E}Status": APPROVED}
    get = {f"{E}EntryUUID": f"('{stored.online}','{stored.offline}')"}
    for name, parameters in (("FindDocuments", find), ("GetDocuments", get)):
        assert stored.ids(name, parameters) == {stored.online}
        assert stored.ids(name, parameters | {"$MetadataLevel": "1"}) == {stored.online}
        assert stored.ids(name, parameters | LEVEL_2) == {stored.online, stored.offline}


def test_a_set_has_at_level_one_what_is_shown(stored: Stored) -> None:
    asked = {f"{S}UniqueId": f"'{stored.submission_set}'"}
    assert stored.offline not in stored.ids("GetSubmissionSetAndContents", asked)
    at_two = stored.ids("GetSubmissionSetAndContents", asked | LEVEL_2)
    assert {stored.online, stored.offline, stored.folder} < at_two
    assert len(at_two) == len(stored.ids("GetSubmissionSetAndContents", asked)) + 2  # the entry and its HasMember


def test_objects_are_asked_for_by_logical_id_at_level_two(stored: Stored) -> None:
    for name, parameter, uuid in (
        ("GetDocuments", f"{E}LogicalID", stored.online),
        ("GetFolders", f"{F}LogicalID", stored.folder),
    ):
        assert stored.ids(name, {parameter: f"('{uuid}')"} | LEVEL_2) == {uuid}
        for level in ({}, {"$MetadataLevel": "1"}):
            answer = send(stored.gateway, query(name, {parameter: f"('{uuid}')"} | level))
            assert (answer.status, answer.errors) == ("Failure", ["XDSRegistryError"])


def test_association_statuses_at_both_levels(stored: Stored) -> None:
    asked = {"$uuid": f"('{stored.online}')"}
    deprecated = {"$XDSAssociationStatus": f"('{v.DEPRECATED}')"}
    approved = stored.ids("GetAssociations", asked)
    assert len(approved) == 1
    assert stored.ids("GetAssociations", asked | deprecated) == approved
    assert stored.ids("GetAssociations", asked | LEVEL_2) == approved
    assert stored.ids("GetAssociations", asked | LEVEL_2 | deprecated) == set()


@pytest.mark.parametrize("level", ["0", "3", "one"])
def test_there_are_two_levels(stored: Stored, level: str) -> None:
    answer = send(
        stored.gateway, query("GetDocuments", {f"{E}EntryUUID": f"('{stored.online}')"} | {"$MetadataLevel": level})
    )
    assert (answer.status, answer.errors) == ("Failure", ["XDSRegistryError"])
    assert "$MetadataLevel" in answer.contexts[0]


@pytest.mark.parametrize("home", [None, "urn:oid:1.2.3.4"])
def test_every_object_and_reference_has_the_home_where_there_is_one(start_gateway: Any, home: str | None) -> None:
    gateway = start_gateway(domains=[{"home_community_id": home} if home else {"name": "default"}])
    stored = _stored(gateway)
    asked = {
        "$patientId": f"'{stored.patient}'",
        f"{E}Status": APPROVED,
        f"{S}Status": APPROVED,
        f"{F}Status": APPROVED,
        **LEVEL_2,
    }
    for return_type in ("LeafClass", "ObjectRef"):
        answer = send(gateway, query("GetAll", asked, return_type))
        objects = answer.all(".//rim:RegistryObjectList/*")
        assert len(objects) == 7
        assert {item.get("home") for item in objects} == {home}
