"""The commands of an administrator: patients and their merges, in the database of the settings."""

from typing import Annotated, Final

import typer

from .options import Config, Json

_CX: Final = "42@1.2.3, or '42^^^&1.2.3&ISO' in quotes"

patients = typer.Typer(
    help="Patients of a domain, and their merges.\n\nFor an administrator on the gateway's machine, while it serves or "
    "not; every act is audited.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

_Patient = Annotated[str, typer.Argument(metavar="PATIENT", help=f"Patient identifier: {_CX}.")]
_Domain = Annotated[
    str | None, typer.Option("--domain", metavar="NAME", help="Domain of the settings; by default the first.")
]


@patients.command("add")
def patients_add(patient: _Patient, *, domain: _Domain = None, config: Config = None, as_json: Json = False) -> None:
    """Make a patient known, as the feed's A04 does."""
    from .patients import add

    add(patient, domain, config, as_json=as_json)


@patients.command("list")
def patients_list(
    *,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CX", help="Begin after this patient of an earlier list.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="Most patients to list.")] = 100,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List patients in the order of their identifiers."""
    from .patients import list_patients

    list_patients(after, limit, domain, config, as_json=as_json)


@patients.command("show")
def patients_show(patient: _Patient, *, domain: _Domain = None, config: Config = None, as_json: Json = False) -> None:
    """Show who stands for a patient, and all merges that it was part of."""
    from .patients import show

    show(patient, domain, config, as_json=as_json)


@patients.command("merge")
def patients_merge(
    subsumed: Annotated[str, typer.Argument(metavar="SUBSUMED", help=f"Identifier that ends: {_CX}.")],
    surviving: Annotated[str, typer.Argument(metavar="SURVIVING", help="Identifier that goes on.")],
    *,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Merge a patient into another one, as the feed's A40 does."""
    from .patients import merge

    merge(subsumed, surviving, domain, config, as_json=as_json)


@patients.command("unmerge")
def patients_unmerge(
    patient: _Patient, *, domain: _Domain = None, config: Config = None, as_json: Json = False
) -> None:
    """Undo the merge of a patient: what was submitted for it is its own again."""
    from .patients import unmerge

    unmerge(patient, domain, config, as_json=as_json)
