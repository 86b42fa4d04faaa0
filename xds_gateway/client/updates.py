"""Submissions of a Document Administrator: update, change of status, membership in folders (ITI-57, ITI-41)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..model import vocabulary as v
from ..model.datatypes import Code
from ..model.metadata import Association, Classification, DocumentEntry, Folder, Slot, Submission
from .changes import Versioned
from .parts import (
    ORIGINAL,
    SetDetails,
    SetIds,
    make_code,
    make_identifiers,
    make_member,
    make_set,
    make_text,
)


class StatusChange(NamedTuple):
    """The object whose availabilityStatus changes, and the URNs that it changes from and to."""

    target: str
    original: str
    new: str


def build_update(
    item: Versioned, previous: int, ids: SetIds, details: SetDetails, symbols: Iterator[str], *, propagate: bool
) -> Submission:
    """ITI-57, Update DocumentEntry or Folder metadata: the next version, with the number of the one it follows."""
    slots: tuple[Slot, ...] = (ORIGINAL, Slot("PreviousVersion", (str(previous),)))
    if not propagate:
        slots += (Slot("AssociationPropagation", ("no",)),)
    return Submission(
        submission_sets=(make_set(ids, details, symbols),),
        document_entries=(item,) if isinstance(item, DocumentEntry) else (),
        folders=(item,) if isinstance(item, Folder) else (),
        associations=(make_member(ids.uuid, item.id, symbols, slots),),
    )


def build_status_changes(
    changes: Iterable[StatusChange], ids: SetIds, details: SetDetails, symbols: Iterator[str]
) -> Submission:
    """ITI-57, Update availabilityStatus, of several objects at once."""
    return Submission(
        submission_sets=(make_set(ids, details, symbols),),
        associations=tuple(
            Association(
                id=next(symbols),
                association_type=v.UPDATE_AVAILABILITY_STATUS,
                source=ids.uuid,
                target=target,
                slots=(Slot("OriginalStatus", (original,)), Slot("NewStatus", (new,))),
            )
            for target, original, new in changes
        ),
    )


def build_folder(
    uuid: str, unique_id: str, codes: Sequence[Code], details: SetDetails, comments: str | None, symbols: Iterator[str]
) -> Folder:
    """A new folder, titled as the set that brings it (ITI TF-3 4.2.3.4)."""
    identifiers = (
        (v.FD_PATIENT_ID, "XDSFolder.patientId", details.patient_id),
        (v.FD_UNIQUE_ID, "XDSFolder.uniqueId", unique_id),
    )
    return Folder(
        id=uuid,
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        name=make_text(details.title, None),
        description=make_text(comments, None),
        classifications=(
            Classification(next(symbols), uuid, node=v.FOLDER_NODE),
            *(make_code(v.FD_CODE_LIST, code, uuid, symbols) for code in codes),
        ),
        external_identifiers=make_identifiers(identifiers, uuid, symbols),
    )


def build_filing(
    folder: Folder | str, documents: Iterable[str], ids: SetIds, details: SetDetails, symbols: Iterator[str]
) -> Submission:
    """ITI-41 without documents: registered documents into a folder, new or registered (ITI TF-2 3.42.4.1.2).

    The set holds the new folder, and each association that puts a document into it.
    """
    uuid = folder if isinstance(folder, str) else folder.id
    filed = [make_member(uuid, document, symbols, slots=()) for document in documents]
    held = ([] if isinstance(folder, str) else [uuid]) + [association.id for association in filed]
    return Submission(
        submission_sets=(make_set(ids, details, symbols),),
        folders=() if isinstance(folder, str) else (folder,),
        associations=(*(make_member(ids.uuid, each, symbols) for each in held), *filed),
    )
