"""What goes on beside the requests of a process: files of certificates are watched, refused nodes are told."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..actors.node_authentication import NODE_AUTHENTICATION, Failure, NodeFailures
from ..actors.ports import AccessJournal
from ..model.errors import GatewayError
from ..model.nodes import NodeReason
from .live_files import Ending, LiveFiles, Loaded, ending_soon
from .receiving import Run

_log = logging.getLogger("xds_gateway.tls")
_TELL_SECONDS: Final = 1.0
_DAY: Final = 86_400.0


class FailureTeller:
    """Writes refused nodes and messages that were not read to the journal, together and at most once a second."""

    def __init__(self, failures: NodeFailures, journal: AccessJournal, run: Run) -> None:
        """`run` calls a function that may wait for a disk."""
        self._failures: Final = failures
        self._journal: Final = journal
        self._run: Final = run

    def note(self, reason: NodeReason, address: str, node: str | None) -> None:
        """A node was refused; only counted here."""
        self.count(Failure(reason, address, node))

    def count(self, failure: Failure) -> None:
        """A node was refused, or a message; only counted here, by the thread of the loop."""
        self._failures.count(failure)

    async def tell(self) -> None:
        """Go on until cancelled; what is left then is for `finish`."""
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            await self._write(self._failures.due(time.monotonic()))

    async def finish(self) -> None:
        """Write what was not told yet."""
        await self._write(self._failures.rest())

    async def _write(self, due: Iterable[tuple[Failure, int]]) -> None:
        failures = list(due)
        for failure, times in failures:
            told = {"reason": failure.reason, "address": failure.address, "times": times}
            _log.warning("node refused" if failure.transaction == NODE_AUTHENTICATION else "not read", extra=told)
        if not failures:
            return
        try:
            await self._run(self._journal.record, *(self._failures.event(*each) for each in failures))
        except GatewayError as unrecorded:  # nobody was let in; it is tried again with the next
            _log.error("refused nodes not in the journal", exc_info=unrecorded, extra={"nodes": len(failures)})
            for failure, times in failures:
                self._failures.count(failure, times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnings:
    """How many days before their end certificates, and revocation lists, are warned of."""

    certificates: float
    lists: float


class FileWatch:
    """Reads changed files of certificates again, and ends connections of callers that are trusted no more."""

    def __init__(
        self,
        files: Sequence[LiveFiles[Loaded]],
        rechecks: Sequence[Callable[[], None]],
        *,
        run: Run,
        now: Callable[[], datetime],
        seconds: float,
        warnings: Warnings | None,
    ) -> None:
        """`run` calls what reads files, apart from the loop; without `warnings` another process warns."""
        self._files: Final = files
        self._rechecks: Final = rechecks
        self._run: Final = run
        self._now: Final = now
        self._seconds: Final = seconds
        self._warnings: Final = warnings
        self._asked: Final = asyncio.Event()
        self._warn_at = 0.0

    def ask(self) -> None:
        """Read all files now, changed or not (SIGHUP)."""
        for each in self._files:
            each.forget()
        self._warn_at = 0.0
        self._asked.set()

    async def watch(self) -> None:
        """Go on until cancelled."""
        while True:
            self._warn()
            try:
                async with asyncio.timeout(self._seconds):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            for each in self._files:
                if await self._run(each.refresh):
                    self._warn_at = 0.0
            for recheck in self._rechecks:  # also when no file has changed: certificates and lists end
                recheck()

    def _warn(self) -> None:
        """Tell what ends soon, once a day and after each change."""
        if self._warnings is None or time.monotonic() < self._warn_at:
            return
        self._warn_at = time.monotonic() + _DAY
        for each in self._files:
            warn(each.place, each.current.endings, self._warnings, self._now())


def warn(place: str, endings: Iterable[Ending], warnings: Warnings, now: datetime) -> None:
    """Tell what ends soon, or has ended."""
    for ending in endings:
        days = warnings.lists if ending.what == "revocation list" else warnings.certificates
        for _, left in ending_soon([ending], now, days):
            told = {"place": place, "what": ending.what, "file": str(ending.path), "until": ending.until.isoformat()}
            if left < 0:
                _log.error("has ended", extra=told)
            else:
                _log.warning("ends soon", extra={**told, "days": round(left, 1)})
