"""ebRIM objects of answers as the SDK's values (ITI TF-3 4.2)."""

from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    Folder,
    LocalizedString,
    RegistryObject,
    SubmissionSet,
)
from .registry_values import AssociationSummary, FolderSummary, SubmissionSetSummary
from .values import DocumentSummary


def summarize(entry: DocumentEntry) -> DocumentSummary:
    """A DocumentEntry as a reader wants it."""
    size = entry.size or ""
    return DocumentSummary(
        entry_uuid=entry.id,
        logical_id=entry.lid,
        unique_id=entry.unique_id,
        repository_unique_id=entry.repository_unique_id,
        home=entry.home,
        patient_id=entry.patient_id,
        source_patient_id=entry.slot_value("sourcePatientId"),
        title=_text(entry.name),
        comments=_text(entry.description),
        class_code=_first_code(entry, v.DE_CLASS_CODE),
        type_code=_first_code(entry, v.DE_TYPE_CODE),
        format_code=_first_code(entry, v.DE_FORMAT_CODE),
        healthcare_facility_type_code=_first_code(entry, v.DE_HEALTHCARE_FACILITY_TYPE_CODE),
        practice_setting_code=_first_code(entry, v.DE_PRACTICE_SETTING_CODE),
        confidentiality_codes=_codes(entry, v.DE_CONFIDENTIALITY_CODE),
        event_codes=_codes(entry, v.DE_EVENT_CODE_LIST),
        authors=tuple(map(_author, entry.codes(v.DE_AUTHOR))),
        legal_authenticator=entry.slot_value("legalAuthenticator"),
        creation_time=entry.slot_value("creationTime"),
        service_start_time=entry.slot_value("serviceStartTime"),
        service_stop_time=entry.slot_value("serviceStopTime"),
        language_code=entry.slot_value("languageCode"),
        mime_type=entry.mime_type,
        size=int(size) if size.isascii() and size.isdigit() else None,
        hash=entry.hash,
        status=last_word(entry.status),
        version=entry.version,
    )


def summarize_set(item: SubmissionSet) -> SubmissionSetSummary:
    """A SubmissionSet as a reader wants it."""
    return SubmissionSetSummary(
        entry_uuid=item.id,
        unique_id=item.unique_id,
        source_id=item.identifier(v.SS_SOURCE_ID),
        patient_id=item.patient_id,
        submission_time=item.slot_value("submissionTime"),
        title=_text(item.name),
        comments=_text(item.description),
        content_type_code=_first_code(item, v.SS_CONTENT_TYPE_CODE),
        authors=tuple(map(_author, item.codes(v.SS_AUTHOR))),
        intended_recipients=item.slot_values("intendedRecipient"),
        home=item.home,
        status=last_word(item.status),
    )


def summarize_folder(item: Folder) -> FolderSummary:
    """A Folder as a reader wants it."""
    return FolderSummary(
        entry_uuid=item.id,
        logical_id=item.lid,
        unique_id=item.unique_id,
        patient_id=item.patient_id,
        title=_text(item.name),
        comments=_text(item.description),
        codes=_codes(item, v.FD_CODE_LIST),
        last_update_time=item.slot_value("lastUpdateTime"),
        home=item.home,
        status=last_word(item.status),
        version=item.version,
    )


def describe(item: DocumentEntry | Folder) -> DocumentSummary | FolderSummary:
    """Whatever has versions, as a reader wants it."""
    return summarize(item) if isinstance(item, DocumentEntry) else summarize_folder(item)


def summarize_association(item: Association) -> AssociationSummary:
    """An Association as a reader wants it."""
    return AssociationSummary(
        entry_uuid=item.id,
        type=last_word(item.association_type) or "",
        source=item.source,
        target=item.target,
        status=last_word(item.status),
        submission_set_status=item.slot_value("SubmissionSetStatus"),
        previous_version=item.slot_value("PreviousVersion"),
        documentation=_first_code(item, v.ASSOCIATION_DOCUMENTATION),
        home=item.home,
    )


def _author(author: Classification) -> Author:
    return Author(
        person=next(iter(author.slot_values("authorPerson")), None),
        institutions=author.slot_values("authorInstitution"),
        roles=author.slot_values("authorRole"),
        specialties=author.slot_values("authorSpecialty"),
        telecommunications=author.slot_values("authorTelecommunication"),
    )


def _codes(entry: RegistryObject, scheme: str) -> tuple[Code, ...]:
    return tuple(Code(c.code or "", c.coding_scheme or "", _text(c.name) or "") for c in entry.codes(scheme))


def _first_code(entry: RegistryObject, scheme: str) -> Code | None:
    return next(iter(_codes(entry, scheme)), None)


def _text(strings: tuple[LocalizedString, ...]) -> str | None:
    return strings[0].value if strings else None


def last_word(urn: str | None) -> str | None:
    """The last word of a URN, as "Approved"; None when there is none."""
    return (urn or "").rpartition(":")[2] or None
