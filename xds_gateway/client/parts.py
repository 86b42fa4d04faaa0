"""Parts of ebRIM objects as a source writes them: codes, authors, identifiers, members of a set (ITI TF-3 4.2.3).

Ids that nobody keeps are symbolic; `symbols` gives them.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ..model import vocabulary as v
from ..model.datatypes import Author, Code
from ..model.metadata import (
    Association,
    Classification,
    ExternalIdentifier,
    LocalizedString,
    Slot,
    SubmissionSet,
)

CHARSET: Final = "UTF-8"
ORIGINAL: Final = Slot("SubmissionSetStatus", ("Original",))


class SetIds(NamedTuple):
    """entryUUID and uniqueId of a submission set, and its submissionTime, a DTM in UTC."""

    uuid: str
    unique_id: str
    submission_time: str


class SetDetails(NamedTuple):
    """What is said of a submission set (ITI TF-3 4.2.3.3): patientId a CX, sourceId an OID."""

    patient_id: str
    source_id: str
    authors: tuple[Author, ...] = ()
    content_type_code: Code | None = None
    title: str | None = None
    comments: str | None = None


def new_symbols() -> Iterator[str]:
    """Symbolic ids that one message does not repeat (ITI TF-3 4.2.1.4)."""
    return map("part{:03d}".format, range(1, 1_000_000))


def make_set(ids: SetIds, details: SetDetails, symbols: Iterator[str]) -> SubmissionSet:
    """A SubmissionSet (ITI TF-3 4.2.3.3)."""
    content_type = details.content_type_code
    identifiers = (
        (v.SS_PATIENT_ID, "XDSSubmissionSet.patientId", details.patient_id),
        (v.SS_SOURCE_ID, "XDSSubmissionSet.sourceId", details.source_id),
        (v.SS_UNIQUE_ID, "XDSSubmissionSet.uniqueId", ids.unique_id),
    )
    return SubmissionSet(
        id=ids.uuid,
        object_type=v.REGISTRY_PACKAGE_OBJECT,
        slots=(Slot("submissionTime", (ids.submission_time,)),),
        name=make_text(details.title, None),
        description=make_text(details.comments, None),
        classifications=(
            Classification(next(symbols), ids.uuid, node=v.SUBMISSION_SET_NODE),
            *(make_author(v.SS_AUTHOR, author, ids.uuid, symbols) for author in details.authors),
            *((make_code(v.SS_CONTENT_TYPE_CODE, content_type, ids.uuid, symbols),) if content_type else ()),
        ),
        external_identifiers=make_identifiers(identifiers, ids.uuid, symbols),
    )


def make_member(source: str, target: str, symbols: Iterator[str], slots: tuple[Slot, ...] = (ORIGINAL,)) -> Association:
    """A HasMember; with the slots of a set's original member unless told (ITI TF-3 4.2.2.1)."""
    return Association(id=next(symbols), association_type=v.HAS_MEMBER, source=source, target=target, slots=slots)


def make_code(scheme: str, code: Code, classified: str, symbols: Iterator[str]) -> Classification:
    """A code of this classification scheme (ITI TF-3 4.2.3.1.2)."""
    return Classification(
        next(symbols),
        classified,
        scheme=scheme,
        code=code.code,
        slots=(Slot("codingScheme", (code.scheme,)),),
        name=make_text(code.display or code.code, None),
    )


def make_author(scheme: str, author: Author, classified: str, symbols: Iterator[str]) -> Classification:
    """An author (ITI TF-3 4.2.3.1.4)."""
    rows = (
        ("authorPerson", (author.person,) if author.person else ()),
        ("authorInstitution", author.institutions),
        ("authorRole", author.roles),
        ("authorSpecialty", author.specialties),
        ("authorTelecommunication", author.telecommunications),
    )
    slots = tuple(Slot(name, values) for name, values in rows if values)
    return Classification(next(symbols), classified, scheme=scheme, code="", slots=slots)


def make_identifiers(
    rows: Iterable[tuple[str, str, str]], registry_object: str, symbols: Iterator[str]
) -> tuple[ExternalIdentifier, ...]:
    """External identifiers from rows of scheme, name and value (ITI TF-3 4.2.3.1.3)."""
    return tuple(
        ExternalIdentifier(next(symbols), registry_object, scheme, value, name=make_text(name, None))
        for scheme, name, value in rows
    )


def make_text(value: str | None, lang: str | None) -> tuple[LocalizedString, ...]:
    """A Name or Description in one language; nothing for no text."""
    return (LocalizedString(value, lang, CHARSET),) if value else ()
