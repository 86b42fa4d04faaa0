"""Messages as senders write them, and answers as readers see them."""

import base64
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha1
from typing import Any, NamedTuple

from lxml import etree

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_entry, make_set, make_submission
from xds_gateway.codec.mtom import MultipartRenderer
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.codec.soap import ANONYMOUS, SOAP12, WSA
from xds_gateway.codec.xdsb import (
    render_provide_request,
    render_query_request,
    render_register_request,
    render_remove_documents_request,
    render_remove_request,
    render_retrieve_request,
)
from xds_gateway.config.domains import DEMO_REPOSITORY_OID
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import (
    DocumentPart,
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    RemoveDocumentsRequest,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import DocumentEntry, Submission

from .raw import Response, call

NAMESPACES = {
    "s": SOAP12,
    "a": WSA,
    "e": "http://schemas.xmlsoap.org/soap/envelope/",
    "x": "urn:ihe:iti:xds-b:2007",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "q": "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "xop": "http://www.w3.org/2004/08/xop/include",
}
URN = "urn:ihe:iti:2007:"
ACTIONS = {
    "ITI-18": URN + "RegistryStoredQuery",
    "ITI-41": URN + "ProvideAndRegisterDocumentSet-b",
    "ITI-42": URN + "RegisterDocumentSet-b",
    "ITI-43": URN + "RetrieveDocumentSet",
    "ITI-62": "urn:ihe:iti:2010:DeleteDocumentSet",
    "ITI-86": "urn:ihe:iti:2017:RemoveDocuments",
    "ITI-51": "urn:ihe:iti:2009:MultiPatientStoredQuery",
    "ITI-57": "urn:ihe:iti:2010:UpdateDocumentSet",
    "ITI-61": "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry",
    "ITI-92": "urn:ihe:iti:2018:RestrictedUpdateDocumentSet",
    **{name: f"urn:hl7-org:v3:{name}" for name in ("PRPA_IN201301UV02", "PRPA_IN201302UV02", "PRPA_IN201304UV02")},
}
ENDPOINTS = {
    "ITI-18": "registry",
    "ITI-41": "repository",
    "ITI-42": "registry",
    "ITI-43": "repository",
    "ITI-51": "registry",
    "ITI-57": "registry",
    "ITI-61": "registry",
    "ITI-62": "registry",
    "ITI-86": "repository",
    "ITI-92": "responder",
    "PRPA_IN201301UV02": "patients",
    "PRPA_IN201302UV02": "patients",
    "PRPA_IN201304UV02": "patients",
}
PLAIN = "application/soap+xml; charset=UTF-8"
REPOSITORY = DEMO_REPOSITORY_OID
AUTHORITY = "1.3.6.1.4.1.21367.13.20.3000"


def new_oid() -> str:
    """An OID that nothing has."""
    return f"2.25.{uuid.uuid4().int}"


def new_patient() -> str:
    """A patient of this test alone."""
    return f"P{uuid.uuid4().hex}^^^&{AUTHORITY}&ISO"


def new_urn() -> str:
    """A MessageID or an entryUUID."""
    return uuid.uuid4().urn


class Message(NamedTuple):
    """One request: its endpoint, HTTP headers and body."""

    endpoint: str
    headers: Mapping[str, Any]
    body: bytes

    def replaced(self, old: bytes, new: bytes) -> "Message":
        """The same with some bytes changed; they must be there."""
        assert old in self.body
        return self._replace(body=self.body.replace(old, new))


# --- envelopes ----------------------------------------------------------------------------------------------------


def header_blocks(action: str, message_id: str) -> dict[str, str]:
    """The header blocks of an ordinary request, by name, in order."""
    return {
        "Action": f'<a:Action s:mustUnderstand="1">{action}</a:Action>',
        "MessageID": f"<a:MessageID>{message_id}</a:MessageID>",
        "ReplyTo": f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>",
        "To": '<a:To s:mustUnderstand="1">https://gateway.example/services</a:To>',
    }


def envelope(transaction: str, body: bytes, *, message_id: str | None = None, **blocks: str) -> bytes:
    """An envelope; `blocks` replace header blocks by name, add others, or leave one out when empty."""
    headers = header_blocks(ACTIONS[transaction], message_id or new_urn()) | blocks
    start = f'<s:Envelope xmlns:s="{SOAP12}" xmlns:a="{WSA}"><s:Header>{"".join(headers.values())}</s:Header><s:Body>'
    return start.encode() + body + b"</s:Body></s:Envelope>"


def plain(transaction: str, body: bytes, **blocks: Any) -> Message:
    """A request without MTOM."""
    return Message(ENDPOINTS[transaction], {"Content-Type": PLAIN}, envelope(transaction, body, **blocks))


class Part(NamedTuple):
    """An attachment as it goes on the wire."""

    content_id: str
    content: bytes
    media_type: str = "application/octet-stream"


def multipart(transaction: str, body: bytes, parts: Iterable[Part] = (), **blocks: Any) -> Message:
    """A request as MTOM."""
    renderer = MultipartRenderer(f"uuid:{uuid.uuid4()}")
    pieces = [renderer.root_head(), envelope(transaction, body, **blocks)]
    for part in parts:
        pieces += [renderer.part_head(part.content_id, part.media_type), part.content]
    pieces.append(renderer.closing())
    return Message(
        ENDPOINTS[transaction], {"Content-Type": renderer.content_type(ACTIONS[transaction])}, b"".join(pieces)
    )


# --- the four transactions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Provide:
    """A submission and its documents, by entry id."""

    submission: Submission
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def entry(self) -> DocumentEntry:
        """The first entry."""
        return self.submission.document_entries[0]

    @property
    def unique_ids(self) -> tuple[str, ...]:
        """uniqueIds of the documents, in order."""
        return tuple(entry.unique_id or "" for entry in self.submission.document_entries)

    def parts(self) -> tuple[Part, ...]:
        """Attachments, one for each document."""
        return tuple(Part(f"{identifier}@sender.example", content) for identifier, content in self.contents.items())

    def body(self) -> bytes:
        """The body of ITI-41 that refers to the attachments."""
        references = tuple(
            DocumentPart(identifier, f"{identifier}@sender.example", None) for identifier in self.contents
        )
        return render_provide_request(ProvideRequest(submission=self.submission, parts=references))

    def message(self, **blocks: Any) -> Message:
        """ITI-41 as MTOM."""
        return multipart("ITI-41", self.body(), self.parts(), **blocks)

    def inline_body(self) -> bytes:
        """The body of ITI-41 with base64 in it."""
        inline = tuple(
            DocumentPart(i, None, base64.b64encode(content).decode()) for i, content in self.contents.items()
        )
        return render_provide_request(ProvideRequest(submission=self.submission, parts=inline))

    def inline(self, **blocks: Any) -> Message:
        """ITI-41 with base64 in a plain envelope."""
        return plain("ITI-41", self.inline_body(), **blocks)


def entry_for(content: bytes, patient: str, number: int = 1, **changes: Any) -> DocumentEntry:
    """An entry that describes this content, with a uniqueId of its own."""
    slots = {"hash": sha1(content).hexdigest(), "size": str(len(content)), "repositoryUniqueId": None}
    return make_entry(
        number,
        slots={**slots, **changes.pop("slots", {})},
        identifiers={v.DE_PATIENT_ID: patient, v.DE_UNIQUE_ID: new_oid(), **changes.pop("identifiers", {})},
        home=None,
        **changes,
    )


def provide(*contents: bytes, patient: str | None = None, **changes: Any) -> Provide:
    """A good submission of these documents; `entries=` and what else make_submission takes."""
    patient = patient or new_patient()
    contents = contents or (b"A letter of " + uuid.uuid4().hex.encode(),)
    entries = tuple(changes.pop("entries", ())) or tuple(
        entry_for(content, patient, number) for number, content in enumerate(contents, 1)
    )
    submission_set = changes.pop("submission_set", None) or set_for(patient)
    submission = make_submission(entries=entries, submission_set=submission_set, **changes)
    return Provide(submission=submission, contents=dict(zip((e.id for e in entries), contents, strict=True)))


def set_for(patient: str, **changes: Any) -> Any:
    """A submission set with a uniqueId of its own."""
    identifiers = {v.SS_PATIENT_ID: patient, v.SS_UNIQUE_ID: new_oid(), **changes.pop("identifiers", {})}
    return make_set(identifiers=identifiers, home=None, **changes)


def replacement(target: str, content: bytes, patient: str, association_type: str = v.RPLC) -> Provide:
    """A document that replaces (or otherwise relates to) a registered entry."""
    made = provide(content, patient=patient)
    link = make_association(made.entry.id, target, association_type)
    associations = (*made.submission.associations, link)
    return replace(made, submission=replace(made.submission, associations=associations))


def register(submission: Submission, **blocks: Any) -> Message:
    """ITI-42."""
    return plain("ITI-42", render_register_request(submission), **blocks)


def registrable(patient: str | None = None, **changes: Any) -> Submission:
    """A submission for ITI-42, whose document another repository holds."""
    patient = patient or new_patient()
    slots = {"repositoryUniqueId": "1.3.6.1.4.1.21367.13.20.1"}
    entries = changes.pop("entries", None) or (entry_for(b"elsewhere", patient, slots=slots),)
    return make_submission(entries=entries, submission_set=set_for(patient), **changes)


Parameters = Mapping[str, str | Sequence[str]]


def query_body(name: str, parameters: Parameters | Sequence[tuple[str, Sequence[str]]], return_type: str) -> bytes:
    """The body of ITI-18; a parameter is one Value or several."""
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    slots = tuple((key, (value,) if isinstance(value, str) else tuple(value)) for key, value in pairs)
    return render_query_request(QueryRequest(query_id=QUERY_IDS[name], return_type=return_type, parameters=slots))


def query(name: str, parameters: Any, return_type: str = "LeafClass", **blocks: Any) -> Message:
    """ITI-18."""
    return plain("ITI-18", query_body(name, parameters, return_type), **blocks)


def multi_patient_query(name: str, parameters: Any, return_type: str = "LeafClass", **blocks: Any) -> Message:
    """ITI-51."""
    return plain("ITI-51", query_body(name, parameters, return_type), **blocks)


def find_documents(
    patient: str, return_type: str = "LeafClass", message_id: str | None = None, **parameters: str | Sequence[str]
) -> Message:
    """FindDocuments of a patient; Approved documents unless Status says otherwise."""
    named = {f"$XDSDocumentEntry{name}": value for name, value in parameters.items()}
    status = {"$XDSDocumentEntryStatus": f"('{v.APPROVED}')"}
    parameters = {"$XDSDocumentEntryPatientId": f"'{patient}'", **status, **named}
    return query("FindDocuments", parameters, return_type, message_id=message_id)


def retrieve_body(*unique_ids: str, repository: str = REPOSITORY) -> bytes:
    """The body of ITI-43."""
    return render_retrieve_request(RetrieveRequest(documents=tuple(DocumentRequest(repository, u) for u in unique_ids)))


def retrieve(*unique_ids: str, repository: str = REPOSITORY, **blocks: Any) -> Message:
    """ITI-43 as MTOM."""
    return multipart("ITI-43", retrieve_body(*unique_ids, repository=repository), **blocks)


def remove(*uuids: str, **blocks: Any) -> Message:
    """ITI-62."""
    return plain("ITI-62", render_remove_request(RemoveRequest(references=uuids)), **blocks)


def remove_documents(*unique_ids: str, repository: str = REPOSITORY, **blocks: Any) -> Message:
    """ITI-86."""
    documents = tuple(DocumentRequest(repository, unique_id) for unique_id in unique_ids)
    return plain("ITI-86", render_remove_documents_request(RemoveDocumentsRequest(documents=documents)), **blocks)


# --- answers ------------------------------------------------------------------------------------------------------


#   ITI TF-3 4.2.4.2: the namespace of a status, and whether it is PartialSuccess
_STATUS_TYPES = {
    ("urn:oasis:names:tc:ebxml-regrep:ResponseStatusType", False),
    ("urn:ihe:iti:2007:ResponseStatusType", True),
}


class Answer:
    """An answer read by other code than the gateway's."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.parts: dict[str, bytes] = {}
        self.multipart = response.content_type == "multipart/related"
        self.xml = self._split() if self.multipart else response.body
        self.root = etree.fromstring(self.xml)

    def _split(self) -> bytes:
        boundary = self.response.headers["content-type"].split('boundary="')[1].split('"')[0].encode()
        first, *parts, last = (b"\r\n" + self.response.body).split(b"\r\n--" + boundary)
        assert (first, last) == (b"", b"--\r\n")
        roots = []
        for part in parts:
            head, content = part.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
            headers = {
                name.lower(): value.strip()
                for name, value in (line.split(":", 1) for line in head.decode().split("\r\n"))
            }
            self.parts[headers["content-id"].strip("<>")] = content
            roots.append(content)
        return roots[0]

    def find(self, path: str) -> str | None:
        """The text of the first element of this path."""
        return self.root.findtext(path, namespaces=NAMESPACES)

    def all(self, path: str) -> list[etree._Element]:
        """All elements of this path."""
        return self.root.findall(path, namespaces=NAMESPACES)

    @property
    def action(self) -> str | None:
        """The wsa:Action of the answer."""
        return self.find("s:Header/a:Action")

    @property
    def relates_to(self) -> str | None:
        """The MessageID that it answers."""
        return self.find("s:Header/a:RelatesTo")

    @property
    def status(self) -> str:
        """Success, PartialSuccess or Failure; empty for a fault."""
        found = self.root.xpath("//*[@status][1]/@status", namespaces=NAMESPACES)
        response = self.root.find(".//rs:RegistryResponse", NAMESPACES)
        text = response.get("status", "") if response is not None else next(iter(found), "")
        prefix, _, name = text.rpartition(":")
        return name if (prefix, name == "PartialSuccess") in _STATUS_TYPES else ""

    @property
    def errors(self) -> list[str]:
        """Error codes, in order."""
        return [error.get("errorCode", "") for error in self.all(".//rs:RegistryError")]

    @property
    def contexts(self) -> list[str]:
        """What each error says."""
        return [error.get("codeContext", "") for error in self.all(".//rs:RegistryError")]

    @property
    def fault(self) -> str | None:
        """The local name of the fault code; None when it is no fault."""
        value = self.find("s:Body/s:Fault/s:Code/s:Value")
        return value.split(":")[1] if value else None

    @property
    def subcodes(self) -> list[str]:
        """Local names of the fault's subcodes, outermost first."""
        return [(value.text or "").split(":")[1] for value in self.all(".//s:Subcode/s:Value")]

    @property
    def entries(self) -> list[etree._Element]:
        """ExtrinsicObjects of a query answer."""
        return self.all(".//rim:ExtrinsicObject")

    @property
    def ids(self) -> list[str]:
        """Ids of the objects of a query answer, in order."""
        return [item.get("id", "") for item in self.all(".//rim:RegistryObjectList/*")]

    @property
    def documents(self) -> dict[str, bytes]:
        """Documents of ITI-43 by uniqueId, from attachments or from base64."""
        found = {}
        for item in self.all(".//x:DocumentResponse"):
            content = item.find("x:Document", NAMESPACES)
            assert content is not None
            include = content.find("xop:Include", NAMESPACES)
            unique_id = item.findtext("x:DocumentUniqueId", namespaces=NAMESPACES) or ""
            if include is None:
                found[unique_id] = base64.b64decode(content.text or "", validate=True)
            else:
                found[unique_id] = self.parts[include.get("href", "").removeprefix("cid:")]
        return found


def send(gateway: RunningGateway, message: Message, **how: Any) -> Answer:
    """Send a message and read its answer; `how` goes to raw.call."""
    mount = how.pop("mount", gateway.mount)
    return Answer(call(gateway, f"{mount}/{message.endpoint}", message.body, message.headers, **how))


def accepted(gateway: RunningGateway, provided: Provide, **how: Any) -> Provide:
    """Submit documents, which must succeed."""
    answer = send(gateway, provided.message(), **how)
    assert (answer.status, answer.contexts) == ("Success", [])
    return provided


def entry_uuid(gateway: RunningGateway, unique_id: str) -> str:
    """The entryUUID of a document."""
    answer = send(gateway, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{unique_id}')"}, "ObjectRef"))
    assert len(answer.ids) == 1
    return answer.ids[0]


def availability(gateway: RunningGateway, *unique_ids: str) -> list[str]:
    """Approved or Deprecated, for each document."""
    found = {}
    for unique_id in unique_ids:
        answer = send(gateway, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{unique_id}')"}))
        found[unique_id] = "+".join(e.get("status", "").rsplit(":", 1)[1] for e in answer.entries)
    return [found[unique_id] for unique_id in unique_ids]


def slot(item: etree._Element, name: str) -> list[str]:
    """The values of a slot."""
    return [value.text or "" for value in item.findall(f"rim:Slot[@name='{name}']/rim:ValueList/rim:Value", NAMESPACES)]
