"""`xds-gateway update`."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from ..client import AdministrationResult, DocumentMetadata, metadata_from, parse_code, read_metadata_file
from ..client.samples import SOURCE_ID
from .connecting import LOOK_FIRST, connected, explain, failing_well, identifier, patient_id
from .console import errors, output, print_json, working
from .explaining import explanation
from .failures import CommandFailed
from .options import AttributeOptions, ConnectionOptions, SetOptions

KEYS: Final = {
    "entry_uuid": "entryUUID of the new version",
    "version": "its number",
    "submission_set_uuid": "entryUUID of the submission set that tells the change",
    "changed": "list of the attributes that were changed",
    "warnings": "list of objects: code, severity, sentence, rule, object, attribute, received, expected, clause, hint",
}


def update(
    item: str,
    attributes: AttributeOptions,
    told: SetOptions,
    connection: ConnectionOptions,
    *,
    metadata_file: Path | None,
    codes: Sequence[str],
    patient: str | None,
    cleared: Sequence[str],
    propagate: bool,
    as_json: bool,
) -> None:
    """Change attributes and tell the version that has them."""
    with failing_well():
        changes = attributes_said(attributes, metadata_file)
        if codes:
            changes["codes"] = tuple(map(parse_code, codes))
    if patient is not None:
        changes["patient_id"] = patient_id(patient)
    changes |= dict.fromkeys(cleared)
    if not changes:
        raise CommandFailed("usage", "Nothing is changed: say an attribute, as --title TEXT.")
    with connected(connection, unsure=LOOK_FIRST) as gateway, working("Updating", quiet=as_json):
        result = gateway.update_metadata(
            identifier(item),
            changes,
            source_id=told.source_id or SOURCE_ID,
            title=told.set_title,
            comments=told.set_comments,
            propagate=propagate,
        )
    if as_json:
        print_json(
            {
                "entry_uuid": result.entry_uuid,
                "version": result.version,
                "submission_set_uuid": result.submission_set_uuid,
                "changed": list(changes),
                "warnings": explain(result.warnings),
            }
        )
        return
    output().print(
        f"Updated {', '.join(changes)}: version {result.version} is {result.entry_uuid}, the one before is Deprecated",
        soft_wrap=True,
    )
    warn(result)


def attributes_said(options: AttributeOptions, path: Path | None) -> dict[str, Any]:
    """The attributes that the options say, then those of the file, by their names in the SDK."""
    values: dict[str, Any] = {name: value for name, value in asdict(options).items() if value}
    person, institution = values.pop("author", None), values.pop("author_institution", None)
    if person or institution:
        values["authors"] = [{"person": person, "institutions": [institution] if institution else []}]
    said = metadata_from(values, where="the command line")
    if path:
        said = said.filled_from(read_metadata_file(path))
    known = {field.name: getattr(said, field.name) for field in fields(DocumentMetadata)}
    return {name: value for name, value in known.items() if value}


def warn(result: AdministrationResult) -> None:
    """Tell the warnings of a success on standard error."""
    if result.warnings:
        errors().print(explanation(explain(result.warnings)))
