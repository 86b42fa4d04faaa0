"""Node identity from a client certificate."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from xds_gateway.model.principal import Principal
from xds_gateway.security.certificates import ANONYMOUS, principal_of

KEY = ec.generate_private_key(ec.SECP256R1())


def make_certificate(*names: tuple[x509.ObjectIdentifier, str]) -> bytes:
    """A certificate of this subject, DER."""
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
    dated = builder.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1))
    return dated.sign(KEY, SHA256()).public_bytes(Encoding.DER)


def test_without_a_certificate_the_caller_is_anonymous() -> None:
    assert principal_of(None, "127.0.0.1") == Principal(node=ANONYMOUS, address="127.0.0.1", certificate_sha256=None)


@pytest.mark.parametrize(
    ("names", "node"),
    [
        ([(NameOID.COMMON_NAME, "Cabinet Nord")], "CN=Cabinet Nord"),
        ([(NameOID.COUNTRY_NAME, "FR"), (NameOID.COMMON_NAME, "Hôpital, Sud")], "CN=Hôpital\\, Sud,C=FR"),
        ([], ""),
    ],
)
def test_the_node_is_the_subject(names: list[tuple[x509.ObjectIdentifier, str]], node: str) -> None:
    certificate = make_certificate(*names)
    found = principal_of(certificate, "10.0.0.1")
    assert (found.node, found.address) == (node, "10.0.0.1")
    assert found.certificate_sha256 == hashlib.sha256(certificate).hexdigest()


def test_the_address_is_of_the_connection_not_of_the_certificate() -> None:
    certificate = make_certificate((NameOID.COMMON_NAME, "One"))
    assert {principal_of(certificate, address).address for address in ("10.0.0.1", "10.0.0.2")} == {
        "10.0.0.1",
        "10.0.0.2",
    }


@pytest.mark.parametrize("certificate", [b"", b"no DER", make_certificate((NameOID.COMMON_NAME, "One"))[:-1]])
def test_what_cannot_be_read_is_named_by_its_fingerprint(certificate: bytes) -> None:
    fingerprint = hashlib.sha256(certificate).hexdigest()
    found = principal_of(certificate, "127.0.0.1")
    assert (found.node, found.certificate_sha256) == (f"certificate {fingerprint}", fingerprint)
