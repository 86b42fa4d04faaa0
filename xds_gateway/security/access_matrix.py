"""Access matrices as tables: rows that permit, and the names that their columns are written in.

Nothing is permitted but by a row. A row is one way: roles and modes choose it, all its other columns must hold for a
document. `IHE` is the matrix of a domain whose settings name no other; IHE leaves the policy to the affinity domain
(ITI TF-1 9.5), so each row is a choice of ours. docs/access-matrix.md shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from ..model.principal import Consent, Pair

Action = Literal["find", "retrieve", "submit", "replace", "update", "remove", "feed"]
ANY: Final = "any"
NODE: Final = "node"  # the role of a caller without a user: the mount's authentication has let it in
NORMAL: Final = "normal"  # the mode when no purpose of use chooses another one


class DocumentTypes(NamedTuple):
    """A group of documents: those with one of these class codes or type codes."""

    class_codes: tuple[Pair, ...] = ()
    type_codes: tuple[Pair, ...] = ()


class AccessRow(NamedTuple):
    """One row. `documents` is a group or "any", `confidentiality` names levels or is "any", with or without a code.

    `owner` "own" means documents that name the user's organisation as an author's, `patient` "named" that the assertion
    must name a patient. What an assertion names it is limited to by every row.
    """

    id: str
    role: str
    actions: tuple[Action, ...]
    documents: str
    confidentiality: tuple[str, ...]
    mode: str
    owner: Literal["anyone", "own"]
    consent: Consent
    patient: Literal["any", "named"]


@dataclass(frozen=True, kw_only=True)
class AccessMatrix:
    """Rows, and what their words stand for: roles, modes by purpose of use, levels of confidentiality, documents."""

    name: str
    roles: Mapping[str, tuple[Pair, ...]]
    modes: Mapping[str, tuple[Pair, ...]]
    confidentialities: Mapping[str, tuple[Pair, ...]]
    documents: Mapping[str, DocumentTypes] = field(default_factory=dict)
    rows: tuple[AccessRow, ...]

    def __hash__(self) -> int:
        """By identity: a matrix lives as long as the process."""
        return id(self)


ACTIONS: Final[tuple[Action, ...]] = ("find", "retrieve", "submit", "replace", "update", "remove", "feed")

_SNOMED: Final = "2.16.840.1.113883.6.96"
_LOINC: Final = "2.16.840.1.113883.6.1"
_CONFIDENTIALITY: Final = "2.16.840.1.113883.5.25"
_ACT_REASON: Final = "2.16.840.1.113883.5.8"

#   role                SNOMED CT code of the assertion (ITI TF-2 3.40.4.1.2.3)
_ROLES: Final = {
    "physician":      "309343006",
    "nurse":          "106292003",
    "pharmacist":     "46255001",
    "administrative": "224608005",
    "patient":        "116154003",
}  # fmt: skip

#   mode                purposes of use that choose it (HL7 ActReason)
_MODES: Final = {
    "break-glass":    "ETREAT",
}  # fmt: skip

#   level               codes of HL7 Confidentiality
_LEVELS: Final = {
    "normal":          "U L M N",
    "restricted":      "R",
    "very restricted": "V",
}  # fmt: skip

#   documents           LOINC codes, as classCode or typeCode
_DOCUMENTS: Final = {
    "medication":
        # prescription, dispensation, summary, history of use, immunisations
        "57833-6 60593-1 56445-0 10160-0 11369-6",
    "administrative":
        # administrative note, correspondence, insurance card, insurance form, consent, privacy acknowledgement
        "51851-4 52033-8 64290-0 64291-8 59284-0 57016-8",
}  # fmt: skip

_ALL: Final = "find retrieve submit replace update remove feed"
_UP_TO_N: Final = "normal"
_UP_TO_R: Final = "normal, restricted"
_UP_TO_V: Final = "normal, restricted, very restricted"

_ROWS: Final = (
    # id, role, actions
    #     documents, confidentiality, mode, owner, consent, patient
    ("node.all", NODE, _ALL,
         ANY, ANY, ANY, "anyone", "unless opposed", "any"),
    # physicians read what is restricted, too; the rest by permission of the patient, or in an emergency
    ("physician.read", "physician", "find retrieve",
         ANY, _UP_TO_R, ANY, "anyone", "unless opposed", "any"),
    ("physician.permitted", "physician", "find retrieve",
         ANY, _UP_TO_V, NORMAL, "anyone", "if permitted", "any"),
    ("physician.emergency", "physician", "find retrieve",
         ANY, _UP_TO_V, "break-glass", "anyone", "unless opposed", "any"),
    ("physician.own", "physician", "find retrieve replace update remove",
         ANY, _UP_TO_V, ANY, "own", "regardless", "any"),
    ("physician.submit", "physician", "submit",
         ANY, _UP_TO_V, ANY, "anyone", "regardless", "any"),
    # nurses one level less
    ("nurse.read", "nurse", "find retrieve",
         ANY, _UP_TO_N, ANY, "anyone", "unless opposed", "any"),
    ("nurse.permitted", "nurse", "find retrieve",
         ANY, _UP_TO_R, NORMAL, "anyone", "if permitted", "any"),
    ("nurse.emergency", "nurse", "find retrieve",
         ANY, _UP_TO_R, "break-glass", "anyone", "unless opposed", "any"),
    ("nurse.own", "nurse", "find retrieve replace update",
         ANY, _UP_TO_R, ANY, "own", "regardless", "any"),
    ("nurse.submit", "nurse", "submit",
         ANY, _UP_TO_R, ANY, "anyone", "regardless", "any"),
    # pharmacists: what concerns medication
    ("pharmacist.read", "pharmacist", "find retrieve",
         "medication", _UP_TO_R, ANY, "anyone", "unless opposed", "any"),
    ("pharmacist.permitted", "pharmacist", "find retrieve",
         ANY, _UP_TO_N, NORMAL, "anyone", "if permitted", "any"),
    ("pharmacist.own", "pharmacist", "find retrieve replace update",
         "medication", _UP_TO_R, ANY, "own", "regardless", "any"),
    ("pharmacist.submit", "pharmacist", "submit",
         "medication", _UP_TO_R, ANY, "anyone", "regardless", "any"),
    # administrative staff send what others wrote, and read what is administrative
    ("administrative.read", "administrative", "find retrieve",
         "administrative", _UP_TO_N, NORMAL, "anyone", "unless opposed", "any"),
    ("administrative.own", "administrative", "find retrieve replace update remove",
         "administrative", _UP_TO_N, NORMAL, "own", "regardless", "any"),
    ("administrative.submit", "administrative", "submit",
         ANY, _UP_TO_V, NORMAL, "anyone", "regardless", "any"),
    # and tell who the patients are, by ITI-44
    ("administrative.feed", "administrative", "feed",
         ANY, ANY, NORMAL, "anyone", "regardless", "any"),
    # patients: their own record; a document with any other code is not shown, such as one that hides it from them
    ("patient.read", "patient", "find retrieve",
         ANY, _UP_TO_R, ANY, "anyone", "regardless", "named"),
    ("patient.submit", "patient", "submit",
         ANY, _UP_TO_R, ANY, "anyone", "regardless", "named"),
)  # fmt: skip


def _coded(codes: str, scheme: str) -> tuple[Pair, ...]:
    return tuple((code, scheme) for code in codes.split())


def _row(identifier: str, role: str, actions: str, documents: str, levels: str, *others: str) -> AccessRow:
    listed = tuple(levels.split(", "))
    return AccessRow(identifier, role, tuple(actions.split()), documents, listed, *others)  # type: ignore[arg-type]


IHE: Final = AccessMatrix(
    name="ihe",
    roles={name: _coded(code, _SNOMED) for name, code in _ROLES.items()},
    modes={name: _coded(codes, _ACT_REASON) for name, codes in _MODES.items()},
    confidentialities={name: _coded(codes, _CONFIDENTIALITY) for name, codes in _LEVELS.items()},
    documents={name: DocumentTypes(*[_coded(codes, _LOINC)] * 2) for name, codes in _DOCUMENTS.items()},
    rows=tuple(_row(*row) for row in _ROWS),
)
