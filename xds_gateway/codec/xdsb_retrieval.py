"""The bodies of ITI-43 (ITI TF-2 3.43)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import ErrorCode, Finding
from ..model.messages import DocumentPart, DocumentRequest, RetrievedDocument, RetrieveRequest, RetrieveResponse
from .namespaces import XDSB
from .xdsb_parts import Piece, document_part, malformed
from .xdsb_responses import ReceivedError, has_error, parse_registry_response, registry_response
from .xml import elements, escape, text

RETRIEVE_REQUEST: Final = f"{{{XDSB}}}RetrieveDocumentSetRequest"
_REQUEST_IDS: Final = ("RepositoryUniqueId", "DocumentUniqueId", "HomeCommunityId")
_RESPONSE_TEXTS: Final = (*_REQUEST_IDS, "mimeType", "NewDocumentUniqueId", "NewRepositoryUniqueId")
_DOCUMENT_REQUEST: Final = f"{{{XDSB}}}DocumentRequest"


def parse_retrieve_request(body: etree._Element, findings: list[Finding]) -> RetrieveRequest:
    """Read a RetrieveDocumentSetRequest (ITI TF-2 3.43.4.1.2); absent ids are findings."""
    requests = document_requests(body)
    for number, (repository, document, _) in enumerate(requests, 1):
        if not repository:
            findings.append(_missing_request_id(number, "RepositoryUniqueId"))
        if not document:
            findings.append(_missing_request_id(number, "DocumentUniqueId"))
    if not requests:
        raise malformed("RetrieveDocumentSetRequest needs at least one DocumentRequest (ITI TF-2 3.43.5)")
    return RetrieveRequest(documents=requests)


def document_requests(body: etree._Element) -> tuple[DocumentRequest, ...]:
    """The DocumentRequests of a body, absent ids empty; ITI-86 has the same ones (RMD supplement, 3.86)."""
    requests = []
    for element in body.iterchildren(_DOCUMENT_REQUEST):
        values: dict[str, str] = {}
        for child in elements(element):
            values.setdefault(child.tag, text(child))  # the first of a name counts
        repository, document, home = [values.get(f"{{{XDSB}}}{name}", "") for name in _REQUEST_IDS]
        requests.append(DocumentRequest(repository, document, home or None))
    return tuple(requests)


def _missing_request_id(number: int, name: str) -> Finding:
    code = ErrorCode.UNKNOWN_REPOSITORY_ID if name == "RepositoryUniqueId" else ErrorCode.DOCUMENT_UNIQUE_ID_ERROR
    return Finding(
        code=code,
        rule=f"ihe.retrieve.{name}",
        sentence=f"DocumentRequest {number} needs a {name}; add it.",
        attribute=name,
        received="",
        expected="an identifier",
        clause="ITI TF-2 3.43.4.1.2",
    )


def render_retrieve_request(request: RetrieveRequest) -> bytes:
    """The body of ITI-43 as a Document Consumer sends it."""
    documents = "".join(f"<x:DocumentRequest>{render_ids(d)}</x:DocumentRequest>" for d in request.documents)
    return f'<x:RetrieveDocumentSetRequest xmlns:x="{XDSB}">{documents}</x:RetrieveDocumentSetRequest>'.encode()


def render_ids(request: DocumentRequest) -> str:
    """The ids of a document as elements of the prefix `x`, in the order of the schema (ITI TF-2 3.43.5)."""
    home = f"<x:HomeCommunityId>{escape(request.home)}</x:HomeCommunityId>" if request.home is not None else ""
    return (
        f"{home}<x:RepositoryUniqueId>{escape(request.repository_unique_id)}</x:RepositoryUniqueId>"
        f"<x:DocumentUniqueId>{escape(request.document_unique_id)}</x:DocumentUniqueId>"
    )


def render_retrieve_response(response: RetrieveResponse) -> tuple[Piece, ...]:
    """The answer of a retrieve: PartialSuccess when some documents come and some do not (ITI TF-3 4.2.4.2)."""
    status = v.SUCCESS
    if has_error(response.findings):
        status = v.PARTIAL_SUCCESS if response.documents else v.FAILURE
    pieces: list[Piece] = [
        f'<x:RetrieveDocumentSetResponse xmlns:x="{XDSB}">'.encode() + registry_response(status, response.findings)
    ]
    for found in response.documents:
        head = (
            f"<x:DocumentResponse>{render_ids(found.request)}{_new_ids(found)}"
            f"<x:mimeType>{escape(found.mime_type)}</x:mimeType><x:Document>"
        )
        pieces += [head.encode(), found, b"</x:Document></x:DocumentResponse>"]
    return (*pieces, b"</x:RetrieveDocumentSetResponse>")


def _new_ids(found: RetrievedDocument) -> str:
    """The ids of what was made on demand, in the order of the schema (ITI TF-2 3.43.5)."""
    if found.new_document_unique_id is None:
        return ""
    repository = found.new_repository_unique_id
    kept = "" if repository is None else f"<x:NewRepositoryUniqueId>{escape(repository)}</x:NewRepositoryUniqueId>"
    return f"{kept}<x:NewDocumentUniqueId>{escape(found.new_document_unique_id)}</x:NewDocumentUniqueId>"


class ReceivedDocument(NamedTuple):
    """One DocumentResponse of an answer: where its bytes are (`content_id`) or the bytes as base64 (`inline`).

    An on-demand document has a new uniqueId, and the id of the repository that keeps it, if one does.
    """

    request: DocumentRequest
    mime_type: str
    content_id: str | None
    inline: str | None
    new_document_unique_id: str | None = None
    new_repository_unique_id: str | None = None


def parse_retrieve_response(
    body: etree._Element,
) -> tuple[str, tuple[ReceivedError, ...], tuple[ReceivedDocument, ...]]:
    """Status, errors and documents of a RetrieveDocumentSetResponse (ITI TF-2 3.43.4.2.2)."""
    status, errors = parse_registry_response(body)
    return status, errors, tuple(_received_documents(body))


def _received_documents(body: etree._Element) -> Iterator[ReceivedDocument]:
    for element in body.iterchildren(f"{{{XDSB}}}DocumentResponse"):
        content = element.find(f"{{{XDSB}}}Document")
        part = DocumentPart("", None, "") if content is None else document_part(content)
        repository, document, home, mime_type, new_document, new_repository = (
            (element.findtext(f"{{{XDSB}}}{name}") or "").strip() for name in _RESPONSE_TEXTS
        )
        yield ReceivedDocument(
            DocumentRequest(repository, document, home or None),
            mime_type,
            part.content_id,
            part.inline,
            new_document or None,
            new_repository or None,
        )
