"""Datatypes of metadata values, row by row as ITI TF-3 Table 4.2.3.1.7-2 lists them.

A check is a predicate on the value as sent. Lengths of HL7 components are never checked, the text forbids it; the
length of a slot value is (ITI TF-3 4.2.3.1.1).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..model import vocabulary as v
from ..model.identifiers import is_oid

TABLE: Final = "Table 4.2.3.1.7-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """One datatype: its predicate, what it expects in words."""

    name: str
    valid: Callable[[str], object]
    expected: str
    example: str  # a value that is refused
    clause: str | None = TABLE  # beside the clause of the attribute


# --- DTM -----------------------------------------------------------------------------------------------------------

_DTM: Final = re.compile(
    r"(?!0000)[0-9]{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12][0-9]|3[01])(?:(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:[0-5][0-9])?)?)?)?)?"
)
_SHORT_MONTHS: Final = frozenset(("04", "06", "09", "11"))


def is_dtm(text: str) -> bool:
    """True for `YYYY[MM[DD[hh[mm[ss]]]]]` with a day that exists in its month."""
    if _DTM.fullmatch(text) is None:
        return False
    if len(text) < 8 or text[6:8] <= "28":
        return True
    if text[4:8] == "0229":
        year = int(text[:4])
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if text[4:6] == "02":
        return False
    return text[6:8] != "31" or text[4:6] not in _SHORT_MONTHS


_NOT_SENT: Final = re.compile(r"\\(?:[HN]|Z[0-9A-Fa-f]+)\\")


def _hl7(valid: Callable[[str], object]) -> Callable[[str], object]:
    """The predicate of a type of HL7, without escape sequences for formatting and local ones (ITI TF-3 4.2.3.1.7)."""
    return lambda text: valid(text) and ("\\" not in text or _NOT_SENT.search(text) is None)


# --- HL7 types: components between ^, subcomponents between & --------------------------------------------------------

_OID: Final = r"(?![0-9.]{65})[0-2](?:\.(?:0|[1-9][0-9]*))+"
_AUTHORITY: Final = rf"&{_OID}&ISO"

# id^^^&oid&ISO; empty components at the end are ignored
_CX: Final = re.compile(rf"[^^&|~]+\^\^\^{_AUTHORITY}\^*")
# an id or a last name; component 9, when there is one, is an authority
_XCN: Final = re.compile(
    rf"(?=\s*[^^\s]|[^^]*\^\s*[^^\s])[^^]*(?:(?:\^[^^]*){{0,7}}|(?:\^[^^]*){{7}}\^(?:{_AUTHORITY})?(?:\^.*)?)",
    re.DOTALL,
)
# name; or with an authority (6) and an id (10); or with an OID (10)
_XON: Final = re.compile(rf"(?=\s*[^^\s])[^^]*(?:\^*|\^{{5}}(?:{_AUTHORITY}(?:\^{{4}}[^^]*)?|\^{{4}}{_OID})\^*)")
# an address (4) of Internet; or equipment (3), country (5), area (6), number (7) and extension (8)
_XTN: Final = re.compile(
    r"\^(?:NET)?\^Internet\^\s*[^^\s][^^]*\^*"
    r"|\^[^^]*\^(?!Internet\^)[^^]+\^\^[^^]*\^[^^]*\^\s*[^^\s][^^]*(?:\^[^^]*)?\^*"
)


# Whether CXi.4, the assigning authority, goes with a type of IHE: R required, X prohibited, O optional.
CXI_AUTHORITY: Final = {
    "urn:ihe:iti:xds:2013:uniqueId": "O",
    "urn:ihe:iti:xds:2013:accession": "O",
    "urn:ihe:iti:xds:2013:referral": "R",
    "urn:ihe:iti:xds:2013:order": "R",
    "urn:ihe:iti:xdw:2013:workflowInstanceId": "X",
    "urn:ihe:iti:xds:2016:studyInstanceUID": "X",
    "urn:ihe:iti:xds:2015:encounterId": "R",
}


def is_cxi(text: str) -> bool:
    """True for `id^^^authority^type`: an identifier of a reference with its type."""
    components = text.strip().rstrip("^").split("^")
    if len(components) != 5 or not components[0].strip() or components[1] or components[2]:
        return False
    authority, kind = components[3], components[4]
    if authority and not _is_authority(authority):
        return False
    need = CXI_AUTHORITY.get(kind, "O")
    return need == "O" or (need == "R") == bool(authority)


def _is_authority(text: str) -> bool:
    """A namespace id, or a universal id with its type."""
    parts = text.split("&")
    if len(parts) == 1:
        return True
    return len(parts) == 3 and bool(parts[1]) and bool(parts[2]) and (parts[2] != "ISO" or is_oid(parts[1]))


def is_recipient(text: str) -> bool:
    """True for `XON|XCN|XTN` with at least one of the three (ITI TF-3 4.2.3.3.7)."""
    parts = text.strip().split("|")
    checks = (_XON.fullmatch, _XCN.fullmatch, _XTN.fullmatch)
    return (
        len(parts) <= 3
        and any(parts)
        and all(not part or check(part) for part, check in zip(parts, checks, strict=False))
    )


_FIELD: Final = re.compile(r"PID-(?:[1-9]|[12][0-9]|3[0-9])\|")


def is_pid_field(text: str) -> object:
    """True for a field of the PID segment: `PID-5|DOE^JOHN` (HL7 2.5 has fields 1 to 39)."""
    return _FIELD.match(text)


# --- the rest ------------------------------------------------------------------------------------------------------

_OID_URN: Final = re.compile(rf"urn:oid:{_OID}")
_NAME_OF_MIME: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MIME: Final = re.compile(rf'{_NAME_OF_MIME}/{_NAME_OF_MIME}(?:\s*;\s*{_NAME_OF_MIME}=(?:{_NAME_OF_MIME}|"[^"\\]*"))*')
_SHA1: Final = re.compile(r"[0-9a-fA-F]{40}")
_SIZE: Final = re.compile(r"[0-9]{1,18}")
_URI: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
# The grammar of RFC 5646 2.1 without primary languages of four letters and more, of which none is registered.
_LANGUAGE: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]{3,8}|en-gb-oed|sgn-(?:be-fr|be-nl|ch-de))",
    re.IGNORECASE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_identifier(text: str) -> bool:
    """True for any identifier without control characters and without white space around it.

    To everybody but its creator a DocumentEntry.uniqueId is opaque (ITI TF-3 4.2.3.2.26): `oid`, `oid^extension`, UUID
    and URI are all accepted.
    """
    return text == text.strip() and _CONTROL.search(text) is None


def is_availability(text: str) -> bool:
    """True for the two URNs of documentAvailability."""
    return text in (v.ONLINE, v.OFFLINE)


#                   name            predicate               what is expected
DTM: Final = DataType(name="DTM", valid=is_dtm, expected="YYYY[MM[DD[hh[mm[ss]]]]] in UTC", example="20210230")
CX: Final = DataType(
    name="CX",
    valid=_hl7(_CX.fullmatch),
    expected="id^^^&oid&ISO, no other component",
    example="123^^^HOSPITAL",
)
CXI: Final = DataType(name="CXi", valid=_hl7(is_cxi), expected="id^^^&oid&ISO^type", example="2013001^^^&1.2.3&ISO")
XCN: Final = DataType(
    name="XCN",
    valid=_hl7(_XCN.fullmatch),
    expected="id^last name^first name^^^^^^&oid&ISO with an id or a last name",
    example="^^Marcus",
)
XON: Final = DataType(
    name="XON",
    valid=_hl7(_XON.fullmatch),
    expected="name, name^^^^^^^^^oid or name^^^^^&oid&ISO^^^^id, no other field",
    example="^^^^^^^^^1.2.3",
)
XTN: Final = DataType(
    name="XTN",
    valid=_hl7(_XTN.fullmatch),
    expected="^^Internet^address or ^PRS^PH^^country^area^number",
    example="doctor@example.org",
)
OID: Final = DataType(
    name="OID",
    valid=re.compile(_OID).fullmatch,
    expected="an OID in dotted decimals, at most 64 characters",
    example="1.02.3",
)
OID_URN: Final = DataType(name="OID URN", valid=_OID_URN.fullmatch, expected="urn:oid: and an OID", example="1.2.3")
IDENTIFIER: Final = DataType(
    name="Identifier",
    valid=is_identifier,
    expected="an identifier without white space around it and without control characters",
    example=" 1.2.3",
)
MIME_TYPE: Final = DataType(name="MIME type", valid=_MIME.fullmatch, expected="type/subtype", example="pdf")
SHA1: Final = DataType(
    name="SHA1",
    valid=_SHA1.fullmatch,
    expected="a SHA-1 of 40 hexadecimal digits",
    example="2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
)
SIZE: Final = DataType(
    name="Integer", valid=_SIZE.fullmatch, expected="a number of bytes in decimal digits", example="36 kB"
)
LANGUAGE: Final = DataType(
    name="language tag",
    valid=_LANGUAGE.fullmatch,
    expected="a language tag of RFC 5646, such as fr-FR",
    example="fr_FR",
    clause="RFC 5646 2.1",
)
URI: Final = DataType(name="URI", valid=_URI.fullmatch, expected="a URI or a relative reference", example="my file.xml")
RECIPIENT: Final = DataType(
    name="XON|XCN|XTN",
    valid=_hl7(is_recipient),
    expected="XON|XCN|XTN with at least one of the three",
    example="||",
    clause=None,
)
PID_FIELD: Final = DataType(
    name="Field", valid=_hl7(is_pid_field), expected="PID-n|value, n from 1 to 39", example="PID5|DOE^JOHN"
)
AVAILABILITY: Final = DataType(
    name="Predefined URN", valid=is_availability, expected=f"{v.ONLINE} or {v.OFFLINE}", example="Online"
)


def _at_most(length: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= length


#   length in characters that the text gives for titles: "less than 128", "less than 256", "256"
TITLE_127: Final = DataType(
    name="String", valid=_at_most(127), expected="text of less than 128 characters", example="t" * 128, clause=None
)
TITLE_255: Final = DataType(
    name="String", valid=_at_most(255), expected="text of less than 256 characters", example="t" * 256, clause=None
)
TITLE_256: Final = DataType(
    name="String", valid=_at_most(256), expected="text of at most 256 characters", example="t" * 257, clause=None
)
