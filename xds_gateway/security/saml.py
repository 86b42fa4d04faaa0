"""Assertions judged: who signed, whether it counts here and now, and which user it proves (ITI TF-2 3.40.4.1.3)."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from ..codec.namespaces import SAML
from ..codec.saml import parse_assertion
from ..model import assertions as a
from ..model.assertions import Assertion, Confirmation, NotAnAssertion
from ..model.identifiers import PatientId, parse_patient_id
from ..model.principal import Coded, User
from .issuers import Issuers
from .policies import AssertionPolicy
from .refusals import AuthenticationRefused, unreadable
from .xmldsig import verify_enveloped

_ISSUER: Final = f"{{{SAML}}}Issuer"
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


class Circumstances(NamedTuple):
    """Where and when an assertion is presented: what its conditions are held against.

    `audiences` are names of this service, `certificate` is that of the connection (DER).
    """

    now: datetime
    audiences: frozenset[str]
    certificate: bytes | None


def verify_assertion(element: etree._Element, issuers: Issuers, policy: AssertionPolicy, now: datetime) -> Assertion:
    """What a trusted issuer has signed, read from nothing but that. Raises AuthenticationRefused."""
    name = (element.findtext(_ISSUER) or "").strip()  # only chooses among keys that are trusted
    issuer = issuers.get(name)
    if issuer is None:
        raise AuthenticationRefused("saml.issuer.unknown", received=name)
    keys = issuer.keys_at(now)
    if not keys:
        raise AuthenticationRefused("saml.issuer.certificate")
    try:
        assertion = _read(verify_enveloped(element, keys, policy.algorithms))
    except NotAnAssertion as wrong:
        raise unreadable(wrong) from None
    if assertion.issuer != name:
        raise AuthenticationRefused("saml.issuer.unknown", received=assertion.issuer)
    return assertion


@lru_cache(maxsize=256)
def _read(octets: bytes) -> Assertion:
    """What octets say that were signed; an assertion comes with many requests, and to read it takes longest."""
    return parse_assertion(etree.fromstring(octets, _PARSER))


def judge(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> User:
    """The user of a verified assertion, where a policy lets it count. Raises AuthenticationRefused."""
    for check in _CHECKS:
        check(assertion, policy, here)
    return user_of(assertion)


def is_for_one_use(assertion: Assertion, policy: AssertionPolicy) -> bool:
    """Whether a second use of an assertion must be refused."""
    return assertion.one_time_use or policy.single_use == "always"


def end_of(assertion: Assertion, policy: AssertionPolicy) -> datetime:
    """When an assertion counts no more, with the skew of clocks: until then it must be remembered."""
    ends = [assertion.issue_instant + policy.age]
    if assertion.not_on_or_after is not None:
        ends.append(assertion.not_on_or_after)
    return min(ends) + policy.skew


# -- each check, in the order of the refusals that callers get


def _check_issuer(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    if assertion.issuer_format not in policy.issuer_formats:
        raise AuthenticationRefused("saml.issuer.format", received=assertion.issuer_format)


def _check_presence(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    if policy.conditions == "required" and not assertion.has_conditions:
        raise AuthenticationRefused("saml.conditions")
    if policy.conditions == "required" and assertion.not_on_or_after is None:
        raise AuthenticationRefused("saml.expiry")
    if policy.authn_statement == "required" and not assertion.authn_context:
        raise AuthenticationRefused("saml.authn")


def _check_time(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    now, skew = here.now, policy.skew
    begins = [each for each in (assertion.issue_instant, assertion.not_before, assertion.authn_instant) if each]
    if max(begins) > now + skew:
        raise AuthenticationRefused("saml.notYet", received=_told(max(begins)), expected=_told(now))
    if _over(assertion.not_on_or_after, now - skew):
        raise AuthenticationRefused("saml.expired", received=_told(assertion.not_on_or_after), expected=_told(now))
    if _over(assertion.session_not_on_or_after, now - skew):
        raise AuthenticationRefused("saml.session", received=_told(assertion.session_not_on_or_after))
    if assertion.issue_instant + policy.age <= now - skew:
        raise AuthenticationRefused("saml.age", received=_told(assertion.issue_instant))


def _check_validity(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    begins = assertion.not_before or assertion.issue_instant
    if assertion.not_on_or_after and assertion.not_on_or_after - begins > policy.validity:
        raise AuthenticationRefused("saml.validity", expected=f"at most {policy.validity}")


def _check_audience(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    """Of each restriction one audience must be met, and all restrictions must be (SAML 2.0 erratum E46)."""
    if policy.audience == "forbidden" and assertion.audiences:
        raise AuthenticationRefused("saml.audience.forbidden")
    if policy.audience == "required" and not assertion.audiences:
        raise AuthenticationRefused("saml.audience.missing")
    for restriction in assertion.audiences:
        if here.audiences.isdisjoint(restriction):
            expected = ", ".join(sorted(here.audiences))
            raise AuthenticationRefused("saml.audience", received=", ".join(restriction), expected=expected)


def _check_confirmation(assertion: Assertion, policy: AssertionPolicy, here: Circumstances) -> None:
    """One confirmation that holds is enough (SAML 2.0 core 2.4.1.1)."""
    if not any(_confirmed(each, policy, here) for each in assertion.confirmations):
        raise AuthenticationRefused("saml.confirmation", received=", ".join(c.method for c in assertion.confirmations))


_CHECKS: Final[tuple[Callable[[Assertion, AssertionPolicy, Circumstances], None], ...]] = (
    _check_issuer,
    _check_presence,
    _check_time,
    _check_validity,
    _check_audience,
    _check_confirmation,
)


def _confirmed(confirmation: Confirmation, policy: AssertionPolicy, here: Circumstances) -> bool:
    if confirmation.method not in policy.confirmations:
        return False
    if confirmation.not_before and confirmation.not_before > here.now + policy.skew:
        return False
    if _over(confirmation.not_on_or_after, here.now - policy.skew):
        return False
    if confirmation.recipient and confirmation.recipient not in here.audiences:
        return False
    return confirmation.method != a.HOLDER_OF_KEY or _holds(confirmation.certificate, here.certificate)


def _holds(named: bytes | None, presented: bytes | None) -> bool:
    """Whether the connection's certificate has the key of the named one (SAML 2.0 core 2.4.1.3)."""
    if named is None or presented is None:
        return False
    key = _public_key(named)
    return key is not None and key == _public_key(presented)


@lru_cache(maxsize=1024)
def _public_key(certificate: bytes) -> bytes | None:
    try:
        found = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:  # of the connection or of a trusted issuer, but nothing that can be compared
        return None
    return found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _over(end: datetime | None, time: datetime) -> bool:
    return end is not None and end <= time


def _told(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


# -- the user


@lru_cache(maxsize=256)  # an assertion that comes again is the same object (`_read`)
def user_of(assertion: Assertion) -> User:
    """The user that an assertion speaks of. Raises AuthenticationRefused when it speaks of two patients, or of none."""
    return User(
        name_id=assertion.name_id,
        issuer=assertion.issuer,
        assertion_id=assertion.id,
        alias=assertion.sp_provided_id,
        name=_first(assertion, a.SUBJECT_ID),
        organization=_first(assertion, a.ORGANIZATION),
        organization_id=_first(assertion, a.ORGANIZATION_ID),
        roles=tuple(_coded(assertion, a.ROLE)),
        purposes=tuple(_coded(assertion, a.PURPOSE_OF_USE)),
        patient_id=_patient(assertion),
    )


def _texts(assertion: Assertion, name: str) -> Iterator[str]:
    return (value for value in assertion.values(name) if isinstance(value, str) and value)


def _first(assertion: Assertion, name: str) -> str | None:
    return next(_texts(assertion, name), None)


def _coded(assertion: Assertion, name: str) -> Iterator[Coded]:
    return (value for value in assertion.values(name) if isinstance(value, Coded))


def _patient(assertion: Assertion) -> PatientId | None:
    """The one patient of resource-id; what cannot be read could be any patient (ITI TF-2 3.40.4.1.2.2.1)."""
    values = list(assertion.values(a.RESOURCE_ID))
    if not values:
        return None
    named = {parse_patient_id(value) if isinstance(value, str) else None for value in values}
    if len(named) > 1 or None in named:
        raise AuthenticationRefused("saml.patient")
    return named.pop()
