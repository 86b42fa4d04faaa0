"""Builders of metadata updates: operations as ITI-57 and ITI-92 send them."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.unit.builders import Texts, make_association, make_set, make_slots
from xds_gateway.model import vocabulary as v
from xds_gateway.model.metadata import Association, DocumentEntry, Folder, Submission, SubmissionSet

SET = "SubmissionSet01"
ORIGINAL = {"SubmissionSetStatus": "Original"}


def make_version(
    item: DocumentEntry | Folder, previous: int = 1, slots: Mapping[str, Texts] | None = None, source: str = SET
) -> Association:
    """The HasMember of a new version; `slots` change or, when None, leave out those of the operation."""
    told = {**ORIGINAL, "PreviousVersion": str(previous), **(slots or {})}
    return make_association(source, item.id, id=f"member-of-{item.id[-2:]}", slots=make_slots(told))


def make_status_update(
    target: str, original: Texts = v.APPROVED, new: Texts = v.DEPRECATED, *, source: str = SET, **changes: Any
) -> Association:
    """The command that changes a status."""
    return make_association(
        source,
        target,
        v.UPDATE_AVAILABILITY_STATUS,
        **{"id": f"status-of-{target[-2:]}", "slots": make_slots({"OriginalStatus": original, "NewStatus": new})}
        | changes,
    )


def make_submit(target: str, source: str = SET, **changes: Any) -> Association:
    """The command that submits an association of the message."""
    return make_association(source, target, v.SUBMIT_ASSOCIATION, **{"id": f"submit-{target}", **changes})


def make_update(
    *items: DocumentEntry | Folder,
    associations: Iterable[Association] = (),
    submission_set: SubmissionSet | None = None,
    previous: int = 1,
    slots: Mapping[str, Texts] | None = None,
) -> Submission:
    """A message with new versions, each with its HasMember, and further associations."""
    the_set = submission_set or make_set()
    return Submission(
        submission_sets=(the_set,),
        document_entries=tuple(item for item in items if isinstance(item, DocumentEntry)),
        folders=tuple(item for item in items if isinstance(item, Folder)),
        associations=(*(make_version(item, previous, slots, the_set.id) for item in items), *associations),
    )
