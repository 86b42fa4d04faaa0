"""Answers of the gateway as the SDK's values or errors: envelopes, faults, error lists and entries."""

from collections.abc import Iterable
from typing import Final, TypeVar

from lxml import etree

from ..codec.ebrim import RIM, parse_objects
from ..codec.soap import SOAP12
from ..codec.xdsb import ReceivedError
from ..codec.xml import XmlLimits, parse
from ..model import vocabulary as v
from ..model.errors import Finding, SoapFault
from ..model.metadata import Submission
from .errors import Fault, Refused, RegistryError, UnexpectedAnswer
from .registry_values import ObjectReference, QueryResult
from .summaries import last_word, summarize, summarize_association, summarize_folder, summarize_set
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
        raise Refused(last_word(status) or "no status", told)
    return told


def read_documents(answer: etree._Element) -> tuple[DocumentSummary, ...]:
    """The entries of an AdhocQueryResponse, in answer order (ITI TF-2 3.18.4.1.3)."""
    return tuple(map(summarize, read_objects(answer).document_entries))


def read_related(answer: etree._Element) -> RelatedDocuments:
    """The entries and associations of an AdhocQueryResponse."""
    objects = read_objects(answer)
    relations = (Relation(last_word(a.association_type) or "", a.source, a.target) for a in objects.associations)
    return RelatedDocuments(documents=tuple(map(summarize, objects.document_entries)), relations=tuple(relations))


def read_result(answer: etree._Element, warnings: tuple[RegistryError, ...] = ()) -> QueryResult:
    """Everything that an AdhocQueryResponse holds."""
    objects = read_objects(answer)
    return QueryResult(
        documents=tuple(map(summarize, objects.document_entries)),
        submission_sets=tuple(map(summarize_set, objects.submission_sets)),
        folders=tuple(map(summarize_folder, objects.folders)),
        associations=tuple(map(summarize_association, objects.associations)),
        references=tuple(ObjectReference(reference.id, reference.home) for reference in objects.object_refs),
        warnings=warnings,
    )


def read_objects(answer: etree._Element) -> Submission:
    """The objects of an AdhocQueryResponse with all that the registry keeps of them."""
    found = answer.find(f"{{{RIM}}}RegistryObjectList")
    ignored: list[Finding] = []  # what is no ebRIM in an answer is not ours to refuse
    return Submission() if found is None else parse_objects(found, ignored)
