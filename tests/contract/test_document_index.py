"""DocumentIndex: the stored document of a uniqueId, in its own repository, for who may read its entry."""

import pytest

from tests.contract.submissions import EVERYTHING, make_entry, reading, submit, urn
from tests.unit import builders
from xds_gateway.actors.ports import DocumentFound
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import StoredDocument
from xds_gateway.model.principal import AccessFilter
from xds_gateway.storage.database import StorageConflict
from xds_gateway.storage.opening import Storage

UNIQUE_ID = make_entry(1).unique_id or ""
DOCUMENT = StoredDocument(key="ab" * 16, size=20, sha1=builders.CONTENT_SHA1, chunk_digests=b"d" * 32)
FOUND = DocumentFound(UNIQUE_ID, DOCUMENT, "text/plain", builders.PATIENT)


@pytest.fixture
def stored(storage: Storage) -> Storage:
    """Entry 1 with a document, entry 2 without."""
    submit(
        storage,
        [make_entry(1), make_entry(2)],
        lambda transaction: transaction.add_documents({urn("entry 1"): DOCUMENT}),
    )
    return storage


HIDDEN = reading("R")


@pytest.mark.parametrize(
    ("repository", "unique_ids", "access", "expected"),
    [
        (builders.REPOSITORY, [UNIQUE_ID], EVERYTHING, {UNIQUE_ID: FOUND}),
        (builders.REPOSITORY, [UNIQUE_ID, "1.9", make_entry(2).unique_id or ""], EVERYTHING, {UNIQUE_ID: FOUND}),
        (builders.REPOSITORY, [*(f"1.{n}" for n in range(3000)), UNIQUE_ID], EVERYTHING, {UNIQUE_ID: FOUND}),
        (builders.REPOSITORY, [], EVERYTHING, {}),
        ("1.2.3", [UNIQUE_ID], EVERYTHING, {}),
        (v.STABLE_DOCUMENT, [UNIQUE_ID], EVERYTHING, {}),
        (builders.REPOSITORY, [UNIQUE_ID], AccessFilter.everything("other"), {}),
        (builders.REPOSITORY, [UNIQUE_ID], HIDDEN, {}),
    ],
)
def test_documents_are_found_by_repository_and_unique_id(
    stored: Storage, repository: str, unique_ids: list[str], access: AccessFilter, expected: dict[str, DocumentFound]
) -> None:
    assert dict(stored.index.documents(repository, unique_ids, access)) == expected


def test_a_document_of_a_deprecated_entry_is_found(stored: Storage) -> None:
    stored.registry.write(lambda transaction: transaction.set_status([urn("entry 1")], v.DEPRECATED))
    assert dict(stored.index.documents(builders.REPOSITORY, [UNIQUE_ID], EVERYTHING)) == {UNIQUE_ID: FOUND}


def test_the_latest_entry_of_a_unique_id_counts(stored: Storage) -> None:
    again = make_entry(3, identifiers={v.DE_UNIQUE_ID: UNIQUE_ID})
    later = StoredDocument(key="cd" * 16, size=20, sha1=builders.CONTENT_SHA1, chunk_digests=b"e" * 32)
    submit(stored, [again], lambda transaction: transaction.add_documents({again.id: later}))
    assert stored.index.documents(builders.REPOSITORY, [UNIQUE_ID], EVERYTHING)[UNIQUE_ID].document == later


def test_only_stored_keys_are_referenced(stored: Storage) -> None:
    assert (stored.index.referenced(DOCUMENT.key), stored.index.referenced("ef" * 16)) == (True, False)


@pytest.mark.parametrize("owner", [urn("nobody"), urn("set 1"), "Document01"])
def test_a_document_needs_an_entry(stored: Storage, owner: str) -> None:
    with pytest.raises(StorageConflict):
        stored.registry.write(
            lambda transaction: transaction.add_documents(
                {owner: StoredDocument(key="12" * 16, size=0, sha1=v.EMPTY_SHA1, chunk_digests=b"")}
            )
        )
    assert not stored.index.referenced("12" * 16)
