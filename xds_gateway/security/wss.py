"""The wsse:Security header of a message: the one assertion in it, if it holds one (SOAP Message Security 1.1).

What bounds the work of a signature comes first: nothing is copied or canonicalised before its size and namespaces are
known.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lxml import etree

from ..codec.namespaces import DS, SAML, WSSE, WSU
from ..codec.xml import elements, has_comments, text
from .refusals import AuthenticationRefused

_ASSERTION: Final = f"{{{SAML}}}Assertion"
_ENCRYPTED: Final = f"{{{SAML}}}EncryptedAssertion"
_SIGNATURE: Final = f"{{{DS}}}Signature"
_SECURITY: Final = f"{{{WSSE}}}Security"
_TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
_EXPIRES: Final = f"{{{WSU}}}Expires"
_HIDDEN: Final = (etree.Comment, etree.ProcessingInstruction, etree.Entity)
_SAME_VALUES: Final = etree.XPath("count(//@*[. = $value])")


class SecuredMessage(NamedTuple):
    """The Security headers of a message, with the root part that they came in, as it came."""

    headers: Sequence[etree._Element]
    root: bytes
    charset: str | None = None


class TokenLimits(NamedTuple):
    """How much of an assertion is looked at: bytes, and declarations of namespaces in it and around it."""

    size: int = 64 * 1024
    namespaces: int = 100


def find_assertion(
    message: SecuredMessage, limits: TokenLimits, now: datetime, skew: timedelta
) -> etree._Element | None:
    """The assertion of a message, None when it brings none. Raises AuthenticationRefused."""
    if not message.headers:
        return None
    if len(message.headers) > 1:
        raise AuthenticationRefused("wss.security")
    found = _token(message.headers[0], now, skew)
    if found is None:
        return None
    if has_comments(message.root, message.charset, _SECURITY):
        raise AuthenticationRefused("wss.comment")
    _check_size(found, message.root, limits)
    check_alone(found)
    return found


def _token(header: etree._Element, now: datetime, skew: timedelta) -> etree._Element | None:
    """The first assertion of a header; whether it is the only one is seen later."""
    for child in elements(header):
        if child.tag == _TIMESTAMP:
            _check_timestamp(child, now - skew)
        elif child.tag == _SIGNATURE:
            raise AuthenticationRefused("wss.signature.one")
        elif child.tag != _ASSERTION:
            raise AuthenticationRefused("wss.token", received=etree.QName(child).localname)
    return next(header.iterchildren(_ASSERTION), None)


def _check_timestamp(timestamp: etree._Element, earliest: datetime) -> None:
    """What has expired is discarded (SOAP Message Security 1.1, 10)."""
    for expires in timestamp.iterchildren(_EXPIRES):
        try:
            expired = datetime.fromisoformat(text(expires)) <= earliest
        except (ValueError, TypeError):  # TypeError: no time zone to compare by
            raise AuthenticationRefused("wss.timestamp") from None
        if expired:
            raise AuthenticationRefused("wss.timestamp.expired")


def _check_size(assertion: etree._Element, root: bytes, limits: TokenLimits) -> None:
    """An assertion is no longer than its message, and declares no more; only what could be guilty is measured."""
    if len(root) <= limits.size and 0 < root.count(b"xmlns") <= limits.namespaces:  # UTF-16 has none in ASCII
        return
    alone = etree.tostring(assertion, with_tail=False)
    if len(alone) > limits.size:
        raise AuthenticationRefused("wss.size", received=f"{len(alone)} bytes", expected=f"at most {limits.size}")
    if alone.count(b"xmlns") > limits.namespaces:
        raise AuthenticationRefused("wss.namespaces", expected=f"at most {limits.namespaces}")


def check_alone(assertion: etree._Element) -> None:
    """No other assertion in the message, one signature in this one, nothing hidden, nothing else of the same ID."""
    envelope = assertion.getroottree().getroot()
    if sum(1 for _ in envelope.iter(_ASSERTION, _ENCRYPTED)) != 1:
        raise AuthenticationRefused("wss.assertion.one")
    found = [each.tag == _SIGNATURE for each in assertion.iter(_SIGNATURE, *_HIDDEN)]
    if found != [True]:
        raise AuthenticationRefused("wss.signature.one" if all(found) else "wss.comment")
    identifier = assertion.get("ID")
    if not identifier or _SAME_VALUES(envelope, value=identifier) != 1:
        raise AuthenticationRefused("wss.id")
