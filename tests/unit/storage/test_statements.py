"""Statements use indexes: no query scans a table that grows with the registry."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.submissions import url_of
from xds_gateway.storage import statements as sql
from xds_gateway.storage.database import connect, migrate

SIZES = (1, 8, 0)
SHAPES = (
    sql.EntryShape(statuses=1, object_types=1),
    sql.EntryShape(statuses=2, object_types=None, hidden=1),
    *(sql.EntryShape(statuses=1, object_types=2, codes=((name, size),)) for name in sql.CODE_COLUMNS for size in SIZES),
    *(
        sql.EntryShape(statuses=1, object_types=1, times=((name, start, stop),))
        for name in sql.TIME_COLUMNS
        for start, stop in ((True, False), (False, True), (True, True))
    ),
    sql.EntryShape(statuses=1, object_types=1, author_person=True),
    sql.EntryShape(statuses=1, object_types=1, code_lists=2),
    sql.EntryShape(
        statuses=0,
        object_types=0,
        codes=tuple((name, 0) for name in sql.CODE_COLUMNS),
        code_lists=2,
        times=tuple((name, True, True) for name in sql.TIME_COLUMNS),
        author_person=True,
        hidden=0,
    ),
)
KEY_SHAPES = tuple(sql.KeyShape(keys=keys, hidden=hidden) for keys in (1, 8, 512) for hidden in (None, 1, 0))
STATEMENTS = (
    *(sql.find_documents(shape) for shape in SHAPES),
    *(
        build(shape)
        for build in (sql.entries_by_uuid, sql.entries_by_unique_id, sql.entries_by_id, sql.documents)
        for shape in KEY_SHAPES
    ),
    *(sql.associations_of(end, size) for end in ("source", "target") for size in SIZES),
    *(build(keys) for build in (sql.objects, sql.unique_ids) for keys in (1, 8, 512)),
    *sql.KNOWN.values(),
    *sql.SET_STATUS.values(),
    sql.PATIENT,
    sql.PATIENT_BY_ID,
    sql.DEPENDENTS,
    sql.FOLDERS_OF,
    sql.CLAIM_OBJECT,
    sql.END,
    sql.SET_DOCUMENT,
    sql.TOUCH_FOLDER,
    sql.DOCUMENT_KEY,
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder: Path = tmp_path_factory.mktemp("plans")
    migrate(url_of(folder))
    opened = connect(url_of(folder), wait_seconds=1)
    yield opened
    opened.close()


@pytest.mark.parametrize("statement", dict.fromkeys(STATEMENTS))
def test_no_statement_scans_a_growing_table(connection: sqlite3.Connection, statement: str) -> None:
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))]
    scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert plan
    assert scans == []


@pytest.mark.parametrize("shape", SHAPES)
def test_find_documents_needs_no_sorting(connection: sqlite3.Connection, shape: sql.EntryShape) -> None:
    statement = sql.find_documents(shape)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))]
    assert "SEARCH e USING INDEX ix_document_entry_patient (patient=?)" in plan
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 1), (2, 2), (3, 4), (64, 64), (65, 0), (5000, 0)])
def test_lists_have_few_sizes(count: int, size: int) -> None:
    assert sql.inline_size(count) == size


@pytest.mark.parametrize("count", [1, 2, 3, 5, 511, 512])
def test_keys_are_padded_with_null(count: int) -> None:
    keys = sql.padded(list(range(count)))
    assert (len(keys) & (len(keys) - 1), keys[:count], set(keys[count:]) <= {None}) == (0, list(range(count)), True)
