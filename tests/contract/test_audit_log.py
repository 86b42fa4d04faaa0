"""The audit as one sequence: each event once, in the order of time, whatever is read or killed meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.audits import Audit, event_at, open_audit_in
from tests.unit.builders import OTHER_PATIENT, PATIENT
from xds_gateway.actors.audit_ports import Selection
from xds_gateway.model.messages import AuditEvent
from xds_gateway.model.principal import User

DOCTOR = User(name_id="jd", issuer="https://idp", assertion_id="_1", name="Jeanne Durand")


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    with open_audit_in(tmp_path) as opened:
        yield opened


def listed(audit: Audit, **wanted: object) -> list[AuditEvent]:
    return [entry.event for entry in audit.audit.log.selected(Selection(**wanted))]  # type: ignore[arg-type]


def numbers(audit: Audit) -> list[int | None]:
    return [entry.number for entry in audit.audit.log.selected(Selection())]


@pytest.mark.parametrize("taken_up", [True, False])
def test_rows_and_lines_are_one_sequence_in_time(audit: Audit, taken_up: bool) -> None:
    events = [event_at(second) for second in range(20)]
    for number, event in enumerate(events):
        (audit.write if number % 3 else audit.read)(event)
    if taken_up:
        audit.take_up()
    assert listed(audit) == events
    assert numbers(audit) == [*range(1, 21)] if taken_up else [None] * 20


def test_each_event_has_one_number_and_one_id_for_good(audit: Audit) -> None:
    audit.write(*map(event_at, range(5)))
    audit.read(*map(event_at, range(5, 10)))
    before = {entry.event: entry.id for entry in audit.audit.log.selected(Selection())}
    audit.take_up()
    audit.read(event_at(10))
    audit.take_up()
    audit.take_up()
    after = {entry.event: entry.id for entry in audit.audit.log.selected(Selection())}
    assert numbers(audit) == [*range(1, 12)]
    assert len(set(after.values())) == 11
    assert before.items() <= after.items()


def test_a_turn_takes_what_it_may_and_keeps_the_order(audit: Audit) -> None:
    for second in range(0, 40, 2):
        audit.read(event_at(second))
        audit.write(event_at(second + 1))
    taken = []
    while count := audit.audit.book.take_up(7):
        taken.append(count)
    assert sum(taken) == 40
    assert max(taken) <= 14
    assert listed(audit) == [event_at(second) for second in range(40)]


def test_a_clock_that_steps_back_loses_nothing(audit: Audit) -> None:
    audit.read(*(event_at(second) for second in (50, 51, 10, 11, 52)))
    audit.write(*(event_at(second) for second in (30, 5)))
    while audit.audit.book.take_up(2):
        pass
    assert sorted(event.at for event in listed(audit)) == sorted(event_at(s).at for s in (50, 51, 10, 11, 52, 30, 5))


def test_what_a_crash_left_is_not_an_event(audit: Audit) -> None:
    audit.read(event_at(1))
    with audit.segments[0].open("r+b") as segment:
        segment.seek(segment.read().index(b"\0"))
        segment.write(b'{"at":"torn')
    audit.take_up()
    assert listed(audit) == [event_at(1)]
    assert audit.problems() == []


@pytest.mark.parametrize("taken_up", [True, False])
@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"patients": (OTHER_PATIENT,)}, [2, 3]),
        ({"patients": (OTHER_PATIENT, PATIENT)}, [0, 1, 2, 3, 4]),
        ({"since": event_at(2).at}, [2, 3, 4]),
        ({"until": event_at(2).at}, [0, 1]),
        ({"transaction": "ITI-18"}, [1]),
        ({"outcome": "failure"}, [4]),
        ({"user": "durand"}, [3]),
        ({"user": "jd@https://idp"}, [3]),
        ({"domain": "nowhere"}, []),
        ({"patients": (OTHER_PATIENT,), "since": event_at(3).at}, [3]),
    ],
)
def test_a_selection(audit: Audit, taken_up: bool, wanted: dict[str, object], seconds: list[int]) -> None:
    events = [
        event_at(0),
        event_at(1, transaction="ITI-18"),
        event_at(2, patient_ids=(OTHER_PATIENT,)),
        event_at(3, patient_ids=(PATIENT, OTHER_PATIENT.replace("&1.3", "NAME&1.3")), user=DOCTOR),
        event_at(4, outcome="failure"),
    ]
    audit.write(*events[:3])
    audit.read(*events[3:])
    if taken_up:
        audit.take_up()
    assert listed(audit, **wanted) == [events[second] for second in seconds]


def test_events_of_other_releases_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "journal"
    folder.mkdir(parents=True)
    old = '{"at":"20260101000000","transaction":"ITI-18","outcome":"success","node":"n","address":"a","domain":"main",'
    (folder / "main-0-00000001.jsonl").write_text(f'{old}"message_id":"m","query":"urn:uuid:1 LeafClass []"}}\n')
    with open_audit_in(tmp_path) as audit:
        audit.anchor()
        (event,) = listed(audit)
        assert (event.at, event.note) == ("20260101000000", "urn:uuid:1 LeafClass []")
        assert audit.problems() == []


def test_the_next_events_of_an_outbox(audit: Audit) -> None:
    audit.read(*map(event_at, range(6)))
    audit.take_up()
    first, second = (audit.audit.outbox(name) for name in ("one", "two"))
    assert first.state() == (0, None, None)
    assert [entry.event for entry in first.after(0, 4)] == [event_at(second) for second in range(4)]
    first.confirm(4)
    first.failing("closed", "20260314100000")
    first.failing("refused", "20260314100100")
    assert (first.state(), second.state().entry) == ((4, "refused", "20260314100000"), 0)
    assert [entry.event for entry in first.after(4, 4)] == [event_at(4), event_at(5)]
    assert first.confirm(6) == 6
    assert first.state() == (6, None, None)
    assert first.confirm(5) == 6  # a reset has gone further
    assert first.state().entry == 6
