"""The bodies of ITI-41 and ITI-42 (ITI TF-2 3.41, 3.42)."""

from typing import Final

from lxml import etree

from ..model.errors import Finding
from ..model.messages import DocumentPart, ProvideRequest, RegisterRequest
from ..model.metadata import Submission
from .ebrim import parse_submission, render_submission
from .namespaces import LCM, XDSB
from .xdsb_parts import document_part, malformed, render_include
from .xml import elements, escape

PROVIDE_REQUEST: Final = f"{{{XDSB}}}ProvideAndRegisterDocumentSetRequest"
REGISTER_REQUEST: Final = f"{{{LCM}}}SubmitObjectsRequest"


def parse_provide_request(body: etree._Element, findings: list[Finding]) -> ProvideRequest:
    """Read ProvideAndRegisterDocumentSetRequest (ITI TF-2 3.41.4.1.2)."""
    submissions = body.findall(REGISTER_REQUEST)
    if len(submissions) != 1:
        raise malformed(
            f"ProvideAndRegisterDocumentSetRequest holds exactly one SubmitObjectsRequest, not {len(submissions)}"
        )
    for child in elements(body):
        if child.tag not in (REGISTER_REQUEST, f"{{{XDSB}}}Document"):
            raise malformed(
                f"Element {etree.QName(child).localname[:80]} has no place in ProvideAndRegisterDocumentSetRequest"
            )
    return ProvideRequest(
        submission=parse_submission(submissions[0], findings),
        parts=tuple(document_part(part) for part in body.findall(f"{{{XDSB}}}Document")),
    )


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
