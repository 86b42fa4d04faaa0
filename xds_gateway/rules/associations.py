"""Associations of a message: their types, what they may link, and who is a member of whom (ITI TF-3 4.2.2).

An end that is not in the message and is a UUID belongs to the registry's own checks; everything else is decided here.
Empty ids, ends and types were reported when the message was read, and nothing more follows from them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from ..model import vocabulary as v
from ..model.errors import ErrorCode
from ..model.metadata import (
    Association,
    DocumentEntry,
    Folder,
    RegistryObject,
    Submission,
    SubmissionSet,
    UnclassifiedPackage,
)
from .engine import METADATA, ONLY_ON_DEMAND, UNRESOLVED, Codes, Report, Rule, not_in_updates, row

_DEPRECATED: Final = Codes(ErrorCode.REGISTRY_DEPRECATED_DOCUMENT, ErrorCode.REGISTRY_DEPRECATED_DOCUMENT)


def _row(
    rule_id: str, attribute: str, sentence: str, expected: str, clause: str, example: str, codes: Codes = METADATA
) -> Rule:
    return row(rule_id, "Association", attribute, sentence, expected, clause, example, codes)


def _submitted(*columns: Any) -> Rule:
    """A row about submissions: in an update, operations.py and the plan say what an Association may lead to."""
    return not_in_updates(_row(*columns))


RULES: Final = (
    _row("ihe.as.type", "associationType",
         "Use an association type of the standard, written as its URN: {received} is not one.",
         "one of " + ", ".join(v.ASSOCIATION_TYPES), "ITI TF-3 Table 4.2.2-1",
         "urn:ihe:iti:2007:AssociationType:REPLACE"),
    _submitted("ihe.as.type.update", "associationType",
         "Send {received} in a metadata update (ITI-57): a submission cannot carry it.",
         "one of " + ", ".join(v.ASSOCIATION_TYPES), "ITI TF-3 Table 4.2.2-1", v.UPDATE_AVAILABILITY_STATUS),
    _submitted("ihe.as.previousVersion", "PreviousVersion",
         "Send a new version of an object in a metadata update (ITI-57): a submission cannot carry PreviousVersion.",
         "no Slot PreviousVersion", "ITI TF-2 3.42.4.1.2", "PreviousVersion 1"),
    _submitted("ihe.as.source.unresolved", "sourceObject",
         "Let sourceObject name an object of this message, or the UUID of a registered one: {received} is neither.",
         "an id of the message or a UUID", "ITI TF-3 4.2.1.5", "an id that is not in the message", UNRESOLVED),
    _submitted("ihe.as.target.unresolved", "targetObject",
         "Let targetObject name an object of this message, or the UUID of a registered one: {received} is neither.",
         "an id of the message or a UUID", "ITI TF-3 4.2.1.5", "an id that is not in the message", UNRESOLVED),
    _submitted("ihe.as.member.source", "sourceObject",
         "Let a HasMember start at the SubmissionSet or at a Folder: {received} is neither.",
         "a SubmissionSet or a Folder", "ITI TF-3 4.2.2.1", "a HasMember from an entry"),
    _submitted("ihe.as.member.target", "targetObject",
         "Correct the target of the HasMember: {received} cannot be a member here, only {expected}.",
         "of a set: an entry, a folder or a folder's HasMember; of a folder: an entry", "ITI TF-3 4.1.2.1, 4.2.1.3",
         "a folder in a folder, a HasMember from a set to itself"),
    _submitted("ihe.as.member.status", "SubmissionSetStatus",
         "Set the Slot SubmissionSetStatus of the HasMember to {expected}.",
         "Original for an entry of this message, Reference for a registered one", "ITI TF-3 4.2.2.1.1",
         "no Slot SubmissionSetStatus"),
    _row("ihe.as.documentation", "associationDocumentation",
         "Remove the Classification that documents the HasMember: only relationships between documents can have one.",
         "no associationDocumentation on HasMember", "ITI TF-3 4.2.2.2", "a documented HasMember"),
    _submitted("ihe.de.member", "HasMember",
         "Add a HasMember Association from the SubmissionSet to the DocumentEntry.",
         "a HasMember from the set, SubmissionSetStatus Original", "ITI TF-3 4.1.4",
         "an entry that no HasMember names"),
    _submitted("ihe.fd.member", "HasMember",
         "Add a HasMember Association from the SubmissionSet to the Folder.",
         "a HasMember from the set", "ITI TF-3 4.1.4", "a folder that no HasMember names"),
    _submitted("ihe.as.folder.member", "HasMember",
         "Add a HasMember Association from the SubmissionSet to the one that puts the document into the folder.",
         "a HasMember from the set to the folder's HasMember", "ITI TF-3 4.2.2.1.4", "only the folder's HasMember"),
    _submitted("ihe.as.relationship.source", "sourceObject",
         "Let the relationship start at a DocumentEntry of this message: {received} is not one.",
         "the id of a DocumentEntry of the message", "ITI TF-2 3.42.4.1.3.5", "the UUID of a registered entry",
         UNRESOLVED),
    _submitted("ihe.as.relationship.target", "targetObject",
         "Let the relationship point at a DocumentEntry: {received} is another object of this message.",
         "the id of a DocumentEntry", "ITI TF-2 3.42.4.1.3.5", "the SubmissionSet", UNRESOLVED),
    _submitted("ihe.as.relationship.self", "targetObject",
         "Let the relationship point at another DocumentEntry than the one it starts at.",
         "another DocumentEntry", "ITI TF-3 4.2.2.2", "an entry that appends itself"),
    _submitted("ihe.as.append.transformation", "targetObject",
         "Append to the original document: {received} is a transformation of another one.",
         "the id of a DocumentEntry that is no transformation (XFRM)", "ITI TF-3 4.2.2.2.1",
         "APND to an entry of the message that has an XFRM"),
    _submitted("ihe.as.snapshot.source", "sourceObject",
         "Register the snapshot by ITI-41 or ITI-42, with a stable DocumentEntry: {received} is on-demand.",
         "the id of a stable DocumentEntry", "ITI TF-2 3.42.4.1.3.5, 3.61.4.1.2",
         "IsSnapshotOf from an on-demand entry", ONLY_ON_DEMAND),
    _submitted("ihe.as.replace.registered", "targetObject",
         "Let the relationship point at the entryUUID of a registered entry: {received} is in this message.",
         "the UUID of a registered DocumentEntry", "ITI TF-2 3.42.4.1.2, 3.42.4.1.3.5",
         "RPLC of an entry of the same message", UNRESOLVED),
    _submitted("ihe.as.replace.once", "targetObject",
         "Replace a document once: {received} is replaced twice in this message.",
         "one replacement of each document", "ITI TF-2 3.42.4.1.3.5", "two RPLC with one target", _DEPRECATED),
)  # fmt: skip

_SET_MEMBERS: Final = "an entry, a folder or a folder's HasMember"
_REPLACING: Final = frozenset((v.RPLC, v.XFRM_RPLC))
_REGISTERED_TARGET: Final = frozenset((v.RPLC, v.XFRM_RPLC, v.IS_SNAPSHOT_OF))
_RELATIONSHIPS: Final = frozenset(v.RELATIONSHIPS)
_BY_LAST_WORD: Final = {name.rsplit(":", 1)[-1].lower(): name for name in v.ASSOCIATION_TYPES}


def check_associations(submission: Submission, objects: tuple[RegistryObject, ...], report: Report) -> None:
    """All associations of the message, and that each of its objects is a member of the set."""
    by_id = {item.id: item for item in objects}
    members: set[str] = set()
    for association in submission.associations:
        if not (association.association_type and association.source and association.target):
            continue
        if association.association_type == v.HAS_MEMBER:
            _check_member(association, by_id, members, report)
        elif association.association_type in _RELATIONSHIPS:
            _check_relationship(association, by_id, report)
        else:
            _report_type(association, report)
        if previous := _slot_values(association, "PreviousVersion"):
            report.add("ihe.as.previousVersion", object_id=association.id, received=previous[0])
    if len(submission.associations) > 1:
        _check_replaced_once(submission.associations, report)
        _check_appended(submission.associations, report)
    if len(submission.submission_sets) == 1:  # else the missing or doubled set is what must be corrected
        _check_membership(submission, by_id, members, report)


def _report_type(association: Association, report: Report) -> None:
    sent = association.association_type
    if sent in v.UPDATE_ASSOCIATION_TYPES:
        report.add("ihe.as.type.update", object_id=association.id, received=sent)
        return
    meant = _BY_LAST_WORD.get(sent.rsplit(":", 1)[-1].lower())
    report.add("ihe.as.type", object_id=association.id, received=sent, hint=meant and f"write {meant}.")


def _is_resolved(end: str, by_id: Mapping[str, RegistryObject]) -> bool:
    return end in by_id or end.startswith("urn:uuid:")


def _check_member(
    association: Association, by_id: Mapping[str, RegistryObject], members: set[str], report: Report
) -> None:
    source, target = by_id.get(association.source), by_id.get(association.target)
    if isinstance(source, UnclassifiedPackage) or isinstance(target, UnclassifiedPackage):
        return  # the package must say first what it is
    if any(c.scheme == v.ASSOCIATION_DOCUMENTATION for c in association.classifications):
        report.add("ihe.as.documentation", object_id=association.id)
    if source is None and not _is_resolved(association.source, by_id):
        report.add("ihe.as.source.unresolved", object_id=association.id, received=association.source)
    elif source is not None and not isinstance(source, SubmissionSet | Folder):
        report.add("ihe.as.member.source", object_id=association.id, received=_named(source))
        return
    if target is None and not _is_resolved(association.target, by_id):
        report.add("ihe.as.target.unresolved", object_id=association.id, received=association.target)
        return
    if target is not None and not _may_hold(source, target, by_id):
        report.add(
            "ihe.as.member.target",
            object_id=association.id,
            received=_named(target),
            expected=_SET_MEMBERS if isinstance(source, SubmissionSet) else "an entry",
        )
        return
    if isinstance(source, SubmissionSet):
        members.add(association.target)
        if target is None or isinstance(target, DocumentEntry):
            _check_status(association, "Reference" if target is None else "Original", report)


def _may_hold(source: RegistryObject | None, target: RegistryObject, by_id: Mapping[str, RegistryObject]) -> bool:
    """Whether a set, or a folder of the message or of the registry, may have this object of the message as a member."""
    if isinstance(target, DocumentEntry):
        return True
    if not isinstance(source, SubmissionSet):
        return False
    return isinstance(target, Folder) or (isinstance(target, Association) and _fills_folder(target, by_id))


def _fills_folder(association: Association, by_id: Mapping[str, RegistryObject]) -> bool:
    """True for a HasMember that does not start at a set: it puts a document into a folder."""
    return association.association_type == v.HAS_MEMBER and not isinstance(by_id.get(association.source), SubmissionSet)


def _check_status(association: Association, expected: str, report: Report) -> None:
    values = _slot_values(association, "SubmissionSetStatus")
    if values != (expected,):
        received = ", ".join(values) or None
        report.add("ihe.as.member.status", object_id=association.id, received=received, expected=expected)


def _slot_values(association: Association, name: str) -> tuple[str, ...]:
    return tuple(value for slot in association.slots if slot.name == name for value in slot.values)


def _named(item: RegistryObject) -> str:
    return f"{item.KIND} {item.id}"


def _check_relationship(association: Association, by_id: Mapping[str, RegistryObject], report: Report) -> None:
    source, target = by_id.get(association.source), by_id.get(association.target)
    if not isinstance(source, DocumentEntry):
        report.add("ihe.as.relationship.source", object_id=association.id, received=association.source)
    elif association.association_type == v.IS_SNAPSHOT_OF and source.object_type == v.ON_DEMAND_DOCUMENT:
        report.add("ihe.as.snapshot.source", object_id=association.id, received=association.source)
    if target is None:
        if not _is_resolved(association.target, by_id):
            report.add("ihe.as.target.unresolved", object_id=association.id, received=association.target)
    elif not isinstance(target, DocumentEntry):
        report.add("ihe.as.relationship.target", object_id=association.id, received=_named(target))
    elif association.association_type in _REGISTERED_TARGET:
        report.add("ihe.as.replace.registered", object_id=association.id, received=association.target)
    elif target is source:
        report.add("ihe.as.relationship.self", object_id=association.id, received=association.target)


def _check_replaced_once(associations: tuple[Association, ...], report: Report) -> None:
    targets = Counter(a.target for a in associations if a.association_type in _REPLACING)
    for target, count in targets.items():
        if count > 1:
            report.add("ihe.as.replace.once", object_id=target, received=target)


def _check_appended(associations: tuple[Association, ...], report: Report) -> None:
    """Nothing is appended to what the same message says to be a transformation."""
    appended = [a for a in associations if a.association_type == v.APND]
    if not appended:
        return
    transformations = {a.source for a in associations if a.association_type == v.XFRM}
    for association in appended:
        if association.target in transformations:
            report.add("ihe.as.append.transformation", object_id=association.id, received=association.target)


def _check_membership(
    submission: Submission, by_id: Mapping[str, RegistryObject], members: set[str], report: Report
) -> None:
    for entry in submission.document_entries:
        if entry.id and entry.id not in members:
            report.add("ihe.de.member", object=entry.KIND, object_id=entry.id)
    for folder in submission.folders:
        if folder.id and folder.id not in members:
            report.add("ihe.fd.member", object=folder.KIND, object_id=folder.id)
    for association in submission.associations:
        if association.id and association.id not in members and _fills_folder(association, by_id):
            source = by_id.get(association.source)
            if isinstance(source, Folder) or (source is None and association.source.startswith("urn:uuid:")):
                report.add("ihe.as.folder.member", object_id=association.id)
