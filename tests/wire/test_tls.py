"""Who gets in: TLS of each kind of listener, certificates, and mounts that want them (ITI TF-2 3.19, RFC 9325)."""

import socket
import ssl

import pytest

from tests.gateways import RunningGateway, TestPki, listener

from .messages import find_documents, new_patient, provide, retrieve, send
from .raw import Connection, call

MUTUAL, SERVER, OFF = range(3)


@pytest.fixture(scope="module")
def three(start_shared, pki) -> RunningGateway:
    """A gateway with a listener of each kind, a mount that wants certificates and one that takes anyone."""
    return start_shared(
        listeners=[listener(pki), listener(pki, tls="server"), listener(pki, tls="off")],
        mounts=[{"path": "/services", "authentication": "certificate"}, {"path": "/open", "authentication": "none"}],
    )


def refused(gateway: RunningGateway, context: ssl.SSLContext) -> bool:
    """Whether a query gets no answer at all: the handshake fails, in TLS 1.3 with the first read."""
    message = find_documents(new_patient())
    try:
        response = call(gateway, "/services/registry", message.body, message.headers, context=context)
    except (ssl.SSLError, ConnectionError):
        return True
    return response.status == 0


def client_context(gateway: RunningGateway, client: str) -> ssl.SSLContext:
    """TLS of a client: "none", or a pair of the test PKI."""
    if client == "none":
        return gateway.client_context(anonymous=True)
    pairs = {"trusted": gateway.pki.client, "rogue": gateway.pki.rogue, "expired": gateway.pki.expired}
    return gateway.client_context(pairs[client])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("client", "expected"), [("trusted", False), ("none", True), ("rogue", True), ("expired", True)]
)
def test_mutual_tls_lets_in_whom_it_trusts(gateway, client, expected, version):
    context = client_context(gateway, client)
    context.minimum_version = context.maximum_version = version
    assert refused(gateway, context) is expected


def test_a_server_certificate_is_not_one_of_a_client(gateway):
    files = gateway.pki.files
    assert refused(gateway, gateway.client_context((files.server_certificate, files.server_key)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_refused(gateway, version):
    context = gateway.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = context.maximum_version = version
    assert refused(gateway, context)


@pytest.mark.parametrize("ciphers", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "aNULL:eNULL"])
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(gateway, ciphers):
    context = gateway.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    assert refused(gateway, context)


def test_plain_http_on_a_tls_port_gets_nothing(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        received = b""
        while data := connection.recv(4096):
            received += data
    assert b"HTTP" not in received


def test_half_handshakes_do_not_keep_others_out(gateway):
    half = [socket.create_connection(("127.0.0.1", gateway.port), timeout=20) for _ in range(50)]
    try:
        for connection in half:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert send(gateway, find_documents(new_patient())).status == "Success"
    finally:
        for connection in half:
            connection.close()


def test_half_handshakes_are_closed(start_gateway):
    gateway = start_gateway(limits={"header_seconds": 1})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01")
        assert connection.recv(4096) == b""


def test_the_oldest_handshake_is_given_up_when_there_are_too_many(start_gateway):
    gateway = start_gateway(limits={"connections": 20})
    half = [socket.create_connection(("127.0.0.1", gateway.port), timeout=20) for _ in range(60)]
    try:
        assert half[0].recv(4096) == b""
        assert send(gateway, find_documents(new_patient())).status == "Success"
    finally:
        for connection in half:
            connection.close()


@pytest.mark.parametrize(
    ("kind", "mount", "client", "status"),
    [
        (MUTUAL, "/services", "trusted", 200),
        (MUTUAL, "/open", "trusted", 200),
        (SERVER, "/services", "none", 403),
        (SERVER, "/services", "trusted", 403),
        (SERVER, "/open", "none", 200),
        (OFF, "/services", "none", 403),
        (OFF, "/open", "none", 200),
    ],
)
def test_a_mount_that_wants_a_certificate_says_403_where_none_can_come(three, kind, mount, client, status):
    message = find_documents(new_patient())
    response = call(
        three,
        f"{mount}/registry",
        message.body,
        message.headers,
        url=three.urls[kind],
        context=client_context(three, client),
    )
    assert response.status == status


def test_a_stranger_is_refused_before_a_document_is_taken(three):
    patient = new_patient()
    provided = provide(b"x" * 100_000, patient=patient)
    message = provided.message()
    response = call(three, "/services/repository", message.body, message.headers, url=three.urls[OFF])
    assert response.status == 403
    assert send(three, find_documents(patient)).ids == []
    assert send(three, retrieve(*provided.unique_ids)).status == "Failure"


def test_mounts_of_one_domain_show_the_same_data(three):
    patient = new_patient()
    provided = provide(b"shared", patient=patient)
    assert send(three, provided.message(), url=three.urls[OFF], mount="/open").status == "Success"
    assert send(three, retrieve(*provided.unique_ids)).documents == {provided.unique_ids[0]: b"shared"}


def test_domains_do_not_see_each_other(start_gateway):
    gateway = start_gateway(
        domains=[{"name": "one", "repository_unique_id": "2.25.1"}, {"name": "two", "repository_unique_id": "2.25.2"}],
        mounts=[{"path": "/one", "domain": "one"}, {"path": "/two", "domain": "two"}],
    )
    patient = new_patient()
    provided = provide(b"of one", patient=patient)
    assert send(gateway, provided.message(), mount="/one").status == "Success"
    assert len(send(gateway, find_documents(patient), mount="/one").ids) == 1
    assert send(gateway, find_documents(patient), mount="/two").ids == []
    (unique_id,) = provided.unique_ids
    ours = send(gateway, retrieve(unique_id, repository="2.25.1"), mount="/one")
    theirs = send(gateway, retrieve(unique_id, repository="2.25.2"), mount="/two")
    assert (ours.documents, theirs.errors) == ({unique_id: b"of one"}, ["XDSDocumentUniqueIdError"])
    assert send(gateway, provided.message(), mount="/two").status == "Success"


def test_a_client_that_trusts_somebody_else_does_not_talk(gateway, pki: TestPki):
    with pytest.raises(ssl.SSLCertVerificationError):
        Connection(gateway, context=ssl.create_default_context(cafile=str(pki.rogue[0])))
