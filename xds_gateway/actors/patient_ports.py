"""What identity feeds and administrators need of storage: patients, their merges, messages already accepted."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..model.identifiers import PatientId


class PatientMerge(NamedTuple):
    """One merge as it was told: by whom, when (DTM, UTC), in which message; and who undid it, if anybody did."""

    subsumed: PatientId
    surviving: PatientId
    at: str
    by: str
    message_id: str
    undone_at: str | None = None
    undone_by: str | None = None


class ListedPatient(NamedTuple):
    """A patient of a domain; `survivor` stands for it when it was merged."""

    patient_id: PatientId
    survivor: PatientId | None


class ReceivedMessage(NamedTuple):
    """A message of a feed: its sender, the id that the sender gave it, a digest of its content."""

    sender: str
    message_id: str
    digest: bytes


class PatientReads(Protocol):
    """What a snapshot tells of patients."""

    def survivor(self, patient_id: PatientId) -> PatientId | None:
        """The patient that stands for this one: itself while it is active; None when it is not known."""

    def merges_of(self, patient_id: PatientId) -> Sequence[PatientMerge]:
        """All merges that this patient was part of, undone ones too, as they came."""

    def patients(self, after: PatientId | None, limit: int) -> Sequence[ListedPatient]:
        """Known patients in the order of id and authority, those after one of them."""

    def was_received(self, message: ReceivedMessage) -> bool:
        """Whether this very message was accepted already."""


class PatientChanges(Protocol):
    """What a transaction changes of patients; whether it may is the actor's to know."""

    def add_patient(self, patient_id: PatientId) -> None:
        """Make a patient known; nothing happens when it is."""

    def merge_patients(self, merge: PatientMerge) -> None:
        """Let `surviving` stand for `subsumed` and for all that were merged into it; both are active."""

    def unmerge_patient(self, patient_id: PatientId, at: str, by: str) -> None:
        """Undo the merge of a subsumed patient: it stands again for itself and for all that were merged into it."""

    def note_received(self, message: ReceivedMessage, at: str) -> None:
        """Remember an accepted message; what was remembered for over 30 days is forgotten by and by."""
