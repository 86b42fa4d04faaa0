"""Group commit: who waits shares a step, who is alone runs at once, nobody waits for ever."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from xds_gateway.model.errors import StorageBusy
from xds_gateway.storage.groups import GroupCommit, Turn

Action = Callable[[], object]


class Recorder:
    """A step that notes the size of each group; `gate` holds it up."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.refusals: list[Exception] = []
        self.breaks: list[Exception] = []

    def begin(self) -> None:
        if self.refusals:
            raise self.refusals.pop()

    def run(self, turns: list[Turn[str]]) -> None:
        self.entered.set()
        self.gate.wait(10)
        self.groups.append(len(turns))
        self.threads.add(threading.get_ident())
        for turn in turns:
            turn.succeed(turn.work.upper())
        if self.breaks:
            raise self.breaks.pop()


def test_a_lone_caller_runs_in_its_own_thread() -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=1)
    assert [group.submit("a"), group.submit("b")] == ["A", "B"]
    assert (step.groups, step.threads) == ([1, 1], {threading.get_ident()})


@pytest.mark.parametrize(("largest", "groups"), [(64, [1, 7]), (3, [1, 3, 3, 1])])
def test_who_comes_during_a_step_shares_the_next(largest: int, groups: list[int]) -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=10, largest=largest)
    step.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(group.submit, "first")
        step.entered.wait(10)
        others = [threads.submit(group.submit, f"w{n}") for n in range(7)]
        while group.waiting < 7:
            time.sleep(0.001)
        step.gate.set()
        assert first.result() == "FIRST"
        assert [other.result() for other in others] == [f"W{n}" for n in range(7)]
    assert step.groups == groups


def test_a_step_that_cannot_begin_fails_its_leader_alone() -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=1)
    step.refusals = [StorageBusy("locked")]
    with pytest.raises(StorageBusy):
        group.submit("a")
    assert group.submit("b") == "B"


def test_a_step_that_breaks_fails_all_also_those_that_went_well() -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=1)
    step.breaks = [RuntimeError("broken")]
    with pytest.raises(RuntimeError):
        group.submit("a")
    assert group.submit("b") == "B"


def test_a_follower_waits_for_a_bounded_time_and_its_work_is_never_run() -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=0.05)
    step.gate.clear()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(group.submit, "first")
        step.entered.wait(10)
        with pytest.raises(StorageBusy):
            group.submit("late")
        step.gate.set()
        assert first.result() == "FIRST"
    assert group.submit("next") == "NEXT"
    assert step.groups == [1, 1]


def test_many_callers_all_get_their_own_result() -> None:
    step = Recorder()
    group = GroupCommit(step, wait_seconds=10)
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(group.submit, (f"w{n}" for n in range(2000))))
    assert results == [f"W{n}" for n in range(2000)]
    assert sum(step.groups) == 2000
