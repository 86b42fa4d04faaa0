"""Attribute rows compiled into look-up tables by ebRIM name, once for each profile, transaction and actor."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from .attributes import TABLES
from .datatypes import DataType
from .engine import AttributeTest, Coding, Rule

# Slots that associations may have, here and in a metadata update (ITI TF-3 4.2.2.1.1, XDS Metadata Update supplement)
ASSOCIATION_SLOTS: Final = (
    "SubmissionSetStatus",
    "PreviousVersion",
    "AssociationPropagation",
    "OriginalStatus",
    "NewStatus",
)
_ANY_NUMBER: Final = 1 << 30
NOT_PLAIN: Final = (str.strip, 0)


@dataclass(slots=True)
class Place:
    """The compiled tests of one attribute: rule ids, and the predicates of its values."""

    attribute: str
    required: str | None = None
    prohibited: str | None = None
    single: str | None = None
    formats: tuple[tuple[str, Callable[[str], object], DataType], ...] = ()

    @property
    def plain(self) -> tuple[Callable[[str], object], int]:
        """The predicate of a value, and how many values are fine."""
        return self.formats[0][1] if self.formats else str.strip, 1 if self.single else _ANY_NUMBER

    def take(self, rule_id: str, test: AttributeTest) -> None:
        """Add the test of one row."""
        if test.datatype is not None:
            self.formats = (*self.formats, (rule_id, test.datatype.valid, test.datatype))
        else:
            setattr(self, test.check.value, rule_id)


class Places(NamedTuple):
    """The places of one coding by ebRIM name.

    `plain` has the predicate of each place where good values settle everything, and how many there may be; the
    predicate is false for white space.
    """

    by_key: Mapping[str | None, Place]
    plain: Mapping[str | None, tuple[Callable[[str], object], int]]
    required: frozenset[str | None]
    prohibited: frozenset[str | None]

    @classmethod
    def of(cls, by_key: Mapping[str | None, Place]) -> "Places":
        """The places with the plain, the required and the prohibited ones picked out."""
        return cls(
            by_key,
            {key: place.plain for key, place in by_key.items() if len(place.formats) < 2 and not place.prohibited},
            frozenset(key for key, place in by_key.items() if place.required),
            frozenset(key for key, place in by_key.items() if place.prohibited),
        )


class ObjectPlan(NamedTuple):
    """The compiled tests of one kind of object; `fields` are (Python attribute, place)."""

    kind: str
    slots: Places
    extra: str | None  # the rule for slots that the standard does not name
    codes: Places
    authors: Mapping[str | None, Place]
    flags: Mapping[str | None, Place]
    identifiers: Places
    fields: tuple[tuple[str, Place], ...]
    name: Place | None


_FIELDS: Final = {"home": "home", "mimeType": "mime_type", "objectType": "object_type"}


def compile_objects(rules: Mapping[str, Rule]) -> dict[str, ObjectPlan]:
    """The plans of all kinds of objects, and of authors, from the rows that apply."""
    places: dict[tuple[str, Coding], dict[str | None, Place]] = defaultdict(dict)
    for kind, table in TABLES.items():
        for attribute in table.lines:
            places[kind, attribute.coding][attribute.key] = Place(attribute.name)
    for name in ASSOCIATION_SLOTS:
        places["Association", Coding.SLOT][name] = Place(name)
    for rule in rules.values():
        if isinstance(rule.test, AttributeTest):
            place_of = places[rule.test.kind, rule.test.coding]
            place_of.setdefault(rule.test.key, Place(rule.attribute)).take(rule.id, rule.test)
    return {kind: _plan(kind, places) for kind in TABLES}


def _plan(kind: str, places: Mapping[tuple[str, Coding], dict[str | None, Place]]) -> ObjectPlan:
    def of(coding: Coding) -> dict[str | None, Place]:
        return places.get((kind, coding), {})

    return ObjectPlan(
        kind=kind,
        slots=Places.of(of(Coding.SLOT)),
        extra=None if kind == "author" else "ihe.slot.extra",
        codes=Places.of(of(Coding.CODE)),
        authors=of(Coding.AUTHOR),
        flags=of(Coding.FLAG),
        identifiers=Places.of(of(Coding.IDENTIFIER)),
        fields=tuple((_FIELDS[str(key)], place) for key, place in of(Coding.FIELD).items()),
        name=of(Coding.NAME).get("Name"),
    )
