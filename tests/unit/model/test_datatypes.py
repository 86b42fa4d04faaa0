"""Times of limited precision as intervals, and the rule of FindDocuments over them (ITI TF-2 3.18.4.1.2.3.3)."""

from calendar import monthrange
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xds_gateway.model.datatypes import TimeInterval, parse_dtm
from xds_gateway.model.queries import TimeRange


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2021", 20210101000000, 20211231235959),
        ("202102", 20210201000000, 20210228235959),
        ("202002", 20200201000000, 20200229235959),
        ("200002", 20000201000000, 20000229235959),
        ("190002", 19000201000000, 19000228235959),
        ("202112", 20211201000000, 20211231235959),
        ("20210527", 20210527000000, 20210527235959),
        ("2021052710", 20210527100000, 20210527105959),
        ("202105271011", 20210527101100, 20210527101159),
        ("20210527101112", 20210527101112, 20210527101112),
        ("0001", 10101000000, 11231235959),
        ("999912", 99991201000000, 99991231235959),
    ],
)
def test_a_time_is_the_instants_it_may_mean(text: str, earliest: int, latest: int) -> None:
    assert parse_dtm(text) == TimeInterval(earliest, latest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20",
        "202",
        "20211",
        "2021010",
        "202113",
        "202100",
        "20210230",
        "20210229",
        "20210100",
        "2021010124",
        "202101010060",
        "20210101000060",
        "202101010000000",
        "20210101+0100",
        "2021-01-01",
        "20210101000000.1",
        " 2021",
        "2021\n",
        "٢٠٢١",
        "0000",
        "abcd",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert parse_dtm(text) is None


@given(st.datetimes(), st.sampled_from([4, 6, 8, 10, 12, 14]))
def test_every_precision_of_every_time(moment: datetime, length: int) -> None:
    full = f"{moment.year:04}{moment:%m%d%H%M%S}"
    interval = parse_dtm(full[:length])
    assert interval is not None
    assert interval.earliest <= int(full) <= interval.latest
    last_day = monthrange(moment.year, moment.month)[1]
    ends = {4: f"{full[:4]}1231235959", 6: f"{full[:6]}{last_day}235959"}
    assert interval.latest == int(ends.get(length, full[:length] + "99991231235959"[length:]))


def matches(range_: TimeRange, value: TimeInterval | None) -> bool:
    """The rule as the docstring of TimeRange tells it."""
    if value is None:
        return True
    after = range_.start is None or range_.start.earliest <= value.latest
    before = range_.stop is None or (value.earliest <= range_.stop.latest and value != range_.stop)
    return after and before


@pytest.mark.parametrize(
    ("start", "stop", "value", "found"),
    [
        # equal precision: From is inclusive, To exclusive
        ("20210527", None, "20210527", True),
        ("20210528", None, "20210527", False),
        (None, "20210527", "20210527", False),
        (None, "20210528", "20210527", True),
        ("2021", "2021", "2021", False),
        ("2021", "2022", "2021", True),
        # a parameter less precise than the value is widened
        ("2021", "2021", "20210527", True),
        ("2022", None, "20210527", False),
        (None, "2020", "20210527", False),
        (None, "202105", "20210531235959", True),
        ("202106", None, "20210531235959", False),
        # a value less precise than the parameter matches when the query touches it
        ("20210701", None, "2021", True),
        ("20200101", "20210101", "2021", True),
        ("20200101", "20201231", "2021", False),
        ("20220101", None, "2021", False),
        ("20210531235959", "20210601", "202105", True),
        ("20210601000000", None, "202105", False),
        # an absent value: the pair is not used
        ("2021", "2021", None, True),
        (None, "2000", None, True),
    ],
)
def test_partial_dates_match_as_intervals(start: str | None, stop: str | None, value: str | None, found: bool) -> None:
    range_ = TimeRange(parse_dtm(start) if start else None, parse_dtm(stop) if stop else None)
    assert matches(range_, parse_dtm(value) if value else None) is found
