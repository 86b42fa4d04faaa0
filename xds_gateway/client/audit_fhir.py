"""Audit messages as FHIR AuditEvent resources, one POST for each (ITI-20 of RESTful ATNA)."""

import http.client
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ..actors.audit_ports import AuditEntry, MessageRefused, Unreachable

Resources = Callable[[AuditEntry], Sequence[bytes]]
_HEADERS: Final = {"Content-Type": "application/fhir+json; charset=UTF-8", "Accept": "application/fhir+json"}
_NOT_THE_MESSAGE: Final = frozenset((401, 403, 404, 405, 408, 425, 429))  # the server, its settings or ours


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirServer:
    """Base URL of a FHIR server; `tls` for https; seconds that a step may take."""

    url: str
    tls: ssl.SSLContext | None
    step_seconds: float


class FhirRepository:
    """`AuditRepository`: a kept HTTP connection. An event that is answered is there."""

    def __init__(self, server: FhirServer, resources: Resources) -> None:
        """`resources` renders an event as AuditEvent resources in JSON."""
        self._resources: Final = resources
        self._path: Final = f"{urlsplit(server.url).path.rstrip('/')}/AuditEvent"
        self._last: int | None = None
        self._connection: Final = _connection(server)

    def send(self, entry: AuditEntry) -> None:
        """Send all resources of an event. Raises Unreachable, MessageRefused."""
        try:
            for resource in self._resources(entry):
                self._post(resource)
        except MessageRefused:
            self._last = entry.number
            raise
        self._last = entry.number

    def flush(self) -> int | None:
        """The last event that was answered."""
        return self._last

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, resource: bytes) -> None:
        try:
            self._connection.request("POST", self._path, resource, _HEADERS)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as failure:
            raise Unreachable(str(failure) or type(failure).__name__) from failure
        if 200 <= answer.status < 300:
            return
        told = f"HTTP {answer.status} {answer.reason}"
        if not 400 <= answer.status < 500 or answer.status in _NOT_THE_MESSAGE:
            raise Unreachable(told)
        raise MessageRefused(told)


def _connection(server: FhirServer) -> http.client.HTTPConnection:
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port
    if server.tls is None:
        return http.client.HTTPConnection(host, port, timeout=server.step_seconds)
    return http.client.HTTPSConnection(host, port, timeout=server.step_seconds, context=server.tls)
