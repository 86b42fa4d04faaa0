"""The commands about assertions: sign one, show one, judge one."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Config, Json

assertion = typer.Typer(
    help="Assertions that say who calls (XUA, ITI-40).\n\nFor callers without an identity provider, and for requests "
    "that are sent by other programs.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

AssertionFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="An assertion, or a captured request that holds one; - reads input.")
]


@assertion.command("new")
def assertion_new(
    *,
    profile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="XDS_CLIENT_ASSERTION",
            help="TOML file of the assertion profile; by default assertion.toml beside client_ca.",
        ),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient", "-p", metavar="CX", help="Patient that the assertion is for only: 42@1.2.3, or as CX."
        ),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            metavar="CODE^DISPLAY^SCHEME",
            help="Purpose of use in place of the profile's, as ETREAT^^2.16.840.1.113883.5.8.",
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="XDS_CLIENT_CERT",
            help="PEM certificate of the caller, for holder-of-key; by default client.crt beside client_ca.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Captured request that gets the assertion in its Security header: an envelope or MIME; the head of an "
            "HTTP request is left out.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="PATH", help="File, or - for standard output.")
    ] = "-",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Sign an assertion and print it.

    With --into, print the request with it: no other byte of the request is changed.
    """
    from .assertion import new

    new(profile, patient, purpose, cert, into, output, config, as_json=as_json)


@assertion.command("show")
def assertion_show(
    file: AssertionFile,
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what an assertion says, of whom and until when."""
    from .assertion import show

    show(file, config, as_json=as_json)


@assertion.command("check")
def assertion_check(
    file: AssertionFile,
    *,
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Domain that is called; by default the first of the settings.")
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PEM or DER certificate of the connection, for holder-of-key."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Judge an assertion as the gateway of these settings would now: signature, conditions, audience, confirmation.

    Tells the user and its rights, or the rule that refuses it, with the clause. The exit status is 1 when it is
    refused.
    """
    from .assertion_check import check

    return check(file, domain, cert, config, as_json=as_json)
