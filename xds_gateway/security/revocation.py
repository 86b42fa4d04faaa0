"""Revocation lists: certificates that their authority has taken back (RFC 5280, 5 and 6.3). Nothing is fetched."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

_PEM: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_UNDERSTOOD: Final = (
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
)

Verdict = Literal["good", "revoked", "missing", "stale"]


class RevocationListRefused(ValueError):
    """A list cannot be used; the text says why."""


class Scope(NamedTuple):
    """Of which certificates of its issuer a list speaks (RFC 5280, 5.2.5); None is: of those of any point."""

    users: bool = True
    authorities: bool = True
    points: frozenset[str] | None = None

    def covers(self, certificate: x509.Certificate) -> bool:
        """Whether the list would name this certificate, were it revoked."""
        if not (self.authorities if _is_authority(certificate) else self.users):
            return False
        return self.points is None or bool(self.points & set(_points_of(certificate)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list whose signature was verified: serial numbers of the certificates that `issuer` has revoked."""

    issuer: x509.Name
    this_update: datetime
    next_update: datetime
    serials: frozenset[int]
    scope: Scope


def parse_revocation_lists(content: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """The lists of a file: one in DER, or any number in PEM. Raises RevocationListRefused."""
    try:
        if blocks := _PEM.findall(content):
            return tuple(map(x509.load_pem_x509_crl, blocks))
        return (x509.load_der_x509_crl(content),)
    except ValueError as failure:
        raise RevocationListRefused("it is no revocation list, neither PEM nor DER") from failure


def verify_revocation_list(
    crl: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate]
) -> RevocationList:
    """What a list says, once its signature is that of its issuer among `authorities`.

    Raises RevocationListRefused, also for delta and indirect lists and for those without an end (RFC 5280, 5.1.2.5).
    """
    issuers = [each for each in authorities if each.subject == crl.issuer]
    if not issuers:
        raise RevocationListRefused(f"its issuer {crl.issuer.rfc4514_string()} is none of client_ca: add it there")
    if not any(_signed(crl, each) for each in issuers):
        raise RevocationListRefused("its signature is not that of its issuer")
    if crl.next_update_utc is None:
        raise RevocationListRefused("it does not say when the next one comes (nextUpdate)")
    return RevocationList(
        issuer=crl.issuer,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        serials=frozenset(revoked.serial_number for revoked in crl),
        scope=_scope(crl),
    )


class RevocationLists:
    """All lists of a listener."""

    def __init__(self, lists: Sequence[RevocationList]) -> None:
        self._newest_first: Final = sorted(lists, key=lambda each: each.this_update, reverse=True)

    def __iter__(self) -> Iterator[RevocationList]:
        return iter(self._newest_first)

    def verdict(self, certificate: x509.Certificate, now: datetime) -> Verdict:
        """What the newest list that covers the certificate says; a stale one still revokes."""
        for each in self._newest_first:
            if each.issuer == certificate.issuer and each.scope.covers(certificate):
                if certificate.serial_number in each.serials:
                    return "revoked"
                return "good" if each.this_update <= now < each.next_update else "stale"
        return "missing"


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether this authority has signed it, and may (RFC 5280, 6.3.3 f)."""
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _scope(crl: x509.CertificateRevocationList) -> Scope:
    scope = Scope()
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            raise RevocationListRefused("it is a delta list, which tells changes only: give the complete one")
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            scope = _scope_of_point(extension.value)
        elif extension.critical and extension.oid not in _UNDERSTOOD:
            raise RevocationListRefused(f"it has a critical extension {extension.oid.dotted_string}, unknown here")
    return scope


def _scope_of_point(point: x509.IssuingDistributionPoint) -> Scope:
    if point.indirect_crl:
        raise RevocationListRefused("it is indirect, it speaks for other authorities: give the list of each")
    if point.only_some_reasons or point.only_contains_attribute_certs or point.relative_name:
        raise RevocationListRefused("it is a part (some reasons, attribute certificates): give the complete one")
    return Scope(
        users=not point.only_contains_ca_certs,
        authorities=not point.only_contains_user_certs,
        points=frozenset(_names(point.full_name)) if point.full_name else None,
    )


def _names(names: Sequence[x509.GeneralName] | None) -> Iterator[str]:
    for name in names or ():
        if isinstance(name, x509.UniformResourceIdentifier | x509.DirectoryName):
            yield str(name.value)


def _points_of(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        yield from _names(point.full_name)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
