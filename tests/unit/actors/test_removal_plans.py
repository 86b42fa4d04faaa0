"""Which objects may be removed together: a closed set, whatever status or version (ITI-62)."""

import pytest

from tests.unit.actors.snapshots import MemorySnapshot
from tests.unit.builders import (
    OTHER_PATIENT,
    PATIENT,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
)
from xds_gateway.actors.changes import Changes
from xds_gateway.actors.removal_plans import plan_removal
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.model.metadata import RegistryObject
from xds_gateway.rules.engine import LIMIT
from xds_gateway.rules.ihe import IHE

REFERENCED, UNREFERENCED = ErrorCode.REFERENCES_EXIST, ErrorCode.UNREFERENCED_OBJECT


def link(
    name: str, source: str, target: str, association_type: str = v.HAS_MEMBER, **changes: object
) -> RegistryObject:
    return make_association(source, target, association_type, id=name, **changes)


# set 1 has document 1, filed in its folder; set 2 replaces the document, and the registry carries the folder over
SET_1 = (
    make_set(1, id="s1"),
    make_entry(1, id="d1", status=v.DEPRECATED),
    make_folder(1, id="f1"),
    make_member("s1", "d1", id="s1-d1"),
    link("s1-f1", "s1", "f1"),
    link("f1-d1", "f1", "d1"),
    link("s1-f1-d1", "s1", "f1-d1"),
)
REPLACING = (
    make_set(2, id="s2"),
    make_entry(2, id="d2"),
    make_member("s2", "d2", id="s2-d2"),
    link("d2-d1", "d2", "d1", v.RPLC),
    link("f1-d2", "f1", "d2"),
    link("s2-f1-d2", "s2", "f1-d2"),
)
ALONE = (make_set(3, id="s3"), make_entry(3, id="d3"), make_member("s3", "d3", id="s3-d3"))
SECOND_VERSION = (
    make_set(4, id="s4"),
    make_entry(3, id="d3v2", lid="d3", version="2"),
    make_member("s4", "d3v2", id="s4-d3v2"),
)
EMPTY_FILING = (make_set(5, id="s5"), link("f1-d3", "f1", "d3"), link("s5-f1-d3", "s5", "f1-d3"))
REFERENCE = (
    make_set(6, id="s6"),
    make_entry(6, id="d6"),
    make_member("s6", "d6", id="s6-d6"),
    make_member("s6", "d3", "Reference", id="s6-d3"),
)


def plan(registered: tuple[RegistryObject, ...], *names: str) -> tuple[Changes, tuple[Finding, ...]]:
    return plan_removal(names, IHE, MemorySnapshot.of(*registered))


@pytest.mark.parametrize(
    ("registered", "names"),
    [
        (ALONE, "s3 s3-d3 d3"),
        (ALONE, "d3 s3-d3 s3 d3 S3-D3"),
        ((*ALONE, *SET_1), "s3 s3-d3 d3"),
        (SET_1, "f1-d1 s1-f1-d1"),  # out of the folder, which stays empty
        (SET_1, "s1 d1 f1 s1-d1 s1-f1 f1-d1 s1-f1-d1"),
        ((*SET_1, *REPLACING), "s1 d1 f1 s1-d1 s1-f1 f1-d1 s1-f1-d1 s2 d2 s2-d2 d2-d1 f1-d2 s2-f1-d2"),
        ((*SET_1, *REPLACING), "s2 d2 s2-d2 d2-d1 f1-d2 s2-f1-d2"),  # nothing is revived
        ((*SET_1, *REPLACING), "d1 s1-d1 f1-d1 s1-f1-d1 d2-d1"),  # the replacement stays
        ((*SET_1, *REPLACING), "d2-d1"),  # a relationship alone
        ((*ALONE, *SECOND_VERSION), "s4 d3v2 s4-d3v2"),
        ((*ALONE, *SECOND_VERSION), "s3 d3 s3-d3"),
        ((*SET_1, *ALONE, *EMPTY_FILING), "s5 f1-d3 s5-f1-d3"),
        ((*ALONE, *REFERENCE), "s6-d3"),
        ((*ALONE, *REFERENCE), "s3 s3-d3"),  # another set still has the document
    ],
)
def test_a_closed_set_is_removed(registered: tuple[RegistryObject, ...], names: str) -> None:
    changes, findings = plan(registered, *names.split())
    assert findings == ()
    assert changes.removed == tuple(dict.fromkeys(names.lower().split()))


@pytest.mark.parametrize(
    ("registered", "names", "expected"),
    [
        (ALONE, "s3", [(REFERENCED, "s3", "s3-d3")]),
        (ALONE, "d3", [(REFERENCED, "d3", "s3-d3")]),
        (ALONE, "s3 d3", [(REFERENCED, "s3", "s3-d3"), (REFERENCED, "d3", "s3-d3")]),
        (ALONE, "s3-d3", [(UNREFERENCED, "d3", "d3"), (UNREFERENCED, "s3", "s3")]),
        (ALONE, "d3 s3-d3", [(UNREFERENCED, "s3", "s3")]),
        (ALONE, "s3 s3-d3", [(UNREFERENCED, "d3", "d3")]),
        (SET_1, "f1-d1", [(REFERENCED, "f1-d1", "s1-f1-d1")]),
        (SET_1, "s1-f1-d1", [(UNREFERENCED, "f1-d1", "f1-d1")]),
        (SET_1, "s1-d1", [(UNREFERENCED, "d1", "d1")]),  # its folder does not hold it
        (SET_1, "d1 s1-d1", [(REFERENCED, "d1", "f1-d1")]),
        (
            (*SET_1, *REPLACING),
            "d1 s1-d1 f1-d1 s1-f1-d1",
            [(REFERENCED, "d1", "d2-d1")],
        ),
        (
            (*ALONE, link("d9-d3", "d9", "d3", v.APND, status=v.DEPRECATED)),
            "d3 s3-d3",
            [(REFERENCED, "d3", "d9-d3"), (UNREFERENCED, "s3", "s3")],
        ),
        ((*SET_1, *ALONE, *EMPTY_FILING), "f1-d3 s5-f1-d3", [(UNREFERENCED, "s5", "s5")]),
        ((*ALONE, *REFERENCE), "s3 d3 s3-d3", [(REFERENCED, "d3", "s6-d3")]),
    ],
)
def test_what_is_not_closed_is_refused_with_every_reason(
    registered: tuple[RegistryObject, ...], names: str, expected: list[tuple[ErrorCode, str, str]]
) -> None:
    changes, findings = plan(registered, *names.split())
    assert changes == Changes()
    assert sorted((f.code, f.object_id, f.received) for f in findings) == sorted(expected)


def test_unknown_ids_are_told_alone_and_as_sent() -> None:
    _, findings = plan(ALONE, "d3", "Nothing", "urn:uuid:1", "Nothing")
    assert [(f.code, f.object_id) for f in findings] == [
        (ErrorCode.UNRESOLVED_REFERENCE, "Nothing"),
        (ErrorCode.UNRESOLVED_REFERENCE, "urn:uuid:1"),
    ]


def test_what_is_too_much_to_list_is_counted() -> None:
    _, findings = plan((), *(f"unknown {number}" for number in range(LIMIT + 5)))
    assert (len(findings), findings[-1].rule, findings[-1].received) == (LIMIT + 1, "ihe.more", "5")
    assert findings[-1].code is ErrorCode.REGISTRY_ERROR


def test_the_audit_is_told_of_every_patient_once() -> None:
    other = (
        make_set(7, id="s7", identifiers={v.SS_PATIENT_ID: OTHER_PATIENT}),
        make_entry(7, id="d7", identifiers={v.DE_PATIENT_ID: OTHER_PATIENT}),
        make_member("s7", "d7", id="s7-d7"),
    )
    changes, _ = plan((*ALONE, *other), "s3", "s3-d3", "d3", "s7", "s7-d7", "d7")
    assert changes.concerned == (PATIENT, OTHER_PATIENT)
