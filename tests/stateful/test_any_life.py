"""Random lives of documents: after each request the gateway and the small registry agree on every query.

Bounded and the same in every run; XDS_LIVES=500 tries so many others (docs/contributing.md).
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.builders import make_slots
from xds_gateway.model import vocabulary as v
from xds_gateway.model.feeds import FeedMessage
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, Submission

from . import messages as m
from .door import CALLERS
from .patients import cx
from .registry import Policy, Registry, Thing
from .retries import Request
from .world import World

T = TypeVar("T")
LIVES = os.environ.get("XDS_LIVES")
UNKNOWN = "urn:uuid:00000000-cccc-4ccc-8ccc-cccccccccccc"
DRY = st.integers(0, 7).map(lambda number: number == 7)


class Chooser:
    """What a life draws: from what there is now, the latest first."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def one_in(self, many: int) -> bool:
        return self._data.draw(st.integers(0, many - 1)) == many - 1

    def up_to(self, most: int) -> int:
        return self._data.draw(st.integers(0, most))

    def of(self, items: Sequence[T]) -> T:
        return items[-1 - self._data.draw(st.integers(0, len(items) - 1))]

    def usually(self, likely: Callable[[Thing], bool], things: Iterable[Thing]) -> str | None:
        """The id of a thing, likely of one for which a request succeeds; sometimes of none that is registered."""
        if self.one_in(40):
            return UNKNOWN
        listed = list(things)
        chosen = listed if self.one_in(12) else [thing for thing in listed if likely(thing)]
        return self.of(chosen).id if chosen else None


class AnyLife(RuleBasedStateMachine):
    """One domain, to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="life"))
        self._world: World | None = None
        self._names = m.Names()
        self._contents: dict[str, bytes] = {}  # by hash
        self._gone: list[str] = []
        self._requests: list[Request] = []  # submissions and updates, also those that were refused
        self._fed: list[FeedMessage] = []

    @initialize(patients_open=st.booleans(), follow_merges=st.booleans(), safe_retries=st.sampled_from((True, False)))
    def begin(self, **policy: bool) -> None:
        """In a domain that is fed, all patients but the last are known."""
        self._world = World(self._folder, Policy(**policy))
        if not policy["patients_open"]:
            self._feed(*(m.adt("A04", self._names.control_id(), name) for name in m.NAMES[:-1]))

    def teardown(self) -> None:
        try:
            if self._world is not None:
                self._world.look_at_all()
                self._world.close()
        finally:
            shutil.rmtree(self._folder)

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    @property
    def registry(self) -> Registry:
        return self.world.registry

    @property
    def things(self) -> list[Thing]:
        return list(self.registry.things.values())

    def _content(self) -> bytes:
        content = f"content {len(self._contents)}".encode() * (1 + len(self._contents) % 2)
        self._contents[m.describe(content)["hash"]] = content
        return content

    # -- submissions

    @rule(data=st.data(), dry=DRY)
    def submit(self, data: st.DataObject, dry: bool) -> None:
        choose = Chooser(data)
        transaction = choose.of(("ITI-61", "ITI-42", "ITI-41", "ITI-41", "ITI-41"))
        patient = self._anybody(choose)
        again = choose.one_in(6)
        many = choose.of((0, 2, 1, 1)) or int(transaction == "ITI-61")
        entries = [self._entry(choose, patient, transaction, again and not n) for n in range(many)]
        folders = [m.folder(self._names.uuid(), patient, self._unique_id(choose, 12))] * (
            choose.one_in(4) or not entries
        )
        contents = {}
        if transaction == "ITI-41":
            contents = {item.id: self._contents[item.hash or ""] for item in entries}
        message = m.submission(
            self._names,
            patient,
            entries=entries,
            folders=folders,
            relationships=self._relationships(choose, patient, entries, transaction),
            filings=self._filings(choose, patient, entries, folders),
            references=self._references(choose, {item.id for item in entries}),
            set_unique_id=None if folders or again else self._unique_id(choose, 20),
        )
        self._send(Request(CALLERS[0], transaction, message, contents), dry)

    def _send(self, request: Request, dry: bool) -> None:
        self.world.send(request, dry=dry)
        if not dry:
            self._requests.append(request)

    def _anybody(self, choose: Chooser) -> str:
        """Who a message is about: usually one of whom it may be; where merges are followed, often a merged one."""
        patient = m.PATIENTS[choose.of((3, 2, 1, 1, 0, 0, 0))]
        literal = choose.one_in(2 if self.registry.policy.follow_merges else 8)
        return patient if literal else self.registry.people.survivor(patient)

    def _references(self, choose: Chooser, own: set[str]) -> list[str]:
        """What the set refers to; not what it brings, under an id that is taken."""
        found = choose.usually(lambda thing: thing.is_entry, self.things) if choose.one_in(5) else None
        return [found] if found and found not in own else []

    def _unique_id(self, choose: Chooser, many: int) -> str:
        """A new one, and one in so many times one that is there."""
        taken = [thing.sent.unique_id for thing in self.things if thing.sent.unique_id]
        return choose.of(taken) if taken and choose.one_in(many) else self._names.oid()

    def _entry(self, choose: Chooser, patient: str, transaction: str, again: bool) -> DocumentEntry:
        """An entry; `again` with a uniqueId or an id that is there or was."""
        identifier, unique_id, content = self._names.uuid(), self._names.oid(), self._content()
        used = [*self._gone, *self.registry.things]
        if again and used and choose.one_in(3):
            identifier = choose.of(used)
        elif again and self.registry.entries():
            taken = choose.of(self.registry.entries())
            unique_id = taken.sent.unique_id or ""
            if not choose.one_in(4):
                content = self._contents.get(taken.sent.slot_value("hash") or "", content)
        local = m.LOCALS[choose.one_in(4)]
        item = m.entry(identifier, patient, unique_id, content, choose.up_to(1), local)
        return m.on_demand(item) if transaction == "ITI-61" else item

    def _relationships(
        self, choose: Chooser, patient: str, entries: list[DocumentEntry], transaction: str
    ) -> list[Association]:
        links, replaced = [], set()
        for item in entries:
            if not choose.one_in(2):
                continue
            kind = choose.of(v.RELATIONSHIPS if transaction != "ITI-61" else v.RELATIONSHIPS[:-1])
            wanted_type = v.ON_DEMAND_DOCUMENT if kind == v.IS_SNAPSHOT_OF else None
            target = choose.usually(
                lambda thing, wanted_type=wanted_type: (
                    thing.is_entry
                    and thing.approved
                    and self.registry.one_patient(thing.patient, patient)
                    and wanted_type in (None, thing.sent.object_type)
                ),
                self.things,
            )
            if (
                target is None
                or target in {e.id for e in entries}
                or (kind in (v.RPLC, v.XFRM_RPLC) and target in replaced)
            ):
                continue
            replaced.add(target)
            links.append(m.link(self._names.uuid(), item.id, target, kind))
        return links

    def _filings(
        self, choose: Chooser, patient: str, entries: list[DocumentEntry], folders: list[Folder]
    ) -> set[tuple[str, str]]:
        filings = set()
        for _ in range(choose.of((2, 1, 0, 1))):
            holder = choose.usually(
                lambda thing: thing.is_folder and thing.approved and self.registry.one_patient(thing.patient, patient),
                self.things,
            )
            held = choose.usually(
                lambda thing: thing.is_entry and thing.approved and self.registry.one_patient(thing.patient, patient),
                self.things,
            )
            if folders and choose.one_in(2):
                holder = folders[0].id
            if entries and choose.one_in(2):
                held = choose.of(entries).id
            if holder and held and holder not in {item.id for item in entries}:
                filings.add((holder, held))
        return filings

    # -- updates

    @precondition(lambda self: self.registry.things)
    @rule(data=st.data(), dry=DRY, restricted=st.sampled_from((False, False, False, True)))
    def update(self, data: st.DataObject, dry: bool, restricted: bool) -> None:
        choose = Chooser(data)
        versions = [self._version(choose, restricted) for _ in range(choose.of((2, 0, 1, 1)))]
        kinds = (v.HAS_MEMBER, *v.RELATIONSHIPS)
        new = {item.id for item, _, _ in versions}
        statuses, submitted = [], []
        if not versions or choose.one_in(6):
            if choose.one_in(2):
                submitted = [self._link(choose, choose.of(kinds), sorted(new)) for _ in range(1 + choose.one_in(5))]
            else:
                statuses = [self._status(choose, sorted(new)) for _ in range(1 + choose.one_in(5))]
        patient = self._patient(choose, [item.patient_id or "" for item, _, _ in versions], statuses, submitted)
        message = m.update(self._names, patient, versions=versions, statuses=statuses, submitted=submitted)
        self._send(Request(CALLERS[0], "ITI-92" if restricted else "ITI-57", message, {}), dry)

    def _version(self, choose: Chooser, restricted: bool) -> tuple[DocumentEntry | Folder, int, str | None]:
        things = self.registry.entries() + ([] if restricted and not choose.one_in(10) else self.registry.folders())
        identifier = choose.usually(lambda thing: thing.latest and thing.approved, things)
        thing = self.registry.get(identifier or "")
        if thing is None:
            item: DocumentEntry | Folder = m.entry(
                self._names.uuid(), m.PATIENTS[0], self._names.oid(), self._content()
            )
            return replace(item, lid=UNKNOWN), 1, None
        assert isinstance(thing.sent, DocumentEntry | Folder)
        changes: dict[str, str | None] = {"patient": thing.patient}
        if choose.one_in(8):
            changes["patient"] = choose.of((*m.PATIENTS, thing.sent.patient_id))
        if choose.one_in(20):
            changes["unique_id"] = self._names.oid()
        if thing.is_entry and not thing.on_demand and choose.one_in(4):
            changes |= m.describe(self._content())
        if thing.is_entry and choose.one_in(5):
            changes["documentAvailability"] = choose.of((v.ONLINE, v.OFFLINE))
        lid = thing.lid if not choose.one_in(25) else choose.of(self.things).id
        new = m.version(thing.sent, self._names.uuid(), lid, **changes)  # type: ignore[arg-type]
        if isinstance(new, DocumentEntry):
            new = m.flavoured(new, choose.up_to(1))
        propagation = choose.of(("no", None, "yes", None) if not restricted or choose.one_in(10) else (None, "yes"))
        return new, max(1, thing.version + (choose.of((1, -1)) if choose.one_in(10) else 0)), propagation

    def _status(self, choose: Chooser, new: Sequence[str]) -> tuple[str, str]:
        if new and choose.one_in(2):
            return choose.of(new), v.APPROVED
        target = choose.usually(self._has_status, self.things) or UNKNOWN
        thing = self.registry.get(target)
        present = thing.status if thing else v.APPROVED
        return target, choose.of((v.APPROVED, v.DEPRECATED)) if choose.one_in(8) else present

    def _has_status(self, thing: Thing) -> bool:
        """An entry, a folder, or an Association that no set holds things by."""
        if thing.is_association:
            return not self.registry.things[thing.source].is_set
        return thing.latest and not thing.is_set

    def _link(self, choose: Chooser, kind: str, new: Sequence[str]) -> Association:
        first = self.registry.folders() if kind == v.HAS_MEMBER else self.registry.entries()
        ends = [
            choose.usually(lambda thing: thing.approved, self.things if choose.one_in(12) else things) or UNKNOWN
            for things in (first, self.registry.entries())
        ]
        if new and choose.one_in(2):
            ends[choose.up_to(1)] = choose.of(new)
        return m.link(self._names.uuid(), ends[0], ends[1], kind)

    def _patient(
        self,
        choose: Chooser,
        sent: list[str],
        statuses: Iterable[tuple[str, str]],
        submitted: Iterable[Association],
    ) -> str:
        """The patient of the set: usually that of what it changes."""
        named = [*(target for target, _ in statuses), *(link.target for link in submitted)]
        known = [thing.patient for each in named if (thing := self.registry.get(each)) and thing.patient]
        return choose.of(m.PATIENTS) if choose.one_in(12) or not (sent or known) else (sent or known)[0]

    # -- removal

    @precondition(lambda self: self.registry.things or self.registry.kept)
    @rule(data=st.data(), dry=DRY)
    def remove(self, data: st.DataObject, dry: bool) -> None:
        choose = Chooser(data)
        if choose.one_in(4) or not self.things:
            self._remove_documents(choose, dry)
            return
        how = choose.of(("anything", "a part", "closed", "closed"))
        asked = {choose.of(self.things).id for _ in range(1 + choose.up_to(2))}
        if how != "anything":
            asked = _closed(self.registry, asked)
        listed = sorted(asked)
        if how == "a part" and len(listed) > 1:
            listed.remove(choose.of(listed))
        if choose.one_in(20):
            listed.append(UNKNOWN)
        if not self.world.remove(listed, dry=dry) and not dry:
            self._gone += listed

    def _remove_documents(self, choose: Chooser, dry: bool) -> None:
        known = sorted({thing.sent.unique_id or "" for thing in self.registry.entries()} | set(self.registry.kept))
        asked = [
            choose.of(known) if known and not choose.one_in(10) else "1.2.3.4" for _ in range(1 + choose.one_in(3))
        ]
        self.world.remove_documents(asked, dry=dry)

    # -- sent again

    @precondition(lambda self: self._requests)
    @rule(data=st.data(), dry=DRY)
    def send_again(self, data: st.DataObject, dry: bool) -> None:
        """A request that was sent before, perhaps long ago; sometimes by somebody else, or with something changed."""
        choose = Chooser(data)
        performed = [each for each in self._requests if each.set_unique_id in self.registry.accepted]
        request = choose.of(performed if performed and not choose.one_in(6) else self._requests)
        if choose.one_in(8):
            request = request._replace(caller=CALLERS[1])
        elif choose.one_in(8):
            request = request._replace(message=_changed(request.message))
        self._send(request, dry)

    # -- patients

    @rule(data=st.data())
    def tell_of_patients(self, data: st.DataObject) -> None:
        choose = Chooser(data)
        people = self.registry.people
        if people.into and choose.one_in(3):
            self.world.unmerge(choose.of(m.PATIENTS) if choose.one_in(6) else choose.of(sorted(people.into)))
        else:
            self._feed(*(self._told(choose) for _ in range(1 + choose.one_in(3))))

    @precondition(lambda self: self.registry.entries())
    @rule(data=st.data())
    def change_a_link(self, data: st.DataObject) -> None:
        """Usually of a local identifier that some Approved entry of an active patient has."""
        choose = Chooser(data)
        old = [each for each in self._fed if each.header.event == "A43"]
        if old and choose.one_in(10):
            self._feed(choose.of(old))  # again
            return
        entry = choose.usually(lambda thing: thing.is_entry and thing.approved, self.registry.entries())
        thing = self.registry.get(entry or "")
        previous = (thing.patient if thing else None) or choose.of(m.PATIENTS)
        others = [each for each in m.PATIENTS if each != previous and self.registry.people.active(each)]
        new = choose.of(others) if others and not choose.one_in(4) else choose.of((*m.PATIENTS, previous))
        local = (thing.sent.slot_value("sourcePatientId") if thing else None) or m.local_cx(m.LOCALS[0])
        names = [each.partition("^")[0] for each in (new, local, previous)]
        if new == previous or choose.one_in(4):  # the entry's is merged into the other one
            (names[1], subsumed) = (choose.of(m.LOCALS), names[1])
            self._feed(m.link_change(self._names.control_id(), *names, subsumed))
        else:
            self._feed(m.link_change(self._names.control_id(), *names))

    def _feed(self, *messages: FeedMessage) -> None:
        self.world.feed(*messages)
        self._fed += messages

    def _told(self, choose: Chooser) -> FeedMessage:
        if self._fed and choose.one_in(8):
            return choose.of(self._fed)  # again
        control_id = self._names.control_id()
        if self._fed and choose.one_in(12):
            control_id = choose.of(self._fed).header.control_id
        event = choose.of(("A08", "A05", "A01", "A04", "A40", "A40", "A40", "A40"))
        if event != "A40":
            return m.adt(event, control_id, choose.of(m.NAMES))
        active = [name for name in m.NAMES if self.registry.people.active(cx(name))]
        names = m.NAMES if len(active) < 2 or choose.one_in(6) else active
        subsumed = choose.of(names)
        others = [name for name in names if name != subsumed or choose.one_in(12)]
        return m.adt(event, control_id, choose.of(others), subsumed)


def _changed(message: Submission) -> Submission:
    """The same message but for the time of its set."""
    (the_set,) = message.submission_sets
    others = tuple(slot for slot in the_set.slots if slot.name != "submissionTime")
    return replace(
        message, submission_sets=(replace(the_set, slots=(*others, *make_slots({"submissionTime": "2026"}))),)
    )


def _closed(registry: Registry, asked: set[str]) -> set[str]:
    """These, what refers to them, and what would be left alone: objects that can go together."""
    before: set[str] = set()
    while before != asked:
        before = set(asked)
        asked |= {link.id for link in registry.around(asked)}
        stay = [link for link in registry.associations() if link.id not in asked and link.type == v.HAS_MEMBER]
        held = {end for link in stay if registry.things[link.source].is_set for end in (link.source, link.target)}
        gone = [registry.things[each] for each in asked if registry.things[each].is_association]
        asked |= {end for link in gone for end in (link.source, link.target)} - held
    return asked


AnyLife.TestCase.settings = settings(
    max_examples=int(LIVES or 8),
    stateful_step_count=25,
    derandomize=LIVES is None,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TestAnyLife = AnyLife.TestCase
