"""`xds-gateway submit`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from ..client import (
    DocumentMetadata,
    DocumentToSubmit,
    Gateway,
    NotACdaDocument,
    RegistryError,
    SubmissionResult,
    read_cda,
    read_document,
)
from ..client.samples import SOURCE_ID
from .connecting import connected, explain, failing_well, folder_uuids, identifier, not_found, patient_id
from .console import Transfer, errors, output, print_json, shown, size_text
from .explaining import explanation
from .failures import CommandFailed
from .options import ConnectionOptions, MetadataOptions
from .update import attributes_said

KEYS: Final = {
    "patient_id": "as given",
    "submission_set_uuid": "entryUUID of the submission set",
    "unique_id": "uniqueId of the submission set",
    "already_there": "true when an earlier run had submitted it and nothing was sent",
    "replaces": "entryUUID of the document that was replaced, or null",
    "appends": "entryUUID of the document that got an addendum, or null",
    "transforms": "entryUUID of the document that was transformed, or null",
    "folders": "list of entryUUIDs of the folders that the documents were put into",
    "documents": "list of objects with file, entry_uuid, unique_id, size in bytes, sha1 in hexadecimal",
    "warnings": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
}

_OUTCOMES: Final = {"RPLC": "is now Deprecated", "APND": "has this addendum", "XFRM": "has this transformation"}


def submit(
    files: Sequence[Path],
    patient: str | None,
    attributes: MetadataOptions,
    connection: ConnectionOptions,
    *,
    relations: Mapping[str, str | None],
    folders: Sequence[str],
    metadata_file: Path | None,
    source_id: str | None,
    set_title: str | None,
    journal: Path | None,
    as_json: bool,
) -> None:
    """Submit files as one submission set and tell the ids that they got."""
    patient = patient_id(patient, "" if patient else _patients_named(files))
    given = [(kind, other) for kind, other in relations.items() if other]
    if len(given) > 1:
        raise CommandFailed("usage", "--replaces, --appends and --transforms exclude each other: say one.")
    if len(files) > 1 and (given or attributes.unique_id):
        raise CommandFailed(
            "usage",
            "--replaces, --appends, --transforms and --unique-id are for one file: "
            "submit the others with a command of their own.",
        )
    with failing_well():
        told = _metadata(attributes, metadata_file)
        documents = [read_document(path, told) for path in files]
    size = sum(path.stat().st_size for path in files)
    names = files[0].name if len(files) == 1 else f"{len(files)} documents"
    with (
        Transfer(f"Submitting {shown(names)}", size, quiet=as_json) as bar,
        connected(connection, journal=journal, transferred=bar.advance) as gateway,
    ):
        relation = next(((kind, _related(gateway, other)) for kind, other in given), None)
        filed = folder_uuids(gateway, folders)
        result = gateway.submit(
            documents,
            patient_id=patient,
            source_id=source_id or SOURCE_ID,
            title=set_title,
            relation=relation,
            folders=filed,
        )
    if as_json:
        print_json(_as_json(patient, files, relation, filed, result))
    else:
        _show(patient, documents, relation, result)


def _metadata(options: MetadataOptions, path: Path | None) -> DocumentMetadata:
    """What the options say, then what the file says."""
    return DocumentMetadata(**attributes_said(options, path))


def _related(gateway: Gateway, document: str) -> str:
    """The entryUUID of a document that another relates to; of several with one uniqueId the Approved one."""
    if identifier(document).startswith("urn:uuid:"):
        return identifier(document)
    found = sorted(gateway.get(identifier(document)), key=lambda entry: entry.status != "Approved")
    if not found:
        raise not_found(document)
    return found[0].entry_uuid


def _patients_named(files: Sequence[Path]) -> str:
    """What CDA headers say of the patient, to be copied."""
    named: dict[str, None] = {}
    for path in files:
        try:
            named |= dict.fromkeys(read_cda(path).patient_ids)
        except (NotACdaDocument, OSError):
            continue
    return f" The documents name {' and '.join(repr(shown(each)) for each in named)}." if named else ""


def _as_json(
    patient: str,
    files: Sequence[Path],
    relation: tuple[str, str] | None,
    folders: Sequence[str],
    result: SubmissionResult,
) -> dict[str, Any]:
    kind, other = relation or (None, None)
    return {
        "patient_id": patient,
        "submission_set_uuid": result.submission_set_uuid,
        "unique_id": result.unique_id,
        "already_there": result.already_there,
        "replaces": other if kind == "RPLC" else None,
        "appends": other if kind == "APND" else None,
        "transforms": other if kind == "XFRM" else None,
        "folders": folders,
        "documents": [{"file": file, **entry._asdict()} for file, entry in zip(files, result.entries, strict=True)],
        "warnings": explain(result.warnings),
    }


def _show(
    patient: str, documents: Sequence[DocumentToSubmit], relation: tuple[str, str] | None, result: SubmissionResult
) -> None:
    console = output()
    done = "Was there already from an earlier run, nothing sent" if result.already_there else "Submitted"
    console.print(f"{done}: submission set {result.submission_set_uuid} of {shown(patient)}", soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("entryUUID", no_wrap=True)
    for document, entry in zip(documents, result.entries, strict=True):
        table.add_row(shown(document.label), size_text(entry.size), entry.entry_uuid)
    console.print(table)
    if relation:
        console.print(f"{relation[1]} {_OUTCOMES[relation[0]]}", soft_wrap=True)
    _warn(result.warnings)


def _warn(warnings: tuple[RegistryError, ...]) -> None:
    if warnings:
        errors().print(explanation(explain(warnings)))
