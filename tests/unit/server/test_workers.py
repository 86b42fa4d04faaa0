"""Workers: outcomes reach who awaits them, works begin in order, and none is lost when they close."""

import asyncio
from collections.abc import Iterator
from threading import Barrier, Event, current_thread

import pytest

from xds_gateway.server.workers import Workers


class _Unusual(BaseException):
    """Not an Exception, as of a library that wants to pass every handler."""


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(2)
    yield workers
    workers.close()


def test_a_result_comes_from_another_thread(workers: Workers) -> None:
    thread = asyncio.run(workers.run(current_thread))
    assert thread is not current_thread()


def test_arguments_are_handed_over(workers: Workers) -> None:
    assert asyncio.run(workers.run(divmod, 7, 2)) == (3, 1)


@pytest.mark.parametrize("failure", [ValueError("v"), _Unusual()], ids=lambda f: type(f).__name__)
def test_what_a_work_raises_is_raised(workers: Workers, failure: BaseException) -> None:
    def fail() -> None:
        raise failure

    async def caught() -> BaseException | None:
        (outcome,) = await asyncio.gather(workers.run(fail), return_exceptions=True)
        return outcome

    assert asyncio.run(caught()) is failure


def test_many_works_on_few_threads(workers: Workers) -> None:
    async def all_of_them() -> list[tuple[int, str]]:
        return await asyncio.gather(*(workers.run(lambda n: (n, current_thread().name), n) for n in range(200)))

    outcomes = asyncio.run(all_of_them())
    assert [number for number, _ in outcomes] == list(range(200))
    assert {name for _, name in outcomes} <= {"work_0", "work_1"}


def test_works_run_at_the_same_time(workers: Workers) -> None:
    meeting = Barrier(2)

    async def both() -> list[int]:
        return await asyncio.gather(workers.run(meeting.wait, 30), workers.run(meeting.wait, 30))

    assert sorted(asyncio.run(both())) == [0, 1]


def test_a_cancelled_caller_leaves_the_work_running_and_the_thread_usable(workers: Workers) -> None:
    begun, go_on, ended = Event(), Event(), Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)
        ended.set()

    async def cancel() -> str:
        task = asyncio.ensure_future(workers.run(work))
        await workers.run(begun.wait, 30)
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return str(await workers.run(lambda: "still here"))

    assert asyncio.run(cancel()) == "still here"
    assert ended.wait(30)


def test_closing_waits_for_what_was_asked_for() -> None:
    workers, done = Workers(1), []

    async def ask() -> None:
        asked = [asyncio.ensure_future(workers.run(done.append, number)) for number in range(5)]
        await asyncio.sleep(0)
        workers.close()
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert done == list(range(5))


def test_closed_workers_take_no_work(workers: Workers) -> None:
    workers.close()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(workers.run(len, ""))
