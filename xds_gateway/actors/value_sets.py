"""Value sets of a domain: judged by at admission and once more in the write, loaded, and held against what is stored.

A process judges by the lists that it has read last. Before it refuses it looks whether they are still the present ones;
before it commits, the transaction does. So a load comes before or after each submission, in every process.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from ..model.errors import Finding
from ..model.messages import AuditEvent
from ..model.metadata import RegistryObject, Submission
from ..model.value_sets import ListedCode, ValueSet, ValueSets
from ..rules.engine import Profile, Transaction
from ..rules.ihe import check_value_sets
from ..rules.value_sets import RULE_IDS, pairs_of
from .changes import Changes, Plan
from .identity import Resolved
from .ports import RegistryStore, Snapshot
from .ports import Transaction as StoreTransaction

_PAGE: Final = 200  # objects of one snapshot
_CHECKED: Final = ("DocumentEntry", "SubmissionSet", "Folder", "Association")
_RETIRED: Final = ".retired"


def judged(store: RegistryStore, check: Callable[[ValueSets], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """What `check` finds by the lists of this process; when codes are refused, by the present ones."""
    known = store.value_sets()
    findings = check(known)
    if RULE_IDS.isdisjoint(finding.rule for finding in findings):
        return findings
    present = store.inspect(lambda snapshot: snapshot.value_sets())
    return findings if present is known else check(present)


def is_registered(submission: Submission, snapshot: Snapshot) -> bool:
    """Whether the set of a message is registered: it may be one that is sent again."""
    unique_id = next((item.unique_id for item in submission.submission_sets), None)
    return unique_id is not None and snapshot.registered_set(unique_id) is not None


def plan_with_codes(
    planned: Plan, refused: Callable[[Snapshot], tuple[Finding, ...]], snapshot: Snapshot
) -> tuple[Changes, tuple[Finding, ...]]:
    """A plan and the codes that are refused in the same state; both are told."""
    changes, findings = planned(snapshot)
    return changes, (*refused(snapshot), *findings)


def codes_refused(
    final: Resolved, snapshot: Snapshot, *, now: str, transaction: Transaction, profile: Profile
) -> tuple[Finding, ...]:
    """Codes of a submission that the present lists do not allow; objects are called as their sender called them."""
    allowed = snapshot.value_sets()
    if not allowed.lists:
        return ()
    found = check_value_sets(final.submission.objects, allowed, now, transaction=transaction, profile=profile)
    return _as_sent(found, final.sent_ids)


def update_codes_refused(
    final: Resolved, snapshot: Snapshot, *, now: str, transaction: Transaction, profile: Profile
) -> tuple[Finding, ...]:
    """The same of an update: a retired code may stay where the version before has it."""
    found = codes_refused(final, snapshot, now=now, transaction=transaction, profile=profile)
    if not any(each.rule.endswith(_RETIRED) for each in found):
        return found
    had = _codes_before(final, snapshot)
    return tuple(
        each
        for each in found
        if not each.rule.endswith(_RETIRED) or (each.attribute, each.received) not in had.get(each.object_id or "", ())
    )


def _codes_before(final: Resolved, snapshot: Snapshot) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Attributes and codes of the versions that an update replaces, by the id of the new version as sent."""
    items = (*final.submission.document_entries, *final.submission.folders)
    lids = {final.sent_ids.get(item.id, item.id): item.lid for item in items if item.lid}
    latest = snapshot.latest_versions(lids.values())
    before = snapshot.read([known.uuid for known in latest.values()])
    return {item: pairs_of(before[latest[lid].uuid]) for item, lid in lids.items() if lid in latest}


def _as_sent(findings: tuple[Finding, ...], sent: Mapping[str, str]) -> tuple[Finding, ...]:
    return tuple(replace(each, object_id=sent.get(each.object_id or "", each.object_id)) for each in findings)


MakeEvent = Callable[[str, tuple[str, ...]], AuditEvent]  # of a time, a DTM, and the objects that it is about


class Loaded(NamedTuple):
    """What a load did to the list of one attribute; `retired` are codes of the list before that the new one lacks."""

    attribute: str
    codes: int
    added: int
    retired: int


class ValueSetLoading:
    """Loads and shows the value sets of one domain, for its administrator."""

    def __init__(self, store: RegistryStore, profile: Profile, now: Callable[[], str]) -> None:
        """`now` gives the time as DTM to the second (UTC)."""
        self._store: Final = store
        self._profile: Final = profile
        self._now: Final = now

    def present(self) -> ValueSets:
        """The lists in force."""
        return self._store.inspect(lambda snapshot: snapshot.value_sets())

    def earlier(self, number: int) -> ValueSets:
        """The lists of a version."""
        return self._store.inspect(lambda snapshot: snapshot.earlier_value_sets(number))

    def load(self, lists: Mapping[str, ValueSet | None], event: MakeEvent) -> tuple[int, tuple[Loaded, ...]]:
        """Make these the lists of their attributes, None for none, in one transaction; version and what has changed.

        A code of the list before that the new one lacks stays, retired. Lists that are there already change nothing and
        make no version. `event` gives the audit row of a time and its objects. Raises StorageBusy, StorageFull.
        """

        def work(store: StoreTransaction) -> tuple[int, tuple[Loaded, ...]]:
            present, now = store.value_sets(), self._now()
            merged = {name: _merged(listed, present.lists.get(name), now) for name, listed in lists.items()}
            changed = {name: listed for name, listed in merged.items() if _differs(listed, present.lists.get(name))}
            if not changed:
                return present.number, ()
            number = store.set_value_sets(changed)
            store.audit(event(now, tuple(f"{name} {number}" for name in changed)))
            told = tuple(_told(name, listed, present.lists.get(name), now) for name, listed in changed.items())
            return number, told

        return self._store.write(work)

    def audit(self, event: MakeEvent) -> None:
        """Tell the audit of a look at what is stored, before it is told. Raises StorageBusy, StorageFull."""
        self._store.write(lambda store: store.audit(event(self._now(), ())))

    def failing(self) -> Iterator[tuple[RegistryObject, tuple[Finding, ...]]]:
        """Stored objects, in their latest version, that would be refused today, each with the reasons."""
        allowed, now = self.present(), self._now()
        for kind in _CHECKED if allowed.lists else ():
            for item in self._registered(kind):
                found = self._refused(item, allowed, now)
                if found:
                    yield item, found

    def _registered(self, kind: str) -> Iterator[RegistryObject]:
        after, page = 0, self._page(kind, 0)
        while page:
            for after, item in page:  # noqa: B007  the last place is where the next page begins
                yield item
            page = self._page(kind, after)

    def _page(self, kind: str, after: int) -> Sequence[tuple[int, RegistryObject]]:
        return self._store.inspect(lambda snapshot: snapshot.registered(kind, after, _PAGE))

    def _refused(self, item: RegistryObject, allowed: ValueSets, now: str) -> tuple[Finding, ...]:
        return check_value_sets((item,), allowed, now, transaction="ITI-42", profile=self._profile)


def _merged(listed: ValueSet | None, before: ValueSet | None, now: str) -> ValueSet | None:
    """The new list with what the one before had besides, retired."""
    if listed is None or before is None:
        return listed
    gone = {pair: _ended(code, now) for pair, code in before.codes.items() if pair not in listed.codes}
    return replace(listed, codes={**listed.codes, **gone})


def _ended(code: ListedCode, now: str) -> ListedCode:
    return code if not code.active or (code.until and code.until <= now) else code._replace(active=False, until=now)


def _differs(one: ValueSet | None, other: ValueSet | None) -> bool:
    return one is not other if one is None or other is None else not one.same_codes(other)


def _told(name: str, listed: ValueSet | None, before: ValueSet | None, now: str) -> Loaded:
    new = set() if listed is None else {pair for pair, code in listed.codes.items() if code.in_force(now)}
    old = set() if before is None else {pair for pair, code in before.codes.items() if code.in_force(now)}
    return Loaded(name, len(new), len(new - old), len(old - new))
