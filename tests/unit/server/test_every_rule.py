"""Every row of the profile has a request that passes and one that differs only there: this module has those of the rows
that others than the metadata rules report, asked through the pipeline, and sees that no row is left without a pair."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest

from tests.unit.actors import test_versions
from tests.unit.actors.broken_state import STATE
from tests.unit.actors.test_on_demand import entries, failing, letter, made, register_on_demand
from tests.unit.actors.test_registry import ask, find, numbered
from tests.unit.actors.test_removals import registered_ids
from tests.unit.builders import (
    CONTENT,
    OTHER_PATIENT,
    PATIENT,
    REGISTERED,
    REPOSITORY,
    make_association,
    make_entry,
    make_parts,
    make_set,
    make_submission,
)
from tests.unit.domains import Domain, make_call, open_domain
from tests.unit.rules import test_updates, test_value_sets
from tests.unit.rules.test_ihe import OF_MESSAGES
from tests.unit.server.exchanges import Bench, mtom, plain
from tests.unit.server.test_pipeline import FailingStore, attached, provide_body
from tests.unit.updates import make_update
from xds_gateway.codec import xdsb
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.model import vocabulary as v
from xds_gateway.model.errors import StorageBusy, StorageFull
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.messages import (
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    RegisterRequest,
    RemoveDocumentsRequest,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import Submission
from xds_gateway.model.principal import Access, AccessFilter, Permit
from xds_gateway.rules.engine import LIMIT
from xds_gateway.rules.ihe import IHE
from xds_gateway.server.exchange import HttpRequest

TWO = make_submission(entries=(make_entry(1), make_entry(2)))
OURS = DocumentRequest(REPOSITORY, make_entry(1).unique_id or "")
HOME = "urn:oid:1.2.3"
CODE = "'34105-7^^2.16.840.1.113883.6.1'"


class Asked(NamedTuple):
    """One request, its endpoint, what is done to the domain before, and how the domain is set."""

    request: Callable[[Domain], HttpRequest]
    endpoint: str = "repository"
    before: Callable[[Domain], Any] = lambda domain: None
    domain: Mapping[str, Any] = {}
    access: Access = Access.everything("main")

    def rules(self, folder: Path) -> set[str]:
        """The rules that the answer names."""
        with open_domain(folder, **self.domain) as domain:
            self.before(domain)
            answer = Bench(domain, access=lambda _: self.access).answer(self.request(domain), self.endpoint)
        return {name.decode() for name in re.findall(rb"rule=([\w.]+)", answer.content)}


def provide(domain: Domain, submission: Submission = TWO, content: bytes = CONTENT) -> None:
    """A submission that is there already."""
    request = ProvideRequest(submission=submission, parts=make_parts(submission))
    spooled = {entry.id: domain.spool(content) for entry in submission.document_entries}
    domain.repository.provide(make_call("ITI-41"), request, spooled)


# --- documents and their parts: ITI-41 --------------------------------------------------------------------------------


def providing(submission: Submission = TWO, *, parts: Any = None, left_out: int = 0) -> Asked:
    body = provide_body(submission, parts)
    return Asked(lambda _: mtom("ITI-41", body, attached(submission)[left_out:]))


def declared(**slots: str) -> Asked:
    return providing(make_submission(entries=(make_entry(slots=slots),)))


PARTS = make_parts(TWO)
DOCUMENTS = {
    "ihe.document.missing": (providing(), providing(parts=PARTS[:1])),
    "ihe.document.entry": (providing(), providing(parts=(*PARTS, PARTS[0]._replace(id="Document03")))),
    "ihe.document.once": (providing(), providing(parts=(*PARTS, PARTS[0]))),
    "ihe.document.hash": (declared(), declared(hash="0" * 40)),
    "ihe.document.size": (declared(), declared(size="21")),
    "ihe.document.part": (providing(), providing(left_out=1)),
}

# --- what is found out while a message is read ------------------------------------------------------------------------


def registering(change: Callable[[bytes], bytes] = bytes) -> Asked:
    return Asked(lambda _: plain("ITI-42", change(render_submission(make_submission()))), "registry")


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    return change


def asking(query: QueryRequest, transaction: str = "ITI-18", **how: Any) -> Asked:
    return Asked(lambda _: plain(transaction, xdsb.render_query_request(query)), "registry", **how)


def get_documents(**ids: str) -> QueryRequest:
    return ask("GetDocuments", **ids)


def of_many(**parameters: str) -> QueryRequest:
    request = ask("FindDocuments", Status=f"('{v.APPROVED}')", **parameters)
    return replace(request, query_id="urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f")


def retrieving(asked: DocumentRequest = OURS, **how: Any) -> Asked:
    body = xdsb.render_retrieve_request(RetrieveRequest(documents=(asked,)))
    return Asked(lambda _: mtom("ITI-43", body), **{"before": provide, **how})


def of_two_patients(domain: Domain) -> None:
    register(domain, numbered(1))
    other = {v.DE_PATIENT_ID: OTHER_PATIENT}
    register(domain, numbered(2, entry={"identifiers": other}, set={"identifiers": {v.SS_PATIENT_ID: OTHER_PATIENT}}))


def register(domain: Domain, submission: Submission) -> None:
    domain.registry.register(make_call("ITI-42"), RegisterRequest(submission=submission))


BOTH_DOCUMENTS = f"('{make_entry(1).unique_id}','{make_entry(2).unique_id}')"
LOGICAL = ask("GetDocuments", LogicalID=f"('{REGISTERED}')")
READING = {
    "ihe.ebrim.objectList": (
        registering(),
        registering(replaced(b"</lcm:SubmitObjects", b"<rim:RegistryObjectList/></lcm:SubmitObjects")),
    ),
    "ihe.ebrim.element": (registering(), registering(replaced(b"<rim:ValueList>", b"<rim:ValueList><rim:Name/>"))),
    "ihe.ebrim.attribute": (registering(), registering(replaced(b' name="urn:example:ward"', b' name=""'))),
    "ihe.query.unknown": (asking(find()), asking(replace(find(), query_id="urn:uuid:0"))),
    "ihe.query.returnType": (asking(find()), asking(find(return_type="RegistryObject"))),
    "ihe.query.required": (asking(find()), asking(ask("FindDocuments", Status=f"('{v.APPROVED}')"))),
    "ihe.query.single": (asking(find()), asking(find(f"{PATIENT}','{OTHER_PATIENT}"))),
    "ihe.query.either": (asking(get_documents(UniqueId="('1.2.3')")), asking(get_documents())),
    "ihe.query.someOf": (
        asking(of_many(ClassCode=f"({CODE})"), "ITI-51"),
        asking(of_many(), "ITI-51"),
    ),
    "ihe.query.logicalId": (
        asking(replace(LOGICAL, parameters=(*LOGICAL.parameters, ("$MetadataLevel", ("2",))))),
        asking(LOGICAL),
    ),
    "ihe.query.value": (asking(find(TypeCode=f"({CODE})")), asking(find(TypeCode="('34105-7')"))),
    "ihe.query.tooMany": (
        asking(find(), before=lambda d: register(d, TWO), domain={"max_results": 2}),
        asking(find(), before=lambda d: register(d, TWO), domain={"max_results": 1}),
    ),
    "ihe.query.singlePatient": (
        asking(ask("GetDocuments", "ObjectRef", UniqueId=BOTH_DOCUMENTS), before=of_two_patients),
        asking(ask("GetDocuments", UniqueId=BOTH_DOCUMENTS), before=of_two_patients),
    ),
    "ihe.retrieve.RepositoryUniqueId": (retrieving(), retrieving(OURS._replace(repository_unique_id=""))),
    "ihe.retrieve.DocumentUniqueId": (retrieving(), retrieving(OURS._replace(document_unique_id=""))),
}

# --- what the service can give ----------------------------------------------------------------------------------------


def damaged(domain: Domain) -> None:
    provide(domain)
    for path in (domain.folder / "data" / "documents").glob("??/??/*"):
        path.write_bytes(b"x" * len(CONTENT))


def on_demand(hook: Any, *, deprecated: bool = False, **limits: Any) -> Asked:
    def before(domain: Domain) -> None:
        register_on_demand(domain, made())
        if deprecated:
            (entry,) = entries(domain)
            register_on_demand(domain, made(2, relationships=(make_association("Document02", entry.id, v.RPLC),)))

    return retrieving(before=before, domain={"hook": hook, **limits})


def kind_of(domain: Domain, uuid: str) -> str:
    return domain.storage.registry.inspect(lambda snapshot: snapshot.objects((uuid,)))[uuid].kind


def never(*_: Any) -> Any:
    Event().wait()


def failing_store(failure: Exception, asked: Asked) -> Asked:
    return asked._replace(domain={"store": FailingStore(failure)})


SERVICE = {
    "ihe.retrieve.home": (
        retrieving(OURS._replace(home=HOME), domain={"home_community_id": HOME}),
        retrieving(OURS._replace(home="urn:oid:9.9"), domain={"home_community_id": HOME}),
    ),
    "ihe.retrieve.repository": (retrieving(), retrieving(OURS._replace(repository_unique_id="1.2.3"))),
    "ihe.retrieve.document": (retrieving(), retrieving(OURS._replace(document_unique_id="1.2.3"))),
    "ihe.document.damaged": (retrieving(), retrieving(before=damaged)),
    "ihe.onDemand.failed": (on_demand(letter), on_demand(failing)),
    "ihe.onDemand.time": (on_demand(letter, seconds=30), on_demand(never, seconds=0.01)),
    "ihe.onDemand.snapshot": (on_demand(letter, persistent=True), on_demand(letter, persistent=True, deprecated=True)),
    "ihe.registry.full": (registering(), failing_store(StorageFull("full"), registering())),
    "ihe.registry.busy": (registering(), failing_store(StorageBusy("busy"), registering())),
    "ihe.registry.failed": (registering(), failing_store(RuntimeError("broken"), registering())),
    "ihe.repository.full": (providing(), failing_store(StorageFull("full"), providing())),
    "ihe.repository.busy": (providing(), failing_store(StorageBusy("busy"), providing())),
    "ihe.repository.failed": (providing(), failing_store(RuntimeError("broken"), providing())),
}

# --- removal ----------------------------------------------------------------------------------------------------------


def removing(choose: Callable[[Domain], list[str]] = registered_ids, **more: Any) -> Asked:
    def request(domain: Domain) -> HttpRequest:
        removed = RemoveRequest(references=tuple(choose(domain)), **more)
        return plain("ITI-62", xdsb.render_remove_request(removed))

    return Asked(request, "registry", before=provide)


def without(kind: str) -> Callable[[Domain], list[str]]:
    return lambda domain: [item for item in registered_ids(domain) if kind_of(domain, item) != kind]


def erasing(asked: DocumentRequest = OURS, **how: Any) -> Asked:
    body = xdsb.render_remove_documents_request(RemoveDocumentsRequest(documents=(asked,)))
    return Asked(lambda _: plain("ITI-86", body), **{"before": provide, **how})


def stuck(domain: Domain) -> None:
    """Documents that cannot be deleted: their place is a folder."""
    provide(domain)
    for path in (domain.folder / "data" / "documents").glob("??/??/*"):
        path.unlink()
        path.mkdir()


REMOVAL = {
    "ihe.remove.query": (removing(), removing(queries=1)),
    "ihe.remove.scope": (removing(), removing(deletion_scope="urn:example:everything")),
    "ihe.remove.empty": (removing(), removing(lambda _: [])),
    "ihe.remove.unknown": (
        removing(),
        removing(lambda domain: [*registered_ids(domain), "urn:uuid:00000000-0000-4000-8000-00000000ffff"]),
    ),
    "ihe.remove.referenced": (removing(), removing(without("Association"))),
    "ihe.remove.unreferenced": (removing(), removing(without("DocumentEntry"))),
    "ihe.remove.home": (
        erasing(OURS._replace(home=HOME), domain={"home_community_id": HOME}),
        erasing(OURS._replace(home="urn:oid:9.9"), domain={"home_community_id": HOME}),
    ),
    "ihe.remove.repository": (erasing(), erasing(OURS._replace(repository_unique_id="1.2.3"))),
    "ihe.remove.document": (erasing(), erasing(OURS._replace(document_unique_id="1.2.3"))),
    "ihe.remove.store": (erasing(), erasing(before=stuck)),
}

# --- what a caller may do: both messages are the same, the rights differ ----------------------------------------------


def may(asked: Asked, **rights: AccessFilter) -> Asked:
    """The request of a caller who may do everything, but this by another filter."""
    return asked._replace(access=asked.access._replace(**rights))


def replacing() -> Asked:
    def request(domain: Domain) -> HttpRequest:
        (old,) = entries(domain, v.STABLE_DOCUMENT)
        new = numbered(2, relationships=(make_association("Document02", old.id, v.RPLC),))
        return plain("ITI-42", render_submission(new))

    return Asked(request, "registry", before=lambda domain: provide(domain, make_submission()))


def updating() -> Asked:
    def request(domain: Domain) -> HttpRequest:
        (old,) = entries(domain, v.STABLE_DOCUMENT)
        own = {"repositoryUniqueId": REPOSITORY}
        update = make_update(make_entry(1, lid=old.id, slots=own), submission_set=make_set(9))
        return plain("ITI-57", render_submission(update))

    return Asked(request, "registry", before=lambda domain: provide(domain, make_submission()))


NOTHING, OTHERS = AccessFilter("main", ()), AccessFilter("main", (Permit(organization="9.9"),))
ELSEWHERE = AccessFilter.everything("main")._replace(patient=PatientId("7", "1.2.3"))
ACCESS = {
    "ihe.access.action": (registering(), may(registering(), submit=NOTHING)),
    "ihe.access.patient": (registering(), may(registering(), find=ELSEWHERE)),
    "ihe.access.submit": (registering(), may(registering(), submit=OTHERS)),
    "ihe.access.replace": (replacing(), may(replacing(), replace=OTHERS)),
    "ihe.access.update": (updating(), may(updating(), update=OTHERS)),
    "ihe.access.remove": (removing(), may(removing(), remove=OTHERS)),
}

# --- the rest ---------------------------------------------------------------------------------------------------------


def wrong_languages(count: int) -> Asked:
    wrong = [make_entry(number, slots={"languageCode": "fr_FR"}) for number in range(1, count + 1)]
    return Asked(lambda _: plain("ITI-42", render_submission(make_submission(entries=wrong))), "registry")


ASKED: Mapping[str, tuple[Asked, Asked]] = {**DOCUMENTS, **READING, **SERVICE, **REMOVAL, **ACCESS}
PAIRED_ELSEWHERE = {
    *OF_MESSAGES,
    *STATE,
    *test_updates.PAIRS,
    *test_versions.PAIRS,
    *test_versions.ELSEWHERE,
    *test_value_sets.BROKEN,
}


def test_no_row_of_the_profile_is_without_a_pair() -> None:
    assert set(IHE.rules) - PAIRED_ELSEWHERE - set(ASKED) == {"ihe.more"}


@pytest.mark.parametrize("rule", ASKED)
def test_a_request_that_keeps_the_rule_is_answered_without_it(tmp_path: Path, rule: str) -> None:
    assert ASKED[rule][0].rules(tmp_path) == set()


@pytest.mark.parametrize("rule", ASKED)
def test_one_that_breaks_it_is_told_that_rule_and_no_other(tmp_path: Path, rule: str) -> None:
    assert ASKED[rule][1].rules(tmp_path) == {rule}


def test_findings_over_the_limit_are_counted(tmp_path: Path) -> None:
    assert wrong_languages(LIMIT).rules(tmp_path) == {"ihe.de.languageCode.format"}
    assert wrong_languages(LIMIT + 1).rules(tmp_path) == {"ihe.de.languageCode.format", "ihe.more"}
