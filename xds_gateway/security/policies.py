"""What each kind of assertion must keep: one row for each policy, every judgement in `saml.py` reads it from here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from ..model.assertions import BEARER, HOLDER_OF_KEY
from .algorithms import STRONG, Algorithms
from .wss import TokenLimits

Presence = Literal["required", "optional", "forbidden"]
NAME_FORMATS: Final = (None, "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")  # SAML 2.0 core 2.2.5
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
X509_SUBJECT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"


class AssertionPolicy(NamedTuple):
    """A row. `conditions` are Conditions with their NotOnOrAfter; where they are absent, `age` alone ends an assertion.

    `single_use` "asserted" is for those with OneTimeUse, "always" for each. `validity` is from NotBefore, or else from
    IssueInstant, to NotOnOrAfter.
    """

    conditions: Presence
    audience: Presence
    authn_statement: Presence
    confirmations: frozenset[str]
    issuer_formats: tuple[str | None, ...]
    skew: timedelta
    age: timedelta
    validity: timedelta
    single_use: Literal["asserted", "always"]
    algorithms: Algorithms
    limits: TokenLimits


POLICIES: Final[Mapping[str, AssertionPolicy]] = {
    "xua": AssertionPolicy(  # ITI TF-2 3.40.4.1.2
        conditions="required",
        audience="required",
        authn_statement="required",
        confirmations=frozenset((BEARER, HOLDER_OF_KEY)),
        issuer_formats=(*NAME_FORMATS, UNSPECIFIED, X509_SUBJECT),
        skew=timedelta(seconds=60),
        age=timedelta(hours=24),
        validity=timedelta(hours=24),
        single_use="asserted",
        algorithms=STRONG,
        limits=TokenLimits(size=64 * 1024, namespaces=100),
    ),
}
