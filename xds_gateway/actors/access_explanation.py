"""For an administrator: which row of the matrix and which consent decided about a caller and a document."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ..model.consents import KeptConsent
from ..model.identifiers import PatientId, is_uuid_urn, parse_patient_id
from ..model.messages import AuditEvent
from ..model.metadata import DocumentEntry
from ..model.principal import AccessFilter, Principal
from ..model.queries import GetDocuments
from ..security.access import access_of, caller_of
from ..security.access_explaining import ConsideredRow, explain_rows
from ..security.access_matrix import AccessMatrix, Action
from .administrator import Administrator
from .permissions import document_of
from .ports import QueryStore, Snapshot

_MOST: Final = 1000  # versions of one document


class ExplainedVersion(NamedTuple):
    """A version of a document: whether it is permitted, and the rows that are about it."""

    uuid: str
    version: str
    status: str
    patient_id: str | None
    permitted: bool
    rows: Sequence[ConsideredRow]
    consents: Sequence[KeptConsent]


class AccessExplanation:
    """Explains decisions of one domain, each time with an audit event of the administrator."""

    def __init__(self, administrator: Administrator, queries: QueryStore, matrix: AccessMatrix) -> None:
        self._by: Final = administrator
        self._queries: Final = queries
        self._matrix: Final = matrix

    def explain(self, principal: Principal, action: Action, document: str) -> Sequence[ExplainedVersion]:
        """What a principal may do with the entries of an entryUUID or uniqueId, all versions; none when there is none.

        An entry is permitted when its version is, by one row, and the latest version of its document is, too.
        """
        asked = {"uuids": (document,)} if is_uuid_urn(document) else {"unique_ids": (document,)}
        everything = AccessFilter.everything(self._by.domain)
        uuids = self._queries.find(GetDocuments(level=2, **asked), everything, _MOST).uuids
        found = self._by.store.inspect(lambda snapshot: self._explained(principal, action, uuids, snapshot))
        self._by.journal.record(self._event(found))
        return found

    def _explained(
        self, principal: Principal, action: Action, uuids: Sequence[str], snapshot: Snapshot
    ) -> Sequence[ExplainedVersion]:
        now = self._by.now()
        access = access_of(self._matrix, principal, self._by.domain, now)
        permitted = snapshot.permitted(uuids, getattr(access, action))
        entries: Mapping[str, object] = snapshot.read(uuids)
        versions = []
        for uuid in uuids:
            entry = entries.get(uuid)
            if isinstance(entry, DocumentEntry):
                patient = parse_patient_id(entry.patient_id or "")
                consents = snapshot.consents_of(patient) if patient else ()
                rows = self._rows(principal, action, entry, patient, consents, now)
                told = (entry.version or "", entry.status or "", entry.patient_id, uuid in permitted)
                versions.append(ExplainedVersion(uuid, *told, rows, consents))
        return versions

    def _rows(
        self,
        principal: Principal,
        action: Action,
        entry: DocumentEntry,
        patient: PatientId | None,
        consents: Sequence[KeptConsent],
        now: str,
    ) -> Sequence[ConsideredRow]:
        """What is read names who stands for the patient: an assertion that names a merged one reaches nothing."""
        caller = caller_of(self._matrix, principal)
        patients = (patient,) if patient else ()
        return explain_rows(self._matrix, caller, action, document_of(entry), patients, consents, now)

    def _event(self, found: Sequence[ExplainedVersion]) -> AuditEvent:
        patients = tuple(dict.fromkeys(version.patient_id for version in found if version.patient_id))
        return self._by.event("R", patients, tuple(version.uuid for version in found), "access explain")
