"""ADT messages and acknowledgments: what is read, what is refused, what is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.feeds import HEADER, NOW, feed_bytes, identifier, make_feed, make_link
from xds_gateway.codec.hl7v2 import (
    EVENTS,
    LINK_CHANGE,
    MERGE,
    parse_ack,
    parse_adt,
    parse_header,
    render_ack,
    render_adt,
)
from xds_gateway.model.feeds import FeedMessage, FeedUnreadable, Identifier
from xds_gateway.rules.patients import BY_ID, SHARED_RULES, V2_RULES, problem

names = st.text(st.characters(codec="utf-8", exclude_characters='|^~\\&"', exclude_categories=("C", "Z")), min_size=1)
parts = st.text("ABCDEFGHIJKLMNOP.0123456789", max_size=20)
identifiers = st.lists(st.builds(Identifier, names, parts, parts, parts), min_size=1, max_size=4).map(tuple)


@st.composite
def messages(draw: st.DrawFn) -> FeedMessage:
    event = draw(st.sampled_from(EVENTS))
    header = HEADER._replace(
        event=event,
        sending_application=draw(parts),
        control_id=draw(parts.filter(bool)),
        version=draw(st.sampled_from(("2.3.1", "2.5"))),
        charset=draw(st.sampled_from(("", "UNICODE UTF-8"))),
    )
    return FeedMessage(header, draw(identifiers), draw(identifiers) if event in (MERGE, LINK_CHANGE) else ())


@given(messages())
def test_what_is_written_is_read(message):
    assert parse_adt(render_adt(message, now=NOW))._replace(digest=b"") == message


@given(
    st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"MSH|^~\\&|A|B|C|D|1||ADT^A04|1|P|2.5" + rest)
)
def test_any_bytes_are_a_message_or_refused(data):
    assert refusal(data) in {None, *BY_ID}


def refusal(data: bytes) -> str | None:
    try:
        parse_adt(data)
    except FeedUnreadable as unreadable:
        return unreadable.rule
    return None


PID = "MSH|^~\\&|HIS|HOSPITAL|XDS|REGION|1||ADT^A04|1|P|2.3.1\rPID|||{}\r"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("1", [Identifier("1")]),
        ("1^^^HOSP", [Identifier("1", "HOSP")]),
        ("1^^^HOSP&1.2.3&ISO^PI", [Identifier("1", "HOSP", "1.2.3", "ISO")]),
        ("1^^^&1.2.3&ISO~2^^^LOCAL", [Identifier("1", "", "1.2.3", "ISO"), Identifier("2", "LOCAL")]),
        ('""~^^^&1.2.3&ISO~3', [Identifier("3")]),
        ("a\\T\\b^^^H", [Identifier("a\\T\\b", "H")]),
        ("", []),
    ],
)
def test_identifiers_are_read_by_their_parts(field, expected):
    assert list(parse_adt(PID.format(field).encode()).patients) == expected


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_may_end_as_senders_end_them(end):
    assert parse_adt(PID.format("1").replace("\r", end).encode()).patients == (Identifier("1"),)


def test_segments_and_fields_that_nobody_reads_may_hold_anything():
    head, pid = PID.format("1^^^H").split("\r")[:2]
    text = "\r".join((f"{head}||||||||x^y~z", "EVN", "PV1|^^^~\\~|&&", f"{pid}||Doe^^~~\\X||1961|\\", "ZZ1", ""))
    assert parse_adt(text.encode()).patients == (Identifier("1", "H"),)


def test_other_separators_are_made_the_usual_ones():
    text = "MSH!*%/$!HIS!HOSPITAL!XDS!REGION!1!!ADT*A04!1!P!2.3.1\rPID!!!a^b/S/c***$1.2.3$ISO\r"
    assert parse_adt(text.encode()).patients == (Identifier("a\\S\\b\\S\\c", "", "1.2.3", "ISO"),)


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        ("", "utf-8", "Žofie-é"),
        ("", "latin-1", "é"),
        ("8859/1", "latin-1", "é"),
        ("8859/2", "iso8859-2", "Ž"),
        ("8859/15", "iso8859-15", "œ€"),
        ("UNICODE UTF-8", "utf-8", "Ж"),
        ("GB 18030-2000", "gb18030", "中"),
        ("unicode utf-8~8859/1", "utf-8", "é"),
    ],
)
def test_bytes_are_read_in_the_character_set_of_msh_18(charset, codec, name):
    text = PID.format(f"{name}^^^H").replace("|2.3.1", f"|2.3.1||||||{charset}")
    message = parse_adt(text.encode(codec))
    assert message.patients == (Identifier(name, "H"),)
    answer = render_ack(message.header, problem("ihe.feed.patient", expected=name), now=NOW, control_id="9")
    assert name in answer.decode("utf-8" if codec == "latin-1" and not charset else codec)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("ADT^A04", "ORU^R01"), "ihe.feed.type"),
        (("ADT^A04", "QBP^Q22"), "ihe.feed.query"),
        (("ADT^A04", "QBP^Q23"), "ihe.feed.query"),
        (("ADT^A04", "QBP^ZV1"), "ihe.feed.query"),
        (("ADT^A04", "ADT^A37"), "ihe.feed.event"),
        (("ADT^A04", "ADT"), "ihe.feed.event"),
        (("|P|2.3.1", "|P|2.8"), "ihe.feed.version"),
        (("|P|2.3.1", "|P|2.5^FRA"), None),
        (("|P|2.3.1", ""), None),
        (("|1|P|", "||P|"), "ihe.feed.controlId"),
        (("2.3.1", "2.3.1||||||UNICODE UTF-16"), "ihe.feed.charset"),
        (("2.3.1", "2.3.1||||||UTF-8"), None),
        (("PID|", "ZID|"), "ihe.feed.segment"),
        (("ADT^A04", "ADT^A40"), "ihe.feed.segment.merge"),
        (("ADT^A04", "ADT^A43"), "ihe.feed.segment.link"),
        (("ADT^A04", "ADT^A04^ADT_A01"), None),
        (("MSH|^~\\&", "MSH|^^\\&"), "ihe.feed.header"),
        (("MSH|", "XSH|"), "ihe.feed.header"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(change, rule):
    data = PID.format("1").replace(*change).encode()
    if rule is None:
        assert parse_adt(data).patients
        return
    with pytest.raises(FeedUnreadable) as refused:
        parse_adt(data)
    assert refused.value.rule == rule
    assert (refused.value.header is None) == (rule == "ihe.feed.header")


def test_bytes_that_are_not_in_their_character_set_are_refused():
    data = PID.format("é").replace("2.3.1", "2.3.1||||||UNICODE UTF-8").encode("latin-1")
    with pytest.raises(FeedUnreadable, match="charset"):
        parse_adt(data)


def test_a_merge_has_one_pair():
    text = feed_bytes("A40", "B", subsumed="A").decode()
    assert parse_adt(text.encode()).subsumed == (identifier("A"),)
    with pytest.raises(FeedUnreadable, match=r"merge\.one"):
        parse_adt((text + "PID|||C^^^&1.2.3&ISO\rMRG|D^^^&1.2.3&ISO\r").encode())


@pytest.mark.parametrize("structure", ["ADT^A43", "ADT^A43^ADT_A43"])
def test_a_changed_link_has_one_pair_with_its_identifiers_in_order(structure):
    made = make_link("B", "L", "C", subsumed="M")
    text = render_adt(made, now=NOW).decode().replace("ADT^A43^ADT_A43", structure)
    read = parse_adt(text.encode())
    assert [each.id for each in (*read.patients, *read.subsumed)] == ["B", "L", "C", "M"]
    assert text.split("\r")[2].split("|")[5] == " "
    with pytest.raises(FeedUnreadable, match=r"link\.one"):
        parse_adt((text + "PID|||C^^^&1.2.3&ISO\rMRG|D^^^&1.2.3&ISO\r").encode())


@pytest.mark.parametrize(
    ("application", "oid"),
    [
        ("1.2.3", "1.2.3"),
        ("PIX^1.2.3^ISO", "1.2.3"),
        ("^1.2.3^ISO", "1.2.3"),
        ("1.2.3^4.5.6^DNS", "1.2.3"),
        ("1.2.3^pix.example.org^DNS", "1.2.3"),
        ("PIX^1.2.3^DNS", None),
        ("PIX", None),
        ("", None),
    ],
)
def test_the_sending_application_may_have_an_oid(application, oid):
    data = PID.format("1").replace("|HIS|", f"|{application}|").encode()
    assert parse_adt(data).header.application_oid == oid


def test_a_message_is_told_from_another_of_its_id():
    one, other = (parse_adt(feed_bytes("A04", name)) for name in ("A", "B"))
    assert one.header == other.header
    assert one.digest != other.digest
    assert one.digest == parse_adt(feed_bytes("A04", "A")).digest


# --- acknowledgments


def test_an_acceptance_answers_the_sender():
    answer = render_ack(make_feed("A40", "B").header, None, now=NOW, control_id="77").decode()
    assert answer.split("\r") == [
        f"MSH|^~\\&|XDS|REGION|HIS|HOSPITAL|{NOW}||ACK^A40^ACK|77|P|2.3.1",
        "MSA|AA|1",
        "",
    ]


@pytest.mark.parametrize("rule", [rule.id for rule in (*V2_RULES, *SHARED_RULES)])
def test_a_refusal_says_what_and_where(rule):
    found = problem(rule, received="a|b^c")
    answer = render_ack(HEADER, found, now=NOW, control_id="77")
    _, msa, err, _ = answer.decode().split("\r")
    fields = err.split("|")
    assert msa == f"MSA|{found.acknowledgment}|1"
    assert found.acknowledgment in ("AE", "AR")
    assert (fields[2], fields[3].split("^")[0], fields[4], fields[5]) == (found.location, found.code.value, "E", rule)
    assert len(fields) == 9
    assert parse_ack(answer)[:2] == (found.acknowledgment, "1")


def test_the_header_is_read_of_a_message_that_is_cut_short():
    assert parse_header(feed_bytes("A04")[:90]).control_id == "1"


@pytest.mark.parametrize("data", [b"", b"MSH", b"\x00\x01", b"MSH|^~\\&|A|B|C|D|1||ADT^A04|1|P|2.5\r"])
def test_what_is_no_acknowledgment_is_refused(data):
    with pytest.raises(FeedUnreadable):
        parse_ack(data)
