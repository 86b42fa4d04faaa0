"""Settings of what the gateway listens on: ports for SOAP, ports for identity feeds."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .values import (
    ByteCount,
    Count,
    DomainName,
    Fingerprint,
    HeaderName,
    Network,
    Seconds,
    Section,
    Unit,
    comma_separated,
)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class Port(Section):
    """A port that is listened on, and whom it trusts."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address or host name to listen on.")
    port: int = Field(default=8443, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    tls: Literal["mutual", "server", "off"] = Field(
        default="mutual",
        description='"mutual" asks for a client certificate and refuses a connection without one, '
        '"server" does not ask, "off" is plain HTTP and is accepted on loopback only.',
    )
    certificate: Path = Field(
        default=Path("var/pki/server.crt"), description="PEM file of the server certificate and its intermediates."
    )
    key: Path = Field(default=Path("var/pki/server.key"), description="PEM file of the server's private key.")
    client_ca: Path = Field(
        default=Path("var/pki/ca.crt"),
        description="File of the authorities that client certificates must come from, PEM or one in DER.",
    )
    trust: Literal["authorities", "pinned", "either"] = Field(
        default="authorities",
        description='Whose client certificates are accepted: "authorities" those that client_ca has issued, "pinned" '
        'the listed ones and no other, "either" both (operations.md).',
    )
    pinned_certificates: Annotated[tuple[Path, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="Files of client certificates that are trusted as they are, self-signed ones too, PEM or DER (in a "
        "variable, with commas between).",
    )
    pinned_fingerprints: Annotated[tuple[Fingerprint, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="SHA-256 fingerprints of trusted client certificates that client_ca has issued (a self-signed one "
        "needs its file).",
    )
    crls: Annotated[tuple[Path, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="Revocation lists of the authorities in client_ca, PEM or DER; nothing is fetched, and revocation "
        "is not checked when empty.",
    )
    revocation: Literal["hard", "soft"] = Field(
        default="hard",
        description='With crls: "hard" refuses a client certificate of which no list speaks or only one that is past '
        'its nextUpdate, "soft" lets it in and warns. What a list revokes is refused always.',
    )
    allow_plain_beyond_loopback: bool = Field(
        default=False,
        description='Accept tls = "off" on an address that other machines reach: '
        "health data goes over the network in clear.",
    )

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the listener."""
        address = _address(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)

    @property
    def wants_certificates(self) -> bool:
        """True when callers come with certificates."""
        return self.tls == "mutual"

    @property
    def needs_authorities(self) -> bool:
        """True when client_ca is read: pinned files need no authority."""
        return self.trust != "pinned" or bool(self.pinned_fingerprints or self.crls)

    @property
    def url(self) -> str:
        """The address as a client on this machine writes it."""
        scheme = "http" if self.tls == "off" else "https"
        address = _address(self.host)
        host = "localhost" if self.loopback or (address and address.is_unspecified) else self.host
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"


class Listener(Port):
    """A port that the gateway listens on; every mount is served on every listener."""

    proxies: Annotated[tuple[Network, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="Addresses or networks of proxies that end TLS before this listener and may tell, in the next two "
        "headers, who calls.",
    )
    certificate_header: HeaderName | None = Field(
        default=None,
        description="Header in which proxies pass on the client certificate, such as X-SSL-Client-Cert (nginx, "
        "percent-encoded PEM) or Client-Cert (RFC 9440); from anybody else it is refused.",
    )
    address_header: HeaderName | None = Field(
        default=None,
        description="Header in which proxies pass on the caller's address, such as X-Forwarded-For; the audit then "
        "names the last address in it that is no proxy.",
    )

    @property
    def wants_certificates(self) -> bool:
        """True when callers come with certificates, or proxies with theirs."""
        return self.tls == "mutual" or self.certificate_header is not None


class Feed(Port):
    """A port that takes the messages of a patient identity feed, HL7 v2 over MLLP (ITI-8); none unless set."""

    port: int = Field(default=2575, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    domain: DomainName = Field(default="default", description="Name of the domain whose patients it tells of.")
    message_bytes: ByteCount = Field(
        default=2**20, description="Longest message; above it the answer is AR and the connection is closed."
    )
    message_seconds: Seconds = Field(
        default=30, description="Time for a message to arrive, from its first byte, and for its answer to be taken."
    )
    idle_seconds: Seconds = Field(default=86_400, description="How long a connection without messages is kept.")
    connections: Annotated[Count, Unit("connections")] = Field(
        default=50, description="Most open connections in each worker process; further ones are closed at once."
    )

    @property
    def url(self) -> str:
        """The address as a sender on this machine writes it: mllp or, over TLS, mllps."""
        scheme = "mllp" if self.tls == "off" else "mllps"
        return f"{scheme}://{super().url.partition('://')[2]}"


class Certificates(Section):
    """How files of certificates and revocation lists are watched."""

    watch_seconds: Seconds = Field(
        default=10,
        description="How often every worker looks whether files of certificates, keys, revocation lists and issuers "
        "have changed; SIGHUP makes it look at once.",
    )
    warning_days: Annotated[float, Field(ge=0), Unit("days")] = Field(
        default=30,
        description="How long before their end certificates and authorities are warned of, each day.",
    )
    crl_warning_days: Annotated[float, Field(ge=0), Unit("days")] = Field(
        default=1, description="The same for revocation lists."
    )
