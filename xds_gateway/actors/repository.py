"""Document Repository: keeps documents durably, then has them registered, and gives them back (ITI TF-1 10.1.1.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..model.errors import Finding, RequestRefused, StorageBusy, StorageFaulty, StorageFull
from ..model.messages import (
    AuditEvent,
    DocumentRequest,
    ProvideRequest,
    RegistryResponse,
    RetrievedDocument,
    RetrieveRequest,
    RetrieveResponse,
    SpooledDocument,
    StoredDocument,
)
from ..model.metadata import DocumentEntry
from ..model.principal import AccessFilter, Call
from ..rules.ihe import check_content, check_documents, finding
from .audited import document_names
from .identity import NewUuid, resolved, with_document, without_flags
from .on_demand import OnDemandSource
from .ports import AccessJournal, DocumentIndex, DocumentStore
from .registry import DocumentRegistry, DomainPolicy


class DocumentRepository:
    """The repository of one domain; its registry is in the same process and commits with it."""

    def __init__(
        self,
        *,
        registry: DocumentRegistry,
        documents: DocumentStore,
        index: DocumentIndex,
        journal: AccessJournal,
        policy: DomainPolicy,
        new_uuid: NewUuid,
        on_demand: OnDemandSource | None = None,
    ) -> None:
        """`on_demand` makes the documents of this repository's on-demand entries, if anybody does."""
        self._on_demand = on_demand
        self._registry = registry
        self._documents = documents
        self._index = index
        self._journal = journal
        self._policy = policy
        self._new_uuid = new_uuid

    # -- ITI-41

    def admit_provide(self, call: Call, request: ProvideRequest, findings: Sequence[Finding]) -> None:
        """Judge the metadata before any document is taken from the wire. Raises RequestRefused with all findings."""
        found = (
            *findings,
            *self._registry.check(
                request.submission,
                actor="repository",
                transaction="ITI-41",
                limited=self._policy.limited_metadata,
            ),
            *check_documents(request.submission, request.parts, profile=self._policy.profile),
        )
        self._registry.admit(call, request.submission, found, "ITI-41")

    def provide(self, call: Call, request: ProvideRequest, spooled: Mapping[str, SpooledDocument]) -> RegistryResponse:
        """Store documents, by their entry's id, then register them (ITI TF-2 3.41.4.1.3.2). Raises RequestRefused."""
        self._check_contents(call, request, spooled)
        if call.dry_run:
            return self._register(call, request, {identifier: _unkept(spool) for identifier, spool in spooled.items()})
        stored = self._keep(spooled)
        try:
            response = self._register(call, request, stored)
        except StorageFaulty:  # an entry may be there after all: its document stays, orphans are swept
            raise
        except (RequestRefused, StorageFull, StorageBusy):  # nothing of it was committed
            self._discard(stored)
            raise
        if response.retried:
            self._discard(stored)
        return response

    def _discard(self, stored: Mapping[str, StoredDocument]) -> None:
        self._documents.remove({document.key for document in stored.values()})

    def _check_contents(self, call: Call, request: ProvideRequest, spooled: Mapping[str, SpooledDocument]) -> None:
        findings = tuple(
            finding
            for entry in request.submission.document_entries
            for finding in check_content(
                entry, spooled[entry.id].size, spooled[entry.id].sha1, profile=self._policy.profile
            )
        )
        if findings:
            more = self._registry.state_findings(call, request.submission, "ITI-41", findings)
            raise RequestRefused(*findings, *more)

    def _keep(self, spooled: Mapping[str, SpooledDocument]) -> dict[str, StoredDocument]:
        """Each spooled file once, however many entries include it. Raises StorageFull."""
        distinct = {document.path: document for document in spooled.values()}
        kept = dict(zip(distinct, self._documents.keep(tuple(distinct.values())), strict=True))
        return {identifier: kept[document.path] for identifier, document in spooled.items()}

    def _register(self, call: Call, request: ProvideRequest, stored: Mapping[str, StoredDocument]) -> RegistryResponse:
        sent = without_flags(request.submission) if self._policy.limited_metadata else request.submission
        ours = replace(
            sent,
            document_entries=tuple(self._described(entry, stored[entry.id]) for entry in sent.document_entries),
        )
        final = resolved(ours, self._new_uuid, self._policy.home_community_id)
        documents = {
            entry.id: stored[sent.id]
            for sent, entry in zip(request.submission.document_entries, final.submission.document_entries, strict=True)
        }
        return self._registry.commit(call, final, documents, "ITI-41")

    def _described(self, entry: DocumentEntry, document: StoredDocument) -> DocumentEntry:
        return with_document(entry, self._policy.repository_unique_id, document.sha1, document.size)

    # -- ITI-43

    def admit_retrieve(self, call: Call, request: RetrieveRequest, findings: Sequence[Finding]) -> None:
        """A request that does not name its documents is refused. Raises RequestRefused."""
        if findings:
            raise RequestRefused(*findings)

    def retrieve(self, call: Call, request: RetrieveRequest) -> RetrieveResponse:
        """The documents that the caller may read, and one finding for each other (ITI TF-2 3.43.4.1.3)."""
        findings: list[Finding] = []
        ours = [document for document in request.documents if self._ours(document, findings)]
        found = self._index.documents(
            self._policy.repository_unique_id, [document.document_unique_id for document in ours], call.access.retrieve
        )
        hidden = self._patients_of(
            call, [asked.document_unique_id for asked in ours if asked.document_unique_id not in found]
        )
        documents: list[RetrievedDocument] = []
        told = [_Told(document, None) for document in dict.fromkeys(request.documents).keys() - set(ours)]
        for asked in ours:
            have = found.get(asked.document_unique_id)
            made = self._on_demand.retrieve(call, asked) if have is None and self._on_demand else None
            if have is not None:
                documents.append(RetrievedDocument(asked, have.document, have.mime_type))
                told.append(_Told(asked, have.patient_id, documents[-1]))
            elif made is None:
                findings.append(_not_here("ihe.retrieve.document", asked, asked.document_unique_id))
                told.append(_Told(asked, hidden.get(asked.document_unique_id)))
            else:
                documents += [made.document] if made.document else []
                findings += [made.finding] if made.finding else []
                told.append(_Told(asked, made.patient_id, made.document))
        self._journal.record(*self._events(call, told, tuple(dict.fromkeys(f.code.value for f in findings))))
        return RetrieveResponse(documents=tuple(documents), findings=tuple(findings))

    def _patients_of(self, call: Call, unique_ids: Sequence[str]) -> Mapping[str, str]:
        """Whose the documents are that the caller may not read: for the audit alone, which tells of refusals."""
        if not unique_ids:
            return {}
        everything = AccessFilter.everything(call.access.domain)
        found = self._index.documents(self._policy.repository_unique_id, unique_ids, everything)
        return {unique_id: document.patient_id for unique_id, document in found.items()}

    def _events(self, call: Call, told: Sequence["_Told"], codes: tuple[str, ...]) -> Iterator[AuditEvent]:
        """One for each patient, and apart what was given from what was not (ITI TF-2 3.20.7.1, 3.43.6)."""
        groups: dict[tuple[str | None, bool], list[_Told]] = {}
        for each in told:
            groups.setdefault((each.patient_id, each.given is not None), []).append(each)
        for (patient, given), members in groups.items():
            yield self._registry.event(
                call,
                "success" if given else "failure",
                patient_ids=(patient,) if patient else (),
                objects=(*document_names([each.asked for each in members]), *_new(members)),
                codes=() if given else codes,
            )

    def removed(self, key: str) -> bool:
        """Whether a stored document is given out no more, perhaps since it was found for an answer (ITI-86)."""
        return not self._index.given_out(key)

    def _ours(self, request: DocumentRequest, findings: list[Finding]) -> bool:
        home, own = self._policy.home_community_id, self._policy.repository_unique_id
        if request.home and home and request.home != home:
            findings.append(_not_here("ihe.retrieve.home", request, request.home, home))
        elif request.repository_unique_id != own:
            findings.append(_not_here("ihe.retrieve.repository", request, request.repository_unique_id, own))
        else:
            return True
        return False


class _Told(NamedTuple):
    """What the audit has to know of one document that was asked for: whose it is, and whether it was given."""

    asked: DocumentRequest
    patient_id: str | None
    given: RetrievedDocument | None = None


def _unkept(spooled: SpooledDocument) -> StoredDocument:
    """What a dry run says of a document that it does not keep."""
    return StoredDocument(key="", size=spooled.size, sha1=spooled.sha1, chunk_digests=spooled.chunk_digests)


def _not_here(rule: str, request: DocumentRequest, received: str, expected: str | None = None) -> Finding:
    return finding(rule, object_id=request.document_unique_id, received=received, expected=expected)


def _new(told: Sequence[_Told]) -> tuple[str, ...]:
    """The ids of what was made on demand, as the audit writes ids."""
    return tuple(
        f"{d.new_repository_unique_id or d.request.repository_unique_id} {d.new_document_unique_id}"
        for d in [each.given for each in told]
        if d is not None and d.new_document_unique_id
    )
