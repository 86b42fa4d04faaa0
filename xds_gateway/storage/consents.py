"""Consents of patients: rows of their own, which access conditions read (access_conditions.py)."""

from collections.abc import Sequence
from typing import Any, Final

from ..model.consents import Consent, KeptConsent, Scope, nearness_of
from ..model.identifiers import PatientId
from .database import StorageConflict, inserted
from .patients import PatientSnapshot, PatientTransaction
from .rows import SCOPES
from .terms import NewTerms

_SCOPE_NAMES: Final[dict[int, Scope]] = {0: "all", 1: "confidentiality_code", 2: "class_code", 3: "type_code"}

_KEPT: Final = (
    "SELECT c.id, p.value, p.authority, c.permits, c.grantee, c.scope, k.code, k.scheme, c.until, c.break_glass, c.at,"
    " c.by, c.withdrawn_at, c.withdrawn_by FROM consent c CROSS JOIN patient p ON p.id = c.patient"
    " LEFT JOIN code k ON k.id = c.code"
)
# Bind: domain, value, authority. Of the patient and of all that are merged with it
OF_PATIENT: Final = (
    f"{_KEPT} WHERE c.patient IN (SELECT g.id FROM patient a CROSS JOIN patient g ON g.id = coalesce(a.survivor, a.id)"
    " OR g.survivor = coalesce(a.survivor, a.id) WHERE a.domain = ? AND a.value = ? AND a.authority = ?) ORDER BY c.id"
)
# Bind: number, domain
BY_NUMBER: Final = f"{_KEPT} WHERE c.id = ? AND c.domain = ? AND c.withdrawn_at IS NULL"
ADD: Final = (
    "INSERT INTO consent (domain, patient, permits, nearness, grantee, scope, code, break_glass, until, at, by)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Bind: time, who, number
WITHDRAW: Final = "UPDATE consent SET withdrawn_at = ?, withdrawn_by = ? WHERE id = ?"


class ConsentSnapshot(PatientSnapshot):
    """`ConsentReads` on a connection that is inside a transaction."""

    def consents_of(self, patient_id: PatientId) -> Sequence[KeptConsent]:
        """All consents of a patient and of those merged with it, as they came."""
        return [_kept(row) for row in self._cursor.execute(OF_PATIENT, (self._domain, *patient_id)).fetchall()]


class ConsentTransaction(ConsentSnapshot, PatientTransaction):
    """`ConsentChanges` on the writing connection."""

    def _add_consent(self, consent: Consent, at: str, by: str, terms: NewTerms) -> int:
        patient, nearness = self._patient_row(consent.patient_id), nearness_of(consent.grantee)
        if patient is None or nearness is None:
            raise StorageConflict("a consent names no known patient or no grantee")
        code = terms.id(consent.code) if consent.code is not None else None
        values = (
            *(self._domain, patient.id, int(consent.permits), int(nearness), consent.grantee),
            *(SCOPES.get(consent.scope, 0), code, int(consent.break_glass)),
            *(int(consent.until) if consent.until is not None else None, at, by),
        )
        return inserted(self._cursor.execute(ADD, values))

    def _withdraw_consent(self, number: int, at: str, by: str) -> KeptConsent | None:
        row = self._cursor.execute(BY_NUMBER, (number, self._domain)).fetchone()
        if row is None:
            return None
        self._cursor.execute(WITHDRAW, (at, by, number))
        return _kept(row)._replace(withdrawn_at=at, withdrawn_by=by)


def _kept(row: Sequence[Any]) -> KeptConsent:
    number, value, authority, permits, grantee, scope, code, scheme, until, break_glass, *told = row
    consent = Consent(
        patient_id=PatientId(value, authority),
        permits=permits != 0,
        grantee=grantee,
        scope=_SCOPE_NAMES[scope],
        code=None if code is None else (code, scheme),
        until=None if until is None else str(until),
        break_glass=break_glass != 0,
    )
    return KeptConsent(number, consent, *told)
