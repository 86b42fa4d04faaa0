"""Updates as an administrator sends them, and versions as a consumer sees them."""

from dataclasses import replace
from typing import Any

from lxml import etree

from tests.gateways import RunningGateway
from tests.unit.builders import make_association, make_folder, make_member, make_set
from tests.unit.updates import make_update
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import DocumentEntry, Folder, LocalizedString, Submission

from .messages import (
    ACTIONS,
    NAMESPACES,
    REPOSITORY,
    Answer,
    Message,
    Provide,
    accepted,
    entry_uuid,
    new_oid,
    new_urn,
    plain,
    provide,
    query,
    send,
)

BOTH_STATUSES = f"('{v.APPROVED}','{v.DEPRECATED}')"


def registered(gateway: RunningGateway, patient: str, **changes: Any) -> tuple[Provide, str]:
    """A document and its entryUUID."""
    made = accepted(gateway, provide(b"the letter", patient=patient, **changes))
    return made, entry_uuid(gateway, made.unique_ids[0])


def version_of(made: Provide, uuid: str, **changes: Any) -> DocumentEntry:
    """The next version of a document, as an administrator sends it."""
    slots = tuple(s for s in made.entry.slots if s.name != "repositoryUniqueId")
    own = made.entry.slots[0]._replace(name="repositoryUniqueId", values=(REPOSITORY,))
    return replace(made.entry, **{"id": "Document01", "lid": uuid, "slots": (*slots, own), **changes})


def renamed(item: Any, identifier: str, **changes: Any) -> Any:
    """The same under another id, its parts too."""
    return replace(
        item,
        id=identifier,
        classifications=tuple(
            c._replace(id=f"{identifier}-c{n}", classified_object=identifier)
            for n, c in enumerate(item.classifications)
        ),
        external_identifiers=tuple(
            e._replace(id=f"{identifier}-e{n}", registry_object=identifier)
            for n, e in enumerate(item.external_identifiers)
        ),
        **changes,
    )


def titled(made: Provide, uuid: str, title: str) -> DocumentEntry:
    return version_of(made, uuid, name=(LocalizedString(title),))


def update(patient: str, *items: DocumentEntry | Folder, **changes: Any) -> Submission:
    """An update of this patient, with a set of its own."""
    identifiers = {v.SS_PATIENT_ID: patient, v.SS_UNIQUE_ID: new_oid()}
    return make_update(*items, submission_set=make_set(identifiers=identifiers, home=None), **changes)


def message(submission: Submission, transaction: str = "ITI-57") -> Message:
    return plain(transaction, render_submission(submission))


def updated(gateway: RunningGateway, submission: Submission, transaction: str = "ITI-57") -> None:
    """An update, which must succeed."""
    answer = send(gateway, message(submission, transaction))
    assert (answer.status, answer.contexts) == ("Success", [])


def refused(gateway: RunningGateway, submission: Submission, transaction: str = "ITI-57") -> Answer:
    """An update, which must be refused in the right frame."""
    answer = send(gateway, message(submission, transaction))
    assert (answer.status, answer.action, answer.multipart) == ("Failure", f"{ACTIONS[transaction]}Response", False)
    assert all(answer.contexts)
    return answer


def versions(gateway: RunningGateway, unique_id: str, level: int = 2) -> list[etree._Element]:
    """The versions of a document that a query shows."""
    parameters = {"$XDSDocumentEntryUniqueId": f"('{unique_id}')", "$MetadataLevel": str(level)}
    return send(gateway, query("GetDocuments", parameters)).entries


def told(entry: etree._Element) -> tuple[str, str, str]:
    """lid, version and status of an object."""
    version = entry.find("rim:VersionInfo", NAMESPACES)
    return entry.get("lid", ""), version.get("versionName", ""), entry.get("status", "").rsplit(":", 1)[1]


def associations(gateway: RunningGateway, *uuids: str) -> list[etree._Element]:
    listed = ",".join(f"'{uuid}'" for uuid in uuids)
    parameters = {"$uuid": f"({listed})", "$MetadataLevel": "2", "$XDSAssociationStatus": BOTH_STATUSES}
    return send(gateway, query("GetAssociations", parameters)).all(".//rim:Association")


def folder_of(patient: str) -> Folder:
    return make_folder(id=new_urn(), home=None, identifiers={v.FD_PATIENT_ID: patient, v.FD_UNIQUE_ID: new_oid()})


def filed(gateway: RunningGateway, patient: str) -> tuple[Provide, str, Folder]:
    """A document in a folder."""
    folder = folder_of(patient)
    made = provide(b"the letter", patient=patient, folders=(folder,))
    filing = make_association(folder.id, made.entry.id)
    telling = make_member(made.submission.submission_sets[0].id, filing.id, None)
    submission = replace(made.submission, associations=(*made.submission.associations, filing, telling))
    accepted(gateway, replace(made, submission=submission))
    return made, entry_uuid(gateway, made.unique_ids[0]), folder
