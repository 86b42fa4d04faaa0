"""QueryStore: which objects a stored query selects, and what the fragments of an answer hold."""

from typing import Any

import pytest
from lxml import etree

from tests.contract.submissions import (
    EVERYTHING,
    OTHER_PATIENT,
    PATIENT,
    make_entry,
    make_link,
    make_set,
    reading,
    register,
    submission,
    submit,
    urn,
)
from tests.unit import builders
from xds_gateway.actors.ports import Found
from xds_gateway.codec.ebrim import RIM, parse_objects
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.metadata import DocumentEntry
from xds_gateway.model.principal import AccessFilter, Permit
from xds_gateway.model.queries import FindDocuments, GetDocuments, GetRelatedDocuments, StoredQuery
from xds_gateway.storage.opening import Storage

CLASS = ("11", "1.2.250.1.213.1.1.4.1")
NORMAL, NOREUSE = ("N", "2.16.840.1.113883.5.25"), ("NOREUSE", "2.16.840.1.113883.1.11.20471")
EVENT = ("HHFA001", "1.2.250.1.213.2.5")
NOTHING = ("X", "9.9")
MANY = tuple((f"X{n}", "9.9") for n in range(3000))


def find_documents(**changes: Any) -> FindDocuments:
    fields = {"patient_id": PATIENT, "statuses": (v.APPROVED,), "object_types": (v.STABLE_DOCUMENT,)}
    return FindDocuments(**{**fields, **changes})


def uuids(storage: Storage, query: StoredQuery, access: AccessFilter = EVERYTHING, limit: int = 100) -> list[str]:
    return list(storage.queries.find(query, access, limit).uuids)


def read(found: Found) -> list[DocumentEntry]:
    """The entries of an answer, read back."""
    listed = b"".join(found.fragments)
    objects = etree.fromstring(
        b'<rim:RegistryObjectList xmlns:rim="%s">%s</rim:RegistryObjectList>' % (RIM.encode(), listed)
    )
    return list(parse_objects(objects, []).document_entries)


# --- FindDocuments ---


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"patient_id": OTHER_PATIENT}, False),
        ({"statuses": (v.DEPRECATED,)}, False),
        ({"statuses": (v.DEPRECATED, v.APPROVED)}, True),
        ({"object_types": (v.ON_DEMAND_DOCUMENT,)}, False),
        ({"object_types": (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)}, True),
        ({"codes": {"class_code": ((CLASS,),)}}, True),
        ({"codes": {"class_code": ((NOTHING, CLASS),)}}, True),
        ({"codes": {"class_code": ((NOTHING,),)}}, False),
        ({"codes": {"class_code": ((("11", "1.2"),),)}}, False),
        ({"codes": {"class_code": ((CLASS,), (CLASS, NOTHING))}}, True),
        ({"codes": {"class_code": ((CLASS,), (NOTHING,))}}, False),
        ({"codes": {"class_code": ((*MANY, CLASS),)}}, True),
        ({"codes": {"type_code": ((("34105-7", "2.16.840.1.113883.6.1"),),)}}, True),
        ({"codes": {"type_code": ((CLASS,),)}}, False),
        ({"codes": {"practice_setting_code": ((("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9"),),)}}, True),
        ({"codes": {"practice_setting_code": ((CLASS,),)}}, False),
        ({"codes": {"healthcare_facility_type_code": ((("SA01", "1.2.250.1.71.4.2.4"),),)}}, True),
        ({"codes": {"healthcare_facility_type_code": ((CLASS,),)}}, False),
        ({"codes": {"format_code": ((("urn:ihe:iti:xds-sd:text:2008", "1.3.6.1.4.1.19376.1.2.3"),),)}}, True),
        ({"codes": {"format_code": ((CLASS,),)}}, False),
        ({"codes": {"event_code_list": ((EVENT,),)}}, True),
        ({"codes": {"event_code_list": ((NORMAL,),)}}, False),
        ({"codes": {"confidentiality_code": ((NORMAL,),)}}, True),
        ({"codes": {"confidentiality_code": ((NORMAL, NOTHING), (NOREUSE,))}}, True),
        ({"codes": {"confidentiality_code": ((NORMAL,), (NOTHING,))}}, False),
        ({"codes": {"confidentiality_code": ((*MANY, NORMAL),)}}, True),
        ({"codes": {"confidentiality_code": ((NORMAL,),) * 2000}}, True),
        ({"codes": {"class_code": ((CLASS,),), "event_code_list": ((EVENT,),)}}, True),
        ({"codes": {"class_code": ((CLASS,),), "event_code_list": ((NOTHING,),)}}, False),
        ({"author_person": (("801234567897^Martin^Anne^^^Dr^^^&1.2.250.1.71.4.2.1&ISO",),)}, True),
        ({"author_person": (("%Martin%",),)}, True),
        ({"author_person": (("%martin%",),)}, False),
        ({"author_person": (("%^M_rtin^%",),)}, True),
        ({"author_person": (("Martin",),)}, False),
        ({"author_person": (("Nobody", "^Rob%"),)}, True),
        ({"author_person": (("%Martin%",), ("^Robot",))}, True),
        ({"author_person": (("%Martin%",), ("Nobody",))}, False),
        ({"author_person": (("%\\%",),)}, False),
        ({"author_person": (tuple(f"{n}%" for n in range(3000)),)}, True),
        ({"author_person": (("%' OR 1=1 --",),)}, False),
    ],
)
def test_find_documents_selects_by_every_parameter(storage: Storage, changes: dict[str, Any], found: bool) -> None:
    register(storage, *submission(1))
    assert uuids(storage, find_documents(**changes)) == ([urn("entry 1")] if found else [])


def test_find_documents_returns_the_newest_first_and_equals_in_the_order_of_registration(storage: Storage) -> None:
    times = {1: "2024", 2: "20260314", 3: "20250101", 4: "20260314"}
    for number, time in times.items():
        register(storage, *submission(number, slots={"creationTime": time}))
    assert uuids(storage, find_documents()) == [urn(f"entry {n}") for n in (2, 4, 3, 1)]


@pytest.mark.parametrize(("limit", "more"), [(2, True), (3, False), (4, False)])
@pytest.mark.parametrize(
    "query",
    [
        find_documents(),
        GetDocuments(uuids=tuple(urn(f"entry {n}") for n in range(5))),
        GetRelatedDocuments(uuid=urn("entry 1"), association_types=(v.APND,)),
    ],
)
def test_over_the_limit_there_is_only_more(storage: Storage, query: StoredQuery, limit: int, more: bool) -> None:
    register(storage, make_entry(1), make_entry(2), make_entry(3))
    if isinstance(query, GetRelatedDocuments):
        register(storage, make_link(urn("entry 2"), urn("entry 1"), v.APND))
    found = storage.queries.find(query, EVERYTHING, limit)
    assert (found.more, len(found.fragments), len(found.uuids)) == ((True, 0, 0) if more else (False, 3, 3))


# --- what an answer holds ---


def test_a_fragment_reads_back_as_the_entry_with_what_the_registry_manages(storage: Storage) -> None:
    sent = make_entry(1, home=None)
    register(storage, sent)
    (entry,) = read(storage.queries.find(find_documents(), EVERYTHING, 10))
    assert (entry.id, entry.lid, entry.status, entry.version) == (sent.id, sent.id, v.APPROVED, "1")
    assert (entry.slots, entry.classifications, entry.name) == (sent.slots, sent.classifications, sent.name)
    assert (entry.external_identifiers, entry.home) == (sent.external_identifiers, None)


def test_home_and_patient_id_are_escaped_and_as_sent(storage: Storage) -> None:
    patient = "P\"<&'^^^Ward & co&1.2.3&ISO^PI"
    register(storage, make_entry(1, home='urn:oid:1.2"&<', identifiers={v.DE_PATIENT_ID: patient}))
    found = storage.queries.find(GetDocuments(uuids=(urn("entry 1"),)), EVERYTHING, 10)
    (entry,) = read(found)
    assert (entry.home, entry.patient_id) == ('urn:oid:1.2"&<', patient)


def test_a_deprecated_entry_says_so(storage: Storage) -> None:
    submit(storage, submission(1), lambda transaction: transaction.set_status([urn("entry 1")], v.DEPRECATED))
    (entry,) = read(storage.queries.find(find_documents(statuses=(v.DEPRECATED,)), EVERYTHING, 10))
    assert entry.status == v.DEPRECATED


def test_an_answer_names_its_patients_as_they_are_compared(storage: Storage) -> None:
    sent = "PAT-0042^^^Namespace&1.3.6.1.4.1.21367.13.20.3000&ISO"
    register(storage, make_entry(1), make_entry(2, identifiers={v.DE_PATIENT_ID: sent}))
    register(storage, make_entry(3, identifiers={v.DE_PATIENT_ID: builders.OTHER_PATIENT}))
    all_three = GetDocuments(uuids=tuple(urn(f"entry {n}") for n in (1, 2, 3)))
    assert storage.queries.find(all_three, EVERYTHING, 10).patients == (PATIENT.as_cx(), OTHER_PATIENT.as_cx())
    assert storage.queries.find(find_documents(), EVERYTHING, 10).patients == (PATIENT.as_cx(),)


# --- GetDocuments ---


def test_get_documents_finds_by_uuid_in_any_case_and_by_unique_id(storage: Storage) -> None:
    register(storage, *submission(1))
    register(storage, *submission(2))
    first, second = urn("entry 1"), urn("entry 2")
    upper = "urn:uuid:" + first[9:].upper()
    assert uuids(storage, GetDocuments(uuids=(upper, "Document01", urn("set 1")))) == [first]
    assert uuids(storage, GetDocuments(unique_ids=(make_entry(2).unique_id or "", "1.9"))) == [second]
    assert uuids(storage, GetDocuments(uuids=(first,), unique_ids=(make_entry(1).unique_id or "",))) == [first]


def test_get_documents_takes_thousands_of_ids(storage: Storage) -> None:
    for number in (1, 2):
        register(storage, *submission(number))
    ids = tuple(urn(f"entry {n}") for n in range(5000))
    assert set(uuids(storage, GetDocuments(uuids=ids))) == {urn("entry 1"), urn("entry 2")}
    values = tuple(make_entry(1).unique_id or "" if n == 4000 else f"1.{n}" for n in range(5000))
    assert uuids(storage, GetDocuments(unique_ids=values)) == [urn("entry 1")]


# --- GetRelatedDocuments ---


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["entry 1", "entry 2", "entry 3", "2 to 1", "1 to 3"]),
        ({"association_types": (v.APND,)}, ["entry 1", "entry 2", "2 to 1"]),
        ({"association_types": (v.XFRM,)}, ["entry 1", "entry 3", "1 to 3"]),
        ({"association_types": (v.SIGNS,)}, []),
        ({"uuid": urn("entry 2")}, ["entry 1", "entry 2", "2 to 1"]),
        ({"uuid": urn("entry 4")}, []),
        ({"uuid": urn("set 1")}, []),
        ({"uuid": urn("nobody")}, []),
        ({"uuid": "entry 1"}, []),
        ({"uuid": None, "unique_id": make_entry(2).unique_id}, ["entry 1", "entry 2", "2 to 1"]),
        ({"object_types": (v.STABLE_DOCUMENT,)}, ["entry 1", "entry 2", "2 to 1"]),
        ({"object_types": (v.ON_DEMAND_DOCUMENT,)}, ["entry 1", "entry 3", "1 to 3"]),
    ],
)
def test_related_documents_come_with_the_given_one_and_their_associations(
    storage: Storage, changes: dict[str, Any], expected: list[str]
) -> None:
    links = (
        make_link(urn("entry 2"), urn("entry 1"), v.APND, id=urn("2 to 1")),
        make_link(urn("entry 1"), urn("entry 3"), v.XFRM, id=urn("1 to 3")),
        make_link(urn("entry 4"), urn("nobody"), v.APND, id=urn("4 to nobody")),
        make_link(urn("set 1"), urn("entry 1"), v.HAS_MEMBER),
    )
    on_demand = make_entry(3, object_type=v.ON_DEMAND_DOCUMENT)
    register(storage, make_entry(1), make_entry(2), on_demand, make_entry(4), make_set(1), *links)
    fields = {"uuid": urn("entry 1"), "association_types": (v.APND, v.XFRM), **changes}
    assert uuids(storage, GetRelatedDocuments(**fields)) == [urn(name) for name in expected]


def test_a_deprecated_association_relates_nothing(storage: Storage) -> None:
    link = make_link(urn("entry 2"), urn("entry 1"), v.APND)
    submit(
        storage,
        (make_entry(1), make_entry(2), link),
        lambda transaction: transaction.set_status([link.id], v.DEPRECATED),
    )
    assert uuids(storage, GetRelatedDocuments(uuid=urn("entry 1"), association_types=(v.APND,))) == []


# --- access ---

SECRET = Code("V", "2.16.840.1.113883.5.25", "Very restricted")
HIDDEN = reading("N")


@pytest.mark.parametrize("access", [HIDDEN, AccessFilter.everything("other")])
@pytest.mark.parametrize(
    "query",
    [
        find_documents(),
        GetDocuments(uuids=(urn("entry 1"),)),
        GetDocuments(unique_ids=(make_entry(1).unique_id or "",)),
        GetRelatedDocuments(uuid=urn("entry 1"), association_types=(v.APND,)),
        GetRelatedDocuments(uuid=urn("entry 2"), association_types=(v.APND,)),
    ],
)
def test_what_a_caller_may_not_read_is_as_if_absent(storage: Storage, query: StoredQuery, access: AccessFilter) -> None:
    codes = {v.DE_CONFIDENTIALITY_CODE: (Code("N", "2.16.840.1.113883.5.25"), SECRET)}
    secret, other = make_entry(1, codes=codes), make_entry(2, identifiers={v.DE_PATIENT_ID: builders.OTHER_PATIENT})
    register(storage, secret, other, make_link(secret.id, other.id, v.APND))
    assert storage.queries.find(query, access, 100) == Found()
    assert storage.queries.find(query, EVERYTHING, 100) != Found()


def test_hidden_entries_do_not_count_towards_the_limit(storage: Storage) -> None:
    register(storage, make_entry(1, codes={v.DE_CONFIDENTIALITY_CODE: (SECRET,)}), make_entry(2))
    assert uuids(storage, find_documents(), HIDDEN, limit=1) == [urn("entry 2")]


def test_many_codes_are_bound(storage: Storage) -> None:
    register(storage, make_entry(1), make_entry(2, codes={v.DE_CONFIDENTIALITY_CODE: (SECRET,)}))
    seen = [Code(f"H{n}", "1.2") for n in range(100)]
    register(storage, make_entry(3, codes={v.DE_CONFIDENTIALITY_CODE: tuple(seen)}))
    permit = Permit(confidentiality=tuple((code.code, code.scheme) for code in seen))
    assert uuids(storage, find_documents(), AccessFilter("main", (permit,))) == [urn("entry 3")]
