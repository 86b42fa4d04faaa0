"""Where the work of requests runs: carried by the event loop, or in threads where it would hold the loop up.

All Python of a process in one thread: threads that share the interpreter wait for each other at every native call,
and a query then costs twice its time. A thread gets what waits for a disk (`waiting.blocking`) and what is long. The
threads are leaner than the executor of the standard library, which takes two futures and a condition for each call;
the one that was idle last works next: its stack and its processor's caches are still warm.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from time import perf_counter
from typing import Any, Final, NamedTuple

from ..waiting import Carried

_QUICK: Final = 0.0005  # seconds for which a request that is alone may hold up the loop
_LEARNING: Final = 0.1  # weight of the latest wait


class _Job(NamedTuple):
    """A call, and what hears of its outcome on the loop."""

    loop: asyncio.AbstractEventLoop
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    succeed: Callable[[Any], object]
    fail: Callable[[BaseException], object]


class Workers:
    """At most so many threads, each started when all others are busy; works begin in the order of their calls."""

    def __init__(self, largest: int) -> None:
        self._largest: Final = largest
        self._mutex: Final = Lock()
        self._threads: Final[list[Thread]] = []
        self._idle: Final[list[Lock]] = []  # what idle threads sleep on, the last one on top
        self._jobs: Final[deque[_Job]] = deque()
        self._closing = False
        self._carried = 0  # functions that were begun and have not ended
        self._usual_wait = 0.0  # seconds, the latest weigh most

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a function that is short but for what it waits for, on this loop. Raises what it raises.

        A work that has begun goes on when its caller is cancelled.
        """
        loop = asyncio.get_running_loop()
        carried = Carried(function, self, loop)
        self._carried += 1
        try:
            outcome = carried.switch(*arguments)
        finally:
            if carried.dead:
                self._carried -= 1
        if carried.dead:
            return outcome
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, failure: BaseException | None) -> None:
            self._carried -= 1
            _settle(future, result, failure)

        carried.settle = settle
        return await future

    async def run_apart(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a function that takes long, in a thread; it must not raise StopIteration."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._ask(
            _Job(
                loop,
                function,
                arguments,
                lambda result: _settle(future, result, None),
                lambda failure: _settle(future, None, failure),
            )
        )
        return await future

    def start(self, carried: Carried, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Call what a carried function waits for in a thread, then go on with it."""
        self._ask(_Job(carried.loop, function, arguments, carried.resume, carried.interrupt))  # type: ignore[arg-type]

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call what makes bytes durable, and learn how long that takes."""
        started = perf_counter()
        try:
            return function(*arguments)
        finally:
            self._usual_wait += (perf_counter() - started - self._usual_wait) * _LEARNING

    @property
    def alone(self) -> bool:
        """True when one request is carried and disks are quick: it may wait on the loop, which saves a hand-over."""
        return self._carried == 1 and self._usual_wait < _QUICK

    def close(self) -> None:
        """Wait for works that were asked for and end all threads."""
        with self._mutex:
            self._closing = True
            while self._idle:
                self._idle.pop().release()
        for thread in self._threads:
            thread.join()

    def _ask(self, job: _Job) -> None:
        with self._mutex:
            if self._closing:
                raise RuntimeError("the workers are closed")
            self._jobs.append(job)
            if self._idle:
                self._idle.pop().release()
            elif len(self._threads) < self._largest:
                self._start()

    def _start(self) -> None:
        thread = Thread(target=self._serve, name=f"work_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        asleep = Lock()
        asleep.acquire()
        while True:
            with self._mutex:
                job = self._jobs.popleft() if self._jobs else None
                if job is None:
                    if self._closing:
                        return
                    self._idle.append(asleep)
            if job is None:
                asleep.acquire()
            else:
                _work(job)


def _work(job: _Job) -> None:
    tell: Callable[[Any], object] = job.succeed
    try:
        outcome = job.function(*job.arguments)
    except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
        tell, outcome = job.fail, raised
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        job.loop.call_soon_threadsafe(tell, outcome)


def _settle(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.cancelled():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
