"""Messages that are refused before or while they are read: each is in the audit, with address and reason."""

import json

import pytest

from tests.gateways import RunningGateway, listener
from tests.wire.commands import run

from .clinic import event_of, events, eventually, new_address
from .messages import Message, find_documents, new_patient
from .raw import Connection, request_head


@pytest.fixture(scope="module")
def open_gateway(start_shared, pki) -> RunningGateway:
    """One that asks nobody who calls, and one endpoint that does."""
    mounts = [{"authentication": "none"}, {"path": "/strict"}]
    return start_shared(listeners=[listener(pki, tls="off"), listener(pki)], mounts=mounts)


def status(gateway: RunningGateway, address: str, message: Message, target: str = "/services/registry") -> int:
    with Connection(gateway, address=address) as connection:
        headers = {"Content-Length": len(message.body), **message.headers}
        connection.send(request_head(connection, target, headers) + message.body)
        return connection.response().status


BROKEN = {
    "xml.well-formed": lambda message: message.replaced(b"</s:Envelope>", b""),
    "xml.doctype": lambda message: message.replaced(b"<s:Envelope", b"<!DOCTYPE x><s:Envelope"),
    "wsa.ActionNotSupported": lambda message: message.replaced(b":RegistryStoredQuery</", b":StoredQuery</"),
    "http.415": lambda message: message._replace(headers={"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_what_cannot_be_read_is_told_with_its_address_and_rule(open_gateway, rule):
    address, message = new_address(), BROKEN[rule](find_documents(new_patient()))
    assert status(open_gateway, address, message) in (415, 500)
    event = event_of(open_gateway, address)
    assert (event["transaction"], event["outcome"], event["codes"]) == ("message", "failure", [rule])


def test_many_are_told_together(open_gateway):
    address, message = new_address(), BROKEN["xml.well-formed"](find_documents(new_patient()))
    for _ in range(30):
        status(open_gateway, address, message)

    def told() -> list[dict]:
        return [each for each in events(open_gateway) if each["address"] == address]

    eventually(lambda: bool(told()))
    assert len(told()) <= 2  # what comes later is told a minute after


def test_a_caller_without_certificate_is_a_node_that_was_refused(open_gateway):
    address = new_address()
    assert status(open_gateway, address, find_documents(new_patient()), "/strict/registry") == 403
    event = event_of(open_gateway, address)
    assert (event["transaction"], event["codes"]) == ("node-authentication", ["no-certificate"])


def test_a_request_whose_body_says_nothing_is_an_event_of_its_transaction(open_gateway, tmp_path):
    address, message = new_address(), find_documents(new_patient())
    assert status(open_gateway, address, message.replaced(b"rim:AdhocQuery", b"rim:AdhocQuestion")) == 500
    config = ("--config", str(open_gateway.log.parent / "gateway.toml"), "--json")
    listed = json.loads(run(tmp_path, "audit", "list", "--transaction", "ITI-18", *config).stdout)["events"]
    (event,) = [each for each in listed if each["address"] == address]
    assert (event["outcome"], event["codes"]) == ("failure", ["xdsb.structure"])
