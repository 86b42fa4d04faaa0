"""Every stored query by its table: names and values as people write them, and each mistake told before it is sent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from xds_gateway.client import Code, InvalidQuery
from xds_gateway.client.queries import QUERIES_BY_NAME, stored_query, stored_query_of_slots
from xds_gateway.client.query_texts import patient_text, split_values
from xds_gateway.codec.queries import MULTI_PATIENT_QUERIES, QUERIES, parse_stored_query
from xds_gateway.codec.query_tables import IDS, Query
from xds_gateway.codec.query_values import (
    ASSOCIATION_TYPE,
    CODE,
    LEVEL,
    OBJECT_TYPE,
    PATIENT,
    STATUS,
    TIME,
    UUID,
)
from xds_gateway.model import queries as q
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import Finding
from xds_gateway.model.messages import QueryRequest

PATIENT_ID = "42^^^&1.2.3&ISO"
ENTRY = "urn:uuid:00000000-0000-4000-8000-000000000042"
VALUES: dict[Any, Any] = {
    PATIENT: "42@1.2.3",
    STATUS: "approved",
    CODE: Code("A", "1.2", "shown"),
    TIME: datetime(2024, 1, 1, tzinfo=UTC),
    OBJECT_TYPE: "on-demand",
    ASSOCIATION_TYPE: "rplc",
    UUID: ENTRY.removeprefix("urn:uuid:"),
    LEVEL: 2,
}


def ask(name: str, parameters: dict[str, Any]) -> q.StoredQuery:
    call = stored_query(name, parameters)
    findings: list[Finding] = []
    queries = MULTI_PATIENT_QUERIES if call.transaction == "ITI-51" else QUERIES
    request = QueryRequest(query_id=call.query_id, return_type="LeafClass", parameters=call.parameters)
    query = parse_stored_query(request, findings, queries)
    assert findings == []
    assert query is not None
    return query


def everything(table: Query) -> dict[str, Any]:
    """A value for each parameter, by its name in the standard; of the ids that exclude each other the first."""
    ids = [p.name for p in table.parameters if table.either and p.attribute in IDS]
    return {p.name: VALUES.get(p.kind, "1.2.3") for p in table.parameters if p.name not in ids[1:]}


@pytest.mark.parametrize("name", QUERIES_BY_NAME)
def test_each_query_can_be_asked_with_all_its_parameters(name: str) -> None:
    assert type(ask(name, everything(QUERIES_BY_NAME[name].table))).__name__ == name.replace("ByReferenceId", "")


def test_all_queries_of_both_transactions_are_known() -> None:
    assert {(each.transaction, each.query_id) for each in QUERIES_BY_NAME.values()} == {
        *(("ITI-18", query_id) for query_id in QUERIES),
        *(("ITI-51", query_id) for query_id in MULTI_PATIENT_QUERIES),
    }


@pytest.mark.parametrize(
    "name", ["$XDSFolderPatientId", "XDSFolderPatientId", "FolderPatientId", "PatientId", "patientid", "patient_id"]
)
def test_a_parameter_goes_by_any_of_its_names(name: str) -> None:
    query = ask("findfolders", {name: PATIENT_ID, "Status": "Approved"})
    assert isinstance(query, q.FindFolders)
    assert query.patient_id.id == "42"


def test_a_short_name_that_several_parameters_have_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="no parameter Status"):
        stored_query("GetAll", {"patient_id": PATIENT_ID, "Status": "Approved"})


def test_lists_are_alternatives_and_lists_of_lists_must_all_match() -> None:
    a, b = Code("A", "1.2"), Code("B", "1.2")
    asked = {"patient_id": PATIENT_ID, "status": ["Approved", v.DEPRECATED]}
    query = ask("FindDocuments", asked | {"event_code_list": [[a, "X^shown^1.2"], [b]], "class_code": [a, b]})
    assert isinstance(query, q.FindDocuments)
    assert query.codes["event_code_list"] == ((("A", "1.2"), ("X", "1.2")), (("B", "1.2"),))
    assert query.codes["class_code"] == ((("A", "1.2"), ("B", "1.2")),)
    assert query.statuses == (v.APPROVED, v.DEPRECATED)


def test_slots_of_one_name_stay_apart() -> None:
    call = stored_query_of_slots(
        "FindFolders",
        [("PatientId", ["1@1.2"]), ("Status", ["Approved"]), ("CodeList", ["a^^1"]), ("CodeList", ["b^^1"])],
    )
    assert [values for name, values in call.parameters if name == "$XDSFolderCodeList"] == [
        ("('a^^1')",),
        ("('b^^1')",),
    ]


#   query           parameters                                                          what is told
MISTAKES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("GetFolder", {}, ["there is no stored query GetFolder; is GetFolders meant?"]),
    ("nonsense", {}, ["there is no stored query nonsense"]),
    (
        "FindFolders",
        {"patient_id": "42", "status": "Open"},
        [
            "$XDSFolderPatientId is 42: write it as 'id^^^&oid&ISO'",
            "$XDSFolderStatus is Open: write it as a status URN such as Approved",
        ],
    ),
    ("FindFolders", {"status": "Approved"}, ["FindFolders needs $XDSFolderPatientId, 'id^^^&oid&ISO'"]),
    (
        "GetFolders",
        {},
        ["GetFolders needs exactly one of $XDSFolderEntryUUID, $XDSFolderUniqueId, $XDSFolderLogicalID"],
    ),
    (
        "FindFoldersForMultiplePatients",
        {"status": "Approved"},
        ["FindFoldersForMultiplePatients needs at least one of $XDSFolderPatientId, $XDSFolderCodeList"],
    ),
    (
        "GetFoldersForDocument",
        {"unique_id": ["1.2", "1.3"]},
        ["$XDSDocumentEntryUniqueId of GetFoldersForDocument takes one value, not 2"],
    ),
    ("GetAssociations", {"uuids": ENTRY}, ["GetAssociations has no parameter uuids; is $uuid meant?"]),
    (
        "GetAssociations",
        {"uuid": ENTRY, "level": 3},
        ["GetAssociations has no parameter level; is $MetadataLevel meant?"],
    ),
    ("GetAssociations", {"uuid": ENTRY, "metadata_level": 3}, ["$MetadataLevel is 3: write it as 1 or 2"]),
]


@pytest.mark.parametrize(("name", "parameters", "told"), MISTAKES, ids=[told[0] for *_, told in MISTAKES])
def test_a_mistake_is_told_before_anything_is_sent(name: str, parameters: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(InvalidQuery) as caught:
        stored_query(name, parameters)
    assert list(caught.value.problems) == told


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Approved", ("Approved",)),
        ("Approved, Deprecated", ("Approved", "Deprecated")),
        ("('a,b','c')", ("a,b", "c")),
        ("'it''s'", ("it's",)),
        ("%O'Brien%", ("%O'Brien%",)),
        ("'open", ("'open",)),
        (PATIENT_ID, (PATIENT_ID,)),
        (" ", ()),
    ],
)
def test_values_are_split_as_people_mean_them(text: str, values: tuple[str, ...]) -> None:
    assert split_values(text) == values


@pytest.mark.parametrize(
    ("text", "cx"),
    [("42@1.2.3", PATIENT_ID), (PATIENT_ID, PATIENT_ID), ("42@hospital", "42@hospital"), ("a@b@1.2", "a@b@1.2")],
)
def test_a_patient_may_be_written_short(text: str, cx: str) -> None:
    assert patient_text(text) == cx
