"""`xds-gateway history`: a document's versions, relations, folders and submission sets, drawn as a tree."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text
from rich.tree import Tree

from ..client import AssociationSummary, DocumentHistory, DocumentSummary, SubmissionSetSummary
from .connecting import NOTHING_CHANGED, connected, identifier
from .console import output, print_json, shown, time_text, working
from .listing import status_text
from .options import ConnectionOptions

KEYS: Final = {
    "versions": "list of objects with the attributes of `DocumentSummary` in the SDK, oldest first",
    "documents": "the same of each document that relations lead to, from one to the next",
    "relations": "list of objects with the attributes of `AssociationSummary`, between documents",
    "memberships": "the same for HasMember, from submission sets and folders to versions",
    "folders": "list of objects with the attributes of `FolderSummary`",
    "submission_sets": "list of objects with the attributes of `SubmissionSetSummary`",
    "complete": "false when relations lead on further than was asked",
}

#   association        from its source          from its target
_WORDS: Final = {
    "RPLC": ("replaces", "replaced by"),
    "APND": ("addendum to", "has the addendum"),
    "XFRM": ("transformed from", "transformed into"),
    "XFRM_RPLC": ("replaces, transformed,", "replaced, transformed, by"),
    "signs": ("signs", "signed by"),
    "IsSnapshotOf": ("snapshot of", "has the snapshot"),
}


def history(document: str, connection: ConnectionOptions, *, as_json: bool) -> None:
    """Ask for all that is known of a document and draw it."""
    with connected(connection, unsure=NOTHING_CHANGED) as gateway, working("Asking the registry", quiet=as_json):
        told = gateway.history(identifier(document))
    if as_json:
        print_json(told)
        return
    console = output()
    console.print(history_tree(told))
    if not told.complete:
        console.print("Relations lead on further; ask for the history of the last document.")


def history_tree(told: DocumentHistory) -> Tree:
    """The tree: versions with what holds them, newest first, then relations from document to document."""
    latest = told.latest
    root = Text(shown(latest.title) or "untitled", style="bold")
    root.append(f"  uniqueId {shown(latest.unique_id)}", style="not bold dim")
    tree = Tree(root, guide_style="dim")
    moved = len({each.patient_id for each in told.versions}) > 1  # ITI-57, ITI-64
    for version in reversed(told.versions):
        branch = tree.add(_version(version, version.patient_id if moved else None))
        for line in _holders(told, version):
            branch.add(line)
    _Relations(told).grow(tree, {each.entry_uuid for each in told.versions})
    return tree


def _version(entry: DocumentSummary, patient: str | None) -> Text:
    line = Text(f"version {shown(entry.version) or '1'}  ", style="bold").append(status_text(entry.status))
    line.append(f"  of {shown(patient)}" if patient else "", style="not bold")
    return line.append(f"\n{shown(entry.entry_uuid)}", style="not bold dim")


def _holders(told: DocumentHistory, version: DocumentSummary) -> Iterator[Text]:
    """The submission sets and folders that have a version as a member."""
    holders = {a.source: a for a in told.memberships if a.target == version.entry_uuid}
    for each in told.submission_sets:
        if each.entry_uuid in holders:
            added = holders[each.entry_uuid].submission_set_status == "Reference"
            word = "added to submission set" if added else "submitted"
            line = Text(f"{word} {time_text(each.submission_time)}".rstrip())
            line.append(f"  {shown(_named(each))}" if _named(each) else "")
            yield line.append(f"\nset {shown(each.entry_uuid)}", style="dim")
    for folder in told.folders:
        if folder.entry_uuid in holders:
            left = holders[folder.entry_uuid].status != "Approved" or folder.status != "Approved"
            line = Text("was in folder " if left else "in folder ", style="yellow" if left else "")
            line.append(shown(folder.title) or "untitled", style="bold")
            yield line.append(f"\nfolder {shown(folder.entry_uuid)}", style="not bold dim")


def _named(submission_set: SubmissionSetSummary) -> str | None:
    """The title of a set, or what it is: one that ITI-64 made has no title."""
    code = submission_set.content_type_code
    return submission_set.title or (code.display or code.code if code else None)


class _Relations:
    """Relations below the documents that they lead to; each document stands once."""

    def __init__(self, told: DocumentHistory) -> None:
        self._relations = told.relations
        self._documents = {each.entry_uuid: each for each in told.documents}
        self._seen = {each.entry_uuid for each in told.versions}

    def grow(self, tree: Tree, uuids: set[str]) -> None:
        """Add what these documents are related to, and what those are, step by step."""
        for relation, other, outward in self._from(uuids):
            if other in self._seen:
                continue
            self._seen.add(other)
            self.grow(tree.add(self._line(relation, other, outward=outward)), {other})

    def _from(self, uuids: set[str]) -> list[tuple[AssociationSummary, str, bool]]:
        outward = [(a, a.target, True) for a in self._relations if a.source in uuids]
        return outward + [(a, a.source, False) for a in self._relations if a.target in uuids]

    def _line(self, relation: AssociationSummary, other: str, *, outward: bool) -> Text:
        words = _WORDS.get(relation.type, (relation.type, f"{relation.type} from"))
        line = Text(f"{words[0] if outward else words[1]} ")
        entry = self._documents.get(other)
        if entry is None:
            line.append("a document that is not shown to this caller", style="yellow")
        else:
            line.append(shown(entry.title) or "untitled", style="bold").append("  ").append(status_text(entry.status))
        return line.append(f"\n{shown(other)}", style="not bold dim")
