"""Nodes that are not let in: each is told to the audit with address and reason; revocation, pins (ITI TF-2 3.19)."""

import socket

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.gateways import RunningGateway
from tests.unit.certificates import DAY, NOW
from xds_gateway.security.trust import fingerprint

from .clinic import Clinic, curl, event_of, events, make_clinic, new_address, openssl
from .messages import find_documents, new_patient
from .raw import call

HARD, SOFT, STALE, PINNED, EITHER, UNCHECKED, BELOW_REVOKED = range(7)
WSDL = "/services/registry?wsdl"
OF_CLINIC = "O=XDS gateway demonstration"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory, pki) -> Clinic:
    return make_clinic(tmp_path_factory.mktemp("clinic") / "files", pki)


@pytest.fixture(scope="module")
def doors(start_shared, clinic) -> RunningGateway:
    """A gateway with a listener for each way to trust."""
    root = clinic.crl("root", clinic.root)
    below = clinic.crl("below", clinic.below, "stolen")
    stale = clinic.crl("stale", clinic.below, "stolen", now=NOW - 3 * DAY)
    ward = fingerprint(clinic.clients["ward"].certificate.public_bytes(Encoding.DER))
    pins = {"pinned_certificates": [clinic.pair("alone")[0]], "pinned_fingerprints": [ward.upper()]}
    return start_shared(
        listeners=[
            clinic.listener(crls=[root, below]),
            clinic.listener(crls=[root, stale], revocation="soft"),
            clinic.listener(crls=[root, stale]),
            clinic.listener(trust="pinned", **pins),
            clinic.listener(trust="either", crls=[root, below], **pins),
            clinic.listener(),
            clinic.listener(client_ca=clinic.root_only, crls=[clinic.list_of_root()], revocation="soft"),
        ],
        limits={"header_seconds": 2},
    )


def client(clinic: Clinic, name: str) -> list[object]:
    certificate, key = clinic.pair(name)
    return ["--cert", certificate, "--key", key]


def send_query(gateway: RunningGateway, clinic: Clinic) -> int:
    """HTTP status of a query by a client of the clinic."""
    message = find_documents(new_patient())
    return call(gateway, "/services/registry", message.body, message.headers, context=clinic.context("ward")).status


@pytest.mark.parametrize(
    ("door", "name", "reason"),
    [
        (HARD, "ward", None),
        (HARD, "stolen", "revoked"),
        (SOFT, "ward", None),
        (SOFT, "stolen", "revoked"),
        (STALE, "ward", "crl-stale"),
        (STALE, "stolen", "revoked"),
        (PINNED, "alone", None),
        (PINNED, "ward", None),
        (PINNED, "visitor", "not-pinned"),
        (EITHER, "alone", None),
        (EITHER, "visitor", None),
        (EITHER, "stolen", "revoked"),
        (UNCHECKED, "stolen", None),
        (BELOW_REVOKED, "ward", "revoked"),  # the authority that came with it
    ],
)
def test_curl_is_let_in_or_told_to_the_audit(doors, clinic, door, name, reason):
    address = new_address()
    code, status = curl(doors, doors.urls[door] + WSDL, address, *client(clinic, name))
    if reason is None:
        assert (code, status) == (0, "200")
        assert not any(each["address"] == address for each in events(doors))
        return
    assert status == "000"
    event = event_of(doors, address)
    assert (event["transaction"], event["outcome"], event["codes"]) == ("node-authentication", "failure", [reason])
    assert event["node"] == f"CN={name},{OF_CLINIC}"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("name", "reason", "alert"),
    [
        (None, "no-certificate", "alert certificate required|alert handshake failure"),
        ("alone", "self-signed", "alert unknown ca"),
        ("stranger", "unknown-authority", "alert unknown ca"),
        ("old", "expired", "alert certificate expired"),
        ("early", "not-yet-valid", "alert bad certificate"),
        ("printer", "wrong-purpose", "alert unsupported certificate"),
    ],
)
def test_openssl_hears_the_alert_and_the_audit_the_reason(doors, clinic, version, name, reason, alert):
    address = new_address()
    certificate = [] if name is None else ["-cert", clinic.pair(name)[0], "-key", clinic.pair(name)[1]]
    intermediates = [] if name in (None, "alone", "stranger") else ["-cert_chain", clinic.pair(name)[0]]
    said = openssl(doors, doors.urls[UNCHECKED], address, version, *certificate, *intermediates)
    event = event_of(doors, address)
    assert (event["codes"], event["node"]) == ([reason], "unknown")
    assert any(each in said for each in alert.split("|"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "old-protocol"),
        (["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], "no-shared-cipher"),
    ],
)
def test_protocols_and_ciphers_of_the_past(doors, arguments, reason):
    address = new_address()
    openssl(doors, doors.urls[UNCHECKED], address, *arguments)
    assert event_of(doors, address)["codes"] == [reason]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"POST /services/registry HTTP/1.1\r\nHost: x\r\n\r\n", "plain-text"),
        (b"\x0bMSH|^~\\&|A|B\r\x1c\r", "plain-text"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "bad-handshake"),
        (b"\x16\x03\x01", "too-slow"),
    ],
)
def test_what_is_no_handshake(doors, sent, reason):
    address = new_address()
    with socket.create_connection(("127.0.0.1", doors.port), 30, source_address=(address, 0)) as connection:
        connection.sendall(sent)
        while connection.recv(4096):
            pass
    assert event_of(doors, address)["codes"] == [reason]


def test_a_connection_that_ends_before_its_handshake(doors):
    address = new_address()
    with socket.create_connection(("127.0.0.1", doors.port), 30, source_address=(address, 0)) as connection:
        connection.sendall(b"\x16\x03\x01")
    assert event_of(doors, address)["codes"] == ["cut-off"]


def test_a_client_that_does_not_trust_the_gateway(doors, clinic):
    address = new_address()
    certificate, key = clinic.pair("ward")
    arguments = ["-cert", certificate, "-key", key, "-verify_return_error", "-CAfile", clinic.authorities]
    openssl(doors, doors.urls[UNCHECKED], address, *arguments)
    assert event_of(doors, address)["codes"] == ["refused-by-peer"]


def test_a_flood_of_failures_is_counted_and_not_written_one_by_one(doors, clinic):
    address = new_address()
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", doors.port), 30, source_address=(address, 0)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.recv(100)
    event_of(doors, address)
    assert send_query(doors, clinic) == 200
    assert len([each for each in events(doors) if each["address"] == address]) < 4


def test_half_open_handshakes_do_not_make_it_deaf(doors, clinic):
    half = [socket.create_connection(("127.0.0.1", doors.port), 30) for _ in range(300)]
    try:
        for connection in half:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert send_query(doors, clinic) == 200
    finally:
        for connection in half:
            connection.close()
