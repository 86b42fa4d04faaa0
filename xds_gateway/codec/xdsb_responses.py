"""The RegistryResponse of a transaction, in its own body or within another (ITI TF-3 4.2.4)."""

from typing import Final, NamedTuple

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import Finding, Severity
from ..model.messages import PlannedEffect, RegistryResponse
from .findings import render_code_context
from .namespaces import GATEWAY, RIM, RS
from .xdsb_parts import Piece
from .xml import escape


def render_registry_response(response: RegistryResponse) -> tuple[Piece, ...]:
    """The answer of a submission; any error makes it a Failure (ITI TF-3 4.2.4)."""
    status = v.FAILURE if has_error(response.findings) else v.SUCCESS
    return (registry_response(status, response.findings, response.planned),)


def registry_response(
    status: str, findings: tuple[Finding, ...], planned: tuple[PlannedEffect, ...] | None = None
) -> bytes:
    """A RegistryResponse of this status with its errors and warnings, and what a dry run planned."""
    if not findings and planned is None:
        return f'<rs:RegistryResponse xmlns:rs="{RS}" status="{status}"/>'.encode()
    content = ("" if planned is None else _slot_list(planned)) + (error_list(findings) if findings else "")
    return f'<rs:RegistryResponse xmlns:rs="{RS}" status="{status}">{content}</rs:RegistryResponse>'.encode()


def has_error(findings: tuple[Finding, ...]) -> bool:
    """True when a finding is more than a warning."""
    return bool(findings) and any(f.severity is Severity.ERROR for f in findings)


def error_list(findings: tuple[Finding, ...]) -> str:
    """A RegistryErrorList (ITI TF-3 4.2.4.1)."""
    highest = v.ERROR if has_error(findings) else v.WARNING
    errors = "".join(_error(f) for f in findings)
    return f'<rs:RegistryErrorList highestSeverity="{highest}">{errors}</rs:RegistryErrorList>'


def _error(finding: Finding) -> str:
    severity = v.ERROR if finding.severity is Severity.ERROR else v.WARNING
    place = "/".join(part for part in (finding.object_id, finding.attribute) if part)
    location = f' location="{escape(place)}"' if place else ""
    context = escape(render_code_context(finding))
    return (
        f'<rs:RegistryError errorCode="{finding.code.value}" codeContext="{context}"{location} severity="{severity}"/>'
    )


_SLOT: Final = f"{GATEWAY}:"
_DRY_RUN: Final = PlannedEffect("dry-run", "", "nothing was changed")
_LONGEST: Final = 256  # characters of a Value: ebRIM calls it a LongName


def _slot_list(planned: tuple[PlannedEffect, ...]) -> str:
    """What a dry run found: one Slot for each kind of effect, one Value for each object, in the order of happening."""
    slots: dict[str, list[PlannedEffect]] = {}
    for effect in (_DRY_RUN, *planned):
        slots.setdefault(effect.effect, []).append(effect)
    rendered = "".join(
        f'<rim:Slot name="{_SLOT}{escape(name)}"><rim:ValueList>{"".join(map(_value, effects))}</rim:ValueList>'
        "</rim:Slot>"
        for name, effects in slots.items()
    )
    return f'<rs:ResponseSlotList xmlns:rim="{RIM}">{rendered}</rs:ResponseSlotList>'


def _value(effect: PlannedEffect) -> str:
    text = f"{effect.object_id} {effect.detail}".strip()
    return f"<rim:Value>{escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…')}</rim:Value>"


def parse_planned(body: etree._Element) -> tuple[PlannedEffect, ...] | None:
    """What a dry run told that it would do, None when the answer is of no dry run of this gateway."""
    found = [
        (slot.get("name", "").removeprefix(_SLOT), value.text or "")
        for slot in body.iterfind(f"{{{RS}}}ResponseSlotList/{{{RIM}}}Slot")
        if slot.get("name", "").startswith(_SLOT)
        for value in slot.iterfind(f"{{{RIM}}}ValueList/{{{RIM}}}Value")
    ]
    if not found:
        return None
    told = ((name, text.partition(" ")) for name, text in found if name != _DRY_RUN.effect)
    return tuple(PlannedEffect(name, identifier, detail) for name, (identifier, _, detail) in told)


class ReceivedError(NamedTuple):
    """One RegistryError of an answer as another system wrote it."""

    code: str
    context: str
    severity: str
    location: str | None


def parse_registry_response(body: etree._Element) -> tuple[str, tuple[ReceivedError, ...]]:
    """Status and errors of any answer that carries a RegistryResponse or is one (ITI TF-3 4.2.4)."""
    holder = body.find(f"{{{RS}}}RegistryResponse") if body.get("status") is None else body
    if holder is None:
        raise ValueError("the answer has no status")
    errors = tuple(
        ReceivedError(
            e.get("errorCode", ""),
            e.get("codeContext", ""),
            e.get("severity", "").rsplit(":", 1)[-1],
            e.get("location"),
        )
        for e in holder.iter(f"{{{RS}}}RegistryError")
    )
    return holder.get("status", ""), errors
