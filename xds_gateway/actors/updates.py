"""Update Responder: new versions, changes of status and associations of registered objects (ITI-57, ITI-92)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from ..model import vocabulary as v
from ..model.errors import Finding, RequestRefused, Severity
from ..model.messages import AuditEvent, RegisterRequest, RegistryResponse
from ..model.metadata import Submission
from ..model.principal import Call
from ..rules.engine import Transaction
from ..rules.ihe import check_submission, finding, read_update
from .changes import Change, Named, Plan
from .identity import NewUuid, Resolved, Versioned, resolved
from .lifecycle import REPLACING
from .permissions import look, named_in
from .ports import Receipt, RegistryStore, Snapshot
from .registry import DocumentRegistry, DomainPolicy
from .retries import digest_of
from .value_sets import is_registered, plan_with_codes, update_codes_refused
from .versions import Update, check_object_types, plan_update


class UpdateResponder:
    """Updates of one domain, which is its registry's own; a restricted update changes new versions of entries only."""

    def __init__(
        self, *, registry: DocumentRegistry, store: RegistryStore, policy: DomainPolicy, new_uuid: NewUuid
    ) -> None:
        """`new_uuid` gives a fresh `urn:uuid:`."""
        self._registry: Final = registry
        self._store: Final = store
        self._policy: Final = policy
        self._new_uuid: Final = new_uuid

    # -- ITI-57

    def admit_update(self, call: Call, request: RegisterRequest, findings: Sequence[Finding]) -> None:
        """Refuse what is no update, or no valid metadata, phase by phase. Raises RequestRefused."""
        self._admit(call, request.submission, findings, "ITI-57")

    def update(self, call: Call, request: RegisterRequest) -> RegistryResponse:
        """Perform all operations of a message, or none (ITI-57). Raises RequestRefused, StorageFull, StorageBusy."""
        return self._perform(call, request.submission, "ITI-57")

    # -- ITI-92

    def admit_restricted_update(self, call: Call, request: RegisterRequest, findings: Sequence[Finding]) -> None:
        """Refuse what a restricted update may not ask for. Raises RequestRefused."""
        self._admit(call, request.submission, findings, "ITI-92")

    def restricted_update(self, call: Call, request: RegisterRequest) -> RegistryResponse:
        """Install new versions of entries (ITI-92). Raises RequestRefused, StorageFull, StorageBusy."""
        return self._perform(call, request.submission, "ITI-92")

    # -- both

    def _admit(self, call: Call, submission: Submission, findings: Sequence[Finding], transaction: Transaction) -> None:
        """Each phase tells everything that it finds, and ends the request when that is an error."""
        _refuse(findings)
        operations, found = read_update(submission, transaction=transaction, profile=self._policy.profile)
        _refuse((*found, *self._foreign_homes(submission, transaction)))
        named = Named(tuple(version.lid for version in operations.versions))

        def seen(check: Callable[[Snapshot], tuple[Finding, ...]]) -> tuple[Finding, ...]:
            return self._store.inspect(lambda snapshot: (*look(call, named, snapshot), *check(snapshot)))

        _refuse(seen(partial(check_object_types, operations.versions, transaction=transaction)))
        judged = check_submission(submission, actor="registry", transaction=transaction, profile=self._policy.profile)
        _refuse((*judged, *seen(partial(self._codes_at_admission, submission, transaction))))

    def _codes_at_admission(
        self, submission: Submission, transaction: Transaction, snapshot: Snapshot
    ) -> tuple[Finding, ...]:
        """Codes that are refused; of a message that may be sent again, the plan tells."""
        if self._policy.safe_retries and is_registered(submission, snapshot):
            return ()
        return self._codes_refused(Resolved(submission, {}), transaction)(snapshot)

    def _codes_refused(self, sent: Resolved, transaction: Transaction) -> Callable[[Snapshot], tuple[Finding, ...]]:
        return partial(
            update_codes_refused,
            sent,
            now=self._registry.now(),
            transaction=transaction,
            profile=self._policy.profile,
        )

    def _foreign_homes(self, submission: Submission, transaction: Transaction) -> tuple[Finding, ...]:
        """A community that is not ours: nothing is forwarded (ITI Supplement Restricted Metadata Update)."""
        own = self._policy.home_community_id
        sent = {item.home: item.id for item in submission.objects if item.home}
        if transaction != "ITI-92" or not sent or set(sent) == {own} or (own is None and len(sent) == 1):
            return ()
        return tuple(
            finding("ihe.update.home", object_id=item, received=home, expected=own, transaction=transaction)
            for home, item in sent.items()
            if home != own
        )

    def _perform(self, call: Call, submission: Submission, transaction: Transaction) -> RegistryResponse:
        update = self._settled(submission, transaction)
        planned: Plan = partial(
            plan_update,
            update,
            patients_open=self._policy.patients_open,
            authorities=self._policy.authorities,
            transaction=transaction,
            new_uuid=self._new_uuid,
        )
        planned = partial(plan_with_codes, planned, self._codes_refused(update.resolved, transaction))
        event = self._event(call, update)
        receipt = _receipt(call, update)
        change = Change(
            update.objects, planned, event, _named(update), sent_ids=update.resolved.sent_ids, receipt=receipt
        )
        return self._registry.make(call, change)

    def _settled(self, submission: Submission, transaction: Transaction) -> Update:
        """The message with final ids, and its operations; a new version has the number after PreviousVersion."""
        final = resolved(submission, self._new_uuid, self._policy.home_community_id)
        settled = replace(
            final.submission,
            document_entries=_with_lids(final.submission.document_entries, submission.document_entries),
            folders=_with_lids(final.submission.folders, submission.folders),
        )
        operations, _ = read_update(settled, transaction=transaction, profile=self._policy.profile)
        versions = tuple(
            version._replace(item=replace(version.item, lid=version.lid, version=str(version.previous + 1)))
            for version in operations.versions
        )
        kept = (a for a in settled.associations if a.association_type not in v.UPDATE_ASSOCIATION_TYPES)
        return Update(
            resolved=final._replace(submission=settled),
            operations=operations._replace(versions=versions),
            objects=(*(version.item for version in versions), *settled.submission_sets, *kept),
        )

    def _event(self, call: Call, update: Update) -> AuditEvent:
        submission_set = update.resolved.submission.submission_sets[0]
        operations = update.operations
        return self._registry.event(
            call,
            "success",
            patient_ids=(submission_set.patient_id,) if submission_set.patient_id else (),
            objects=(
                submission_set.unique_id or submission_set.id,
                *(version.item.id for version in operations.versions),
                *(status.target for status in operations.statuses),
                *(association.id for association in operations.submitted),
            ),
        )


def _named(update: Update) -> Named:
    """Logical objects and targets that it changes, the registered ends of what it associates."""
    own = {item.id for item in update.resolved.submission.objects}
    operations = update.operations
    named = named_in(update.resolved.submission)
    replaced = [a.target for a in operations.submitted if a.association_type in REPLACING and a.target not in own]
    changed = (*(version.lid for version in operations.versions), *(status.target for status in operations.statuses))
    updated = tuple(dict.fromkeys(item for item in changed if item not in own))
    return Named(tuple(dict.fromkeys((*named.objects, *updated))), tuple(replaced), updated)


def _receipt(call: Call, update: Update) -> Receipt | None:
    digest = digest_of(update.resolved)
    return None if digest is None else Receipt(call.principal.node, len(update.resolved.submission.objects), digest)


def _with_lids(final: tuple[Versioned, ...], sent: tuple[Versioned, ...]) -> tuple[Versioned, ...]:
    return tuple(replace(item, lid=as_sent.lid) for item, as_sent in zip(final, sent, strict=True))


def _refuse(findings: Sequence[Finding]) -> None:
    if any(f.severity is Severity.ERROR for f in findings):
        raise RequestRefused(*findings)
