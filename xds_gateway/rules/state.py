"""Rules that depend on what is registered already: their rows; the registry actor finds them out in its plan."""

from typing import Final

from ..model.errors import ErrorCode, Finding
from .engine import METADATA, PATIENT, UNRESOLVED, Codes, Evidence, Rule, Transaction, make_finding


def _both(code: ErrorCode) -> Codes:
    return Codes(code, code)


_DUPLICATE: Final = _both(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY)
_DEPRECATED: Final = _both(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT)


def _row(
    rule_id: str, kind: str, attribute: str, sentence: str, expected: str, clause: str, example: str, codes: Codes
) -> Rule:
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute,
        codes=codes,
        sentence=sentence,
        expected=expected,
        clause=clause,
        example=example,
    )


RULES: Final = (
    _row("ihe.state.unknownPatient", "SubmissionSet", "patientId",
         "Use a patient that this registry knows: {received} is not known.",
         "a patientId of the patient identity feed", "ITI TF-2 3.42.4.1.3.3.2", "a patient that was never fed",
         _both(ErrorCode.UNKNOWN_PATIENT)),
    _row("ihe.state.uniqueIdRegistered", "SubmissionSet or Folder", "uniqueId",
         "Give the set or folder a new uniqueId: {received} is already registered.",
         "a uniqueId that no registered object has", "ITI TF-2 3.42.4.1.3.3.7, ITI TF-3 Table 4.2.4.1-2",
         "the uniqueId of an earlier set", _DUPLICATE),
    _row("ihe.state.uniqueIdOfOtherKind", "DocumentEntry", "uniqueId",
         "Give the document a new uniqueId: {received} is the uniqueId of a registered set or folder.",
         "a uniqueId that no registered set or folder has", "ITI TF-2 3.42.4.1.3.3.7", "the uniqueId of an earlier set",
         METADATA),
    _row("ihe.state.nonIdenticalHash", "DocumentEntry", "hash",
         "Give the document a new uniqueId: other bytes are registered under this one, with the hash {expected}.",
         "the hash of the registered document of this uniqueId", "ITI TF-2 3.42.4.1.3.3.1",
         "other bytes under a uniqueId in use", _both(ErrorCode.NON_IDENTICAL_HASH)),
    _row("ihe.state.nonIdenticalSize", "DocumentEntry", "size",
         "Give the document a new uniqueId: other bytes are registered under this one, {expected} of them.",
         "the size of the registered document of this uniqueId", "ITI TF-2 3.42.4.1.3.3.1",
         "other bytes under a uniqueId in use", _both(ErrorCode.NON_IDENTICAL_SIZE)),
    _row("ihe.state.uuidRegistered", "any object", "entryUUID",
         "Give the object a new id: {received} is already registered.",
         "a symbolic id, or a UUID that is not registered", "ITI TF-3 4.2.3.1.5", "the entryUUID of an earlier entry",
         METADATA),
    _row("ihe.state.unresolved", "Association", "targetObject",
         "Let {attribute} name a registered object, or one of this message: {received} is neither.",
         "an id of the message or of a registered object", "ITI TF-2 3.42.4.1.3.5", "a UUID that is not registered",
         UNRESOLVED),
    _row("ihe.state.endKind", "Association", "targetObject",
         "Let {attribute} name {expected}: {received} is not that.",
         "a DocumentEntry", "ITI TF-3 4.2.2, ITI TF-2 3.42.4.1.3.5",
         "RPLC of a registered folder, IsSnapshotOf a stable entry", METADATA),
    _row("ihe.state.deprecated", "Association", "targetObject",
         "Find the current version and name that: {received} is Deprecated.",
         "an object whose availabilityStatus is Approved", "ITI TF-2 3.42.4.1.3.4, 3.42.4.1.3.5",
         "RPLC of a replaced document", _DEPRECATED),
    _row("ihe.state.replacedTwice", "Association", "targetObject",
         "Replace a document once: {received} is replaced twice in this message.",
         "one replacement of each document", "ITI TF-2 3.42.4.1.3.5", "two RPLC with one target", _DEPRECATED),
    _row("ihe.state.otherPatient", "Association", "patientId",
         "Associate objects of one patient only: {received} belongs to another patient.",
         "an object of the patient of the message", "ITI TF-2 3.42.4.1.3.3.2, 3.42.4.1.3.5",
         "RPLC of another patient's document", PATIENT),
    _row("ihe.state.targetOnDemand", "Association", "targetObject",
         "Let the relationship point at a stable DocumentEntry: {received} is on-demand, which is not handled yet.",
         "a stable DocumentEntry", "ITI TF-2 3.42.4.1.2", "RPLC of an on-demand entry",
         _both(ErrorCode.REGISTRY_ERROR)),
    _row("ihe.state.transformationAppended", "Association", "targetObject",
         "Append to the original document: {received} is a transformation.",
         "an entry that is not the source of XFRM", "ITI TF-3 4.2.2.2.1", "APND to a transformed document", METADATA),
    _row("ihe.state.unsupported", "Association", "associationType",
         "Leave out {received}: this gateway does not process it yet.",
         "what the compliance page lists as supported", "ITI TF-3 Table 4.2.4.1-2", "a feature that is not there yet",
         _both(ErrorCode.REGISTRY_ERROR)),
)  # fmt: skip

_BY_ID: Final = {rule.id: rule for rule in RULES}


def state_finding(
    rule_id: str,
    *,
    transaction: Transaction,
    object_id: str | None = None,
    attribute: str | None = None,
    received: str | None = None,
    expected: str | None = None,
) -> Finding:
    """A finding of one of these rows. Raises KeyError for another id."""
    evidence = Evidence(object_id=object_id, attribute=attribute, received=received, expected=expected)
    return make_finding(_BY_ID[rule_id], evidence, transaction)
