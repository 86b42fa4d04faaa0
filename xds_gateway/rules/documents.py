"""Documents against entries: what a repository verifies itself (ITI TF-2 3.41.4.1.3)."""

from collections.abc import Iterator, Sequence
from typing import Final

from ..model.errors import ErrorCode
from ..model.messages import DocumentPart
from ..model.metadata import DocumentEntry, Submission
from .engine import ONLY_PROVIDE, Codes, Report, row

_CLAUSE: Final = "ITI TF-2 3.41.4.1.3"


RULES: Final = (
    row("ihe.document.missing", "DocumentEntry", "Document",
         "Add an xds:Document whose id is {received}: the DocumentEntry has no document.",
         "one Document for each DocumentEntry", _CLAUSE, "an entry without document",
         Codes(ErrorCode.MISSING_DOCUMENT, None)),
    row("ihe.document.entry", "Document", "id",
         "Add a DocumentEntry whose id is {received}, or remove the document: no entry describes it.",
         "the id of a DocumentEntry of the message", _CLAUSE, "a document without entry",
         Codes(ErrorCode.MISSING_DOCUMENT_METADATA, None)),
    row("ihe.document.once", "Document", "id",
         "Send one xds:Document for the DocumentEntry {received}.",
         "one Document for each DocumentEntry", "ITI TF-2 3.41.4.1.2", "two documents with one id", ONLY_PROVIDE),
    row("ihe.document.hash", "DocumentEntry", "hash",
         "Correct hash, or send the document that it belongs to: the SHA-1 of the received document is {expected}.",
         "the SHA-1 of the document", _CLAUSE, "the SHA-1 of another document", ONLY_PROVIDE),
    row("ihe.document.size", "DocumentEntry", "size",
         "Correct size, or send the whole document: {expected} bytes were received.",
         "the number of bytes of the document", _CLAUSE, "the size of another document", ONLY_PROVIDE),
)  # fmt: skip


def report_documents(submission: Submission, parts: Sequence[DocumentPart], report: Report) -> None:
    """Each entry has one document and each document one entry; one attachment may serve two entries."""
    entries = {entry.id for entry in submission.document_entries}
    seen: set[str] = set()
    for part in parts:
        if part.id in seen:
            report.add("ihe.document.once", object_id=part.id, received=part.id)
        elif part.id not in entries:
            report.add("ihe.document.entry", object_id=part.id, received=part.id)
        seen.add(part.id)
    for entry in submission.document_entries:
        if entry.id not in seen:
            report.add("ihe.document.missing", object_id=entry.id, received=entry.id)


def report_content(entry: DocumentEntry, size: int, sha1: str, report: Report) -> None:
    """The hash and the size that an entry declares are those of the received document; absent ones are fine."""
    declared = _declared(entry, "hash")
    if declared and declared.lower() != sha1.lower():
        report.add("ihe.document.hash", object_id=entry.id, received=declared, expected=sha1)
    declared = _declared(entry, "size")
    if declared and not (declared.isascii() and declared.isdigit() and int(declared[:_DIGITS]) == size):
        report.add("ihe.document.size", object_id=entry.id, received=declared, expected=str(size))


_DIGITS: Final = 32  # leading zeros are accepted, a number that no file can have is not read


def _declared(entry: DocumentEntry, slot: str) -> str | None:
    return next(_values(entry, slot), None)


def _values(entry: DocumentEntry, slot: str) -> Iterator[str]:
    return (value for value in entry.slot_values(slot) if value and not value.isspace())
