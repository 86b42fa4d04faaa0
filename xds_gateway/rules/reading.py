"""Rules that are found out while a message is read: their rows; `codec` reports them in its own words, and the registry
those about what a stored query would return.
"""

from typing import Final

from ..model.errors import ErrorCode
from .engine import METADATA, Codes, row

_EBRIM: Final = "ITI TF-3 4.2; ebRIM 3.0"
_QUERY: Final = "ITI TF-2 3.18.4.1.2.3"


def _both(code: ErrorCode) -> Codes:
    return Codes(code, code)


RULES: Final = (
    row("ihe.ebrim.objectList", "SubmitObjectsRequest", "RegistryObjectList",
         "Send exactly one RegistryObjectList.",
         "one RegistryObjectList", "ITI TF-3 4.2.1.5", "two of them", METADATA),
    row("ihe.ebrim.element", "any object", "element",
         "Remove the element {received}: it has no place there.",
         "elements of ebRIM where ebRIM has them", _EBRIM, "a Classification in a Slot", METADATA),
    row("ihe.ebrim.attribute", "any object", "XML attribute",
         "Add the XML attribute {attribute}.",
         "a value", _EBRIM, "an Association without sourceObject", METADATA),
    row("ihe.query.unknown", "stored query (ITI-18)", "AdhocQuery/@id",
         "Use the id of a stored query that is handled here: {received} is none.",
         "the id of a stored query", "ITI TF-2 3.18.4.1.2.4", "a query id of one's own",
         _both(ErrorCode.UNKNOWN_STORED_QUERY)),
    row("ihe.query.returnType", "stored query (ITI-18)", "returnType",
         "Ask for LeafClass or ObjectRef.",
         "LeafClass or ObjectRef", "ITI TF-2 3.18.4.1.2.5", "RegistryObject", _both(ErrorCode.REGISTRY_ERROR)),
    row("ihe.query.required", "stored query (ITI-18)", "parameter",
         "Add the parameter {attribute}.",
         "the required parameters of the query", _QUERY, "FindDocuments without a patient",
         _both(ErrorCode.STORED_QUERY_MISSING_PARAM)),
    row("ihe.query.single", "stored query (ITI-18)", "parameter",
         "Send one value of the parameter {attribute}.",
         "one value", _QUERY, "two patients", _both(ErrorCode.STORED_QUERY_PARAM_NUMBER)),
    row("ihe.query.either", "stored query (ITI-18)", "parameter",
         "Send one of the parameters {attribute}.",
         "one of them", _QUERY, "neither $uuid nor $uniqueId",
         _both(ErrorCode.STORED_QUERY_MISSING_PARAM)),
    row("ihe.query.someOf", "stored query (ITI-51)", "parameter",
         "Add one of the parameters {attribute}.",
         "at least one of them", "ITI TF-2 3.51.4.1.2.1", "neither a patient nor a code",
         _both(ErrorCode.STORED_QUERY_MISSING_PARAM)),
    row("ihe.query.logicalId", "stored query (ITI-18)", "$MetadataLevel",
         "Add $MetadataLevel 2, or ask by entryUUID or uniqueId.",
         "2", "XDS Metadata Update", "a logicalID at level 1", _both(ErrorCode.REGISTRY_ERROR)),
    row("ihe.query.value", "stored query (ITI-18)", "parameter",
         "Write the parameter {attribute} as {expected}.",
         "a literal of its type", "ITI TF-2 3.18.4.1.2.3.5", "a code without its scheme",
         _both(ErrorCode.REGISTRY_ERROR)),
    row("ihe.query.tooMany", "stored query (ITI-18)", "query",
         "Narrow the query, or ask for ObjectRef and then for parts.",
         "at most max_results objects", "ITI TF-3 Table 4.2.4.1-2", "all documents of a very long life",
         _both(ErrorCode.TOO_MANY_RESULTS)),
    row("ihe.query.singlePatient", "stored query (ITI-18)", "query",
         "Ask for the objects of one patient at a time, or for ObjectRef.",
         "objects of one patient", "ITI TF-2 3.18.4.1.2.3.7.5", "the entries of two patients",
         _both(ErrorCode.RESULT_NOT_SINGLE_PATIENT)),
    row("ihe.retrieve.RepositoryUniqueId", "DocumentRequest (ITI-43)", "RepositoryUniqueId",
         "Add the RepositoryUniqueId of the entry to the DocumentRequest.",
         "an identifier", "ITI TF-2 3.43.4.1.2", "an empty element", _both(ErrorCode.UNKNOWN_REPOSITORY_ID)),
    row("ihe.retrieve.DocumentUniqueId", "DocumentRequest (ITI-43)", "DocumentUniqueId",
         "Add the uniqueId of the entry to the DocumentRequest.",
         "an identifier", "ITI TF-2 3.43.4.1.2", "an empty element", _both(ErrorCode.DOCUMENT_UNIQUE_ID_ERROR)),
)  # fmt: skip
