"""Certificates and revocation lists, each as a test says it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from xds_gateway.pki import Issued, issue_authority, issue_client, issue_crl

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def make_authority(name: str = "An authority", **changes: Any) -> Issued:
    """An authority with room for others below it."""
    return issue_authority(name, **{"now": NOW, "path_length": 2, **changes})


def make_client(under: Issued, name: str = "Practice software", *, now: datetime = NOW) -> Issued:
    """A client of this authority."""
    return issue_client(name, under, now=now)


def make_certificate(
    subject: Iterable[tuple[ObjectIdentifier, str]] = ((NameOID.COMMON_NAME, "One"),),
    *,
    under: Issued | None = None,
    extensions: Iterable[x509.ExtensionType] = (),
    usage: ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
    start: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
) -> Issued:
    """A certificate of this subject, self-signed unless it has an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(under.certificate.subject if under else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension in (*([x509.ExtendedKeyUsage([usage])] if usage else []), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return Issued(certificate=builder.sign(under.key if under else key, SHA256()), key=key)


def der(issued: Issued) -> bytes:
    """A certificate as TLS hands it over."""
    return issued.certificate.public_bytes(Encoding.DER)


def make_crl(
    authority: Issued, *revoked: Issued, now: datetime = NOW, life: timedelta = DAY, encoding: Encoding = Encoding.PEM
) -> bytes:
    """The list of an authority that names these certificates."""
    serials = [each.certificate.serial_number for each in revoked]
    return issue_crl(authority, serials, now=now, life=life).public_bytes(encoding)


def make_odd_crl(
    authority: Issued, *extensions: tuple[x509.ExtensionType, bool], next_update: Any = NOW + DAY
) -> bytes:
    """An empty list with these extensions, each critical or not; DER."""
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=authority.certificate.subject, last_update=NOW - DAY, next_update=next_update
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)
