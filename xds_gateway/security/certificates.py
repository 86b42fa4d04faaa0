"""Node identity: what a verified client certificate says about its holder (ITI TF-2 3.19)."""

from functools import lru_cache
from hashlib import sha256

from cryptography import x509

from ..model.principal import Principal

ANONYMOUS = "anonymous"


def principal_of(certificate: bytes | None, address: str) -> Principal:
    """The caller behind a TLS connection; `certificate` is DER that the TLS layer has verified, None without one.

    A certificate that cannot be read is named by its fingerprint.
    """
    if certificate is None:
        return Principal(node=ANONYMOUS, address=address)
    subject, fingerprint = _identity(certificate)
    return Principal(node=subject, address=address, certificate_sha256=fingerprint)


@lru_cache(maxsize=4096)
def _identity(certificate: bytes) -> tuple[str, str]:
    fingerprint = sha256(certificate).hexdigest()
    try:
        return x509.load_der_x509_certificate(certificate).subject.rfc4514_string(), fingerprint
    except ValueError:  # OpenSSL has verified it; older cards of professionals are not strict DER
        return f"certificate {fingerprint}", fingerprint
