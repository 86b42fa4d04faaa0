"""HTTP in front of the pipeline: routes, contracts, and ASGI on both sides."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from lxml import etree

from tests.unit.actors.test_registry import find
from tests.unit.server.exchanges import Bench, envelope
from xds_gateway.codec import xdsb
from xds_gateway.server.http import HttpApplication

PUBLIC_URL = "https://gateway.example.org:8443"
MOUNT = "/services"
Message = MutableMapping[str, Any]
QUERY = envelope("ITI-18", xdsb.render_query_request(find()))
SOAP_TYPE = (b"content-type", b"application/soap+xml")


class Client:
    """Asks the application as an ASGI server does."""

    def __init__(self, bench: Bench) -> None:
        self._application = HttpApplication(pipeline=bench.pipeline, mounts={MOUNT: bench.mount}, public_url=PUBLIC_URL)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: list[tuple[bytes, bytes]] | None = None,
        messages: list[Message] | None = None,
        **scope: Any,
    ) -> list[Message]:
        received = list(messages or [{"type": "http.request", "body": b"", "more_body": False}])
        sent: list[Message] = []

        async def receive() -> Message:
            return received.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        asked = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": headers or [],
            "client": ("127.0.0.1", 1234),
            **scope,
        }
        asyncio.run(self._application(asked, receive, send))
        return sent


@pytest.fixture
def client(bench: Bench) -> Client:
    return Client(bench)


def status(sent: list[Message]) -> int:
    found = sent[0]["status"]
    assert isinstance(found, int)
    return found


def headers(sent: list[Message]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def content(sent: list[Message]) -> bytes:
    return b"".join(message["body"] for message in sent[1:])


def post(body: bytes, size: int = 1 << 20) -> list[Message]:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_soap_message_is_answered(client: Client, size: int) -> None:
    sent = client.ask("POST", "/services/registry", headers=[SOAP_TYPE], messages=post(QUERY, size))
    assert status(sent) == 200
    assert b"AdhocQueryResponse" in content(sent)
    assert headers(sent)["content-length"] == str(len(content(sent)))
    assert headers(sent)["content-type"].startswith("application/soap+xml")


def test_a_message_to_the_wrong_endpoint_is_a_fault(client: Client) -> None:
    sent = client.ask("POST", "/services/repository", headers=[SOAP_TYPE], messages=post(QUERY))
    assert status(sent) == 500
    assert b"ActionNotSupported" in content(sent)


@pytest.mark.parametrize("actor", ["registry", "repository"])
@pytest.mark.parametrize("query", ["wsdl", "WSDL", "singleWsdl"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_contract_of_an_endpoint(client: Client, actor: str, query: str, method: str) -> None:
    sent = client.ask(method, f"/services/{actor}", query=query, headers=[(b"host", b"evil.example.org")])
    assert (status(sent), headers(sent)["content-type"]) == (200, "text/xml; charset=UTF-8")
    root = etree.fromstring(content(sent))
    address = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap12/}address")
    assert address is not None
    assert address.get("location") == f"{PUBLIC_URL}/services/{actor}"
    assert b"evil" not in content(sent)


def test_every_import_of_a_contract_resolves(client: Client) -> None:
    waiting = [f"/services/{actor}" for actor in ("registry", "repository")]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        sent = client.ask("GET", path, query="" if path.endswith(".xsd") else "wsdl")
        assert status(sent) == 200
        for imported in etree.fromstring(content(sent)).iter("{http://www.w3.org/2001/XMLSchema}import"):
            found = path.rsplit("/", 1)[0] + "/" + (imported.get("schemaLocation") or "")
            if found not in seen:
                waiting.append(found)
    assert any(path.endswith("rim.xsd") for path in seen)


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/", "", 404),
        ("GET", "/services", "", 404),
        ("GET", "/services/registry/", "wsdl", 404),
        ("POST", "/services/other", "", 404),
        ("POST", "/registry", "", 404),
        ("GET", "/services/registry", "", 405),
        ("GET", "/services/registry", "xsd", 405),
        ("PUT", "/services/registry", "", 405),
        ("DELETE", "/services/repository", "", 405),
        ("OPTIONS", "/services/registry", "", 405),
        ("GET", "/services/schemas/none.xsd", "", 404),
        ("GET", "/services/schemas/", "", 404),
        ("GET", "/services/schemas/../registry", "", 404),
        ("GET", "/services/schemas/..%2f..%2fsetup.cfg", "", 404),
        ("POST", "/services/schemas/rim.xsd", "", 404),
    ],
)
def test_what_is_not_there(client: Client, method: str, path: str, query: str, expected: int) -> None:
    sent = client.ask(method, path, query=query)
    assert (status(sent), headers(sent)["content-type"]) == (expected, "text/plain; charset=UTF-8")
    assert content(sent).endswith(b"\n")
    assert ("allow" in headers(sent)) is (expected == 405)


@pytest.mark.parametrize("before", [0, 1])
def test_a_client_that_goes_away_is_not_answered(client: Client, before: int) -> None:
    arrived: list[Message] = [{"type": "http.request", "body": QUERY[:100], "more_body": True}] * before
    messages = [*arrived, {"type": "http.disconnect"}]
    assert client.ask("POST", "/services/registry", headers=[SOAP_TYPE], messages=messages) == []


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_only_http_is_spoken(client: Client, kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        client.ask("GET", "/", type=kind)


def test_the_certificate_of_the_connection_arrives(bench: Bench) -> None:
    client = Client(Bench(bench.domain, certificate_required=True))
    sent = client.ask("POST", "/services/registry", headers=[SOAP_TYPE], messages=post(QUERY))
    assert status(sent) == 403
    extensions = {"tls": {"client_certificate": b"DER"}}
    sent = client.ask("POST", "/services/registry", headers=[SOAP_TYPE], messages=post(QUERY), extensions=extensions)
    assert status(sent) == 200
    assert bench.domain.journal()[-1].address == "127.0.0.1"


def test_a_connection_without_a_peer_has_no_address(bench: Bench) -> None:
    Client(bench).ask("POST", "/services/registry", headers=[SOAP_TYPE], messages=post(QUERY), client=None)
    assert bench.domain.journal()[-1].address == ""
