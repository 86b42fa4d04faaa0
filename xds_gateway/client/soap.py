"""The SOAP client: zeep reads the WSDLs and makes typed requests, a transport of ours carries them.

zeep knows no substitution groups, so ebRIM bodies go out as rendered by our codec and answers are parsed by it; it has
no MTOM for requests and reads answers whole, so both directions are streamed here. Nothing else imports zeep.
"""

import binascii
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final
from uuid import UUID

from lxml import etree
from zeep import Client, Settings
from zeep.transports import Transport

from ..codec.capture_headers import insert_header
from ..codec.ebrim import QUERY, RS
from ..codec.soap import ANONYMOUS, DRY_RUN_HEADER, SOAP12, WSA, render_request_envelope
from ..codec.transactions import TRANSACTIONS
from ..codec.xdsb import (
    XDSB,
    ReceivedDocument,
    ReceivedError,
    parse_planned,
    parse_registry_response,
    parse_retrieve_response,
    render_provide_request,
)
from ..contracts import Actor, wsdl_path
from ..model.errors import GatewayError
from ..model.messages import DocumentRequest, PlannedEffect, ProvideRequest
from .answers import check_status, read_answer_body
from .errors import NOT_DRY, RegistryError, UnexpectedAnswer
from .http import HttpAnswer, HttpChannel
from .mtom import Attachment, DocumentReceiver, MtomMessage, read_envelope
from .queries import StoredQueryCall

_REGISTRY_BINDING: Final = f"{{{XDSB}}}DocumentRegistry_Binding_Soap12"
_REPOSITORY_BINDING: Final = f"{{{XDSB}}}DocumentRepository_Binding_Soap12"
_ROWS: Final = {row.name: row for row in TRANSACTIONS}

Exchange = AbstractContextManager[HttpAnswer]
Security = Callable[[], str]  # the Security header of one call, nothing without assertions


class _PlainTransport(Transport):
    """Gives zeep an exchange that begins when it is entered; nothing of a message is logged."""

    def __init__(self, channel: HttpChannel, security: Security) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._channel = channel
        self._security = security

    def post_xml(self, address: str, envelope: etree._Element, headers: dict[str, str]) -> Exchange:
        """What zeep calls with a finished envelope."""
        action = _complete_addressing(envelope)
        written = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        # as bytes: in a tree, lxml may give the names of an assertion other prefixes, which its signature covers
        secured = insert_header(written, self._security().encode())
        if secured is None:
            raise LookupError("zeep writes no Envelope")
        return self.send(address, secured, action)

    def send(self, address: str, envelope: bytes, action: str) -> Exchange:
        """Send an envelope."""
        return self._channel.post(address, envelope, f'application/soap+xml; charset=UTF-8; action="{action}"')


class _MtomTransport(_PlainTransport):
    """The same as a multipart message: who asks in MTOM is answered in MTOM (ITI TF-2 V.8)."""

    def __init__(self, channel: HttpChannel, security: Security, new_uuid: Callable[[], UUID]) -> None:
        super().__init__(channel, security)
        self._new_uuid = new_uuid

    def send(self, address: str, envelope: bytes, action: str) -> Exchange:
        """Send an envelope without attachments."""
        return self.send_with(address, envelope, (), action)

    def send_with(self, address: str, envelope: bytes, attachments: tuple[Attachment, ...], action: str) -> Exchange:
        """Send an envelope with its attachments."""
        message = MtomMessage(envelope, attachments, action, f"uuid-{self._new_uuid()}")
        return self._channel.post(address, message, message.content_type)


def _load(actor: Actor, transport: Transport) -> Any:
    settings = Settings(strict=False, raw_response=True)
    return Client(str(wsdl_path(actor)), transport=transport, settings=settings)  # type: ignore[no-untyped-call]


def _complete_addressing(envelope: etree._Element) -> str:
    """Add what zeep leaves out, mustUnderstand and ReplyTo, and tell the action (ITI TF-2 V.3.2)."""
    header = envelope.find(f"{{{SOAP12}}}Header")
    action = header.find(f"{{{WSA}}}Action") if header is not None else None
    if header is None or action is None:
        raise LookupError("the WSDL gives this operation no wsaw:Action")
    action.set(f"{{{SOAP12}}}mustUnderstand", "1")
    reply_to = etree.SubElement(header, f"{{{WSA}}}ReplyTo")
    etree.SubElement(reply_to, f"{{{WSA}}}Address").text = ANONYMOUS
    return action.text or ""


class SoapClient:
    """The transactions of a Document Source, a Document Consumer and a Document Administrator, as calls."""

    def __init__(
        self,
        registry_url: str,
        repository_url: str,
        channel: HttpChannel,
        new_uuid: Callable[[], UUID],
        security: Security,
    ) -> None:
        """Reads the WSDLs of the package; nothing is sent. `security` gives the Security header of each call."""
        self._repository_url = repository_url
        self._new_uuid = new_uuid
        self._registry_url = registry_url
        self._security = security
        self._plain = _PlainTransport(channel, security)
        self._mtom = _MtomTransport(channel, security, new_uuid)
        registry, repository = _load("registry", self._plain), _load("repository", self._mtom)
        self._registry_service = registry.create_service(_REGISTRY_BINDING, registry_url)
        self._repository_service = repository.create_service(_REPOSITORY_BINDING, repository_url)
        self._provide_action: str = (
            repository.wsdl.bindings[_REPOSITORY_BINDING].get(_ROWS["ITI-41"].operation).soapaction
        )

    def query(self, call: StoredQueryCall) -> etree._Element:
        """A stored query with returnType LeafClass: the AdhocQueryResponse; raises Refused (ITI TF-2 3.18)."""
        body, _ = self.ask(call, "LeafClass")
        return body

    def ask(self, call: StoredQueryCall, return_type: str) -> tuple[etree._Element, tuple[RegistryError, ...]]:
        """A stored query: the AdhocQueryResponse, and the warnings of a success; raises Refused (3.18, 3.51)."""
        slots = [{"name": name, "ValueList": {"Value": list(values)}} for name, values in call.parameters]
        exchange: Exchange = self._registry_service[_ROWS[call.transaction].operation](
            ResponseOption={"returnType": return_type, "returnComposedObjects": True},
            AdhocQuery={"id": call.query_id, "Slot": slots},
        )
        with exchange as answer:
            body = read_answer_body(read_envelope(answer), f"{{{QUERY}}}AdhocQueryResponse", status=answer.status)
        return body, check_status(*_registry_response(body))

    def administer(self, transaction: str, body: bytes) -> tuple[RegistryError, ...]:
        """ITI-57, ITI-62 or ITI-86 with this body, plain: the warnings of a success; raises Refused."""
        row = _ROWS[transaction]
        address = self._repository_url if row.endpoint == "repository" else self._registry_url
        action = row.request_action
        envelope = render_request_envelope(action, address, body, self._new_uuid().urn, headers=self._security())
        with self._plain.send(address, envelope, action) as answer:
            told = read_answer_body(read_envelope(answer), f"{{{RS}}}RegistryResponse", status=answer.status)
        return check_status(*_registry_response(told))

    def provide(self, request: ProvideRequest, attachments: tuple[Attachment, ...]) -> tuple[RegistryError, ...]:
        """ITI-41: the warnings of a success; raises Refused (ITI TF-2 3.41)."""
        return check_status(*_registry_response(self._provided(request, attachments, "")))

    def rehearse(
        self, request: ProvideRequest, attachments: tuple[Attachment, ...]
    ) -> tuple[tuple[RegistryError, ...], tuple[PlannedEffect, ...]]:
        """ITI-41 as a dry run: warnings, and what would happen; raises Refused."""
        body = self._provided(request, attachments, DRY_RUN_HEADER)
        warnings, planned = check_status(*_registry_response(body)), parse_planned(body)
        if planned is None:
            raise UnexpectedAnswer(NOT_DRY)
        return warnings, planned

    def _provided(self, request: ProvideRequest, attachments: tuple[Attachment, ...], headers: str) -> etree._Element:
        action, url = self._provide_action, self._repository_url
        body = render_provide_request(request)
        headers = self._security() + headers
        envelope = render_request_envelope(action, url, body, self._new_uuid().urn, headers=headers)
        with self._mtom.send_with(url, envelope, attachments, action) as answer:
            return read_answer_body(read_envelope(answer), f"{{{RS}}}RegistryResponse", status=answer.status)

    def retrieve(self, request: DocumentRequest, receiver: DocumentReceiver) -> ReceivedDocument:
        """ITI-43 of one document: its bytes go to the receiver; what else is said. Raises Refused (ITI TF-2 3.43)."""
        asked = {"RepositoryUniqueId": request.repository_unique_id, "DocumentUniqueId": request.document_unique_id}
        if request.home:
            asked["HomeCommunityId"] = request.home
        exchange: Exchange = self._repository_service[_ROWS["ITI-43"].operation](DocumentRequest=[asked])
        with exchange as answer:
            envelope = read_envelope(answer, receiver)
            body = read_answer_body(envelope, f"{{{XDSB}}}RetrieveDocumentSetResponse", status=answer.status)
        return _check_retrieved(body, receiver)


def _registry_response(body: etree._Element) -> tuple[str, tuple[ReceivedError, ...]]:
    try:
        return parse_registry_response(body)
    except ValueError as wrong:
        raise UnexpectedAnswer(str(wrong)) from wrong


def _check_retrieved(body: etree._Element, receiver: DocumentReceiver) -> ReceivedDocument:
    """The one document; its bytes are the attachment that the envelope names, or stand in it."""
    try:
        status, errors, documents = parse_retrieve_response(body)
    except (ValueError, GatewayError) as wrong:
        raise UnexpectedAnswer(str(wrong)) from wrong
    check_status(status, errors)
    if len(documents) != 1:
        raise UnexpectedAnswer(f"the answer to one document request has {len(documents)} documents")
    (document,) = documents
    if document.inline is not None and receiver.content_id is None:
        receiver.write(_decoded(document.inline))
    elif document.content_id != receiver.content_id:
        raise UnexpectedAnswer("the document of the answer is not the attachment that came with it")
    return document


def _decoded(inline: str) -> bytes:
    try:
        return binascii.a2b_base64("".join(inline.split()), strict_mode=True)
    except binascii.Error as wrong:
        raise UnexpectedAnswer("the document of the answer is not base64") from wrong
