"""Secure Node: nodes that were refused and messages that nobody can read, told at a bounded cost (ITI TF-2 3.19, 3.20).

Whoever reaches a port can fail at it as often as the network carries. So a failure is told within a second, and what
follows from the same address for the same reason is counted and told once a minute; of many addresses at a time, the
last are told together. A flood costs one write a second and some hundred lines a minute, not one for each handshake.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..model.messages import AuditEvent

NODE_AUTHENTICATION: Final = "node-authentication"
MESSAGE: Final = "message"  # of which not even the transaction is known
UNKNOWN: Final = "unknown"
SEVERAL: Final = "several"


class Failure(NamedTuple):
    """Who failed and why: a NodeReason, or the rule that a message breaks. Equal ones are counted together."""

    reason: str
    address: str
    node: str | None
    transaction: str = NODE_AUTHENTICATION


@dataclass(slots=True)
class _Counted:
    """Failures that were not told yet, and when the last were."""

    untold: int = 0
    told: float | None = None


class NodeFailures:
    """Failures of one process; used by one thread."""

    def __init__(
        self,
        *,
        now: Callable[[], str],
        new_uuid: Callable[[], str],
        window_seconds: float = 60.0,
        most: int = 256,
    ) -> None:
        """`most` are told apart in a window; `now` is the DTM of events, `new_uuid` gives `urn:uuid:...`."""
        self._now: Final = now
        self._new_uuid: Final = new_uuid
        self._window_seconds: Final = window_seconds
        self._most: Final = most
        self._counted: Final[dict[Failure, _Counted]] = {}

    def count(self, failure: Failure, times: int = 1) -> None:
        """Note a failure; nothing is written here."""
        if failure not in self._counted and len(self._counted) >= self._most:
            failure = Failure(failure.reason, SEVERAL, None, failure.transaction)
        self._counted.setdefault(failure, _Counted()).untold += times

    def due(self, moment: float) -> Iterator[tuple[Failure, int]]:
        """What is to be told at this moment of a steady clock, with its count; it counts as told then."""
        for failure, counted in list(self._counted.items()):
            if counted.told is not None and moment - counted.told < self._window_seconds:
                continue
            if not counted.untold:
                del self._counted[failure]
                continue
            yield failure, counted.untold
            counted.untold, counted.told = 0, moment

    def rest(self) -> Iterator[tuple[Failure, int]]:
        """All that was not told yet, at the end."""
        for failure, counted in self._counted.items():
            if counted.untold:
                yield failure, counted.untold
                counted.untold = 0

    def event(self, failure: Failure, times: int) -> AuditEvent:
        """The audit event of so many equal failures, a Security Alert (ITI TF-2 3.20.7.6)."""
        return AuditEvent(
            at=self._now(),
            transaction=failure.transaction,
            outcome="failure",
            node=failure.node or UNKNOWN,
            address=failure.address,
            domain="",
            message_id=self._new_uuid(),
            objects=(f"{times} times",) if times > 1 else (),
            codes=(failure.reason,),
        )
