"""The commands of `xds-gateway vocabulary`: the codes that a domain allows."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Config, Json

vocabulary = typer.Typer(
    help="Load, show and check the codes that a domain allows.\n\nWorks on the database of the settings, while "
    "gateways serve it or not; running ones judge by new lists at once.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

_Domain = Annotated[
    str | None,
    typer.Option("--domain", metavar="NAME", help="Domain whose lists they are; may be left out where there is one."),
]
_Attribute = Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="Coded attribute, as typeCode.")]


@vocabulary.command("load")
def vocabulary_load(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="SVS XML (RetrieveValueSetResponse), or codes.xml of an IHE test kit."),
    ] = None,
    *,
    attributes: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            "-a",
            metavar="ATTRIBUTE",
            help="What the files are for, as typeCode: said once for all of them, or once for each in their order. By "
            "default what they say themselves: CodeType, or the name of the value set.",
        ),
    ] = None,
    none: Annotated[
        list[str] | None,
        typer.Option(
            "--none", metavar="ATTRIBUTE", help="Drop the list of this attribute: any code goes; may be repeated."
        ),
    ] = None,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make files the lists of their attributes.

    All in one transaction: wholly, or not at all. Several lists of one attribute are put together. Lists of other
    attributes stay. Codes that the list before had besides stay as retired ones: refused, and found by queries.
    """
    from .vocabulary import load

    load(files or (), attributes or (), none or (), domain, config, as_json=as_json)


@vocabulary.command("list")
def vocabulary_list(*, domain: _Domain = None, config: Config = None, as_json: Json = False) -> None:
    """List the attributes that have a list, and where it is from."""
    from .vocabulary import show_lists

    show_lists(domain, config, as_json=as_json)


@vocabulary.command("show")
def vocabulary_show(
    attribute: _Attribute,
    *,
    number: Annotated[
        int | None,
        typer.Option("--version", metavar="NUMBER", help="The list as this version had it; by default as it is."),
    ] = None,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show the codes of an attribute."""
    from .vocabulary import show

    show(attribute, number, domain, config, as_json=as_json)


@vocabulary.command("check")
def vocabulary_check(*, domain: _Domain = None, config: Config = None, as_json: Json = False) -> None:
    """Find stored objects that would be refused today.

    Looks at the latest version of every object; nothing is changed. Exit status 1 when there are any.
    """
    from .vocabulary import check

    raise typer.Exit(check(domain, config, as_json=as_json))
