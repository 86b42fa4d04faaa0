"""Stored queries: literals, and each parameter of each query with its values, its limits and its errors."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.codec.queries import MULTI_PATIENT_QUERIES, QUERIES, QUERY_IDS, parse_stored_query
from xds_gateway.codec.query_parameters import Reading
from xds_gateway.codec.query_values import parse_literals
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import TimeInterval
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.messages import QueryRequest
from xds_gateway.model.queries import (
    Associated,
    EntryFilter,
    FindDocuments,
    FindDocumentsForMultiplePatients,
    FindFolders,
    FindFoldersForMultiplePatients,
    FindSubmissionSets,
    GetAll,
    GetAssociations,
    GetDocuments,
    GetDocumentsAndAssociations,
    GetFolderAndContents,
    GetFolders,
    GetFoldersForDocument,
    GetRelatedDocuments,
    GetSubmissionSetAndContents,
    GetSubmissionSets,
    StoredQuery,
    TimeRange,
)

E = "$XDSDocumentEntry"
PATIENT = (f"{E}PatientId", ("'P^^^&1.2.3&ISO'",))
STATUS = (f"{E}Status", (f"('{v.APPROVED}')",))
UUID = "urn:uuid:00000000-0000-4000-8000-000000000001"
Slots = tuple[tuple[str, tuple[str, ...]], ...]


def ask(
    name: str, *slots: tuple[str, tuple[str, ...]], return_type: str = "LeafClass"
) -> tuple[StoredQuery | None, list[Finding]]:
    findings: list[Finding] = []
    request = QueryRequest(query_id=QUERY_IDS.get(name, name), return_type=return_type, parameters=slots)
    queries = MULTI_PATIENT_QUERIES if request.query_id in MULTI_PATIENT_QUERIES else QUERIES
    return parse_stored_query(request, findings, queries), findings


def asked(name: str, *slots: tuple[str, tuple[str, ...]]) -> Any:
    query, findings = ask(name, *slots)
    assert findings == []
    assert query is not None
    return query


def refused(name: str, *slots: tuple[str, tuple[str, ...]], return_type: str = "LeafClass") -> list[Finding]:
    query, findings = ask(name, *slots, return_type=return_type)
    assert query is None
    return findings


def find(*slots: tuple[str, tuple[str, ...]]) -> FindDocuments:
    found = asked("FindDocuments", PATIENT, STATUS, *slots)
    assert isinstance(found, FindDocuments)
    return found


def codes(findings: list[Finding]) -> list[tuple[ErrorCode, str | None]]:
    return [(f.code, f.attribute) for f in findings]


# ---- literals (3.18.4.1.2.3.5) ----


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("'a'", ("a",)),
        (" 'a' ", ("a",)),
        ("('a')", ("a",)),
        ("('a','b')", ("a", "b")),
        ("( 'a' ,\n 'b' )", ("a", "b")),
        ("('a,b','c)')", ("a,b", "c)")),
        ("'it''s'", ("it's",)),
        ("('it''s','''')", ("it's", "'")),
        ("'a'''", ("a'",)),
        ("''", ("",)),
        ("20210101", ("20210101",)),
        ("(2021,2022)", ("2021", "2022")),
        ("a b", ("a b",)),
        ("", ()),
        ("()", ()),
        ("( )", ()),
    ],
)
def test_a_value_holds_literals(text: str, literals: tuple[str, ...]) -> None:
    assert parse_literals(text) == literals


@pytest.mark.parametrize(
    "text", ["'a", "a'", "('a'", "'a')", "('a' 'b')", "('a',)", "(,)", "'a'b", "('a')('b')", "'a''"]
)
def test_what_holds_no_literals(text: str) -> None:
    assert parse_literals(text) is None


@given(st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_quoted_values_come_back(values: list[str]) -> None:
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    assert parse_literals(f"({','.join(quoted)})") == tuple(values)
    assert parse_literals(quoted[0]) == (values[0],)


@given(st.text("'(),ab \n", max_size=12))
def test_any_text_is_literals_or_none(text: str) -> None:
    found = parse_literals(text)
    assert found is None or all(isinstance(literal, str) for literal in found)


# ---- FindDocuments (3.18.4.1.2.3.7.1) ----


def test_the_least_that_can_be_asked() -> None:
    assert find() == FindDocuments(
        patient_id=PatientId("P", "1.2.3"), statuses=(v.APPROVED,), object_types=(v.STABLE_DOCUMENT,)
    )


@pytest.mark.parametrize("missing", [PATIENT, STATUS])
@pytest.mark.parametrize("empty", [None, (), ("",), ("()",)])
def test_a_required_parameter_is_missing(missing: tuple[str, Any], empty: tuple[str, ...] | None) -> None:
    slots = [slot for slot in (PATIENT, STATUS) if slot is not missing]
    if empty is not None:
        slots.append((missing[0], empty))
    assert codes(refused("FindDocuments", *slots)) == [(ErrorCode.STORED_QUERY_MISSING_PARAM, missing[0])]


def test_everything_missing_is_told_at_once() -> None:
    assert codes(refused("FindDocuments")) == [
        (ErrorCode.STORED_QUERY_MISSING_PARAM, PATIENT[0]),
        (ErrorCode.STORED_QUERY_MISSING_PARAM, STATUS[0]),
    ]


SINGLE = [
    (PATIENT[0], "'P^^^&1.2.3&ISO'", "'Q^^^&1.2.3&ISO'"),
    *(
        (f"{E}{name}{end}", "2020", "2021")
        for name in ("CreationTime", "ServiceStartTime", "ServiceStopTime")
        for end in ("From", "To")
    ),
]


@pytest.mark.parametrize(("name", "one", "other"), SINGLE)
@pytest.mark.parametrize("split", ["list", "values", "slots"])
def test_one_value_is_allowed(name: str, one: str, other: str, split: str) -> None:
    two: Slots = {
        "list": ((name, (f"({one},{other})",)),),
        "values": ((name, (one, other)),),
        "slots": ((name, (one,)), (name, (other,))),
    }[split]
    others = [slot for slot in (PATIENT, STATUS) if slot[0] != name]
    assert codes(refused("FindDocuments", *others, *two)) == [(ErrorCode.STORED_QUERY_PARAM_NUMBER, name)]
    asked("FindDocuments", *others, (name, (one,)))


UNREADABLE = [
    (PATIENT[0], ["'P'", "'P^^^1.2.3'", "'^^^&1.2.3&ISO'", "'P^^^&x&ISO'", "'P^^^&1.2.3&UUID'"]),
    (f"{E}ClassCode", ["'11'", "'11^1.2'", "'^^1.2'", "'11^^'", "'11^name^1.2'", "'11^^1.2^x'", "11"]),
    (f"{E}EventCodeList", ["'11'"]),
    (f"{E}CreationTimeFrom", ["'202'", "'20211'", "'20211301'", "'2021-01-01'", "'20210101000000.1'", "'x'"]),
    (f"{E}Type", ["'urn:uuid:0'", f"'{UUID}'"]),
    (f"{E}AuthorPerson", ["''", f"'{'a' * 10_001}'"]),
    (f"{E}ClassCode", ["'11^^1.2", "('11^^1.2'"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in UNREADABLE for value in values])
def test_a_value_that_cannot_be_read(name: str, value: str) -> None:
    others = [slot for slot in (PATIENT, STATUS) if slot[0] != name]
    findings = refused("FindDocuments", *others, (name, (value,)))
    assert codes(findings) == [(ErrorCode.REGISTRY_ERROR, name)]
    assert findings[0].expected
    assert findings[0].received is not None


def test_each_unreadable_value_is_told() -> None:
    findings = refused(
        "FindDocuments", PATIENT, STATUS, (f"{E}ClassCode", ("('a','b^^1','c')",)), (f"{E}Type", ("'d'",))
    )
    assert [(f.attribute, f.received) for f in findings] == [
        (f"{E}Type", "d"),
        (f"{E}ClassCode", "a"),
        (f"{E}ClassCode", "c"),
    ]


CODES = [
    #  parameter                       attribute                        slots are AND
    ("ClassCode", "class_code", False),
    ("TypeCode", "type_code", False),
    ("PracticeSettingCode", "practice_setting_code", False),
    ("HealthcareFacilityTypeCode", "healthcare_facility_type_code", False),
    ("EventCodeList", "event_code_list", True),
    ("ConfidentialityCode", "confidentiality_code", True),
    ("FormatCode", "format_code", False),
]
A, B, C = ("A", "1.2"), ("B", "1.2"), ("C", "1.3")


@pytest.mark.parametrize(("parameter", "attribute", "conjunction"), CODES)
@pytest.mark.parametrize(
    ("slots", "and_of_ors", "all_or"),
    [
        ((("'A^^1.2'",),), ((A,),), ((A,),)),
        ((("('A^^1.2','B^^1.2')",),), ((A, B),), ((A, B),)),
        ((("'A^^1.2'", "('B^^1.2','C^^1.3')"),), ((A, B, C),), ((A, B, C),)),
        ((("'A^^1.2'",), ("('B^^1.2','C^^1.3')",)), ((A,), (B, C)), ((A, B, C),)),
        ((("'A^^1.2'",), ("()",)), ((A,),), ((A,),)),
    ],
)
def test_a_list_is_or_and_slots_are_and_where_the_table_says(
    parameter: str, attribute: str, conjunction: bool, slots: Any, and_of_ors: Any, all_or: Any
) -> None:
    found = find(*((E + parameter, texts) for texts in slots))
    assert found.codes == {attribute: and_of_ors if conjunction else all_or}


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ((f"('{v.APPROVED}','{v.DEPRECATED}')",), (v.APPROVED, v.DEPRECATED)),
        ((f"('{v.APPROVED}')", f"('{v.DEPRECATED}')"), (v.APPROVED, v.DEPRECATED)),
        ((f"('{v.APPROVED}','urn:example:unknown','{v.SUBMITTED}')",), (v.APPROVED,)),
        ((v.DEPRECATED,), (v.DEPRECATED,)),
    ],
)
def test_an_unknown_status_is_ignored(values: tuple[str, ...], statuses: tuple[str, ...]) -> None:
    assert asked("FindDocuments", PATIENT, (STATUS[0], values)).statuses == statuses


def test_only_unknown_statuses_are_none() -> None:
    findings = refused("FindDocuments", PATIENT, (STATUS[0], ("'Approved'", "'urn:example:unknown'")))
    assert codes(findings) == [(ErrorCode.STORED_QUERY_MISSING_PARAM, STATUS[0])]


@pytest.mark.parametrize(
    ("values", "types"),
    [
        ((), (v.STABLE_DOCUMENT,)),
        ((f"'{v.ON_DEMAND_DOCUMENT}'",), (v.ON_DEMAND_DOCUMENT,)),
        ((f"('{v.ON_DEMAND_DOCUMENT}','{v.STABLE_DOCUMENT}')",), (v.ON_DEMAND_DOCUMENT, v.STABLE_DOCUMENT)),
    ],
)
def test_stable_documents_unless_asked_otherwise(values: tuple[str, ...], types: tuple[str, ...]) -> None:
    assert find((f"{E}Type", values)).object_types == types


YEAR_2020 = TimeInterval(20200101000000, 20201231235959)
DAY = TimeInterval(20210527000000, 20210527235959)


@pytest.mark.parametrize("name", ["creation_time", "service_start_time", "service_stop_time"])
@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("2020", None, TimeRange(YEAR_2020, None)),
        ("'2020'", None, TimeRange(YEAR_2020, None)),
        (None, "'20210527'", TimeRange(None, DAY)),
        ("2020", "20210527", TimeRange(YEAR_2020, DAY)),
    ],
)
def test_times_bare_and_in_quotes(name: str, start: str | None, stop: str | None, expected: TimeRange) -> None:
    parameter = E + "".join(word.capitalize() for word in name.split("_"))
    slots = [(f"{parameter}{end}", (text,)) for end, text in (("From", start), ("To", stop)) if text]
    assert find(*slots).times == {name: expected}


def test_authors_are_patterns() -> None:
    found = find((f"{E}AuthorPerson", ("('%Martin%','%O''Neil_')",)))
    assert found.author_person == (("%Martin%", "%O'Neil_"),)


@pytest.mark.parametrize("name", ["$Unknown", f"{E}classCode", "urn:example:extra"])
def test_an_unknown_parameter_is_ignored(name: str) -> None:
    assert find((name, ("'x'",))) == find()


# ---- GetDocuments and GetRelatedDocuments (3.18.4.1.2.3.7.5, .13) ----

ENTRY_UUID, UNIQUE_ID, TYPES = f"{E}EntryUUID", f"{E}UniqueId", "$AssociationTypes"


@pytest.mark.parametrize(
    ("slot", "query"),
    [
        ((ENTRY_UUID, (f"'{UUID.upper()}'",)), GetDocuments(uuids=(UUID,))),
        ((ENTRY_UUID, (f"('{UUID}','urn:uuid:x')",)), GetDocuments(uuids=(UUID, "urn:uuid:x"))),
        ((UNIQUE_ID, ("('1.2.3^A','1.2.4')",)), GetDocuments(unique_ids=("1.2.3^A", "1.2.4"))),
    ],
)
def test_documents_are_asked_for_by_one_kind_of_id(slot: tuple[str, tuple[str, ...]], query: GetDocuments) -> None:
    assert asked("GetDocuments", slot) == query


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (f"('{v.RPLC}','{v.APND}')", (v.RPLC, v.APND)),
        ("('RPLC','HasMember')", (v.RPLC, v.HAS_MEMBER)),
        ("'urn:example:other'", ("urn:example:other",)),
    ],
)
@pytest.mark.parametrize(
    ("slot", "ids"),
    [((ENTRY_UUID, (f"'{UUID}'",)), {"uuid": UUID}), ((UNIQUE_ID, ("'1.2.3'",)), {"unique_id": "1.2.3"})],
)
def test_related_documents(slot: Any, ids: dict[str, str], types: str, expected: tuple[str, ...]) -> None:
    assert asked("GetRelatedDocuments", slot, (TYPES, (types,))) == GetRelatedDocuments(
        **ids, association_types=expected, object_types=(v.STABLE_DOCUMENT,)
    )


RELATED = ((TYPES, ("('RPLC')",)),)


@pytest.mark.parametrize(
    ("name", "prefix", "others"),
    [
        ("GetDocuments", E, ()),
        ("GetFolders", "$XDSFolder", ()),
        ("GetDocumentsAndAssociations", E, ()),
        ("GetSubmissionSetAndContents", "$XDSSubmissionSet", ()),
        ("GetFolderAndContents", "$XDSFolder", ()),
        ("GetFoldersForDocument", E, ()),
        ("GetRelatedDocuments", E, RELATED),
    ],
)
def test_one_of_two_ids_is_needed(name: str, prefix: str, others: Slots) -> None:
    both = ((f"{prefix}EntryUUID", (f"'{UUID}'",)), (f"{prefix}UniqueId", ("'1.2.3'",)))
    assert [f.code for f in refused(name, *others)] == [ErrorCode.STORED_QUERY_MISSING_PARAM]
    assert [f.code for f in refused(name, *others, *both)] == [ErrorCode.STORED_QUERY_PARAM_NUMBER]
    for one in both:
        assert asked(name, *others, one)


@pytest.mark.parametrize(
    ("slots", "code", "attribute"),
    [
        (((ENTRY_UUID, (f"'{UUID}'",)),), ErrorCode.STORED_QUERY_MISSING_PARAM, TYPES),
        (((ENTRY_UUID, (f"('{UUID}','x')",)), *RELATED), ErrorCode.STORED_QUERY_PARAM_NUMBER, ENTRY_UUID),
        (((UNIQUE_ID, ("'1'", "'2'")), *RELATED), ErrorCode.STORED_QUERY_PARAM_NUMBER, UNIQUE_ID),
    ],
)
def test_related_documents_of_one_document(slots: Slots, code: ErrorCode, attribute: str) -> None:
    assert codes(refused("GetRelatedDocuments", *slots)) == [(code, attribute)]


# ---- the query itself ----


@pytest.mark.parametrize("query_id", ["", "urn:uuid:00000000-0000-0000-0000-000000000000", "FindDocumentz"])
def test_an_unknown_query(query_id: str) -> None:
    (finding,) = refused(query_id)
    assert (finding.code, finding.received) == (ErrorCode.UNKNOWN_STORED_QUERY, query_id)
    assert all(query.name in finding.sentence for query in QUERIES.values())


@pytest.mark.parametrize(
    ("name", "asked_of", "belongs"),
    [
        *((query.name, MULTI_PATIENT_QUERIES, "ITI-18") for query in QUERIES.values()),
        *((query.name, QUERIES, "ITI-51") for query in MULTI_PATIENT_QUERIES.values()),
    ],
)
def test_a_query_of_the_other_transaction_is_unknown_here(name: str, asked_of: Any, belongs: str) -> None:
    findings: list[Finding] = []
    request = QueryRequest(query_id=QUERY_IDS[name], return_type="LeafClass", parameters=needed(name))
    assert parse_stored_query(request, findings, asked_of) is None
    (finding,) = findings
    assert finding.code is ErrorCode.UNKNOWN_STORED_QUERY
    assert f"{name} belongs to {belongs}." in finding.sentence


@pytest.mark.parametrize(
    "return_type", ["", "RegistryObject", "RepositoryItem", "leafclass", "LeafClassWithRepositoryItem"]
)
def test_an_unknown_return_type(return_type: str) -> None:
    (finding,) = refused("FindDocuments", PATIENT, STATUS, return_type=return_type)
    assert (finding.code, finding.attribute) == (ErrorCode.REGISTRY_ERROR, "returnType")


def test_references_can_be_asked_for() -> None:
    assert ask("FindDocuments", PATIENT, STATUS, return_type="ObjectRef")[1] == []


def test_findings_about_everything_come_together() -> None:
    findings = refused("FindDocuments", (f"{E}ClassCode", ("'a'",)), return_type="x")
    assert [f.rule for f in findings] == [
        "ihe.query.returnType",
        "ihe.query.required",
        "ihe.query.required",
        "ihe.query.value",
    ]


# The tables again, in the order of 3.18.4.1.2.3.7: R required; 1 one value, M several; & for AND across slots.
TABLES = {
    "FindDocuments": """
        $XDSDocumentEntryPatientId R1, $XDSDocumentEntryClassCode M, $XDSDocumentEntryTypeCode M,
        $XDSDocumentEntryPracticeSettingCode M, $XDSDocumentEntryCreationTimeFrom 1, $XDSDocumentEntryCreationTimeTo 1,
        $XDSDocumentEntryServiceStartTimeFrom 1, $XDSDocumentEntryServiceStartTimeTo 1,
        $XDSDocumentEntryServiceStopTimeFrom 1, $XDSDocumentEntryServiceStopTimeTo 1,
        $XDSDocumentEntryHealthcareFacilityTypeCode M, $XDSDocumentEntryEventCodeList M&,
        $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryAuthorPerson M, $XDSDocumentEntryFormatCode M,
        $XDSDocumentEntryStatus RM, $XDSDocumentEntryType M""",
    "FindSubmissionSets": """
        $XDSSubmissionSetPatientId R1, $XDSSubmissionSetSourceId M, $XDSSubmissionSetSubmissionTimeFrom 1,
        $XDSSubmissionSetSubmissionTimeTo 1, $XDSSubmissionSetAuthorPerson 1, $XDSSubmissionSetContentType M,
        $XDSSubmissionSetStatus RM""",
    "FindFolders": """
        $XDSFolderPatientId R1, $XDSFolderLastUpdateTimeFrom 1, $XDSFolderLastUpdateTimeTo 1, $XDSFolderCodeList M&,
        $XDSFolderStatus RM""",
    "GetAll": """
        $patientId R1, $XDSDocumentEntryStatus RM, $XDSSubmissionSetStatus RM, $XDSFolderStatus RM,
        $XDSDocumentEntryFormatCode M, $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryType M,
        $XDSAssociationStatus M""",
    "GetDocuments": "$XDSDocumentEntryEntryUUID M, $XDSDocumentEntryUniqueId M, $XDSDocumentEntryLogicalID M",
    "GetFolders": "$XDSFolderEntryUUID M, $XDSFolderUniqueId M, $XDSFolderLogicalID M",
    "GetAssociations": "$uuid RM, $XDSAssociationStatus M",
    "GetDocumentsAndAssociations": """
        $XDSDocumentEntryEntryUUID M, $XDSDocumentEntryUniqueId M, $XDSAssociationStatus M""",
    "GetSubmissionSets": "$uuid RM, $XDSAssociationStatus M",
    "GetSubmissionSetAndContents": """
        $XDSSubmissionSetEntryUUID 1, $XDSSubmissionSetUniqueId 1, $XDSDocumentEntryFormatCode M,
        $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryType M, $XDSAssociationStatus M""",
    "GetFolderAndContents": """
        $XDSFolderEntryUUID 1, $XDSFolderUniqueId 1, $XDSDocumentEntryFormatCode M,
        $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryType M, $XDSAssociationStatus M""",
    "GetFoldersForDocument": """
        $XDSDocumentEntryEntryUUID 1, $XDSDocumentEntryUniqueId 1, $XDSAssociationStatus M""",
    "GetRelatedDocuments": """
        $XDSDocumentEntryEntryUUID 1, $XDSDocumentEntryUniqueId 1, $AssociationTypes RM, $XDSDocumentEntryType M,
        $XDSAssociationStatus M""",
    "FindDocumentsByReferenceId": """
        $XDSDocumentEntryPatientId R1, $XDSDocumentEntryReferenceIdList RM&, $XDSDocumentEntryClassCode M,
        $XDSDocumentEntryTypeCode M, $XDSDocumentEntryPracticeSettingCode M, $XDSDocumentEntryCreationTimeFrom 1,
        $XDSDocumentEntryCreationTimeTo 1, $XDSDocumentEntryServiceStartTimeFrom 1,
        $XDSDocumentEntryServiceStartTimeTo 1, $XDSDocumentEntryServiceStopTimeFrom 1,
        $XDSDocumentEntryServiceStopTimeTo 1, $XDSDocumentEntryHealthcareFacilityTypeCode M,
        $XDSDocumentEntryEventCodeList M&, $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryAuthorPerson M,
        $XDSDocumentEntryFormatCode M, $XDSDocumentEntryStatus RM, $XDSDocumentEntryType M""",
}
# The same for 3.51.4.1.2.1
MULTI_PATIENT_TABLES = {
    "FindDocumentsForMultiplePatients": """
        $XDSDocumentEntryPatientId M, $XDSDocumentEntryClassCode M, $XDSDocumentEntryTypeCode M,
        $XDSDocumentEntryPracticeSettingCode M, $XDSDocumentEntryCreationTimeFrom 1, $XDSDocumentEntryCreationTimeTo 1,
        $XDSDocumentEntryServiceStartTimeFrom 1, $XDSDocumentEntryServiceStartTimeTo 1,
        $XDSDocumentEntryServiceStopTimeFrom 1, $XDSDocumentEntryServiceStopTimeTo 1,
        $XDSDocumentEntryHealthcareFacilityTypeCode M, $XDSDocumentEntryEventCodeList M&,
        $XDSDocumentEntryConfidentialityCode M&, $XDSDocumentEntryAuthorPerson M, $XDSDocumentEntryFormatCode M,
        $XDSDocumentEntryStatus RM, $XDSDocumentEntryType M""",
    "FindFoldersForMultiplePatients": """
        $XDSFolderPatientId M, $XDSFolderLastUpdateTimeFrom 1, $XDSFolderLastUpdateTimeTo 1, $XDSFolderCodeList M&,
        $XDSFolderStatus RM""",
}
ALL_TABLES = TABLES | MULTI_PATIENT_TABLES
# A value of each parameter, by how its name ends, and how it is read
SAMPLES = {
    "PatientId": "'P^^^&1.2.3&ISO'",
    "patientId": "'P^^^&1.2.3&ISO'",
    "Code": "'A^^1.2'",
    "CodeList": "'A^^1.2'",
    "ContentType": "'A^^1.2'",
    "From": "2020",
    "To": "2020",
    "Status": f"'{v.APPROVED}'",
    "EntryUUID": f"'{UUID}'",
    "uuid": f"'{UUID}'",
    "UniqueId": "'1.2.3'",
    "LogicalID": f"'{UUID}'",
    "SourceId": "'1.2'",
    "AuthorPerson": "'%Martin%'",
    "ReferenceIdList": "'42^^^&1.2&ISO^urn:example'",
    "EntryType": f"'{v.STABLE_DOCUMENT}'",
    "AssociationTypes": "'RPLC'",
}
ROWS = [
    (query, *row.split()) for query, table in ALL_TABLES.items() for row in (part.strip() for part in table.split(","))
]


def sample(parameter: str) -> str:
    return next(text for end, text in SAMPLES.items() if parameter.endswith(end))


def needed(query: str, without: str = "") -> Slots:
    """The least that a query needs: its required parameters, and one of two ids."""
    rows = [(parameter, kind) for name, parameter, kind in ROWS if name == query]
    listed = [parameter for parameter, kind in rows if "R" in kind]
    if any(parameter.endswith("EntryUUID") for parameter, _ in rows) and not without.endswith(
        ("EntryUUID", "UniqueId", "LogicalID")
    ):
        listed.append(next(parameter for parameter, _ in rows if parameter.endswith("EntryUUID")))
    if query in MULTI_PATIENT_TABLES:
        listed += [parameter for parameter, _ in rows if parameter.endswith("PatientId")]
    if without.endswith("LogicalID"):
        return (*((name, (sample(name),)) for name in listed), ("$MetadataLevel", ("2",)))
    return tuple((name, (sample(name),)) for name in listed if name != without)


def test_every_stored_query_of_the_standard_is_there() -> None:
    assert [query.name for query in QUERIES.values()] == list(TABLES)
    assert [query.name for query in MULTI_PATIENT_QUERIES.values()] == list(MULTI_PATIENT_TABLES)
    for query in (*QUERIES.values(), *MULTI_PATIENT_QUERIES.values()):
        listed = {parameter for name, parameter, _ in ROWS if name == query.name}
        assert {p.name for p in query.parameters} == listed | {"$MetadataLevel"}


@pytest.mark.parametrize(("query", "parameter", "kind"), [row for row in ROWS if "R" in row[2]])
def test_what_is_required_is_missed(query: str, parameter: str, kind: str) -> None:
    asked(query, *needed(query))
    missed = [(ErrorCode.STORED_QUERY_MISSING_PARAM, parameter)]
    assert codes(refused(query, *needed(query, parameter))) == missed
    assert codes(refused(query, *needed(query, parameter), (parameter, ("()",)))) == missed


@pytest.mark.parametrize(("query", "parameter", "kind"), ROWS)
def test_one_value_or_several(query: str, parameter: str, kind: str) -> None:
    text = sample(parameter)
    slots = (*needed(query, parameter), (parameter, (text, f"({text},{text})")))
    expected = [] if "M" in kind else [(ErrorCode.STORED_QUERY_PARAM_NUMBER, parameter)]
    assert codes(ask(query, *slots)[1]) == expected


@pytest.mark.parametrize(("query", "parameter", "kind"), [row for row in ROWS if "M" in row[2]])
def test_slots_of_one_name_are_and_or_one_list(query: str, parameter: str, kind: str) -> None:
    slots = ((parameter, (sample(parameter),)),) * 2
    table = (QUERIES | MULTI_PATIENT_QUERIES)[QUERY_IDS[query]]
    row = next(p for p in table.parameters if p.name == parameter)
    groups = Reading(query, "", []).values(row, slots)
    assert [len(group) for group in groups] == ([1, 1] if "&" in kind else [2])


# ---- versions (Metadata Update) ----


@pytest.mark.parametrize("query", ALL_TABLES)
@pytest.mark.parametrize(
    ("level", "problems"),
    [
        ("1", []),
        ("2", []),
        ("'2'", []),
        ("(2)", []),
        ("0", [ErrorCode.REGISTRY_ERROR]),
        ("3", [ErrorCode.REGISTRY_ERROR]),
        ("x", [ErrorCode.REGISTRY_ERROR]),
        ("(1,2)", [ErrorCode.STORED_QUERY_PARAM_NUMBER]),
    ],
)
def test_a_metadata_level_is_one_or_two(query: str, level: str, problems: list[ErrorCode]) -> None:
    found, findings = ask(query, *needed(query), ("$MetadataLevel", (level,)))
    assert [f.code for f in findings] == problems
    without = asked(query, *needed(query))
    assert without.level == 1
    assert found == (None if problems else replace(without, level=2 if "2" in level else 1))


WITH_ASSOCIATIONS = [query for query, parameter, _ in ROWS if parameter == "$XDSAssociationStatus"]


@pytest.mark.parametrize("query", WITH_ASSOCIATIONS)
@pytest.mark.parametrize(
    ("level", "statuses", "expected"),
    [
        ("1", None, (v.APPROVED,)),
        ("2", None, (v.APPROVED,)),
        ("1", f"('{v.DEPRECATED}')", (v.APPROVED,)),
        ("2", f"('{v.DEPRECATED}')", (v.DEPRECATED,)),
        ("2", f"('{v.APPROVED}','{v.DEPRECATED}')", (v.APPROVED, v.DEPRECATED)),
        ("2", f"('{v.DEPRECATED}','urn:example:unknown')", (v.DEPRECATED,)),
        ("2", "('urn:example:unknown')", (v.APPROVED,)),
    ],
)
def test_association_statuses_count_at_level_two(
    query: str, level: str, statuses: str | None, expected: tuple[str, ...]
) -> None:
    sent = () if statuses is None else (("$XDSAssociationStatus", (statuses,)),)
    found = asked(query, *needed(query), ("$MetadataLevel", (level,)), *sent)
    assert isinstance(found, Associated)
    assert found.association_statuses == expected


@pytest.mark.parametrize(("name", "prefix"), [("GetDocuments", E), ("GetFolders", "$XDSFolder")])
def test_a_logical_id_needs_level_two_and_is_alone(name: str, prefix: str) -> None:
    logical = (f"{prefix}LogicalID", (f"('{UUID.upper()}','urn:uuid:x')",))
    level = ("$MetadataLevel", ("2",))
    assert asked(name, logical, level).logical_ids == (UUID, "urn:uuid:x")
    for at_level_one in ((), (("$MetadataLevel", ("1",)),)):
        assert codes(refused(name, logical, *at_level_one)) == [(ErrorCode.REGISTRY_ERROR, "$MetadataLevel")]
    for other in ((f"{prefix}EntryUUID", (f"'{UUID}'",)), (f"{prefix}UniqueId", ("'1.2.3'",))):
        assert [f.code for f in refused(name, logical, other, level)] == [ErrorCode.STORED_QUERY_PARAM_NUMBER]


# ---- several patients (3.51.4.1.2.1) ----


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        *(
            ("FindDocumentsForMultiplePatients", E + name)
            for name in ("PatientId", "ClassCode", "EventCodeList", "HealthcareFacilityTypeCode")
        ),
        ("FindFoldersForMultiplePatients", "$XDSFolderPatientId"),
        ("FindFoldersForMultiplePatients", "$XDSFolderCodeList"),
    ],
)
def test_a_patient_or_a_code_is_needed(name: str, parameter: str) -> None:
    status = (next(p for query, p, kind in ROWS if query == name and "R" in kind), (f"('{v.APPROVED}')",))
    assert [f.code for f in refused(name, status)] == [ErrorCode.STORED_QUERY_MISSING_PARAM]
    assert [f.code for f in refused(name, status, (parameter, ("()",)))] == [ErrorCode.STORED_QUERY_MISSING_PARAM]
    assert asked(name, status, (parameter, (sample(parameter),)))


@pytest.mark.parametrize("parameter", ["TypeCode", "PracticeSettingCode", "ConfidentialityCode", "FormatCode"])
def test_other_codes_do_not_do_instead(parameter: str) -> None:
    findings = refused("FindDocumentsForMultiplePatients", STATUS, (E + parameter, ("'A^^1.2'",)))
    assert [(f.code, f.rule) for f in findings] == [(ErrorCode.STORED_QUERY_MISSING_PARAM, "ihe.query.someOf")]


TWO_PATIENTS = ("('P^^^&1.2.3&ISO','Q^^^&1.2.3&ISO')",)


@pytest.mark.parametrize(
    ("name", "slots", "expected"),
    [
        (
            "FindDocumentsForMultiplePatients",
            ((f"{E}PatientId", TWO_PATIENTS), STATUS, (f"{E}EventCodeList", ("'A^^1.2'",))),
            FindDocumentsForMultiplePatients(
                patient_ids=(PatientId("P", "1.2.3"), PatientId("Q", "1.2.3")),
                statuses=(v.APPROVED,),
                object_types=(v.STABLE_DOCUMENT,),
                codes={"event_code_list": ((A,),)},
            ),
        ),
        (
            "FindFoldersForMultiplePatients",
            (("$XDSFolderStatus", STATUS[1]), ("$XDSFolderCodeList", ("'A^^1.2'",))),
            FindFoldersForMultiplePatients(statuses=(v.APPROVED,), codes=((A,),)),
        ),
    ],
)
def test_a_query_for_several_patients(name: str, slots: Slots, expected: StoredQuery) -> None:
    assert asked(name, *slots) == expected


# ---- the other queries: what each asks of storage ----

S, F = "$XDSSubmissionSet", "$XDSFolder"
P, IDS = PatientId("P", "1.2.3"), (UUID,)
STABLE = EntryFilter(object_types=(v.STABLE_DOCUMENT,))
FILTERED = EntryFilter(
    object_types=(v.ON_DEMAND_DOCUMENT,), codes={"format_code": ((A, B),), "confidentiality_code": ((A, B), (C,))}
)
FILTERS: Slots = (
    (f"{E}FormatCode", ("'A^^1.2'",)),
    (f"{E}FormatCode", ("'B^^1.2'",)),
    (f"{E}ConfidentialityCode", ("('A^^1.2','B^^1.2')",)),
    (f"{E}ConfidentialityCode", ("'C^^1.3'",)),
    (f"{E}Type", (f"'{v.ON_DEMAND_DOCUMENT}'",)),
)
BOTH = (f"('{v.APPROVED}','{v.DEPRECATED}')",)


@pytest.mark.parametrize(
    ("name", "slots", "expected"),
    [
        ("FindSubmissionSets", (), FindSubmissionSets(patient_id=P, statuses=(v.APPROVED,))),
        (
            "FindSubmissionSets",
            (
                (f"{S}SourceId", ("('1.2','1.3')",)),
                (f"{S}SubmissionTimeFrom", ("2020",)),
                (f"{S}SubmissionTimeTo", ("'20210527'",)),
                (f"{S}AuthorPerson", ("'%Martin%'",)),
                (f"{S}ContentType", ("('A^^1.2','B^^1.2')",)),
            ),
            FindSubmissionSets(
                patient_id=P,
                statuses=(v.APPROVED,),
                source_ids=("1.2", "1.3"),
                submission_time=TimeRange(YEAR_2020, DAY),
                author_person=(("%Martin%",),),
                content_types=(A, B),
            ),
        ),
        ("FindFolders", (), FindFolders(patient_id=P, statuses=(v.APPROVED,))),
        (
            "FindFolders",
            (
                (f"{F}LastUpdateTimeTo", ("20210527",)),
                (f"{F}CodeList", ("('A^^1.2','B^^1.2')",)),
                (f"{F}CodeList", ("'C^^1.3'",)),
            ),
            FindFolders(
                patient_id=P,
                statuses=(v.APPROVED,),
                last_update_time=TimeRange(None, DAY),
                codes=((A, B), (C,)),
            ),
        ),
        (
            "GetAll",
            (),
            GetAll(
                patient_id=P,
                entry_statuses=(v.APPROVED,),
                submission_set_statuses=(v.APPROVED,),
                folder_statuses=(v.APPROVED,),
                entries=STABLE,
            ),
        ),
        (
            "GetAll",
            FILTERS,
            GetAll(
                patient_id=P,
                entry_statuses=(v.APPROVED,),
                submission_set_statuses=(v.APPROVED,),
                folder_statuses=(v.APPROVED,),
                entries=FILTERED,
            ),
        ),
        ("GetFolders", (), GetFolders(uuids=IDS)),
        ("GetAssociations", (), GetAssociations(uuids=IDS)),
        ("GetDocumentsAndAssociations", (), GetDocumentsAndAssociations(uuids=IDS)),
        ("GetSubmissionSets", (), GetSubmissionSets(uuids=IDS)),
        ("GetSubmissionSetAndContents", (), GetSubmissionSetAndContents(uuid=UUID, entries=STABLE)),
        ("GetSubmissionSetAndContents", FILTERS, GetSubmissionSetAndContents(uuid=UUID, entries=FILTERED)),
        ("GetFolderAndContents", (), GetFolderAndContents(uuid=UUID, entries=STABLE)),
        ("GetFolderAndContents", FILTERS, GetFolderAndContents(uuid=UUID, entries=FILTERED)),
        ("GetFoldersForDocument", (), GetFoldersForDocument(uuid=UUID)),
        (
            "FindDocumentsByReferenceId",
            ((f"{E}ReferenceIdList", ("'4_%'",)), (f"{E}ClassCode", ("'A^^1.2'",))),
            FindDocuments(
                patient_id=P,
                statuses=(v.APPROVED,),
                object_types=(v.STABLE_DOCUMENT,),
                codes={"class_code": ((A,),)},
                reference_ids=((SAMPLES["ReferenceIdList"][1:-1],), ("4_%",)),
            ),
        ),
    ],
)
def test_a_query_becomes_a_value(name: str, slots: Slots, expected: StoredQuery) -> None:
    assert asked(name, *needed(name), *slots) == expected


@pytest.mark.parametrize(
    ("name", "slot", "expected"),
    [
        ("GetFolders", (f"{F}UniqueId", ("('1.2','1.3')",)), GetFolders(unique_ids=("1.2", "1.3"))),
        (
            "GetDocumentsAndAssociations",
            (f"{E}UniqueId", ("('1.2','1.3')",)),
            GetDocumentsAndAssociations(unique_ids=("1.2", "1.3")),
        ),
        (
            "GetSubmissionSetAndContents",
            (f"{S}UniqueId", ("'1.2'",)),
            GetSubmissionSetAndContents(unique_id="1.2", entries=STABLE),
        ),
        ("GetFolderAndContents", (f"{F}UniqueId", ("'1.2'",)), GetFolderAndContents(unique_id="1.2", entries=STABLE)),
        ("GetFoldersForDocument", (f"{E}UniqueId", ("'1.2'",)), GetFoldersForDocument(unique_id="1.2")),
        ("GetAssociations", ("$uuid", (f"('{UUID}','x')",)), GetAssociations(uuids=(UUID, "x"))),
        ("GetSubmissionSets", ("$uuid", (f"'{UUID}'", "'X'")), GetSubmissionSets(uuids=(UUID, "x"))),
    ],
)
def test_objects_are_asked_for_by_their_ids(name: str, slot: Any, expected: StoredQuery) -> None:
    assert asked(name, slot) == expected


def test_each_kind_of_object_has_its_own_statuses() -> None:
    patient = ("$patientId", ("'P^^^&1.2.3&ISO'",))
    found = asked(
        "GetAll",
        patient,
        (f"{E}Status", BOTH),
        (f"{S}Status", (f"'{v.APPROVED}'",)),
        (f"{F}Status", (f"'{v.DEPRECATED}'",)),
    )
    assert found.entry_statuses == (v.APPROVED, v.DEPRECATED)
    assert found.submission_set_statuses == (v.APPROVED,)
    assert found.folder_statuses == (v.DEPRECATED,)
