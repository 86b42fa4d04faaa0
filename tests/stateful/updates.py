"""Metadata updates: who is refused, and what follows from them (ITI-57, ITI-92).

A message is a valid Submission: each new version has its HasMember with PreviousVersion, each command its slots.
"""

from dataclasses import dataclass, field

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, Submission

from .registry import Codes, Registry, Thing
from .submissions import METADATA, PATIENTS, REPLACING, ids_taken

UPDATE = "XDSMetadataUpdateError"
OPERATION = "XDSMetadataUpdateOperationError"
VERSION = "XDSMetadataVersionError"
RECONCILIATION = "XDSPatientIDReconciliationError"
_FIXED = {"repositoryUniqueId": None, "sourcePatientId": None, "documentAvailability": v.ONLINE}  # in ITI-92


@dataclass
class _Version:
    item: DocumentEntry | Folder
    lid: str
    previous: int
    propagate: bool
    before: Thing | None = None  # the latest version until now


@dataclass
class _Request:
    registry: Registry
    message: Submission
    restricted: bool
    versions: list[_Version] = field(default_factory=list)
    commands: list[Association] = field(default_factory=list)
    submitted: list[Association] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.set = self.message.submission_sets[0]
        memberships = [link for link in self.message.associations if link.association_type == v.HAS_MEMBER]
        members = {link.target: link for link in memberships if link.source == self.set.id}
        for item in (*self.message.document_entries, *self.message.folders):
            previous = int(members[item.id].slot_value("PreviousVersion") or "")
            propagate = members[item.id].slot_value("AssociationPropagation") != "no"
            kind = type(item)
            before = (self.registry.versions(item.lid or "", kind) or [None])[-1]  # type: ignore[list-item]
            self.versions.append(_Version(item, item.lid or "", previous, propagate, before))
        links = self.message.associations
        self.commands = [link for link in links if link.association_type == v.UPDATE_AVAILABILITY_STATUS]
        asked = {link.target for link in links if link.association_type == v.SUBMIT_ASSOCIATION}
        self.submitted = [link for link in links if link.id in asked]

    @property
    def new(self) -> dict[str, _Version]:
        return {version.item.id: version for version in self.versions}

    @property
    def old(self) -> dict[str, _Version]:
        """By the version that is left behind."""
        return {version.before.id: version for version in self.versions if version.before is not None}


def update(registry: Registry, message: Submission, *, restricted: bool, now: str) -> Codes:
    """Perform all operations, or none; the codes are those of the first phase that has some."""
    request = _Request(registry, message, restricted)
    for phase in (_operations, _of_message, _existence, _versions, _statuses, _unchanged, _known, _patients):
        codes = phase(request)
        if codes:
            return codes
    return _copied_patients(request) or _apply(request, now)


def _operations(request: _Request) -> Codes:
    """What the message says of itself."""
    propagated = {version.item.id for version in request.versions if version.propagate}
    codes: Codes = set()
    if not request.restricted and any({link.source, link.target} & propagated for link in request.submitted):
        codes.add(OPERATION)
    lids = [version.lid for version in request.versions]
    targets = [] if request.restricted else [command.target for command in request.commands]
    if len(lids) > len(set(lids)) or len(targets) > len(set(targets)):
        codes.add("XDSInvalidRequestException" if request.restricted else UPDATE)
    if request.restricted and (request.message.folders or request.commands or request.submitted):
        codes.add("UnmodifiableMetadataError")
    if request.restricted and any(not version.propagate for version in request.versions):
        codes.add("XDSMetadataAnnotationError")
    return codes


def _of_message(request: _Request) -> Codes:
    """One patient, and each uniqueId once."""
    items = [version.item for version in request.versions]
    codes = {PATIENTS} if {item.patient_id for item in items} - {request.set.patient_id} else set()
    if len({item.unique_id for item in items}) < len(items):
        codes.add("XDSRegistryDuplicateUniqueIdInMessage")
    return codes


def _existence(request: _Request) -> Codes:
    registry, codes = request.registry, set()
    own = {item.id for item in request.message.objects}
    if ids_taken(registry, request.message):
        codes.add("UnmodifiableMetadataError" if request.restricted else METADATA)
    if registry.with_unique_id(request.set.unique_id):
        codes.add("XDSDuplicateUniqueIdInRegistry")
    for version in request.versions:
        if version.before is None:
            codes |= {VERSION, UPDATE} if isinstance(version.item, Folder) else {VERSION}
    named = [command.target for command in request.commands]
    named += [end for link in request.submitted for end in (link.source, link.target)]
    if any(end not in own and end not in registry.things for end in named):
        codes.add(UPDATE)
    return codes


def _versions(request: _Request) -> Codes:
    late = [version for version in request.versions if version.before and version.before.version != version.previous]
    return {VERSION} if late else set()


def _statuses(request: _Request) -> Codes:
    codes: Codes = set()
    for version in request.versions:
        if version.before and not version.before.approved and not request.restricted:
            codes.add(UPDATE)
    for command in request.commands:
        if not _may_change(request, command):
            codes.add(UPDATE)
    for position, link in enumerate(request.submitted):
        codes |= _ends(request, link)
        twins = [(other.association_type, other.source, other.target) for other in request.submitted[:position]]
        twins += [(o.type, o.source, o.target) for o in request.registry.associations() if o.approved]
        if (link.association_type, link.source, link.target) in twins:
            codes.add(UPDATE)
    return codes


def _may_change(request: _Request, command: Association) -> bool:
    original = command.slot_value("OriginalStatus")
    if command.target in request.new or command.target in {link.id for link in request.submitted}:
        return original == v.APPROVED
    thing = request.registry.get(command.target)
    if thing is None or thing.is_set or (thing.is_association and _is_of_set(request.registry, thing)):
        return False
    if (thing.is_entry or thing.is_folder) and (not thing.latest or thing.id in request.old):
        return False
    return original == thing.status


def _is_of_set(registry: Registry, link: Thing) -> bool:
    holder = registry.get(link.source)
    return link.type == v.HAS_MEMBER and (holder is None or not holder.is_folder)


def _ends(request: _Request, link: Association) -> Codes:
    """A HasMember leads from a folder to an entry, all else from one entry to another; both are Approved."""
    codes: Codes = set()
    if link.source == link.target:
        codes.add(UPDATE)
    first = Folder if link.association_type == v.HAS_MEMBER else DocumentEntry
    for identifier, kind in ((link.source, first), (link.target, DocumentEntry)):
        if identifier in request.new:
            item, usable = request.new[identifier].item, True
        else:
            thing = request.registry.things.get(identifier)
            if thing is None:  # an Association of the message, or its set
                return {UPDATE}
            item, usable = thing.sent, thing.approved and identifier not in request.old  # type: ignore[assignment]
        if not isinstance(item, kind) or not usable:
            codes.add(UPDATE)
    target = request.new[link.target].item if link.target in request.new else request.registry.things[link.target].sent
    if link.association_type == v.IS_SNAPSHOT_OF and target.object_type == v.STABLE_DOCUMENT:
        codes.add(METADATA)
    return codes


def _unchanged(request: _Request) -> Codes:
    codes: Codes = set()
    for version in request.versions:
        assert version.before is not None
        before = version.before.sent
        if before.unique_id != version.item.unique_id:
            codes.add("XDSMetadataIdentifierError" if request.restricted else UPDATE)
        if not request.restricted:
            continue
        if version.before.patient != version.item.patient_id:
            codes.add(RECONCILIATION)
        for name, absent in _FIXED.items():
            if (before.slot_value(name) or absent) != (version.item.slot_value(name) or absent):
                codes.add("UnmodifiableMetadataError")
    return codes


def _known(request: _Request) -> Codes:
    """An administrator knows of merges: a merged patient is never followed (docs/divergences.md)."""
    return request.registry.unknown_patients(request.message, follow=False)


def _patient_at(request: _Request, identifier: str) -> str | None:
    if identifier in request.new:
        return request.new[identifier].item.patient_id
    thing = request.registry.get(identifier)
    return thing.patient if thing else None


def _patients(request: _Request) -> Codes:
    """A set is of one patient, and so is what is associated."""
    ours = request.set.patient_id
    changed = [request.registry.get(command.target) for command in request.commands]
    patients = [thing.patient for thing in changed if thing is not None and thing.patient]
    for link in request.submitted:
        patients += [patient for end in (link.source, link.target) if (patient := _patient_at(request, end))]
    return {RECONCILIATION} if set(patients) - {ours} else set()


def _copies(request: _Request) -> list[tuple[Thing, str, str]]:
    """Associations that go over to new versions, with their new ends."""
    old = {identifier: version for identifier, version in request.old.items() if version.propagate}
    left = request.old.keys() - old.keys()

    def goes_on(identifier: str) -> bool:
        thing = request.registry.get(identifier)
        return identifier in old or (thing is not None and thing.approved and identifier not in left)

    copies = []
    for link in request.registry.around(old):
        if not link.approved:
            continue
        if link.type == v.HAS_MEMBER:
            holder = request.registry.get(link.source)
            if holder is None or not holder.is_folder or not (goes_on(link.source) and goes_on(link.target)):
                continue
        ends = [old[end].item.id if end in old else end for end in (link.source, link.target)]
        copies.append((link, *ends))
    return copies  # type: ignore[return-value]


def _copied_patients(request: _Request) -> Codes:
    for _, source, target in _copies(request):
        ends = {patient for end in (source, target) if (patient := _patient_at(request, end))}
        if len(ends) > 1:
            return {RECONCILIATION}
    return set()


def _apply(request: _Request, now: str) -> Codes:
    registry, copies = request.registry, _copies(request)
    replacements = {link.target: link.source for link in request.submitted if link.association_type in REPLACING}
    deprecated = replacements.keys() | (registry.dependents(replacements) - set(replacements.values()))
    registry.meet(request.message)
    for version in request.versions:
        _install(registry, version)
    registry.add(request.set)
    for link in request.message.associations:
        if link.association_type not in v.UPDATE_ASSOCIATION_TYPES:
            registry.add(link)
    for link, source, target in copies:
        registry.make(link.sent, source, target)
    filed = {source for link, source, _ in copies if link.type == v.HAS_MEMBER}
    filed |= {link.source for link in request.submitted if link.association_type == v.HAS_MEMBER}
    registry.touch(filed, now)
    registry.deprecate(deprecated)
    for command in request.commands:
        registry.things[command.target].status = command.slot_value("NewStatus") or ""
    return set()


def _install(registry: Registry, version: _Version) -> None:
    """A new version is Approved, in a restricted update of what is Deprecated it stays so."""
    before = version.before
    assert before is not None
    new = registry.add(version.item, lid=version.lid, version=before.version + 1)
    new.status, new.document, new.time = before.status, before.document, before.time
    before.latest, before.status = False, v.DEPRECATED
