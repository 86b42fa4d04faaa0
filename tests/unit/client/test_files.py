"""Files of a practice: what is told in a metadata file counts, then the document, then the file."""

from pathlib import Path

import pytest

from xds_gateway.client import (
    Author,
    Code,
    DocumentMetadata,
    Misconfigured,
    parse_code,
    read_document,
    read_metadata_file,
)
from xds_gateway.client.samples import make_samples, write_samples

TOML = """
title = "Scan"
language_code = "fr-FR"
type_code = "11488-4^Consult note^2.16.840.1.113883.6.1"
confidentiality_codes = ["N^^2.16.840.1.113883.5.25"]
source_patient_info = ["PID-8|F"]
[[authors]]
person = "^Martin^Claire"
institutions = ["Cabinet Martin"]
"""
JSON = '{"title": "Scan", "event_codes": ["A^B^1.2"]}'


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_metadata_file_tells_attributes(tmp_path: Path) -> None:
    assert read_metadata_file(write(tmp_path, "m.toml", TOML)) == DocumentMetadata(
        title="Scan",
        language_code="fr-FR",
        type_code=Code("11488-4", "2.16.840.1.113883.6.1", "Consult note"),
        confidentiality_codes=(Code("N", "2.16.840.1.113883.5.25", "N"),),
        source_patient_info=("PID-8|F",),
        authors=(Author(person="^Martin^Claire", institutions=("Cabinet Martin",)),),
    )
    assert read_metadata_file(write(tmp_path, "m.json", JSON)).event_codes == (Code("A", "1.2", "B"),)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("m.toml", "title = ", "not TOML"),
        ("m.json", "{", "not JSON"),
        ("m.json", "[]", "attributes by name"),
        ("m.toml", 'titel = "x"', "is title meant"),
        ("m.toml", "title = 3", "title is text"),
        ("m.toml", 'type_code = "A"', "code\\^display\\^scheme"),
        ("m.toml", 'event_codes = "A^B^1.2"', "event_codes is a list"),
        ("m.toml", 'authors = ["Martin"]', "authors are tables of person"),
        ("m.toml", "[[authors]]\nname = 'x'", "authors are tables of person"),
    ],
)
def test_a_wrong_metadata_file_says_what_is_wrong(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        read_metadata_file(write(tmp_path, name, text))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    for read in (read_metadata_file, read_document):
        with pytest.raises(Misconfigured, match=r"absent\.xml cannot be read"):
            read(tmp_path / "absent.xml")


def test_metadata_given_counts_more_than_the_document(tmp_path: Path) -> None:
    (sample,) = write_samples(tmp_path, make_samples(1))
    assert isinstance(sample.content, Path)
    told = read_document(sample.content, DocumentMetadata(title="Other")).metadata
    assert (told.title, told.unique_id) == ("Other", sample.metadata.unique_id)
    assert told.missing == ()


@pytest.mark.parametrize(
    ("name", "text", "mime_type"),
    [("scan.pdf", "%PDF", "application/pdf"), ("note.txt", "x", "text/plain"), ("other.xml", "<a/>", "text/xml")],
)
def test_a_file_that_is_no_cda_tells_its_name_type_and_time(
    tmp_path: Path, name: str, text: str, mime_type: str
) -> None:
    metadata = read_document(write(tmp_path, name, text)).metadata
    assert metadata.title == Path(name).stem
    assert (metadata.mime_type or "").split("/")[-1] == mime_type.split("/")[-1]
    assert len(metadata.creation_time or "") == 14
    assert "type_code" in metadata.missing


@pytest.mark.parametrize("text", ["", "A", "A^B", "A^B^", "^B^1.2"])
def test_half_a_code_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse_code(text)
