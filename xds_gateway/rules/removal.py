"""Rules of removal, ITI-62 and ITI-86: their rows and what is wrong with a request before the registry is asked.

The text of the supplement Remove Metadata and Documents (RMD) is not public as HTML; docs/divergences.md says which of
these rules are choices.
"""

from collections.abc import Sequence
from typing import Final

from ..model.errors import ErrorCode, Finding
from ..model.messages import RemoveRequest
from .engine import Codes, Profile, Report, Rule, row

_METADATA: Final = "IHE RMD supplement, ITI-62"
_DOCUMENTS: Final = "IHE RMD supplement, ITI-86"


def _metadata(
    rule_id: str, kind: str, attribute: str, code: ErrorCode, sentence: str, expected: str, example: str
) -> Rule:
    return row(rule_id, kind, attribute, sentence, expected, _METADATA, example, Codes(None, None, (("ITI-62", code),)))


def _document(rule_id: str, attribute: str, code: ErrorCode, sentence: str, expected: str, example: str) -> Rule:
    codes = Codes(None, None, (("ITI-86", code),))
    return row(rule_id, "DocumentRequest (ITI-86)", attribute, sentence, expected, _DOCUMENTS, example, codes)


RULES: Final = (
    # ITI-62: the message
    _metadata("ihe.remove.query", "RemoveObjectsRequest", "AdhocQuery", ErrorCode.REGISTRY_ERROR,
              "Name the objects in an ObjectRefList: a query does not select what is removed.",
              "an ObjectRefList alone", "an AdhocQuery beside the list"),
    _metadata("ihe.remove.scope", "RemoveObjectsRequest", "deletionScope", ErrorCode.REGISTRY_ERROR,
              "Leave deletionScope out: metadata are removed by ITI-62, documents by ITI-86.",
              "no deletionScope", "DeleteRepositoryItemOnly"),
    _metadata("ihe.remove.empty", "RemoveObjectsRequest", "ObjectRefList", ErrorCode.REGISTRY_ERROR,
              "List the entryUUIDs of the objects to remove.",
              "one ObjectRef or more", "an empty ObjectRefList"),
    # ITI-62: the registry's state
    _metadata("ihe.remove.unknown", "ObjectRef", "id", ErrorCode.UNRESOLVED_REFERENCE,
              "Name objects of this registry by their entryUUID: {received} is none.",
              "the entryUUID of a registered object", "an object that was removed already"),
    _metadata("ihe.remove.referenced", "any object", "ObjectRef", ErrorCode.REFERENCES_EXIST,
              "Remove the Association {received} in the same request: it leads to or from this object.",
              "every Association of the object in the request", "a document without the HasMember of its set"),
    _metadata("ihe.remove.unreferenced", "any object", "ObjectRef", ErrorCode.UNREFERENCED_OBJECT,
              "Remove {received} in the same request, or keep its Associations: it would be left {expected}.",
              "in a submission set, as every object is", "the HasMember of a document without the document"),
    # ITI-86, for each DocumentRequest
    _document("ihe.remove.home", "HomeCommunityId", ErrorCode.UNKNOWN_COMMUNITY,
              "Ask the community {received} itself: this one is {expected}.",
              "the homeCommunityId of the entry in this registry", "the home of another community"),
    _document("ihe.remove.repository", "RepositoryUniqueId", ErrorCode.UNKNOWN_REPOSITORY_ID,
              "Ask the repository {received} itself: this one is {expected}.",
              "the repositoryUniqueId of the entry in this registry", "the OID of another repository"),
    _document("ihe.remove.document", "DocumentUniqueId", ErrorCode.DOCUMENT_UNIQUE_ID_ERROR,
              "Take the uniqueId from an entry of this repository: there is no document {received} here.",
              "the uniqueId of a document of this repository", "a document that was removed already"),
    _document("ihe.remove.store", "Document", ErrorCode.REMOVE_DOCUMENTS_ERROR,
              "Tell the operator of this repository: {received} is no longer given out, but its bytes could not be "
              "deleted; that is tried again.",
              "a folder that can be written", "a file system that has become read-only"),
)  # fmt: skip


def report_for(profile: Profile) -> Report:
    """A report of the rules of ITI-62."""
    return Report(profile.applicable("ITI-62", "registry"), "ITI-62")


def check_remove(request: RemoveRequest, report: Report) -> None:
    """What no RemoveObjectsRequest of ITI-62 may hold, and what it must."""
    if request.queries:
        report.add("ihe.remove.query", received=f"{request.queries} AdhocQuery")
    if request.deletion_scope is not None:
        report.add("ihe.remove.scope", received=request.deletion_scope)
    if not request.references:
        report.add("ihe.remove.empty", received="0 ObjectRef")


def codes_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The error codes of findings, each once."""
    return tuple(dict.fromkeys(finding.code.value for finding in findings))
