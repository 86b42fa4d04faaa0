"""Waiting: callers on an event loop and callers in threads meet at the same gates and in the same groups."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from xds_gateway.model.errors import StorageBusy
from xds_gateway.server.workers import Workers
from xds_gateway.storage.groups import GroupCommit, Turn
from xds_gateway.waiting import Gate, blocking, is_carried


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(4)
    yield workers
    workers.close()


def test_only_a_loop_carries(workers: Workers) -> None:
    assert (is_carried(), asyncio.run(workers.run(is_carried)), asyncio.run(workers.run_apart(is_carried))) == (
        False,
        True,
        False,
    )


class Meeting:
    """One waits at a gate that another opens, each of them carried or in a thread."""

    def __init__(self) -> None:
        self.made = threading.Event()
        self.gate: Gate

    def wait(self, seconds: float) -> bool:
        self.gate = Gate()
        self.made.set()
        return self.gate.wait(seconds)

    def open(self) -> None:
        blocking(self.made.wait, 30)
        self.gate.open()


@pytest.mark.parametrize("opener", ["run", "run_apart"])
@pytest.mark.parametrize("waiter", ["run", "run_apart"])
@pytest.mark.parametrize("seconds", [-1, 30])
def test_a_gate_lets_pass_when_it_is_opened(workers: Workers, waiter: str, opener: str, seconds: float) -> None:
    meeting = Meeting()

    async def both() -> bool:
        passed, _ = await asyncio.gather(
            getattr(workers, waiter)(meeting.wait, seconds), getattr(workers, opener)(meeting.open)
        )
        return bool(passed)

    assert asyncio.run(both())


@pytest.mark.parametrize("waiter", ["run", "run_apart"])
def test_a_gate_that_nobody_opens_is_left_when_the_time_is_over(workers: Workers, waiter: str) -> None:
    assert asyncio.run(getattr(workers, waiter)(Meeting().wait, 0.01)) is False


def test_a_gate_that_was_opened_before_lets_pass_at_once(workers: Workers) -> None:
    def work() -> bool:
        gate = Gate()
        gate.open()
        blocking(int)  # the loop has its turn
        return gate.wait(30)

    assert asyncio.run(workers.run(work))


def test_a_gate_opened_after_its_time_lets_the_next_wait_pass(workers: Workers) -> None:
    def work() -> list[bool]:
        gate = Gate()
        passed = [gate.wait(0.01)]
        gate.open()
        return [*passed, gate.wait(30)]

    assert asyncio.run(workers.run(work)) == [False, True]


class Step:
    """Notes the groups; the first waits for a disk until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def begin(self) -> None:
        pass

    def run(self, turns: list[Turn[str]]) -> None:
        self.entered.set()
        blocking(self.go_on.wait, 30)
        self.groups.append(sorted(turn.work for turn in turns))
        for turn in turns:
            turn.succeed(turn.work.upper())


@pytest.mark.parametrize(
    "ways",
    [("run",), ("run_apart",), ("run", "run_apart"), ("run_apart", "run")],
    ids=" and ".join,
)
def test_carried_callers_and_threads_share_groups(workers: Workers, ways: tuple[str, ...]) -> None:
    step = Step()
    group = GroupCommit(step, wait_seconds=30)

    async def everybody() -> list[str]:
        ask = [partial(getattr(workers, ways[n % len(ways)]), group.submit, f"w{n}") for n in range(3)]
        asked = [asyncio.ensure_future(ask[0]())]
        await _until(step.entered.is_set)
        asked += [asyncio.ensure_future(ask[n]()) for n in (1, 2)]
        await _until(lambda: group.waiting >= 2)
        step.go_on.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(everybody()) == ["W0", "W1", "W2"]
    assert [len(group) for group in step.groups] == [1, 2]


def test_who_is_ready_at_once_shares_the_first_group(workers: Workers) -> None:
    step = Step()
    step.go_on.set()
    group = GroupCommit(step, wait_seconds=30)

    async def everybody() -> list[str]:
        return await asyncio.gather(*(workers.run(group.submit, f"w{n}") for n in range(3)))

    assert asyncio.run(everybody()) == ["W0", "W1", "W2"]
    assert step.groups == [["w0", "w1", "w2"]]


def test_a_carried_caller_is_busy_when_its_time_is_over(workers: Workers) -> None:
    step = Step()
    group = GroupCommit(step, wait_seconds=0.05)

    async def two() -> list[object]:
        leader = asyncio.ensure_future(workers.run(group.submit, "leader"))
        await _until(step.entered.is_set)
        late = await asyncio.gather(workers.run(group.submit, "late"), return_exceptions=True)
        step.go_on.set()
        return [await leader, *late]

    led, late = asyncio.run(two())
    assert led == "LEADER"
    assert isinstance(late, StorageBusy)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)
