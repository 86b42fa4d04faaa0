"""Failed authentications are told soon, and many at a bounded cost."""

from xds_gateway.actors.node_authentication import SEVERAL, Failure, NodeFailures
from xds_gateway.model.nodes import NodeReason

ONE = Failure(NodeReason.REVOKED, "192.0.2.1", "CN=One")
OTHER = Failure(NodeReason.EXPIRED, "192.0.2.1", None)


def make_failures(**changes):
    return NodeFailures(**{"now": lambda: "20260102030405", "new_uuid": lambda: "urn:uuid:1", **changes})


def test_the_first_is_told_at_once_and_the_others_once_a_minute_with_their_count():
    failures = make_failures()
    failures.count(ONE)
    assert list(failures.due(0.0)) == [(ONE, 1)]
    for _ in range(1000):
        failures.count(ONE)
    assert list(failures.due(1.0)) == []
    assert list(failures.due(59.0)) == []
    assert list(failures.due(60.0)) == [(ONE, 1000)]
    assert list(failures.due(120.0)) == []


def test_different_ones_are_told_apart():
    failures = make_failures()
    failures.count(ONE)
    failures.count(OTHER, 2)
    assert list(failures.due(0.0)) == [(ONE, 1), (OTHER, 2)]


def test_beyond_a_number_they_are_told_together():
    failures = make_failures(most=10)
    for number in range(1000):
        failures.count(Failure(NodeReason.PLAIN_TEXT, f"192.0.2.{number}", None))
    told = list(failures.due(0.0))
    assert len(told) == 11
    assert told[-1] == (Failure(NodeReason.PLAIN_TEXT, SEVERAL, None), 990)


def test_room_comes_back_when_a_window_is_over():
    failures = make_failures(most=1)
    failures.count(ONE)
    assert list(failures.due(0.0)) == [(ONE, 1)]
    assert list(failures.due(60.0)) == []
    failures.count(OTHER)
    assert list(failures.due(61.0)) == [(OTHER, 1)]


def test_what_is_left_is_told_at_the_end():
    failures = make_failures()
    failures.count(ONE)
    assert list(failures.due(0.0)) == [(ONE, 1)]
    failures.count(ONE, 3)
    assert list(failures.rest()) == [(ONE, 3)]
    assert list(failures.rest()) == []


def test_the_event_says_who_from_where_and_why():
    event = make_failures().event(ONE, 12)
    assert (event.transaction, event.outcome, event.codes) == ("node-authentication", "failure", ("revoked",))
    assert (event.node, event.address, event.domain, event.objects) == ("CN=One", "192.0.2.1", "", ("12 times",))
    assert make_failures().event(OTHER, 1)[3:5] == ("unknown", "192.0.2.1")
    assert make_failures().event(OTHER, 1).objects == ()
