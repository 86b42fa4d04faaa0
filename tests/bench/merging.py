"""What patients and merges do to a query: FindDocuments before, and for survivors when many were registered and merged.

Both registries have the same documents of the same patients. In the second one each patient had half of them under an
identifier of its own, which was merged into the other one.
"""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from xds_gateway.actors.patient_ports import PatientMerge
from xds_gateway.actors.ports import RegistryStore, Transaction
from xds_gateway.model.identifiers import PatientId, parse_patient_id

from . import messages
from .growth import EACH, Figures, Side, compare, load

PATIENTS: Final = int(os.environ.get("BENCH_PATIENTS", "100000"))  # 0: not measured
_WITH_DOCUMENTS: Final = 500
_MERGES: Final = max(_WITH_DOCUMENTS, PATIENTS // 10)
_OTHERS: Final = 3_000_000  # numbers of patients without documents begin here
_SUBSUMED: Final = 2_000_000  # those of the patients that are merged into one with documents
_GROUP: Final = 1000  # changes of one transaction
_AT: Final = "20260314090000"
Work = Callable[[Transaction], None]


def measure(folder: Path) -> Figures:
    """Latencies and CPU before and after, and their ratios."""
    before = Side(folder / "before", _fill_before, _WITH_DOCUMENTS)
    after = Side(folder / "after", _fill_after, _WITH_DOCUMENTS)
    return {"patients": [_WITH_DOCUMENTS, PATIENTS], "merges": [0, _MERGES], **compare(before, after)}


def _fill_before(store: RegistryStore) -> None:
    load(store, _WITH_DOCUMENTS * EACH)


def _fill_after(store: RegistryStore) -> None:
    """Documents first, then all other patients, then merges: of those with documents, and chains of three of others."""
    load(store, _WITH_DOCUMENTS * EACH, _named_by_half)
    numbers = range(_OTHERS, _OTHERS + PATIENTS - 2 * _WITH_DOCUMENTS)
    _write(store, (lambda t, n=number: t.add_patient(_patient(n)) for number in numbers))
    _write(store, (lambda t, pair=pair: t.merge_patients(_merge(*pair)) for pair in islice(_merges(), _MERGES)))


def _named_by_half(patient: int, document: int) -> str:
    return messages.patient(patient if document % 2 else _SUBSUMED + patient)


def _merges() -> Iterator[tuple[int, int]]:
    """Pairs of patients, the subsumed one first."""
    for number in range(_WITH_DOCUMENTS):
        yield _SUBSUMED + number, number
    for number in range(_OTHERS, _OTHERS + PATIENTS, 4):
        yield number, number + 1
        yield number + 1, number + 2
        yield number + 2, number + 3


def _merge(subsumed: int, surviving: int) -> PatientMerge:
    return PatientMerge(_patient(subsumed), _patient(surviving), _AT, "CLINIC|HIS", f"{subsumed}")


def _patient(number: int) -> PatientId:
    found = parse_patient_id(messages.patient(number))
    assert found is not None
    return found


def _write(store: RegistryStore, changes: Iterator[Work]) -> None:
    while group := list(islice(changes, _GROUP)):

        def work(transaction: Transaction, group: list[Work] = group) -> None:
            for change in group:
                change(transaction)

        store.write(work)
