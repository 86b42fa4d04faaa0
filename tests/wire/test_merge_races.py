"""Merges beside submissions and queries: each outcome is one that some order of them gives, with 1 and 2 workers."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import ENTRY_CODES
from xds_gateway.administering import administration
from xds_gateway.config import load
from xds_gateway.model import vocabulary as v
from xds_gateway.model.identifiers import PatientId, parse_patient_id

from .feeds import adt, fed_domain, feed, sending
from .messages import (
    Answer,
    Message,
    accepted,
    entry_uuid,
    find_documents,
    multi_patient_query,
    new_patient,
    provide,
    replacement,
    send,
)
from .test_races import ROUNDS, reading

DOCUMENTS = 6
Work = Callable[[], str]


@pytest.fixture(scope="module", params=[1, 2])
def fed(request, start_shared, pki) -> RunningGateway:
    """A gateway whose patients are fed, of one worker and of two."""
    found: RunningGateway = start_shared(workers=request.param, **fed_domain(pki))
    return found


def at_once(*works: Work) -> list[str]:
    """Do all at the same moment; what each says."""
    ready = threading.Barrier(len(works))

    def one(work: Work) -> str:
        ready.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def requesting(gateway: RunningGateway, message: Message) -> Work:
    """A request: "Success" or its error codes."""

    def work() -> str:
        answer: Answer = send(gateway, message)
        return "+".join(sorted(set(answer.errors))) or answer.status

    return work


def merging(gateway: RunningGateway, subsumed: str, surviving: str) -> Work:
    """A merge by the feed: MSA-1."""
    return lambda: feed(gateway, adt("A40", surviving, subsumed))[0]


def known(gateway: RunningGateway, count: int) -> list[str]:
    """So many new patients, who are known."""
    patients = [new_patient() for _ in range(count)]
    assert set(feed(gateway, *(adt("A04", patient) for patient in patients))) == {"AA"}
    return patients


def documents(gateway: RunningGateway, *patients: str, statuses: str = f"('{v.APPROVED}')") -> list[int]:
    """How many documents a query for each patient finds."""
    return [len(send(gateway, find_documents(patient, Status=statuses)).ids) for patient in patients]


def patient_id(text: str) -> PatientId:
    found = parse_patient_id(text)
    assert found is not None
    return found


def survivors(gateway: RunningGateway, patients: Sequence[str]) -> list[str]:
    """Who stands for each patient, as an administrator sees it."""
    with administration(load(settings_of(gateway), {}), "default", "tests") as found:
        return [found.show(patient_id(patient)).survivor.as_cx() for patient in patients]


def settings_of(gateway: RunningGateway) -> Path:
    return gateway.log.parent / "gateway.toml"


@pytest.mark.parametrize("_", ROUNDS)
def test_a_merge_beside_submissions_comes_before_or_after_each(fed, _):
    old, new = known(fed, 2)
    made = accepted(fed, provide(b"the letter", patient=old))
    uuid = entry_uuid(fed, made.unique_ids[0])
    merge, late, early = at_once(
        merging(fed, old, new),
        requesting(fed, provide(b"another", patient=old).message()),
        requesting(fed, replacement(uuid, b"corrected", new).message()),
    )
    assert merge == "AA"
    assert late in ("Success", "XDSUnknownPatientId")  # before, after
    assert early in ("XDSPatientIdDoesNotMatch", "Success")  # before, after
    added, replaced = late == "Success", early == "Success"
    assert documents(fed, old, new) == [0, 1 + added]
    both = f"('{v.APPROVED}','{v.DEPRECATED}')"
    assert documents(fed, old, new, statuses=both) == [0, 1 + added + replaced]


#   merges that come together          what may become of them, and who then stands for A, B and C
CONTENDING = [
    (("AB", "BA"), {("AA", "AE"): "BBC", ("AE", "AA"): "AAC"}),
    (("AB", "AC"), {("AA", "AE"): "BBC", ("AE", "AA"): "CBC"}),
    (("AB", "BC"), {("AA", "AA"): "CCC", ("AE", "AA"): "ACC"}),
    (("AB", "BC", "CA"), {
        ("AA", "AA", "AE"): "CCC", ("AE", "AA", "AA"): "AAA", ("AA", "AE", "AA"): "BBB",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("merges", "outcomes"), CONTENDING, ids=["+".join(merges) for merges, _ in CONTENDING])
def test_merges_that_contend_come_one_after_the_other(fed, merges, outcomes):
    patients = dict(zip("ABC", known(fed, 3), strict=True))
    for patient in patients.values():
        accepted(fed, provide(patient.encode(), patient=patient))
    told = tuple(at_once(*(merging(fed, patients[pair[0]], patients[pair[1]]) for pair in merges)))
    assert told in outcomes
    names = {patient: name for name, patient in patients.items()}
    stands = "".join(names[survivor] for survivor in survivors(fed, list(patients.values())))
    assert stands == outcomes[told]
    assert documents(fed, *patients.values()) == [stands.count(name) for name in "ABC"]


def test_a_query_beside_merges_sees_each_whole_or_not_at_all(fed):
    """A chain of patients, merged one into the next: one query for all of them finds all documents at every moment."""
    chain = known(fed, 5)
    for number in range(DOCUMENTS):
        accepted(fed, provide(b"%d" % number, patient=chain[0]))
    everybody = f"({','.join(repr(patient) for patient in chain)})"
    ((code, scheme, *_),) = ENTRY_CODES[v.DE_CLASS_CODE]
    asked = {
        "$XDSDocumentEntryPatientId": everybody,
        "$XDSDocumentEntryStatus": f"('{v.APPROVED}')",
        "$XDSDocumentEntryClassCode": f"('{code}^^{scheme}')",
    }
    seen: list[int] = []

    def look() -> None:
        answer = send(fed, multi_patient_query("FindDocumentsForMultiplePatients", asked))
        shown = {i.get("value") for e in answer.entries for i in e.iter("{*}ExternalIdentifier") if _names_patient(i)}
        assert len(shown) == 1
        assert len(answer.entries) == DOCUMENTS
        for count in documents(fed, chain[0], chain[-1]):
            assert count in (0, DOCUMENTS)
            seen.append(count)

    with reading(look), sending(fed) as sender:
        for old, new in pairwise(chain):
            assert sender.send(adt("A40", new, old)) == ["AA"]
    assert documents(fed, *chain) == [0, 0, 0, 0, DOCUMENTS]
    assert seen


def _names_patient(identifier) -> bool:
    return identifier.get("identificationScheme") == v.DE_PATIENT_ID


@pytest.mark.parametrize("_", ROUNDS)
def test_a_merge_is_undone_before_or_after_a_submission(fed, _):
    old, new = known(fed, 2)
    accepted(fed, provide(b"the letter", patient=old))
    assert merging(fed, old, new)() == "AA"

    def undo() -> str:
        with administration(load(settings_of(fed), {}), "default", "tests") as found:
            return found.unmerge(patient_id(old)).as_cx()

    undone, submitted = at_once(undo, requesting(fed, provide(b"another", patient=old).message()))
    assert undone == new
    assert submitted in ("XDSUnknownPatientId", "Success")  # before, after
    assert documents(fed, old, new) == [1 + (submitted == "Success"), 0]
