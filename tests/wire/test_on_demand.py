"""ITI-61, and documents made when they are asked for (ITI TF-2 3.61, 3.43.4.2)."""

import io
from typing import Any

import pytest

from tests.gateways import RunningGateway
from tests.unit.builders import make_association
from tests.unit.rules.broken import as_sent_in
from xds_gateway.client import Gateway
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.model import vocabulary as v

from .hooks import LARGE
from .messages import (
    NAMESPACES,
    REPOSITORY,
    Answer,
    Message,
    accepted,
    entry_for,
    entry_uuid,
    find_documents,
    new_patient,
    plain,
    provide,
    query,
    registrable,
    retrieve,
    retrieve_body,
    send,
)

RESPONSE = "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse"
KEPT = "1.3.6.1.4.1.21367.13.20.77"  # the repository of the domain with persistence


@pytest.fixture(scope="module")
def maker(start_shared) -> RunningGateway:
    """Two domains that make documents: one gives them only, one keeps them too."""
    hook = {"on_demand": "tests.wire.hooks:make", "on_demand_seconds": 1}
    return start_shared(
        workers=2,
        domains=[
            {"name": "default", **hook},
            {"name": "kept", "repository_unique_id": KEPT, "on_demand_persistence": True, **hook},
        ],
        mounts=[{"path": "/services"}, {"path": "/kept", "domain": "kept"}],
    )


def on_demand(patient: str, *, uri: str = "letter", repository: str = REPOSITORY, **changes: Any) -> Any:
    """A submission of one on-demand entry."""
    entry = entry_for(b"", patient, slots={"repositoryUniqueId": repository, "URI": uri})
    return as_sent_in("ITI-61", registrable(patient, entries=(entry,), **changes))


def register_on_demand(submission: Any) -> Message:
    return plain("ITI-61", render_submission(submission))


def registered(gateway: RunningGateway, *, mount: str = "/services", **changes: Any) -> tuple[str, str]:
    """The uniqueId of an on-demand entry, and its patient."""
    patient = new_patient()
    submission = on_demand(patient, repository=KEPT if mount == "/kept" else REPOSITORY, **changes)
    answer = send(gateway, register_on_demand(submission), mount=mount)
    assert (answer.status, answer.contexts) == ("Success", [])
    return submission.document_entries[0].unique_id or "", patient


def new_ids(answer: Answer) -> list[tuple[str | None, ...]]:
    """NewRepositoryUniqueId and NewDocumentUniqueId of each document."""
    names = ("NewRepositoryUniqueId", "NewDocumentUniqueId")
    return [
        tuple(item.findtext(f"x:{name}", namespaces=NAMESPACES) for name in names)
        for item in answer.all(".//x:DocumentResponse")
    ]


def test_an_on_demand_entry_is_registered_and_found_by_its_type(maker):
    patient = new_patient()
    answer = send(maker, register_on_demand(on_demand(patient)))
    assert (answer.status, answer.action) == ("Success", RESPONSE)
    assert send(maker, find_documents(patient)).entries == []
    (entry,) = send(maker, find_documents(patient, Type=f"('{v.ON_DEMAND_DOCUMENT}')")).entries
    assert entry.get("objectType") == v.ON_DEMAND_DOCUMENT


def test_a_stable_entry_is_refused_under_the_action_of_the_answer(maker):
    answer = send(maker, register_on_demand(registrable()))
    assert (answer.status, answer.action) == ("Failure", RESPONSE)
    assert set(answer.errors) == {"XDSRegistryMetadataError"}
    assert len(answer.errors) == 4  # creationTime, hash, size and the type


def test_the_document_of_an_entry_is_made(maker):
    unique_id, patient = registered(maker)
    answer = send(maker, retrieve(unique_id))
    assert answer.status == "Success"
    assert answer.documents == {unique_id: f"{unique_id} of {patient.split('^')[0]}\n".encode()}
    ((repository, new_id),) = new_ids(answer)
    assert repository is None
    assert new_id not in (None, unique_id)
    assert new_ids(send(maker, retrieve(unique_id))) == [(None, new_id)]


@pytest.mark.parametrize("mount", ["/services", "/kept"])
@pytest.mark.parametrize("plainly", [False, True])
def test_a_large_document_is_streamed_and_kept_only_when_the_domain_says_so(maker, mount, plainly):
    unique_id, _ = registered(maker, mount=mount, uri="large")
    repository = KEPT if mount == "/kept" else REPOSITORY
    body = retrieve_body(unique_id, repository=repository)
    message = plain("ITI-43", body) if plainly else retrieve(unique_id, repository=repository)
    before = stored(maker)
    answer = send(maker, message, mount=mount)
    assert answer.documents == {unique_id: LARGE}
    assert stored(maker) - before == (1 if mount == "/kept" else 0)


def stored(gateway: RunningGateway) -> int:
    """How many documents are stored."""
    return len(list((gateway.data_folder / "documents").glob("??/??/*")))


def test_a_snapshot_is_a_stable_entry_under_the_new_id(maker):
    unique_id, patient = registered(maker, mount="/kept")
    first, second = (send(maker, retrieve(unique_id, repository=KEPT), mount="/kept") for _ in range(2))
    assert new_ids(first) == new_ids(second)
    ((repository, new_id),) = new_ids(first)
    assert repository == KEPT
    (entry,) = send(maker, find_documents(patient), mount="/kept").entries
    assert (
        entry.find(f"rim:ExternalIdentifier[@identificationScheme='{v.DE_UNIQUE_ID}']", NAMESPACES).get("value")
        == new_id
    )
    again = send(maker, retrieve(new_id, repository=KEPT), mount="/kept")
    assert again.documents == {new_id: first.documents[unique_id]}
    assert new_ids(again) == [(None, None)]
    parameters = {
        "$XDSDocumentEntryUniqueId": f"'{new_id}'",
        "$AssociationTypes": f"('{v.IS_SNAPSHOT_OF}')",
        "$XDSDocumentEntryType": f"('{v.STABLE_DOCUMENT}','{v.ON_DEMAND_DOCUMENT}')",
    }
    related = send(maker, query("GetRelatedDocuments", parameters), mount="/kept")
    assert [link.get("sourceObject") for link in related.all(".//rim:Association")] == [entry.get("id")]


@pytest.mark.parametrize("uri", ["failing", "late"])
def test_what_cannot_be_made_is_an_error_of_that_document(maker, uri):
    unique_id, patient = registered(maker, uri=uri)
    stable = accepted(maker, provide(b"stable", patient=patient))
    answer = send(maker, retrieve(unique_id, *stable.unique_ids))
    assert (answer.status, answer.errors) == ("PartialSuccess", ["XDSRepositoryError"])
    assert answer.documents == {stable.unique_ids[0]: b"stable"}
    (error,) = answer.all(".//rs:RegistryError")
    assert (error.get("location") or "").startswith(unique_id)


def test_an_on_demand_entry_takes_the_place_of_a_stable_one(maker):
    patient = new_patient()
    stable = accepted(maker, provide(b"old", patient=patient))
    link = make_association("Document01", entry_uuid(maker, stable.unique_ids[0]), v.RPLC)
    answer = send(maker, register_on_demand(on_demand(patient, relationships=(link,))))
    assert (answer.status, answer.contexts) == ("Success", [])
    assert send(maker, find_documents(patient)).entries == []


def test_the_sdk_tells_the_new_ids(maker):
    unique_id, _ = registered(maker, mount="/kept")
    files = maker.pki.files
    urls = (f"{maker.url}/kept/{endpoint}" for endpoint in ("registry", "repository"))
    with Gateway(*urls, certificate=files.client_certificate, key=files.client_key, ca=files.ca) as gateway:
        (entry,) = gateway.get(unique_id)
        received = gateway.retrieve(entry, io.BytesIO())
    assert received.new_repository_unique_id == KEPT
    assert (received.new_unique_id or "").startswith("2.25.")


def test_a_hook_that_is_not_there_is_told_before_serving(start_gateway):
    with pytest.raises(Exception, match="no module reports_of_nobody"):
        start_gateway(domains=[{"on_demand": "reports_of_nobody:make"}])
