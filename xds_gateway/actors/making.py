"""On-demand documents made by a function that is not ours: in a thread of its own, within a time limit, to a spool."""

import logging
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore, Lock, Thread
from typing import BinaryIO, Final, NamedTuple

from ..model.errors import StorageBusy, StorageFull
from ..model.identifiers import PatientId
from ..model.messages import SpooledDocument
from ..model.metadata import DocumentEntry
from ..waiting import Gate
from .ports import DocumentStore, Spool

# What makes the document of an on-demand entry: its uniqueId, the entry, its patient -> the content and its mimeType,
# None for that of the entry (docs/on-demand.md).
OnDemandHook = Callable[[str, DocumentEntry, PatientId | None], tuple[bytes | BinaryIO, str | None]]

_CHUNK: Final = 1 << 20  # bytes read of a file at a time
_log = logging.getLogger("xds_gateway.on_demand")


class MadeDocument(NamedTuple):
    """A document on the spool: keep it, or discard `spool`."""

    spooled: SpooledDocument
    spool: Spool
    mime_type: str


class NotMade(Exception):
    """There is no document; `rule` names the row that says why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class DocumentMaker:
    """Calls the hook of a domain; at most `at_once` of its calls run in this process, each for `seconds` at most.

    Python ends no thread: a call that takes longer is left alone, counts until it returns, and its document is dropped.
    """

    def __init__(self, hook: OnDemandHook, documents: DocumentStore, *, seconds: float, at_once: int) -> None:
        self._hook: Final = hook
        self._documents: Final = documents
        self._seconds: Final = seconds
        self._room: Final = BoundedSemaphore(at_once)

    def make(self, unique_id: str, entry: DocumentEntry, patient: PatientId | None) -> MadeDocument:
        """The document as it is now. Raises NotMade, StorageFull, StorageBusy."""
        if not self._room.acquire(blocking=False):
            raise NotMade("ihe.repository.busy")
        job = _Job()
        thread = Thread(target=self._work, args=(job, unique_id, entry, patient), name="on_demand", daemon=True)
        try:
            thread.start()
        except RuntimeError as none_left:
            self._room.release()
            raise NotMade("ihe.repository.busy") from none_left
        outcome = job.wait(self._seconds)
        if outcome is None:
            _log.error("on-demand document not made in time", extra={"seconds": self._seconds})
            raise NotMade("ihe.onDemand.time")
        if isinstance(outcome, MadeDocument):
            return outcome
        raise outcome

    def _work(self, job: "_Job", unique_id: str, entry: DocumentEntry, patient: PatientId | None) -> None:
        try:
            job.settle(self._made(job, unique_id, entry, patient))
        except (StorageFull, StorageBusy) as failure:
            job.settle(failure)
        except BaseException as failure:  # noqa: BLE001 - the hook is not ours, whatever it raises is its failure
            _log.error("on-demand document not made", exc_info=failure)
            job.settle(NotMade("ihe.onDemand.failed"))
        finally:
            self._room.release()

    def _made(self, job: "_Job", unique_id: str, entry: DocumentEntry, patient: PatientId | None) -> MadeDocument:
        content, mime_type = self._hook(unique_id, entry, patient)
        try:
            return self._spooled(job, content, mime_type or entry.mime_type or "application/octet-stream")
        finally:
            if not isinstance(content, bytes):
                content.close()

    def _spooled(self, job: "_Job", content: bytes | BinaryIO, mime_type: str) -> MadeDocument:
        spool = self._documents.spool()
        try:
            for chunk in _chunks(content):
                if job.abandoned:
                    break
                spool.write(chunk)
            return MadeDocument(spool.finish(), spool, mime_type)
        except BaseException:
            spool.discard()
            raise


def _chunks(content: bytes | BinaryIO) -> Iterator[bytes]:
    """Content piece by piece. Raises TypeError for what is neither bytes nor a binary file."""
    if isinstance(content, bytes):
        yield content
        return
    while chunk := content.read(_CHUNK):
        if not isinstance(chunk, bytes):
            raise TypeError(f"the file of an on-demand document gives {type(chunk).__name__} instead of bytes")
        yield chunk


class _Job:
    """One call of the hook: its outcome goes to whoever waits, or nowhere when nobody does any more."""

    def __init__(self) -> None:
        self._mutex: Final = Lock()
        self._done: Final = Gate()  # the caller makes the job and waits here
        self._outcome: MadeDocument | Exception | None = None
        self.abandoned = False

    def wait(self, seconds: float) -> MadeDocument | Exception | None:
        """The outcome, None when it took longer."""
        self._done.wait(seconds)
        with self._mutex:
            self.abandoned = self._outcome is None
            return self._outcome

    def settle(self, outcome: MadeDocument | Exception) -> None:
        """Tell the outcome; a document that nobody waits for is discarded."""
        with self._mutex:
            if not self.abandoned:
                self._outcome = outcome
                self._done.open()
            elif isinstance(outcome, MadeDocument):
                outcome.spool.discard()
