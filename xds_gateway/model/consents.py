"""What a patient permits or opposes: to whom, about which documents, until when (ITI TF-1 19, in our own words)."""

from enum import IntEnum
from typing import Final, Literal, NamedTuple

from .identifiers import PatientId
from .principal import Pair

Scope = Literal["all", "confidentiality_code", "class_code", "type_code"]


class Nearness(IntEnum):
    """How nearly a consent names its grantee: of two that contradict each other the nearer one counts."""

    EVERYBODY = 0
    ROLE = 1
    ORGANIZATION = 2
    PERSON = 3


# Grantees as consents and callers are compared: kind and identifier in one text.
EVERYBODY: Final = "everybody"
_PREFIXES: Final = {
    "role:": Nearness.ROLE,
    "organization:": Nearness.ORGANIZATION,
    "person:": Nearness.PERSON,
}


def role_grantee(code: str, scheme: str = "") -> str:
    """All with a role; callers without a user have the role `node`, of no scheme."""
    return f"role:{code}^^{scheme}" if scheme else f"role:{code}"


def organization_grantee(identifier: str) -> str:
    """All of an organisation, by its OID or identifier."""
    return f"organization:{identifier}"


def person_grantee(name_id: str) -> str:
    """One person, by the NameID of their assertions."""
    return f"person:{name_id}"


def nearness_of(grantee: str) -> Nearness | None:
    """How near a grantee is; None for a text that names none."""
    if grantee == EVERYBODY:
        return Nearness.EVERYBODY
    for prefix, nearness in _PREFIXES.items():
        if grantee.startswith(prefix) and len(grantee) > len(prefix):
            return nearness
    return None


class Consent(NamedTuple):
    """A permission or an opposition of a patient.

    It covers all documents, or those with `code` as `scope` says. `until` is excluded (DTM to the second, UTC), None
    for ever. An opposition with `break_glass` does not count in an emergency.
    """

    patient_id: PatientId
    permits: bool
    grantee: str
    scope: Scope = "all"
    code: Pair | None = None
    until: str | None = None
    break_glass: bool = False


class KeptConsent(NamedTuple):
    """A consent as it is kept: its number, who told it and when, and who withdrew it."""

    number: int
    consent: Consent
    at: str
    by: str
    withdrawn_at: str | None = None
    withdrawn_by: str | None = None

    def in_force(self, now: str) -> bool:
        """Whether it counts at a time (DTM to the second, UTC)."""
        until = self.consent.until
        return self.withdrawn_at is None and (until is None or until > now)
