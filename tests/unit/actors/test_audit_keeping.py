"""Keeping and sending the audit: in order, nothing lost, whatever a repository does."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.submissions import make_event
from xds_gateway.actors.audit_keeping import AuditKeeper, AuditSender, KeepingPolicy, days_before
from xds_gateway.actors.audit_ports import AuditEntry, MessageRefused, TargetState, Unreachable
from xds_gateway.model.errors import StorageFull


class Box:
    """An outbox in memory."""

    def __init__(self, count: int = 0) -> None:
        self.entries = [AuditEntry(n, f"urn:{n}", make_event(n % 60), "") for n in range(1, count + 1)]
        self.confirmed = 0
        self.failure: str | None = None
        self.aside: list[int] = []
        self.full = False

    def state(self) -> TargetState:
        return TargetState(self.confirmed, self.failure, None)

    def after(self, number: int, limit: int) -> Sequence[AuditEntry]:
        return self.entries[number : number + limit]

    def confirm(self, number: int) -> int:
        if self.full:
            raise StorageFull("no room")
        self.confirmed, self.failure = max(self.confirmed, number), None
        return self.confirmed

    def failing(self, reason: str, at: str) -> None:
        self.failure = reason

    def set_aside(self, number: int, reason: str, at: str) -> None:
        self.aside.append(number)


class Repository:
    """A repository that is told what to do; `got` outlives connections."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.refuses: set[int] = set()
        self.breaks_at: set[int] = set()
        self.down = False
        self.sure = True
        self.closed = 0

    def connect(self) -> "Repository":
        if self.down:
            raise Unreachable("refused")
        self._last: int | None = None
        return self

    def send(self, entry: AuditEntry) -> None:
        number = entry.number or 0
        if number in self.breaks_at:
            self.breaks_at.remove(number)
            raise Unreachable("broken pipe")
        self._last = number
        if number in self.refuses:
            raise MessageRefused("HTTP 422")
        self.got.append(number)

    def flush(self) -> int | None:
        return self._last if self.sure else None

    def close(self) -> None:
        self.closed += 1


def sender(box: Box, repository: Repository) -> AuditSender:
    return AuditSender("main", box, repository.connect, lambda: "20260314100000")


def test_all_is_sent_in_order_in_bounded_turns() -> None:
    box, repository = Box(450), Repository()
    sending = sender(box, repository)
    pauses = [sending.turn() for _ in range(3)]
    assert repository.got == [*range(1, 451)]
    assert box.confirmed == 450
    assert pauses[:2] == [0.0, 0.0]
    assert pauses[2] > 0


def test_what_is_not_sure_is_sent_again() -> None:
    box, repository = Box(10), Repository()
    repository.sure = False
    repository.breaks_at = {8}
    sending = sender(box, repository)
    sending.turn()
    assert (box.confirmed, box.failure, repository.closed) == (0, "broken pipe", 1)
    repository.sure = True
    sending.turn()
    assert repository.got == [*range(1, 8), *range(1, 11)]
    assert (box.confirmed, box.failure) == (10, None)


def test_what_a_reset_let_go_of_is_not_sent() -> None:
    box, repository = Box(450), Repository()
    sending = sender(box, repository)
    sending.turn()
    box.confirmed = 440
    sending.turn()
    sending.turn()
    assert repository.got == [*range(1, 401), *range(441, 451)]
    assert box.confirmed == 450


def test_what_is_refused_is_set_aside_and_the_others_go_on() -> None:
    box, repository = Box(5), Repository()
    repository.refuses = {3, 5}
    sending = sender(box, repository)
    sending.turn()
    sending.turn()
    assert (repository.got, box.aside, box.confirmed) == ([1, 2, 4], [3, 5], 5)


def test_a_repository_that_is_down_is_asked_less_and_less(caplog: pytest.LogCaptureFixture) -> None:
    box, repository = Box(1), Repository()
    repository.down = True
    sending = sender(box, repository)
    assert [sending.turn() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [record.message for record in caplog.records] == ["audit repository not reachable"]
    repository.down = False
    sending.turn()
    assert box.confirmed == 1
    repository.breaks_at = {2}
    box.entries += Box(2).entries[1:]
    assert sending.turn() == 1


def test_a_place_that_cannot_be_kept_is_not_believed() -> None:
    box, repository = Box(3), Repository()
    box.full = True
    sending = sender(box, repository)
    with pytest.raises(StorageFull):
        sending.turn()
    box.full = False
    sending.turn()
    assert (repository.got, box.confirmed) == ([1, 2, 3, 1, 2, 3], 3)


class Book:
    """A book that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def take_up(self, limit: int) -> int:
        return 0

    def anchor(self, at: str, sign: Any) -> str | None:
        self.asked.append(("anchor", at))
        return "digest"

    def cut(self, before: str, at: str, sent: int | None, sign: Any) -> int:
        self.asked.append(("cut", before, sent))
        return 0


@pytest.mark.parametrize(
    ("days", "sent", "wanted"),
    [(None, [], []), (366, [], [("cut", "20250313100000", None)]), (1, [7, 5], [("cut", "20260313100000", 5)])],
)
def test_anchors_and_retention_are_due(days: int | None, sent: list[int], wanted: list[Any]) -> None:
    book, boxes = Book(), [Box() for _ in sent]
    for box, number in zip(boxes, sent, strict=True):
        box.confirmed = number
    policy = KeepingPolicy(anchor_seconds=600, retention_days=days, sign=None)
    keeper = AuditKeeper(book, boxes, policy, lambda: "20260314100000", 0.0)
    for moment in (0.0, 599.0, 600.0, 900.0, 1200.0):
        keeper.turn(moment)
    assert [each for each in book.asked if each[0] == "anchor"] == [("anchor", "20260314100000")] * 2
    assert [each for each in book.asked if each[0] == "cut"] == wanted


def test_days_before() -> None:
    assert days_before("20240301000000", 1) == "20240229000000"
