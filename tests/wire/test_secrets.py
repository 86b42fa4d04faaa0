"""What stays inside: logs name and never quote, answers show nothing of the program, the wire log is off by default."""

import json
import re
from base64 import b64encode
from pathlib import Path

import pytest

from tests.gateways import RunningGateway, with_users
from xds_gateway.client import read_assertion_profile
from xds_gateway.codec.soap import render_security_header

from .messages import PLAIN, Message, envelope, find_documents, provide, query, retrieve, send
from .raw import call

CANARY = "Kanarienvogel"
PATIENT = f"{CANARY}^^^&1.3.6.1.4.1.21367.13.20.3000&ISO"


def hostile_messages() -> list[Message]:
    """Good and broken messages that have the canary wherever content can be."""
    good = provide(CANARY.encode() * 10, patient=PATIENT)
    text = good.message().replaced(b"Discharge letter", CANARY.encode())
    query_text = find_documents(PATIENT).body
    asked = {"$XDSDocumentEntryPatientId": f"'{PATIENT}'", "$XDSDocumentEntryStatus": f"('{CANARY}')"}
    broken = [
        query_text[:-20],
        query_text.replace(b"</rim:Slot>", b"", 1),
        query_text.replace(b"<s:Body>", f"<s:Body>{CANARY}".encode()),
        query_text.replace(b"<s:Header>", f'<s:Header><{CANARY} s:mustUnderstand="1"/>'.encode()),
        query_text.replace(b"AdhocQueryRequest", CANARY.encode()),
        envelope("ITI-18", f"<{CANARY}/>".encode(), Action=f"<a:Action>{CANARY}</a:Action>"),
        envelope("ITI-18", b"<x/>", ReplyTo=f"<a:ReplyTo><a:Address>http://{CANARY}</a:Address></a:ReplyTo>"),
        f"<!DOCTYPE {CANARY}>".encode() + query_text,
        CANARY.encode(),
    ]
    return [
        text,
        good.inline(),
        provide(b"x", patient=CANARY).message(),
        text._replace(body=text.body[: len(text.body) // 2]),
        text.replaced(b"creationTime", CANARY.encode()),
        good.inline().replaced(b64encode(CANARY.encode() * 10), CANARY.encode() + b"!"),
        query("FindDocuments", {"$XDSDocumentEntryPatientId": f"'{CANARY}"}),
        query("FindDocuments", asked),
        query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{CANARY}')"}),
        retrieve(CANARY, repository=CANARY),
        *(Message("registry", {"Content-Type": PLAIN}, body) for body in broken),
    ]


@pytest.fixture(scope="module")
def talked(start_shared) -> RunningGateway:
    """A gateway that logs all it can and has heard every message."""
    gateway = start_shared(log={"level": "debug"})
    for message in hostile_messages():
        response = call(gateway, f"/services/{message.endpoint}", message.body, message.headers)
        assert response.status in (200, 500)
    call(gateway, f"/services/{CANARY}", b"", {"Content-Type": CANARY, "X-Canary": CANARY})
    call(gateway, "/services/registry", b"x", {"Content-Type": f"{CANARY}/{CANARY}"})
    return gateway


def test_the_log_never_quotes_a_message(talked):
    assert CANARY not in talked.log_text()


def test_the_log_is_json_and_names_each_request(talked):
    lines = [json.loads(line) for line in talked.log_text().splitlines()]
    requests = [line for line in lines if line["logger"] == "xds_gateway.request"]
    assert len(requests) >= len(hostile_messages())
    named = {"at", "level", "event", "message_id", "transaction", "status", "milliseconds"}
    assert all(named <= set(line) for line in requests)
    assert not [line for line in lines if line["level"] in ("error", "critical")]


@pytest.mark.parametrize("line_end", ["&#10;", "&#13;&#10;", "&#8232;", "&#133;"])
def test_nobody_forges_a_line_of_the_log(talked, line_end):
    forged = '{"at": "2026", "level": "critical", "logger": "x", "event": "forged"}'.replace('"', "&quot;")
    message = find_documents(PATIENT)
    text = re.sub(rb"<a:MessageID>.*?<", f"<a:MessageID>urn:x{line_end}{forged}{line_end}<".encode(), message.body)
    assert send(talked, message._replace(body=text)).status == "Success"
    assert not [line for line in talked.log_text().splitlines() if json.loads(line)["event"] == "forged"]


def test_no_answer_shows_anything_of_the_program(talked):
    for message in hostile_messages():
        response = call(talked, f"/services/{message.endpoint}", message.body, message.headers)
        text = response.body.decode(errors="replace")
        assert not re.search(r"Traceback|\.py\b|sqlite|lxml|spyne|/tmp/|/home/|site-packages|Exception:", text)
        assert "server" not in response.headers


def test_nobody_chooses_the_address_that_the_audit_names(start_gateway):
    gateway = start_gateway()
    message = find_documents(PATIENT)
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        headers = {**message.headers, header: "for=6.6.6.6" if header == "Forwarded" else "6.6.6.6"}
        assert call(gateway, "/services/registry", message.body, headers).status == 200
    assert gateway.stop() == 0
    journal = [path.read_text() for path in gateway.data_folder.glob("journal/*.jsonl")]
    events = [json.loads(line) for line in "".join(journal).splitlines()]
    assert [e["address"] for e in events if e["transaction"] == "ITI-18"] == ["127.0.0.1"] * 3


# --- assertions ---------------------------------------------------------------------------------------------------


def test_no_assertion_reaches_the_log_or_the_disk_whether_it_is_good_or_not(start_gateway, pki, tmp_path):
    gateway = start_gateway(log={"level": "debug"}, **with_users(pki))
    text = pki.files.assertion_profile.read_text().replace('"issuer.', f'"{pki.files.ca.parent}/issuer.')
    (tmp_path / "profile.toml").write_text(text.replace("claire.martin", CANARY).replace("Dr Claire Martin", CANARY))
    good = read_assertion_profile(tmp_path / "profile.toml")()
    bad = [good.replace(b"<saml:Issuer>", b"<saml:Issuer>x"), good.replace(CANARY.encode(), CANARY.encode() + b"x", 1)]
    statuses = []
    for assertion in (good, *bad, good[:-20]):
        message = find_documents(PATIENT)
        header = b"<s:Header>" + render_security_header(assertion).encode()
        body = message.body.replace(b"<s:Header>", header, 1)
        statuses.append(call(gateway, "/services/registry", body, message.headers).status)
    assert statuses == [200, 500, 500, 500]
    assert gateway.stop() == 0
    assert not [word for word in (CANARY, "SignatureValue", "X509Certificate") if word in gateway.log_text()]
    kept = [path.read_bytes() for path in gateway.data_folder.rglob("*") if path.is_file()]
    assert not [each for each in kept if b"SignatureValue" in each or b"<saml:" in each]


# --- the wire log -------------------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[tuple[bytes, bytes]]:
    """What was received and sent, of each exchange."""
    return [((each / "request").read_bytes(), (each / "response").read_bytes()) for each in sorted(folder.iterdir())]


def test_the_wire_log_has_every_byte_of_an_exchange_and_says_that_it_is_on(start_gateway, tmp_path):
    folder = tmp_path / "wire"
    gateway = start_gateway(wire_log={"folder": folder})
    provided = provide(CANARY.encode(), CANARY.encode() * 200_000, patient=PATIENT)
    messages = [provided.message(), find_documents(PATIENT), retrieve(*provided.unique_ids)]
    answers = [call(gateway, f"/services/{m.endpoint}", m.body, m.headers) for m in messages]
    assert gateway.stop() == 0
    written = files_of(folder)
    assert len(written) == 3
    for (request, response), message, answer in zip(written, messages, answers, strict=True):
        head, body = request.split(b"\r\n\r\n", 1)
        assert head.startswith(f"POST /services/{message.endpoint} HTTP/1.1".encode())
        assert body == message.body
        assert response.startswith(b"HTTP/1.1 200 ")
        assert response.split(b"\r\n\r\n", 1)[1] == answer.body
    assert any(
        json.loads(line)["level"] == "warning" and "wire log" in json.loads(line)["event"]
        for line in gateway.log_text().splitlines()
    )
    assert oct(folder.stat().st_mode & 0o077) == "0o0"


def test_without_the_setting_nothing_of_a_message_is_written_but_its_document(start_gateway):
    gateway = start_gateway()
    provided = provide(b"x" * 100, patient=PATIENT)
    head = b"Content-ID: <Document01@"
    message = provided.message().replaced(head, f"X-Canary: {CANARY}\r\n".encode() + head)
    assert send(gateway, message).status == "Success"
    assert gateway.stop() == 0
    kept = [path for path in gateway.data_folder.rglob("*") if path.is_file()]
    assert sum(path.read_bytes() == b"x" * 100 for path in kept) == 1
    assert not any(b"X-Canary" in path.read_bytes() for path in kept)
