"""HTTP/1.1 around SOAP: routes, methods, limits, framing, slow callers, and the end of the program (RFC 9110, 9112)."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.gateways import RunningGateway, StartFailed, listener

from .messages import PLAIN, Answer, entry_for, find_documents, new_patient, provide, retrieve, send
from .raw import Connection, call, chunked, request_head

OPEN_MOUNT = [{"authentication": "none"}]


@pytest.fixture(scope="module")
def plain_http(start_shared, pki) -> RunningGateway:
    """A gateway without TLS, and with small limits."""
    return start_shared(
        listeners=[listener(pki, tls="off")],
        mounts=OPEN_MOUNT,
        limits={
            "http_header_bytes": 4096,
            "header_seconds": 1,
            "body_stall_seconds": 1,
            "keep_alive_seconds": 2,
            "body_bytes": 3_000_000,
            "document_bytes": 2_000_000,
        },
    )


def ask(gateway: RunningGateway) -> Answer:
    """A query that always works."""
    return send(gateway, find_documents(new_patient()))


# --- routes and methods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/", 404),
        ("POST", "/services", 404),
        ("POST", "/services/registry/", 404),
        ("POST", "/services/registries", 404),
        ("POST", "/services/../services/registry", 404),
        ("POST", "//services/registry", 404),
        ("GET", "/services/schemas/../../setup.cfg", 404),
        ("GET", "/services/schemas/%2e%2e/%2e%2e/setup.cfg", 404),
        ("GET", "/services/schemas/nothing.xsd", 404),
        ("GET", "/services/registry", 405),
        ("GET", "/services/repository?other", 405),
        ("PUT", "/services/registry", 405),
        ("DELETE", "/services/repository", 405),
        ("OPTIONS", "/services/registry", 405),
        ("TRACE", "/services/registry", 405),
    ],
)
def test_what_is_not_there_is_said_below_soap(gateway, method, target, status):
    response = call(gateway, target, b"", {"Content-Type": PLAIN}, method=method)
    assert (response.status, response.content_type) == (status, "text/plain")
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/json", "application/xml", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "multipart/mixed; boundary=x", "application/xop+xml", "soap", ";"],
)  # fmt: skip
def test_a_content_type_that_is_not_soap_is_415(gateway, content_type):
    response = call(gateway, "/services/registry", b"<x/>", {"Content-Type": content_type})
    assert response.status == 415


@pytest.mark.parametrize("first", [PLAIN, "multipart/related; boundary=x", "text/plain"])
def test_two_content_types_that_differ_are_refused(gateway, first):
    message = find_documents(new_patient())
    with Connection(gateway) as connection:
        head = request_head(
            connection, "/services/registry", {"Content-Length": len(message.body), "Content-Type": first}
        )
        connection.send(head.replace(b"\r\n\r\n", b"\r\nContent-Type: application/xml\r\n\r\n"), message.body)
        assert connection.response().status in (415, 500)


def test_one_content_type_sent_twice_counts_once(gateway):
    message = find_documents(new_patient())
    with Connection(gateway) as connection:
        head = request_head(connection, "/services/registry", {"Content-Length": len(message.body), **message.headers})
        connection.send(head.replace(b"\r\n\r\n", f"\r\nContent-Type: {PLAIN}\r\n\r\n".encode()), message.body)
        assert Answer(connection.response()).status == "Success"


# --- sizes --------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_413_by_its_length_and_by_its_bytes(plain_http):
    message = provide(b"x" * 1_600_000, b"y" * 1_600_000).message()
    with Connection(plain_http) as connection:
        headers = {**message.headers, "Content-Length": len(message.body), "Expect": "100-continue"}
        connection.send(request_head(connection, "/services/repository", headers))
        assert connection.head()[0] == 413
    headers = {**message.headers, "Transfer-Encoding": "chunked", "Content-Length": None}
    pieces = [message.body[at : at + 65536] for at in range(0, len(message.body), 65536)]
    response = call(plain_http, "/services/repository", chunked(pieces), headers)
    assert response.status == 413
    assert ask(plain_http).status == "Success"


def test_a_document_over_the_limit_is_a_fault(plain_http):
    patient = new_patient()
    answer = send(plain_http, provide(b"x" * 2_000_001, patient=patient).message())
    assert answer.fault == "Sender"
    assert "document_bytes" in (answer.find(".//s:Reason/s:Text") or "")
    assert send(plain_http, find_documents(patient)).ids == []


@pytest.mark.parametrize("many", [1, 100])
def test_headers_over_the_limit_are_431(plain_http, many):
    headers = {f"X-{number}": "y" * (5000 // many) for number in range(many)}
    assert call(plain_http, "/services/registry", b"", headers).status == 431
    endless = b"POST /services/registry HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000
    with Connection(plain_http) as connection:
        connection.send(endless)
        assert connection.response().status == 431
    assert call(plain_http, f"/services/{'x' * 5000}").status in (414, 431)
    assert ask(plain_http).status == "Success"


def test_a_document_is_not_waited_for_when_its_metadata_are_refused(plain_http):
    patient = new_patient()
    provided = provide(b"x" * 1_900_000, patient=patient, entries=(entry_for(b"x", patient, mime_type=None),))
    message = provided.message()
    with Connection(plain_http) as connection:
        headers = {**message.headers, "Content-Length": len(message.body)}
        connection.send(request_head(connection, "/services/repository", headers), message.body[:600_000])
        assert Answer(connection.response()).errors == ["XDSRegistryMetadataError"]
    assert [path for path in plain_http.data_folder.glob("spool/*/*") if path.name != "lock"] == []


# --- upgrades, connections ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body_comes", ["with the head", "later", "byte by byte"])
def test_upgrades_that_java_clients_offer_are_passed_over(plain_http, body_comes):
    message = find_documents(new_patient())
    upgrade = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    }
    headers = {**message.headers, "Content-Length": len(message.body), **upgrade}
    with Connection(plain_http) as connection:
        head = request_head(connection, "/services/registry", headers)
        if body_comes == "with the head":
            connection.send(head + message.body)
        elif body_comes == "later":
            connection.send(head)
            time.sleep(0.05)
            connection.send(message.body)
        else:
            connection.send(*(bytes((byte,)) for byte in head + message.body))
        assert Answer(connection.response()).status == "Success"


def test_http_10_and_connection_close_end_the_connection_after_the_answer(gateway):
    message = find_documents(new_patient())
    for version, close in ((b"1.0", {}), (b"1.1", {"Connection": "close"})):
        with Connection(gateway) as connection:
            headers = {**message.headers, "Content-Length": len(message.body), **close}
            head = request_head(connection, "/services/registry", headers).replace(b"HTTP/1.1", b"HTTP/" + version)
            connection.send(head, message.body)
            assert Answer(connection.response()).status == "Success"
            assert closed_by_server(connection)


@pytest.mark.parametrize("transfer", ["length", "chunked"])
def test_a_connection_serves_many_requests_and_keeps_them_apart(gateway, transfer):
    messages = [find_documents(new_patient(), message_id=f"urn:x:{number}") for number in range(20)]
    with Connection(gateway) as connection:
        for message in messages:
            if transfer == "length":
                headers = {**message.headers, "Content-Length": len(message.body)}
                connection.send(request_head(connection, "/services/registry", headers), message.body)
            else:
                headers = {**message.headers, "Transfer-Encoding": "chunked"}
                connection.send(request_head(connection, "/services/registry", headers), chunked([message.body]))
        answers = [Answer(connection.response()) for _ in messages]
    assert [answer.relates_to for answer in answers] == [f"urn:x:{number}" for number in range(20)]


def test_a_connection_is_kept_after_a_refused_message(gateway):
    good, bad = find_documents(new_patient()), provide(b"x" * 300_000).message(Other="<unbound:x/>")
    with Connection(gateway) as connection:
        for message, fault in ((bad, "Sender"), (good, None), (bad, "Sender"), (good, None)):
            headers = {**message.headers, "Content-Length": len(message.body)}
            connection.send(request_head(connection, f"/services/{message.endpoint}", headers), message.body)
            assert Answer(connection.response()).fault == fault


@pytest.mark.parametrize(
    "head",
    [
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
        b"POST /services/registry HTTP/1.1\r\nHost : x\r\n\r\n",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nX\x00Y: z\r\n\r\n",
        b"POST /services/registry HTTP/9.9\r\nHost: x\r\n\r\n",
        b"PO ST /services/registry HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"garbage\r\n\r\n",
    ],
)
def test_framing_that_can_be_read_in_two_ways_gets_one_refusal_and_the_end(plain_http, head):
    with Connection(plain_http) as connection:
        connection.send(head, b"x" * 40)
        connection.end()
        received = b""
        while data := connection.received():
            received += data
    assert received.count(b"HTTP/1.1 ") <= 1
    assert b"HTTP/1.1 200" not in received
    assert b"HTTP/1.1 500 Internal" not in received
    assert ask(plain_http).status == "Success"


# --- slow callers -------------------------------------------------------------------------------------------------


SOAP_HEAD = b"POST /services/registry HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n"


def closed_by_server(connection: Connection) -> bool:
    """Whether the server ends this connection; a test waits for that as long as it takes."""
    while connection.received():
        pass
    return True


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"POST /services/registry HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        SOAP_HEAD + b"Content-Length: 500\r\n\r\n<s:Env",
        SOAP_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<s:En",
    ],
)
def test_a_caller_that_falls_silent_is_closed(plain_http, start):
    with Connection(plain_http) as connection:
        connection.send(start)
        assert closed_by_server(connection)


@pytest.mark.parametrize("more", [b"", b"\r\n", b"\r\n\r\n", b"P"])
def test_a_connection_is_closed_when_nothing_comes_after_a_request(plain_http, more):
    message = find_documents(new_patient())
    headers = {**message.headers, "Content-Length": len(message.body)}
    with Connection(plain_http) as connection:
        connection.send(request_head(connection, "/services/registry", headers), message.body)
        assert Answer(connection.response()).status == "Success"
        connection.send(more)
        assert closed_by_server(connection)


def test_a_caller_that_drips_headers_is_closed(plain_http):
    with Connection(plain_http) as connection:
        connection.socket.settimeout(0.1)
        alive = True
        until = time.monotonic() + 15
        connection.send(b"POST /services/registry HTTP/1.1\r\nHost: x\r\n")
        while alive and time.monotonic() < until:
            try:
                connection.socket.sendall(b"X: y\r\n")
                alive = bool(connection.socket.recv(1))
            except TimeoutError:
                continue
            except OSError:
                alive = False
    assert not alive


def test_many_slow_callers_do_not_keep_others_out(plain_http):
    stalled = [Connection(plain_http) for _ in range(100)]
    try:
        for number, connection in enumerate(stalled):
            connection.send(b"POST /services/registry HTTP/1.1\r\nHost: x\r\n")
            if number % 2:
                connection.send(b"Content-Type: application/soap+xml\r\nContent-Length: 9\r\n\r\n<")
        assert ask(plain_http).status == "Success"
        assert all(closed_by_server(connection) for connection in stalled)
    finally:
        for connection in stalled:
            connection.socket.close()


def test_an_answer_that_nobody_reads_is_given_up(start_gateway, pki):
    gateway = start_gateway(listeners=[listener(pki, tls="off")], mounts=OPEN_MOUNT, limits={"body_stall_seconds": 1})
    provided = provide(b"x" * 30_000_000)
    assert send(gateway, provided.message()).status == "Success"
    message = retrieve(*provided.unique_ids)
    with Connection(gateway) as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        headers = {**message.headers, "Content-Length": len(message.body)}
        connection.send(request_head(connection, "/services/repository", headers), message.body)
        assert connection.head()[0] == 200
        until = time.monotonic() + 20
        while established(gateway.port) and time.monotonic() < until:
            time.sleep(0.1)
        assert established(gateway.port) == 0
        assert ask(gateway).status == "Success"


def established(port: int) -> int:
    """Connections that the server still holds on a port of 127.0.0.1."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if line.split()[1] == wanted and line.split()[3] == "01")


def test_connections_over_the_limit_are_told_503_and_later_ones_served(start_gateway, pki):
    gateway = start_gateway(listeners=[listener(pki, tls="off")], mounts=OPEN_MOUNT, limits={"connections": 10})
    held = [Connection(gateway) for _ in range(10)]
    try:
        for connection in held:
            connection.send(b"POST /services/registry HTTP/1.1\r\nHost: x\r\n")
        message = find_documents(new_patient())
        assert call(gateway, "/services/registry", message.body, message.headers).status == 503
    finally:
        for connection in held:
            connection.socket.close()
    until = time.monotonic() + 20
    while established(gateway.port) and time.monotonic() < until:
        time.sleep(0.05)
    assert ask(gateway).status == "Success"


# --- the end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_lets_a_running_request_finish(start_gateway, workers):
    gateway = start_gateway(workers=workers)
    provided = provide(b"x" * 400_000)
    message = provided.message()
    headers = {**message.headers, "Content-Length": len(message.body)}
    with Connection(gateway) as connection, Connection(gateway):
        connection.send(request_head(connection, "/services/repository", headers), message.body[:300_000])
        time.sleep(0.2)
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.send(message.body[300_000:])
        assert Answer(connection.response()).status == "Success"
    assert gateway.stop() == 0
    again = start_gateway(workers=workers, data_folder=gateway.data_folder)
    assert send(again, retrieve(*provided.unique_ids)).documents == {provided.unique_ids[0]: b"x" * 400_000}


def test_a_worker_that_does_not_end_is_killed(start_gateway):
    gateway = start_gateway(workers=2, limits={"shutdown_seconds": 0.5})
    os.kill(gateway.workers()[0], signal.SIGSTOP)
    assert gateway.stop() == 0
    assert "workers that do not end are killed" in gateway.log_text()


def test_a_gateway_that_cannot_begin_says_why(start_gateway, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "journal").write_text("not a folder")
    with pytest.raises(StartFailed) as failed:
        start_gateway(data_folder=data)
    assert "journal cannot be used: File exists; change its owner or the setting" in str(failed.value)


def test_a_worker_that_dies_is_replaced(start_gateway):
    gateway = start_gateway(workers=2)
    first = gateway.workers()
    os.kill(first[0], signal.SIGKILL)
    until = time.monotonic() + 20
    while (len(gateway.workers()) < 2 or first[0] in gateway.workers()) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(set(gateway.workers()) - set(first)) == 1
    assert all(ask(gateway).status == "Success" for _ in range(6))
