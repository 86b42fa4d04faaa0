"""What access rights and administrators need of storage: consents of patients, and what rows ask of a document."""

from collections.abc import Sequence
from typing import Protocol

from ..model.consents import Consent, KeptConsent
from ..model.identifiers import PatientId


class ConsentReads(Protocol):
    """Consents of the domain, in one state of it."""

    def consents_of(self, patient_id: PatientId) -> Sequence[KeptConsent]:
        """All consents of a patient and of those merged with it, withdrawn ones too, as they came."""


class ConsentChanges(Protocol):
    """Changes of consents; none of them is ever deleted but by a reset."""

    def add_consent(self, consent: Consent, at: str, by: str) -> int:
        """Keep a consent of a known patient, told at a time (DTM, UTC) by somebody; its number."""

    def withdraw_consent(self, number: int, at: str, by: str) -> KeptConsent | None:
        """Let a consent count no more; as it is kept then, None when the domain has none of this number in force."""
