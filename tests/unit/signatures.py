"""Signed assertions in messages: genuine ones, signed by xmlsec, and whatever a forger makes of them.

Nothing here is the gateway's own: its verifier is held against another one's signatures.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from tests.unit.assertions import NOW, make_assertion
from xds_gateway.codec.namespaces import DS, WSSE
from xds_gateway.codec.saml import render_assertion
from xds_gateway.model.assertions import Assertion

EXC: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256: Final = f"{MORE}rsa-sha256"
TRANSFORMS: Final = f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC}"/>'

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A key with its certificate, which it has signed itself."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.der).decode()

    @property
    def public_key(self) -> Any:
        return self.certificate.public_key()

    def encodings(self) -> dict[str, bytes]:
        """What everybody may know of the key, in the forms that a confused verifier might take for a secret."""
        key = self.public_key
        return {
            "PEM": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "DER": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "certificate PEM": self.pem,
            "certificate DER": self.der,
        }


@cache
def holder(name: str, kind: str = "rsa", size: int = 2048, *, until: datetime = NOW + timedelta(days=1)) -> Holder:
    """The key of a name, the same each time."""
    key: PrivateKey = rsa.generate_private_key(65537, size) if kind == "rsa" else ec.generate_private_key(_CURVES[kind])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return Holder(key, certificate)


_CURVES: Final = {"P-192": ec.SECP192R1(), "P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def signature_xml(
    identifier: str,
    *,
    canonicalization: str = f'<ds:CanonicalizationMethod Algorithm="{EXC}"/>',
    method: str = RSA_SHA256,
    method_content: str = "",
    uri: str | None = None,
    transforms: str = TRANSFORMS,
    digest: str = SHA256,
    key_info: str = "",
) -> str:
    """An empty signature of an assertion, of the usual profile unless changed."""
    uri = f"#{identifier}" if uri is None else uri
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{canonicalization}'
        f'<ds:SignatureMethod Algorithm="{method}">{method_content}</ds:SignatureMethod>'
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>'
        f"<ds:SignatureValue></ds:SignatureValue>{key_info}</ds:Signature>"
    )


def unsigned(assertion: Assertion | None = None, **changes: Any) -> str:
    """An assertion as text, without signature."""
    return render_assertion(assertion or make_assertion(**changes)).decode()


def with_signature(text: str, signature: str) -> str:
    """An assertion with a signature right after its Issuer."""
    return text.replace("</saml:Issuer>", f"</saml:Issuer>{signature}", 1)


def sign(text: str, by: Holder | xmlsec.Key, **profile: Any) -> str:
    """An assertion signed by xmlsec; the profile of the signature as in `signature_xml`."""
    identifier = etree.fromstring(text).get("ID", "")
    root = etree.fromstring(with_signature(text, signature_xml(identifier, **profile)))
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(by) if isinstance(by, Holder) else by
    context.register_id(root, "ID")
    context.sign(root.find(f"{{{DS}}}Signature"))
    return etree.tostring(root).decode()


def xmlsec_key(by: Holder) -> xmlsec.Key:
    """The same key for xmlsec."""
    pem = by.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)


def security(*content: str, attributes: str = "") -> str:
    """A Security header with this in it."""
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f's:mustUnderstand="1"{attributes}>{"".join(content)}</wsse:Security>'
    )


def parts_of(signed: str) -> tuple[str, str]:
    """A signed assertion without its signature, and the signature."""
    begin, end = signed.index("<ds:Signature "), signed.index("</ds:Signature>") + len("</ds:Signature>")
    return signed[:begin] + signed[end:], signed[begin:end]


def element(signed: str) -> etree._Element:
    return etree.fromstring(signed)
