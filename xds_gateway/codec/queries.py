"""Stored queries read from requests by their tables (ITI TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.1)."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..model.errors import ErrorCode, Finding
from ..model.messages import QueryRequest
from ..model.queries import StoredQuery
from .query_building import Values, at_level, metadata_level
from .query_parameters import Parameter, Reading
from .query_tables import IDS, MULTI_PATIENT_QUERIES, QUERIES, QUERY_IDS, Query

__all__ = ["LEAF_CLASS", "MULTI_PATIENT_QUERIES", "OBJECT_REF", "QUERIES", "QUERY_IDS", "parse_stored_query"]

LEAF_CLASS: Final = "LeafClass"
OBJECT_REF: Final = "ObjectRef"
_TRANSACTIONS: Final = {"ITI-18": QUERIES, "ITI-51": MULTI_PATIENT_QUERIES}


def parse_stored_query(
    request: QueryRequest, findings: list[Finding], queries: Mapping[str, Query] = QUERIES
) -> StoredQuery | None:
    """The query that a request asks, of those that its transaction has.

    None with findings when it cannot be asked (ITI TF-3 Table 4.2.4.1-2).
    """
    query = queries.get(request.query_id)
    reading = Reading(query.name if query else "", query.clause if query else "", findings)
    if request.return_type not in (LEAF_CLASS, OBJECT_REF):
        reading.found(
            ErrorCode.REGISTRY_ERROR,
            "ihe.query.returnType",
            "returnType must be LeafClass or ObjectRef.",
            "returnType",
            request.return_type,
            "LeafClass or ObjectRef",
            "ITI TF-2 3.18.4.1.2.5",
        )
    if query is None:
        _refuse_unknown(request.query_id, queries, reading)
        return None
    sent = {name for name, _ in request.parameters}
    values = Values()
    for parameter in query.parameters:
        if parameter.required or parameter.name in sent:
            values[parameter.attribute] = reading.values(parameter, request.parameters)
    if not findings:
        _check_together(query, values, reading)
    return None if findings else at_level(query.build(values), values)


def _check_together(query: Query, values: Values, reading: Reading) -> None:
    """What the parameters must be as a whole, once each of them can be read."""
    if query.either is not None:
        _refuse_unless_one_id(_of(query, IDS), values, reading)
    if query.some_of and not any(values[attribute] for attribute in query.some_of):
        _refuse_without_any(_of(query, query.some_of), reading)
    if values["logical_id"] and metadata_level(values) == 1:
        _refuse_logical_id(_of(query, ("logical_id",)), reading)


def _of(query: Query, attributes: Sequence[str]) -> tuple[Parameter, ...]:
    return tuple(parameter for parameter in query.parameters if parameter.attribute in attributes)


def _refuse_unknown(query_id: str, queries: Mapping[str, Query], reading: Reading) -> None:
    known = ", ".join(query.name for query in queries.values())
    elsewhere = [name for name, table in _TRANSACTIONS.items() if table is not queries and query_id in table]
    hint = f" {_TRANSACTIONS[elsewhere[0]][query_id].name} belongs to {elsewhere[0]}." if elsewhere else ""
    reading.found(
        ErrorCode.UNKNOWN_STORED_QUERY,
        "ihe.query.unknown",
        f"This is not the id of a stored query of this transaction; it has: {known}.{hint}",
        "AdhocQuery/@id",
        query_id,
        "the id of a stored query",
        "ITI TF-2 3.18.4.1.2.4",
    )


def _refuse_unless_one_id(parameters: Sequence[Parameter], values: Values, reading: Reading) -> None:
    """Exactly one of the id parameters is given, as the Get queries ask (notes 1 of their tables)."""
    given = [parameter for parameter in parameters if values[parameter.attribute]]
    if len(given) == 1:
        return
    code, told = (
        (ErrorCode.STORED_QUERY_PARAM_NUMBER, "takes only one of")
        if given
        else (ErrorCode.STORED_QUERY_MISSING_PARAM, "needs one of")
    )
    names = _listed(parameters)
    sentence = f"{reading.query} {told} {names}."
    reading.found(code, "ihe.query.either", sentence, names, str(len(given)), "one of them", reading.clause)


def _refuse_without_any(parameters: Sequence[Parameter], reading: Reading) -> None:
    """At least one of several parameters is given, as queries for several patients ask (notes 2 of their tables)."""
    names = _listed(parameters)
    reading.found(
        ErrorCode.STORED_QUERY_MISSING_PARAM,
        "ihe.query.someOf",
        f"{reading.query} needs at least one of {names}.",
        names,
        "",
        "at least one of them",
        reading.clause,
    )


def _refuse_logical_id(parameters: Sequence[Parameter], reading: Reading) -> None:
    """A logicalID names all versions of an object, of which level 1 shows one (Metadata Update)."""
    names = _listed(parameters)
    reading.found(
        ErrorCode.REGISTRY_ERROR,
        "ihe.query.logicalId",
        f"{reading.query} takes {names} with $MetadataLevel 2 only.",
        "$MetadataLevel",
        "1",
        "2",
        "XDS Metadata Update, ITI TF-2 3.18.4.1.2.3",
    )


def _listed(parameters: Sequence[Parameter]) -> str:
    names = [parameter.name for parameter in parameters]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
