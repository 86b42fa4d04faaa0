"""Nodes: settings in; TLS of each listener, whose certificates are, and the journal of refused ones out."""

from ipaddress import ip_network
from typing import Any

from .config import Listener, Port, Settings
from .model.certificate_families import GENERIC
from .security.certificates import principal_of
from .server.forwarding import ProxyRules
from .server.listening import ListenerSocket
from .server.mllp import Identify
from .server.tls import TlsFiles, live_tls
from .server.watching import Warnings
from .storage.journal import FileAccessJournal


def identify_by(settings: Settings) -> Identify:
    """Whose a verified certificate is, by the families of the settings and then the generic one."""
    families = (*(family.row() for family in settings.certificate_families), GENERIC)
    return lambda certificate, address: principal_of(certificate, address, families)


def open_node_journal(settings: Settings, worker: int) -> FileAccessJournal:
    """Where nodes that were refused are told: they have no domain, and no domain's name has a dot."""
    return FileAccessJournal(
        settings.data_folder / "journal", f"gateway.nodes-{worker}", wait_seconds=settings.limits.request_seconds
    )


def listener_socket(place: str, listener: Port, bound: Any) -> ListenerSocket:
    """A bound socket with the TLS of its listener, whose table is `place`. Raises TlsUnusable."""
    return ListenerSocket(socket=bound, tls=live_tls(place, tls_files(listener)), proxies=_proxies(listener))


def _proxies(listener: Port) -> ProxyRules | None:
    if not isinstance(listener, Listener) or not listener.proxies:
        return None
    return ProxyRules(
        networks=tuple(map(ip_network, listener.proxies)),
        certificate_header=listener.certificate_header,
        address_header=listener.address_header,
    )


def tls_files(listener: Port) -> TlsFiles:
    """The files of a listener, and how they are used."""
    secure, asked = listener.tls != "off", listener.wants_certificates
    return TlsFiles(
        certificate=listener.certificate if secure else None,
        key=listener.key if secure else None,
        asks=listener.tls == "mutual",
        client_ca=listener.client_ca if asked and listener.needs_authorities else None,
        pinned=listener.pinned_certificates if asked else (),
        fingerprints=frozenset(listener.pinned_fingerprints if asked else ()),
        crls=listener.crls if asked else (),
        whom=listener.trust,
        revocation=listener.revocation,
    )


def expiry_warnings(settings: Settings) -> Warnings:
    """When the end of certificates and revocation lists is warned of."""
    return Warnings(certificates=settings.certificates.warning_days, lists=settings.certificates.crl_warning_days)
