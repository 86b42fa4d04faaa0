"""A policy is a row: what the row `xua` refuses another row takes, and the other way round.

What `xua` refuses is in tests/unit/attacks.py.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.assertions import AUDIENCE, GOOD, NOW, make_assertion
from tests.unit.signatures import element, holder, sign, unsigned
from tests.unit.users import issuers
from xds_gateway.model import assertions as a
from xds_gateway.model.assertions import Assertion, Attribute, Confirmation
from xds_gateway.security.algorithms import WITH_SHA1
from xds_gateway.security.policies import POLICIES, X509_SUBJECT, AssertionPolicy
from xds_gateway.security.refusals import AuthenticationRefused
from xds_gateway.security.saml import Circumstances, end_of, is_for_one_use, judge, user_of, verify_assertion

XUA = POLICIES["xua"]
HERE = Circumstances(now=NOW, audiences=frozenset((AUDIENCE,)), certificate=None)

# Of the shape that the French assertion needs: Conditions are optional and without audience, the Issuer is the subject
# of a certificate, each is used once and ends by its age.
NATIONAL = AssertionPolicy(
    conditions="optional",
    audience="forbidden",
    authn_statement="required",
    confirmations=frozenset((a.BEARER,)),
    issuer_formats=(X509_SUBJECT,),
    skew=timedelta(seconds=60),
    age=timedelta(seconds=30),
    validity=timedelta(minutes=5),
    single_use="always",
    algorithms=WITH_SHA1,
    limits=XUA.limits,
)
DN = "CN=Practice,OU=499700367909006,O=Clinic,C=FR"
BARE = make_assertion(
    issuer=DN,
    issuer_format=X509_SUBJECT,
    has_conditions=False,
    not_before=None,
    not_on_or_after=None,
    audiences=(),
    confirmations=(Confirmation(a.BEARER),),
)


def refusal(assertion: Assertion, policy: AssertionPolicy, **here: Any) -> str:
    with pytest.raises(AuthenticationRefused) as refused:
        judge(assertion, policy, HERE._replace(**here))
    return refused.value.rule


def test_an_assertion_without_conditions_is_good_where_its_policy_says_so() -> None:
    assert judge(BARE, NATIONAL, HERE).issuer == DN
    assert refusal(BARE, XUA) == "saml.conditions"
    assert refusal(GOOD, NATIONAL) == "saml.issuer.format"


@pytest.mark.parametrize(
    ("changes", "here", "rule"),
    [
        ({"has_conditions": True, "audiences": ((AUDIENCE,),)}, {}, "saml.audience.forbidden"),
        ({}, {"now": NOW + timedelta(seconds=90)}, "saml.age"),
        ({"confirmations": (Confirmation(a.HOLDER_OF_KEY),)}, {}, "saml.confirmation"),
        ({"has_conditions": True, "not_on_or_after": NOW + timedelta(minutes=6)}, {}, "saml.validity"),
        ({"has_conditions": True, "not_on_or_after": NOW - timedelta(minutes=1)}, {}, "saml.expired"),
        ({"authn_context": None}, {}, "saml.authn"),
    ],
)
def test_the_other_columns_count_there_too(changes: dict[str, Any], here: dict[str, Any], rule: str) -> None:
    assert judge(BARE, NATIONAL, HERE._replace(now=NOW + timedelta(seconds=89))) is not None
    assert refusal(replace(BARE, **changes), NATIONAL, **here) == rule


def test_each_is_used_once_there_and_remembered_until_its_age_ends_it() -> None:
    assert is_for_one_use(BARE, NATIONAL)
    assert not is_for_one_use(GOOD, XUA)
    assert is_for_one_use(replace(GOOD, one_time_use=True), XUA)
    assert end_of(BARE, NATIONAL) == NOW + timedelta(seconds=90)
    assert end_of(GOOD, XUA) == NOW + timedelta(minutes=6)


def test_a_signature_with_sha1_is_verified_where_the_policy_says_so() -> None:
    signed = sign(
        unsigned(BARE),
        holder("issuer"),
        method="http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        digest="http://www.w3.org/2000/09/xmldsig#sha1",
    )
    known = issuers(name=DN)
    assert verify_assertion(element(signed), known, NATIONAL, NOW) == BARE
    with pytest.raises(AuthenticationRefused, match=r"dsig\.algorithm"):
        verify_assertion(element(signed), known, XUA, NOW)


@pytest.mark.parametrize(
    ("values", "patients"),
    [
        ((), None),
        (("P1^^^&1.2.3&ISO",), ("P1", "1.2.3")),
        (("P1^^^&1.2.3&ISO", "P1^^^NAME&1.2.3&ISO^PI"), ("P1", "1.2.3")),
    ],
)
def test_a_patient_is_an_id_of_an_authority(values: tuple[str, ...], patients: tuple[str, str] | None) -> None:
    assertion = make_assertion(attributes=(Attribute(a.RESOURCE_ID, values),))
    assert user_of(assertion).patient_id == patients
