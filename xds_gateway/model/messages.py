"""Requests and outcomes of the transactions, as values."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from .errors import Finding
from .metadata import Submission
from .principal import User


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledDocument:
    """Bytes received and hashed, in a spool file that is not yet durable.

    `sha1` is hexadecimal; `chunk_digests` the SHA-256 of each 1 MiB chunk, concatenated (32 bytes each; an empty
    document has none).
    """

    path: str
    size: int
    sha1: str
    chunk_digests: bytes


class StoredDocument(NamedTuple):
    """A document durably stored: `key` is random and reveals nothing of it."""

    key: str
    size: int
    sha1: str
    chunk_digests: bytes


class DocumentPart(NamedTuple):
    """One xds:Document of ITI-41: the id of its entry, and where its bytes are.

    Exactly one of `content_id` (an attachment, without "cid:" and angle brackets) and `inline` (base64 text) is set.
    """

    id: str
    content_id: str | None
    inline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideRequest:
    """ITI-41: a submission and its documents, which may still be on the wire (ITI TF-2 3.41.4.1.2)."""

    submission: Submission
    parts: tuple[DocumentPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRequest:
    """ITI-42: a submission whose documents a repository holds (ITI TF-2 3.42.4.1.2)."""

    submission: Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRequest:
    """ITI-18: a stored query as sent; parameters keep their slots, for OR in one, AND across (ITI TF-2 3.18.4.1.2)."""

    query_id: str
    return_type: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    home: str | None = None


class DocumentRequest(NamedTuple):
    """One document asked for in ITI-43 (ITI TF-2 3.43.4.1.2)."""

    repository_unique_id: str
    document_unique_id: str
    home: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveRequest:
    """ITI-43: documents to return, in order."""

    documents: tuple[DocumentRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRequest:
    """ITI-62: ids of objects whose metadata go (RMD supplement, 3.62); the other fields are what may not be sent.

    `queries` counts AdhocQuery elements, `deletion_scope` is that of ebRS 3.0.
    """

    references: tuple[str, ...]
    queries: int = 0
    deletion_scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDocumentsRequest:
    """ITI-86: documents whose bytes go, in order (RMD supplement, 3.86)."""

    documents: tuple[DocumentRequest, ...]


Request = ProvideRequest | RegisterRequest | QueryRequest | RetrieveRequest | RemoveRequest | RemoveDocumentsRequest


class _Refusable:
    """An outcome that is made of findings alone when the request is refused."""

    __slots__ = ()

    @classmethod
    def refused(cls, request: object, findings: tuple[Finding, ...]) -> Self:
        """The answer to this request, None where it could not be read, for these reasons."""
        return cls(findings=findings)  # type: ignore[call-arg]


class PlannedEffect(NamedTuple):
    """One thing that a dry run found a request would do: "register", "deprecate" and so on, to which object."""

    effect: str
    object_id: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryResponse(_Refusable):
    """The outcome of a submission: findings decide the status (ITI TF-3 4.2.4.2); a dry run has `planned` effects.

    A submission that was `retried` had been registered before: this is its first outcome again.
    """

    findings: tuple[Finding, ...] = ()
    planned: tuple[PlannedEffect, ...] | None = None
    retried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResponse(_Refusable):
    """The outcome of a query: finished ebRIM fragments in answer order (ITI TF-2 3.18.4.1.3)."""

    fragments: tuple[bytes, ...] = ()
    findings: tuple[Finding, ...] = ()


class RetrievedDocument(NamedTuple):
    """A document to return: what was asked, where its bytes are, and its mimeType.

    The new ids are those of an on-demand document (ITI TF-2 3.43.4.2.2); a `transient` one is not kept once it is sent.
    """

    request: DocumentRequest
    document: StoredDocument
    mime_type: str
    new_document_unique_id: str | None = None
    new_repository_unique_id: str | None = None
    transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveResponse(_Refusable):
    """The outcome of a retrieve: documents and what could not be returned (ITI TF-2 3.43.4.2.2)."""

    documents: tuple[RetrievedDocument, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDocumentsResponse(_Refusable):
    """The outcome of ITI-86: documents whose bytes are gone, and a finding for each other."""

    removed: tuple[DocumentRequest, ...] = ()
    findings: tuple[Finding, ...] = ()
    planned: tuple[PlannedEffect, ...] | None = None


class AuditEvent(NamedTuple):
    """One access or change, as it must be told later (ITI TF-2 3.20).

    `transaction` is an ITI number or a name of ours, `outcome` "success", "partial" or "failure"; `objects` are ids of
    sets, entries or documents; `query` what was asked, never what was found. No document content, no metadata beyond
    these ids, of an assertion only what names the user. `action` is C, R, U or D where the transaction does not tell
    it, `sender` what a feed's message calls its sender, `note` what else became of the request. `decision` names the
    row that allowed or refused, `process` the process that wrote the event. `patient_types` say what each of
    `patient_ids` is where that differs (ITI TF-2 3.64.5.1.2).
    """

    at: str
    transaction: str
    outcome: str
    node: str
    address: str
    domain: str
    message_id: str
    patient_ids: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    query: QueryRequest | None = None
    codes: tuple[str, ...] = ()
    action: str | None = None
    sender: str | None = None
    note: str | None = None
    user: User | None = None
    break_glass: bool = False
    decision: str | None = None
    process: int | None = None
    patient_types: tuple[str, ...] = ()
