"""What an administrator does with the consents of patients, each act with its audit event."""

from collections.abc import Sequence
from typing import Final

from ..model.consents import Consent, KeptConsent, nearness_of
from ..model.errors import GatewayError
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent
from .administrator import Administrator, PatientUnknown
from .ports import Snapshot, Transaction


class ConsentRefused(GatewayError):
    """A consent that says nothing, with the sentence why; nothing was changed."""


class ConsentUnknown(GatewayError):
    """A number that no consent in force has in the domain."""


class ConsentAdministration:
    """The consents of the patients of one domain, for one administrator."""

    def __init__(self, administrator: Administrator) -> None:
        self._by: Final = administrator

    def add(self, consent: Consent) -> KeptConsent:
        """Keep what a patient permits or opposes; it counts from now on. Raises PatientUnknown, ConsentRefused."""
        wrong = _mistake(consent, self._by.now())
        if wrong is not None:
            raise ConsentRefused(wrong)

        def work(store: Transaction) -> KeptConsent:
            if store.survivor(consent.patient_id) is None:
                raise PatientUnknown(consent.patient_id.as_cx())
            at, by = self._by.now(), self._by.caller.node
            number = store.add_consent(consent, at, by)
            store.audit(self._event("C", consent.patient_id, number))
            return KeptConsent(number, consent, at, by)

        return self._by.store.write(work)

    def withdraw(self, number: int) -> KeptConsent:
        """Let a consent count no more; it stays in the list. Raises ConsentUnknown."""

        def work(store: Transaction) -> KeptConsent:
            kept = store.withdraw_consent(number, self._by.now(), self._by.caller.node)
            if kept is None:
                raise ConsentUnknown(str(number))
            store.audit(self._event("U", kept.consent.patient_id, number))
            return kept

        return self._by.store.write(work)

    def list(self, patient: PatientId) -> Sequence[KeptConsent]:
        """All consents of a patient and of those merged with it, as they came. Raises PatientUnknown."""

        def look(store: Snapshot) -> Sequence[KeptConsent]:
            if store.survivor(patient) is None:
                raise PatientUnknown(patient.as_cx())
            return store.consents_of(patient)

        found = self._by.store.inspect(look)
        self._by.journal.record(self._event("R", patient))
        return found

    def _event(self, action: str, patient: PatientId, *numbers: int) -> AuditEvent:
        return self._by.event(action, (patient.as_cx(),), tuple(f"consent {number}" for number in numbers))


def _mistake(consent: Consent, now: str) -> str | None:
    """Why a consent would mean nothing, as a sentence."""
    if nearness_of(consent.grantee) is None:
        return "A consent is about everybody, role:CODE^^SCHEME, organization:OID or person:NAME: name one of them."
    if (consent.scope == "all") is not (consent.code is None):
        return "A consent is about all documents, or about those with one code: name a kind of code with its code."
    if consent.permits and consent.break_glass:
        return "Only an opposition can leave the way open in an emergency: leave --break-glass out."
    if consent.until is not None and consent.until <= now:
        return f"The consent would have ended already, at {consent.until}: name a later end."
    return None
