"""One good XUA assertion, and changes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from xds_gateway.model import assertions as a
from xds_gateway.model.assertions import Assertion, Attribute, Confirmation
from xds_gateway.model.principal import Coded

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AUDIENCE = "urn:oid:1.2.250.1.999.1"
PHYSICIAN = Coded("309343006", "2.16.840.1.113883.6.96", "Physician")
TREATMENT = Coded("TREAT", "2.16.840.1.113883.5.8", "treatment")

GOOD = Assertion(
    id="_0123456789abcdef",
    issuer="https://idp.hospital.example",
    issue_instant=NOW,
    name_id="dr.martin",
    confirmations=(Confirmation(a.BEARER, not_on_or_after=NOW + timedelta(minutes=5)),),
    not_before=NOW,
    not_on_or_after=NOW + timedelta(minutes=5),
    audiences=((AUDIENCE,),),
    authn_instant=NOW,
    authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:X509",
    attributes=(
        Attribute(a.SUBJECT_ID, ("Dr Claire Martin",)),
        Attribute(a.ORGANIZATION, ("Hospital",)),
        Attribute(a.ORGANIZATION_ID, ("urn:oid:1.2.250.1.999.2",)),
        Attribute(a.ROLE, (PHYSICIAN,)),
        Attribute(a.PURPOSE_OF_USE, (TREATMENT,)),
    ),
)


def make_assertion(**changes: Any) -> Assertion:
    """The good assertion with other values."""
    return replace(GOOD, **changes)
