"""The registry's side of identity feeds: patients become known, are merged, get documents (ITI TF-2 3.8, 3.44, 3.64).

Messages that came together are taken in one transaction, one after the other; each is judged by what those before it
have left. One that is refused changes nothing and does not hold up the others.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ..model.feeds import AnyFeedMessage, FeedProblem
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent, PlannedEffect
from ..model.principal import Principal
from .audited import subjects
from .feed_policy import FeedPolicy, FeedRefused
from .identity import NewUuid
from .link_feed import LinkChanged, LinkFeed
from .patient_ports import PatientMerge, ReceivedMessage
from .ports import RegistryStore, Snapshot, Transaction

DROPPED: Final = "feed.link.dropped"  # what audit and log call a conflict that was resolved (3.64.4.1.3.2)
_log = logging.getLogger("xds_gateway.feed")
_CREATE, _UPDATE, _DELETE = "C", "U", "D"
_ACTIONS: Final = {"register": _CREATE, "revise": _UPDATE}  # of an audit event (ITI TF-2 3.8.5.1, 3.44.5.1)


class Judgement(NamedTuple):
    """What a message would meet: why it is refused, what the audit is told, what it would do."""

    problem: FeedProblem | None = None
    events: tuple[AuditEvent, ...] = ()
    planned: tuple[PlannedEffect, ...] = ()


class _Effect(NamedTuple):
    """What a message does to the patients of a domain, and what the audit is told of it."""

    events: tuple[AuditEvent, ...]
    known: tuple[PatientId, ...] = ()
    merge: PatientMerge | None = None


class PatientIdentityFeed:
    """The patients of one domain, as a feed tells of them."""

    def __init__(self, *, store: RegistryStore, policy: FeedPolicy, now: Callable[[], str], new_uuid: NewUuid) -> None:
        """`now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
        self._store: Final = store
        self._policy: Final = policy
        self._now: Final = now
        self._links: Final = LinkFeed(store=store, policy=policy, now=now, new_uuid=new_uuid)

    def feed(self, caller: Principal, messages: Sequence[AnyFeedMessage]) -> Sequence[FeedProblem | None]:
        """Take messages in their order, durably when this returns; None for each that is accepted.

        Raises StorageFull, StorageBusy: then none was taken.
        """
        return self._store.write(lambda store: [self._take(store, caller, message) for message in messages])

    def judge(self, caller: Principal, message: AnyFeedMessage) -> Judgement:
        """What a message about patients would do now, without doing it."""

        def look(store: Snapshot) -> Judgement:
            if store.was_received(_received(message)):
                return Judgement()
            try:
                effect = self._effect(store, caller, message)
            except FeedRefused as refused:
                found = refused.problem(message)
                return Judgement(found, (self._refusal(caller, message, found),))
            return Judgement(None, effect.events, tuple(_planned(store, effect)))

        return self._store.inspect(look)

    def _take(self, store: Transaction, caller: Principal, message: AnyFeedMessage) -> FeedProblem | None:
        received = _received(message)
        if store.was_received(received):
            return None
        try:
            events = self._done(store, caller, message)
        except FeedRefused as refused:
            found = refused.problem(message)
            store.audit(self._refusal(caller, message, found))
            return found
        for event in events:
            store.audit(event)
        store.note_received(received, self._now())
        return None

    def _done(self, store: Transaction, caller: Principal, message: AnyFeedMessage) -> Sequence[AuditEvent]:
        """Do what a message says; tells what the audit has to know of it. Raises FeedRefused: nothing is done."""
        if message.header.act == "link":
            return (self._link_event(caller, message, self._links.change(store, message)),)
        effect = self._effect(store, caller, message)
        for patient in effect.known:
            store.add_patient(patient)
        if effect.merge is not None:
            store.merge_patients(effect.merge)
        return effect.events

    def _effect(self, store: Snapshot, caller: Principal, message: AnyFeedMessage) -> _Effect:
        """What a message about patients does (3.8.4, 3.44.4). Raises FeedRefused."""
        act = message.header.act
        if act == "merge":
            return self._merge(store, caller, message)
        if act == "update":  # the registry keeps nothing that it could change (3.8.4.1.3)
            known = self._policy.usable(message.patients, strict=False)
            return _Effect((self._event(caller, message, _UPDATE, known),))
        patients = self._policy.usable(message.patients)
        if not patients:
            raise FeedRefused("ihe.feed.patient", expected=self._policy.wanted)
        for patient in patients:
            survivor = store.survivor(patient)
            if survivor is not None and survivor != patient:
                raise FeedRefused("ihe.feed.patient.merged", received=patient.as_cx(), expected=survivor.as_cx())
        return _Effect((self._event(caller, message, _ACTIONS[act], patients),), known=patients)

    def _merge(self, store: Snapshot, caller: Principal, message: AnyFeedMessage) -> _Effect:
        """The subsumed identifier is merged into that of the patient that has its authority (3.8.4.2, 3.44.4.2)."""
        subsumed = self._policy.usable(message.subsumed)
        if not subsumed:
            raise FeedRefused("ihe.feed.merge.authority", expected=self._policy.wanted)
        patients = self._policy.usable(message.patients)
        if not patients:
            raise FeedRefused("ihe.feed.patient", expected=self._policy.wanted)
        surviving = [patient for patient in patients if patient.authority == subsumed[0].authority]
        if not surviving:
            raise FeedRefused("ihe.feed.merge.authority", expected=patients[0].authority)
        if len(subsumed) > 1 or len(surviving) > 1:
            told = f"{len(subsumed)} subsumed and {len(surviving)} surviving"
            raise FeedRefused("ihe.feed.merge.one", received=told)
        self._check_merge(store, subsumed[0], surviving[0])
        header = message.header
        events = (
            self._event(caller, message, _DELETE, subsumed),
            self._event(caller, message, _UPDATE, surviving),
        )
        merge = PatientMerge(subsumed[0], surviving[0], self._now(), header.sender, header.control_id)
        return _Effect(events, merge=merge)

    def _check_merge(self, store: Snapshot, subsumed: PatientId, surviving: PatientId) -> None:
        found = merge_problem(store, subsumed, surviving)
        if found is not None:
            raise FeedRefused(found[0], received=found[1].as_cx(), expected=found[2].as_cx() if found[2] else None)

    def _link_event(self, caller: Principal, message: AnyFeedMessage, made: LinkChanged) -> AuditEvent:
        """One event: the set, its new versions, and what these are no longer part of (ITI TF-2 3.64.5.1.2)."""
        moved, told = made.moved, made.told
        event = self._event(caller, message, _UPDATE, [patient for _, patient in told])
        event = event._replace(patient_types=tuple(kind for kind, _ in told), objects=moved.told)
        if not moved.dropped:
            return event
        _log.warning(
            "folders and relationships dropped",
            extra={"message_id": message.header.control_id[:199], "rule": DROPPED, "objects": moved.dropped},
        )
        return event._replace(codes=(DROPPED,), note=f"dropped: {' '.join(moved.dropped)}")

    def _refusal(self, caller: Principal, message: AnyFeedMessage, found: FeedProblem) -> AuditEvent:
        """The event of a message that is refused, with the identifiers that it tells of."""
        event = self._event(caller, message, _UPDATE, ())
        return event._replace(outcome="failure", codes=(found.rule,), **subjects(message))

    def _event(
        self, caller: Principal, message: AnyFeedMessage, action: str, patients: Sequence[PatientId]
    ) -> AuditEvent:
        """Patient Record, 110110 (3.8.5.1, 3.44.5.1, 3.64.5.1): of a merge there are two, a delete and an update."""
        return AuditEvent(
            at=self._now(),
            transaction=message.header.transaction,
            outcome="success",
            node=caller.node,
            address=caller.address,
            domain=self._policy.domain,
            message_id=message.header.control_id,
            patient_ids=tuple(patient.as_cx() for patient in patients),
            action=action,
            sender=message.header.sender,
            user=caller.user,
        )


def _received(message: AnyFeedMessage) -> ReceivedMessage:
    return ReceivedMessage(message.header.sender, message.header.control_id, message.digest)


def _planned(store: Snapshot, effect: _Effect) -> Iterator[PlannedEffect]:
    for patient in effect.known:
        if store.survivor(patient) is None:
            yield PlannedEffect("know", patient.as_cx(), "becomes known")
    if effect.merge is not None:
        yield PlannedEffect("merge", effect.merge.subsumed.as_cx(), f"into {effect.merge.surviving.as_cx()}")


def merge_problem(
    store: Snapshot, subsumed: PatientId, surviving: PatientId
) -> tuple[str, PatientId, PatientId | None] | None:
    """Why one patient cannot be merged into another: rule, which of them, who stands for it (ITI TF-2 3.8.4.2)."""
    if subsumed == surviving:
        return "ihe.feed.merge.itself", subsumed, None
    for name, patient in (("subsumed", subsumed), ("surviving", surviving)):
        survivor = store.survivor(patient)
        if survivor is None:
            return f"ihe.feed.merge.{name}.unknown", patient, None
        if survivor != patient:
            return f"ihe.feed.merge.{name}.merged", patient, survivor
    return None
