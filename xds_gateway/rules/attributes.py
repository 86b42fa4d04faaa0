"""The attributes of metadata objects as tables, and the rows of rules that follow from them.

One line per attribute: whether it must be sent in ITI-41, ITI-42, ITI-61, and in ITI-41 with limited metadata (ITI
TF-3 Table 4.3.1-3, columns "XDS DS", "XDS DR", "XDS OD" and "XDR MS"), how it is coded (4.2.3.1.8), its datatype (Table
4.2.3.1.7-2), how many values it may have, and its section.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.errors import ErrorCode
from . import datatypes as d
from .engine import (
    METADATA,
    ONLY_ON_DEMAND,
    ONLY_REGISTER,
    REPOSITORY_METADATA,
    AttributeTest,
    Check,
    Codes,
    Coding,
    Rule,
    Transaction,
)

COLUMNS: Final[tuple[Transaction, ...]] = ("ITI-41", "ITI-42", "ITI-61", "ITI-41 limited")


class Attribute(NamedTuple):
    """A line of an attribute table.

    `needs` has a letter for each of `COLUMNS`: R required, O optional, X prohibited ("required if known" is O to a
    receiver). `key` is the ebRIM name or UUID, `detail` the number of the section about it, 0 for none of its own.
    """

    name: str
    needs: str
    coding: Coding
    key: str
    datatype: d.DataType | None
    many: bool
    detail: int

    def need(self, column: Transaction) -> str:
        """The letter of a column."""
        return self.needs.split()[COLUMNS.index(column)]


class Table(NamedTuple):
    """An attribute table: the short name of its object in rule ids, the section of its details, its lines."""

    short: str
    section: str
    lines: tuple[Attribute, ...]


ONE: Final = False
MANY: Final = True
_A = Attribute
_SLOT, _CODE, _AUTHOR, _ID = Coding.SLOT, Coding.CODE, Coding.AUTHOR, Coding.IDENTIFIER
_XML, _NAME, _FLAG = Coding.FIELD, Coding.NAME, Coding.FLAG
_REFERENCES: Final = "urn:ihe:iti:xds:2013:referenceIdList"


def _is_object_type(text: str) -> bool:
    return text in (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)


_OBJECT_TYPE: Final = d.DataType(
    name="UUID",
    valid=_is_object_type,
    expected=f"{v.STABLE_DOCUMENT} (stable) or {v.ON_DEMAND_DOCUMENT} (on-demand)",
    example="urn:uuid:00000000-0000-0000-0000-000000000000",
    clause=None,
)
_STABLE: Final = d.DataType(
    name="UUID",
    valid=lambda text: text != v.ON_DEMAND_DOCUMENT,
    expected=v.STABLE_DOCUMENT,
    example=v.ON_DEMAND_DOCUMENT,
    clause=None,
)
_ON_DEMAND: Final = d.DataType(
    name="UUID",
    valid=lambda text: text != v.STABLE_DOCUMENT,
    expected=v.ON_DEMAND_DOCUMENT,
    example=v.STABLE_DOCUMENT,
    clause=None,
)

# ITI TF-3 Table 4.2.3.2-1 and Table 4.3.1-3
DOCUMENT_ENTRY: Final = (
    #  attribute                    41 42 61 MS coding   ebRIM name                          datatype         values
    _A("author",                     "O O O O", _AUTHOR, v.DE_AUTHOR,                        None,            MANY, 1),
    _A("classCode",                  "R R R O", _CODE,   v.DE_CLASS_CODE,                    None,            ONE,  3),
    _A("confidentialityCode",        "R R R O", _CODE,   v.DE_CONFIDENTIALITY_CODE,          None,            MANY, 5),
    _A("creationTime",               "R R X O", _SLOT,   "creationTime",                     d.DTM,           ONE,  6),
    _A("eventCodeList",              "O O O O", _CODE,   v.DE_EVENT_CODE_LIST,               None,            MANY, 8),
    _A("formatCode",                 "R R R O", _CODE,   v.DE_FORMAT_CODE,                   None,            ONE,  9),
    _A("hash",                       "O R X O", _SLOT,   "hash",                             d.SHA1,          ONE,  10),
    _A("healthcareFacilityTypeCode", "R R R O", _CODE,   v.DE_HEALTHCARE_FACILITY_TYPE_CODE, None,            ONE,  11),
    _A("homeCommunityId",            "O O O O", _XML,    "home",                             d.OID_URN,       ONE,  12),
    _A("languageCode",               "R R R O", _SLOT,   "languageCode",                     d.LANGUAGE,      ONE,  13),
    _A("legalAuthenticator",         "O O O O", _SLOT,   "legalAuthenticator",               d.XCN,           ONE,  14),
    _A("mimeType",                   "R R R R", _XML,    "mimeType",                         d.MIME_TYPE,     ONE,  15),
    _A("patientId",                  "R R R O", _ID,     v.DE_PATIENT_ID,                    d.CX,            ONE,  16),
    _A("practiceSettingCode",        "R R R O", _CODE,   v.DE_PRACTICE_SETTING_CODE,         None,            ONE,  17),
    _A("repositoryUniqueId",         "O R R O", _SLOT,   "repositoryUniqueId",               d.OID,           ONE,  18),
    _A("serviceStartTime",           "O O O O", _SLOT,   "serviceStartTime",                 d.DTM,           ONE,  19),
    _A("serviceStopTime",            "O O O O", _SLOT,   "serviceStopTime",                  d.DTM,           ONE,  20),
    _A("size",                       "O R X O", _SLOT,   "size",                             d.SIZE,          ONE,  21),
    _A("sourcePatientId",            "R R R O", _SLOT,   "sourcePatientId",                  d.CX,            ONE,  22),
    _A("sourcePatientInfo",          "O O O O", _SLOT,   "sourcePatientInfo",                d.PID_FIELD,     MANY, 23),
    _A("title",                      "O O O O", _NAME,   "Name",                             d.TITLE_127,     MANY, 24),
    _A("typeCode",                   "R R R O", _CODE,   v.DE_TYPE_CODE,                     None,            ONE,  25),
    _A("uniqueId",                   "R R R R", _ID,     v.DE_UNIQUE_ID,                     d.IDENTIFIER,    ONE,  26),
    _A("URI",                        "O O O O", _SLOT,   "URI",                              d.URI,           ONE,  27),
    _A("referenceIdList",            "O O O O", _SLOT,   _REFERENCES,                        d.CXI,           MANY, 28),
    _A("limitedMetadata",            "X X X R", _FLAG,   v.LIMITED_DOCUMENT_ENTRY,           None,            ONE,  29),
    _A("objectType",                 "R R R R", _XML,    "objectType",                       _OBJECT_TYPE,    ONE,  30),
    # the Restricted Metadata Update supplement adds it to Table 4.2.3.2-1
    _A("documentAvailability",       "O O O O", _SLOT,   "documentAvailability",             d.AVAILABILITY,  ONE,  0),
)  # fmt: skip

# ITI TF-3 Table 4.2.3.3-1 and Table 4.3.1-3
SUBMISSION_SET: Final = (
    _A("author",                     "O O O O", _AUTHOR, v.SS_AUTHOR,                        None,            MANY, 1),
    _A("contentTypeCode",            "R R R O", _CODE,   v.SS_CONTENT_TYPE_CODE,             None,            ONE,  4),
    _A("homeCommunityId",            "O O O O", _XML,    "home",                             d.OID_URN,       ONE,  6),
    _A("intendedRecipient",          "O O O O", _SLOT,   "intendedRecipient",                d.RECIPIENT,     MANY, 7),
    _A("patientId",                  "R R R O", _ID,     v.SS_PATIENT_ID,                    d.CX,            ONE,  8),
    _A("sourceId",                   "R R R R", _ID,     v.SS_SOURCE_ID,                     d.OID,           ONE,  9),
    _A("submissionTime",             "R R R R", _SLOT,   "submissionTime",                   d.DTM,           ONE,  10),
    _A("title",                      "O O O O", _NAME,   "Name",                             d.TITLE_255,     MANY, 11),
    _A("uniqueId",                   "R R R R", _ID,     v.SS_UNIQUE_ID,                     d.OID,           ONE,  12),
    _A("limitedMetadata",            "X X X R", _FLAG,   v.LIMITED_SUBMISSION_SET,           None,            ONE,  13),
)  # fmt: skip

# ITI TF-3 Table 4.2.3.4-1 and Table 4.3.1-3
FOLDER: Final = (
    _A("codeList",                   "R R R O", _CODE,   v.FD_CODE_LIST,                     None,            MANY, 2),
    _A("homeCommunityId",            "O O O O", _XML,    "home",                             d.OID_URN,       ONE,  5),
    _A("lastUpdateTime",             "O O O O", _SLOT,   "lastUpdateTime",                   None,            MANY, 6),
    _A("patientId",                  "R R R O", _ID,     v.FD_PATIENT_ID,                    d.CX,            ONE,  7),
    _A("title",                      "R R R O", _NAME,   "Name",                             d.TITLE_256,     MANY, 8),
    _A("uniqueId",                   "R R R R", _ID,     v.FD_UNIQUE_ID,                     d.OID,           ONE,  9),
    _A("limitedMetadata",            "X X X R", _FLAG,   v.LIMITED_FOLDER,                   None,            ONE,  10),
)  # fmt: skip

# ITI TF-3 4.2.2.2: what an Association may carry besides its ends and its type
ASSOCIATION: Final = (
    _A("associationDocumentation",   "O O O O", _CODE,   v.ASSOCIATION_DOCUMENTATION,        None,            MANY, 2),
)  # fmt: skip

# ITI TF-3 4.2.3.1.4: sub-attributes of an author, coded as slots of its Classification
AUTHOR: Final = (
    _A("authorInstitution",          "O O O O", _SLOT,   "authorInstitution",                d.XON,           MANY, 1),
    _A("authorPerson",               "O O O O", _SLOT,   "authorPerson",                     d.XCN,           ONE,  2),
    _A("authorRole",                 "O O O O", _SLOT,   "authorRole",                       None,            MANY, 3),
    _A("authorSpecialty",            "O O O O", _SLOT,   "authorSpecialty",                  None,            MANY, 4),
    _A("authorTelecommunication",    "O O O O", _SLOT,   "authorTelecommunication",          d.XTN,           MANY, 5),
)  # fmt: skip

TABLES: Final = {
    "DocumentEntry": Table("de", "4.2.3.2", DOCUMENT_ENTRY),
    "SubmissionSet": Table("ss", "4.2.3.3", SUBMISSION_SET),
    "Folder": Table("fd", "4.2.3.4", FOLDER),
    "Association": Table("as", "4.2.2", ASSOCIATION),
    "author": Table("author", "4.2.3.1.4", AUTHOR),
}

# Rules about one value that do not have the registry's code in both transactions: a repository verifies hash and size
# itself, and replaces repositoryUniqueId (ITI TF-2 3.41.4.1.3, 3.41.4.1.3.2).
_OWN_CODES: Final = {"hash": REPOSITORY_METADATA, "size": REPOSITORY_METADATA, "repositoryUniqueId": ONLY_REGISTER}

_STABLE_ONLY: Final = METADATA._replace(others=(("ITI-57", None), ("ITI-61", None), ("ITI-92", None)))


def attribute_rules() -> Iterator[Rule]:
    """The rows of all attribute tables."""
    for kind, table in TABLES.items():
        for attribute in table.lines:
            yield from _rules_of(kind, table, attribute)
    object_type = next(line for line in DOCUMENT_ENTRY if line.name == "objectType")
    stable = _format_rule("DocumentEntry", "ihe.de.objectType.onDemand", object_type, _STABLE, "ITI TF-2 3.42.4.1.2")
    yield replace(
        stable,
        codes=_STABLE_ONLY,
        sentence="Send a stable document, with objectType {expected}: on-demand ones go by ITI-61.",
        clause=f"{stable.clause}, 3.41.4.1.2",
    )
    on_demand = _format_rule(
        "DocumentEntry", "ihe.de.objectType.stable", object_type, _ON_DEMAND, "ITI TF-2 3.61.4.1.2"
    )
    yield replace(
        on_demand,
        codes=ONLY_ON_DEMAND,
        sentence="Send an on-demand entry, with objectType {expected}: stable ones go by ITI-41 or ITI-42.",
    )


def _rules_of(kind: str, table: Table, attribute: Attribute) -> Iterator[Rule]:
    prefix = f"ihe.{table.short}.{attribute.name}"
    clause = f"ITI TF-3 {table.section}" + (f".{attribute.detail}" if attribute.detail else "")
    flag = attribute.coding is Coding.FLAG  # whoever lacks it is not limited: nobody is asked for it
    if "R" in attribute.needs and not flag:
        yield _optionality_rule(kind, f"{prefix}.required", attribute, Check.REQUIRED, "R")
    if "X" in attribute.needs:
        yield _optionality_rule(kind, f"{prefix}.prohibited", attribute, Check.PROHIBITED, "X")
    if not attribute.many and not flag and attribute.coding is not Coding.FIELD:
        yield _single_rule(kind, f"{prefix}.single", attribute, clause)
    if attribute.datatype is not None:
        yield _format_rule(kind, f"{prefix}.format", attribute, attribute.datatype, clause)


def _codes_of_letter(attribute: Attribute, letter: str) -> Codes:
    """The code where the table has this letter; only what differs from the usual is named."""

    def code(column: Transaction) -> ErrorCode | None:
        return ErrorCode.REGISTRY_METADATA_ERROR if attribute.need(column) == letter else None

    usual = Codes(code("ITI-41"), code("ITI-42"))
    differing = ((column, code(column)) for column in COLUMNS if code(column) != usual.code(column))
    return usual._replace(others=tuple(differing))


def _codes_of_values(attribute: Attribute) -> Codes:
    """The code of rules about values: none where there must be no value at all."""
    codes = _OWN_CODES.get(attribute.name, METADATA)
    return codes._replace(others=(("ITI-61", None),)) if attribute.need("ITI-61") == "X" else codes


_WORDS: Final = {
    Check.REQUIRED: ("Add {attribute} to the {object}: {expected}.", "{0}", "absent, or only white space"),
    Check.PROHIBITED: ("Remove {attribute} from the {object}: it is not accepted here.", "absent: no {0}", "present"),
}


def _optionality_rule(kind: str, rule_id: str, attribute: Attribute, check: Check, letter: str) -> Rule:
    sentence, expected, example = _WORDS[check]
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=_codes_of_letter(attribute, letter),
        sentence=sentence,
        expected=expected.format(attribute.coding.value.format(attribute.key)),
        clause="ITI TF-3 Table 4.3.1-3",
        example=example,
        test=AttributeTest(check, kind, attribute.coding, attribute.key),
    )


def _single_rule(kind: str, rule_id: str, attribute: Attribute, clause: str) -> Rule:
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=_codes_of_values(attribute),
        sentence="Send one value of {attribute} in the {object}: {received} were received.",
        expected="at most one value",
        clause=clause,
        example="two values",
        test=AttributeTest(Check.SINGLE, kind, attribute.coding, attribute.key),
    )


def _format_rule(kind: str, rule_id: str, attribute: Attribute, datatype: d.DataType, clause: str) -> Rule:
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=_codes_of_values(attribute),
        sentence="Write {attribute} of the {object} as {expected}.",
        expected=datatype.expected,
        clause=f"{clause}, {datatype.clause}" if datatype.clause else clause,
        example=datatype.example,
        test=AttributeTest(Check.FORMAT, kind, attribute.coding, attribute.key, datatype),
    )
