"""CDA headers become metadata; what they lack stays unknown and nothing crashes."""

from pathlib import Path

import pytest

from xds_gateway.client import Author, Code, NotACdaDocument, read_cda
from xds_gateway.client.cda import to_utc
from xds_gateway.client.cda_codes import find_format
from xds_gateway.client.samples import make_samples
from xds_gateway.model.datatypes import parse_dtm
from xds_gateway.model.identifiers import is_oid, parse_patient_id

EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "cda"
DOCUMENTS: list[tuple[str, Path | bytes]] = [
    *((f"sample-{n}", d.content) for n, d in enumerate(make_samples(7)) if d.metadata.mime_type == "text/xml"),
    *((path.name, path) for path in sorted(EXAMPLES.glob("*.xml"))),
]
HEADER = """<ClinicalDocument xmlns="urn:hl7-org:v3"><templateId root="1.2.250.1.213.1.1.1.13"/>
<id root="1.2.3" extension="42"/><code code="SYNTH" codeSystem="1.2.250.1.213.1.1.4.12"/><title> A
 title </title><effectiveTime value="20240229120000+0130"/><languageCode code="fr-FR"/>{more}</ClinicalDocument>"""


def header(more: str = "") -> bytes:
    return HEADER.format(more=more).encode()


@pytest.mark.parametrize("content", [c for _, c in DOCUMENTS], ids=[name for name, _ in DOCUMENTS])
def test_a_whole_document_tells_all_that_a_submission_requires(content: Path | bytes) -> None:
    header = read_cda(content)
    metadata = header.metadata
    assert metadata.missing == ()
    assert metadata.title
    assert is_oid(metadata.unique_id or "")
    assert parse_dtm(metadata.creation_time or "")
    assert parse_patient_id(header.patient_ids[0])
    assert all(author.person for author in metadata.authors)
    assert metadata.mime_type in ("text/xml", "application/xslt+xml")


def test_a_bare_header_tells_what_it_has_and_names_what_it_lacks() -> None:
    metadata = read_cda(header()).metadata
    assert (metadata.title, metadata.unique_id, metadata.creation_time) == ("A title", "1.2.3^42", "20240229103000")
    assert metadata.class_code == Code("11", "1.2.250.1.213.1.1.4.1", "Synthèse")
    assert metadata.missing == ("confidentiality_codes", "healthcare_facility_type_code", "practice_setting_code")


PERSON = """<author><assignedAuthor><id root="1.2.9" extension="7"/><assignedPerson><name><family>O~N</family>
<given>Z</given></name></assignedPerson></assignedAuthor></author>"""
DEVICE = """<author><assignedAuthor><assignedAuthoringDevice><softwareName>Scanner</softwareName>
</assignedAuthoringDevice></assignedAuthor></author>"""
NOBODY = "<author><assignedAuthor/></author>"
TRANSLATION = """<documentationOf><serviceEvent><code nullFlavor="UNK"><translation code="A" codeSystem="1.2"/></code>
</serviceEvent></documentationOf>"""
ACT_TIME = '<documentationOf><serviceEvent><effectiveTime value="202401"/></serviceEvent></documentationOf>'
PATIENT = """<recordTarget><patientRole><id root="1.2.4" extension="local"/>
<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/></patientRole></recordTarget>"""
PDF_BODY = '<component><nonXMLBody><text mediaType="application/pdf">AAAA</text></nonXMLBody></component>'


@pytest.mark.parametrize(
    ("more", "attribute", "expected"),
    [
        (PERSON, "authors", (Author(person="7^O\\R\\N^Z^^^^^^&1.2.9&ISO"),)),
        (DEVICE, "authors", (Author(person="^Scanner"),)),
        (NOBODY, "authors", (Author(),)),
        (TRANSLATION, "event_codes", (Code("A", "1.2", "A"),)),
        (ACT_TIME, "service_start_time", "202401"),
        (PATIENT, "source_patient_id", "local^^^&1.2.4&ISO"),
        (PDF_BODY, "format_code", Code("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", "pdf")),
    ],
    ids=["person", "device", "nobody", "translation", "act time", "local patient id", "pdf body"],
)
def test_parts_of_a_header(more: str, attribute: str, expected: object) -> None:
    assert getattr(read_cda(header(more)).metadata, attribute) == expected


def test_a_national_patient_id_comes_first() -> None:
    assert read_cda(header(PATIENT)).patient_ids[0] == "279035121518989^^^&1.2.250.1.213.1.4.10&ISO"


def test_a_replacement_names_its_parent() -> None:
    more = '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3.1"/></parentDocument></relatedDocument>'
    assert read_cda(header(more)).replaces == ("1.2.3.1",)


def test_nothing_after_the_start_of_the_body_is_read() -> None:
    body = "<component><structuredBody>" + "<a>" * 300 + "x" * 200_000 + "<not well-formed"
    content = header("SPLIT").split(b"SPLIT", maxsplit=1)[0] + body.encode()
    assert read_cda(content).metadata.title == "A title"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not well-formed"),
        (b"%PDF-1.4", "not well-formed"),
        (b"<html/>", "html"),
        (header()[:-20], "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + header(), "document type"),
        (b'<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>', "no ClinicalDocument"),
    ],
    ids=["empty", "pdf", "html", "truncated", "doctype", "stylesheet without document"],
)
def test_what_is_no_cda_is_said_to_be_none(content: bytes, told: str) -> None:
    with pytest.raises(NotACdaDocument, match=told):
        read_cda(content)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("20230209113000+0100", "20230209103000"),
        ("20230209113000.123-0330", "20230209150000"),
        ("202302091130+0100", "202302091030"),
        ("20230101003000+0100", "20221231233000"),
        ("20230209113000", "20230209113000"),
        ("20230209+0100", "20230209"),
        ("2023", "2023"),
        ("20231332", None),
        ("202", None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_become_utc_at_their_own_precision(written: str | None, utc: str | None) -> None:
    assert to_utc(written) == utc


@pytest.mark.parametrize(
    ("templates", "media_type", "expected"),
    [
        (("1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.55"), None, "urn:ihe:lab:xd-lab:2008"),
        (
            ("1.2.250.1.213.1.1.1.1", "1.2.250.1.213.1.1.1.2.1", "1.2.250.1.213.1.1.1.2.1.1"),
            None,
            "urn:asip:ci-sis:avk:2009",
        ),
        (("1.2.250.1.213.1.1.1.1", "9.9"), None, "urn:asipSante:modelesHorsProfils:2011"),
        (("9.9",), None, "urn:ihe:iti:xds:2017:mimeTypeSufficient"),
        (("1.2.250.1.213.1.1.1.55",), "text/rtf", "urn:ihe:iti-fr:xds-sd:rtf:2010"),
    ],
)
def test_formats_follow_the_body_then_the_last_known_template(
    templates: tuple[str, ...], media_type: str | None, expected: str
) -> None:
    assert find_format(templates, media_type).code == expected
