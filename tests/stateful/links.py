"""Links that change: whose documents move, and what goes with them (ITI-64, ITI TF-2 3.64.4.1.3)."""

from dataclasses import replace

from xds_gateway.model import vocabulary as v
from xds_gateway.model.feeds import FeedMessage
from xds_gateway.model.metadata import Association, Classification, ExternalIdentifier, Slot, SubmissionSet

from .messages import local_cx, version
from .patients import cx
from .registry import Registry, Thing

MOVED = ("moved", "2.25.1")  # contentTypeCode of the sets that changes make
SOURCE = "1.9.9"


def take(registry: Registry, message: FeedMessage, now: str) -> str:
    """Take a message; MSA-1 of its acknowledgment."""
    received = registry.people.received
    if received.get(message.header.control_id) == message:
        return "AA"
    new, previous = cx(message.patients[0].id), cx(message.subsumed[0].id)
    local = local_cx(message.patients[1].id)
    merged = {local_cx(each.id) for each in message.subsumed[1:]} - {local}
    if new == previous and not merged:
        return "AE"
    people = registry.people
    if {new, previous} & people.into.keys() or (new not in people.known and not registry.policy.patients_open):
        return "AE"
    moving = _moving(registry, new, previous, local, merged)
    if moving:
        people.known.add(new)
        _move(registry, moving, new, local, now)
    received[message.header.control_id] = message
    return "AA"


def _moving(registry: Registry, new: str, previous: str, local: str, merged: set[str]) -> list[Thing]:
    """Approved entries of the previous patient with either identifier, of the new one with the merged one."""
    wanted = {(new, each) for each in merged}
    if new != previous:
        wanted |= {(previous, each) for each in (local, *merged)}
    return [thing for thing in registry.entries() if thing.approved and (thing.patient, _source(thing)) in wanted]


def _source(thing: Thing) -> str | None:
    return thing.sent.slot_value("sourcePatientId")


def _move(registry: Registry, moving: list[Thing], new: str, local: str, now: str) -> None:
    links = [link for link in registry.around(thing.id for thing in moving) if link.approved]
    the_set = registry.make_object(_set(new, now))
    successors = {thing.id: _next(registry, thing, new, local=local) for thing in moving}
    filed = _file(registry, links, successors, new)
    followed = [link for link in links if _follows(registry, link, successors, new)]
    for old, successor in successors.items():
        _deprecate(registry.things[old])
        registry.make(_member(registry.things[old].version), the_set.id, successor.id)
    for link, source, target in filed:
        membership = registry.make(link.sent, source, target)
        registry.make(
            Association(id="", association_type=v.HAS_MEMBER, source="", target=""), the_set.id, membership.id
        )
        registry.touch([source], now)
    for link in followed:
        ends = [successors[end].id if end in successors else end for end in (link.source, link.target)]
        registry.make(link.sent, *ends)
        if link.type == v.HAS_MEMBER:  # a set that refers to an entry: to its new version, no longer to the old one
            link.status = v.DEPRECATED


def _next(registry: Registry, thing: Thing, patient: str, local: str | None = None) -> Thing:
    slots = {"sourcePatientId": local} if local else {}
    sent = version(thing.sent, "", "", patient=patient, **slots)  # type: ignore[type-var]
    made = registry.make_object(sent, lid=thing.lid, version=thing.version + 1)
    made.document = thing.document
    return made


def _deprecate(thing: Thing) -> None:
    thing.status, thing.latest = v.DEPRECATED, False


def _file(
    registry: Registry, links: list[Thing], successors: dict[str, Thing], new: str
) -> list[tuple[Thing, str, str]]:
    """Memberships in folders, with their new ends; `successors` gets the folders that move."""
    filed = []
    held = [link for link in links if link.type == v.HAS_MEMBER and registry.things[link.source].is_folder]
    moving = set(successors)
    for link in held:
        folder = registry.things[link.source]
        if not folder.approved:
            continue
        if folder.patient == new:
            filed.append((link, folder.id, successors[link.target].id))
        elif not _staying(registry, folder, moving):
            if folder.id not in successors:
                successors[folder.id] = _next(registry, folder, new)
            filed.append((link, successors[folder.id].id, successors[link.target].id))
    return filed


def _staying(registry: Registry, folder: Thing, moving: set[str]) -> list[Thing]:
    """Approved entries in a folder that do not move."""
    members = [registry.things[link.target] for link in registry.from_(folder.id) if link.approved]
    return [thing for thing in members if thing.approved and thing.id not in moving]


def _follows(registry: Registry, link: Thing, successors: dict[str, Thing], new: str) -> bool:
    """A reference of a set, or a relationship whose ends are both the new patient's."""
    if link.type == v.HAS_MEMBER:
        return link.sent.slot_value("SubmissionSetStatus") == "Reference"
    if link.type not in v.RELATIONSHIPS:
        return False
    others = [registry.things[end] for end in (link.source, link.target) if end not in successors]
    return all(thing.patient == new for thing in others)


def _member(previous: int) -> Association:
    slots = (Slot("SubmissionSetStatus", ("Original",)), Slot("PreviousVersion", (str(previous),)))
    return Association(id="", association_type=v.HAS_MEMBER, source="", target="", slots=slots)


def _set(patient: str, now: str) -> SubmissionSet:
    """A set whose uniqueId is learned with its id."""
    code, scheme = MOVED
    coded = Classification("", "", v.SS_CONTENT_TYPE_CODE, code=code, slots=(Slot("codingScheme", (scheme,)),))
    identifiers = {v.SS_PATIENT_ID: patient, v.SS_SOURCE_ID: SOURCE, v.SS_UNIQUE_ID: ""}
    return SubmissionSet(
        id="",
        slots=(Slot("submissionTime", (now,)),),
        classifications=(coded,),
        external_identifiers=tuple(ExternalIdentifier("", "", s, value) for s, value in identifiers.items()),
    )


def with_unique_id(sent: SubmissionSet, unique_id: str) -> SubmissionSet:
    """The set with the uniqueId that the registry gave it."""
    identifiers = tuple(
        each._replace(value=unique_id) if each.scheme == v.SS_UNIQUE_ID else each for each in sent.external_identifiers
    )
    return replace(sent, external_identifiers=identifiers)
