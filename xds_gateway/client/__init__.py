"""Sockets we open: the SDK for practice software.

>>> from xds_gateway.client import Gateway, read_document                            # doctest: +SKIP
>>> with Gateway(registry_url, repository_url, certificate=c, key=k, ca=a) as gateway:   # doctest: +SKIP
...     gateway.submit(read_document(path), patient_id="42^^^&1.2.3&ISO", source_id="1.2.3.4")
"""

from typing import TYPE_CHECKING, Any

from ..model.datatypes import Author, Code
from .assertions import AssertionSource, read_assertion_profile
from .cda import CdaHeader, read_cda
from .errors import (
    Damaged,
    Fault,
    GatewayClientError,
    IncompleteMetadata,
    InvalidQuery,
    KeyUnavailable,
    Misconfigured,
    NotACdaDocument,
    NotFound,
    Refused,
    RegistryError,
    TimedOut,
    TlsRefused,
    UnexpectedAnswer,
    Unreachable,
)
from .files import metadata_from, parse_code, read_document, read_metadata_file
from .history import DocumentHistory
from .journal import default_journal
from .registry_values import (
    AssociationSummary,
    FolderSummary,
    ObjectReference,
    QueryResult,
    SubmissionSetSummary,
)
from .removal import RemovalPlan
from .values import (
    AdministrationResult,
    DocumentMetadata,
    DocumentSummary,
    DocumentToSubmit,
    RelatedDocuments,
    Relation,
    RetrievedFile,
    SubmissionResult,
    SubmittedEntry,
)

if TYPE_CHECKING:
    from .gateway import Gateway

__all__ = [
    "AdministrationResult",
    "AssertionSource",
    "AssociationSummary",
    "Author",
    "CdaHeader",
    "Code",
    "Damaged",
    "DocumentHistory",
    "DocumentMetadata",
    "DocumentSummary",
    "DocumentToSubmit",
    "Fault",
    "FolderSummary",
    "Gateway",
    "GatewayClientError",
    "IncompleteMetadata",
    "InvalidQuery",
    "KeyUnavailable",
    "Misconfigured",
    "NotACdaDocument",
    "NotFound",
    "ObjectReference",
    "QueryResult",
    "Refused",
    "RegistryError",
    "RelatedDocuments",
    "Relation",
    "RemovalPlan",
    "RetrievedFile",
    "SubmissionResult",
    "SubmissionSetSummary",
    "SubmittedEntry",
    "TimedOut",
    "TlsRefused",
    "UnexpectedAnswer",
    "Unreachable",
    "default_journal",
    "metadata_from",
    "parse_code",
    "read_assertion_profile",
    "read_cda",
    "read_document",
    "read_metadata_file",
]


def __getattr__(name: str) -> Any:
    """The gateway, when it is asked for: its libraries take a quarter of a second, which not every command needs."""
    if name == "Gateway":
        from .gateway import Gateway

        return Gateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
