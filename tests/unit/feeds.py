"""Builders of feed messages, HL7 v2 and v3."""

from typing import Any

from xds_gateway.codec.hl7v2 import render_adt
from xds_gateway.codec.hl7v3 import render_feed
from xds_gateway.model.feeds import FeedMessage, Header, Identifier, InstanceIdentifier, Wrapper

NOW = "20260314083000"
OID = "1.2.3"
LOCAL_OID = "1.9.1"
SENDER_OID = "1.9.2"
HEADER = Header("HIS", "HOSPITAL", "XDS", "REGION", "ADT", "A04", "1", "P", "2.3.1")


def identifier(name: str, oid: str = OID, namespace: str = "") -> Identifier:
    return Identifier(name, namespace, oid, "ISO" if oid else "")


def make_feed(event: str = "A04", *names: str, subsumed: str | None = None, **header: Any) -> FeedMessage:
    """A message about patients of one authority."""
    return FeedMessage(
        header=HEADER._replace(event=event, **header),
        patients=tuple(map(identifier, names or ("A",))),
        subsumed=(identifier(subsumed),) if subsumed else (),
    )


def make_link(
    new: str = "B", local: str = "L", previous: str = "C", subsumed: str | None = None, **header: Any
) -> FeedMessage:
    """A43: the local identifier belongs to another patient, or another one was merged into it."""
    before = (identifier(previous), *((identifier(subsumed, LOCAL_OID),) if subsumed else ()))
    named = HEADER._replace(**{"event": "A43", "version": "2.5", "sending_application": SENDER_OID, **header})
    return FeedMessage(named, (identifier(new), identifier(local, LOCAL_OID)), before)


def feed_bytes(event: str = "A04", *names: str, subsumed: str | None = None, **header: Any) -> bytes:
    """The same as it travels, without its frame."""
    return render_adt(make_feed(event, *names, subsumed=subsumed, **header), now=NOW)


WRAPPER = Wrapper(
    "PRPA_IN201301UV02",
    InstanceIdentifier("1.2.9", "1"),
    (InstanceIdentifier("1.2.9.1"),),
    (InstanceIdentifier("1.2.9.2"),),
)
INTERACTIONS = {
    "A01": "PRPA_IN201301UV02",
    "A04": "PRPA_IN201301UV02",
    "A05": "PRPA_IN201301UV02",
    "A40": "PRPA_IN201304UV02",
}


def as_v3(message: FeedMessage[Any]) -> FeedMessage[Any]:
    """The message of ITI-44 that says the same."""
    header: Header = message.header
    return message._replace(
        header=WRAPPER._replace(
            interaction=INTERACTIONS[header.event], id=InstanceIdentifier("1.2.9", header.control_id)
        )
    )


def make_v3(interaction: str = "PRPA_IN201301UV02", *names: str, subsumed: str | None = None) -> FeedMessage[Wrapper]:
    """A message of ITI-44 about patients of one authority."""
    return FeedMessage(
        header=WRAPPER._replace(interaction=interaction),
        patients=tuple(map(identifier, names or ("A",))),
        subsumed=(identifier(subsumed),) if subsumed else (),
    )


def v3_bytes(interaction: str = "PRPA_IN201301UV02", *names: str, subsumed: str | None = None) -> bytes:
    """The same as it travels, without its envelope."""
    return render_feed(make_v3(interaction, *names, subsumed=subsumed), now=NOW)
