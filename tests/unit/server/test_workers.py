"""Workers: outcomes reach who awaits them, works begin in order, and none is lost when they close."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from threading import Barrier, Event, current_thread
from time import sleep
from typing import Any

import pytest

from xds_gateway.server.workers import Workers
from xds_gateway.waiting import blocking, syncing

Run = Callable[..., Awaitable[Any]]


class _Unusual(BaseException):
    """Not an Exception, as of a library that wants to pass every handler."""


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(2)
    yield workers
    workers.close()


@pytest.fixture(params=["carried", "carried and parked", "apart"])
def run(workers: Workers, request: pytest.FixtureRequest) -> Run:
    """The ways to have a function called."""
    parked: Run = lambda function, *arguments: workers.run(blocking, function, *arguments)  # noqa: E731
    return {"carried": workers.run, "carried and parked": parked, "apart": workers.run_apart}[request.param]


def test_arguments_are_handed_over(run: Run) -> None:
    assert asyncio.run(run(divmod, 7, 2)) == (3, 1)


@pytest.mark.parametrize("failure", [ValueError("v"), _Unusual()], ids=lambda f: type(f).__name__)
def test_what_a_work_raises_is_raised(run: Run, failure: BaseException) -> None:
    def fail() -> None:
        raise failure

    async def caught() -> BaseException | None:
        (outcome,) = await asyncio.gather(run(fail), return_exceptions=True)
        return outcome

    assert asyncio.run(caught()) is failure


def test_short_work_stays_on_the_loop_and_what_blocks_does_not(workers: Workers) -> None:
    def work() -> list[str]:
        return [thread().name for thread in (current_thread, lambda: blocking(current_thread), current_thread)]

    here, there, again = asyncio.run(workers.run(work))
    assert (here, again) == (current_thread().name, current_thread().name)
    assert there == "work_0"


def test_while_one_waits_another_goes_on(workers: Workers) -> None:
    told: list[str] = []
    go_on = Event()

    def first() -> None:
        told.append("first waits")
        blocking(go_on.wait, 30)
        told.append("first goes on")

    def second() -> None:
        told.append("second")
        go_on.set()

    async def both() -> None:
        await asyncio.gather(workers.run(first), workers.run(second))

    asyncio.run(both())
    assert told == ["first waits", "second", "first goes on"]


def test_who_is_alone_syncs_on_the_loop_and_who_is_not_in_a_thread(workers: Workers) -> None:
    meeting = Event()

    def sync() -> str:
        return syncing(current_thread).name

    async def alone_then_not() -> tuple[str, str]:
        alone = await workers.run(sync)
        other = asyncio.ensure_future(workers.run(blocking, meeting.wait, 30))
        await asyncio.sleep(0)
        accompanied = await workers.run(sync)
        meeting.set()
        await other
        return alone, accompanied

    alone, accompanied = asyncio.run(alone_then_not())
    assert alone == current_thread().name
    assert accompanied.startswith("work_")


def test_on_a_slow_disk_nobody_syncs_on_the_loop(workers: Workers) -> None:
    async def twice() -> tuple[str, str]:
        await workers.run(syncing, sleep, 0.05)
        return await workers.run(lambda: syncing(current_thread).name), current_thread().name

    syncer, loop = asyncio.run(twice())
    assert syncer != loop


def test_a_failure_of_what_blocks_is_raised_where_it_is_waited_for(workers: Workers) -> None:
    def work() -> str:
        try:
            blocking(int, "no number")
        except ValueError as failure:
            return f"caught: {failure}"
        return "nothing raised"

    assert asyncio.run(workers.run(work)).startswith("caught: invalid literal")


def test_many_works_on_few_threads(workers: Workers) -> None:
    async def all_of_them() -> list[tuple[int, str]]:
        return await asyncio.gather(*(workers.run_apart(lambda n: (n, current_thread().name), n) for n in range(200)))

    outcomes = asyncio.run(all_of_them())
    assert [number for number, _ in outcomes] == list(range(200))
    assert {name for _, name in outcomes} <= {"work_0", "work_1"}


@pytest.mark.parametrize("run", ["carried and parked", "apart"], indirect=True)
def test_works_run_at_the_same_time(run: Run) -> None:
    meeting = Barrier(2)

    async def both() -> list[int]:
        return await asyncio.gather(run(meeting.wait, 30), run(meeting.wait, 30))

    assert sorted(asyncio.run(both())) == [0, 1]


@pytest.mark.parametrize("run", ["carried and parked", "apart"], indirect=True)
def test_a_cancelled_caller_leaves_the_work_running_and_the_thread_usable(run: Run) -> None:
    begun, go_on, ended = Event(), Event(), Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)
        ended.set()

    async def cancel() -> str:
        task = asyncio.ensure_future(run(work))
        await run(begun.wait, 30)
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return str(await run(lambda: "still here"))

    assert asyncio.run(cancel()) == "still here"
    assert ended.wait(30)


def test_closing_waits_for_what_was_asked_for() -> None:
    workers, done = Workers(1), []

    async def ask() -> None:
        asked = [asyncio.ensure_future(workers.run_apart(done.append, number)) for number in range(5)]
        await asyncio.sleep(0)
        workers.close()
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert done == list(range(5))


def test_closed_workers_take_no_work(workers: Workers) -> None:
    workers.close()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(workers.run_apart(len, ""))
