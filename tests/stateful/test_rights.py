"""The access matrix, proven: identities by patients by confidentialities by types by consents by ways to reach a thing.

What a caller is answered must be what a registry would answer that holds nothing else than what the caller may see, by
a model that reads the printed table (`rights.py`). So there are no leaks and no wrong refusals: in all 16 queries, as
objects and as references, in limits and in the check for a single patient, in ITI-43, in updates, replacements and
removals, done and dry.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.unit.builders import REPOSITORY, make_author, make_code
from tests.unit.domains import make_call
from xds_gateway.actors.permissions import check_request
from xds_gateway.codec.queries import QUERY_IDS
from xds_gateway.codec.xdsb import render_query_request, render_retrieve_request
from xds_gateway.model import vocabulary as v
from xds_gateway.model.consents import Consent
from xds_gateway.model.datatypes import Code
from xds_gateway.model.errors import RequestRefused
from xds_gateway.model.identifiers import PatientId, parse_patient_id
from xds_gateway.model.messages import (
    DocumentRequest,
    QueryRequest,
    RegisterRequest,
    RemoveDocumentsRequest,
    RemoveRequest,
    RetrieveRequest,
)
from xds_gateway.model.metadata import DocumentEntry, Submission
from xds_gateway.model.principal import Access, Coded, Principal, User
from xds_gateway.model.queries import FindDocuments
from xds_gateway.security.access import access_of
from xds_gateway.security.access_matrix import IHE

from . import messages, questions
from .messages import CODED, FILTERED, Names, entry, folder, link, on_demand, submission, update, version
from .questions import BOTH, Question, View
from .registry import Registry, Thing
from .rights import Pair, Rights, Said, Who
from .world import World, seen_thing

PATIENTS = ONE, OTHER = messages.PATIENTS[:2]
NORTH, SOUTH = "1.2.3.4", "2.9.9"
SNOMED, LOINC, HL7 = "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.1", "2.16.840.1.113883.5.25"
PHYSICIAN, NURSE, PHARMACIST, STAFF, PATIENT = (
    (code, SNOMED) for code in ("309343006", "106292003", "46255001", "224608005", "116154003")
)
EMERGENCY = (("ETREAT", "2.16.840.1.113883.5.8"),)
LEVELS = (("N",), ("R",), ("V",), ("N", "V"), ("N", "INVISIBLE_PATIENT"))
TYPES = ("34133-9", "57833-6", "64290-0")  # a summary, a prescription, an insurance card
CONTENT = b"what only some may read"
ALL = os.environ.get("XDS_RIGHTS") == "all"  # every pair of caller and consents, and more ids
SOME = 3 if ALL else 9

CALLERS: Mapping[str, Who] = {
    "node": Who(user=False),
    "without role": Who(),
    "unknown role": Who(roles=(("1", SNOMED),), organization=NORTH),
    "physician": Who(roles=(PHYSICIAN,), organization=NORTH),
    "physician of no organisation": Who(roles=(PHYSICIAN,)),
    "physician in an emergency": Who(roles=(PHYSICIAN,), purposes=EMERGENCY, organization="2.7.7"),
    "physician for one patient": Who(roles=(PHYSICIAN,), organization=SOUTH, patient=ONE),
    "nurse": Who(roles=(NURSE,), organization=NORTH, name="jane"),
    "nurse in an emergency": Who(roles=(NURSE,), purposes=EMERGENCY, organization=SOUTH),
    "pharmacist": Who(roles=(PHARMACIST,), organization=SOUTH),
    "staff": Who(roles=(STAFF,), organization=NORTH),
    "patient": Who(roles=(PATIENT,), patient=OTHER),
    "patient of no record": Who(roles=(PATIENT,)),
    "nurse and pharmacist": Who(roles=(NURSE, PHARMACIST), organization="2.7.7"),
}
CONFIDENTIALITY, TYPE = v.DE_CONFIDENTIALITY_CODE, v.DE_TYPE_CODE
CONSENTS: Mapping[str, Sequence[Said]] = {
    "nothing": (),
    "everybody but one": (Said(ONE, False, "everybody"), Said(ONE, True, "person:jane")),
    "organisations and types": (
        Said(ONE, False, f"organization:{NORTH}", break_glass=True),
        Said(OTHER, False, f"role:{NURSE[0]}^^{SNOMED}", TYPE, ("57833-6", LOINC)),
        Said(OTHER, False, "role:node", CONFIDENTIALITY, ("R", HL7), break_glass=True),
    ),
    "permissions": (
        Said(ONE, True, f"role:{PHYSICIAN[0]}^^{SNOMED}"),
        Said(OTHER, True, "everybody", CONFIDENTIALITY, ("R", HL7)),
        Said(ONE, False, "everybody", CONFIDENTIALITY, ("R", HL7), break_glass=True),
        Said(OTHER, True, f"organization:{SOUTH}", TYPE, ("34133-9", LOINC)),
    ),
}
_SCOPES = {"": "all", CONFIDENTIALITY: "confidentiality_code", TYPE: "type_code"}


def document(names: Names, patient: str, levels: Sequence[str], kind: str, organization: str) -> DocumentEntry:
    """An entry with these codes, whose author is of this organisation."""
    made = entry(names.uuid(), patient, names.oid(), CONTENT)
    others = tuple(c for c in made.classifications if c.scheme not in (CONFIDENTIALITY, TYPE, v.DE_AUTHOR))
    codes = [
        make_code(CONFIDENTIALITY, Code(level, HL7, level), made.id, f"{made.id[9:]}-l{level}") for level in levels
    ]
    codes.append(make_code(TYPE, Code(kind, LOINC, kind), made.id, f"{made.id[9:]}-t"))
    author = {"authorPerson": "^Robot", "authorInstitution": f"Clinic^^^^^^^^^{organization}"}
    codes.append(make_author(v.DE_AUTHOR, made.id, f"{made.id[9:]}-a", author))
    return replace(made, classifications=(*others, *codes))


class Guarded(World):
    """A world whose answers are compared caller by caller."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.names = Names()
        self.watched: list[str] = []  # ids that every caller asks about
        for patient in PATIENTS:
            self._fill(patient)

    def _fill(self, patient: str) -> None:
        """Documents of all kinds in mixed sets and folders, a replacement, an addendum, versions, one on demand."""
        names = self.names
        made = [
            document(names, patient, levels, kind, organization)
            for organization, kind, levels in product((NORTH, SOUTH), TYPES, LEVELS)
        ]
        for start in range(0, len(made), 6):
            some = made[start : start + 6]
            place = folder(names.uuid(), patient, names.oid())
            filings = [(place.id, item.id) for item in some[1::2]]
            message = submission(names, patient, entries=some, folders=[place], filings=filings)
            self._done(self.submit(message, "ITI-41", {item.id: CONTENT for item in some}))
            self.watched += [place.id, message.submission_sets[0].id]
        empty = folder(names.uuid(), patient, names.oid())
        self._done(self.submit(submission(names, patient, folders=[empty]), "ITI-42"))
        normal, very = made[0], made[2]
        new, more = (document(names, patient, levels, TYPES[0], NORTH) for levels in (("V",), ("N",)))
        links = [link(names.uuid(), new.id, normal.id, v.RPLC), link(names.uuid(), more.id, made[1].id, v.APND)]
        related = submission(names, patient, entries=[new, more], relationships=links, references=[very.id])
        self._done(self.submit(related, "ITI-42"))
        later = version(self._coded(made[15], ("V",)), names.uuid(), made[15].id)
        self._done(self.update(update(names, patient, versions=[(later, 1, "yes")])))
        made_later = on_demand(document(names, patient, ("R",), TYPES[1], SOUTH))
        self._done(self.submit(submission(names, patient, entries=[made_later]), "ITI-61"))
        ends = [normal, very, new, more, made[15], made[18], made_later]
        self.watched += [*(item.id for item in ends), empty.id, later.id, links[0].id, made[19].unique_id or ""]

    def _coded(self, item: DocumentEntry, levels: Sequence[str]) -> DocumentEntry:
        kept = tuple(c for c in item.classifications if c.scheme != CONFIDENTIALITY)
        codes = (make_code(CONFIDENTIALITY, Code(each, HL7, each), item.id, self.names.oid()) for each in levels)
        return replace(item, classifications=(*kept, *codes))

    def _done(self, codes: set[str]) -> None:
        assert codes == set()

    def look(self, identifiers: Any) -> None:
        """What everybody sees is another test's."""

    # -- consents

    def say(self, consents: Sequence[Said]) -> None:
        """Let these consents be the only ones in force."""

        def work(store: Any) -> None:
            for patient in PATIENTS:
                for kept in store.consents_of(_patient(patient)):
                    store.withdraw_consent(kept.number, self.now, "test")
            for said in consents:
                code = said.code if said.kind else None
                consent = Consent(
                    patient_id=_patient(said.patient),
                    permits=said.permits,
                    grantee=said.grantee,
                    scope=_SCOPES[said.kind],  # type: ignore[arg-type]
                    code=code,
                    break_glass=said.break_glass,
                )
                store.add_consent(consent, self.now, "test")

        self._domain.storage.registry.write(work)

    # -- one caller

    def access(self, who: Who) -> Access:
        user = User(
            name_id=who.name,
            issuer="idp",
            assertion_id="_1",
            organization_id=who.organization,
            roles=tuple(Coded(*role) for role in who.roles),
            purposes=tuple(Coded(*purpose) for purpose in who.purposes),
            patient_id=_patient(who.patient) if who.patient else None,
        )
        principal = Principal(node="CN=x", address="127.0.0.1", user=user if who.user else None)
        return access_of(IHE, principal, "main", self.now)

    def compare(self, rights: Rights, turn: int) -> None:
        """Every query, retrieval of everything, and the limits; each caller asks about other ids, too."""
        access, seen = self.access(rights.who), rights.seen(self.registry)
        asked = [*self.watched[turn % SOME :: SOME], *list(self.registry.things)[turn * 7 % 80 :: 80]]
        told = list(questions.of_patients(seen, PATIENTS, turn, CODED))[turn % 2 :: 2]
        everything = [thing.id for thing in self.registry.things.values()]
        told += [questions.get_associations(View(seen, 2, BOTH), everything)]
        for identifier in asked:
            told += list(questions.of_ids(seen, identifier, turn, FILTERED))[turn % 3 :: 3]
        for question in told:
            self._compare_answers(question, access)
        self._compare_documents(rights, access)
        self._compare_limits(rights, seen, access)

    def _compare_answers(self, question: Question, access: Access) -> None:
        told = (question.name, question.parameters)
        leaves, references = (self._asked(question, kind, access) for kind in ("LeafClass", "ObjectRef"))
        expected = {} if question.refused else {thing.id: seen_thing(thing) for thing in question.expected}
        assert (told, leaves.codes, leaves.objects) == (told, question.refused, expected)
        ids = () if question.codes else sorted(thing.id for thing in question.expected)
        assert (told, references.codes, sorted(references.ids)) == (told, question.codes, list(ids))

    def _asked(self, question: Question, return_type: str, access: Access) -> Any:
        request = QueryRequest(
            query_id=QUERY_IDS[question.name], return_type=return_type, parameters=question.parameters
        )
        transaction = "ITI-51" if question.name.endswith("ForMultiplePatients") else "ITI-18"
        return self._door.send(transaction, render_query_request(request), access=access)

    def _compare_documents(self, rights: Rights, access: Access) -> None:
        unique_ids = sorted({thing.sent.unique_id or "" for thing in self.registry.entries()})
        asked = tuple(DocumentRequest(REPOSITORY, unique_id) for unique_id in unique_ids)
        reply = self._door.send("ITI-43", render_retrieve_request(RetrieveRequest(documents=asked)), access=access)
        seen = rights.seen(self.registry, "retrieve")
        there = {each for each in unique_ids if seen.retrievable(each) is not None}
        assert set(reply.documents) == there

    def _compare_limits(self, rights: Rights, seen: Registry, access: Access) -> None:
        """A limit that just fits what is seen is kept; one less is too little."""
        for patient in PATIENTS:
            wanted = questions.Wanted(types=questions.ANY)
            found = len(questions.find_documents(View(seen, 1), patient, wanted).expected)
            query = _find_documents(patient)
            fits = self._domain.storage.queries.find(query, access.find, found)
            assert (len(fits.uuids), fits.more) == (found, False)
            if found:
                assert self._domain.storage.queries.find(query, access.find, found - 1).more

    # -- changes, each of them dry

    def rules(self, transaction: str, request: Any, access: Access) -> set[str]:
        """The rules about rights, and about unknown things, that refuse a request."""
        call = make_call(transaction, dry_run=True, access=access)
        actors = self._domain.actors
        admit, perform = {
            "ITI-42": (actors.registry.admit_register, actors.registry.register),
            "ITI-57": (actors.updates.admit_update, actors.updates.update),
            "ITI-62": (actors.removals.admit_remove, actors.removals.remove),
            "ITI-86": (actors.removals.admit_remove_documents, actors.removals.remove_documents),
        }[transaction]
        try:
            check_request(call, request)
            admit(call, request, ())
            findings = perform(call, request).findings
        except RequestRefused as refused:
            findings = refused.findings
        told = {finding.rule for finding in findings}
        return {rule for rule in told if rule.startswith("ihe.access.")} | (told & UNKNOWN)


UNKNOWN = {"ihe.registry.target.unknown", "ihe.update.entry.unknown", "ihe.remove.unknown", "ihe.remove.document"}


def _patient(text: str) -> PatientId:
    found = parse_patient_id(text)
    assert found is not None
    return found


def _find_documents(patient: str) -> FindDocuments:
    return FindDocuments(patient_id=_patient(patient), statuses=BOTH, object_types=questions.ANY)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("rights"))
    yield made
    made.close()


PAIRS = [(caller, said) for n, caller in enumerate(CALLERS) for m, said in enumerate(CONSENTS) if ALL or (n + m) % 2]


@pytest.mark.parametrize(("caller", "consents"), PAIRS)
def test_a_caller_is_answered_by_what_it_may_see(world: Guarded, caller: str, consents: str) -> None:
    world.say(CONSENTS[consents])
    turn = list(CALLERS).index(caller) + 3 * list(CONSENTS).index(consents)
    world.compare(Rights(CALLERS[caller], CONSENTS[consents]), turn)


@pytest.mark.parametrize("consents", CONSENTS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_caller_changes_what_it_may_change(world: Guarded, caller: str, consents: str) -> None:
    world.say(CONSENTS[consents])
    rights = Rights(CALLERS[caller], CONSENTS[consents])
    access = world.access(rights.who)
    latest = [thing for thing in world.registry.entries() if thing.latest and thing.approved and not thing.on_demand]
    turn = list(CALLERS).index(caller)
    for thing in latest[turn % 4 :: 4]:
        for ask in (_replacing, _updating, _removing, _erasing):
            transaction, request, expected = ask(world, rights, thing)
            told = (ask.__name__, thing.id, world.rules(transaction, request, access))
            assert told == (ask.__name__, thing.id, expected)


def _refused(rights: Rights, action: str, messages: Sequence[DocumentEntry], patient: str | None) -> set[str]:
    """What stands against a request before the registry is asked."""
    if not rights.about(action):
        return {"ihe.access.action"}
    other = patient is not None and rights.who.patient not in (None, patient)
    wrong = {"ihe.access.patient"} if other else set()
    return wrong | {"ihe.access.submit" for entry in messages if not rights.may_submit(entry)}


def _judged(world: Guarded, rights: Rights, thing: Thing, action: str, unknown: str) -> set[str]:
    """What stands against touching a registered document."""
    if not rights.sees_entry(world.registry, thing):
        return {unknown}
    return set() if rights.sees_entry(world.registry, thing, action) else {f"ihe.access.{action}"}


def _replacing(world: Guarded, rights: Rights, thing: Thing) -> tuple[str, Any, set[str]]:
    names, patient = world.names, thing.patient or ""
    new = document(names, patient, ("R",), TYPES[1], NORTH)
    message = submission(names, patient, entries=[new], relationships=[link(names.uuid(), new.id, thing.id, v.RPLC)])
    expected = _refused(rights, "submit", [new], patient)
    return (
        "ITI-42",
        _request(message),
        expected or _judged(world, rights, thing, "replace", "ihe.registry.target.unknown"),
    )


def _updating(world: Guarded, rights: Rights, thing: Thing) -> tuple[str, Any, set[str]]:
    assert isinstance(thing.sent, DocumentEntry)
    new = version(thing.sent, world.names.uuid(), thing.lid, repositoryUniqueId=REPOSITORY)
    message = update(world.names, thing.patient or "", versions=[(new, thing.version, None)])
    expected = _refused(rights, "update", [new], thing.patient)
    return "ITI-57", _request(message), expected or _judged(world, rights, thing, "update", "ihe.update.entry.unknown")


def _removing(world: Guarded, rights: Rights, thing: Thing) -> tuple[str, Any, set[str]]:
    expected = _refused(rights, "remove", [], None) or _judged(world, rights, thing, "remove", "ihe.remove.unknown")
    return "ITI-62", RemoveRequest(references=(thing.id,)), expected


def _erasing(world: Guarded, rights: Rights, thing: Thing) -> tuple[str, Any, set[str]]:
    asked = DocumentRequest(REPOSITORY, thing.sent.unique_id or "")
    expected = _refused(rights, "remove", [], None)
    if not expected and thing.document is None:
        expected = {"ihe.remove.document"}
    expected = expected or _judged(world, rights, thing, "remove", "ihe.remove.document")
    return "ITI-86", RemoveDocumentsRequest(documents=(asked,)), expected


def _request(message: Submission) -> RegisterRequest:
    return RegisterRequest(submission=message)


def test_the_page_has_all_rows() -> None:
    assert [row.name for row in Rights(Who()).rows] == [row.id for row in IHE.rows]
    roles: set[Pair] = {PHYSICIAN, NURSE, PHARMACIST, STAFF, PATIENT}
    assert {code for codes in IHE.roles.values() for code in codes} == roles
