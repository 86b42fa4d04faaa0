"""Every command with its options and help. What a command does is in the module that it imports when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from .access_commands import access, consent
from .assertion_commands import assertion
from .audit_commands import audit
from .failures import MEANINGS
from .options import (
    AgainstOptions,
    Config,
    ConnectionOptions,
    FilterOptions,
    Json,
    MetadataOptions,
    Patient,
    SetTitle,
    SourceId,
    with_groups,
)
from .patient_commands import patients
from .record_commands import add_commands
from .vocabulary_commands import vocabulary

_STATUSES = "\n\n".join(f"{int(status)}: {meaning}." for status, meaning in MEANINGS.items())

app = typer.Typer(
    name="xds-gateway",
    help="A document sharing gateway after IHE XDS.b: Document Registry, Document Repository, and clients of both.",
    epilog=f"Exit statuses\n\n{_STATUSES}",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


@app.command()
def serve(*, config: Config = None, as_json: Json = False) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Prints the endpoints, and lines for other terminals to try, when every worker is ready. The log goes to standard
    error as JSON lines. Wrong settings are refused with one sentence each.
    """
    from .serve import serve

    raise typer.Exit(serve(config, as_json=as_json))


@app.command()
def demo(
    *,
    examples: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="CDA documents (*.xml) to use; by default ../shared/data/cda where it exists, else samples made here.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the folder of this run is made: keys, data, copies, log.")
    ] = Path("var/demo"),
    as_json: Json = False,
) -> None:
    """Show everything once, on a gateway of its own.

    Makes throw-away keys and a fresh data folder, starts a gateway with mutual TLS on a free port of this machine, then
    submits, finds, retrieves and compares documents, replaces one, and has a wrong one refused. The gateway is stopped
    in every case.
    """
    from .demo import demo

    raise typer.Exit(demo(examples, folder, as_json=as_json))


@app.command()
def pki(
    *,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")] = Path("var/pki"),
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Name or address of the server; may be repeated. By default this machine's."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace keys that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Make throw-away keys.

    For an authority, a server, a client, a signer of documents and an issuer of assertions; never for production.
    """
    from .pki import pki

    pki(folder, tuple(host or ()), force=force, as_json=as_json)


@app.command()
@with_groups
def submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Documents; several are one submission set.")],
    *,
    patient: Patient = None,
    replaces: Annotated[
        str | None,
        typer.Option(metavar="ID", help="entryUUID or uniqueId of the document that the one FILE takes the place of."),
    ] = None,
    appends: Annotated[
        str | None, typer.Option(metavar="ID", help="The same of the document that the one FILE is an addendum to.")
    ] = None,
    transforms: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The same of the document whose content the one FILE has in another format."),
    ] = None,
    folders: Annotated[
        list[str] | None,
        typer.Option("--folder", metavar="ID", help="Folder that every FILE is put into; may be repeated."),
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML or JSON file of metadata by the SDK's names.")
    ] = None,
    source_id: SourceId = None,
    set_title: SetTitle = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar="XDS_CLIENT_JOURNAL",
            help="Where ids are kept before they are sent, so that a second run sends the same; by default "
            "xds-gateway/journal in the user's state folder.",
        ),
    ] = None,
    attributes: MetadataOptions,
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Submit documents of one patient.

    ITI-41 with all files as one submission set: all are registered, or none.

    What a CDA header tells is read from it; options and a metadata file tell the rest, and win. The same command run
    again after a crash sends the same ids, and reports a submission that is there already.
    """
    from .submit import submit

    submit(
        files,
        patient,
        attributes,
        connection,
        relations={"RPLC": replaces, "APND": appends, "XFRM": transforms},
        folders=folders or (),
        metadata_file=metadata,
        source_id=source_id,
        set_title=set_title,
        journal=journal,
        as_json=as_json,
    )


@app.command()
@with_groups
def find(
    *, patient: Patient = None, wanted: FilterOptions, connection: ConnectionOptions, as_json: Json = False
) -> None:
    """List the documents of a patient.

    ITI-18 FindDocuments. That there are none is an answer too, with exit status 0.
    """
    from .find import find

    find(patient, wanted, connection, as_json=as_json)


@app.command()
@with_groups
def get(
    identifiers: Annotated[
        list[str], typer.Argument(metavar="ID...", help="entryUUIDs (urn:uuid: may be left out) or uniqueIds.")
    ],
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="PATH", help="File, or existing folder, or - for standard output (one document)."
        ),
    ] = ".",
    connection: ConnectionOptions,
    as_json: Json = False,
) -> None:
    """Retrieve documents and verify them.

    ITI-18 GetDocuments, then ITI-43; size and hash must be those of the entry.

    In a folder a file is named after the uniqueId and the media type; it appears when it is whole.
    """
    from .get import get

    get(identifiers, output, connection, as_json=as_json)


@app.command()
@with_groups
def explain(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A captured request: HTTP with its head, MIME, a SOAP envelope, the element of a Body, or a folder of "
            "the wire log.",
        ),
    ],
    *,
    transaction: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What a naked body is meant for, as ITI-57; SubmitObjectsRequest: ITI-42."),
    ] = None,
    against: AgainstOptions,
    as_json: Json = False,
) -> None:
    """Explain what a gateway makes of a captured request.

    Every finding with its evidence, a hint where the mistake is a known one, and what would happen. Nothing is changed:
    without --against the rules of the settings judge it here, over an empty registry; with it a gateway is asked by a
    dry run. Exit status 0: it would be accepted; 1: it would be refused, or could not be processed.
    """
    from .explain import explain

    raise typer.Exit(explain(file, transaction, against, as_json=as_json))


add_commands(app)
app.add_typer(assertion, name="assertion")
app.add_typer(patients, name="patients")
app.add_typer(consent, name="consent")
app.add_typer(access, name="access")
app.add_typer(vocabulary, name="vocabulary")
app.add_typer(audit, name="audit")


@app.command()
def config(*, config: Config = None, as_json: Json = False) -> None:
    """Show every setting, its value and its source.

    Passwords are masked.
    """
    from .config import show

    show(config, as_json=as_json)


@app.command()
def endpoints(*, config: Config = None, as_json: Json = False) -> None:
    """Tell the address of each transaction.

    Of each mount, with repositoryUniqueId, homeCommunityId and accepted authorities, as a test kit asks for them. They
    are those of the settings; no gateway is asked.
    """
    from .endpoints import endpoints

    endpoints(config, as_json=as_json)


@app.command()
def certificates(*, config: Config = None, as_json: Json = False) -> None:
    """Tell how long certificates, authorities and revocation lists are good.

    Those that the settings name, as the gateway would read them. Status 1 when one has ended.
    """
    from .certificates import certificates

    raise typer.Exit(certificates(config, as_json=as_json))


@app.command()
def reset(
    *,
    config: Config = None,
    domain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Domain to empty, when several may be; by default that one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Empty a domain between two test runs.

    Objects, documents and patients go, all or nothing; the audit stays and tells of it. Only where the settings of the
    domain say `allow_reset = true`. A gateway that is serving goes on.
    """
    from .reset import reset

    reset(config, domain, yes=yes, as_json=as_json)


@app.command()
def version(*, as_json: Json = False) -> None:
    """Tell the versions that matter."""
    from .version import version

    version(as_json=as_json)
