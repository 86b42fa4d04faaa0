"""Documents and metadata from files: what a practice has on its disk."""

import difflib
import json
import mimetypes
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..model.datatypes import Author, Code
from .cda import read_cda
from .cda_codes import DEFAULT_FORMAT
from .errors import Misconfigured, NotACdaDocument
from .values import DocumentMetadata, DocumentToSubmit

_XML_SUFFIXES: Final = (".xml", ".cda")


def read_document(path: Path, metadata: DocumentMetadata | None = None) -> DocumentToSubmit:
    """A file ready to submit, with what is known of it: `metadata` first, then its CDA header, then the file itself.

    The file itself tells a title (its name), a mimeType (its suffix) and a creationTime (its last change).

    >>> read_document(Path("scan.pdf"), DocumentMetadata(language_code="fr-FR")).metadata.missing    # doctest: +SKIP
    ('class_code', 'confidentiality_codes', ...)
    """
    told = _from_content(path)
    return DocumentToSubmit(content=path, metadata=metadata.filled_from(told) if metadata else told)


def _from_content(path: Path) -> DocumentMetadata:
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.suffix.lower() in _XML_SUFFIXES:
            return read_cda(path).metadata
    except NotACdaDocument:
        pass
    except OSError as wrong:
        raise Misconfigured(f"{path} cannot be read: {wrong.strerror}") from wrong
    return DocumentMetadata(
        title=path.stem,
        mime_type=mimetypes.guess_type(path.name)[0],
        creation_time=changed.strftime("%Y%m%d%H%M%S"),
        format_code=DEFAULT_FORMAT,
    )


def read_metadata_file(path: Path) -> DocumentMetadata:
    """Attributes from a TOML or JSON file; raises Misconfigured that names what is wrong in it.

    title = "Scan"
    language_code = "fr-FR"
    type_code = "11488-4^Consult note^2.16.840.1.113883.6.1"      # code^display^scheme
    confidentiality_codes = ["N^Normal^2.16.840.1.113883.5.25"]
    [[authors]]
    person = "^Martin^Claire"
    institutions = ["Cabinet Martin"]
    """
    try:
        text = path.read_text("utf-8")
        values = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as wrong:
        raise Misconfigured(f"{path} cannot be read: {wrong.strerror}") from wrong
    except ValueError as wrong:
        raise Misconfigured(f"{path} is not {'JSON' if path.suffix.lower() == '.json' else 'TOML'}: {wrong}") from wrong
    if not isinstance(values, dict):
        raise Misconfigured(f"{path} does not hold attributes by name")
    return metadata_from(values, where=str(path))


def metadata_from(values: Mapping[str, Any], *, where: str = "the metadata") -> DocumentMetadata:
    """Attributes by their names in DocumentMetadata, codes as `code^display^scheme`; raises Misconfigured."""
    known = {field.name: field.name for field in fields(DocumentMetadata)}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise Misconfigured(f"{where} has no attribute {name}" + (f"; is {near[0]} meant?" if near else ""))
    read = {name: _attribute(f"{where}: {name}", name, value) for name, value in values.items()}
    return replace(DocumentMetadata(), **read)


def _attribute(where: str, name: str, value: Any) -> Any:
    if name == "authors":
        return tuple(_author(where, one) for one in _list(where, value))
    if name.endswith("_codes"):
        return tuple(parse_code(_text(where, one)) for one in _list(where, value))
    if name.endswith("_code") and name != "language_code":
        return parse_code(_text(where, value))
    if name in ("source_patient_info", "reference_ids"):
        return tuple(_text(where, one) for one in _list(where, value))
    return _text(where, value)


def parse_code(text: str) -> Code:
    """A code written `code^display^scheme`; raises Misconfigured without code or scheme."""
    code, _, rest = text.partition("^")
    display, _, scheme = rest.partition("^")
    if not code or not scheme:
        raise Misconfigured(f"a code is written code^display^scheme, as N^Normal^2.16.840.1.113883.5.25, not {text}")
    return Code(code, scheme, display or code)


def _author(where: str, value: Any) -> Author:
    if not isinstance(value, dict) or not value.keys() <= set(Author._fields):
        raise Misconfigured(f"{where} are tables of {', '.join(Author._fields)}")
    lists = {name: tuple(_text(where, one) for one in _list(where, value[name])) for name in value if name != "person"}
    return Author(person=value.get("person"), **lists)


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Misconfigured(f"{where} is a list")
    return value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Misconfigured(f"{where} is text in quotes")
    return value
