"""`xds-gateway folder`."""

from collections.abc import Sequence
from typing import Any, Final

from ..client import (
    AdministrationResult,
    DocumentSummary,
    FolderSummary,
    Gateway,
    parse_code,
)
from ..client.samples import SOURCE_ID
from .connecting import (
    LOOK_FIRST,
    NOTHING_CHANGED,
    connected,
    explain,
    failing_well,
    identifier,
    identifiers,
    patient_id,
)
from .console import output, print_json, shown, working
from .failures import CommandFailed
from .listing import counted, documents_table, folders_table, sentence
from .options import ConnectionOptions, SetOptions
from .update import warn

KEYS: Final = {
    "folders": "list of objects with the attributes of `FolderSummary` in the SDK: the one that was made, changed or "
    "asked for; all of the patient for `list`",
    "documents": "list of objects with the attributes of `DocumentSummary`: what is in the folder; none for `list`",
    "submission_set_uuid": "entryUUID of the submission set that tells a change, or null",
    "warnings": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
}


def new(
    title: str,
    documents: Sequence[str],
    patient: str | None,
    codes: Sequence[str],
    comments: str | None,
    told: SetOptions,
    connection: ConnectionOptions,
    *,
    as_json: bool,
) -> None:
    """Make a folder and show it."""
    owner = patient_id(patient)
    if not codes:
        raise CommandFailed("usage", "Say what the folder is for with --code 'CODE^DISPLAY^SCHEME'.")
    with failing_well():
        listed = tuple(map(parse_code, codes))
    with connected(connection, unsure=LOOK_FIRST) as gateway, working("Making the folder", quiet=as_json):
        members = _latest(gateway, documents)
        result = gateway.folder_new(
            title,
            patient_id=owner,
            source_id=told.source_id or SOURCE_ID,
            codes=listed,
            documents=members,
            comments=comments,
        )
        _show(gateway, result.entry_uuid, result, as_json=as_json)


def add(
    folder: str, documents: Sequence[str], told: SetOptions, connection: ConnectionOptions, *, as_json: bool
) -> None:
    """Put documents into a folder and show it."""
    with connected(connection, unsure=LOOK_FIRST) as gateway, working("Filing", quiet=as_json):
        details = {"title": told.set_title, "comments": told.set_comments}
        found = gateway.folder(identifier(folder))
        result = gateway.folder_add(found, identifiers(documents), source_id=told.source_id or SOURCE_ID, **details)
        _show(gateway, found.entry_uuid, result, as_json=as_json)


def take_out(
    folder: str, documents: Sequence[str], told: SetOptions, connection: ConnectionOptions, *, as_json: bool
) -> None:
    """Take documents out of a folder and show it."""
    with connected(connection, unsure=LOOK_FIRST) as gateway, working("Taking out", quiet=as_json):
        details = {"title": told.set_title, "comments": told.set_comments}
        found = gateway.folder(identifier(folder))
        result = gateway.folder_remove(found, identifiers(documents), source_id=told.source_id or SOURCE_ID, **details)
        _show(gateway, found.entry_uuid, result, as_json=as_json)


def list_folders(patient: str | None, connection: ConnectionOptions, *, as_json: bool) -> None:
    """List the folders of a patient."""
    owner = patient_id(patient)
    with connected(connection, unsure=NOTHING_CHANGED) as gateway, working("Asking the registry", quiet=as_json):
        found = gateway.find_folders(owner)
    if as_json:
        _print(found, (), None)
        return
    console = output()
    if found:
        console.print(folders_table(found))
    console.print(f"{sentence(counted(len(found), 'folder'))} of {shown(owner)}", soft_wrap=True)


def show(folder: str, connection: ConnectionOptions, *, as_json: bool) -> None:
    """Show a folder and its documents."""
    with connected(connection, unsure=NOTHING_CHANGED) as gateway, working("Asking the registry", quiet=as_json):
        _show(gateway, gateway.folder(identifier(folder)).entry_uuid, None, as_json=as_json)


def _show(gateway: Gateway, folder: str, result: AdministrationResult | None, *, as_json: bool) -> None:
    contents = gateway.folder_contents(folder, level=2)
    if as_json:
        _print(contents.folders, contents.documents, result)
        return
    console = output()
    console.print(folders_table(contents.folders))
    console.print()
    if contents.documents:
        console.print(documents_table(contents.documents))
    console.print(f"{sentence(counted(len(contents.documents), 'document'))} in the folder")
    if result:
        warn(result)


def _print(
    folders: Sequence[FolderSummary], documents: Sequence[DocumentSummary], result: AdministrationResult | None
) -> None:
    told: dict[str, Any] = {
        "folders": folders,
        "documents": documents,
        "submission_set_uuid": result.submission_set_uuid if result else None,
        "warnings": explain(result.warnings) if result else [],
    }
    print_json(told)


def _latest(gateway: Gateway, documents: Sequence[str]) -> list[str]:
    """The entryUUIDs of the latest versions."""
    return [gateway.versions(each)[-1].entry_uuid for each in identifiers(documents)]
