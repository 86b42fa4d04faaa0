"""Lives in which the gateway and the small registry once differed, each as short as it could be told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry

from . import messages as m
from .world import World

PATIENT, OTHER_PATIENT, *_ = m.PATIENTS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = World(tmp_path)
    yield opened
    opened.look_at_all()
    opened.close()


@pytest.fixture
def names() -> m.Names:
    return m.Names()


def sent(names: m.Names, unique_id: str = "1.2.3", content: bytes = b"one", identifier: str = "") -> DocumentEntry:
    return m.entry(identifier or names.uuid(), PATIENT, unique_id, content)


def register(world: World, names: m.Names, item: DocumentEntry) -> set[str]:
    return world.submit(m.submission(names, PATIENT, entries=[item]), "ITI-42")


def new_version(world: World, names: m.Names, item: DocumentEntry, content: bytes = b"one") -> DocumentEntry:
    new = m.version(item, names.uuid(), item.id, **m.describe(content))
    assert world.update(m.update(names, PATIENT, versions=[(new, 1, None)])) == set()
    return new


def remove(world: World, *items: DocumentEntry) -> None:
    """Entries with their sets, which have no other members."""
    links = [link for item in items for link in world.registry.to(item.id)]
    gone = {item.id for item in items} | {each for link in links for each in (link.id, link.source)}
    assert world.remove(sorted(gone)) == set()


def test_the_id_of_a_removed_first_version_stays_taken_while_there_are_others(world, names):
    first = sent(names)
    register(world, names, first)
    second = new_version(world, names, first)
    remove(world, first)
    again = sent(names, unique_id="1.2.4", identifier=first.id)
    assert register(world, names, again) == {"XDSRegistryMetadataError"}
    remove(world, second)
    assert register(world, names, again) == set()


def test_a_uniqueId_is_judged_by_what_is_left_of_it(world, names):
    one, other = sent(names), sent(names)
    for item in (one, other):
        register(world, names, item)
    remove(world, one, new_version(world, names, one, b"corrected"))
    assert register(world, names, sent(names, content=b"corrected")) == {"XDSNonIdenticalHash", "XDSNonIdenticalSize"}
    assert register(world, names, sent(names)) == set()


def test_a_uniqueId_is_judged_by_what_was_registered_last_of_what_is_left(world, names):
    one, other = sent(names), sent(names)
    for item in (one, other):
        register(world, names, item)
    new_version(world, names, one, b"corrected")
    remove(world, new_version(world, names, other, b"corrected again"))
    assert register(world, names, sent(names, content=b"corrected")) == set()


@pytest.mark.parametrize(("patient", "codes"), [(PATIENT, set()), (OTHER_PATIENT, {"XDSPatientIdDoesNotMatch"})])
def test_a_signature_signs_a_set_of_its_patient(world, names, patient, codes):
    signed = m.submission(names, PATIENT, entries=[sent(names)])
    world.submit(signed, "ITI-42")
    signature = m.entry(names.uuid(), patient, names.oid(), b"signature")
    signs = m.link(names.uuid(), signature.id, signed.submission_sets[0].id, v.SIGNS)
    message = m.submission(names, patient, entries=[signature], relationships=[signs])
    assert world.submit(message, "ITI-42") == codes


def test_a_membership_that_is_there_twice_goes_over_to_a_new_version_twice(world, names):
    item, folder = sent(names), m.folder(names.uuid(), PATIENT, names.oid())
    filed = [(folder.id, item.id)]
    assert (
        world.submit(m.submission(names, PATIENT, entries=[item], folders=[folder], filings=filed), "ITI-42") == set()
    )
    assert world.submit(m.submission(names, PATIENT, filings=filed), "ITI-42") == set()
    new = new_version(world, names, item)
    assert [link.source for link in world.registry.to(new.id)].count(folder.id) == 2


def test_documents_move_to_another_patient_and_back_with_their_folder_and_what_is_appended(world, names):
    """Both links are changed; what was submitted before may be sent again and undoes nothing."""
    item, folder = sent(names), m.folder(names.uuid(), PATIENT, names.oid())
    addendum = m.entry(names.uuid(), PATIENT, names.oid(), b"more")
    first = m.submission(
        names,
        PATIENT,
        entries=[item, addendum],
        folders=[folder],
        filings=[(folder.id, item.id), (folder.id, addendum.id)],
        relationships=[m.link(names.uuid(), addendum.id, item.id, v.APND)],
    )
    assert world.submit(first, "ITI-42") == set()
    assert world.feed(m.adt("A04", names.control_id(), m.NAMES[0]), m.adt("A04", names.control_id(), m.NAMES[1]))
    there = m.link_change(names.control_id(), m.NAMES[1], m.LOCALS[0], m.NAMES[0])
    assert world.feed(there) == ["AA"]
    assert {thing.patient for thing in world.registry.things.values() if thing.latest and thing.is_entry} == {
        OTHER_PATIENT
    }
    assert world.submit(first, "ITI-42") == set()
    assert world.feed(m.link_change(names.control_id(), m.NAMES[0], m.LOCALS[0], m.NAMES[1])) == ["AA"]
    assert world.feed(there) == ["AA"]
    versions = world.registry.versions(item.id, DocumentEntry)
    assert [(each.version, each.patient) for each in versions] == [(1, PATIENT), (2, OTHER_PATIENT), (3, PATIENT)]


def test_a_set_that_refers_to_a_document_of_another_patient_follows_it(world, names):
    item = sent(names)
    register(world, names, item)
    other = m.entry(names.uuid(), OTHER_PATIENT, names.oid(), b"other", local=m.LOCALS[1])
    referring = m.submission(names, OTHER_PATIENT, entries=[other], references=[item.id])
    assert world.submit(referring, "ITI-42") == set()
    assert world.feed(m.link_change(names.control_id(), m.NAMES[1], m.LOCALS[0], m.NAMES[0])) == ["AA"]
    assert world.submit(referring, "ITI-42") == set()
