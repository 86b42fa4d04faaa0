"""SOAP 1.2 and WS-Addressing as callers meet them (SOAP 1.2 part 1, WS-Addressing 1.0, ITI TF-2 V.3)."""

import pytest

from tests.unit.builders import make_entry
from xds_gateway.codec.soap import ANONYMOUS, SOAP11, SOAP12, WSA
from xds_gateway.codec.xdsb import render_register_request

from .messages import (
    ACTIONS,
    PLAIN,
    Answer,
    Message,
    envelope,
    multipart,
    new_patient,
    new_urn,
    plain,
    provide,
    query_body,
    register,
    registrable,
    remove,
    remove_documents,
    retrieve,
    retrieve_body,
    send,
)
from .raw import call

FAULT = f"{WSA}/fault"
SOAP_FAULT = f"{WSA}/soap/fault"
UNLIKE_THEIR_REQUEST = {"ITI-61": "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse"}


def good(transaction: str, **blocks: str) -> Message:
    """A message that succeeds."""
    if transaction == "ITI-18":
        return plain("ITI-18", _query(), **blocks)
    if transaction == "ITI-42":
        return register(registrable(), **blocks)
    return provide().message(**blocks)


def _query() -> bytes:
    patient = {"$XDSDocumentEntryPatientId": f"'{new_patient()}'"}
    status = {"$XDSDocumentEntryStatus": "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"}
    return query_body("FindDocuments", patient | status, "LeafClass")


def bad(transaction: str, **blocks: str) -> Message:
    """A message that is understood and refused."""
    if transaction in ("ITI-18", "ITI-51"):
        return plain(transaction, query_body("FindDocuments", {}, "LeafClass"), **blocks)
    if transaction == "ITI-42":
        return plain("ITI-42", render_register_request(registrable(entries=(make_entry(mime_type=None),))), **blocks)
    if transaction in ("ITI-57", "ITI-92"):  # a submission is no update
        return plain(transaction, render_register_request(registrable()), **blocks)
    if transaction == "ITI-61":  # a stable entry
        return plain(transaction, render_register_request(registrable()), **blocks)
    if transaction == "ITI-62":
        return remove(new_urn(), **blocks)
    if transaction == "ITI-86":
        return remove_documents("1.2.3.4", **blocks)
    if transaction == "ITI-43":
        return retrieve("1.2.3.4", **blocks)
    return provide(b"1", entries=(make_entry(mime_type=None),)).message(**blocks)


# --- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transaction", ["ITI-18", "ITI-41", "ITI-42"])
def test_a_success_has_the_exact_action_and_relates_to_its_request(gateway, transaction):
    message_id = new_urn()
    answer = send(gateway, good(transaction, message_id=message_id))
    action = answer.all("s:Header/a:Action")
    assert answer.status == "Success"
    assert [(a.text, a.get(f"{{{SOAP12}}}mustUnderstand")) for a in action] == [
        (f"{ACTIONS[transaction]}Response", "1")
    ]
    assert answer.relates_to == message_id
    assert (answer.find("s:Header/a:MessageID") or "").startswith("urn:uuid:")
    assert answer.find("s:Header/a:To") == ANONYMOUS


@pytest.mark.parametrize("transaction", [name for name in ACTIONS if name.startswith("ITI-")])
def test_a_failure_has_the_same_frame_as_a_success(gateway, transaction):
    message_id = new_urn()
    answer = send(gateway, bad(transaction, message_id=message_id))
    action = answer.all("s:Header/a:Action")
    named = UNLIKE_THEIR_REQUEST.get(transaction, f"{ACTIONS[transaction]}Response")
    assert (answer.status, answer.response.status) == ("Failure", 200)
    assert [(a.text, a.get(f"{{{SOAP12}}}mustUnderstand")) for a in action] == [(named, "1")]
    assert answer.relates_to == message_id


@pytest.mark.parametrize("transaction", ["ITI-18", "ITI-42"])
def test_registry_answers_are_plain_also_to_multipart_requests(gateway, transaction):
    body = _query() if transaction == "ITI-18" else render_register_request(registrable())
    answer = send(gateway, multipart(transaction, body))
    assert (answer.status, answer.multipart) == ("Success", False)


# --- answer addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("transaction", ["ITI-18", "ITI-41"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/answer", "https://127.0.0.1:{port}", f"{WSA}/none", "x"])
def test_an_answer_address_elsewhere_is_refused_and_never_called(gateway, trap, header, transaction, address):
    address = address.format(port=trap.port)
    block = f"<a:{header}><a:Address>{address}</a:Address></a:{header}>"
    answer = send(gateway, good(transaction, **{header: block}))
    assert (answer.fault, answer.action) == ("Sender", FAULT)
    assert answer.subcodes == ["InvalidAddressingHeader", "OnlyAnonymousAddressSupported"]
    assert answer.find(".//a:ProblemHeaderQName") == f"a:{header}"
    assert not trap.called


@pytest.mark.parametrize(
    "blocks",
    [
        {"ReplyTo": ""},
        {"To": ""},
        {"To": "<a:To/>"},
        {"FaultTo": f"<a:FaultTo><a:Address>{ANONYMOUS}</a:Address></a:FaultTo>"},
        {"ReplyTo": f"<a:ReplyTo><a:Address> {ANONYMOUS} </a:Address></a:ReplyTo>"},
        {"From": "<a:From><a:Address>https://practice.example</a:Address></a:From>"},
        {"Comment": "<!-- a comment -->"},
        {"Other": '<o:Trace xmlns:o="urn:example">7</o:Trace>'},
        {"Other": f'<o:Trace xmlns:o="urn:example" s:mustUnderstand="1" s:role="{SOAP12}/role/none">7</o:Trace>'},
        {"Other": '<o:Trace xmlns:o="urn:example" s:mustUnderstand="true" s:role="urn:somebody">7</o:Trace>'},
        {"Other": '<o:Trace xmlns:o="urn:example" s:mustUnderstand="false">7</o:Trace>'},
        {"Action": f'<a:Action mustUnderstand="1">{ACTIONS["ITI-18"]}</a:Action>'},
        {"Action": f'<Action xmlns="{WSA}">{ACTIONS["ITI-18"]}</Action>'},
        {"Action": f'<a:Action s:mustUnderstand="1">\n  {ACTIONS["ITI-18"]}\n</a:Action>'},
    ],
)
def test_odd_headers_of_real_senders_are_accepted(gateway, blocks):
    assert send(gateway, plain("ITI-18", _query(), **blocks)).status == "Success"


# --- headers missing, doubled, not understood ---------------------------------------------------------------------


@pytest.mark.parametrize("block", ["", "<a:{name}/>", "<a:{name}>  </a:{name}>"])
@pytest.mark.parametrize("name", ["Action", "MessageID"])
def test_a_required_header_is_missing_or_empty(gateway, name, block):
    answer = send(gateway, plain("ITI-18", _query(), **{name: block.format(name=name)}))
    assert (answer.fault, answer.subcodes) == ("Sender", ["MessageAddressingHeaderRequired"])
    assert answer.find(".//a:ProblemHeaderQName") == f"a:{name}"


VALUES = {
    "Action": (f"<a:Action>{ACTIONS['ITI-18']}</a:Action>", f"<a:Action>{ACTIONS['ITI-42']}</a:Action>"),
    "MessageID": ("<a:MessageID>urn:x:1</a:MessageID>", "<a:MessageID>urn:x:2</a:MessageID>"),
    "To": ("<a:To>https://one.example</a:To>", "<a:To>https://two.example</a:To>"),
    "ReplyTo": (
        f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>",
        "<a:ReplyTo><a:Address>https://two.example</a:Address></a:ReplyTo>",
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_header_sent_twice_with_one_value_counts_once(gateway, name):
    first, _ = VALUES[name]
    assert send(gateway, plain("ITI-18", _query(), **{name: first + first})).status == "Success"


@pytest.mark.parametrize("name", VALUES)
def test_a_header_sent_with_two_values_is_refused(gateway, name):
    answer = send(gateway, plain("ITI-18", _query(), **{name: "".join(VALUES[name])}))
    assert (answer.fault, answer.action) == ("Sender", FAULT)
    assert answer.subcodes == ["InvalidAddressingHeader", "InvalidCardinality"]
    assert answer.find(".//a:ProblemHeaderQName") == f"a:{name}"


@pytest.mark.parametrize("flag", ["1", "true", " 1 "])
@pytest.mark.parametrize("role", ["", f's:role="{SOAP12}/role/next"', f's:role="{SOAP12}/role/ultimateReceiver"'])
def test_a_header_that_must_be_understood_and_is_not_is_named(gateway, flag, role):
    block = f'<o:Trace xmlns:o="urn:example" s:mustUnderstand="{flag}" {role}>7</o:Trace>'
    answer = send(gateway, plain("ITI-18", _query(), message_id="urn:x:77", Other=block))
    (named,) = answer.all("s:Header/s:NotUnderstood")
    prefix, name = named.get("qname").split(":")
    assert (answer.fault, answer.response.status, answer.action) == ("MustUnderstand", 500, SOAP_FAULT)
    assert (named.nsmap[prefix], name) == ("urn:example", "Trace")
    assert answer.relates_to == "urn:x:77"


def test_a_mustUnderstand_that_is_no_boolean_is_refused(gateway):
    block = '<o:Trace xmlns:o="urn:example" s:mustUnderstand="perhaps"/>'
    assert send(gateway, plain("ITI-18", _query(), Other=block)).fault == "Sender"


_SECURITY = (
    '<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"'
    ' s:mustUnderstand="1"/>'
)


@pytest.mark.parametrize(("count", "fault"), [(1, None), (2, "Sender")])
def test_one_security_header_is_understood_and_two_are_refused(gateway, count, fault):
    answer = send(gateway, plain("ITI-18", _query(), Security=_SECURITY * count))
    assert answer.fault == fault
    assert answer.subcodes == (["InvalidSecurity"] if fault else [])


# --- versions -----------------------------------------------------------------------------------------------------


def _soap11() -> bytes:
    return envelope("ITI-18", _query()).replace(SOAP12.encode(), SOAP11.encode())


@pytest.mark.parametrize("content_type", ["text/xml; charset=utf-8", PLAIN, f'{PLAIN}; action="x"'])
def test_a_caller_of_soap_11_is_told_in_soap_11(gateway, content_type):
    response = call(gateway, "/services/registry", _soap11(), {"Content-Type": content_type})
    answer = Answer(response)
    assert (response.status, response.content_type) == (500, "text/xml")
    assert answer.root.tag == f"{{{SOAP11}}}Envelope"
    assert (answer.find("e:Body/e:Fault/faultcode") or "").split(":")[1] == "VersionMismatch"
    (supported,) = answer.all("e:Header/s:Upgrade/s:SupportedEnvelope")
    prefix, name = supported.get("qname").split(":")
    assert (supported.nsmap[prefix], name) == (SOAP12, "Envelope")


def test_an_envelope_of_an_unknown_version_is_told_in_soap_12(gateway):
    other = envelope("ITI-18", _query()).replace(SOAP12.encode(), b"http://www.w3.org/2099/soap-envelope")
    answer = send(gateway, Message("registry", {"Content-Type": PLAIN}, other))
    assert (answer.fault, answer.response.status) == ("VersionMismatch", 500)
    assert answer.all("s:Header/s:Upgrade/s:SupportedEnvelope")


# --- the envelope -------------------------------------------------------------------------------------------------

_START = f'<s:Envelope xmlns:s="{SOAP12}" xmlns:a="{WSA}">'
_HEADER = f"<s:Header><a:Action>{ACTIONS['ITI-18']}</a:Action><a:MessageID>urn:x:9</a:MessageID></s:Header>"


@pytest.mark.parametrize(
    "text",
    [
        "<x/>",
        f"{_START}</s:Envelope>",
        f"{_START}{_HEADER}</s:Envelope>",
        f"{_START}{_HEADER}<s:Body/></s:Envelope>",
        f"{_START}{_HEADER}<s:Body>text</s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/><x/></s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body>a<x/>b</s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/></s:Body><s:Body><x/></s:Body></s:Envelope>",
        f"{_START}{_HEADER}{_HEADER}<s:Body><x/></s:Body></s:Envelope>",
        f"{_START}<s:Body><x/></s:Body>{_HEADER}</s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/></s:Body><more/></s:Envelope>",
        f"{_START}text{_HEADER}<s:Body><x/></s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/></s:Body>",
        f"{_START}{_HEADER}<s:Body><x></s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/></s:Body></s:Envelope>{_START}{_HEADER}<s:Body><x/></s:Body></s:Envelope>",
        f"{_START}{_HEADER}<s:Body><x/></s:Body></s:Envelope>garbage",
        f"<?xml-stylesheet href='x'?>{_START}{_HEADER}<s:Body><x/></s:Body></s:Envelope>",
        "",
        " ",
        "\ufeff",
        "not XML at all",
    ],
)
@pytest.mark.parametrize("endpoint", ["registry", "repository"])
def test_what_is_no_envelope_is_a_fault_of_the_sender(gateway, endpoint, text):
    answer = send(gateway, Message(endpoint, {"Content-Type": PLAIN}, text.encode()))
    assert (answer.fault, answer.response.status) == ("Sender", 500)
    assert answer.response.content_type == "application/soap+xml"
    assert answer.action in (FAULT, SOAP_FAULT)
    assert answer.find(".//s:Reason/s:Text")


# --- actions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transaction", "action", "subcodes"),
    [
        ("ITI-18", ACTIONS["ITI-42"], ["InvalidAddressingHeader", "ActionMismatch"]),
        ("ITI-42", ACTIONS["ITI-18"], ["InvalidAddressingHeader", "ActionMismatch"]),
        ("ITI-41", ACTIONS["ITI-43"], ["InvalidAddressingHeader", "ActionMismatch"]),
        ("ITI-18", ACTIONS["ITI-41"], ["ActionNotSupported"]),
        ("ITI-41", ACTIONS["ITI-18"], ["ActionNotSupported"]),
        ("ITI-18", "urn:ihe:iti:2007:Nothing", ["ActionNotSupported"]),
        ("ITI-18", ACTIONS["ITI-18"].upper(), ["ActionNotSupported"]),
        ("ITI-18", f"{ACTIONS['ITI-18']}Response", ["ActionNotSupported"]),
    ],
)
def test_an_action_that_contradicts_the_body_or_the_endpoint_is_refused(gateway, transaction, action, subcodes):
    bodies = {
        "ITI-18": _query(),
        "ITI-42": render_register_request(registrable()),
        "ITI-41": provide().inline_body(),
    }
    answer = send(gateway, plain(transaction, bodies[transaction], Action=f"<a:Action>{action}</a:Action>"))
    assert (answer.fault, answer.subcodes, answer.action) == ("Sender", subcodes, FAULT)
    assert answer.find(".//a:ProblemAction/a:Action") == action


def test_the_action_may_not_come_from_the_body_of_another_namespace(gateway):
    body = _query().replace(b"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0", b"urn:oasis:names:tc:other")
    assert send(gateway, plain("ITI-18", body)).subcodes == ["InvalidAddressingHeader", "ActionMismatch"]


@pytest.mark.parametrize("soap_action", ['"urn:something:else"', '""', ACTIONS["ITI-42"]])
@pytest.mark.parametrize(
    "content_type",
    [PLAIN, f'{PLAIN}; action="None"', f'{PLAIN}; action="{ACTIONS["ITI-42"]}"', "application/soap+xml", "text/xml"],
)
def test_only_the_action_of_ws_addressing_counts(gateway, soap_action, content_type):
    message = plain("ITI-18", _query())
    headers = {"Content-Type": content_type, "SOAPAction": soap_action}
    assert send(gateway, message._replace(headers=headers)).status == "Success"


# --- status of faults ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gateway_400(start_shared):
    """A gateway that answers the sender's faults as SOAP 1.2 part 2 says."""
    return start_shared(soap={"sender_fault_status": 400})


_UNKNOWN = '<o:Trace xmlns:o="urn:example" s:mustUnderstand="1"/>'


@pytest.mark.parametrize(
    ("blocks", "fault", "status", "status_400"),
    [
        ({"MessageID": ""}, "Sender", 500, 400),
        ({"Action": "<a:Action>urn:nothing</a:Action>"}, "Sender", 500, 400),
        ({"Other": _UNKNOWN}, "MustUnderstand", 500, 500),
    ],
)
def test_the_status_of_a_senders_fault_is_a_setting(gateway, gateway_400, blocks, fault, status, status_400):
    for asked, expected in ((gateway, status), (gateway_400, status_400)):
        answer = send(asked, plain("ITI-18", _query(), **blocks))
        assert (answer.fault, answer.response.status) == (fault, expected)


@pytest.mark.parametrize("transaction", ["ITI-41", "ITI-43"])
def test_a_fault_for_a_multipart_message_has_an_envelope_too(gateway, transaction):
    body = provide().inline_body() if transaction == "ITI-41" else retrieve_body("1.2.3")
    answer = send(gateway, multipart(transaction, body, message_id="urn:x:5", Other=_UNKNOWN))
    assert (answer.fault, answer.relates_to, answer.response.status) == ("MustUnderstand", "urn:x:5", 500)


def test_hostile_text_in_headers_comes_back_escaped(gateway):
    answer = send(gateway, plain("ITI-18", _query(), MessageID="<a:MessageID>&lt;x&gt;&amp;\"'\r\n</a:MessageID>"))
    assert answer.status == "Success"
    assert answer.relates_to == "<x>&\"'"
    refused = send(gateway, plain("ITI-18", _query(), Action='<a:Action>&lt;x a="1"&gt;</a:Action>'))
    assert refused.find(".//a:ProblemAction/a:Action") == '<x a="1">'
