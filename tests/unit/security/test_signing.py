"""Signatures that we make, verified by another library; keys and passwords that are refused."""

from dataclasses import replace

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from lxml import etree

from tests.unit.assertions import GOOD, NOW
from xds_gateway.codec.namespaces import DS, SAML
from xds_gateway.codec.saml import parse_assertion, render_assertion
from xds_gateway.pki import Issued, issue_authority, issue_client, issue_signer
from xds_gateway.security.keys import UnusableKey, read_certificate, read_key, read_p12
from xds_gateway.security.signing import sign_assertion

AUTHORITY = issue_authority("Authority", now=NOW)
RSA = issue_signer("RSA", AUTHORITY, now=NOW)
EC = issue_client("EC", AUTHORITY, now=NOW)
PASSWORD = b"correct-horse"


def pem(issued: Issued) -> bytes:
    return issued.certificate.public_bytes(Encoding.PEM)


def key(issued, encoding=Encoding.PEM, encryption=NoEncryption()):  # noqa: B008
    return issued.key.private_bytes(encoding, PrivateFormat.PKCS8, encryption)


def signer(issued):
    return read_key(key(issued), pem(issued))


def verify(document: bytes, issued: Issued) -> etree._Element:
    """The assertion of a document, its signature verified by xmlsec with this certificate; raises xmlsec.Error."""
    root = etree.fromstring(document)
    assertion = next(root.iter(f"{{{SAML}}}Assertion"))
    xmlsec.tree.add_ids(assertion, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem(issued), xmlsec.constants.KeyDataFormatCertPem)
    context.verify(assertion.find(f"{{{DS}}}Signature"))
    return assertion


@pytest.mark.parametrize("issued", [RSA, EC], ids=["RSA", "EC"])
def test_another_library_verifies_what_is_signed(issued):
    assert parse_assertion(verify(sign_assertion(render_assertion(GOOD), signer(issued)), issued)) == GOOD


def test_the_signature_holds_inside_an_envelope_of_any_prefixes():
    signed = sign_assertion(render_assertion(GOOD), signer(RSA))
    around = b'<e:E xmlns:e="urn:e" xmlns="urn:x" xmlns:saml="urn:other" xmlns:hl7="urn:hl7-org:v3"><e:H>%s</e:H></e:E>'
    assert parse_assertion(verify(around % signed, RSA)) == GOOD


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_every_curve_signs_with_its_own_length(curve):
    made = issue_client("EC", AUTHORITY, now=NOW, key=ec.generate_private_key(curve))
    verify(sign_assertion(render_assertion(GOOD), signer(made)), made)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"dr.martin", b"dr.moreau"),
        (b"TREAT", b"ETREAT"),
        (b"<saml:Audience>", b"<saml:Audience> "),
        (b"12:05", b"13:05"),
    ],
)
def test_a_changed_byte_breaks_the_signature(old, new):
    signed = sign_assertion(render_assertion(GOOD), signer(RSA))
    verify(signed, RSA)
    with pytest.raises(xmlsec.Error):
        verify(signed.replace(old, new), RSA)


def test_it_is_the_key_of_the_issuer_that_verifies():
    signed = sign_assertion(render_assertion(GOOD), signer(RSA))
    with pytest.raises(xmlsec.Error):
        verify(signed, issue_signer("Somebody else", AUTHORITY, now=NOW))


def test_the_signature_stands_where_the_schema_has_it_and_carries_the_certificate():
    root = etree.fromstring(sign_assertion(render_assertion(GOOD), signer(RSA)))
    assert [etree.QName(child).localname for child in root][:3] == ["Issuer", "Signature", "Subject"]
    assert root.findtext(f".//{{{DS}}}X509Certificate") in pem(RSA).decode().replace("\n", "")


ENCRYPTED = BestAvailableEncryption(PASSWORD)
P12 = pkcs12.serialize_key_and_certificates(b"issuer", RSA.key, RSA.certificate, None, ENCRYPTED)


@pytest.mark.parametrize(
    "held",
    [
        lambda: read_key(key(RSA), pem(RSA)),
        lambda: read_key(key(RSA, Encoding.DER), RSA.certificate.public_bytes(Encoding.DER)),
        lambda: read_key(key(RSA, encryption=ENCRYPTED), pem(RSA), PASSWORD),
        lambda: read_p12(P12, PASSWORD),
    ],
)
def test_keys_are_read_in_each_form(held):
    verify(sign_assertion(render_assertion(GOOD), held()), RSA)


_ED = ed25519.Ed25519PrivateKey.generate()
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda: read_key(b"nonsense", pem(RSA)), "no PEM or DER"),
        (lambda: read_key(key(RSA), b"nonsense"), "no X.509"),
        (lambda: read_key(key(RSA), pem(EC)), "do not belong together"),
        (lambda: read_key(key(RSA, encryption=ENCRYPTED), pem(RSA)), "needs a password"),
        (lambda: read_key(key(RSA, encryption=ENCRYPTED), pem(RSA), b"wrong"), "password is another one"),
        (lambda: read_key(key(RSA), pem(RSA), PASSWORD), "has no password"),
        (lambda: read_key(key(replace(RSA, key=_ED)), pem(RSA)), "neither RSA nor elliptic curve"),
        (lambda: signer(issue_client("Weak", AUTHORITY, now=NOW, key=WEAK)), "at least 2048"),
        (lambda: read_p12(b"nonsense"), "no PKCS #12 file"),
        (lambda: read_p12(P12, b"wrong"), "password is another one"),
        (lambda: read_p12(pkcs12.serialize_key_and_certificates(b"", None, RSA.certificate, None, ENCRYPTED), PASSWORD),
         "holds no RSA"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_refused(read, sentence):
    with pytest.raises(UnusableKey, match=sentence) as refused:
        read()
    assert PASSWORD.decode() not in str(refused.value)


def test_only_the_first_certificate_of_a_chain_counts():
    assert read_certificate(pem(RSA) + pem(AUTHORITY)) == RSA.certificate
