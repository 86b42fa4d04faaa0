"""The bodies of ITI-62 and ITI-86 (Remove Metadata and Documents, RMD)."""

from typing import Final

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.messages import RemoveDocumentsRequest, RemoveDocumentsResponse, RemoveRequest
from .namespaces import LCM, RIM, RMD, XDSB
from .xdsb_parts import Piece, malformed
from .xdsb_responses import has_error, registry_response
from .xdsb_retrieval import document_requests, render_ids
from .xml import elements, escape

REMOVE_REQUEST: Final = f"{{{LCM}}}RemoveObjectsRequest"
REMOVE_DOCUMENTS_REQUEST: Final = f"{{{RMD}}}RemoveDocumentsRequest"
_OBJECT_REF: Final = f"{{{RIM}}}ObjectRef"
_OBJECT_REF_LIST: Final = f"{{{RIM}}}ObjectRefList"
_ADHOC_QUERY: Final = f"{{{RIM}}}AdhocQuery"


def parse_remove_request(body: etree._Element, findings: list[Finding]) -> RemoveRequest:
    """Read a RemoveObjectsRequest: ids as sent, and what rules forbid (RMD supplement, 3.62; ebRS 3.0)."""
    listed = [child for child in elements(body) if child.tag == _OBJECT_REF_LIST]
    return RemoveRequest(
        references=tuple(
            reference.get("id", "") for found in listed for reference in elements(found) if reference.tag == _OBJECT_REF
        ),
        queries=sum(1 for child in elements(body) if child.tag == _ADHOC_QUERY),
        deletion_scope=body.get("deletionScope"),
    )


def render_remove_request(request: RemoveRequest) -> bytes:
    """The body of ITI-62 as a Document Administrator sends it."""
    scope = "" if request.deletion_scope is None else f' deletionScope="{escape(request.deletion_scope)}"'
    queries = f'<rim:AdhocQuery id="{RIM}:query"/>' * request.queries
    references = "".join(f'<rim:ObjectRef id="{escape(reference)}"/>' for reference in request.references)
    return (
        f'<lcm:RemoveObjectsRequest xmlns:lcm="{LCM}" xmlns:rim="{RIM}"{scope}>{queries}'
        f"<rim:ObjectRefList>{references}</rim:ObjectRefList></lcm:RemoveObjectsRequest>"
    ).encode()


def parse_remove_documents_request(body: etree._Element, findings: list[Finding]) -> RemoveDocumentsRequest:
    """Read a RemoveDocumentsRequest; absent ids are empty (RMD supplement, 3.86). Raises SoapFault for no document."""
    requests = document_requests(body)
    if not requests:
        raise malformed("RemoveDocumentsRequest needs at least one DocumentRequest (RMD supplement, 3.86)")
    return RemoveDocumentsRequest(documents=requests)


def render_remove_documents_request(request: RemoveDocumentsRequest) -> bytes:
    """The body of ITI-86 as a Document Administrator sends it."""
    documents = "".join(f"<x:DocumentRequest>{render_ids(d)}</x:DocumentRequest>" for d in request.documents)
    return (
        f'<rmd:RemoveDocumentsRequest xmlns:rmd="{RMD}" xmlns:x="{XDSB}">{documents}</rmd:RemoveDocumentsRequest>'
    ).encode()


def render_remove_documents_response(response: RemoveDocumentsResponse) -> tuple[Piece, ...]:
    """The answer of ITI-86: PartialSuccess when some documents are gone and some are not."""
    status = v.SUCCESS
    if has_error(response.findings):
        status = v.PARTIAL_SUCCESS if response.removed else v.FAILURE
    return (registry_response(status, response.findings, response.planned),)
