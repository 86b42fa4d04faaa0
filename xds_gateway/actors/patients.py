"""The registry's side of identity feeds: patients become known, are merged, get documents (ITI TF-2 3.8, 3.44, 3.64).

Messages that came together are taken in one transaction, one after the other; each is judged by what those before it
have left. One that is refused changes nothing and does not hold up the others.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from ..codec.hl7v2 import LINK_CHANGE, MERGE, UPDATE
from ..model.feeds import FeedMessage, FeedProblem
from ..model.identifiers import PatientId
from ..model.messages import AuditEvent
from ..model.principal import Principal
from .feed_policy import FeedPolicy, FeedRefused
from .identity import NewUuid
from .link_feed import LinkChanged, LinkFeed
from .patient_ports import PatientMerge, ReceivedMessage
from .ports import RegistryStore, Snapshot, Transaction

FEED: Final = "ITI-8"
LINK_FEED: Final = "ITI-64"
DROPPED: Final = "ihe.feed.link.dropped"  # what audit and log call a conflict that was resolved (3.64.4.1.3.2)
_log = logging.getLogger("xds_gateway.feed")
_CREATE, _UPDATE, _DELETE = "C", "U", "D"


class PatientIdentityFeed:
    """The patients of one domain, as a feed tells of them."""

    def __init__(self, *, store: RegistryStore, policy: FeedPolicy, now: Callable[[], str], new_uuid: NewUuid) -> None:
        """`now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
        self._store: Final = store
        self._policy: Final = policy
        self._now: Final = now
        self._links: Final = LinkFeed(store=store, policy=policy, now=now, new_uuid=new_uuid)

    def feed(self, caller: Principal, messages: Sequence[FeedMessage]) -> Sequence[FeedProblem | None]:
        """Take messages in their order, durably when this returns; None for each that is accepted.

        Raises StorageFull, StorageBusy: then none was taken.
        """
        return self._store.write(lambda store: [self._take(store, caller, message) for message in messages])

    def _take(self, store: Transaction, caller: Principal, message: FeedMessage) -> FeedProblem | None:
        header = message.header
        received = ReceivedMessage(header.sender, header.control_id, message.digest)
        if store.was_received(received):
            return None
        try:
            events = self._effect(store, caller, message)
        except FeedRefused as refused:
            store.audit(self._event(caller, message, _UPDATE, (), code=refused.problem.rule))
            return refused.problem
        for event in events:
            store.audit(event)
        store.note_received(received, self._now())
        return None

    def _effect(self, store: Transaction, caller: Principal, message: FeedMessage) -> Sequence[AuditEvent]:
        """Do what a message says; tells what the audit has to know of it (3.8.5.1). Raises FeedRefused."""
        if message.header.event == MERGE:
            return self._merge(store, caller, message)
        if message.header.event == LINK_CHANGE:
            return (self._link_event(caller, message, self._links.change(store, message)),)
        if message.header.event == UPDATE:  # the registry keeps nothing that it could change (3.8.4.1.3)
            known = self._policy.usable(message.patients, strict=False)
            return (self._event(caller, message, _UPDATE, known),)
        patients = self._policy.usable(message.patients)
        if not patients:
            raise FeedRefused("ihe.feed.patient", expected=self._policy.wanted)
        for patient in patients:
            survivor = store.survivor(patient)
            if survivor is not None and survivor != patient:
                raise FeedRefused("ihe.feed.patient.merged", received=patient.as_cx(), expected=survivor.as_cx())
        for patient in patients:
            store.add_patient(patient)
        return (self._event(caller, message, _CREATE, patients),)

    def _merge(self, store: Transaction, caller: Principal, message: FeedMessage) -> Sequence[AuditEvent]:
        """MRG-1 is merged into the identifier of PID-3 that has its authority (3.8.4.2)."""
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
            told = f"{len(subsumed)} in MRG-1 and {len(surviving)} in PID-3"
            raise FeedRefused("ihe.feed.merge.one", received=told)
        self._check_merge(store, subsumed[0], surviving[0])
        header = message.header
        store.merge_patients(PatientMerge(subsumed[0], surviving[0], self._now(), header.sender, header.control_id))
        return (
            self._event(caller, message, _DELETE, subsumed),
            self._event(caller, message, _UPDATE, surviving),
        )

    def _check_merge(self, store: Snapshot, subsumed: PatientId, surviving: PatientId) -> None:
        found = merge_problem(store, subsumed, surviving)
        if found is not None:
            raise FeedRefused(found[0], received=found[1].as_cx(), expected=found[2].as_cx() if found[2] else None)

    def _link_event(self, caller: Principal, message: FeedMessage, made: LinkChanged) -> AuditEvent:
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

    def _event(
        self,
        caller: Principal,
        message: FeedMessage,
        action: str,
        patients: Sequence[PatientId],
        *,
        code: str | None = None,
    ) -> AuditEvent:
        """Patient Record, 110110 (3.8.5.1, 3.64.5.1): A01, A04, A05 create, A08, A43 update, A40 does both."""
        return AuditEvent(
            at=self._now(),
            transaction=LINK_FEED if message.header.event == LINK_CHANGE else FEED,
            outcome="failure" if code else "success",
            node=caller.node,
            address=caller.address,
            domain=self._policy.domain,
            message_id=message.header.control_id,
            patient_ids=tuple(patient.as_cx() for patient in patients),
            codes=(code,) if code else (),
            action=action,
            sender=message.header.sender,
        )


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
