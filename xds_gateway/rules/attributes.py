"""The attributes of metadata objects as tables, and the rows of rules that follow from them.

One line per attribute: how it is coded (ITI TF-3 4.2.3.1.8), whether it must be sent (Table 4.3.1-3, columns "XDS DS" for
ITI-41 and "XDS DR" for ITI-42), its datatype (Table 4.2.3.1.7-2) and how many values it may have.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.errors import ErrorCode
from . import datatypes as d
from .engine import METADATA, ONLY_REGISTER, REPOSITORY_METADATA, AttributeTest, Codes, Coding, Rule, Test


class Attribute(NamedTuple):
    """A line of an attribute table; R required, O optional, X prohibited ("required if known" is O to a receiver)."""

    name: str
    iti41: str
    iti42: str
    coding: Coding
    key: str
    datatype: d.DataType | None
    many: bool
    clause: str


ONE: Final = False
MANY: Final = True
_SLOT, _CODE, _IDENTIFIER, _FIELD = Coding.SLOT, Coding.CODE, Coding.IDENTIFIER, Coding.FIELD


def _is_object_type(text: str) -> bool:
    return text in (v.STABLE_DOCUMENT, v.ON_DEMAND_DOCUMENT)


_OBJECT_TYPE: Final = d.DataType(
    name="UUID", valid=_is_object_type, expected=v.STABLE_DOCUMENT, example="urn:uuid:00000000-0000-0000-0000-000000000000"
)
_STABLE: Final = d.DataType(
    name="UUID", valid=lambda text: text != v.ON_DEMAND_DOCUMENT, expected=v.STABLE_DOCUMENT, example=v.ON_DEMAND_DOCUMENT
)

# ITI TF-3 Table 4.2.3.2-1 and Table 4.3.1-3
DOCUMENT_ENTRY: Final = (
    #         attribute                    ITI-41 ITI-42 coding       ebRIM key                                datatype      values  clause
    Attribute("author",                      "O", "O", Coding.AUTHOR, v.DE_AUTHOR,                             None,           MANY, "4.2.3.2.1"),
    Attribute("classCode",                   "R", "R", _CODE,         v.DE_CLASS_CODE,                         None,           ONE,  "4.2.3.2.3"),
    Attribute("confidentialityCode",         "R", "R", _CODE,         v.DE_CONFIDENTIALITY_CODE,               None,           MANY, "4.2.3.2.5"),
    Attribute("creationTime",                "R", "R", _SLOT,         "creationTime",                          d.DTM,          ONE,  "4.2.3.2.6"),
    Attribute("eventCodeList",               "O", "O", _CODE,         v.DE_EVENT_CODE_LIST,                    None,           MANY, "4.2.3.2.8"),
    Attribute("formatCode",                  "R", "R", _CODE,         v.DE_FORMAT_CODE,                        None,           ONE,  "4.2.3.2.9"),
    Attribute("hash",                        "O", "R", _SLOT,         "hash",                                  d.SHA1,         ONE,  "4.2.3.2.10"),
    Attribute("healthcareFacilityTypeCode",  "R", "R", _CODE,         v.DE_HEALTHCARE_FACILITY_TYPE_CODE,      None,           ONE,  "4.2.3.2.11"),
    Attribute("homeCommunityId",             "O", "O", _FIELD,        "home",                                  d.OID_URN,      ONE,  "4.2.3.2.12"),
    Attribute("languageCode",                "R", "R", _SLOT,         "languageCode",                          d.LANGUAGE,     ONE,  "4.2.3.2.13"),
    Attribute("legalAuthenticator",          "O", "O", _SLOT,         "legalAuthenticator",                    d.XCN,          ONE,  "4.2.3.2.14"),
    Attribute("mimeType",                    "R", "R", _FIELD,        "mimeType",                              d.MIME_TYPE,    ONE,  "4.2.3.2.15"),
    Attribute("patientId",                   "R", "R", _IDENTIFIER,   v.DE_PATIENT_ID,                         d.CX,           ONE,  "4.2.3.2.16"),
    Attribute("practiceSettingCode",         "R", "R", _CODE,         v.DE_PRACTICE_SETTING_CODE,              None,           ONE,  "4.2.3.2.17"),
    Attribute("repositoryUniqueId",          "O", "R", _SLOT,         "repositoryUniqueId",                    d.OID,          ONE,  "4.2.3.2.18"),
    Attribute("serviceStartTime",            "O", "O", _SLOT,         "serviceStartTime",                      d.DTM,          ONE,  "4.2.3.2.19"),
    Attribute("serviceStopTime",             "O", "O", _SLOT,         "serviceStopTime",                       d.DTM,          ONE,  "4.2.3.2.20"),
    Attribute("size",                        "O", "R", _SLOT,         "size",                                  d.SIZE,         ONE,  "4.2.3.2.21"),
    Attribute("sourcePatientId",             "R", "R", _SLOT,         "sourcePatientId",                       d.CX,           ONE,  "4.2.3.2.22"),
    Attribute("sourcePatientInfo",           "O", "O", _SLOT,         "sourcePatientInfo",                     d.PID_FIELD,    MANY, "4.2.3.2.23"),
    Attribute("title",                       "O", "O", Coding.NAME,   "Name",                                  d.TITLE_127,    MANY, "4.2.3.2.24"),
    Attribute("typeCode",                    "R", "R", _CODE,         v.DE_TYPE_CODE,                          None,           ONE,  "4.2.3.2.25"),
    Attribute("uniqueId",                    "R", "R", _IDENTIFIER,   v.DE_UNIQUE_ID,                          d.IDENTIFIER,   ONE,  "4.2.3.2.26"),
    Attribute("URI",                         "O", "O", _SLOT,         "URI",                                   d.URI,          ONE,  "4.2.3.2.27"),
    Attribute("referenceIdList",             "O", "O", _SLOT,         "urn:ihe:iti:xds:2013:referenceIdList",  d.CXI,          MANY, "4.2.3.2.28"),
    Attribute("limitedMetadata",             "X", "X", Coding.FLAG,   v.LIMITED_DOCUMENT_ENTRY,                None,           ONE,  "4.2.3.2.29"),
    Attribute("objectType",                  "R", "R", _FIELD,        "objectType",                            _OBJECT_TYPE,   ONE,  "4.2.3.2.30"),
    # the Restricted Metadata Update supplement adds it to Table 4.2.3.2-1
    Attribute("documentAvailability",        "O", "O", _SLOT,         "documentAvailability",                  d.AVAILABILITY, ONE,  "4.2.3.2"),
)  # fmt: skip

# ITI TF-3 Table 4.2.3.3-1 and Table 4.3.1-3
SUBMISSION_SET: Final = (
    Attribute("author",                      "O", "O", Coding.AUTHOR, v.SS_AUTHOR,                             None,           MANY, "4.2.3.3.1"),
    Attribute("contentTypeCode",             "R", "R", _CODE,         v.SS_CONTENT_TYPE_CODE,                  None,           ONE,  "4.2.3.3.4"),
    Attribute("homeCommunityId",             "O", "O", _FIELD,        "home",                                  d.OID_URN,      ONE,  "4.2.3.3.6"),
    Attribute("intendedRecipient",           "O", "O", _SLOT,         "intendedRecipient",                     d.RECIPIENT,    MANY, "4.2.3.3.7"),
    Attribute("patientId",                   "R", "R", _IDENTIFIER,   v.SS_PATIENT_ID,                         d.CX,           ONE,  "4.2.3.3.8"),
    Attribute("sourceId",                    "R", "R", _IDENTIFIER,   v.SS_SOURCE_ID,                          d.OID,          ONE,  "4.2.3.3.9"),
    Attribute("submissionTime",              "R", "R", _SLOT,         "submissionTime",                        d.DTM,          ONE,  "4.2.3.3.10"),
    Attribute("title",                       "O", "O", Coding.NAME,   "Name",                                  d.TITLE_255,    MANY, "4.2.3.3.11"),
    Attribute("uniqueId",                    "R", "R", _IDENTIFIER,   v.SS_UNIQUE_ID,                          d.OID,          ONE,  "4.2.3.3.12"),
    Attribute("limitedMetadata",             "X", "X", Coding.FLAG,   v.LIMITED_SUBMISSION_SET,                None,           ONE,  "4.2.3.3.13"),
)  # fmt: skip

# ITI TF-3 Table 4.2.3.4-1 and Table 4.3.1-3
FOLDER: Final = (
    Attribute("codeList",                    "R", "R", _CODE,         v.FD_CODE_LIST,                          None,           MANY, "4.2.3.4.2"),
    Attribute("homeCommunityId",             "O", "O", _FIELD,        "home",                                  d.OID_URN,      ONE,  "4.2.3.4.5"),
    Attribute("lastUpdateTime",              "O", "O", _SLOT,         "lastUpdateTime",                        None,           MANY, "4.2.3.4.6"),
    Attribute("patientId",                   "R", "R", _IDENTIFIER,   v.FD_PATIENT_ID,                         d.CX,           ONE,  "4.2.3.4.7"),
    Attribute("title",                       "R", "R", Coding.NAME,   "Name",                                  d.TITLE_256,    MANY, "4.2.3.4.8"),
    Attribute("uniqueId",                    "R", "R", _IDENTIFIER,   v.FD_UNIQUE_ID,                          d.OID,          ONE,  "4.2.3.4.9"),
    Attribute("limitedMetadata",             "X", "X", Coding.FLAG,   v.LIMITED_FOLDER,                        None,           ONE,  "4.2.3.4.10"),
)  # fmt: skip

# ITI TF-3 4.2.2.2: what an Association may carry besides its ends and its type
ASSOCIATION: Final = (
    Attribute("associationDocumentation",    "O", "O", _CODE,         v.ASSOCIATION_DOCUMENTATION,             None,           MANY, "4.2.2.2"),
)  # fmt: skip

TABLES: Final = {
    "DocumentEntry": ("de", DOCUMENT_ENTRY),
    "SubmissionSet": ("ss", SUBMISSION_SET),
    "Folder": ("fd", FOLDER),
    "Association": ("as", ASSOCIATION),
}

# ITI TF-3 4.2.3.1.4: sub-attributes of an author, coded as slots of its Classification
AUTHOR: Final = (
    Attribute("authorInstitution",           "O", "O", _SLOT,         "authorInstitution",                     d.XON,          MANY, "4.2.3.1.4.1"),
    Attribute("authorPerson",                "O", "O", _SLOT,         "authorPerson",                          d.XCN,          ONE,  "4.2.3.1.4.2"),
    Attribute("authorRole",                  "O", "O", _SLOT,         "authorRole",                            None,           MANY, "4.2.3.1.4.3"),
    Attribute("authorSpecialty",             "O", "O", _SLOT,         "authorSpecialty",                       None,           MANY, "4.2.3.1.4.4"),
    Attribute("authorTelecommunication",     "O", "O", _SLOT,         "authorTelecommunication",               d.XTN,          MANY, "4.2.3.1.4.5"),
)  # fmt: skip

# Codes of a format rule other than the registry's in both transactions: a repository verifies hash and size itself, and
# replaces repositoryUniqueId (ITI TF-2 3.41.4.1.3, 3.41.4.1.3.2).
_FORMAT_CODES: Final = {"hash": REPOSITORY_METADATA, "size": REPOSITORY_METADATA, "repositoryUniqueId": ONLY_REGISTER}


def attribute_rules() -> Iterator[Rule]:
    """The rows of all attribute tables."""
    for kind, (short, table) in TABLES.items():
        for attribute in table:
            yield from _rules_of(kind, f"ihe.{short}.{attribute.name}", attribute)
    for attribute in AUTHOR:
        yield from _rules_of("author", f"ihe.author.{attribute.name}", attribute)
    yield _format_rule(
        "DocumentEntry", "ihe.de.objectType.onDemand", DOCUMENT_ENTRY[-2]._replace(datatype=_STABLE, clause="4.1.1.3.2")
    )


def _rules_of(kind: str, prefix: str, attribute: Attribute) -> Iterator[Rule]:
    needs = (attribute.iti41, attribute.iti42)
    if "R" in needs:
        yield _optionality_rule(kind, f"{prefix}.required", attribute, Test.REQUIRED, "R")
    if "X" in needs:
        yield _optionality_rule(kind, f"{prefix}.prohibited", attribute, Test.PROHIBITED, "X")
    elif not attribute.many and attribute.coding is not Coding.FIELD:
        yield _single_rule(kind, f"{prefix}.single", attribute)
    if attribute.datatype is not None:
        yield _format_rule(kind, f"{prefix}.format", attribute)


_WORDS: Final = {
    Test.REQUIRED: ("Add {attribute} to the {object}: {expected}.", "{0} with a value", "absent, or only white space"),
    Test.PROHIBITED: ("Remove {attribute} from the {object}: limited metadata is not accepted here.", "no {0}", "present"),
}


def _optionality_rule(kind: str, rule_id: str, attribute: Attribute, test: Test, letter: str) -> Rule:
    sentence, expected, example = _WORDS[test]
    code = ErrorCode.REGISTRY_METADATA_ERROR
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=Codes(code if attribute.iti41 == letter else None, code if attribute.iti42 == letter else None),
        sentence=sentence,
        expected=expected.format(attribute.coding.value.format(attribute.key)),
        clause="ITI TF-3 Table 4.3.1-3",
        example=example,
        test=AttributeTest(test, kind, attribute.coding, attribute.key),
    )


def _single_rule(kind: str, rule_id: str, attribute: Attribute) -> Rule:
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=METADATA,
        sentence="Send one value of {attribute} in the {object}: {received} were received.",
        expected="at most one value",
        clause=f"ITI TF-3 {attribute.clause}",
        example="two values",
        test=AttributeTest(Test.SINGLE, kind, attribute.coding, attribute.key),
    )


def _format_rule(kind: str, rule_id: str, attribute: Attribute) -> Rule:
    datatype = attribute.datatype
    assert datatype is not None
    clause = f"ITI TF-3 {attribute.clause}"
    return Rule(
        id=rule_id,
        object=kind,
        attribute=attribute.name,
        codes=_FORMAT_CODES.get(attribute.name, METADATA),
        sentence="Change {attribute} of the {object} to {expected}.",
        expected=datatype.expected,
        clause=f"{clause}, Table 4.2.3.1.7-2" if datatype.clause == d.TABLE else clause,
        example=datatype.example,
        test=AttributeTest(Test.FORMAT, kind, attribute.coding, attribute.key, datatype),
    )
