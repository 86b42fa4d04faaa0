"""Why a caller may or may not do something with one document: each row of the matrix that is about it, and consents.

It says in words what the filters say in conditions; whether the document is permitted is for storage to say.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..model.consents import KeptConsent, nearness_of
from ..model.identifiers import PatientId
from .access import Caller, Document, judged_by, permit_of
from .access_matrix import ANY, NORMAL, AccessMatrix, AccessRow, Action


class ConsideredRow(NamedTuple):
    """A row, and why it does not permit; nothing when it does. `consent` is the one that decided, if one did."""

    row: AccessRow
    why_not: tuple[str, ...] = ()
    consent: int | None = None


def explain_rows(
    matrix: AccessMatrix,
    caller: Caller,
    action: Action,
    document: Document,
    patient_ids: Sequence[PatientId],
    consents: Sequence[KeptConsent],
    now: str,
) -> Sequence[ConsideredRow]:
    """The rows that are about a role of the caller and this action, in the order of the matrix.

    `patient_ids` are the patient's of the document and those merged with it, `consents` theirs.
    """
    standing = [kept for kept in consents if _concerns(kept, caller, document, now)]
    opposition = _opposition(standing, caller)
    permission = next((kept for kept in standing if kept.consent.permits), None)
    return [
        _considered(matrix, row, caller, document, patient_ids, opposition, permission)
        for row in matrix.rows
        if row.role in caller.roles and action in row.actions
    ]


def _considered(
    matrix: AccessMatrix,
    row: AccessRow,
    caller: Caller,
    document: Document,
    patient_ids: Sequence[PatientId],
    opposition: KeptConsent | None,
    permission: KeptConsent | None,
) -> ConsideredRow:
    why = list(_of_caller(row, caller, patient_ids)) + list(_of_document(matrix, row, caller, document))
    consent = None
    if row.consent != "regardless" and opposition is not None:
        why.append(f"the patient opposes it (consent {opposition.number})")
        consent = opposition.number
    elif row.consent == "if permitted":
        consent = permission.number if permission else None
        if permission is None:
            why.append("the patient has not permitted it")
    return ConsideredRow(row, tuple(why), consent)


def _of_caller(row: AccessRow, caller: Caller, patient_ids: Sequence[PatientId]) -> Sequence[str]:
    why = []
    if row.mode not in (ANY, caller.mode):
        why.append(f"its mode is {row.mode}, the caller's is {caller.mode}")
    if row.owner == "own" and caller.organization is None:
        why.append("the assertion names no organisation")
    if row.patient == "named" and caller.patient is None:
        why.append("the assertion names no patient")
    if caller.patient is not None and caller.patient not in patient_ids:
        why.append("the document is of another patient than the assertion's")
    return why


#   column            what a row of it alone asks, and what to say when the document has it not
_COLUMNS: Final = (
    ("confidentiality", "the document has no confidentialityCode, or one that the row does not name"),
    ("documents", "neither classCode nor typeCode is one of the row's documents"),
    ("owner", "no author is of the user's organisation"),
)


def _of_document(matrix: AccessMatrix, row: AccessRow, caller: Caller, document: Document) -> Sequence[str]:
    """Each column of the document for itself."""
    open_row = row._replace(confidentiality=(ANY,), documents=ANY, owner="anyone")
    return [
        sentence
        for column, sentence in _COLUMNS
        if not judged_by(
            permit_of(matrix, open_row._replace(**{column: getattr(row, column)}), caller.organization), document
        )
    ]


def _concerns(kept: KeptConsent, caller: Caller, document: Document, now: str) -> bool:
    """Whether a consent is in force, about the caller and about the document."""
    consent = kept.consent
    covered = {
        "all": True,
        "class_code": consent.code is not None and consent.code == document.class_code,
        "type_code": consent.code is not None and consent.code == document.type_code,
        "confidentiality_code": consent.code in document.confidentiality,
    }[consent.scope]
    return kept.in_force(now) and consent.grantee in caller.grantees and covered


def _opposition(standing: Sequence[KeptConsent], caller: Caller) -> KeptConsent | None:
    """The first opposition that no nearer permission of the same identifier lifts, nor the emergency."""
    for kept in standing:
        consent = kept.consent
        if consent.permits or (consent.break_glass and caller.mode != NORMAL):
            continue
        nearer = (
            other.consent.permits
            and other.consent.patient_id == consent.patient_id
            and (nearness_of(other.consent.grantee) or 0) > (nearness_of(consent.grantee) or 0)
            for other in standing
        )
        if not any(nearer):
            return kept
    return None
