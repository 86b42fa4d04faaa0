"""The commands of an administrator about access rights: consents of patients, and why something was decided."""

from typing import Annotated, Final

import typer

from .options import Config, Json

_CX: Final = "42@1.2.3, or '42^^^&1.2.3&ISO' in quotes"
_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

consent = typer.Typer(
    help="What patients permit and oppose.\n\nFor an administrator on the gateway's machine, while it serves or not; "
    "every act is audited, and counts at once.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings=_SETTINGS,
)
access = typer.Typer(
    help="Why something is permitted or not.\n\nFor an administrator on the gateway's machine, while it serves or not; "
    "every act is audited.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings=_SETTINGS,
)

_Patient = Annotated[str, typer.Argument(metavar="PATIENT", help=f"Patient identifier: {_CX}.")]
_Domain = Annotated[
    str | None, typer.Option("--domain", metavar="NAME", help="Domain of the settings; by default the first.")
]


@consent.command("add")
def consent_add(
    effect: Annotated[str, typer.Argument(metavar="permit|oppose", help="What the patient does.")],
    patient: _Patient,
    grantee: Annotated[
        str,
        typer.Argument(
            metavar="GRANTEE", help="everybody, role:CODE^^SCHEME, role:node, organization:OID or person:NAMEID."
        ),
    ],
    *,
    documents: Annotated[
        str | None,
        typer.Option(
            metavar="KIND=CODE",
            help="Only documents with a code: confidentiality=, class= or type= and code^^scheme; by default all.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends, as 2027-01-31 or a DTM (UTC); by default never.")
    ] = None,
    break_glass: Annotated[bool, typer.Option("--break-glass", help="An emergency overrides this opposition.")] = False,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Keep what a patient permits or opposes."""
    from .consent import add

    add(effect, patient, grantee, documents, until, domain, config, break_glass=break_glass, as_json=as_json)


@consent.command("list")
def consent_list(patient: _Patient, *, domain: _Domain = None, config: Config = None, as_json: Json = False) -> None:
    """List the consents of a patient and of those merged with it, withdrawn ones too."""
    from .consent import list_consents

    list_consents(patient, domain, config, as_json=as_json)


@consent.command("withdraw")
def consent_withdraw(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the consent in the list.")],
    *,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Let a consent count no more; it stays in the list."""
    from .consent import withdraw

    withdraw(number, domain, config, as_json=as_json)


@access.command("explain")
def access_explain(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="entryUUID or uniqueId.")],
    *,
    action: Annotated[
        str, typer.Option(metavar="ACTION", help="find, retrieve, submit, replace, update or remove.")
    ] = "find",
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="Role of the user: a word of the matrix or code^^scheme; may be repeated."),
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(metavar="PURPOSE", help="Purpose of use: a mode of the matrix or code^^scheme; may be repeated."),
    ] = None,
    organization: Annotated[str | None, typer.Option(metavar="OID", help="Organisation of the user.")] = None,
    person: Annotated[str | None, typer.Option(metavar="NAMEID", help="NameID of the user.")] = None,
    patient: Annotated[str | None, typer.Option(metavar="CX", help=f"Patient that the assertion names: {_CX}.")] = None,
    domain: _Domain = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Explain what a caller may do with a document.

    Each version, with the rows of the access matrix that are about the caller's roles, why they do not permit, and the
    consents of the patient. Without any option about the user the caller is a node without one.
    """
    from .access import explain

    explain(document, action, role or (), purpose or (), organization, person, patient, domain, config, as_json=as_json)
