"""Objects of the registry as tables that fit a terminal of 80 columns: names above their entryUUIDs."""

from collections.abc import Iterator, Sequence

from rich.console import Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..client import (
    AssociationSummary,
    DocumentSummary,
    FolderSummary,
    ObjectReference,
    QueryResult,
    SubmissionSetSummary,
)
from .console import shown, size_text, time_text

_UUID_STYLE = "not bold dim"


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number and its noun: "no folders", "1 folder", "2 folders"."""
    many = several or f"{one}s"
    return f"1 {one}" if number == 1 else f"{number or 'no'} {many}"


def sentence(text: str) -> str:
    """A text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def labelled(name: str | None, uuid: str, *more: str) -> Text:
    """A name, what else identifies it, and below them the entryUUID."""
    label = Text(shown(name), style="bold")
    for each in more:
        label.append(f"\n{shown(each)}", style="not bold")
    return label.append(f"\n{shown(uuid)}", style=_UUID_STYLE)


def status_text(status: str | None) -> Text:
    """An availabilityStatus; what is not Approved stands out."""
    return Text(shown(status), style="" if status == "Approved" else "yellow")


def documents_table(documents: Sequence[DocumentSummary]) -> Table:
    """Documents; the version is shown where one is not the first."""
    versions = any((entry.version or "1") != "1" for entry in documents)
    table = _table("document", "created", "size", *(("version",) if versions else ()), "status")
    for entry in documents:
        kind = entry.type_code.display if entry.type_code else ""
        label = labelled(entry.title or kind or "untitled", entry.entry_uuid)
        cells = (time_text((entry.creation_time or "")[:8]), size_text(entry.size))
        table.add_row(label, *cells, *((shown(entry.version),) if versions else ()), status_text(entry.status))
    return table


def submission_sets_table(sets: Sequence[SubmissionSetSummary]) -> Table:
    """Submission sets with who sent them."""
    table = _table("submission set", "submitted")
    for each in sets:
        name = each.title or (each.content_type_code.display if each.content_type_code else "") or "untitled"
        source = (f"from {each.source_id}",) if each.source_id else ()
        table.add_row(labelled(name, each.entry_uuid, *source), time_text(each.submission_time))
    return table


def folders_table(folders: Sequence[FolderSummary]) -> Table:
    """Folders with their codes."""
    table = _table("folder", "updated", "status")
    for each in folders:
        codes = ", ".join(code.display or code.code for code in each.codes)
        label = labelled(each.title or "untitled", each.entry_uuid, *((codes,) if codes else ()))
        table.add_row(label, time_text(each.last_update_time), status_text(each.status))
    return table


def associations_table(associations: Sequence[AssociationSummary]) -> Table:
    """Associations with both ends one above the other."""
    table = _table("association", "from, to", "status")
    for each in associations:
        kind = Text(shown(each.type), style="bold")
        if each.submission_set_status:
            kind.append(f"\n{shown(each.submission_set_status)}", style=_UUID_STYLE)
        table.add_row(kind, Text(f"{shown(each.source)}\n{shown(each.target)}"), status_text(each.status))
    return table


def references_table(references: Sequence[ObjectReference]) -> Table:
    """References, one to a line."""
    table = _table("object")
    for each in references:
        table.add_row(shown(each.entry_uuid))
    return table


def result_tables(result: QueryResult) -> RenderableType:
    """A table for each kind of object that was found."""
    return Group(*(Padding(table, (0, 0, 1, 0)) for table in _tables(result)))


def _tables(result: QueryResult) -> Iterator[Table]:
    if result.documents:
        yield documents_table(result.documents)
    if result.submission_sets:
        yield submission_sets_table(result.submission_sets)
    if result.folders:
        yield folders_table(result.folders)
    if result.associations:
        yield associations_table(result.associations)
    if result.references:
        yield references_table(result.references)


def result_count(result: QueryResult) -> str:
    """How many objects of each kind were found."""
    kinds = (
        (len(result.documents), "document"),
        (len(result.submission_sets), "submission set"),
        (len(result.folders), "folder"),
        (len(result.associations), "association"),
        (len(result.references), "reference"),
    )
    return ", ".join(counted(number, kind) for number, kind in kinds if number) or "nothing"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        justify: JustifyMethod = "right" if name == "size" else "left"
        table.add_column(name, no_wrap=name != "from, to", overflow="fold", justify=justify)
    return table
