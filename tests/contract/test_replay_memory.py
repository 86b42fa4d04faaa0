"""Assertions for one use: the first use counts, whoever asks, whatever the clock says, and after a restart."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.submissions import open_in
from xds_gateway.model.errors import StorageFull
from xds_gateway.storage.opening import Storage
from xds_gateway.storage.replays import SqlReplayMemory

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
ISSUER = "https://idp.example.org"


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def memory(storage: Storage) -> SqlReplayMemory:
    return storage.replays


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SqlReplayMemory]:
    """A memory for two assertions."""
    with closing(open_in(tmp_path, remembered_assertions=2)) as storage:
        yield storage.replays


@pytest.mark.parametrize(
    ("issuer", "identifier", "verdict"),
    [
        (ISSUER, "_1", "again"),
        (ISSUER, "_2", "first"),
        ("https://other.example.org", "_1", "first"),
        (ISSUER + ":_", "1", "first"),  # the same text when both are run together
    ],
)
def test_an_assertion_is_known_by_issuer_and_id(
    memory: SqlReplayMemory, issuer: str, identifier: str, verdict: str
) -> None:
    assert memory.use(ISSUER, "_1", until=at(5), now=NOW) == "first"
    assert memory.use(issuer, identifier, until=at(5), now=NOW) == verdict


def test_it_survives_a_restart(tmp_path: Path) -> None:
    verdicts = []
    for _ in range(2):
        with closing(open_in(tmp_path)) as storage:
            verdicts.append(storage.replays.use(ISSUER, "_1", until=at(5), now=NOW))
    assert verdicts == ["first", "again"]


def test_of_sixteen_uses_at_once_one_is_the_first(tmp_path: Path) -> None:
    with closing(open_in(tmp_path)) as one, closing(open_in(tmp_path, writer_name="test-1")) as two:
        verdicts: list[str] = []
        begin = threading.Barrier(16)

        def use(memory: SqlReplayMemory) -> None:
            begin.wait()
            verdicts.append(memory.use(ISSUER, "_1", until=at(5), now=NOW))

        threads = [threading.Thread(target=use, args=((one, two)[n % 2].replays,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(verdicts) == ["again"] * 15 + ["first"]


def test_what_has_expired_is_forgotten_and_stays_refused_when_the_clock_goes_back(memory: SqlReplayMemory) -> None:
    assert memory.use(ISSUER, "_old", until=at(5), now=NOW) == "first"
    assert memory.use(ISSUER, "_new", until=at(90), now=at(60)) == "first"  # forgets _old
    assert memory.use(ISSUER, "_old", until=at(5), now=NOW) == "forgotten"
    assert memory.use(ISSUER, "_unseen", until=at(4), now=NOW) == "forgotten"  # could have been forgotten as well
    assert memory.use(ISSUER, "_later", until=at(6), now=NOW) == "first"  # could not
    assert memory.use(ISSUER, "_new", until=at(90), now=NOW) == "again"


def test_a_full_memory_refuses_until_something_has_expired(small: SqlReplayMemory) -> None:
    for number in (1, 2):
        assert small.use(ISSUER, f"_{number}", until=at(number), now=NOW) == "first"
    with pytest.raises(StorageFull):
        small.use(ISSUER, "_3", until=at(9), now=NOW)
    assert small.use(ISSUER, "_2", until=at(2), now=NOW) == "again"  # what is held is still known
    assert small.use(ISSUER, "_3", until=at(9), now=at(1.5)) == "first"  # _1 has made room
    with pytest.raises(StorageFull):
        small.use(ISSUER, "_4", until=at(9), now=at(1.5))
