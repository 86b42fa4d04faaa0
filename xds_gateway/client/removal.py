"""What must go together: ITI-62 removes a closed set of objects or nothing (Remove Metadata and Documents)."""

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import NotFound
from .history import Historian
from .queries import RELATIONSHIP_NAMES
from .registry_values import AssociationSummary, FolderSummary, SubmissionSetSummary
from .values import DocumentSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalPlan:
    """What a removal takes: metadata objects that go in one request, then the bytes.

    `contents` are the documents, one for each (repositoryUniqueId, uniqueId), whose bytes nothing else needs;
    `kept` are entries of which the bytes stay, because an entry that is not removed has them too.
    """

    documents: tuple[DocumentSummary, ...] = ()
    submission_sets: tuple[SubmissionSetSummary, ...] = ()
    folders: tuple[FolderSummary, ...] = ()
    associations: tuple[AssociationSummary, ...] = ()
    contents: tuple[DocumentSummary, ...] = ()
    kept: tuple[DocumentSummary, ...] = ()

    @property
    def uuids(self) -> tuple[str, ...]:
        """The entryUUIDs of all objects, for ITI-62."""
        kinds = (self.documents, self.submission_sets, self.folders, self.associations)
        return tuple(each.entry_uuid for kind in kinds for each in kind)

    @property
    def severed(self) -> tuple[AssociationSummary, ...]:
        """The relationships that are lost to documents which stay."""
        going = set(self.uuids)
        return tuple(
            each
            for each in self.associations
            if each.type in RELATIONSHIP_NAMES and not {each.source, each.target} <= going
        )


class RemovalPlanner:
    """Finds the smallest closed set around some objects, by queries."""

    def __init__(self, registry: Historian) -> None:
        self._registry = registry
        self._touching: dict[str, dict[str, AssociationSummary]] = {}
        self._associations: dict[str, AssociationSummary] = {}
        self._chosen: set[str] = set()
        self._sets: dict[str, SubmissionSetSummary] = {}

    def plan(self, identifiers: Iterable[str]) -> RemovalPlan:
        """The plan for documents, with all versions of each, folders and submission sets; raises NotFound.

        What refers to a chosen object goes too, a set that keeps no member goes, and what a chosen set brought goes.
        """
        wanted = dict.fromkeys(uuid for each in identifiers for uuid in self._named(each))
        self._take(wanted)
        objects = self._objects()
        documents = self._registry.documents("uuid", objects) if objects else ()
        folders = self._registry.folders("uuid", objects) if objects else ()
        contents, kept = self._contents(documents)
        return RemovalPlan(
            documents=documents,
            submission_sets=tuple(each for uuid, each in self._sets.items() if uuid in self._chosen),
            folders=folders,
            associations=tuple(a for uuid, a in self._associations.items() if uuid in self._chosen),
            contents=contents,
            kept=kept,
        )

    def _named(self, identifier: str) -> tuple[str, ...]:
        """The objects that an identifier names: all versions of a document or folder, or a submission set."""
        try:
            return tuple(each.entry_uuid for each in self._registry.versions(identifier))
        except NotFound:
            folders = self._registry.folder_versions(identifier)
        if folders:
            return tuple(each.entry_uuid for each in folders)
        found = self._registry.submission_set(identifier)
        if found is None:
            raise NotFound("document, folder or submission set", identifier)
        self._sets[found.entry_uuid] = found
        return (found.entry_uuid,)

    def _objects(self) -> tuple[str, ...]:
        return tuple(sorted(self._chosen - set(self._associations) - set(self._sets)))

    def _take(self, uuids: Iterable[str]) -> None:
        """Choose these, then what they draw along, until nothing is left over."""
        waiting = [uuid for uuid in uuids if uuid not in self._chosen]
        while waiting:
            self._chosen |= set(waiting)
            self._look_at(waiting)
            drawn: dict[str, None] = {}
            for uuid in waiting:
                drawn |= dict.fromkeys(self._touching[uuid])
                drawn |= dict.fromkeys(self._brought_by(uuid))
            waiting = [uuid for uuid in drawn if uuid not in self._chosen]
            if not waiting:
                waiting = self._emptied()

    def _look_at(self, uuids: Iterable[str]) -> None:
        """Learn the associations that touch these objects, and which ends are submission sets."""
        new = [uuid for uuid in uuids if uuid not in self._touching]
        if not new:
            return
        found = self._registry.associations(new)
        self._associations |= found
        for uuid in new:
            self._touching[uuid] = {key: a for key, a in found.items() if uuid in (a.source, a.target)}
        self._sets |= {each.entry_uuid: each for each in self._registry.submission_sets(new)}

    def _brought_by(self, uuid: str) -> list[str]:
        """The original members of a chosen submission set."""
        if uuid not in self._sets:
            return []
        members = self._touching[uuid].values()
        return [a.target for a in members if a.source == uuid and a.submission_set_status != "Reference"]

    def _emptied(self) -> list[str]:
        """Submission sets that would stay without a member."""
        sets = [uuid for uuid in self._sets if uuid not in self._chosen]
        self._look_at(sets)
        return [uuid for uuid in sets if set(self._touching[uuid]) <= self._chosen]

    def _contents(
        self, documents: Iterable[DocumentSummary]
    ) -> tuple[tuple[DocumentSummary, ...], tuple[DocumentSummary, ...]]:
        """One document for each content that goes, and those of which it stays."""
        stored = {
            (d.repository_unique_id, d.unique_id): d
            for d in documents
            if d.repository_unique_id and d.unique_id and d.hash  # an on-demand entry has no bytes, and no hash
        }
        if not stored:
            return (), ()
        sharing = self._registry.documents("unique_id", dict.fromkeys(d.unique_id or "" for d in stored.values()))
        needed = {(d.repository_unique_id, d.unique_id) for d in sharing if d.entry_uuid not in self._chosen}
        kept = tuple(document for place, document in stored.items() if place in needed)
        return tuple(document for place, document in stored.items() if place not in needed), kept
