"""The mistakes that senders make again and again, as rows: on which rules, what is received, what it probably is.

The first row that fits is the hint. Rules are named by patterns as file names are; `fault.*` and `http.*` are no rules
of a profile but refusals below them, named after the innermost SOAP fault code and the HTTP status.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

Applies = Callable[[str, str], object]  # received and expected, empty when there is none


class Mistake(NamedTuple):
    """A row: `sentence` is shown after "Hint:"; `source` says where that is said; `example` is (received, expected)."""

    rules: tuple[str, ...]
    applies: Applies
    sentence: str
    source: str
    example: tuple[str, str]


def _value(pattern: str, flags: int = 0) -> Applies:
    compiled = re.compile(pattern, flags)
    return lambda received, expected: compiled.fullmatch(received)


def _part(pattern: str) -> Applies:
    compiled = re.compile(pattern)
    return lambda received, expected: compiled.search(received)


def _always(received: str, expected: str) -> bool:
    return True


def _nothing(received: str, expected: str) -> bool:
    return not received


def _in_base64(received: str, expected: str) -> bool:
    """True for the length of the base64 of as many bytes as expected, in one line."""
    return received.isdigit() and expected.isdigit() and int(received[:18]) == -(-int(expected[:18]) // 3) * 4


def _characters(received: str, expected: str) -> bool:
    """True when a little less was counted than was sent, as when characters of UTF-8 are counted."""
    if not (received.isdigit() and expected.isdigit()):
        return False
    return 0 < int(expected[:18]) - int(received[:18]) <= int(expected[:18]) // 10


def _other_case(received: str, expected: str) -> bool:
    return received not in _SLOTS.values() and received.lower() in _SLOTS


def _lacks_scheme(received: str, expected: str) -> bool:
    return "coding-scheme" in expected and "^^" not in received


def _lacks_quotes(received: str, expected: str) -> bool:
    return expected.startswith("'value'") and "'" not in received


def _lacks_authority(received: str, expected: str) -> bool:
    return expected.startswith("'id^^^") and "&" not in received


_SLOTS: Final = {
    name.lower(): name
    for name in (
        "creationTime", "hash", "intendedRecipient", "languageCode", "lastUpdateTime", "legalAuthenticator",
        "repositoryUniqueId", "serviceStartTime", "serviceStopTime", "size", "sourcePatientId", "sourcePatientInfo",
        "submissionTime", "URI", "documentAvailability",
    )
}  # fmt: skip
_TYPES: Final = "ITI TF-3 Table 4.2.3.1.7-2"
_M = Mistake

_DTM: Final = ("ihe.*Time.format",)
TIMES: Final = (
    _M(_DTM, _part(r"^\d{4}-\d{2}"), "write it without hyphens, colons and T, as 20260314083000, in UTC.",
       _TYPES, ("2026-03-14T08:30:00", "")),
    _M(_DTM, _part(r"\d[+-]\d{4}$|Z$"), "convert the time to UTC and send it without a time zone.",
       _TYPES, ("20260314083000+0100", "")),
    _M(_DTM, _value(r"\d{8}T\d{4,6}"), "leave out the T between date and time.", _TYPES, ("20260314T083000", "")),
    _M(_DTM, _value(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}.*"), "write the year first and no separators, as 20260314.",
       _TYPES, ("14/03/2026", "")),
    _M(_DTM, _value(r"1[0-9]{9}(?:[0-9]{3})?"),
       "this looks like seconds or milliseconds since 1970; write date and time in UTC, as 20260314083000.",
       _TYPES, ("1773477000", "")),
    _M(_DTM, _value(r"\d{4,14}\.\d+"), "leave out the fractions of a second.", _TYPES, ("20260314083000.123", "")),
    _M(_DTM, _value(r"\d{8}(?:\d{2}){0,3}"), "month, day or time does not exist in the calendar.",
       _TYPES, ("20260230", "")),
)  # fmt: skip

_HASH: Final = ("ihe.de.hash.format", "ihe.document.hash")
_BYTES: Final = ("ihe.document.hash",)
_LENGTH: Final = ("ihe.document.size",)
_SHA1: Final = "ITI TF-3 4.2.3.2.10"
_SIZE: Final = "ITI TF-3 4.2.3.2.21"
DOCUMENTS: Final = (
    _M(_HASH, _value("[0-9a-fA-F]{64}"), "this looks like a SHA-256; send the SHA-1 of the document.",
       _SHA1, ("a" * 64, "")),
    _M(_HASH, _value("[0-9a-fA-F]{32}"), "this looks like an MD5; send the SHA-1 of the document.",
       _SHA1, ("d41d8cd98f00b204e9800998ecf8427e", "")),
    _M(_HASH, _value("[0-9a-fA-F]{96}|[0-9a-fA-F]{128}"),
       "this looks like a SHA-384 or SHA-512; send the SHA-1 of the document.", _SHA1, ("a" * 128, "")),
    _M(_HASH, _value("[A-Za-z0-9+/]{27}="), "this looks like a SHA-1 in base64; send it in hexadecimal.",
       _SHA1, ("2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "")),
    _M(_HASH, _value("[A-Za-z0-9+/]{43}="), "this looks like a SHA-256 in base64; send the SHA-1 in hexadecimal.",
       _SHA1, ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "")),
    _M(_HASH, _value("0x[0-9a-fA-F]{40}|(?:[0-9a-fA-F]{2}[: -]){19}[0-9a-fA-F]{2}"),
       "send the 40 digits alone, without prefix and separators.",
       _SHA1, ("da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09", "")),
    _M(_BYTES, _value("da39a3ee5e6b4b0d3255bfef95601890afd80709", re.IGNORECASE),
       "this is the SHA-1 of no bytes at all: it was taken before the document was there.",
       _SHA1, ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "")),
    _M(_BYTES, _value("[0-9a-fA-F]{40}"),
       "take the SHA-1 of the very bytes that are sent: after any conversion, before any base64.",
       _SHA1, ("2" * 40, "")),
    _M(("ihe.de.size.format",), _value(r"\d{1,3}(?:[ .,'\u2019\u00a0\u202f]\d{3})+"),
       "send the digits without separators.", _SIZE, ("36 864", "")),
    _M(("ihe.de.size.format",), _value(r"[\d.,]+\s*(?:[kKMG]i?[bBo]?|[bB]|bytes|octets)"),
       "send the number of bytes, without a unit.", _SIZE, ("36 kB", "")),
    _M(("ihe.de.size.format",), _value(r"\d+[.,]\d*"), "send a whole number of bytes.", _SIZE, ("36864.0", "")),
    _M(_LENGTH, _in_base64, "this is the length in base64; send that of the document itself.", _SIZE, ("8", "5")),
    _M(_LENGTH, _characters, "this may count characters; count bytes, of which é takes two in UTF-8.",
       _SIZE, ("98", "100")),
    _M(("ihe.document.part",), _always,
       "the Content-ID of the part is the href without cid: and percent-encoding, in angle brackets.",
       "RFC 2392 2; XOP 1.0 3.2", ("cid:document1@sender", "")),
    _M(("ihe.de.mimeType.format",), _value(r"\.?[A-Za-z0-9]+"),
       "write type and subtype, as application/pdf, not the ending of a file name.",
       "ITI TF-3 4.2.3.2.15", (".pdf", "")),
    _M(("ihe.de.mimeType.format",), _part(";"), "leave out what follows the semicolon.",
       "ITI TF-3 4.2.3.2.15", ("text/xml; charset", "")),
    _M(("ihe.de.URI.format",), _part(" "), "write %20 for a space.", "RFC 3986 2.1", ("my file.xml", "")),
)  # fmt: skip

_CX: Final = ("ihe.*atientId.format",)
_PERSON: Final = ("ihe.author.authorPerson.format", "ihe.de.legalAuthenticator.format")
_XON: Final = ("ihe.author.authorInstitution.format",)
IDENTIFIERS: Final = (
    _M(_CX, _part("&amp;"), "the ampersand was escaped twice.", "XML 1.0 2.4", ("42^^^&amp;1.2.3&amp;ISO", "")),
    _M(_CX, _part("~"), "send one identifier, that of the affinity domain.",
       _TYPES, ("42^^^&1.2.3&ISO~7^^^&1.2.4&ISO", "")),
    _M(_CX, _part("urn:oid:"), "write the OID of the assigning authority without urn:oid:.",
       _TYPES, ("42^^^&urn:oid:1.2.3&ISO", "")),
    _M(_CX, _value(r"[^^]+\^\^\^[^^&]*\^*"),
       "a namespace alone does not name the assigning authority; send its OID, as 42^^^&1.2.3&ISO.",
       _TYPES, ("42^^^HOSPITAL", "")),
    _M(_CX, _value(r"[^^]+\^\^\^[^^&]+&.*"),
       "leave out the namespace: only the OID and ISO may be sent, as 42^^^&1.2.3&ISO.",
       _TYPES, ("42^^^HOSPITAL&1.2.3&ISO", "")),
    _M(_CX, _value(r"[^^]+\^\^\^&[0-9.]+&ISO\^+[^^].*"),
       "leave out the identifier type: no component may follow the assigning authority.",
       _TYPES, ("42^^^&1.2.3&ISO^PI", "")),
    _M(_CX, _value(r"[^^]+\^\^\^&[0-9.]+(?:&(?:iso)?)?", re.IGNORECASE), "end the assigning authority with &ISO.",
       _TYPES, ("42^^^&1.2.3", "")),
    _M(_CX, _value(r"[^^]+\^[^^]*\^[^^]*\^.+"), "leave the second and the third component empty.",
       _TYPES, ("42^7^M11^&1.2.3&ISO", "")),
    _M(_CX, _value(r"[^^]+"), "this is the identifier alone; add its assigning authority, as 42^^^&1.2.3&ISO.",
       _TYPES, ("42", "")),
    _M(_PERSON, _value(r"\^\^[^^]+.*"), "the last name is the second component, the first name the third.",
       _TYPES, ("^^Marcus", "")),
    _M(_PERSON, _value(r"(?:[^^]*\^){8}[^^&]+(?:\^.*)?"),
       "the ninth component is the assigning authority as &oid&ISO; a namespace alone does not name it.",
       _TYPES, ("801^Martin^Claire^^^^^^RPPS", "")),
    _M(_PERSON, _value(r"(?:[^^]*\^){8}(?:[^^&]+&.*|&.*)"),
       "write the assigning authority in the ninth component as &oid&ISO and nothing else.",
       _TYPES, ("801^Martin^Claire^^^^^^ASIP&1.2.250.1.71.4.2.1&ISO^D", "")),
    _M(_XON, _value(r"\^.*"), "the first component is the name of the institution.", _TYPES, ("^^^^^^^^^1.2.3", "")),
    _M(_XON, _value(r"[^^]+\^{5}[^^&]+(?:&.*)?(?:\^.*)?"),
       "the sixth component is the assigning authority as &oid&ISO, without a namespace.",
       _TYPES, ("Hospital^^^^^FINESS^^^^750712184", "")),
    _M(_XON, _value(r"[^^]+\^{5}&.*(?<!ISO)"), "the identifier of the institution is the tenth component.",
       _TYPES, ("Hospital^^^^^&1.2.3&ISO^^750712184", "")),
    _M(("ihe.author.authorTelecommunication.format",), _value(r"[^^\s]+@[^^\s]+"),
       "write an e-mail address as ^^Internet^doctor@example.org.", _TYPES, ("doctor@example.org", "")),
    _M(("ihe.author.authorTelecommunication.format",), _value(r"[+\d][\d ().-]+"),
       "write a telephone number as ^PRS^PH^^33^1^23456789.",
       _TYPES, ("+33 1 23 45 67 89", "")),
    _M(("ihe.de.sourcePatientInfo.format",), _value(r"PID\.?[0-9]+.*|PID-[0-9]+[^|0-9].*"),
       "write the field as PID-5|DOE^JOHN.", "ITI TF-3 4.2.3.2.23", ("PID5|DOE^JOHN", "")),
    _M(("ihe.de.referenceIdList.format",), _value(r"[^^]+\^\^\^[^^]*"),
       "add the type of the reference as fifth component, such as urn:ihe:iti:xds:2013:accession.",
       "ITI TF-3 4.2.3.2.28", ("2013001^^^&1.2.3&ISO", "")),
)  # fmt: skip

_OID: Final = (
    "ihe.de.repositoryUniqueId.format",
    "ihe.ss.sourceId.format",
    "ihe.ss.uniqueId.format",
    "ihe.fd.uniqueId.format",
)
_HOME: Final = ("ihe.*homeCommunityId.format",)
_ENDS: Final = ("ihe.as.source.unresolved", "ihe.as.target.unresolved", "ihe.registry.*.unknown")
_HEX: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUIDS: Final = "ITI TF-3 4.2.3.1.5; RFC 9562 4"
IDS: Final = (
    _M(_OID, _part("^urn:oid:"), "send the bare OID, without urn:oid:.", _TYPES, ("urn:oid:1.2.3", "")),
    _M(_OID, _value(rf"(?:urn:uuid:)?{_HEX}"),
       "a UUID is written as an OID by 2.25. and its value as one decimal number.",
       "ITU-T X.667 8", ("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "")),
    _M(_OID, _part(r"\^"), "only a DocumentEntry.uniqueId may have an extension.",
       "ITI TF-3 4.2.3.2.26", ("1.2.3^7", "")),
    _M(_OID, _value("[0-9.]{65,}"), "an OID has at most 64 characters.", _TYPES, ("1." + "2" * 70, "")),
    _M(_OID, _value(r"[0-9.]*(?:^|\.)0[0-9][0-9.]*"), "no number of an OID begins with a zero.",
       _TYPES, ("1.02.3", "")),
    _M(("ihe.*.uniqueId.format",), _value(r"\s.*|.*\s"), "leave out the white space around it.",
       _TYPES, (" 1.2.3", "")),
    _M(_HOME, _value(r"[0-2](?:\.\d+)+"), "write urn:oid: before the OID.", "ITI TF-3 4.2.3.2.12", ("1.2.3", "")),
    _M(_HOME, _value("urn:oid:.*", re.IGNORECASE), "write urn:oid: in small letters and a valid OID after it.",
       "ITI TF-3 4.2.3.2.12", ("URN:OID:1.2.3", "")),
    _M(("ihe.id.uuid",), _value(rf"urn:uuid:{_HEX}"), "write it in lower case.",
       _UUIDS, ("urn:uuid:10B545EA-725C-446D-9B95-8AEB444EDDF3", "")),
    _M(("ihe.id.uuid",), _value(r"urn:uuid:\{?[0-9a-fA-F-]+\}?"),
       "a UUID has 32 digits in groups of 8-4-4-4-12, without braces.",
       _UUIDS, ("urn:uuid:10b545ea725c446d9b958aeb444eddf3", "")),
    _M(_ENDS, _value(_HEX), "write urn:uuid: before the UUID.", _UUIDS, ("10b545ea-725c-446d-9b95-8aeb444eddf3", "")),
    _M(_ENDS, _value(r"(?:urn:oid:)?[0-2](?:\.\d+)+(?:\^.*)?"),
       "this looks like a uniqueId; an Association names objects by their entryUUID, which a query tells.",
       "ITI TF-3 4.2.2", ("1.2.3.4", "")),
)  # fmt: skip

_CODES: Final = "ITI TF-3 Table 4.2.3.1.2-1"
OBJECTS: Final = (
    _M(("ihe.code.scheme",), _nothing,
       "the Classification lacks its Slot codingScheme, whose one Value is the OID of the code system.",
       _CODES, ("", "")),
    _M(("ihe.code.scheme",), _part(","), "codingScheme has one value: send a Classification for each code.",
       _CODES, ("1.2.3, 1.2.4", "")),
    _M(("ihe.as.member.status",), _nothing,
       "the Association lacks its Slot SubmissionSetStatus: Original for what this message brings, else Reference.",
       "ITI TF-3 4.2.2.1.1", ("", "")),
    _M(("ihe.as.member.status",), lambda received, expected: received == "Original" and expected == "Reference",
       "the target is not in this message.", "ITI TF-3 4.2.2.1.1", ("Original", "Reference")),
    _M(("ihe.as.member.status",), lambda received, expected: received.strip().lower() == expected.lower(),
       "capital and small letters count, and white space too.", "ITI TF-3 4.2.2.1.1", ("original", "Original")),
    _M(("ihe.slot.extra",), _other_case, "names of Slots are case-sensitive: compare it with the standard's.",
       "ITI TF-3 4.2.3.1.6", ("CreationTime", "")),
    _M(("ihe.slot.extra",), lambda received, expected: ":" not in received,
       "metadata of your own needs a name that is a URN of yours, as urn:example:name.",
       "ITI TF-3 4.2.3.1.6", ("priority", "")),
    _M(("ihe.package.kind",), _nothing,
       "add a Classification with classificationNode, and with the id of the package as classifiedObject.",
       "ITI TF-3 4.2.1.2.1, 4.2.1.3.1", ("", "")),
    _M(("ihe.de.languageCode.format",), _part("_"), "write a hyphen instead of the underscore, as fr-FR.",
       "RFC 5646 2.1", ("fr_FR", "")),
    _M(("ihe.de.languageCode.format",), _value(r"[A-Za-zéèçÉ]{4,}"), "write the code of the language, not its name.",
       "RFC 5646 2.1", ("français", "")),
    _M(("ihe.de.objectType.format",), _part("ExtrinsicObject"),
       "objectType of a DocumentEntry is a UUID that tells stable from on-demand documents.",
       "ITI TF-3 4.2.3.2.30", ("urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExtrinsicObject", "")),
    _M(("ihe.de.documentAvailability.format",), _value("online|offline", re.IGNORECASE),
       "write the whole URN, with a capital letter at the end.", _TYPES, ("Online", "")),
)  # fmt: skip

STATE: Final = (
    _M(("ihe.registry.uniqueId.set",), _always,
       "is this a retry after a lost answer? The first one may have succeeded: look for the set by a query.",
       "ITI TF-2 3.42.4.1.3.3.7", ("1.2.3", "")),
    _M(("ihe.registry.id",), _always, "send symbolic ids, such as Document01: the registry makes UUIDs of them.",
       "ITI TF-2 3.42.4.1.3.7", ("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "")),
    _M(("ihe.retrieve.document",), _value(rf"(?:urn:uuid:)?{_HEX}"),
       "this looks like an entryUUID; a document is retrieved by the uniqueId of its entry.",
       "ITI TF-2 3.43.4.1.2", ("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", "")),
    _M(("ihe.retrieve.repository",), _part("^urn:oid:"), "send the bare OID, without urn:oid:.",
       _TYPES, ("urn:oid:1.2.3", "")),
    _M(("ihe.query.value",), _part('"'), "put text in single quotes, not in double ones.",
       "ITI TF-2 3.18.4.1.2.3.5", ('"42"', "")),
    _M(("ihe.query.value",), _lacks_scheme, "a code is asked for with its scheme, as '11488-4^^2.16.840.1.113883.6.1'.",
       "ITI TF-2 3.18.4.1.2.3.4", ("11488-4", "'code^^coding-scheme'")),
    _M(("ihe.query.value",), _lacks_authority,
       "a patient is asked for with the assigning authority, as '42^^^&1.2.3&ISO'.",
       "ITI TF-3 4.2.3.1.7", ("42", "'id^^^&oid&ISO'")),
    _M(("ihe.query.value",), _lacks_quotes, "put text in single quotes.",
       "ITI TF-2 3.18.4.1.2.3.5", ("42^^^&1.2.3&ISO", "'value', ('value','value') or a number")),
)  # fmt: skip

_ADDRESSING: Final = "ITI TF-2 V.3.2"
MESSAGES: Final = (
    _M(("fault.VersionMismatch",), _always,
       "this is a SOAP 1.1 envelope; send SOAP 1.2, namespace http://www.w3.org/2003/05/soap-envelope.",
       "ITI TF-2 V.3.2; SOAP 1.2 part 1, 5.1", ("", "")),
    _M(("fault.ActionNotSupported",), _always,
       "is the action misspelt, or was a message for the registry sent to the repository, or the other way round?",
       _ADDRESSING, ("", "")),
    _M(("fault.ActionMismatch",), _always, "action and body belong to two transactions: change one of them.",
       _ADDRESSING, ("", "")),
    _M(("fault.MessageAddressingHeaderRequired",), _always,
       "headers count in the namespace http://www.w3.org/2005/08/addressing only, not in that of 2004/08.",
       _ADDRESSING, ("", "")),
    _M(("fault.OnlyAnonymousAddressSupported",), _always,
       "leave ReplyTo and FaultTo out, or write http://www.w3.org/2005/08/addressing/anonymous.",
       _ADDRESSING, ("", "")),
    _M(("fault.InvalidCardinality",), _always,
       "two components of the client add WS-Addressing headers: switch one of them off.", _ADDRESSING, ("", "")),
    _M(("fault.MustUnderstand",), _always,
       "leave the header out, or its mustUnderstand, when the request is meant without it.",
       "SOAP 1.2 part 1, 5.2.3", ("", "")),
    _M(("http.415",), _always,
       "the Content-Type is application/soap+xml, or multipart/related with a boundary for MTOM.",
       "ITI TF-2 V.3.2, V.8", ("", "")),
    _M(("http.403",), _always, "use a client certificate that this gateway trusts.", "ITI TF-2 3.19", ("", "")),
    _M(("http.404",), _always, "endpoints are PATH/registry and PATH/repository of a mount.",
       "docs/settings.md", ("", "")),
)  # fmt: skip

KNOWN_MISTAKES: Final = (*TIMES, *DOCUMENTS, *IDENTIFIERS, *IDS, *OBJECTS, *STATE, *MESSAGES)
