"""A throw-away public key infrastructure for demonstrations and tests: never for production.

ca.crt                          signs server and client; its key is forgotten as soon as they are made
server.crt  server.key          the gateway's listener (ECDSA P-256)
client.crt  client.key          practice software; client.p12 holds both for Java and Windows
signer.crt  signer.key          signs submission sets (RSA-2048, asked for by XAdES profiles)
issuer.crt  issuer.key          signs assertions (RSA-2048); assertion.toml is a profile that uses it
revoked.crt revoked.key         a client whose certificate was taken back
ca.crl                          the revocation list that says so (DER)
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

P12_PASSWORD: Final = "throw-away"  # noqa: S105 - documented, and the key behind it is worth nothing
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
AUTHORITY_LIFE: Final = timedelta(days=3650)
LIFE: Final = timedelta(days=825)  # what TLS stacks accept at most from a private authority
ISSUER: Final = "urn:xds-gateway:throw-away-issuer"
AUDIENCE: Final = "urn:xds-gateway:throw-away-domain"
BACKDATING: Final = timedelta(hours=1)  # clocks differ

_PROFILE: Final = f"""\
# Assertions of a made-up physician, for demonstrations and tests: docs/assertion-profile.md
issuer = "{ISSUER}"
audiences = ["{AUDIENCE}"]
purposes = ["TREAT^treatment^2.16.840.1.113883.5.8"]

[subject]
name_id = "claire.martin"
name = "Dr Claire Martin"
organization = "Cabinet Martin"
organization_id = "urn:oid:2.25.55555555555555555"
roles = ["309343006^Physician^2.16.840.1.113883.6.96"]

[key]
file = "issuer.key"
certificate = "issuer.crt"
"""


class PkiExists(Exception):
    """Files of a PKI are already there and are not replaced; `path` is the first of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already: nothing was changed")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pki:
    """Where the files of a PKI are; all PEM but the two of PKCS #12 and the assertion profile, which is TOML."""

    ca: Path
    ca_p12: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path
    client_p12: Path
    signer_certificate: Path
    signer_key: Path
    issuer_certificate: Path
    issuer_key: Path
    assertion_profile: Path
    revoked_certificate: Path
    revoked_key: Path
    crl: Path
    audit_key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey


def pki_in(folder: Path) -> Pki:
    """The paths of a PKI in this folder, whether it exists or not."""
    return Pki(
        ca=folder / "ca.crt",
        ca_p12=folder / "ca.p12",
        server_certificate=folder / "server.crt",
        server_key=folder / "server.key",
        client_certificate=folder / "client.crt",
        client_key=folder / "client.key",
        client_p12=folder / "client.p12",
        signer_certificate=folder / "signer.crt",
        signer_key=folder / "signer.key",
        issuer_certificate=folder / "issuer.crt",
        issuer_key=folder / "issuer.key",
        assertion_profile=folder / "assertion.toml",
        revoked_certificate=folder / "revoked.crt",
        revoked_key=folder / "revoked.key",
        crl=folder / "ca.crl",
        audit_key=folder / "audit.key",
    )


def make_pki(folder: Path, *, now: datetime, hosts: Iterable[str] = LOCAL_HOSTS, force: bool = False) -> Pki:
    """Make authority, server, clients, signer, issuer and revocation list in `folder`.

    `now` has a time zone, `hosts` are names or addresses. Raises PkiExists when a file is there and `force` is not
    said, OSError when the folder cannot be written.
    """
    pki = pki_in(folder)
    if not force:
        _refuse_existing(pki)
    authority = issue_authority("XDS gateway throw-away CA", now=now)
    server = issue_server("XDS gateway", authority, now=now, hosts=tuple(hosts))
    client = issue_client("Practice software", authority, now=now)
    signer = issue_signer("Document signer", authority, now=now)
    issuer = issue_signer("Assertion issuer", authority, now=now)
    revoked = issue_client("Practice software that was stolen", authority, now=now)
    crl = issue_crl(authority, [revoked.certificate.serial_number], now=now)
    folder.mkdir(parents=True, exist_ok=True)
    _write(pki.ca, certificate_pem(authority), 0o644)
    _write(pki.ca_p12, trust_store_p12(authority), 0o644)
    _write(pki.crl, crl.public_bytes(Encoding.DER), 0o644)
    for issued, certificate, key in (
        (server, pki.server_certificate, pki.server_key),
        (client, pki.client_certificate, pki.client_key),
        (signer, pki.signer_certificate, pki.signer_key),
        (issuer, pki.issuer_certificate, pki.issuer_key),
        (revoked, pki.revoked_certificate, pki.revoked_key),
    ):
        _write(certificate, certificate_pem(issued), 0o644)
        _write(key, key_pem(issued), 0o600)
    _write(pki.audit_key, audit_key_pem(), 0o600)
    _write(pki.client_p12, client_p12(client, authority), 0o600)
    _write(pki.assertion_profile, _PROFILE.encode(), 0o644)
    return pki


def issue_authority(name: str, *, now: datetime, under: Issued | None = None, path_length: int = 0) -> Issued:
    """An authority (ECDSA P-256), self-signed or `under` another; `path_length` may be below (RFC 5280, 4.2.1.9)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(name)
    issuer, identifier = subject, x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    if under is not None:
        issuer, identifier = under.certificate.subject, _authority_key_identifier(under.certificate)
    builder = _builder(subject, issuer, key.public_key(), now, AUTHORITY_LIFE).add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    )
    builder = builder.add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
    builder = builder.add_extension(identifier, critical=False)
    return Issued(certificate=builder.sign(under.key if under else key, hashes.SHA256()), key=key)


def issue_crl(
    authority: Issued, serials: Iterable[int], *, now: datetime, life: timedelta = LIFE
) -> x509.CertificateRevocationList:
    """The list of certificates that an authority has revoked, until `now` and its life (RFC 5280, 5)."""
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=authority.certificate.subject,
        last_update=now - BACKDATING,
        next_update=now + life,
        revoked_certificates=[
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build() for serial in serials
        ],
    )
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    builder = builder.add_extension(_authority_key_identifier(authority.certificate), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def issue_server(name: str, authority: Issued, *, now: datetime, hosts: tuple[str, ...]) -> Issued:
    """A TLS server certificate for these names and addresses (ECDSA P-256). Raises ValueError when there are none."""
    if not hosts:
        raise ValueError("a server certificate needs a host name")
    key = ec.generate_private_key(ec.SECP256R1())
    return _issue(name, authority, key, now, ("digital_signature",), ExtendedKeyUsageOID.SERVER_AUTH, hosts)


def issue_client(name: str, authority: Issued, *, now: datetime, key: PrivateKey | None = None) -> Issued:
    """A TLS client certificate, of a new ECDSA P-256 key unless one is given."""
    hosts = ("practice.example",)  # strict verifiers want a name in each certificate
    key = key or ec.generate_private_key(ec.SECP256R1())
    return _issue(name, authority, key, now, ("digital_signature",), ExtendedKeyUsageOID.CLIENT_AUTH, hosts)


def issue_signer(name: str, authority: Issued, *, now: datetime) -> Issued:
    """A certificate that signs documents and assertions (RSA-2048), and no TLS connection."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    usages = ("digital_signature", "content_commitment")
    return _issue(name, authority, key, now, usages, ExtendedKeyUsageOID.EMAIL_PROTECTION, ("signer.example",))


def certificate_pem(issued: Issued) -> bytes:
    """The certificate as PEM."""
    return issued.certificate.public_bytes(Encoding.PEM)


def key_pem(issued: Issued) -> bytes:
    """The private key as PKCS #8 PEM without a password."""
    return issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def audit_key_pem() -> bytes:
    """A private key (Ed25519) that signs the audit's anchors, as PKCS #8 PEM without a password."""
    return ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def trust_store_p12(authority: Issued) -> bytes:
    """The authority as a trust store that Java reads, under P12_PASSWORD."""
    trusted = pkcs12.PKCS12Certificate(authority.certificate, b"ca")
    return pkcs12.serialize_java_truststore([trusted], BestAvailableEncryption(P12_PASSWORD.encode()))


def client_p12(client: Issued, authority: Issued) -> bytes:
    """Key, certificate and authority as PKCS #12 under P12_PASSWORD (RFC 7292)."""
    return pkcs12.serialize_key_and_certificates(
        b"client",
        client.key,
        client.certificate,
        [authority.certificate],
        BestAvailableEncryption(P12_PASSWORD.encode()),
    )


def _issue(
    name: str,
    authority: Issued,
    key: PrivateKey,
    now: datetime,
    usages: tuple[str, ...],
    purpose: ObjectIdentifier,
    hosts: tuple[str, ...],
) -> Issued:
    issuer = authority.certificate
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(*usages), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.SubjectAlternativeName([_general_name(host) for host in hosts]), False),
        (_authority_key_identifier(issuer), False),
    ]
    builder = _builder(_subject(name), issuer.subject, key.public_key(), now, LIFE)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Issued(certificate=builder.sign(authority.key, hashes.SHA256()), key=key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATING)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _key_usage(*granted: str) -> x509.KeyUsage:
    usages: Mapping[str, bool] = {usage: usage in granted for usage in _USAGES}
    return x509.KeyUsage(**usages)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "XDS gateway demonstration"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _refuse_existing(pki: Pki) -> None:
    for path in (getattr(pki, field) for field in Pki.__dataclass_fields__):
        if path.exists():
            raise PkiExists(path)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write beside and rename, so that a reader never sees half a key and a key is never readable by others."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)
