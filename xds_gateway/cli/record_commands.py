"""The commands that ask for all that a registry keeps, and those that keep records correct."""

from pathlib import Path
from typing import Annotated, Final

import typer

from .options import AttributeOptions, ConnectionOptions, Json, Patient, SetOptions, with_groups

_DOCUMENT: Final = "entryUUID (urn:uuid: may be left out) or uniqueId"


@with_groups
def query(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of the query, as FindFolders; without it all are listed."),
    ] = None,
    *,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Parameter, as Status=Approved,Deprecated; may be repeated. Without one, those of the query are told.",
        ),
    ] = None,
    object_refs: Annotated[
        bool, typer.Option("--object-refs", help="Only references to the objects that are found (ObjectRef).")
    ] = False,
    level: Annotated[
        int | None,
        typer.Option("--level", metavar="1|2", help="Metadata level: 2 shows old versions too. By default 1."),
    ] = None,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Ask any stored query.

    ITI-18 and ITI-51. `xds-gateway query` lists all queries, `xds-gateway query NAME` tells the parameters of one.

    Parameters are named as in the standard, with or without `$XDS` and object, in any case. Values are separated by
    commas, which is OR; the same parameter said again is AND where the standard has it. A value that begins with a
    quote or parenthesis is read as the standard writes it: `('a,b','c')`.
    """
    from .query import query

    query(name, parameters or (), connection, object_refs=object_refs, level=level, as_json=as_json)


@with_groups
def history(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help=f"{_DOCUMENT}, of any version.")],
    *,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Draw what became of a document.

    Its versions, submission sets and folders, and all documents that relations lead to: what it replaces, amends,
    transforms or signs, and what does so to it.
    """
    from .history import history

    history(document, connection, as_json=as_json)


@with_groups
def update(
    identifier: Annotated[str, typer.Argument(metavar="ID", help=f"Document or folder: {_DOCUMENT}.")],
    *,
    attributes: AttributeOptions,
    metadata: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML or JSON file of attributes by the SDK's names.")
    ] = None,
    codes: Annotated[
        list[str] | None,
        typer.Option("--code", metavar="CODE^DISPLAY^SCHEME", help="Code of a folder; may be repeated."),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option("--patient", "-p", metavar="CX", help="The patient that it belongs to, when it was another's."),
    ] = None,
    cleared: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="ATTRIBUTE", help="Attribute to remove, as comments; may be repeated."),
    ] = None,
    left_behind: Annotated[
        bool, typer.Option("--no-propagate", help="Leave folders and relations to the version before.")
    ] = False,
    told: SetOptions,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Change attributes of a document or folder.

    ITI-57 Update Document Set: the latest version gets a successor with these attributes, and becomes Deprecated. What
    is not said stays. The bytes of a document stay as they are: other bytes are a replacement.
    """
    from .update import update

    update(
        identifier,
        attributes,
        told,
        connection,
        metadata_file=metadata,
        codes=codes or (),
        patient=patient,
        cleared=cleared or (),
        propagate=not left_behind,
        as_json=as_json,
    )


@with_groups
def deprecate(
    identifier: Annotated[str, typer.Argument(metavar="ID", help=f"Document or folder: {_DOCUMENT}.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Make it Approved again.")] = False,
    told: SetOptions,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Withdraw a document or folder.

    ITI-57 Update Document Set: its latest version becomes Deprecated, and nothing takes its place.
    """
    from .deprecate import deprecate

    deprecate(identifier, told, connection, undo=undo, as_json=as_json)


@with_groups
def remove(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID...", help=f"Documents, folders or submission sets: {_DOCUMENT}."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and change nothing.")] = False,
    keep_contents: Annotated[
        bool, typer.Option("--keep-contents", help="Leave the documents' bytes in the repository.")
    ] = False,
    contents: Annotated[
        list[str] | None,
        typer.Option(
            "--content",
            metavar="REPOSITORY^UNIQUEID",
            help="Bytes of a document that has no metadata any more, by its two ids; may be repeated.",
        ),
    ] = None,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Remove documents, folders or submission sets for good.

    First the metadata: all versions, what refers to them, and submission sets that would stay empty, in one ITI-62.
    Then the bytes, with ITI-86, of each document that no other entry has. On a terminal it tells what will go, and
    asks.
    """
    from .remove import remove

    remove(
        identifiers or (),
        contents or (),
        connection,
        yes=yes,
        dry_run=dry_run,
        keep_contents=keep_contents,
        as_json=as_json,
    )


folder = typer.Typer(
    help="Make folders, put documents into them, and show them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

_Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="entryUUID (urn:uuid: may be left out) or uniqueId.")]
_Members = Annotated[list[str], typer.Argument(metavar="DOCUMENT...", help=f"{_DOCUMENT}.")]


@folder.command("new")
@with_groups
def folder_new(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="Title of the folder.")],
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT...", help=f"What to put into it: {_DOCUMENT}.")
    ] = None,
    *,
    patient: Patient = None,
    codes: Annotated[
        list[str] | None,
        typer.Option(
            "--code", metavar="CODE^DISPLAY^SCHEME", help="What the folder is for; may be repeated. Required."
        ),
    ] = None,
    comments: Annotated[str | None, typer.Option(metavar="TEXT", help="Comments of the folder.")] = None,
    told: SetOptions,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Make a folder."""
    from .folder import new

    new(title, documents or (), patient, codes or (), comments, told, connection, as_json=as_json)


@folder.command("add")
@with_groups
def folder_add(
    folder: _Folder, documents: _Members, *, told: SetOptions, connection: ConnectionOptions, as_json: Json = False
) -> None:
    """Put registered documents into a folder."""
    from .folder import add

    add(folder, documents, told, connection, as_json=as_json)


@folder.command("remove")
@with_groups
def folder_remove(
    folder: _Folder, documents: _Members, *, told: SetOptions, connection: ConnectionOptions, as_json: Json = False
) -> None:
    """Take documents out of a folder; they stay in the registry."""
    from .folder import take_out

    take_out(folder, documents, told, connection, as_json=as_json)


@folder.command("list")
@with_groups
def folder_list(*, patient: Patient = None, connection: ConnectionOptions, as_json: Json = False) -> None:
    """List the folders of a patient."""
    from .folder import list_folders

    list_folders(patient, connection, as_json=as_json)


@folder.command("show")
@with_groups
def folder_show(folder: _Folder, *, connection: ConnectionOptions, as_json: Json = False) -> None:
    """Show a folder and its documents."""
    from .folder import show

    show(folder, connection, as_json=as_json)


def add_commands(app: typer.Typer) -> None:
    """Declare these commands, in the order of the help."""
    for command in (query, history, update, deprecate):
        app.command()(command)
    app.add_typer(folder, name="folder")
    app.command()(remove)
