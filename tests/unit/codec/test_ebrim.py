"""ebRIM: what a sender wrote comes back as it was, and what has no place is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from lxml import etree

from tests.unit.builders import make_association, make_entry, make_folder, make_set, make_submission
from tests.unit.strategies import OBJECTS, SUBMISSIONS, XML_TEXT
from xds_gateway.codec.ebrim import (
    LCM,
    RIM,
    RS,
    fill_fragment,
    parse_objects,
    parse_submission,
    render_fragment,
    render_object,
    render_submission,
)
from xds_gateway.codec.xml import escape
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.model.metadata import (
    Association,
    ExternalIdentifier,
    Folder,
    ObjectRef,
    RegistryObject,
    Slot,
    Submission,
)

NAMESPACES = f'xmlns:lcm="{LCM}" xmlns:rim="{RIM}" xmlns:rs="{RS}"'


def read(data: bytes) -> tuple[Submission, list[Finding]]:
    findings: list[Finding] = []
    return parse_submission(etree.fromstring(data), findings), findings


def read_list(inner: str) -> tuple[Submission, list[Finding]]:
    return read(
        f"<lcm:SubmitObjectsRequest {NAMESPACES}><rim:RegistryObjectList>{inner}</rim:RegistryObjectList>"
        "</lcm:SubmitObjectsRequest>".encode()
    )


def read_objects(*objects: bytes) -> tuple[RegistryObject, ...]:
    findings: list[Finding] = []
    data = b"".join((f"<rim:L {NAMESPACES}>".encode(), *objects, b"</rim:L>"))
    found = parse_objects(etree.fromstring(data), findings)
    assert findings == []
    return found.objects


@given(SUBMISSIONS)
def test_any_submission_comes_back_as_it_was(submission: Submission) -> None:
    assert read(render_submission(submission)) == (submission, [])


@given(OBJECTS)
def test_any_object_comes_back_as_it_was(item: RegistryObject) -> None:
    assert read_objects(render_object(item)) == (item,)


MANAGED = {"lid": "urn:uuid:1", "status": v.DEPRECATED, "version": "2"}


def expected_of(item: RegistryObject, patient: str, home: str | None, updated: str) -> RegistryObject:
    """The object with what the registry manages in its places."""
    slots = item.slots
    if isinstance(item, Folder):
        slots = (Slot("lastUpdateTime", (updated,)), *(slot for slot in slots if slot.name != "lastUpdateTime"))
    identifiers = tuple(
        e._replace(value=patient) if e.scheme and e.scheme == item.PATIENT_ID_SCHEME else e
        for e in item.external_identifiers
    )
    changed: dict[str, Any] = {**MANAGED, "home": home, "slots": slots, "external_identifiers": identifiers}
    return replace(item, **changed)


@given(OBJECTS, XML_TEXT, XML_TEXT)
def test_a_fragment_shows_what_the_registry_manages(item: RegistryObject, patient: str, home: str) -> None:
    holes = {
        "l": MANAGED["lid"],
        "s": MANAGED["status"],
        "v": MANAGED["version"],
        "p": escape(patient),
        "h": f' home="{escape(home)}"' if home else "",
        "t": "20260101000000",
    }
    filled = fill_fragment(render_fragment(item), {ord(letter): text.encode() for letter, text in holes.items()})
    assert read_objects(filled) == (expected_of(item, patient, home or None, "20260101000000"),)


def test_a_fragment_has_nothing_of_what_changes_later() -> None:
    one = make_folder(lid="urn:uuid:1", status=v.APPROVED, version="1", home="urn:oid:1.2")
    other = make_folder(
        lid="urn:uuid:2",
        status=v.DEPRECATED,
        version="7",
        home=None,
        slots={"lastUpdateTime": "2020"},
        identifiers={v.FD_PATIENT_ID: "other^^^&1.2&ISO"},
    )
    assert render_fragment(one) == render_fragment(replace(other, slots=one.slots))


@pytest.mark.parametrize("scheme", [None, "", v.FD_PATIENT_ID])
def test_an_association_has_no_patient(scheme: str | None) -> None:
    identifier = ExternalIdentifier("i", "a", scheme, "value")
    fragment = render_fragment(make_association("a", "b", external_identifiers=(identifier,)))
    assert b"\0p" not in fragment
    assert b'value="value"' in fragment


@pytest.mark.parametrize("item", [make_entry(), make_set(), make_folder()])
def test_the_patient_of_an_object_is_a_hole(item: RegistryObject) -> None:
    assert render_fragment(item).count(b"\0p") == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("one", "one"),
        (" one ", " one "),
        ("\n    one\n  ", "one"),
        ("\n  one\n  two\n", "one\n  two"),
        ("\n \u00a0one\u2003\n", "\u00a0one\u2003"),
        ("", ""),
        ("<![CDATA[a<b]]>", "a<b"),
    ],
)
def test_only_pretty_printing_is_taken_from_a_value(sent: str, kept: str) -> None:
    slot = f'<rim:Slot name="n"><rim:ValueList><rim:Value>{sent}</rim:Value></rim:ValueList></rim:Slot>'
    submission, findings = read_list(f'<rim:ExtrinsicObject id="e">{slot}</rim:ExtrinsicObject>')
    assert findings == []
    assert submission.document_entries[0].slots == (Slot("n", (kept,)),)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("HasMember", v.HAS_MEMBER),
        ("RPLC", v.RPLC),
        ("XFRM_RPLC", v.XFRM_RPLC),
        (v.HAS_MEMBER, v.HAS_MEMBER),
        ("urn:example:other", "urn:example:other"),
    ],
)
def test_short_association_types_become_urns(sent: str, kept: str) -> None:
    submission, _ = read(render_submission(make_submission(associations=(make_association("a", "b", sent),))))
    assert [a.association_type for a in submission.associations] == [kept]


# ---- sets and folders told apart ----

PACKAGE = '<rim:RegistryPackage id="p">{inside}</rim:RegistryPackage>{beside}'
NODE = '<rim:Classification id="c" classifiedObject="{owner}" classificationNode="{node}"/>'
SET_NODE = NODE.format(owner="p", node=v.SUBMISSION_SET_NODE)
FOLDER_NODE = NODE.format(owner="p", node=v.FOLDER_NODE)


@pytest.mark.parametrize(
    ("inside", "beside", "kinds"),
    [
        (SET_NODE, "", ["SubmissionSet"]),
        ("", SET_NODE, ["SubmissionSet"]),
        (FOLDER_NODE, "", ["Folder"]),
        ("", FOLDER_NODE, ["Folder"]),
        (SET_NODE, SET_NODE, ["SubmissionSet"]),
        (SET_NODE, FOLDER_NODE, ["RegistryPackage"]),
        ("", "", ["RegistryPackage"]),
        (NODE.format(owner="p", node="urn:example:node"), "", ["RegistryPackage"]),
    ],
)
def test_a_package_is_what_its_classification_says(inside: str, beside: str, kinds: list[str]) -> None:
    submission, findings = read_list(PACKAGE.format(inside=inside, beside=beside))
    assert findings == []
    assert [item.KIND for item in submission.objects] == kinds
    assert submission.stray_classifications == ()
    assert len(submission.objects[0].classifications) == (inside + beside).count("<rim:Classification")


@pytest.mark.parametrize(
    ("inside", "beside", "nodes"),
    [("", "", ()), (SET_NODE, FOLDER_NODE, (v.SUBMISSION_SET_NODE, v.FOLDER_NODE))],
)
def test_an_unclear_package_keeps_its_nodes(inside: str, beside: str, nodes: tuple[str, ...]) -> None:
    submission, _ = read_list(PACKAGE.format(inside=inside, beside=beside))
    assert submission.unclassified[0].nodes == nodes


def test_a_classification_of_nothing_in_the_message_is_stray() -> None:
    submission, _ = read_list(NODE.format(owner="elsewhere", node=v.FOLDER_NODE))
    assert [c.classified_object for c in submission.stray_classifications] == ["elsewhere"]


def test_references_and_request_slots_are_kept() -> None:
    submission = make_submission(
        object_refs=(ObjectRef("urn:uuid:1"), ObjectRef("urn:uuid:2", "urn:oid:1")),
        request_slots=(Slot("urn:example", ("a", "b")),),
    )
    found, findings = read(render_submission(submission))
    assert findings == []
    assert (found.object_refs, found.request_slots) == (submission.object_refs, submission.request_slots)


# ---- what is not ebRIM where it stands ----

ENTRY = '<rim:ExtrinsicObject id="e">{}</rim:ExtrinsicObject>'


@pytest.mark.parametrize(
    ("inner", "name", "place"),
    [
        ("<rim:Organization/>", "Organization", "RegistryObjectList"),
        ('<Association xmlns="urn:example"/>', "Association", "RegistryObjectList"),
        (ENTRY.format("<rim:Author/>"), "Author", "e"),
        (ENTRY.format('<rim:Slot name="n"><rim:ValueList><rim:Text/></rim:ValueList></rim:Slot>'), "Text", "e"),
        (ENTRY.format('<rim:Classification classifiedObject="e"><rim:X/></rim:Classification>'), "X", "e"),
        (ENTRY.format('<rim:ExternalIdentifier registryObject="e"><rim:X/></rim:ExternalIdentifier>'), "X", "e"),
    ],
)
def test_an_element_without_a_place_is_told(inner: str, name: str, place: str) -> None:
    _, findings = read_list(inner)
    assert [(f.code, f.rule, f.received, f.object_id) for f in findings] == [
        (ErrorCode.REGISTRY_METADATA_ERROR, "ihe.ebrim.element", name, place)
    ]


@pytest.mark.parametrize(
    "inner",
    [
        ENTRY.format("<rim:ContentVersionInfo/>"),
        ENTRY.format('<rim:VersionInfo versionName="1.1"/>'),
        ENTRY.format('<rim:Classification classifiedObject="e"><rim:VersionInfo/></rim:Classification>'),
        ENTRY.format("<rim:Name/><rim:Description/>"),
        ENTRY.format("<!-- a comment --><?an instruction?>"),
    ],
)
def test_an_element_in_its_place_is_not_told(inner: str) -> None:
    assert read_list(inner)[1] == []


@pytest.mark.parametrize(
    ("inner", "attribute"),
    [
        ("<rim:ExtrinsicObject/>", "id"),
        ("<rim:RegistryPackage/>", "id"),
        (ENTRY.format("<rim:Slot><rim:ValueList/></rim:Slot>"), "name"),
        ('<rim:Association id="a" sourceObject="b" targetObject="c"/>', "associationType"),
        ('<rim:Association id="a" associationType="HasMember" targetObject="c"/>', "sourceObject"),
        ('<rim:Association id="a" associationType="HasMember" sourceObject="b" targetObject=""/>', "targetObject"),
    ],
)
def test_a_missing_attribute_is_told(inner: str, attribute: str) -> None:
    _, findings = read_list(inner)
    assert [(f.rule, f.attribute) for f in findings] == [("ihe.ebrim.attribute", attribute)]


@pytest.mark.parametrize(("lists", "wrong"), [(0, True), (1, False), (2, True)])
def test_there_is_exactly_one_list(lists: int, wrong: bool) -> None:
    inner = "<rim:RegistryObjectList/>" * lists
    _, findings = read(f"<lcm:SubmitObjectsRequest {NAMESPACES}>{inner}</lcm:SubmitObjectsRequest>".encode())
    assert [f.rule for f in findings] == ["ihe.ebrim.objectList"] * wrong


def test_every_finding_of_a_message_is_there() -> None:
    _, findings = read_list("<rim:X/>" + ENTRY.format("<rim:Y/>") + "<rim:Association/>")
    assert [f.rule.rsplit(".", 1)[1] for f in findings] == ["element", "element", *["attribute"] * 4]


def test_associations_are_read_with_all_they_carry() -> None:
    sent = make_association(
        "a", "b", v.RPLC, slots=(Slot("urn:example", ("x",)),), classifications=make_set().classifications
    )
    assert read_objects(render_object(sent)) == (sent,)
    assert isinstance(sent, Association)
