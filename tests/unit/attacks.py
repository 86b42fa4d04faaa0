"""What forgers do to messages with assertions: one row for each attack, what refuses it, and which policies do.

Each row makes the header blocks of a message from a genuine assertion of the issuer; most of them speak for EVIL. Where
the issuer's own key signs a row, nothing but the named rule stands between it and the actors.
"""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

import xmlsec

from tests.unit.assertions import AUDIENCE, GOOD, NOW
from tests.unit.signatures import (
    ENVELOPED,
    EXC,
    MORE,
    TRANSFORMS,
    holder,
    parts_of,
    security,
    sign,
    signature_xml,
    unsigned,
    with_signature,
)
from xds_gateway.codec.namespaces import DS, SAML, WSSE
from xds_gateway.model import assertions as a
from xds_gateway.model.assertions import Attribute, Confirmation

EVIL: Final = "evil.user"
ISSUER, ROGUE = holder("issuer"), holder("rogue")
DSIG_TRANSFORMS: Final = "http://www.w3.org/TR/1999/REC-"


class Attack(NamedTuple):
    """A row: `headers` are made from a genuine assertion, `body` stands inside the body's element."""

    rule: str
    headers: Callable[[str], str]
    body: Callable[[str], str] = lambda genuine: ""
    policies: tuple[str, ...] = ("xua",)


def evil_of(genuine: str, identifier: str = "_evil") -> str:
    """A genuine assertion, changed: another user, another ID, no signature."""
    without, _ = parts_of(genuine)
    return without.replace(GOOD.name_id, EVIL).replace(f'ID="{GOOD.id}"', f'ID="{identifier}"')


def inside(outer: str, inner: str, before: str = "</saml:Assertion>") -> str:
    """An element with another one in it, right before some text."""
    assert before in outer
    return outer.replace(before, inner + before, 1)


def advised(outer: str, inner: str) -> str:
    """An assertion with another one in its Advice (SAML 2.0 core 2.6.1)."""
    return inside(outer, f"<saml:Advice>{inner}</saml:Advice>", "<saml:AuthnStatement")


def extended(inner: str) -> str:
    return f'<samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">{inner}</samlp:Extensions>'


def held(signature: str, inner: str) -> str:
    """A signature with an element in an Object of its own."""
    return inside(signature, f"<ds:Object>{inner}</ds:Object>", "</ds:Signature>")


def signature_of(genuine: str) -> str:
    return parts_of(genuine)[1]


def bare(genuine: str) -> str:
    return parts_of(genuine)[0]


# -- wrapping: the signature is genuine, and what is read is somebody else (On Breaking SAML, XSW 1 to 8)

WRAPPINGS: Final[dict[str, Attack]] = {
    "XSW1 evil before genuine": Attack("wss.assertion.one", lambda g: security(evil_of(g), g)),
    "XSW2 evil after genuine": Attack("wss.assertion.one", lambda g: security(g, evil_of(g))),
    "XSW3 genuine in evil, as its first child": Attack(
        "wss.assertion.one", lambda g: security(evil_of(g).replace("<saml:Issuer>", f"{g}<saml:Issuer>", 1))
    ),
    "XSW4 genuine in evil, as its last child": Attack(
        "wss.assertion.one", lambda g: security(inside(evil_of(g), g))
    ),
    "XSW5 evil has the signature, genuine comes after": Attack(
        "wss.assertion.one", lambda g: security(with_signature(evil_of(g), signature_of(g)), bare(g))
    ),
    "XSW6 genuine in evil's signature": Attack(
        "wss.assertion.one",
        lambda g: security(with_signature(evil_of(g), inside(signature_of(g), bare(g), "</ds:Signature>"))),
    ),
    "XSW7 genuine's twin in Extensions": Attack("wss.token", lambda g: security(extended(evil_of(g)), g)),
    "XSW8 genuine in an Object of evil's signature": Attack(
        "wss.assertion.one", lambda g: security(with_signature(evil_of(g), held(signature_of(g), bare(g))))
    ),
    "genuine in the Advice of evil": Attack("wss.assertion.one", lambda g: security(advised(evil_of(g), g))),
    "genuine in the Advice of evil, of the same ID": Attack(
        "wss.assertion.one", lambda g: security(advised(evil_of(g, GOOD.id), g))
    ),
    "signature on evil, genuine in its Advice": Attack(
        "wss.assertion.one", lambda g: security(with_signature(advised(evil_of(g), bare(g)), signature_of(g)))
    ),
    "genuine in Extensions of the header": Attack("wss.token", lambda g: security(evil_of(g), extended(g))),
    "evil in the Subject of genuine": Attack(
        "wss.assertion.one", lambda g: security(inside(g, evil_of(g), "</saml:Subject>"))
    ),
    "evil in an attribute of genuine": Attack(
        "wss.assertion.one", lambda g: security(inside(g, evil_of(g), "</saml:AttributeValue>"))
    ),
    "genuine in an attribute of evil": Attack(
        "wss.assertion.one", lambda g: security(inside(evil_of(g), g, "</saml:AttributeValue>"))
    ),
    "genuine in a header of its own before": Attack("wss.security", lambda g: security(g) + security(evil_of(g))),
    "genuine in a header of its own after": Attack("wss.security", lambda g: security(evil_of(g)) + security(g)),
    "genuine in a header for somebody else": Attack(
        "wss.assertion.one", lambda g: security(g, attributes=' s:role="urn:other"') + security(evil_of(g))
    ),
    "genuine in another header": Attack(
        "wss.assertion.one", lambda g: f'<x:X xmlns:x="urn:x">{g}</x:X>{security(evil_of(g))}'
    ),
    "genuine in the body": Attack("wss.assertion.one", lambda g: security(evil_of(g)), body=lambda g: g),
    "genuine in the body, evil with its signature": Attack(
        "wss.assertion.one",
        lambda g: security(with_signature(evil_of(g), signature_of(g))),
        body=lambda g: bare(g),
    ),
    "evil in the body": Attack("wss.assertion.one", lambda g: security(g), body=evil_of),
    "genuine's ID once more in the body": Attack(
        "wss.id", lambda g: security(g), body=lambda g: f'<x:X xmlns:x="urn:x" Id="{GOOD.id}"/>'
    ),
    "genuine's ID as xml:id in a header": Attack(
        "wss.id", lambda g: f'<x:X xmlns:x="urn:x" xml:id="{GOOD.id}"/>{security(g)}'
    ),
    "genuine's ID in the signature": Attack(
        "wss.id", lambda g: security(g.replace("<ds:SignedInfo>", f'<ds:SignedInfo Id="{GOOD.id}">'))
    ),
    "no ID": Attack("wss.id", lambda g: security(g.replace(f' ID="{GOOD.id}"', ""))),
    "the ID in another attribute": Attack(
        "wss.id", lambda g: security(g.replace(f' ID="{GOOD.id}"', f' Id="{GOOD.id}"'))
    ),
    "signature moved to the header": Attack("wss.signature.one", lambda g: security(bare(g), signature_of(g))),
    "evil with genuine's signature in the header": Attack(
        "wss.signature.one", lambda g: security(evil_of(g), signature_of(g))
    ),
    "a second signature in the header": Attack("wss.signature.one", lambda g: security(g, signature_of(g))),
    "a second signature in the assertion": Attack(
        "wss.signature.one", lambda g: security(inside(g, signature_of(g)))
    ),
    "signature before the Issuer": Attack(
        "dsig.position", lambda g: security(bare(g).replace("<saml:Issuer>", f"{signature_of(g)}<saml:Issuer>", 1))
    ),
    "signature at the end": Attack("dsig.position", lambda g: security(inside(bare(g), signature_of(g)))),
    "signature in the Subject": Attack(
        "dsig.position", lambda g: security(inside(bare(g), signature_of(g), "</saml:Subject>"))
    ),
    "signature in a wrapper": Attack(
        "dsig.position",
        lambda g: security(with_signature(bare(g), f'<x:X xmlns:x="urn:x">{signature_of(g)}</x:X>')),
    ),
    "an Issuer before the Issuer": Attack(
        "saml.issuer.unknown",
        lambda g: security(g.replace("<saml:Issuer>", "<saml:Issuer>x</saml:Issuer><saml:Issuer>", 1)),
    ),
    "evil with genuine's signature": Attack(
        "dsig.reference", lambda g: security(with_signature(evil_of(g), signature_of(g)))
    ),
    "evil with genuine's ID and signature": Attack(
        "dsig.digest", lambda g: security(with_signature(evil_of(g, GOOD.id), signature_of(g)))
    ),
    "text after the signature": Attack(
        "dsig.digest", lambda g: security(g.replace("</ds:Signature>", "</ds:Signature>x"))
    ),
    "a signature in a signature": Attack(
        "wss.signature.one", lambda g: security(inside(g, signature_of(g), "</ds:Signature>"))
    ),
    "one role more": Attack("dsig.digest", lambda g: security(g.replace("309343006", "106292003"))),
    "no signature": Attack("wss.signature.one", lambda g: security(bare(g))),
    "an encrypted assertion beside": Attack(
        "wss.token", lambda g: security(g, f'<saml:EncryptedAssertion xmlns:saml="{SAML}"/>')
    ),
    "an encrypted assertion inside": Attack(
        "wss.assertion.one", lambda g: security(advised(g, "<saml:EncryptedAssertion/>"))
    ),
}  # fmt: skip


# -- keys: evil is signed well, by a key that nobody trusts, and the message brings that key along


def _key_infos() -> Iterator[tuple[str, str, str]]:
    """Each form of KeyInfo that could bring the rogue's key, and the rule that refuses it."""
    numbers = ROGUE.public_key.public_numbers()
    modulus = base64.b64encode(numbers.n.to_bytes(256)).decode()
    x509 = f"<ds:X509Certificate>{ROGUE.base64}</ds:X509Certificate>"
    serial = (
        "<ds:X509IssuerSerial><ds:X509IssuerName>CN=rogue</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{ROGUE.certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial>"
    )
    subject = "<ds:X509SubjectName>CN=issuer</ds:X509SubjectName>"
    rsa = f"<ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
    dsa = "<ds:DSAKeyValue><ds:P>AQAB</ds:P><ds:Q>AQAB</ds:Q><ds:G>AQAB</ds:G><ds:Y>AQAB</ds:Y></ds:DSAKeyValue>"
    ec = (
        '<dsig11:ECKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#"><dsig11:NamedCurve '
        'URI="urn:oid:1.2.840.10045.3.1.7"/><dsig11:PublicKey>BA==</dsig11:PublicKey></dsig11:ECKeyValue>'
    )
    der = base64.b64encode(ROGUE.encodings()["DER"]).decode()
    reference = f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}">{{}}</wsse:SecurityTokenReference>'
    yield from (
        ("no KeyInfo", "", "dsig.value"),
        ("KeyValue RSA", f"<ds:KeyValue>{rsa}</ds:KeyValue>", "dsig.value"),
        ("KeyValue DSA", f"<ds:KeyValue>{dsa}</ds:KeyValue>", "dsig.value"),
        ("KeyValue EC", f"<ds:KeyValue>{ec}</ds:KeyValue>", "dsig.value"),
        ("X509Certificate", f"<ds:X509Data>{x509}</ds:X509Data>", "dsig.value"),
        (
            "the issuer's certificate, then the rogue's",
            f"<ds:X509Data><ds:X509Certificate>{ISSUER.base64}</ds:X509Certificate>{x509}</ds:X509Data>",
            "dsig.value",
        ),
        ("X509IssuerSerial", f"<ds:X509Data>{serial}</ds:X509Data>", "dsig.value"),
        ("X509SKI", "<ds:X509Data><ds:X509SKI>AQAB</ds:X509SKI></ds:X509Data>", "dsig.value"),
        ("X509SubjectName", f"<ds:X509Data>{subject}</ds:X509Data>", "dsig.value"),
        ("KeyName", "<ds:KeyName>issuer</ds:KeyName>", "dsig.value"),
        ("RetrievalMethod", '<ds:RetrievalMethod URI="#key"/>', "dsig.keyInfo"),
        ("MgmtData", "<ds:MgmtData>x</ds:MgmtData>", "dsig.keyInfo"),
        ("PGPData", "<ds:PGPData><ds:PGPKeyID>AQAB</ds:PGPKeyID></ds:PGPData>", "dsig.keyInfo"),
        ("SecurityTokenReference to a key", reference.format('<wsse:Reference URI="#key"/>'), "dsig.keyInfo"),
        ("SecurityTokenReference with a key", reference.format(f"<ds:X509Data>{x509}</ds:X509Data>"), "dsig.keyInfo"),
        (
            "DEREncodedKeyValue",
            f'<k:DEREncodedKeyValue xmlns:k="http://www.w3.org/2009/xmldsig11#">{der}</k:DEREncodedKeyValue>',
            "dsig.keyInfo",
        ),
        ("EncryptedKey", '<e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#"/>', "dsig.keyInfo"),
        ("an assertion with the key", f'<saml:Assertion xmlns:saml="{SAML}"/>', "wss.assertion.one"),
    )  # fmt: skip


def _by_rogue(key_info: str) -> Callable[[str], str]:
    info = f"<ds:KeyInfo>{key_info}</ds:KeyInfo>" if key_info else ""

    def headers(genuine: str) -> str:
        return security(sign(evil_of(genuine), ROGUE).replace("</ds:Signature>", f"{info}</ds:Signature>"))

    return headers


KEYS: Final = {f"key: {name}": Attack(rule, _by_rogue(info)) for name, info, rule in _key_infos()}
KEYS |= {
    "the rogue names another issuer": Attack(
        "saml.issuer.unknown", lambda g: security(sign(evil_of(g).replace(GOOD.issuer, "https://rogue.example"), ROGUE))
    ),
    "the issuer's name with a blank in it": Attack(
        "saml.issuer.unknown", lambda g: security(sign(evil_of(g).replace(GOOD.issuer, f"{GOOD.issuer} x"), ROGUE))
    ),
    "the issuer's name in capitals": Attack(
        "saml.issuer.unknown", lambda g: security(sign(evil_of(g).replace(GOOD.issuer, GOOD.issuer.upper()), ROGUE))
    ),
    "a genuine assertion whose KeyInfo asks for a key": Attack(
        "dsig.keyInfo",
        lambda g: security(
            g.replace(
                "</ds:Signature>",
                '<ds:KeyInfo><ds:RetrievalMethod URI="http://127.0.0.1:9/key"/></ds:KeyInfo></ds:Signature>',
            )
        ),
    ),
}


# -- algorithms: the public key as a secret, broken digests, cut signatures. The issuer itself signs what it can.


def _hmac(name: str) -> Callable[[str], str]:
    secret = ISSUER.encodings()[name]
    return lambda g: security(
        sign(
            evil_of(g),
            xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, secret),
            method=f"{MORE}hmac-sha256",
        )
    )


def _signed(rule: str, **profile: Any) -> Attack:
    """What the issuer's own key has signed in a profile that is not accepted."""
    return Attack(rule, lambda g: security(sign(evil_of(g), ISSUER, **profile)))


def _claimed(rule: str, **profile: Any) -> Attack:
    """A signature that only says to be of an algorithm: xmlsec makes none of that."""

    def headers(genuine: str) -> str:
        signature = signature_xml("_evil", **profile).replace("<ds:DigestValue>", "<ds:DigestValue>AAAA")
        return security(with_signature(evil_of(genuine), signature))

    return Attack(rule, headers)


ALGORITHMS: Final[dict[str, Attack]] = {
    **{f"HMAC with the public key as {name}": Attack("dsig.algorithm", _hmac(name)) for name in ISSUER.encodings()},
    "HMAC-SHA1": _claimed("dsig.algorithm", method=f"{DS}hmac-sha1"),
    "RSA with SHA-1": _signed("dsig.algorithm", method=f"{DS}rsa-sha1"),
    "RSA with MD5": _claimed("dsig.algorithm", method=f"{MORE}rsa-md5"),
    "RSA with RIPEMD-160": _claimed("dsig.algorithm", method=f"{MORE}rsa-ripemd160"),
    "DSA": _claimed("dsig.algorithm", method=f"{DS}dsa-sha1"),
    "ECDSA with an RSA key": _claimed("dsig.value", method=f"{MORE}ecdsa-sha256"),
    "digest SHA-1": _signed("dsig.algorithm", digest=f"{DS}sha1"),
    "digest MD5": _claimed("dsig.algorithm", digest=f"{MORE}md5"),
    "HMAC cut to a byte": _claimed(
        "dsig.algorithm",
        method=f"{MORE}hmac-sha256",
        method_content="<ds:HMACOutputLength>8</ds:HMACOutputLength>",
    ),
    "RSA with HMACOutputLength": _claimed(
        "dsig.algorithm", method_content="<ds:HMACOutputLength>8</ds:HMACOutputLength>"
    ),
    "no algorithm": _claimed("dsig.algorithm", method=""),
    "inclusive canonicalization of SignedInfo": _signed(
        "dsig.canonicalization",
        canonicalization=f'<ds:CanonicalizationMethod Algorithm="{DSIG_TRANSFORMS.replace("1999", "2001")}'
        'xml-c14n-20010315"/>',
    ),
    "canonicalization with comments": _signed(
        "dsig.canonicalization", canonicalization=f'<ds:CanonicalizationMethod Algorithm="{EXC}WithComments"/>'
    ),
    "XSLT as canonicalization": _claimed(
        "dsig.canonicalization",
        canonicalization=f'<ds:CanonicalizationMethod Algorithm="{DSIG_TRANSFORMS}xslt-19991116">'
        '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:CanonicalizationMethod>',
    ),
}


def _transforms(*algorithms: str) -> str:
    return "".join(f'<ds:Transform Algorithm="{each}"/>' for each in algorithms)


_INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_XPATH: Final = (
    f'<ds:Transform Algorithm="{DSIG_TRANSFORMS}xpath-19991116"><ds:XPath>'
    "ancestor-or-self::*[local-name()='Issuer']</ds:XPath></ds:Transform>"
)
_XSLT: Final = (
    f'<ds:Transform Algorithm="{DSIG_TRANSFORMS}xslt-19991116"><x:stylesheet version="1.0" '
    'xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:template match="/">evil</x:template></x:stylesheet>'
    "</ds:Transform>"
)
_FILTER: Final = (
    '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"><f:XPath Filter="subtract" '
    "xmlns:f=\"http://www.w3.org/2002/06/xmldsig-filter2\">//*[local-name()='Subject']</f:XPath></ds:Transform>"
)
_MANY_PREFIXES: Final = " ".join(f"p{number}" for number in range(1000))

TRANSFORM: Final[dict[str, Attack]] = {
    "transform XPath that leaves the user out": _signed("dsig.transforms", transforms=_XPATH + TRANSFORMS),
    "transform XPath filter 2": _signed("dsig.transforms", transforms=_FILTER + TRANSFORMS),
    "transform XSLT": _claimed("dsig.transforms", transforms=_XSLT + TRANSFORMS),
    "transform base64": _claimed("dsig.transforms", transforms=_transforms(ENVELOPED, f"{DS}base64")),
    "no enveloped-signature": _claimed("dsig.transforms", transforms=_transforms(EXC)),
    "enveloped-signature alone": _signed("dsig.transforms", transforms=_transforms(ENVELOPED)),
    "the transforms in the other order": _claimed("dsig.transforms", transforms=_transforms(EXC, ENVELOPED)),
    "enveloped-signature twice": _signed("dsig.transforms", transforms=_transforms(ENVELOPED, ENVELOPED, EXC)),
    "inclusive canonicalization": _signed("dsig.transforms", transforms=_transforms(ENVELOPED, _INCLUSIVE)),
    "canonicalization of comments": _signed("dsig.transforms", transforms=_transforms(ENVELOPED, f"{EXC}WithComments")),
    "five hundred transforms": _claimed("dsig.transforms", transforms=_transforms(ENVELOPED, *[EXC] * 500)),
    "a thousand prefixes": _claimed(
        "dsig.transforms",
        transforms=_transforms(ENVELOPED)
        + f'<ds:Transform Algorithm="{EXC}"><ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{_MANY_PREFIXES}"/>'
        "</ds:Transform>",
    ),
}


# -- references: something else is signed, or fetched


def _reference(uri: str) -> Attack:
    return _claimed("dsig.reference", uri=uri)


def _several(old: str, new: str) -> Callable[[str], str]:
    """A genuine assertion with a part of its SignedInfo changed."""

    def headers(genuine: str) -> str:
        assert old in genuine
        return security(genuine.replace(old, new, 1))

    return headers


def _twice(begin: str, end: str, change: Callable[[str], str] = str) -> Callable[[str], str]:
    """A genuine assertion with a part of its signature twice, the first of them changed."""

    def headers(genuine: str) -> str:
        start, stop = genuine.index(begin), genuine.index(end) + len(end)
        part = genuine[start:stop]
        return security(genuine[:start] + change(part) + part + genuine[stop:])

    return headers


def _digest_of_evil(part: str) -> str:
    return part.replace("<ds:DigestValue>", "<ds:DigestValue>AAAA")


REFERENCES: Final[dict[str, Attack]] = {
    "reference to the whole document": _signed("dsig.reference", uri=""),
    "reference to another element": _reference("#_other"),
    "reference by xpointer": _reference("#xpointer(/)"),
    "reference by xpointer and ID": _reference("#xpointer(id('_evil'))"),
    "reference to a file": _reference("file:///etc/hostname"),
    "reference to an address": _reference("http://127.0.0.1:9/assertion"),
    "reference over https": _reference("https://127.0.0.1:9/assertion"),
    "reference over ftp": _reference("ftp://127.0.0.1:9/assertion"),
    "reference to a part": _reference("cid:assertion@example.org"),
    "reference by a path": _reference("../assertion.xml#_evil"),
    "no URI": Attack("dsig.reference", _several(f' URI="#{GOOD.id}"', "")),
    "two References": Attack("dsig.reference", _twice("<ds:Reference ", "</ds:Reference>")),
    "a thousand References": Attack(
        "dsig.reference", _twice("<ds:Reference ", "</ds:Reference>", lambda part: part * 100)
    ),
    "two SignedInfo": Attack("dsig.shape", _twice("<ds:SignedInfo>", "</ds:SignedInfo>")),
    "two SignedInfo, the first of evil": Attack(
        "dsig.shape", _twice("<ds:SignedInfo>", "</ds:SignedInfo>", _digest_of_evil)
    ),
    "two SignatureValue": Attack("dsig.shape", _twice("<ds:SignatureValue>", "</ds:SignatureValue>")),
    "two DigestValue": Attack("dsig.shape", _twice("<ds:DigestValue>", "</ds:DigestValue>", _digest_of_evil)),
    "two SignatureMethod": Attack("dsig.shape", _twice("<ds:SignatureMethod ", 'rsa-sha256"/>')),
    "a Manifest": Attack(
        "dsig.shape", _several("</ds:Signature>", "<ds:Object><ds:Manifest/></ds:Object></ds:Signature>")
    ),
    "an element in DigestValue": Attack("dsig.shape", _several("<ds:DigestValue>", "<ds:DigestValue><x/>")),
    "an element in SignatureValue": Attack("dsig.shape", _several("<ds:SignatureValue>", "<ds:SignatureValue><x/>")),
    "no SignatureValue": Attack(
        "dsig.shape", lambda g: security(g.replace("SignatureValue>", "Nothing>"))
    ),
    "text in SignedInfo": Attack("dsig.shape", _several("<ds:SignedInfo>", "<ds:SignedInfo>x")),
    "an element of another namespace in SignedInfo": Attack(
        "dsig.shape", _several("<ds:SignedInfo>", '<ds:SignedInfo><x:Reference xmlns:x="urn:x" URI="#_evil"/>')
    ),
    "a value that is no base64": Attack("dsig.shape", _several("<ds:SignatureValue>", "<ds:SignatureValue>*")),
    "the value cut short": Attack(
        "dsig.value",
        lambda g: security(g[: g.index("<ds:SignatureValue>") + 19] + "AAAA" + g[g.index("</ds:SignatureValue>") :]),
    ),
    "another digest": Attack("dsig.value", _several("<ds:DigestValue>", "<ds:DigestValue>AAAA")),
}  # fmt: skip


# -- two readings of one text: canonical XML leaves comments out, readers stop at them


def _split(text: str, by: str) -> Callable[[str], str]:
    """A genuine assertion with something inside of a text."""

    def headers(genuine: str) -> str:
        assert text in genuine
        return security(genuine.replace(text, text[:3] + by + text[3:], 1))

    return headers


_PLACES: Final = {
    "NameID": GOOD.name_id,
    "Issuer": GOOD.issuer,
    "Audience": AUDIENCE,
    "an attribute": "Dr Claire Martin",
    "resource-id": "P1^^^",
    "AuthnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:X509",
}
READINGS: Final[dict[str, Attack]] = {
    **{f"a comment in {name}": Attack("wss.comment", _split(text, "<!-- -->")) for name, text in _PLACES.items()},
    **{f"an instruction in {name}": Attack("xml.instruction", _split(text, "<?x?>")) for name, text in _PLACES.items()},
    "a comment in DigestValue": Attack("wss.comment", _several("<ds:DigestValue>", "<ds:DigestValue><!-- -->")),
    "a comment with a digest": Attack("wss.comment", _several("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->")),
    "a comment in SignatureValue": Attack("wss.comment", _several("<ds:SignatureValue>", "<ds:SignatureValue><!---->")),
    "a comment in the header": Attack("wss.comment", lambda g: security("<!-- -->", g)),
    "an instruction in SignedInfo": Attack("xml.instruction", _several("<ds:SignedInfo>", "<ds:SignedInfo><?x?>")),
    "an element in NameID": Attack(
        "saml.subject", lambda g: security(sign(evil_of(g).replace(EVIL, f"a<saml:x/>{EVIL}"), ISSUER))
    ),
    "two NameID": Attack(
        "saml.subject",
        lambda g: security(sign(inside(evil_of(g), "<saml:NameID>b</saml:NameID>", "<saml:SubjectConf"), ISSUER)),
    ),
    "two Subjects": Attack(
        "saml.structure",
        lambda g: security(sign(inside(evil_of(g), "<saml:Subject/>", "<saml:Conditions"), ISSUER)),
    ),
    "a Statement of a type of its own": Attack(
        "saml.structure",
        lambda g: security(
            sign(inside(evil_of(g), '<saml:Statement xsi:type="saml:AttributeStatementType"/>'), ISSUER)
        ),
    ),
    "a Condition of a type of its own": Attack(
        "saml.conditions",
        lambda g: security(
            sign(inside(evil_of(g), '<saml:Condition xsi:type="saml:OneTimeUseType"/>', "</saml:Conditions>"), ISSUER)
        ),
    ),
    "a BaseID of a type of its own": Attack(
        "saml.subject",
        lambda g: security(
            sign(inside(evil_of(g), '<saml:BaseID xsi:type="saml:NameIDType">x</saml:BaseID>', "<saml:NameID"), ISSUER)
        ),
    ),
    "an assertion of SAML 1.1": Attack(
        "wss.token", lambda g: security('<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:1.0:assertion"/>')
    ),
    "a version of its own": Attack(
        "saml.version", lambda g: security(sign(evil_of(g).replace('Version="2.0"', 'Version="2.1"'), ISSUER))
    ),
    "a user name and password": Attack("wss.token", lambda g: security(f'<w:UsernameToken xmlns:w="{WSSE}"/>', g)),
}


# -- time and audience: all of it signed by the issuer


def _good(rule: str, **changes: Any) -> Attack:
    return Attack(rule, lambda g: security(sign(unsigned(**changes), ISSUER)))


def _bearer(**fields: Any) -> tuple[Confirmation, ...]:
    return (Confirmation(a.BEARER, **fields),)


_MINUTE, _SECOND = timedelta(minutes=1), timedelta(seconds=1)
_EARLY: Final = {"issue_instant": NOW - 3 * _MINUTE, "not_before": NOW - 3 * _MINUTE, "confirmations": _bearer()}
_OTHER: Final = "urn:oid:1.2.250.1.999.77"

CONDITIONS: Final[dict[str, Attack]] = {
    "expired": _good("saml.expired", **_EARLY, not_on_or_after=NOW - _MINUTE),
    "expired long ago": _good("saml.expired", **_EARLY, not_on_or_after=NOW - 2 * _MINUTE),
    "not yet valid": _good("saml.notYet", not_before=NOW + _MINUTE + _SECOND),
    "issued in the future": _good("saml.notYet", issue_instant=NOW + _MINUTE + _SECOND),
    "logged in in the future": _good("saml.notYet", authn_instant=NOW + _MINUTE + _SECOND),
    "no Conditions": _good(
        "saml.conditions", has_conditions=False, audiences=(), not_before=None, not_on_or_after=None
    ),
    "no end": _good("saml.expiry", not_on_or_after=None),
    "valid for ten years": _good("saml.validity", not_on_or_after=NOW + timedelta(days=3650)),
    "valid for a day and a second": _good("saml.validity", not_on_or_after=NOW + timedelta(days=1, seconds=1)),
    "issued two days ago": _good("saml.age", issue_instant=NOW - timedelta(days=2)),
    "the session is over": _good("saml.session", session_not_on_or_after=NOW - _MINUTE),
    "no AudienceRestriction": _good("saml.audience.missing", audiences=()),
    "another audience": _good("saml.audience", audiences=((_OTHER,),)),
    "two restrictions, one for another": _good("saml.audience", audiences=((AUDIENCE,), (_OTHER,))),
    "two restrictions, the first for another": _good("saml.audience", audiences=((_OTHER,), (AUDIENCE,))),
    "an audience that begins like ours": _good("saml.audience", audiences=((f"{AUDIENCE}.1",),)),
    "no AuthnStatement": _good("saml.authn", authn_instant=None, authn_context=None),
    "an Issuer of another format": _good("saml.issuer.format", issuer_format="urn:x"),
    "no confirmation": _good("saml.confirmation", confirmations=()),
    "sender-vouches": _good("saml.confirmation", confirmations=(Confirmation(a.SENDER_VOUCHES),)),
    "a confirmation that has expired": _good(
        "saml.confirmation", confirmations=_bearer(not_on_or_after=NOW - _MINUTE)
    ),
    "a confirmation of later": _good("saml.confirmation", confirmations=_bearer(not_before=NOW + 2 * _MINUTE)),
    "a confirmation for another recipient": _good("saml.confirmation", confirmations=_bearer(recipient=_OTHER)),
    "holder-of-key with another certificate": _good(
        "saml.confirmation", confirmations=(Confirmation(a.HOLDER_OF_KEY, certificate=ROGUE.der),)
    ),
    "holder-of-key with the issuer's certificate": _good(
        "saml.confirmation", confirmations=(Confirmation(a.HOLDER_OF_KEY, certificate=ISSUER.der),)
    ),
    "holder-of-key without a key": _good("saml.confirmation", confirmations=(Confirmation(a.HOLDER_OF_KEY),)),
    "holder-of-key with no certificate": _good(
        "saml.confirmation", confirmations=(Confirmation(a.HOLDER_OF_KEY, certificate=b"x"),)
    ),
    "two patients": _good(
        "saml.patient",
        attributes=(Attribute(a.RESOURCE_ID, ("P1^^^&1.2.3&ISO",)), Attribute(a.RESOURCE_ID, ("P2^^^&1.2.3&ISO",))),
    ),
    "a patient that cannot be read": _good("saml.patient", attributes=(Attribute(a.RESOURCE_ID, ("P1",)),)),
}  # fmt: skip


# -- bombs: what would be dear to canonicalise, refused before anything is


def _namespaces(count: int) -> str:
    return "".join(f' xmlns:n{number}="urn:{number}"' for number in range(count))


def _attributes(count: int) -> str:
    return " ".join(f'a{number}="{number}"' for number in range(count))


def _stuffed(text: str) -> Callable[[str], str]:
    return lambda g: security(g.replace("<saml:Subject>", f"<saml:Subject>{text}", 1))


BOMBS: Final[dict[str, Attack]] = {
    "ten thousand namespaces": Attack("xml.namespaces", _stuffed(f"<x{_namespaces(10_000)}>{'<y/>' * 200}</x>")),
    "nine hundred namespaces": Attack("wss.namespaces", _stuffed(f"<x{_namespaces(900)}>{'<y/>' * 200}</x>")),
    "nine hundred namespaces around it": Attack(
        "wss.namespaces", lambda g: security(g, attributes=_namespaces(900))
    ),
    "namespaces in each of many elements": Attack(
        "wss.namespaces", _stuffed("".join(f"<x{_namespaces(9)}/>" for _ in range(100)))
    ),
    "fifty thousand elements": Attack("wss.size", _stuffed("<x/>" * 50_000)),
    "a long text": Attack("wss.size", _stuffed("x" * 100_000)),
    "many attributes": Attack(
        "wss.size",
        _stuffed(f"<x {_attributes(400)}/>" * 50),
    ),
    "five hundred attributes and one": Attack(
        "xml.attributes", _stuffed(f"<x {_attributes(501)}/>")
    ),
    "a hundred levels": Attack("xml.depth", _stuffed("<x>" * 100 + "</x>" * 100)),
    "a long KeyInfo": Attack(
        "wss.size",
        _several("</ds:Signature>", f"<ds:KeyInfo>{'<ds:KeyName>x</ds:KeyName>' * 4000}</ds:KeyInfo></ds:Signature>"),
    ),
    "a relative namespace": Attack("dsig.digest", _stuffed('<x xmlns="relative"/>')),
}  # fmt: skip

ATTACKS: Final[dict[str, Attack]] = {
    **WRAPPINGS,
    **KEYS,
    **ALGORITHMS,
    **TRANSFORM,
    **REFERENCES,
    **READINGS,
    **CONDITIONS,
    **BOMBS,
}

# What the issuer has signed for its user, about one patient.
GENUINE: Final = sign(
    unsigned(attributes=(*GOOD.attributes, Attribute(a.RESOURCE_ID, ("P1^^^&1.3.6.1.4.1.21367.13.20.3000&ISO",)))),
    ISSUER,
)
