"""The bodies of ITI-41, ITI-42, ITI-18, ITI-43, ITI-62 and ITI-86, requests and answers (ITI TF-2 3.18, 3.41-3.43)."""

from .namespaces import XDSB, XOP
from .xdsb_parts import Piece, render_include
from .xdsb_queries import (
    QUERY_REQUEST,
    parse_query_request,
    render_object_ref,
    render_query_request,
    render_query_response,
)
from .xdsb_removal import (
    REMOVE_DOCUMENTS_REQUEST,
    REMOVE_REQUEST,
    parse_remove_documents_request,
    parse_remove_request,
    render_remove_documents_request,
    render_remove_documents_response,
    render_remove_request,
)
from .xdsb_responses import ReceivedError, parse_planned, parse_registry_response, render_registry_response
from .xdsb_retrieval import (
    RETRIEVE_REQUEST,
    ReceivedDocument,
    parse_retrieve_request,
    parse_retrieve_response,
    render_retrieve_request,
    render_retrieve_response,
)
from .xdsb_submissions import (
    PROVIDE_REQUEST,
    REGISTER_REQUEST,
    parse_provide_request,
    parse_register_request,
    render_provide_request,
    render_register_request,
)

__all__ = [
    "PROVIDE_REQUEST",
    "QUERY_REQUEST",
    "REGISTER_REQUEST",
    "REMOVE_DOCUMENTS_REQUEST",
    "REMOVE_REQUEST",
    "RETRIEVE_REQUEST",
    "XDSB",
    "XOP",
    "Piece",
    "ReceivedDocument",
    "ReceivedError",
    "parse_planned",
    "parse_provide_request",
    "parse_query_request",
    "parse_register_request",
    "parse_registry_response",
    "parse_remove_documents_request",
    "parse_remove_request",
    "parse_retrieve_request",
    "parse_retrieve_response",
    "render_include",
    "render_object_ref",
    "render_provide_request",
    "render_query_request",
    "render_query_response",
    "render_register_request",
    "render_registry_response",
    "render_remove_documents_request",
    "render_remove_documents_response",
    "render_remove_request",
    "render_retrieve_request",
    "render_retrieve_response",
]
