"""QueryStore: what each of the fourteen stored queries returns of one registry (ITI TF-2 3.18.4.1.2.3.7).

What is registered, in this order; "a > b" is the Association from a to b:

    set 1   entry 1, entry 2, folder 1 with entry 1
    set 2   entry 3, which replaces entry 1 and is put into folder 1
    set 3   entry 4, which is appended to entry 3; entry 2 by reference
    set 4   entry 5, on-demand, and folder 2 with it
    set 5   entry 6 of another patient; entry 2 by reference
"""

from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from tests.contract.submissions import (
    EVERYTHING,
    OTHER_PATIENT,
    PATIENT,
    make_entry,
    make_folder,
    make_link,
    make_set,
    open_in,
    reading,
    register,
    submit,
    urn,
)
from tests.unit import builders
from xds_gateway.actors.ports import Found
from xds_gateway.codec.ebrim import RIM
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code, parse_dtm
from xds_gateway.model.metadata import Association
from xds_gateway.model.principal import AccessFilter
from xds_gateway.model.queries import (
    EntryFilter,
    FindDocuments,
    FindFolders,
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
from xds_gateway.storage.opening import Storage

SECRET = Code("V", "2.16.840.1.113883.5.25", "Very restricted")
NORMAL = ("N", "2.16.840.1.113883.5.25")
VERY = (SECRET.code, SECRET.scheme)
TEXT = ("urn:ihe:iti:xds-sd:text:2008", "1.3.6.1.4.1.19376.1.2.3")
PDF = ("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3")
ANY = (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)
STABLE = EntryFilter(object_types=(v.STABLE_DOCUMENT,))
HIDING = reading("N")

NAMES = [
    *(f"{kind} {number}" for kind in ("set", "entry", "folder") for number in range(1, 7)),
    "set 1 > entry 1",
    "set 1 > entry 2",
    "set 1 > folder 1",
    "folder 1 > entry 1",
    "set 1 > folder 1 > entry 1",
    "set 2 > entry 3",
    "entry 3 > entry 1",
    "folder 1 > entry 3",
    "set 2 > folder 1 > entry 3",
    "set 3 > entry 4",
    "entry 4 > entry 3",
    "set 3 > entry 2",
    "set 4 > entry 5",
    "set 4 > folder 2",
    "folder 2 > entry 5",
    "set 4 > folder 2 > entry 5",
    "set 5 > entry 6",
    "set 5 > entry 2",
]
NAME_OF = {urn(name): name for name in NAMES}


def link(source: str, target: str, association_type: str = v.HAS_MEMBER) -> Association:
    name = f"{source} > {target}"
    assert name in NAMES
    return make_link(urn(source), urn(target), association_type, id=urn(name))


def at(day: int) -> dict[str, Any]:
    return {"slots": {"submissionTime": f"202603{day:02}"}}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_in(tmp_path_factory.mktemp("queries"))
    secret = {v.DE_CONFIDENTIALITY_CODE: (Code(*NORMAL), SECRET), v.DE_FORMAT_CODE: (Code(*PDF),)}
    references = {"urn:ihe:iti:xds:2013:referenceIdList": ("A_1^^^&1.2&ISO^urn:order", "B1^^^&1.2&ISO^urn:accession")}
    other_folder = {v.FD_CODE_LIST: (Code("FOL", "1.3.6.1.4.1.21367.100.1"),)}
    other = {v.SS_PATIENT_ID: builders.OTHER_PATIENT, v.SS_SOURCE_ID: "1.2.3"}
    register(
        opened,
        *(make_set(1, **at(1)), make_entry(1, slots={"creationTime": "20260101"})),
        *(make_entry(2, codes=secret, slots={"creationTime": "20260102"}), make_folder(1)),
        *(link("set 1", "entry 1"), link("set 1", "entry 2"), link("set 1", "folder 1")),
        *(link("folder 1", "entry 1"), link("set 1", "folder 1 > entry 1")),
    )
    submit(
        opened,
        (
            *(make_set(2, **at(2)), make_entry(3, slots={"creationTime": "20260103", **references})),
            *(link("set 2", "entry 3"), link("entry 3", "entry 1", v.RPLC)),
            *(link("folder 1", "entry 3"), link("set 2", "folder 1 > entry 3")),
        ),
        lambda transaction: (
            transaction.set_status([urn("entry 1")], v.DEPRECATED),
            transaction.touch_folders([urn("folder 1")], "20260401120000"),
        ),
    )
    register(
        opened,
        *(make_set(3, **at(3)), make_entry(4, slots={"creationTime": "20260104"})),
        *(link("set 3", "entry 4"), link("entry 4", "entry 3", v.APND), link("set 3", "entry 2")),
    )
    register(
        opened,
        make_set(4, codes={v.SS_CONTENT_TYPE_CODE: (Code("X", "1.2"),)}, **at(4)),
        make_entry(5, object_type=v.ON_DEMAND_DOCUMENT, slots={"creationTime": None}),
        make_folder(2, codes=other_folder, slots={"lastUpdateTime": "20260314090000"}),
        *(link("set 4", "entry 5"), link("set 4", "folder 2")),
        *(link("folder 2", "entry 5"), link("set 4", "folder 2 > entry 5")),
    )
    register(
        opened,
        make_set(5, identifiers=other, **at(5)),
        make_entry(6, identifiers={v.DE_PATIENT_ID: builders.OTHER_PATIENT}),
        *(link("set 5", "entry 6"), link("set 5", "entry 2")),
    )
    yield opened
    opened.close()


def find(storage: Storage, query: StoredQuery, access: AccessFilter = EVERYTHING, limit: int = 100) -> Found:
    return storage.queries.find(query, access, limit)


def names(found: Found) -> list[str]:
    """What was found, in the order of the answer."""
    return [NAME_OF[uuid] for uuid in found.uuids]


def roots(found: Found) -> list[Any]:
    text = b"".join(found.fragments)
    return list(etree.fromstring(b'<l xmlns:rim="%s">%s</l>' % (RIM.encode(), text)))


def sets(**changes: Any) -> FindSubmissionSets:
    return FindSubmissionSets(**{"patient_id": PATIENT, "statuses": (v.APPROVED,), **changes})


def folders(**changes: Any) -> FindFolders:
    return FindFolders(**{"patient_id": PATIENT, "statuses": (v.APPROVED,), **changes})


def everything(**changes: Any) -> GetAll:
    approved = (v.APPROVED,)
    fields = {"entry_statuses": approved, "submission_set_statuses": approved, "folder_statuses": approved}
    return GetAll(**{"patient_id": PATIENT, **fields, "entries": STABLE, **changes})


def documents(**changes: Any) -> FindDocuments:
    fields = {"patient_id": PATIENT, "statuses": (v.APPROVED,), "object_types": (v.STABLE_DOCUMENT,)}
    return FindDocuments(**{**fields, **changes})


def period(start: str | None, stop: str | None) -> TimeRange:
    return TimeRange(parse_dtm(start) if start else None, parse_dtm(stop) if stop else None)


def codes(**groups: Any) -> EntryFilter:
    return EntryFilter(object_types=(v.STABLE_DOCUMENT,), codes=groups)


# --- FindSubmissionSets, FindFolders (3.18.4.1.2.3.7.2, .3) ---


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [4, 3, 2, 1]),
        ({"patient_id": OTHER_PATIENT}, [5]),
        ({"patient_id": PATIENT._replace(id="nobody")}, []),
        ({"statuses": (v.DEPRECATED,)}, []),
        ({"statuses": (v.APPROVED, v.DEPRECATED)}, [4, 3, 2, 1]),
        ({"source_ids": (builders.SOURCE,)}, [4, 3, 2, 1]),
        ({"source_ids": ("1.2.3",)}, []),
        ({"source_ids": ("1.2.3", builders.SOURCE)}, [4, 3, 2, 1]),
        ({"source_ids": ("%",)}, []),
        ({"patient_id": OTHER_PATIENT, "source_ids": ("1.2.3",)}, [5]),
        ({"submission_time": period("20260302", None)}, [4, 3, 2]),
        ({"submission_time": period(None, "20260303")}, [2, 1]),
        ({"submission_time": period("20260302", "20260303")}, [2]),
        ({"submission_time": period("202603", "202603")}, [4, 3, 2, 1]),
        ({"submission_time": period("2027", None)}, []),
        ({"author_person": (("%^Martin^%",),)}, [4, 3, 2, 1]),
        ({"author_person": (("%^martin^%",),)}, []),
        ({"author_person": (("' OR 1=1 --",),)}, []),
        ({"content_types": (("X", "1.2"),)}, [4]),
        ({"content_types": (("X", "1.3"),)}, []),
        ({"content_types": (("X", "1.2"), ("03", "1.2.250.1.213.2.2"))}, [4, 3, 2, 1]),
        ({"content_types": (("X", "1.2"),), "submission_time": period(None, "20260304")}, []),
    ],
)
def test_submission_sets_are_found_by_every_parameter(
    storage: Storage, changes: dict[str, Any], expected: list[int]
) -> None:
    assert names(find(storage, sets(**changes))) == [f"set {number}" for number in expected]


EPISODE, HEART = (("FOL", "1.3.6.1.4.1.21367.100.1"), ("CAR", "1.3.6.1.4.1.21367.100.1"))
NOTHING = ("X", "9.9")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [1, 2]),
        ({"patient_id": OTHER_PATIENT}, []),
        ({"statuses": (v.DEPRECATED,)}, []),
        ({"statuses": (v.APPROVED, v.DEPRECATED)}, [1, 2]),
        ({"codes": ((EPISODE,),)}, [1, 2]),
        ({"codes": ((HEART,),)}, [1]),
        ({"codes": ((NOTHING, HEART),)}, [1]),
        ({"codes": ((EPISODE,), (HEART,))}, [1]),
        ({"codes": ((EPISODE,), (HEART, NOTHING))}, [1]),
        ({"codes": ((EPISODE,), (NOTHING,))}, []),
        ({"last_update_time": period("20260401", None)}, [1]),
        ({"last_update_time": period(None, "20260401120000")}, [2]),
        ({"last_update_time": period("20260314090000", "20260314090001")}, [2]),
        ({"last_update_time": period("2027", None)}, []),
    ],
)
def test_folders_are_found_by_every_parameter(storage: Storage, changes: dict[str, Any], expected: list[int]) -> None:
    assert names(find(storage, folders(**changes))) == [f"folder {number}" for number in expected]


def test_a_folder_has_the_time_of_its_last_change(storage: Storage) -> None:
    path = f"{{{RIM}}}Slot[@name='lastUpdateTime']/{{{RIM}}}ValueList/{{{RIM}}}Value"
    first, second = roots(find(storage, folders()))
    assert [value.text for value in first.findall(path)] == ["20260401120000"]
    assert [value.text for value in second.findall(path)] == ["20260314090000"]


# --- FindDocumentsByReferenceId (3.18.4.1.2.3.7.14) ---


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((("A_1^^^&1.2&ISO^urn:order",),), ["entry 3"]),
        ((("A_1",),), []),
        ((("A_1^%",),), ["entry 3"]),
        ((("a_1^%",),), []),
        ((("nothing", "B1%"),), ["entry 3"]),
        ((("A_1%",), ("B1%",)), ["entry 3"]),
        ((("A_1%",), ("B2%",)), []),
        ((("%urn:ihe:iti:xds:2013:accession",),), ["entry 4", "entry 2"]),
        ((("%\\%",),), []),
        ((("' OR 1=1 --",),), []),
        ((("\U0001f600" * 10_000, "B1%"),), ["entry 3"]),
        ((("\\" * 10_000, "B1%"),), ["entry 3"]),
    ],
)
def test_documents_are_found_by_reference_ids(storage: Storage, groups: Any, expected: list[str]) -> None:
    assert names(find(storage, documents(reference_ids=groups))) == expected


def test_reference_ids_go_with_the_other_parameters(storage: Storage) -> None:
    asked = (("A_1%",),)
    assert names(find(storage, documents(reference_ids=asked, author_person=(("%Martin%",),)))) == ["entry 3"]
    assert names(find(storage, documents(reference_ids=asked, author_person=(("Nobody",),)))) == []
    assert names(find(storage, documents(reference_ids=asked, statuses=(v.DEPRECATED,)))) == []


# --- GetAll (3.18.4.1.2.3.7.4) ---

ALL_SETS = ["set 4", "set 3", "set 2", "set 1"]
ALL_FOLDERS = ["folder 1", "folder 2"]
ALL_LINKS = [name for name in NAMES if ">" in name and name != "set 5 > entry 6"]


@pytest.mark.parametrize(
    ("changes", "objects", "links"),
    [
        ({}, [*ALL_SETS, "entry 4", "entry 3", "entry 2", *ALL_FOLDERS], ALL_LINKS),
        (
            {"entry_statuses": (v.APPROVED, v.DEPRECATED), "entries": EntryFilter(object_types=ANY)},
            [*ALL_SETS, "entry 4", "entry 3", "entry 2", "entry 1", "entry 5", *ALL_FOLDERS],
            ALL_LINKS,
        ),
        ({"patient_id": OTHER_PATIENT}, ["set 5", "entry 6"], ["set 5 > entry 6", "set 5 > entry 2"]),
        ({"patient_id": PATIENT._replace(authority="1.9")}, [], []),
        (
            {"submission_set_statuses": (v.DEPRECATED,), "entries": codes(format_code=((PDF,),))},
            ["entry 2", *ALL_FOLDERS],
            [
                *("set 1 > entry 2", "set 1 > folder 1", "folder 1 > entry 1", "folder 1 > entry 3", "set 3 > entry 2"),
                *("set 4 > folder 2", "folder 2 > entry 5", "set 5 > entry 2"),
            ],
        ),
        (
            {
                "submission_set_statuses": (v.DEPRECATED,),
                "folder_statuses": (v.DEPRECATED,),
                "entry_statuses": (v.DEPRECATED,),
            },
            ["entry 1"],
            ["set 1 > entry 1", "folder 1 > entry 1", "entry 3 > entry 1"],
        ),
        (
            {
                "submission_set_statuses": (v.DEPRECATED,),
                "folder_statuses": (v.DEPRECATED,),
                "entries": codes(confidentiality_code=((NORMAL,), (VERY,))),
            },
            ["entry 2"],
            ["set 1 > entry 2", "set 3 > entry 2", "set 5 > entry 2"],
        ),
    ],
)
def test_all_of_a_patient(storage: Storage, changes: dict[str, Any], objects: list[str], links: list[str]) -> None:
    assert names(find(storage, everything(**changes))) == [*objects, *links]


# --- the Get queries ---


def unique_id(name: str) -> str:
    kind, number = name.split()
    make: Any = {"entry": make_entry, "set": make_set, "folder": make_folder}[kind]
    return str(make(int(number)).unique_id)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # GetFolders (3.18.4.1.2.3.7.6)
        (GetFolders(uuids=(urn("folder 2"), urn("folder 1"))), ["folder 1", "folder 2"]),
        (GetFolders(uuids=(urn("folder 2").upper().replace("URN:UUID", "urn:uuid"),)), ["folder 2"]),
        (GetFolders(unique_ids=(unique_id("folder 2"), "1.9")), ["folder 2"]),
        (GetFolders(uuids=(urn("set 1"), urn("entry 1"), urn("nobody"), "x")), []),
        (GetFolders(unique_ids=(unique_id("set 1"), unique_id("entry 1"))), []),
        # GetAssociations (.7)
        (GetAssociations(uuids=(urn("entry 1"),)), ["set 1 > entry 1", "folder 1 > entry 1", "entry 3 > entry 1"]),
        (
            GetAssociations(uuids=(urn("entry 1"), urn("entry 3"))),
            [
                *("set 1 > entry 1", "folder 1 > entry 1", "set 2 > entry 3", "entry 3 > entry 1"),
                *("folder 1 > entry 3", "entry 4 > entry 3"),
            ],
        ),
        (GetAssociations(uuids=(urn("set 3"),)), ["set 3 > entry 4", "set 3 > entry 2"]),
        (GetAssociations(uuids=(urn("folder 1 > entry 3"),)), ["set 2 > folder 1 > entry 3"]),
        (GetAssociations(uuids=(urn("nobody"), "x")), []),
        # GetDocumentsAndAssociations (.8)
        (
            GetDocumentsAndAssociations(uuids=(urn("entry 2"), urn("entry 4"), urn("set 1"))),
            [
                *("entry 2", "entry 4", "set 1 > entry 2"),
                *("set 3 > entry 4", "entry 4 > entry 3", "set 3 > entry 2", "set 5 > entry 2"),
            ],
        ),
        (
            GetDocumentsAndAssociations(unique_ids=(unique_id("entry 5"),)),
            ["entry 5", "set 4 > entry 5", "folder 2 > entry 5"],
        ),
        (GetDocumentsAndAssociations(uuids=(urn("nobody"),)), []),
        # GetSubmissionSets (.9)
        (
            GetSubmissionSets(uuids=(urn("entry 2"),)),
            ["set 1", "set 3", "set 5", "set 1 > entry 2", "set 3 > entry 2", "set 5 > entry 2"],
        ),
        (
            GetSubmissionSets(uuids=(urn("entry 3"), urn("folder 1"))),
            ["set 1", "set 2", "set 1 > folder 1", "set 2 > entry 3"],
        ),
        (GetSubmissionSets(uuids=(urn("folder 1 > entry 3"),)), ["set 2", "set 2 > folder 1 > entry 3"]),
        (GetSubmissionSets(uuids=(urn("set 1"), urn("nobody"), "x")), []),
        # GetFoldersForDocument (.12)
        (GetFoldersForDocument(uuid=urn("entry 1")), ["folder 1"]),
        (GetFoldersForDocument(unique_id=unique_id("entry 3")), ["folder 1"]),
        (GetFoldersForDocument(uuid=urn("entry 5")), ["folder 2"]),
        (GetFoldersForDocument(uuid=urn("entry 2")), []),
        (GetFoldersForDocument(uuid=urn("folder 1")), []),
        (GetFoldersForDocument(uuid=urn("nobody")), []),
    ],
)
def test_objects_by_id(storage: Storage, query: StoredQuery, expected: list[str]) -> None:
    assert names(find(storage, query)) == expected


# --- GetSubmissionSetAndContents, GetFolderAndContents (3.18.4.1.2.3.7.10, .11) ---

SET_1 = [
    *("set 1", "entry 1", "entry 2", "folder 1"),
    *("set 1 > entry 1", "set 1 > entry 2", "set 1 > folder 1", "folder 1 > entry 1", "set 1 > folder 1 > entry 1"),
]
SET_4 = [
    *("set 4", "entry 5", "folder 2"),
    *("set 4 > entry 5", "set 4 > folder 2", "folder 2 > entry 5", "set 4 > folder 2 > entry 5"),
]


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("set 1", STABLE, SET_1),
        ("set 1", EntryFilter(object_types=ANY), SET_1),
        # the folder and the replaced entry are not members of this set
        ("set 2", STABLE, ["set 2", "entry 3", "set 2 > entry 3"]),
        ("set 3", STABLE, ["set 3", "entry 2", "entry 4", "set 3 > entry 4", "set 3 > entry 2"]),
        ("set 4", STABLE, ["set 4", "folder 2", "set 4 > folder 2"]),
        ("set 4", EntryFilter(object_types=ANY), SET_4),
        ("set 5", STABLE, ["set 5", "entry 2", "entry 6", "set 5 > entry 6", "set 5 > entry 2"]),
        (
            "set 1",
            codes(format_code=((PDF,),)),
            ["set 1", "entry 2", "folder 1", "set 1 > entry 2", "set 1 > folder 1"],
        ),
        ("set 1", codes(format_code=((PDF, TEXT),)), SET_1),
        (
            "set 1",
            codes(confidentiality_code=((VERY,),)),
            ["set 1", "entry 2", "folder 1", "set 1 > entry 2", "set 1 > folder 1"],
        ),
        (
            "set 1",
            codes(format_code=((TEXT,),), confidentiality_code=((VERY,),)),
            ["set 1", "folder 1", "set 1 > folder 1"],
        ),
        ("set 1", codes(confidentiality_code=((NOTHING,),)), ["set 1", "folder 1", "set 1 > folder 1"]),
    ],
)
def test_a_submission_set_and_its_contents(
    storage: Storage, name: str, wanted: EntryFilter, expected: list[str]
) -> None:
    assert names(find(storage, GetSubmissionSetAndContents(uuid=urn(name), entries=wanted))) == expected
    assert names(find(storage, GetSubmissionSetAndContents(unique_id=unique_id(name), entries=wanted))) == expected


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("folder 1", STABLE, ["entry 1", "entry 3", "folder 1", "folder 1 > entry 1", "folder 1 > entry 3"]),
        ("folder 2", STABLE, ["folder 2"]),
        ("folder 2", EntryFilter(object_types=ANY), ["entry 5", "folder 2", "folder 2 > entry 5"]),
        ("folder 1", codes(format_code=((PDF,),)), ["folder 1"]),
        ("folder 1", codes(confidentiality_code=((NORMAL,), (VERY,))), ["folder 1"]),
        (
            "folder 1",
            codes(format_code=((TEXT,),), confidentiality_code=((NORMAL,),)),
            ["entry 1", "entry 3", "folder 1", "folder 1 > entry 1", "folder 1 > entry 3"],
        ),
    ],
)
def test_a_folder_and_its_contents(storage: Storage, name: str, wanted: EntryFilter, expected: list[str]) -> None:
    assert names(find(storage, GetFolderAndContents(uuid=urn(name), entries=wanted))) == expected
    assert names(find(storage, GetFolderAndContents(unique_id=unique_id(name), entries=wanted))) == expected


@pytest.mark.parametrize("name", ["entry 1", "folder 1", "nobody"])
def test_what_is_no_submission_set_has_no_contents(storage: Storage, name: str) -> None:
    assert find(storage, GetSubmissionSetAndContents(uuid=urn(name))) == Found()
    assert find(storage, GetSubmissionSetAndContents(unique_id="1.2.3.4")) == Found()


@pytest.mark.parametrize("name", ["entry 1", "set 1", "nobody"])
def test_what_is_no_folder_has_no_contents(storage: Storage, name: str) -> None:
    assert find(storage, GetFolderAndContents(uuid=urn(name))) == Found()
    assert find(storage, GetFolderAndContents(unique_id="1.2.3.4")) == Found()


# --- what every answer has ---

ONE_OF_EACH = [
    (documents(), 3),
    (documents(reference_ids=(("A_1%",),)), 1),
    (sets(), 4),
    (folders(), 2),
    (everything(), 9 + len(ALL_LINKS)),
    (GetDocuments(uuids=(urn("entry 1"), urn("entry 2"))), 2),
    (GetFolders(uuids=(urn("folder 1"), urn("folder 2"))), 2),
    (GetAssociations(uuids=(urn("entry 2"), urn("entry 3"))), 7),
    (GetDocumentsAndAssociations(uuids=(urn("entry 2"),)), 4),
    (GetSubmissionSets(uuids=(urn("entry 2"), urn("entry 1"))), 7),
    (GetSubmissionSetAndContents(uuid=urn("set 1"), entries=STABLE), len(SET_1)),
    (GetFolderAndContents(uuid=urn("folder 1"), entries=STABLE), 5),
    (GetFoldersForDocument(uuid=urn("entry 1")), 1),
    (GetRelatedDocuments(uuid=urn("entry 3"), association_types=v.RELATIONSHIPS), 5),
]


@pytest.mark.parametrize(("query", "count"), ONE_OF_EACH)
def test_all_objects_count_towards_the_limit(storage: Storage, query: StoredQuery, count: int) -> None:
    for limit in range(count + 2):
        found = find(storage, query, limit=limit)
        assert (found.more, len(found.fragments), len(found.uuids)) == (
            (False, count, count) if limit >= count else (True, 0, 0)
        )


@pytest.mark.parametrize("query", [query for query, _ in ONE_OF_EACH])
def test_objects_have_what_the_registry_manages_and_ids_once(storage: Storage, query: StoredQuery) -> None:
    found = find(storage, query)
    objects = roots(found)
    assert [item.get("id") for item in objects] == list(found.uuids)
    assert len(set(found.uuids)) == len(found.uuids)
    for item in objects:
        assert item.get("lid") == item.get("id")
        assert item.get("status") == (v.DEPRECATED if item.get("id") == urn("entry 1") else v.APPROVED)
        assert item.find(f"{{{RIM}}}VersionInfo").get("versionName") == "1"
        assert b"\0" not in etree.tostring(item)
    parts = [part.get("id") for item in objects for part in item.iter(f"{{{RIM}}}Classification")]
    assert len(parts) == len(set(parts))


@pytest.mark.parametrize("query", [query for query, _ in ONE_OF_EACH])
def test_another_domain_has_nothing_of_it(storage: Storage, query: StoredQuery) -> None:
    assert find(storage, query, AccessFilter.everything("other")) == Found()


def test_an_answer_names_the_patients_of_sets_folders_and_entries(storage: Storage) -> None:
    both = (PATIENT.as_cx(), OTHER_PATIENT.as_cx())
    for query, patients in (
        (sets(), both[:1]),
        (folders(), both[:1]),
        (GetSubmissionSets(uuids=(urn("entry 2"),)), both),
        (GetSubmissionSetAndContents(uuid=urn("set 5"), entries=STABLE), both[::-1]),
        (GetAssociations(uuids=(urn("entry 2"),)), ()),
    ):
        assert find(storage, query).patients == patients


# --- access: entry 2 is hidden, and what leads to it ---


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            everything(),
            [
                *(*ALL_SETS, "entry 4", "entry 3", *ALL_FOLDERS),
                *(name for name in ALL_LINKS if not name.endswith("entry 2")),
            ],
        ),
        (everything(patient_id=OTHER_PATIENT), ["set 5", "entry 6", "set 5 > entry 6"]),
        (documents(reference_ids=(("%accession",),)), ["entry 4", "entry 3"]),
        (GetAssociations(uuids=(urn("entry 2"),)), []),
        (GetAssociations(uuids=(urn("set 3"),)), ["set 3 > entry 4"]),
        (GetDocumentsAndAssociations(uuids=(urn("entry 2"),)), []),
        (GetSubmissionSets(uuids=(urn("entry 2"),)), []),
        (
            GetSubmissionSets(uuids=(urn("entry 2"), urn("entry 4"))),
            ["set 3", "set 3 > entry 4"],
        ),
        (
            GetSubmissionSetAndContents(uuid=urn("set 1"), entries=STABLE),
            [name for name in SET_1 if not name.endswith("entry 2")],
        ),
        (GetSubmissionSetAndContents(uuid=urn("set 3"), entries=STABLE), ["set 3", "entry 4", "set 3 > entry 4"]),
        (GetFoldersForDocument(uuid=urn("entry 2")), []),
    ],
)
def test_what_is_hidden_is_as_if_absent(storage: Storage, query: StoredQuery, expected: list[str]) -> None:
    assert names(find(storage, query, HIDING)) == expected
    assert names(find(storage, query, HIDING, limit=len(expected))) == expected


@pytest.mark.parametrize("depth", range(3))
def test_associations_that_lead_to_a_hidden_entry_are_hidden(tmp_path: Any, depth: int) -> None:
    storage = open_in(tmp_path)
    secret = make_entry(1, codes={v.DE_CONFIDENTIALITY_CODE: (SECRET,)})
    filed = make_link(urn("folder 1"), urn("entry 1"))
    told = make_link(urn("set 1"), filed.id)
    again = make_link(urn("set 2"), told.id)
    register(storage, secret, make_folder(1), make_set(1), make_set(2), filed, told, again)
    target = (secret.id, filed.id, told.id)[depth]
    assert len(find(storage, GetAssociations(uuids=(target,))).uuids) == 1
    for query in (
        GetAssociations(uuids=(target,)),
        GetAssociations(uuids=(urn("set 2"),)),
        GetSubmissionSets(uuids=(target,)),
        GetFoldersForDocument(uuid=secret.id),
    ):
        assert find(storage, query, HIDING) == Found()
    storage.close()


def test_a_deprecated_association_is_not_shown(tmp_path: Any) -> None:
    storage = open_in(tmp_path)
    filed = make_link(urn("folder 1"), urn("entry 1"))
    submit(
        storage,
        (make_entry(1), make_folder(1), filed),
        lambda transaction: transaction.set_status([filed.id], v.DEPRECATED),
    )
    assert find(storage, GetAssociations(uuids=(urn("entry 1"),))) == Found()
    assert find(storage, GetFoldersForDocument(uuid=urn("entry 1"))) == Found()
    assert names(find(storage, GetFolderAndContents(uuid=urn("folder 1")))) == ["folder 1"]
    storage.close()


def test_a_folder_of_thousands_is_returned_whole_or_not_at_all(tmp_path: Any) -> None:
    storage = open_in(tmp_path)
    entries = [make_entry(number) for number in range(1, 1201)]
    links = [make_link(urn("folder 1"), entry.id) for entry in entries]
    register(storage, make_folder(1), *entries, *links)
    query = GetFolderAndContents(uuid=urn("folder 1"))
    assert len(find(storage, query, limit=2401).uuids) == 2401
    assert find(storage, query, limit=2400) == Found(more=True)
    assert len(find(storage, GetAssociations(uuids=(urn("folder 1"),)), limit=1200).uuids) == 1200
    assert find(storage, GetAssociations(uuids=(urn("folder 1"),)), limit=1199) == Found(more=True)
    storage.close()
