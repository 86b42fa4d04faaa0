"""Files of value sets: SVS XML and codes.xml, what is read of them, and what is refused with a reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents import CHECKOUT
from tests.unit.value_sets import SENT, codes_xml, svs
from xds_gateway.codec.value_sets import (
    NotValueSets,
    ParsedValueSet,
    attribute_named,
    make_value_set,
    parse_value_sets,
)
from xds_gateway.model.value_sets import ListedCode, Source

FRENCH = sorted((CHECKOUT.parent / "shared" / "data" / "nos").glob("JDV_*.xml"))  # read where they are, never copied
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
TIMES = st.none() | st.datetimes().map(lambda at: f"{at.year:04}{at:%m%d%H%M%S}")
CODES = st.builds(ListedCode, TEXT, TEXT, TEXT, st.booleans(), TIMES, TIMES)
LISTS = st.lists(CODES, max_size=8, unique_by=lambda code: (code.code, code.scheme)).map(tuple)


@given(LISTS)
def test_svs_is_read_as_it_was_written(codes):
    (read,) = parse_value_sets(svs(*codes))
    assert read == ParsedValueSet("typeCode", codes, "1.2.3", "XdsTypeCode", None)


@given(LISTS, LISTS)
def test_codes_xml_is_read_as_it_was_written(types, formats):
    read = parse_value_sets(codes_xml({"typeCode": types, "formatCode": formats}, "1.2.3.4"))
    assert [(each.attribute, each.codes) for each in read] == [
        ("typeCode", types),
        ("formatCode", formats),
        ("assigningAuthority", (ListedCode("1.2.3.4", ""),)),
    ]


@given(st.binary(max_size=60) | st.sampled_from(["<Codes><CodeType/></Codes>", "<Codes>"]).map(str.encode))
def test_anything_else_is_refused_with_a_sentence(data):
    with pytest.raises(NotValueSets, match=r"\w"):
        parse_value_sets(data)


def test_every_attribute_can_come_from_codes_xml():
    read = parse_value_sets(codes_xml({name: codes for name, codes in SENT.items() if name != "assigningAuthority"}))
    assert {each.attribute: len(each.codes) for each in read} == {
        name: len(codes) for name, codes in SENT.items() if name != "assigningAuthority"
    }


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("JDV_J07_XdsTypeCode_CISIS.tabs", "typeCode"),
        ("JDV_J02-XdsHealthcareFacilityTypeCode-CISIS", "healthcareFacilityTypeCode"),
        ("folderCodeList", "codeList"),
        ("eventCodeList", "eventCodeList"),
        ("mimetype", "mimeType"),
        ("JDV_J47_FunctionCode_CISIS", None),
    ],
)
def test_names_tell_the_attribute(name, attribute):
    assert attribute_named(name) == attribute


def test_the_class_scheme_comes_before_the_name():
    scheme = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
    (read,) = parse_value_sets(f'<Codes><CodeType name="classCode" classScheme="{scheme}"/></Codes>'.encode())
    assert read.attribute == "typeCode"


SEVERAL = b"""<RetrieveMultipleValueSetsResponse xmlns="urn:ihe:iti:svs:2008">
<DescribedValueSet ID="1.2.1" displayName="typeCode" version="3"><ConceptList xml:lang="en">
<Concept code="A" codeSystem="1.2" displayName="a"/></ConceptList><ConceptList xml:lang="fr">
<Concept code="A" codeSystem="1.2" displayName="\xc3\xa0"/><Concept code="B" codeSystem="1.2" status="active"/>
</ConceptList><Status>Inactive</Status><ExpirationDate>2025-01-31</ExpirationDate></DescribedValueSet>
<DescribedValueSet ID="1.2.2" displayName="classCode"><ConceptList><Concept code="C" codeSystem="1.2"/></ConceptList>
</DescribedValueSet></RetrieveMultipleValueSetsResponse>"""


def test_several_value_sets_of_one_file_tell_status_and_dates_for_their_codes():
    until = "20250131000000"
    assert parse_value_sets(SEVERAL) == (
        ParsedValueSet(
            "typeCode",
            (ListedCode("A", "1.2", "a", False, None, until), ListedCode("B", "1.2", "", True, None, until)),
            "1.2.1",
            "typeCode",
            "3",
        ),
        ParsedValueSet("classCode", (ListedCode("C", "1.2"),), "1.2.2", "classCode", None),
    )


@pytest.mark.parametrize(
    ("told", "until"),
    [
        ("2024", None),
        ("20241213", "20241213000000"),
        ("202412131200", "20241213120000"),
        ("2024-12-13", "20241213000000"),
        ("2024-12-13T12:00:00+01:00", "20241213110000"),
        ("2024-12-13T12:00:00Z", "20241213120000"),
        ("2024-13-13", None),
    ],
)
def test_dates_are_read_as_utc(told, until):
    file = svs(ListedCode("A", "1.2"), dateFin=told)
    if until is None:
        with pytest.raises(NotValueSets, match="no date"):
            parse_value_sets(file)
    else:
        assert parse_value_sets(file)[0].codes[0].until == until


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "not well-formed"),
        (b"<Codes/>", "neither SVS XML"),
        (b"<a/>", "neither SVS XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Codes>&b;</Codes>', "document type declaration"),
        (b'<?xml version="1.0" encoding="cp037"?><Codes/>', "encoding"),
        (b'<Codes><CodeType name="typeCode"><Code display="A"/></CodeType></Codes>', "Code of line 1 has no code"),
        (b"<Codes><AssigningAuthority/></Codes>", "AssigningAuthority of line 1 has no id"),
        (b"<Codes><CodeType/></Codes>", "CodeType of line 1 has no name"),
    ],
)
def test_a_mistake_is_told(file, reason):
    with pytest.raises(NotValueSets, match=reason):
        parse_value_sets(file)


def test_lists_of_one_attribute_are_put_together():
    one = ParsedValueSet(None, (ListedCode("A", "1.2", "a", active=False),), "1", "one")
    other = ParsedValueSet(None, (ListedCode("A", "1.2", "b"), ListedCode("A", "1.3")), "2", "other", "7")
    made = make_value_set("typeCode", [("one.xml", one), ("other.xml", other)])
    assert dict(made.codes) == {("A", "1.2"): ListedCode("A", "1.2", "b"), ("A", "1.3"): ListedCode("A", "1.3")}
    assert made.sources == (Source("one.xml", "1", "one"), Source("other.xml", "2", "other", "7"))


def test_a_mime_type_has_no_scheme_and_a_code_needs_one():
    parsed = ParsedValueSet(None, (ListedCode("text/xml", "1.2"), ListedCode("text/plain", "")))
    assert set(make_value_set("mimeType", [("a", parsed)]).codes) == {("text/xml", ""), ("text/plain", "")}
    with pytest.raises(NotValueSets, match="'text/plain' of typeCode has no coding scheme"):
        make_value_set("typeCode", [("a", parsed)])


@pytest.mark.parametrize("file", FRENCH or [None], ids=lambda file: Path(file).name if file else "none here")
def test_french_files_are_read(file):
    read = parse_value_sets(file.read_bytes()) if file else parse_value_sets(svs(ListedCode("A", "1.2")))
    assert [bool(each.codes and each.id) for each in read] == [True]
    assert all(code.scheme and code.since != "" for each in read for code in each.codes)
