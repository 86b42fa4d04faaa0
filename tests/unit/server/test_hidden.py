"""What a caller may not find is answered as what was never there, and what it could learn all the same is listed.

The side channels are those of docs/decide-access.md, in its order.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.submissions import reading
from tests.unit.actors.test_on_demand import ask_plain, letter, made, register_on_demand
from tests.unit.actors.test_registry import ask, numbered
from tests.unit.builders import (
    CONTENT,
    CONTENT_SHA1,
    PATIENT,
    REPOSITORY,
    Code,
    make_association,
    make_entry,
    make_folder,
    make_member,
    make_set,
    make_submission,
)
from tests.unit.domains import Domain, make_call, open_domain
from tests.unit.server.exchanges import Bench, Received, mtom, plain
from tests.unit.server.test_every_rule import provide
from tests.unit.updates import make_status_update, make_submit, make_update
from xds_gateway.codec import xdsb
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.codec.soap import DRY_RUN_HEADER
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import (
    DocumentRequest,
    RegisterRequest,
    RemoveDocumentsRequest,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import Submission
from xds_gateway.model.principal import Access
from xds_gateway.server.exchange import HttpRequest

SECRET = {v.DE_CONFIDENTIALITY_CODE: (Code("V", "2.16.840.1.113883.5.25", "Very restricted"),)}
HIDDEN_ID, UNKNOWN_ID, SEEN_ID, FOLDER_ID, HIDDEN_FOLDER = (
    f"urn:uuid:{n}0000000-0000-4000-8000-000000000000" for n in "12345"
)
HIDDEN_UNIQUE, UNKNOWN_UNIQUE = make_entry(1).unique_id or "", make_entry(9).unique_id or ""
READER = Access.alike(reading("N"))


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    """A document that the reader may not find, with a folder of its own; one that it may, in a folder with both."""
    with open_domain(tmp_path, hook=letter) as opened:
        hidden, seen = make_entry(1, id=HIDDEN_ID, codes=SECRET), make_entry(2, id=SEEN_ID)
        folders = (make_folder(1, id=FOLDER_ID), make_folder(2, id=HIDDEN_FOLDER))
        links = [
            make_association(folder, entry, id=f"link{n}")
            for n, (folder, entry) in enumerate(
                [(FOLDER_ID, HIDDEN_ID), (FOLDER_ID, SEEN_ID), (HIDDEN_FOLDER, HIDDEN_ID)]
            )
        ]
        told = [make_member("SubmissionSet01", link.id, None) for link in links]
        provide(opened, make_submission(entries=(hidden, seen), folders=folders, relationships=(*links, *told)))
        yield opened


def answer(domain: Domain, request: HttpRequest, endpoint: str, access: Access = READER) -> Received:
    return Bench(domain, access=lambda _: access).answer(request, endpoint)


def rules(received: Received) -> list[str]:
    return [name.decode() for name in re.findall(rb"rule=([\w.]+)", received.content)]


# --- hidden is unknown ------------------------------------------------------------------------------------------------


def submitting(*relationships: Any, folders: Any = ()) -> bytes:
    return render_submission(numbered(5, relationships=relationships, folders=folders))


def relating(kind: str) -> Callable[[str, str], tuple[str, bytes]]:
    return lambda uuid, _: ("ITI-42", submitting(make_association("Document05", uuid, kind)))


def filing(uuid: str, _: str) -> tuple[str, bytes]:
    """A document put into a folder."""
    link = make_association(uuid, "Document05", id="filed")
    return "ITI-42", submitting(link, make_member("SubmissionSet05", link.id, None))


def referring(uuid: str, _: str) -> tuple[str, bytes]:
    return "ITI-42", submitting(make_member("SubmissionSet05", uuid, "Reference"))


def updating(transaction: str) -> Callable[[str, str], tuple[str, bytes]]:
    def update(uuid: str, unique_id: str) -> tuple[str, bytes]:
        slots = {"repositoryUniqueId": REPOSITORY}
        entry = make_entry(1, lid=uuid, slots=slots, identifiers={v.DE_UNIQUE_ID: unique_id})
        return transaction, render_submission(make_update(entry, submission_set=make_set(9)))

    return update


def deprecating(uuid: str, _: str) -> tuple[str, bytes]:
    update = make_update(submission_set=make_set(9), associations=(make_status_update(uuid, source="SubmissionSet09"),))
    return "ITI-57", render_submission(update)


def associating(uuid: str, _: str) -> tuple[str, bytes]:
    link = make_association(SEEN_ID, uuid, v.APND, id="new")
    made = (link, make_submit(link.id, source="SubmissionSet09"))
    return "ITI-57", render_submission(make_update(submission_set=make_set(9), associations=made))


def removing(uuid: str, _: str) -> tuple[str, bytes]:
    return "ITI-62", xdsb.render_remove_request(RemoveRequest(references=(uuid,)))


def erasing(_: str, unique_id: str) -> tuple[str, bytes]:
    asked = RemoveDocumentsRequest(documents=(DocumentRequest(REPOSITORY, unique_id),))
    return "ITI-86", xdsb.render_remove_documents_request(asked)


def retrieving(_: str, unique_id: str) -> tuple[str, bytes]:
    return "ITI-43", xdsb.render_retrieve_request(RetrieveRequest(documents=(DocumentRequest(REPOSITORY, unique_id),)))


def querying(name: str, return_type: str, **parameters: str) -> Callable[[str, str], tuple[str, bytes]]:
    def query(uuid: str, unique_id: str) -> tuple[str, bytes]:
        told = {key: value.format(uuid=uuid, unique_id=unique_id) for key, value in parameters.items()}
        return "ITI-18", xdsb.render_query_request(ask(name, return_type, **told))

    return query


ENDPOINTS = {"ITI-43": "repository", "ITI-86": "repository", "ITI-92": "responder"}
CHANGES = {
    **{f"submit {kind.rpartition(':')[2]}": relating(kind) for kind in (v.RPLC, v.APND, v.XFRM, v.XFRM_RPLC, v.SIGNS)},
    "refer": referring,
    "update": updating("ITI-57"),
    "restricted update": updating("ITI-92"),
    "deprecate": deprecating,
    "associate": associating,
    "remove": removing,
    "remove document": erasing,
}
READS = {
    "retrieve": retrieving,
    **{
        f"{name} by {key}, {kind}": querying(name, kind, **{key: value})
        for name, quotes in (
            ("GetDocuments", "('{}')"),
            ("GetDocumentsAndAssociations", "('{}')"),
            ("GetFoldersForDocument", "'{}'"),
        )
        for key, value in (("EntryUUID", quotes.format("{uuid}")), ("UniqueId", quotes.format("{unique_id}")))
        for kind in ("LeafClass", "ObjectRef")
    },
}


@pytest.mark.parametrize(
    ("name", "header"), [*((name, "") for name in (*CHANGES, *READS)), *((name, DRY_RUN_HEADER) for name in CHANGES)]
)
def test_a_hidden_document_is_answered_as_an_unknown_one(domain: Domain, name: str, header: str) -> None:
    told = []
    for uuid, unique_id in ((HIDDEN_ID, HIDDEN_UNIQUE), (UNKNOWN_ID, UNKNOWN_UNIQUE)):
        transaction, body = {**CHANGES, **READS}[name](uuid, unique_id)
        request = mtom(transaction, body) if transaction == "ITI-43" else plain(transaction, body, header)
        content = answer(domain, request, ENDPOINTS.get(transaction, "registry")).content
        content = content.replace(uuid.encode(), b"ID").replace(unique_id.encode(), b"UNIQUE")
        told.append(re.sub(rb"[0-9a-f]{8}-aaaa-4aaa-8aaa-aaaaaaaaaaaa", b"new", content))
    assert told[0] == told[1]


def test_a_hidden_folder_takes_no_document(domain: Domain) -> None:
    for folder in (HIDDEN_FOLDER, UNKNOWN_ID):
        transaction, body = filing(folder, "")
        assert rules(answer(domain, plain(transaction, body), "registry")) == ["ihe.registry.source.unknown"]
    transaction, body = filing(FOLDER_ID, "")
    assert rules(answer(domain, plain(transaction, body), "registry")) == []


def test_nothing_is_made_of_a_hidden_entry_on_demand(domain: Domain) -> None:
    register_on_demand(domain, made(7, entry={"codes": SECRET}))
    unique_id = make_entry(7).unique_id or ""
    _, body = retrieving("", unique_id)
    assert rules(answer(domain, mtom("ITI-43", body), "repository")) == ["ihe.retrieve.document"]
    assert rules(answer(domain, mtom("ITI-43", body), "repository", Access.everything("main"))) == []


# --- side channels ----------------------------------------------------------------------------------------------------


def register(submission: Submission) -> HttpRequest:
    return plain("ITI-42", render_submission(submission))


def test_the_hash_and_size_of_a_hidden_document_are_not_told(domain: Domain) -> None:
    slots = {"hash": "0" * 40, "size": "21", "repositoryUniqueId": REPOSITORY}
    again = numbered(5, entry={"identifiers": {v.DE_UNIQUE_ID: HIDDEN_UNIQUE}, "slots": slots})
    hidden = answer(domain, register(again), "registry")
    assert sorted(rules(hidden)) == ["ihe.registry.hash", "ihe.registry.size"]
    assert CONTENT_SHA1.encode() not in hidden.content
    shown = answer(domain, register(again), "registry", Access.everything("main"))
    assert CONTENT_SHA1.encode() in shown.content


def test_who_has_the_bytes_may_submit_them_again_and_gets_their_own(domain: Domain) -> None:
    again = numbered(5, entry={"identifiers": {v.DE_UNIQUE_ID: HIDDEN_UNIQUE}})
    provide(domain, again)
    _, body = retrieving("", HIDDEN_UNIQUE)
    assert CONTENT in answer(domain, mtom("ITI-43", body), "repository").content


def test_an_id_that_is_taken_is_refused_without_more(domain: Domain) -> None:
    taken = numbered(5, entry={"id": HIDDEN_ID})
    assert rules(answer(domain, register(taken), "registry")) == ["ihe.registry.id"]


def test_a_replacement_deprecates_hidden_addenda_and_a_dry_run_does_not_tell(domain: Domain) -> None:
    addendum = numbered(6, entry={"codes": SECRET}, relationships=(make_association("Document06", SEEN_ID, v.APND),))
    provide(domain, addendum)
    body = submitting(make_association("Document05", SEEN_ID, v.RPLC))
    told = answer(domain, plain("ITI-42", body, DRY_RUN_HEADER), "registry").content
    everything = answer(domain, plain("ITI-42", body, DRY_RUN_HEADER), "registry", Access.everything("main")).content
    assert tuple(each.count(b"StatusType:Deprecated") for each in (told, everything)) == (1, 2)
    assert rules(answer(domain, plain("ITI-42", body), "registry")) == []
    find = ask("FindDocuments", PatientId=f"'{PATIENT}'", Status=f"('{v.DEPRECATED}')")
    deprecated = domain.registry.query(make_call("ITI-18"), find).fragments
    assert len(deprecated) == 2


def test_what_keeps_a_set_from_being_removed_is_not_named_when_it_is_hidden(domain: Domain) -> None:
    find = ask_plain("GetSubmissionSets", SEEN_ID)
    (set_id,) = re.findall(
        rb'<rim:RegistryPackage[^>]* id="(urn:uuid:[^"]+)"',
        b"".join(domain.registry.query(make_call("ITI-18"), find).fragments),
    )
    body = xdsb.render_remove_request(RemoveRequest(references=(set_id.decode(),)))
    told = answer(domain, plain("ITI-62", body), "registry").content
    assert b"that is not shown to you" in told
    shown = answer(domain, plain("ITI-62", body), "registry", Access.everything("main")).content
    assert b"that is not shown to you" not in shown
    bodies = (each.partition(b"RegistryErrorList")[2] for each in (told, shown))
    named, all_named = (set(re.findall(rb"urn:uuid:[0-9a-f-]{36}", each)) for each in bodies)
    assert named < all_named


def test_a_document_with_a_hidden_entry_is_not_removed_by_who_sees_another_one(domain: Domain) -> None:
    provide(domain, numbered(5, entry={"identifiers": {v.DE_UNIQUE_ID: HIDDEN_UNIQUE}}))
    _, body = erasing("", HIDDEN_UNIQUE)
    assert rules(answer(domain, plain("ITI-86", body), "repository")) == ["ihe.access.remove"]
    assert rules(answer(domain, plain("ITI-86", body), "repository", Access.everything("main"))) == []


def test_a_later_version_that_is_hidden_takes_the_earlier_ones_with_it(domain: Domain) -> None:
    slots = {"repositoryUniqueId": REPOSITORY}
    entry = make_entry(2, lid=SEEN_ID, slots=slots, codes=SECRET)
    update = RegisterRequest(submission=make_update(entry, submission_set=make_set(9)))
    domain.actors.updates.update(make_call("ITI-57"), update)
    for level in ("1", "2"):
        query = ask("GetDocuments", UniqueId=f"('{make_entry(2).unique_id}')")
        query = type(query)(
            query_id=query.query_id,
            return_type=query.return_type,
            parameters=(*query.parameters, ("$MetadataLevel", (level,))),
        )
        assert domain.registry.query(make_call("ITI-18", access=READER), query).fragments == ()
        assert len(domain.registry.query(make_call("ITI-18"), query).fragments) == int(level)


def test_a_refusal_is_audited(domain: Domain) -> None:
    before = len(domain.journal())
    answer(domain, register(numbered(5, entry={"codes": SECRET})), "registry")
    (event,) = domain.journal()[before:]
    assert (event.outcome, event.codes) == ("failure", ("XDSRegistryError",))
