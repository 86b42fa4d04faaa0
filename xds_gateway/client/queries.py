"""What a Document Consumer asks: stored queries by the tables of the standard (ITI TF-2 3.18.4.1.2.3).

Whatever is asked is checked against the table of its query first, so that a mistake is told with its name and nothing
is sent.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from ..codec.queries import MULTI_PATIENT_QUERIES, QUERIES
from ..codec.query_parameters import Parameter
from ..codec.query_tables import IDS, Query
from ..model import vocabulary as v
from ..model.datatypes import Code
from .errors import InvalidQuery
from .query_texts import render_values

Time = str | datetime | None
Period = tuple[Time, Time]
Slots = tuple[tuple[str, tuple[str, ...]], ...]
ANY_TIME: Final[Period] = (None, None)
_PREFIXES: Final = ("$XDSDocumentEntry", "$XDSSubmissionSet", "$XDSFolder", "$XDS", "$")


class StoredQueryCall(NamedTuple):
    """The transaction that asks a stored query, its id and its parameters."""

    transaction: str
    query_id: str
    parameters: Slots


class KnownQuery(NamedTuple):
    """A stored query that can be asked: its transaction, its id and its table."""

    transaction: str
    query_id: str
    table: Query


QUERIES_BY_NAME: Final[Mapping[str, KnownQuery]] = {
    table.name: KnownQuery(transaction, query_id, table)
    for transaction, tables in (("ITI-18", QUERIES), ("ITI-51", MULTI_PATIENT_QUERIES))
    for query_id, table in tables.items()
}


def known_query(name: str) -> KnownQuery:
    """A stored query by its name, whatever its case, or by its id; raises InvalidQuery that names the nearest."""
    folded = name.strip().lower()
    for known in QUERIES_BY_NAME.values():
        if folded in (known.table.name.lower(), known.query_id):
            return known
    near = difflib.get_close_matches(folded, [each.lower() for each in QUERIES_BY_NAME], 1)
    meant = next((f"; is {each} meant?" for each in QUERIES_BY_NAME if [each.lower()] == near), "")
    raise InvalidQuery(name, (f"there is no stored query {name}{meant}",))


def parameter_names(table: Query) -> Mapping[str, Parameter]:
    """Every name that a parameter of this query goes by, in lower case: the standard's, shortened, and the attribute.

    >>> sorted(parameter_names(known_query("GetFolders").table))                                     # doctest: +SKIP
    ['$metadatalevel', '$xdsfolderentryuuid', ..., 'entryuuid', ..., 'unique_id', 'uniqueid', 'uuid', ...]
    """
    names: dict[str, set[Parameter]] = {}
    for parameter in table.parameters:
        for short in (parameter.name, parameter.attribute, *_shortened(parameter.name)):
            names.setdefault(short.lower(), set()).add(parameter)
    full = {parameter.name.lower(): parameter for parameter in table.parameters}
    return {name: next(iter(those)) for name, those in names.items() if len(those) == 1} | full


def _shortened(name: str) -> Iterable[str]:
    return (name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix))


def stored_query(name: str, parameters: Mapping[str, Any]) -> StoredQueryCall:
    """A stored query from parameters by name; see `Gateway.query` for their values. Raises InvalidQuery."""
    return stored_query_of_slots(name, [slot for each, given in parameters.items() for slot in _slots(each, given)])


def _slots(name: str, given: Any) -> list[tuple[str, Sequence[Any]]]:
    """One slot, or one for each of several lists, which are AND."""
    if given is None:
        return []
    if _is_one(given):
        return [(name, [given])]
    values = list(given)
    if values and not any(map(_is_one, values)):
        return [(name, list(group)) for group in values]
    return [(name, values)]


def _is_one(value: Any) -> bool:
    return isinstance(value, (str, Code, datetime, int)) or not isinstance(value, Iterable)


def stored_query_of_slots(name: str, slots: Iterable[tuple[str, Sequence[Any]]]) -> StoredQueryCall:
    """A stored query from parameters, of which those of one name are several slots. Raises InvalidQuery."""
    known = known_query(name)
    names = parameter_names(known.table)
    problems: list[str] = []
    written: list[tuple[Parameter, tuple[str, ...]]] = []
    for given, values in slots:
        parameter = names.get(given.strip().lower())
        if parameter is None:
            problems.append(_unknown(given, known.table, names))
        elif values:
            written.append((parameter, render_values(parameter, values, problems)))
    if not problems:  # whoever is told which name was meant need not be told that it is missing
        problems += _missing(known.table, [parameter for parameter, _ in written])
    problems += _too_many(known.table, written)
    if problems:
        raise InvalidQuery(known.table.name, tuple(problems))
    sent = tuple((parameter.name, texts) for parameter, texts in written)
    return StoredQueryCall(known.transaction, known.query_id, sent)


def _unknown(given: str, table: Query, names: Mapping[str, Parameter]) -> str:
    folded = given.strip().lower()
    near = difflib.get_close_matches(folded, names, 1) or [name for name in names if folded and folded in name]
    meant = f"; is {names[near[0]].name} meant?" if near else ""
    return f"{table.name} has no parameter {given}{meant}"


def _missing(table: Query, given: Sequence[Parameter]) -> list[str]:
    attributes = {parameter.attribute for parameter in given}
    problems = [
        f"{table.name} needs {parameter.name}, {parameter.kind.expected}"
        for parameter in table.parameters
        if parameter.required and parameter.attribute not in attributes
    ]
    if table.either is not None and len(attributes & set(IDS)) != 1:
        problems.append(f"{table.name} needs exactly one of {_names(table, IDS)}")
    if table.some_of and not attributes & set(table.some_of):
        problems.append(f"{table.name} needs at least one of {_names(table, table.some_of)}")
    return problems


def _names(table: Query, attributes: Sequence[str]) -> str:
    return ", ".join(parameter.name for parameter in table.parameters if parameter.attribute in attributes)


def _too_many(table: Query, written: Sequence[tuple[Parameter, tuple[str, ...]]]) -> list[str]:
    counts: dict[Parameter, int] = {}
    for parameter, texts in written:
        counts[parameter] = counts.get(parameter, 0) + len(texts)
    return [
        f"{parameter.name} of {table.name} takes one value, not {count}"
        for parameter, count in counts.items()
        if count > 1 and not parameter.multiple
    ]


# --- queries that the SDK asks by itself --------------------------------------------------------------------------


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
    parameters: dict[str, Any] = {
        "patient_id": patient_id,
        "status": wanted.status,
        "class_code": wanted.class_codes,
        "type_code": wanted.type_codes,
        "practice_setting_code": wanted.practice_setting_codes,
        "healthcare_facility_type_code": wanted.healthcare_facility_type_codes,
        "format_code": wanted.format_codes,
        "event_code_list": wanted.event_codes,
        "confidentiality_code": wanted.confidentiality_codes,
        "author_person": wanted.authors,
    }
    periods = (
        ("creation_time", wanted.created),
        ("service_start_time", wanted.service_started),
        ("service_stop_time", wanted.service_stopped),
    )
    for name, (start, stop) in periods:
        parameters |= {f"{name}_from": start, f"{name}_to": stop}
    return stored_query("FindDocuments", parameters)


def get_documents(identifiers: Iterable[str], **more: Any) -> StoredQueryCall:
    """GetDocuments by entryUUIDs, or by uniqueIds when the first is none (ITI TF-2 3.18.4.1.2.3.7.5)."""
    listed = tuple(identifiers)
    return stored_query("GetDocuments", {id_attribute(listed[0]): listed, **more})


def get_related_documents(identifier: str, association_types: Iterable[str]) -> StoredQueryCall:
    """GetRelatedDocuments by entryUUID or uniqueId; types as "RPLC" or URNs (ITI TF-2 3.18.4.1.2.3.7.13)."""
    return stored_query(
        "GetRelatedDocuments",
        {id_attribute(identifier): identifier, "association_type": tuple(association_types)},
    )


def id_attribute(identifier: str) -> str:
    """Which parameter an identifier belongs to: "uuid" for an entryUUID, "unique_id" for anything else."""
    return "uuid" if identifier.lower().startswith("urn:uuid:") else "unique_id"


RELATIONSHIP_NAMES: Final = tuple(name.rpartition(":")[2] for name in v.RELATIONSHIPS)
