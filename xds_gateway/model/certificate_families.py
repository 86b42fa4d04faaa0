"""Families of certificates: how one is told, and where it says whom it is of (ITI TF-2 3.19).

identifier and name                     where they are
CN, O, OU, ... or a dotted OID          the attribute of the subject, the last one when there are several
dns, uri, email                         the first of these in subjectAltName (RFC 5280, 4.2.1.6)
fingerprint                             SHA-256 of the certificate
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

#   name of RFC 4514 or of OpenSSL    OID
ATTRIBUTES: Final[Mapping[str, str]] = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",  # surname
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "GN": "2.5.4.42",
    "organizationIdentifier": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
}
ALTERNATIVES: Final = ("dns", "uri", "email")
FINGERPRINT: Final = "fingerprint"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFamily:
    """One row: certificates that fulfil all of its conditions, and where they say whom they are of.

    `issuer` and `subject` are (attribute, pattern) pairs: some value of the attribute matches the pattern whole. One of
    `policies`, and one of `extended_key_usages`, is in the certificate, where the row names any. Of `identifier` and
    `name` the first place with a value counts.
    """

    family: str
    kind: Literal["person", "structure", "software"]
    identifier: tuple[str, ...]
    name: tuple[str, ...] = ()
    issuer: tuple[tuple[str, str], ...] = ()
    subject: tuple[tuple[str, str], ...] = ()
    policies: frozenset[str] = frozenset()
    extended_key_usages: frozenset[str] = frozenset()


GENERIC: Final = CertificateFamily(
    family="generic", kind="software", identifier=("uri", "dns", "CN", FINGERPRINT), name=("CN", "O", "dns")
)


def is_attribute(text: str) -> bool:
    """Whether this names an attribute of a subject or issuer."""
    return text in ATTRIBUTES or re.fullmatch(r"[0-2](\.[0-9]+)+", text) is not None


def is_place(text: str) -> bool:
    """Whether an identifier or a name can be there."""
    return text in ALTERNATIVES or text == FINGERPRINT or is_attribute(text)
