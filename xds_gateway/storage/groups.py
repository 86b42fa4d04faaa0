"""Group commit: callers that come together share one durable step (leader and followers).

The first caller leads: it runs the step for all that wait, itself included. Who comes while a step runs waits, and one
of them leads next. Callers may be threads or carried by an event loop (`waiting`), also of one group.
"""

from collections import deque
from threading import Lock
from typing import Any, Final, Generic, Protocol, TypeVar

from ..model.errors import StorageBusy
from ..waiting import Gate, after_others

W = TypeVar("W")


class Turn(Generic[W]):
    """One caller's work, and what became of it: `result`, or the `failure` to raise in the caller."""

    __slots__ = ("failure", "gate", "leads", "result", "settled", "work")

    def __init__(self, work: W) -> None:
        self.work = work
        self.result: Any = None
        self.failure: BaseException | None = None
        self.settled = False
        self.leads = False
        self.gate: Gate | None = None  # where a follower waits

    def succeed(self, result: Any) -> None:
        """Note the result; the caller hears of it when the group ends."""
        self.result = result
        self.settled = True

    def fail(self, failure: BaseException) -> None:
        """Note a failure, also over an earlier result: a commit that failed takes the results back."""
        self.failure = failure
        self.settled = True


class Step(Protocol[W]):
    """What is done once for a group."""

    def begin(self) -> None:
        """Get ready, outside of any group; what it raises reaches the leader alone, the others try anew."""

    def run(self, turns: list[Turn[W]]) -> None:
        """Do the work of all turns durably and settle each of them; raises nothing."""


class GroupCommit(Generic[W]):
    """A queue of callers before one step; waiting is bounded, then StorageBusy."""

    def __init__(self, step: Step[W], *, wait_seconds: float, largest: int = 64) -> None:
        self._step: Final = step
        self._wait_seconds: Final = wait_seconds
        self._largest: Final = largest
        self._mutex: Final = Lock()
        self._waiting: Final[deque[Turn[W]]] = deque()
        self._led = False

    @property
    def waiting(self) -> int:
        """How many callers wait for a step that has not begun."""
        return len(self._waiting)

    def submit(self, work: W) -> Any:
        """Run `work` in a group and return its result when the group is durable. Raises what the work raised."""
        turn = Turn(work)
        with self._mutex:
            self._waiting.append(turn)
            gate = turn.gate = Gate() if self._led else None
            self._led = True
        if gate is not None:
            self._follow(turn, gate)
        if not turn.settled:
            self._lead(turn)
        if turn.failure is not None:
            raise turn.failure
        return turn.result

    def _follow(self, turn: Turn[W], gate: Gate) -> None:
        """Wait until the turn is settled or has to lead."""
        try:
            if gate.wait(self._wait_seconds):
                return
        except BaseException:  # a signal in the main thread: nobody is left to lead this turn
            self._abandon(turn)
            raise
        with self._mutex:
            if turn in self._waiting and not turn.leads:
                self._waiting.remove(turn)
                raise StorageBusy("the writer did not come to this work in time")
        gate.wait()  # it runs now, or this caller was chosen to lead

    def _lead(self, own: Turn[W]) -> None:
        turns = [own]
        try:
            after_others()
            self._step.begin()
            turns = self._take(own)
            self._step.run(turns)
        except BaseException as failure:  # noqa: BLE001  every caller of the group hears of it
            self._withdraw(own)
            for turn in turns:
                turn.fail(failure)
        finally:
            self._hand_over(own, turns)

    def _take(self, own: Turn[W]) -> list[Turn[W]]:
        with self._mutex:
            self._waiting.remove(own)
            turns = [own]
            while self._waiting and len(turns) < self._largest:
                turns.append(self._waiting.popleft())
        return turns

    def _withdraw(self, own: Turn[W]) -> None:
        with self._mutex:
            if own in self._waiting:
                self._waiting.remove(own)

    def _abandon(self, turn: Turn[W]) -> None:
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
            if turn.leads:
                self._choose_leader()

    def _hand_over(self, own: Turn[W], turns: list[Turn[W]]) -> None:
        for turn in turns:
            if turn is not own and turn.gate is not None:
                turn.gate.open()
        with self._mutex:
            self._choose_leader()

    def _choose_leader(self) -> None:
        if self._waiting:
            following = self._waiting[0]
            following.leads = True
            if following.gate is not None:
                following.gate.open()
        else:
            self._led = False
