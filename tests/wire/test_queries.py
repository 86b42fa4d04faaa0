"""ITI-18 on the wire: parameters, times, codes, patterns, relations (ITI TF-2 3.18.4.1.2.3)."""

from dataclasses import replace

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import AUTHOR, make_association, make_author, make_documentation, make_slots
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code

from .messages import (
    NAMESPACES,
    Provide,
    accepted,
    entry_for,
    entry_uuid,
    find_documents,
    new_patient,
    new_urn,
    provide,
    query,
    register,
    registrable,
    replacement,
    send,
    slot,
)

GET = "$XDSDocumentEntryUniqueId"
STATUS = "$XDSDocumentEntryStatus"


def submitted(gateway: RunningGateway, patient: str, **changes: object) -> str:
    """A registered document of this patient; its uniqueId."""
    entry = entry_for(b"x", patient, **changes)
    return accepted(gateway, provide(b"x", patient=patient, entries=(entry,))).unique_ids[0]


def found(gateway: RunningGateway, patient: str, **parameters: object) -> int:
    """How many documents FindDocuments finds."""
    answer = send(gateway, find_documents(patient, **parameters))
    assert answer.status == "Success", answer.contexts
    assert len(answer.entries) == len(answer.ids)
    return len(answer.ids)


# --- FindDocuments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 1),
        ({"ClassCode": "('11^^1.2.250.1.213.1.1.4.1')"}, 1),
        ({"ClassCode": "('12^^1.2.250.1.213.1.1.4.1')"}, 0),
        ({"ClassCode": "('12^^1.2.250.1.213.1.1.4.1','11^^1.2.250.1.213.1.1.4.1')"}, 1),
        ({"ClassCode": ("('12^^1.2.250.1.213.1.1.4.1')", "('11^^1.2.250.1.213.1.1.4.1')")}, 1),
        ({"ClassCode": "('11^^1.2.3')"}, 0),
        ({"TypeCode": "('34105-7^^2.16.840.1.113883.6.1')"}, 1),
        ({"PracticeSettingCode": "('ETABLISSEMENT^^1.2.250.1.213.1.1.4.9')"}, 1),
        ({"HealthcareFacilityTypeCode": "('SA01^^1.2.250.1.71.4.2.4')"}, 1),
        ({"FormatCode": "('urn:ihe:iti:xds-sd:text:2008^^1.3.6.1.4.1.19376.1.2.3')"}, 1),
        ({"EventCodeList": "('HHFA001^^1.2.250.1.213.2.5')"}, 1),
        ({"ConfidentialityCode": "('N^^2.16.840.1.113883.5.25')"}, 1),
        ({"AuthorPerson": "('%Martin%')"}, 1),
        ({"AuthorPerson": "('_01234567897^Martin%')"}, 1),
        ({"AuthorPerson": "('%Nobody%')"}, 0),
        ({"AuthorPerson": "('^Robot')"}, 1),
        ({"AuthorPerson": "('%')"}, 1),
        ({"AuthorPerson": "('''; DROP TABLE document_entry; --%')"}, 0),
        ({"Status": f"('{v.APPROVED}','{v.DEPRECATED}')"}, 1),
        ({"Status": (f"('{v.APPROVED}')", f"('{v.DEPRECATED}')")}, 1),
        ({"Status": f"('{v.DEPRECATED}')"}, 0),
        ({"Status": f"('{v.APPROVED}','urn:something:unknown')"}, 1),
        ({"Type": f"('{v.STABLE_DOCUMENT}')"}, 1),
        ({"Type": f"('{v.ON_DEMAND_DOCUMENT}')"}, 0),
    ],
)
def test_documents_are_found_by_each_parameter(gateway, shared_patient, parameters, expected):
    assert found(gateway, shared_patient, **parameters) == expected


@pytest.fixture(scope="module")
def shared_patient(gateway) -> str:
    """A patient with one document that has every attribute."""
    patient = new_patient()
    submitted(gateway, patient)
    return patient


def test_codes_in_one_slot_are_or_and_in_two_slots_and(gateway, shared_patient):
    normal, other = "('N^^2.16.840.1.113883.5.25')", "('NOREUSE^^2.16.840.1.113883.1.11.20471')"
    missing = "('V^^2.16.840.1.113883.5.25')"
    base = [("$XDSDocumentEntryPatientId", (f"'{shared_patient}'",)), (STATUS, (f"('{v.APPROVED}')",))]
    name = "$XDSDocumentEntryConfidentialityCode"
    for slots, expected in (
        ([(normal, missing)], 1),
        ([(normal,), (other,)], 1),
        ([(normal,), (missing,)], 0),
        ([(missing,)], 0),
    ):
        message = query("FindDocuments", [*base, *((name, values) for values in slots)])
        assert len(send(gateway, message).ids) == expected


@pytest.mark.parametrize(
    ("value", "start", "end", "expected"),
    [
        ("20210527", "2021", "2021", 1),
        ("20210527", "20210527", "20210527", 0),
        ("20210527", "20210527", "20210528", 1),
        ("20210527", "20210528", "20210529", 0),
        ("2021", "20210701", None, 1),
        ("2021", "20200101", "20210101", 1),
        ("2021", None, "20201231", 0),
        ("20210527103000", "202105271030", "202105271031", 1),
        ("20210527103000", "20210527103000", "20210527103000", 0),
        ("20210527103000", "'20210527'", "'20210528'", 1),
        ("20210527103000", None, "20210527103000", 0),
        ("20210527103000", "20210527103000", None, 1),
    ],
)
@pytest.mark.parametrize("attribute", ["creationTime", "serviceStartTime", "serviceStopTime"])
def test_time_ranges(gateway, attribute, value, start, end, expected):
    patient = new_patient()
    others = {"serviceStartTime": None, "serviceStopTime": None, "creationTime": "2020"}
    submitted(gateway, patient, slots={**others, attribute: value})
    name = attribute[0].upper() + attribute[1:]
    parameters = {f"{name}{side}": text for side, text in (("From", start), ("To", end)) if text is not None}
    assert found(gateway, patient, **parameters) == expected


@pytest.mark.parametrize("name", ["ServiceStartTime", "ServiceStopTime"])
def test_an_entry_without_a_time_is_found_by_any_range_of_it(gateway, name):
    patient = new_patient()
    submitted(gateway, patient, slots={"serviceStartTime": None, "serviceStopTime": None})
    assert found(gateway, patient, **{f"{name}From": "1999", f"{name}To": "2000"}) == 1


def test_patterns_match_the_characters_that_they_quote(gateway):
    patient = new_patient()
    entry = entry_for(b"x", patient)
    author = make_author(v.DE_AUTHOR, entry.id, "a3", {**AUTHOR, "authorPerson": "1^O'Brien_100%^Zoé"})
    entry = replace(entry, classifications=(*entry.classifications, author))
    accepted(gateway, provide(b"x", patient=patient, entries=(entry,)))
    for pattern, expected in (
        ("%O''Brien%", 1),
        ("%Zoé", 1),
        ("%O''Brien_100%", 1),
        ("%O''BrienX100%", 0),
        ("O''Brien%", 0),
    ):
        assert found(gateway, patient, AuthorPerson=f"('{pattern}')") == expected


def test_object_refs_are_the_ids_of_the_same_objects(gateway):
    patient = new_patient()
    for number in range(3):
        accepted(gateway, provide(b"%d" % number, patient=patient))
    leaves = send(gateway, find_documents(patient))
    references = send(gateway, find_documents(patient, "ObjectRef"))
    assert len(leaves.ids) == 3
    assert references.ids == leaves.ids
    assert {item.tag.rsplit("}")[1] for item in references.all(".//rim:RegistryObjectList/*")} == {"ObjectRef"}


def test_a_patient_is_its_id_and_authority_only(gateway):
    patient = new_patient()
    submitted(gateway, patient)
    identifier, authority = patient.split("^^^")
    assert found(gateway, f"{identifier}^^^NAME{authority}") == 1
    assert found(gateway, f"{identifier}^^^&1.2.3&ISO") == 0
    assert found(gateway, f"{identifier}x^^^{authority}") == 0


@pytest.mark.parametrize(
    "patient",
    [
        "' OR '1'='1",
        "%",
        "_%",
        "x'; DROP TABLE patient; --^^^&1.2.3&ISO",
        "%^^^&1.3.6.1.4.1.21367.13.20.3000&ISO",
        "\u0000",
    ],
)
def test_hostile_patient_ids_find_nothing(gateway, shared_patient, patient):
    literal = patient.replace("'", "''")
    asked = {"$XDSDocumentEntryPatientId": f"'{literal}'", STATUS: f"('{v.APPROVED}')"}
    answer = send(gateway, query("FindDocuments", asked))
    assert answer.ids == []
    assert not any(word in answer.xml.lower() for word in (b"sqlite", b"traceback", b"syntax error"))
    assert found(gateway, shared_patient) == 1


# --- what cannot be asked -----------------------------------------------------------------------------------------

_P = {"$XDSDocumentEntryPatientId": "'1^^^&1.2.3&ISO'"}
_S = {"$XDSDocumentEntryStatus": f"('{v.APPROVED}')"}


@pytest.mark.parametrize(
    ("parameters", "codes"),
    [
        ({}, ["XDSStoredQueryMissingParam", "XDSStoredQueryMissingParam"]),
        (_P, ["XDSStoredQueryMissingParam"]),
        (_S, ["XDSStoredQueryMissingParam"]),
        (_P | {"$XDSDocumentEntryStatus": "('urn:unknown')"}, ["XDSStoredQueryMissingParam"]),
        (_P | {"$XDSDocumentEntryStatus": "()"}, ["XDSStoredQueryMissingParam"]),
        (_S | {"$XDSDocumentEntryPatientId": ("'1^^^&1.2.3&ISO'", "'2^^^&1.2.3&ISO'")}, ["XDSStoredQueryParamNumber"]),
        (_P | _S | {"$XDSDocumentEntryCreationTimeFrom": ("2020", "2021")}, ["XDSStoredQueryParamNumber"]),
        (_P | _S | {"$XDSDocumentEntryClassCode": "('11')"}, ["XDSRegistryError"]),
        (_P | _S | {"$XDSDocumentEntryClassCode": "('11^^')"}, ["XDSRegistryError"]),
        (_P | _S | {"$XDSDocumentEntryClassCode": "('11^^1.2"}, ["XDSRegistryError"]),
        (_P | _S | {"$XDSDocumentEntryCreationTimeFrom": "yesterday"}, ["XDSRegistryError"]),
        (_P | _S | {"$XDSDocumentEntryCreationTimeFrom": "20211301"}, ["XDSRegistryError"]),
        (_S | {"$XDSDocumentEntryPatientId": "'nobody'"}, ["XDSRegistryError"]),
    ],
)
def test_a_query_that_cannot_be_asked_says_why(gateway, parameters, codes):
    answer = send(gateway, query("FindDocuments", parameters))
    assert (answer.status, answer.errors) == ("Failure", codes)
    assert all("clause=" in context for context in answer.contexts)
    assert answer.ids == []


@pytest.mark.parametrize(
    "identifier", ["urn:uuid:00000000-0000-4000-8000-000000000000", "FindDocuments", "", "x" * 5000]
)
def test_a_query_that_nobody_knows(gateway, identifier):
    message = query("FindDocuments", _P | _S)
    known = b"urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
    assert send(gateway, message.replaced(known, identifier.encode())).errors == ["XDSUnknownStoredQuery"]


@pytest.mark.parametrize("return_type", ["LeafClassWithRepositoryItem", "RegistryObject", ""])
def test_a_return_type_that_is_not_ihes(gateway, return_type):
    assert send(gateway, query("FindDocuments", _P | _S, return_type)).errors == ["XDSRegistryError"]


def test_more_results_than_the_limit_are_never_cut_off(start_gateway):
    gateway = start_gateway(domains=[{"max_results": 3}])
    patient = new_patient()
    accepted(gateway, provide(*(b"%d" % number for number in range(3)), patient=patient))
    assert found(gateway, patient) == 3
    accepted(gateway, provide(b"one more", patient=patient))
    answer = send(gateway, find_documents(patient))
    assert (answer.errors, answer.ids) == (["XDSTooManyResults"], [])


# --- GetDocuments -------------------------------------------------------------------------------------------------


def test_get_documents_by_uuid_and_by_unique_id(gateway):
    patient = new_patient()
    provided = accepted(gateway, provide(b"1", b"2", patient=patient))
    uuids = [entry_uuid(gateway, unique_id) for unique_id in provided.unique_ids]
    wanted = f"('{uuids[0]}','{uuids[1].upper()}')"
    by_uuid = send(gateway, query("GetDocuments", {"$XDSDocumentEntryEntryUUID": wanted}))
    by_unique_id = send(gateway, query("GetDocuments", {GET: tuple(f"('{u}')" for u in provided.unique_ids)}))
    assert sorted(by_uuid.ids) == sorted(by_unique_id.ids) == sorted(uuids)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "XDSStoredQueryMissingParam"),
        ({GET: "('1.2')", "$XDSDocumentEntryEntryUUID": f"('{new_urn()}')"}, "XDSStoredQueryParamNumber"),
    ],
)
def test_get_documents_takes_exactly_one_kind_of_id(gateway, parameters, code):
    assert send(gateway, query("GetDocuments", parameters)).errors == [code]


def test_unknown_ids_are_a_success_with_nothing(gateway):
    for parameters in ({GET: "('1.2.3')"}, {"$XDSDocumentEntryEntryUUID": f"('{new_urn()}')"}):
        answer = send(gateway, query("GetDocuments", parameters))
        assert (answer.status, answer.ids) == ("Success", [])


def test_documents_of_two_patients_only_as_references(gateway):
    both = [accepted(gateway, provide(b"x")).unique_ids[0] for _ in range(2)]
    parameters = {GET: f"('{both[0]}','{both[1]}')"}
    assert send(gateway, query("GetDocuments", parameters)).errors == ["XDSResultNotSinglePatient"]
    assert len(send(gateway, query("GetDocuments", parameters, "ObjectRef")).ids) == 2


@pytest.mark.parametrize("count", [1_000, 10_000])
@pytest.mark.parametrize("name", [GET, "$XDSDocumentEntryEntryUUID"])
def test_a_query_may_have_thousands_of_ids(gateway, count, name):
    provided = accepted(gateway, provide(b"x"))
    own = provided.unique_ids[0] if name == GET else entry_uuid(gateway, provided.unique_ids[0])
    ids = [f"1.2.3.{number}" if name == GET else new_urn() for number in range(count)]
    answer = send(gateway, query("GetDocuments", {name: tuple(f"('{value}')" for value in [*ids, own])}))
    assert (answer.status, len(answer.ids)) == ("Success", 1)


# --- GetRelatedDocuments ------------------------------------------------------------------------------------------


def related(gateway: RunningGateway, unique_id: str, *types: str) -> tuple[list[str], list[str]]:
    """uniqueIds and association types that GetRelatedDocuments returns."""
    parameters = {GET: f"'{unique_id}'", "$AssociationTypes": tuple(f"('{name}')" for name in types)}
    answer = send(gateway, query("GetRelatedDocuments", parameters))
    assert answer.status == "Success", answer.contexts
    path = f"rim:ExternalIdentifier[@identificationScheme='{v.DE_UNIQUE_ID}']"
    documents = [item.get("value", "") for e in answer.entries for item in e.findall(path, NAMESPACES)]
    associations = [item.get("associationType", "") for item in answer.all(".//rim:RegistryObjectList/rim:Association")]
    return sorted(documents), sorted(associations)


def test_related_documents_come_with_their_associations(gateway):
    patient = new_patient()
    original = accepted(gateway, provide(b"original", patient=patient)).unique_ids[0]
    addendum = accepted(gateway, _related_to(gateway, original, patient, v.APND)).unique_ids[0]
    transformed = accepted(gateway, _related_to(gateway, original, patient, v.XFRM)).unique_ids[0]
    assert related(gateway, original, v.APND) == (sorted([original, addendum]), [v.APND])
    assert related(gateway, original, v.APND, v.XFRM) == (sorted([original, addendum, transformed]), [v.APND, v.XFRM])
    assert related(gateway, addendum, v.APND) == (sorted([original, addendum]), [v.APND])


def test_a_document_without_relations_returns_nothing_at_all(gateway):
    alone = accepted(gateway, provide(b"alone")).unique_ids[0]
    assert related(gateway, alone, v.APND, v.RPLC, v.XFRM) == ([], [])
    assert related(gateway, "1.2.3", v.RPLC) == ([], [])


def _related_to(gateway: RunningGateway, unique_id: str, patient: str, association_type: str) -> Provide:
    return replacement(entry_uuid(gateway, unique_id), association_type.encode(), patient, association_type)


def test_slots_and_documentation_of_an_association_come_back(gateway):
    patient = new_patient()
    original = accepted(gateway, provide(b"original", patient=patient)).unique_ids[0]
    made = provide(b"addendum", patient=patient)
    why = make_slots({"urn:example:why": "because"})
    link = make_association(made.entry.id, entry_uuid(gateway, original), v.APND, slots=why)
    link = replace(link, classifications=(make_documentation(link.id),))
    submission = replace(made.submission, associations=(*made.submission.associations, link))
    accepted(gateway, replace(made, submission=submission))
    parameters = {GET: f"'{original}'", "$AssociationTypes": f"('{v.APND}')"}
    answer = send(gateway, query("GetRelatedDocuments", parameters))
    (returned,) = answer.all(".//rim:RegistryObjectList/rim:Association")
    assert slot(returned, "urn:example:why") == ["because"]
    assert [c.get("nodeRepresentation") for c in returned.findall("rim:Classification", NAMESPACES)] == ["COR"]
    assert returned.get("status") == v.APPROVED


# --- all of it ----------------------------------------------------------------------------------------------------


def test_what_ITI_42_registers_is_found_and_not_retrievable_here(gateway):
    patient = new_patient()
    submission = registrable(patient)
    assert send(gateway, register(submission)).contexts == []
    assert found(gateway, patient) == 1


def test_ids_are_unique_across_a_whole_answer(gateway):
    patient = new_patient()
    accepted(gateway, provide(b"1", b"2", b"3", patient=patient))
    answer = send(gateway, find_documents(patient))
    tags = ("{*}ExtrinsicObject", "{*}Classification", "{*}ExternalIdentifier")
    ids = [item.get("id") for item in answer.root.iter(*tags)]
    assert len(ids) == len(set(ids)) > 30


def test_a_code_that_holds_quotes_is_found(gateway):
    patient = new_patient()
    submitted(gateway, patient, codes={v.DE_CLASS_CODE: (Code("it's", "1.2.3", "Odd"),)})
    assert found(gateway, patient, ClassCode="('it''s^^1.2.3')") == 1
