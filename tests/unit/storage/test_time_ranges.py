"""Time ranges of FindDocuments: ITI TF-2 3.18.4.1.2.3.3, as intervals of instants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.submissions import EVERYTHING, PATIENT, make_entry, open_in, register, urn
from xds_gateway.codec.queries import QUERY_IDS, parse_stored_query
from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import parse_dtm
from xds_gateway.model.messages import QueryRequest
from xds_gateway.model.queries import FindDocuments, TimeRange
from xds_gateway.storage.opening import Storage

VALUES = ("2021", "202105", "20210101", "20210102", "20210527", "2021052710", "20210527101112")
SLOTS = {
    "creation_time": "creationTime",
    "service_start_time": "serviceStartTime",
    "service_stop_time": "serviceStopTime",
}


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """One entry for each value, which is its creation, start and stop time; and one without start and stop."""
    folder: Path = tmp_path_factory.mktemp("times")
    storage = open_in(folder)
    for number, value in enumerate(VALUES):
        slots = dict.fromkeys(SLOTS.values(), value)
        register(storage, make_entry(number, id=urn(value), slots=slots))
    slots_without = {"creationTime": "19990101", "serviceStartTime": None, "serviceStopTime": None}
    register(storage, make_entry(99, id=urn("absent"), slots=slots_without))
    yield storage
    storage.close()


def found(storage: Storage, name: str, start: str | None, stop: str | None) -> set[str]:
    range_ = TimeRange(parse_dtm(start) if start else None, parse_dtm(stop) if stop else None)
    query = FindDocuments(
        patient_id=PATIENT, statuses=(v.APPROVED,), object_types=(v.STABLE_DOCUMENT,), times={name: range_}
    )
    uuids = storage.queries.find(query, EVERYTHING, 100).uuids
    return {value for value in (*VALUES, "absent") if urn(value) in uuids}


@pytest.mark.parametrize("name", SLOTS)
@pytest.mark.parametrize(
    ("start", "stop", "value", "matches"),
    [
        # equal precision: From is inclusive, To exclusive
        ("20210101", None, "20210101", True),
        ("20210102", None, "20210101", False),
        (None, "20210101", "20210101", False),
        (None, "20210102", "20210101", True),
        ("20210101", "20210102", "20210101", True),
        ("20210101", "20210102", "20210102", False),
        ("20210101", "20210101", "20210101", False),
        ("2021", "2021", "2021", False),
        ("2021", "2022", "2021", True),
        ("2020", "2021", "2021", False),
        ("20210527101112", "20210527101113", "20210527101112", True),
        ("20210527101111", "20210527101112", "20210527101112", False),
        # a parameter less precise than the value is widened
        ("2021", "2021", "20210527", True),
        ("2021", "2021", "20210527101112", True),
        ("202105", "202105", "20210527", True),
        ("202106", None, "20210527", False),
        (None, "202104", "20210527", False),
        ("20210527", "20210527", "2021052710", True),
        ("2020", "2020", "20210527", False),
        # a value less precise than the parameter matches when the query touches it
        ("20210701", None, "2021", True),
        ("20200101", "20210101", "2021", True),
        ("20200101", "20201231", "2021", False),
        (None, "20201231", "2021", False),
        ("20220101", None, "2021", False),
        ("20210601", None, "202105", False),
        ("20210531", None, "202105", True),
        ("20210527101112", "20210527101112", "2021052710", True),
    ],
)
def test_a_range_selects_by_the_instants_that_both_may_mean(
    entries: Storage, name: str, start: str | None, stop: str | None, value: str, matches: bool
) -> None:
    assert (value in found(entries, name, start, stop)) is matches


@pytest.mark.parametrize("name", SLOTS)
@pytest.mark.parametrize(
    ("start", "value", "stop", "matches"),
    [
        # the three tables of 3.18.4.1.2.3.3.2, row by row: equally precise
        ("20210101", "20210527", "20211231", True),
        ("20210527", "20210527", "20211231", True),
        ("20210528", "20210527", "20211231", False),
        ("20210101", "20210527", "20210526", False),
        ("20210101", "20210527", "20210527", False),
        # the parameter is less precise
        ("2021", "20210527", "2021", True),
        ("2021", "20210527", "20210526", False),
        ("20210528", "20210527", "2021", False),
        ("2020", "20210527", "2020", False),
        ("2020", "20210527", "2022", True),
        # the value is less precise
        ("20210701", "2021", "20210701", True),
        ("20211231", "2021", "20221231", True),
        ("20200101", "2021", "20210101", True),
        ("20100101", "2021", "20201231", False),
        ("20220101", "2021", "20301231", False),
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_the_examples_of_the_text(
    entries: Storage, name: str, start: str, value: str, stop: str, matches: bool, quoted: bool
) -> None:
    parameter = f"$XDSDocumentEntry{SLOTS[name][0].upper()}{SLOTS[name][1:]}"
    texts = [f"'{text}'" if quoted else text for text in (start, stop)]
    request = QueryRequest(
        query_id=QUERY_IDS["FindDocuments"],
        return_type="LeafClass",
        parameters=(
            ("$XDSDocumentEntryPatientId", (f"'{PATIENT.as_cx()}'",)),
            ("$XDSDocumentEntryStatus", (f"('{v.APPROVED}')",)),
            (f"{parameter}From", (texts[0],)),
            (f"{parameter}To", (texts[1],)),
        ),
    )
    query = parse_stored_query(request, [])
    assert query is not None
    assert (urn(value) in entries.queries.find(query, EVERYTHING, 100).uuids) is matches


@pytest.mark.parametrize("name", ["service_start_time", "service_stop_time"])
@pytest.mark.parametrize(("start", "stop"), [("2030", None), (None, "1900"), ("2030", "2031")])
def test_an_absent_service_time_matches_every_range(
    entries: Storage, name: str, start: str | None, stop: str | None
) -> None:
    assert found(entries, name, start, stop) == {"absent"}


def test_an_on_demand_entry_has_no_creation_time_and_matches(entries: Storage) -> None:
    on_demand = make_entry(50, id=urn("on demand"), object_type=v.ON_DEMAND_DOCUMENT, slots={"creationTime": None})
    register(entries, on_demand)
    query = FindDocuments(
        patient_id=PATIENT,
        statuses=(v.APPROVED,),
        object_types=(v.ON_DEMAND_DOCUMENT,),
        times={"creation_time": TimeRange(parse_dtm("2030"), None)},
    )
    assert entries.queries.find(query, EVERYTHING, 10).uuids == (urn("on demand"),)


def test_both_ranges_must_match(entries: Storage) -> None:
    def ranges(start: str) -> FindDocuments:
        return FindDocuments(
            patient_id=PATIENT,
            statuses=(v.APPROVED,),
            object_types=(v.STABLE_DOCUMENT,),
            times={
                "creation_time": TimeRange(parse_dtm("20210527"), parse_dtm("20210528")),
                "service_start_time": TimeRange(parse_dtm(start), None),
                "service_stop_time": TimeRange(None, None),
            },
        )

    assert len(entries.queries.find(ranges("2021052711"), EVERYTHING, 100).uuids) == 3  # 2021, 202105 and the day
    assert entries.queries.find(ranges("2022"), EVERYTHING, 100).uuids == ()
