"""Settings of the audit: who tells it, how long it is kept, to whom it is sent."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints

from .values import ByteCount, DomainName, Seconds, Section, Unit, comma_separated

SourceId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=re.compile(r"^[\x21-\x7e]+$"))]


class Audit(Section):
    """The record of every access (ITI-20, who-looked.md)."""

    source_id: SourceId = Field(
        default="xds-gateway",
        description="AuditSourceID: what this gateway is called in audit messages.",
    )
    enterprise_site_id: SourceId | None = Field(
        default=None, description="AuditEnterpriseSiteID: the organisation or site; left out when not set."
    )
    anchor_key: Path | None = Field(
        default=None,
        description="PEM file of the Ed25519 private key that signs anchors (`xds-gateway pki` makes audit.key); "
        "anchors are not signed when not set.",
    )
    anchor_public_keys: Annotated[tuple[Path, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="PEM files of earlier keys, public or private, whose anchors are still to be verified (in a "
        "variable, with commas between).",
    )
    anchor_seconds: Seconds = Field(
        default=600, description="How often the chains are tied together by an anchor, when something was added."
    )
    retention_days: Annotated[int, Field(ge=0), Unit("days")] = Field(
        default=366,
        description="How long events are kept, at least; 0 keeps them for good. What is not sent yet stays.",
    )


class AuditRepository(Section):
    """An Audit Record Repository that all events are sent to, in order; none unless set."""

    name: DomainName = Field(
        default="main", description="What the gateway calls it: how far it is, is kept under this name."
    )
    protocol: Literal["syslog", "fhir"] = Field(
        default="syslog",
        description='"syslog" sends DICOM audit messages over TLS (RFC 5425), "fhir" AuditEvent resources over HTTP.',
    )
    host: str = Field(default="localhost", min_length=1, description='Host name of a "syslog" receiver.')
    port: int = Field(default=6514, ge=1, le=65535, description='TCP port of a "syslog" receiver.')
    url: str = Field(
        default="",
        description='Base URL of a "fhir" server, such as https://audit.example.org/fhir; AuditEvent is below it.',
    )
    ca: Path = Field(
        default=Path("var/pki/ca.crt"), description="PEM file of the authorities that its certificate must come from."
    )
    certificate: Path | None = Field(
        default=None, description="PEM file of the gateway's client certificate; none is shown when not set."
    )
    key: Path | None = Field(default=None, description="PEM file of that certificate's private key.")
    max_bytes: ByteCount = Field(
        default=64 * 2**10,
        description='Longest message that a "syslog" receiver takes; a longer one is set aside and told.',
    )
    step_seconds: Seconds = Field(default=10, description="Time for connecting, and for each message to be taken.")
    confirm_seconds: Seconds = Field(
        default=10,
        description='How long a "syslog" connection must live on after an event before that event counts as '
        "received; later ones are sent again when it breaks.",
    )

    @property
    def loopback(self) -> bool:
        """True for a FHIR server that is on this machine."""
        return urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")
