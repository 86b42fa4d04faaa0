"""Enveloped signatures of assertions, made with any key that signs bytes (SAML 2.0 core 5.4; XML Signature 1.1)."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from ..codec.namespaces import DS
from ..codec.xml import escape
from .keys import Signer, certificate_key, read_certificate
from .xmldsig import ENVELOPED, EXC_C14N

SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_TEMPLATE: Final = (
    f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
    '<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="#{id}"><ds:Transforms>'
    f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{{digest}}</ds:DigestValue></ds:Reference>'
    "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}"
    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
)


def sign_assertion(assertion: bytes, signer: Signer) -> bytes:
    """An assertion of ours, as `codec.saml.render_assertion` writes it, with its signature right after the Issuer.

    In ASCII with character references, so that it may be put into a message of any usual encoding. Raises UnusableKey,
    and what the signer raises.
    """
    root = etree.fromstring(assertion)
    signature = etree.fromstring(
        _TEMPLATE.format(
            method=_method(signer.certificate),
            id=escape(root.get("ID", "")),
            digest=_base64(sha256(_canonical(root)).digest()),
            certificate=_base64(signer.certificate),
        )
    )
    root.insert(1, signature)  # the schema has it between Issuer and Subject
    signed_info, value = signature[0], signature[1]
    value.text = _base64(signer.sign(_canonical(signed_info)))
    return etree.tostring(root)  # ASCII


def _method(certificate: bytes) -> str:
    key = certificate_key(read_certificate(certificate))
    return RSA_SHA256 if isinstance(key, rsa.RSAPublicKey) else ECDSA_SHA256


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
