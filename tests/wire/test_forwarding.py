"""A proxy that ends TLS passes on certificate and address of its callers; nobody else may (ITI TF-2 3.19)."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.gateways import RunningGateway
from tests.unit.certificates import der, make_crl

from .clinic import Clinic, event_of, eventually, make_clinic, new_address
from .messages import find_documents, new_patient
from .raw import Connection, request_head

PROXY = "127.0.0.200"
NGINX, RFC9440, MUTUAL = range(3)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory, pki) -> Clinic:
    return make_clinic(tmp_path_factory.mktemp("proxied") / "files", pki)


@pytest.fixture(scope="module")
def proxied(start_shared, clinic) -> RunningGateway:
    """A gateway behind a proxy: plain with each header, and over mutual TLS."""
    lists = {"crls": [clinic.crl("root", clinic.root), clinic.crl("below", clinic.below, "stolen")]}
    behind = {"proxies": [PROXY], "certificate_header": "X-SSL-Client-Cert", "address_header": "X-Forwarded-For"}
    return start_shared(
        listeners=[
            clinic.listener(tls="off", **behind, **lists),
            clinic.listener(tls="off", **{**behind, "certificate_header": "Client-Cert"}, **lists),
            clinic.listener(**behind, **lists),
        ],
        certificates={"watch_seconds": 0.2},
    )


def escaped(clinic: Clinic, name: str) -> str:
    """As nginx's $ssl_client_escaped_cert."""
    return quote(clinic.clients[name].certificate.public_bytes(Encoding.PEM).decode())


def sequence(issued) -> str:
    """As RFC 9440."""
    return f":{b64encode(der(issued)).decode()}:"


def asked(gateway, door, address, clinic, headers):
    """HTTP status and text of the answer to a query from this address."""
    message = find_documents(new_patient())
    context = clinic.context("theatre")
    with Connection(gateway, url=gateway.urls[door], address=address, context=context) as connection:
        lines = {"Content-Length": len(message.body), **message.headers, **headers}
        connection.send(request_head(connection, "/services/registry", lines) + message.body)
        answer = connection.response()
    return answer.status, answer.body.decode(errors="replace")


@pytest.mark.parametrize("door", [NGINX, MUTUAL])
@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("ward", 200, None),
        ("stolen", 403, "revoked"),
        ("alone", 403, "self-signed"),
        ("stranger", 403, "unknown-authority"),
        ("old", 403, "expired"),
        ("printer", 403, "wrong-purpose"),
    ],
)
def test_the_certificate_of_a_proxy_is_judged_as_one_of_tls(proxied, clinic, door, name, status, reason):
    origin = f"198.51.100.{10 * door + len(name)}"
    headers = {"X-SSL-Client-Cert": escaped(clinic, name), "X-Forwarded-For": f"203.0.113.9, {origin}, {PROXY}"}
    got, text = asked(proxied, door, PROXY, clinic, headers)
    assert got == status
    if reason is not None:
        assert reason in text
        assert event_of(proxied, origin)["codes"] == [reason]


def test_the_audit_names_the_caller_and_not_the_proxy(proxied, clinic):
    origin = "198.51.100.99"
    headers = {"X-SSL-Client-Cert": escaped(clinic, "ward"), "X-Forwarded-For": origin}
    assert asked(proxied, MUTUAL, PROXY, clinic, headers)[0] == 200
    journal = b"".join(path.read_bytes() for path in (proxied.data_folder / "journal").glob("default-*.jsonl"))
    told = [json.loads(line) for line in journal.splitlines() if line.startswith(b"{")]
    assert "CN=ward,O=XDS gateway demonstration" in {each["node"] for each in told if each["address"] == origin}


def test_a_chain_comes_by_the_header_of_rfc_9440(proxied, clinic):
    headers = {"Client-Cert": sequence(clinic.clients["ward"]), "Client-Cert-Chain": sequence(clinic.below)}
    assert asked(proxied, RFC9440, PROXY, clinic, headers)[0] == 200


@pytest.mark.parametrize("door", [NGINX, MUTUAL])
def test_a_request_of_a_proxy_without_a_certificate_is_nobodys(proxied, clinic, door):
    """Also where the proxy has a good certificate itself."""
    assert asked(proxied, door, PROXY, clinic, {})[0] == 403
    assert asked(proxied, door, PROXY, clinic, {"X-SSL-Client-Cert": ""})[0] == 403


@pytest.mark.parametrize("door", [NGINX, MUTUAL])
def test_the_header_of_a_stranger_is_refused(proxied, clinic, door):
    address = new_address()
    status, text = asked(proxied, door, address, clinic, {"X-SSL-Client-Cert": escaped(clinic, "ward")})
    assert (status, "from proxies only" in text) == (403, True)
    assert event_of(proxied, address)["codes"] == ["forwarded-by-stranger"]


@pytest.mark.parametrize(("door", "status"), [(NGINX, 403), (MUTUAL, 200)])
def test_a_caller_beside_the_proxy_is_who_tls_says(proxied, clinic, door, status):
    address = new_address()
    assert asked(proxied, door, address, clinic, {"X-Forwarded-For": "198.51.100.1"})[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"X-SSL-Client-Cert": "no certificate"},
        {"X-SSL-Client-Cert": "-----BEGIN%20CERTIFICATE-----%0AAAAA"},
        {"X-Forwarded-For": "unknown"},
    ],
)
def test_headers_that_cannot_be_read(proxied, clinic, headers):
    assert asked(proxied, NGINX, PROXY, clinic, headers)[0] == 400


def test_two_certificates_in_one_request_are_refused(proxied, clinic):
    both = f"{escaped(clinic, 'ward')}\r\nX-SSL-Client-Cert: {escaped(clinic, 'visitor')}"
    assert asked(proxied, NGINX, PROXY, clinic, {"X-SSL-Client-Cert": both})[0] == 400


def test_a_caller_of_a_proxy_is_refused_once_its_certificate_is_revoked(proxied, clinic):
    headers = {"X-SSL-Client-Cert": escaped(clinic, "visitor")}
    assert asked(proxied, NGINX, PROXY, clinic, headers)[0] == 200
    revoked = [clinic.clients[name] for name in ("stolen", "visitor")]
    (clinic.folder / "below.crl").write_bytes(make_crl(clinic.below, *revoked))
    eventually(lambda: asked(proxied, NGINX, PROXY, clinic, headers)[0] == 403)
