"""The codes that a domain allows in each coded attribute, as values (ITI TF-2 3.42.4.1.3.3.3).

A value is the combination of a code and its coding scheme; plain text, such as a mimeType, has the scheme "".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

from . import vocabulary as v

Pair = tuple[str, str]  # code, coding scheme


class Place(Enum):
    """Where the values of an attribute stand in their object."""

    CODE = "classification"
    AUTHOR = "slot of an author"
    SLOT = "slot"
    MIME_TYPE = "mimeType"
    PATIENT_ID = "patientId"


class CodedAttribute(NamedTuple):
    """An attribute that may have a value set: the kinds of objects that have it, the place, its ebRIM name or UUID."""

    name: str
    kinds: tuple[str, ...]
    place: Place
    key: str
    section: str  # of ITI TF-3


_DE: Final = ("DocumentEntry",)
_SS: Final = ("SubmissionSet",)
_BOTH: Final = (*_DE, *_SS)
_FD: Final = ("Folder",)
_AS: Final = ("Association",)
_C: Final = CodedAttribute
_P: Final = Place
#      attribute                     objects place        ebRIM name                          ITI TF-3
ATTRIBUTES: Final = (
    _C("classCode",                  _DE,   _P.CODE,       v.DE_CLASS_CODE,                     "4.2.3.2.3"),
    _C("typeCode",                   _DE,   _P.CODE,       v.DE_TYPE_CODE,                      "4.2.3.2.25"),
    _C("formatCode",                 _DE,   _P.CODE,       v.DE_FORMAT_CODE,                    "4.2.3.2.9"),
    _C("confidentialityCode",        _DE,   _P.CODE,       v.DE_CONFIDENTIALITY_CODE,           "4.2.3.2.5"),
    _C("healthcareFacilityTypeCode", _DE,   _P.CODE,       v.DE_HEALTHCARE_FACILITY_TYPE_CODE,  "4.2.3.2.11"),
    _C("practiceSettingCode",        _DE,   _P.CODE,       v.DE_PRACTICE_SETTING_CODE,          "4.2.3.2.17"),
    _C("eventCodeList",              _DE,   _P.CODE,       v.DE_EVENT_CODE_LIST,                "4.2.3.2.8"),
    _C("mimeType",                   _DE,   _P.MIME_TYPE,  "mimeType",                          "4.2.3.2.15"),
    _C("languageCode",               _DE,   _P.SLOT,       "languageCode",                      "4.2.3.2.13"),
    _C("contentTypeCode",            _SS,   _P.CODE,       v.SS_CONTENT_TYPE_CODE,              "4.2.3.3.4"),
    _C("codeList",                   _FD,   _P.CODE,       v.FD_CODE_LIST,                      "4.2.3.4.2"),
    _C("associationDocumentation",   _AS,   _P.CODE,       v.ASSOCIATION_DOCUMENTATION,         "4.2.2.2"),
    _C("authorRole",                 _BOTH, _P.AUTHOR,     "authorRole",                        "4.2.3.1.4.3"),
    _C("authorSpecialty",            _BOTH, _P.AUTHOR,     "authorSpecialty",                   "4.2.3.1.4.4"),
    _C("assigningAuthority",         (),    _P.PATIENT_ID, "patientId",                         "4.2.3.2.16"),
)  # fmt: skip
BY_NAME: Final[Mapping[str, CodedAttribute]] = MappingProxyType({each.name: each for each in ATTRIBUTES})
AUTHORITIES: Final = "assigningAuthority"


class ListedCode(NamedTuple):
    """A code of a list; retired when it is not `active`, or outside of [since, until), DTMs to the second in UTC."""

    code: str
    scheme: str
    display: str = ""
    active: bool = True
    since: str | None = None
    until: str | None = None

    def in_force(self, now: str) -> bool:
        """Whether new submissions may use it at this time, a DTM to the second (UTC)."""
        return self.active and not (self.since and now < self.since) and not (self.until and now >= self.until)

    def as_text(self) -> str:
        """`code^^scheme` as queries write it, or the text alone (ITI TF-2 3.18.4.1.2.3.4)."""
        return f"{self.code}^^{self.scheme}" if self.scheme else self.code


class Source(NamedTuple):
    """Where codes of a list come from: the file, and what the value set calls itself."""

    file: str
    id: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, eq=False)
class ValueSet:
    """The list of one attribute; `number` is the version of the domain's value sets that brought it."""

    attribute: str
    codes: Mapping[Pair, ListedCode]
    sources: tuple[Source, ...] = ()
    number: int = 0

    @property
    def name(self) -> str:
        """What the list calls itself, or the file that it is from."""
        return ", ".join(dict.fromkeys(source.name or source.id or source.file for source in self.sources))

    @cached_property
    def free(self) -> frozenset[Pair]:
        """Codes that are in force at any time."""
        return frozenset(p for p, code in self.codes.items() if code.active and not code.since and not code.until)

    def allows(self, pair: Pair, now: str) -> bool:
        """Whether a new submission may have this code at this time."""
        listed = self.codes.get(pair)
        return listed is not None and listed.in_force(now)

    def same_codes(self, other: "ValueSet") -> bool:
        """Whether the other list has the same codes from the same sources."""
        return self.codes == other.codes and self.sources == other.sources


class Watched(NamedTuple):
    """The lists for one kind of object by ebRIM name, laid out for one pass over it."""

    codes: Mapping[str, ValueSet]
    authors: Mapping[str, ValueSet]
    slots: Mapping[str, ValueSet]
    mime_type: ValueSet | None


@dataclass(frozen=True, eq=False)
class ValueSets:
    """All lists of a domain by attribute, as its version `number` has them; an attribute without a list is free."""

    number: int
    lists: Mapping[str, ValueSet]

    @cached_property
    def watched(self) -> Mapping[str, Watched]:
        """The lists by kind of object; kinds without any are left out."""
        kinds = dict.fromkeys(kind for name in self.lists for kind in BY_NAME[name].kinds)
        return {kind: self._watched(kind) for kind in kinds}

    @cached_property
    def authorities(self) -> frozenset[str]:
        """Assigning authorities of patient identifiers that the lists name; empty where they name none."""
        listed = self.lists.get(AUTHORITIES)
        return frozenset(code.code for code in listed.codes.values() if code.active) if listed else frozenset()

    def _watched(self, kind: str) -> Watched:
        def at(place: Place) -> dict[str, ValueSet]:
            return {
                BY_NAME[name].key: listed
                for name, listed in self.lists.items()
                if kind in BY_NAME[name].kinds and BY_NAME[name].place is place
            }

        return Watched(at(Place.CODE), at(Place.AUTHOR), at(Place.SLOT), at(Place.MIME_TYPE).get("mimeType"))


NO_VALUE_SETS: Final = ValueSets(0, MappingProxyType({}))
