"""What the audit's reader, keeper and senders need from storage, and what they send to."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from ..model.messages import AuditEvent


class AuditEntry(NamedTuple):
    """An event where it is kept: its number in the order in which all are sent, None when it has none yet.

    `id` is a `urn:uuid:` of its digest, the same whenever it is told; `place` says where it stands.
    """

    number: int | None
    id: str
    event: AuditEvent
    place: str


class Selection(NamedTuple):
    """Which events are wanted; empty is any. `since` and `until` are DTMs, `until` itself is not wanted any more.

    `patients` are CX as id^^^&oid&ISO; `user` is part of a user's name or of a node's.
    """

    patients: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    user: str = ""
    transaction: str = ""
    outcome: str = ""
    domain: str = ""

    def wants(self, event: AuditEvent) -> bool:
        """Whether an event is one of them, its patients apart."""
        return (
            self.since <= event.at
            and (not self.until or event.at < self.until)
            and self.transaction in ("", event.transaction)
            and self.outcome in ("", event.outcome)
            and self.domain in ("", event.domain)
            and self._by_user(event)
        )

    def _by_user(self, event: AuditEvent) -> bool:
        user = event.user
        names = (event.node, *((user.audited, user.name or "") if user else ()))
        return not self.user or any(self.user.casefold() in name.casefold() for name in names)


class AuditReads(Protocol):
    """The audit as one sequence."""

    def selected(self, selection: Selection) -> Iterator[AuditEntry]:
        """Events in the order of their times, also those that were just written."""


class AuditBook(Protocol):
    """What the keeper does with the sequence; one process at a time."""

    def take_up(self, limit: int) -> int:
        """Give durable events their numbers, exactly once; how many were taken. Raises StorageBusy, StorageFull."""

    def anchor(self, at: str, sign: Callable[[bytes], bytes] | None) -> str | None:
        """Tie all chains as they are taken up; the anchor's digest, None when nothing is new."""

    def cut(self, before: str, at: str, sent: int | None, sign: Callable[[bytes], bytes] | None) -> int:
        """Remove what anchors before a DTM cover and is sent up to an entry; how many events went."""


class TargetState(NamedTuple):
    """How far an audit repository is: the last entry that it has, and why it has no more."""

    entry: int
    failure: str | None
    failing_since: str | None


class SetAside(NamedTuple):
    """An event that a repository refused for good."""

    number: int
    at: str
    reason: str


class TargetReport(NamedTuple):
    """An audit repository, as an administrator is told of it."""

    name: str
    sent: int
    waiting: int
    failure: str | None
    failing_since: str | None
    set_aside: tuple[SetAside, ...]


class Outbox(Protocol):
    """What is to be sent to one audit repository, and how far it is."""

    def state(self) -> TargetState:
        """How far it is; a new one begins with the oldest event that is kept."""

    def after(self, number: int, limit: int) -> Sequence[AuditEntry]:
        """The next events."""

    def confirm(self, number: int) -> int:
        """It has all up to this one, durably; up to which one it needs nothing. Raises StorageBusy, StorageFull.

        That is more where a reset has emptied the outbox.
        """

    def failing(self, reason: str, at: str) -> None:
        """It takes nothing at present."""

    def set_aside(self, number: int, reason: str, at: str) -> None:
        """It will never take this one; the others go on."""


class Unreachable(Exception):
    """An audit repository cannot be reached, or takes nothing at present; the text says why."""


class MessageRefused(Exception):
    """An audit repository refuses one message for good; the text says why."""


class AuditRepository(Protocol):
    """A connection to an audit repository."""

    def send(self, entry: AuditEntry) -> None:
        """Send an event. Raises Unreachable, MessageRefused."""

    def flush(self) -> int | None:
        """The number of the last event that it surely has, as far as anybody can know. Raises Unreachable."""

    def close(self) -> None:
        """End the connection; what was not sure is to be sent again."""
