"""Document Registry: takes submissions whole or not at all, and answers stored queries (ITI TF-1 10.1.1.3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from ..codec.queries import LEAF_CLASS, MULTI_PATIENT_QUERIES, QUERIES, parse_stored_query
from ..codec.query_tables import Query
from ..codec.xdsb import render_object_ref
from ..model.errors import ErrorCode, Finding, RequestRefused, Severity
from ..model.feeds import AnyFeedMessage
from ..model.messages import (
    AuditEvent,
    PlannedEffect,
    QueryRequest,
    QueryResponse,
    RegisterRequest,
    RegistryResponse,
    Request,
    StoredDocument,
)
from ..model.metadata import Submission
from ..model.principal import Call
from ..model.queries import StoredQuery
from ..rules.engine import Actor, Profile, Transaction
from ..rules.ihe import check_submission
from ..rules.value_sets import RULE_IDS
from .audited import event_of, patients_asked, subjects, submission_objects
from .changes import Change, Changes, Plan, apply, effects
from .identity import NewUuid, Resolved, resolved
from .lifecycle import plan
from .permissions import as_shown, named_in, planned
from .ports import AccessJournal, Found, Prepared, QueryStore, Receipt, RegistryStore, Snapshot
from .ports import Transaction as StoreTransaction
from .retries import retry_effects, unless_retried
from .value_sets import codes_refused, is_registered, judged, plan_with_codes

# What the audit says of a request that changed nothing
DRY_RUN: Final = "dry run"
RETRY: Final = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPolicy:
    """What a domain asks of its submissions and allows its queries; `max_results` counts objects of an answer.

    With `follow_merges`, submissions may name a patient who was merged. With `safe_retries`, a submission that is sent
    again has its first outcome again; without, it is a duplicate. With `limited_metadata`, ITI-41 takes objects that
    are flagged so (a Document Recipient, ITI TF-2 3.41.4.1.3.1).
    """

    profile: Profile
    repository_unique_id: str
    home_community_id: str | None = None
    patients_open: bool = True
    follow_merges: bool = False
    authorities: frozenset[str] = frozenset()
    max_results: int = 5000
    limited_metadata: bool = False
    safe_retries: bool = True


class DocumentRegistry:
    """The registry of one domain."""

    def __init__(
        self,
        *,
        store: RegistryStore,
        queries: QueryStore,
        journal: AccessJournal,
        policy: DomainPolicy,
        now: Callable[[], str],
        new_uuid: NewUuid,
    ) -> None:
        """`now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
        self._store = store
        self._queries = queries
        self._journal = journal
        self._policy = policy
        self._now = now
        self._new_uuid = new_uuid

    def now(self) -> str:
        """The time as DTM to the second (UTC)."""
        return self._now()

    # -- ITI-42

    def admit_register(self, call: Call, request: RegisterRequest, findings: Sequence[Finding]) -> None:
        """Refuse what the metadata rules refuse, with every reason at once. Raises RequestRefused."""
        self.admit(call, request.submission, (*findings, *self._check(request.submission, "ITI-42")), "ITI-42")

    def register(self, call: Call, request: RegisterRequest) -> RegistryResponse:
        """Register a submission whose documents a repository holds (ITI TF-2 3.42). Raises RequestRefused."""
        final = resolved(request.submission, self._new_uuid, self._policy.home_community_id)
        return self.commit(call, final, {}, "ITI-42")

    # -- ITI-61

    def admit_register_on_demand(self, call: Call, request: RegisterRequest, findings: Sequence[Finding]) -> None:
        """Refuse what the metadata rules refuse, with every reason at once. Raises RequestRefused."""
        self.admit(call, request.submission, (*findings, *self._check(request.submission, "ITI-61")), "ITI-61")

    def register_on_demand(self, call: Call, request: RegisterRequest) -> RegistryResponse:
        """Register entries of documents that are made on demand (ITI TF-2 3.61). Raises RequestRefused."""
        final = resolved(request.submission, self._new_uuid, self._policy.home_community_id)
        return self.commit(call, final, {}, "ITI-61")

    # -- shared with the repository, which is near

    def admit(self, call: Call, submission: Submission, findings: Sequence[Finding], transaction: Transaction) -> None:
        """Refuse a submission that has errors; what the registry's state adds to them is said in the same answer."""
        if not any(f.severity is Severity.ERROR for f in findings) or self._perhaps_retried(submission, findings):
            return
        raise RequestRefused(*findings, *self.state_findings(call, submission, transaction, findings))

    def _perhaps_retried(self, submission: Submission, findings: Sequence[Finding]) -> bool:
        """Whether only codes are wrong, with a set that is registered: lists may have changed since, the plan tells."""
        return (
            self._policy.safe_retries
            and RULE_IDS.issuperset(f.rule for f in findings)
            and (self._store.inspect(partial(is_registered, submission)))
        )

    def state_findings(
        self, call: Call, submission: Submission, transaction: Transaction, known: Sequence[Finding]
    ) -> tuple[Finding, ...]:
        """What the registry as it stands has against a submission that is refused anyway; nothing twice."""
        if len(submission.submission_sets) != 1:
            return ()
        final = resolved(submission, self._new_uuid, None)
        change = self.submission_change(call, final, {}, transaction)
        change = change._replace(plan=self._with_codes(change.plan, final, transaction))
        _, found = self._store.inspect(partial(planned, call, change))
        said = {(f.code, f.received) for f in known}
        return tuple(
            f for f in found if (f.code, f.received) not in said and f.code is not ErrorCode.UNRESOLVED_REFERENCE
        )

    def _check(self, submission: Submission, transaction: Transaction) -> tuple[Finding, ...]:
        return self.check(submission, actor="registry", transaction=transaction)

    def check(
        self, submission: Submission, *, actor: Actor, transaction: Transaction, limited: bool = False
    ) -> tuple[Finding, ...]:
        """What the rules of metadata say of a submission, the value sets of the domain included."""
        return judged(
            self._store,
            lambda allowed: check_submission(
                submission,
                actor=actor,
                transaction=transaction,
                profile=self._policy.profile,
                limited=limited,
                allowed=allowed,
                now=self._now(),
            ),
        )

    def commit(
        self, call: Call, final: Resolved, documents: Mapping[str, StoredDocument], transaction: Transaction
    ) -> RegistryResponse:
        """Register a submission with its documents. Raises RequestRefused, StorageFull, StorageBusy."""
        change = self.submission_change(call, final, documents, transaction)
        return self.make(call, change._replace(plan=self._with_codes(change.plan, final, transaction)))

    def submission_change(
        self, call: Call, final: Resolved, documents: Mapping[str, StoredDocument], transaction: Transaction
    ) -> Change:
        """The change that a submission makes, not made yet, and not held against the value sets."""
        objects = final.submission.objects
        return Change(
            objects,
            self._plan_of(final, transaction),
            self._submission_event(call, final.submission),
            named_in(final.submission),
            documents,
            final.sent_ids,
            Receipt(call.principal.node, len(objects)),
        )

    def _plan_of(self, final: Resolved, transaction: Transaction) -> Plan:
        return partial(
            plan,
            final,
            patients_open=self._policy.patients_open,
            authorities=self._policy.authorities,
            follow_merges=self._policy.follow_merges,
            transaction=transaction,
            new_uuid=self._new_uuid,
        )

    def _with_codes(self, plan: Plan, final: Resolved, transaction: Transaction) -> Plan:
        """The plan, and what the value sets say in the very state that it is made for."""
        refused = partial(codes_refused, final, now=self._now(), transaction=transaction, profile=self._policy.profile)
        return partial(plan_with_codes, plan, refused)

    # -- every change of the registry

    def make(self, call: Call, change: Change) -> RegistryResponse:
        """Plan and commit in one transaction: objects, statuses, uniqueIds, audit row; a dry run only plans.

        Raises RequestRefused, StorageFull, StorageBusy.
        """
        if call.dry_run:
            return self._tell(call, change)
        prepared = self._store.prepare(change.objects, change.receipt)

        def work(store: StoreTransaction) -> RegistryResponse:
            changes, findings = planned(call, change, store)
            if findings:
                self._refuse_unless_retried(change, findings, store)
                store.audit(change.event._replace(note=RETRY))
                return RegistryResponse(retried=True)
            self._apply(store, changes, prepared, change)
            return RegistryResponse()

        return self._store.write(work)

    def _refuse_unless_retried(self, change: Change, findings: tuple[Finding, ...], snapshot: Snapshot) -> None:
        """Refuse a change, but not one that was made when its request came for the first time."""
        left = unless_retried(change, findings, snapshot) if self._policy.safe_retries else findings
        if left:
            raise RequestRefused(*left)

    def _tell(self, call: Call, change: Change) -> RegistryResponse:
        """What a change would do, on disk in the journal of reads before it is told."""

        def look(snapshot: Snapshot) -> tuple[AuditEvent, tuple[PlannedEffect, ...]]:
            changes, findings = planned(call, change, snapshot)
            if findings:
                self._refuse_unless_retried(change, findings, snapshot)
                return change.event, retry_effects(change)
            return _told(change.event, changes), effects(change, as_shown(call, change, changes, snapshot))

        event, told = self._store.inspect(look)
        self._journal.record(event._replace(note=DRY_RUN))
        return RegistryResponse(planned=told)

    def _apply(self, store: StoreTransaction, changes: Changes, prepared: Sequence[Prepared], change: Change) -> None:
        if self._policy.patients_open:
            for patient in changes.patients:
                store.add_patient(patient)
        apply(changes, store, added=prepared, store=self._store, now=self._now(), documents=change.documents)
        store.audit(_told(change.event, changes))

    def _submission_event(self, call: Call, final: Submission) -> AuditEvent:
        patient = final.submission_sets[0].patient_id
        return self.event(call, "success", patient_ids=(patient,) if patient else (), objects=submission_objects(final))

    def event(self, call: Call, outcome: str, **told: object) -> AuditEvent:
        """An audit event of this call, now (ITI TF-2 3.20)."""
        return event_of(call, self._now(), outcome, **told)

    def record_refusal(self, call: Call, codes: Sequence[str], request: Request | AnyFeedMessage | None = None) -> None:
        """Tell the audit of a request that was refused, and what it asked. Raises StorageFull, StorageBusy."""
        told = {"codes": tuple(dict.fromkeys(codes)), "note": DRY_RUN if call.dry_run else None}
        self._journal.record(self.event(call, "failure", **told, **subjects(request)))

    # -- ITI-18

    def admit_query(self, call: Call, request: QueryRequest, findings: Sequence[Finding]) -> None:
        """Nothing to refuse before the query itself is read."""

    def query(self, call: Call, request: QueryRequest) -> QueryResponse:
        """Answer a stored query from what the caller may see (ITI TF-2 3.18). Raises RequestRefused."""
        found = self._found(call, request, _parsed(request, QUERIES))
        if request.return_type == LEAF_CLASS and len(found.patients) > 1:
            raise RequestRefused(_not_single_patient(len(found.patients)))
        return self._answer(call, request, found)

    # -- ITI-51

    def admit_query_multiple_patients(self, call: Call, request: QueryRequest, findings: Sequence[Finding]) -> None:
        """Nothing to refuse before the query itself is read."""

    def query_multiple_patients(self, call: Call, request: QueryRequest) -> QueryResponse:
        """Answer a query over several patients, who may all be in one answer (ITI TF-2 3.51). Raises RequestRefused.

        Its event names the patients of query and answer; each of them is told in a message of its own (3.51.5.1).
        """
        return self._answer(call, request, self._found(call, request, _parsed(request, MULTI_PATIENT_QUERIES)))

    def _found(self, call: Call, request: QueryRequest, query: StoredQuery) -> Found:
        found = self._queries.find(query, call.access.find, self._policy.max_results)
        if found.more:
            raise RequestRefused(_too_many(self._policy.max_results))
        return found

    def _answer(self, call: Call, request: QueryRequest, found: Found) -> QueryResponse:
        """The answer, of which the audit knows before it leaves."""
        patients = tuple(dict.fromkeys((*patients_asked(request), *found.patients)))
        self._journal.record(self.event(call, "success", patient_ids=patients, query=request))
        if request.return_type == LEAF_CLASS:
            return QueryResponse(fragments=found.fragments)
        return QueryResponse(fragments=tuple(render_object_ref(i, self._policy.home_community_id) for i in found.uuids))


def _parsed(request: QueryRequest, queries: Mapping[str, Query]) -> StoredQuery:
    findings: list[Finding] = []
    query = parse_stored_query(request, findings, queries)
    if query is None:
        raise RequestRefused(*findings)
    return query


def _told(event: AuditEvent, changes: Changes) -> AuditEvent:
    return event._replace(patient_ids=changes.concerned) if changes.concerned else event


def _too_many(limit: int) -> Finding:
    return Finding(
        code=ErrorCode.TOO_MANY_RESULTS,
        rule="ihe.query.tooMany",
        sentence=f"The query matches more than {limit} objects; narrow it by more parameters.",
        received=f"over {limit} objects",
        expected=f"at most {limit} objects",
        clause="ITI TF-3 Table 4.2.4.1-2",
    )


def _not_single_patient(count: int) -> Finding:
    return Finding(
        code=ErrorCode.RESULT_NOT_SINGLE_PATIENT,
        rule="ihe.query.singlePatient",
        sentence="The objects asked for belong to several patients; ask for one patient's at a time, or for ObjectRef.",
        received=f"{count} patients",
        expected="objects of one patient",
        clause="ITI TF-3 Table 4.2.4.1-2",
    )
