"""A gateway and the small registry beside it: every request goes to both, and they must agree."""

import copy
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from tests.databases import empty_database
from tests.unit.builders import REPOSITORY
from tests.unit.domains import open_domain
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.codec.xdsb import (
    render_provide_request,
    render_query_request,
    render_register_request,
    render_remove_documents_request,
    render_remove_request,
    render_retrieve_request,
)
from xds_gateway.model import vocabulary as v
from xds_gateway.model.feeds import FeedMessage
from xds_gateway.model.identifiers import is_oid
from xds_gateway.model.messages import (
    DocumentPart,
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    RemoveDocumentsRequest,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import (
    Association,
    DocumentEntry,
    Folder,
    RegistryObject,
    Submission,
    SubmissionSet,
)

from . import links, patients, questions, removals, retries, submissions, updates
from .door import CALLERS, Door, NoJournal, Reply, Seen
from .messages import CODED, FILTERED, PATIENTS
from .questions import BOTH, Question, View
from .registry import DEFAULT, Codes, Policy, Registry, Thing
from .retries import Request

VERSIONED: Mapping[type[RegistryObject], str] = {DocumentEntry: "Documents", Folder: "Folders"}
_START = datetime(2026, 3, 14, 9)


class World:
    """One domain and its small registry."""

    def __init__(self, folder: Path, policy: Policy = DEFAULT) -> None:
        self.registry = Registry(policy)
        self.steps = 0
        shutil.copy(empty_database(), folder)
        self._opening = open_domain(folder, journal=NoJournal(), now=lambda: self.now, **policy._asdict())
        self._domain = self._opening.__enter__()
        self._door = Door(self._domain, lambda: self.now, patients_open=policy.patients_open)

    @property
    def now(self) -> str:
        """The time of the step, to the second."""
        return f"{_START + timedelta(seconds=self.steps):%Y%m%d%H%M%S}"

    def close(self) -> None:
        self._opening.__exit__(None, None, None)

    # -- requests; each returns the codes on which both agree

    def submit(
        self,
        message: Submission,
        transaction: str,
        contents: Mapping[str, bytes] | None = None,
        *,
        dry: bool = False,
        caller: str = CALLERS[0],
    ) -> Codes:
        """ITI-41, ITI-42 or ITI-61; `contents` are the documents of ITI-41 by entryUUID."""
        return self.send(Request(caller, transaction, message, contents or {}), dry=dry)

    def update(self, message: Submission, *, restricted: bool = False, dry: bool = False) -> Codes:
        """ITI-57, or the restricted ITI-92."""
        return self.send(Request(CALLERS[0], "ITI-92" if restricted else "ITI-57", message, {}), dry=dry)

    def send(self, request: Request, *, dry: bool = False) -> Codes:
        """A submission or an update, for the first time or again."""
        caller, transaction, message, contents = request
        body = render_register_request(message)
        if transaction == "ITI-41":
            parts = tuple(DocumentPart(entry.id, f"{entry.id[9:]}@x", None) for entry in message.document_entries)
            body = render_provide_request(ProvideRequest(submission=message, parts=parts))
        with self._step(dry) as registry:
            expected = self._expected(registry, request)
            reply = self._door.send(transaction, body, contents, dry=dry, caller=caller)
            self._compare(transaction, reply, expected)
        named = {item.lid or item.id for item in (*message.document_entries, *message.folders)}
        return self._agree({item.id for item in message.objects} | named | _ends(message.associations), expected)

    def _expected(self, registry: Registry, request: Request) -> Codes:
        _, transaction, message, contents = request
        if retries.was_performed(registry, request):
            return set()
        if transaction in ("ITI-57", "ITI-92"):
            expected = updates.update(registry, message, restricted=transaction == "ITI-92", now=self.now)
        else:
            expected = submissions.submit(registry, message, transaction, contents, self.now)
        if not expected:
            retries.remember(registry, request)
        return expected

    def remove(self, identifiers: Sequence[str], *, dry: bool = False) -> Codes:
        """ITI-62."""
        with self._step(dry) as registry:
            expected = removals.remove(registry, identifiers)
            body = render_remove_request(RemoveRequest(references=tuple(identifiers)))
            self._compare("ITI-62", self._door.send("ITI-62", body, dry=dry), expected)
        return self._agree(identifiers, expected)

    def remove_documents(self, unique_ids: Sequence[str], *, dry: bool = False) -> Codes:
        """ITI-86."""
        with self._step(dry) as registry:
            status, expected = removals.remove_documents(registry, unique_ids)
            documents = tuple(DocumentRequest(REPOSITORY, each) for each in unique_ids)
            body = render_remove_documents_request(RemoveDocumentsRequest(documents=documents))
            self._compare("ITI-86", self._door.send("ITI-86", body, dry=dry), expected, status)
        return self._agree((), expected)

    def feed(self, *messages: FeedMessage) -> list[str]:
        """Messages of a feed that arrive together; the acknowledgments on which both agree."""
        with self._step(dry=False) as registry:
            expected = [self._told(registry, message) for message in messages]
            assert self._door.feed(messages) == expected
        self._agree_on_people()
        return expected

    def _told(self, registry: Registry, message: FeedMessage) -> str:
        if message.header.event == "A43":
            return links.take(registry, message, self.now)
        return patients.feed(registry.people, message)

    def unmerge(self, patient: str) -> bool:
        """An administrator undoes a merge, if there is one."""
        with self._step(dry=False) as registry:
            expected = registry.people.unmerge(patient)
            assert self._door.unmerge(patient) == expected
        self._agree_on_people()
        return expected

    @contextmanager
    def _step(self, dry: bool) -> Iterator[Registry]:
        self.steps += 1
        yield copy.deepcopy(self.registry) if dry else self.registry

    def _compare(self, transaction: str, reply: Reply, codes: Codes, status: str = "") -> None:
        expected = status or ("Failure" if codes else "Success")
        assert (transaction, reply.status, sorted(reply.codes)) == (transaction, expected, sorted(codes))

    # -- agreement

    def _agree(self, named: Iterable[str], codes: Codes) -> Codes:
        """Everything that was named, and some of all else, looks alike by each query."""
        if not codes:
            self._learn()
        ids = [*self.registry.things, *{thing.sent.unique_id or "" for thing in self.registry.things.values()} - {""}]
        some = [ids[(self.steps * 7 + n * 31) % len(ids)] for n in range(2)] if ids else []
        near = [identifier for identifier in named if identifier.startswith("urn:uuid:")]
        self.look(dict.fromkeys((*sorted(near)[self.steps % 3 :: 3][:3], *some)))
        return codes

    def _agree_on_people(self) -> None:
        people = self.registry.people
        assert self._door.survivors() == {patient: people.survivor(patient) for patient in people.known}
        self._agree((), set())

    def look(self, identifiers: Iterable[str]) -> None:
        """Ask about some patients and these ids, and for all documents."""
        turn = self.steps
        asked = [PATIENTS[(turn + n) % len(PATIENTS)] for n in (0, 1)]
        for question in questions.of_patients(self.registry, asked, turn, CODED):
            self._ask(question)
        for identifier in identifiers:
            for question in questions.of_ids(self.registry, identifier, turn, FILTERED):
                self._ask(question)
        self._retrieve()
        assert self._domain.documents() == self.registry.held()

    def look_at_all(self) -> None:
        """Ask about everything that is there."""
        unique_ids = {thing.sent.unique_id or "" for thing in self.registry.things.values()} - {""}
        self.look([*self.registry.things, *sorted(unique_ids)])

    def _ask(self, question: Question) -> None:
        leaves, references = (self._query(question, kind) for kind in ("LeafClass", "ObjectRef"))
        expected = {} if question.refused else {thing.id: seen_thing(thing) for thing in question.expected}
        told = (question.name, question.parameters)
        assert (told, leaves.status, leaves.codes) == (told, _status(question.refused), question.refused)
        assert (told, leaves.objects) == (told, expected)
        assert (told, references.status, references.codes) == (told, _status(question.codes), question.codes)
        assert (told, sorted(references.ids)) == (told, sorted(thing.id for thing in question.expected))
        assert question.refused or leaves.ids == references.ids

    def _query(self, question: Question, return_type: str) -> Reply:
        request = QueryRequest(
            query_id=QUERY_IDS[question.name], return_type=return_type, parameters=question.parameters
        )
        transaction = "ITI-51" if question.name.endswith("ForMultiplePatients") else "ITI-18"
        return self._door.send(transaction, render_query_request(request))

    def _retrieve(self) -> None:
        """All documents in one ITI-43, and exactly those that are there."""
        unique_ids = sorted({thing.sent.unique_id or "" for thing in self.registry.entries()} | set(self.registry.kept))
        if not unique_ids:
            return
        asked = tuple(DocumentRequest(REPOSITORY, unique_id) for unique_id in unique_ids)
        reply = self._door.send("ITI-43", render_retrieve_request(RetrieveRequest(documents=asked)))
        there = {each: content for each in unique_ids if (content := self.registry.retrievable(each)) is not None}
        missing = {"XDSDocumentUniqueIdError"} if len(there) < len(unique_ids) else set()
        assert (reply.documents, set(reply.codes)) == (there, missing)

    def _learn(self) -> None:
        """The ids of what the registry made: versions by their number, sets by their patient, Associations by ends."""
        if not self.registry.made:
            return
        for given in list(self.registry.made):
            thing = self.registry.things[given]
            if thing.is_set:
                self._learn_set(thing)
            elif not thing.is_association:
                self._learn_version(thing)
        ends = [thing.id for thing in self.registry.things.values() if thing.id not in self.registry.made]
        reply = self._query(questions.get_associations(View(self.registry, 2, BOTH), ends), "LeafClass")
        new: dict[tuple[str, ...], list[str]] = {}
        for identifier in reply.ids:
            if identifier not in ends:
                new.setdefault(reply.objects[identifier].ends, []).append(identifier)
        for given in list(self.registry.made):  # a membership comes before the one of which it is the target
            thing = self.registry.things[given]
            assert new.get((thing.type, thing.source, thing.target)), "the registry made no such Association"
            self.registry.learn(given, new[thing.type, thing.source, thing.target].pop(0))
        assert not any(new.values()), "the registry made an Association of its own"

    def _learn_version(self, thing: Thing) -> None:
        kind = type(thing.sent)
        view = View(self.registry, 2)
        reply = self._query(questions.get_versions(f"Get{VERSIONED[kind]}", kind, view, thing.lid), "ObjectRef")
        (real,) = set(reply.ids) - self.registry.things.keys()
        self.registry.learn(thing.id, real)

    def _learn_set(self, thing: Thing) -> None:
        view = View(self.registry, 2)
        reply = self._query(questions.find_submission_sets(view, thing.patient or "", (v.APPROVED,)), "LeafClass")
        (real,) = set(reply.ids) - self.registry.things.keys()
        unique_id = reply.objects[real].unique_id or ""
        assert is_oid(unique_id)
        assert not self.registry.with_unique_id(unique_id)
        assert isinstance(thing.sent, SubmissionSet)
        thing.sent = links.with_unique_id(thing.sent, unique_id)
        self.registry.learn(thing.id, real)


def _status(codes: frozenset[str]) -> str:
    return "Failure" if codes else "Success"


def _ends(associations: Iterable[Association]) -> set[str]:
    return {end for link in associations for end in (link.source, link.target)}


def seen_thing(thing: Thing) -> Seen:
    """How an object of the small registry must look in an answer."""
    slots = {slot.name: slot.values for slot in thing.sent.slots}
    if thing.is_folder:
        slots["lastUpdateTime"] = (thing.time,)
    kind = "ExtrinsicObject" if thing.is_entry else thing.sent.KIND
    return Seen(
        kind=kind,
        lid=thing.lid,
        version=str(thing.version),
        status=thing.status,
        patient=thing.patient,
        unique_id=thing.sent.unique_id,
        slots=tuple(sorted(slots.items())),
        codes=tuple(sorted((c.scheme, c.code) for c in thing.sent.classifications if c.scheme and c.code)),
        ends=(thing.type, thing.source, thing.target) if thing.is_association else (),
    )
