"""ADT^A43 for one domain: a message is read and judged, then its change is made (ITI-64, ITI TF-2 3.64.4.1.2)."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ..model.feeds import AnyFeedMessage, Identifier
from ..model.identifiers import PatientId
from ..waiting import blocking
from .changes import apply
from .feed_policy import FeedPolicy, FeedRefused
from .identity import NewUuid
from .link_changes import LinkChange, Moved, SetDetails, plan_link_change
from .ports import RegistryStore, Snapshot, Transaction

# What each identifier of an audit event is (ITI TF-2 3.64.5.1.2)
LOCAL, SUBSUMED, NEW, PREVIOUS = "localPatientId", "subsumedPatientId", "newPatientId", "previousPatientId"


class LinkChanged(NamedTuple):
    """A change that was made, and what it moved."""

    change: LinkChange
    moved: Moved

    @property
    def told(self) -> tuple[tuple[str, PatientId], ...]:
        """All patient identifiers of the message, and what each is."""
        change = self.change
        subsumed = ((SUBSUMED, change.subsumed),) if change.subsumed else ()
        return ((LOCAL, change.local), *subsumed, (NEW, change.new), (PREVIOUS, change.previous))


class LinkFeed:
    """Takes changed links of one domain."""

    def __init__(self, *, store: RegistryStore, policy: FeedPolicy, now: Callable[[], str], new_uuid: NewUuid) -> None:
        """`now` gives the time as DTM to the second (UTC), `new_uuid` a fresh `urn:uuid:`."""
        self._store: Final = store
        self._policy: Final = policy
        self._now: Final = now
        self._new_uuid: Final = new_uuid

    def change(self, transaction: Transaction, message: AnyFeedMessage) -> LinkChanged:
        """Make the change of a message, which may move thousands of entries. Raises FeedRefused: nothing changed."""
        change = read_link_change(message, self._policy)
        check_link_change(change, transaction, self._policy)
        source_id = message.header.application_oid or self._policy.link_change_source
        if source_id is None:
            raise FeedRefused("ihe.feed.link.sender", received=message.header.sender.rpartition("|")[2])
        details = SetDetails(source_id, self._policy.link_change_code, self._now())
        return LinkChanged(change, blocking(self._move, transaction, change, details))

    def _move(self, transaction: Transaction, change: LinkChange, details: SetDetails) -> Moved:
        moved = plan_link_change(change, details, transaction, self._new_uuid)
        if moved.objects:
            transaction.add_patient(change.new)
            added = self._store.prepare(moved.objects)
            apply(moved.changes, transaction, added=added, store=self._store, now=details.submission_time)
        return moved


def read_link_change(message: AnyFeedMessage, policy: FeedPolicy) -> LinkChange:
    """The identifiers of PID-3 and MRG-1 by their places (3.64.4.1.2.3, 3.64.4.1.2.4). Raises FeedRefused."""
    if len(message.patients) != 2:
        raise FeedRefused("ihe.feed.link.patients", received=_counted(len(message.patients)))
    if len(message.subsumed) not in (1, 2):
        raise FeedRefused("ihe.feed.link.previous", received=_counted(len(message.subsumed)))
    new = _of_domain(message.patients[0], policy, "ihe.feed.link.new.authority")
    previous = _of_domain(message.subsumed[0], policy, "ihe.feed.link.previous.authority")
    if previous.authority != new.authority:
        raise FeedRefused("ihe.feed.link.previous.authority", received=previous.authority, expected=new.authority)
    local = _local(message.patients[1], policy, "ihe.feed.link.local")
    merged = [_local(each, policy, "ihe.feed.link.subsumed") for each in message.subsumed[1:]]
    subsumed = merged[0] if merged and merged[0] != local else None
    if new == previous and subsumed is None:
        raise FeedRefused("ihe.feed.link.same", received=new.as_cx())
    return LinkChange(new, previous, local, subsumed)


def check_link_change(change: LinkChange, snapshot: Snapshot, policy: FeedPolicy) -> None:
    """The new patient is known, or may become it by what it gets; neither was merged away. Raises FeedRefused."""
    survivor = snapshot.survivor(change.new)
    if survivor is None and not _may_become_known(change.new, snapshot, policy):
        raise FeedRefused("ihe.feed.link.new.unknown", received=change.new.as_cx())
    if survivor is not None and survivor != change.new:
        raise FeedRefused("ihe.feed.link.new.merged", received=change.new.as_cx(), expected=survivor.as_cx())
    survivor = snapshot.survivor(change.previous)
    if survivor is not None and survivor != change.previous:
        raise FeedRefused("ihe.feed.link.previous.merged", received=change.previous.as_cx(), expected=survivor.as_cx())


def _may_become_known(patient: PatientId, snapshot: Snapshot, policy: FeedPolicy) -> bool:
    """As by a submission: a domain that is open takes the patients of its authorities."""
    authorities = policy.authorities or snapshot.value_sets().authorities
    return policy.patients_open and (not authorities or patient.authority in authorities)


def _of_domain(identifier: Identifier, policy: FeedPolicy, rule: str) -> PatientId:
    found = policy.usable((identifier,))
    if not found:
        raise FeedRefused(rule, received=_authority(identifier), expected=policy.wanted)
    return found[0]


def _local(identifier: Identifier, policy: FeedPolicy, rule: str) -> PatientId:
    found = policy.patient(identifier)
    if found is None:
        raise FeedRefused(rule, received=_authority(identifier))
    return found


def _authority(identifier: Identifier) -> str:
    return identifier.universal_id or identifier.namespace


def _counted(count: int) -> str:
    return "one identifier" if count == 1 else f"{count or 'no'} identifiers"
