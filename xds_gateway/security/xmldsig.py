"""Signatures of assertions: one profile of XML Signature, verified on what is read afterwards (SAML 2.0 core 5.4).

What is read is what was signed: SignedInfo from the canonical octets that the key has signed, the assertion from the
canonical octets that were digested. KeyInfo is never read for a key. The octets are libxml2's, the arithmetic is
OpenSSL's; tests hold both against xmlsec (docs/decisions/0011).
"""

import re
from binascii import a2b_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from lxml import etree

from ..codec.namespaces import DS, SAML
from .algorithms import Algorithms, Digest, SignatureMethod, VerifyingKey
from .refusals import AuthenticationRefused

EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
_PREFIXES: Final = 10  # of an InclusiveNamespaces

_ISSUER: Final = f"{{{SAML}}}Issuer"
_SIGNATURE: Final = f"{{{DS}}}Signature"
_SHAPE: Final = [f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue", f"{{{DS}}}KeyInfo"]
_SHAPES: Final = (_SHAPE, _SHAPE[:2])
_KEYS: Final = frozenset(f"{{{DS}}}{name}" for name in ("KeyName", "KeyValue", "X509Data"))

# The canonical SignedInfo of the one profile, without id and digest; canonical XML has one spelling for it, white space
# and prefixes apart.
_SIGNED_INFO: Final = re.compile(
    rb"""
    <(?P<p>(?:[\w.-]+:)?)SignedInfo\ xmlns(?::[\w.-]+)?="DS"(?:\ Id="[^"]*")?>\s*
      <(?P=p)CanonicalizationMethod\ Algorithm="EXC">\s*</(?P=p)CanonicalizationMethod>\s*
      <(?P=p)SignatureMethod\ Algorithm="(?P<signature>[^"]*)">\s*</(?P=p)SignatureMethod>\s*
      <(?P=p)Reference(?:\ Id="[^"]*")?\ URI="\#">\s*
        <(?P=p)Transforms>\s*
          <(?P=p)Transform\ Algorithm="DSenveloped-signature">\s*</(?P=p)Transform>\s*
          <(?P=p)Transform\ Algorithm="EXC">\s*
            (?:<(?P<e>(?:[\w.-]+:)?)InclusiveNamespaces\ xmlns(?::[\w.-]+)?="EXC"\ PrefixList="(?P<prefixes>[^"]*)">\s*
            </(?P=e)InclusiveNamespaces>\s*)?
          </(?P=p)Transform>\s*
        </(?P=p)Transforms>\s*
        <(?P=p)DigestMethod\ Algorithm="(?P<digest>[^"]*)">\s*</(?P=p)DigestMethod>\s*
        <(?P=p)DigestValue></(?P=p)DigestValue>\s*
      </(?P=p)Reference>\s*
    </(?P=p)SignedInfo>
    """.replace(b"DS", DS.encode().replace(b"#", rb"\#")).replace(b"EXC", EXC_C14N.encode().replace(b"#", rb"\#")),
    re.VERBOSE,
)
_URI: Final = b' URI="#'
_DIGEST_VALUE: Final = b"DigestValue>"


class _Profile(NamedTuple):
    """What all that one signer signs has in common."""

    signature: str
    prefixes: list[str]
    digest: str


def verify_enveloped(assertion: etree._Element, keys: Sequence[VerifyingKey], algorithms: Algorithms) -> bytes:
    """The canonical octets of an assertion that one of the keys has signed, without its signature.

    Read these, and nothing else. Size, comments and further signatures of the element are the caller's to refuse
    (`wss.py`). Raises AuthenticationRefused.
    """
    signature = _signature(assertion)
    signed_info, value = _parts(signature)
    octets = _canonical(signed_info, [])
    profile, identifier, stated = _stated(octets, signed_info)
    if identifier != assertion.get("ID"):
        raise AuthenticationRefused("dsig.reference", received=f"#{identifier}")
    method, digest = _accepted(profile, algorithms)
    _verify_value(method, keys, value, octets)
    content = _without(signature, assertion, profile.prefixes)
    if digest(content).digest() != stated:
        raise AuthenticationRefused("dsig.digest")
    return content


def _signature(assertion: etree._Element) -> etree._Element:
    """The signature, the second child of the assertion (SAML 2.0 core 2.3.3)."""
    if len(assertion) > 1 and assertion[0].tag == _ISSUER and (found := assertion[1]).tag == _SIGNATURE:
        return found
    one = sum(1 for _ in assertion.iter(_SIGNATURE)) == 1
    raise AuthenticationRefused("dsig.position" if one else "wss.signature.one")


def _parts(signature: etree._Element) -> tuple[etree._Element, bytes]:
    """SignedInfo and the value of the signature (XML Signature 4.1, without Object)."""
    parts = list(signature)
    tags = [part.tag for part in parts]
    if tags not in _SHAPES or len(parts[1]):
        raise AuthenticationRefused("dsig.shape")
    for key in parts[2] if len(parts) > 2 else ():
        if key.tag not in _KEYS:
            raise AuthenticationRefused("dsig.keyInfo")
    return parts[0], _base64((parts[1].text or "").encode(), "dsig.shape")


def _base64(text: bytes, rule: str) -> bytes:
    try:
        return a2b_base64(text.translate(None, b" \t\r\n"), strict_mode=True)
    except ValueError:
        raise AuthenticationRefused(rule) from None


def _canonical(element: etree._Element, prefixes: list[str]) -> bytes:
    try:
        octets: bytes = etree.tostring(
            element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes or None
        )
    except etree.C14NError:  # relative namespace names have no canonical form
        raise AuthenticationRefused("dsig.digest") from None
    return octets


def _without(signature: etree._Element, assertion: etree._Element, prefixes: list[str]) -> bytes:
    """The canonical octets of an assertion but its signature; the text behind that was signed, it stays."""
    issuer, behind = assertion[0], signature.tail
    before = issuer.tail
    assertion.remove(signature)
    if behind:
        issuer.tail = f"{before or ''}{behind}"
    try:
        return _canonical(assertion, prefixes)
    finally:
        if behind:
            issuer.tail = before
        assertion.insert(1, signature)


def _stated(octets: bytes, signed_info: etree._Element) -> tuple[_Profile, str, bytes]:
    """What a canonical SignedInfo says: its profile, the ID that it refers to, the digest."""
    try:
        identifier = octets.index(_URI) + len(_URI)
        middle = octets.index(b'"', identifier)
        digest = octets.index(_DIGEST_VALUE, middle) + len(_DIGEST_VALUE)
        end = octets.index(b"<", digest)
    except ValueError:
        raise AuthenticationRefused(_why(signed_info)) from None
    profile = _profile(octets[:identifier] + octets[middle:digest] + octets[end:])
    if profile is None:
        raise AuthenticationRefused(_why(signed_info))
    stated = _base64(octets[digest:end].replace(b"&#xD;", b""), "dsig.shape")
    return profile, octets[identifier:middle].decode(), stated


@lru_cache(maxsize=64)
def _profile(frame: bytes) -> _Profile | None:
    """What a SignedInfo says beside id and digest, the same for all that one signer signs; None when it is no profile
    of ours.
    """
    found = _SIGNED_INFO.fullmatch(frame)
    if found is None:
        return None
    prefixes = (found["prefixes"] or b"").decode().split()
    if len(prefixes) > _PREFIXES:
        return None
    return _Profile(found["signature"].decode(), prefixes, found["digest"].decode())


#   what is wrong with a SignedInfo that is not of the profile, the first that holds    rule
_WRONG: Final = [
    (etree.XPath(test, namespaces={"d": DS}), rule)
    for test, rule in (
        ("count(d:CanonicalizationMethod) != 1 or count(d:SignatureMethod) != 1", "dsig.shape"),
        ("count(d:Reference) != 1 or not(starts-with(d:Reference/@URI, '#'))", "dsig.reference"),
        (f"d:CanonicalizationMethod[* or not(@Algorithm = '{EXC_C14N}')]", "dsig.canonicalization"),
        ("d:SignatureMethod/*", "dsig.algorithm"),  # HMACOutputLength cuts a signature short
        (f"count(.//d:Transform) != 2 or .//d:Transform[1][* or not(@Algorithm = '{ENVELOPED}')]", "dsig.transforms"),
        (f".//d:Transform[2][not(@Algorithm = '{EXC_C14N}')] or .//d:Transform[2]/*", "dsig.transforms"),
    )
]


def _why(signed_info: etree._Element) -> str:
    """The rule that a SignedInfo breaks; nothing is decided by it."""
    return next((rule for test, rule in _WRONG if test(signed_info)), "dsig.shape")


def _accepted(profile: _Profile, algorithms: Algorithms) -> tuple[SignatureMethod, Digest]:
    method, digest = algorithms.signatures.get(profile.signature), algorithms.digests.get(profile.digest)
    if method is None or digest is None:
        wrong = profile.signature if method is None else profile.digest
        raise AuthenticationRefused("dsig.algorithm", received=wrong)
    return method, digest


def _verify_value(method: SignatureMethod, keys: Sequence[VerifyingKey], value: bytes, octets: bytes) -> None:
    for key in keys:
        try:
            return method.verify(key, value, octets, method.digest)
        except InvalidSignature:
            continue
    raise AuthenticationRefused("dsig.value")
