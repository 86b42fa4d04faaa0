"""The command line without a gateway: what is refused and how, exit statuses, JSON, files, what people see."""

import importlib
import io
import json
import stat
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from xds_gateway import __version__
from xds_gateway.cli.commands import app
from xds_gateway.cli.connecting import KINDS_OF_ERRORS, LOOK_FIRST, destination, explain, failure_of, identifier
from xds_gateway.cli.console import Transfer, as_plain, shown, size_text, time_text
from xds_gateway.cli.explaining import explanation
from xds_gateway.cli.failures import KINDS, MEANINGS, CommandFailed, Status
from xds_gateway.cli.get import file_name
from xds_gateway.cli.listing import documents_table
from xds_gateway.cli.options import ConnectionOptions, MetadataOptions
from xds_gateway.cli.program import run
from xds_gateway.client import (
    Code,
    Damaged,
    DocumentMetadata,
    DocumentSummary,
    Fault,
    IncompleteMetadata,
    InvalidQuery,
    Misconfigured,
    NotACdaDocument,
    NotFound,
    Refused,
    RegistryError,
    TimedOut,
    TlsRefused,
    UnexpectedAnswer,
    Unreachable,
)
from xds_gateway.client import errors as client_errors
from xds_gateway.client.samples import make_samples, write_samples
from xds_gateway.codec.findings import render_code_context
from xds_gateway.config import load
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.pki import make_pki, pki_in

CLIENTS = ("submit", "find", "get", "query", "history", "update", "deprecate", "folder", "remove")
RECORDS = ("assertion", "patients", "consent", "access", "vocabulary")
COMMANDS = ("serve", "demo", "pki", *CLIENTS, *RECORDS, "explain", "config", "certificates", "version")
GROUPS = {
    "access": ("explain",),
    "consent": ("add", "list", "withdraw"),
    "assertion": ("new", "show"),
    "folder": ("new", "add", "remove", "list", "show"),
    "patients": ("add", "list", "show", "merge", "unmerge"),
    "vocabulary": ("load", "list", "show", "check"),
}
INNER = tuple(f"{group} {name}" for group, names in GROUPS.items() for name in names)
PATIENT = ("--patient", "42^^^&1.2.3&ISO")
URL = "https://localhost:8443/services/registry"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of its own, without settings from outside."""
    for name in ("XDS_GATEWAY_CONFIG", "XDS_CLIENT_URL", "XDS_CLIENT_CERT", "XDS_CLIENT_KEY", "XDS_CLIENT_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDS_CLIENT_JOURNAL", str(tmp_path / "journal"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_entry(**changes):
    values = {
        "entry_uuid": "urn:uuid:6d7d3a1e-7b0c-4a57-a6d0-0c2f7f3a1111",
        "unique_id": "1.2.3.4",
        "repository_unique_id": "1.2.3",
        "patient_id": PATIENT[1],
        "title": "Compte rendu",
        "creation_time": "20240312083000",
        "mime_type": "text/xml",
        "size": 12_345,
        "status": "Approved",
    }
    return DocumentSummary(**(values | changes))


def printed(renderable, width=80):
    stream = io.StringIO()
    Console(file=stream, width=width, markup=False, emoji=False, highlight=False).print(renderable)
    return stream.getvalue()


# Usage


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in GROUPS] + [*INNER])
def test_every_command_has_help_and_json(command):
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_the_program_without_a_command_lists_them_and_its_exit_statuses(capsys):
    assert run([]) == 0
    told = capsys.readouterr().out
    assert all(f" {command} " in told for command in COMMANDS)
    assert all(f"{int(status)}: " in told for status in Status)


def test_every_status_and_kind_has_a_meaning():
    assert set(MEANINGS) == set(Status)
    assert {status for status, _ in KINDS.values()} == set(Status) - {Status.DONE, Status.INTERRUPTED}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_has_every_command_option_and_key(command):
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    section = page.split(f"\n## `{command}`\n")[1].split("\n## ")[0]
    declared = get_command(app).commands[command]
    for each in vars(declared).get("commands", {"": declared}).values():
        for parameter in each.params:
            assert all(option in section for option in parameter.opts) or parameter.metavar in section
    assert all(f"`{key}`" in section for key in importlib.import_module(f"xds_gateway.cli.{command}").KEYS)


#   command line                                            what the sentence names
USAGE = [
    (["fond"], "Did you mean 'find'"),
    (["find", "--patients", "x"], "--patient"),
    (["find"], "--patient '42^^^&1.2.3&ISO'"),
    (["find", "--patient", "42^^^"], "in quotes"),
    (["find", "--patient", "42"], "in quotes"),
    (["find", *PATIENT, "--status", "old"], "approved, deprecated or all"),
    (["find", *PATIENT, "--class-code", "11"], "code^display^scheme"),
    (["find", *PATIENT, "--created-from", "yesterday"], "yesterday is no time"),
    (["find", *PATIENT, "--timeout", "long"], "--timeout"),
    (["find", *PATIENT, "--url", "localhost"], "is not an http or https address"),
    (["find", *PATIENT, "--ca", "nowhere.crt"], "nowhere.crt is not a file"),
    (["find", *PATIENT, "--purpose", "ETREAT^^2.16.840.1.113883.5.8"], "say its profile with --assertion"),
    (["find", *PATIENT, "--assertion", "nowhere.toml"], "nowhere.toml cannot be read"),
    (["submit"], "FILE"),
    (["submit", "nowhere.xml"], "--patient"),
    (["submit", "nowhere.xml", *PATIENT], "nowhere.xml cannot be read"),
    (["submit", "a.xml", "b.xml", *PATIENT, "--replaces", "1.2"], "for one file"),
    (["submit", "a.xml", *PATIENT, "--replaces", "1.2", "--appends", "1.3"], "exclude each other"),
    (["query", "FindFold"], "is FindFolders meant?"),
    (["query", "GetAll", "-p", "patientId"], "NAME=VALUE"),
    (["query", "GetAll", "-p", "patientId=42@1.2.3"], "needs $XDSFolderStatus"),
    (["query", "FindFolders", "-p", "Patient=42@1.2.3"], "is $XDSFolderPatientId meant?"),
    (["query", "FindFolders", "-p", "PatientId=42", "-p", "Status=Approved"], "'id^^^&oid&ISO'"),
    (["query", "FindFolders", "-p", "PatientId=42@1.2,43@1.2", "-p", "Status=Approved"], "takes one value, not 2"),
    (["query", "GetDocuments", "-p", "UniqueId=1.2", "-p", "uuid=1.3"], "exactly one of"),
    (["query", "GetDocuments", "-p", "UniqueId=1.2", "--level", "3"], "1 or 2"),
    (["history"], "DOCUMENT"),
    (["update", "1.2"], "Nothing is changed"),
    (["update", "1.2", "--type-code", "x"], "code^display^scheme"),
    (["update", "1.2", "--code", "x"], "code^display^scheme"),
    (["deprecate"], "ID"),
    (["folder", "new", "Diabetes"], "--patient"),
    (["folder", "new", "Diabetes", *PATIENT], "--code"),
    (["folder", "add", "1.2"], "DOCUMENT"),
    (["folder", "list"], "--patient"),
    (["remove"], "Say what to remove"),
    (["remove", "1.2"], "--yes"),
    (["remove", "1.2", "--content", "1.2^3.4", "--yes"], "Say what to remove"),
    (["remove", "--content", "1.2", "--yes"], "UNIQUEID"),
    (["submit", "a.xml", *PATIENT, "--metadata", "nowhere.toml"], "nowhere.toml cannot be read"),
    (["submit", "a.xml", *PATIENT, "--type-code", "x"], "code^display^scheme"),
    (["get"], "ID"),
    (["get", "1.2", "1.3", "--output", "file"], "folder that exists"),
    (["demo", "--examples", "nowhere"], "no *.xml files in nowhere"),
    (["serve", "--config", "nowhere.toml"], "nowhere.toml does not exist"),
    (["config", "--config", "nowhere.toml"], "nowhere.toml does not exist"),
    (["serve"], "xds-gateway pki"),
]


@pytest.mark.parametrize(("arguments", "named"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_a_mistake_is_told_in_a_sentence_with_status_2(arguments, named, capsys):
    assert run(arguments) == Status.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert named in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(("arguments", "named"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_with_json_the_same_mistake_is_an_object(arguments, named, capsys):
    assert run([*arguments, "--json"]) == Status.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    error = json.loads(told.err)["error"]
    assert error.keys() == {"kind", "exit_status", "messages", "errors"}
    assert (error["exit_status"], error["errors"]) == (2, [])
    assert error["kind"] in KINDS
    assert named in " ".join(error["messages"])


def test_json_and_the_document_itself_cannot_share_standard_output(capsys):
    assert run(["get", "1.2", "--output", "-", "--json"]) == Status.USAGE
    assert "leave one out" in capsys.readouterr().err


# Commands that need no gateway


def test_version(capsys):
    assert run(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == __version__
    assert run(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"xds-gateway {__version__} ")


def test_config_tells_every_setting_and_its_source(folder, monkeypatch, capsys):
    (folder / "gateway.toml").write_text("workers = 3\n")
    monkeypatch.setenv("XDS_GATEWAY_LIMITS__XML_DEPTH", "50")
    assert run(["config", "--config", "gateway.toml", "--json"]) == 0
    settings = {row["name"]: row for row in json.loads(capsys.readouterr().out)["settings"]}
    assert (settings["workers"]["value"], settings["workers"]["source"]) == (3, "file gateway.toml")
    assert settings["limits.xml_depth"]["source"] == "environment XDS_GATEWAY_LIMITS__XML_DEPTH"
    assert settings["data_folder"]["source"] == "default"
    assert run(["config", "--config", "gateway.toml"]) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in settings)


def test_config_masks_passwords(monkeypatch, capsys):
    monkeypatch.setenv("XDS_GATEWAY_DATABASE_URL", "postgresql://gateway:s3cret@db/registry")
    for arguments in (["config"], ["config", "--json"]):
        assert run(arguments) == 0
        assert "s3cret" not in capsys.readouterr().out


def test_each_wrong_setting_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("XDS_GATEWAY_WORKERS", "none")
    monkeypatch.setenv("XDS_GATEWAY_LIMITS__XML_DEPTH", "1")
    assert run(["serve", "--json"]) == Status.USAGE
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["kind"] == "configuration"
    assert [message.split(" ")[0] for message in error["messages"]] == ["workers", "limits.xml_depth"]


def test_certificates_tell_how_long_they_are_good(folder, capsys):
    make_pki(folder / "var" / "pki", now=datetime.now(UTC) - timedelta(days=810))
    assert run(["certificates", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["certificates"]
    assert [(each["what"], each["state"], round(each["days"])) for each in told] == [
        ("certificate", "ends soon", 15),
        ("authority", "good", 2840),
        ("issuer", "ends soon", 15),
    ]
    assert run(["certificates"]) == 0
    assert "ends soon" in capsys.readouterr().out


def test_certificates_that_have_ended_are_a_status(folder, capsys):
    make_pki(folder / "var" / "pki", now=datetime.now(UTC) - timedelta(days=826))
    assert run(["certificates"]) == Status.REFUSED
    assert "has ended" in capsys.readouterr().out


def test_pki_makes_keys_once_and_again_when_told(folder, capsys):
    assert run(["pki", "--folder", "keys", "--host", "gateway.example.org", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["hosts"] == ["gateway.example.org"]
    assert all((folder / path).is_file() for path in made["files"].values())
    assert stat.S_IMODE((folder / "keys" / "client.key").stat().st_mode) == 0o600
    before = (folder / "keys" / "ca.crt").read_bytes()
    assert run(["pki", "--folder", "keys", "--json"]) == Status.USAGE
    assert json.loads(capsys.readouterr().err)["error"]["kind"] == "exists"
    assert (folder / "keys" / "ca.crt").read_bytes() == before
    assert run(["pki", "--folder", "keys", "--force"]) == 0
    assert (folder / "keys" / "ca.crt").read_bytes() != before


# What is read of a document before anything is sent


def test_unknown_attributes_are_named_as_options(folder, capsys):
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4")
    assert run(["submit", "scan.pdf", *PATIENT, "--title", "Scan", "--json"]) == Status.USAGE
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["kind"] == "incomplete_metadata"
    options = {option for name in get_command(app).commands["submit"].params for option in name.opts}
    named = {word for word in " ".join(error["messages"]).split() if word.startswith("--")}
    assert {word.strip(",.") for word in named} <= options
    assert "--class-code" in named


def test_without_a_patient_those_of_the_headers_are_told(folder, capsys):
    (document,) = write_samples(folder, make_samples(1))
    assert run(["submit", str(document.content)]) == Status.USAGE
    assert document.metadata.source_patient_id in capsys.readouterr().err


def test_every_attribute_of_the_sdk_is_an_option():
    elsewhere = {"authors", "source_patient_info", "reference_ids"}  # --author, and the metadata file
    options = {field.name for field in fields(MetadataOptions)} - {"author", "author_institution"}
    assert options == {field.name for field in fields(DocumentMetadata)} - elsewhere


# Which gateway


def test_a_client_finds_the_gateway_of_this_folder(folder):
    make_pki(folder / "var" / "pki", now=datetime.now(UTC))
    to = destination(ConnectionOptions(), load(None, {}))
    keys = pki_in(Path("var/pki"))
    urls = (URL, URL.replace("registry", "repository"))
    assert to == (*urls, keys.client_certificate, keys.client_key, keys.ca, keys.assertion_profile)


#   options                                                  registry, repository, certificate, key, ca, profile
DESTINATIONS = [
    ({"url": "https://g/s/"}, ("https://g/s/registry", "https://g/s/repository", None, None, None, None)),
    ({"registry_url": "https://r/x"}, ("https://r/x", URL.replace("registry", "repository"), None, None, None, None)),
    ({"url": "http://g/s", "repository_url": "http://h"}, ("http://g/s/registry", "http://h", None, None, None, None)),
    (
        {"url": "https://g/s", "cert": Path("a"), "ca": Path("c"), "assertion": Path("d")},
        ("https://g/s/registry", "https://g/s/repository", Path("a"), None, Path("c"), Path("d")),
    ),
    (
        {"url": "http://g/s", "assertion": Path("d")},
        ("http://g/s/registry", "http://g/s/repository", None, None, None, Path("d")),
    ),
]


@pytest.mark.parametrize(("options", "expected"), DESTINATIONS)
def test_options_say_which_gateway(options, expected):
    assert destination(ConnectionOptions(**options), load(None, {})) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("urn:uuid:6D7D3A1E-7b0c-4a57-a6d0-0c2f7f3a1111", "urn:uuid:6d7d3a1e-7b0c-4a57-a6d0-0c2f7f3a1111"),
        ("6d7d3a1e-7b0c-4a57-a6d0-0c2f7f3a1111", "urn:uuid:6d7d3a1e-7b0c-4a57-a6d0-0c2f7f3a1111"),
        ("1.2.3.4^2026", "1.2.3.4^2026"),
    ],
)
def test_identifiers(given, expected):
    assert identifier(given) == expected


# Failures of the client as failures of the command


FINDING = Finding(
    code=ErrorCode.REGISTRY_METADATA_ERROR,
    rule="ihe.de.creationTime.format",
    sentence="Write creationTime in UTC.",
    object_id="Document01",
    attribute="creationTime",
    received="20241345",
    expected="a DTM",
    clause="ITI TF-3 4.2.3.2.6",
)
ERRORS = (RegistryError(str(FINDING.code), render_code_context(FINDING)), RegistryError("XDSRegistryError", "Sorry."))

#   raised by the SDK                                       kind                    status  a word of the advice
RAISED = [
    (Misconfigured("report.xml cannot be read"), "usage", 2, "report.xml"),
    (InvalidQuery("GetAll", ("GetAll needs $patientId",)), "usage", 2, "xds-gateway query GetAll"),
    (NotFound("folder", "1.2.3"), "not_found", 4, "There is no folder 1.2.3"),
    (NotACdaDocument("no ClinicalDocument"), "not_cda", 2, "ClinicalDocument"),
    (IncompleteMetadata((("a", ("type_code",)),)), "incomplete_metadata", 2, "--type-code"),
    (Unreachable(URL, "Connection refused"), "unreachable", 3, "xds-gateway serve"),
    (TimedOut(URL, "no answer"), "timed_out", 3, "same ids"),
    (TlsRefused(URL, "unknown ca"), "tls_refused", 3, "--ca"),
    (UnexpectedAnswer("no SOAP", status=404), "unexpected_answer", 3, "--url"),
    (Fault("Sender", (), "no such action"), "fault", 1, "no such action"),
    (Refused("Failure", ERRORS), "refused", 1, "2 errors"),
    (Damaged("hash", "aa", "bb"), "damaged", 1, "hash"),
]


@pytest.mark.parametrize(("error", "kind", "status", "word"), RAISED, ids=[kind for _, kind, _, _ in RAISED])
def test_what_the_sdk_raises_has_a_kind_a_status_and_advice(error, kind, status, word):
    failure = failure_of(error, destination(ConnectionOptions(), load(None, {})))
    assert (failure.kind, failure.status) == (kind, status)
    assert word in " ".join(failure.sentences)


def test_whoever_changes_a_record_is_told_to_look_before_a_second_try():
    failure = failure_of(TimedOut(URL, "no answer"), None, LOOK_FIRST)
    assert "xds-gateway history" in failure.sentences[1]


def test_every_error_of_the_sdk_has_a_kind():
    known = {each for each in vars(client_errors).values() if isinstance(each, type) and issubclass(each, Exception)}
    assert set(KINDS_OF_ERRORS) == known - {client_errors.GatewayClientError}


def test_evidence_that_nobody_knows_is_left_out():
    (error,) = explain((RegistryError("Other", "Read this. [rule=r1 | colour=red | code=x]"),))
    assert (error.code, error.sentence, error.rule) == ("Other", "Read this.", "r1")


def test_errors_are_taken_apart():
    ours, others = explain(ERRORS)
    assert (ours.attribute, ours.received, ours.rule) == ("creationTime", "20241345", "ihe.de.creationTime.format")
    assert (others.sentence, others.rule) == ("Sorry.", None)
    failure = failure_of(Refused("Failure", ERRORS))
    assert [error["code"] for error in failure.as_json()["error"]["errors"]] == [error.code for error in ERRORS]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_an_explanation_shows_all_evidence_at_any_width(width):
    text = printed(explanation(explain(ERRORS)), width)
    evidence = (FINDING.received, FINDING.expected, FINDING.clause, FINDING.rule, FINDING.attribute, FINDING.sentence)
    assert all(value in text for value in evidence)
    assert "Sorry." in text


# What people see


def test_a_table_of_documents_fits_a_terminal_of_80_columns():
    text = printed(documents_table([make_entry(), make_entry(title="T" * 200, status="Deprecated", size=None)]))
    assert max(map(len, text.splitlines())) <= 80
    assert make_entry().entry_uuid in text
    assert "12.1 KiB" in text


def test_a_title_cannot_command_the_terminal_or_the_markup():
    text = printed(documents_table([make_entry(title="\x1b[2J\x9bm[bold]x[/bold]")]))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "[bold]x[/bold]" in text


@pytest.mark.parametrize(
    ("size", "expected"),
    [(None, ""), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 2**20, "5.0 MiB"), (3 * 2**40, "3072.0 GiB")],
)
def test_sizes(size, expected):
    assert size_text(size) == expected


@pytest.mark.parametrize(
    ("dtm", "expected"),
    [(None, ""), ("2024", "2024"), ("202403", "2024-03"), ("20240312083000", "2024-03-12 08:30"), ("soon", "soon")],
)
def test_times(dtm, expected):
    assert time_text(dtm) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "1.2.3.4.xml"),
        ({"unique_id": "1.2^7", "mime_type": "application/pdf"}, "1.2_7.pdf"),
        ({"unique_id": "../../etc/passwd", "mime_type": None}, "_.._etc_passwd.bin"),
        ({"unique_id": None, "mime_type": "text/plain"}, "urn_uuid_6d7d3a1e-7b0c-4a57-a6d0-0c2f7f3a1111.txt"),
    ],
)
def test_the_name_of_a_retrieved_file_stays_in_its_folder(changes, expected):
    assert file_name(make_entry(**changes)) == expected


def test_values_become_plain_json():
    entry = as_plain(make_entry(type_code=Code("a", "b", "c")))
    assert entry["type_code"] == {"code": "a", "scheme": "b", "display": "c"}
    assert entry["event_codes"] == []
    assert as_plain({"path": Path("x"), "status": Status.USAGE}) == {"path": "x", "status": 2}


def test_progress_without_a_terminal_is_lines_and_none_when_quiet(capsys, monkeypatch):
    moment = iter(range(0, 1000, 10))
    monkeypatch.setattr("time.monotonic", lambda: float(next(moment)))
    for quiet in (False, True):
        with Transfer("Sending", 2048, quiet=quiet) as transfer:
            transfer.advance(1024)
            transfer.advance(4096)
    assert capsys.readouterr().err.splitlines() == ["Sending: 1.0 KiB of 2.0 KiB", "Sending: 2.0 KiB of 2.0 KiB"]


def test_text_from_elsewhere_is_shown_without_controls():
    assert shown("a\x00b\x1b[1mc\x85d\té\n") == "a\ufffdb\ufffd[1mc\ufffdd\té\n"
    assert shown(None) == ""


def test_a_failure_of_a_command_knows_its_status():
    assert [CommandFailed(kind).status for kind in KINDS] == [status for status, _ in KINDS.values()]
