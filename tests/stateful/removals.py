"""Removal of metadata and of documents: who is refused, and what follows (ITI-62, ITI-86)."""

from collections.abc import Sequence

from xds_gateway.model import vocabulary as v

from .registry import Codes, Registry, Thing


def remove(registry: Registry, identifiers: Sequence[str]) -> Codes:
    """Remove objects that nothing refers to any more and that leave nothing alone, or none."""
    asked = set(identifiers)
    if asked - registry.things.keys():
        return {"UnresolvedReferenceException"}
    links = registry.associations()
    codes: Codes = set()
    if any(link.id not in asked and {link.source, link.target} & asked for link in links):
        codes.add("ReferencesExistException")
    stay = [link for link in links if link.id not in asked and link.type == v.HAS_MEMBER]
    held = {end for link in stay if registry.things[link.source].is_set for end in (link.source, link.target)}
    ends = {end for link in links if link.id in asked for end in (link.source, link.target)} - asked
    if ends - held:
        codes.add("XDSUnreferencedObjectException")
    if not codes:
        _take(registry, asked)
    return codes


def _take(registry: Registry, asked: set[str]) -> None:
    gone = [registry.things.pop(identifier) for identifier in asked]
    for thing in gone:
        if thing.document is not None:
            registry.kept.setdefault(thing.sent.unique_id or "", set()).add(thing.document)
        if thing.latest and (thing.is_entry or thing.is_folder):
            for last in registry.versions(thing.lid, type(thing.sent))[-1:]:
                last.latest = True


def remove_documents(registry: Registry, unique_ids: Sequence[str]) -> tuple[str, Codes]:
    """Remove bytes of each document for itself: the status of the answer, and its codes."""
    gone = [unique_id for unique_id in dict.fromkeys(unique_ids) if _erase(registry, unique_id)]
    if len(gone) == len(set(unique_ids)):
        return "Success", set()
    return ("PartialSuccess" if gone else "Failure"), {"XDSDocumentUniqueIdError"}


def _erase(registry: Registry, unique_id: str) -> bool:
    holders: list[Thing] = [thing for thing in registry.with_unique_id(unique_id) if thing.document is not None]
    for thing in holders:
        thing.document = None
    return bool(registry.kept.pop(unique_id, None)) or bool(holders)
