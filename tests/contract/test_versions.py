"""QueryStore: versions, availability and statuses of associations at both metadata levels (XDS Metadata Update).

What is registered, in this order; "a > b" is the Association from a to b:

    set 1   entry 1, folder 1 with entry 1; entry 2, which is appended to entry 1
    set 2   entry 3, the second version of entry 1: it is in folder 1, and entry 2 is appended to it
    set 3   folder 3, the second version of folder 1, with entry 3; entry 2 was in it
    set 4   entry 4, which is offline, and folder 4, which is deprecated, with entry 2 and entry 4
    set 5   entry 5, which is deprecated
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.submissions import (
    EVERYTHING,
    PATIENT,
    make_entry,
    make_folder,
    make_link,
    make_set,
    open_in,
    register,
    submit,
    urn,
)
from tests.unit import builders
from xds_gateway.actors.ports import Transaction
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association
from xds_gateway.model.principal import AccessFilter
from xds_gateway.model.queries import (
    EntryFilter,
    FindDocuments,
    FindDocumentsForMultiplePatients,
    FindFolders,
    FindFoldersForMultiplePatients,
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
)
from xds_gateway.storage.opening import Storage

APPROVED, DEPRECATED, BOTH = (v.APPROVED,), (v.DEPRECATED,), (v.APPROVED, v.DEPRECATED)
STABLE = (v.STABLE_DOCUMENT,)
LINKS = [
    *("set 1 > entry 1", "set 1 > folder 1", "folder 1 > entry 1", "set 1 > entry 2", "entry 2 > entry 1"),
    *("set 2 > entry 3", "folder 1 > entry 3", "entry 2 > entry 3"),
    *("set 3 > folder 3", "folder 3 > entry 3", "folder 3 > entry 2"),
    *("set 4 > entry 4", "set 4 > folder 4", "folder 4 > entry 2", "folder 4 > entry 4"),
    "set 5 > entry 5",
]
NAMES = [*(f"{kind} {number}" for kind in ("set", "entry", "folder") for number in range(1, 6)), *LINKS]
NAME_OF = {urn(name): name for name in NAMES}


def link(name: str, association_type: str = v.HAS_MEMBER) -> Association:
    source, target = name.split(" > ")
    return make_link(urn(source), urn(target), association_type, id=urn(name))


def _registered(storage: Storage) -> None:
    register(
        storage,
        *(make_set(1), make_entry(1), make_entry(2), make_folder(1), link("entry 2 > entry 1", v.APND)),
        *map(link, ("set 1 > entry 1", "set 1 > folder 1", "folder 1 > entry 1", "set 1 > entry 2")),
    )

    def replaces(name: str) -> Any:
        def then(transaction: Transaction) -> None:
            transaction.set_status([urn(name)], v.DEPRECATED)
            transaction.supersede([urn(name)])

        return then

    same = {v.DE_UNIQUE_ID: str(make_entry(1).unique_id)}
    second = make_entry(3, lid=urn("entry 1"), version="2", identifiers=same)
    links = (link("set 2 > entry 3"), link("folder 1 > entry 3"), link("entry 2 > entry 3", v.APND))
    submit(storage, (make_set(2), second, *links), replaces("entry 1"))

    same = {v.FD_UNIQUE_ID: str(make_folder(1).unique_id)}
    second_folder = make_folder(3, lid=urn("folder 1"), version="2", identifiers=same)
    links = tuple(map(link, ("set 3 > folder 3", "folder 3 > entry 3", "folder 3 > entry 2")))
    submit(storage, (make_set(3), second_folder, *links), replaces("folder 1"))

    offline = make_entry(4, slots={"documentAvailability": v.OFFLINE})
    deprecated = [urn("folder 4"), urn("entry 5"), urn("folder 3 > entry 2")]
    submit(
        storage,
        (
            *(make_set(4), offline, make_folder(4), make_set(5), make_entry(5), link("set 5 > entry 5")),
            *map(link, ("set 4 > entry 4", "set 4 > folder 4", "folder 4 > entry 2", "folder 4 > entry 4")),
        ),
        lambda transaction: transaction.set_status(deprecated, v.DEPRECATED),
    )


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_in(tmp_path_factory.mktemp("versions"))
    _registered(opened)
    yield opened
    opened.close()


def names(storage: Storage, query: StoredQuery, access: AccessFilter = EVERYTHING) -> list[str]:
    """What is found, sorted by name; nothing is found twice."""
    uuids = storage.queries.find(query, access, 100).uuids
    assert len(set(uuids)) == len(uuids)
    return sorted(NAME_OF[uuid] for uuid in uuids)


def find(statuses: tuple[str, ...], **changes: Any) -> FindDocuments:
    return FindDocuments(**{"patient_id": PATIENT, "statuses": statuses, "object_types": STABLE, **changes})


def find_folders(statuses: tuple[str, ...], **changes: Any) -> FindFolders:
    return FindFolders(patient_id=PATIENT, statuses=statuses, **changes)


def get_all(statuses: tuple[str, ...], **changes: Any) -> GetAll:
    return GetAll(
        patient_id=PATIENT,
        entry_statuses=statuses,
        submission_set_statuses=statuses,
        folder_statuses=statuses,
        entries=EntryFilter(object_types=STABLE),
        **changes,
    )


# --- queries with a status parameter: it decides about versions, the level about availability ---


@pytest.mark.parametrize(
    ("statuses", "level", "expected"),
    [
        (APPROVED, 1, ["entry 2", "entry 3"]),
        (DEPRECATED, 1, ["entry 1", "entry 5"]),
        (BOTH, 1, ["entry 1", "entry 2", "entry 3", "entry 5"]),
        (APPROVED, 2, ["entry 2", "entry 3", "entry 4"]),
        (DEPRECATED, 2, ["entry 1", "entry 5"]),
        (BOTH, 2, ["entry 1", "entry 2", "entry 3", "entry 4", "entry 5"]),
    ],
)
def test_documents_are_found_by_status_and_offline_ones_at_level_two(
    storage: Storage, statuses: tuple[str, ...], level: int, expected: list[str]
) -> None:
    assert names(storage, find(statuses, level=level)) == expected
    of_all = FindDocumentsForMultiplePatients(
        patient_ids=(PATIENT,), statuses=statuses, object_types=STABLE, level=level
    )
    assert names(storage, of_all) == expected
    by_code = {"class_code": ((("11", "1.2.250.1.213.1.1.4.1"),),)}
    of_any = FindDocumentsForMultiplePatients(statuses=statuses, object_types=STABLE, codes=by_code, level=level)
    assert names(storage, of_any) == expected


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize(
    ("statuses", "expected"),
    [(APPROVED, ["folder 3"]), (DEPRECATED, ["folder 1", "folder 4"]), (BOTH, ["folder 1", "folder 3", "folder 4"])],
)
def test_folders_are_found_by_status(
    storage: Storage, statuses: tuple[str, ...], expected: list[str], level: int
) -> None:
    assert names(storage, find_folders(statuses, level=level)) == expected
    of_many = FindFoldersForMultiplePatients(patient_ids=(PATIENT,), statuses=statuses, level=level)
    assert names(storage, of_many) == expected


SETS = [f"set {number}" for number in range(1, 6)]
APPROVED_LINKS = [name for name in LINKS if name != "folder 3 > entry 2"]


@pytest.mark.parametrize(
    ("statuses", "options", "objects", "links"),
    [
        (
            APPROVED,
            {},
            ["entry 2", "entry 3", "folder 3", *SETS],
            [name for name in APPROVED_LINKS if name not in ("folder 1 > entry 1", "folder 4 > entry 4")],
        ),
        (
            APPROVED,
            {"level": 2},
            ["entry 2", "entry 3", "entry 4", "folder 3", *SETS],
            [name for name in APPROVED_LINKS if name != "folder 1 > entry 1"],
        ),
        (
            APPROVED,
            {"level": 2, "association_statuses": DEPRECATED},
            ["entry 2", "entry 3", "entry 4", "folder 3", *SETS],
            ["folder 3 > entry 2"],
        ),
        (
            DEPRECATED,
            {},
            ["entry 1", "entry 5", "folder 1", "folder 4"],
            [name for name in APPROVED_LINKS if {"entry 1", "entry 5", "folder 1", "folder 4"} & {*name.split(" > ")}],
        ),
        (
            BOTH,
            {"level": 2, "association_statuses": BOTH},
            [*(f"entry {number}" for number in range(1, 6)), "folder 1", "folder 3", "folder 4", *SETS],
            LINKS,
        ),
    ],
)
def test_all_of_a_patient(
    storage: Storage, statuses: tuple[str, ...], options: dict[str, Any], objects: list[str], links: list[str]
) -> None:
    assert names(storage, get_all(statuses, **options)) == sorted([*objects, *links])


# --- queries by id: the level decides ---

ENTRIES = tuple(urn(f"entry {number}") for number in range(1, 6))
FOLDERS = tuple(urn(f"folder {number}") for number in (1, 3, 4))
ENTRY_ID, FOLDER_ID = str(make_entry(1).unique_id), str(make_folder(1).unique_id)


@pytest.mark.parametrize(
    ("query", "level_one", "level_two"),
    [
        (GetDocuments(uuids=ENTRIES), [2, 3, 5], [1, 2, 3, 4, 5]),
        (GetDocuments(uuids=(urn("entry 1"),)), [], [1]),
        (GetDocuments(unique_ids=(ENTRY_ID,)), [3], [1, 3]),
        (GetDocuments(unique_ids=(str(make_entry(4).unique_id),)), [], [4]),
        (GetFolders(uuids=FOLDERS), [3], [1, 3, 4]),
        (GetFolders(unique_ids=(FOLDER_ID,)), [3], [1, 3]),
        (GetFolders(unique_ids=(str(make_folder(4).unique_id),)), [], [4]),
    ],
)
def test_level_one_shows_the_present_state_of_objects_by_id(
    storage: Storage, query: GetDocuments | GetFolders, level_one: list[int], level_two: list[int]
) -> None:
    kind = "entry" if isinstance(query, GetDocuments) else "folder"
    fields = {"uuids": query.uuids, "unique_ids": query.unique_ids}
    assert names(storage, query) == [f"{kind} {number}" for number in level_one]
    assert names(storage, type(query)(**fields, level=2)) == [f"{kind} {number}" for number in level_two]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (GetDocuments(logical_ids=(urn("entry 1"),), level=2), ["entry 1", "entry 3"]),
        (GetDocuments(logical_ids=(urn("entry 2"), urn("entry 1")), level=2), ["entry 1", "entry 2", "entry 3"]),
        (GetDocuments(logical_ids=(urn("entry 3"),), level=2), []),  # the id of a later version is no logicalID
        (GetDocuments(logical_ids=(urn("folder 1"), urn("nobody"), "x"), level=2), []),
        (GetFolders(logical_ids=(urn("folder 1"),), level=2), ["folder 1", "folder 3"]),
        (GetFolders(logical_ids=(urn("folder 3"), urn("entry 1")), level=2), []),
    ],
)
def test_a_logical_id_names_all_versions(storage: Storage, query: StoredQuery, expected: list[str]) -> None:
    assert names(storage, query) == expected
    assert names(storage, query, AccessFilter(domain="other")) == []


def test_versions_tell_their_number_and_share_their_lid(storage: Storage) -> None:
    found = storage.queries.find(GetDocuments(logical_ids=(urn("entry 1"),), level=2), EVERYTHING, 10)
    first, second = (fragment.decode() for fragment in found.fragments)
    for text, version, status in ((first, "1", v.DEPRECATED), (second, "2", v.APPROVED)):
        assert f'lid="{urn("entry 1")}"' in text
        assert f'versionName="{version}"' in text
        assert f'status="{status}"' in text


@pytest.mark.parametrize(
    ("query", "level_one", "level_two", "all_statuses"),
    [
        # what is around an object that level 1 hides is shown by the associations alone
        (
            GetAssociations(uuids=(urn("entry 1"), urn("folder 3"))),
            ["entry 2 > entry 1", "folder 1 > entry 1", "folder 3 > entry 3", "set 1 > entry 1", "set 3 > folder 3"],
            ["entry 2 > entry 1", "folder 1 > entry 1", "folder 3 > entry 3", "set 1 > entry 1", "set 3 > folder 3"],
            ["folder 3 > entry 2"],
        ),
        (
            GetDocumentsAndAssociations(unique_ids=(ENTRY_ID,)),
            ["entry 3", "entry 2 > entry 3", "folder 1 > entry 3", "folder 3 > entry 3", "set 2 > entry 3"],
            [
                *("entry 1", "entry 2 > entry 1", "folder 1 > entry 1", "set 1 > entry 1"),
                *("entry 3", "entry 2 > entry 3", "folder 1 > entry 3", "folder 3 > entry 3", "set 2 > entry 3"),
            ],
            [],
        ),
        (GetDocumentsAndAssociations(uuids=(urn("entry 1"),)), [], None, []),
        (GetSubmissionSets(uuids=(urn("entry 1"),)), ["set 1", "set 1 > entry 1"], None, []),
        (
            GetSubmissionSetAndContents(uuid=urn("set 1")),
            ["entry 2", "set 1", "set 1 > entry 2"],
            [
                *("entry 1", "entry 2", "folder 1", "set 1"),
                *("set 1 > entry 1", "set 1 > entry 2", "set 1 > folder 1"),
            ],
            [],
        ),
        (GetSubmissionSetAndContents(uuid=urn("set 2")), ["entry 3", "set 2", "set 2 > entry 3"], None, []),
        (GetSubmissionSetAndContents(uuid=urn("set 4")), ["set 4"], None, []),
        (
            GetFolderAndContents(unique_id=FOLDER_ID),
            ["entry 3", "folder 3", "folder 3 > entry 3"],
            [
                *("entry 1", "entry 3", "folder 1", "folder 3"),
                *("folder 1 > entry 1", "folder 1 > entry 3", "folder 3 > entry 3"),
            ],
            ["entry 2", "folder 3 > entry 2"],
        ),
        (GetFolderAndContents(uuid=urn("folder 1")), [], None, []),
        (GetFolderAndContents(uuid=urn("folder 4")), [], None, []),
        (GetFoldersForDocument(uuid=urn("entry 3")), ["folder 3"], ["folder 1", "folder 3"], []),
        (GetFoldersForDocument(unique_id=ENTRY_ID), ["folder 3"], ["folder 1", "folder 3"], []),
        (GetFoldersForDocument(uuid=urn("entry 1")), [], ["folder 1"], []),
        (GetFoldersForDocument(uuid=urn("entry 2")), [], ["folder 4"], ["folder 3"]),
        (
            GetRelatedDocuments(uuid=urn("entry 2"), association_types=(v.APND,)),
            ["entry 2", "entry 2 > entry 3", "entry 3"],
            ["entry 1", "entry 2", "entry 2 > entry 1", "entry 2 > entry 3", "entry 3"],
            [],
        ),
        (GetRelatedDocuments(uuid=urn("entry 1"), association_types=(v.APND,)), [], None, []),
    ],
)
def test_contents_and_relations_at_both_levels(
    storage: Storage, query: Any, level_one: list[str], level_two: list[str] | None, all_statuses: list[str]
) -> None:
    """`level_two` is with Approved associations, `all_statuses` what Deprecated ones add; None is told below."""
    assert names(storage, query) == sorted(level_one)
    if level_two is None:
        return
    fields = {name: getattr(query, name) for name in query.__dataclass_fields__}
    assert names(storage, type(query)(**{**fields, "level": 2})) == sorted(level_two)
    with_deprecated = {**fields, "level": 2, "association_statuses": BOTH}
    assert names(storage, type(query)(**with_deprecated)) == sorted([*level_two, *all_statuses])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            GetDocumentsAndAssociations(uuids=(urn("entry 1"),), level=2),
            ["entry 1", "entry 2 > entry 1", "folder 1 > entry 1", "set 1 > entry 1"],
        ),
        (GetSubmissionSets(uuids=(urn("entry 1"),), level=2), ["set 1", "set 1 > entry 1"]),
        (GetSubmissionSetAndContents(uuid=urn("set 2"), level=2), ["entry 3", "set 2", "set 2 > entry 3"]),
        (
            GetSubmissionSetAndContents(uuid=urn("set 4"), level=2),
            ["entry 4", "folder 4", "set 4", "set 4 > entry 4", "set 4 > folder 4"],
        ),
        (
            GetFolderAndContents(uuid=urn("folder 1"), level=2),
            ["entry 1", "entry 3", "folder 1", "folder 1 > entry 1", "folder 1 > entry 3"],
        ),
        (
            GetFolderAndContents(uuid=urn("folder 4"), level=2),
            ["entry 2", "entry 4", "folder 4", "folder 4 > entry 2", "folder 4 > entry 4"],
        ),
        (
            GetRelatedDocuments(uuid=urn("entry 1"), association_types=(v.APND,), level=2),
            ["entry 1", "entry 2", "entry 2 > entry 1"],
        ),
    ],
)
def test_level_two_shows_what_level_one_hides(storage: Storage, query: StoredQuery, expected: list[str]) -> None:
    assert names(storage, query) == expected


def test_only_deprecated_relations_are_no_relations_at_level_one(tmp_path: Any) -> None:
    storage = open_in(tmp_path)
    appended = link("entry 2 > entry 1", v.APND)
    submit(
        storage,
        (make_entry(1), make_entry(2), appended),
        lambda transaction: transaction.set_status([appended.id], v.DEPRECATED),
    )
    asked = {"uuid": urn("entry 1"), "association_types": (v.APND,)}
    assert names(storage, GetRelatedDocuments(**asked)) == []
    assert names(storage, GetRelatedDocuments(**asked, level=2)) == []
    shown = names(storage, GetRelatedDocuments(**asked, level=2, association_statuses=DEPRECATED))
    assert shown == ["entry 1", "entry 2", "entry 2 > entry 1"]
    storage.close()


@pytest.mark.parametrize("availability", [None, v.ONLINE])
def test_what_is_online_shows_whether_it_says_so_or_not(tmp_path: Any, availability: str | None) -> None:
    storage = open_in(tmp_path)
    register(storage, make_entry(1, slots={"documentAvailability": availability}))
    assert names(storage, find(APPROVED)) == ["entry 1"]
    assert names(storage, GetDocuments(uuids=(urn("entry 1"),))) == ["entry 1"]
    storage.close()


def test_versions_of_two_patients_are_of_several(tmp_path: Any) -> None:
    """Their lid answers objects of both, which a LeafClass answer must not hold (ITI TF-3 Table 4.2.4.1-2)."""
    storage = open_in(tmp_path)
    register(storage, make_entry(1))
    same = {v.DE_UNIQUE_ID: ENTRY_ID, v.DE_PATIENT_ID: builders.OTHER_PATIENT}
    submit(
        storage,
        (make_entry(3, lid=urn("entry 1"), version="2", identifiers=same),),
        lambda transaction: (
            transaction.set_status([urn("entry 1")], v.DEPRECATED),
            transaction.supersede([urn("entry 1")]),
        ),
    )
    found = storage.queries.find(GetDocuments(logical_ids=(urn("entry 1"),), level=2), EVERYTHING, 10)
    assert len(found.uuids) == len(found.patients) == 2
    storage.close()
