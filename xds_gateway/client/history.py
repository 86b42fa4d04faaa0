"""The history of a document, put together from stored queries at metadata level 2 (ITI TF-2 3.18; Metadata Update)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from lxml import etree

from .answers import read_result
from .errors import NotFound, Refused, RegistryError
from .queries import RELATIONSHIP_NAMES, StoredQueryCall, id_attribute, stored_query
from .registry_values import AssociationSummary, FolderSummary, QueryResult, SubmissionSetSummary
from .values import DocumentSummary

ALL_STATUSES: Final = ("Approved", "Deprecated")
_SEVERAL_PATIENTS: Final = "XDSResultNotSinglePatient"
_GENERATIONS: Final = 64  # steps from document to document; each is a question to the registry

Found = TypeVar("Found", DocumentSummary, FolderSummary, SubmissionSetSummary)


class Asks(Protocol):
    """Whatever asks a stored query (`SoapClient`)."""

    def ask(self, call: StoredQueryCall, return_type: str) -> tuple[etree._Element, tuple[RegistryError, ...]]:
        """The AdhocQueryResponse and the warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHistory:
    """A document and what became of it.

    `versions` are oldest first. `documents` are all documents that its relations lead to, from one to the next, its own
    versions not among them; `relations` the associations between documents; `memberships` those of its versions with
    `folders` and `submission_sets`. `complete` is False when relations lead on further than was asked.
    """

    versions: tuple[DocumentSummary, ...]
    documents: tuple[DocumentSummary, ...] = ()
    relations: tuple[AssociationSummary, ...] = ()
    memberships: tuple[AssociationSummary, ...] = ()
    folders: tuple[FolderSummary, ...] = ()
    submission_sets: tuple[SubmissionSetSummary, ...] = ()
    complete: bool = True

    @property
    def latest(self) -> DocumentSummary:
        """The latest version."""
        return self.versions[-1]


class Historian:
    """Asks whatever it takes to tell a history."""

    def __init__(self, registry: Asks) -> None:
        self._registry = registry

    def tell(self, identifier: str) -> DocumentHistory:
        """The history of the document of an entryUUID or uniqueId; raises NotFound."""
        versions = self.versions(identifier)
        relations, documents, complete = self._family([each.entry_uuid for each in versions])
        own = {each.entry_uuid for each in versions}
        memberships = tuple(a for a in relations.values() if a.type == "HasMember" and a.target in own)
        sets = self.submission_sets(sorted(own))
        in_sets = {each.entry_uuid for each in sets}
        holders = dict.fromkeys(a.source for a in memberships if a.source not in in_sets)
        return DocumentHistory(
            versions=versions,
            documents=tuple(each for uuid, each in documents.items() if uuid not in own),
            relations=tuple(a for a in relations.values() if a.type in RELATIONSHIP_NAMES),
            memberships=memberships,
            folders=self.folders("uuid", holders) if holders else (),
            submission_sets=sets,
            complete=complete,
        )

    def versions(self, identifier: str) -> tuple[DocumentSummary, ...]:
        """All versions of one document, oldest first; of several documents with one uniqueId the Approved one.

        Raises NotFound.
        """
        found = self.documents(id_attribute(identifier), (identifier,))
        if not found:
            raise NotFound("document", identifier)
        chosen = next((each for each in found if each.status == "Approved"), found[0])
        if id_attribute(identifier) == "uuid":
            found = self.documents("logical_id", (chosen.logical_id or chosen.entry_uuid,)) or found
        same = [each for each in found if _logical(each) == _logical(chosen)]
        return tuple(sorted(same, key=version_number))

    def documents(self, attribute: str, values: Iterable[str]) -> tuple[DocumentSummary, ...]:
        """Documents by entryUUIDs, uniqueIds or logical ids, whatever their version, status and patient."""
        return self._gather("GetDocuments", attribute, tuple(values), lambda found: found.documents)

    def folders(self, attribute: str, values: Iterable[str]) -> tuple[FolderSummary, ...]:
        """Folders by entryUUIDs, uniqueIds or logical ids, whatever their version, status and patient."""
        return self._gather("GetFolders", attribute, tuple(values), lambda found: found.folders)

    def folder_versions(self, identifier: str) -> tuple[FolderSummary, ...]:
        """All versions of one folder, oldest first; none when there is no such folder."""
        found = self.folders(id_attribute(identifier), (identifier,))
        if found and id_attribute(identifier) == "uuid":
            found = self.folders("logical_id", (found[0].logical_id or found[0].entry_uuid,)) or found
        return tuple(sorted(found, key=version_number))

    def submission_set(self, identifier: str) -> SubmissionSetSummary | None:
        """A submission set by entryUUID or uniqueId."""
        found = self._ask("GetSubmissionSetAndContents", {id_attribute(identifier): identifier}).submission_sets
        return found[0] if found else None

    def submission_sets(self, uuids: Iterable[str]) -> tuple[SubmissionSetSummary, ...]:
        """The submission sets that have these objects as members."""
        return self._gather("GetSubmissionSets", "uuid", tuple(uuids), lambda found: found.submission_sets)

    def associations(self, uuids: Iterable[str]) -> Mapping[str, AssociationSummary]:
        """The associations that begin or end at these objects, whatever their status, by entryUUID."""
        asked = {"uuid": tuple(uuids), "association_status": ALL_STATUSES}
        return {each.entry_uuid: each for each in self._ask("GetAssociations", asked).associations}

    def _family(self, uuids: list[str]) -> tuple[dict[str, AssociationSummary], dict[str, DocumentSummary], bool]:
        """Associations of these documents, and of all documents that relationships lead to, step by step."""
        relations: dict[str, AssociationSummary] = {}
        documents: dict[str, DocumentSummary] = {}
        asked: set[str] = set()
        waiting = uuids
        for _ in range(_GENERATIONS):
            if not waiting:
                return relations, documents, True
            asked |= set(waiting)
            found = self.associations(waiting)
            relations |= {uuid: a for uuid, a in found.items() if uuid not in relations}
            waiting = [uuid for uuid in dict.fromkeys(_related(found.values())) if uuid not in asked]
            if waiting:
                documents |= {each.entry_uuid: each for each in self.documents("uuid", waiting)}
        return relations, documents, False

    def _gather(
        self, name: str, attribute: str, values: tuple[str, ...], chosen: Callable[[QueryResult], tuple[Found, ...]]
    ) -> tuple[Found, ...]:
        """The objects of a Get query; those of several patients are asked for one by one.

        After an update of patientId the versions of one document have two (ITI TF-2 3.18.4.1.3, LeafClass).
        """
        try:
            return chosen(self._ask(name, {attribute: values}))
        except Refused as refused:
            if [error.code for error in refused.errors] != [_SEVERAL_PATIENTS]:
                raise
        singles = values
        if len(values) == 1:
            references = self._ask(name, {attribute: values}, "ObjectRef").references
            attribute, singles = "uuid", tuple(reference.entry_uuid for reference in references)
        found = [each for value in singles for each in self._gather(name, attribute, (value,), chosen)]
        return tuple({each.entry_uuid: each for each in found}.values())

    def _ask(self, name: str, parameters: Mapping[str, Any], return_type: str = "LeafClass") -> QueryResult:
        body, _ = self._registry.ask(stored_query(name, {**parameters, "metadata_level": 2}), return_type)
        return read_result(body)


def version_number(item: DocumentSummary | FolderSummary) -> int:
    """The version as a number; one that tells none is the first."""
    version = item.version or ""
    return int(version) if version.isascii() and version.isdigit() else 1


def _logical(item: DocumentSummary) -> str:
    return item.logical_id or item.entry_uuid


def _related(associations: Iterable[AssociationSummary]) -> Iterator[str]:
    for association in associations:
        if association.type in RELATIONSHIP_NAMES:
            yield association.source
            yield association.target
