"""Rules of a metadata update: their rows, with a code for each transaction (ITI-57, ITI-92).

`operations.py` reports the first table when it reads a message, the plan in `actors/versions.py` the second. What the
supplements leave open is in docs/divergences.md.
"""

from typing import Final

from ..model.errors import ErrorCode
from .engine import Codes, Rule, row

_MU: Final = "ITI Supplement XDS Metadata Update, 3.57"
_RMU: Final = "ITI Supplement Restricted Metadata Update, 3.92"
_BOTH: Final = f"{_MU}; {_RMU}"


def _codes(iti57: ErrorCode | None, iti92: ErrorCode | None) -> Codes:
    return Codes(None, None, (("ITI-57", iti57), ("ITI-92", iti92)))


_E: Final = ErrorCode
_REFUSED: Final = _codes(_E.METADATA_UPDATE_ERROR, _E.INVALID_REQUEST)
_UNREADABLE: Final = _codes(_E.METADATA_UPDATE_OPERATION_ERROR, _E.METADATA_ANNOTATION_ERROR)
_VERSION: Final = _codes(_E.METADATA_VERSION_ERROR, _E.METADATA_VERSION_ERROR)
_ONLY_57: Final = _codes(_E.METADATA_UPDATE_ERROR, None)
_COMMAND: Final = _codes(_E.METADATA_UPDATE_OPERATION_ERROR, None)
_UNMODIFIABLE: Final = _codes(None, _E.UNMODIFIABLE_METADATA)

# What a message says of itself
OPERATION_RULES: Final[tuple[Rule, ...]] = (
    row("ihe.update.empty", "Submission", "operation",
        "Send at least one operation with the SubmissionSet: a new version, a status or an Association.",
        "a DocumentEntry or Folder with its HasMember, or a command Association", _BOTH, "only a SubmissionSet",
        _REFUSED),
    row("ihe.update.initial", "any object", "lid",
        "Name the logical object in lid of the {object}: an update cannot bring the first version of an object.",
        "the lid of a registered object, which is the entryUUID of its first version", _BOTH,
        "an entry without lid, or with its own id as lid", _REFUSED),
    row("ihe.update.lid", "any object", "lid",
        "Write lid of the {object} as the UUID of the logical object: {received} is none.",
        "urn:uuid: and a UUID", _BOTH, "a symbolic id", _REFUSED),
    row("ihe.update.once", "any object", "lid",
        "Send one update of each object, and one change of its status: {received} is named twice.",
        "each logical object, and each target of a status update, once", _BOTH, "two entries with one lid", _REFUSED),
    row("ihe.update.member", "HasMember", "HasMember",
        "Add a HasMember Association from the SubmissionSet to the {object}, with SubmissionSetStatus and"
        " PreviousVersion.",
        "a HasMember from the set", _BOTH, "a new version that no HasMember names", _UNREADABLE),
    row("ihe.update.submissionSetStatus", "HasMember", "SubmissionSetStatus",
        "Set the Slot SubmissionSetStatus of the HasMember to Original.",
        "Original", _BOTH, "Reference", _UNREADABLE),
    row("ihe.update.previousVersion", "HasMember", "PreviousVersion",
        "Send the number of the version that is replaced in the Slot PreviousVersion of the HasMember.",
        "one whole number of at least 1", _BOTH, "1.1", _UNREADABLE),
    row("ihe.update.propagation", "HasMember", "AssociationPropagation",
        "Write AssociationPropagation as yes or no, or leave the Slot out, which means yes.",
        "yes or no", _BOTH, "YES", _UNREADABLE),
    row("ihe.update.propagation.restricted", "HasMember", "AssociationPropagation",
        "Let the associations go over to the new version: AssociationPropagation is yes, or left out.",
        "yes", _RMU, "no", _codes(None, _E.METADATA_ANNOTATION_ERROR)),
    row("ihe.update.slot", "Association", "Slot",
        "Remove the Slot {received}: it belongs to another operation.",
        "only the Slots of the operation", _BOTH, "OriginalStatus on a HasMember", _UNREADABLE),
    row("ihe.update.restricted", "any object", "operation",
        "Send new versions of DocumentEntries only: {received} is not accepted in a restricted update.",
        "a DocumentEntry with its HasMember", _RMU, "a Folder, or an UpdateAvailabilityStatus", _UNMODIFIABLE),
    row("ihe.update.command.source", "Association", "sourceObject",
        "Let the command start at the SubmissionSet of this message: {received} is another object.",
        "the id of the SubmissionSet", _MU, "the entryUUID of the entry", _COMMAND),
    row("ihe.update.statusValue", "Association", "OriginalStatus",
        "Send {attribute} as one status of an object, by its URN.",
        "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved or ...:Deprecated", _MU, "Approved, without URN",
        _COMMAND),
    row("ihe.update.statusChange", "Association", "NewStatus",
        "Ask for another status than the present one: OriginalStatus and NewStatus are both {received}.",
        "a NewStatus that differs from OriginalStatus", _MU, "from Approved to Approved", _COMMAND),
    row("ihe.update.submitted", "Association", "targetObject",
        "Let SubmitAssociation point at an Association of this message: {received} is none.",
        "the id of an Association of the message", _MU, "the UUID of a registered Association", _COMMAND),
    row("ihe.update.submitted.propagated", "Association", "AssociationPropagation",
        "Set AssociationPropagation of the new version to no, or leave out the Association: {received} gets its"
        " associations from the version before.",
        "AssociationPropagation no where associations are submitted by hand", _MU,
        "a SubmitAssociation to a new version with propagation", _COMMAND),
    row("ihe.update.surplus", "any object", "operation",
        "Remove the object, or complete the operation that it belongs to: {received} belongs to none.",
        "objects of operations only", _BOTH, "a relationship that no SubmitAssociation names", _REFUSED),
)  # fmt: skip

# What the registry says of it
STATE_RULES: Final[tuple[Rule, ...]] = (
    row("ihe.update.entry.unknown", "DocumentEntry", "lid",
        "Name a registered DocumentEntry in lid: {received} is the logical id of none.",
        "the logical id of a registered entry", _BOTH, "a UUID that is not registered", _VERSION),
    row("ihe.update.folder.unknown", "Folder", "lid",
        "Name a registered Folder in lid: {received} is the logical id of none.",
        "the logical id of a registered folder", _MU, "a UUID that is not registered", _ONLY_57),
    row("ihe.update.version", "any object", "PreviousVersion",
        "Read the latest version of the object and change that: PreviousVersion is {received}, the latest {expected}.",
        "the number of the latest version", _BOTH, "a version that was updated meanwhile", _VERSION),
    row("ihe.update.latest.deprecated", "any object", "lid",
        "Set the object to Approved first: its latest version {received} is Deprecated.",
        "a latest version that is Approved", _MU, "an update of a replaced document", _ONLY_57),
    row("ihe.update.uniqueId", "any object", "uniqueId",
        "Keep the uniqueId of the object: {received} is not {expected}.",
        "the uniqueId of the version before", _BOTH, "a new uniqueId",
        _codes(_E.METADATA_UPDATE_ERROR, _E.METADATA_IDENTIFIER_ERROR)),
    row("ihe.update.objectType", "DocumentEntry", "objectType",
        "Keep the objectType of the entry: {received} is not {expected}.",
        "the objectType of the version before", _BOTH, "a stable entry as on-demand",
        _codes(_E.METADATA_UPDATE_ERROR, _E.UNMODIFIABLE_METADATA)),
    row("ihe.update.objectType.restricted", "DocumentEntry", "objectType",
        "Keep the objectType of the entry: {received} is not {expected}.",
        "the objectType of the version before", _RMU, "a stable entry as on-demand",
        _codes(None, _E.OBJECT_TYPE_ERROR)),
    row("ihe.update.unmodifiable", "DocumentEntry", "repositoryUniqueId",
        "Keep {attribute} of the entry: a restricted update cannot change it from {expected}.",
        "the value of the version before", _RMU, "another repositoryUniqueId", _UNMODIFIABLE),
    row("ihe.update.patient.restricted", "DocumentEntry", "patientId",
        "Keep the patientId of the entry: a restricted update cannot change it from {expected}.",
        "the patientId of the version before", _RMU, "another patient",
        _codes(None, _E.PATIENT_ID_RECONCILIATION_ERROR)),
    row("ihe.update.home", "any object", "homeCommunityId",
        "Name this community in home, or leave it out: {received} is another one.",
        "the homeCommunityId of this community", _RMU, "an unknown community", _codes(None, _E.UNKNOWN_COMMUNITY)),
    row("ihe.update.target.unknown", "Association", "targetObject",
        "Let targetObject name a registered object, or a new version of this message: {received} is neither.",
        "the entryUUID of an object", _MU, "a UUID that is not registered", _ONLY_57),
    row("ihe.update.target.kind", "Association", "targetObject",
        "Change the status of an entry, a folder, a membership of a folder or a relationship: {received} is none.",
        "an object that has a status of its own", _MU, "a SubmissionSet, or a HasMember of one", _ONLY_57),
    row("ihe.update.target.latest", "Association", "targetObject",
        "Change the status of the latest version, {expected}: {received} is an older one.",
        "the entryUUID of the latest version", _MU, "the first version of an updated entry", _ONLY_57),
    row("ihe.update.target.status", "Association", "OriginalStatus",
        "Read the status of the object again: it is {expected}, not {received}.",
        "the present status of the object", _MU, "OriginalStatus Approved of a deprecated entry", _ONLY_57),
    row("ihe.update.end.unknown", "Association", "sourceObject, targetObject",
        "Let {attribute} name a registered object: {received} is not registered.",
        "the entryUUID of a registered object", _MU, "a UUID that is not registered", _ONLY_57),
    row("ihe.update.end.kind", "Association", "sourceObject, targetObject",
        "Let the Association lead {expected}: {attribute} {received} does not fit.",
        "from a Folder to a DocumentEntry, or from one DocumentEntry to another", _MU,
        "a HasMember from a SubmissionSet", _ONLY_57),
    row("ihe.update.end.deprecated", "Association", "sourceObject, targetObject",
        "Associate objects that are Approved: {attribute} {received} is Deprecated.",
        "objects whose availabilityStatus is Approved", _MU, "an addendum to a replaced document", _ONLY_57),
    row("ihe.update.association.exists", "Association", "associationType",
        "Leave the Association out: {received} of this type leads from this source to this target already.",
        "an Association that is not there yet", _MU, "a document that is in the folder already", _ONLY_57),
    row("ihe.update.patient", "any object", "patientId",
        "Keep objects of two patients apart: {received} and {expected} would be associated, or changed by one set.",
        "objects of one patient, or AssociationPropagation no", _BOTH,
        "another patientId for an entry that is in a folder",
        _codes(_E.PATIENT_ID_RECONCILIATION_ERROR, _E.PATIENT_ID_RECONCILIATION_ERROR)),
)  # fmt: skip

RULES: Final = (*OPERATION_RULES, *STATE_RULES)
