"""A submission that is sent again after its answer was lost: known by what was registered when it first came.

Nothing is computed when a submission comes for the first time. When its set is registered already, the message is held
against what is stored of that set: same caller, as many objects, and a twin of each object, with the same content
between the same ends. What the registry manages (status, version, lid, home, lastUpdateTime) is not content, so that
later changes do not make a retry another message, and are not undone by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from ..model.errors import Finding
from ..model.identifiers import parse_patient_id
from ..model.messages import PlannedEffect
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    RegistryObject,
    Slot,
    SubmissionSet,
)
from .changes import Change
from .identity import Resolved
from .ports import KnownAssociation, Snapshot

_TAKEN: Final = "ihe.registry.uniqueId.set"
_ROUNDS: Final = 4  # an association of associations is deeper in no message that means something
Content = tuple[object, ...]


def unless_retried(change: Change, findings: tuple[Finding, ...], snapshot: Snapshot) -> tuple[Finding, ...]:
    """The findings against a request; none when it is one that was performed before, sent again by the same caller."""
    submission_set = next((item for item in change.objects if isinstance(item, SubmissionSet)), None)
    if change.receipt is None or submission_set is None or all(f.rule != _TAKEN for f in findings):
        return findings
    known = snapshot.registered_set(submission_set.unique_id or "")
    if known is None or known.receipt is None or known.receipt.node != change.receipt.node:
        return findings
    if known.receipt.objects != change.receipt.objects:
        difference: str | None = f"of {known.receipt.objects} objects, here are {change.receipt.objects}"
    elif known.receipt.digest is not None or change.receipt.digest is not None:
        difference = None if known.receipt.digest == change.receipt.digest else "of other content"
    else:
        difference = _Comparison(change, submission_set, known.uuid, snapshot).difference()
    if difference is None:
        return ()
    hint = f"you have registered this set with a message {difference}; a new submission needs a new uniqueId."
    return tuple(replace(f, hint=hint) if f.rule == _TAKEN else f for f in findings)


def retry_effects(change: Change) -> tuple[PlannedEffect, ...]:
    """What sending a submission again does, for a dry run."""
    return tuple(
        PlannedEffect(
            "retry", change.sent_ids.get(item.id, item.id), f"{item.KIND} {item.unique_id} was registered before"
        )
        for item in change.objects
        if isinstance(item, SubmissionSet)
    )


def digest_of(resolved: Resolved) -> bytes | None:
    """The digest of all that a message says, without the ids made for it; None for what is nested too deep.

    For messages of which not every object is stored (ITI-57).
    """
    names: dict[str, str] = {}  # by final id: the UUID that the sender gave, else what the object says
    told: list[str] = []
    pending: Sequence[RegistryObject] = resolved.submission.objects
    own = {item.id for item in pending}
    for _ in range(_ROUNDS):
        left = []
        for item in pending:
            if any(end in own and end not in names for end in _ends(item)):
                left.append(item)
                continue
            given = item.id if _is_given(item, resolved.sent_ids) else ""
            ends = [names.get(end, end) for end in _ends(item)]
            lid = "" if item.lid == item.id else item.lid
            said = sha256(repr((given, lid, item.patient_id, ends, content_of(item))).encode()).hexdigest()
            names[item.id] = given or said
            told.append(said)
        pending = left
    return None if pending else sha256("".join(sorted(told)).encode()).digest()


class _Comparison:
    """One message held against the objects of the set that has its uniqueId; twins are registered ids by own ids."""

    def __init__(self, change: Change, submission_set: SubmissionSet, registered: str, snapshot: Snapshot) -> None:
        self._objects: Final = change.objects
        self._sent_ids: Final = change.sent_ids
        self._own: Final = {item.id for item in change.objects}
        self._snapshot: Final = snapshot
        self._set: Final = submission_set
        self._registered: Final = registered
        self._links: Final = snapshot.associations((registered,))
        self._members: Final = [link.target for link in self._links if link.member and link.source == registered]
        self._stored: Final[dict[str, RegistryObject]] = dict(snapshot.read((registered, *self._members)))
        self._twins: Final[dict[str, str]] = {}
        self._taken: Final[set[str]] = set()

    def difference(self) -> str | None:
        """Which object has no twin, in words; None when each has one."""
        lost = self._pair(self._set, [self._registered]) or self._pair_members() or self._pair_associations()
        return None if lost is None else f"in which the {lost.KIND} {self._sent_ids.get(lost.id, lost.id)} was not so"

    def _pair_members(self) -> RegistryObject | None:
        alike: dict[Content, list[str]] = {}
        for member in self._members:
            if member in self._stored:
                alike.setdefault(content_of(self._stored[member]), []).append(member)
        for item in self._objects:
            if isinstance(item, (DocumentEntry, Folder)) and self._pair(item, alike.get(content_of(item), ())):
                return item
        return None

    def _pair(self, item: RegistryObject, candidates: Sequence[str]) -> RegistryObject | None:
        """Find the twin of an object; the object itself when it has none."""
        content = content_of(item)
        self._stored.update(self._snapshot.read([each for each in candidates if each not in self._stored]))
        for candidate in candidates:
            stored = self._stored.get(candidate)
            if stored is None or candidate in self._taken or content != content_of(stored):
                continue
            if _is_given(item, self._sent_ids) and candidate != item.id:
                continue
            if self._same_patient(item.patient_id, stored.patient_id):
                self._twins[item.id] = candidate
                self._taken.add(candidate)
                return None
        return item

    def _same_patient(self, sent: str | None, stored: str | None) -> bool:
        """What is read names who stands for the patient now."""
        if sent == stored or not (sent and stored):
            return sent == stored
        one, other = parse_patient_id(sent), parse_patient_id(stored)
        return one is not None and other is not None and (one == other or self._snapshot.survivor(one) == other)

    def _pair_associations(self) -> RegistryObject | None:
        pending = [item for item in self._objects if isinstance(item, Association)]
        between = self._registered_associations(pending)
        for _ in range(_ROUNDS):
            left = []
            for item in pending:
                ends = self._ends_of(item)
                if ends is None:
                    left.append(item)
                elif self._pair(item, between.get(ends, ())) is not None:
                    return item
            pending = left
        return pending[0] if pending else None

    def _ends_of(self, item: Association) -> tuple[str, str] | None:
        """Its ends as they are registered; None while the twin of one is not known."""
        source, target = (self._twins.get(end, "" if end in self._own else end) for end in _ends(item))
        return (source, target) if source and target else None

    def _registered_associations(self, sent: Sequence[Association]) -> Mapping[tuple[str, str], Sequence[str]]:
        """Ids of the associations that may be twins, by their ends; what a folder got later is not looked at."""
        entries = [self._twins[item.id] for item in self._objects if isinstance(item, DocumentEntry)]
        others = [item.target for item in sent if item.source not in self._own and item.target not in self._own]
        named = [member for member in self._members if isinstance(self._stored.get(member), Association)]
        links: Sequence[KnownAssociation] = self._snapshot.associations((*entries, *others, *named))
        between: dict[tuple[str, str], list[str]] = {}
        for link in dict.fromkeys((*self._links, *links)):
            between.setdefault((link.source, link.target), []).append(link.uuid)
        return between


def _ends(item: RegistryObject) -> tuple[str, ...]:
    return (item.source, item.target) if isinstance(item, Association) else ()


def _is_given(item: RegistryObject, sent_ids: Mapping[str, str]) -> bool:
    """True for an object whose UUID its sender chose."""
    return sent_ids.get(item.id, item.id).lower() == item.id


# -- content: what the sender says of an object, in an order of its own


def content_of(item: RegistryObject) -> Content:
    """All that a message says of an object, without ids, patient and what the registry manages."""
    return (
        item.KIND,
        item.object_type,
        _own_fields(item),
        _sorted([slot for slot in item.slots if slot.name != "lastUpdateTime" or not isinstance(item, Folder)]),
        item.name,
        item.description,
        _sorted([_classification(each) for each in item.classifications]),
        _sorted([_identifier(each) for each in item.external_identifiers if each.scheme != item.PATIENT_ID_SCHEME]),
    )


def _own_fields(item: RegistryObject) -> Content:
    if isinstance(item, DocumentEntry):
        return item.mime_type, item.is_opaque
    return (item.association_type,) if isinstance(item, Association) else ()


def _classification(item: Classification) -> Content:
    return item.scheme, item.node, item.code, _slots(item.slots), item.name, item.description


def _identifier(item: ExternalIdentifier) -> Content:
    return item.scheme, item.value, _slots(item.slots), item.name, item.description


def _slots(slots: tuple[Slot, ...]) -> Content:
    return _sorted(list(slots))


def _sorted(items: list[Any]) -> Content:
    return tuple(sorted(items, key=repr))
