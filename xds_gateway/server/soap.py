"""spyne declares the SOAP services and dispatches to them: the only module that knows spyne.

One spyne service per endpoint, one method per row of `codec.transactions`. spyne gets the body already parsed (stock
spyne knows neither MTOM, WS-Addressing nor these faults, see docs/decisions/0003) and hands it, as raw XML, to the
handler of the row. What the handler raises passes spyne untouched: `process_request` would log it with its content.
"""

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from lxml import etree

from ..codec.soap import action_not_supported
from ..codec.transactions import TransactionRow


def _load_six_for_new_pythons() -> None:
    """Give spyne's own copy of six the import hooks that Python 3.12 and later ask for (PEP 451)."""
    package = importlib.util.find_spec("spyne")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("spyne is not installed", name="spyne")
    path = Path(package.submodule_search_locations[0]) / "util" / "six.py"
    spec = importlib.util.spec_from_file_location("spyne.util.six", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("spyne has no util.six", name="spyne.util.six")
    six = importlib.util.module_from_spec(spec)
    sys.modules["spyne.util.six"] = six
    spec.loader.exec_module(six)
    importer = type(six._importer)

    def find_spec(self: Any, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in self.known_modules else None

    def create_module(self: Any, spec: ModuleSpec) -> ModuleType:
        module: ModuleType = self.load_module(spec.name)
        return module

    importer.find_spec = find_spec
    importer.create_module = create_module
    importer.exec_module = lambda self, module: None


if "spyne.util.six" not in sys.modules:
    _load_six_for_new_pythons()

from spyne import AnyXml, Application, MethodContext, ServiceBase, rpc  # noqa: E402
from spyne.protocol import ProtocolBase  # noqa: E402
from spyne.server import ServerBase  # noqa: E402

logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)  # it logs documents

_NAMESPACE: Final = "urn:ihe:iti:xds-b:2007"
Handler = Callable[[TransactionRow, etree._Element], Any]


class SoapServices:
    """The SOAP services of the gateway, declared from the rows that are given."""

    def __init__(self, rows: Iterable[TransactionRow]) -> None:
        rows = tuple(rows)
        endpoints = dict.fromkeys(row.endpoint for row in rows)
        services = [_service(endpoint, [row for row in rows if row.endpoint == endpoint]) for endpoint in endpoints]
        application = Application(
            services, tns=_NAMESPACE, name="xds_gateway", in_protocol=ProtocolBase(), out_protocol=ProtocolBase()
        )
        self._server = _Server(application)

    def dispatch(self, row: TransactionRow, body: etree._Element, handler: Handler) -> Any:
        """Call `handler` through the spyne method of this row. Raises what that raises, SoapFault without service."""
        return self._server.call(row, body, handler)


def _service(endpoint: str, rows: list[TransactionRow]) -> type[ServiceBase]:
    return type(endpoint.capitalize(), (ServiceBase,), {_method_name(row): _method(row) for row in rows})


def _method_name(row: TransactionRow) -> str:
    return row.operation.replace("-", "_")


def _method(row: TransactionRow) -> Any:
    def method(ctx: MethodContext, body: Any) -> Any:
        return ctx.udc(row, body)

    method.__name__ = _method_name(row)
    return rpc(AnyXml, _returns=AnyXml, _body_style="bare", _operation_name=row.operation)(method)


class _Server(ServerBase):
    """A spyne transport without a socket: our own edge brings the messages, parsed already."""

    transport = "xds_gateway"

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self._unused = vars(MethodContext(self, MethodContext.SERVER))

    def call(self, row: TransactionRow, body: etree._Element, handler: Handler) -> Any:
        """spyne finds the method by its name and calls it; what it does around that for wires of its own is left out.

        A context is a copy of an unused one: making one takes spyne five objects and fifty guarded assignments.
        """
        context = MethodContext.__new__(MethodContext)
        vars(context).update(self._unused)
        context.udc = handler
        context.method_request_string = f"{{{_NAMESPACE}}}{row.operation}"
        handles = self.app.in_protocol.get_call_handles(context)
        if not handles:
            raise action_not_supported(row.request_action)
        context.descriptor = handles[0]
        context.in_object = [body]
        return self.app.call_wrapper(context)
