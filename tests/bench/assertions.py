"""What it costs to know a user: the signature of an assertion against its floor, and all of ITI-40 around it.

Floor: canonicalise SignedInfo and assertion where they stand in the message (libxml2), digest (OpenSSL), verify
RSA-2048 (OpenSSL). Turns are taken, and the best of each counts: others on the machine disturb both alike.
"""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import timedelta
from functools import partial
from time import perf_counter

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from tests.unit.assertions import AUDIENCE, GOOD, NOW
from tests.unit.signatures import holder, security, sign, unsigned
from xds_gateway.codec.namespaces import DS
from xds_gateway.model import assertions as a
from xds_gateway.model.assertions import Attribute, InstanceId
from xds_gateway.security.algorithms import STRONG
from xds_gateway.security.issuers import issuer_keys, trusted_issuer
from xds_gateway.security.policies import POLICIES
from xds_gateway.security.saml import Circumstances, judge, verify_assertion
from xds_gateway.security.wss import SecuredMessage, find_assertion
from xds_gateway.security.xmldsig import verify_enveloped

_TURNS = 400
_EACH = 25
_ISSUER = holder("issuer")
_KEY_INFO = (
    f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{_ISSUER.base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
)
_ATTRIBUTES = (  # all that ITI TF-2 3.40.4.1.2 names
    *GOOD.attributes,
    Attribute(a.HOME_COMMUNITY_ID, ("urn:oid:1.2.250.1.999.3",)),
    Attribute(a.NPI, ("801234567897",)),
    Attribute(a.PROVIDER_ID, (InstanceId("801234567897", "1.2.250.1.71.4.2.1", "Example Authority"),)),
    Attribute(a.CONSENT_POLICY, ("urn:oid:1.2.250.1.999.4",)),
    Attribute(a.RESOURCE_ID, ("PAT-0042^^^&1.3.6.1.4.1.21367.13.20.3000&ISO",)),
)


def measure() -> Mapping[str, float]:
    """Microseconds of verification, of its floor, of all that a user costs a request; ratio; bytes of the assertion."""
    signed = sign(unsigned(attributes=_ATTRIBUTES), _ISSUER, key_info=_KEY_INFO)
    message = f'<s:E xmlns:s="urn:s">{security(signed)}</s:E>'.encode()
    header = etree.fromstring(message)[0]
    keys = (_ISSUER.public_key,)
    verification, floor, whole = _best(
        partial(verify_enveloped, header[0], keys, STRONG), _floor(header[0]), partial(_know, header, message)
    )
    return {
        "verify_us": round(verification, 1),
        "floor_us": round(floor, 1),
        "ratio": round(verification / floor, 2),
        "whole_us": round(whole, 1),
        "bytes": len(signed),
    }


def _know(header: etree._Element, message: bytes) -> None:
    policy = POLICIES["xua"]
    found = find_assertion(SecuredMessage((header,), message), policy.limits, NOW, timedelta(minutes=1))
    if found is None:
        raise RuntimeError("there is no assertion")
    judge(verify_assertion(found, _ISSUERS, policy, NOW), policy, _HERE)


_ISSUERS = {GOOD.issuer: trusted_issuer(GOOD.issuer, issuer_keys(_ISSUER.pem))}
_HERE = Circumstances(now=NOW, audiences=frozenset((AUDIENCE,)), certificate=None)


def _floor(assertion: etree._Element) -> Callable[[], None]:
    header = deepcopy(assertion.getparent())  # of an assertion without its signature
    content = header[0]
    signature = content[1]
    content.remove(signature)
    signed_info = signature[0]
    value = b64decode(signature.findtext(f"{{{DS}}}SignatureValue") or "")
    key, scheme, digest = _ISSUER.public_key, padding.PKCS1v15(), hashes.SHA256()

    def floor() -> None:
        key.verify(value, _canonical(signed_info), scheme, digest)
        hashlib.sha256(_canonical(content)).digest()

    floor.keeps = header  # type: ignore[attr-defined]  # the envelope around it
    return floor


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _best(*works: Callable[[], object]) -> list[float]:
    """Microseconds of each work."""
    best = [float("inf")] * len(works)
    for _ in range(_TURNS):
        for number, work in enumerate(works):
            started = perf_counter()
            for _ in range(_EACH):
                work()
            best[number] = min(best[number], (perf_counter() - started) / _EACH * 1e6)
    return best
