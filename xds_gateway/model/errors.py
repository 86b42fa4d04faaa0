"""Failures as values: findings of refused requests, messages that cannot be read (ITI TF-3 4.2.4, TF-2 V.3)."""

from dataclasses import dataclass
from enum import Enum


class ErrorCode(str, Enum):
    """Error codes of ITI TF-3 Table 4.2.4.1-2, and of the supplements for updates and removal."""

    DOCUMENT_QUEUED = "DocumentQueued"
    INVALID_DOCUMENT_CONTENT = "InvalidDocumentContent"
    LOCAL_POLICY_RESTRICTION = "LocalPolicyRestrictionError"
    PARTIAL_APPEND_CONTENT_NOT_PROCESSED = "PartialAppendContentNotProcessed"
    PARTIAL_FOLDER_CONTENT_NOT_PROCESSED = "PartialFolderContentNotProcessed"
    PARTIAL_RELATIONSHIP_CONTENT_NOT_PROCESSED = "PartialRelationshipContentNotProcessed"
    PARTIAL_REPLACE_CONTENT_NOT_PROCESSED = "PartialReplaceContentNotProcessed"
    PARTIAL_TRANSFORM_NOT_PROCESSED = "PartialTransformNotProcessed"
    PARTIAL_TRANSFORM_REPLACE_NOT_PROCESSED = "PartialTransformReplaceNotProcessed"
    REFERENCES_EXIST = "ReferencesExistException"
    UNKNOWN_PATIENT_ID = "UnknownPatientId"
    UNMODIFIABLE_METADATA = "UnmodifiableMetadataError"
    UNRESOLVED_REFERENCE = "UnresolvedReferenceException"
    DOCUMENT_UNIQUE_ID_ERROR = "XDSDocumentUniqueIdError"
    DUPLICATE_UNIQUE_ID_IN_REGISTRY = "XDSDuplicateUniqueIdInRegistry"
    EXTRA_METADATA_NOT_SAVED = "XDSExtraMetadataNotSaved"
    INVALID_REQUEST = "XDSInvalidRequestException"
    METADATA_ANNOTATION_ERROR = "XDSMetadataAnnotationError"
    METADATA_IDENTIFIER_ERROR = "XDSMetadataIdentifierError"
    METADATA_UPDATE_ERROR = "XDSMetadataUpdateError"
    METADATA_UPDATE_OPERATION_ERROR = "XDSMetadataUpdateOperationError"
    METADATA_VERSION_ERROR = "XDSMetadataVersionError"
    MISSING_DOCUMENT = "XDSMissingDocument"
    MISSING_DOCUMENT_METADATA = "XDSMissingDocumentMetadata"
    MISSING_HOME_COMMUNITY_ID = "XDSMissingHomeCommunityId"
    NON_IDENTICAL_HASH = "XDSNonIdenticalHash"
    NON_IDENTICAL_SIZE = "XDSNonIdenticalSize"
    OBJECT_TYPE_ERROR = "XDSObjectTypeError"
    PATIENT_ID_DOES_NOT_MATCH = "XDSPatientIdDoesNotMatch"
    PATIENT_ID_RECONCILIATION_ERROR = "XDSPatientIDReconciliationError"
    REGISTRY_BUSY = "XDSRegistryBusy"
    REGISTRY_DEPRECATED_DOCUMENT = "XDSRegistryDeprecatedDocumentError"
    REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE = "XDSRegistryDuplicateUniqueIdInMessage"
    REGISTRY_ERROR = "XDSRegistryError"
    REGISTRY_METADATA_ERROR = "XDSRegistryMetadataError"
    REGISTRY_NOT_AVAILABLE = "XDSRegistryNotAvailable"
    REGISTRY_OUT_OF_RESOURCES = "XDSRegistryOutOfResources"
    REMOVE_DOCUMENTS_ERROR = "XDSRemoveDocumentsError"
    REPOSITORY_BUSY = "XDSRepositoryBusy"
    REPOSITORY_DUPLICATE_UNIQUE_ID_IN_MESSAGE = "XDSRepositoryDuplicateUniqueIdInMessage"
    REPOSITORY_ERROR = "XDSRepositoryError"
    REPOSITORY_METADATA_ERROR = "XDSRepositoryMetadataError"
    REPOSITORY_OUT_OF_RESOURCES = "XDSRepositoryOutOfResources"
    RESULT_NOT_SINGLE_PATIENT = "XDSResultNotSinglePatient"
    STORED_QUERY_MISSING_PARAM = "XDSStoredQueryMissingParam"
    STORED_QUERY_PARAM_NUMBER = "XDSStoredQueryParamNumber"
    TOO_MANY_RESULTS = "XDSTooManyResults"
    UNKNOWN_COMMUNITY = "XDSUnknownCommunity"
    UNKNOWN_PATIENT = "XDSUnknownPatientId"
    UNKNOWN_REPOSITORY_ID = "XDSUnknownRepositoryId"
    UNKNOWN_STORED_QUERY = "XDSUnknownStoredQuery"
    UNREFERENCED_OBJECT = "XDSUnreferencedObjectException"

    def __str__(self) -> str:
        return self.value


class AckCode(str, Enum):
    """Why a message of a feed is not accepted: HL7 v2 table 0357, and of HL7 v3 AcknowledgementDetailCode."""

    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD = "101"
    TABLE_VALUE = "103"
    MESSAGE_TYPE = "200"
    EVENT_CODE = "201"
    VERSION = "203"
    UNKNOWN_KEY = "204"
    INTERNAL = "207"
    V3_REQUIRED_ASSOCIATION = "SYN100"
    V3_REQUIRED_ATTRIBUTE = "SYN101"
    V3_VALUE = "SYN103"
    V3_ASSOCIATIONS = "SYN110"
    V3_INTERACTION = "NS200"
    V3_PROCESSING_MODE = "NS250"
    V3_UNKNOWN_KEY = "KEY204"
    V3_INTERNAL = "INTERR"

    def __str__(self) -> str:
        return self.value


class Severity(str, Enum):
    """Whether a finding refuses the request or only warns (ITI TF-3 4.2.4.1)."""

    ERROR = "Error"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a request, with its evidence.

    `rule` is a stable id of docs/rules.md; `sentence` says what to change, `clause` where the standard says so; `hint`
    tells what the value probably is where the mistake is a known one.
    """

    code: ErrorCode | AckCode
    rule: str
    sentence: str
    object_id: str | None = None
    attribute: str | None = None
    received: str | None = None
    expected: str | None = None
    clause: str | None = None
    severity: Severity = Severity.ERROR
    hint: str | None = None

    @property
    def audited(self) -> str:
        """What log and audit call it."""
        return str(self.code)


class GatewayError(Exception):
    """Any failure that the gateway answers in the standard's words."""


class RequestRefused(GatewayError):
    """The request is understood and refused: a RegistryErrorList with all findings (ITI TF-3 4.2.4)."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(f"{f.code} {f.rule}" for f in findings))
        self.findings = findings


class FaultCode(str, Enum):
    """SOAP 1.2 fault codes (SOAP 1.2 part 1, 5.4.6)."""

    SENDER = "Sender"
    RECEIVER = "Receiver"
    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"
    DATA_ENCODING_UNKNOWN = "DataEncodingUnknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDetail:
    """A place that a fault speaks of: a header's qualified name or a wsa problem."""

    namespace: str
    name: str
    text: str = ""


class SoapFault(GatewayError):
    """The message cannot be read or processed as SOAP: answered with a Fault (SOAP 1.2 part 1, 5.4).

    `subcodes` are (namespace, local name) pairs, outermost first; `rule` goes to the log.
    """

    def __init__(
        self,
        code: FaultCode,
        reason: str,
        *,
        rule: str,
        subcodes: tuple[tuple[str, str], ...] = (),
        details: tuple[FaultDetail, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.rule = rule
        self.subcodes = subcodes
        self.details = details


class HttpRefused(GatewayError):
    """The request is refused below SOAP (RFC 9110): unsupported media type, unknown path, too large a body."""

    def __init__(self, status: int, reason: str, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class StorageFull(GatewayError):
    """No room left for documents or rows; answered `...OutOfResources`."""


class StorageFaulty(StorageFull):
    """The disk failed while it was written: the change may be on it, so nothing of it may be deleted."""


class StorageBusy(GatewayError):
    """The store cannot take the work in time; answered `...Busy`."""


class DocumentDamaged(GatewayError):
    """Stored bytes no longer have the digest they were stored with: never returned as if whole."""

    def __init__(self, key: str, chunk: int) -> None:
        super().__init__(f"document {key} is damaged in chunk {chunk}")
        self.key = key
        self.chunk = chunk
