"""HL7 v3 messages of feeds and their acknowledgements: what is read, what is refused, what is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.feeds import NOW, OID, WRAPPER, identifier, make_v3, v3_bytes
from xds_gateway import contracts
from xds_gateway.codec.hl7v3 import parse_accept_ack, parse_feed, render_accept_ack, render_feed
from xds_gateway.model.feeds import FeedMessage, FeedResponse, Identifier, InstanceIdentifier, Wrapper
from xds_gateway.model.messages import PlannedEffect
from xds_gateway.rules.patients import BY_ID, SHARED_RULES, V3_RULES, problem

ADD, REVISE, MERGE = (f"PRPA_IN20130{number}UV02" for number in (1, 2, 4))
SCHEMA = etree.XMLSchema(file=str(contracts.schema_path("HL7V3.xsd")))

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
oids = st.lists(st.integers(0, 9999), min_size=2, max_size=6).map(lambda arcs: ".".join(map(str, [1, *arcs])))
instances = st.builds(InstanceIdentifier, oids, texts | st.just(""))
devices = st.lists(instances, min_size=1, max_size=2).map(tuple)


@st.composite
def identifiers(draw: st.DrawFn) -> Identifier:
    escapes = dict(zip("|^~\\&", "FSRET", strict=True))
    text = "".join(f"\\{escapes[c]}\\" if c in escapes else c for c in draw(texts))
    return Identifier(text, "", draw(oids), "ISO")


@st.composite
def messages(draw: st.DrawFn) -> FeedMessage[Wrapper]:
    interaction = draw(st.sampled_from((ADD, REVISE, MERGE)))
    wrapper = Wrapper(interaction, draw(instances), draw(devices), draw(devices))
    patients = tuple(draw(st.lists(identifiers(), min_size=1, max_size=3)))
    return FeedMessage(wrapper, patients, (draw(identifiers()),) if interaction == MERGE else ())


def read(message: bytes) -> FeedMessage[Wrapper]:
    return parse_feed(etree.fromstring(message), [])


@given(messages())
def test_what_is_written_is_read_and_valid(message):
    written = etree.fromstring(render_feed(message, now=NOW))
    assert SCHEMA.validate(written), SCHEMA.error_log
    assert parse_feed(written, [])._replace(digest=b"") == message


@given(st.recursive(st.just("<id/>"), lambda inner: inner.map(lambda x: f"<subject>{x}</subject>"), max_leaves=3))
def test_any_element_is_read(content):
    found = read(f'<PRPA_IN201304UV02 xmlns="urn:hl7-org:v3">{content}</PRPA_IN201304UV02>'.encode())
    assert {mistake.rule for mistake in found.mistakes} <= set(BY_ID)
    assert found.mistakes


# --- identifiers


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ('<id root="1.2.3" extension="a"/>', [Identifier("a", "", "1.2.3", "ISO")]),
        ('<id root="1.2.3" extension="a&amp;b^c"/>', [Identifier("a\\T\\b\\S\\c", "", "1.2.3", "ISO")]),
        ('<id root="1.2.3" extension="a"/><id root="1.9" extension="b"/>',
         [Identifier("a", "", "1.2.3", "ISO"), Identifier("b", "", "1.9", "ISO")]),
        ('<id root="1.2.3" extension="a" assigningAuthorityName="HOSP"/>', [Identifier("a", "", "1.2.3", "ISO")]),
        ('<id root="8a7f2f5a-6ee5-4d7c-8e8b-9d1f00000001" extension="a"/>',
         [Identifier("a", "", "8a7f2f5a-6ee5-4d7c-8e8b-9d1f00000001", "")]),
        ('<id root="1.2.3"/>', []),
        ('<id nullFlavor="UNK"/>', []),
        ('<id extension="a"/>', []),
    ],
)  # fmt: skip
def test_identifiers_are_read_by_their_parts(element, expected):
    message = v3_bytes().replace(b'<id root="1.2.3" extension="A"/>', element.encode())
    assert list(read(message).patients) == expected


def test_prefixes_do_not_matter():
    message = v3_bytes(MERGE, "A", subsumed="B").replace(b"xmlns=", b"xmlns:v=")
    prefixed = message.replace(b"</", b"\0").replace(b"<", b"<v:").replace(b"\0", b"</v:")
    assert read(prefixed) == read(v3_bytes(MERGE, "A", subsumed="B"))
    assert read(prefixed).subsumed == (identifier("B"),)


def test_a_message_is_told_from_another_of_its_id():
    one, other = (read(v3_bytes(ADD, name)) for name in ("A", "B"))
    assert one.header == other.header
    assert one.digest != other.digest
    assert one.digest == read(v3_bytes(ADD, "A").replace(b"20260314083000", b"20260314083001")).digest
    assert one.digest != read(v3_bytes(REVISE, "A")).digest


# --- what contradicts itself

PRIOR = b'<id root="1.2.3" extension="B"/>'
REPLACES = (
    b'<replacementOf typeCode="RPLC"><priorRegistration classCode="REG" moodCode="EVN"><statusCode code="obsolete"/>'
    b'<subject1 typeCode="SBJ"><priorRegisteredRole classCode="PAT">' + PRIOR + b"</priorRegisteredRole></subject1>"
    b"</priorRegistration></replacementOf>"
)
PAIRS = [
    # interaction, what is changed, rule (None: accepted)
    (ADD, b'extension="PRPA_IN201301UV02"', b'extension="PRPA_IN201302UV02"', "ihe.feed.v3.interaction"),
    (ADD, b' extension="PRPA_IN201301UV02"', b"", None),
    (ADD, b'code="PRPA_TE201301UV02"', b'code="PRPA_TE201304UV02"', "ihe.feed.v3.interaction"),
    (ADD, b'<code code="PRPA_TE201301UV02" codeSystem="2.16.840.1.113883.1.6"/>', b"", None),
    (ADD, b'<processingModeCode code="T"/>', b'<processingModeCode code="A"/>', "ihe.feed.v3.mode"),
    (ADD, b'<processingModeCode code="T"/>', b"", None),
    (ADD, b'<processingCode code="P"/>', b'<processingCode code="D"/>', None),
    (ADD, b'<acceptAckCode code="AL"/>', b'<acceptAckCode code="NE"/>', None),
    (ADD, b"</receiver>", b"</receiver><receiver><device/></receiver>", "ihe.feed.v3.receiver"),
    (ADD, b"</device></receiver>", b"</device><device/></receiver>", "ihe.feed.v3.receiver"),
    (ADD, b'<id root="1.2.9.2"/>', b'<id root="1.2.9.2"/><id root="1.2.9.3"/>', None),
    (ADD, b'<statusCode code="active"/><subject1', b'<statusCode code="completed"/><subject1', "ihe.feed.v3.status"),
    (ADD, b'<statusCode code="active"/><subject1', b"<subject1", None),
    (ADD, b'<statusCode code="active"/><patientP', b'<statusCode code="nullified"/><patientP', "ihe.feed.v3.status"),
    (MERGE, b'code="obsolete"', b'code="active"', "ihe.feed.v3.status"),
    (MERGE, b'<statusCode code="obsolete"/>', b"", None),
    (ADD, b"</subject></c", b'</subject><subject/></c', "ihe.feed.v3.subject"),
    (ADD, b"</registrationEvent>", b"</registrationEvent><registrationEvent/>", "ihe.feed.v3.subject"),
    (ADD, b"</patient>", b"</patient><patient/>", "ihe.feed.v3.subject"),
    (ADD, b"controlActProcess", b"controlAct", "ihe.feed.v3.subject"),
    (ADD, b"</registrationEvent>", REPLACES + b"</registrationEvent>", "ihe.feed.v3.replaces"),
    (REVISE, b"</registrationEvent>", REPLACES + b"</registrationEvent>", "ihe.feed.v3.replaces"),
    (MERGE, REPLACES, b"", "ihe.feed.v3.replacement"),
    (MERGE, PRIOR, b"", "ihe.feed.v3.replacement"),
    (MERGE, REPLACES, REPLACES + REPLACES, "ihe.feed.merge.one"),
    (MERGE, PRIOR, PRIOR + PRIOR, "ihe.feed.merge.one"),
    (ADD, b'<id root="1.2.9" extension="1"/>', b"", "ihe.feed.controlId"),
    (ADD, b'<id root="1.2.9" extension="1"/>', b'<id nullFlavor="NI"/>', "ihe.feed.controlId"),
    (ADD, b'<id root="1.2.9" extension="1"/>', b'<id root="1.2.9" extension="' + b"1" * 251 + b'"/>',
     "ihe.feed.controlId"),
    (ADD, b'<id root="1.2.9" extension="1"/>', b'<id root="1.2.9" extension="' + b"1" * 250 + b'"/>', None),
]  # fmt: skip


@pytest.mark.parametrize(("interaction", "old", "new", "rule"), PAIRS)
def test_what_contradicts_the_message_is_named(interaction, old, new, rule):
    message = v3_bytes(interaction, "A", subsumed="B" if interaction == MERGE else None)
    assert read(message).mistakes == ()
    assert old in message
    assert [mistake.rule for mistake in read(message.replace(old, new)).mistakes] == ([rule] if rule else [])


def test_every_rule_about_reading_is_broken_here():
    by_others = {"ihe.feed.v3.access"}  # unit/server/test_patient_identity.py
    assert {rule.id for rule in V3_RULES} - by_others <= {rule for *_, rule in PAIRS}


def test_all_mistakes_are_told_at_once():
    message = v3_bytes().replace(b'code="T"', b'code="A"').replace(b'code="active"', b'code="held"')
    told = [mistake.rule for mistake in read(message).mistakes]
    assert told == ["ihe.feed.v3.mode", "ihe.feed.v3.status", "ihe.feed.v3.status"]


# --- acknowledgements


def answered(response: FeedResponse):
    (written,) = render_accept_ack(response, message_id="urn:uuid:8a7f2f5a-6ee5-4d7c-8e8b-9d1f00000001", now=NOW)
    element = etree.fromstring(written)
    assert SCHEMA.validate(element), SCHEMA.error_log
    return parse_accept_ack(element)


def test_an_acceptance_answers_the_sender():
    ack = answered(FeedResponse(header=WRAPPER))
    assert (ack.type_code, ack.accepted, ack.target, ack.details, ack.planned) == ("CA", True, WRAPPER.id, (), None)
    assert (ack.senders, ack.receivers) == (WRAPPER.receivers, WRAPPER.senders)


@pytest.mark.parametrize("rule", [rule.id for rule in (*SHARED_RULES, *V3_RULES)])
def test_a_refusal_says_what_and_where(rule):
    found = problem(rule, received='a<b&"', transaction="ITI-44")
    ack = answered(FeedResponse(header=WRAPPER, findings=(found,)))
    (detail,) = ack.details
    assert (ack.type_code, ack.accepted) == ({"AE": "CE", "AR": "CR"}[found.acknowledgment], False)
    assert (detail.type_code, detail.code, detail.location or "") == ("E", found.code.value, found.location)
    assert f"[rule={rule} | " in detail.text
    assert 'received=a<b&" | ' in detail.text
    assert not {"PID", "MRG", "MSH"} & set(detail.text.replace("-", " ").split())


def test_a_message_without_ids_is_answered_without_them():
    ack = answered(FeedResponse.refused(None, (problem("ihe.feed.failed", transaction="ITI-44"),)))
    assert (ack.type_code, ack.target, ack.senders, ack.receivers) == ("CR", None, (), ())


def test_a_dry_run_tells_its_effects():
    planned = (PlannedEffect("merge", f"A^^^&{OID}&ISO", f"into B^^^&{OID}&ISO"),)
    ack = answered(FeedResponse(header=WRAPPER, planned=planned))
    assert (ack.accepted, ack.details, ack.planned) == (True, (), planned)
    assert answered(FeedResponse(header=WRAPPER, planned=())).planned == ()


@pytest.mark.parametrize("code", ["AA", "CA", "AE", "CR"])
def test_acknowledgements_of_others_are_read(code):
    written = (
        '<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"><acknowledgement typeCode="{}"><targetMessage><id root="1.2"/>'
        "</targetMessage><acknowledgementDetail><text>why</text></acknowledgementDetail></acknowledgement>"
        "</MCCI_IN000002UV01>"
    )
    ack = parse_accept_ack(etree.fromstring(written.format(code)))
    assert (ack.type_code, ack.accepted, ack.details[0].text) == (code, code.endswith("A"), "why")


@pytest.mark.parametrize("text", ["<x/>", '<MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"/>'])
def test_what_is_no_acknowledgement_is_refused(text):
    with pytest.raises(ValueError, match="no accept acknowledgement"):
        parse_accept_ack(etree.fromstring(text))


def test_a_builder_makes_what_is_read():
    assert read(v3_bytes(MERGE, "A", subsumed="B"))._replace(digest=b"") == make_v3(MERGE, "A", subsumed="B")
