"""What an administrator does with the patients of a domain, each act with its audit event.

The rules are those of the feed; only here a merge can be undone, for no message of the standard does that.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..model.errors import GatewayError
from ..model.feeds import FeedProblem
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent
from ..rules.patients import problem
from .administrator import Administrator, PatientUnknown
from .feed_policy import FeedPolicy
from .patient_ports import ListedPatient, PatientMerge
from .patients import merge_problem
from .ports import Snapshot, Transaction


class PatientRefused(GatewayError):
    """An act that the rules do not allow; nothing was changed."""

    def __init__(self, found: FeedProblem) -> None:
        super().__init__(found.sentence)
        self.problem = found


class PatientHistory(NamedTuple):
    """A patient, who stands for it, and all merges that it was part of."""

    patient_id: PatientId
    survivor: PatientId
    merges: Sequence[PatientMerge]


class PatientAdministration:
    """The patients of one domain, for one administrator."""

    def __init__(self, administrator: Administrator, policy: FeedPolicy) -> None:
        self._by: Final = administrator
        self._policy: Final = policy

    def add(self, patient: PatientId) -> None:
        """Make a patient known; nothing changes when it is. Raises PatientRefused."""
        authorities = self._policy.authorities
        if authorities and patient.authority not in authorities:
            raise PatientRefused(problem("ihe.feed.patient", expected=self._policy.wanted))

        def work(store: Transaction) -> None:
            survivor = store.survivor(patient)
            if survivor is not None and survivor != patient:
                found = problem("ihe.feed.patient.merged", received=patient.as_cx(), expected=survivor.as_cx())
                raise PatientRefused(found)
            store.add_patient(patient)
            store.audit(self._event("C", patient))

        self._by.store.write(work)

    def merge(self, subsumed: PatientId, surviving: PatientId) -> None:
        """Merge a patient into another one, as A40 does. Raises PatientRefused."""

        def work(store: Transaction) -> None:
            found = merge_problem(store, subsumed, surviving)
            if found is not None:
                rule, about, survivor = found
                expected = survivor.as_cx() if survivor else None
                raise PatientRefused(problem(rule, received=about.as_cx(), expected=expected))
            deleted = self._event("D", subsumed)
            store.merge_patients(
                PatientMerge(subsumed, surviving, self._by.now(), self._by.caller.node, deleted.message_id)
            )
            store.audit(deleted)
            store.audit(self._event("U", surviving))

        self._by.store.write(work)

    def unmerge(self, patient: PatientId) -> PatientId:
        """Undo the merge of a patient; who stood for it. Raises PatientUnknown, PatientRefused when it is active."""

        def work(store: Transaction) -> PatientId:
            survivor = store.survivor(patient)
            if survivor is None:
                raise PatientUnknown(patient.as_cx())
            if survivor == patient:
                raise PatientRefused(problem("ihe.feed.unmerge", received=patient.as_cx()))
            store.unmerge_patient(patient, self._by.now(), self._by.caller.node)
            store.audit(self._event("C", patient))
            store.audit(self._event("U", survivor))
            return survivor

        return self._by.store.write(work)

    def show(self, patient: PatientId) -> PatientHistory:
        """A patient and its merges. Raises PatientUnknown."""

        def look(store: Snapshot) -> PatientHistory:
            survivor = store.survivor(patient)
            if survivor is None:
                raise PatientUnknown(patient.as_cx())
            return PatientHistory(patient, survivor, store.merges_of(patient))

        found = self._by.store.inspect(look)
        self._by.journal.record(self._event("R", patient))
        return found

    def list(self, after: PatientId | None, limit: int) -> Sequence[ListedPatient]:
        """Patients in the order of their ids, those after one of them, at most `limit`."""
        found = self._by.store.inspect(lambda store: store.patients(after, limit))
        self._by.journal.record(self._event("R"))
        return found

    def _event(self, action: str, *patients: PatientId) -> AuditEvent:
        return self._by.event(action, tuple(patient.as_cx() for patient in patients))
