"""SAML 2.0 assertions as XUA profiles them: what is read, and every reason not to (SAML 2.0 core 2; ITI TF-2 3.40).

Whether a signature is there and right is judged elsewhere, on the same element. Text is read whole, so that nothing
between its parts can hide the rest of it.
"""

import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from ..model import assertions as a
from ..model.assertions import Assertion, Attribute, AttributeValue, Confirmation, InstanceId, NotAnAssertion
from ..model.principal import Coded
from .namespaces import DS, HL7V3, SAML
from .xml import elements

_NCNAME: Final = re.compile(r"[^\W\d][\w.\-\xb7]*")
_INSTANT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(?:Z|\+00:00)")
_WHITE_SPACE: Final = " \t\r\n"
_CONTENT: Final = etree.XPath("string()", smart_strings=False)
_CERTIFICATE: Final = f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"

_Table = Mapping[str, tuple[int, int | None]]  # of a child: at least, at most

#    child of Assertion           how many
_ASSERTION: Final[_Table] = {  # SAML 2.0 core 2.3.3
    f"{{{SAML}}}Issuer": (1, 1),
    f"{{{DS}}}Signature": (0, 1),
    f"{{{SAML}}}Subject": (1, 1),  # required by ITI TF-2 3.40.4.1.2
    f"{{{SAML}}}Conditions": (0, 1),
    f"{{{SAML}}}Advice": (0, 1),
    f"{{{SAML}}}AuthnStatement": (0, 1),  # several would be several sessions
    f"{{{SAML}}}AuthzDecisionStatement": (0, None),
    f"{{{SAML}}}AttributeStatement": (0, None),
}
_SUBJECT: Final[_Table] = {  # SAML 2.0 core 2.4.1, without BaseID and EncryptedID
    f"{{{SAML}}}NameID": (1, 1),
    f"{{{SAML}}}SubjectConfirmation": (0, None),
}
_CONFIRMATION: Final[_Table] = {  # SAML 2.0 core 2.4.1.1, without identifiers of another presenter
    f"{{{SAML}}}SubjectConfirmationData": (0, 1)
}
_CONDITIONS: Final[_Table] = {  # SAML 2.0 core 2.5.1; any other makes the assertion invalid (2.5.1.1)
    f"{{{SAML}}}AudienceRestriction": (0, None),
    f"{{{SAML}}}OneTimeUse": (0, 1),
    f"{{{SAML}}}ProxyRestriction": (0, 1),
}
_RESTRICTION: Final[_Table] = {f"{{{SAML}}}Audience": (1, None)}  # SAML 2.0 core 2.5.1.4


def parse_assertion(element: etree._Element) -> Assertion:
    """Read an Assertion element; raises NotAnAssertion, also for conditions that are not understood."""
    if element.tag != f"{{{SAML}}}Assertion" or element.get("Version") != "2.0":
        raise NotAnAssertion("saml.version", "The element is no Assertion of SAML 2.0 (SAML 2.0 core 2.3.3)")
    parts = _Children(element, _ASSERTION, "saml.structure", "SAML 2.0 core 2.3.3")
    issuer, subject = parts.one("Issuer"), parts.one("Subject")
    subjects = _Children(subject, _SUBJECT, "saml.subject", "SAML 2.0 core 2.4.1; ITI TF-2 3.40.4.1.2")
    name = subjects.one("NameID")
    conditions = parts.first("Conditions")
    restrictions = _Children(conditions, _CONDITIONS, "saml.conditions", "SAML 2.0 core 2.5.1.1")
    session = parts.first("AuthnStatement")
    return Assertion(
        id=_id(element),
        issuer=_text(issuer, "saml.issuer"),
        issuer_format=issuer.get("Format"),
        issue_instant=_needed_instant(element, "IssueInstant"),
        name_id=_text(name, "saml.subject"),
        name_id_format=name.get("Format"),
        sp_provided_id=name.get("SPProvidedID"),
        confirmations=tuple(_confirmation(each) for each in subjects.all("SubjectConfirmation")),
        has_conditions=conditions is not None,
        not_before=_instant(conditions, "NotBefore"),
        not_on_or_after=_instant(conditions, "NotOnOrAfter"),
        audiences=tuple(_audiences(each) for each in restrictions.all("AudienceRestriction")),
        one_time_use=restrictions.first("OneTimeUse") is not None,
        authn_instant=None if session is None else _needed_instant(session, "AuthnInstant"),
        session_not_on_or_after=_instant(session, "SessionNotOnOrAfter"),
        authn_context=None if session is None else _context(session),
        attributes=tuple(_attributes(parts.all("AttributeStatement"))),
    )


class _Children:
    """The children of an element by name, each as often as its table says; nothing has none. Raises NotAnAssertion."""

    def __init__(self, parent: etree._Element | None, table: _Table, rule: str, clause: str) -> None:
        self._found: dict[str, list[etree._Element]] = {tag: [] for tag in table}
        if parent is None:
            return
        for child in elements(parent):
            if child.tag not in table:
                raise NotAnAssertion(rule, f"{_name(parent)} has a child that is not understood ({clause})")
            self._found[str(child.tag)].append(child)
        for tag, (least, most) in table.items():
            if not least <= len(self._found[tag]) <= (most or sys.maxsize):
                wanted = _MANY[least, most]
                raise NotAnAssertion(rule, f"{_name(parent)} must have {wanted} {tag.rpartition('}')[2]} ({clause})")

    def all(self, name: str) -> list[etree._Element]:
        """All children of a name of SAML."""
        return self._found[f"{{{SAML}}}{name}"]

    def first(self, name: str) -> etree._Element | None:
        """The child that is there at most once."""
        return next(iter(self.all(name)), None)

    def one(self, name: str) -> etree._Element:
        """The child that is there once."""
        return self.all(name)[0]


_MANY: Final = {(1, 1): "exactly one", (0, 1): "at most one", (1, None): "at least one"}


def _id(element: etree._Element) -> str:
    identifier = element.get("ID", "")
    if not _NCNAME.fullmatch(identifier):
        raise NotAnAssertion("saml.id", "The ID of the assertion is missing or no xs:ID (SAML 2.0 core 1.3.4)")
    return identifier


def _confirmation(element: etree._Element) -> Confirmation:
    data = _Children(element, _CONFIRMATION, "saml.confirmation", "SAML 2.0 core 2.4.1.1").first(
        "SubjectConfirmationData"
    )
    method = element.get("Method")
    if not method:
        raise NotAnAssertion("saml.confirmation", "SubjectConfirmation has no Method (SAML 2.0 core 2.4.1.1)")
    if data is None:
        return Confirmation(method)
    return Confirmation(
        method=method,
        not_before=_instant(data, "NotBefore"),
        not_on_or_after=_instant(data, "NotOnOrAfter"),
        recipient=data.get("Recipient"),
        address=data.get("Address"),
        certificate=_certificate(data),
    )


def _certificate(data: etree._Element) -> bytes | None:
    """The only certificate of the confirmation data, in DER; keys in other forms are not read (2.4.1.3)."""
    keys = data.findall(f"{{{DS}}}KeyInfo")
    certificates = [each for key in keys for each in key.findall(_CERTIFICATE)]
    if not certificates:
        return None
    if len(keys) > 1 or len(certificates) > 1:
        raise NotAnAssertion("saml.confirmation", "SubjectConfirmationData must have one key with one certificate")
    try:
        return b64decode("".join(_text(certificates[0], "saml.confirmation").split()), validate=True)
    except ValueError:
        raise NotAnAssertion("saml.confirmation", "The certificate of SubjectConfirmationData is no base64") from None


def _audiences(restriction: etree._Element) -> tuple[str, ...]:
    found = _Children(restriction, _RESTRICTION, "saml.conditions", "SAML 2.0 core 2.5.1.4").all("Audience")
    return tuple(_text(each, "saml.conditions") for each in found)


def _context(session: etree._Element) -> str | None:
    """What AuthnContext refers to, its class before its declaration; None when it has neither (2.7.2.2)."""
    paths = (f"{{{SAML}}}AuthnContext/{{{SAML}}}AuthnContext{kind}Ref" for kind in ("Class", "Decl"))
    references = (each for path in paths for each in session.findall(path))
    return next((_text(each, "saml.authn") for each in references), None)


# --- Attributes ---------------------------------------------------------------------------------------------------


def _attributes(statements: Iterable[etree._Element]) -> Iterator[Attribute]:
    for statement in statements:
        for element in elements(statement):
            if element.tag != f"{{{SAML}}}Attribute":
                raise NotAnAssertion("saml.attribute", "Only attributes that are not encrypted are understood")
            yield _attribute(element)


def _attribute(element: etree._Element) -> Attribute:
    name = (element.get("Name") or "").strip(_WHITE_SPACE)
    if not name:
        raise NotAnAssertion("saml.attribute", "An Attribute has no Name (SAML 2.0 core 2.7.3.1)")
    kind = _KINDS.get(name)
    read = (_value(each) for each in elements(element) if each.tag == f"{{{SAML}}}AttributeValue")
    values = tuple(value for value in read if value is not None or kind)
    if kind and not all(isinstance(value, kind) for value in values):
        wanted = " or ".join(_CALLED[each] for each in kind)
        raise NotAnAssertion("saml.attribute", f"The values of {name} must be {wanted} (ITI TF-2 3.40.4.1.2)")
    return Attribute(name, tuple(value for value in values if value is not None))


def _value(element: etree._Element) -> AttributeValue | None:
    """A text, or the one HL7 version 3 element in it; None for what is neither."""
    children = elements(element)
    if not children:
        return _content(element)
    if len(children) > 1 or _content(element):
        return None
    child = children[0]
    namespace, _, name = str(child.tag).rpartition("}")
    read = _ELEMENTS.get(name, _coded) if namespace[1:] == HL7V3 else None
    return read(child) if read else None


def _coded(element: etree._Element) -> Coded | None:
    code, scheme = _told(element, "code"), _told(element, "codeSystem")
    return Coded(code, scheme, _told(element, "displayName")) if code and scheme else None


def _instance(element: etree._Element) -> InstanceId | None:
    root, extension = _told(element, "root"), _told(element, "extension")
    return InstanceId(extension, root, _told(element, "assigningAuthorityName")) if root and extension else None


_ELEMENTS: Final[Mapping[str, Callable[[etree._Element], AttributeValue | None]]] = {"id": _instance}
_CALLED: Final[Mapping[type, str]] = {str: "text", Coded: "HL7 CE with code and codeSystem", InstanceId: "HL7 II"}
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {  # ITI TF-2 3.40.4.1.2; others are taken as they come
    a.SUBJECT_ID: (str,),
    a.ORGANIZATION: (str,),
    a.ORGANIZATION_ID: (str,),
    a.HOME_COMMUNITY_ID: (str,),
    a.NPI: (str, Coded),  # CE for senders of before
    a.PROVIDER_ID: (InstanceId,),
    a.ROLE: (Coded,),
    a.PURPOSE_OF_USE: (Coded,),
    a.RESOURCE_ID: (str,),
    a.CONSENT_DOCUMENT: (str,),
    a.CONSENT_POLICY: (str,),
}


# --- Values -------------------------------------------------------------------------------------------------------


def _content(element: etree._Element) -> str:
    return str(_CONTENT(element)).strip(_WHITE_SPACE)


def _text(element: etree._Element, rule: str) -> str:
    """The text of an element, which has no children and is not empty."""
    found = _content(element)
    if elements(element) or not found:
        raise NotAnAssertion(rule, f"{_name(element)} must have text and no elements in it")
    return found


def _told(element: etree._Element, name: str) -> str | None:
    return (element.get(name) or "").strip(_WHITE_SPACE) or None


def _needed_instant(element: etree._Element, name: str) -> datetime:
    found = _instant(element, name)
    if found is None:
        raise NotAnAssertion("saml.instant", f"{_name(element)} has no {name}")
    return found


def _instant(element: etree._Element | None, name: str) -> datetime | None:
    """An instant to the microsecond; SAML has them in UTC only (SAML 2.0 core 1.3.3)."""
    told = element.get(name) if element is not None else None
    if element is None or told is None:
        return None
    parts = _INSTANT.fullmatch(told.strip(_WHITE_SPACE))
    try:
        if parts:
            fraction = (parts[2] or ".")[1:7].ljust(6, "0")
            return datetime.fromisoformat(f"{parts[1]}.{fraction}").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise NotAnAssertion("saml.instant", f"{name} of {_name(element)} is no instant in UTC (SAML 2.0 core 1.3.3)")


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
