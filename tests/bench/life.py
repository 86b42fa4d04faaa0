"""CPU of what happens to documents after their registration, beside its floor: ITI-57, 61, 62, 86 and 92."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from xds_gateway.client.changes import next_version
from xds_gateway.client.parts import SetDetails, SetIds, new_symbols
from xds_gateway.client.submission import make_oid
from xds_gateway.client.updates import build_update
from xds_gateway.codec.xdsb import render_register_request, render_remove_documents_request, render_remove_request
from xds_gateway.config import load as load_settings
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import DocumentRequest, RemoveDocumentsRequest, RemoveRequest
from xds_gateway.model.metadata import Submission

from . import floors, messages
from .comparing import TOTAL, compare
from .in_process import Sender, open_gateway

_CONTENT: Final = messages.content(4096)  # of documents that ITI-86 removes
_NEVER_STABLE: Final = ("creationTime", "hash", "size", "legalAuthenticator")  # ITI TF-3 Table 4.3.1-3
_TRANSACTIONS: Final = ("ITI-61", "ITI-57", "ITI-92", "ITI-62", "ITI-86")


@dataclass(frozen=True, slots=True)
class Sent:
    """What must be registered before, and then the messages of each transaction."""

    before: list[messages.Message]
    measured: dict[str, list[messages.Message]]


def rows(folder: Path) -> dict[str, dict[str, float]]:
    """Ratios of CPU: the floor replays what a gateway wrote that got the same messages one after the other."""
    sent = make()
    before, written = _record(folder / "recorded", sent)
    gateway = open_gateway(folder / "measured")
    sender = Sender(gateway)
    sender.cpu(sent.before, at_once=16)
    floor = floors.WriteFloor(folder / "floor", [*before, *(each for name in _TRANSACTIONS for each in written[name])])
    floor.skip(len(before))
    floor.keep_files(TOTAL, _CONTENT)
    compared = {}
    for name in _TRANSACTIONS:
        work = floor.remove if name == "ITI-86" else floor.register
        compared[name] = compare(sender, sent.measured[name], work)
    gateway.close()
    return compared


def _record(folder: Path, sent: Sent) -> tuple[list[list[floors.Statement]], dict[str, list[list[floors.Statement]]]]:
    """The writing transactions before the measure, and those of each transaction."""
    recorder = floors.Recorder()
    with recorder.recording():
        gateway = open_gateway(folder)
        sender = Sender(gateway)
        sender.cpu(sent.before)
        before, written = recorder.take(), {}
        for name in _TRANSACTIONS:
            sender.cpu(sent.measured[name])
            written[name] = recorder.take()
        gateway.close()
    return before, written


def make() -> Sent:
    repository = next(iter(load_settings(None, {}).domains)).repository_unique_id
    updated, restricted, removed, erased, on_demand = (
        list(messages.submissions(_CONTENT, TOTAL, first=3_000_000 + place * 100_000)) for place in range(5)
    )
    removed = [_with_known_ids(submission) for submission in removed]
    registered = [messages.register(submission) for submission in (*updated, *restricted, *removed)]
    return Sent(
        [*registered, *(messages.provide(submission, _CONTENT) for submission in erased)],
        {
            "ITI-61": [messages.plain("ITI-61", render_register_request(_on_demand(each))) for each in on_demand],
            "ITI-57": [messages.plain("ITI-57", render_register_request(_update(each))) for each in updated],
            "ITI-92": [messages.plain("ITI-92", render_register_request(_update(each))) for each in restricted],
            "ITI-62": [messages.plain("ITI-62", render_remove_request(_removal(each))) for each in removed],
            "ITI-86": [messages.plain("ITI-86", _erasure(repository, each)) for each in erased],
        },
    )


def _with_known_ids(submission: Submission) -> Submission:
    """The submission with UUIDs for its associations, for these are removed by them."""
    associations = tuple(replace(each, id=messages.new_uuid().urn) for each in submission.associations)
    return replace(submission, associations=associations)


def _on_demand(submission: Submission) -> Submission:
    """The same metadata for a document that is made on demand (ITI TF-2 3.61)."""
    (entry,) = messages.held_elsewhere(submission).document_entries
    slots = tuple(slot for slot in entry.slots if slot.name not in _NEVER_STABLE)
    return replace(submission, document_entries=(replace(entry, object_type=v.ON_DEMAND_DOCUMENT, slots=slots),))


def _update(submission: Submission) -> Submission:
    """Another title for the entry of a submission, as its second version."""
    (entry,) = messages.held_elsewhere(submission).document_entries
    symbols = new_symbols()
    item = next_version(entry, {"title": "Compte rendu corrigé"}, "document", symbols)
    patient = entry.patient_id or ""
    details = SetDetails(patient, "1.2.250.1.999.1", content_type_code=messages.CONTENT_TYPE)
    ids = SetIds(messages.new_uuid().urn, make_oid(messages.new_uuid()), datetime.now(UTC).strftime("%Y%m%d%H%M%S"))
    return build_update(item, 1, ids, details, symbols, propagate=True)


def _removal(submission: Submission) -> RemoveRequest:
    """The set, its entry and what ties them."""
    objects: Sequence[str] = [item.id for item in submission.objects]
    return RemoveRequest(references=tuple(objects))


def _erasure(repository: str, submission: Submission) -> bytes:
    unique_id = submission.document_entries[0].unique_id or ""
    return render_remove_documents_request(RemoveDocumentsRequest(documents=(DocumentRequest(repository, unique_id),)))
