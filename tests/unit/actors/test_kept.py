"""Everything that a submission says of its objects comes back: extra slots, several codes, documented relations."""

from dataclasses import replace

import pytest

from tests.unit.actors.test_registry import answer, ask, find, numbered, register
from tests.unit.builders import (
    FOLDER_CODES,
    make_association,
    make_documentation,
    make_folder,
    make_member,
    make_set,
    make_slots,
)
from tests.unit.domains import Domain
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, RegistryObject, SubmissionSet

EXTRA = {"urn:example:ward": ("A3", "A4"), "urn:example:empty": ("",)}


def contents(domain: Domain) -> dict[str, list[RegistryObject]]:
    """What the set of the test holds, by kind."""
    request = ask("GetSubmissionSetAndContents")
    uid = make_set(7).unique_id
    found = answer(domain, replace(request, parameters=(("$XDSSubmissionSetUniqueId", (f"'{uid}'",)),)))
    kinds: dict[str, list[RegistryObject]] = {}
    for item in found:
        kinds.setdefault(item.KIND, []).append(item)
    return kinds


@pytest.fixture
def submitted(domain: Domain) -> dict[str, list[RegistryObject]]:
    register(domain, numbered(1))
    (old,) = answer(domain, find())
    folder = make_folder(slots=EXTRA)
    filed = make_association(folder.id, "Document07", id="filed", slots=make_slots(EXTRA))
    related = make_association(
        "Document07",
        old.id,
        v.APND,
        id="related",
        slots=make_slots(EXTRA),
        classifications=(make_documentation("related"),),
    )
    told = make_member("SubmissionSet07", "filed", None, id="told")
    register(
        domain,
        numbered(
            7, entry={"slots": EXTRA}, set={"slots": EXTRA}, folders=(folder,), relationships=(filed, told, related)
        ),
    )
    kinds = contents(domain)
    related_answer = answer(domain, replace(ask("GetAssociations"), parameters=(("$uuid", (f"('{old.id}')",)),)))
    return {**kinds, "related": [a for a in related_answer if a.association_type == v.APND]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [DocumentEntry.KIND, SubmissionSet.KIND, Folder.KIND, "related"])
def test_extra_metadata_of_every_object_is_returned(submitted: dict[str, list[RegistryObject]], kind: str) -> None:
    (item,) = submitted[kind]
    assert {name: item.slot_values(name) for name in EXTRA} == EXTRA


def test_extra_metadata_of_a_membership_is_returned(submitted: dict[str, list[RegistryObject]]) -> None:
    (folder,) = submitted[Folder.KIND]
    members = [a for a in submitted[Association.KIND] if isinstance(a, Association) and a.source == folder.id]
    assert [member.slot_values("urn:example:ward") for member in members] == [EXTRA["urn:example:ward"]]


def test_every_code_of_a_folder_is_returned(submitted: dict[str, list[RegistryObject]]) -> None:
    (folder,) = submitted[Folder.KIND]
    assert [code.code for code in folder.codes(v.FD_CODE_LIST)] == [c.code for c in FOLDER_CODES[v.FD_CODE_LIST]]


def test_the_documentation_of_a_relationship_is_returned(submitted: dict[str, list[RegistryObject]]) -> None:
    (relationship,) = submitted["related"]
    sent = make_documentation("related")
    (documentation,) = relationship.codes(v.ASSOCIATION_DOCUMENTATION)
    assert documentation[2:] == sent[2:]
    assert documentation.classified_object == relationship.id


def test_references_and_availability_are_returned(submitted: dict[str, list[RegistryObject]]) -> None:
    (entry,) = submitted[DocumentEntry.KIND]
    assert entry.slot_values("urn:ihe:iti:xds:2013:referenceIdList") == (
        "2026001^^^&1.3.6.1.4.1.21367.13.20.8&ISO^urn:ihe:iti:xds:2013:accession",
    )
    assert entry.slot_value("documentAvailability") == v.ONLINE
