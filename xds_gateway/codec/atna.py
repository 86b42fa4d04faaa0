"""Audit messages as DICOM XML (PS3.15 A.5.1), one line of UTF-8, and in syslog's frame (RFC 5424, 5425)."""

import re
from base64 import b64decode, b64encode
from ipaddress import ip_address
from typing import Final

from lxml import etree

from ..model.audit_messages import AuditMessage, Participant, ParticipantObject
from ..model.principal import Coded

_UNSAFE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_PRINTABLE: Final = re.compile(r"[^\x21-\x7e]")
_PRI: Final = 85  # facility 10, severity 5 (ITI TF-2 3.20.4.1.2)


def render_audit_message(message: AuditMessage) -> bytes:
    """One line: no text can begin another element or line."""
    codes = "".join(_coded("EventTypeCode", code) for code in message.types)
    told = f"<EventOutcomeDescription>{_text(message.outcome_description)}</EventOutcomeDescription>"
    purposes = "".join(_coded("PurposeOfUse", code) for code in message.purposes)
    site = f' AuditEnterpriseSiteID="{_text(message.site_id)}"' if message.site_id else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><AuditMessage>'
        f'<EventIdentification EventActionCode="{_text(message.action)}" EventDateTime="{_text(message.at)}"'
        f' EventOutcomeIndicator="{message.outcome}">{_coded("EventID", message.event)}{codes}'
        f"{told if message.outcome_description else ''}{purposes}</EventIdentification>"
        f"{''.join(map(_participant, message.participants))}"
        f'<AuditSourceIdentification{site} AuditSourceID="{_text(message.source_id)}"/>'
        f"{''.join(map(_object, message.objects))}</AuditMessage>"
    ).encode()


def _participant(each: Participant) -> str:
    alternative = f' AlternativeUserID="{_text(each.alternative_id)}"' if each.alternative_id else ""
    name = f' UserName="{_text(each.name)}"' if each.name else ""
    point = (
        f' NetworkAccessPointID="{_text(each.address)}" NetworkAccessPointTypeCode="{_point_type(each.address)}"'
        if each.address
        else ""
    )
    roles = "".join(_coded("RoleIDCode", code) for code in each.roles)
    return (
        f'<ActiveParticipant UserID="{_text(each.user_id)}"{alternative}{name}'
        f' UserIsRequestor="{str(each.requestor).lower()}"{point}>{roles}</ActiveParticipant>'
    )


def _point_type(address: str) -> int:
    """1 for the name of a machine, 2 for an IP address."""
    try:
        ip_address(address)
    except ValueError:
        return 1
    return 2


def _object(each: ParticipantObject) -> str:
    cycle = f' ParticipantObjectDataLifeCycle="{each.life_cycle}"' if each.life_cycle is not None else ""
    query = f"<ParticipantObjectQuery>{_base64(each.query)}</ParticipantObjectQuery>" if each.query is not None else ""
    details = "".join(
        f'<ParticipantObjectDetail type="{_text(kind)}" value="{_base64(value)}"/>' for kind, value in each.details
    )
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{_text(each.id)}"'
        f' ParticipantObjectTypeCode="{each.type}" ParticipantObjectTypeCodeRole="{each.role}"{cycle}>'
        f"{_coded('ParticipantObjectIDTypeCode', each.id_type)}{query}{details}</ParticipantObjectIdentification>"
    )


def _coded(name: str, code: Coded) -> str:
    display = f' displayName="{_text(code.display)}"' if code.display else ""
    return (
        f'<{name} csd-code="{_text(code.code)}" codeSystemName="{_text(code.scheme)}"{display}'
        f' originalText="{_text(code.display or code.code)}"/>'
    )


def clean(text: str) -> str:
    """Text without what XML 1.0 has no characters for (2.2)."""
    return _UNSAFE.sub("\ufffd", text)


def _text(text: str | None) -> str:
    return clean(text or "").translate(_ESCAPES)


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")


# -- reading


def parse_audit_message(xml: bytes) -> AuditMessage:
    """The message of its XML. Raises ValueError, KeyError or etree.XMLSyntaxError when it is none."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    if root.tag != "AuditMessage":
        raise ValueError("the root is no AuditMessage")
    event, source = root.find("EventIdentification"), root.find("AuditSourceIdentification")
    if event is None or source is None:
        raise ValueError("an AuditMessage has EventIdentification and AuditSourceIdentification")
    objects = tuple(map(_parsed_object, root.iterfind("ParticipantObjectIdentification")))
    return AuditMessage(
        id=next((each.id for each in objects if each.id_type.code == "event-id"), ""),
        event=_parsed_codes(event, "EventID")[0],
        action=_attribute(event, "EventActionCode"),
        at=_attribute(event, "EventDateTime"),
        outcome=int(_attribute(event, "EventOutcomeIndicator")),
        outcome_description=event.findtext("EventOutcomeDescription"),
        types=_parsed_codes(event, "EventTypeCode"),
        purposes=_parsed_codes(event, "PurposeOfUse"),
        participants=tuple(map(_parsed_participant, root.iterfind("ActiveParticipant"))),
        source_id=_attribute(source, "AuditSourceID"),
        site_id=source.get("AuditEnterpriseSiteID"),
        objects=objects,
    )


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ValueError(f"{element.tag} has no {name}")
    return value


def _parsed_codes(parent: etree._Element, name: str) -> tuple[Coded, ...]:
    return tuple(
        Coded(_attribute(each, "csd-code"), _attribute(each, "codeSystemName"), each.get("displayName"))
        for each in parent.iterfind(name)
    )


def _parsed_participant(element: etree._Element) -> Participant:
    return Participant(
        user_id=_attribute(element, "UserID"),
        requestor=_attribute(element, "UserIsRequestor") == "true",
        roles=_parsed_codes(element, "RoleIDCode"),
        alternative_id=element.get("AlternativeUserID"),
        name=element.get("UserName"),
        address=element.get("NetworkAccessPointID"),
    )


def _parsed_object(element: etree._Element) -> ParticipantObject:
    cycle, query = element.get("ParticipantObjectDataLifeCycle"), element.findtext("ParticipantObjectQuery")
    return ParticipantObject(
        id=_attribute(element, "ParticipantObjectID"),
        type=int(_attribute(element, "ParticipantObjectTypeCode")),
        role=int(_attribute(element, "ParticipantObjectTypeCodeRole")),
        id_type=_parsed_codes(element, "ParticipantObjectIDTypeCode")[0],
        life_cycle=int(cycle) if cycle else None,
        query=None if query is None else b64decode(query).decode(),
        details=tuple(
            (_attribute(each, "type"), b64decode(_attribute(each, "value")).decode())
            for each in element.iterfind("ParticipantObjectDetail")
        ),
    )


# -- syslog


def render_syslog(message: AuditMessage, host: str, application: str, process: int) -> bytes:
    """The message in syslog's header, framed by its length in octets (RFC 5424, 6; RFC 5425, 4.3; ITI TF-2 3.20.4.1.2).

    TIMESTAMP is the time of the event, so that a message that is sent again is the same bytes.
    """
    header = f"<{_PRI}>1 {_word(message.at, 32)} {_word(host, 255)} {_word(application, 48)} {process} IHE+RFC-3881 - "
    line = header.encode("ascii") + render_audit_message(message)
    return b"%d %b" % (len(line), line)


def _word(text: str, longest: int) -> str:
    """A field of the header: printable ASCII without spaces, "-" for nothing."""
    return _PRINTABLE.sub("_", text)[:longest] or "-"
