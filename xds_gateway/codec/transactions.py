"""The map: one row for each ITI transaction that the gateway answers.

A new transaction is a row here, a parse/render pair, an actor method and an audit row.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from lxml import etree

from ..model.errors import Finding, SoapFault
from ..model.feeds import FeedMessage, FeedResponse, Wrapper
from ..model.messages import QueryResponse, RegistryResponse, RemoveDocumentsResponse, Request, RetrieveResponse
from . import hl7v3, xdsb
from .soap import action_mismatch, action_not_supported

Endpoint = Literal["registry", "repository", "responder", "patients"]
# fields of `actors.domain.DomainActors`
Actor = Literal["registry", "repository", "removals", "updates", "patients"]
Wire = Literal["plain", "mtom"]


class Stamp(NamedTuple):
    """What an answer has of its own: an id (`urn:uuid:...`) and the time, a DTM to the second (UTC)."""

    message_id: str
    now: str


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
    parse: Callable[[etree._Element, list[Finding]], Request | FeedMessage[Wrapper]]
    render: Callable[[Any, Stamp], tuple[xdsb.Piece, ...]]
    outcome: type[Any]  # its `refused` makes the answer of a refused request from the request and its findings


def _row(name: str, endpoint: Endpoint, operation: str, action: str, *columns: Any) -> TransactionRow:
    """A row whose response action is the request's with "Response", as nearly all are."""
    return _unstamped(name, endpoint, operation, action, f"{action}Response", *columns)


def _unstamped(*columns: Any) -> TransactionRow:
    """A row of a message whose answer has neither an id nor a time in its body."""
    render, outcome = columns[-2:]
    return TransactionRow._make((*columns[:-2], lambda response, stamp: render(response), outcome))


def _feed(interaction: str, body: str) -> TransactionRow:
    """A row of ITI-44, whose messages have one answer and one way (ITI TF-2 3.44.4.1.4.1, 3.44.4.2.4.1)."""
    return TransactionRow(
        "ITI-44", "patients", f"DocumentRegistry_{interaction}", f"urn:hl7-org:v3:{interaction}",
        hl7v3.ACCEPT_ACK_ACTION, body, "plain", "patients", "feed", hl7v3.parse_feed,
        lambda response, stamp: hl7v3.render_accept_ack(response, message_id=stamp.message_id, now=stamp.now),
        FeedResponse,
    )  # fmt: skip


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
    _feed("PRPA_IN201301UV02", hl7v3.ADD),
    _feed("PRPA_IN201302UV02", hl7v3.REVISE),
    _feed("PRPA_IN201304UV02", hl7v3.RESOLVE_DUPLICATES),
    _row("ITI-51", "registry", "DocumentRegistry_MultiPatientStoredQuery", "urn:ihe:iti:2009:MultiPatientStoredQuery",
         xdsb.QUERY_REQUEST, "plain", "registry", "query_multiple_patients",
         xdsb.parse_query_request, xdsb.render_query_response, QueryResponse),
    _row("ITI-57", "registry", "DocumentRegistry_UpdateDocumentSet", "urn:ihe:iti:2010:UpdateDocumentSet",
         xdsb.REGISTER_REQUEST, "plain", "updates", "update",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
    _unstamped(  # its response has no "Entry" (ITI TF-2 3.61.4.2.2)
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


# Transactions of neighbours that are asked of a registry's patients (ITI TF-2 3.45.4, 3.47.4, 3.55.4, 3.56.4)
_NOT_HERE: Final[Mapping[str, str]] = {
    "urn:hl7-org:v3:PRPA_IN201309UV02": "ITI-45 PIXV3 Query",
    "urn:hl7-org:v3:PRPA_IN201305UV02": "ITI-47 Patient Demographics Query HL7 V3",
    "urn:hl7-org:v3:QUQI_IN000003UV01_Continue": "ITI-47 Patient Demographics Query HL7 V3, continued",
    "urn:hl7-org:v3:QUQI_IN000003UV01_Cancel": "ITI-47 Patient Demographics Query HL7 V3, cancelled",
    "urn:hl7-org:v3:QUQI_IN000003UV01": "ITI-47 Patient Demographics Query HL7 V3, continued",
    "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery": "ITI-55 Cross Gateway Patient Discovery",
    "urn:ihe:iti:2009:PatientLocationQuery": "ITI-56 Patient Location Query",
}


def transaction_for(endpoint: str, action: str, body: str) -> TransactionRow:
    """The row that a message asks for; wsa:Action and the body must agree (ITI TF-2 V.3.2). Raises SoapFault."""
    row = _BY_ACTION.get((endpoint, action))
    if row is None:
        raise _not_taken(endpoint, action)
    if row.body != body:
        raise action_mismatch(action)
    return row


def _not_taken(endpoint: str, action: str) -> SoapFault:
    """The fault that says what the endpoint takes, and where the message belongs, as far as it is known."""
    taken = ", ".join(dict.fromkeys(row.name for row in TRANSACTIONS if row.endpoint == endpoint))
    elsewhere = next((row for row in TRANSACTIONS if row.request_action == action), None)
    told = [f"it takes {taken}"] if taken else []
    if elsewhere is not None:
        told.append(f"{elsewhere.name} is taken by the endpoint {elsewhere.endpoint}")
    elif action in _NOT_HERE:
        told.append(f"{_NOT_HERE[action]} is not served here")
    return action_not_supported(action, "; ".join(told))
