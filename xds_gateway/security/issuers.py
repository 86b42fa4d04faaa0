"""Who may sign assertions: names of issuers, each with the certificates whose keys are its own (ITI TF-2 3.40.4.1.3).

Keys come from the configuration only. Two certificates of one issuer are valid together while it changes its key.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256

from .algorithms import VerifyingKey, weakness

MOST_CERTIFICATES: Final = 8  # of one issuer: each is tried for a signature that none of them has made


class IssuerUnusable(Exception):
    """A certificate cannot be used for an issuer; the text says what is wrong with it, after its file's name."""


class IssuerKey(NamedTuple):
    """A key, and from when until when its certificate is valid."""

    key: VerifyingKey
    not_before: datetime
    not_after: datetime
    certificate_sha256: str


class TrustedIssuer(NamedTuple):
    """An issuer that assertions may name."""

    name: str
    keys: tuple[IssuerKey, ...]

    def keys_at(self, now: datetime) -> tuple[VerifyingKey, ...]:
        """The keys whose certificates are valid at a time."""
        return tuple([each.key for each in self.keys if each.not_before <= now <= each.not_after])


Issuers = Mapping[str, TrustedIssuer]  # by name


def issuer_keys(pem: bytes) -> tuple[IssuerKey, ...]:
    """The keys of the certificates in a PEM file. Raises IssuerUnusable."""
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise IssuerUnusable("is no PEM file with certificates") from None
    return tuple(_issuer_key(certificate) for certificate in certificates)


def trusted_issuer(name: str, keys: Iterable[IssuerKey]) -> TrustedIssuer:
    """An issuer with its keys, each once. Raises IssuerUnusable."""
    distinct = tuple({each.certificate_sha256: each for each in keys}.values())
    if len(distinct) > MOST_CERTIFICATES:
        raise IssuerUnusable(f"has {len(distinct)} certificates, at most {MOST_CERTIFICATES}")
    return TrustedIssuer(name, distinct)


def _issuer_key(certificate: x509.Certificate) -> IssuerKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise IssuerUnusable("has a certificate whose key cannot be read") from None
    wrong = weakness(key)
    if wrong:
        raise IssuerUnusable(wrong)
    return IssuerKey(
        key=key,  # type: ignore[arg-type]
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        certificate_sha256=certificate.fingerprint(SHA256()).hex(),
    )
