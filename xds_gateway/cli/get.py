"""`xds-gateway get`."""

import mimetypes
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..client import DocumentSummary, Gateway, RetrievedFile
from .connecting import connected, identifier, not_found
from .console import Transfer, errors, output, print_json, shown, size_text, working
from .failures import CommandFailed
from .options import ConnectionOptions

KEYS: Final = {
    "documents": "list of objects with entry_uuid, unique_id, path, mime_type, size in bytes, sha1 in hexadecimal"
}
_SUFFIXES: Final = {
    "text/xml": ".xml",
    "application/xslt+xml": ".xml",
    "text/plain": ".txt",
    "application/hl7-v3+xml": ".xml",
}


def get(identifiers: Sequence[str], to: str, connection: ConnectionOptions, *, as_json: bool) -> None:
    """Retrieve each document into a file, or one to standard output."""
    _check(identifiers, to, as_json=as_json)
    asked = tuple(dict.fromkeys(map(identifier, identifiers)))
    bars: list[Transfer] = []
    quiet = as_json
    with connected(connection, transferred=lambda size: bars[-1].advance(size) if bars else None) as gateway:
        with working("Asking the registry", quiet=quiet):
            entries = _entries(gateway, asked)
        done = []
        for entry in entries:
            with Transfer(f"Receiving {shown(entry.title) or entry.unique_id}", entry.size or 0, quiet=quiet) as bar:
                bars.append(bar)
                done.append((entry, _retrieve(gateway, entry, to)))
                bars.clear()
    _report(done, to, as_json=as_json)


def _check(identifiers: Sequence[str], to: str, *, as_json: bool) -> None:
    if len(identifiers) > 1 and not Path(to).is_dir():
        raise CommandFailed("usage", f"Several documents need a folder that exists; {to} is none.")
    if to == "-" and as_json:
        raise CommandFailed("usage", "--json and --output - both want standard output: leave one out.")


def _entries(gateway: Gateway, asked: Sequence[str]) -> list[DocumentSummary]:
    """One entry for each identifier, in their order: of several with one uniqueId the Approved one."""
    uuids = [each for each in asked if each.startswith("urn:uuid:")]
    others = [each for each in asked if not each.startswith("urn:uuid:")]
    found = [entry for group in (uuids, others) for entry in gateway.get(*group)]
    found.sort(key=lambda entry: entry.status == "Approved")
    known = {entry.unique_id or "": entry for entry in found} | {entry.entry_uuid: entry for entry in found}
    missing = [each for each in asked if each not in known]
    if missing:
        raise not_found(*missing)
    return [known[each] for each in asked]


def _retrieve(gateway: Gateway, entry: DocumentSummary, to: str) -> RetrievedFile:
    if to == "-":
        return gateway.retrieve(entry, sys.stdout.buffer)
    path = Path(to)
    return gateway.retrieve(entry, path / file_name(entry) if path.is_dir() else path)


def file_name(entry: DocumentSummary) -> str:
    """A name for a document's file: its uniqueId and a suffix for its media type, nothing that a path could misuse."""
    mime_type = entry.mime_type or ""
    name = re.sub(r"[^0-9A-Za-z._-]", "_", entry.unique_id or entry.entry_uuid).lstrip(".")
    return f"{name}{_SUFFIXES.get(mime_type) or mimetypes.guess_extension(mime_type) or '.bin'}"


def _report(done: Sequence[tuple[DocumentSummary, RetrievedFile]], to: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "documents": [
                    {
                        "entry_uuid": entry.entry_uuid,
                        "unique_id": entry.unique_id,
                        "path": file.path,
                        "mime_type": file.mime_type,
                        "size": file.size,
                        "sha1": file.sha1,
                    }
                    for entry, file in done
                ]
            }
        )
        return
    console = errors() if to == "-" else output()
    for entry, file in done:
        where = file.path or "standard output"
        console.print(
            f"{shown(entry.title) or entry.unique_id}: {size_text(file.size)}, verified, to {where}", soft_wrap=True
        )
