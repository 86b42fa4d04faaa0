"""Samples are the same for the same seed, complete, and of the size asked for."""

from pathlib import Path

import pytest

from xds_gateway.client import read_cda, read_document
from xds_gateway.client.demo import demo_documents, make_wrong_document
from xds_gateway.client.samples import make_sample, make_samples, patient_id, write_samples
from xds_gateway.model.identifiers import is_oid, parse_patient_id


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_as_many_as_asked_for_all_complete_and_different(count: int) -> None:
    samples = make_samples(count)
    assert len({sample.content for sample in samples}) == count
    assert len({sample.metadata.unique_id for sample in samples}) == count
    assert all(sample.metadata.missing == () and is_oid(sample.metadata.unique_id or "") for sample in samples)


def test_the_seed_decides() -> None:
    assert make_samples(5) == make_samples(5)
    assert make_samples(5, seed=2) != make_samples(5)


@pytest.mark.parametrize("size", [0, 10_000, 100_000])
def test_the_size_is_reached(size: int) -> None:
    content = make_sample(size=size).content
    assert isinstance(content, bytes)
    assert size <= len(content) < size + 10_000


def test_files_hold_the_same(tmp_path: Path) -> None:
    for written, made in zip(write_samples(tmp_path, make_samples(4)), make_samples(4), strict=True):
        assert isinstance(written.content, Path)
        assert written.content.read_bytes() == made.content


def test_patients_are_readable() -> None:
    assert parse_patient_id(patient_id(7, "X")) == ("X000007", parse_patient_id(patient_id(8))[1])  # type: ignore[index]


def test_the_demo_takes_the_examples_of_a_folder_and_fills_what_they_lack(tmp_path: Path) -> None:
    (tmp_path / "bare.xml").write_text(
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Bare</title></ClinicalDocument>'
    )
    (document,) = demo_documents(tmp_path)
    assert (document.label, document.metadata.title, document.metadata.missing) == ("bare.xml", "Bare", ())


@pytest.mark.parametrize("folder", [None, Path("no such folder")])
def test_without_examples_the_demo_takes_samples(folder: Path | None) -> None:
    assert len(demo_documents(folder)) > 5


def test_the_wrong_document_is_wrong_but_complete() -> None:
    document = make_wrong_document()
    assert document.metadata.missing == ()
    assert document.metadata != make_sample(seed=4711).metadata


def test_samples_are_cda_documents_that_read_back(tmp_path: Path) -> None:
    (written,) = write_samples(tmp_path, [make_sample()])
    assert isinstance(written.content, Path)
    assert read_document(written.content).metadata == read_cda(written.content).metadata == written.metadata
