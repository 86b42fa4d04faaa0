"""Submissions: who is refused, and what follows from them (ITI TF-2 3.41, 3.42, 3.61)."""

from collections.abc import Mapping

from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association, DocumentEntry, RegistryObject, Submission, SubmissionSet

from .registry import Codes, Registry, Thing

REPLACING = (v.RPLC, v.XFRM_RPLC)
METADATA = "XDSRegistryMetadataError"
UNRESOLVED = "UnresolvedReferenceException"
DEPRECATED = "XDSRegistryDeprecatedDocumentError"
PATIENTS = "XDSPatientIdDoesNotMatch"


def submit(registry: Registry, message: Submission, transaction: str, contents: Mapping[str, bytes], now: str) -> Codes:
    """Register a message whose metadata are good in themselves; `contents` are documents by entryUUID."""
    codes = registry.unknown_patients(message, follow=registry.policy.follow_merges)
    codes |= _identity(registry, message, transaction)
    codes |= set().union(*(_association(registry, message, link) for link in message.associations))
    if codes:
        return codes
    replaced = {link.target for link in message.associations if link.association_type in REPLACING}
    deprecated = replaced | registry.dependents(replaced)
    carried = _carried(registry, message, codes)
    if any(link.association_type in (v.APND, v.XFRM) and link.target in deprecated for link in message.associations):
        codes.add(DEPRECATED)  # nothing new hangs on what the same message deprecates
    if codes:
        return codes
    registry.meet(message)
    for item in message.objects:
        thing = registry.add(item)
        if item.id in contents:
            registry.keep(contents[item.id], thing)
    for folder, entry in carried:
        told = Association(id="", association_type=v.HAS_MEMBER, source="", target="")
        membership = registry.make(told, folder, entry)
        registry.make(told, message.submission_sets[0].id, membership.id)
    registry.deprecate(deprecated)
    filed = {link.source for link in message.associations if link.association_type == v.HAS_MEMBER}
    registry.touch({*filed, *(folder.id for folder in message.folders), *(folder for folder, _ in carried)}, now)
    return codes


def ids_taken(registry: Registry, message: Submission) -> bool:
    """Ids are new; a logical id is taken as long as it has a version, though the first be removed."""
    lids = {thing.lid for thing in registry.things.values()}
    items = {item.id for item in (*message.document_entries, *message.folders)}
    return bool({item.id for item in message.objects} & registry.things.keys() or items & lids)


def _identity(registry: Registry, message: Submission, transaction: str) -> Codes:
    codes: Codes = set()
    if ids_taken(registry, message):  # TF-3 4.2.3.1.5
        codes.add(METADATA)
    for item in message.objects:
        taken = registry.with_unique_id(item.unique_id)
        if taken and not isinstance(item, DocumentEntry):  # 3.42.4.1.3.3.7
            codes.add("XDSDuplicateUniqueIdInRegistry")
        elif taken and not taken[-1].is_entry:
            codes.add(METADATA)
        elif taken:
            codes |= _same_bytes(item, taken[-1], transaction)
    return codes


def _same_bytes(item: RegistryObject, taken: Thing, transaction: str) -> Codes:
    """3.42.4.1.3.3.1, 3.61.4.1.3; of several entries the one that was registered last."""
    ours = item.object_type == v.ON_DEMAND_DOCUMENT
    if ours != taken.on_demand:
        return {METADATA if transaction == "ITI-61" else "XDSNonIdenticalHash"}
    names = {"hash": "XDSNonIdenticalHash", "size": "XDSNonIdenticalSize"}
    return {code for name, code in names.items() if not ours and item.slot_value(name) != taken.sent.slot_value(name)}


def _association(registry: Registry, message: Submission, link: Association) -> Codes:
    """3.42.4.1.3.4 and .5; the message itself says nothing impossible."""
    own = {item.id: item for item in message.objects}

    def end(identifier: str) -> RegistryObject | None:
        thing = registry.get(identifier)
        return own.get(identifier) or (thing.sent if thing else None)

    source, target = end(link.source), end(link.target)
    if source is None or target is None:
        return {UNRESOLVED}
    known = registry.get(link.target) if link.target not in own else None
    if link.association_type == v.HAS_MEMBER:
        return _membership(registry, message, link, source, target)
    if not isinstance(target, DocumentEntry):
        if link.association_type != v.SIGNS or not isinstance(target, SubmissionSet):
            return {UNRESOLVED}
        one = registry.one_patient(source.patient_id, target.patient_id)
        return set() if one else {PATIENTS}  # wider: signatures of whole sets
    codes = {DEPRECATED} if known is not None and not known.approved else set()
    if not registry.one_patient(source.patient_id, target.patient_id):
        codes.add(PATIENTS)
    if link.association_type == v.IS_SNAPSHOT_OF and target.object_type != v.ON_DEMAND_DOCUMENT:
        codes.add(METADATA)
    if link.association_type == v.APND and any(o.type == v.XFRM and o.approved for o in registry.from_(link.target)):
        codes.add(METADATA)  # TF-3 4.2.2.2.1
    return codes


def _membership(
    registry: Registry, message: Submission, link: Association, source: RegistryObject, target: RegistryObject
) -> Codes:
    if isinstance(source, SubmissionSet):
        if source is not message.submission_sets[0]:  # TF-3 4.2.1.2
            return {METADATA}
        return {METADATA} if isinstance(target, SubmissionSet) else set()
    if source.KIND != "Folder":
        return {METADATA}
    if not isinstance(target, DocumentEntry):
        return {METADATA}
    codes: Codes = set()
    own = {item.id for item in message.objects}  # sent again, they are judged as they come, not as they became
    for end in {link.source, link.target} - own:
        thing = registry.get(end)
        if thing is not None and not thing.approved:
            codes.add(DEPRECATED)
    if not registry.one_patient(source.patient_id, target.patient_id, message.submission_sets[0].patient_id):
        codes.add(PATIENTS)
    return codes


def _carried(registry: Registry, message: Submission, codes: Codes) -> list[tuple[str, str]]:
    """The Approved folders that replacements join, unless their sender puts them there (3.42.4.1.3.4)."""
    carried: list[tuple[str, str]] = []
    for link in message.associations:
        if link.association_type not in REPLACING:
            continue
        filed = {other.source for other in message.associations if other.target == link.source}
        (new,) = (entry for entry in message.document_entries if entry.id == link.source)
        folders = {folder.id: folder for folder, _ in registry.memberships_in_folders(link.target)}
        for folder in folders.values():
            if folder.approved and folder.id not in filed:
                if not registry.one_patient(folder.patient, new.patient_id):
                    codes.add(PATIENTS)
                carried.append((folder.id, link.source))
    return carried
