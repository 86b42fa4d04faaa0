"""A hospital's identity system: messages over MLLP, as raw bytes."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.gateways import RunningGateway, TestPki, listener
from tests.unit.feeds import HEADER, NOW, SENDER_OID
from xds_gateway.codec.hl7v2 import parse_ack, render_adt
from xds_gateway.codec.hl7v3 import render_feed
from xds_gateway.codec.mllp import Frames, frame
from xds_gateway.model.feeds import FeedMessage, Identifier, InstanceIdentifier, Wrapper

from .messages import AUTHORITY, Message, plain

SECONDS = 30.0
_numbers = itertools.count(1000)


def fed_domain(pki: TestPki, **changes: Any) -> dict[str, Any]:
    """Settings of a gateway whose patients come from feeds: a plain one on loopback, one over mutual TLS."""
    plain = {"host": "127.0.0.1", "port": 0, "tls": "off", **changes}
    domain = {"name": "default", "patients": "fed", "assigning_authorities": [AUTHORITY]}
    return {"domains": [domain], "feeds": [plain, {**listener(pki), **changes}]}


def adt(event: str, patient: str, subsumed: str | None = None, **header: Any) -> bytes:
    """A message about patients, each a CX; it has an id of its own unless one is given."""
    named = HEADER._replace(event=event, **{"control_id": str(next(_numbers)), **header})
    return render_adt(FeedMessage(named, (_cx(patient),), (_cx(subsumed),) if subsumed else ()), now=NOW)


def link_change(new: str, local: str, previous: str, subsumed: str | None = None, **header: Any) -> bytes:
    """A43: a local identifier belongs to another patient; identifiers are CX."""
    fields = {"event": "A43", "version": "2.5", "sending_application": SENDER_OID, "control_id": str(next(_numbers))}
    before = (_cx(previous), *((_cx(subsumed),) if subsumed else ()))
    return render_adt(FeedMessage(HEADER._replace(**{**fields, **header}), (_cx(new), _cx(local)), before), now=NOW)


ADDED, REVISED, MERGED = (f"PRPA_IN20130{number}UV02" for number in (1, 2, 4))


def v3(interaction: str, patient: str, subsumed: str | None = None, **blocks: str) -> Message:
    """A message of ITI-44 about patients, each a CX, with an id of its own."""
    number = InstanceIdentifier("1.2.9", f"{next(_numbers)}")
    wrapper = Wrapper(interaction, number, (InstanceIdentifier("1.2.9.1"),), (InstanceIdentifier("1.2.9.2"),))
    content = FeedMessage(wrapper, (_cx(patient),), (_cx(subsumed),) if subsumed else ())
    return plain(interaction, render_feed(content, now=NOW), **blocks)


def _cx(text: str) -> Identifier:
    identifier, _, _, authority = text.split("^")
    return Identifier(identifier, *authority.split("&"))


class Sender:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._frames = Frames(1 << 20)
        self._answers: list[bytes] = []

    def send(self, *messages: bytes) -> list[str]:
        """MSA-1 of each message; all are sent before the first answer is read."""
        self.write(b"".join(map(frame, messages)))
        return [parse_ack(answer)[0] for answer in self.read(len(messages))]

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def read(self, count: int) -> list[bytes]:
        """So many answers, fewer when the gateway has closed the connection."""
        while len(self._answers) < count:
            try:
                data = self.connection.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                break
            self._answers += self._frames.feed(data)
        answers, self._answers = self._answers[:count], self._answers[count:]
        return answers


@contextmanager
def sending(gateway: RunningGateway, *, tls: bool = False, port: int | None = None, **context: Any) -> Iterator[Sender]:
    """Connect to the feed that is plain, or to the one with TLS, or by another port."""
    with socket.create_connection(("127.0.0.1", port or gateway.feed_ports[tls]), SECONDS) as plain:
        if not tls:
            yield Sender(plain)
            return
        with gateway.client_context(**context).wrap_socket(plain, server_hostname="localhost") as secure:
            yield Sender(secure)


def feed(gateway: RunningGateway, *messages: bytes) -> list[str]:
    """Send messages on a connection of their own."""
    with sending(gateway) as sender:
        return sender.send(*messages)


__all__ = [
    "ADDED", "MERGED", "REVISED", "Sender", "adt", "fed_domain", "feed", "link_change", "sending", "v3",
]  # fmt: skip
