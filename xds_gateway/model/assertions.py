"""What a SAML 2.0 assertion says of a user, as XUA profiles it; nothing in here is proven yet (ITI TF-2 3.40.4.1.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from .errors import GatewayError
from .principal import Coded

BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER_OF_KEY: Final = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
SENDER_VOUCHES: Final = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"

# Names of attributes (ITI TF-2 3.40.4.1.2 to 3.40.4.1.2.3)
SUBJECT_ID: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ORGANIZATION: Final = "urn:oasis:names:tc:xspa:1.0:subject:organization"
ORGANIZATION_ID: Final = "urn:oasis:names:tc:xspa:1.0:subject:organization-id"
HOME_COMMUNITY_ID: Final = "urn:ihe:iti:xca:2010:homeCommunityId"
NPI: Final = "urn:oasis:names:tc:xspa:1.0:subject:npi"
PROVIDER_ID: Final = "urn:ihe:iti:xua:2017:subject:provider-identifier"
ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
PURPOSE_OF_USE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
RESOURCE_ID: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
CONSENT_DOCUMENT: Final = "urn:ihe:iti:bppc:2007:docid"
CONSENT_POLICY: Final = "urn:ihe:iti:xua:2012:acp"


class NotAnAssertion(GatewayError):
    """An element that is no assertion this gateway can read; `rule` is a stable id, the text names no content."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


class InstanceId(NamedTuple):
    """An identifier with the OID of its authority, HL7 version 3 datatype II (ITI TF-2 3.40.4.1.2)."""

    extension: str
    root: str
    authority: str | None = None


AttributeValue = str | Coded | InstanceId


class Attribute(NamedTuple):
    """One Attribute with its values, in their order; of attributes that XUA does not name, those that can be read."""

    name: str
    values: tuple[AttributeValue, ...] = ()


class Confirmation(NamedTuple):
    """How the presenter shows to be the one the assertion is for (SAML 2.0 core 2.4.1.1, 2.4.1.2).

    Instants are in UTC; `certificate` is the key of holder-of-key as an X.509 certificate in DER.
    """

    method: str
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    recipient: str | None = None
    address: str | None = None
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A SAML 2.0 assertion read or to be written, without its signature (SAML 2.0 core 2.3.3).

    Instants are in UTC. `audiences` has one tuple for each AudienceRestriction: one of its members must be met, in
    every one of them (2.5.1.4). `authn_context` is the class, else the declaration, that AuthnContext refers to.
    """

    id: str
    issuer: str
    issue_instant: datetime
    name_id: str
    issuer_format: str | None = None
    name_id_format: str | None = None
    sp_provided_id: str | None = None
    confirmations: tuple[Confirmation, ...] = ()
    has_conditions: bool = True
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    audiences: tuple[tuple[str, ...], ...] = ()
    one_time_use: bool = False
    authn_instant: datetime | None = None
    session_not_on_or_after: datetime | None = None
    authn_context: str | None = None
    attributes: tuple[Attribute, ...] = ()

    def values(self, name: str) -> Iterator[AttributeValue]:
        """All values of the attributes of a name; senders may repeat both (ITI TF-2 3.40.4.1.2)."""
        return (value for attribute in self.attributes if attribute.name == name for value in attribute.values)
