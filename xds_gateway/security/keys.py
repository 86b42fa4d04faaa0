"""Private keys that sign assertions: held in memory, from PEM or PKCS #12, or anywhere else behind `Signer`."""

from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from ..model.errors import GatewayError
from .algorithms import VerifyingKey, weakness

_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_PEM: Final = b"-----BEGIN "


class UnusableKey(GatewayError):
    """A key, certificate or password that cannot be used to sign; the text says why, and quotes none of them."""


class Signer(Protocol):
    """A private key with its certificate, wherever the key is."""

    @property
    def certificate(self) -> bytes:
        """The certificate of the key, in DER."""

    def sign(self, data: bytes) -> bytes:
        """A signature with SHA-256, as XML signatures have it: RSA PKCS #1 v1.5, or r and s of ECDSA side by side.

        RFC 8017 8.2; XML Signature 1.1, 6.4.
        """


class HeldKey:
    """A key in the memory of this process."""

    def __init__(self, key: _PrivateKey, certificate: x509.Certificate) -> None:
        """Raises UnusableKey for a key of another certificate, or one too weak."""
        if _identity(key.public_key()) != _identity(certificate_key(certificate)):
            raise UnusableKey("the key and the certificate do not belong together")
        self._key = key
        self._certificate = certificate.public_bytes(Encoding.DER)

    @property
    def certificate(self) -> bytes:
        """See Signer."""
        return self._certificate

    def sign(self, data: bytes) -> bytes:
        """See Signer."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        length = (self._key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def read_key(key: bytes, certificate: bytes, password: bytes | None = None) -> HeldKey:
    """A key and its certificate, each in PEM or DER. Raises UnusableKey."""
    load = load_pem_private_key if _PEM in key else load_der_private_key
    try:
        found = load(key, password)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("the key cannot be read: it is no PEM or DER, or its password is another one") from None
    except TypeError:  # cryptography's word for a password that is missing, or given in vain
        wanted = "the key needs a password" if password is None else "the key has no password and one was given"
        raise UnusableKey(wanted) from None
    if not isinstance(found, _PrivateKey):
        raise UnusableKey("the key is neither RSA nor elliptic curve")
    return HeldKey(found, read_certificate(certificate))


def read_p12(data: bytes, password: bytes | None = None) -> HeldKey:
    """The key and its certificate of a PKCS #12 file (RFC 7292). Raises UnusableKey."""
    try:
        found = pkcs12.load_pkcs12(data, password)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("it is no PKCS #12 file, or its password is another one") from None
    if not isinstance(found.key, _PrivateKey) or found.cert is None:
        raise UnusableKey("it holds no RSA or elliptic curve key with its certificate")
    return HeldKey(found.key, found.cert.certificate)


def read_certificate(data: bytes) -> x509.Certificate:
    """A certificate in PEM, the first of several, or DER. Raises UnusableKey."""
    try:
        return x509.load_pem_x509_certificate(data) if _PEM in data else x509.load_der_x509_certificate(data)
    except ValueError:
        raise UnusableKey("the certificate is no X.509 in PEM or DER") from None


def certificate_key(certificate: x509.Certificate) -> VerifyingKey:
    """The public key of a certificate. Raises UnusableKey for one that is too weak."""
    key = certificate.public_key()
    wrong = weakness(key)
    if wrong:
        raise UnusableKey(f"the certificate {wrong}")
    return key  # type: ignore[return-value]  # RSA or elliptic curve, else it has a weakness


def _identity(key: VerifyingKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
