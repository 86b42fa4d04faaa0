"""Identifiers of the standard: UUID URNs, OIDs and patient identifiers (ITI TF-3 4.2.3.1)."""

import re
from typing import Final, NamedTuple

_UUID_URN: Final = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")


def is_uuid_urn(text: str) -> bool:
    """True for `urn:uuid:` followed by a UUID in hexadecimal of any case (ITI TF-3 4.2.3.1.5)."""
    return _UUID_URN.fullmatch(text) is not None


def is_symbolic(identifier: str) -> bool:
    """True for an id that is only meant inside one message (ITI TF-3 4.2.3.1.5)."""
    return not identifier.startswith("urn:uuid:")


def is_oid(text: str) -> bool:
    """True for an OID in dotted decimals of at most 64 characters, no leading zeros (ITI TF-3 Table 4.2.3.1.7-2)."""
    return len(text) <= 64 and _OID.fullmatch(text) is not None


def parse_organization_id(text: str) -> str | None:
    """The identifier in an XON `name^^^^^&oid&ISO^^^^id`; None where there is a name alone (ITI TF-3 4.2.3.1.7).

    `Name^^^^^&1.2.3&ISO^^^^45` and `Name^^^^^^^^^1.2.3.45` are one organisation.
    """
    components = text.split("^")
    identifier = components[9].strip() if len(components) > 9 else ""
    authority = components[5].split("&") if len(components) > 5 else []
    if not identifier or is_oid(identifier) or len(authority) < 2 or not authority[1]:
        return identifier or None
    return f"{authority[1]}.{identifier}"


class PatientId(NamedTuple):
    """A patient identifier reduced to what is compared: the id and the OID of its assigning authority."""

    id: str
    authority: str

    def as_cx(self) -> str:
        """The CX form of ITI TF-3 4.2.3.1.7: `id^^^&oid&ISO`."""
        return f"{self.id}^^^&{self.authority}&ISO"


def parse_patient_id(text: str) -> PatientId | None:
    """Read a CX `id^^^[namespace]&oid&ISO[^type...]`; None when it has no id or no OID (ITI TF-3 4.2.3.1.7)."""
    components = text.split("^")
    if len(components) < 4 or not components[0]:
        return None
    authority = components[3].split("&")
    if len(authority) < 3 or authority[2] != "ISO" or not is_oid(authority[1]):
        return None
    return PatientId(components[0], authority[1])
