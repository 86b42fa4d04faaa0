"""What a feed does to a domain's patients: each rule from both sides, on real storage."""

import sqlite3
import uuid
from pathlib import Path

import pytest

from tests.contract.submissions import DOMAIN, open_in
from tests.unit.feeds import HEADER, LOCAL_OID, NOW, OID, as_v3, identifier, make_feed, make_link, make_v3
from xds_gateway.actors.feed_policy import FeedPolicy
from xds_gateway.actors.patients import PatientIdentityFeed
from xds_gateway.model.datatypes import Code
from xds_gateway.model.feeds import FeedMessage, Identifier
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.principal import Principal
from xds_gateway.rules.patients import RULES, V3_RULES
from xds_gateway.storage.events import parse_event

CALLER = Principal(node="CN=HIS", address="127.0.0.1")
NAMES = {"HOSP": OID, "OTHER": "1.9"}
MOVED = Code("moved", "2.25.1", "Moved")


class World:
    """A domain that takes OID and 2.2, with B and C known and D merged into C."""

    def __init__(self, folder: Path, *authorities: str) -> None:
        self.storage = open_in(folder)
        policy = FeedPolicy(domain=DOMAIN, authorities=frozenset(authorities), names=NAMES, link_change_code=MOVED)
        self.actor = PatientIdentityFeed(
            store=self.storage.registry, policy=policy, now=lambda: NOW, new_uuid=lambda: uuid.uuid4().urn
        )
        self._number = 100
        self.send(make_feed("A01", "B"), make_feed("A04", "C"), make_feed("A05", "D"))
        self.send(make_feed("A40", "C", subsumed="D"))

    def send(self, *messages: FeedMessage) -> list[str | None]:
        """Rules that refuse the messages, each sent with an id of its own unless it has one."""
        return [found.rule if found else None for found in self.actor.feed(CALLER, list(map(self._numbered, messages)))]

    def survivor(self, name: str, oid: str = OID) -> str | None:
        found = self.storage.registry.inspect(lambda snapshot: snapshot.survivor(PatientId(name, oid)))
        return found.id if found else None

    def _numbered(self, message: FeedMessage) -> FeedMessage:
        self._number += 1
        if message.header.control_id != "1":
            return message
        return message._replace(header=message.header._replace(control_id=str(self._number)))


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, OID, "2.2")
    yield made
    made.storage.close()


def raw(event: str, *patients: Identifier, subsumed: tuple[Identifier, ...] = ()) -> FeedMessage:
    return FeedMessage(HEADER._replace(event=event), patients, subsumed)


@pytest.mark.parametrize("event", ["A01", "A04", "A05"])
@pytest.mark.parametrize(
    ("patient", "known"),
    [
        (identifier("N"), True),
        (identifier("N", ""), False),
        (identifier("N", "", "HOSP"), True),
        (identifier("N", OID, "HOSP"), True),
        (Identifier("N", "", OID, ""), True),
        (Identifier("N", "", OID, "DNS"), False),
        (identifier("N", "", "UNHEARD"), False),
        (identifier("N", "1.9"), False),
        (identifier("N", "", "OTHER"), False),
        (identifier("N" * 257), False),
        (identifier("N\t"), False),
    ],
)
def test_a_patient_of_the_domain_becomes_known(world, event, patient, known):
    assert world.send(raw(event, patient)) == ([None] if known else ["ihe.feed.patient"])
    assert (world.survivor(patient.id) is not None) == known
    assert world.send(raw(event, patient)) == ([None] if known else ["ihe.feed.patient"])


def test_local_identifiers_beside_are_passed_over(world):
    assert world.send(raw("A04", identifier("L", "1.9"), identifier("N"), identifier("M", "2.2"))) == [None]
    assert (world.survivor("N"), world.survivor("M", "2.2"), world.survivor("L", "1.9")) == ("N", "M", None)


def test_a_domain_without_authorities_takes_any_oid(tmp_path):
    world = World(tmp_path)
    assert world.send(raw("A04", identifier("N", "1.7")), raw("A04", Identifier("N", "LOCAL"))) == [
        None,
        "ihe.feed.patient",
    ]
    world.storage.close()


@pytest.mark.parametrize("patient", [identifier("B"), identifier("X", "1.9"), identifier("N", "1.8", "HOSP")])
def test_an_update_is_accepted_and_changes_nothing(world, patient):
    assert world.send(raw("A08", patient)) == [None]
    assert world.survivor(patient.id) == ("B" if patient.id == "B" else None)


REFUSED = {
    "ihe.feed.patient": [make_feed("A04", "N"), raw("A04", identifier("N", "1.9"))],
    "ihe.feed.authority": [raw("A04", identifier("N", OID, "HOSP")), raw("A04", identifier("N", OID, "OTHER"))],
    "ihe.feed.patient.merged": [make_feed("A04", "C"), make_feed("A04", "D")],
    "ihe.feed.merge.one": [
        make_feed("A40", "C", subsumed="B"),
        raw("A40", identifier("C"), identifier("N"), subsumed=(identifier("B"),)),
    ],
    "ihe.feed.merge.authority": [
        make_feed("A40", "C", subsumed="B"),
        raw("A40", identifier("C"), subsumed=(identifier("B", "2.2"),)),
    ],
    "ihe.feed.merge.itself": [make_feed("A40", "C", subsumed="B"), make_feed("A40", "B", subsumed="B")],
    "ihe.feed.merge.subsumed.unknown": [make_feed("A40", "C", subsumed="B"), make_feed("A40", "C", subsumed="N")],
    "ihe.feed.merge.subsumed.merged": [make_feed("A40", "B", subsumed="C"), make_feed("A40", "B", subsumed="D")],
    "ihe.feed.merge.surviving.unknown": [make_feed("A40", "C", subsumed="B"), make_feed("A40", "N", subsumed="B")],
    "ihe.feed.merge.surviving.merged": [make_feed("A40", "C", subsumed="B"), make_feed("A40", "D", subsumed="B")],
    "ihe.feed.link.patients": [make_link(), make_link()._replace(patients=(identifier("B"),))],
    "ihe.feed.link.previous": [make_link(), make_link()._replace(subsumed=())],
    "ihe.feed.link.new.authority": [
        make_link(),
        make_link()._replace(patients=(identifier("L", LOCAL_OID), identifier("B"))),
    ],
    "ihe.feed.link.previous.authority": [make_link(), make_link()._replace(subsumed=(identifier("C", "2.2"),))],
    "ihe.feed.link.local": [
        make_link()._replace(patients=(identifier("B"), identifier("L", "", "OTHER"))),
        make_link()._replace(patients=(identifier("B"), identifier("L", "", "UNHEARD"))),
    ],
    "ihe.feed.link.subsumed": [
        make_link(subsumed="M"),
        make_link()._replace(subsumed=(identifier("C"), identifier("M", "", "UNHEARD"))),
    ],
    "ihe.feed.link.same": [make_link("B", "L", "B", subsumed="M"), make_link("B", "L", "B", subsumed="L")],
    "ihe.feed.link.new.unknown": [make_link("B"), make_link("N")],
    "ihe.feed.link.new.merged": [make_link("C", "L", "B"), make_link("D", "L", "B")],
    "ihe.feed.link.previous.merged": [make_link("B", "L", "C"), make_link("B", "L", "D")],
    "ihe.feed.link.sender": [make_link(), make_link(sending_application="HIS")],
}
ELSEWHERE = {  # found out while bytes are read, or by the service: unit/codec/test_hl7v2.py, wire/test_feeds.py
    *(f"ihe.feed.{name}" for name in ("header", "controlId", "type", "event", "version", "charset")),
    *(f"ihe.feed.{name}" for name in ("query", "segment", "segment.merge", "size", "busy", "failed", "unmerge")),
    *(f"ihe.feed.{name}" for name in ("segment.link", "link.one")),
    *(rule.id for rule in V3_RULES),  # unit/codec/test_hl7v3.py, unit/server/test_patient_identity.py
}


def test_every_rule_of_the_feed_has_a_pair():
    assert set(REFUSED) | ELSEWHERE == {rule.id for rule in RULES}


FORMS = {"ITI-8": lambda message: message, "ITI-44": as_v3}
IN_EACH_FORM = [
    pytest.param(rule, form, id=f"{rule} {name}")
    for rule in sorted(REFUSED)
    for name, form in FORMS.items()
    if name == "ITI-8" or ".link." not in rule
]


@pytest.mark.parametrize(("rule", "form"), IN_EACH_FORM)
def test_a_message_that_breaks_a_rule_changes_nothing(world, rule, form):
    good, bad = map(form, REFUSED[rule])
    before = state(world)
    if ".link." not in rule:
        assert judged(world, bad) == rule
    assert world.send(bad) == [rule]
    assert state(world) == before
    assert world.send(good) == [None]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_message_is_judged_without_effect(world, form):
    merge, new = form(make_feed("A40", "C", subsumed="B")), form(make_feed("A04", "N", "B"))
    before = state(world)
    told = [(each.effect, each.object_id.split("^")[0]) for each in judgement(world, merge).planned]
    assert told == [("merge", "B")]
    assert [each.object_id.split("^")[0] for each in judgement(world, new).planned] == ["N"]
    assert state(world) == before
    assert world.send(merge) == [None]
    assert judged(world, merge._replace(digest=b"other")) == "ihe.feed.merge.subsumed.merged"


def judgement(world, message):
    return world.actor.judge(CALLER, message)


def judged(world, message):
    found = judgement(world, message).problem
    return found.rule if found else None


def test_a_revised_record_makes_its_patient_known(world):
    revise = make_v3("PRPA_IN201302UV02", "N")
    assert world.send(revise) == [None]
    assert world.survivor("N") == "N"
    assert judged(world, make_v3("PRPA_IN201302UV02", "D")._replace(digest=b"D")) == "ihe.feed.patient.merged"
    assert [
        event.action for event in judgement(world, make_v3("PRPA_IN201302UV02", "M")._replace(digest=b"M")).events
    ] == ["U"]


def state(world):
    def look(snapshot):
        patients = snapshot.patients(None, 100)
        return patients, [snapshot.merges_of(each.patient_id) for each in patients]

    return world.storage.registry.inspect(look)


def test_chains_lead_to_the_last_survivor(world):
    assert world.send(make_feed("A40", "B", subsumed="C")) == [None]
    assert [world.survivor(name) for name in "BCD"] == ["B", "B", "B"]


def test_messages_that_come_together_are_taken_one_after_the_other(world):
    found = world.send(
        make_feed("A04", "N"),
        make_feed("A40", "N", subsumed="B"),
        make_feed("A40", "X", subsumed="N"),
        make_feed("A04", "B"),
        make_feed("A04", "X"),
    )
    assert found == [None, None, "ihe.feed.merge.surviving.unknown", "ihe.feed.patient.merged", None]


@pytest.mark.parametrize("event", ["A01", "A40"])
def test_a_message_that_comes_again_is_answered_again_without_effect(world, event):
    first = make_feed(event, "C", **({"subsumed": "B"} if event == "A40" else {}), control_id="once")
    assert world.send(first) == [None]
    before = state(world)
    assert world.send(first, first) == [None, None]
    assert state(world) == before


def test_a_registration_that_comes_again_after_the_merge_is_answered_as_before(world):
    first = make_feed("A01", "N", control_id="once")
    assert world.send(first, make_feed("A40", "C", subsumed="N"), first) == [None, None, None]
    assert world.survivor("N") == "C"


def test_an_id_used_for_another_message_is_another_message(world):
    one, other = (make_feed("A01", name, control_id="1x")._replace(digest=name.encode()) for name in "NM")
    assert world.send(one, other) == [None, None]
    assert (world.survivor("N"), world.survivor("M")) == ("N", "M")


def test_a_refused_message_is_judged_anew(world):
    message = make_feed("A40", "N", subsumed="B", control_id="again")
    assert world.send(message, make_feed("A04", "N"), message) == ["ihe.feed.merge.surviving.unknown", None, None]


def test_the_audit_tells_who_and_whom(world, tmp_path):
    world.send(make_feed("A08", "B"), make_feed("A04", "D"))
    connection = sqlite3.connect(tmp_path / "registry.db")
    events = [parse_event(text) for (text,) in connection.execute("SELECT event FROM audit_event ORDER BY id")]
    connection.close()
    told = [(e.outcome, e.action, [p.split("^")[0] for p in e.patient_ids], e.codes) for e in events]
    assert told == [
        ("success", "C", ["B"], ()),
        ("success", "C", ["C"], ()),
        ("success", "C", ["D"], ()),
        ("success", "D", ["D"], ()),
        ("success", "U", ["C"], ()),
        ("success", "U", ["B"], ()),
        ("failure", "U", ["D"], ("ihe.feed.patient.merged",)),
    ]
    assert {(e.transaction, e.node, e.sender, e.domain) for e in events} == {
        ("ITI-8", "CN=HIS", "HOSPITAL|HIS", DOMAIN)
    }
