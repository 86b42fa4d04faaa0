"""What is changed, removed, put in or moved in the audit is found, and where."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.audits import Audit, event_at, open_audit_in, sign
from xds_gateway.security.anchors import verify_anchor
from xds_gateway.storage.chains import chained, follow, parse_chained, seed
from xds_gateway.storage.events import event_json

LINE = len(event_json(event_at(0)).encode()) + 77  # all lines of these tests are as long


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    """Ten rows and ten lines, anchored twice, then one more of each."""
    with open_audit_in(tmp_path) as opened:
        for start in (0, 5):
            opened.write(*map(event_at, range(10 + start, 15 + start)))
            opened.read(*map(event_at, range(10 + start, 15 + start)))
            opened.anchor(f"202603141000{start:02}")
        opened.write(event_at(20))
        opened.read(event_at(20))
        yield opened


def test_an_audit_that_nobody_touched(audit: Audit) -> None:
    verification = audit.verification()
    assert list(verification.problems()) == []
    assert (verification.events, verification.anchored) == (22, 20)
    assert (verification.anchors, verification.last_anchor) == (2, "20260314100005")


def rewritten(change: Callable[[list[bytes]], None]) -> Callable[[Audit], None]:
    """Change the lines of the segment."""

    def act(audit: Audit) -> None:
        (segment,) = audit.segments
        lines = segment.read_bytes().rstrip(b"\0").splitlines(keepends=True)
        change(lines)
        segment.write_bytes(b"".join(lines))

    return act


def forged(lines: list[bytes]) -> None:
    """Somebody who knows the chain leaves a line out and makes all digests anew."""
    del lines[3]
    chain = seed(SEGMENT)
    for number, line in enumerate(lines):
        event, _ = parse_chained(line)
        chain = follow(chain, event)
        lines[number] = chained(event, chain)


def swapped(lines: list[bytes]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def replaced(lines: list[bytes]) -> None:
    lines[4] = lines[4].replace(b"ITI-42", b"ITI-18")


def cut(lines: list[bytes]) -> None:
    del lines[7:]


def unchained(lines: list[bytes]) -> None:
    event, _ = parse_chained(lines[4])
    lines[4] = event + b"\n"


def sql(*statements: str) -> Callable[[Audit], None]:
    def act(audit: Audit) -> None:
        for statement in statements:
            audit.change(statement)

    return act


def removed_segment(audit: Audit) -> None:
    os.unlink(audit.segments[0])


CHANGED = "It does not follow from the event before it"
SWAPPED = tuple(f"UPDATE audit_event SET id = {new} WHERE id = {old}" for old, new in ((4, -4), (5, 4), (-4, 5)))
COPY = "SELECT domain, event, chain FROM audit_event WHERE id = 4"
OTHER = "event = replace(event, 'ITI-42', 'ITI-18')"
LATER = "content = replace(content, '202603', '202604')"
SEGMENT = "w1-00000001.jsonl"


@pytest.mark.parametrize(
    ("act", "place", "sentence"),
    [
        (sql(f"UPDATE audit_event SET {OTHER} WHERE id = 4"), "audit_event row 4", CHANGED),
        (sql("DELETE FROM audit_event WHERE id = 4"), "audit_event row 5", CHANGED),
        (sql("DELETE FROM audit_event WHERE id > 8"), "audit_event row 8", "The end is missing, 2 events: anchor 2"),
        (sql("DELETE FROM audit_event"), "audit_event row 0", "The end is missing, 10 events"),
        (sql(*SWAPPED), "audit_event row 4", CHANGED),
        (sql(f"INSERT INTO audit_event (domain, event, chain) {COPY}"), "audit_event row 12", CHANGED),
        (rewritten(replaced), f"{SEGMENT} byte {4 * LINE}", CHANGED),
        (rewritten(unchained), f"{SEGMENT} byte {4 * LINE}", CHANGED),
        (rewritten(swapped), f"{SEGMENT} byte {2 * LINE}", CHANGED),
        (rewritten(lambda lines: lines.pop(3)), f"{SEGMENT} byte {3 * LINE}", CHANGED),
        (rewritten(lambda lines: lines.insert(3, lines[3])), f"{SEGMENT} byte {4 * LINE}", CHANGED),
        (rewritten(cut), f"{SEGMENT} byte {7 * LINE}", "The end is missing, 3"),
        (rewritten(forged), f"{SEGMENT} byte {5 * LINE}", "not what anchor 1 of 20260314100000 has"),
        (removed_segment, SEGMENT, "The whole segment is missing."),
        (sql(f"UPDATE audit_anchor SET {LATER} WHERE id = 2"), "anchor 2", "its signature"),
        (sql("UPDATE audit_anchor SET signature = NULL WHERE id = 1"), "anchor 1", "it is not signed"),
        (sql("DELETE FROM audit_anchor WHERE id = 1"), "anchor 2", "It does not follow from the one before it"),
        (sql("UPDATE audit_anchor SET id = 7 WHERE id = 2"), "anchor 7", "It does not follow"),
    ],
)
def test_what_was_done_to_it_is_found(audit: Audit, act: Callable[[Audit], None], place: str, sentence: str) -> None:
    act(audit)
    problems = audit.problems()
    assert any(found.place == place and sentence in found.sentence for found in problems), problems


@pytest.mark.parametrize("which", ["rows", "lines"])
def test_one_change_is_one_problem(audit: Audit, which: str) -> None:
    if which == "rows":
        audit.change("UPDATE audit_event SET event = event || ' ' WHERE id = 2")
    else:
        rewritten(replaced)(audit)
    assert len(audit.problems()) == 1


def test_without_a_key_the_chain_of_anchors_still_tells(audit: Audit) -> None:
    audit.change("UPDATE audit_anchor SET content = replace(content, '20260314100000', '20260314100001') WHERE id = 1")
    verification = audit.audit.verification(lambda content, signature: verify_anchor(content, signature, []))
    assert [found.place for found in verification.problems()] == ["anchor 2"]


def test_an_anchor_is_made_only_when_something_is_new(audit: Audit) -> None:
    assert audit.anchor() is not None
    assert audit.anchor() is None
    assert audit.problems() == []


# -- retention


def test_retention_cuts_at_an_anchor_and_leaves_a_chain_that_verifies(tmp_path: Path) -> None:
    with open_audit_in(tmp_path) as audit:
        audit.write(*map(event_at, range(5)))
        audit.read(*map(event_at, range(5)))
        audit.anchor("20260314100000")
    with open_audit_in(tmp_path) as audit:  # another run has a segment of its own
        audit.write(*map(event_at, range(5, 8)))
        audit.read(*map(event_at, range(5, 8)))
        audit.anchor("20260314110000")
        assert audit.audit.book.cut("20260314100000", "20260501000000", None, sign) == 0  # nothing is older
        assert audit.audit.book.cut("20260314103000", "20260501000000", 9, sign) == 0  # not all is sent
        assert audit.audit.book.cut("20260314103000", "20260501000000", 10, sign) == 10
        assert [segment.name for segment in audit.segments] == ["w1-00000002.jsonl"]
        assert [found for (found,) in audit.rows("SELECT id FROM audit_event")] == [6, 7, 8]
        assert audit.rows("SELECT count(*), min(entry) FROM audit_patient") == [(6, 11)]
        assert audit.audit.book.cut("20260314103000", "20260501000000", None, sign) == 0
        verification = audit.verification()
        assert list(verification.problems()) == []
        assert (verification.events, verification.anchored) == (6, 6)
        audit.write(event_at(9))
        audit.anchor()
        assert audit.problems() == []
        audit.change("DELETE FROM audit_event WHERE id = 6")
        assert [found.place for found in audit.problems()] == ["audit_event row 7"]


def test_the_newest_row_and_a_segment_in_use_stay(tmp_path: Path) -> None:
    with open_audit_in(tmp_path) as audit:
        audit.write(event_at(1), event_at(2))
        audit.read(event_at(1))
        audit.anchor("20260314100000")
        assert audit.audit.book.cut("20270101000000", "20270101000000", None, sign) == 1
        assert len(audit.segments) == 1
        assert [found for (found,) in audit.rows("SELECT id FROM audit_event")] == [2]
        assert audit.problems() == []


def test_a_cut_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    with open_audit_in(tmp_path) as audit:
        audit.write(*map(event_at, range(5)))
        audit.read(event_at(1))
        audit.anchor("20260314100000")
    with open_audit_in(tmp_path) as audit:
        book = audit.audit.book
        audit.audit.writer.write(lambda connection: book._announce(connection, 6, "20270101000000", sign))
        assert audit.problems() == []
        assert book.cut("20270101000000", "20270101000000", None, sign) == 5
        assert audit.problems() == []
