"""SOAP 1.2 envelopes with WS-Addressing: what frames an answer, a request of ours, and faults (ITI TF-2 V.3)."""

import re
from typing import Final

from ..model.errors import FaultCode, FaultDetail, SoapFault
from .namespaces import GATEWAY, SOAP11, SOAP12, WSA, WSSE
from .soap_reading import ANONYMOUS
from .xml import escape

FAULT_ACTION: Final = f"{WSA}/fault"
SOAP_FAULT_ACTION: Final = f"{WSA}/soap/fault"
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
_OPEN: Final = f'<s:Envelope xmlns:s="{SOAP12}" xmlns:a="{WSA}"><s:Header>'


def render_envelope_start(action: str, message_id: str, relates_to: str | None) -> bytes:
    """The answer up to and with `<s:Body>`; mustUnderstand on Action as ITI TF-2 V.3.2 shows."""
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'{_OPEN}<a:Action s:mustUnderstand="1">{escape(action)}</a:Action>'
        f"<a:MessageID>{message_id}</a:MessageID><a:To>{ANONYMOUS}</a:To>{related}</s:Header><s:Body>"
    ).encode()


ENVELOPE_END: Final = b"</s:Body></s:Envelope>"


DRY_RUN_HEADER: Final = f'<g:DryRun xmlns:g="{GATEWAY}" s:mustUnderstand="true" xmlns:s="{SOAP12}"/>'


def render_security_header(assertion: bytes) -> str:
    """The header that carries a signed assertion, as it is but for an XML declaration (ITI TF-2 3.40.4.1.2)."""
    token = _DECLARATION.sub("", assertion.decode())
    return f'<w:Security xmlns:w="{WSSE}" s:mustUnderstand="true" xmlns:s="{SOAP12}">{token}</w:Security>'


def render_request_envelope(action: str, to: str, body: bytes, message_id: str, *, headers: str = "") -> bytes:
    """A request as our own client sends it; `headers` are further header blocks."""
    head = (
        f'{_OPEN}<a:Action s:mustUnderstand="1">{escape(action)}</a:Action>'
        f"<a:MessageID>{escape(message_id)}</a:MessageID>"
        f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>"
        f'<a:To s:mustUnderstand="1">{escape(to)}</a:To>{headers}</s:Header><s:Body>'
    )
    return head.encode() + body + ENVELOPE_END


def render_fault(fault: SoapFault, message_id: str, relates_to: str | None) -> bytes:
    """A SOAP 1.2 fault with the WS-Addressing fault action (SOAP 1.2 part 1, 5.4)."""
    action = FAULT_ACTION if fault.subcodes and fault.subcodes[0][0] == WSA else SOAP_FAULT_ACTION
    return b"".join(
        (
            _fault_head(fault, action, message_id, relates_to),
            f"<s:Fault><s:Code><s:Value>s:{fault.code.value}</s:Value>{_subcode(fault.subcodes)}</s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{escape(fault.reason)}</s:Text></s:Reason>'
            f"{_detail(fault)}</s:Fault>".encode(),
            ENVELOPE_END,
        )
    )


def _fault_head(fault: SoapFault, action: str, message_id: str, relates_to: str | None) -> bytes:
    start = render_envelope_start(action, message_id, relates_to)
    extra = ""
    if fault.code is FaultCode.MUST_UNDERSTAND:  # SOAP 1.2 part 1, 5.4.8
        extra = "".join(
            f'<s:NotUnderstood qname="n:{escape(d.name)}" xmlns:n="{escape(d.namespace)}"/>' for d in fault.details
        )
    if fault.code is FaultCode.VERSION_MISMATCH:  # SOAP 1.2 part 1, 5.4.7
        extra = '<s:Upgrade><s:SupportedEnvelope qname="s:Envelope"/></s:Upgrade>'
    return start.replace(b"</s:Header>", extra.encode() + b"</s:Header>", 1)


def _subcode(subcodes: tuple[tuple[str, str], ...]) -> str:
    if not subcodes:
        return ""
    (namespace, name), *rest = subcodes
    inner = _subcode(tuple(rest))
    return f'<s:Subcode><s:Value xmlns:c="{escape(namespace)}">c:{escape(name)}</s:Value>{inner}</s:Subcode>'


def _detail(fault: SoapFault) -> str:
    shown = [d for d in fault.details if d.text]
    if not shown:
        return ""
    return "<s:Detail>" + "".join(_problem(d) for d in shown) + "</s:Detail>"


def _problem(detail: FaultDetail) -> str:
    if detail.name == "ProblemAction":
        return f"<a:ProblemAction><a:Action>{escape(detail.text)}</a:Action></a:ProblemAction>"
    return f"<a:{detail.name}>a:{escape(detail.text)}</a:{detail.name}>"


def render_soap11_version_mismatch() -> bytes:
    """The answer to a SOAP 1.1 caller, in a 1.1 envelope (SOAP 1.2 part 1, A)."""
    return (
        f'<e:Envelope xmlns:e="{SOAP11}"><e:Header><s:Upgrade xmlns:s="{SOAP12}">'
        '<s:SupportedEnvelope qname="s:Envelope"/></s:Upgrade></e:Header>'
        "<e:Body><e:Fault><faultcode>e:VersionMismatch</faultcode>"
        "<faultstring>Only SOAP 1.2 envelopes are understood</faultstring></e:Fault></e:Body></e:Envelope>"
    ).encode()
