"""Signatures of audit anchors: Ed25519 (RFC 8032) over their JSON; keys come in, proven anchors come out."""

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ..codec.anchors import parse_anchor
from ..model.anchors import Anchor
from ..model.errors import GatewayError

_CONTEXT: Final = b"xds-gateway audit anchor\n"  # the key signs nothing else by mistake


class NoAnchorKey(GatewayError):
    """A file is no Ed25519 key in PEM; the text is one sentence that says what to do."""


class AnchorRefused(GatewayError):
    """An anchor is not what somebody with the key has signed."""


def anchor_key(pem: bytes) -> Ed25519PrivateKey:
    """The private key that signs anchors. Raises NoAnchorKey."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as wrong:
        raise NoAnchorKey("it holds no private key in PEM without password") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise NoAnchorKey("it holds a key of another kind than Ed25519")
    return key


def anchor_public_key(pem: bytes) -> Ed25519PublicKey:
    """A public key that verifies anchors, of a public or a private key. Raises NoAnchorKey."""
    if b"PRIVATE KEY" in pem:
        return anchor_key(pem).public_key()
    try:
        key = load_pem_public_key(pem)
    except ValueError as wrong:
        raise NoAnchorKey("it holds no public key in PEM") from wrong
    if not isinstance(key, Ed25519PublicKey):
        raise NoAnchorKey("it holds a key of another kind than Ed25519")
    return key


def sign_anchor(content: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature of an anchor's JSON."""
    return key.sign(_CONTEXT + content)


def verify_anchor(content: bytes, signature: bytes | None, keys: Sequence[Ed25519PublicKey]) -> Anchor:
    """The anchor that one of the keys has signed; without keys, any. Raises AnchorRefused."""
    if keys and signature is None:
        raise AnchorRefused("it is not signed")
    if keys and not any(_signed(content, signature or b"", key) for key in keys):
        raise AnchorRefused("its signature is of none of the keys, or it was changed")
    try:
        return parse_anchor(content)
    except (ValueError, KeyError, TypeError) as wrong:
        raise AnchorRefused("it cannot be read") from wrong


def _signed(content: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(signature, _CONTEXT + content)
    except InvalidSignature:
        return False
    return True
