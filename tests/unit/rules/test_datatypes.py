"""Datatypes of ITI TF-3 Table 4.2.3.1.7-2: values that are one, and values that are none."""

import pytest

from xds_gateway.rules import datatypes as d

GOOD = {
    d.DTM: ("2005", "200501", "20050102", "2005010203", "200501020304", "20050102030405", "20240229", "20000229"),
    d.CX: ("543797436^^^&1.2.840.113619.6.197&ISO", "D\\E\\TP-1^^^&1.3.6&ISO", "1^^^&1.2&ISO^^"),
    d.CXI: (
        "11379^^^&1.3.6367.3.7&ISO^urn:ihe:iti:xds:2013:uniqueId",
        "134467699^^^&2.999.1.2.3.4&ISO^urn:ihe:iti:xds:2013:referral",
        "2.16.840.1^^^^urn:ihe:iti:xdw:2013:workflowInstanceId",
        "1.2.3.45.678^^^^urn:ihe:iti:xds:2016:studyInstanceUID",
        "2013001^^^LAB^local-type",
        "\n 2013001^^^&1.2.3.4.5.6&ISO^urn:ihe:iti:xds:2013:accession \n",
    ),
    d.XCN: (
        "11375^Welby^Marcus^J^Jr. MD^Dr^^^&2.999.6.197&ISO",
        "^Welby^Marcus^^^Dr^MD",
        "2.999.1.2.3.7548^Some EMR",
        "11375",
        "^Welby^^^^^^^^^",
        "11375^Welby^Marcus^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
    ),
    d.XON: (
        "Some Hospital",
        "Some Hospital^^^^^^^^^2.999.1.2.3.4.5.6.7.8.9.1789.45",
        "Some Hospital^^^^^&2.999.1.2.3.4.5.6.7.8.9.1789&ISO^^^^45",
        "Some Hospital^^^^^&2.999.1&ISO",
        "Some Hospital^^^",
    ),
    d.XTN: (
        "^^Internet^radiology@healthcare.example.org",
        "^NET^Internet^radiology@healthcare.example.org",
        "^PRS^PH^^31^^(042) 1123 4567",
        "^PRS^PH^^^^+31 42 1123 4567",
        "^^FX^^^^12345^9",
    ),
    d.OID: ("1.2.3", "2.999.2005.3.7", "0.0", "2.25." + "9" * 39, "1." + "2" * 62),
    d.OID_URN: ("urn:oid:1.2.3",),
    d.IDENTIFIER: ("1.2.3", "1.2.3^abc", "urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "anything unique"),
    d.MIME_TYPE: ("text/xml", "application/dicom", "text/plain; charset=utf-8", 'multipart/related;type="text/xml"'),
    d.SHA1: ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
    d.SIZE: ("0", "3654"),
    d.LANGUAGE: ("fr", "fr-FR", "en-CA", "zh-Hant-TW", "de-CH-1996", "x-klingon", "i-default", "art", "sl-rozaj-biske"),
    d.URI: ("DOC001.XML", "http://example.org/a?b=c#d", "urn:oid:1.2.3", "a%20b"),
    d.RECIPIENT: (
        "Some Hospital^^^^^^^^^1.2.3.9.1789.45|^Wel^Marcus^^^Dr^MD|^^Internet^mwel@healthcare.example.org",
        "|12345^LaShawn^James^^Dr^MD",
        "MainHospital^^^^^^^^^1.2.3.4.5.6.7.8.9.1789.2364",
        "||^^Internet^dr.oz@healthcare.example.org",
        "\n  |^Welby\n",
    ),
    d.PID_FIELD: ("PID-3|ID1^^^&1.3.6&ISO~ID2^^^&1.3.11&ISO", "PID-5|", "PID-39|x"),
}
# escape sequences stand for separators; those for formatting, and local ones, are not sent (ITI TF-3 4.2.3.1.7)
ESCAPED = {
    d.CX: "A{0}1^^^&1.3.6&ISO",
    d.CXI: "A{0}1^^^&1.3.6&ISO^local-type",
    d.XCN: "^Welby{0}",
    d.XON: "Hospital {0}",
    d.XTN: "^^Internet^a{0}@example.org",
    d.RECIPIENT: "Hospital {0}||",
    d.PID_FIELD: "PID-5|Durand{0}",
}
BAD = {
    d.DTM: (
        "",
        "20",
        "20051",
        "200513",
        "20050132",
        "20050229",
        "19000229",
        "20050431",
        "2005010224",
        "0000",
        "2005-01",
        "\N{ARABIC-INDIC DIGIT TWO}005",
    ),
    d.CX: (
        "",
        "1",
        "1^^^A",
        "^^^&1.2&ISO",
        "1^^^NS&1.2&ISO",
        "1^^^&1.2&ISO^PI",
        "1^2^^&1.2&ISO",
        "1^^^&1.02&ISO",
        "1^^^&1.2&L",
    ),
    d.CXI: (
        "1^^^&1.2&ISO",
        "^^^&1.2&ISO^type",
        "1^2^^^type",
        "1^^^&1.2&ISO^type^home",
        "1^^^&x&ISO^type",
        "1^^^^urn:ihe:iti:xds:2013:order",
        "1^^^&1.2&ISO^urn:ihe:iti:xdw:2013:workflowInstanceId",
    ),
    d.XCN: ("", "^", "^^Marcus", " ^ ^Marcus", "1^A^B^^^^^^NS&1.2&ISO", "1^A^B^^^^^^&x&ISO", "id^^x^^^^^^bad"),
    d.XON: (
        "",
        " ",
        "^^^^^^^^^1.2.3",
        "A^L",
        "A^^^^^^^^^45",
        "A^^^^^NS&1.2&ISO^^^^45",
        "A^^^^^&1.2&ISO^IDNST^^^45",
        "A^^^^^^^^^1.2^x",
    ),
    d.XTN: (
        "",
        "a@example.org",
        "^^Internet",
        "^PRN^Internet^a@b",
        "^^PH^^^^",
        "^^^^^^12345",
        "^^PH^a@b^^^123",
        "^^Internet^a@b^33",
    ),
    d.OID: ("", "1", "1.", ".1", "1.02", "3.1", "1.2.x", "urn:oid:1.2", "1." + "2" * 63, "1..2"),
    d.OID_URN: ("1.2.3", "urn:oid:", "urn:oid:1.02", "URN:OID:1.2"),
    d.IDENTIFIER: (" 1.2", "1.2 ", "1.2\n", "1\t2"),
    d.MIME_TYPE: ("", "text", "text/", "/xml", "text/xml; charset", "text /xml"),
    d.SHA1: ("", "da39", "g" * 40, "a" * 64),
    d.SIZE: ("", "-1", "1.5", "1e3", "9" * 19, "\N{ARABIC-INDIC DIGIT ONE}"),
    d.LANGUAGE: ("", "f", "French", "fr_FR", "fr-", "fr FR", "fr-FR-"),
    d.URI: ("", "my file", "a|b", "a%2", "é"),
    d.RECIPIENT: ("", "|", "||", "A|^B|^^Internet^c@d|e", "|^^Marcus", "^L"),
    d.PID_FIELD: ("", "PID-5", "PID-0|x", "PID-40|x", "PV1-2|I", "PID-05|x"),
}
CASES = [(datatype, value, True) for datatype, values in GOOD.items() for value in values]
CASES += [(datatype, value, False) for datatype, values in BAD.items() for value in values]


@pytest.mark.parametrize(
    ("datatype", "value", "valid"), CASES, ids=[f"{t.name}-{value[:40]!r}-{ok}" for t, value, ok in CASES]
)
def test_a_value_is_of_its_datatype_or_not(datatype: d.DataType, value: str, valid: bool):
    assert bool(datatype.valid(value)) is valid


@pytest.mark.parametrize(
    "datatype", [value for value in vars(d).values() if isinstance(value, d.DataType)], ids=lambda t: t.name
)
def test_the_example_of_a_datatype_is_refused_and_so_is_white_space(datatype: d.DataType):
    assert not datatype.valid(datatype.example)
    assert datatype.name == "String" or not datatype.valid(" ")


@pytest.mark.parametrize(
    ("datatype", "unit"),
    [
        (d.DTM, "1"),
        (d.CX, "a"),
        (d.CX, "^"),
        (d.CXI, "^"),
        (d.XCN, "^"),
        (d.XCN, " "),
        (d.XON, " "),
        (d.XON, "a^"),
        (d.XTN, "^"),
        (d.OID, "1."),
        (d.MIME_TYPE, "a/a;a="),
        (d.LANGUAGE, "en-a-"),
        (d.LANGUAGE, "a-"),
        (d.URI, "%"),
        (d.RECIPIENT, "|^"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_no_pattern_tries_for_ever(datatype: d.DataType, unit: str):
    assert not datatype.valid(unit * 50_000)


@pytest.mark.parametrize("datatype", ESCAPED, ids=lambda datatype: datatype.name)
@pytest.mark.parametrize(
    ("sequence", "valid"),
    [("\\T\\", True), ("\\E\\", True), ("\\H\\", False), ("\\N\\", False), ("\\Z12\\", False)],
)
def test_only_separators_are_escaped(datatype, sequence, valid):
    assert bool(datatype.valid(ESCAPED[datatype].format(sequence))) is valid
