"""Builders of valid metadata: every attribute is there, and a test changes only what it is about.

make_entry(slots={"creationTime": "2026"})            one slot changed
make_entry(slots={"hash": None})                      one slot left out
make_entry(codes={v.DE_CLASS_CODE: ()})               a code left out
make_entry(identifiers={v.DE_UNIQUE_ID: "1.2.3"})     an identifier changed
make_entry(mime_type=None)                            any field of the dataclass
make_submission(entries=(make_entry(1), make_entry(2)))
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from xds_gateway.model import vocabulary as v
from xds_gateway.model.datatypes import Code
from xds_gateway.model.messages import DocumentPart
from xds_gateway.model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    Slot,
    Submission,
    SubmissionSet,
)

PATIENT = "PAT-0042^^^&1.3.6.1.4.1.21367.13.20.3000&ISO"
OTHER_PATIENT = "PAT-0043^^^&1.3.6.1.4.1.21367.13.20.3000&ISO"
REPOSITORY = "1.3.6.1.4.1.21367.13.20.1"
SOURCE = "1.3.6.1.4.1.21367.13.20.2"
CONTENT = b"A discharge letter.\n"
CONTENT_SHA1 = "7f61115268c531bc45b4f6e75a9bfa37be7c7742"
REGISTERED = "urn:uuid:5e9a4f5c-6d0a-4a36-9d3c-2f1d1a6d7c10"  # an entry that is not in the message
REGISTERED_FOLDER = "urn:uuid:0b4b1b52-7a3f-4b6f-8a57-64c8f0c9c2aa"

Texts = str | tuple[str, ...] | None

ENTRY_SLOTS: Mapping[str, Texts] = {
    "creationTime": "20260314083000",
    "hash": CONTENT_SHA1,
    "languageCode": "fr-FR",
    "legalAuthenticator": "801234567897^Martin^Anne^^^Dr^^^&1.2.250.1.71.4.2.1&ISO",
    "repositoryUniqueId": REPOSITORY,
    "serviceStartTime": "20260310",
    "serviceStopTime": "202603141200",
    "size": str(len(CONTENT)),
    "sourcePatientId": "IPP-77^^^&1.3.6.1.4.1.21367.13.20.9&ISO",
    "sourcePatientInfo": (
        "PID-3|IPP-77^^^&1.3.6.1.4.1.21367.13.20.9&ISO",
        "PID-5|Durand^Camille^^^^^L",
        "PID-7|19801224",
        "PID-8|F",
    ),
    "URI": "letters/0001.xml",
    "urn:ihe:iti:xds:2013:referenceIdList": "2026001^^^&1.3.6.1.4.1.21367.13.20.8&ISO^urn:ihe:iti:xds:2013:accession",
    "documentAvailability": v.ONLINE,
    "urn:example:ward": ("A3", "A4"),
}
ENTRY_CODES: Mapping[str, tuple[Code, ...]] = {
    v.DE_CLASS_CODE: (Code("11", "1.2.250.1.213.1.1.4.1", "Synthèse"),),
    v.DE_CONFIDENTIALITY_CODE: (
        Code("N", "2.16.840.1.113883.5.25", "Normal"),
        Code("NOREUSE", "2.16.840.1.113883.1.11.20471", "No reuse"),
    ),
    v.DE_EVENT_CODE_LIST: (Code("HHFA001", "1.2.250.1.213.2.5", "Appendicectomie"),),
    v.DE_FORMAT_CODE: (Code("urn:ihe:iti:xds-sd:text:2008", "1.3.6.1.4.1.19376.1.2.3", "XDS-SD"),),
    v.DE_HEALTHCARE_FACILITY_TYPE_CODE: (Code("SA01", "1.2.250.1.71.4.2.4", "Établissement public"),),
    v.DE_PRACTICE_SETTING_CODE: (Code("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Établissement de santé"),),
    v.DE_TYPE_CODE: (Code("34105-7", "2.16.840.1.113883.6.1", "CR hospitalier"),),
}
AUTHOR: Mapping[str, Texts] = {
    "authorPerson": "801234567897^Martin^Anne^^^Dr^^^&1.2.250.1.71.4.2.1&ISO",
    "authorInstitution": ("Hôpital Nord^^^^^&1.2.250.1.71.4.2.2&ISO^^^^0750000001", "Cardiologie"),
    "authorRole": "PRF^^^&2.16.840.1.113883.5.90&ISO",
    "authorSpecialty": "Cardiologie",
    "authorTelecommunication": ("^^Internet^anne.martin@example.org", "^PRS^PH^^33^1^44556677"),
}
SET_SLOTS: Mapping[str, Texts] = {
    "submissionTime": "20260314090000",
    "intendedRecipient": (
        "Hôpital Sud^^^^^^^^^1.2.3.9.1789.45|^Petit^Luc^^^Dr|^^Internet^luc.petit@example.org",
        "|801234567898^Petit^Luc",
        "||^^Internet^accueil@example.org",
    ),
    "urn:example:batch": "17",
}
SET_CODES: Mapping[str, tuple[Code, ...]] = {
    v.SS_CONTENT_TYPE_CODE: (Code("03", "1.2.250.1.213.2.2", "Hospitalisation complète"),)
}
FOLDER_CODES: Mapping[str, tuple[Code, ...]] = {
    v.FD_CODE_LIST: (Code("FOL", "1.3.6.1.4.1.21367.100.1", "Episode"), Code("CAR", "1.3.6.1.4.1.21367.100.1", "Heart"))
}
_IDENTIFIER_NAMES = {
    v.DE_PATIENT_ID: "XDSDocumentEntry.patientId",
    v.DE_UNIQUE_ID: "XDSDocumentEntry.uniqueId",
    v.SS_PATIENT_ID: "XDSSubmissionSet.patientId",
    v.SS_SOURCE_ID: "XDSSubmissionSet.sourceId",
    v.SS_UNIQUE_ID: "XDSSubmissionSet.uniqueId",
    v.FD_PATIENT_ID: "XDSFolder.patientId",
    v.FD_UNIQUE_ID: "XDSFolder.uniqueId",
}


def make_slots(values: Mapping[str, Texts]) -> tuple[Slot, ...]:
    """Slots of these names; a name whose value is None is left out."""
    return tuple(
        Slot(name, (texts,) if isinstance(texts, str) else texts) for name, texts in values.items() if texts is not None
    )


def make_code(scheme: str, code: Code, owner: str, identifier: str) -> Classification:
    """A code as Classification."""
    return Classification(
        id=identifier,
        classified_object=owner,
        scheme=scheme,
        code=code.code,
        slots=make_slots({"codingScheme": code.scheme}),
        name=(LocalizedString(code.display, "fr-FR", "UTF-8"),) if code.display else (),
    )


def make_author(scheme: str, owner: str, identifier: str, values: Mapping[str, Texts] = AUTHOR) -> Classification:
    """An author as Classification."""
    return Classification(id=identifier, classified_object=owner, scheme=scheme, code="", slots=make_slots(values))


def make_node(node: str, owner: str, identifier: str) -> Classification:
    """A Classification by node: what makes a package a set or a folder."""
    return Classification(id=identifier, classified_object=owner, node=node)


def make_identifier(scheme: str, value: str | None, owner: str, identifier: str) -> ExternalIdentifier:
    """An ExternalIdentifier with the name that the standard gives it."""
    name = (LocalizedString(_IDENTIFIER_NAMES[scheme]),)
    return ExternalIdentifier(id=identifier, registry_object=owner, scheme=scheme, value=value, name=name)


def _part(owner: str, name: str) -> str:
    """A symbolic id for a part of an object, also when the object has a UUID."""
    return f"{owner.removeprefix('urn:uuid:')}-{name}"


def _codes(owner: str, codes: Mapping[str, tuple[Code, ...]]) -> tuple[Classification, ...]:
    listed = [(scheme, code) for scheme, values in codes.items() for code in values]
    return tuple(make_code(scheme, code, owner, _part(owner, f"cl{n}")) for n, (scheme, code) in enumerate(listed))


def _identifiers(owner: str, values: Mapping[str, str | None]) -> tuple[ExternalIdentifier, ...]:
    return tuple(
        make_identifier(scheme, value, owner, _part(owner, f"id{n}"))
        for n, (scheme, value) in enumerate(values.items())
        if value is not None
    )


def make_entry(
    number: int = 1,
    *,
    slots: Mapping[str, Texts] | None = None,
    codes: Mapping[str, tuple[Code, ...]] | None = None,
    identifiers: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> DocumentEntry:
    """A stable DocumentEntry `Document<number>` with every attribute."""
    owner = changes.get("id", f"Document{number:02}")
    entry = DocumentEntry(
        id=owner,
        home="urn:oid:1.3.6.1.4.1.21367.13.20.7",
        object_type=v.STABLE_DOCUMENT,
        mime_type="text/plain",
        is_opaque="false",
        slots=make_slots({**ENTRY_SLOTS, **(slots or {})}),
        name=(LocalizedString("Lettre de sortie", "fr-FR", "UTF-8"), LocalizedString("Discharge letter", "en")),
        description=(LocalizedString("Relue", "fr-FR", "UTF-8"),),
        classifications=(
            *_codes(owner, {**ENTRY_CODES, **(codes or {})}),
            make_author(v.DE_AUTHOR, owner, _part(owner, "author1")),
            make_author(v.DE_AUTHOR, owner, _part(owner, "author2"), {"authorPerson": "^Robot"}),
        ),
        external_identifiers=_identifiers(
            owner,
            {v.DE_PATIENT_ID: PATIENT, v.DE_UNIQUE_ID: f"{SOURCE}.1.{number}^2026", **(identifiers or {})},
        ),
    )
    return replace(entry, **changes)


def make_set(
    number: int = 1,
    *,
    slots: Mapping[str, Texts] | None = None,
    codes: Mapping[str, tuple[Code, ...]] | None = None,
    identifiers: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> SubmissionSet:
    """A SubmissionSet `SubmissionSet<number>` with every attribute."""
    owner = changes.get("id", f"SubmissionSet{number:02}")
    submission_set = SubmissionSet(
        id=owner,
        home="urn:oid:1.3.6.1.4.1.21367.13.20.7",
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        slots=make_slots({**SET_SLOTS, **(slots or {})}),
        name=(LocalizedString("Sortie", "fr-FR", "UTF-8"),),
        description=(LocalizedString("Envoi automatique", "fr-FR", "UTF-8"),),
        classifications=(
            make_node(v.SUBMISSION_SET_NODE, owner, _part(owner, "node")),
            *_codes(owner, {**SET_CODES, **(codes or {})}),
            make_author(v.SS_AUTHOR, owner, _part(owner, "author1")),
        ),
        external_identifiers=_identifiers(
            owner,
            {
                v.SS_PATIENT_ID: PATIENT,
                v.SS_SOURCE_ID: SOURCE,
                v.SS_UNIQUE_ID: f"{SOURCE}.2.{number}",
                **(identifiers or {}),
            },
        ),
    )
    return replace(submission_set, **changes)


def make_folder(
    number: int = 1,
    *,
    slots: Mapping[str, Texts] | None = None,
    codes: Mapping[str, tuple[Code, ...]] | None = None,
    identifiers: Mapping[str, str | None] | None = None,
    **changes: Any,
) -> Folder:
    """A Folder `Folder<number>` with every attribute."""
    owner = changes.get("id", f"Folder{number:02}")
    folder = Folder(
        id=owner,
        home="urn:oid:1.3.6.1.4.1.21367.13.20.7",
        slots=make_slots({"lastUpdateTime": "20260314090000", **(slots or {})}),
        name=(LocalizedString("Séjour de mars", "fr-FR", "UTF-8"),),
        description=(LocalizedString("Cardiologie", "fr-FR", "UTF-8"),),
        classifications=(
            make_node(v.FOLDER_NODE, owner, _part(owner, "node")),
            *_codes(owner, {**FOLDER_CODES, **(codes or {})}),
        ),
        external_identifiers=_identifiers(
            owner, {v.FD_PATIENT_ID: PATIENT, v.FD_UNIQUE_ID: f"{SOURCE}.3.{number}", **(identifiers or {})}
        ),
    )
    return replace(folder, **changes)


def make_association(source: str, target: str, association_type: str = v.HAS_MEMBER, **changes: Any) -> Association:
    """An Association between two ids, without slots."""
    association = Association(
        id=_part(f"{association_type.rsplit(':', 1)[-1]}-{source}", target),
        association_type=association_type,
        source=source,
        target=target,
        object_type=v.ASSOCIATION_OBJECT,
    )
    return replace(association, **changes)


def make_member(source: str, target: str, status: str | None = "Original", **changes: Any) -> Association:
    """A HasMember with its SubmissionSetStatus."""
    return make_association(source, target, slots=make_slots({"SubmissionSetStatus": status}), **changes)


def make_documentation(owner: str) -> Classification:
    """The Classification that documents a relationship."""
    return make_code(v.ASSOCIATION_DOCUMENTATION, Code("COR", "1.2.3.4", "Correction"), owner, _part(owner, "doc"))


def make_submission(
    *,
    entries: Iterable[DocumentEntry] | None = None,
    submission_set: SubmissionSet | None = None,
    folders: Iterable[Folder] = (),
    relationships: Iterable[Association] = (),
    **changes: Any,
) -> Submission:
    """A set with one entry (or these) and these folders, each a member of the set, and these further associations.

    `changes` are fields of Submission; `associations=` replaces the memberships too.
    """
    the_set = submission_set or make_set()
    listed, kept = tuple((make_entry(),) if entries is None else entries), tuple(folders)
    submission = Submission(
        submission_sets=(the_set,),
        document_entries=listed,
        folders=kept,
        associations=(
            *(make_member(the_set.id, entry.id) for entry in listed),
            *(make_member(the_set.id, folder.id, None) for folder in kept),
            *relationships,
        ),
    )
    return replace(submission, **changes)


def make_parts(submission: Submission) -> tuple[DocumentPart, ...]:
    """One document for each entry, as an attachment."""
    return tuple(DocumentPart(entry.id, f"{entry.id}@example.org", None) for entry in submission.document_entries)
