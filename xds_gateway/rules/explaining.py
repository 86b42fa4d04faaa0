"""The explanation of an answer: one page of values from what a gateway said, whoever asks and wherever it is shown."""

import re
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from lxml import etree

from ..codec.captures import Capture, root_part
from ..codec.findings import parse_code_context
from ..codec.hl7v3 import ACCEPT_ACK, AckDetail, parse_accept_ack
from ..codec.namespaces import SOAP12
from ..codec.transactions import TRANSACTIONS
from ..codec.xdsb import ReceivedError, parse_planned, parse_registry_response
from ..codec.xml import XmlLimits, parse
from ..model import vocabulary as v
from ..model.errors import GatewayError
from ..model.messages import PlannedEffect
from .hints import SOURCES, hint_for

Outcome = Literal["accepted", "partly accepted", "refused", "unreadable"]

_LIMITS: Final = XmlLimits(size=1 << 27, elements=5_000_000, namespaces=1_000_000, attribute_bytes=1 << 20)
_ABSENT: Final = {"-", "nothing"}
# What an empty registry cannot know: it says nothing about the message
_OF_THE_REGISTRY: Final = (
    "ihe.registry.*.unknown",
    "ihe.registry.patient",
    "ihe.update.*.unknown",
    "ihe.remove.unknown",
    "ihe.remove.document",
    "ihe.retrieve.document",
    "ihe.feed.merge.*.unknown",
)
_OF_THE_PARTS: Final = ("ihe.document.part",)


class ExplainedFinding(NamedTuple):
    """One thing that is wrong, or noteworthy, with its evidence; None where there is none.

    `code` is that of the answer: an error code, "Fault Sender/..." or "HTTP 415". `source` says where the hint is from.
    """

    code: str
    severity: str
    sentence: str
    rule: str | None = None
    object: str | None = None
    attribute: str | None = None
    received: str | None = None
    expected: str | None = None
    clause: str | None = None
    hint: str | None = None
    source: str | None = None


class Explanation(NamedTuple):
    """What a gateway makes of a request.

    `findings` are errors and warnings, `effects` what a dry run would do, None when it told nothing; `open` are those
    findings that say nothing about the message: only the real registry, or the documents, can settle them.
    """

    outcome: Outcome
    findings: tuple[ExplainedFinding, ...] = ()
    effects: tuple[PlannedEffect, ...] | None = None
    open: tuple[ExplainedFinding, ...] = ()


def explain_answer(status: int, content_type: str, body: bytes) -> Explanation:
    """What an HTTP answer says: a RegistryResponse, an accept acknowledgement, a fault, or a line of text."""
    content = _content(content_type, body)
    if content is None:
        told = " ".join(body.decode("utf-8", "replace").split())[:300] or "The answer is empty."
        return Explanation("unreadable", (_below(f"HTTP {status}", f"http.{status}", told),))
    if etree.QName(content).localname == "Fault":
        return Explanation("unreadable", (_fault(content),))
    if content.tag == ACCEPT_ACK:
        return _acknowledged(content)
    try:
        answered, errors = parse_registry_response(content)
    except ValueError:
        name = etree.QName(content).localname
        return Explanation("unreadable", (_below(f"HTTP {status}", "http.answer", f"The answer is a {name}."),))
    return Explanation(_outcome(answered), tuple(map(explain_error, errors)), parse_planned(content))


def _acknowledged(content: etree._Element) -> Explanation:
    """The answer of ITI-44 (ITI TF-2 Appendix O.1.2)."""
    try:
        ack = parse_accept_ack(content)
    except ValueError:
        return Explanation("unreadable", (_below("HTTP 200", "http.answer", "The answer acknowledges nothing."),))
    findings = tuple(explain_error(_as_error(detail)) for detail in ack.details)
    return Explanation("accepted" if ack.accepted else "refused", findings, ack.planned)


def _as_error(detail: AckDetail) -> ReceivedError:
    severity = {"W": "Warning", "I": "Warning"}.get(detail.type_code, "Error")
    return ReceivedError(detail.code, detail.text, severity, detail.location)


def without_registry(explanation: Explanation) -> Explanation:
    """The same, asked of a registry that is empty: what it cannot know stays open and refuses nothing."""
    return _left_open(explanation, _OF_THE_REGISTRY)


def of_request(explanation: Explanation, capture: Capture) -> Explanation:
    """The explanation of this request: documents that the capture left out are no mistake of its sender.

    A fault about the action tells which was sent and which would fit (ITI TF-2 V.3.2).
    """
    told = explanation._replace(findings=tuple(_with_action(f, capture) for f in explanation.findings))
    return _left_open(told, _OF_THE_PARTS) if capture.alone else told


def _left_open(explanation: Explanation, patterns: tuple[str, ...]) -> Explanation:
    def undecided(finding: ExplainedFinding) -> bool:
        return any(fnmatchcase(finding.rule or "", pattern) for pattern in patterns)

    unsettled = tuple(filter(undecided, explanation.findings))
    if not unsettled:
        return explanation
    settled = tuple(finding for finding in explanation.findings if not undecided(finding))
    refused = any(finding.severity == "Error" for finding in settled)
    outcome: Outcome = "refused" if refused else "accepted"
    return explanation._replace(outcome=outcome, findings=settled, open=(*explanation.open, *unsettled))


def _with_action(finding: ExplainedFinding, capture: Capture) -> ExplainedFinding:
    if not finding.code.endswith(("/ActionNotSupported", "/ActionMismatch")):
        return finding
    fitting = [
        f"{row.request_action} ({row.name}, to the {row.endpoint})"
        for row in TRANSACTIONS
        if row.body == capture.element or (capture.element is None and row.request_action == capture.action)
    ]
    return finding._replace(
        attribute="wsa:Action", received=capture.action, expected=" or ".join(fitting) or None, clause="ITI TF-2 V.3.2"
    )


def explain_error(error: ReceivedError) -> ExplainedFinding:
    """A RegistryError taken apart; the sentence is all that a gateway of others tells."""
    told = {name: value for name, value in parse_code_context(error.context).items() if value not in _ABSENT}
    known = {name: value for name, value in told.items() if name in ExplainedFinding._fields}
    known.setdefault("sentence", error.context)
    hint = known.pop("hint", None) or hint_for(known.get("rule", ""), known.get("received"), known.get("expected"))
    source = SOURCES.get(hint) if hint else None
    return ExplainedFinding(**known, code=error.code, severity=error.severity or "Error", hint=hint, source=source)


def _outcome(status: str) -> Outcome:
    if status == v.SUCCESS:
        return "accepted"
    return "partly accepted" if status.endswith(":PartialSuccess") else "refused"


def _content(content_type: str, body: bytes) -> etree._Element | None:
    """The element in the Body of an answer; None when it is no SOAP."""
    try:
        root = parse(root_part(content_type, body), _LIMITS)
    except GatewayError:
        return None
    return next(root.iterfind("{*}Body/*"), None)


def _fault(fault: etree._Element) -> ExplainedFinding:
    """A SOAP fault, 1.2 or 1.1, by its codes without their namespaces."""
    values = [*fault.iter(f"{{{SOAP12}}}Value"), *fault.iter("faultcode")]
    codes = [re.sub(r"^.*:", "", (value.text or "").strip()) for value in values] or ["Fault"]
    reason = fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text") or fault.findtext("faultstring") or ""
    return _below(f"Fault {'/'.join(codes)}", f"fault.{codes[-1]}", " ".join(reason.split()))


def _below(code: str, rule: str, sentence: str) -> ExplainedFinding:
    """A refusal that is not about metadata: it has a reason and perhaps a hint."""
    hint = hint_for(rule, None)
    return ExplainedFinding(code, "Error", sentence, hint=hint, source=SOURCES.get(hint) if hint else None)
