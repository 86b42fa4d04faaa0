"""ITI-44 through the pipeline: whatever happens, an acknowledgement or a fault, and never a CA that is a lie."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domains import NOW, Domain, open_domain
from tests.unit.feeds import OID, WRAPPER, v3_bytes
from tests.unit.server.exchanges import MESSAGE_ID, Bench, envelope, make_request
from tests.unit.server.test_mutations import pieces
from tests.unit.server.test_pipeline import FailingStore
from xds_gateway.codec.hl7v3 import AcceptAck, parse_accept_ack
from xds_gateway.codec.soap import DRY_RUN_HEADER
from xds_gateway.model.errors import StorageBusy, StorageFull
from xds_gateway.model.identifiers import PatientId
from xds_gateway.model.principal import Access, AccessFilter

ADD, REVISE, MERGE = (f"PRPA_IN20130{number}UV02" for number in (1, 2, 4))
SOAP = "application/soap+xml; charset=UTF-8"
EVERYTHING = Access.everything("main")
DENIED = EVERYTHING._replace(feed=AccessFilter(domain="main", permits=()))
FOR_ONE = Access.alike(EVERYTHING.find._replace(patient=PatientId("A", OID)))


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    with open_domain(tmp_path, authorities=frozenset({OID})) as opened:
        yield opened


def asked(
    domain: Domain, body: bytes, *, action: str | None = None, dry: bool = False, access: Access = EVERYTHING
) -> Any:
    """The answer to a message at the endpoint for patients."""
    name = body[1:].partition(b" ")[0].decode()
    message = envelope("ITI-44", body, action or f"urn:hl7-org:v3:{name}")
    if dry:
        message = message.replace(b"</s:Header>", DRY_RUN_HEADER.encode() + b"</s:Header>")
    return Bench(domain, access=lambda _: access).answer(make_request(message, SOAP), "patients")


def acknowledged(domain: Domain, body: bytes, **how: Any) -> AcceptAck:
    received = asked(domain, body, **how)
    assert (received.status, received.header("Action")) == (200, "urn:hl7-org:v3:MCCI_IN000002UV01")
    assert received.header("RelatesTo") == MESSAGE_ID
    ack = parse_accept_ack(received.body)
    assert (ack.target, ack.receivers, ack.senders) == (WRAPPER.id, WRAPPER.senders, WRAPPER.receivers)
    return ack


def outcome(domain: Domain, body: bytes, **how: Any) -> tuple[str, list[str]]:
    """The code of the acknowledgement, and the rules that it names."""
    ack = acknowledged(domain, body, **how)
    return ack.type_code, [detail.text.partition("[rule=")[2].partition(" ")[0] for detail in ack.details]


@pytest.mark.parametrize(("access", "told"), [(DENIED, "CR"), (FOR_ONE, "CR"), (EVERYTHING, "CA")])
def test_only_who_may_tells_who_the_patients_are(domain: Domain, access: Access, told: str) -> None:
    rules = {"CR": ["ihe.feed.v3.access"], "CA": []}[told]
    assert outcome(domain, v3_bytes(ADD, "A"), access=access) == (told, rules)
    assert survivor(domain, "A") == {"CR": None, "CA": "A"}[told]


def survivor(domain: Domain, name: str) -> str | None:
    found = domain.storage.registry.inspect(lambda snapshot: snapshot.survivor(PatientId(name, OID)))
    return found.id if found else None


def test_a_patient_is_added_revised_and_merged(domain: Domain) -> None:
    assert outcome(domain, v3_bytes(ADD, "A")) == ("CA", [])
    assert outcome(domain, v3_bytes(REVISE, "B")) == ("CA", [])
    assert outcome(domain, v3_bytes(MERGE, "B", subsumed="A")) == ("CA", [])
    assert (survivor(domain, "A"), survivor(domain, "B")) == ("B", "B")
    told = [(event.transaction, event.action, event.patient_ids, event.sender, event.message_id)
            for event in domain.changes()]  # fmt: skip
    a, b = (f"{name}^^^&{OID}&ISO" for name in "AB")
    assert told == [
        ("ITI-44", action, (patient,), "1.2.9.1", "1.2.9^1")
        for action, patient in (("C", a), ("U", b), ("D", a), ("U", b))
    ]


def test_a_message_that_comes_again_is_answered_again_without_effect(domain: Domain) -> None:
    messages = (v3_bytes(ADD, "A"), v3_bytes(ADD, "B"), v3_bytes(MERGE, "B", subsumed="A"))
    for message in (messages[0], messages[1], messages[2], messages[2]):
        assert outcome(domain, message) == ("CA", [])
    assert len(domain.changes()) == 4


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (v3_bytes(MERGE, "A", subsumed="A"), ["ihe.feed.merge.itself"]),
        (v3_bytes(MERGE, "A", subsumed="X"), ["ihe.feed.merge.subsumed.unknown"]),
        (v3_bytes(MERGE, "X", subsumed="A"), ["ihe.feed.merge.surviving.unknown"]),
        (v3_bytes(ADD, "X").replace(b'root="1.2.3"', b'root="1.2.4"'), ["ihe.feed.patient"]),
        (v3_bytes(ADD, "X").replace(b' extension="X"', b""), ["ihe.feed.patient"]),
        (v3_bytes(ADD, "X").replace(b'code="T"', b'code="A"'), ["ihe.feed.v3.mode"]),
        (
            v3_bytes(ADD, "X").replace(b'code="T"', b'code="A"').replace(b'code="active"', b'code="held"', 1),
            ["ihe.feed.v3.mode", "ihe.feed.v3.status"],
        ),
    ],
)
def test_what_is_refused_changes_nothing_and_is_audited(domain: Domain, body: bytes, told: list[str]) -> None:
    assert outcome(domain, v3_bytes(ADD, "A").replace(b'extension="1"', b'extension="0"').replace(
        b'root="1.2.9" extension="0"', b'root="1.2.9" extension="1"')) == ("CA", [])  # fmt: skip
    assert outcome(domain, body) == ("CE", told)
    assert (survivor(domain, "A"), survivor(domain, "X")) == ("A", None)
    failures = [e for e in (*domain.changes(), *domain.journal()) if e.outcome == "failure"]
    assert [(e.transaction, e.codes) for e in failures] == [("ITI-44", tuple(told))]


@pytest.mark.parametrize(
    ("failure", "rule"),
    [
        (StorageBusy("busy"), "ihe.feed.busy"),
        (StorageFull("full"), "ihe.feed.busy"),
        (RuntimeError("patient Durand"), "ihe.feed.failed"),
    ],
)
def test_without_time_or_room_or_when_we_broke_it_is_rejected(tmp_path: Path, failure: Exception, rule: str) -> None:
    with open_domain(tmp_path, store=FailingStore(failure)) as domain:
        ack = acknowledged(domain, v3_bytes(ADD, "A"))
    (detail,) = ack.details
    assert (ack.type_code, detail.code) == ("CR", "INTERR")
    assert f"[rule={rule} |" in detail.text
    assert "Durand" not in detail.text


def test_a_dry_run_judges_and_changes_nothing(domain: Domain) -> None:
    told = acknowledged(domain, v3_bytes(ADD, "A"), dry=True)
    assert (told.type_code, [effect.effect for effect in told.planned or ()]) == ("CA", ["know"])
    assert (survivor(domain, "A"), domain.changes()) == (None, [])
    assert [event.note for event in domain.journal()] == ["dry run"]
    assert outcome(domain, v3_bytes(ADD, "A")) == ("CA", [])
    assert acknowledged(domain, v3_bytes(ADD, "A"), dry=True).planned == ()
    merge = v3_bytes(MERGE, "A", subsumed="X")
    assert outcome(domain, merge, dry=True) == ("CE", ["ihe.feed.merge.subsumed.unknown"])


# --- what is not served, and what is no message


@pytest.mark.parametrize(
    ("action", "named"),
    [
        ("urn:hl7-org:v3:PRPA_IN201305UV02", "ITI-47"),
        ("urn:hl7-org:v3:PRPA_IN201309UV02", "ITI-45"),
        ("urn:hl7-org:v3:QUQI_IN000003UV01_Continue", "ITI-47"),
        ("urn:hl7-org:v3:QUQI_IN000003UV01_Cancel", "ITI-47"),
        ("urn:hl7-org:v3:QUQI_IN000003UV01", "ITI-47"),
        ("urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery", "ITI-55"),
        ("urn:ihe:iti:2009:PatientLocationQuery", "ITI-56"),
        ("urn:ihe:iti:2007:RegistryStoredQuery", "ITI-18 is taken by the endpoint registry"),
        ("urn:example:nothing", "it takes ITI-44"),
    ],
)
def test_what_is_not_served_is_told_by_name(domain: Domain, action: str, named: str) -> None:
    received = asked(domain, b'<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3"/>', action=action)
    assert (received.status, received.fault) == (500, "Sender")
    reason = " ".join(received.body.itertext())
    assert "it takes ITI-44" in reason
    assert named in reason


def test_the_action_must_fit_the_message(domain: Domain) -> None:
    received = asked(domain, v3_bytes(MERGE, "A", subsumed="B"), action=f"urn:hl7-org:v3:{ADD}")
    assert received.fault == "Sender"
    assert survivor(domain, "A") is None


TEXT = envelope("ITI-44", v3_bytes(MERGE, "NEW", subsumed="OLD"), f"urn:hl7-org:v3:{MERGE}")
PIECES = pieces(TEXT)
REPLACEMENTS = st.binary(max_size=8) | st.sampled_from([b"", b"<x/>", b'root=""', b'code="T"', b"&lt;", b"\xff", b"\0"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with open_domain(tmp_path_factory.mktemp("domain"), authorities=frozenset({OID})) as opened:
        yield opened


@given(st.lists(st.tuples(st.integers(0, len(PIECES) - 1), REPLACEMENTS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_broken_merge_of_unknown_patients_is_never_accepted(shared: Domain, changes: list[tuple[int, bytes]]) -> None:
    broken = list(PIECES)
    for place, put in changes:
        broken[place] = put
    received = Bench(shared).answer(make_request(b"".join(broken), SOAP), "patients")
    assert received.status in (200, 500)
    if received.status == 200:
        assert parse_accept_ack(received.body).type_code in ("CE", "CR")
    else:
        assert received.fault in ("Sender", "VersionMismatch", "MustUnderstand")
    assert b"ihe.feed.failed" not in received.content
    assert NOW.encode() in received.content or received.status == 500
