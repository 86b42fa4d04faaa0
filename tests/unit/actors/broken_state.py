"""For each rule about the registry's state a submission that passes, and one that differs only there."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tests.unit.actors.test_lifecycle import (
    CHILD,
    OLD,
    OLD_FOLDER,
    OLD_SET,
    OTHERS,
    THE_OTHER,
    THE_PATIENT,
    UNKNOWN,
    filing,
    link,
    old_entry,
    old_folder,
    old_set,
    planned,
    referring,
    relate,
    taken,
    with_folder,
)
from tests.unit.builders import OTHER_PATIENT, make_entry, make_submission
from tests.unit.rules.broken import as_sent_in
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import RegistryObject, Submission
from xds_gateway.rules.engine import Transaction


class Case(NamedTuple):
    """A submission, what is registered, and how the domain is set."""

    submission: Submission
    registered: Iterable[RegistryObject] = ()
    domain: Mapping[str, Any] = {}

    def found(self, transaction: Transaction) -> set[tuple[str, str]]:
        """Rules and codes of what the plan finds."""
        submission = as_sent_in(transaction, self.submission)
        _, findings, _ = planned(submission, self.registered, transaction=transaction, **self.domain)
        return {(f.rule, f.code.value) for f in findings}


class StatePair(NamedTuple):
    """Two cases that differ in what one rule is about, and the transactions that may send them."""

    good: Case
    bad: Case
    transactions: tuple[Transaction, ...] = ("ITI-41", "ITI-42", "ITI-61")


STABLE: tuple[Transaction, ...] = ("ITI-41", "ITI-42")
FED = {"patients_open": False, "patients": (THE_PATIENT,)}
MERGED = {"merged": {THE_PATIENT: THE_OTHER}}
ON_DEMAND = as_sent_in("ITI-61", make_submission()).document_entries[0]


def _related(association_type: str, *registered: RegistryObject, target: str = OLD) -> Case:
    return Case(make_submission(relationships=(relate(association_type, target),)), registered)


def _entry(identifier: str) -> Submission:
    return make_submission(entries=(make_entry(id=identifier),))


STATE: Mapping[str, StatePair] = {
    "ihe.registry.patient": StatePair(Case(make_submission(), domain=FED), Case(OTHERS, domain=FED)),
    "ihe.registry.patient.merged": StatePair(
        Case(make_submission(), domain={"merged": {THE_OTHER: THE_PATIENT}}), Case(make_submission(), domain=MERGED)
    ),
    "ihe.registry.uniqueId.set": StatePair(
        Case(make_submission(), [old_set()]), Case(make_submission(), [taken("set")])
    ),
    "ihe.registry.uniqueId.folder": StatePair(
        Case(with_folder(), [old_folder()]), Case(with_folder(), [taken("folder")])
    ),
    "ihe.registry.uniqueId.entry": StatePair(
        Case(make_submission(), [old_set()]),
        Case(make_submission(), [old_set(identifiers={v.SS_UNIQUE_ID: make_entry().unique_id})]),
    ),
    "ihe.registry.uniqueId.onDemand": StatePair(
        Case(make_submission(), [taken("entry")]), Case(make_submission(), [replace(ON_DEMAND, id=OLD)]), STABLE
    ),
    "ihe.registry.hash": StatePair(
        Case(make_submission(), [taken("entry")]),
        Case(make_submission(), [taken("entry", slots={"hash": "0" * 40})]),
        STABLE,
    ),
    "ihe.registry.size": StatePair(
        Case(make_submission(), [taken("entry")]),
        Case(make_submission(), [taken("entry", slots={"size": "1"})]),
        STABLE,
    ),
    "ihe.registry.id": StatePair(Case(_entry(UNKNOWN), [old_entry()]), Case(_entry(OLD), [old_entry()])),
    "ihe.registry.source.unknown": StatePair(Case(filing(), [old_folder()]), Case(filing())),
    "ihe.registry.target.unknown": StatePair(_related(v.RPLC, old_entry()), _related(v.RPLC)),
    "ihe.registry.source.kind": StatePair(Case(filing(), [old_folder()]), Case(filing(folder=OLD_SET), [old_set()])),
    "ihe.registry.target.kind": StatePair(Case(referring(OLD), [old_entry()]), Case(referring(OLD_SET), [old_set()])),
    "ihe.registry.target.entry": StatePair(
        _related(v.RPLC, old_entry()), _related(v.RPLC, old_folder(), target=OLD_FOLDER)
    ),
    "ihe.registry.source.deprecated": StatePair(
        Case(filing(), [old_folder()]), Case(filing(), [old_folder(status=v.DEPRECATED)])
    ),
    "ihe.registry.target.deprecated": StatePair(
        _related(v.RPLC, old_entry()), _related(v.RPLC, old_entry(status=v.DEPRECATED))
    ),
    "ihe.registry.target.patient": StatePair(
        _related(v.RPLC, old_entry()), _related(v.RPLC, old_entry(patient=OTHER_PATIENT))
    ),
    "ihe.registry.target.onDemand": StatePair(
        _related(v.IS_SNAPSHOT_OF, old_entry(object_type=v.ON_DEMAND_DOCUMENT)),
        _related(v.IS_SNAPSHOT_OF, old_entry()),
        STABLE,
    ),
    "ihe.registry.target.transformation": StatePair(
        _related(v.APND, old_entry(), old_entry(CHILD), link(OLD, CHILD, v.APND)),
        _related(v.APND, old_entry(), old_entry(CHILD), link(OLD, CHILD, v.XFRM)),
    ),
}
