"""Threads for blocking work, so that the event loop never waits for a disk.

Leaner than the executor of the standard library, which takes two futures and a condition for each call. The thread
that was idle last works next: its stack and its processor's caches are still warm.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, Final, NamedTuple


class _Job(NamedTuple):
    """A call, and where its outcome is awaited."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Workers:
    """At most so many threads, each started when all others are busy; works begin in the order of their calls."""

    def __init__(self, largest: int) -> None:
        self._largest: Final = largest
        self._mutex: Final = Lock()
        self._threads: Final[list[Thread]] = []
        self._idle: Final[list[Lock]] = []  # what idle threads sleep on, the last one on top
        self._jobs: Final[deque[_Job]] = deque()
        self._closing = False

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a blocking function, which must not raise StopIteration. Raises what the function raises.

        A work that has begun goes on when its caller is cancelled.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._mutex:
            if self._closing:
                raise RuntimeError("the workers are closed")
            self._jobs.append(_Job(loop, future, function, arguments))
            if self._idle:
                self._idle.pop().release()
            elif len(self._threads) < self._largest:
                self._start()
        return await future

    def close(self) -> None:
        """Wait for works that were asked for and end all threads."""
        with self._mutex:
            self._closing = True
            while self._idle:
                self._idle.pop().release()
        for thread in self._threads:
            thread.join()

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
    if job.future.cancelled():
        return
    settle: Callable[[asyncio.Future[Any], Any], None] = _succeed
    try:
        outcome = job.function(*job.arguments)
    except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
        settle, outcome = _fail, raised
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        job.loop.call_soon_threadsafe(settle, job.future, outcome)


def _succeed(future: asyncio.Future[Any], result: Any) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], raised: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(raised)
