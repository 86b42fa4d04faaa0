"""Settings of certificate families: whose a client certificate is."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ..model.certificate_families import ALTERNATIVES, ATTRIBUTES, CertificateFamily, is_attribute, is_place
from .values import DomainName, Oid, Section, comma_separated


def _place(value: str) -> str:
    if not is_place(value):
        names = ", ".join((*ATTRIBUTES, *ALTERNATIVES))
        raise ValueError(f"write where it is: {names}, fingerprint, or the OID of an attribute of the subject")
    return value


def _some(value: Any) -> Any:
    listed = comma_separated(value)
    if not listed:
        raise ValueError("write at least one place")
    return listed


def _condition(value: str) -> str:
    attribute, sign, pattern = value.partition("=")
    if not sign or not is_attribute(attribute):
        raise ValueError("write an attribute, = and a pattern of its whole value, such as OU=[0-9]{14}")
    try:
        re.compile(pattern)
    except re.error as wrong:
        raise ValueError(f"the pattern is no regular expression ({wrong})") from wrong
    return value


Place = Annotated[str, AfterValidator(_place)]
Condition = Annotated[str, AfterValidator(_condition)]


class Family(Section):
    """A family of client certificates: how one is told, and where it says whose it is; the first that fits counts.

    What none fits is read by the family `generic`: software, identified by URI, DNS name, CN or fingerprint.
    """

    family: DomainName = Field(description="Name of the family, as audit and access rules show it.")
    kind: Literal["person", "structure", "software"] = Field(description="What its certificates are of.")
    identifier: Annotated[tuple[Place, ...], BeforeValidator(_some)] = Field(
        description="Where the identifier is, the first place with a value: an attribute of the subject (CN, OU, "
        "serialNumber, ... or its OID), dns, uri or email of subjectAltName, or fingerprint.",
    )
    name: Annotated[tuple[Place, ...], BeforeValidator(comma_separated)] = Field(
        default=(), description="Where the name is, in the same way."
    )
    issuer: tuple[Condition, ...] = Field(
        default=(),
        description="Conditions on the issuer, all of them: ATTRIBUTE=PATTERN, a regular expression of a whole value.",
    )
    subject: tuple[Condition, ...] = Field(default=(), description="Conditions on the subject, in the same way.")
    policies: Annotated[tuple[Oid, ...], BeforeValidator(comma_separated)] = Field(
        default=(), description="OIDs of certificate policies, of which it has one."
    )
    extended_key_usages: Annotated[tuple[Oid, ...], BeforeValidator(comma_separated)] = Field(
        default=(), description="OIDs of extended key usages, of which it has one."
    )

    def row(self) -> CertificateFamily:
        """The same as a row of the table."""
        return CertificateFamily(
            family=self.family,
            kind=self.kind,
            identifier=self.identifier,
            name=self.name,
            issuer=tuple(map(_pair, self.issuer)),
            subject=tuple(map(_pair, self.subject)),
            policies=frozenset(self.policies),
            extended_key_usages=frozenset(self.extended_key_usages),
        )


def _pair(condition: str) -> tuple[str, str]:
    attribute, _, pattern = condition.partition("=")
    return attribute, pattern
