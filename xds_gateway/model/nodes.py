"""Nodes that were not let in: why, in words that the audit keeps (ITI TF-2 3.19, 3.20)."""

from enum import StrEnum

from .errors import GatewayError


class NodeReason(StrEnum):
    """Why a node is refused; the values are those of audit events and logs."""

    NO_CERTIFICATE = "no-certificate"
    SELF_SIGNED = "self-signed"
    UNKNOWN_AUTHORITY = "unknown-authority"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_PURPOSE = "wrong-purpose"  # a certificate of a server or a signer
    BROKEN_CERTIFICATE = "broken-certificate"  # its signature, or its chain, does not hold
    NOT_PINNED = "not-pinned"
    REVOKED = "revoked"
    CRL_MISSING = "crl-missing"  # no list says anything about it, and revocation is "hard"
    CRL_STALE = "crl-stale"
    PLAIN_TEXT = "plain-text"  # HTTP or MLLP on a port with TLS
    OLD_PROTOCOL = "old-protocol"
    NO_SHARED_CIPHER = "no-shared-cipher"
    REFUSED_BY_PEER = "refused-by-peer"  # it does not trust our certificate
    CUT_OFF = "cut-off"
    TOO_SLOW = "too-slow"
    TOO_MANY = "too-many"  # handshakes at one time
    FORWARDED_BY_STRANGER = "forwarded-by-stranger"  # the header of a proxy, from an address that is none
    BAD_HANDSHAKE = "bad-handshake"


class NodeRefused(GatewayError):
    """A node is not let in: `node` is the subject of its certificate where that was proven to be its own."""

    def __init__(self, reason: NodeReason, node: str | None = None) -> None:
        super().__init__(f"node refused: {reason}")
        self.reason = reason
        self.node = node
