"""A message of ITI-57 or ITI-92 read as operations: new versions, changes of status, associations.

The message has been read as ebRIM; whether its objects are valid, and what the registry says of them, comes later.
"""

import re
from collections import Counter
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.identifiers import is_uuid_urn
from ..model.metadata import Association, DocumentEntry, Folder, RegistryObject, Submission
from .engine import Report, Transaction

YES: Final = "yes"
NO: Final = "no"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_STATUSES: Final = (v.APPROVED, v.DEPRECATED)
_KNOWN_TYPES: Final = frozenset(v.ASSOCIATION_TYPES)
# Slots that the operations give a meaning to (ITI Supplement XDS Metadata Update, 3.57)
_OF_MEMBER: Final = frozenset(("SubmissionSetStatus", "PreviousVersion", "AssociationPropagation"))
_OF_STATUS: Final = frozenset(("OriginalStatus", "NewStatus"))
_MEANT: Final = _OF_MEMBER | _OF_STATUS


class NewVersion(NamedTuple):
    """Update DocumentEntry or Folder Metadata; `lid` is lower-case, `previous` the version that it follows."""

    item: DocumentEntry | Folder
    lid: str
    previous: int
    propagate: bool


class StatusUpdate(NamedTuple):
    """Update availabilityStatus; `command` is the Association that asks for it."""

    command: Association
    target: str
    original: str
    new: str


class Operations(NamedTuple):
    """What a message asks for; `submitted` are the associations that SubmitAssociation names."""

    versions: tuple[NewVersion, ...] = ()
    statuses: tuple[StatusUpdate, ...] = ()
    submitted: tuple[Association, ...] = ()


def read_operations(submission: Submission, transaction: Transaction, report: Report) -> Operations:
    """The operations of a message; what is none is reported. Without its one SubmissionSet nothing can be told."""
    if len(submission.submission_sets) != 1:
        return Operations()
    reading = _Reading(submission, report)
    if transaction == "ITI-92":
        reading.refuse_what_is_restricted()
        return Operations(versions=reading.versions())
    operations = Operations(reading.versions(), reading.statuses(), reading.submitted())
    reading.refuse_surplus(operations)
    return operations


class _Reading:
    """One message, its associations sorted out."""

    def __init__(self, submission: Submission, report: Report) -> None:
        self._report = report
        self._set = submission.submission_sets[0].id
        self._items: tuple[DocumentEntry | Folder, ...] = (*submission.document_entries, *submission.folders)
        self._associations = submission.associations
        self._unclassified = {item.id for item in submission.unclassified}
        own = {item.id for item in self._items}
        self._members: dict[str, list[Association]] = {}
        self._others: list[Association] = []
        for association in submission.associations:
            if self._is_membership(association) and association.target in own:
                self._members.setdefault(association.target, []).append(association)
            else:
                self._others.append(association)

    def _is_membership(self, association: Association) -> bool:
        return association.association_type == v.HAS_MEMBER and association.source == self._set

    # -- new versions

    def versions(self) -> tuple[NewVersion, ...]:
        if not (self._items or self._associations):
            self._report.add("ihe.update.empty", object_id=self._set)
        read = tuple(found for item in self._items if (found := self._version(item)) is not None)
        for lid, count in Counter(version.lid for version in read).items():
            if count > 1:
                self._report.add("ihe.update.once", object_id=lid, received=lid)
        return read

    def _version(self, item: DocumentEntry | Folder) -> NewVersion | None:
        lid = self._lid(item)
        members = self._members.get(item.id, [])
        if not members:
            self._report.add("ihe.update.member", object=item.KIND, object_id=item.id)
            return None
        for second in members[1:]:
            self._report.add("ihe.update.surplus", object_id=second.id, received=second.id)
        member = members[0]
        self._check_slots(member, _OF_MEMBER)
        if member.slot_values("SubmissionSetStatus") != ("Original",):
            self._bad_value("ihe.update.submissionSetStatus", member, "SubmissionSetStatus")
        previous, propagate = self._previous(member), self._propagate(member)
        return None if lid is None or previous is None else NewVersion(item, lid, previous, propagate)

    def _lid(self, item: RegistryObject) -> str | None:
        lid = (item.lid or "").strip()
        if not lid or lid == item.id:
            self._report.add("ihe.update.initial", object=item.KIND, object_id=item.id, received=lid or None)
        elif not is_uuid_urn(lid):
            self._report.add("ihe.update.lid", object=item.KIND, object_id=item.id, received=lid)
        else:
            return lid.lower()
        return None

    def _previous(self, member: Association) -> int | None:
        values = member.slot_values("PreviousVersion")
        if len(values) == 1 and _NUMBER.fullmatch(values[0].strip()):
            return int(values[0])
        self._bad_value("ihe.update.previousVersion", member, "PreviousVersion")
        return None

    def _propagate(self, member: Association) -> bool:
        if not member.slots_by_name.get("AssociationPropagation"):
            return True
        values = member.slot_values("AssociationPropagation")
        if values not in ((YES,), (NO,)):
            self._bad_value("ihe.update.propagation", member, "AssociationPropagation")
        elif values == (NO,):
            self._report.add("ihe.update.propagation.restricted", object_id=member.id, received=NO)
        return values != (NO,)

    # -- commands

    def statuses(self) -> tuple[StatusUpdate, ...]:
        commands = self._commands(v.UPDATE_AVAILABILITY_STATUS, _OF_STATUS)
        read = tuple(found for command in commands if (found := self._status(command)) is not None)
        for target, count in Counter(update.target for update in read).items():
            if count > 1:
                self._report.add("ihe.update.once", attribute="targetObject", object_id=target, received=target)
        return read

    def _status(self, command: Association) -> StatusUpdate | None:
        told = []
        for name in ("OriginalStatus", "NewStatus"):
            values = command.slot_values(name)
            if len(values) == 1 and values[0] in _STATUSES:
                told.append(values[0])
            else:
                self._bad_value("ihe.update.statusValue", command, name)
        if len(told) < 2:
            return None
        if told[0] == told[1]:
            self._report.add("ihe.update.statusChange", object_id=command.id, received=told[0])
        return StatusUpdate(command, command.target, *told)

    def submitted(self) -> tuple[Association, ...]:
        by_id = {a.id: a for a in self._others if a.association_type not in v.UPDATE_ASSOCIATION_TYPES}
        found: dict[str, Association] = {}
        for command in self._commands(v.SUBMIT_ASSOCIATION, frozenset()):
            association = by_id.get(command.target)
            if association is None:
                self._report.add("ihe.update.submitted", object_id=command.id, received=command.target)
            elif association.id in found:
                self._report.add("ihe.update.surplus", object_id=command.id, received=command.id)
            else:
                self._check_slots(association, frozenset())
                found[association.id] = association
        return tuple(found.values())

    def _commands(self, association_type: str, slots: frozenset[str]) -> list[Association]:
        commands = [a for a in self._others if a.association_type == association_type]
        for command in commands:
            self._check_slots(command, slots)
            if command.source != self._set:
                self._report.add("ihe.update.command.source", object_id=command.id, received=command.source)
        return commands

    # -- the rest

    def refuse_surplus(self, operations: Operations) -> None:
        """What belongs to no operation, and associations that a new version gets twice."""
        submitted = {association.id for association in operations.submitted}
        for association in self._others:
            if association.id not in submitted and self._is_surplus(association):
                self._report.add("ihe.update.surplus", object_id=association.id, received=association.id)
        propagated = {version.item.id for version in operations.versions if version.propagate}
        for association in operations.submitted:
            for end in dict.fromkeys((association.source, association.target)):
                if end in propagated:
                    self._report.add("ihe.update.submitted.propagated", object_id=association.id, received=end)

    def _is_surplus(self, association: Association) -> bool:
        """What has no type of the standard, or ends at an unclassified package, is refused for that."""
        ends = {association.source, association.target}
        return association.association_type in _KNOWN_TYPES and not ends & self._unclassified

    def refuse_what_is_restricted(self) -> None:
        """ITI-92 knows new versions of entries only."""
        for item in self._items:
            if isinstance(item, Folder):
                self._report.add("ihe.update.restricted", object_id=item.id, received=item.KIND)
        for association in self._others:
            if association.target not in self._unclassified:
                named = association.association_type
                self._report.add("ihe.update.restricted", object_id=association.id, received=named)
        self._items = tuple(item for item in self._items if isinstance(item, DocumentEntry))

    def _check_slots(self, association: Association, allowed: frozenset[str]) -> None:
        for name in dict.fromkeys(slot.name for slot in association.slots):
            if name in _MEANT and name not in allowed:
                self._report.add("ihe.update.slot", object_id=association.id, attribute=name, received=name)

    def _bad_value(self, rule: str, association: Association, name: str) -> None:
        received = ", ".join(association.slot_values(name)) or None
        self._report.add(rule, object_id=association.id, attribute=name, received=received)
