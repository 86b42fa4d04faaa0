"""Envelopes: what is read of a request, each reason not to read it, and what frames an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.strategies import SOME_TEXT, XML_TEXT
from xds_gateway.codec.soap import (
    ANONYMOUS,
    DRY_RUN_HEADER,
    ENVELOPE_END,
    FAULT_ACTION,
    NONE_ADDRESS,
    SOAP11,
    SOAP11_RULE,
    SOAP12,
    SOAP_FAULT_ACTION,
    WSA,
    WSSE,
    Envelope,
    action_mismatch,
    action_not_supported,
    message_id_of,
    parse_envelope,
    render_envelope_start,
    render_fault,
    render_request_envelope,
    render_soap11_version_mismatch,
)
from xds_gateway.model.errors import FaultCode, FaultDetail, SoapFault

NS = {"s": SOAP12, "a": WSA}
ACTION = "<a:Action>urn:example:action</a:Action>"
MESSAGE_ID = "<a:MessageID>urn:uuid:1</a:MessageID>"
REPLY_TO = "<a:ReplyTo><a:Address>{}</a:Address></a:ReplyTo>"
BODY = "<s:Body><x/></s:Body>"


def envelope(inner: str) -> etree._Element:
    return etree.fromstring(f'<s:Envelope xmlns:s="{SOAP12}" xmlns:a="{WSA}" xmlns:w="{WSSE}">{inner}</s:Envelope>')


def with_headers(headers: str, required: str = ACTION + MESSAGE_ID) -> etree._Element:
    return envelope(f"<s:Header>{required}{headers}</s:Header>{BODY}")


def fault_of(root: etree._Element) -> SoapFault:
    with pytest.raises(SoapFault) as raised:
        parse_envelope(root)
    return raised.value


def read(root: etree._Element) -> Envelope:
    return parse_envelope(root)


# ---- structure ----


@pytest.mark.parametrize(
    "inner",
    [
        f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header>{BODY}",
        f"\n <s:Header>\n{ACTION}\n{MESSAGE_ID}</s:Header>\n\n{BODY}\n",
        f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header><s:Body>\n<x/>\n</s:Body>",
    ],
)
def test_an_envelope_is_read(inner: str) -> None:
    found = read(envelope(inner))
    assert (found.action, found.message_id, found.to, found.security) == (
        "urn:example:action",
        "urn:uuid:1",
        None,
        (),
    )
    assert found.body.tag == "x"


@pytest.mark.parametrize(
    ("rule", "inner"),
    [
        ("soap.structure", ""),
        ("soap.structure", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header>"),
        ("soap.structure", f"{BODY}<s:Header>{ACTION}{MESSAGE_ID}</s:Header>"),
        ("soap.structure", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header>{BODY}{BODY}"),
        ("soap.structure", f"<s:Header/><s:Header/>{BODY}"),
        ("soap.structure", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header>{BODY}<x/>"),
        ("soap.structure", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header>{BODY}text"),
        ("soap.structure", "<Body><x/></Body>"),
        ("soap.body", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header><s:Body/>"),
        ("soap.body", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header><s:Body><x/><x/></s:Body>"),
        ("soap.body", f"<s:Header>{ACTION}{MESSAGE_ID}</s:Header><s:Body>text<x/></s:Body>"),
        ("wsa.required", BODY),
    ],
)
def test_another_structure_is_refused(rule: str, inner: str) -> None:
    fault = fault_of(envelope(inner))
    assert (fault.code, fault.rule) == (FaultCode.SENDER, rule)


@pytest.mark.parametrize(
    ("root", "code", "rule"),
    [
        (f'<e:Envelope xmlns:e="{SOAP11}"><e:Body/></e:Envelope>', FaultCode.VERSION_MISMATCH, SOAP11_RULE),
        ('<e:Envelope xmlns:e="urn:future"><e:Body/></e:Envelope>', FaultCode.VERSION_MISMATCH, "soap.version"),
        ("<Envelope><Body/></Envelope>", FaultCode.VERSION_MISMATCH, "soap.version"),
        (f'<s:Body xmlns:s="{SOAP12}"/>', FaultCode.SENDER, "soap.structure"),
        ("<html/>", FaultCode.SENDER, "soap.structure"),
    ],
)
def test_what_is_no_envelope_of_soap12(root: str, code: FaultCode, rule: str) -> None:
    fault = fault_of(etree.fromstring(root))
    assert (fault.code, fault.rule) == (code, rule)


# ---- dry runs ----

DRY_RUN = '<g:DryRun xmlns:g="urn:xds-gateway:2026" {}/>'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", False),
        (DRY_RUN_HEADER, True),
        (DRY_RUN.format('s:mustUnderstand="1"'), True),
        (DRY_RUN.format(""), True),
        (DRY_RUN.format('s:role="urn:example:another"'), True),
        ('<g:DryRun xmlns:g="urn:other"/>', False),
        ("<w:Security/>", False),
    ],
)
def test_a_dry_run_is_asked_for_by_its_header(header: str, expected: bool) -> None:
    assert read(with_headers(header)).dry_run is expected


@pytest.mark.parametrize("content", ["false", "true", "<x/>"])
def test_a_dry_run_header_with_content_is_refused(content: str) -> None:
    fault = fault_of(with_headers(f'<g:DryRun xmlns:g="urn:xds-gateway:2026">{content}</g:DryRun>'))
    assert (fault.code, fault.rule) == (FaultCode.SENDER, "gateway.dryRun")


def test_another_header_of_ours_is_not_understood() -> None:
    fault = fault_of(with_headers('<g:WetRun xmlns:g="urn:xds-gateway:2026" s:mustUnderstand="1"/>'))
    assert fault.code is FaultCode.MUST_UNDERSTAND


# ---- mustUnderstand ----

UNKNOWN = '<n:Mystery xmlns:n="urn:example" {}/>'


@pytest.mark.parametrize(
    "header",
    [
        UNKNOWN.format(""),
        UNKNOWN.format('s:mustUnderstand="0"'),
        UNKNOWN.format('s:mustUnderstand="false"'),
        UNKNOWN.format(f's:mustUnderstand="1" s:role="{SOAP12}/role/none"'),
        UNKNOWN.format('s:mustUnderstand="true" s:role="urn:example:another"'),
        '<w:Security s:mustUnderstand="1"/>',
        '<a:To s:mustUnderstand="1">urn:x</a:To>',
        '<a:To mustUnderstand="1">urn:x</a:To>',
        '<a:From s:mustUnderstand="1"/>',
    ],
)
def test_headers_that_may_be_there(header: str) -> None:
    assert read(with_headers(header)).action == "urn:example:action"


@pytest.mark.parametrize(
    "attributes",
    [
        's:mustUnderstand="1"',
        's:mustUnderstand=" true "',
        'mustUnderstand="1"',
        f's:mustUnderstand="1" s:role="{SOAP12}/role/ultimateReceiver"',
        f's:mustUnderstand="1" s:role="{SOAP12}/role/next"',
    ],
)
def test_a_header_that_must_be_understood(attributes: str) -> None:
    fault = fault_of(with_headers(UNKNOWN.format(attributes)))
    assert fault.code is FaultCode.MUST_UNDERSTAND
    assert fault.details == (FaultDetail(namespace="urn:example", name="Mystery"),)


def test_an_unknown_addressing_header_must_be_understood() -> None:
    assert fault_of(with_headers('<a:New s:mustUnderstand="1"/>')).code is FaultCode.MUST_UNDERSTAND


def test_must_understand_comes_before_everything_else() -> None:
    header = UNKNOWN.format('s:mustUnderstand="1"')
    root = envelope(f"<s:Header>{header}</s:Header><s:Body/>")
    assert fault_of(root).code is FaultCode.MUST_UNDERSTAND


def test_must_understand_is_a_boolean() -> None:
    fault = fault_of(with_headers(UNKNOWN.format('s:mustUnderstand="yes"')))
    assert (fault.code, fault.rule) == (FaultCode.SENDER, "soap.mustUnderstand")


def test_security_headers_for_us_are_told_apart() -> None:
    assert len(read(with_headers("<w:Security/><w:Security/>")).security) == 2
    (one,) = read(with_headers("<w:Security><x/></w:Security>")).security
    assert len(one) == 1
    assert read(with_headers('<w:Security s:role="urn:somebody:else"/>')).security == ()


# ---- addressing ----


@pytest.mark.parametrize(
    ("headers", "missing"),
    [
        (MESSAGE_ID, "Action"),
        (ACTION, "MessageID"),
        (MESSAGE_ID + "<a:Action/>", "Action"),
        (MESSAGE_ID + "<a:Action>  </a:Action>", "Action"),
        (ACTION + "<a:MessageID/>", "MessageID"),
        (MESSAGE_ID + '<Action xmlns="urn:other">urn:example:action</Action>', "Action"),
    ],
)
def test_a_required_header(headers: str, missing: str) -> None:
    fault = fault_of(with_headers("", required=headers))
    assert (fault.code, fault.rule) == (FaultCode.SENDER, "wsa.required")
    assert fault.subcodes == ((WSA, "MessageAddressingHeaderRequired"),)
    assert [d.text for d in fault.details] == [missing]


@pytest.mark.parametrize(
    ("headers", "doubled"),
    [
        ("<a:Action>urn:other</a:Action>", "Action"),
        ("<a:MessageID>urn:uuid:2</a:MessageID>", "MessageID"),
        ("<a:To>urn:a</a:To><a:To>urn:b</a:To>", "To"),
        (REPLY_TO.format(ANONYMOUS) + REPLY_TO.format("urn:b"), "ReplyTo"),
    ],
)
def test_two_values_of_one_header(headers: str, doubled: str) -> None:
    fault = fault_of(with_headers(headers))
    assert fault.subcodes == ((WSA, "InvalidAddressingHeader"), (WSA, "InvalidCardinality"))
    assert [d.text for d in fault.details] == [doubled]


@pytest.mark.parametrize(
    "headers",
    [
        ACTION,
        MESSAGE_ID,
        REPLY_TO.format(ANONYMOUS) * 2,
        "<a:To>urn:a</a:To>" * 2,
        REPLY_TO.format(""),
        f"<a:FaultTo><a:Address> {ANONYMOUS} </a:Address></a:FaultTo>",
    ],
)
def test_one_value_written_twice_is_one(headers: str) -> None:
    found = read(with_headers(headers))
    assert (found.action, found.message_id) == ("urn:example:action", "urn:uuid:1")


@pytest.mark.parametrize("header", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:1/elsewhere", NONE_ADDRESS])
def test_an_answer_is_never_sent_elsewhere(header: str, address: str) -> None:
    fault = fault_of(with_headers(f"<a:{header}><a:Address>{address}</a:Address></a:{header}>"))
    assert fault.code is FaultCode.SENDER
    assert fault.subcodes == ((WSA, "InvalidAddressingHeader"), (WSA, "OnlyAnonymousAddressSupported"))
    assert fault.details == (FaultDetail(namespace=WSA, name="ProblemHeaderQName", text=header),)


@pytest.mark.parametrize(("to", "read_as"), [("urn:here", "urn:here"), (" urn:here\n", "urn:here"), ("", None)])
def test_the_address_of_the_message(to: str, read_as: str | None) -> None:
    assert read(with_headers(f"<a:To>{to}</a:To>")).to == read_as


@pytest.mark.parametrize(
    ("root", "found"),
    [
        (with_headers(""), "urn:uuid:1"),
        (envelope(f"<s:Header>{MESSAGE_ID}</s:Header>"), "urn:uuid:1"),
        (envelope("<s:Header><a:MessageID> </a:MessageID></s:Header>"), None),
        (envelope(BODY), None),
        (etree.fromstring("<html/>"), None),
    ],
)
def test_the_message_id_of_anything(root: etree._Element, found: str | None) -> None:
    assert message_id_of(root) == found


# ---- rendering ----


def trimmed(text: str) -> str:
    return text.strip()


@given(SOME_TEXT.map(trimmed).filter(bool), SOME_TEXT.map(trimmed).filter(bool), SOME_TEXT.map(trimmed), XML_TEXT)
def test_a_request_comes_back_as_it_was(action: str, message_id: str, to: str, name: str) -> None:
    body = etree.tostring(etree.Element("x", name=name))
    found = read(etree.fromstring(render_request_envelope(action, to, body, message_id)))
    assert (found.action, found.message_id, found.to) == (action, message_id, to or None)
    assert found.body.get("name") == name


@given(SOME_TEXT.map(trimmed).filter(bool), st.none() | SOME_TEXT.map(trimmed).filter(bool))
def test_an_answer_is_an_envelope_that_relates(action: str, relates_to: str | None) -> None:
    root = etree.fromstring(render_envelope_start(action, "urn:uuid:2", relates_to) + b"<x/>" + ENVELOPE_END)
    found = read(root)
    assert (found.action, found.message_id, found.to) == (action, "urn:uuid:2", ANONYMOUS)
    assert (root.findtext("s:Header/a:RelatesTo", namespaces=NS) or "").strip() == (relates_to or "")
    assert root.find("s:Header/a:Action", NS).get(f"{{{SOAP12}}}mustUnderstand") == "1"


def rendered(fault: SoapFault) -> etree._Element:
    return etree.fromstring(render_fault(fault, "urn:uuid:2", "urn:uuid:1"))


def values(root: etree._Element) -> list[str]:
    """Code and subcodes as {namespace}name, outermost first."""
    found = []
    for element in root.iter(f"{{{SOAP12}}}Value"):
        prefix, name = (element.text or "").split(":")
        found.append(f"{{{element.nsmap[prefix]}}}{name}")
    return found


@pytest.mark.parametrize(
    ("fault", "codes", "action"),
    [
        (SoapFault(FaultCode.SENDER, "a<b", rule="r"), ["Sender"], SOAP_FAULT_ACTION),
        (SoapFault(FaultCode.RECEIVER, "a<b", rule="r"), ["Receiver"], SOAP_FAULT_ACTION),
        (
            SoapFault(FaultCode.SENDER, "a<b", rule="r", subcodes=((WSSE, "InvalidSecurity"),)),
            ["Sender", f"{{{WSSE}}}InvalidSecurity"],
            SOAP_FAULT_ACTION,
        ),
        (
            action_not_supported("urn:example:x"),
            ["Sender", f"{{{WSA}}}ActionNotSupported"],
            FAULT_ACTION,
        ),
        (
            action_mismatch("urn:example:x"),
            ["Sender", f"{{{WSA}}}InvalidAddressingHeader", f"{{{WSA}}}ActionMismatch"],
            FAULT_ACTION,
        ),
    ],
)
def test_a_fault_is_an_envelope(fault: SoapFault, codes: list[str], action: str) -> None:
    root = rendered(fault)
    found = read(root)
    assert found.body.tag == f"{{{SOAP12}}}Fault"
    assert found.action == action
    assert root.findtext("s:Header/a:RelatesTo", namespaces=NS) == "urn:uuid:1"
    assert values(root) == [f"{{{SOAP12}}}{codes[0]}", *codes[1:]]
    assert root.findtext(".//s:Reason/s:Text", namespaces=NS) == fault.reason


@pytest.mark.parametrize(
    ("fault", "path", "text"),
    [
        (action_not_supported("urn:<x>"), "s:Detail/a:ProblemAction/a:Action", "urn:<x>"),
        (action_mismatch("urn:<x>"), "s:Detail/a:ProblemAction/a:Action", "urn:<x>"),
        (fault_of(with_headers("", required=ACTION)), "s:Detail/a:ProblemHeaderQName", "a:MessageID"),
    ],
)
def test_a_fault_tells_its_place(fault: SoapFault, path: str, text: str) -> None:
    assert rendered(fault).findtext(f".//s:Fault/{path}", namespaces=NS) == text


def test_what_is_not_understood_is_named_in_a_header() -> None:
    root = rendered(fault_of(with_headers(UNKNOWN.format('s:mustUnderstand="1"'))))
    block = root.find("s:Header/s:NotUnderstood", NS)
    assert block is not None
    prefix, name = block.get("qname", "").split(":")
    assert (block.nsmap[prefix], name) == ("urn:example", "Mystery")


def test_a_version_mismatch_says_which_envelope() -> None:
    root = rendered(SoapFault(FaultCode.VERSION_MISMATCH, "no", rule="soap.version"))
    block = root.find("s:Header/s:Upgrade/s:SupportedEnvelope", NS)
    assert block is not None
    assert (block.get("qname"), block.nsmap["s"]) == ("s:Envelope", SOAP12)


def test_a_soap11_caller_is_answered_in_soap11() -> None:
    root = etree.fromstring(render_soap11_version_mismatch())
    assert root.tag == f"{{{SOAP11}}}Envelope"
    assert root.findtext(f".//{{{SOAP11}}}Fault/faultcode") == "e:VersionMismatch"
    assert root.find(f".//{{{SOAP12}}}SupportedEnvelope").get("qname") == "s:Envelope"
