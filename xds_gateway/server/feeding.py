"""From the bytes of feed messages to those of their acknowledgments: the path of ITI-8 (as pipeline.py is of SOAP)."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from ..actors.patients import PatientIdentityFeed
from ..codec.hl7v2 import parse_adt, parse_header, render_ack
from ..model.errors import StorageBusy, StorageFull
from ..model.feeds import FeedMessage, FeedProblem, FeedUnreadable, Header
from ..model.principal import Principal
from ..rules.patients import problem
from .receiving import Run

_log = logging.getLogger("xds_gateway.feed")


class FeedPipeline:
    """Reads, hands on and answers the messages of one feed."""

    def __init__(
        self, actor: PatientIdentityFeed, *, run: Run, now: Callable[[], str], new_uuid: Callable[[], str]
    ) -> None:
        """`run` calls the actor without holding up the loop; `new_uuid` gives `urn:uuid:...`."""
        self._actor: Final = actor
        self._run: Final = run
        self._now: Final = now
        self._new_uuid: Final = new_uuid

    async def answers(self, caller: Principal, contents: Sequence[bytes]) -> Sequence[bytes]:
        """The acknowledgments of messages in their order; shorter when one has no header to answer to."""
        read = _all_read(contents)
        taken = iter(await self._taken(caller, [message for message in read if isinstance(message, FeedMessage)]))
        made: list[bytes] = []
        for message in read:
            found = (
                next(taken) if isinstance(message, FeedMessage) else problem(message.rule, received=message.received)
            )
            _tell(message, found)
            if message.header is not None:
                made.append(render_ack(message.header, found, now=self._now(), control_id=self._control_id()))
        return made

    def too_long(self, beginning: bytes, limit: int) -> bytes | None:
        """The acknowledgment of a message of which only the beginning was read; None without a header in it."""
        try:
            header = parse_header(beginning)
        except FeedUnreadable:
            return None
        found = problem("ihe.feed.size", expected=f"{limit} bytes")
        _tell(FeedUnreadable(header, found.rule), found)
        return render_ack(header, found, now=self._now(), control_id=self._control_id())

    async def _taken(self, caller: Principal, messages: Sequence[FeedMessage[Header]]) -> Sequence[FeedProblem | None]:
        """What the actor says of each; where all together fail, each is tried by itself."""
        if not messages:
            return ()
        try:
            outcomes: Sequence[FeedProblem | None] = await self._run(self._actor.feed, caller, messages)
            return outcomes
        except (StorageBusy, StorageFull) as failure:
            _log.error("feed messages not taken", exc_info=failure, extra={"messages": len(messages)})
            return [problem("ihe.feed.busy")] * len(messages)
        except Exception as failure:  # noqa: BLE001 - the sender is told, and the feed goes on
            if len(messages) > 1:
                return [outcome for message in messages for outcome in await self._taken(caller, [message])]
            _log.error("feed message failed", exc_info=failure, extra={"message_id": messages[0].header.control_id})
            return [problem("ihe.feed.failed")]

    def _control_id(self) -> str:
        """MSH-10 of 20 characters (HL7 v2.3.1, 2.24.1.10)."""
        return self._new_uuid().removeprefix("urn:uuid:").replace("-", "")[:20]


def _all_read(contents: Sequence[bytes]) -> Sequence[FeedMessage[Header] | FeedUnreadable]:
    """Messages up to the first without a header: its connection is closed, so nothing after it may be taken."""
    read: list[FeedMessage[Header] | FeedUnreadable] = []
    for content in contents:
        read.append(_read(content))
        if read[-1].header is None:
            break
    return read


def _read(content: bytes) -> FeedMessage[Header] | FeedUnreadable:
    try:
        return parse_adt(content)
    except FeedUnreadable as unreadable:
        return unreadable


def _tell(message: FeedMessage[Header] | FeedUnreadable, found: FeedProblem | None) -> None:
    """Log the outcome; names are told, content is not."""
    header = message.header
    names = {"message_id": header.control_id[:199], "event_code": header.event[:9]} if header else {}
    if found is None:
        _log.info("feed message", extra={**names, "outcome": "AA"})
    else:
        _log.warning("feed message", extra={**names, "outcome": found.acknowledgment, "rule": found.rule})
