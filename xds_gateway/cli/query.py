"""`xds-gateway query`."""

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from ..client import QueryResult
from ..client.queries import QUERIES_BY_NAME, KnownQuery, known_query
from ..client.query_texts import split_values, written_as
from ..codec.query_tables import IDS
from .connecting import NOTHING_CHANGED, connected, failing_well
from .console import as_plain, output, print_json, working
from .failures import CommandFailed
from .listing import result_count, result_tables, sentence
from .options import ConnectionOptions

KEYS: Final = {
    "query": "name of the query, or null when all are listed",
    "queries": "without `--parameter`: list of objects with name, transaction, id, clause, parameters, one_of, "
    "some_of; a parameter has name, attribute, required, multiple, conjunction, expected",
    "documents": "list of objects with the attributes of `DocumentSummary` in the SDK",
    "submission_sets": "list of objects with the attributes of `SubmissionSetSummary`",
    "folders": "list of objects with the attributes of `FolderSummary`",
    "associations": "list of objects with the attributes of `AssociationSummary`",
    "references": "with `--object-refs`: list of objects with entry_uuid, home",
    "warnings": "list of objects with code, context, severity, location",
}


def query(
    name: str | None,
    parameters: Sequence[str],
    connection: ConnectionOptions,
    *,
    object_refs: bool,
    level: int | None,
    as_json: bool,
) -> None:
    """Ask a stored query; without a name list all, without parameters tell which it takes."""
    if name is None:
        _list_queries(as_json=as_json)
        return
    with failing_well():
        known = known_query(name)
    if not parameters:
        _describe(known, as_json=as_json)
        return
    given = _read(parameters)
    if level is not None:
        given.append(("$MetadataLevel", (level,)))
    with connected(connection, unsure=NOTHING_CHANGED) as gateway, working("Asking the registry", quiet=as_json):
        found = gateway.query_slots(known.table.name, given, return_type="ObjectRef" if object_refs else "LeafClass")
    if as_json:
        print_json({"query": known.table.name, "queries": [], **as_plain(found)})
    else:
        _show(found)


def _read(parameters: Sequence[str]) -> list[tuple[str, tuple[Any, ...]]]:
    """Each parameter as a slot: its name and its values."""
    slots: list[tuple[str, tuple[Any, ...]]] = []
    for each in parameters:
        name, found, text = each.partition("=")
        if not found or not name.strip():
            raise CommandFailed("usage", f"A parameter is written NAME=VALUE, as Status=Approved, not {each}.")
        slots.append((name, split_values(text)))
    return slots


def _show(found: QueryResult) -> None:
    console = output()
    if len(found):
        console.print(result_tables(found))
    console.print(sentence(result_count(found)))


def _list_queries(*, as_json: bool) -> None:
    if as_json:
        print_json({"query": None, "queries": [_as_json(known) for known in QUERIES_BY_NAME.values()], **_nothing()})
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("stored query", no_wrap=True)
    table.add_column("needs", overflow="fold", style="dim")
    for known in QUERIES_BY_NAME.values():
        table.add_row(Text(known.table.name, style="bold"), _needs(known))
    console = output()
    console.print(table)
    console.print("\n`xds-gateway query NAME` tells the parameters of one.")


def _needs(known: KnownQuery) -> str:
    table = known.table
    needed = [_short(parameter.name) for parameter in table.parameters if parameter.required]
    if table.either:
        needed.append("one of " + _listed(known, IDS))
    if table.some_of:
        needed.append("at least one of " + _listed(known, table.some_of))
    return ", ".join(needed)


def _listed(known: KnownQuery, attributes: Sequence[str]) -> str:
    return ", ".join(_short(p.name) for p in known.table.parameters if p.attribute in attributes)


def _short(name: str) -> str:
    return name.removeprefix("$").removeprefix("XDS")


def _describe(known: KnownQuery, *, as_json: bool) -> None:
    if as_json:
        print_json({"query": known.table.name, "queries": [_as_json(known)], **_nothing()})
        return
    console = output()
    console.print(Text.assemble((known.table.name, "bold"), f"  {known.transaction}, {known.table.clause}\n"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("parameter", no_wrap=True)
    table.add_column("values", no_wrap=True, style="dim")
    table.add_column("written as", overflow="fold")
    for parameter in known.table.parameters:
        number = ("several" if parameter.multiple else "one") + (", and" if parameter.conjunction else "")
        name = Text(_short(parameter.name), style="bold" if parameter.required else "")
        table.add_row(name, f"required, {number}" if parameter.required else number, written_as(parameter))
    console.print(table)
    for needed, said in ((IDS if known.table.either else (), "Exactly"), (known.table.some_of, "At least")):
        if needed:
            console.print(f"\n{said} one of {_listed(known, needed)} is needed.")
    console.print(_RULES)


_RULES: Final = """
Say each with -p NAME=VALUE; NAME also with its $XDS, or short (Status) where
that is clear. Values separated by commas are OR; where a parameter takes "and",
the same -p said again must match too. A value with a comma is quoted:
  -p Status=Approved,Deprecated -p "AuthorPerson='%Martin, Claire%'\""""


def _as_json(known: KnownQuery) -> dict[str, Any]:
    return {
        "name": known.table.name,
        "transaction": known.transaction,
        "id": known.query_id,
        "clause": known.table.clause,
        "parameters": [
            {
                "name": parameter.name,
                "attribute": parameter.attribute,
                "required": parameter.required,
                "multiple": parameter.multiple,
                "conjunction": parameter.conjunction,
                "expected": parameter.kind.expected,
            }
            for parameter in known.table.parameters
        ],
        "one_of": [p.name for p in known.table.parameters if known.table.either and p.attribute in IDS],
        "some_of": [p.name for p in known.table.parameters if p.attribute in known.table.some_of],
    }


def _nothing() -> dict[str, Any]:
    empty: dict[str, Any] = as_plain(QueryResult())
    return empty
