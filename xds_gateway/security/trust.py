"""Whom a listener trusts: authorities, pinned certificates, and what revocation lists say (ITI TF-2 3.19.6).

TLS proves that a caller holds the key of its certificate; what is decided here comes after the handshake, and again
while the connection lives. A certificate that a proxy forwards has its whole path verified here.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from ..model.nodes import NodeReason, NodeRefused
from .certificates import read_certificate
from .revocation import RevocationLists

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_SEQUENCE: Final = b"\x30"  # the first byte of anything signed in DER or BER
_LONGEST: Final = 8  # certificates of a path
_HOLDS: Final = timedelta(minutes=1)
_MOST: Final = 4096  # verdicts that are remembered
_CLIENTS: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def parse_certificates(content: bytes) -> tuple[bytes, ...]:
    """The certificates of a file, in PEM any number or in DER one; DER each. Raises ValueError when there are none."""
    found = tuple(b64decode(body) for body in _PEM.findall(content))
    if not found and not content.startswith(_SEQUENCE):
        raise ValueError("there is no certificate in it, neither PEM nor DER")
    return found or (content,)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's DER, in lower-case hexadecimal digits."""
    return sha256(certificate).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTrust:
    """What a listener asks of client certificates.

    `pinned` are fingerprints of certificates that are trusted as they are; `lists` is None where revocation is not
    checked. With `whom` "pinned" nobody else is let in; `revocation` "hard" refuses whom no fresh list speaks of.
    """

    authorities: tuple[x509.Certificate, ...]
    pinned: frozenset[str] = frozenset()
    whom: Literal["authorities", "pinned", "either"] = "authorities"
    lists: RevocationLists | None = None
    revocation: Literal["hard", "soft"] = "hard"
    _good: dict[tuple[bytes, ...], datetime] = field(default_factory=dict, compare=False, repr=False)

    def check(self, certificate: bytes, presented: Sequence[bytes], now: datetime) -> None:
        """See that a certificate that TLS has verified may be let in, now; `presented` came with it.

        Raises NodeRefused.
        """
        self._remembered((b"TLS", certificate, *presented), now, self._check, certificate, presented)

    def verify_forwarded(self, certificate: bytes, presented: Sequence[bytes], now: datetime) -> None:
        """The same for a certificate that only a proxy has seen in use: its path is verified too.

        Raises NodeRefused.
        """
        self._remembered((b"proxy", certificate, *presented), now, self._verify, certificate, presented)

    def _remembered(
        self,
        key: tuple[bytes, ...],
        now: datetime,
        check: Callable[[bytes, Sequence[bytes], datetime], None],
        certificate: bytes,
        presented: Sequence[bytes],
    ) -> None:
        """A good verdict holds for a minute: nothing but time can change it, and a path takes a millisecond."""
        judged = self._good.get(key)
        if judged is not None and judged <= now < judged + _HOLDS:
            return
        check(certificate, presented, now)
        if len(self._good) >= _MOST:
            self._good.clear()
        self._good[key] = now

    def _check(self, certificate: bytes, presented: Sequence[bytes], now: datetime) -> None:
        pinned = fingerprint(certificate) in self.pinned
        if self.whom == "pinned" and not pinned:
            raise NodeRefused(NodeReason.NOT_PINNED, _subject(certificate))
        leaf = read_certificate(certificate)
        if leaf is not None:
            self._check_path((leaf,) if pinned else self._path(leaf, presented), now, pinned=pinned)
        elif not pinned and (self.whom == "either" or (self.lists is not None and self.revocation == "hard")):
            raise NodeRefused(NodeReason.BROKEN_CERTIFICATE)  # a card that OpenSSL reads and we do not

    def _verify(self, certificate: bytes, presented: Sequence[bytes], now: datetime) -> None:
        leaf = read_certificate(certificate)
        if leaf is None:
            raise NodeRefused(NodeReason.BROKEN_CERTIFICATE)
        _check_time(leaf, now, leaf.subject.rfc4514_string())
        if fingerprint(certificate) not in self.pinned:
            self._verify_path(leaf, presented, now)
        self._check(certificate, presented, now)

    def _check_path(self, path: Sequence[x509.Certificate], now: datetime, *, pinned: bool) -> None:
        node = path[0].subject.rfc4514_string()
        for certificate in path:
            _check_time(certificate, now, node)
        anchored = pinned or path[-1] in self.authorities
        if self.whom == "either" and not anchored:  # issued by a pinned certificate, which vouches for itself only
            raise NodeRefused(NodeReason.UNKNOWN_AUTHORITY, node)
        if self.lists is not None:
            self._check_revoked(path, self.lists, now, node, anchored=anchored)

    def _check_revoked(
        self, path: Sequence[x509.Certificate], lists: RevocationLists, now: datetime, node: str, *, anchored: bool
    ) -> None:
        """Whom a list names is refused always; silence refuses all but the anchor, which is trusted as it is."""
        verdicts = [lists.verdict(certificate, now) for certificate in path]
        if "revoked" in verdicts:
            raise NodeRefused(NodeReason.REVOKED, node)
        if self.revocation == "soft":
            return
        unsure = verdicts[:-1] if anchored else [*verdicts, "missing"]  # nobody knows who is above
        if "missing" in unsure:
            raise NodeRefused(NodeReason.CRL_MISSING, node)
        if "stale" in unsure:
            raise NodeRefused(NodeReason.CRL_STALE, node)

    def _path(self, leaf: x509.Certificate, presented: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
        """The certificate and its authorities, as far as they are known."""
        known = (*self.authorities, *readable(presented))
        path = [leaf]
        while len(path) < _LONGEST and path[-1].subject != path[-1].issuer:
            issuer = next((each for each in known if _issued(path[-1], each)), None)
            if issuer is None:
                break
            path.append(issuer)
        return tuple(path)

    def _verify_path(self, leaf: x509.Certificate, presented: Sequence[bytes], now: datetime) -> None:
        node = leaf.subject.rfc4514_string()
        if self.whom == "pinned" or not self.authorities:
            raise NodeRefused(NodeReason.NOT_PINNED, node)
        policy = ExtensionPolicy.permit_all().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _is_client)
        builder = PolicyBuilder().store(Store(list(self.authorities))).time(now)
        verifier = builder.extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=policy
        ).build_client_verifier()
        try:
            verifier.verify(leaf, list(readable(presented)))
        except VerificationError as failure:
            raise NodeRefused(_reason(leaf, failure), node) from failure


def _check_time(certificate: x509.Certificate, now: datetime, node: str) -> None:
    if now < certificate.not_valid_before_utc:
        raise NodeRefused(NodeReason.NOT_YET_VALID, node)
    if now > certificate.not_valid_after_utc:
        raise NodeRefused(NodeReason.EXPIRED, node)


@lru_cache(maxsize=4096)
def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_client(policy: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and not _CLIENTS & set(usage):
        raise ValueError("EKU does not allow clients")


def _reason(leaf: x509.Certificate, failure: VerificationError) -> NodeReason:
    if "EKU" in str(failure):
        return NodeReason.WRONG_PURPOSE
    return NodeReason.SELF_SIGNED if leaf.subject == leaf.issuer else NodeReason.UNKNOWN_AUTHORITY


def _subject(certificate: bytes) -> str | None:
    read = read_certificate(certificate)
    return None if read is None else read.subject.rfc4514_string()


def readable(certificates: Sequence[bytes]) -> Iterator[x509.Certificate]:
    """Those of these certificates that can be read."""
    return filter(None, map(read_certificate, certificates))


def validities(certificates: Sequence[bytes]) -> Iterator[tuple[str, datetime]]:
    """Subject and last moment of each certificate that can be read."""
    for each in readable(certificates):
        yield each.subject.rfc4514_string(), each.not_valid_after_utc
