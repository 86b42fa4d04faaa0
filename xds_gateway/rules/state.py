"""Rules that depend on what is registered already: their rows; the registry actor finds them out in its plan."""

from typing import Final

from ..model.errors import ErrorCode
from .engine import METADATA, PATIENT, UNRESOLVED, Codes, row


def _both(code: ErrorCode) -> Codes:
    return Codes(code, code)


_DUPLICATE: Final = _both(ErrorCode.DUPLICATE_UNIQUE_ID_IN_REGISTRY)
_DEPRECATED: Final = _both(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT)


RULES: Final = (
    row("ihe.registry.patient", "SubmissionSet", "patientId",
         "Use a patient that this registry knows: {received} is not known.",
         "a patientId of the patient identity feed", "ITI TF-2 3.42.4.1.3.3.2", "a patient that was never fed",
         _both(ErrorCode.UNKNOWN_PATIENT)),
    row("ihe.registry.patient.merged", "SubmissionSet", "patientId",
         "Use the patientId {expected}: {received} was merged into it.",
         "the patientId that survived the merge", "ITI TF-2 3.8.4.2.4", "a patient who was merged into another",
         _both(ErrorCode.UNKNOWN_PATIENT)),
    row("ihe.registry.uniqueId.set", "SubmissionSet", "uniqueId",
         "Give the SubmissionSet a new uniqueId: {received} is already registered.",
         "a uniqueId that no registered object has", "ITI TF-2 3.42.4.1.3.3.7", "the uniqueId of an earlier set",
         _DUPLICATE),
    row("ihe.registry.uniqueId.folder", "Folder", "uniqueId",
         "Give the Folder a new uniqueId: {received} is already registered.",
         "a uniqueId that no registered object has", "ITI TF-3 Table 4.2.4.1-2", "the uniqueId of an earlier folder",
         _DUPLICATE),
    row("ihe.registry.uniqueId.entry", "DocumentEntry", "uniqueId",
         "Give the document a new uniqueId: {received} is the uniqueId of a registered set or folder.",
         "a uniqueId that no registered set or folder has", "ITI TF-2 3.42.4.1.3.3.7", "the uniqueId of an earlier set",
         METADATA),
    row("ihe.registry.uniqueId.onDemand", "DocumentEntry", "uniqueId",
         "Give the DocumentEntry a uniqueId of its own: {received} belongs to {expected}.",
         "for an on-demand entry a uniqueId that no stable entry has, and the other way round",
         "ITI TF-2 3.42.4.1.3.3.1, 3.61.4.1.3", "a document under the uniqueId of an on-demand entry",
         Codes(ErrorCode.NON_IDENTICAL_HASH, ErrorCode.NON_IDENTICAL_HASH,
               (("ITI-61", ErrorCode.REGISTRY_METADATA_ERROR),))),
    row("ihe.registry.hash", "DocumentEntry", "hash",
         "Give the document a new uniqueId: other bytes are registered under this one, with the hash {expected}.",
         "the hash of the registered document of this uniqueId", "ITI TF-2 3.42.4.1.3.3.1",
         "other bytes under a uniqueId in use", _both(ErrorCode.NON_IDENTICAL_HASH)),
    row("ihe.registry.size", "DocumentEntry", "size",
         "Give the document a new uniqueId: other bytes are registered under this one, {expected} of them.",
         "the size of the registered document of this uniqueId", "ITI TF-2 3.42.4.1.3.3.1",
         "other bytes under a uniqueId in use", _both(ErrorCode.NON_IDENTICAL_SIZE)),
    row("ihe.registry.id", "any object", "id",
         "Give the object a new id: {received} is already registered.",
         "a symbolic id, or a UUID that is not registered", "ITI TF-3 4.2.3.1.5", "the entryUUID of an earlier entry",
         METADATA._replace(others=(("ITI-92", ErrorCode.UNMODIFIABLE_METADATA),))),
    row("ihe.registry.source.unknown", "Association", "sourceObject",
         "Let sourceObject name a registered object, or one of this message: {received} is not registered.",
         "an id of the message or of a registered object", "ITI TF-2 3.42.4.1.3.5", "a UUID that is not registered",
         UNRESOLVED),
    row("ihe.registry.target.unknown", "Association", "targetObject",
         "Let targetObject name a registered object, or one of this message: {received} is not registered.",
         "an id of the message or of a registered object", "ITI TF-2 3.42.4.1.3.5", "a UUID that is not registered",
         UNRESOLVED),
    row("ihe.registry.source.kind", "Association", "sourceObject",
         "Let the HasMember start at the set of this message or at a registered Folder: {received} is neither.",
         "a registered Folder", "ITI TF-3 4.2.2.1, 4.2.1.2", "a HasMember from a registered set or entry", METADATA),
    row("ihe.registry.target.kind", "Association", "targetObject",
         "Let the HasMember lead to a registered DocumentEntry: {received} is none.",
         "a registered DocumentEntry", "ITI TF-3 4.2.2.1", "a registered set in a folder or in a set", METADATA),
    row("ihe.registry.target.entry", "Association", "targetObject",
         "Let the relationship point at a registered DocumentEntry: {received} is none.",
         "a registered DocumentEntry", "ITI TF-2 3.42.4.1.3.5", "RPLC of a registered folder", UNRESOLVED),
    row("ihe.registry.source.deprecated", "Association", "sourceObject",
         "Put the document into a Folder that is Approved: {received} is Deprecated.",
         "an object whose availabilityStatus is Approved", "ITI TF-2 3.42.4.1.3.4", "a deprecated folder", _DEPRECATED),
    row("ihe.registry.target.deprecated", "Association", "targetObject",
         "Find the current version of the document and name that: {received} is Deprecated.",
         "an object whose availabilityStatus is Approved", "ITI TF-2 3.42.4.1.3.4, 3.42.4.1.3.5",
         "RPLC of a replaced document", _DEPRECATED),
    row("ihe.registry.target.patient", "Association", "targetObject",
         "Associate objects of one patient: the target belongs to {received}, the source to {expected}.",
         "an object of the patient of the message", "ITI TF-2 3.42.4.1.3.3.2, 3.42.4.1.3.5",
         "RPLC of another patient's document", PATIENT),
    row("ihe.registry.target.transformation", "Association", "targetObject",
         "Append to the original document: {received} is a transformation of another one.",
         "a registered DocumentEntry that is no transformation (XFRM)", "ITI TF-3 4.2.2.2.1",
         "APND to a registered transformation", METADATA),
    row("ihe.registry.target.onDemand", "Association", "targetObject",
         "Let IsSnapshotOf point at an on-demand DocumentEntry: {received} is stable.",
         "an on-demand DocumentEntry", "ITI TF-2 3.42.4.1.3.5", "IsSnapshotOf a stable entry", METADATA),
)  # fmt: skip
