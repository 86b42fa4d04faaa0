"""Algorithms of signatures that are accepted, and keys that are strong enough (XML Signature 6; RFC 6931, RFC 9231)."""

from collections.abc import Callable, Mapping
from hashlib import sha1, sha256, sha384, sha512
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

VerifyingKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_RSA_BITS: Final = 2048
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_LATER: Final = "http://www.w3.org/2007/05/xmldsig-more#"
_XMLENC: Final = "http://www.w3.org/2001/04/xmlenc#"

Digest = Callable[[bytes], Any]  # of hashlib
Verify = Callable[[VerifyingKey, bytes, bytes, hashes.HashAlgorithm], None]


def _pkcs1(key: VerifyingKey, signature: bytes, data: bytes, digest: hashes.HashAlgorithm) -> None:
    try:
        key.verify(signature, data, _PKCS1, digest)  # type: ignore[arg-type, call-arg]
    except TypeError:  # what an elliptic curve verifies has no padding
        raise InvalidSignature from None


def _pss(key: VerifyingKey, signature: bytes, data: bytes, digest: hashes.HashAlgorithm) -> None:
    """RSASSA-PSS with MGF1 of the same digest and a salt as long as it (RFC 9231, 2.3.10)."""
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidSignature
    key.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)


def _ecdsa(key: VerifyingKey, signature: bytes, data: bytes, digest: hashes.HashAlgorithm) -> None:
    """The signature is r and s side by side, each as long as the order of the curve (XML Signature 1.1, 6.4.3)."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidSignature
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))


_PKCS1: Final = padding.PKCS1v15()
_SHA1, _SHA256, _SHA384, _SHA512 = hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()  # noqa: S303


class SignatureMethod(NamedTuple):
    """How a signature of one algorithm is verified; `verify` raises InvalidSignature, also for another kind of key."""

    verify: Verify
    digest: hashes.HashAlgorithm


class Algorithms(NamedTuple):
    """What a policy accepts: digests and methods, by URI."""

    digests: Mapping[str, Digest]
    signatures: Mapping[str, SignatureMethod]


STRONG: Final = Algorithms(
    digests={f"{_XMLENC}sha256": sha256, f"{_MORE}sha384": sha384, f"{_XMLENC}sha512": sha512},
    signatures={
        f"{_MORE}rsa-sha256": SignatureMethod(_pkcs1, _SHA256),
        f"{_MORE}rsa-sha384": SignatureMethod(_pkcs1, _SHA384),
        f"{_MORE}rsa-sha512": SignatureMethod(_pkcs1, _SHA512),
        f"{_LATER}sha256-rsa-MGF1": SignatureMethod(_pss, _SHA256),
        f"{_LATER}sha384-rsa-MGF1": SignatureMethod(_pss, _SHA384),
        f"{_LATER}sha512-rsa-MGF1": SignatureMethod(_pss, _SHA512),
        f"{_MORE}ecdsa-sha256": SignatureMethod(_ecdsa, _SHA256),
        f"{_MORE}ecdsa-sha384": SignatureMethod(_ecdsa, _SHA384),
        f"{_MORE}ecdsa-sha512": SignatureMethod(_ecdsa, _SHA512),
    },
)
WITH_SHA1: Final = Algorithms(  # for policies of senders that sign no other way
    digests={**STRONG.digests, f"{_DSIG}sha1": sha1},
    signatures={**STRONG.signatures, f"{_DSIG}rsa-sha1": SignatureMethod(_pkcs1, _SHA1)},
)


def weakness(key: object) -> str | None:
    """What is wrong with a public key, in a few words; None for one that is strong enough."""
    if isinstance(key, rsa.RSAPublicKey):
        return None if key.key_size >= _RSA_BITS else f"has an RSA key of {key.key_size} bits, at least {_RSA_BITS}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return None if isinstance(key.curve, _CURVES) else f"has a key on the curve {key.curve.name}, below P-256"
    return "has a key that is neither RSA nor on an elliptic curve"
