"""Signatures of assertions: what xmlsec signs in every accepted way is verified, and xmlsec never disagrees.

Attacks are in tests/unit/attacks.py.
"""

import hashlib
from base64 import b64decode
from copy import deepcopy

import pytest
import xmlsec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.unit.assertions import GOOD
from tests.unit.attacks import GENUINE, ISSUER
from tests.unit.signatures import (
    ENVELOPED,
    EXC,
    MORE,
    SHA256,
    TRANSFORMS,
    Holder,
    element,
    holder,
    parts_of,
    sign,
    signature_xml,
    unsigned,
    with_signature,
    xmlsec_key,
)
from xds_gateway.codec.namespaces import DS, SAML
from xds_gateway.codec.saml import parse_assertion
from xds_gateway.security.algorithms import STRONG, WITH_SHA1, weakness
from xds_gateway.security.refusals import AuthenticationRefused
from xds_gateway.security.xmldsig import verify_enveloped

LATER = "http://www.w3.org/2007/05/xmldsig-more#"


def canonical(found: etree._Element) -> bytes:
    return etree.tostring(found, method="c14n", exclusive=True, with_comments=False)


def verified(signed: str | etree._Element, *keys: Holder) -> etree._Element:
    found = element(signed) if isinstance(signed, str) else signed
    return etree.fromstring(verify_enveloped(found, [key.public_key for key in keys or (ISSUER,)], STRONG))


def refusal(signed: str | etree._Element, *keys: Holder) -> str:
    with pytest.raises(AuthenticationRefused) as refused:
        verified(signed, *keys)
    return refused.value.rule


# --- what is accepted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        *[("rsa", f"{MORE}rsa-sha{size}") for size in (256, 384, 512)],
        *[("rsa", f"{LATER}sha{size}-rsa-MGF1") for size in (256, 384, 512)],
        *[(kind, f"{MORE}ecdsa-sha{size}") for kind in ("P-256", "P-384", "P-521") for size in (256, 384, 512)],
    ],
)
def test_every_accepted_algorithm_is_verified(kind: str, method: str) -> None:
    by = holder(f"signer {kind}", kind)
    signed = sign(unsigned(), by, method=method)
    assert parse_assertion(verified(signed, by)) == GOOD
    assert refusal(signed, holder("rogue")) == "dsig.value"
    assert refusal(signed.replace(GOOD.name_id, "evil"), by) == "dsig.digest"


@pytest.mark.parametrize("digest", [SHA256, f"{MORE}sha384", "http://www.w3.org/2001/04/xmlenc#sha512"])
def test_every_accepted_digest_is_verified(digest: str) -> None:
    assert parse_assertion(verified(sign(unsigned(), ISSUER, digest=digest))) == GOOD


def test_every_method_of_the_table_is_tried() -> None:
    methods = {f"{MORE}rsa-sha{n}" for n in (256, 384, 512)} | {f"{MORE}ecdsa-sha{n}" for n in (256, 384, 512)}
    assert set(STRONG.signatures) == methods | {f"{LATER}sha{n}-rsa-MGF1" for n in (256, 384, 512)}
    assert set(WITH_SHA1.signatures) - set(STRONG.signatures) == {f"{DS}rsa-sha1"}


def test_sha1_is_for_policies_that_say_so() -> None:
    signed = sign(unsigned(), ISSUER, method=f"{DS}rsa-sha1", digest=f"{DS}sha1")
    assert refusal(signed) == "dsig.algorithm"
    octets = verify_enveloped(element(signed), [ISSUER.public_key], WITH_SHA1)
    assert parse_assertion(etree.fromstring(octets)) == GOOD


def spaced(signature: str) -> str:
    return signature.replace("><", ">\n  <")


LISTED = (
    f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC}">'
    f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="xs xsi unknown"/></ds:Transform>'
)
KEY_INFO = "<ds:KeyInfo><ds:KeyName>issuer</ds:KeyName><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>"
SIGNATURES = {
    "plain": signature_xml(GOOD.id),
    "spaced": spaced(signature_xml(GOOD.id)),
    "without prefix": signature_xml(GOOD.id).replace("ds:", "").replace(":ds", ""),
    "another prefix": signature_xml(GOOD.id).replace("ds:", "dsig-1:").replace(":ds=", ":dsig-1="),
    "with Ids": signature_xml(GOOD.id)
    .replace("<ds:SignedInfo>", '<ds:SignedInfo Id="si">')
    .replace("<ds:Reference ", '<ds:Reference Id="r" '),
    "listed prefixes": signature_xml(GOOD.id, transforms=LISTED),
    "KeyInfo": signature_xml(GOOD.id, key_info=KEY_INFO),
}
AROUND = {
    "alone": "{}",
    "in an envelope": '<s:E xmlns:s="urn:s"><s:H>{}</s:H></s:E>',
    "with prefixes around": '<s:E xmlns:s="urn:s" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:d">{}</s:E>',
}


def signed_in_place(text: str) -> etree._Element:
    """The assertion of a text, signed by xmlsec where it stands."""
    root = etree.fromstring(text)
    found = next(root.iter(f"{{{SAML}}}Assertion"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(ISSUER)
    context.register_id(found, "ID")
    context.sign(next(found.iter(f"{{{DS}}}Signature")))
    return found


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("between", ["", "\n  "])
def test_forms_of_one_profile_are_verified(signature: str, around: str, between: str) -> None:
    text = unsigned().replace("</saml:Issuer>", f"</saml:Issuer>{between}{SIGNATURES[signature]}{between}")
    found = signed_in_place(AROUND[around].format(text.replace("><", f">{between}<")))
    before = etree.tostring(found)
    assert parse_assertion(verified(found)) == GOOD
    assert etree.tostring(found) == before  # the message stays as it was


@pytest.mark.parametrize("end", ["&#13;\n", "\r\n", "\n", " "])
def test_values_may_have_line_ends(end: str) -> None:
    value = GENUINE[GENUINE.index("<ds:SignatureValue>") + 19 : GENUINE.index("</ds:SignatureValue>")]
    assert len("".join(value.split())) > 76
    folded = end.join("".join(value.split())[n : n + 76] for n in range(0, len(value), 76))
    assert verified(GENUINE.replace(value, folded)) is not None


def test_what_is_returned_are_the_octets_that_were_digested() -> None:
    found = element(GENUINE)
    octets = verify_enveloped(found, [ISSUER.public_key], STRONG)
    digest = found.findtext(f".//{{{DS}}}DigestValue") or ""
    assert hashlib.sha256(octets).digest() == b64decode(digest)
    assert b"Signature" not in octets


# --- nothing but what was signed, whatever happens to the message ---------------------------------------------------

SIGNED_CONTENT = canonical(etree.fromstring(parts_of(GENUINE)[0]))


def xmlsec_accepts(found: etree._Element) -> bool:
    copy = deepcopy(found)
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(ISSUER)
    try:
        context.register_id(copy, "ID")
        context.verify(copy.find(f"{{{DS}}}Signature"))
    except (xmlsec.Error, TypeError):
        return False
    return True


@st.composite
def changed_messages(draw: st.DrawFn) -> etree._Element:
    """A genuine assertion whose elements were moved, copied, dropped, renamed or given other text."""
    root = element(GENUINE)
    for _ in range(draw(st.integers(1, 3))):
        nodes = list(root.iter())
        node, other = nodes[draw(st.integers(1, len(nodes) - 1))], nodes[draw(st.integers(0, len(nodes) - 1))]
        change = draw(st.sampled_from(["drop", "copy", "move", "text", "tail", "attribute", "space"]))
        if change == "drop" and node.getparent() is not None:
            node.getparent().remove(node)
        elif change == "copy":
            other.insert(draw(st.integers(0, len(other))), deepcopy(node))
        elif change == "move" and node not in other.iterancestors() and other is not node:
            if other not in node.iter():
                other.insert(draw(st.integers(0, len(other))), node)
        elif change == "text":
            node.text = draw(st.sampled_from(["", "x", None, node.text]))
        elif change == "tail":
            node.tail = draw(st.sampled_from(["", "x", " "]))
        elif change == "space":
            node.text = (node.text or "") + " "
        elif node.attrib:
            name = draw(st.sampled_from(sorted(map(str, node.attrib))))
            node.set(name, draw(st.sampled_from(["", "x", f"#{GOOD.id}", GOOD.id, EXC, ENVELOPED])))
    return root


@settings(max_examples=300, deadline=None)
@given(changed_messages())
def test_a_changed_message_is_refused_or_says_the_same(found: etree._Element) -> None:
    try:
        returned = verified(found)
    except AuthenticationRefused:
        return
    assert canonical(returned) == SIGNED_CONTENT
    assert xmlsec_accepts(found)


def test_xmlsec_accepts_the_genuine_message() -> None:
    assert xmlsec_accepts(element(GENUINE))


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "size", "weak"),
    [("rsa", 2048, False), ("rsa", 3072, False), ("rsa", 1024, True), ("P-256", 0, False), ("P-192", 0, True)],
)
def test_keys_must_be_strong(kind: str, size: int, weak: bool) -> None:
    assert (weakness(holder(f"{kind} {size}", kind, size).public_key) is not None) is weak


def test_a_key_of_another_kind_verifies_nothing() -> None:
    assert refusal(GENUINE, holder("P-256", "P-256")) == "dsig.value"
    assert parse_assertion(verified(GENUINE, holder("P-256", "P-256"), ISSUER)).name_id == GOOD.name_id


def test_a_forged_signature_element_is_none() -> None:
    assert refusal(with_signature(unsigned(), signature_xml(GOOD.id, transforms=TRANSFORMS))) == "dsig.value"
