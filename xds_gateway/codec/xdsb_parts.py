"""What the bodies of XDS.b share: documents, inline or attached, and messages that are none (XOP 1.0, 2)."""

from lxml import etree

from ..model.errors import FaultCode, SoapFault
from ..model.messages import DocumentPart, RetrievedDocument
from .mtom import content_id_of, render_href
from .namespaces import XOP
from .xml import elements

Piece = bytes | RetrievedDocument
"""A part of a rendered body: finished bytes, or a document whose bytes go here or into an attachment."""


def document_part(element: etree._Element) -> DocumentPart:
    """Read an xds:Document: base64 text, or an xop:Include (XOP 1.0, 2)."""
    includes = list(elements(element))
    identifier = element.get("id") or ""
    if not includes:
        return DocumentPart(identifier, None, element.text or "")
    text_beside = "".join((element.text or "", *(include.tail or "" for include in includes))).strip()
    if len(includes) != 1 or includes[0].tag != f"{{{XOP}}}Include" or text_beside:
        raise malformed("A Document holds base64 text or exactly one xop:Include (XOP 1.0, 2)")
    return DocumentPart(identifier, content_id_of(includes[0].get("href") or ""), None)


def render_include(content_id: str) -> bytes:
    """The xop:Include that stands for an attachment (XOP 1.0, 2.1)."""
    return f'<xop:Include xmlns:xop="{XOP}" href="{render_href(content_id)}"/>'.encode()


def malformed(reason: str) -> SoapFault:
    """The fault for a body that is not of its transaction."""
    return SoapFault(FaultCode.SENDER, reason, rule="xdsb.structure")
