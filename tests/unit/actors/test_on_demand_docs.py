"""The function that docs/on-demand.md shows, as it stands there."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.documents import CHECKOUT, blocks
from tests.unit.actors.test_on_demand import making
from tests.unit.actors.test_repository import asked, content, retrieve
from tests.unit.builders import PATIENT


@pytest.fixture
def documented() -> Any:
    (code,) = blocks(CHECKOUT / "docs" / "on-demand.md", "python")
    module: dict[str, Any] = {}
    exec(compile(code, "measurements.py", "exec"), module)
    return module["make"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [(PATIENT, "2026-03-01", "weight", "70 kg"), (PATIENT, "2026-03-14", "weight", "69 kg"), ("x", "", "", "")],
            [b"2026-03-14  weight: 69 kg\n2026-03-01  weight: 70 kg\n"],
        ),
        ([], []),
    ],
)  # fmt: skip
def test_the_documented_function_makes_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, documented: Any, rows: list[Any], expected: list[bytes]
) -> None:
    monkeypatch.setenv("MEASUREMENTS", str(tmp_path / "measurements"))
    with closing(sqlite3.connect(tmp_path / "measurements")) as database:
        database.execute("CREATE TABLE measurement (patient TEXT, taken TEXT, name TEXT, value TEXT)")
        database.executemany("INSERT INTO measurement VALUES (?, ?, ?, ?)", rows)
        database.commit()
    with making(tmp_path, documented, persistent=True) as domain:
        response = retrieve(domain, asked(1))
        assert content(domain, response) == expected
        assert [f.rule for f in response.findings] == ([] if expected else ["ihe.onDemand.failed"])
