"""Metadata that a CDA R2 header already tells, so that nobody types it twice (HL7 CDA R2, 4.2; ITI TF-3 4.2.3.2).

Only the header is read: parsing stops where the body begins, so a large document costs no memory. What a header lacks
stays unknown, and `DocumentMetadata.missing` names it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, cast

from lxml import etree

from ..model.datatypes import Code
from .cda_codes import find_class, find_format
from .cda_persons import (
    V3,
    attribute,
    find,
    find_all,
    render_author,
    render_patient_ids,
    render_patient_info,
    render_xcn,
    text_of,
)
from .errors import NotACdaDocument
from .values import DocumentMetadata

_CHUNK: Final = 64 * 1024
_HEADER_LIMIT: Final = 8 * 1024 * 1024  # bytes before the body; no header is near
_STYLESHEET: Final = "{http://www.w3.org/1999/XSL/Transform}stylesheet"
_TS: Final = re.compile(r"(\d{4,14})(?:\.\d+)?([+-]\d{4})?")
_FORMATS: Final = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CdaHeader:
    """A CDA header read: metadata of the entry, patient ids as CX (a national one first), and versioning.

    `replaces` are the ids of parent documents of type RPLC.
    """

    metadata: DocumentMetadata
    patient_ids: tuple[str, ...]
    set_id: str | None
    version_number: str | None
    replaces: tuple[str, ...]


def read_cda(source: Path | bytes) -> CdaHeader:
    """Read the header of a CDA R2 document, self-presentable ones included; raises NotACdaDocument.

    >>> read_cda(Path("report.xml")).metadata.title          # doctest: +SKIP
    'Compte rendu'
    """
    with _opened(source) as stream:
        document, body_media_type = _parse_header(stream)
    role = find(document, "recordTarget/patientRole")
    patient_ids = render_patient_ids(role)
    return CdaHeader(
        metadata=_metadata(document, body_media_type, role, patient_ids),
        patient_ids=patient_ids,
        set_id=_identifier(find(document, "setId")),
        version_number=attribute(find(document, "versionNumber"), "value"),
        replaces=tuple(_parents(document)),
    )


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    else:
        with source.open("rb") as stream:
            yield stream


def _parse_header(stream: BinaryIO) -> tuple[etree._Element, str | None]:
    """The ClinicalDocument as far as its body, and the media type of an unstructured body."""
    document: etree._Element | None = None
    for element in _starting(stream):
        document = _check_start(element) if document is None else document
        if document is not None and (media_type := _body_began(element)) is not None:
            return document, media_type or None
    if document is None:
        raise NotACdaDocument("there is no ClinicalDocument of urn:hl7-org:v3 in it")
    return document, None


def _starting(stream: BinaryIO) -> Iterator[etree._Element]:
    """The elements in document order, each when its start is read; raises NotACdaDocument where the XML breaks."""
    parser = etree.XMLPullParser(
        ("start",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        broken = _feed(parser, chunk)
        yield from (cast(etree._Element, element) for _, element in parser.read_events())
        if broken or stream.tell() > _HEADER_LIMIT:
            raise NotACdaDocument(f"not well-formed XML: {broken}" if broken else "its header has no end")
    try:
        parser.close()
    except etree.XMLSyntaxError as wrong:
        raise NotACdaDocument(f"not well-formed XML: {wrong.msg}") from None


def _feed(parser: etree.XMLPullParser, chunk: bytes) -> str | None:
    try:
        parser.feed(chunk)
    except etree.XMLSyntaxError as wrong:
        return wrong.msg
    return None


def _check_start(element: etree._Element) -> etree._Element | None:
    """The element when it is the ClinicalDocument; refuses a DOCTYPE and a root that cannot hold one."""
    if element.getroottree().docinfo.internalDTD is not None:
        raise NotACdaDocument("a document type declaration is not accepted")
    if element.tag == V3 + "ClinicalDocument":
        return element
    if element.getparent() is None and element.tag != _STYLESHEET:
        raise NotACdaDocument(f"its root element is {etree.QName(element).localname}, not ClinicalDocument")
    return None


def _body_began(element: etree._Element) -> str | None:
    """None before the body; then the media type of a nonXMLBody, empty for a structured one."""
    if element.tag == V3 + "structuredBody":
        return ""
    parent = element.getparent()
    if element.tag == V3 + "text" and parent is not None and parent.tag == V3 + "nonXMLBody":
        return element.get("mediaType", "")
    return None


def _metadata(
    document: etree._Element, body_media_type: str | None, role: etree._Element | None, patient_ids: tuple[str, ...]
) -> DocumentMetadata:
    type_code = _code(find(document, "code"))
    confidentiality = _code(find(document, "confidentialityCode"))
    acts = find_all(document, "documentationOf/serviceEvent")
    start, stop = _service_times(acts[0] if acts else None)
    return DocumentMetadata(
        title=text_of(find(document, "title")) or None,
        mime_type="application/xslt+xml" if document.getroottree().getroot().tag == _STYLESHEET else "text/xml",
        unique_id=_identifier(find(document, "id")),
        creation_time=to_utc(attribute(find(document, "effectiveTime"), "value")),
        service_start_time=start,
        service_stop_time=stop,
        language_code=attribute(find(document, "languageCode"), "code"),
        class_code=find_class(type_code) if type_code else None,
        type_code=type_code,
        format_code=find_format(tuple(t.get("root", "") for t in find_all(document, "templateId")), body_media_type),
        healthcare_facility_type_code=_code(
            find(document, "componentOf/encompassingEncounter/location/healthCareFacility/code")
        ),
        practice_setting_code=_first_code(
            find_all(
                document,
                "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode",
            )
        ),
        confidentiality_codes=(confidentiality,) if confidentiality else (),
        event_codes=_event_codes(acts),
        authors=tuple(map(render_author, find_all(document, "author"))),
        legal_authenticator=render_xcn(find(document, "legalAuthenticator/assignedEntity")),
        source_patient_id=next(iter(patient_ids[1:2] or patient_ids), None),
        source_patient_info=render_patient_info(role),
    )


def _identifier(identifier: etree._Element | None) -> str | None:
    """A CDA II as a uniqueId: `root` or `root^extension` (ITI TF-3 4.2.3.2.26)."""
    root, extension = attribute(identifier, "root"), attribute(identifier, "extension")
    return f"{root}^{extension}" if root and extension else root


def _code(element: etree._Element | None) -> Code | None:
    """A coded value that has both code and coding scheme; a nullFlavor is unknown."""
    code, scheme = attribute(element, "code"), attribute(element, "codeSystem")
    return Code(code, scheme, attribute(element, "displayName") or code) if code and scheme else None


def _first_code(elements: list[etree._Element]) -> Code | None:
    return next(filter(None, map(_code, elements)), None)


def _event_codes(acts: list[etree._Element]) -> tuple[Code, ...]:
    elements = [e for act in acts for e in (*find_all(act, "code"), *find_all(act, "code/translation"))]
    by_value = {(c.code, c.scheme): c for c in map(_code, reversed(elements)) if c}
    return tuple(reversed(by_value.values()))


def _service_times(act: etree._Element | None) -> tuple[str | None, str | None]:
    time = find(act, "effectiveTime")
    low = attribute(find(time, "low"), "value") or attribute(time, "value")
    return to_utc(low), to_utc(attribute(find(time, "high"), "value"))


def _parents(document: etree._Element) -> Iterator[str]:
    for related in find_all(document, "relatedDocument"):
        parent = _identifier(find(related, "parentDocument/id"))
        if related.get("typeCode") == "RPLC" and parent:
            yield parent


def to_utc(timestamp: str | None) -> str | None:
    """An HL7 v3 TS as DTM in UTC of the same precision; None when it is absent or no timestamp (ITI TF-3 4.2.3.1.7).

    Without an offset, or without an hour, it is kept as written.

    >>> to_utc("20230209113000+0100")
    '20230209103000'
    """
    matched = _TS.fullmatch(timestamp or "")
    if matched is None or len(matched[1]) not in _FORMATS:
        return None
    digits, offset = matched.groups()
    try:
        written = datetime.strptime(f"{digits} {offset or '+0000'}", f"{_FORMATS[len(digits)]} %z")
    except ValueError:
        return None
    return written.astimezone(UTC).strftime(_FORMATS[len(digits)]) if len(digits) >= 10 else digits
