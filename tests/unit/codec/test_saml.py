"""SAML assertions: what is written is read, what is read into fields, and what is refused by which rule."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.assertions import GOOD, NOW, PHYSICIAN, TREATMENT, make_assertion
from tests.unit.strategies import XML_CHARACTERS, tuples
from xds_gateway.codec.saml import parse_assertion, render_assertion
from xds_gateway.model import assertions as a
from xds_gateway.model.assertions import Assertion, Attribute, Confirmation, InstanceId, NotAnAssertion
from xds_gateway.model.principal import Coded

# --- Both ways ----------------------------------------------------------------------------------------------------

_TRIMMED = st.text(XML_CHARACTERS, max_size=12).map(lambda text: text.strip(" \t\r\n"))
_TEXTS = _TRIMMED.filter(bool)
_INSTANTS = st.datetimes(timezones=st.just(UTC))
_CODES = st.builds(Coded, _TEXTS, _TEXTS, st.none() | _TEXTS)
_IDS = st.builds(InstanceId, _TEXTS, _TEXTS, st.none() | _TEXTS)
_ATTRIBUTES = st.one_of(
    st.builds(Attribute, st.sampled_from([a.ROLE, a.PURPOSE_OF_USE]), tuples(_CODES)),
    st.builds(Attribute, st.sampled_from([a.SUBJECT_ID, a.RESOURCE_ID, a.CONSENT_POLICY]), tuples(_TRIMMED)),
    st.builds(Attribute, st.just(a.PROVIDER_ID), tuples(_IDS)),
    st.builds(Attribute, st.just(a.NPI), tuples(_TRIMMED | _CODES)),
    st.builds(Attribute, _TEXTS.map("urn:example:".__add__), tuples(_TRIMMED | _CODES | _IDS)),
)
_CONFIRMATIONS = st.builds(
    Confirmation,
    st.sampled_from([a.BEARER, a.HOLDER_OF_KEY, a.SENDER_VOUCHES]),
    st.none() | _INSTANTS,
    st.none() | _INSTANTS,
    st.none() | _TRIMMED,
    st.none() | _TRIMMED,
    st.none() | st.binary(min_size=1, max_size=20),
)
_CONDITIONS = st.fixed_dictionaries(
    {
        "not_before": st.none() | _INSTANTS,
        "not_on_or_after": st.none() | _INSTANTS,
        "audiences": tuples(st.lists(_TEXTS, min_size=1, max_size=3).map(tuple)),
        "one_time_use": st.booleans(),
    }
) | st.just({"has_conditions": False})
_SESSIONS = st.just({}) | st.fixed_dictionaries(
    {
        "authn_instant": _INSTANTS,
        "session_not_on_or_after": st.none() | _INSTANTS,
        "authn_context": st.none() | _TEXTS,
    }
)


@st.composite
def assertions(draw: st.DrawFn) -> Assertion:
    return Assertion(
        id=draw(st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,20}", fullmatch=True)),
        issuer=draw(_TEXTS),
        issuer_format=draw(st.none() | _TRIMMED),
        issue_instant=draw(_INSTANTS),
        name_id=draw(_TEXTS),
        name_id_format=draw(st.none() | _TRIMMED),
        sp_provided_id=draw(st.none() | _TRIMMED),
        confirmations=draw(tuples(_CONFIRMATIONS, 2)),
        attributes=draw(tuples(_ATTRIBUTES, 4)),
        **draw(_CONDITIONS),
        **draw(_SESSIONS),
    )


@given(assertions())
def test_what_is_written_is_read(assertion):
    assert read(render_assertion(assertion)) == assertion


def read(data: bytes) -> Assertion:
    return parse_assertion(etree.fromstring(data))


# --- As others write them -----------------------------------------------------------------------------------------

OTHERS = """<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_1" IssueInstant="2026-03-01T12:00:00.123Z" Version="2.0">
  <saml2:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">
    https://idp.example
  </saml2:Issuer>
  <saml2:Subject>
    <saml2:NameID SPProvidedID="martin">Martin<!-- a comment -->@example</saml2:NameID>
    <saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>
  </saml2:Subject>
  <saml2:Conditions NotBefore="2026-03-01T12:00:00Z" NotOnOrAfter="2026-03-01T12:05:00.1234567+00:00">
    <saml2:AudienceRestriction><saml2:Audience>urn:a</saml2:Audience><saml2:Audience>urn:b</saml2:Audience>
    </saml2:AudienceRestriction>
    <saml2:AudienceRestriction><saml2:Audience>urn:c</saml2:Audience></saml2:AudienceRestriction>
    <saml2:ProxyRestriction Count="0"/>
  </saml2:Conditions>
  <saml2:Advice><anything xmlns="urn:example"/></saml2:Advice>
  <saml2:AuthnStatement AuthnInstant="2026-03-01T11:59:59Z">
    <saml2:SubjectLocality Address="10.0.0.1"/>
    <saml2:AuthnContext><saml2:AuthnContextDeclRef>urn:declared</saml2:AuthnContextDeclRef></saml2:AuthnContext>
  </saml2:AuthnStatement>
  <saml2:AttributeStatement>
    <saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role">
      <saml2:AttributeValue>
        <Role xmlns="urn:hl7-org:v3" xsi:type="CE" code="309343006" codeSystem="2.16.840.1.113883.6.96"
          codeSystemName="SNOMED_CT" displayName="Physician"/>
      </saml2:AttributeValue>
    </saml2:Attribute>
    <saml2:Attribute Name="urn:example:other"><saml2:AttributeValue><x xmlns="urn:example"/></saml2:AttributeValue>
    </saml2:Attribute>
  </saml2:AttributeStatement>
  <saml2:AttributeStatement>
    <saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role">
      <saml2:AttributeValue><v3:Role xmlns:v3="urn:hl7-org:v3" code="X" codeSystem="1.2.3"/></saml2:AttributeValue>
    </saml2:Attribute>
    <saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:resource:resource-id">
      <saml2:AttributeValue xsi:type="xs:string">1^^^&amp;1.2.3&amp;ISO</saml2:AttributeValue>
    </saml2:Attribute>
  </saml2:AttributeStatement>
</saml2:Assertion>"""


def test_an_assertion_of_another_provider_is_read():
    found = read(OTHERS.encode())
    assert (found.issuer, found.name_id, found.sp_provided_id) == ("https://idp.example", "Martin@example", "martin")
    assert found.issue_instant == datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)
    assert found.not_on_or_after == datetime(2026, 3, 1, 12, 5, 0, 123456, UTC)
    assert found.audiences == (("urn:a", "urn:b"), ("urn:c",))
    assert found.authn_context == "urn:declared"
    assert list(found.values(a.ROLE)) == [PHYSICIAN, Coded("X", "1.2.3")]
    assert list(found.values(a.RESOURCE_ID)) == ["1^^^&1.2.3&ISO"]
    assert list(found.values("urn:example:other")) == []


def test_codes_are_written_as_the_standard_shows_them():
    root = etree.fromstring(render_assertion(GOOD))
    role, purpose = root.findall(".//{urn:hl7-org:v3}*")
    assert dict(role.attrib) == {
        "{http://www.w3.org/2001/XMLSchema-instance}type": "CE",
        "code": PHYSICIAN.code,
        "codeSystem": PHYSICIAN.scheme,
        "codeSystemName": "SNOMED_CT",
        "displayName": "Physician",
    }
    assert [etree.QName(each).localname for each in (role, purpose)] == ["Role", "PurposeOfUse"]
    assert purpose.get("code") == TREATMENT.code


# --- Refused ------------------------------------------------------------------------------------------------------

_S = 'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
_KEY = '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'


def after(tag: str, new: str) -> tuple[str, str]:
    return f"</saml:{tag}>", f"</saml:{tag}>{new}"


def within(tag: str, new: str) -> tuple[str, str]:
    return f"</saml:{tag}>", f"{new}</saml:{tag}>"


def attribute(name: str, value: str) -> tuple[str, str]:
    return within(
        "AttributeStatement",
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>',
    )


BROKEN = [
    ("saml.version", ('Version="2.0"', 'Version="1.1"')),
    ("saml.version", ("SAML:2.0:assertion", "SAML:1.0:assertion")),
    ("saml.id", (GOOD.id, "0123")),
    ("saml.id", (f'ID="{GOOD.id}"', "")),
    ("saml.instant", ('IssueInstant="2026-03-01T12:00:00Z"', "")),
    ("saml.instant", ('IssueInstant="2026-03-01T12:00:00Z"', 'IssueInstant="2026-03-01T12:00:00"')),
    ("saml.instant", ('IssueInstant="2026-03-01T12:00:00Z"', 'IssueInstant="2026-03-01T12:00:00+01:00"')),
    ("saml.instant", ('NotOnOrAfter="2026-03-01T12:05:00Z"', 'NotOnOrAfter="2026-02-30T12:05:00Z"')),
    ("saml.instant", ('NotBefore="2026-03-01T12:00:00Z"', 'NotBefore=""')),
    ("saml.instant", ('AuthnInstant="2026-03-01T12:00:00Z"', "")),
    ("saml.structure", after("Issuer", "<saml:Issuer>urn:other</saml:Issuer>")),
    ("saml.structure", after("Subject", "<saml:Subject><saml:NameID>admin</saml:NameID></saml:Subject>")),
    ("saml.structure", after("Conditions", "<saml:Conditions/>")),
    ("saml.structure", after("Conditions", '<saml:Statement xsi:type="x"/>')),
    ("saml.structure", after("Issuer", f"<saml:Assertion {_S}/>")),
    ("saml.issuer", within("Issuer", "<x/>")),
    ("saml.issuer", (f">{GOOD.issuer}<", "> <")),
    ("saml.subject", after("NameID", "<saml:NameID>admin</saml:NameID>")),
    ("saml.subject", (f">{GOOD.name_id}<", f">{GOOD.name_id}<b>.admin</b><")),
    ("saml.subject", ("saml:NameID", "saml:BaseID")),
    ("saml.subject", ("saml:NameID", "saml:EncryptedID")),
    ("saml.confirmation", (f' Method="{a.BEARER}"', "")),
    ("saml.confirmation", within("SubjectConfirmation", "<saml:NameID>proxy</saml:NameID>")),
    ("saml.confirmation", within("SubjectConfirmationData", _KEY.format("no base64!"))),
    ("saml.confirmation", within("SubjectConfirmationData", 2 * _KEY.format("MAA="))),
    ("saml.conditions", within("Conditions", "<saml:Condition/>")),
    ("saml.conditions", within("Conditions", '<x:Only xmlns:x="urn:example"/>')),
    ("saml.conditions", within("Conditions", 2 * "<saml:OneTimeUse/>")),
    ("saml.conditions", within("Conditions", "<saml:AudienceRestriction/>")),
    ("saml.conditions", within("AudienceRestriction", "<saml:Audience/>")),
    ("saml.attribute", within("AttributeStatement", "<saml:EncryptedAttribute/>")),
    ("saml.attribute", within("AttributeStatement", "<saml:Attribute/>")),
    ("saml.attribute", attribute(a.ROLE, "Physician")),
    ("saml.attribute", attribute(a.ROLE, '<Role xmlns="urn:hl7-org:v3" code="1"/>')),
    ("saml.attribute", attribute(a.ROLE, '<Role xmlns="urn:other" code="1" codeSystem="1.2"/>')),
    ("saml.attribute", attribute(a.PROVIDER_ID, '<id xmlns="urn:hl7-org:v3" root="1.2"/>')),
    ("saml.attribute", attribute(a.RESOURCE_ID, "1^^^<x/>&amp;1.2&amp;ISO")),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=lambda each: each if isinstance(each, str) else "")
def test_what_differs_only_there_is_refused(rule, change):
    data = render_assertion(GOOD).decode()
    assert change[0] in data
    assert read(data.encode()) == GOOD
    with pytest.raises(NotAnAssertion) as refused:
        read(data.replace(*change).encode())
    assert refused.value.rule == rule


def test_a_refusal_quotes_nothing():
    data = render_assertion(make_assertion(name_id="secret", issue_instant=NOW)).replace(b"Z", b"secret")
    with pytest.raises(NotAnAssertion) as refused:
        read(data)
    assert "secret" not in str(refused.value)
