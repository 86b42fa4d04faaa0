"""Waiting for a disk, and for each other, without standing in anybody's way (docs/decisions/0009).

What blocks says so here. Code that an event loop carries (`Carried`) is parked where it waits, and the loop goes on
with other requests; the same code in a thread of its own just waits. So storage is written once, in plain order, and
all Python of a process runs in one thread: threads that take turns at the interpreter cost a query twice its time.
"""

from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any, Final, Protocol, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Handle(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not call."""


class Loop(Protocol):
    """What is asked of an event loop."""

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> object:
        """Call on the loop; only for its own thread."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: Any) -> object:
        """Call on the loop, from any thread."""

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> Handle:
        """Call on the loop in `delay` seconds."""


class Carrier(Protocol):
    """Who has threads for what blocks."""

    @property
    def alone(self) -> bool:
        """True when nobody is held up by waiting on the loop."""

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call a function that makes bytes durable, and learn how long that takes."""

    def start(self, carried: "Carried", function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Call the function in a thread, then `resume` or `interrupt` on the loop."""


class Carried(greenlet):
    """A function that runs on an event loop and is parked while it waits.

    `settle(outcome, failure)` is called at the end of one that was parked; the first `switch` is its call.
    """

    def __init__(self, function: Callable[..., Any], carrier: Carrier, loop: Loop) -> None:
        super().__init__(function)
        self.carrier: Final = carrier
        self.loop: Final = loop
        self.thread: Final = get_ident()
        self.settle: Callable[[Any, BaseException | None], None] | None = None

    def resume(self, value: Any) -> None:
        """Go on with what was waited for; on the loop only."""
        self._go(self.switch, value)

    def interrupt(self, failure: BaseException) -> None:
        """Go on with a failure; on the loop only."""
        self._go(self.throw, failure)

    def _go(self, go: Callable[[Any], Any], value: Any) -> None:
        outcome, failure = None, None
        try:
            outcome = go(value)
        except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
            failure = raised
        if self.dead and self.settle is not None:
            self.settle(outcome, failure)


def _carried() -> Carried | None:
    current = getcurrent()
    return current if type(current) is Carried else None


def is_carried() -> bool:
    """True on an event loop, which what takes long would hold up."""
    return _carried() is not None


def blocking(function: Callable[..., T], *arguments: Any) -> T:
    """The result of a function that takes or waits long, which must not raise StopIteration."""
    carried = _carried()
    if carried is None:
        return function(*arguments)
    carried.carrier.start(carried, function, arguments)
    result: T = _park(carried)
    return result


def syncing(function: Callable[..., T], *arguments: Any) -> T:
    """The same for what makes bytes durable: a request that is alone may wait on the loop, while disks are quick."""
    carried = _carried()
    if carried is None:
        return function(*arguments)
    carrier = carried.carrier
    result: T = carrier.call(function, arguments) if carrier.alone else blocking(carrier.call, function, arguments)
    return result


def after_others() -> None:
    """Go on when what is ready on the loop has had its turn, so that it may join what comes next."""
    carried = _carried()
    if carried is not None:
        carried.loop.call_soon(carried.resume, None)
        _park(carried)


def _park(carried: Carried) -> Any:
    loop = carried.parent
    if loop is None:
        raise AssertionError("what is carried has a loop to go back to")
    return loop.switch()


class Gate:
    """Where one caller waits until another lets it pass; made by the one that waits."""

    __slots__ = ("_carried", "_lock", "_open", "_parked")

    def __init__(self) -> None:
        self._carried: Final = _carried()
        self._open = False
        self._parked = False
        self._lock: Final = Lock()
        self._lock.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """True when the gate is open, which closes it again; False when the time is over. -1 waits for good."""
        carried = self._carried
        if carried is None:
            return self._lock.acquire(timeout=seconds)
        timer = None
        if not self._open:
            timer = carried.loop.call_later(seconds, self._pass, False) if seconds >= 0 else None
            self._parked = True
            self._open = bool(_park(carried))
        if timer is not None:
            timer.cancel()
        passed, self._open = self._open, False
        return passed

    def open(self) -> None:
        """Let the waiting caller pass, or the next that comes; from any thread."""
        carried = self._carried
        if carried is None:
            self._lock.release()
        elif carried.thread == get_ident():
            carried.loop.call_soon(self._pass, True)
        else:
            carried.loop.call_soon_threadsafe(self._pass, True)

    def _pass(self, opened: bool) -> None:
        if not self._parked or self._carried is None:
            self._open = self._open or opened
            return
        self._parked = False
        self._carried.resume(opened)
