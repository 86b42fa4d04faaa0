"""Secure Node: the audit is numbered, anchored, cut, and sent to audit repositories (ITI TF-2 3.20).

One process keeps the audit; when it dies, another one goes on where the database says. What is sent may come twice
after a broken connection, with the same id, and never gets lost or out of order.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..model.errors import GatewayError
from .audit_ports import AuditBook, AuditRepository, MessageRefused, Outbox, Unreachable

_log = logging.getLogger("xds_gateway.audit")
_TAKEN_AT_ONCE: Final = 500  # events of a source
_SENT_AT_ONCE: Final = 200
_CUT_SECONDS: Final = 3600.0
_IDLE_SECONDS: Final = 0.5
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingPolicy:
    """How often chains are anchored, how long events are kept (None: for good), and the key's signature, if any."""

    anchor_seconds: float
    retention_days: int | None
    sign: Callable[[bytes], bytes] | None


class AuditKeeper:
    """Numbers, anchors and cuts; `moment` of its methods is a monotonic time in seconds."""

    def __init__(
        self, book: AuditBook, outboxes: Sequence[Outbox], policy: KeepingPolicy, now: Callable[[], str], moment: float
    ) -> None:
        """`now` gives a DTM to the second (UTC)."""
        self._book: Final = book
        self._outboxes: Final = outboxes
        self._policy: Final = policy
        self._now: Final = now
        self._anchored = moment
        self._cut = moment - _CUT_SECONDS

    def turn(self, moment: float) -> bool:
        """Do what is due; True when more is waiting. Raises StorageBusy, StorageFull."""
        taken = self._book.take_up(_TAKEN_AT_ONCE)
        if moment - self._anchored >= self._policy.anchor_seconds:
            self._anchored = moment
            self.anchor()
        if self._policy.retention_days is not None and moment - self._cut >= _CUT_SECONDS:
            self._cut = moment
            self._retain(self._policy.retention_days)
        return taken >= _TAKEN_AT_ONCE

    def anchor(self) -> None:
        """Tie all chains now; the digest in the log is what an anchor that was cut off is missed by."""
        digest = self._book.anchor(self._now(), self._policy.sign)
        if digest is not None:
            _log.info("audit anchored", extra={"digest": digest})

    def _retain(self, days: int) -> None:
        sent = min((outbox.state().entry for outbox in self._outboxes), default=None)
        removed = self._book.cut(days_before(self._now(), days), self._now(), sent, self._policy.sign)
        if removed:
            _log.info("audit events older than retention_days removed", extra={"events": removed})


def days_before(at: str, days: int) -> str:
    """The DTM so many days earlier."""
    then = datetime.strptime(at, "%Y%m%d%H%M%S").replace(tzinfo=UTC) - timedelta(days=days)
    return then.strftime("%Y%m%d%H%M%S")


class AuditSender:
    """Sends all events to one audit repository, in order, again after failures, for ever."""

    def __init__(
        self, name: str, outbox: Outbox, connect: Callable[[], AuditRepository], now: Callable[[], str]
    ) -> None:
        """`connect` raises Unreachable; `now` gives a DTM to the second (UTC)."""
        self._name: Final = name
        self._outbox: Final = outbox
        self._connect: Final = connect
        self._now: Final = now
        self._repository: AuditRepository | None = None
        self._sent = 0
        self._confirmed = 0
        self._pause = _FIRST_PAUSE

    def turn(self) -> float:
        """Send what is there; in how many seconds to come again. Raises StorageBusy, StorageFull."""
        try:
            more = self._advance()
        except Unreachable as why:
            return self._give_up(str(why))
        except GatewayError:  # our own disk: nothing is confirmed, and all is sent again
            self.close()
            raise
        self._pause = _FIRST_PAUSE
        return 0.0 if more else _IDLE_SECONDS

    def close(self) -> None:
        """End the connection; what was not confirmed is sent again."""
        repository, self._repository = self._repository, None
        if repository is not None:
            repository.close()

    def _advance(self) -> bool:
        repository = self._repository or self._connected()
        entries = self._outbox.after(self._sent, _SENT_AT_ONCE)
        for entry in entries:
            try:
                repository.send(entry)
            except MessageRefused as refused:
                self._set_aside(entry.number or 0, entry.id, str(refused))
            self._sent = entry.number or 0
        confirmed = repository.flush()
        if confirmed is not None and confirmed > self._confirmed:
            self._confirmed = self._outbox.confirm(confirmed)
            self._sent = max(self._sent, self._confirmed)
        return len(entries) == _SENT_AT_ONCE

    def _connected(self) -> AuditRepository:
        state = self._outbox.state()
        self._sent = self._confirmed = state.entry
        self._repository = self._connect()
        if state.failure is not None:
            self._outbox.confirm(state.entry)
            _log.info("audit repository takes events again", extra={"repository": self._name})
        return self._repository

    def _set_aside(self, number: int, identifier: str, reason: str) -> None:
        self._outbox.set_aside(number, reason, self._now())
        _log.error(
            "audit event set aside: the repository will not take it",
            extra={"repository": self._name, "audit_event": identifier, "reason": reason},
        )

    def _give_up(self, reason: str) -> float:
        """Wait twice as long as before; the log tells the first time only."""
        if self._pause == _FIRST_PAUSE:
            _log.error("audit repository not reachable", extra={"repository": self._name, "reason": reason})
        self.close()
        self._outbox.failing(reason, self._now())
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause
