"""The map: one row for each ITI transaction that the gateway answers.

A new transaction is a row here, a parse/render pair, an actor method and an audit row.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from lxml import etree

from ..model.errors import Finding
from ..model.messages import QueryResponse, RegistryResponse, Request, RetrieveResponse
from . import xdsb
from .soap import action_mismatch, action_not_supported

Endpoint = Literal["registry", "repository"]
Wire = Literal["plain", "mtom"]


class TransactionRow(NamedTuple):
    """One transaction.

    `actor_method` is the method of the actor at `endpoint`; `wire` is the form that the standard asks of its messages,
    while the answer follows the caller's form.
    """

    name: str
    endpoint: Endpoint
    operation: str  # of the WSDL
    request_action: str
    response_action: str
    body: str  # qualified name of the request's element
    wire: Wire
    actor_method: str
    parse: Callable[[etree._Element, list[Finding]], Request]
    render: Callable[[Any], tuple[xdsb.Piece, ...]]
    outcome: Callable[..., Any]  # makes the answer of a refused request from its findings


_URN: Final = "urn:ihe:iti:2007:"


def _row(name: str, endpoint: Endpoint, action: str, *columns: Any) -> TransactionRow:
    operation = f"Document{endpoint.capitalize()}_{action}"
    return TransactionRow(name, endpoint, operation, _URN + action, f"{_URN}{action}Response", *columns)


TRANSACTIONS: Final = (
    #    transaction  endpoint      action                              body element             wire    actor method
    _row("ITI-18", "registry", "RegistryStoredQuery", xdsb.QUERY_REQUEST, "plain", "query",
         xdsb.parse_query_request, xdsb.render_query_response, QueryResponse),
    _row("ITI-41", "repository", "ProvideAndRegisterDocumentSet-b", xdsb.PROVIDE_REQUEST, "mtom", "provide",
         xdsb.parse_provide_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-42", "registry", "RegisterDocumentSet-b", xdsb.REGISTER_REQUEST, "plain", "register",
         xdsb.parse_register_request, xdsb.render_registry_response, RegistryResponse),
    _row("ITI-43", "repository", "RetrieveDocumentSet", xdsb.RETRIEVE_REQUEST, "mtom", "retrieve",
         xdsb.parse_retrieve_request, xdsb.render_retrieve_response, RetrieveResponse),
)  # fmt: skip

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
