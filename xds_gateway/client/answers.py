"""Answers of the gateway as the SDK's values or errors: envelopes, faults, error lists and entries."""

from collections.abc import Iterable
from typing import Final, TypeVar

from lxml import etree

from ..codec.ebrim import RIM, parse_objects
from ..codec.soap import SOAP12
from ..codec.xdsb import ReceivedError
from ..codec.xml import XmlLimits, parse
from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.errors import Finding, SoapFault
from ..model.metadata import Classification, DocumentEntry, LocalizedString, Submission
from .errors import Fault, Refused, RegistryError, UnexpectedAnswer
from .values import DocumentSummary, RelatedDocuments, Relation

# Answers are larger than requests: a query may return hundreds of entries.
_MIB: Final = 1024 * 1024
ANSWER_LIMITS: Final = XmlLimits(size=128 * _MIB, elements=5_000_000, namespaces=1_000_000, attribute_bytes=_MIB)

_BODY: Final = f"{{{SOAP12}}}Body"
_FAULT: Final = f"{{{SOAP12}}}Fault"
_ENVELOPE: Final = f"{{{SOAP12}}}Envelope"

T = TypeVar("T")


def read_answer_body(data: bytes, expected: str, *, status: int) -> etree._Element:
    """The one element in the Body of an answer; raises Fault for a SOAP fault, UnexpectedAnswer for anything else."""
    try:
        root = parse(data, ANSWER_LIMITS)
    except SoapFault as wrong:
        raise UnexpectedAnswer(f"the answer cannot be read: {wrong.reason}", status=status) from wrong
    body = root.find(_BODY) if root.tag == _ENVELOPE else None
    content = body[0] if body is not None and len(body) == 1 else None
    if content is None:
        raise UnexpectedAnswer("the answer is not a SOAP 1.2 envelope with one element in its Body", status=status)
    if content.tag == _FAULT:
        raise read_fault(content)
    if content.tag != expected:
        received = etree.QName(content).localname
        raise UnexpectedAnswer(f"the answer holds {received} instead of {expected}", status=status)
    return content


def read_fault(fault: etree._Element) -> Fault:
    """A SOAP 1.2 fault as an error, codes without their namespaces (SOAP 1.2 part 1, 5.4)."""
    values = [(value.text or "").strip().rpartition(":")[2] for value in fault.iter(f"{{{SOAP12}}}Value")]
    reason = fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text") or ""
    return Fault(values[0] if values else "", tuple(values[1:]), " ".join(reason.split()))


def check_status(status: str, errors: Iterable[ReceivedError]) -> tuple[RegistryError, ...]:
    """The warnings of a success; raises Refused for any other status (ITI TF-3 4.2.4)."""
    told = tuple(RegistryError(*error) for error in errors)
    if status != v.SUCCESS:
        raise Refused(_last_word(status) or "no status", told)
    return told


def read_documents(answer: etree._Element) -> tuple[DocumentSummary, ...]:
    """The entries of an AdhocQueryResponse, in answer order (ITI TF-2 3.18.4.1.3)."""
    return tuple(map(summarize, _objects(answer).document_entries))


def read_related(answer: etree._Element) -> RelatedDocuments:
    """The entries and associations of an AdhocQueryResponse."""
    objects = _objects(answer)
    relations = (Relation(_last_word(a.association_type), a.source, a.target) for a in objects.associations)
    return RelatedDocuments(documents=tuple(map(summarize, objects.document_entries)), relations=tuple(relations))


def _objects(answer: etree._Element) -> Submission:
    found = answer.find(f"{{{RIM}}}RegistryObjectList")
    ignored: list[Finding] = []  # what is no ebRIM in an answer is not ours to refuse
    return Submission() if found is None else parse_objects(found, ignored)


def summarize(entry: DocumentEntry) -> DocumentSummary:
    """A DocumentEntry as a reader wants it."""
    size = entry.size or ""
    return DocumentSummary(
        entry_uuid=entry.id,
        logical_id=entry.lid,
        unique_id=entry.unique_id,
        repository_unique_id=entry.repository_unique_id,
        home=entry.home,
        patient_id=entry.patient_id,
        source_patient_id=entry.slot_value("sourcePatientId"),
        title=_text(entry.name),
        comments=_text(entry.description),
        class_code=_first_code(entry, v.DE_CLASS_CODE),
        type_code=_first_code(entry, v.DE_TYPE_CODE),
        format_code=_first_code(entry, v.DE_FORMAT_CODE),
        healthcare_facility_type_code=_first_code(entry, v.DE_HEALTHCARE_FACILITY_TYPE_CODE),
        practice_setting_code=_first_code(entry, v.DE_PRACTICE_SETTING_CODE),
        confidentiality_codes=_codes(entry, v.DE_CONFIDENTIALITY_CODE),
        event_codes=_codes(entry, v.DE_EVENT_CODE_LIST),
        authors=tuple(map(_author, entry.codes(v.DE_AUTHOR))),
        legal_authenticator=entry.slot_value("legalAuthenticator"),
        creation_time=entry.slot_value("creationTime"),
        service_start_time=entry.slot_value("serviceStartTime"),
        service_stop_time=entry.slot_value("serviceStopTime"),
        language_code=entry.slot_value("languageCode"),
        mime_type=entry.mime_type,
        size=int(size) if size.isascii() and size.isdigit() else None,
        hash=entry.hash,
        status=_last_word(entry.status or "") or None,
        version=entry.version,
    )


def _author(author: Classification) -> Author:
    return Author(
        person=next(iter(author.slot_values("authorPerson")), None),
        institutions=author.slot_values("authorInstitution"),
        roles=author.slot_values("authorRole"),
        specialties=author.slot_values("authorSpecialty"),
        telecommunications=author.slot_values("authorTelecommunication"),
    )


def _codes(entry: DocumentEntry, scheme: str) -> tuple[Code, ...]:
    return tuple(Code(c.code or "", c.coding_scheme or "", _text(c.name) or "") for c in entry.codes(scheme))


def _first_code(entry: DocumentEntry, scheme: str) -> Code | None:
    return next(iter(_codes(entry, scheme)), None)


def _text(strings: tuple[LocalizedString, ...]) -> str | None:
    return strings[0].value if strings else None


def _last_word(urn: str) -> str:
    return urn.rpartition(":")[2]
