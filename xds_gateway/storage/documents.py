"""Which stored document belongs to a uniqueId of a repository (ITI TF-2 3.43)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from ..actors.ports import DocumentFound
from ..model.messages import StoredDocument
from ..model.principal import AccessFilter
from . import query_statements as sql
from .access import BoundAccess
from .readers import Readers
from .removal_statements import GIVEN_OUT
from .statements import CHUNK, DOCUMENT_KEY, chunks
from .terms import Terms


class SqlDocumentIndex:
    """`DocumentIndex`; of several entries with one uniqueId the latest registered one counts."""

    def __init__(self, readers: Readers, terms: Terms) -> None:
        self._readers: Final = readers
        self._terms: Final = terms

    def documents(
        self, repository_unique_id: str, unique_ids: Sequence[str], access: AccessFilter
    ) -> Mapping[str, DocumentFound]:
        """Documents of permitted entries that name this repository, by uniqueId; what is not there is left out."""
        found: dict[str, DocumentFound] = {}
        # Of rows that never change it does not matter when they are looked up: domains and words are such. Whether
        # there are consents is asked first: one that comes meanwhile comes after this read.
        alone = len(unique_ids) <= CHUNK and access.is_everything
        with self._readers.one_statement() if alone else self._readers.snapshot() as connection:
            domain = self._terms.domain(connection, access.domain)
            repository = self._terms.find(connection, (repository_unique_id, ""))
            if domain is None or repository is None:
                return found
            asked = BoundAccess(connection.execute, partial(self._terms.find, connection), domain, access)
            for keys in chunks(unique_ids):
                values = [*keys, domain, repository]
                shape = sql.KeyShape(keys=len(keys), access=asked.entry(values))
                for value, key, size, sha1, digests, mime_type, patient in connection.execute(
                    sql.documents(shape), values
                ):
                    document = StoredDocument(key=key, size=size, sha1=sha1, chunk_digests=digests)
                    mime = self._terms.word(connection, mime_type) if mime_type is not None else ""
                    found[value] = DocumentFound(value, document, mime, patient or "")
        return found

    def referenced(self, key: str) -> bool:
        """Whether a stored document belongs to the registry; what does not may be swept when it is old."""
        with self._readers.snapshot() as connection:
            return connection.execute(DOCUMENT_KEY, (key,)).fetchone() is not None

    def given_out(self, key: str) -> bool:
        """Whether an entry names a stored document: one that was removed since it was found is not damaged."""
        with self._readers.snapshot() as connection:
            return connection.execute(GIVEN_OUT, (key,)).fetchone() is not None
