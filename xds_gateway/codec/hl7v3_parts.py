"""What all messages of HL7 v3 share: paths, instance identifiers, the transmission wrapper (ITI TF-2 Appendix O)."""

from collections.abc import Iterator, Sequence
from typing import Final

from lxml import etree

from ..model.feeds import InstanceIdentifier
from .namespaces import HL7V3
from .xml import escape

INTERACTIONS: Final = "2.16.840.1.113883.1.6"  # of interactions and trigger events


def path(*names: str) -> str:
    """The path of these elements, one in the other."""
    return "/".join(f"{{{HL7V3}}}{name}" for name in names)


def device(role: str) -> str:
    """The path of the ids of a sender or receiver."""
    return path(role, "device", "id")


def instances(body: etree._Element, where: str) -> Iterator[InstanceIdentifier]:
    """The II values at a path; those without a root say nothing."""
    for element in body.iterfind(where):
        root = (element.get("root") or "").strip()
        if root:
            yield InstanceIdentifier(root, element.get("extension") or "")


def render_instance(identifier: InstanceIdentifier | None) -> str:
    """An id; without a value it says that there is no information."""
    if identifier is None:
        return '<id nullFlavor="NI"/>'
    extension = f' extension="{escape(identifier.extension)}"' if identifier.extension else ""
    return f'<id root="{escape(identifier.root)}"{extension}/>'


def render_instances(identifiers: Sequence[InstanceIdentifier]) -> str:
    """All ids of a device or organization, which has one at least."""
    return "".join(map(render_instance, identifiers)) or render_instance(None)


def render_transmission(
    interaction: str,
    identifier: InstanceIdentifier | None,
    content: str,
    *,
    now: str,
    accept: str,
    receivers: Sequence[InstanceIdentifier],
    senders: Sequence[InstanceIdentifier],
) -> bytes:
    """A whole message, its parts in the order of the schema; `accept` is its acceptAckCode (Appendix O.1.1, O.1.2)."""
    return (
        f'<{interaction} xmlns="{HL7V3}" ITSVersion="XML_1.0">{render_instance(identifier)}'
        f'<creationTime value="{now}"/><interactionId root="{INTERACTIONS}" extension="{interaction}"/>'
        f'<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="{accept}"/>'
        f"{_device('receiver', 'RCV', receivers)}{_device('sender', 'SND', senders)}{content}</{interaction}>"
    ).encode()


def _device(role: str, type_code: str, ids: Sequence[InstanceIdentifier]) -> str:
    return (
        f'<{role} typeCode="{type_code}"><device classCode="DEV" determinerCode="INSTANCE">{render_instances(ids)}'
        f"</device></{role}>"
    )
