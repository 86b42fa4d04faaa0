"""What a Document Consumer asks, as the parameters of stored queries (ITI TF-2 3.18.4.1.2.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ..codec.queries import QUERY_IDS
from ..model import vocabulary as v
from ..model.datatypes import Code

_ENTRY: Final = "$XDSDocumentEntry"
_ASSOCIATION_NAMES: Final = {name.rsplit(":", 1)[1]: name for name in v.ASSOCIATION_TYPES}
_STATUS_NAMES: Final = {name.rsplit(":", 1)[1].lower(): name for name in (v.APPROVED, v.DEPRECATED)}

Parameter = tuple[str, tuple[str, ...]]
Time = str | datetime | None
Period = tuple[Time, Time]
ANY_TIME: Final[Period] = (None, None)


class StoredQueryCall(NamedTuple):
    """The id of a stored query and its parameters."""

    query_id: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFilter:
    """Which documents of a patient: codes of one kind are OR, kinds are AND; empty does not restrict.

    A period is (from, to), inclusive and exclusive, either may be None; a time is a DTM in UTC or an aware datetime.
    `authors` are patterns with `%` and `_` over XCN, as "%Martin%".
    """

    status: tuple[str, ...] = ("Approved",)
    class_codes: tuple[Code, ...] = ()
    type_codes: tuple[Code, ...] = ()
    practice_setting_codes: tuple[Code, ...] = ()
    healthcare_facility_type_codes: tuple[Code, ...] = ()
    format_codes: tuple[Code, ...] = ()
    event_codes: tuple[Code, ...] = ()
    confidentiality_codes: tuple[Code, ...] = ()
    created: Period = ANY_TIME
    service_started: Period = ANY_TIME
    service_stopped: Period = ANY_TIME
    authors: tuple[str, ...] = ()


def find_documents(patient_id: str, wanted: DocumentFilter) -> StoredQueryCall:
    """FindDocuments (ITI TF-2 3.18.4.1.2.3.7.1)."""
    codes = (
        ("ClassCode", wanted.class_codes),
        ("TypeCode", wanted.type_codes),
        ("PracticeSettingCode", wanted.practice_setting_codes),
        ("HealthcareFacilityTypeCode", wanted.healthcare_facility_type_codes),
        ("FormatCode", wanted.format_codes),
        ("EventCodeList", wanted.event_codes),
        ("ConfidentialityCode", wanted.confidentiality_codes),
    )
    periods = (
        ("CreationTime", wanted.created),
        ("ServiceStartTime", wanted.service_started),
        ("ServiceStopTime", wanted.service_stopped),
    )
    return StoredQueryCall(
        QUERY_IDS["FindDocuments"],
        (
            (f"{_ENTRY}PatientId", (_quoted(patient_id),)),
            _strings(f"{_ENTRY}Status", (_STATUS_NAMES.get(name.lower(), name) for name in wanted.status)),
            *(_strings(_ENTRY + name, map(_render_code, listed)) for name, listed in codes if listed),
            *(bound for name, period in periods for bound in _period(_ENTRY + name, period)),
            *((_strings(f"{_ENTRY}AuthorPerson", wanted.authors),) if wanted.authors else ()),
        ),
    )


def get_documents(identifiers: Iterable[str]) -> StoredQueryCall:
    """GetDocuments by entryUUIDs, or by uniqueIds when the first is none (ITI TF-2 3.18.4.1.2.3.7.5)."""
    listed = tuple(identifiers)
    return StoredQueryCall(QUERY_IDS["GetDocuments"], (_strings(_id_parameter(listed[0]), listed),))


def get_related_documents(identifier: str, association_types: Iterable[str]) -> StoredQueryCall:
    """GetRelatedDocuments by entryUUID or uniqueId; types as "RPLC" or URNs (ITI TF-2 3.18.4.1.2.3.7.13)."""
    types = tuple(_ASSOCIATION_NAMES.get(name, name) for name in association_types)
    return StoredQueryCall(
        QUERY_IDS["GetRelatedDocuments"],
        ((_id_parameter(identifier), (_quoted(identifier),)), _strings("$AssociationTypes", types)),
    )


def _id_parameter(identifier: str) -> str:
    return _ENTRY + ("EntryUUID" if identifier.lower().startswith("urn:uuid:") else "UniqueId")


def _strings(name: str, values: Iterable[str]) -> Parameter:
    """A list parameter, one Value for each: none then exceeds the length of a Value (ITI TF-2 3.18.4.1.2.3.5)."""
    return name, tuple(f"({_quoted(value)})" for value in values)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _render_code(code: Code) -> str:
    return f"{code.code}^^{code.scheme}"


def _period(name: str, period: Period) -> Iterator[Parameter]:
    for end, time in zip(("From", "To"), period, strict=True):
        if time is not None:
            yield name + end, (time.astimezone(UTC).strftime("%Y%m%d%H%M%S") if isinstance(time, datetime) else time,)
