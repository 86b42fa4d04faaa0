"""Stored queries read from requests by their tables (ITI TF-2 3.18.4.1.2.3.7)."""

from typing import Final

from ..model.errors import ErrorCode, Finding
from ..model.messages import QueryRequest
from ..model.queries import StoredQuery
from .query_parameters import Reading
from .query_tables import QUERIES, QUERY_IDS, Values

__all__ = ["LEAF_CLASS", "OBJECT_REF", "QUERIES", "QUERY_IDS", "parse_stored_query"]

LEAF_CLASS: Final = "LeafClass"
OBJECT_REF: Final = "ObjectRef"


def parse_stored_query(request: QueryRequest, findings: list[Finding]) -> StoredQuery | None:
    """The query that a request asks; None with findings when it cannot be asked (ITI TF-3 Table 4.2.4.1-2)."""
    query = QUERIES.get(request.query_id)
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
        _refuse_unknown(request.query_id, reading)
        return None
    sent = {name for name, _ in request.parameters}
    values = Values()
    for parameter in query.parameters:
        if parameter.required or parameter.name in sent:
            values[parameter.attribute] = reading.values(parameter, request.parameters)
    if not findings and query.either is not None:
        _refuse_unless_one_id(query.either, values, reading)
    return None if findings else query.build(values)


def _refuse_unknown(query_id: str, reading: Reading) -> None:
    known = ", ".join(query.name for query in QUERIES.values())
    reading.found(
        ErrorCode.UNKNOWN_STORED_QUERY,
        "ihe.query.unknown",
        f"This is not the id of a stored query; handled here: {known}.",
        "AdhocQuery/@id",
        query_id,
        "the id of a stored query",
        "ITI TF-2 3.18.4.1.2.4",
    )


def _refuse_unless_one_id(prefix: str, values: Values, reading: Reading) -> None:
    """Exactly one of the two id parameters is given, as the Get queries ask (notes 1 of their tables)."""
    given = [name for name in ("uuid", "unique_id") if values[name]]
    if len(given) == 1:
        return
    code, told = (
        (ErrorCode.STORED_QUERY_PARAM_NUMBER, "takes only one of")
        if given
        else (ErrorCode.STORED_QUERY_MISSING_PARAM, "needs one of")
    )
    names = f"{prefix}EntryUUID and {prefix}UniqueId"
    sentence = f"{reading.query} {told} {names}."
    reading.found(code, "ihe.query.either", sentence, names, str(len(given)), "one of them", reading.clause)
