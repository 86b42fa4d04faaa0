"""ITI-51 on the wire: entries and folders of several patients, asked by patients and by codes (ITI TF-2 3.51)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_folder
from xds_gateway.codec.queries import MULTI_PATIENT_QUERIES, QUERIES
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code

from .messages import (
    ACTIONS,
    Answer,
    accepted,
    entry_for,
    multi_patient_query,
    new_oid,
    new_patient,
    new_urn,
    provide,
    query,
    query_body,
    send,
)

E, F = "$XDSDocumentEntry", "$XDSFolder"
APPROVED = f"('{v.APPROVED}')"
DOCUMENTS, FOLDERS = "FindDocumentsForMultiplePatients", "FindFoldersForMultiplePatients"


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Two patients: "a" has an entry of a class of its own, "b" one with an event of its own and a folder."""

    gateway: RunningGateway
    patients: Mapping[str, str]
    uuids: Mapping[str, str]
    scheme: str  # of codes that nobody else has

    def ask(self, name: str, parameters: Mapping[str, str], return_type: str = "LeafClass") -> Answer:
        """The answer of ITI-51; PATIENT a or b, SCHEME and NOBODY are filled in."""
        return send(self.gateway, multi_patient_query(name, self._filled(parameters), return_type))

    def _filled(self, parameters: Mapping[str, str]) -> dict[str, str]:
        known = {f"<{name}>": f"'{patient}'" for name, patient in self.patients.items()} | {"SCHEME": self.scheme}
        filled = {}
        for key, text in parameters.items():
            for name, value in known.items():
                text = text.replace(name, value)
            filled[key] = text
        return filled

    def names(self, answer: Answer) -> list[str]:
        """What was found, sorted."""
        known = {uuid: name for name, uuid in self.uuids.items()}
        return sorted(known[uuid] for uuid in answer.ids)


@pytest.fixture(scope="module")
def cohort(gateway: RunningGateway) -> Cohort:
    patients = {"a": new_patient(), "b": new_patient()}
    uuids = {"entry a": new_urn(), "entry b": new_urn(), "folder": new_urn()}
    scheme = new_oid()
    of_class = {v.DE_CLASS_CODE: (Code("C", scheme, "C"),), v.DE_EVENT_CODE_LIST: (Code("X", scheme, "X"),)}
    with_events = {
        v.DE_EVENT_CODE_LIST: (Code("X", scheme, "X"), Code("Y", scheme, "Y")),
        v.DE_HEALTHCARE_FACILITY_TYPE_CODE: (Code("F", scheme, "F"),),
    }
    first = entry_for(b"a", patients["a"], id=uuids["entry a"], codes=of_class)
    second = entry_for(b"b", patients["b"], id=uuids["entry b"], codes=with_events)
    folder = make_folder(
        id=uuids["folder"],
        home=None,
        identifiers={v.FD_PATIENT_ID: patients["b"], v.FD_UNIQUE_ID: new_oid()},
        codes={v.FD_CODE_LIST: (Code("L", scheme, "L"),)},
        slots={"lastUpdateTime": None},
    )
    accepted(gateway, provide(b"a", patient=patients["a"], entries=(first,)))
    accepted(gateway, provide(b"b", patient=patients["b"], entries=(second,), folders=(folder,)))
    return Cohort(gateway=gateway, patients=patients, uuids=uuids, scheme=scheme)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        (DOCUMENTS, {f"{E}PatientId": "(<a>,<b>)"}, ["entry a", "entry b"]),
        (DOCUMENTS, {f"{E}PatientId": "(<a>)"}, ["entry a"]),
        (DOCUMENTS, {f"{E}PatientId": "<b>"}, ["entry b"]),
        (DOCUMENTS, {f"{E}PatientId": "(<a>,<b>)", f"{E}ClassCode": "('C^^SCHEME')"}, ["entry a"]),
        (DOCUMENTS, {f"{E}PatientId": "('nobody^^^&1.2.3&ISO')"}, []),
        (DOCUMENTS, {f"{E}ClassCode": "('C^^SCHEME')"}, ["entry a"]),
        (DOCUMENTS, {f"{E}ClassCode": "('C^^SCHEME')", f"{E}Type": f"('{v.ON_DEMAND_DOCUMENT}')"}, []),
        (DOCUMENTS, {f"{E}EventCodeList": "('X^^SCHEME')"}, ["entry a", "entry b"]),
        (DOCUMENTS, {f"{E}EventCodeList": "('Y^^SCHEME')"}, ["entry b"]),
        (DOCUMENTS, {f"{E}HealthcareFacilityTypeCode": "('F^^SCHEME')"}, ["entry b"]),
        (DOCUMENTS, {f"{E}EventCodeList": "('X^^SCHEME')", f"{E}CreationTimeTo": "1990"}, []),
        (FOLDERS, {f"{F}PatientId": "(<a>,<b>)"}, ["folder"]),
        (FOLDERS, {f"{F}PatientId": "(<a>)"}, []),
        (FOLDERS, {f"{F}CodeList": "('L^^SCHEME')"}, ["folder"]),
        (FOLDERS, {f"{F}CodeList": "('L^^SCHEME')", f"{F}LastUpdateTimeTo": "1990"}, []),
    ],
)
def test_what_each_query_returns(cohort: Cohort, name: str, parameters: Mapping[str, str], expected: list[str]) -> None:
    status = {f"{E if name == DOCUMENTS else F}Status": APPROVED}
    for return_type in ("LeafClass", "ObjectRef"):  # several patients in one answer are what it is for
        answer = cohort.ask(name, status | parameters, return_type)
        assert (answer.status, answer.contexts) == ("Success", [])
        assert answer.action == ACTIONS["ITI-51"] + "Response"
        assert cohort.names(answer) == expected


@pytest.mark.parametrize(
    ("name", "parameters", "codes"),
    [
        (DOCUMENTS, {f"{E}Status": APPROVED}, ["XDSStoredQueryMissingParam"]),
        (DOCUMENTS, {f"{E}Status": APPROVED, f"{E}TypeCode": "('A^^1.2')"}, ["XDSStoredQueryMissingParam"]),
        (DOCUMENTS, {f"{E}PatientId": "(<a>)"}, ["XDSStoredQueryMissingParam"]),
        (DOCUMENTS, {f"{E}Status": APPROVED, f"{E}ClassCode": "('A')"}, ["XDSRegistryError"]),
        (FOLDERS, {f"{F}Status": APPROVED}, ["XDSStoredQueryMissingParam"]),
        (FOLDERS, {f"{F}CodeList": "('A^^1.2')"}, ["XDSStoredQueryMissingParam"]),
        ("FindDocuments", {f"{E}PatientId": "<a>", f"{E}Status": APPROVED}, ["XDSUnknownStoredQuery"]),
    ],
)
def test_what_cannot_be_asked(cohort: Cohort, name: str, parameters: Mapping[str, str], codes: list[str]) -> None:
    answer = cohort.ask(name, parameters)
    assert (answer.status, answer.errors, answer.ids) == ("Failure", codes, [])
    assert answer.action == ACTIONS["ITI-51"] + "Response"


@pytest.mark.parametrize("name", [asked.name for asked in MULTI_PATIENT_QUERIES.values()])
def test_the_registry_stored_query_does_not_know_them(cohort: Cohort, name: str) -> None:
    answer = send(cohort.gateway, query(name, {f"{E}PatientId": f"('{cohort.patients['a']}')"}))
    assert (answer.status, answer.errors) == ("Failure", ["XDSUnknownStoredQuery"])
    assert f"{name} belongs to ITI-51" in answer.contexts[0]


@pytest.mark.parametrize("name", [asked.name for asked in QUERIES.values()])
def test_it_does_not_know_those_of_the_registry_stored_query(cohort: Cohort, name: str) -> None:
    answer = cohort.ask(name, {})
    assert (answer.status, answer.errors) == ("Failure", ["XDSUnknownStoredQuery"])
    assert f"{name} belongs to ITI-18" in answer.contexts[0]


def test_above_the_limit_nothing_is_returned(start_gateway: Any) -> None:
    gateway = start_gateway(domains=[{"max_results": 2}])
    patients = [new_patient() for _ in range(3)]
    for patient in patients:
        accepted(gateway, provide(b"x", patient=patient))
    for several, errors in ((patients[:2], []), (patients, ["XDSTooManyResults"])):
        listed = ",".join(f"'{patient}'" for patient in several)
        answer = send(gateway, multi_patient_query(DOCUMENTS, {f"{E}Status": APPROVED, f"{E}PatientId": f"({listed})"}))
        assert answer.errors == errors
        assert len(answer.ids) == (0 if errors else 2)


def test_the_audit_names_the_patients_of_query_and_answer(start_gateway: Any) -> None:
    gateway = start_gateway()
    patients = [new_patient(), new_patient()]
    for patient in patients:
        accepted(gateway, provide(b"x", patient=patient))
    asked = [
        {f"{E}PatientId": f"('{patients[1]}','{patients[0]}')"},
        {f"{E}ClassCode": "('11^^1.2.250.1.213.1.1.4.1')"},
    ]
    for parameters in asked:
        assert len(send(gateway, multi_patient_query(DOCUMENTS, {f"{E}Status": APPROVED} | parameters)).ids) == 2
    assert send(gateway, multi_patient_query(DOCUMENTS, {})).status == "Failure"
    text = "".join(path.read_text().rstrip("\0") for path in sorted(gateway.data_folder.glob("journal/*.jsonl")))
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    told = [event for event in events if event["transaction"] == "ITI-51"]
    assert [event["outcome"] for event in told] == ["success", "success", "failure"]
    assert [event["patient_ids"] for event in told[:2]] == [patients[::-1], patients]
    assert all([f"{E}Status", [APPROVED]] in event["query"]["parameters"] for event in told[:2])


def test_the_body_is_that_of_the_registry_stored_query(cohort: Cohort) -> None:
    parameters = {f"{E}Status": APPROVED, f"{E}PatientId": f"('{cohort.patients['a']}')"}
    assert b"AdhocQueryRequest" in query_body(DOCUMENTS, parameters, "LeafClass")
    answer = cohort.ask(DOCUMENTS, parameters)
    assert [element.tag.rpartition("}")[2] for element in answer.all("s:Body/*")] == ["AdhocQueryResponse"]
