"""SAML 2.0 assertions as XUA profiles them, written without signature (SAML 2.0 core 2; ITI TF-2 3.40.4.1.2)."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from ..model import assertions as a
from ..model.assertions import Assertion, Attribute, AttributeValue, Confirmation, InstanceId
from ..model.principal import Coded
from .namespaces import DS, HL7V3, SAML, XSI
from .xml import escape

_URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
_IN_URI_FORMAT: Final = frozenset((a.CONSENT_DOCUMENT, a.CONSENT_POLICY))  # ITI TF-2 3.40.4.1.2.2
_ELEMENTS: Final = {a.ROLE: "Role", a.PURPOSE_OF_USE: "PurposeOfUse"}  # ITI TF-2 3.40.4.1.2.1, 3.40.4.1.2.3
_SCHEME_NAMES: Final = {  # codeSystemName "shall identify the name of the coding system"; of others the OID does
    "2.16.840.1.113883.6.96": "SNOMED_CT",
    "2.16.840.1.113883.5.8": "ActReason",
    "1.0.14265.1": "ISO 14265 Classification of Purposes for processing personal health information",
}


def render_assertion(assertion: Assertion) -> bytes:
    """An Assertion element in UTF-8, without XML declaration, ready to be signed."""
    head = _attributes({"Version": "2.0", "ID": assertion.id, "IssueInstant": render_instant(assertion.issue_instant)})
    issuer = _element("Issuer", {"Format": assertion.issuer_format}, escape(assertion.issuer))
    content = issuer + _subject(assertion) + _conditions(assertion) + _authentication(assertion)
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" xmlns:xsi="{XSI}"{head}>{content}{_statement(assertion)}</saml:Assertion>'
    ).encode()


def render_instant(instant: datetime) -> str:
    """An instant as SAML has it: xs:dateTime in UTC, to the microsecond where it has any (SAML 2.0 core 1.3.3)."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _subject(assertion: Assertion) -> str:
    name = _element(
        "NameID",
        {"Format": assertion.name_id_format, "SPProvidedID": assertion.sp_provided_id},
        escape(assertion.name_id),
    )
    return _element("Subject", {}, name + "".join(map(_confirmation, assertion.confirmations)))


def _confirmation(confirmation: Confirmation) -> str:
    told = {
        "NotBefore": _instant(confirmation.not_before),
        "NotOnOrAfter": _instant(confirmation.not_on_or_after),
        "Recipient": confirmation.recipient,
        "Address": confirmation.address,
    }
    data = ""
    if confirmation.certificate is not None:
        told = {"xsi:type": "saml:KeyInfoConfirmationDataType", **told}
        data = _key_info(confirmation.certificate)
    if any(value is not None for value in told.values()):
        data = _element("SubjectConfirmationData", told, data)
    return _element("SubjectConfirmation", {"Method": confirmation.method}, data)


def _key_info(certificate: bytes) -> str:
    encoded = b64encode(certificate).decode()
    return (
        f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{encoded}</ds:X509Certificate>'
        "</ds:X509Data></ds:KeyInfo>"
    )


def _conditions(assertion: Assertion) -> str:
    if not assertion.has_conditions:
        return ""
    restrictions = (
        _element("AudienceRestriction", {}, "".join(_element("Audience", {}, escape(each)) for each in audiences))
        for audiences in assertion.audiences
    )
    return _element(
        "Conditions",
        {"NotBefore": _instant(assertion.not_before), "NotOnOrAfter": _instant(assertion.not_on_or_after)},
        "".join(restrictions) + ("<saml:OneTimeUse/>" if assertion.one_time_use else ""),
    )


def _authentication(assertion: Assertion) -> str:
    if assertion.authn_instant is None:
        return ""
    told = {
        "AuthnInstant": _instant(assertion.authn_instant),
        "SessionNotOnOrAfter": _instant(assertion.session_not_on_or_after),
    }
    context = assertion.authn_context
    reference = "" if context is None else _element("AuthnContextClassRef", {}, escape(context))
    return _element("AuthnStatement", told, _element("AuthnContext", {}, reference))


def _statement(assertion: Assertion) -> str:
    if not assertion.attributes:
        return ""
    return _element("AttributeStatement", {}, "".join(map(_attribute, assertion.attributes)))


def _attribute(attribute: Attribute) -> str:
    values = (_element("AttributeValue", {}, _value(each, attribute.name)) for each in attribute.values)
    told = {"Name": attribute.name, "NameFormat": _URI if attribute.name in _IN_URI_FORMAT else None}
    return _element("Attribute", told, "".join(values))


def _value(value: AttributeValue, name: str) -> str:
    if isinstance(value, Coded):
        told = {
            "code": value.code,
            "codeSystem": value.scheme,
            "codeSystemName": _SCHEME_NAMES.get(value.scheme, value.scheme),
            "displayName": value.display,
        }
        return f'<{_ELEMENTS.get(name, "CE")} xmlns="{HL7V3}" xsi:type="CE"{_attributes(told)}/>'
    if isinstance(value, InstanceId):
        told = {"extension": value.extension, "root": value.root, "assigningAuthorityName": value.authority}
        return f'<id xmlns="{HL7V3}" xsi:type="II"{_attributes(told)}/>'
    return escape(value)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else render_instant(instant)


def _element(name: str, told: Mapping[str, str | None], content: str) -> str:
    return f"<saml:{name}{_attributes(told)}>{content}</saml:{name}>"


def _attributes(told: Mapping[str, str | None]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in told.items() if value is not None)
