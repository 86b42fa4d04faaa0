"""Typed metadata becomes one submission; ids are made once and the same input always has the same key."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from xds_gateway.client import Author, Code, DocumentToSubmit, IncompleteMetadata, Misconfigured
from xds_gateway.client.samples import make_sample, make_samples
from xds_gateway.client.submission import (
    SubmissionDetails,
    SubmissionIds,
    build_submission,
    check_complete,
    make_ids,
    read_digest,
    submission_key,
)
from xds_gateway.codec.ebrim import parse_submission, render_submission
from xds_gateway.model import vocabulary as v
from xds_gateway.model.identifiers import is_oid
from xds_gateway.model.metadata import Submission

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def make_details(**changes: object) -> SubmissionDetails:
    return SubmissionDetails(**{"patient_id": "42^^^&1.2.3&ISO", "source_id": "1.2.3.4", **changes})  # type: ignore[arg-type]


def ids_for(*documents: DocumentToSubmit) -> SubmissionIds:
    numbers = count(1)
    digests = [read_digest(d.content) for d in documents]
    return make_ids(documents, digests, lambda: UUID(int=next(numbers), version=4), NOW)


def build(*documents: DocumentToSubmit, **changes: object) -> Submission:
    return build_submission(documents, ids_for(*documents), make_details(**changes))


def test_a_submission_survives_its_rendering() -> None:
    submission = build(*make_samples(4))
    findings: list[object] = []
    read = parse_submission(etree.fromstring(render_submission(submission)), findings)  # type: ignore[arg-type]
    assert (read, findings) == (submission, [])


def test_every_id_is_used_once_and_real_ids_are_where_they_are_kept() -> None:
    submission = build(*make_samples(4))
    ids = [o.id for o in submission.objects] + [p.id for o in submission.objects for p in o.classifications]
    ids += [e.id for o in submission.objects for e in o.external_identifiers]
    assert len(set(ids)) == len(ids)
    kept = (*submission.document_entries, *submission.submission_sets)
    assert all(o.id.startswith("urn:uuid:") and is_oid(o.unique_id or "") for o in kept)


def test_the_set_holds_every_entry_as_original() -> None:
    submission = build(*make_samples(4))
    (submission_set,) = submission.submission_sets
    members = [(a.association_type, a.source, a.slot_values("SubmissionSetStatus")) for a in submission.associations]
    assert members == [(v.HAS_MEMBER, submission_set.id, ("Original",))] * 4
    assert [a.target for a in submission.associations] == [e.id for e in submission.document_entries]
    assert submission_set.slot_value("submissionTime") == "20240506070809"
    assert submission_set.has_node(v.SUBMISSION_SET_NODE)


def test_a_replacement_points_at_what_it_replaces() -> None:
    submission = build(make_sample(), relation=(v.RPLC, "urn:uuid:00000000-0000-4000-8000-000000000042"))
    replacement = submission.associations[-1]
    assert (replacement.association_type, replacement.source) == (v.RPLC, submission.document_entries[0].id)
    assert replacement.target == "urn:uuid:00000000-0000-4000-8000-000000000042"


def test_hash_and_size_are_those_of_the_bytes() -> None:
    document = DocumentToSubmit(content=b"abc", metadata=make_sample().metadata)
    (entry,) = build(document).document_entries
    assert (entry.hash, entry.size) == ("a9993e364706816aba3e25717850c26c9cd0d89d", "3")


@pytest.mark.parametrize(
    ("changes", "scheme", "expected"),
    [
        ({}, v.SS_AUTHOR, "SAULEVENT"),
        ({"authors": (Author(person="^Other"),)}, v.SS_AUTHOR, "^Other"),
        ({}, v.SS_CONTENT_TYPE_CODE, "60591-5"),
        ({"content_type_code": Code("04", "1.2", "x")}, v.SS_CONTENT_TYPE_CODE, "'04'"),
    ],
    ids=["first author", "given author", "first type", "given type"],
)
def test_what_the_set_is_not_told_it_takes_from_the_first_document(
    changes: dict[str, object], scheme: str, expected: str
) -> None:
    (submission_set,) = build(make_sample(), **changes).submission_sets
    assert expected in str(submission_set.codes(scheme))


def test_unknown_patient_and_unique_ids_are_made() -> None:
    (entry,) = build(make_sample().changed(source_patient_id=None, unique_id=None)).document_entries
    assert entry.slot_value("sourcePatientId") == "42^^^&1.2.3&ISO"
    assert (entry.unique_id or "").startswith("2.25.")


def test_all_that_is_missing_is_named_at_once() -> None:
    documents = (
        make_sample().changed(type_code=None, language_code=""),
        make_sample().changed(title="t", mime_type=None),
    )
    with pytest.raises(IncompleteMetadata) as caught:
        check_complete(documents, make_details())
    assert caught.value.missing == (("Synthèse médicale", ("language_code", "type_code")), ("t", ("mime_type",)))


@pytest.mark.parametrize("count_", [0, 2])
def test_a_replacement_is_one_document(count_: int) -> None:
    with pytest.raises(Misconfigured):
        check_complete(make_samples(count_), make_details(relation=(v.RPLC, "urn:uuid:x")))


def key(document: DocumentToSubmit, destination: str = "here", **changes: object) -> str:
    return submission_key((document,), (read_digest(document.content),), make_details(**changes), destination)


def test_the_key_of_the_same_input_is_the_same_from_bytes_and_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    document = make_sample()
    path.write_bytes(document.content if isinstance(document.content, bytes) else b"")
    assert key(document) == key(make_sample()) == key(DocumentToSubmit(content=path, metadata=document.metadata))


@pytest.mark.parametrize(
    "other",
    [
        key(make_sample(seed=2)),
        key(make_sample().changed(title="Another")),
        key(make_sample(), patient_id="43^^^&1.2.3&ISO"),
        key(make_sample(), relation=(v.RPLC, "urn:uuid:x")),
        key(make_sample(), destination="there"),
    ],
    ids=["content", "metadata", "patient", "relation", "gateway"],
)
def test_the_key_of_another_input_is_another(other: str) -> None:
    assert other != key(make_sample())


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"absent\.xml cannot be read"):
        read_digest(tmp_path / "absent.xml")
