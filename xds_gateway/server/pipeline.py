"""The path: from a request to its response, in one readable order (docs/life-of-a-submission.md).

    receive the root part -> envelope -> who calls -> which transaction -> parse -> admit
    -- admitted: only now are attachments taken --
    receive attachments -> perform -> render -> send

Every failure becomes an answer in one place, `_failure`.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeVar

from lxml import etree

from ..actors.node_authentication import MESSAGE, Failure
from ..actors.permissions import check_request
from ..codec import soap
from ..codec.transactions import Stamp, TransactionRow, transaction_for
from ..codec.xml import XmlLimits, parse
from ..model.errors import (
    DocumentDamaged,
    FaultCode,
    Finding,
    GatewayError,
    HttpRefused,
    RequestRefused,
    SoapFault,
    StorageBusy,
    StorageFull,
)
from ..model.feeds import FeedMessage, Wrapper
from ..model.messages import ProvideRequest, Request, RetrievedDocument
from ..model.nodes import NodeReason
from ..model.principal import Access, Call, Principal, User
from ..rules.hints import hinted
from ..rules.ihe import finding
from ..rules.unable import service_finding
from ..security.certificates import principal_of
from ..security.refusals import RULES, SENTENCES, AuthenticationRefused
from ..security.wss import SecuredMessage
from .answering import compose, send
from .exchange import ClientGone, HttpRequest, HttpResponse
from .mounts import MountedDomain
from .provided import spooled, wanted
from .receiving import Attachment, IncomingMessage, ReceivingLimits, Run, discard, receive_message
from .soap import SoapServices

T = TypeVar("T")
_SHORT = 128 * 1024  # bytes of an envelope whose work does not hold up other requests
_log = logging.getLogger("xds_gateway.request")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLimits:
    """What is read of a message, and the largest document inside an envelope (bytes)."""

    xml: XmlLimits
    receiving: ReceivingLimits
    inline_document: int


@dataclass(slots=True)
class _Exchange:
    """What is known so far of one request, for its answer and its log line."""

    request: HttpRequest
    mount: MountedDomain
    endpoint: str
    started: float
    message_id: str | None = None
    mtom: bool = False
    row: TransactionRow | None = None
    call: Call | None = None
    asked: Request | FeedMessage[Wrapper] | None = None  # the request, once it is read
    codes: tuple[str, ...] = field(default=())


class Pipeline:
    """Answers SOAP requests; what takes long or waits for a disk never holds up the event loop."""

    def __init__(
        self,
        *,
        services: SoapServices,
        limits: PipelineLimits,
        run: Run,
        run_apart: Run,
        now: Callable[[], str],
        new_uuid: Callable[[], str],
        sender_fault_status: int,
        identify: Callable[[bytes | None, str], Principal] = principal_of,
        count: Callable[[Failure], None] = lambda failure: None,
    ) -> None:
        """`run(function, *arguments)` awaits a function that may wait for disks, `run_apart` one that takes long.

        `now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`; `identify` says whose a
        verified certificate is, at an address; `count` is told on the event loop who was refused before there was
        anything that the audit could tell.
        """
        self._services = services
        self._limits = limits
        self._run = run
        self._run_apart = run_apart
        self._now = now
        self._new_uuid = new_uuid
        self._sender_fault_status = sender_fault_status
        self._identify = identify
        self._count = count

    async def answer(self, request: HttpRequest, mount: MountedDomain, endpoint: str) -> HttpResponse:
        """The response to one SOAP request. Raises ClientGone only."""
        exchange = _Exchange(request, mount, endpoint, time.perf_counter())
        try:
            response = await self._process(exchange)
        except ClientGone:
            self._log(exchange, "client gone", 0)
            raise
        except Exception as failure:  # noqa: BLE001 - each becomes an answer
            if exchange.call is None:
                self._count_refused(exchange, failure)
            response = await self._run(self._failure, exchange, failure)
        self._log(exchange, "refused" if exchange.codes else "done", response.status)
        return response

    async def _process(self, exchange: _Exchange) -> HttpResponse:
        self._refuse_strangers(exchange)
        message = await receive_message(exchange.request, self._limits.receiving)
        exchange.mtom = message.mtom
        run = self._run if len(message.root) <= _SHORT else self._run_apart
        if message.whole:
            return await run(self._process_whole, exchange, message)  # type: ignore[no-any-return]
        request = await run(self._admit, exchange, message)
        attachments = await message.receive_attachments(wanted(request), exchange.mount.documents, self._run_apart)
        return await run(self._perform, exchange, request, attachments)  # type: ignore[no-any-return]

    def _process_whole(self, exchange: _Exchange, message: IncomingMessage) -> HttpResponse:
        """The same for a message that is in memory: one visit to the workers instead of two."""
        request = self._admit(exchange, message)
        attachments = message.take_attachments(wanted(request), exchange.mount.documents)
        return self._perform(exchange, request, attachments)

    def _refuse_strangers(self, exchange: _Exchange) -> None:
        if exchange.mount.certificate_required and exchange.request.certificate is None:
            raise HttpRefused(403, "This endpoint needs a client certificate: use a listener with mutual TLS")

    def _count_refused(self, exchange: _Exchange, failure: Exception) -> None:
        """Whoever can reach the port can send such messages without end, so they are counted."""
        request = exchange.request
        node = self._identify(request.certificate, request.address).node if request.certificate else None
        if isinstance(failure, SoapFault):
            self._count(Failure(failure.rule, request.address, node, MESSAGE))
        elif isinstance(failure, HttpRefused) and failure.status == HTTPStatus.FORBIDDEN:
            self._count(Failure(NodeReason.NO_CERTIFICATE, request.address, node))
        elif isinstance(failure, HttpRefused):
            self._count(Failure(f"http.{failure.status}", request.address, node, MESSAGE))

    # -- first phase: everything that can refuse, before a document is taken

    def _admit(self, exchange: _Exchange, message: IncomingMessage) -> Request | FeedMessage[Wrapper]:
        root = parse(message.root, self._limits.xml, charset=message.charset)
        try:
            envelope = soap.parse_envelope(root)
        except SoapFault:
            exchange.message_id = soap.message_id_of(root)
            raise
        exchange.message_id = envelope.message_id
        if envelope.dry_run and not exchange.mount.dry_run:
            raise soap.dry_run_not_allowed()
        row = transaction_for(exchange.endpoint, envelope.action, str(envelope.body.tag))
        exchange.row = row
        node = Call(
            principal=self._identify(exchange.request.certificate, exchange.request.address),
            access=Access.nothing(exchange.mount.domain),
            transaction=row.name,
            message_id=envelope.message_id,
            dry_run=envelope.dry_run,
        )
        exchange.call = node
        user = self._user(exchange, SecuredMessage(envelope.security, message.root, message.charset))
        principal = node.principal._replace(user=user)
        exchange.call = node._replace(principal=principal, access=exchange.mount.access(principal))
        request: Request | FeedMessage[Wrapper] = self._services.dispatch(
            row, envelope.body, lambda r, b: self._read(exchange, r, b)
        )
        return request

    def _user(self, exchange: _Exchange, message: SecuredMessage) -> User | None:
        """Who acts at the node, where the mount asks for that (ITI-40)."""
        users = exchange.mount.users
        if users is not None:
            return users.authenticate(message, exchange.request.certificate)
        if len(message.headers) > 1:
            raise soap.security_fault("wss.security", "InvalidSecurity", RULES["wss.security"].sentence)
        return None

    def _read(self, exchange: _Exchange, row: TransactionRow, body: etree._Element) -> Request | FeedMessage[Wrapper]:
        findings: list[Finding] = []
        request = exchange.asked = row.parse(body, findings)
        check_request(_known(exchange.call), request)
        admit = getattr(exchange.mount.actor(row.actor), f"admit_{row.actor_method}")
        admit(exchange.call, request, tuple(findings))
        return request

    # -- second phase: documents are on the spool

    def _perform(
        self, exchange: _Exchange, request: Request | FeedMessage[Wrapper], attachments: Mapping[str, Attachment]
    ) -> HttpResponse:
        row, mount = _known(exchange.row), exchange.mount
        perform = getattr(mount.actor(row.actor), row.actor_method)
        if not isinstance(request, ProvideRequest):
            return self._respond(exchange, row, perform(exchange.call, request))
        taken = dict(attachments)
        try:
            documents = spooled(request, taken, mount.documents, self._limits.inline_document)
            return self._respond(exchange, row, perform(exchange.call, request, documents))
        finally:
            discard(taken)

    # -- answers

    def _respond(self, exchange: _Exchange, row: TransactionRow, response: Any) -> HttpResponse:
        exchange.codes = tuple(dict.fromkeys([f.audited for f in response.findings]))
        try:
            return self._rendered(exchange, row, response)
        except DocumentDamaged as damaged:
            rule = self._lost(exchange, damaged)
            return self._respond(exchange, row, _without(response, damaged, rule))

    def _rendered(self, exchange: _Exchange, row: TransactionRow, response: Any) -> HttpResponse:
        message_id = self._new_uuid()
        boundary = f"uuid:{message_id.removeprefix('urn:uuid:')}" if exchange.mtom and row.wire == "mtom" else None
        answer = compose(
            row.render(response, Stamp(message_id, self._now())),
            action=row.response_action,
            message_id=message_id,
            relates_to=exchange.message_id,
            boundary=boundary,
        )
        passing = [d.document.key for d in getattr(response, "documents", ()) if d.transient]
        sent = send(answer, exchange.mount.documents, self._run_apart)
        if sent.stream is None:
            if passing:
                exchange.mount.documents.remove(passing)
            return sent
        return sent._replace(stream=self._watched(exchange, sent.stream, passing))

    async def _watched(
        self, exchange: _Exchange, stream: AsyncIterator[bytes], passing: Sequence[str]
    ) -> AsyncIterator[bytes]:
        """The stream; documents that are only `passing` (their keys) go with it, or with the sweep of orphans."""
        try:
            async for chunk in stream:
                yield chunk
        except DocumentDamaged as damaged:
            await self._run(self._lost, exchange, damaged)
            raise
        finally:
            if passing:
                await self._run(exchange.mount.documents.remove, passing)

    def _lost(self, exchange: _Exchange, damaged: DocumentDamaged) -> str:
        """Tell the operator and the audit, whatever the caller is told; the rule that says what became of the bytes.

        A document that was removed after it was found is not here, as if it had been asked for a moment later.
        """
        rule = "ihe.document.damaged"
        if exchange.mount.actors.repository.removed(damaged.key):
            rule = "ihe.retrieve.document"
        else:
            _log.critical("document damaged", extra={"document": damaged.key, "chunk": damaged.chunk})
        self._record_refusal(exchange, (finding(rule).audited,))
        return rule

    def _failure(self, exchange: _Exchange, failure: Exception) -> HttpResponse:
        """The one place where a failure becomes an answer: refused, unreadable, or ours."""
        if isinstance(failure, RequestRefused):
            return self._refused(exchange, failure.findings)
        if isinstance(failure, HttpRefused):
            self._record_refusal(exchange, (f"http.{failure.status}",))
            exchange.codes = (str(failure.status),)
            return _plain(failure.status, failure.reason, failure.headers)
        if isinstance(failure, SoapFault):
            self._record_refusal(exchange, (failure.rule,))
            return self._fault(exchange, failure)
        if isinstance(failure, AuthenticationRefused):
            return self._not_authenticated(exchange, failure)
        if isinstance(failure, StorageFull | StorageBusy):
            busy = isinstance(failure, StorageBusy)
            return self._refused(exchange, (service_finding(exchange.endpoint, "busy" if busy else "full"),))
        _log.error("failed", exc_info=failure, extra={"message_id": exchange.message_id})
        return self._broken(exchange)

    def _refused(self, exchange: _Exchange, findings: tuple[Finding, ...]) -> HttpResponse:
        row = _known(exchange.row)
        self._record_refusal(exchange, [each.audited for each in findings])
        return self._respond(exchange, row, row.outcome.refused(exchange.asked, tuple(map(hinted, findings))))

    def _record_refusal(self, exchange: _Exchange, codes: Sequence[str]) -> None:
        """Tell the audit; what was refused before its transaction was known is counted (`_count_refused`)."""
        if exchange.call is None:
            return
        try:
            exchange.mount.actors.registry.record_refusal(exchange.call, codes, exchange.asked)
        except GatewayError as unrecorded:  # nothing was given away: the refusal stands
            _log.error("refusal not in the journal", exc_info=unrecorded, extra={"message_id": exchange.message_id})

    def _not_authenticated(self, exchange: _Exchange, refused: AuthenticationRefused) -> HttpResponse:
        """The fault of WS-Security; why it was is told to the audit, the log, and testers (ITI TF-2 3.40.4.1.3)."""
        try:
            _known(exchange.mount.users).record_refusal(_known(exchange.call), refused)
        except GatewayError as unrecorded:  # nothing was given away: the refusal stands
            _log.error("refusal not in the journal", exc_info=unrecorded, extra={"message_id": exchange.message_id})
        if refused.rule == "saml.notYet":
            _log.warning("an assertion of a trusted issuer is not yet valid: compare the clocks")
        reason = refused.explained if exchange.mount.tell_refusals else SENTENCES[refused.fault]
        return self._fault(exchange, soap.security_fault(refused.rule, refused.fault.value, reason))

    def _fault(self, exchange: _Exchange, fault: SoapFault) -> HttpResponse:
        exchange.codes = (fault.rule,)
        if fault.rule == soap.SOAP11_RULE:
            return HttpResponse(
                status=500,
                headers=(("Content-Type", "text/xml; charset=UTF-8"),),
                content=soap.render_soap11_version_mismatch(),
            )
        status = self._sender_fault_status if fault.code is FaultCode.SENDER else 500
        content = soap.render_fault(fault, self._new_uuid(), exchange.message_id)
        return HttpResponse(
            status=status, headers=(("Content-Type", "application/soap+xml; charset=UTF-8"),), content=content
        )

    def _broken(self, exchange: _Exchange) -> HttpResponse:
        if exchange.row is None or exchange.call is None:
            fault = SoapFault(FaultCode.RECEIVER, "The gateway failed; its log says why", rule="gateway.failed")
            return self._fault(exchange, fault)
        return self._refused(exchange, (service_finding(exchange.endpoint, "failed"),))

    def _log(self, exchange: _Exchange, outcome: str, status: int) -> None:
        if not _log.isEnabledFor(logging.INFO):
            return
        _log.info(
            outcome,
            extra={
                "message_id": exchange.message_id,
                "transaction": exchange.row.name if exchange.row else None,
                "status": status,
                "codes": exchange.codes,
                "milliseconds": round((time.perf_counter() - exchange.started) * 1000, 1),
            },
        )


def _known(value: T | None) -> T:
    if value is None:
        raise AssertionError("a request is refused before its transaction is known")
    return value


def _without(response: Any, damaged: DocumentDamaged, rule: str) -> Any:
    """The answer without a document that is damaged or removed, and one error of this rule for it."""
    lost = [d for d in response.documents if d.document.key == damaged.key]
    findings = tuple(finding(rule, received=d.request.document_unique_id) for d in lost)
    kept: tuple[RetrievedDocument, ...] = tuple(d for d in response.documents if d.document.key != damaged.key)
    return replace(response, documents=kept, findings=(*response.findings, *findings))


def _plain(status: int, reason: str, headers: tuple[tuple[str, str], ...]) -> HttpResponse:
    return HttpResponse(
        status=status, headers=(("Content-Type", "text/plain; charset=UTF-8"), *headers), content=f"{reason}\n".encode()
    )
