"""Rules about what a caller may do: what a refusal says, which is nothing of what is hidden.

IHE has no code for a refusal by policy but LocalPolicyRestrictionError of ITI-92: the general code of each transaction
stands for the others (docs/divergences.md). The row of the matrix that is missing goes to the log.
"""

from typing import Final

from ..model.errors import ErrorCode
from .engine import Codes, Rule, row

_CLAUSE: Final = "ITI TF-3 Table 4.2.4.1-2; docs/decide-access.md"
_CODES: Final = Codes(
    ErrorCode.REPOSITORY_ERROR,
    ErrorCode.REGISTRY_ERROR,
    (
        ("ITI-57", ErrorCode.METADATA_UPDATE_ERROR),
        ("ITI-86", ErrorCode.REMOVE_DOCUMENTS_ERROR),
        ("ITI-92", ErrorCode.LOCAL_POLICY_RESTRICTION),
    ),
)


def _row(rule_id: str, kind: str, attribute: str, sentence: str, expected: str, example: str) -> Rule:
    return row(rule_id, kind, attribute, sentence, expected, _CLAUSE, example, _CODES)


RULES: Final = (
    _row("ihe.access.action", "request", "role",
         "Ask with a role that may {received} documents: yours may not.",
         "an assertion with such a role", "a role that the access matrix does not know"),
    _row("ihe.access.patient", "any object", "patientId",
         "Send what is about the patient of your assertion, {expected}: {received} is another one.",
         "the patient of the assertion", "a document of somebody else"),
    _row("ihe.access.submit", "DocumentEntry", "classCode, typeCode, confidentialityCode",
         "Send this document with a role that may submit such documents: yours may not.",
         "a type and a confidentiality that the role may submit", "a role that may not submit documents of this type"),
    _row("ihe.access.replace", "DocumentEntry", "Association",
         "Have {received} replaced by somebody who may: you may see it only.",
         "a document that the role may replace", "the document of another organisation"),
    _row("ihe.access.update", "any object", "logicalID",
         "Have {received} changed by somebody who may: you may see it only.",
         "an object that the role may update", "the document of another organisation"),
    _row("ihe.access.remove", "any object", "id",
         "Have {received} removed by somebody who may: you may see it only.",
         "an object that the role may remove", "the document of another organisation"),
)  # fmt: skip
