"""Requests as the edge hands them over, and answers read as a caller reads them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lxml import etree

from tests.unit.domains import NOW, Domain
from xds_gateway.actors.ports import Spool
from xds_gateway.actors.x_service_provider import XServiceProvider
from xds_gateway.codec.mtom import MULTIPART, MimeLimits, MultipartParser, MultipartRenderer, PartBegin, PartData
from xds_gateway.codec.mtom import parse_content_type as parse_type
from xds_gateway.codec.soap import SOAP12, WSA, render_request_envelope
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.codec.xml import XmlLimits
from xds_gateway.model.messages import StoredDocument
from xds_gateway.model.principal import Access, Principal
from xds_gateway.server.exchange import HttpRequest, HttpResponse
from xds_gateway.server.mounts import MountedDomain
from xds_gateway.server.pipeline import Pipeline, PipelineLimits
from xds_gateway.server.receiving import ReceivingLimits
from xds_gateway.server.soap import SoapServices

T = TypeVar("T")
BOUNDARY = "uuid:11111111-2222-4333-8444-555555555555"
MESSAGE_ID = "urn:uuid:99999999-0000-4000-8000-000000000000"
LIMITS = PipelineLimits(
    xml=XmlLimits(),
    receiving=ReceivingLimits(envelope=1 << 20, document=4 << 20, body=16 << 20, mime=MimeLimits()),
    inline_document=4096,
)
ROWS = {row.name: row for row in TRANSACTIONS}


async def run(function: Callable[..., T], *arguments: Any) -> T:
    """Blocking work, here at once."""
    return function(*arguments)


def wait(awaitable: Awaitable[T]) -> T:
    """The outcome of something awaited."""

    async def outcome() -> T:
        return await awaitable

    return asyncio.run(outcome())


@dataclass
class Body:
    """A body that arrives in chunks; `taken` counts those that somebody wanted."""

    chunks: list[bytes]
    failure: Exception | None = None
    taken: int = 0

    async def arriving(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk
        if self.failure is not None:
            raise self.failure


def chunked(data: bytes, size: int = 64 * 1024) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def make_request(body: Body | bytes, content_type: str, **changes: Any) -> HttpRequest:
    arriving = body if isinstance(body, Body) else Body(chunked(body))
    headers = {"content-type": content_type, **changes.pop("headers", {})}
    fields: dict[str, Any] = {
        "method": "POST",
        "path": "/services/repository",
        "query": "",
        "headers": headers,
        "address": "127.0.0.1",
        "certificate": None,
        "body": arriving.arriving(),
    }
    return HttpRequest(**{**fields, **changes})


def envelope(transaction: str, body: bytes, action: str | None = None, headers: str = "") -> bytes:
    wanted = action or ROWS[transaction].request_action
    return render_request_envelope(wanted, "urn:here", body, MESSAGE_ID, headers=headers)


def plain(transaction: str, body: bytes, security: str = "", **changes: Any) -> HttpRequest:
    """A message without parts; `security` are header blocks."""
    root = envelope(transaction, body, headers=security)
    return make_request(root, "application/soap+xml; charset=UTF-8", **changes)


def multipart(root: bytes, parts: Iterable[tuple[str, bytes]]) -> bytes:
    renderer = MultipartRenderer(BOUNDARY)
    attached = b"".join(renderer.part_head(content_id, "text/plain") + data for content_id, data in parts)
    return renderer.root_head() + root + attached + renderer.closing()


def mtom(
    transaction: str, body: bytes, parts: Iterable[tuple[str, bytes]] = (), security: str = "", **changes: Any
) -> HttpRequest:
    """A message with attachments; `security` are header blocks."""
    data = multipart(envelope(transaction, body, headers=security), parts)
    return make_request(data, MultipartRenderer(BOUNDARY).content_type(), **changes)


class WatchedDocuments:
    """The real document store, and how often a spool was begun."""

    def __init__(self, domain: Domain) -> None:
        self._documents = domain.storage.documents
        self.begun = 0
        self.keep: Callable[..., list[StoredDocument]] = self._documents.keep  # type: ignore[assignment]
        self.open: Callable[[StoredDocument], Iterator[bytes]] = self._documents.open
        self.remove: Callable[[Iterable[str]], None] = self._documents.remove

    def spool(self) -> Spool:
        self.begun += 1
        return self._documents.spool()


@dataclass
class Bench:
    """A pipeline over one domain."""

    domain: Domain
    sender_fault_status: int = 500
    access: Callable[[Principal], Access] = lambda _: Access.everything("main")
    certificate_required: bool = False
    limits: PipelineLimits = LIMITS
    users: XServiceProvider | None = None
    tell_refusals: bool = False
    documents: WatchedDocuments = field(init=False)

    def __post_init__(self) -> None:
        self.documents = WatchedDocuments(self.domain)
        self.pipeline = Pipeline(
            services=SoapServices(TRANSACTIONS),
            limits=self.limits,
            run=run,
            run_apart=run,
            now=lambda: NOW,
            new_uuid=self.domain.new_uuid,
            sender_fault_status=self.sender_fault_status,
        )
        self.mount = MountedDomain(
            domain="main",
            access=self.access,
            actors=self.domain.actors,
            documents=self.documents,
            certificate_required=self.certificate_required,
            users=self.users,
            tell_refusals=self.tell_refusals,
        )

    def answer(self, request: HttpRequest, endpoint: str = "repository") -> "Received":
        async def exchange() -> Received:
            response = await self.pipeline.answer(request, self.mount, endpoint)
            return Received(response, await whole(response))

        return asyncio.run(exchange())


async def whole(response: HttpResponse) -> bytes:
    """The bytes of an answer, streamed or not."""
    if response.stream is None:
        return response.content
    return b"".join([chunk async for chunk in response.stream])


@dataclass(frozen=True)
class Received:
    """An answer as its caller reads it."""

    response: HttpResponse
    content: bytes

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def content_type(self) -> str:
        return dict(self.response.headers)["Content-Type"]

    @property
    def parts(self) -> dict[str, bytes]:
        """Attachments by Content-ID, the root under "root@xds-gateway"."""
        found: dict[str, bytes] = {}
        current = ""
        parser = MultipartParser(parse_type(self.content_type).parameters["boundary"], MimeLimits())
        for event in [*parser.feed(self.content), *parser.close()]:
            if isinstance(event, PartBegin):
                current = event.head.content_id or ""
                found[current] = b""
            elif isinstance(event, PartData):
                found[current] += event.data
        return found

    @property
    def mtom(self) -> bool:
        return parse_type(self.content_type).media_type == MULTIPART

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.parts["root@xds-gateway"] if self.mtom else self.content)

    def header(self, name: str) -> str | None:
        return self.root.findtext(f"{{{SOAP12}}}Header/{{{WSA}}}{name}")

    @property
    def body(self) -> etree._Element:
        body = self.root.find(f"{{{SOAP12}}}Body")
        assert body is not None
        return body[0]

    @property
    def subcode(self) -> str | None:
        """The subcode of the fault, without its prefix."""
        value = self.body.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Subcode/{{{SOAP12}}}Value")
        return value.split(":")[1] if value else None

    @property
    def reason(self) -> str | None:
        """What the fault says."""
        return self.body.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text")

    @property
    def fault(self) -> str:
        """The code of the fault."""
        value = self.body.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Value")
        assert value is not None
        return value.split(":")[1]
