"""The journal gives the ids of the first run to every later one, whatever stopped the first."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xds_gateway.client import Misconfigured, SubmittedEntry
from xds_gateway.client.journal import KEPT, Journal
from xds_gateway.client.submission import SubmissionIds


def make_ids(name: str) -> SubmissionIds:
    entry = SubmittedEntry(f"urn:uuid:{name}", "1.2.3", 7, "ab")
    return SubmissionIds(f"urn:uuid:set-{name}", "1.2.4", "20240506070809", (entry, entry))


def test_the_first_claim_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal")
    assert journal.claim("key", make_ids("first")) == (make_ids("first"), False)
    assert journal.claim("key", make_ids("second")) == (make_ids("first"), True)
    assert journal.claim("other", make_ids("third")) == (make_ids("third"), False)


def test_a_later_process_reads_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    Journal(tmp_path).claim("key", make_ids("first"))
    assert Journal(tmp_path).claim("key", make_ids("second")) == (make_ids("first"), True)


def test_the_outcome_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    ids, _ = journal.claim("key", make_ids("first"))
    assert journal.read("key").outcome is None
    journal.finish("key", ids, "accepted")
    assert journal.read("key") == (make_ids("first"), "accepted")
    assert json.loads((tmp_path / "key.json").read_text())["state"] == "done"


def test_no_temporary_files_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.claim("key", make_ids("first"))
    journal.claim("key", make_ids("second"))
    journal.finish("key", make_ids("first"), "accepted")
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


def test_finished_records_are_deleted_after_their_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for key, outcome in (("done", "accepted"), ("recent", "accepted"), ("unfinished", None)):
        ids, _ = journal.claim(key, make_ids(key))
        if outcome:
            journal.finish(key, ids, outcome)
    now = datetime.now(UTC)
    old = (now - KEPT).timestamp() - 1
    for name in ("unreadable.json", ".left.behind.new"):
        (tmp_path / name).write_text("")
    for name in ("done.json", "unfinished.json", "unreadable.json", ".left.behind.new"):
        os.utime(tmp_path / name, (old, old))
    journal.prune(now)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [".pruned", "recent.json", "unfinished.json", "unreadable.json"]


def test_records_are_looked_through_once_a_day(tmp_path: Path) -> None:
    journal, now = Journal(tmp_path), datetime.now(UTC)
    journal.prune(now)
    ids, _ = journal.claim("done", make_ids("done"))
    journal.finish("done", ids, "accepted")
    os.utime(tmp_path / "done.json", (0, 0))
    journal.prune(now)
    assert (tmp_path / "done.json").exists()
    journal.prune(now + timedelta(days=2))
    assert not (tmp_path / "done.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 99}'])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(Misconfigured, match=r"key\.json"):
        Journal(tmp_path).claim("key", make_ids("first"))


def test_a_journal_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="journal folder"):
        Journal(tmp_path / "file" / "journal")
