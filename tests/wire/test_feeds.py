"""ITI-8 on the wire: who is known afterwards, what merges do to submissions and queries, what broken senders get."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.feeds import feed_bytes
from xds_gateway.codec.hl7v2 import parse_ack
from xds_gateway.codec.mllp import frame

from .feeds import adt, fed_domain, feed, sending
from .messages import Answer, accepted, find_documents, new_patient, provide, query, replacement, send

LIMIT = 2000
SLOW = 1.0


@pytest.fixture(scope="module")
def fed(start_shared, pki):
    return start_shared(workers=2, **fed_domain(pki, message_bytes=LIMIT, message_seconds=SLOW))


@pytest.fixture(scope="module")
def following(start_shared, pki):
    settings = fed_domain(pki)
    settings["domains"][0]["merged_patients"] = "follow"
    return start_shared(workers=2, **settings)


def submitted(gateway, patient: str, content: bytes = b"the letter") -> Answer:
    return send(gateway, provide(content, patient=patient).message())


def found(gateway, patient: str) -> int:
    answer = send(gateway, find_documents(patient))
    assert answer.status == "Success"
    return len(answer.entries)


def known(gateway, *patients: str) -> None:
    assert set(feed(gateway, *(adt("A04", patient) for patient in patients))) == {"AA"}


def merged(gateway, subsumed: str, surviving: str) -> None:
    assert feed(gateway, adt("A40", surviving, subsumed)) == ["AA"]


# --- registration


@pytest.mark.parametrize("event", ["A01", "A04", "A05"])
@pytest.mark.parametrize("version", ["2.3.1", "2.5"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_patient_is_known_when_the_answer_is_read(fed, event, version, tls):
    patient = new_patient()
    assert submitted(fed, patient).errors == ["XDSUnknownPatientId"]
    with sending(fed, tls=tls) as sender:
        assert sender.send(adt(event, patient, version=version)) == ["AA"]
        assert submitted(fed, patient).status == "Success"
        assert sender.send(adt("A08", patient)) == ["AA"]


def test_without_a_certificate_nothing_is_taken(fed):
    patient = new_patient()
    with suppress(OSError), sending(fed, tls=True, anonymous=True) as sender:
        assert sender.send(adt("A04", patient)) == []
    assert submitted(fed, patient).errors == ["XDSUnknownPatientId"]


def test_messages_are_answered_in_their_order(fed):
    patients = [new_patient() for _ in range(150)]
    messages = [adt("A04", patient, control_id=f"n{number}") for number, patient in enumerate(patients)]
    messages[7] = messages[7].replace(b"ADT^A04", b"ADT^A37")
    with sending(fed) as sender:
        sender.write(b"\r\n".join(map(frame, messages)))
        answers = [parse_ack(answer) for answer in sender.read(150)]
    assert [number for _, number, _ in answers] == [f"n{number}" for number in range(150)]
    assert [code for code, _, _ in answers] == ["AA"] * 7 + ["AR"] + ["AA"] * 142
    assert submitted(fed, patients[-1]).status == "Success"


def test_a_message_may_arrive_byte_by_byte(fed):
    with sending(fed) as sender:
        for byte in frame(adt("A04", new_patient())):
            sender.write(bytes((byte,)))
        assert [parse_ack(answer)[0] for answer in sender.read(1)] == ["AA"]


def test_another_program_can_send(fed, tmp_path):
    """The command-line client of the Python library hl7."""
    patients = [new_patient() for _ in range(3)]
    file = tmp_path / "messages.hl7"
    file.write_bytes(b"".join(frame(adt("A04", patient)) for patient in patients))
    program = Path(sys.executable).with_name("mllp_send")
    port = str(fed.feed_ports[0])
    done = subprocess.run(
        [program, "--port", port, "--file", file, "127.0.0.1"], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.count(b"MSA|AA|")) == (0, 3), done.stderr
    assert submitted(fed, patients[2]).status == "Success"


# --- broken senders


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (frame(b"no HL7 at all"), []),
        (frame(b""), []),
        (b"GET / HTTP/1.1\r\n\r\n", []),
        (frame(feed_bytes("A04").replace(b"ADT^A04", b"ORU^R01")), ["AR"]),
        (frame(feed_bytes("A04").replace(b"ADT^A04", b"ADT^A37")), ["AR"]),
        (frame(feed_bytes("A04").replace(b"|2.3.1", b"|2.8")), ["AR"]),
        (frame(feed_bytes("A04").replace(b"PID|", b"ZZZ|")), ["AE"]),
        (frame(feed_bytes("A04")), ["AE"]),  # another authority's
        (frame(feed_bytes("A40", "B", subsumed="B")), ["AE"]),
        (b"\x0b" + feed_bytes("A04") + frame(feed_bytes("A04")), []),
        (frame(feed_bytes("A04") + b"Z" * LIMIT), ["AR"]),
        (b"\x0b" + feed_bytes("A04") + b"Z" * LIMIT * 4, ["AR"]),
        (b"\x0b" + b"Z" * LIMIT * 4, []),
        (b"\x0b" + feed_bytes("A04"), []),  # never ended
        (b"\x0b" + feed_bytes("A04") + b"\x1c", []),
    ],
)
def test_what_is_broken_is_never_accepted_and_the_feed_lives_on(fed, data, answers):
    with sending(fed) as healthy:
        with sending(fed) as sender:
            sender.write(data)
            assert [parse_ack(answer)[0] for answer in sender.read(len(answers) or 1)] == answers
        assert healthy.send(adt("A04", new_patient())) == ["AA"]


def test_a_sender_that_drips_is_cut_off(fed):
    with sending(fed) as sender:
        sender.write(b"\x0b" + adt("A04", new_patient())[:20])
        stopped = threading.Event()

        def drip() -> None:
            while not stopped.wait(SLOW / 5):
                try:
                    sender.write(b"Z")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert sender.read(1) == []
        stopped.set()
        thread.join()


def test_too_many_connections_are_closed(start_gateway, pki):
    gateway = start_gateway(workers=1, **fed_domain(pki, connections=1))
    with sending(gateway) as first:
        assert first.send(adt("A04", new_patient())) == ["AA"]
        with sending(gateway) as second:
            assert second.read(1) == []
        assert first.send(adt("A04", new_patient())) == ["AA"]


def test_the_log_has_no_content(fed):
    patient = new_patient()
    feed(fed, adt("A04", patient), adt("A04", patient.replace("&", "&9")))
    assert patient.split("^")[0] not in fed.log_text()


def test_a_stop_answers_what_is_at_work_and_closes_the_rest(start_gateway, pki):
    gateway = start_gateway(workers=1, **fed_domain(pki))
    patient = new_patient()
    with sending(gateway) as sender:
        assert sender.send(adt("A04", patient)) == ["AA"]
        assert gateway.stop() == 0
        assert sender.read(1) == []


# --- merges


def test_a_merge_is_seen_by_the_next_query_and_submission(fed):
    old, new = new_patient(), new_patient()
    known(fed, old, new)
    made = accepted(fed, provide(b"the letter", patient=old))
    accepted(fed, provide(b"another", patient=new))
    with sending(fed) as sender:
        assert sender.send(adt("A40", new, old)) == ["AA"]
        assert (found(fed, old), found(fed, new)) == (0, 2)
        assert submitted(fed, old).errors == ["XDSUnknownPatientId"]
        assert sender.send(adt("A40", new, old), adt("A01", old), adt("A40", old, new)) == ["AE", "AE", "AE"]
    assert submitted(fed, new).status == "Success"
    by_id = send(fed, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{made.unique_ids[0]}')"}))
    assert new.encode().replace(b"&", b"&amp;") in by_id.response.body
    assert old.split("^")[0].encode() not in by_id.response.body
    assert find_documents(old)


def test_the_survivor_of_a_chain_may_replace_documents_of_all(fed):
    first, second, third = (new_patient() for _ in range(3))
    known(fed, first, second, third)
    made = accepted(fed, provide(b"the letter", patient=first))
    uuid = send(fed, find_documents(first)).entries[0].get("id")
    merged(fed, first, second)
    merged(fed, second, third)
    assert made.unique_ids
    accepted(fed, replacement(uuid, b"corrected", third))
    assert found(fed, third) == 1


def test_submissions_may_follow_a_merge(following):
    old, new = new_patient(), new_patient()
    known(following, old, new)
    merged(following, old, new)
    assert submitted(following, old).status == "Success"
    assert (found(following, old), found(following, new)) == (0, 1)
