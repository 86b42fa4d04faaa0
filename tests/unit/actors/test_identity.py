"""Final ids: symbolic ones become UUIDs, the same one everywhere; submitted ones stay."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import (
    CONTENT_SHA1,
    REPOSITORY,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_submission,
)
from xds_gateway.actors.identity import resolved, with_document
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Submission

GIVEN = "urn:uuid:5E9A4F5C-6D0A-4A36-9D3C-2F1D1A6D7C10"
HOME = "urn:oid:1.2.3"


def settle(submission: Submission, home: str | None = HOME) -> tuple[Submission, dict[str, str]]:
    numbers = count()
    found = resolved(submission, lambda: f"urn:uuid:new-{next(numbers)}", home)
    return found.submission, dict(found.sent_ids)


def full() -> Submission:
    return make_submission(
        entries=(make_entry(1), make_entry(2, id=GIVEN)),
        folders=(make_folder(),),
        relationships=(
            make_association("Folder01", GIVEN, id="Filed"),
            make_member("SubmissionSet01", "Filed", None),
            make_association("Document01", "urn:uuid:REGISTERED", v.RPLC),
        ),
    )


def test_every_object_has_a_final_id() -> None:
    final, _ = settle(full())
    ids = [item.id for item in final.objects]
    assert all(identifier.startswith("urn:uuid:") and identifier == identifier.lower() for identifier in ids)
    assert len(ids) == len(set(ids)) == len(full().objects)


def test_one_symbolic_id_becomes_one_uuid_everywhere() -> None:
    final, _ = settle(full())
    one, two = final.document_entries
    folder, submission_set = final.folders[0].id, final.submission_sets[0].id
    filed = next(a for a in final.associations if a.source == folder)
    assert (filed.target, two.id) == (GIVEN.lower(), GIVEN.lower())
    assert {(a.source, a.target) for a in final.associations} == {
        (submission_set, one.id),
        (submission_set, two.id),
        (submission_set, folder),
        (submission_set, filed.id),
        (folder, two.id),
        (one.id, "urn:uuid:registered"),
    }


def test_parts_of_objects_have_ids_of_their_own_and_point_at_their_owner() -> None:
    final, _ = settle(full())
    seen: set[str] = {item.id for item in final.objects}
    for item in final.objects:
        for part in (*item.classifications, *item.external_identifiers):
            assert part.id.startswith("urn:uuid:")
            assert part.id not in seen
            seen.add(part.id)
        assert {c.classified_object for c in item.classifications} <= {item.id}
        assert {e.registry_object for e in item.external_identifiers} <= {item.id}


def test_parts_without_an_id_get_one() -> None:
    entry = make_entry()
    bare = make_entry(
        classifications=tuple(c._replace(id="") for c in entry.classifications),
        external_identifiers=tuple(e._replace(id="") for e in entry.external_identifiers),
    )
    final, _ = settle(make_submission(entries=(bare,)))
    ids = [
        part.id
        for part in (*final.document_entries[0].classifications, *final.document_entries[0].external_identifiers)
    ]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("home", [HOME, None])
def test_what_the_registry_sets(home: str | None) -> None:
    submission = make_submission(
        entries=(make_entry(lid="urn:uuid:x", status=v.DEPRECATED, version="7", home="urn:oid:9"),),
        folders=(make_folder(),),
    )
    final, _ = settle(submission, home)
    for item in final.objects:
        assert (item.lid, item.status, item.version, item.home) == (item.id, v.APPROVED, "1", home)
    assert {a.object_type for a in final.associations} == {v.ASSOCIATION_OBJECT}


def test_sent_ids_are_remembered() -> None:
    final, sent = settle(full())
    assert sent[final.document_entries[0].id] == "Document01"
    assert sent[GIVEN.lower()] == GIVEN
    assert sent[final.submission_sets[0].id] == "SubmissionSet01"


def test_nothing_else_changes() -> None:
    submission = full()
    final, _ = settle(submission)
    for before, after in zip(submission.objects, final.objects, strict=True):
        assert (after.slots, after.name, after.description) == (before.slots, before.name, before.description)
        assert [c[2:] for c in after.classifications] == [c[2:] for c in before.classifications]
        assert [e[2:] for e in after.external_identifiers] == [e[2:] for e in before.external_identifiers]


@given(st.sampled_from(["urn:uuid:", "URN:UUID:", "Urn:Uuid:"]), st.uuids())
def test_a_uuid_is_kept_in_lower_case(prefix: str, uuid: object) -> None:
    final, _ = settle(make_submission(submission_set=make_set(id=f"{prefix}{str(uuid).upper()}")))
    assert final.submission_sets[0].id == f"urn:uuid:{uuid}"


SHA1 = "a" * 40


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, (CONTENT_SHA1, "20", REPOSITORY)),
        ({"hash": None}, (SHA1, "20", REPOSITORY)),
        ({"size": None}, (CONTENT_SHA1, "3", REPOSITORY)),
        ({"hash": None, "size": None, "repositoryUniqueId": None}, (SHA1, "3", REPOSITORY)),
        ({"repositoryUniqueId": "9.9"}, (CONTENT_SHA1, "20", REPOSITORY)),
    ],
)
def test_a_repository_adds_what_only_it_knows(sent: dict[str, str | None], kept: tuple[str, str, str]) -> None:
    entry = with_document(make_entry(slots=sent), REPOSITORY, SHA1, 3)
    assert (entry.hash, entry.size, entry.repository_unique_id) == kept
    assert all(len(slots) == 1 for slots in entry.slots_by_name.values())
    added = {"hash", "size", "repositoryUniqueId"}
    before = [slot for slot in make_entry(slots=sent).slots if slot.name not in added]
    assert [slot for slot in entry.slots if slot.name not in added] == before
