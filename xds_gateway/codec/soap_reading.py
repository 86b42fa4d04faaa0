"""SOAP 1.2 envelopes with WS-Addressing: what is read of a request, and every reason not to (ITI TF-2 V.3).

Headers that senders double with one and the same value are taken as one; two values are a fault.
"""

from typing import Final, NamedTuple

from lxml import etree

from ..model.errors import FaultCode, FaultDetail, SoapFault
from .namespaces import GATEWAY, SOAP11, SOAP12, WSA, WSSE, WSU
from .xml import elements, text

SOAP11_RULE: Final = "soap.version.11"  # the caller speaks SOAP 1.1 and is answered in it
ANONYMOUS: Final = f"{WSA}/anonymous"
NONE_ADDRESS: Final = f"{WSA}/none"
_ROLES_FOR_US: Final = ("", f"{SOAP12}/role/ultimateReceiver", f"{SOAP12}/role/next")
_ADDRESSING: Final = ("Action", "MessageID", "To", "ReplyTo", "FaultTo", "From", "RelatesTo", "ReferenceParameters")
_WSA_PREFIX: Final = f"{{{WSA}}}"
_ADDRESS: Final = f"{{{WSA}}}Address"
_ENVELOPE: Final = f"{{{SOAP12}}}Envelope"
_HEADER: Final = f"{{{SOAP12}}}Header"
_BODY: Final = f"{{{SOAP12}}}Body"
_MUST_UNDERSTAND: Final = f"{{{SOAP12}}}mustUnderstand"
_ROLE: Final = f"{{{SOAP12}}}role"
_SECURITY: Final = f"{{{WSSE}}}Security"
DRY_RUN: Final = f"{{{GATEWAY}}}DryRun"


class Envelope(NamedTuple):
    """A request read: addressing, the one body element, the security headers for us as they came.

    `dry_run` says that nothing may be changed (docs/explain.md).
    """

    action: str
    message_id: str
    to: str | None
    body: etree._Element
    security: tuple[etree._Element, ...]
    dry_run: bool = False


def parse_envelope(root: etree._Element, understood: frozenset[str] = frozenset({WSSE})) -> Envelope:
    """Read a SOAP 1.2 envelope; raises SoapFault as SOAP 1.2 and WS-Addressing say.

    `understood` are namespaces of headers beyond WS-Addressing that the mount processes.
    """
    header, body = _parts(root)
    blocks = elements(header) if header is not None else []
    _refuse_not_understood(blocks, understood)
    addressing = _Addressing(blocks)
    addressing.refuse_elsewhere("ReplyTo")
    addressing.refuse_elsewhere("FaultTo")
    return Envelope(
        action=addressing.required("Action"),
        message_id=addressing.required("MessageID"),
        to=addressing.value("To"),
        body=_single_body(body),
        security=tuple([b for b in addressing.others if b.tag == _SECURITY and _for_us(b)]),
        dry_run=bool(addressing.others) and _dry_run(addressing.others),
    )


def message_id_of(root: etree._Element) -> str | None:
    """The MessageID of any envelope, for the RelatesTo of a fault; None when there is none."""
    found = root.find(f"{{*}}Header/{{{WSA}}}MessageID")
    return (text(found) or None) if found is not None else None


def _parts(root: etree._Element) -> tuple[etree._Element | None, etree._Element]:
    if root.tag != _ENVELOPE:
        raise _not_an_envelope(root)
    children = elements(root)
    header = children[0] if children and children[0].tag == _HEADER else None
    rest = children[1:] if header is not None else children
    if len(rest) != 1 or rest[0].tag != _BODY:
        raise _sender(
            "soap.structure", "An Envelope has an optional Header and then exactly one Body (SOAP 1.2 part 1, 5.1)"
        )
    if _has_text(root):
        raise _sender("soap.structure", "An Envelope has no text of its own (SOAP 1.2 part 1, 5.1)")
    return header, rest[0]


def _has_text(parent: etree._Element) -> bool:
    texts = (parent.text, *[child.tail for child in parent])
    return any(text and not text.isspace() for text in texts)


def _not_an_envelope(root: etree._Element) -> SoapFault:
    name = etree.QName(root)
    if name.localname == "Envelope":
        rule = SOAP11_RULE if name.namespace == SOAP11 else "soap.version"
        return SoapFault(FaultCode.VERSION_MISMATCH, "Only SOAP 1.2 envelopes are understood", rule=rule)
    return _sender("soap.structure", "The message is not a SOAP 1.2 Envelope (SOAP 1.2 part 1, 5.1)")


def _single_body(body: etree._Element) -> etree._Element:
    children = elements(body)
    if len(children) != 1 or _has_text(body):
        raise _sender("soap.body", f"The Body must hold exactly one element; it holds {len(children)}")
    return children[0]


def _refuse_not_understood(blocks: list[etree._Element], understood: frozenset[str]) -> None:
    unknown = [b for b in blocks if _must_understand(b) and _for_us(b) and not _known(b, understood)]
    if unknown:
        raise SoapFault(
            FaultCode.MUST_UNDERSTAND,
            "A header that must be understood is not: " + ", ".join(etree.QName(b).localname[:80] for b in unknown[:5]),
            rule="soap.mustUnderstand",
            details=tuple(_qualified(b) for b in unknown[:5]),
        )


def _qualified(block: etree._Element) -> FaultDetail:
    name = etree.QName(block)
    return FaultDetail(namespace=name.namespace or "", name=name.localname)


def _must_understand(block: etree._Element) -> bool:
    flag = (block.get(_MUST_UNDERSTAND) or block.get("mustUnderstand") or "0").strip()
    if flag not in ("0", "1", "true", "false"):
        raise _sender("soap.mustUnderstand", "mustUnderstand must be a boolean (SOAP 1.2 part 1, 5.2.3)")
    return flag in ("1", "true")


def _for_us(block: etree._Element) -> bool:
    return block.get(_ROLE, "").strip() in _ROLES_FOR_US


def _known(block: etree._Element, understood: frozenset[str]) -> bool:
    namespace, _, name = str(block.tag).rpartition("}")
    if namespace == _WSA_PREFIX[:-1]:
        return name in _ADDRESSING
    return namespace[1:] in understood or block.tag == DRY_RUN


def _dry_run(blocks: list[etree._Element]) -> bool:
    """Whether the header DryRun is there, for whatever role; one with content may mean anything and is refused."""
    found = [b for b in blocks if b.tag == DRY_RUN]
    if any(len(b) or (b.text or "").strip() for b in found):
        raise _sender("gateway.dryRun", "The header DryRun must be empty: leave it out when the request shall count")
    return bool(found)


def dry_run_not_allowed() -> SoapFault:
    """The fault for a DryRun where none is performed; whatever mustUnderstand says, since nothing must happen then."""
    return SoapFault(
        FaultCode.MUST_UNDERSTAND,
        "This mount performs no dry runs (setting dry_run): nothing was done",
        rule="gateway.dryRun",
        details=(FaultDetail(namespace=GATEWAY, name="DryRun"),),
    )


class _Addressing:
    """The WS-Addressing headers of one message (WS-Addressing 1.0 core, 3.2)."""

    def __init__(self, blocks: list[etree._Element]) -> None:
        self._blocks: dict[str, list[etree._Element]] = {}
        self.others: list[etree._Element] = []  # of other namespaces
        for block in blocks:
            tag = str(block.tag)
            if tag.startswith(_WSA_PREFIX):
                self._blocks.setdefault(tag[len(_WSA_PREFIX) :], []).append(block)
            else:
                self.others.append(block)

    def value(self, name: str) -> str | None:
        """The value of a header, None when absent or empty."""
        blocks = self._blocks.get(name)
        return self._single(name, [text(block) for block in blocks]) if blocks else None

    @staticmethod
    def _single(name: str, values: list[str]) -> str | None:
        """Senders that double a header with one value are taken at their word."""
        if len(values) > 1 and len(set(values)) > 1:
            raise _addressing_fault("InvalidCardinality", f"The message has several {name} headers", name)
        return (values[0] or None) if values else None

    def required(self, name: str) -> str:
        """The value of a header that IHE requires (ITI TF-2 V.3.2)."""
        value = self.value(name)
        if value is None:
            raise SoapFault(
                FaultCode.SENDER,
                f"The required WS-Addressing header {name} is missing or empty",
                rule="wsa.required",
                subcodes=((WSA, "MessageAddressingHeaderRequired"),),
                details=(FaultDetail(namespace=WSA, name="ProblemHeaderQName", text=name),),
            )
        return value

    def refuse_elsewhere(self, name: str) -> None:
        """Refuse an answer address that is not anonymous, nothing is ever called (WS-Addressing SOAP binding, 5.1)."""
        blocks = self._blocks.get(name)
        if blocks is None:
            return
        address = self._single(name, [text(a) for block in blocks for a in block.iterchildren(_ADDRESS)])
        if address not in (None, ANONYMOUS):
            raise _addressing_fault(
                "OnlyAnonymousAddressSupported",
                f"{name} must be anonymous: answers travel back on the connection",
                name,
            )


def _addressing_fault(problem: str, reason: str, header: str) -> SoapFault:
    return SoapFault(
        FaultCode.SENDER,
        reason,
        rule=f"wsa.{problem}",
        subcodes=((WSA, "InvalidAddressingHeader"), (WSA, problem)),
        details=(FaultDetail(namespace=WSA, name="ProblemHeaderQName", text=header),),
    )


def action_not_supported(action: str, told: str = "") -> SoapFault:
    """The fault for an action that no transaction of the endpoint has (WS-Addressing 1.0 SOAP binding, 6.4.2).

    `told` is what the endpoint has instead.
    """
    return SoapFault(
        FaultCode.SENDER,
        "This endpoint has no transaction of this wsa:Action" + (f": {told}" if told else ""),
        rule="wsa.ActionNotSupported",
        subcodes=((WSA, "ActionNotSupported"),),
        details=(FaultDetail(namespace=WSA, name="ProblemAction", text=action),),
    )


def action_mismatch(action: str) -> SoapFault:
    """The fault for an action that contradicts the body (WS-Addressing 1.0 SOAP binding, 6.4.1.5; ITI TF-2 V.3.2)."""
    return SoapFault(
        FaultCode.SENDER,
        "wsa:Action does not belong to the element in the Body",
        rule="wsa.ActionMismatch",
        subcodes=((WSA, "InvalidAddressingHeader"), (WSA, "ActionMismatch")),
        details=(FaultDetail(namespace=WSA, name="ProblemAction", text=action),),
    )


def security_fault(rule: str, code: str, reason: str) -> SoapFault:
    """The fault for a message whose security header or assertion is refused (SOAP Message Security 1.1, 12)."""
    namespace = WSU if code == "MessageExpired" else WSSE
    return _sender(rule, reason, ((namespace, code),))


def _sender(rule: str, reason: str, subcodes: tuple[tuple[str, str], ...] = ()) -> SoapFault:
    return SoapFault(FaultCode.SENDER, reason, rule=rule, subcodes=subcodes)
