"""Audit messages: DICOM PS3.15 A.5 as IHE fills it in, on one line that no value can break (ITI TF-2 3.20)."""

import json
import re
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.contract.submissions import make_event
from tests.unit.builders import OTHER_PATIENT, PATIENT
from xds_gateway.codec.atna import parse_audit_message, render_audit_message, render_syslog
from xds_gateway.codec.audit_messages import ROWS, audit_messages, for_patient
from xds_gateway.codec.fhir_audit import render_audit_event
from xds_gateway.codec.transactions import TRANSACTIONS
from xds_gateway.model.audit_messages import AuditMessage, AuditSite, Participant, ParticipantObject
from xds_gateway.model.messages import AuditEvent, QueryRequest
from xds_gateway.model.principal import Coded, User

SITE = AuditSite(
    source_id="gateway",
    site_id="Hôpital",
    host="gw.example.org",
    url="https://gw.example.org:8443",
    paths={"main": "/services"},
    homes={"main": "urn:oid:1.2.3"},
)
ID = "urn:uuid:00000000-0000-8000-8000-000000000001"
USER = User(
    name_id="jd",
    issuer="https://idp.example.org",
    assertion_id="_secret",
    alias="JD",
    name="Jeanne Durand",
    roles=(Coded("309343006", "2.16.840.1.113883.6.96", "Physician"),),
    purposes=(Coded("TREAT", "2.16.840.1.113883.5.8", "treatment"),),
)
QUERY = QueryRequest(
    query_id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
    return_type="LeafClass",
    parameters=(
        ("$XDSDocumentEntryPatientId", (f"'{PATIENT}'",)),
        ("$XDSDocumentEntryStatus", ("('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",)),
    ),
)
DOCUMENTS = ("1.2.3 9.8.7", "1.2.3 9.8.6")


def event(transaction: str, **changes: Any) -> AuditEvent:
    return make_event(at="20260314090001", transaction=transaction, user=USER, **changes)


def message(transaction: str, **changes: Any) -> AuditMessage:
    (made,) = audit_messages(ID, event(transaction, **changes), SITE)
    return made


def kinds(made: AuditMessage) -> list[tuple[int, int, str]]:
    """Type, role and kind of id of each object, but the event's own."""
    return [(each.type, each.role, each.id_type.code) for each in made.objects if each.id_type.code != "event-id"]


SET = (2, 20, "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd")
WHO = (1, 1, "2")


@pytest.mark.parametrize(
    ("transaction", "changes", "event_id", "action", "we_are", "objects"),
    [  # ITI TF-2
        ("ITI-18", {"query": QUERY, "objects": ()}, "110112", "E", "110152", [WHO, (2, 24, "ITI-18")]),  # 3.18.5.1.2
        ("ITI-51", {"query": QUERY, "objects": ()}, "110112", "E", "110152", [WHO, (2, 24, "ITI-51")]),  # 3.51.5.1.2
        ("ITI-41", {}, "110107", "C", "110152", [WHO, SET]),  # 3.41.5.1.2
        ("ITI-42", {}, "110107", "C", "110152", [WHO, SET]),  # 3.42.5.1.2
        ("ITI-61", {}, "110107", "C", "110152", [WHO, SET]),  # 3.61.5.1.2
        ("ITI-57", {}, "110107", "U", "110152", [WHO, SET]),
        ("ITI-92", {}, "110107", "U", "110152", [WHO, SET]),
        ("ITI-43", {"objects": DOCUMENTS}, "110106", "R", "110153", [WHO, (2, 3, "9"), (2, 3, "9")]),  # 3.43.6.1.2
        ("ITI-62", {}, "110110", "D", "110152", [WHO, (2, 3, "urn:ihe:iti:2017:ObjectRef")]),
        ("ITI-86", {"objects": DOCUMENTS[:1]}, "110110", "D", "110152", [WHO, (2, 3, "9")]),
        ("ITI-8", {"action": "U", "objects": ()}, "110110", "U", "110152", [WHO]),  # 3.8.5.1
        ("ITI-44", {"action": "C", "objects": ()}, "110110", "C", "110152", [WHO]),  # 3.44.5.1
        ("node-authentication", {"patient_ids": (), "objects": ()}, "110113", "E", "110152", [(2, 13, "110182")]),
        ("user-authentication", {"patient_ids": (), "objects": ()}, "110114", "E", "110152", []),
        ("something else", {"patient_ids": (), "objects": ()}, "110113", "E", "110152", []),
    ],
)
def test_a_transaction_is_told_as_its_section_says(
    transaction: str, changes: Any, event_id: str, action: str, we_are: str, objects: Any
) -> None:
    made = message(transaction, **changes)
    assert (made.event.code, made.action, made.outcome, made.at) == (event_id, action, 0, "2026-03-14T09:00:01Z")
    assert kinds(made) == objects
    (ours,) = [each for each in made.participants if each.alternative_id == "4711"]
    assert [role.code for role in ours.roles] == [we_are]
    assert not ours.requestor


@pytest.mark.parametrize("row", TRANSACTIONS, ids=lambda row: row.name)
def test_every_transaction_has_a_row(row: Any) -> None:
    assert ROWS[row.name].type.code == row.name
    assert ROWS[row.name].endpoint == row.endpoint


def test_the_caller_the_user_and_we_took_part() -> None:
    caller, human, ours = message("ITI-18", query=QUERY).participants
    assert (caller.user_id, caller.address, caller.requestor) == ("CN=Cabinet é", "127.0.0.1", True)
    assert human.user_id == human.name == "JD<jd@https://idp.example.org>"  # 3.40.4.2
    assert (human.requestor, human.roles) == (True, USER.roles)
    assert (ours.user_id, ours.address) == ("https://gw.example.org:8443/services/registry", "gw.example.org")
    assert message("ITI-18", query=QUERY).purposes == USER.purposes


@pytest.mark.parametrize(("outcome", "number"), [("success", 0), ("partial", 4), ("failure", 8)])
def test_an_outcome(outcome: str, number: int) -> None:
    made = message("ITI-41", outcome=outcome, codes=("XDSRegistryError",), note="dry run", decision="deny")
    assert (made.outcome, made.outcome_description) == (number, "XDSRegistryError, dry run, deny")


def test_a_query_is_told_as_it_was_sent() -> None:
    made = message("ITI-18", query=QUERY, objects=())
    query = made.objects[1]
    assert query.id == QUERY.query_id
    assert query.details == (("QueryEncoding", "UTF-8"), ("urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:1.2.3"))
    xml = etree.fromstring(render_audit_message(made))
    told = etree.fromstring(b64decode(xml.findtext(".//ParticipantObjectQuery") or ""))
    assert etree.QName(told).localname == "AdhocQueryRequest"
    assert PATIENT in etree.tostring(told, encoding="unicode").replace("&amp;", "&")


def test_each_patient_has_a_message_that_names_no_other_one() -> None:
    both = event("ITI-51", query=QUERY, objects=(), patient_ids=(PATIENT, OTHER_PATIENT))
    made = audit_messages(ID, both, SITE)
    assert [each.objects[0].id for each in made] == [PATIENT, OTHER_PATIENT]
    assert len({each.id for each in made}) == 2
    rendered = [each.objects[1].query or "" for each in made]
    assert [PATIENT.replace("&", "&amp;") in text for text in rendered] == [True, False]
    assert for_patient(both, OTHER_PATIENT).patient_ids == (OTHER_PATIENT,)


def test_an_assertion_is_not_told() -> None:
    for made in audit_messages(ID, event("ITI-18", query=QUERY), SITE):
        assert b"_secret" not in render_audit_message(made)
        assert b"_secret" not in render_audit_event(made)


@pytest.mark.parametrize(("transaction", "detail"), [("ITI-8", "MSH-10"), ("ITI-44", "II"), ("ITI-64", "MSH-10")])
def test_a_feed_names_its_message(transaction: str, detail: str) -> None:
    made = message(transaction, message_id="M1", sender="HOSPITAL|ADT")
    assert made.objects[0].details == ((detail, "M1"),)
    assert made.participants[0].user_id == "HOSPITAL|ADT"


LINKS = {"localPatientId": "l^^^&1.9&ISO", "newPatientId": PATIENT, "previousPatientId": OTHER_PATIENT}


@pytest.mark.parametrize(
    ("links", "cycles"),
    [  # ITI TF-2 3.64.5.1.2
        (LINKS, [None, 1, 14]),
        (LINKS | {"previousPatientId": PATIENT}, [None, 1, None]),
        (LINKS | {"subsumedPatientId": "s^^^&1.9&ISO"}, [1, 1, 14, 14]),
    ],
)
def test_a_link_change_names_all_its_identifiers_in_one_message(links: dict[str, str], cycles: list[Any]) -> None:
    made = message("ITI-64", patient_ids=tuple(links.values()), patient_types=tuple(links), message_id="M1")
    patients = [each for each in made.objects if each.role == 1]
    assert [each.id for each in patients] == [*links.values()]
    assert [each.life_cycle for each in patients] == cycles
    assert [dict(each.details)["urn:ihe:iti:xpid:2017:patientIdentifierType"] for each in patients] == [*links]
    assert {dict(each.details)["MSH-10"] for each in patients} == {"M1"}


# -- forms

HOSTILE = st.text(
    st.one_of(st.sampled_from("<>&\"'\n\r\t\0\x1b\x85\u2028 ]"), st.characters(exclude_categories=["Cs"])), max_size=30
)
CODES = st.builds(Coded, HOSTILE, HOSTILE, HOSTILE)


def cleaned(value: Any) -> Any:
    """What XML has no characters for is replaced."""
    if isinstance(value, str):
        return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)
    if isinstance(value, tuple):
        parts = [cleaned(each) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


@given(HOSTILE, HOSTILE, CODES, st.lists(CODES, max_size=2))
def test_any_text_is_read_back_from_one_line(text: str, other: str, code: Coded, codes: list[Coded]) -> None:
    sent = AuditMessage(
        id=ID,
        event=code,
        action="E",
        at="2026-03-14T09:00:01Z",
        outcome=0,
        outcome_description=text or None,
        types=tuple(codes),
        purposes=(code,),
        participants=(Participant(text, True, (code,), other or None, text or None, other or None),),
        source_id=text,
        site_id=other or None,
        objects=(
            ParticipantObject(text, 2, 24, code, None, other, ((text, "value"),)),
            ParticipantObject(ID, 4, 26, Coded("event-id", "x", None)),
        ),
    )
    line = render_audit_message(sent)
    assert re.search(rb"[\x00-\x1f]", line) is None
    read, wanted = parse_audit_message(line), cleaned(sent)
    blank = {code._replace(display=None) for code in (wanted.event, *wanted.types) if not code.display}
    assert render_audit_message(read) == line
    assert (read.participants[0].user_id, read.source_id) == (wanted.participants[0].user_id, wanted.source_id)
    assert read.objects[0].query == sent.objects[0].query
    assert blank or read.types == wanted.types
    assert json.loads(render_audit_event(sent))["agent"]


def test_what_is_no_character_is_replaced() -> None:
    made = message("ITI-41", node="a\ud800b\0")
    assert parse_audit_message(render_audit_message(made)).participants[0].user_id == "a\ufffdb\ufffd"
    assert json.loads(render_audit_event(made))["agent"][0]["who"]["identifier"]["value"] == "a\ufffdb\ufffd"


def test_a_message_in_its_frame() -> None:
    made = message("ITI-41")
    frame = render_syslog(made, "host name\n", "gate way", 42)
    length, _, line = frame.partition(b" ")
    assert int(length) == len(line)
    assert line.startswith(b"<85>1 2026-03-14T09:00:01Z host_name_ gate_way 42 IHE+RFC-3881 - <?xml")
    assert b"\n" not in line
    assert render_syslog(made, "host name\n", "gate way", 42) == frame
