"""Accept acknowledgements of HL7 v3, MCCI_IN000002UV01 (ITI TF-2 Appendix O.1.2)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from lxml import etree

from ..model.feeds import FeedProblem, FeedResponse, InstanceIdentifier
from ..model.messages import PlannedEffect
from .findings import render_code_context
from .hl7v3_parts import device, instances, path, render_instance, render_transmission
from .namespaces import GATEWAY, HL7V3
from .xdsb_parts import Piece
from .xml import escape

ACCEPT_ACK: Final = f"{{{HL7V3}}}MCCI_IN000002UV01"
ACCEPT_ACK_ACTION: Final = "urn:hl7-org:v3:MCCI_IN000002UV01"

_DETAIL_CODES: Final = "2.16.840.1.113883.5.1100"
_TYPE_CODES: Final = {"AE": "CE", "AR": "CR"}  # accept acknowledgements for those of HL7 v2
_DRY_RUN: Final = PlannedEffect("dry-run", "", "nothing was changed")


def render_accept_ack(response: FeedResponse, *, message_id: str, now: str) -> tuple[Piece, ...]:
    """The accept acknowledgement with its own id (`urn:uuid:...`) and time (Appendix O.1.2)."""
    header = response.header
    code = _TYPE_CODES[response.findings[0].acknowledgment] if response.findings else "CA"
    target = f"<targetMessage>{render_instance(header.id)}</targetMessage>"
    details = "".join(_detail(finding) for finding in response.findings)
    if response.planned is not None:
        details += "".join(_effect(effect) for effect in (_DRY_RUN, *response.planned))
    own = InstanceIdentifier(message_id.removeprefix("urn:uuid:"))
    acknowledgement = f'<acknowledgement><typeCode code="{code}"/>{target}{details}</acknowledgement>'
    answer = render_transmission(
        "MCCI_IN000002UV01",
        own,
        acknowledgement,
        now=now,
        accept="NE",
        receivers=header.senders,
        senders=header.receivers,
    )
    return (answer,)


def _detail(finding: FeedProblem) -> str:
    location = f"<location>{escape(finding.location)}</location>" if finding.location else ""
    return (
        f'<acknowledgementDetail typeCode="E"><code code="{finding.code}" codeSystem="{_DETAIL_CODES}"/>'
        f"<text>{escape(render_code_context(finding))}</text>{location}</acknowledgementDetail>"
    )


def _effect(effect: PlannedEffect) -> str:
    text = f"{effect.object_id} {effect.detail}".strip()
    return (
        f'<acknowledgementDetail typeCode="I"><code code="{escape(effect.effect)}" codeSystemName="{GATEWAY}"/>'
        f"<text>{escape(text)}</text></acknowledgementDetail>"
    )


class AckDetail(NamedTuple):
    """One acknowledgementDetail: E an error, W a warning, I information."""

    type_code: str
    code: str
    text: str
    location: str | None


class AcceptAck(NamedTuple):
    """An accept acknowledgement as its reader sees it; `planned` are effects that a dry run of this gateway told."""

    type_code: str
    target: InstanceIdentifier | None
    senders: tuple[InstanceIdentifier, ...]
    receivers: tuple[InstanceIdentifier, ...]
    details: tuple[AckDetail, ...] = ()
    planned: tuple[PlannedEffect, ...] | None = None

    @property
    def accepted(self) -> bool:
        """True for CA, and for AA, which some systems answer."""
        return self.type_code in ("CA", "AA")


def parse_accept_ack(body: etree._Element) -> AcceptAck:
    """Read an accept acknowledgement. Raises ValueError when it is none."""
    acknowledgement = body.find(path("acknowledgement"))
    if body.tag != ACCEPT_ACK or acknowledgement is None:
        raise ValueError("the answer is no accept acknowledgement")
    type_code = acknowledgement.find(path("typeCode"))
    found = acknowledgement.findall(path("acknowledgementDetail"))
    return AcceptAck(
        # versions of HL7 v3 before 2008 have an attribute
        type_code=type_code.get("code", "") if type_code is not None else acknowledgement.get("typeCode", ""),
        target=next(instances(acknowledgement, path("targetMessage", "id")), None),
        senders=tuple(instances(body, device("sender"))),
        receivers=tuple(instances(body, device("receiver"))),
        details=tuple(_read_detail(element) for element in found if not _is_effect(element)),
        planned=_read_effects([element for element in found if _is_effect(element)]),
    )


def _is_effect(detail: etree._Element) -> bool:
    code = detail.find(path("code"))
    return code is not None and code.get("codeSystemName") == GATEWAY


def _read_detail(detail: etree._Element) -> AckDetail:
    code = detail.find(path("code"))
    return AckDetail(
        detail.get("typeCode", "E"),
        code.get("code", "") if code is not None else "",
        detail.findtext(path("text")) or "",
        detail.findtext(path("location")),
    )


def _read_effects(effects: Sequence[etree._Element]) -> tuple[PlannedEffect, ...] | None:
    if not effects:
        return None
    read = [_read_detail(effect) for effect in effects]
    parts = [(each.code, each.text.partition(" ")) for each in read if each.code != _DRY_RUN.effect]
    return tuple(PlannedEffect(code, identifier, told) for code, (identifier, _, told) in parts)
