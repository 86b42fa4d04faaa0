"""The demonstration: what practice software does all day, once, and one mistake on purpose.

Nothing is printed here: the caller draws the progress and the report.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from ..model.datatypes import Code
from .errors import Fault, Refused, RegistryError
from .files import read_document
from .gateway import Gateway
from .samples import SOURCE_ID, USER, make_sample, make_samples, patient_id
from .submission import make_oid, open_content, read_digest
from .values import DocumentSummary, DocumentToSubmit, SubmissionResult

_PATIENTS: Final = 3
_SAMPLES: Final = 12


class DemoStep(str, Enum):
    """What the demonstration is doing."""

    SUBMIT = "submit"
    FIND = "find"
    RETRIEVE = "retrieve"
    REPLACE = "replace"
    REFUSE = "refuse"
    NAMELESS = "nameless"
    DENY = "deny"


class DemoProgress(NamedTuple):
    """`done` of `total` things of a step are done; `label` names the last one."""

    step: DemoStep
    done: int
    total: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDocument:
    """One document that went there and back; times in seconds."""

    label: str
    mime_type: str
    size: int
    entry_uuid: str
    submit_seconds: float
    retrieve_seconds: float
    identical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReplacement:
    """A document and the one that took its place, with their statuses afterwards."""

    label: str
    old_uuid: str
    old_status: str
    new_uuid: str
    new_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What happened; `problems` are sentences about what did not go as it should, none when all went well.

    `nameless` is the fault that a call without assertion got, `denied` what a user was told whom no row of the access
    matrix permits; None when no such call was made.
    """

    patient_ids: tuple[str, ...]
    documents: tuple[DemoDocument, ...]
    found: int
    find_seconds: float
    replacement: DemoReplacement
    refusal: tuple[RegistryError, ...]
    nameless: str | None
    denied: tuple[RegistryError, ...] | None
    seconds: float
    problems: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all documents."""
        return sum(document.size for document in self.documents)


def _ignore(progress: DemoProgress) -> None:
    """Draw nothing."""


def demo_documents(examples: Path | None) -> tuple[DocumentToSubmit, ...]:
    """The CDA examples of a folder, with what their headers lack filled in; samples of our own where there are none.

    The first one is also by the user of throw-away assertions, who may replace it.
    """
    paths = sorted(examples.glob("*.xml")) if examples else []
    filler = make_sample().metadata
    read = [read_document(path) for path in paths]
    first, *others = [changed(d, metadata=d.metadata.filled_from(filler)) for d in read] or make_samples(_SAMPLES)
    own = changed(first.metadata, authors=(*first.metadata.authors, USER))
    return changed(first, metadata=own), *others


def run_demo(
    gateway: Gateway,
    documents: Sequence[DocumentToSubmit],
    *,
    patient_prefix: str,
    folder: Path,
    nameless: Gateway | None = None,
    denied: Gateway | None = None,
    progress: Callable[[DemoProgress], None] = _ignore,
    new_uuid: Callable[[], UUID] = uuid4,
    timer: Callable[[], float] = time.perf_counter,
) -> DemoReport:
    """Submit, find, retrieve and compare the documents; replace one; have a wrong one refused.

    `nameless` is a client without assertion, `denied` one whose user may not read: their calls must be refused.
    Patients are made up from `patient_prefix`, which must be new for each run; retrieved copies are left in `folder`.
    A refusal of what is right and failures of the network are raised as the SDK raises them.
    """
    return _Demo(gateway, nameless, denied, documents, patient_prefix, folder, progress, new_uuid, timer).run()


class _Demo:
    """One run."""

    def __init__(
        self,
        gateway: Gateway,
        nameless: Gateway | None,
        denied: Gateway | None,
        documents: Sequence[DocumentToSubmit],
        patient_prefix: str,
        folder: Path,
        progress: Callable[[DemoProgress], None],
        new_uuid: Callable[[], UUID],
        timer: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._stranger = nameless
        self._denied = denied
        self._documents = tuple(documents)
        self._patients = tuple(patient_id(n, patient_prefix) for n in range(1, min(_PATIENTS, len(documents)) + 1))
        self._folder = folder
        self._progress = progress
        self._new_uuid = new_uuid
        self._timer = timer
        self._problems: list[str] = []

    def run(self) -> DemoReport:
        started = self._timer()
        submitted = [self._submit(number) for number in range(len(self._documents))]
        find_started = self._timer()
        found = self._find([result for result, _ in submitted])
        find_seconds = self._timer() - find_started
        documents = tuple(self._retrieve(number, *one, found) for number, one in enumerate(submitted))
        replacement = self._replace(submitted[0][0])
        refusal = self._refuse()
        nameless = self._call_nameless(self._stranger) if self._stranger else None
        denied = self._ask_denied(self._denied, replacement.new_uuid) if self._denied else None
        return DemoReport(
            patient_ids=self._patients,
            documents=documents,
            found=len(found),
            find_seconds=find_seconds,
            replacement=replacement,
            refusal=refusal,
            nameless=nameless,
            denied=denied,
            seconds=self._timer() - started,
            problems=tuple(self._problems),
        )

    def _patient(self, number: int) -> str:
        return self._patients[number % len(self._patients)]

    def _submit(self, number: int) -> tuple[SubmissionResult, float]:
        document, started = self._documents[number], self._timer()
        result = self._gateway.submit(document, patient_id=self._patient(number), source_id=SOURCE_ID)
        self._tell(DemoStep.SUBMIT, number + 1, len(self._documents), document.label)
        return result, self._timer() - started

    def _find(self, results: list[SubmissionResult]) -> dict[str, DocumentSummary]:
        found = {}
        for number, patient in enumerate(self._patients, 1):
            found.update({entry.entry_uuid: entry for entry in self._gateway.find(patient)})
            self._tell(DemoStep.FIND, number, len(self._patients), patient.partition("^")[0])
        lost = [entry.entry_uuid for result in results for entry in result.entries if entry.entry_uuid not in found]
        self._problems += [f"{uuid} was submitted and is not found" for uuid in lost]
        return found

    def _retrieve(
        self, number: int, result: SubmissionResult, submit_seconds: float, found: dict[str, DocumentSummary]
    ) -> DemoDocument:
        document, entry = self._documents[number], result.entries[0]
        copy = self._folder / f"{number + 1:03d}-{document.label.replace('/', '-')[:100]}"
        started = self._timer()
        self._gateway.retrieve(found.get(entry.entry_uuid, entry.entry_uuid), copy)
        seconds = self._timer() - started
        identical = read_digest(document.content) == read_digest(copy)
        if not identical:
            self._problems.append(f"{document.label} came back with other bytes")
        self._tell(DemoStep.RETRIEVE, number + 1, len(self._documents), document.label)
        return DemoDocument(
            label=document.label,
            mime_type=document.metadata.mime_type or "",
            size=entry.size,
            entry_uuid=entry.entry_uuid,
            submit_seconds=submit_seconds,
            retrieve_seconds=seconds,
            identical=identical,
        )

    def _replace(self, old: SubmissionResult) -> DemoReplacement:
        old_uuid, document = old.entries[0].entry_uuid, self._documents[0]
        corrected = _corrected(document, make_oid(self._new_uuid()))
        new = self._gateway.replace(old_uuid, corrected, patient_id=self._patient(0), source_id=SOURCE_ID)
        new_uuid = new.entries[0].entry_uuid
        status = {entry.entry_uuid: entry.status or "" for entry in self._gateway.get(old_uuid, new_uuid)}
        replacement = DemoReplacement(
            label=document.label,
            old_uuid=old_uuid,
            old_status=status.get(old_uuid, "not found"),
            new_uuid=new_uuid,
            new_status=status.get(new_uuid, "not found"),
        )
        if (replacement.old_status, replacement.new_status) != ("Deprecated", "Approved"):
            self._problems.append("the replaced document is not Deprecated, or the new one not Approved")
        self._tell(DemoStep.REPLACE, 1, 1, document.label)
        return replacement

    def _refuse(self) -> tuple[RegistryError, ...]:
        errors: tuple[RegistryError, ...] = ()
        try:
            self._gateway.submit(make_wrong_document(), patient_id=self._patient(0), source_id=SOURCE_ID)
            self._problems.append("a submission with mistakes was accepted")
        except Refused as refused:
            errors = refused.errors
        self._tell(DemoStep.REFUSE, 1, 1, f"{len(errors)} errors")
        return errors

    def _call_nameless(self, stranger: Gateway) -> str | None:
        """The fault of a call without assertion."""
        told = None
        try:
            stranger.find(self._patient(0))
            self._problems.append("a call without assertion was answered")
        except Fault as fault:
            told = str(fault)
        self._tell(DemoStep.NAMELESS, 1, 1, "refused" if told else "answered")
        return told

    def _ask_denied(self, user: Gateway, uuid: str) -> tuple[RegistryError, ...]:
        """What a user is told who asks for a document that no row lets it read: that there is none."""
        (entry,) = self._gateway.get(uuid)
        told: tuple[RegistryError, ...] = ()
        try:
            user.retrieve(entry, self._folder / "denied")
            self._problems.append("a document was given to a user who may not read it")
        except Refused as refused:
            told = refused.errors
        self._tell(DemoStep.DENY, 1, 1, "refused" if told else "answered")
        return told

    def _tell(self, step: DemoStep, done: int, total: int, label: str) -> None:
        self._progress(DemoProgress(step, done, total, label))


def make_wrong_document() -> DocumentToSubmit:
    """A document with several mistakes: times, language, patient and code that no rule accepts."""
    return make_sample(seed=4711).changed(
        title="Wrong on purpose",
        creation_time="20241345",
        service_start_time="yesterday",
        language_code="French, mostly",
        source_patient_id="somebody",
        type_code=Code("11488-4", "", "a code without its scheme"),
    )


def _corrected(document: DocumentToSubmit, unique_id: str) -> DocumentToSubmit:
    """The same document as its next version: another uniqueId, in a CDA header too."""
    with open_content(document.content) as stream:
        data = stream.read()
    old = (document.metadata.unique_id or "").partition("^")[0].encode()
    content = data.replace(old, unique_id.encode()) if old and old in data else data + b"\n"
    metadata = changed(document.metadata, unique_id=unique_id, title=f"{document.metadata.title} (rectifié)")
    return DocumentToSubmit(content=content, metadata=metadata)
