"""What more documents do to a query: FindDocuments over few and over many, taking turns in one run."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from xds_gateway.actors.identity import resolved
from xds_gateway.actors.ports import RegistryStore, Transaction
from xds_gateway.client.samples import make_sample
from xds_gateway.client.submission import ContentDigest, SubmissionDetails, build_submission, make_ids
from xds_gateway.clock import UuidSource
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.metadata import Submission

from . import messages
from .comparing import COUNT
from .in_process import Sender, open_gateway

LARGE: Final = int(os.environ.get("BENCH_GROWTH", "100000"))  # documents; 0: not measured
EACH: Final = 20  # documents of one patient, so results of one query
MEASURED: Final = ("p50", "p99", "cpu", "cpu_p99")  # latencies, and processor time, which neighbours disturb less
Figures = dict[str, Any]
_TIMES_FEWER: Final = 10
_GROUP: Final = 1000  # submissions of one transaction
_TURN: Final = 100  # requests before the other database has its turn
_ROUNDS: Final = max(1, 15 * COUNT // _TURN)
_DAY: Final = datetime(2024, 1, 8, tzinfo=UTC)


def measure(folder: Path) -> Figures:
    """Latencies and CPU of both, smaller first, and their ratios; each round's patients are drawn by chance."""
    counts = [max(EACH, LARGE // _TIMES_FEWER), LARGE]
    sides = [Side(folder / f"documents-{count}", partial(load, documents=count), count // EACH) for count in counts]
    return {"documents": counts, **compare(*sides)}


class Side:
    """One database, its gateway, and what its requests took: FindDocuments for one of so many patients."""

    def __init__(self, folder: Path, fill: Callable[[RegistryStore], None], patients: int) -> None:
        self._gateway = open_gateway(folder)
        (storage,) = self._gateway.storages.values()
        fill(storage.registry)
        self._sender = Sender(self._gateway)
        self._chance = random.Random(patients)
        self._queries = [messages.find(patient) for patient in range(patients)]
        self._latencies: list[float] = []
        self._cpus: list[float] = []

    def warm(self) -> None:
        """Requests that do not count; answers have all documents of a patient."""
        self._sender.send(self._chance.choices(self._queries, k=5 * _TURN))
        found = self._sender.answer(self._queries[0]).count(b"<rim:ExtrinsicObject")
        if found != EACH:
            raise RuntimeError(f"{found} documents of a patient were found, {EACH} are there")

    def turn(self) -> None:
        """A turn of requests, one after the other."""
        spent = self._sender.send(self._chance.choices(self._queries, k=_TURN))
        self._latencies += spent.latencies
        self._cpus += spent.cpus

    def figures(self) -> dict[str, float]:
        """Milliseconds by the names of MEASURED."""
        latencies, cpus = sorted(self._latencies), sorted(self._cpus)
        middle, slow = len(latencies) // 2, len(latencies) * 99 // 100
        seconds = (latencies[middle], latencies[slow], sum(cpus) / len(cpus), cpus[slow])
        return {name: each * 1000 for name, each in zip(MEASURED, seconds, strict=True)}

    def close(self) -> None:
        """Close the gateway."""
        self._gateway.close()


def compare(*sides: Side) -> Figures:
    """Latencies and CPU of two, which take turns, and their ratios; both are closed at the end."""
    for side in sides:
        side.warm()
    for number in range(_ROUNDS):
        for side in sides if number % 2 else reversed(sides):
            side.turn()
    figures: Figures = {"results": EACH, "requests": _ROUNDS * _TURN}
    both = [side.figures() for side in sides]
    for name in MEASURED:
        low, high = (each[name] for each in both)
        figures |= {f"{name}_ms": [round(low, 3), round(high, 3)], f"{name}_ratio": round(high / low, 2)}
    for side in sides:
        side.close()
    return figures


def load(
    store: RegistryStore,
    documents: int,
    named: Callable[[int, int], str] = lambda patient, _: messages.patient(patient),
) -> None:
    """Register documents as ITI-42 would, a set with one entry each, without a request for each.

    `named` tells how the sender of a document calls its patient.
    """
    arriving = _submissions(documents, named)
    while group := list(islice(arriving, _GROUP)):
        prepared = [store.prepare(submission.objects) for submission in group]
        patients = {s.submission_sets[0].patient_id or "" for s in group}

        def work(transaction: Transaction, prepared: Any = prepared, patients: Any = patients) -> None:
            for patient in patients:
                transaction.add_patient(PatientId(*(parse_patient_id(patient) or ())))
            for objects in prepared:
                transaction.add(objects)

        store.write(work)


def _submissions(count: int, named: Callable[[int, int], str]) -> Iterator[Submission]:
    """Submissions with final ids, of all patients in a chance order, one day after the other."""
    patients = [number // EACH for number in range(count)]
    random.Random(count).shuffle(patients)
    sample, new_uuid = make_sample(seed=7), UuidSource()
    digest = ContentDigest(messages.SIZE, "0" * 40, "")
    for number, patient in enumerate(patients):
        created = (_DAY + timedelta(minutes=number)).strftime("%Y%m%d%H%M%S")
        documents = (sample.changed(title=f"Compte rendu {number}", unique_id=None, creation_time=created),)
        ids = make_ids(documents, (digest,), messages.new_uuid, datetime.now(UTC))
        details = SubmissionDetails(patient_id=named(patient, number), source_id="1.2.250.1.999.1")
        yield resolved(messages.held_elsewhere(build_submission(documents, ids, details)), new_uuid, None).submission
