"""Node identity: what a verified client certificate says about its holder (ITI TF-2 3.19)."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from cryptography import x509

from ..model.certificate_families import GENERIC, CertificateFamily
from ..model.principal import NodeIdentity, Principal
from .certificate_families import identity_of

ANONYMOUS = "anonymous"


def principal_of(
    certificate: bytes | None, address: str, families: Sequence[CertificateFamily] = (GENERIC,)
) -> Principal:
    """The caller behind a connection; `certificate` is DER and verified, None without one.

    The first of `families` that it belongs to says who that is. A certificate that cannot be read is named by its
    fingerprint, and is nobody's.
    """
    if certificate is None:
        return Principal(node=ANONYMOUS, address=address)
    subject, fingerprint, identity = _identity(certificate, tuple(families))
    return Principal(node=subject, address=address, certificate_sha256=fingerprint, identity=identity)


@lru_cache(maxsize=4096)
def read_certificate(certificate: bytes) -> x509.Certificate | None:
    """A certificate in DER; None when it cannot be read: older cards of professionals are not strict DER."""
    try:
        read = x509.load_der_x509_certificate(certificate)
        _ = read.subject, read.issuer, read.extensions
    except ValueError:
        return None
    return read


@lru_cache(maxsize=4096)
def _identity(certificate: bytes, families: tuple[CertificateFamily, ...]) -> tuple[str, str, NodeIdentity | None]:
    fingerprint = sha256(certificate).hexdigest()
    read = read_certificate(certificate)
    if read is None:
        return f"certificate {fingerprint}", fingerprint, None
    return read.subject.rfc4514_string(), fingerprint, identity_of(read, families)
