"""The commands of `xds-gateway audit`: the record of every access, verified, read and handed out."""

from typing import Annotated, Final

import typer

from .options import Config, Json

_CX: Final = "42@1.2.3, or '42^^^&1.2.3&ISO' in quotes"

audit = typer.Typer(
    help="Verify, read and hand out the record of every access.\n\nFor an administrator on the gateway's machine, "
    "while it serves or not; whoever reads it is in it too.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

_Patient = Annotated[str | None, typer.Option("--patient", "-p", metavar="CX", help=f"About this patient: {_CX}.")]
_Since = Annotated[str, typer.Option("--since", metavar="TIME", help="From this time on, UTC: 2026-03-14, or a DTM.")]
_Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Before this time.")]
_User = Annotated[
    str, typer.Option("--user", metavar="TEXT", help="By users or nodes whose name has this text, in any case.")
]
_Transaction = Annotated[str, typer.Option("--transaction", "-t", metavar="NAME", help="As ITI-18.")]
_Outcome = Annotated[str, typer.Option("--outcome", metavar="WORD", help="success, partial or failure.")]
_Domain = Annotated[str, typer.Option("--domain", metavar="NAME", help="Of this domain only.")]


@audit.command("verify")
def audit_verify(*, config: Config = None, as_json: Json = False) -> None:
    """Hold every event against its chain and the anchors: what was changed, removed, put in or moved, and where.

    The exit status is 1 when something was.
    """
    from .audit import verify

    raise typer.Exit(verify(config, as_json=as_json))


@audit.command("list")
def audit_list(
    *,
    patient: _Patient = None,
    since: _Since = "",
    until: _Until = "",
    user: _User = "",
    transaction: _Transaction = "",
    outcome: _Outcome = "",
    domain: _Domain = "",
    limit: Annotated[
        int, typer.Option("--limit", metavar="NUMBER", min=1, max=100_000, help="The last ones, so many.")
    ] = 50,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List events of changes and reads in the order of their times."""
    from .audit import Wanted, list_events

    wanted = Wanted(patient, since, until, user, transaction, outcome, domain)
    list_events(wanted, limit, config, as_json=as_json)


@audit.command("export")
def audit_export(
    *,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORM",
            help="dicom (audit messages as ITI-20 sends them, one a line), fhir (AuditEvent resources, NDJSON), json "
            "(events as they are kept, one a line).",
        ),
    ] = "json",
    patient: _Patient = None,
    since: _Since = "",
    until: _Until = "",
    user: _User = "",
    transaction: _Transaction = "",
    outcome: _Outcome = "",
    domain: _Domain = "",
    config: Config = None,
) -> None:
    """Write all events to standard output, however many there are."""
    from .audit import Wanted, export

    export(Wanted(patient, since, until, user, transaction, outcome, domain), form, config)


@audit.command("who-looked")
def audit_who_looked(
    *,
    patient: Annotated[str, typer.Option("--patient", "-p", metavar="CX", help=f"Whose record: {_CX}.")],
    since: _Since = "",
    until: _Until = "",
    titles: Annotated[
        bool, typer.Option("--titles/--no-titles", help="Look up what documents are called now; no log has it.")
    ] = True,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell who looked at a patient's record: who, when, at what, for which purpose, granted or refused.

    Under all identifiers that were merged with this one.
    """
    from .who_looked import who_looked

    who_looked(patient, since, until, config, titles=titles, as_json=as_json)


@audit.command("outbox")
def audit_outbox(*, config: Config = None, as_json: Json = False) -> None:
    """Show how far each audit repository is, why it takes nothing, and what was set aside."""
    from .audit import outbox

    outbox(config, as_json=as_json)
