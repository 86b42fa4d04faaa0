"""HTTP in front of the pipeline: routes, WSDLs and schemas, and ASGI on both sides (ITI TF-2 V.2)."""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from .. import contracts
from ..codec.transactions import ENDPOINTS
from ..model.errors import DocumentDamaged, HttpRefused
from .exchange import ClientGone, HttpRequest, HttpResponse
from .mounts import MountedDomain
from .pipeline import Pipeline

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_XML: Final = (("Content-Type", "text/xml; charset=UTF-8"),)
_log = logging.getLogger("xds_gateway.http")


class HttpApplication:
    """The ASGI application of all listeners: `mounts` are by path prefix, `public_url` is what WSDLs say."""

    def __init__(self, *, pipeline: Pipeline, mounts: Mapping[str, MountedDomain], public_url: str) -> None:
        self._pipeline = pipeline
        self._public_url = public_url
        self._endpoints = {
            f"{path}/{endpoint}": (mount, endpoint) for path, mount in mounts.items() for endpoint in ENDPOINTS
        }
        self._schemas = tuple(f"{path}/schemas/" for path in mounts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange. An answer that breaks off closes the connection before its declared length."""
        if scope["type"] != "http":
            raise ValueError(f"not an HTTP exchange: {scope['type']}")
        try:
            response = await self._respond(scope, receive)
        except ClientGone:
            return
        with contextlib.suppress(DocumentDamaged):  # told already; the answer stays incomplete, so its connection ends
            await _send(response, send)

    async def _respond(self, scope: Scope, receive: Receive) -> HttpResponse:
        try:
            request = _request(scope, receive)
            endpoint = self._endpoints.get(request.path)
            if endpoint is None:
                return self._other(request)
            if request.method in ("GET", "HEAD"):
                return self._wsdl(request, endpoint[1])
            if request.method != "POST":
                raise HttpRefused(405, "Send SOAP messages with POST", headers=(("Allow", "POST, GET"),))
        except HttpRefused as refused:
            return _refusal(refused)
        return await self._pipeline.answer(request, *endpoint)

    def _wsdl(self, request: HttpRequest, endpoint: str) -> HttpResponse:
        if request.query.lower() not in ("wsdl", "singlewsdl"):
            raise HttpRefused(
                405, f"Send SOAP messages with POST, or GET {request.path}?wsdl", headers=(("Allow", "POST, GET"),)
            )
        address = self._public_url + request.path
        return HttpResponse(status=200, headers=_XML, content=contracts.wsdl(endpoint, address))  # type: ignore[arg-type]

    def _other(self, request: HttpRequest) -> HttpResponse:
        prefix = next((prefix for prefix in self._schemas if request.path.startswith(prefix)), None)
        if prefix is None or request.method not in ("GET", "HEAD"):
            raise HttpRefused(404, f"Nothing is here; the endpoints are {', '.join(self._endpoints)}")
        try:
            content = contracts.schema(request.path.removeprefix(prefix))
        except KeyError:
            raise HttpRefused(404, "No such schema") from None
        return HttpResponse(status=200, headers=_XML, content=content)


def _refusal(refused: HttpRefused) -> HttpResponse:
    headers = (("Content-Type", "text/plain; charset=UTF-8"), *refused.headers)
    return HttpResponse(status=refused.status, headers=headers, content=f"{refused.reason}\n".encode())


def _request(scope: Scope, receive: Receive) -> HttpRequest:
    """The request and who has sent it. Raises HttpRefused for a caller that a proxy may not speak for."""
    address, headers = (scope.get("client") or ("", 0))[0], _headers(scope["headers"])
    tls = scope.get("extensions", {}).get("tls", {})
    certificate, forwarding = tls.get("client_certificate"), tls.get("forwarding")
    if forwarding is not None:
        address, certificate = forwarding.caller(address, certificate, headers)
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        address=address,
        certificate=certificate,
        body=_body(receive),
    )


def _headers(lines: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers by name; different values of one name are a list of them (RFC 9110 5.3)."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = text if headers.get(key, text) == text else f"{headers[key]}, {text}"
    return headers


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        if message["body"]:
            yield message["body"]


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"content-length", str(response.content_length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.stream is None:
        await send({"type": "http.response.body", "body": response.content})
        return
    async for chunk in response.stream:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
