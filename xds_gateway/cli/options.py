"""Options that several commands share, in groups: a group is a dataclass whose fields are options."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import typer

CONNECTION: Final = "Connection"
METADATA: Final = "Metadata"
FILTER: Final = "Filter"

Command = TypeVar("Command", bound=Callable[..., None])

Json = Annotated[
    bool,
    typer.Option("--json", help="Write one JSON document to standard output, and a failure as JSON to standard error."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML file of the gateway's settings, or `conformance`, which come with the program; by default the one "
        "that XDS_GATEWAY_CONFIG names, if any.",
    ),
]
Patient = Annotated[
    str | None,
    typer.Option(
        "--patient",
        "-p",
        metavar="CX",
        help="Patient identifier with its assigning authority: 42@1.2.3, or '42^^^&1.2.3&ISO' in quotes. Required.",
    ),
]
SourceId = Annotated[
    str | None,
    typer.Option(
        "--source-id",
        metavar="OID",
        envvar="XDS_CLIENT_SOURCE_ID",
        help="OID of the sending system; by default the samples'.",
    ),
]
SetTitle = Annotated[str | None, typer.Option("--set-title", metavar="TEXT", help="Title of the submission set.")]


def _connection(option: str, metavar: str, text: str, *, variable: bool = True) -> Any:
    envvar = "XDS_CLIENT_" + option.removeprefix("--").replace("-", "_").upper() if variable else None
    return typer.Option(option, metavar=metavar, envvar=envvar, help=text, rich_help_panel=CONNECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """Which gateway, and who is calling; what is not said comes from the gateway's own settings on this machine."""

    config: Config = None
    url: Annotated[
        str | None,
        _connection("--url", "URL", "Address of a mount, as https://localhost:8443/services; by default public_url."),
    ] = None
    registry_url: Annotated[
        str | None, _connection("--registry-url", "URL", "Document Registry, when it is not at URL/registry.")
    ] = None
    repository_url: Annotated[
        str | None, _connection("--repository-url", "URL", "Document Repository, when it is not at URL/repository.")
    ] = None
    cert: Annotated[
        Path | None,
        _connection("--cert", "FILE", "PEM certificate of the caller; by default client.crt beside client_ca."),
    ] = None
    key: Annotated[
        Path | None, _connection("--key", "FILE", "PEM key of the certificate; by default in its file, or client.key.")
    ] = None
    ca: Annotated[
        Path | None,
        _connection("--ca", "FILE", "PEM authorities that the gateway's certificate may come from; by default ca.crt."),
    ] = None
    assertion: Annotated[
        Path | None,
        _connection(
            "--assertion",
            "PROFILE",
            "TOML file of an assertion profile, to sign an assertion for each call; by default assertion.toml beside "
            "client_ca.",
        ),
    ] = None
    purpose: Annotated[
        str | None,
        _connection(
            "--purpose",
            "CODE^DISPLAY^SCHEME",
            "Purpose of use in the assertion, in place of the profile's, as ETREAT^^2.16.840.1.113883.5.8.",
            variable=False,
        ),
    ] = None
    timeout: Annotated[
        float, _connection("--timeout", "SECONDS", "Longest silence of the gateway before giving up.")
    ] = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstOptions:
    """A gateway that is asked when it is named, and the settings that count when none is."""

    against: Annotated[
        str | None,
        _connection(
            "--against",
            "URL",
            "Address of a mount that is asked by a dry run, as https://localhost:8443/services; without it nothing is "
            "sent.",
            variable=False,
        ),
    ] = None
    config: Config = None
    cert: Annotated[Path | None, _connection("--cert", "FILE", "PEM certificate of the caller, for --against.")] = None
    key: Annotated[Path | None, _connection("--key", "FILE", "PEM key of the certificate.")] = None
    ca: Annotated[
        Path | None, _connection("--ca", "FILE", "PEM authorities that the gateway's certificate may come from.")
    ] = None
    assertion: Annotated[
        Path | None,
        _connection(
            "--assertion", "PROFILE", "Assertion profile; its assertion is sent in place of the one in the capture."
        ),
    ] = None
    timeout: Annotated[
        float, _connection("--timeout", "SECONDS", "Longest silence of the gateway before giving up.")
    ] = 60.0


def _attribute(option: str, metavar: str, text: str) -> Any:
    return typer.Option(option, metavar=metavar, help=text, rich_help_panel=METADATA)


_CODE: Final = "CODE^DISPLAY^SCHEME"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeOptions:
    """Attributes of a DocumentEntry by their names in the SDK; what is said here wins over file and header."""

    title: Annotated[str | None, _attribute("--title", "TEXT", "Title.")] = None
    comments: Annotated[str | None, _attribute("--comments", "TEXT", "Comments.")] = None
    mime_type: Annotated[str | None, _attribute("--mime-type", "TYPE", "Media type, as application/pdf.")] = None
    creation_time: Annotated[
        str | None, _attribute("--creation-time", "DTM", "When it was made, in UTC: YYYY[MM[DD[hh[mm[ss]]]]].")
    ] = None
    service_start_time: Annotated[
        str | None, _attribute("--service-start-time", "DTM", "When the care began, in UTC.")
    ] = None
    service_stop_time: Annotated[
        str | None, _attribute("--service-stop-time", "DTM", "When the care ended, in UTC.")
    ] = None
    language_code: Annotated[str | None, _attribute("--language-code", "CODE", "Language, as fr-FR.")] = None
    class_code: Annotated[str | None, _attribute("--class-code", _CODE, "Class.")] = None
    type_code: Annotated[str | None, _attribute("--type-code", _CODE, "Type.")] = None
    format_code: Annotated[str | None, _attribute("--format-code", _CODE, "Format.")] = None
    healthcare_facility_type_code: Annotated[
        str | None, _attribute("--healthcare-facility-type-code", _CODE, "Kind of place.")
    ] = None
    practice_setting_code: Annotated[
        str | None, _attribute("--practice-setting-code", _CODE, "Specialty or setting.")
    ] = None
    confidentiality_codes: Annotated[
        list[str] | None, _attribute("--confidentiality-code", _CODE, "Confidentiality; may be repeated.")
    ] = None
    event_codes: Annotated[list[str] | None, _attribute("--event-code", _CODE, "Act or event; may be repeated.")] = None
    author: Annotated[
        str | None, _attribute("--author", "XCN", "Author, as ^Martin^Claire; several in a metadata file.")
    ] = None
    author_institution: Annotated[
        str | None, _attribute("--author-institution", "XON", "Institution of the author.")
    ] = None
    legal_authenticator: Annotated[
        str | None, _attribute("--legal-authenticator", "XCN", "Who signed it for the institution.")
    ] = None
    source_patient_id: Annotated[
        str | None, _attribute("--source-patient-id", "CX", "The patient in the source; by default the header's.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataOptions(AttributeOptions):
    """The same of a document that is submitted."""

    unique_id: Annotated[str | None, _attribute("--unique-id", "OID", "uniqueId; made when there is none.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOptions:
    """What is said of the submission set that tells a change."""

    source_id: SourceId = None
    set_title: SetTitle = None
    set_comments: Annotated[str | None, typer.Option(metavar="TEXT", help="Its comments: why.")] = None


def _filter(option: str, metavar: str, text: str) -> Any:
    return typer.Option(option, metavar=metavar, help=text, rich_help_panel=FILTER)


_SOUGHT: Final = "CODE^^SCHEME"
_FROM: Final = "in UTC, as 2024-03-01 or a DTM, included."
_TO: Final = "in UTC, excluded."


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions:
    """What FindDocuments filters by: values of one option are OR, options are AND (ITI TF-2 3.18.4.1.2.3.7.1)."""

    status: Annotated[
        list[str] | None,
        _filter("--status", "STATUS", "approved or deprecated; may be repeated; all for both. By default approved."),
    ] = None
    class_codes: Annotated[list[str] | None, _filter("--class-code", _SOUGHT, "Class; may be repeated.")] = None
    type_codes: Annotated[list[str] | None, _filter("--type-code", _SOUGHT, "Type; may be repeated.")] = None
    format_codes: Annotated[list[str] | None, _filter("--format-code", _SOUGHT, "Format; may be repeated.")] = None
    healthcare_facility_type_codes: Annotated[
        list[str] | None, _filter("--healthcare-facility-type-code", _SOUGHT, "Kind of place; may be repeated.")
    ] = None
    practice_setting_codes: Annotated[
        list[str] | None, _filter("--practice-setting-code", _SOUGHT, "Specialty or setting; may be repeated.")
    ] = None
    confidentiality_codes: Annotated[
        list[str] | None, _filter("--confidentiality-code", _SOUGHT, "Confidentiality; may be repeated.")
    ] = None
    event_codes: Annotated[list[str] | None, _filter("--event-code", _SOUGHT, "Act or event; may be repeated.")] = None
    authors: Annotated[
        list[str] | None, _filter("--author", "PATTERN", "Author with % and _, as %Martin%; may be repeated.")
    ] = None
    created_from: Annotated[str | None, _filter("--created-from", "TIME", f"Made since, {_FROM}")] = None
    created_to: Annotated[str | None, _filter("--created-to", "TIME", f"Made before, {_TO}")] = None
    service_from: Annotated[str | None, _filter("--service-from", "TIME", f"Care began since, {_FROM}")] = None
    service_to: Annotated[str | None, _filter("--service-to", "TIME", f"Care began before, {_TO}")] = None


def with_groups(command: Command) -> Command:
    """The command as typer takes it: in place of each parameter that is a group, the options of the group."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}

    def called(**values: Any) -> None:
        made = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **made)

    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        group = groups.get(parameter.name)
        parameters += _options(group) if group else [parameter.replace(annotation=hints[parameter.name])]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called  # type: ignore[return-value]


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[field.name], default=_default(field)
        )
        for field in fields(group)
    ]


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
