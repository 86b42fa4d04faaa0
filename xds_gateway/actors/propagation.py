"""Associations that go over to a new version (ITI-57, AssociationPropagation).

What an entry or folder was associated with by Approved associations, its new version is too; the old ones stay as they
are. Memberships go on between Approved folders and entries only, relationships with whatever is at their other end. No
membership of a SubmissionSet is copied: a set holds the version that it submitted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from ..model import vocabulary as v
from ..model.metadata import Association, Classification, DocumentEntry, Folder
from .identity import NewUuid
from .ports import KnownObject, Snapshot


class Copies(NamedTuple):
    """Copies of associations, in the order of the old ones, and the registered objects at the ends of these."""

    associations: tuple[Association, ...] = ()
    ends: Mapping[str, KnownObject] = {}


def propagate(
    successors: Mapping[str, DocumentEntry | Folder], superseded: Iterable[str], snapshot: Snapshot, new_uuid: NewUuid
) -> Copies:
    """The copies for new versions, by the id of the version before; `superseded` are all versions that are left."""
    if not successors:
        return Copies()
    around = snapshot.associations(tuple(successors))
    old = [item for item in snapshot.read(known.uuid for known in around).values() if isinstance(item, Association)]
    ends = snapshot.objects({end for item in old for end in (item.source, item.target)})
    left = frozenset(superseded) - successors.keys()

    def goes_on(end: str) -> bool:
        return end in successors or (end in ends and ends[end].status == v.APPROVED and end not in left)

    def is_carried(item: Association) -> bool:
        if item.association_type in v.RELATIONSHIPS:
            return True
        held_by_folder = item.source in ends and ends[item.source].kind == Folder.KIND
        return held_by_folder and goes_on(item.source) and goes_on(item.target)

    copies = [copied(item, successors, new_uuid) for item in old if item.status == v.APPROVED and is_carried(item)]
    return Copies(tuple(copies), ends)


def copied(item: Association, successors: Mapping[str, DocumentEntry | Folder], new_uuid: NewUuid) -> Association:
    """A new association between the new ends, with its Slots and the documentation of a relationship."""
    identifier = new_uuid()
    ends = {end: successors[end].id if end in successors else end for end in (item.source, item.target)}
    return replace(
        item,
        id=identifier,
        lid=identifier,
        status=v.APPROVED,
        version="1",
        source=ends[item.source],
        target=ends[item.target],
        classifications=tuple(Classification(new_uuid(), identifier, *c[2:]) for c in item.classifications),
    )
