"""Whether objects can be removed together, decided on a snapshot (RMD supplement, 3.62).

What is removed must be closed: nothing that stays may refer to it, and nothing that stays may be left without what it
needs. Status and version play no role: a Deprecated association refers like an Approved one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..model.errors import Finding
from ..rules.engine import Profile, Report
from ..rules.removal import report_for
from .changes import Changes
from .ports import KnownObject, Snapshot

_SET: Final = "SubmissionSet"
_NOT_SHOWN: Final = "that is not shown to you"


def plan_removal(
    references: Sequence[str], profile: Profile, snapshot: Snapshot
) -> tuple[Changes, tuple[Finding, ...]]:
    """The changes of a removal; findings when it must be refused instead: unknown ids alone, else all others."""
    report = report_for(profile)
    asked = tuple(dict.fromkeys(reference.lower() for reference in references))
    removed = snapshot.objects(asked)
    _check_known(references, removed, report)
    if not report.found:
        _Removal(removed, snapshot).check(report)
    if report.found:
        return Changes(), report.findings()
    patients = {known.patient_id.as_cx(): None for known in removed.values() if known.patient_id}
    return Changes(removed=asked, concerned=tuple(patients)), ()


def _check_known(references: Sequence[str], removed: Mapping[str, KnownObject], report: Report) -> None:
    for reference in dict.fromkeys(references):
        if reference.lower() not in removed:
            report.add("ihe.remove.unknown", object_id=reference, received=reference)


class _Removal:
    """The objects to remove, and every association that leads from or to them, or that is one of them."""

    def __init__(self, removed: Mapping[str, KnownObject], snapshot: Snapshot) -> None:
        self._removed = removed
        self._snapshot = snapshot
        near = snapshot.associations(removed)
        self._going = [a for a in near if a.uuid in removed]
        self._staying = [a for a in near if a.uuid not in removed]

    def check(self, report: Report) -> None:
        """Report what refers to a removed object, then what would be left alone; what is hidden is not named."""
        left_alone = self._left_alone()
        shown = self._snapshot.shown((*(association.uuid for association in self._staying), *left_alone))
        for association in self._staying:
            for end in dict.fromkeys((association.source, association.target)):
                if end in self._removed:
                    told = association.uuid if association.uuid in shown else _NOT_SHOWN
                    report.add("ihe.remove.referenced", object_id=end, received=told)
        for identifier, left in left_alone.items():
            told = identifier if identifier in shown else _NOT_SHOWN
            report.add("ihe.remove.unreferenced", object_id=told, received=told, expected=left)

    def _left_alone(self) -> dict[str, str]:
        """Objects that stay and lose what held them, with what they would be left as.

        A set needs a member; all else needs a set that has it as one.
        """
        ends = {end for a in self._going for end in (a.source, a.target) if end not in self._removed}
        neighbours = self._snapshot.objects(sorted(ends))
        kept = [a for a in self._snapshot.associations(neighbours) if a.member and a.uuid not in self._removed]
        sets = self._sets_among(a.source for a in kept)
        held = {end for a in kept if a.source in sets for end in (a.source, a.target)}
        return {
            identifier: "without members" if known.kind == _SET else "without submission set"
            for identifier, known in neighbours.items()
            if identifier not in held
        }

    def _sets_among(self, sources: Iterable[str]) -> frozenset[str]:
        found = self._snapshot.objects(dict.fromkeys(sources))
        return frozenset(identifier for identifier, known in found.items() if known.kind == _SET)
