"""Stored queries after parsing: what storage compiles into statements (ITI TF-2 3.18.4.1.2.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .datatypes import TimeInterval
from .identifiers import PatientId

# A list inside one slot is OR, two slots of one name are AND: ((a OR b) AND (c)).
CodeGroups = tuple[tuple[tuple[str, str], ...], ...]  # (code, coding scheme)
TextGroups = tuple[tuple[str, ...], ...]


class TimeRange(NamedTuple):
    """A From/To pair; each end as the instants that it may mean (ITI TF-2 3.18.4.1.2.3.3).

    A value [lo, hi] matches when `lo is NULL`, or
    (from is None or from.earliest <= hi) and
    (to is None or (lo <= to.latest and (lo, hi) != (to.earliest, to.latest))).
    """

    start: TimeInterval | None
    stop: TimeInterval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDocuments:
    """FindDocuments (ITI TF-2 3.18.4.1.2.3.7.1).

    `codes` maps "class_code", "type_code", "practice_setting_code", "healthcare_facility_type_code", "format_code",
    "event_code_list" and "confidentiality_code" to AND of ORs; `times` maps "creation_time", "service_start_time" and
    "service_stop_time"; `author_person` are LIKE patterns (`%`, `_`).
    """

    patient_id: PatientId
    statuses: tuple[str, ...]
    object_types: tuple[str, ...]
    codes: Mapping[str, CodeGroups] = field(default_factory=dict)
    times: Mapping[str, TimeRange] = field(default_factory=dict)
    author_person: TextGroups = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDocuments:
    """GetDocuments by entryUUID or by uniqueId (ITI TF-2 3.18.4.1.2.3.7.5)."""

    uuids: tuple[str, ...] = ()
    unique_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRelatedDocuments:
    """GetRelatedDocuments (ITI TF-2 3.18.4.1.2.3.7.13)."""

    uuid: str | None = None
    unique_id: str | None = None
    association_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()


StoredQuery = FindDocuments | GetDocuments | GetRelatedDocuments
