"""Removal for a Document Administrator: metadata from the registry, documents from the repository (ITI-62, ITI-86).

A document is removed in three durable steps, each of which can be repeated: the registry gives it out no more and notes
its key, its bytes are deleted, the note is dropped. Whatever is interrupted after the first step is finished at the
next start or sweep; before it, nothing has happened.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from ..model.errors import Finding, RequestRefused, StorageBusy, StorageFull
from ..model.messages import (
    AuditEvent,
    DocumentRequest,
    PlannedEffect,
    RegistryResponse,
    RemoveDocumentsRequest,
    RemoveDocumentsResponse,
    RemoveRequest,
)
from ..model.principal import Call
from ..rules.ihe import finding
from ..rules.removal import check_remove, codes_of, report_for
from .audited import document_names
from .changes import Change, Named
from .permissions import removable
from .ports import AccessJournal, DocumentStore, HeldDocument, RegistryStore, Snapshot, Transaction
from .registry import DRY_RUN, DocumentRegistry, DomainPolicy
from .removal_plans import plan_removal

_log = logging.getLogger("xds_gateway.removal")


class Removals:
    """What the registry and the repository of one domain remove."""

    def __init__(
        self,
        *,
        registry: DocumentRegistry,
        store: RegistryStore,
        documents: DocumentStore,
        journal: AccessJournal,
        policy: DomainPolicy,
    ) -> None:
        self._registry = registry
        self._store = store
        self._documents = documents
        self._journal = journal
        self._policy = policy

    # -- ITI-62

    def admit_remove(self, call: Call, request: RemoveRequest, findings: Sequence[Finding]) -> None:
        """Refuse a request that lists nothing, or selects by other means than a list. Raises RequestRefused."""
        report = report_for(self._policy.profile)
        check_remove(request, report)
        if report.found:
            raise RequestRefused(*report.findings())

    def remove(self, call: Call, request: RemoveRequest) -> RegistryResponse:
        """Remove the metadata of a closed set of objects, all or none (RMD supplement, 3.62). Raises RequestRefused."""
        event = self._registry.event(call, "success", objects=tuple(dict.fromkeys(request.references)))
        asked = tuple(dict.fromkeys(reference.lower() for reference in request.references))
        planned = partial(plan_removal, request.references, self._policy.profile)
        return self._registry.make(call, Change((), planned, event, Named(objects=asked, removed=asked)))

    # -- ITI-86

    def admit_remove_documents(self, call: Call, request: RemoveDocumentsRequest, findings: Sequence[Finding]) -> None:
        """Nothing to refuse as a whole: each document is judged for itself."""

    def remove_documents(self, call: Call, request: RemoveDocumentsRequest) -> RemoveDocumentsResponse:
        """Remove documents for good, and one finding for each that is not (RMD supplement, 3.86).

        Their metadata stay as they are. Raises StorageFull, StorageBusy: nothing was removed, or all of it will be.
        """
        asked = tuple(dict.fromkeys(request.documents))
        if call.dry_run:
            return self._tell(call, asked)
        judged, keys = self._store.write(partial(self._detach, call, asked))
        gone = erase(self._store, self._documents, keys)
        return self._answer(call, judged, frozenset(keys) - gone)

    def _judge(self, call: Call, asked: Sequence[DocumentRequest], snapshot: Snapshot) -> "_Judged":
        """Which documents are here to be removed, and why others are not."""
        findings: list[Finding] = []
        ours = [request for request in asked if self._ours(request, findings)]
        held = snapshot.documents_of(
            self._policy.repository_unique_id, [request.document_unique_id for request in ours]
        )
        known, may = removable(call, held, snapshot)
        for request in ours:
            if request.document_unique_id not in may:
                rule = "ihe.access.remove" if request.document_unique_id in known else "ihe.remove.document"
                findings.append(_not_removed(rule, request, request.document_unique_id))
        here = dict.fromkeys(request for request in ours if request.document_unique_id in may)
        failed = tuple(request for request in asked if request not in here)
        return _Judged(tuple(here), failed, {name: each for name, each in held.items() if name in may}, tuple(findings))

    def _ours(self, request: DocumentRequest, findings: list[Finding]) -> bool:
        home, own = self._policy.home_community_id, self._policy.repository_unique_id
        if request.home and home and request.home != home:
            findings.append(_not_removed("ihe.remove.home", request, request.home, home))
        elif request.repository_unique_id != own:
            findings.append(_not_removed("ihe.remove.repository", request, request.repository_unique_id, own))
        else:
            return True
        return False

    def _detach(
        self, call: Call, asked: Sequence[DocumentRequest], store: Transaction
    ) -> tuple["_Judged", Sequence[str]]:
        """The first step: give the documents out no more, and tell the audit, in one transaction."""
        judged = self._judge(call, asked, store)
        keys: Sequence[str] = ()
        if judged.here:
            keys = store.detach_documents(self._policy.repository_unique_id, list(judged.held))
        for event in self._events(call, judged):
            store.audit(event)
        return judged, keys

    def _events(self, call: Call, judged: "_Judged") -> tuple[AuditEvent, ...]:
        """One event for the removed documents and one for the others (RMD supplement, 3.86, security audit)."""
        patients = tuple(dict.fromkeys(p for held in judged.held.values() for p in held.patients))
        removed = self._registry.event(call, "success", patient_ids=patients, objects=document_names(judged.here))
        failed = self._registry.event(
            call, "failure", objects=document_names(judged.failed), codes=codes_of(judged.findings)
        )
        return tuple(event for event in (removed, failed) if event.objects)

    def _answer(self, call: Call, judged: "_Judged", left: frozenset[str]) -> RemoveDocumentsResponse:
        """Bytes that could not be deleted are a failure of their documents, also for the audit."""
        kept = dict.fromkeys(r for r in judged.here if not left.isdisjoint(judged.held[r.document_unique_id].keys))
        undeleted = tuple(_not_removed("ihe.remove.store", request, request.document_unique_id) for request in kept)
        if kept:
            event = self._registry.event(
                call, "failure", objects=document_names(tuple(kept)), codes=codes_of(undeleted)
            )
            try:
                self._journal.record(event)
            except (StorageBusy, StorageFull) as unrecorded:  # the removal itself is in the audit
                _log.error("undeleted documents not in the journal", exc_info=unrecorded)
        return RemoveDocumentsResponse(
            removed=tuple(request for request in judged.here if request not in kept),
            findings=(*judged.findings, *undeleted),
        )

    def _tell(self, call: Call, asked: Sequence[DocumentRequest]) -> RemoveDocumentsResponse:
        """What a removal would do, on disk in the journal of reads before it is told."""
        judged = self._store.inspect(partial(self._judge, call, asked))
        self._journal.record(*(event._replace(note=DRY_RUN) for event in self._events(call, judged)))
        planned = tuple(
            PlannedEffect("erase", request.document_unique_id, _told(judged.held[request.document_unique_id]))
            for request in judged.here
        )
        return RemoveDocumentsResponse(removed=judged.here, findings=judged.findings, planned=planned)


class _Judged(NamedTuple):
    """A request taken apart: documents that are here, those that are not with the reasons, and what is held."""

    here: tuple[DocumentRequest, ...]
    failed: tuple[DocumentRequest, ...]
    held: Mapping[str, HeldDocument]
    findings: tuple[Finding, ...]


def erase(store: RegistryStore, documents: DocumentStore, keys: Sequence[str]) -> frozenset[str]:
    """The second and third step: delete bytes durably, then forget them; the keys that are gone."""
    if not keys:
        return frozenset()
    gone = frozenset(documents.erase(keys))
    if gone:
        with suppress(StorageBusy, StorageFull):  # the bytes are gone; the note is dropped by the next sweep
            store.write(lambda transaction: transaction.forget_documents(gone))
    return gone


def finish_removals(store: RegistryStore, documents: DocumentStore) -> int:
    """Finish what was interrupted or could not be deleted; how many documents are gone now. Raises StorageBusy."""
    return len(erase(store, documents, store.inspect(lambda snapshot: snapshot.documents_to_erase())))


def _told(held: HeldDocument) -> str:
    """What goes and what stays; of several entries with one uniqueId all lose their bytes."""
    return f"its bytes are deleted, metadata stay: {', '.join(held.entries) or 'there are none'}"


def _not_removed(rule: str, request: DocumentRequest, received: str, expected: str | None = None) -> Finding:
    return finding(
        rule, object_id=request.document_unique_id, received=received, expected=expected, transaction="ITI-86"
    )
