"""CPU of the other stored queries beside their floors, each with some ten objects in its answer (ITI-18, ITI-51)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from xds_gateway.client.parts import SetDetails, make_member
from xds_gateway.client.samples import make_sample
from xds_gateway.client.submission import SubmissionDetails, build_submission, make_ids, make_oid, read_digest
from xds_gateway.client.updates import build_folder
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Submission

from . import floors, messages
from .comparing import TOTAL, compare
from .in_process import Sender, open_gateway

_RECORDS: Final = 20  # of each kind; the requests go round
_SOURCE: Final = "1.2.250.1.999.1"
_APPROVED: Final = "Approved"
_SAMPLE: Final = make_sample(seed=7)


@dataclass(frozen=True, slots=True)
class Record:
    """What is registered for one number, each kind for a patient of its own."""

    patients: Mapping[str, str]  # kind -> CX
    reference: str  # of all ten `letters`
    letters: tuple[Submission, ...]  # ten sets, one entry each
    case: Submission  # two entries in a folder
    file: Submission  # five entries in a folder
    shelves: Submission  # one entry in ten folders
    report: tuple[Submission, ...]  # an entry, and five that are appended to it

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """All, in the order of their registration."""
        return (*self.letters, self.case, self.file, self.shelves, *self.report)


def make_record(number: int) -> Record:
    """The record of a number."""
    kinds = ("letters", "case", "file", "shelves", "report")
    patients = {kind: messages.patient(2_000_000 + number * 10 + place) for place, kind in enumerate(kinds)}
    reference = f"2026-{number}^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession"
    letters = tuple(_submission(patients["letters"], reference=reference) for _ in range(10))
    report = _submission(patients["report"])
    (first,) = report.document_entries
    return Record(
        patients,
        reference,
        letters,
        _submission(patients["case"], documents=2, folders=1),
        _submission(patients["file"], documents=5, folders=1),
        _submission(patients["shelves"], folders=10),
        (report, *(_submission(patients["report"], relation=(v.APND, first.id)) for _ in range(5))),
    )


def _submission(
    patient: str,
    *,
    documents: int = 1,
    folders: int = 0,
    reference: str | None = None,
    relation: tuple[str, str] | None = None,
) -> Submission:
    """One set; every document of it is in every folder of it."""
    sample = _SAMPLE.changed(unique_id=None, reference_ids=(reference,) if reference else ())
    digests = (read_digest(sample.content),) * documents
    ids = make_ids((sample,) * documents, digests, messages.new_uuid, datetime.now(UTC))
    uuids = tuple(messages.new_uuid().urn for _ in range(folders))
    details = SubmissionDetails(patient_id=patient, source_id=_SOURCE, folders=uuids, relation=relation)
    made = build_submission((sample,) * documents, ids, details)
    symbols = iter(lambda: messages.new_uuid().urn, None)
    codes = (messages.CONTENT_TYPE,)
    told = SetDetails(patient, _SOURCE, title="Dossier")
    return replace(
        made,
        folders=tuple(build_folder(uuid, make_oid(messages.new_uuid()), codes, told, None, symbols) for uuid in uuids),
        associations=(*made.associations, *(make_member(ids.set_uuid, uuid, symbols) for uuid in uuids)),
    )


def _entries(*submissions: Submission) -> tuple[str, ...]:
    return tuple(entry.id for submission in submissions for entry in submission.document_entries)


def _folders(submission: Submission) -> tuple[str, ...]:
    return tuple(folder.id for folder in submission.folders)


_Parameters = Callable[[Record, tuple[Record, ...]], Mapping[str, Any]]
_STATUSES: Final = ("entry_status", "submission_set_status", "folder_status")
# query -> its parameters, of a record and of all. FindDocuments is the row ITI-18 of the four.
ASKED: Final[Mapping[str, _Parameters]] = {
    "FindSubmissionSets": lambda r, _: {"patient_id": r.patients["letters"], "status": _APPROVED},
    "FindFolders": lambda r, _: {"patient_id": r.patients["shelves"], "status": _APPROVED},
    "GetAll": lambda r, _: {"patient_id": r.patients["case"], **dict.fromkeys(_STATUSES, _APPROVED)},
    "GetDocuments": lambda r, _: {"uuid": _entries(*r.letters)},
    "GetFolders": lambda r, _: {"uuid": _folders(r.shelves)},
    "GetAssociations": lambda r, _: {"uuid": _entries(*r.letters)},
    "GetDocumentsAndAssociations": lambda r, _: {"uuid": _entries(*r.letters[:5])},
    "GetSubmissionSets": lambda r, _: {"uuid": _entries(*r.letters[:5])},
    "GetSubmissionSetAndContents": lambda r, _: {"uuid": r.case.submission_sets[0].id},
    "GetFolderAndContents": lambda r, _: {"uuid": _folders(r.file)[0]},
    "GetFoldersForDocument": lambda r, _: {"uuid": _entries(r.shelves)[0]},
    "GetRelatedDocuments": lambda r, _: {"uuid": _entries(r.report[0])[0], "association_type": (v.APND,)},
    "FindDocumentsByReferenceId": lambda r, _: {
        "patient_id": r.patients["letters"],
        "status": _APPROVED,
        "reference_id": r.reference,
    },
    "FindDocumentsForMultiplePatients": lambda r, others: {
        "patient_id": (r.patients["file"], others[0].patients["file"]),
        "status": _APPROVED,
    },
    "FindFoldersForMultiplePatients": lambda r, others: {
        "patient_id": (r.patients["file"], *(other.patients["file"] for other in others[:9])),
        "status": _APPROVED,
    },
}


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The messages of a query, for each what was looked up, and the objects of an answer."""

    messages: list[messages.Message]
    lookups: list[list[floors.Lookup]]
    results: int


def rows(folder: Path) -> dict[str, dict[str, float]]:
    """Ratios of CPU of each query: the same database for the gateway and for the floor."""
    records = [make_record(number) for number in range(_RECORDS)]
    url = f"sqlite:///{folder / 'measured' / 'registry.sqlite3'}"
    recorded = _record(folder / "measured", url, records)
    gateway = open_gateway(folder / "measured")
    sender = Sender(gateway)
    compared = {}
    for name, told in recorded.items():
        floor = floors.ReadFloor(url, folder / f"floor-{name}")
        sent = [message for message, _ in zip(cycle(told.messages), range(TOTAL), strict=False)]
        compared[name] = compare(sender, sent, _floor(floor, cycle(told.lookups))) | {"results": told.results}
        floor.close()
    gateway.close()
    return compared


def _floor(floor: floors.ReadFloor, lookups: Iterator[list[floors.Lookup]]) -> Callable[[messages.Message], None]:
    """The messages come in the order in which their look-ups go round."""
    return lambda message: floor.answer(message, next(lookups))


def _record(folder: Path, url: str, records: Sequence[Record]) -> dict[str, _Recorded]:
    """Register all records, and learn what each query looks up."""
    recorder = floors.Recorder()
    with recorder.recording():
        gateway = open_gateway(folder)
        sender = Sender(gateway)
        registered = [messages.register(s) for record in records for s in record.submissions]
        sender.cpu(registered)
        recorded = {}
        for name, parameters in ASKED.items():
            asked = [
                messages.ask(name, parameters(record, (*records[n + 1 :], *records[:n])))
                for n, record in enumerate(records)
            ]
            sender.cpu(asked)
            lookups = [_lookups(sender, recorder, message, url) for message in asked]
            results = max(sum(len(each.answered) for each in one) for one in lookups)
            recorded[f"{asked[0].transaction} {name}"] = _Recorded(asked, lookups, results)
        gateway.close()
    return recorded


def _lookups(sender: Sender, recorder: floors.Recorder, message: messages.Message, url: str) -> list[floors.Lookup]:
    recorder.read.clear()
    answer = sender.answer(message)
    return floors.lookups_of(recorder.read, url, answer)
