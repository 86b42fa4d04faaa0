"""Whom a certificate is of, by the table of its families (ITI TF-2 3.19)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..model.certificate_families import ATTRIBUTES, FINGERPRINT, CertificateFamily
from ..model.principal import NodeIdentity

_ALTERNATIVES: Final[Mapping[str, type[x509.GeneralName]]] = {
    "dns": x509.DNSName,
    "uri": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
}


def identity_of(certificate: x509.Certificate, families: Sequence[CertificateFamily]) -> NodeIdentity | None:
    """Whom the first family that fits says a certificate is of; None when none does, or has no identifier there."""
    for family in families:
        if _fits(certificate, family):
            identifier = _first(certificate, family.identifier)
            if identifier is not None:
                return NodeIdentity(
                    kind=family.kind,
                    identifier=identifier,
                    name=_first(certificate, family.name),
                    family=family.family,
                )
    return None


def _fits(certificate: x509.Certificate, family: CertificateFamily) -> bool:
    return (
        _all_match(certificate.issuer, family.issuer)
        and _all_match(certificate.subject, family.subject)
        and _one_of(certificate, family.policies, _policies)
        and _one_of(certificate, family.extended_key_usages, _usages)
    )


def _all_match(name: x509.Name, conditions: Iterable[tuple[str, str]]) -> bool:
    return all(
        any(re.fullmatch(pattern, value) for value in _values(name, attribute)) for attribute, pattern in conditions
    )


def _values(name: x509.Name, attribute: str) -> list[str]:
    oid = ATTRIBUTES.get(attribute, attribute)
    return [str(each.value) for each in name if each.oid.dotted_string == oid]


def _one_of(
    certificate: x509.Certificate, wanted: frozenset[str], there: Callable[[x509.Certificate], set[str]]
) -> bool:
    return not wanted or not wanted.isdisjoint(there(certificate))


def _policies(certificate: x509.Certificate) -> set[str]:
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return set()
    return {each.policy_identifier.dotted_string for each in policies}


def _usages(certificate: x509.Certificate) -> set[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    return {each.dotted_string for each in usages}


def _first(certificate: x509.Certificate, places: Iterable[str]) -> str | None:
    return next((value for place in places if (value := _at(certificate, place))), None)


def _at(certificate: x509.Certificate, place: str) -> str | None:
    if place == FINGERPRINT:
        return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    if place in _ALTERNATIVES:
        return _alternative(certificate, _ALTERNATIVES[place])
    values = _values(certificate.subject, place)
    return values[-1] if values else None


def _alternative(certificate: x509.Certificate, kind: type[x509.GeneralName]) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    return next((str(each.value) for each in names if isinstance(each, kind)), None)
