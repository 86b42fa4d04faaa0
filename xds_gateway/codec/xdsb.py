"""The bodies of ITI-41, ITI-42, ITI-18 and ITI-43, requests and answers (ITI TF-2 3.18, 3.41, 3.42, 3.43)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import ErrorCode, FaultCode, Finding, Severity, SoapFault
from ..model.messages import (
    DocumentPart,
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    QueryResponse,
    RegisterRequest,
    RegistryResponse,
    RetrievedDocument,
    RetrieveRequest,
    RetrieveResponse,
)
from ..model.metadata import Submission
from .ebrim import LCM, QUERY, RIM, RS, parse_submission, render_submission
from .findings import render_code_context
from .mtom import content_id_of, render_href
from .xml import elements, escape, text

XDSB: Final = "urn:ihe:iti:xds-b:2007"
XOP: Final = "http://www.w3.org/2004/08/xop/include"

PROVIDE_REQUEST: Final = f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest"
REGISTER_REQUEST: Final = f"{{{LCM}}}SubmitObjectsRequest"
QUERY_REQUEST: Final = f"{{{QUERY}}}AdhocQueryRequest"
RETRIEVE_REQUEST: Final = f"{{{XDSB}}}RetrieveDocumentSetRequest"
_ADHOC_QUERY: Final = f"{{{RIM}}}AdhocQuery"
_RESPONSE_OPTION: Final = f"{{{QUERY}}}ResponseOption"
_SLOT: Final = f"{{{RIM}}}Slot"
_VALUE: Final = f"{{{RIM}}}Value"
_REQUEST_IDS: Final = ("RepositoryUniqueId", "DocumentUniqueId", "HomeCommunityId")
_DOCUMENT_REQUEST: Final = f"{{{XDSB}}}DocumentRequest"

Piece = bytes | RetrievedDocument
"""A part of a rendered body: finished bytes, or a document whose bytes go here or into an attachment."""


# --- ITI-41 and ITI-42 --------------------------------------------------------------------------------------------


def parse_provide_request(body: etree._Element, findings: list[Finding]) -> ProvideRequest:
    """Read ProvideAndRegisterDocumentSetRequest (ITI TF-2 3.41.4.1.2)."""
    submissions = body.findall(REGISTER_REQUEST)
    if len(submissions) != 1:
        raise _malformed(
            f"ProvideAndRegisterDocumentSetRequest holds exactly one SubmitObjectsRequest, not {len(submissions)}"
        )
    for child in elements(body):
        if child.tag not in (REGISTER_REQUEST, f"{{{XDSB}}}Document"):
            raise _malformed(
                f"Element {etree.QName(child).localname[:80]} has no place in ProvideAndRegisterDocumentSetRequest"
            )
    return ProvideRequest(
        submission=parse_submission(submissions[0], findings),
        parts=tuple(_document(part) for part in body.findall(f"{{{XDSB}}}Document")),
    )


def _document(element: etree._Element) -> DocumentPart:
    includes = list(elements(element))
    identifier = element.get("id") or ""
    if not includes:
        return DocumentPart(identifier, None, element.text or "")
    text_beside = "".join((element.text or "", *(include.tail or "" for include in includes))).strip()
    if len(includes) != 1 or includes[0].tag != f"{{{XOP}}}Include" or text_beside:
        raise _malformed("A Document holds base64 text or exactly one xop:Include (XOP 1.0, 2)")
    return DocumentPart(identifier, content_id_of(includes[0].get("href") or ""), None)


def render_provide_request(request: ProvideRequest) -> bytes:
    """The body of ITI-41, with an xop:Include for each document that has a content id."""
    return b"".join(
        (
            f'<x:ProvideAndRegisterDocumentSetRequest xmlns:x="{XDSB}">'.encode(),
            render_submission(request.submission),
            *(_provided(part) for part in request.parts),
            b"</x:ProvideAndRegisterDocumentSetRequest>",
        )
    )


def _provided(part: DocumentPart) -> bytes:
    content = render_include(part.content_id) if part.content_id else escape(part.inline or "").encode()
    return f'<x:Document id="{escape(part.id)}">'.encode() + content + b"</x:Document>"


def parse_register_request(body: etree._Element, findings: list[Finding]) -> RegisterRequest:
    """Read the SubmitObjectsRequest of ITI-42 (ITI TF-2 3.42.4.1.2)."""
    return RegisterRequest(submission=parse_submission(body, findings))


def render_register_request(submission: Submission) -> bytes:
    """The body of ITI-42."""
    return render_submission(submission)


# --- RegistryResponse ---------------------------------------------------------------------------------------------


def render_registry_response(response: RegistryResponse) -> tuple[Piece, ...]:
    """The answer of a submission; any error makes it a Failure (ITI TF-3 4.2.4)."""
    status = v.FAILURE if _has_error(response.findings) else v.SUCCESS
    return (_registry_response(status, response.findings),)


def _registry_response(status: str, findings: tuple[Finding, ...]) -> bytes:
    if not findings:
        return f'<rs:RegistryResponse xmlns:rs="{RS}" status="{status}"/>'.encode()
    return (
        f'<rs:RegistryResponse xmlns:rs="{RS}" status="{status}">{_error_list(findings)}</rs:RegistryResponse>'.encode()
    )


def _has_error(findings: tuple[Finding, ...]) -> bool:
    return bool(findings) and any(f.severity is Severity.ERROR for f in findings)


def _error_list(findings: tuple[Finding, ...]) -> str:
    highest = v.ERROR if _has_error(findings) else v.WARNING
    errors = "".join(_error(f) for f in findings)
    return f'<rs:RegistryErrorList highestSeverity="{highest}">{errors}</rs:RegistryErrorList>'


def _error(finding: Finding) -> str:
    severity = v.ERROR if finding.severity is Severity.ERROR else v.WARNING
    place = "/".join(part for part in (finding.object_id, finding.attribute) if part)
    location = f' location="{escape(place)}"' if place else ""
    context = escape(render_code_context(finding))
    return (
        f'<rs:RegistryError errorCode="{finding.code.value}" codeContext="{context}"{location} severity="{severity}"/>'
    )


class ReceivedError(NamedTuple):
    """One RegistryError of an answer as another system wrote it."""

    code: str
    context: str
    severity: str
    location: str | None


def parse_registry_response(body: etree._Element) -> tuple[str, tuple[ReceivedError, ...]]:
    """Status and errors of any answer that carries a RegistryResponse or is one (ITI TF-3 4.2.4)."""
    holder = body.find(f"{{{RS}}}RegistryResponse") if body.get("status") is None else body
    if holder is None:
        raise ValueError("the answer has no status")
    errors = tuple(
        ReceivedError(
            e.get("errorCode", ""),
            e.get("codeContext", ""),
            e.get("severity", "").rsplit(":", 1)[-1],
            e.get("location"),
        )
        for e in holder.iter(f"{{{RS}}}RegistryError")
    )
    return holder.get("status", ""), errors


# --- ITI-18 -------------------------------------------------------------------------------------------------------


def parse_query_request(body: etree._Element, findings: list[Finding]) -> QueryRequest:
    """Read an AdhocQueryRequest (ITI TF-2 3.18.4.1.2)."""
    query = next(body.iterchildren(_ADHOC_QUERY), None)
    if query is None:
        raise _malformed("AdhocQueryRequest needs an AdhocQuery (ITI TF-2 3.18.4.1.2)")
    option = next(body.iterchildren(_RESPONSE_OPTION), None)
    return QueryRequest(
        query_id=query.get("id", "").strip().lower(),
        return_type="RegistryObject" if option is None else option.get("returnType", "RegistryObject"),
        parameters=tuple(
            [
                (slot.get("name", ""), tuple([value.text or "" for value in slot.iter(_VALUE)]))
                for slot in query.iterchildren(_SLOT)
            ]
        ),
        home=query.get("home"),
    )


def render_query_request(request: QueryRequest) -> bytes:
    """The body of ITI-18 as a Document Consumer sends it."""
    slots = "".join(
        f'<rim:Slot name="{escape(name)}"><rim:ValueList>'
        + "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values)
        + "</rim:ValueList></rim:Slot>"
        for name, values in request.parameters
    )
    return (
        f'<q:AdhocQueryRequest xmlns:q="{QUERY}" xmlns:rim="{RIM}">'
        f'<q:ResponseOption returnComposedObjects="true" returnType="{escape(request.return_type)}"/>'
        f'<rim:AdhocQuery id="{escape(request.query_id)}"{_home(request.home)}>{slots}</rim:AdhocQuery>'
        "</q:AdhocQueryRequest>"
    ).encode()


def render_query_response(response: QueryResponse) -> tuple[Piece, ...]:
    """The answer of a query; objects only when nothing failed (ITI TF-2 3.18.4.1.3, ITI TF-3 4.2.4.2)."""
    status = v.FAILURE if _has_error(response.findings) else v.SUCCESS
    errors = _error_list(response.findings) if response.findings else ""
    start = (
        f'<q:AdhocQueryResponse xmlns:q="{QUERY}" xmlns:rim="{RIM}" xmlns:rs="{RS}" status="{status}">{errors}'.encode()
    )
    return (
        start,
        b"<rim:RegistryObjectList>",
        *response.fragments,
        b"</rim:RegistryObjectList></q:AdhocQueryResponse>",
    )


def render_object_ref(uuid: str, home: str | None) -> bytes:
    """An object reference, for returnType ObjectRef (ITI TF-2 3.18.4.1.2.5)."""
    return f'<rim:ObjectRef id="{escape(uuid)}"{_home(home)}/>'.encode()


def _home(home: str | None) -> str:
    return "" if home is None else f' home="{escape(home)}"'


# --- ITI-43 -------------------------------------------------------------------------------------------------------


def parse_retrieve_request(body: etree._Element, findings: list[Finding]) -> RetrieveRequest:
    """Read a RetrieveDocumentSetRequest (ITI TF-2 3.43.4.1.2); absent ids are findings."""
    requests = []
    for number, element in enumerate(body.iterchildren(_DOCUMENT_REQUEST), 1):
        values: dict[str, str] = {}
        for child in elements(element):
            values.setdefault(child.tag, text(child))  # the first of a name counts
        repository, document, home = [values.get(f"{{{XDSB}}}{name}", "") for name in _REQUEST_IDS]
        if not repository:
            findings.append(_missing_request_id(number, "RepositoryUniqueId"))
        if not document:
            findings.append(_missing_request_id(number, "DocumentUniqueId"))
        requests.append(DocumentRequest(repository, document, home or None))
    if not requests:
        raise _malformed("RetrieveDocumentSetRequest needs at least one DocumentRequest (ITI TF-2 3.43.5)")
    return RetrieveRequest(documents=tuple(requests))


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
    documents = "".join(f"<x:DocumentRequest>{_ids(d)}</x:DocumentRequest>" for d in request.documents)
    return f'<x:RetrieveDocumentSetRequest xmlns:x="{XDSB}">{documents}</x:RetrieveDocumentSetRequest>'.encode()


def _ids(request: DocumentRequest) -> str:
    home = f"<x:HomeCommunityId>{escape(request.home)}</x:HomeCommunityId>" if request.home is not None else ""
    return (
        f"{home}<x:RepositoryUniqueId>{escape(request.repository_unique_id)}</x:RepositoryUniqueId>"
        f"<x:DocumentUniqueId>{escape(request.document_unique_id)}</x:DocumentUniqueId>"
    )


def render_retrieve_response(response: RetrieveResponse) -> tuple[Piece, ...]:
    """The answer of a retrieve: PartialSuccess when some documents come and some do not (ITI TF-3 4.2.4.2)."""
    status = v.SUCCESS
    if _has_error(response.findings):
        status = v.PARTIAL_SUCCESS if response.documents else v.FAILURE
    pieces: list[Piece] = [
        f'<x:RetrieveDocumentSetResponse xmlns:x="{XDSB}">'.encode() + _registry_response(status, response.findings)
    ]
    for found in response.documents:
        head = (
            f"<x:DocumentResponse>{_ids(found.request)}<x:mimeType>{escape(found.mime_type)}</x:mimeType><x:Document>"
        )
        pieces += [head.encode(), found, b"</x:Document></x:DocumentResponse>"]
    return (*pieces, b"</x:RetrieveDocumentSetResponse>")


def render_include(content_id: str) -> bytes:
    """The xop:Include that stands for an attachment (XOP 1.0, 2.1)."""
    return f'<xop:Include xmlns:xop="{XOP}" href="{render_href(content_id)}"/>'.encode()


class ReceivedDocument(NamedTuple):
    """One DocumentResponse of an answer: where its bytes are (`content_id`) or the bytes as base64 (`inline`)."""

    request: DocumentRequest
    mime_type: str
    content_id: str | None
    inline: str | None


def parse_retrieve_response(
    body: etree._Element,
) -> tuple[str, tuple[ReceivedError, ...], tuple[ReceivedDocument, ...]]:
    """Status, errors and documents of a RetrieveDocumentSetResponse (ITI TF-2 3.43.4.2.2)."""
    status, errors = parse_registry_response(body)
    return status, errors, tuple(_received_documents(body))


def _received_documents(body: etree._Element) -> Iterator[ReceivedDocument]:
    for element in body.iterchildren(f"{{{XDSB}}}DocumentResponse"):
        content = element.find(f"{{{XDSB}}}Document")
        part = DocumentPart("", None, "") if content is None else _document(content)
        repository, document, home, mime_type = (
            (element.findtext(f"{{{XDSB}}}{name}") or "").strip()
            for name in ("RepositoryUniqueId", "DocumentUniqueId", "HomeCommunityId", "mimeType")
        )
        yield ReceivedDocument(
            DocumentRequest(repository, document, home or None), mime_type, part.content_id, part.inline
        )


def _malformed(reason: str) -> SoapFault:
    return SoapFault(FaultCode.SENDER, reason, rule="xdsb.structure")
