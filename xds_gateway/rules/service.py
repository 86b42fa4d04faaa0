"""Rules about what the service can give: documents asked for, room, time, its own faults (ITI TF-3 Table 4.2.4.1-2)."""

from typing import Final

from ..model.errors import ErrorCode
from .engine import Codes, Rule, row

_CODES: Final = "ITI TF-3 Table 4.2.4.1-2"
_ON_DEMAND: Final = "ITI TF-2 3.43.4.2.3; ITI TF-3 Table 4.2.4.1-2"
_RETRIEVE: Final = "ITI TF-2 3.43.4.1.3; ITI TF-3 Table 4.2.4.1-2"


def _row(
    rule_id: str, attribute: str, code: ErrorCode, sentence: str, expected: str, clause: str, example: str
) -> Rule:
    return row(rule_id, "request", attribute, sentence, expected, clause, example, Codes(code, code))


RULES: Final = (
    # ITI-41: what arrives and what is kept
    _row("ihe.document.part", "Document", ErrorCode.MISSING_DOCUMENT,
         "Send the part that the xop:Include of this document names: {received} is not in the message.",
         "a part with this Content-ID", "ITI TF-2 3.41.4.1.3; XOP 1.0 3.2", "an Include of a part that is not sent"),
    # ITI-43
    _row("ihe.retrieve.home", "HomeCommunityId", ErrorCode.UNKNOWN_COMMUNITY,
         "Ask the community {received} itself: this one is {expected}.",
         "the homeCommunityId of the entry in this registry", _RETRIEVE, "the home of another community"),
    _row("ihe.retrieve.repository", "RepositoryUniqueId", ErrorCode.UNKNOWN_REPOSITORY_ID,
         "Ask the repository {received} itself: this one is {expected}.",
         "the repositoryUniqueId of the entry in this registry", _RETRIEVE, "the OID of another repository"),
    _row("ihe.retrieve.document", "DocumentUniqueId", ErrorCode.DOCUMENT_UNIQUE_ID_ERROR,
         "Take the uniqueId from an entry that the registry shows you: there is no document {received} for you.",
         "the uniqueId of a document of this repository", _RETRIEVE, "a uniqueId that was never stored"),
    _row("ihe.document.damaged", "Document", ErrorCode.REPOSITORY_ERROR,
         "Tell the operator of this repository: the stored bytes of {received} fail their check and are not given out.",
         "bytes with the digest they were stored with", _CODES, "a stored file changed on disk"),
    # ITI-43: documents made on demand
    _row("ihe.onDemand.failed", "Document", ErrorCode.REPOSITORY_ERROR,
         "Ask again later, or tell the operator of this repository: what makes the document {received} failed.",
         "a document", _ON_DEMAND, "an exception in the hook of the domain"),
    _row("ihe.onDemand.time", "Document", ErrorCode.REPOSITORY_ERROR,
         "Ask again later: the document {received} was not made in time.",
         "a document within the time limit", _ON_DEMAND, "a hook that takes longer than on_demand_seconds"),
    _row("ihe.onDemand.snapshot", "Document", ErrorCode.REPOSITORY_ERROR,
         "Find the entry of {received} anew: the document was made, and its snapshot cannot be registered any more.",
         "an on-demand entry that is Approved, of a known patient", _ON_DEMAND, "a deprecated on-demand entry"),
    # both
    _row("ihe.registry.full", "storage", ErrorCode.REGISTRY_OUT_OF_RESOURCES,
         "Send the same message again later: the registry has no room, nothing of it was stored.",
         "room on the disk", _CODES, "a full disk"),
    _row("ihe.repository.full", "storage", ErrorCode.REPOSITORY_OUT_OF_RESOURCES,
         "Send the same message again later: the repository has no room, nothing of it was stored.",
         "room on the disk", _CODES, "a full disk"),
    _row("ihe.registry.busy", "storage", ErrorCode.REGISTRY_BUSY,
         "Send the same message again later: the registry has too much to do, nothing of it was stored.",
         "a free moment", _CODES, "more writers than the database takes"),
    _row("ihe.repository.busy", "storage", ErrorCode.REPOSITORY_BUSY,
         "Send the same message again later: the repository has too much to do, nothing of it was stored.",
         "room for documents being received", _CODES, "limit spool_in_flight_bytes reached"),
    _row("ihe.registry.failed", "registry", ErrorCode.REGISTRY_ERROR,
         "Tell the operator of this registry: it failed, and its log says why.",
         "an answer", _CODES, "a fault of the gateway"),
    _row("ihe.repository.failed", "repository", ErrorCode.REPOSITORY_ERROR,
         "Tell the operator of this repository: it failed, and its log says why.",
         "an answer", _CODES, "a fault of the gateway"),
)  # fmt: skip
