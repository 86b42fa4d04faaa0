"""The map: one row for each ITI transaction that the gateway answers.

A new transaction is a row here, a parse/render pair, an actor method and an audit row.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from lxml import etree

from ..model.errors import Finding
from ..model.messages import QueryResponse, RegistryResponse, RemoveDocumentsResponse, Request, RetrieveResponse
from . import xdsb
from .soap import action_mismatch, action_not_supported

Endpoint = Literal["registry", "repository", "responder"]
Actor = Literal["registry", "repository", "removals", "updates"]  # fields of `actors.domain.DomainActors`
Wire = Literal["plain", "mtom"]


class TransactionRow(NamedTuple):
    """One transaction.

    `actor_method` is the method of `actor` that performs it; `wire` is the form that the standard asks of its messages,
    while the answer follows the caller's form.
    """

    name: str
    endpoint: Endpoint
    operation: str  # of the WSDL
    request_action: str
    response_action: str
    body: str  # qualified name of the request's element
    wire: Wire
    actor: Actor
    actor_method: str
    parse: Callable[[etree._Element, list[Finding]], Request]
    render: Callable[[Any], tuple[xdsb.Piece, ...]]
    outcome: Callable[..., Any]  # makes the answer of a refused request from its findings


def _row(name: str, endpoint: Endpoint, operation: str, action: str, *columns: Any) -> TransactionRow:
    """A row whose response action is the request's with "Response", as nearly all are."""
    return TransactionRow(name, endpoint, operation, action, f"{action}Response", *columns)


TRANSACTIONS: Final = (
    # transaction, endpoint, operation of the WSDL, action
    #     body element, wire, actor, its method, parse, render, outcome
    _row("ITI-18", "registry", "DocumentRegistry_RegistryStoredQuery", "urn:ihe:iti:2007:RegistryStoredQuery",
         xdsb.QUERY_REQUEST, "plain", "registry", "query",
         xdsb.parse_query_request, xdsb.render_query_response, QueryResponse),
    _row("ITI-41", "repository", "DocumentRepository_ProvideAndRegisterDocumentSet-b",
         "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
         xdsb.PROVIDE_REQUEST, "mtom", "repository", "provide",
         xdsb.parse_provide_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-42", "registry", "DocumentRegistry_RegisterDocumentSet-b", "urn:ihe:iti:2007:RegisterDocumentSet-b",
         xdsb.REGISTER_REQUEST, "plain", "registry", "register",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-43", "repository", "DocumentRepository_RetrieveDocumentSet", "urn:ihe:iti:2007:RetrieveDocumentSet",
         xdsb.RETRIEVE_REQUEST, "mtom", "repository", "retrieve",
         xdsb.parse_retrieve_request, xdsb.render_retrieve_response, RetrieveResponse),
    _row("ITI-51", "registry", "DocumentRegistry_MultiPatientStoredQuery", "urn:ihe:iti:2009:MultiPatientStoredQuery",
         xdsb.QUERY_REQUEST, "plain", "registry", "query_multiple_patients",
         xdsb.parse_query_request, xdsb.render_query_response, QueryResponse),
    _row("ITI-57", "registry", "DocumentRegistry_UpdateDocumentSet", "urn:ihe:iti:2010:UpdateDocumentSet",
         xdsb.REGISTER_REQUEST, "plain", "updates", "update",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
    TransactionRow(  # its response has no "Entry" (ITI TF-2 3.61.4.2.2)
         "ITI-61", "registry", "DocumentRegistry_RegisterOnDemandDocumentEntry",
         "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry", "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse",
         xdsb.REGISTER_REQUEST, "plain", "registry", "register_on_demand",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-62", "registry", "DocumentRegistry_DeleteDocumentSet", "urn:ihe:iti:2010:DeleteDocumentSet",
         xdsb.REMOVE_REQUEST, "plain", "removals", "remove",
         xdsb.parse_remove_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-86", "repository", "DocumentRepository_RemoveDocuments", "urn:ihe:iti:2017:RemoveDocuments",
         xdsb.REMOVE_DOCUMENTS_REQUEST, "plain", "removals", "remove_documents",
         xdsb.parse_remove_documents_request, xdsb.render_remove_documents_response, RemoveDocumentsResponse),
    _row("ITI-92", "responder", "UpdateResponder_RestrictedUpdateDocumentSet",
         "urn:ihe:iti:2018:RestrictedUpdateDocumentSet",
         xdsb.REGISTER_REQUEST, "plain", "updates", "restricted_update",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
)  # fmt: skip

ENDPOINTS: Final = tuple(dict.fromkeys(row.endpoint for row in TRANSACTIONS))

_BY_ACTION: Final[dict[tuple[str, str], TransactionRow]] = {
    (row.endpoint, row.request_action): row for row in TRANSACTIONS
}


def transaction_for(endpoint: str, action: str, body: str) -> TransactionRow:
    """The row that a message asks for; wsa:Action and the body must agree (ITI TF-2 V.3.2). Raises SoapFault."""
    row = _BY_ACTION.get((endpoint, action))
    if row is None:
        raise action_not_supported(action)
    if row.body != body:
        raise action_mismatch(action)
    return row
