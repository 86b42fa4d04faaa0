"""QueryStore: entries and folders of several patients, or of any (ITI TF-2 3.51.4.1.2.1).

patient 1   entry 1: class A, facility F, events X and Y, 2024; entry 2: class B, facility F, event Y, 2025
patient 2   entry 3: class A, facility G, no event, 2026; folder 3: codes K and L
patient 3   entry 4: class B, facility G, event X, secret, 2026; entry 5: class A, on demand; folder 4: code L
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.submissions import EVERYTHING, make_entry, make_folder, open_in, reading, register, submit, urn
from xds_gateway.actors.ports import Found
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code, parse_dtm
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.principal import AccessFilter
from xds_gateway.model.queries import (
    FindDocumentsForMultiplePatients,
    FindFoldersForMultiplePatients,
    StoredQuery,
    TimeRange,
)
from xds_gateway.storage.opening import Storage

SCHEME = "1.2.3"
PATIENTS = tuple(f"P{number}^^^&1.2.3.4&ISO" for number in range(4))
STABLE = (v.STABLE_DOCUMENT,)
ANY = (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)
SECRET = ("V", "2.16.840.1.113883.5.25")


def codes(*names: str) -> tuple[Code, ...]:
    return tuple(Code(name, SCHEME) for name in names)


def group(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, SCHEME) for name in names)


def entry(number: int, patient: int, class_code: str, facility: str, events: str, year: str, **changes: Any) -> Any:
    return make_entry(
        number,
        identifiers={v.DE_PATIENT_ID: PATIENTS[patient]},
        codes={
            v.DE_CLASS_CODE: codes(class_code),
            v.DE_HEALTHCARE_FACILITY_TYPE_CODE: codes(facility),
            v.DE_EVENT_CODE_LIST: codes(*events),
            **changes.pop("codes", {}),
        },
        slots={"creationTime": year or None},
        **changes,
    )


def folder(number: int, patient: int, *names: str) -> Any:
    identifiers = {v.FD_PATIENT_ID: PATIENTS[patient]}
    return make_folder(number, identifiers=identifiers, codes={v.FD_CODE_LIST: codes(*names)})


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_in(tmp_path_factory.mktemp("many"))
    register(opened, entry(1, 1, "A", "F", "XY", "2024"), entry(2, 1, "B", "F", "Y", "2025"))
    register(opened, entry(3, 2, "A", "G", "", "2026"), folder(3, 2, "K", "L"))
    secret = {v.DE_CONFIDENTIALITY_CODE: (Code(*SECRET),)}
    register(opened, entry(4, 3, "B", "G", "X", "2026", codes=secret))
    register(opened, entry(5, 3, "A", "F", "", "", object_type=v.ON_DEMAND_DOCUMENT), folder(4, 3, "L"))
    yield opened
    opened.close()


def patients(*numbers: int) -> tuple[PatientId, ...]:
    return tuple(PatientId(*(parse_patient_id(PATIENTS[number]) or ())) for number in numbers)


def period(start: str | None, stop: str | None) -> TimeRange:
    return TimeRange(parse_dtm(start) if start else None, parse_dtm(stop) if stop else None)


def documents(**changes: Any) -> FindDocumentsForMultiplePatients:
    return FindDocumentsForMultiplePatients(**{"statuses": (v.APPROVED,), "object_types": STABLE, **changes})


def folders(**changes: Any) -> FindFoldersForMultiplePatients:
    return FindFoldersForMultiplePatients(**{"statuses": (v.APPROVED,), **changes})


def find(storage: Storage, query: StoredQuery, access: AccessFilter = EVERYTHING, limit: int = 100) -> Found:
    return storage.queries.find(query, access, limit)


def numbers(found: Found, kind: str = "entry") -> list[int]:
    """What was found, in the order of the answer."""
    known = {urn(f"{kind} {number}"): number for number in range(1, 10)}
    return [known[uuid] for uuid in found.uuids]


CLASS_A, CLASS_B = {"class_code": (group("A"),)}, {"class_code": (group("B"),)}
FACILITY = {"healthcare_facility_type_code": (group("G"),)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patient_ids": patients(1)}, [1, 2]),
        ({"patient_ids": patients(2, 1)}, [1, 2, 3]),
        ({"patient_ids": patients(1, 1, 3)}, [1, 2, 4]),
        ({"patient_ids": patients(0)}, []),
        ({"patient_ids": patients(0), "codes": CLASS_A}, []),
        ({"patient_ids": patients(1, 2), "codes": CLASS_A}, [1, 3]),
        ({"patient_ids": patients(1, 2, 3), "codes": CLASS_A | FACILITY}, [3]),
        ({"patient_ids": patients(3), "object_types": ANY}, [4, 5]),
        ({"codes": CLASS_A}, [1, 3]),
        ({"codes": {"class_code": (group("A", "B"),)}}, [1, 2, 3, 4]),
        ({"codes": {"class_code": (group("A", "B"), group("B"))}}, [2, 4]),
        ({"codes": {"class_code": (group("C"),)}}, []),
        ({"codes": CLASS_A, "object_types": ANY}, [1, 3, 5]),
        ({"codes": CLASS_A, "object_types": (v.ON_DEMAND_DOCUMENT,)}, [5]),
        ({"codes": FACILITY}, [3, 4]),
        ({"codes": {"healthcare_facility_type_code": (group("F", "G", "H"),)}}, [1, 2, 3, 4]),
        ({"codes": CLASS_B | FACILITY}, [4]),
        ({"codes": {"event_code_list": (group("X"),)}}, [1, 4]),
        ({"codes": {"event_code_list": (group("X", "Y"),)}}, [1, 2, 4]),
        ({"codes": {"event_code_list": (group("X"), group("Y"))}}, [1]),
        ({"codes": {"event_code_list": (group("Z"),)}}, []),
        ({"codes": {"event_code_list": (group("X", "Y"),)} | CLASS_B}, [2, 4]),
        ({"codes": {"event_code_list": (group("X", "Y"),)} | CLASS_B | FACILITY}, [4]),
        ({"codes": CLASS_A, "times": {"creation_time": period("2025", None)}}, [3]),
        ({"codes": CLASS_A, "times": {"creation_time": period(None, "2025")}}, [1]),
        ({"codes": CLASS_A, "times": {"creation_time": period("2024", "2024")}}, []),
        ({"codes": FACILITY, "times": {"creation_time": period("20260101", "20260102")}}, [3, 4]),
        # the creation time is not asked of on-demand entries
        ({"codes": CLASS_A, "times": {"creation_time": period("2025", None)}, "object_types": ANY}, [3, 5]),
        ({"codes": CLASS_A, "author_person": (("%Martin%",),)}, [1, 3]),
        ({"codes": CLASS_A, "author_person": (("Nobody",),)}, []),
        ({"codes": CLASS_A, "statuses": (v.DEPRECATED,)}, []),
        ({"codes": {"confidentiality_code": ((SECRET,),)} | CLASS_B}, [4]),
        ({"codes": {"confidentiality_code": ((SECRET,),)}}, []),  # needs one of those that find
        ({}, []),
    ],
)
def test_documents_are_found_by_patients_and_codes(
    storage: Storage, changes: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(find(storage, documents(**changes))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patient_ids": patients(2)}, [3]),
        ({"patient_ids": patients(3, 2, 1)}, [3, 4]),
        ({"patient_ids": patients(0)}, []),
        ({"patient_ids": patients(2, 3), "codes": (group("K"),)}, [3]),
        ({"codes": (group("L"),)}, [3, 4]),
        ({"codes": (group("K", "L"),)}, [3, 4]),
        ({"codes": (group("L"), group("K"))}, [3]),
        ({"codes": (group("M"),)}, []),
        ({"codes": (group("X"),)}, []),  # an event code
        ({"codes": (group("L"),), "statuses": (v.DEPRECATED,)}, []),
        ({"codes": (group("L"),), "last_update_time": period("2026", None)}, [3, 4]),
        ({"codes": (group("L"),), "last_update_time": period("2027", None)}, []),
        ({}, []),
    ],
)
def test_folders_are_found_by_patients_and_codes(
    storage: Storage, changes: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(find(storage, folders(**changes)), "folder") == expected


def test_an_answer_names_all_patients(storage: Storage) -> None:
    assert find(storage, documents(codes=CLASS_A)).patients == (PATIENTS[1], PATIENTS[2])


BY_EACH = [
    documents(patient_ids=patients(1, 2, 3)),
    documents(codes={"class_code": (group("A", "B"),)}),
    documents(codes={"healthcare_facility_type_code": (group("F", "G"),)}),
    documents(codes={"event_code_list": (group("X", "Y"),)}),
    folders(patient_ids=patients(2, 3)),
    folders(codes=(group("K", "L"),)),
]


@pytest.mark.parametrize("query", BY_EACH)
def test_above_the_limit_there_is_only_more(storage: Storage, query: StoredQuery) -> None:
    count = len(find(storage, query).uuids)
    assert count >= 2
    assert len(find(storage, query, limit=count).uuids) == count
    assert find(storage, query, limit=count - 1) == Found(more=True)
    assert find(storage, query, limit=0) == Found(more=True)


@pytest.mark.parametrize("query", BY_EACH)
def test_another_domain_has_nothing_of_it(storage: Storage, query: StoredQuery) -> None:
    assert find(storage, query, AccessFilter.everything("other")) == Found()


@pytest.mark.parametrize("query", BY_EACH[:4])
def test_what_is_hidden_is_as_if_absent(storage: Storage, query: StoredQuery) -> None:
    hiding = reading("N")
    everything = numbers(find(storage, query))
    assert 4 in everything
    visible = find(storage, query, hiding, limit=len(everything) - 1)
    assert numbers(visible) == [number for number in everything if number != 4]


def test_many_patients_and_many_codes(tmp_path: Any) -> None:
    storage = open_in(tmp_path)
    cx = [f"M{number}^^^&1.2.3.4&ISO" for number in range(1100)]
    known = [PatientId(*(parse_patient_id(each) or ())) for each in cx]
    entries = [
        make_entry(
            number,
            identifiers={v.DE_PATIENT_ID: cx[number]},
            codes={v.DE_EVENT_CODE_LIST: codes(f"E{number}", "every")},
        )
        for number in range(1100)
    ]
    submit(storage, entries)
    assert len(find(storage, documents(patient_ids=tuple(known)), limit=1100).uuids) == 1100
    assert find(storage, documents(patient_ids=tuple(known)), limit=1099) == Found(more=True)
    for names in (["every"], [f"E{number}" for number in range(1100)], ["every", "E1", "unknown"]):
        asked = documents(codes={"event_code_list": (group(*names),)})
        assert len(find(storage, asked, limit=1100).uuids) == 1100
        assert find(storage, asked, limit=1099) == Found(more=True)
    storage.close()
