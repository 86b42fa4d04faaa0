"""HL7 v3 messages of identity feeds and their accept acknowledgements (ITI TF-2 3.44, Appendix O; HL7 v3 2008).

Reading is lenient: nothing but the transmission wrapper, statuses and identifiers is read. What may be absent may not
say something else: docs/divergences.md has the list.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from lxml import etree

from ..model.errors import Finding
from ..model.feeds import FeedMessage, Identifier, InstanceIdentifier, Mistake, Wrapper
from ..model.identifiers import is_oid
from .hl7v2 import escaped, unescaped
from .hl7v3_acks import ACCEPT_ACK, ACCEPT_ACK_ACTION, AcceptAck, AckDetail, parse_accept_ack, render_accept_ack
from .hl7v3_parts import INTERACTIONS, device, instances, path, render_instance, render_instances, render_transmission
from .namespaces import HL7V3

ADD: Final = f"{{{HL7V3}}}PRPA_IN201301UV02"
REVISE: Final = f"{{{HL7V3}}}PRPA_IN201302UV02"
RESOLVE_DUPLICATES: Final = f"{{{HL7V3}}}PRPA_IN201304UV02"

_LONGEST_ID: Final = 256  # characters of a message id


_EVENT: Final = ("controlActProcess", "subject", "registrationEvent")
_PATIENT: Final = (*_EVENT, "subject1", "patient")
_REPLACEMENT: Final = path(*_EVENT, "replacementOf")
_PRIOR: Final = (*_EVENT, "replacementOf", "priorRegistration")
_PRIOR_ID: Final = path(*_PRIOR, "subject1", "priorRegisteredRole", "id")
_PATIENT_ID: Final = path(*_PATIENT, "id")
_ONE_EACH: Final = tuple(path(*_PATIENT[:length]) for length in range(1, len(_PATIENT) + 1))

#   rule                       where, which attribute                     value; {} the message's number
_FIXED: Final = (  # ITI TF-2 Table 3.44.4.1.2.3-1, 3.44.4.2.2.3
    ("ihe.feed.v3.interaction", path("interactionId"), "extension", "PRPA_IN{}"),
    ("ihe.feed.v3.interaction", path("controlActProcess", "code"), "code", "PRPA_TE{}"),
    ("ihe.feed.v3.mode", path("processingModeCode"), "code", "T"),
    ("ihe.feed.v3.status", path(*_EVENT, "statusCode"), "code", "active"),
    ("ihe.feed.v3.status", path(*_PATIENT, "statusCode"), "code", "active"),
    ("ihe.feed.v3.status", path(*_PRIOR, "statusCode"), "code", "obsolete"),
)


def parse_feed(body: etree._Element, findings: list[Finding]) -> FeedMessage[Wrapper]:
    """Read a PRPA_IN201301UV02, 201302UV02 or 201304UV02; what is wrong with it stands in its `mistakes`."""
    wrapper = _wrapper(body)
    merge = body.tag == RESOLVE_DUPLICATES
    patients = tuple(_identifiers(body, _PATIENT_ID))
    subsumed = tuple(_identifiers(body, _PRIOR_ID)) if merge else ()
    told = repr((wrapper.interaction, patients, subsumed))
    return FeedMessage(
        header=wrapper,
        patients=patients,
        subsumed=subsumed,
        digest=sha256(told.encode("utf-8", "surrogatepass")).digest()[:16],
        mistakes=(*_wrapper_mistakes(body, wrapper), *_content_mistakes(body, merge=merge)),
    )


def _wrapper(body: etree._Element) -> Wrapper:
    return Wrapper(
        interaction=etree.QName(body).localname,
        id=next(instances(body, path("id")), None),
        senders=tuple(instances(body, device("sender"))),
        receivers=tuple(instances(body, device("receiver"))),
    )


def _identifiers(body: etree._Element, path: str) -> Iterator[Identifier]:
    """Identifiers as CX, in which separators are escaped (ITI TF-2 Appendix E); those without an extension are none."""
    for root, extension in instances(body, path):
        if extension:
            yield Identifier(escaped(extension), "", root, "ISO" if is_oid(root) else "")


def _wrapper_mistakes(body: etree._Element, wrapper: Wrapper) -> Iterator[Mistake]:
    if not 0 < len(wrapper.control_id) <= _LONGEST_ID:
        yield Mistake("ihe.feed.controlId", wrapper.control_id)
    message = wrapper.interaction.removeprefix("PRPA_IN")
    for rule, where, attribute, value in _FIXED:
        expected = value.format(message)
        for element in body.iterfind(where):
            received = element.get(attribute)
            if received is not None and received.strip() != expected:
                yield Mistake(rule, received, expected)
    receivers = max(_count(body, path("receiver")), _count(body, path("receiver", "device")))
    if receivers > 1:
        yield Mistake("ihe.feed.v3.receiver", str(receivers))


def _content_mistakes(body: etree._Element, *, merge: bool) -> Iterator[Mistake]:
    counts = [_count(body, path) for path in _ONE_EACH]
    if any(count != 1 for count in counts):
        yield Mistake("ihe.feed.v3.subject", str(max(counts) if min(counts) else 0))
        return
    replaced, prior = _count(body, _REPLACEMENT), _count(body, _PRIOR_ID)
    if not merge and replaced:
        yield Mistake("ihe.feed.v3.replaces", etree.QName(body).localname)
    if merge and not (replaced and prior):
        yield Mistake("ihe.feed.v3.replacement")
    elif merge and (replaced > 1 or prior > 1):
        yield Mistake("ihe.feed.merge.one", f"{prior} subsumed identifiers in {replaced} replacementOf")


def _count(body: etree._Element, path: str) -> int:
    return len(body.findall(path))


# --- writing -------------------------------------------------------------------------------------------------------


def render_feed(message: FeedMessage[Wrapper], *, now: str) -> bytes:
    """A message as `parse_feed` reads it, of a patient without a name."""
    header = message.header
    patients = "".join(_cx(identifier) for identifier in message.patients)
    event = (
        f'<registrationEvent classCode="REG" moodCode="EVN"><id nullFlavor="NA"/><statusCode code="active"/>'
        f'<subject1 typeCode="SBJ"><patient classCode="PAT">{patients}<statusCode code="active"/>'
        f'<patientPerson classCode="PSN" determinerCode="INSTANCE"><name nullFlavor="NI"/></patientPerson>'
        f"</patient></subject1>{_custodian(header)}{_replacement(message)}</registrationEvent>"
    )
    trigger = header.interaction.replace("_IN", "_TE")
    act = (
        f'<controlActProcess classCode="CACT" moodCode="EVN"><code code="{trigger}" codeSystem="{INTERACTIONS}"/>'
        f'<subject typeCode="SUBJ">{event}</subject></controlActProcess>'
    )
    return render_transmission(
        header.interaction, header.id, act, now=now, accept="AL", receivers=header.receivers, senders=header.senders
    )


def _replacement(message: FeedMessage[Wrapper]) -> str:
    if not message.subsumed:
        return ""
    prior = "".join(_cx(identifier) for identifier in message.subsumed)
    return (
        '<replacementOf typeCode="RPLC"><priorRegistration classCode="REG" moodCode="EVN">'
        '<statusCode code="obsolete"/><subject1 typeCode="SBJ"><priorRegisteredRole classCode="PAT">'
        f"{prior}</priorRegisteredRole></subject1></priorRegistration></replacementOf>"
    )


def _custodian(header: Wrapper) -> str:
    ids = render_instances(header.senders)
    return f'<custodian typeCode="CST"><assignedEntity classCode="ASSIGNED">{ids}</assignedEntity></custodian>'


def _cx(identifier: Identifier) -> str:
    return render_instance(InstanceIdentifier(identifier.universal_id, unescaped(identifier.id)))


__all__ = [
    "ACCEPT_ACK",
    "ACCEPT_ACK_ACTION",
    "ADD",
    "RESOLVE_DUPLICATES",
    "REVISE",
    "AcceptAck",
    "AckDetail",
    "parse_accept_ack",
    "parse_feed",
    "render_accept_ack",
    "render_feed",
]
