"""The libraries under signatures, seen at start: of one libxml2, fetching nothing, and of one opinion with ours.

A signed sample is verified by xmlsec and by `xmldsig`; both must accept it, and refuse it changed.
"""

from base64 import b64decode
from typing import Final

from cryptography.hazmat.primitives.serialization import load_der_public_key
from lxml import etree

from .algorithms import STRONG
from .refusals import AuthenticationRefused
from .xmldsig import verify_enveloped


class SignatureLibrariesUnusable(Exception):
    """Signatures cannot be verified with what is installed; the text is one sentence that says what to do."""


_ADVICE: Final = "install the versions that this release pins"
# The public key of the sample; the private one was made for it and thrown away.
_KEY: Final = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0whC5FKO9kNjTeZHVbHH65tsKlX/X6Z6ICaf9j4ctxnh8eq/3R96UqWPDQrwE0PW"
    "dlBrnKfQ4rH1WAs3M+ux+w=="
)
_SAMPLE: Final = (
    '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0">'
    '<a:Issuer>sample</a:Issuer><d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:SignedInfo>'
    '<d:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    '<d:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>'
    '<d:Reference URI="#_1"><d:Transforms>'
    '<d:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<d:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></d:Transforms>'
    '<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<d:DigestValue>tpbAWJWCBbrutJ3sTL+Lv1gIvLL5EgsPJgaPn1X/Xx8=</d:DigestValue></d:Reference></d:SignedInfo>"
    "<d:SignatureValue>BRNuz0Xt18wLXGqi2dmzED4+BrEHTaEhTGrwlBbJ3oVHGdA2vm7sNHwS1pSL"
    "QbqqVpmd9e2LbglSxu82Lx9JFA==</d:SignatureValue>"
    "</d:Signature><a:Subject/></a:Assertion>"
)


def check_libraries() -> None:
    """See once, before anything is served, that signatures are safe with these. Raises SignatureLibrariesUnusable."""
    try:
        import xmlsec
    except Exception as wrong:  # for another libxml2 than lxml's it raises an error of its own
        raise SignatureLibrariesUnusable(f"xmlsec cannot be loaded ({wrong}): {_ADVICE}.") from wrong
    theirs, ours = xmlsec.get_libxml_version(), etree.LIBXML_VERSION
    if tuple(theirs) != tuple(ours):
        raise SignatureLibrariesUnusable(f"xmlsec has libxml2 {theirs} and lxml has {ours}: {_ADVICE}.")
    xmlsec.cleanup_callbacks()  # from here on it opens no file and no address, whatever a Reference says
    for sample, good in ((_SAMPLE, True), (_SAMPLE.replace("sample", "simple"), False)):
        if _xmlsec_accepts(sample) is not good or _we_accept(sample) is not good:
            raise SignatureLibrariesUnusable(f"A sample signature is not judged as it should be: {_ADVICE}.")


def _we_accept(sample: str) -> bool:
    key = load_der_public_key(b64decode(_KEY))
    try:
        verify_enveloped(etree.fromstring(sample), (key,), STRONG)  # type: ignore[arg-type]
    except AuthenticationRefused:
        return False
    return True


def _xmlsec_accepts(sample: str) -> bool:
    import xmlsec

    root = etree.fromstring(sample)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(b64decode(_KEY), xmlsec.constants.KeyDataFormatDer)
    context.register_id(root, "ID")
    try:
        context.verify(root[1])
    except xmlsec.Error:
        return False
    return True
