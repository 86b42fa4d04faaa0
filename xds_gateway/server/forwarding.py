"""Callers behind a proxy that ends TLS: it tells their certificate and address in headers, and nobody else may.

The proxy has seen the caller use its key. All else that TLS would have verified is verified here, with the authorities,
pins and revocation lists of the listener, for each request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from ..codec.forwarded import parse_address_header, parse_certificate_header, parse_chain_header
from ..model.errors import HttpRefused
from ..model.nodes import NodeReason, NodeRefused
from .handshakes import Tell
from .tls import LiveTls

_RFC9440: Final = "client-cert"
_RFC9440_CHAIN: Final = "client-cert-chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRules:
    """Which peers are proxies, and the headers that they tell by, in lower case; None is a header that is not used."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    certificate_header: str | None
    address_header: str | None

    def is_proxy(self, address: str) -> bool:
        """Whether a peer may tell of callers."""
        try:
            found = ip_address(address)
        except ValueError:  # the peer is gone already
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in network for network in self.networks)


class Forwarding:
    """The callers of one listener behind proxies."""

    def __init__(self, rules: ProxyRules, tls: LiveTls, *, tell: Tell, now: Callable[[], datetime]) -> None:
        """`tell` hears of nodes that are refused; `now` judges certificates."""
        self._rules: Final = rules
        self._tls: Final = tls
        self._tell: Final = tell
        self._now: Final = now

    def caller(self, address: str, certificate: bytes | None, headers: Mapping[str, str]) -> tuple[str, bytes | None]:
        """Address and certificate of who has sent a request; given are those of its connection. Raises HttpRefused."""
        rules = self._rules
        if not rules.is_proxy(address):
            self._refuse_stranger(address, headers)
            return address, certificate
        origin = self._origin(address, headers)
        if rules.certificate_header is None:
            return origin, certificate
        told = headers.get(rules.certificate_header)
        return origin, self._verified(told, origin, headers) if told else None  # never the proxy's own

    def _refuse_stranger(self, address: str, headers: Mapping[str, str]) -> None:
        if self._rules.certificate_header in headers:
            self._tell(NodeReason.FORWARDED_BY_STRANGER, address, None)
            raise HttpRefused(403, f"The header {self._rules.certificate_header} is taken from proxies only")

    def _origin(self, address: str, headers: Mapping[str, str]) -> str:
        """The last address on the way that is no proxy; those before it anybody may have written."""
        told = headers.get(self._rules.address_header or "")
        if not told:
            return address
        try:
            way = [str(each) for each in parse_address_header(told)]
        except ValueError as wrong:
            raise HttpRefused(400, f"The header {self._rules.address_header} holds no addresses") from wrong
        return next((each for each in reversed(way) if not self._rules.is_proxy(each)), way[0])

    def _verified(self, told: str, origin: str, headers: Mapping[str, str]) -> bytes:
        try:
            certificate = parse_certificate_header(told)
            with_chain = self._rules.certificate_header == _RFC9440
            chain = parse_chain_header(headers.get(_RFC9440_CHAIN, "")) if with_chain else ()
        except ValueError as wrong:
            self._tell(NodeReason.BROKEN_CERTIFICATE, origin, None)
            raise HttpRefused(400, f"The header {self._rules.certificate_header} cannot be read: {wrong}") from wrong
        try:
            self._tls.current.trust.verify_forwarded(certificate, chain, self._now())
        except NodeRefused as refused:
            self._tell(refused.reason, origin, refused.node)
            raise HttpRefused(403, f"The client certificate is not accepted: {refused.reason}") from refused
        return certificate
