"""ITI-44 on the wire: who is known afterwards, what merges do, and what zeep makes of the WSDL."""

import uuid

import pytest
import requests
import zeep
from zeep.transports import Transport

from tests.unit.feeds import NOW
from xds_gateway.codec.hl7v3 import AcceptAck, parse_accept_ack
from xds_gateway.codec.soap import DRY_RUN_HEADER

from .feeds import ADDED, MERGED, REVISED, adt, fed_domain, feed, v3
from .messages import (
    AUTHORITY,
    Answer,
    Message,
    accepted,
    find_documents,
    new_patient,
    provide,
    replacement,
    send,
)


@pytest.fixture(scope="module")
def fed(start_shared, pki):
    return start_shared(workers=2, **fed_domain(pki))


def acknowledged(answer: Answer) -> AcceptAck:
    assert (answer.response.status, answer.action) == (200, "urn:hl7-org:v3:MCCI_IN000002UV01")
    return parse_accept_ack(answer.root[1][0])


def told(gateway, *messages: Message) -> list[str]:
    """The code of each acknowledgement."""
    return [acknowledged(send(gateway, each)).type_code for each in messages]


def submitted(gateway, patient: str) -> Answer:
    return send(gateway, provide(b"the letter", patient=patient).message())


@pytest.mark.parametrize("interaction", [ADDED, REVISED])
def test_a_patient_is_known_when_the_answer_is_read(fed, interaction):
    patient = new_patient()
    assert submitted(fed, patient).errors == ["XDSUnknownPatientId"]
    assert told(fed, v3(interaction, patient), v3(interaction, patient)) == ["CA", "CA"]
    assert submitted(fed, patient).status == "Success"


def test_a_merge_is_seen_by_the_next_query_and_submission(fed):
    old, new = new_patient(), new_patient()
    assert told(fed, v3(ADDED, old), v3(ADDED, new)) == ["CA", "CA"]
    accepted(fed, provide(b"the letter", patient=old))
    uuid_ = send(fed, find_documents(old)).entries[0].get("id")
    merge = v3(MERGED, new, old)
    assert told(fed, merge) == ["CA"]
    assert [len(send(fed, find_documents(patient)).entries) for patient in (old, new)] == [0, 1]
    assert submitted(fed, old).errors == ["XDSUnknownPatientId"]
    accepted(fed, replacement(uuid_, b"corrected", new))
    assert told(fed, merge, v3(MERGED, new, old), v3(MERGED, old, new), v3(ADDED, old)) == [
        "CA", "CE", "CE", "CE",
    ]  # fmt: skip


def test_both_feeds_tell_of_the_same_patients(fed):
    old, new = new_patient(), new_patient()
    assert feed(fed, adt("A04", old)) == ["AA"]
    assert told(fed, v3(ADDED, new), v3(MERGED, new, old)) == ["CA", "CA"]
    assert feed(fed, adt("A40", old, new), adt("A01", old)) == ["AE", "AE"]


def test_a_dry_run_changes_nothing(fed):
    patient = new_patient()
    ack = acknowledged(send(fed, v3(ADDED, patient, DryRun=DRY_RUN_HEADER)))
    assert (ack.accepted, [(each.effect, each.object_id) for each in ack.planned]) == (True, [("know", patient)])
    assert submitted(fed, patient).errors == ["XDSUnknownPatientId"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"urn:hl7-org:v3:PRPA_IN201301UV02<", b"urn:hl7-org:v3:PRPA_IN201305UV02<", "Sender"),
        (b"urn:hl7-org:v3:PRPA_IN201301UV02<", b"urn:hl7-org:v3:PRPA_IN201304UV02<", "Sender"),
        (b"</controlActProcess>", b"", "Sender"),
        (b"<s:Body>", b"<s:Body><x/>", "Sender"),
    ],
)
def test_what_is_no_message_is_a_fault(fed, old, new, fault):
    patient = new_patient()
    answer = send(fed, v3(ADDED, patient).replaced(old, new))
    assert (answer.fault, answer.response.status) == (fault, 500)
    assert submitted(fed, patient).errors == ["XDSUnknownPatientId"]


def test_zeep_feeds_patients_with_nothing_but_the_wsdl(fed):
    session = requests.Session()
    session.trust_env = False
    session.verify = str(fed.pki.files.ca)
    session.cert = tuple(map(str, fed.pki.client))
    client = zeep.Client(f"{fed.patients_url}?wsdl", transport=Transport(session=session))
    device = {"classCode": "DEV", "determinerCode": "INSTANCE"}
    patient = new_patient()

    def fed_by_zeep(interaction: str, name: str, **more: object) -> object:
        event = {
            "classCode": "REG",
            "moodCode": "EVN",
            "statusCode": {"code": "active"},
            "subject1": {
                "patient": {
                    "id": [{"root": AUTHORITY, "extension": name}],
                    "statusCode": {"code": "active"},
                    "patientPerson": {"_attr_1": {"classCode": "PSN", "determinerCode": "INSTANCE"}},
                }
            },
            "custodian": {"_attr_1": {"typeCode": "CST"}},
            **more,
        }
        return client.service[f"DocumentRegistry_{interaction}"](
            ITSVersion="XML_1.0",
            id={"root": str(uuid.uuid4())},
            creationTime={"value": NOW},
            interactionId={"root": "2.16.840.1.113883.1.6", "extension": interaction},
            processingCode={"code": "P"},
            processingModeCode={"code": "T"},
            acceptAckCode={"code": "AL"},
            receiver=[{"typeCode": "RCV", "device": {**device, "id": [{"root": "1.2.9.2"}]}}],
            sender={"typeCode": "SND", "device": {**device, "id": [{"root": "1.2.9.1"}]}},
            controlActProcess={
                "classCode": "CACT",
                "moodCode": "EVN",
                "code": {"code": interaction.replace("_IN", "_TE"), "codeSystem": "2.16.840.1.113883.1.6"},
                "subject": [{"registrationEvent": event}],
            },
        )

    added = fed_by_zeep(ADDED, patient.split("^")[0])
    (acknowledgement,) = added["acknowledgement"]
    assert acknowledgement["typeCode"]["code"] == "CA"
    assert submitted(fed, patient).status == "Success"
    prior = {"id": [{"root": AUTHORITY, "extension": "nobody"}]}
    refused = fed_by_zeep(
        MERGED,
        patient.split("^")[0],
        replacementOf=[
            {"priorRegistration": {"statusCode": {"code": "obsolete"}, "subject1": {"priorRegisteredRole": prior}}}
        ],
    )
    (acknowledgement,) = refused["acknowledgement"]
    (detail,) = acknowledgement["acknowledgementDetail"]
    assert (acknowledgement["typeCode"]["code"], detail["code"]["code"]) == ("CE", "KEY204")
    assert "ihe.feed.merge.subsumed.unknown" in detail["text"]["_value_1"]


def test_the_log_has_no_content(fed):
    patient = new_patient()
    told(fed, v3(ADDED, patient), v3(ADDED, patient.replace("&", "&9")))
    assert patient.split("^")[0] not in fed.log_text()
