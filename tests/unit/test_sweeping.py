"""What is swept: removals that were interrupted and old orphans, again and again, whatever fails meanwhile."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.builders import REPOSITORY, make_entry, make_submission
from tests.unit.domains import make_call, open_domain
from xds_gateway import serving
from xds_gateway.model.errors import StorageBusy
from xds_gateway.model.messages import ProvideRequest
from xds_gateway.wiring import Gateway


def test_a_sweep_finishes_removals_and_deletes_old_orphans(tmp_path: Path) -> None:
    with open_domain(tmp_path) as domain:
        submission = make_submission()
        request = ProvideRequest(submission=submission, parts=())
        domain.repository.provide(make_call("ITI-41"), request, domain.spool_all(submission))
        domain.storage.documents.keep([domain.spool(b"old orphan")])
        (orphan,) = (p for p in (tmp_path / "data" / "documents").glob("??/??/*") if p.read_bytes() == b"old orphan")
        os.utime(orphan, (0, 0))
        domain.storage.documents.keep([domain.spool(b"young orphan")])
        unique_id = make_entry(1).unique_id or ""
        domain.storage.registry.write(lambda t: t.detach_documents(REPOSITORY, [unique_id]))
        nothing: Any = None
        gateway = Gateway(nothing, nothing, {}, {"main": domain.storage}, nothing, (), nothing, nothing, nothing, ())
        assert gateway.sweep(3600) == 2
        assert domain.documents() == [b"young orphan"]
        assert gateway.sweep(3600) == 0


def test_a_sweep_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(serving, "_SWEEP_SECONDS", 0)
    turns: list[float] = []

    async def sweeping() -> None:
        swept = asyncio.Event()

        async def run(sweep: Any, older_than: float) -> int:
            turns.append(older_than)
            if len(turns) == 1:
                raise StorageBusy("database: locked")
            if len(turns) == 3:
                swept.set()
            return len(turns) - 2

        task = asyncio.create_task(serving._sweep(lambda seconds: 0, run))
        await swept.wait()
        await asyncio.sleep(0)
        task.cancel()

    with caplog.at_level("INFO"):
        asyncio.run(sweeping())
    assert [record.getMessage() for record in caplog.records if record.name == "xds_gateway.serving"][:2] == [
        "sweep failed",
        "swept documents that no entry names",
    ]
