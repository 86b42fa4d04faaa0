"""The bodies of ITI-18 (ITI TF-2 3.18)."""

from typing import Final

from lxml import etree

from ..model import vocabulary as v
from ..model.errors import Finding
from ..model.messages import QueryRequest, QueryResponse
from .namespaces import QUERY, RIM, RS
from .xdsb_parts import Piece, malformed
from .xdsb_responses import error_list, has_error
from .xml import escape

QUERY_REQUEST: Final = f"{{{QUERY}}}AdhocQueryRequest"
_ADHOC_QUERY: Final = f"{{{RIM}}}AdhocQuery"
_RESPONSE_OPTION: Final = f"{{{QUERY}}}ResponseOption"
_SLOT: Final = f"{{{RIM}}}Slot"
_VALUE: Final = f"{{{RIM}}}Value"


def parse_query_request(body: etree._Element, findings: list[Finding]) -> QueryRequest:
    """Read an AdhocQueryRequest (ITI TF-2 3.18.4.1.2)."""
    query = next(body.iterchildren(_ADHOC_QUERY), None)
    if query is None:
        raise malformed("AdhocQueryRequest needs an AdhocQuery (ITI TF-2 3.18.4.1.2)")
    option = next(body.iterchildren(_RESPONSE_OPTION), None)
    return QueryRequest(
        query_id=query.get("id", "").strip().lower(),
        return_type="RegistryObject" if option is None else option.get("returnType", "RegistryObject"),
        parameters=tuple(
            [
                (slot.get("name", ""), tuple([value.text or "" for value in slot.iter(_VALUE)]))
                for slot in query.iterchildren(_SLOT)
            ]
        ),
        home=query.get("home"),
    )


def render_query_request(request: QueryRequest) -> bytes:
    """The body of ITI-18 as a Document Consumer sends it."""
    slots = "".join(
        f'<rim:Slot name="{escape(name)}"><rim:ValueList>'
        + "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values)
        + "</rim:ValueList></rim:Slot>"
        for name, values in request.parameters
    )
    return (
        f'<q:AdhocQueryRequest xmlns:q="{QUERY}" xmlns:rim="{RIM}">'
        f'<q:ResponseOption returnComposedObjects="true" returnType="{escape(request.return_type)}"/>'
        f'<rim:AdhocQuery id="{escape(request.query_id)}"{_home(request.home)}>{slots}</rim:AdhocQuery>'
        "</q:AdhocQueryRequest>"
    ).encode()


def render_query_response(response: QueryResponse) -> tuple[Piece, ...]:
    """The answer of a query; objects only when nothing failed (ITI TF-2 3.18.4.1.3, ITI TF-3 4.2.4.2)."""
    status = v.FAILURE if has_error(response.findings) else v.SUCCESS
    errors = error_list(response.findings) if response.findings else ""
    start = (
        f'<q:AdhocQueryResponse xmlns:q="{QUERY}" xmlns:rim="{RIM}" xmlns:rs="{RS}" status="{status}">{errors}'.encode()
    )
    return (
        start,
        b"<rim:RegistryObjectList>",
        *response.fragments,
        b"</rim:RegistryObjectList></q:AdhocQueryResponse>",
    )


def render_object_ref(uuid: str, home: str | None) -> bytes:
    """An object reference, for returnType ObjectRef (ITI TF-2 3.18.4.1.2.5)."""
    return f'<rim:ObjectRef id="{escape(uuid)}"{_home(home)}/>'.encode()


def _home(home: str | None) -> str:
    return "" if home is None else f' home="{escape(home)}"'
