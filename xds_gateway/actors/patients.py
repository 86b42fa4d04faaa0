"""The registry's side of identity feeds: patients become known, and are merged (ITI TF-2 3.8, 3.44).

Messages that came together are taken in one transaction, one after the other; each is judged by what those before it
have left. One that is refused changes nothing and does not hold up the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..codec.hl7v2 import MERGE, UPDATE
from ..model.feeds import FeedMessage, FeedProblem, Identifier
from ..model.identifiers import PatientId, is_oid
from ..model.messages import AuditEvent
from ..model.principal import Principal
from ..rules.patients import problem
from .patient_ports import PatientMerge, ReceivedMessage
from .ports import RegistryStore, Snapshot, Transaction

FEED: Final = "ITI-8"
_LONGEST: Final = 256  # characters of an id (ITI TF-3 4.2.3.1.1)
_CREATE, _UPDATE, _DELETE = "C", "U", "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPolicy:
    """Whose identifiers a domain takes: OIDs of authorities (empty: any), and OIDs by the names that senders use."""

    domain: str
    authorities: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """The authorities, as a refusal names them."""
        return " or ".join(sorted(self.authorities)) or "an assigning authority with an OID"


class _Refused(Exception):
    """Ends the judgement of one message; never leaves this module."""

    def __init__(self, rule: str, *, received: str = "", expected: str | None = None) -> None:
        super().__init__(rule)
        self.problem = problem(rule, received=received, expected=expected)


class PatientIdentityFeed:
    """The patients of one domain, as a feed tells of them."""

    def __init__(self, *, store: RegistryStore, policy: FeedPolicy, now: Callable[[], str]) -> None:
        """`now` gives the time as DTM to the second (UTC)."""
        self._store: Final = store
        self._policy: Final = policy
        self._now: Final = now

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
        except _Refused as refused:
            store.audit(self._event(caller, message, _UPDATE, (), code=refused.problem.rule))
            return refused.problem
        for event in events:
            store.audit(event)
        store.note_received(received, self._now())
        return None

    def _effect(self, store: Transaction, caller: Principal, message: FeedMessage) -> Sequence[AuditEvent]:
        """Do what a message says; tells what the audit has to know of it (3.8.5.1). Raises _Refused."""
        if message.header.event == MERGE:
            return self._merge(store, caller, message)
        if message.header.event == UPDATE:  # the registry keeps nothing that it could change (3.8.4.1.3)
            known = self._usable(message.patients, strict=False)
            return (self._event(caller, message, _UPDATE, known),)
        patients = self._usable(message.patients)
        if not patients:
            raise _Refused("ihe.feed.patient", expected=self._policy.wanted)
        for patient in patients:
            survivor = store.survivor(patient)
            if survivor is not None and survivor != patient:
                raise _Refused("ihe.feed.patient.merged", received=patient.as_cx(), expected=survivor.as_cx())
        for patient in patients:
            store.add_patient(patient)
        return (self._event(caller, message, _CREATE, patients),)

    def _merge(self, store: Transaction, caller: Principal, message: FeedMessage) -> Sequence[AuditEvent]:
        """MRG-1 is merged into the identifier of PID-3 that has its authority (3.8.4.2)."""
        subsumed = self._usable(message.subsumed)
        if not subsumed:
            raise _Refused("ihe.feed.merge.authority", expected=self._policy.wanted)
        patients = self._usable(message.patients)
        if not patients:
            raise _Refused("ihe.feed.patient", expected=self._policy.wanted)
        surviving = [patient for patient in patients if patient.authority == subsumed[0].authority]
        if not surviving:
            raise _Refused("ihe.feed.merge.authority", expected=patients[0].authority)
        if len(subsumed) > 1 or len(surviving) > 1:
            told = f"{len(subsumed)} in MRG-1 and {len(surviving)} in PID-3"
            raise _Refused("ihe.feed.merge.one", received=told)
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
            raise _Refused(found[0], received=found[1].as_cx(), expected=found[2].as_cx() if found[2] else None)

    # -- identifiers

    def _usable(self, identifiers: Sequence[Identifier], *, strict: bool = True) -> tuple[PatientId, ...]:
        """Those of the domain's authorities, each once; others are local to their sender and passed over."""
        found: dict[PatientId, None] = {}
        for identifier in identifiers:
            authority = self._authority(identifier, strict=strict)
            allowed = authority and (not self._policy.authorities or authority in self._policy.authorities)
            if authority and allowed and len(identifier.id) <= _LONGEST and identifier.id.isprintable():
                found[PatientId(identifier.id, authority)] = None
        return tuple(found)

    def _authority(self, identifier: Identifier, *, strict: bool) -> str | None:
        """The OID of an authority, by itself or by its name (ITI TF-2 3.8.4.1.2.3). Raises _Refused."""
        _, namespace, universal, kind = identifier
        named = self._policy.names.get(namespace) if namespace else None
        if not universal:
            return named
        if kind not in ("ISO", "") or not is_oid(universal):
            return None
        if named is not None and named != universal and strict:
            raise _Refused("ihe.feed.authority", received=f"{namespace}&{universal}", expected=f"{namespace}&{named}")
        return universal

    def _event(
        self,
        caller: Principal,
        message: FeedMessage,
        action: str,
        patients: Sequence[PatientId],
        *,
        code: str | None = None,
    ) -> AuditEvent:
        """Patient Record, 110110 (ITI TF-2 3.8.5.1): A01, A04, A05 create, A08 updates, A40 deletes and updates."""
        return AuditEvent(
            at=self._now(),
            transaction=FEED,
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
