"""Why a message with an assertion is refused: each rule, the fault that WS-Security has for it, what is wrong.

The sentence goes to the log and, where a tester's configuration allows it, to the caller; everybody else is told the
sentence of WS-Security only (SOAP Message Security 1.1, 12).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from ..model.assertions import NotAnAssertion
from ..model.errors import GatewayError


class SecurityFault(str, Enum):
    """The fault codes of SOAP Message Security 1.1, 12."""

    UNSUPPORTED_TOKEN = "UnsupportedSecurityToken"  # noqa: S105 - a fault code
    UNSUPPORTED_ALGORITHM = "UnsupportedAlgorithm"
    INVALID_SECURITY = "InvalidSecurity"
    INVALID_TOKEN = "InvalidSecurityToken"  # noqa: S105 - a fault code
    FAILED_AUTHENTICATION = "FailedAuthentication"
    FAILED_CHECK = "FailedCheck"
    MESSAGE_EXPIRED = "MessageExpired"


SENTENCES: Final[Mapping[SecurityFault, str]] = {  # as SOAP Message Security 1.1, 12 has them
    SecurityFault.UNSUPPORTED_TOKEN: "An unsupported token was provided",
    SecurityFault.UNSUPPORTED_ALGORITHM: "An unsupported signature or encryption algorithm was used",
    SecurityFault.INVALID_SECURITY: "An error was discovered processing the wsse:Security header",
    SecurityFault.INVALID_TOKEN: "An invalid security token was provided",
    SecurityFault.FAILED_AUTHENTICATION: "The security token could not be authenticated or authorized",
    SecurityFault.FAILED_CHECK: "The signature or decryption was invalid",
    SecurityFault.MESSAGE_EXPIRED: "The message has expired",
}


class RefusalRule(NamedTuple):
    """A row of RULES."""

    fault: SecurityFault
    sentence: str
    clause: str


_F = SecurityFault

#   rule                      fault, what is wrong, clause
RULES: Final[Mapping[str, RefusalRule]] = {
    # the header
    "wss.required": RefusalRule(
        _F.INVALID_SECURITY, "This endpoint needs an assertion in a wsse:Security header", "ITI TF-2 3.40.4.1.2"
    ),
    "wss.security": RefusalRule(
        _F.INVALID_SECURITY, "Only one wsse:Security header is accepted", "SOAP Message Security 1.1, 5"
    ),
    "wss.token": RefusalRule(
        _F.UNSUPPORTED_TOKEN,
        "The header holds something else than an Assertion of SAML 2.0 and a Timestamp",
        "ITI TF-2 3.40.4.1.2",
    ),
    "wss.assertion.one": RefusalRule(
        _F.INVALID_SECURITY, "The message holds more than one assertion", "ITI TF-2 3.40.4.1.2"
    ),
    "wss.signature.one": RefusalRule(
        _F.INVALID_SECURITY,
        "The header must hold one signature, and that a child of the assertion",
        "SAML 2.0 core 5.4.1; ITI TF-2 3.40.4.1.2",
    ),
    "wss.id": RefusalRule(
        _F.INVALID_SECURITY,
        "The ID of the assertion is missing, or stands elsewhere in the message",
        "SAML 2.0 core 1.3.4",
    ),
    "wss.comment": RefusalRule(
        _F.INVALID_SECURITY,
        "The header holds a comment or a processing instruction",
        "divergences.md: comments hide what a signature does not see",
    ),
    "wss.size": RefusalRule(_F.INVALID_SECURITY, "The assertion is too long", "divergences.md"),
    "wss.namespaces": RefusalRule(
        _F.INVALID_SECURITY, "The assertion has too many namespace declarations", "divergences.md"
    ),
    "wss.timestamp": RefusalRule(
        _F.INVALID_SECURITY, "The Timestamp cannot be read", "SOAP Message Security 1.1, 10"
    ),
    "wss.timestamp.expired": RefusalRule(
        _F.MESSAGE_EXPIRED, "The Timestamp of the message has expired", "SOAP Message Security 1.1, 10"
    ),
    # the signature
    "dsig.position": RefusalRule(
        _F.INVALID_TOKEN, "The signature must follow the Issuer of the assertion", "SAML 2.0 core 2.3.3"
    ),
    "dsig.shape": RefusalRule(
        _F.INVALID_TOKEN,
        "A signature has one SignedInfo, one SignatureValue and at most one KeyInfo, in this order",
        "XML Signature 4.1; SAML 2.0 core 5.4",
    ),
    "dsig.keyInfo": RefusalRule(
        _F.INVALID_TOKEN,
        "KeyInfo may hold KeyName, KeyValue and X509Data only; nothing is fetched",
        "SAML 2.0 core 5.4.5",
    ),
    "dsig.canonicalization": RefusalRule(
        _F.UNSUPPORTED_ALGORITHM, "CanonicalizationMethod must be exclusive, without comments", "SAML 2.0 core 5.4.3"
    ),
    "dsig.algorithm": RefusalRule(
        _F.UNSUPPORTED_ALGORITHM, "The signature or digest algorithm is not accepted", "SAML 2.0 core 5.4.1"
    ),
    "dsig.reference": RefusalRule(
        _F.INVALID_TOKEN,
        "SignedInfo must have one Reference, whose URI is # and the ID of the assertion",
        "SAML 2.0 core 5.4.2",
    ),
    "dsig.transforms": RefusalRule(
        _F.INVALID_TOKEN,
        "The transforms must be enveloped-signature and exclusive canonicalization, in this order",
        "SAML 2.0 core 5.4.4",
    ),
    "dsig.value": RefusalRule(
        _F.FAILED_CHECK, "No key of the issuer verifies the signature", "XML Signature 3.2.2"
    ),
    "dsig.digest": RefusalRule(
        _F.FAILED_CHECK, "The assertion was changed after it was signed", "XML Signature 3.2.1"
    ),
    # who signed
    "saml.issuer.unknown": RefusalRule(
        _F.FAILED_AUTHENTICATION, "No issuer of this name is trusted here (setting issuers)", "ITI TF-2 3.40.4.1.3"
    ),
    "saml.issuer.format": RefusalRule(
        _F.INVALID_TOKEN, "The Issuer has a Format that the policy does not accept", "SAML 2.0 core 2.2.5"
    ),
    "saml.issuer.certificate": RefusalRule(
        _F.FAILED_AUTHENTICATION, "No certificate of the issuer is valid now", "ITI TF-2 3.40.4.1.3"
    ),
    # what can be read
    "saml.version": RefusalRule(_F.UNSUPPORTED_TOKEN, "The token is no assertion of SAML 2.0", "SAML 2.0 core 2.3.3"),
    "saml.structure": RefusalRule(_F.INVALID_TOKEN, "The assertion has parts that XUA has not", "SAML 2.0 core 2.3.3"),
    "saml.id": RefusalRule(_F.INVALID_TOKEN, "The ID of the assertion is no xs:ID", "SAML 2.0 core 1.3.4"),
    "saml.issuer": RefusalRule(_F.INVALID_TOKEN, "The Issuer cannot be read", "SAML 2.0 core 2.2.5"),
    "saml.subject": RefusalRule(_F.INVALID_TOKEN, "The Subject must have one NameID", "ITI TF-2 3.40.4.1.2"),
    "saml.instant": RefusalRule(_F.INVALID_TOKEN, "A time is no instant in UTC", "SAML 2.0 core 1.3.3"),
    "saml.authn": RefusalRule(
        _F.INVALID_TOKEN, "The assertion must have an AuthnStatement with an AuthnContext", "ITI TF-2 3.40.4.1.2"
    ),
    "saml.attribute": RefusalRule(_F.INVALID_TOKEN, "An attribute cannot be read", "ITI TF-2 3.40.4.1.2"),
    "saml.patient": RefusalRule(
        _F.INVALID_TOKEN, "resource-id must name one patient, as CX", "ITI TF-2 3.40.4.1.2.2.1"
    ),
    # whether it counts, here and now
    "saml.conditions": RefusalRule(
        _F.INVALID_TOKEN, "The Conditions are missing or not understood", "SAML 2.0 core 2.5.1.1; ITI TF-2 3.40.4.1.2"
    ),
    "saml.expiry": RefusalRule(
        _F.INVALID_TOKEN, "The Conditions must say NotOnOrAfter", "ITI TF-2 3.40.4.1.2; divergences.md"
    ),
    "saml.notYet": RefusalRule(
        _F.INVALID_TOKEN, "The assertion is not yet valid: compare the clocks", "SAML 2.0 core 2.5.1.2"
    ),
    "saml.expired": RefusalRule(_F.INVALID_TOKEN, "The assertion has expired", "SAML 2.0 core 2.5.1.2"),
    "saml.validity": RefusalRule(_F.INVALID_TOKEN, "The assertion is valid for too long", "divergences.md"),
    "saml.age": RefusalRule(_F.INVALID_TOKEN, "The assertion was issued too long ago", "divergences.md"),
    "saml.session": RefusalRule(_F.INVALID_TOKEN, "The session of the user has ended", "SAML 2.0 core 2.7.2"),
    "saml.audience.missing": RefusalRule(
        _F.INVALID_TOKEN, "The assertion must have an AudienceRestriction", "ITI TF-2 3.40.4.1.2"
    ),
    "saml.audience.forbidden": RefusalRule(
        _F.INVALID_TOKEN, "The assertion must not have an AudienceRestriction", "policy"
    ),
    "saml.audience": RefusalRule(
        _F.FAILED_AUTHENTICATION,
        "Each AudienceRestriction must name this service (setting audiences)",
        "SAML 2.0 core 2.5.1.4, erratum E46; ITI TF-2 3.40.4.1.2",
    ),
    "saml.confirmation": RefusalRule(
        _F.FAILED_AUTHENTICATION,
        "No SubjectConfirmation holds: bearer within its time, or holder-of-key with this connection's certificate",
        "SAML 2.0 core 2.4.1.1; SAML 2.0 profiles 3; ITI TF-2 3.40.4.1.2",
    ),
    "saml.replayed": RefusalRule(
        _F.FAILED_AUTHENTICATION, "The assertion was for one use and has been used", "SAML 2.0 core 2.5.1.5"
    ),
    "saml.forgotten": RefusalRule(
        _F.FAILED_AUTHENTICATION,
        "The assertion was for one use, and uses of its time are no longer remembered: the clock went back",
        "SAML 2.0 core 2.5.1.5",
    ),
}  # fmt: skip


class AuthenticationRefused(GatewayError):
    """The user of a message is not proven; `received` and `expected` are evidence for testers, never for the log."""

    def __init__(self, rule: str, *, received: str | None = None, expected: str | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.received = received
        self.expected = expected

    @property
    def fault(self) -> SecurityFault:
        """The fault code of WS-Security."""
        return RULES[self.rule].fault

    @property
    def explained(self) -> str:
        """The whole reason, in the form of a finding's codeContext."""
        row = RULES[self.rule]
        evidence = {"rule": self.rule, "received": self.received, "expected": self.expected, "clause": row.clause}
        told = " | ".join(f"{name}={value[:128]}" for name, value in evidence.items() if value)
        return f"{row.sentence}. [{told}]"


def unreadable(wrong: NotAnAssertion) -> AuthenticationRefused:
    """The refusal of an element that the codec does not read."""
    return AuthenticationRefused(wrong.rule, received=wrong.reason)
