"""Settings that are each well formed and do not go together."""

import re
from collections import Counter
from collections.abc import Iterator

from .audit import AuditRepository
from .limits import Limits
from .listeners import Port
from .settings import Settings


def conflicts(settings: Settings) -> Iterator[str]:
    """One sentence for each conflict, saying what to do."""
    yield from _listener_conflicts(settings)
    yield from _proxy_conflicts(settings)
    yield from _domain_conflicts(settings)
    yield from _mount_conflicts(settings)
    yield from _issuer_conflicts(settings)
    yield from _limit_conflicts(settings.limits)
    yield from _audit_conflicts(settings.audit_repositories)


def ports(settings: Settings) -> Iterator[tuple[str, Port]]:
    """All that is listened on, with the name of its table."""
    for number, listener in enumerate(settings.listeners):
        yield f"listeners[{number}]", listener
    for number, feed in enumerate(settings.feeds):
        yield f"feeds[{number}]", feed


def _listener_conflicts(settings: Settings) -> Iterator[str]:
    for place, listener in ports(settings):
        if listener.tls == "off" and not listener.loopback and not listener.allow_plain_beyond_loopback:
            yield (
                f'{place} has tls = "off" on {listener.host}, which other machines reach: '
                'set tls to "mutual", or host to 127.0.0.1, or say allow_plain_beyond_loopback = true.'
            )
        yield from _trust_conflicts(place, listener)
    for (host, port), times in Counter((item.host, item.port) for _, item in ports(settings)).items():
        if times > 1 and port:
            yield f"{times} listeners or feeds have host {host} and port {port}: give each a port of its own."


def _trust_conflicts(place: str, listener: Port) -> Iterator[str]:
    pinned = bool(listener.pinned_certificates or listener.pinned_fingerprints)
    if listener.trust != "authorities" and not pinned:
        yield (
            f'{place}.trust is "{listener.trust}" and nothing is pinned: list pinned_certificates or '
            'pinned_fingerprints, or set trust to "authorities".'
        )
    if listener.trust == "authorities" and pinned:
        yield (
            f'{place} pins certificates and its trust is "authorities", which lets in all that client_ca has issued: '
            'set trust to "pinned", or to "either".'
        )


def _proxy_conflicts(settings: Settings) -> Iterator[str]:
    for number, listener in enumerate(settings.listeners):
        headers = listener.certificate_header or listener.address_header
        if headers and not listener.proxies:
            yield (
                f"listeners[{number}] takes the header {headers} from nobody: list the addresses of the proxies in "
                "proxies, or leave the header out."
            )
        if listener.proxies and not headers:
            yield (
                f"listeners[{number}] lists proxies and no header that they tell by: set certificate_header, "
                "address_header or both."
            )


def _domain_conflicts(settings: Settings) -> Iterator[str]:
    for name, times in Counter(item.name for item in settings.domains).items():
        if times > 1:
            yield f'{times} domains have the name "{name}": give each a name of its own.'
    for oid, times in Counter(item.repository_unique_id for item in settings.domains).items():
        if times > 1:
            yield f"{times} domains have repository_unique_id {oid}: give each an OID of its own."


def _mount_conflicts(settings: Settings) -> Iterator[str]:
    domains = {item.name for item in settings.domains}
    mutual = any(item.wants_certificates for item in settings.listeners)
    for number, mount in enumerate(settings.mounts):
        if mount.domain not in domains:
            yield f'mounts[{number}].domain is "{mount.domain}": write one of the domains, {_quoted(domains)}.'
        if mount.authentication == "certificate" and not mutual:
            yield (
                f"mounts[{number}] wants client certificates and no listener asks for them: "
                f'set tls of a listener to "mutual", or mounts[{number}].authentication to "none".'
            )
    for number, feed in enumerate(settings.feeds):
        if feed.domain not in domains:
            yield f'feeds[{number}].domain is "{feed.domain}": write one of the domains, {_quoted(domains)}.'
    for path, times in Counter(item.path for item in settings.mounts).items():
        if times > 1:
            yield f"{times} mounts have the path {path}: give each a path of its own."


def _issuer_conflicts(settings: Settings) -> Iterator[str]:
    domains = {item.name for item in settings.domains}
    for number, issuer in enumerate(settings.issuers):
        if issuer.domain not in domains:
            yield f'issuers[{number}].domain is "{issuer.domain}": write one of the domains, {_quoted(domains)}.'
    for (domain, name), times in Counter((item.domain, item.name) for item in settings.issuers).items():
        if times > 1:
            yield f'{times} issuers of the domain "{domain}" have the name "{name}": list their certificates in one.'
    for number, mount in enumerate(settings.mounts):
        if mount.assertions == "off" or mount.domain not in domains:
            continue
        if mount.domain not in {item.domain for item in settings.issuers}:
            yield (
                f'mounts[{number}].assertions is "{mount.assertions}" and nobody may sign any for the domain '
                f'"{mount.domain}": add an issuer, or set assertions to "off".'
            )
        if not settings.domain(mount.domain).audiences:
            yield (
                f'mounts[{number}].assertions is "{mount.assertions}" and its domain has no audiences: list the URIs '
                "that assertions name it by."
            )


def _limit_conflicts(limits: Limits) -> Iterator[str]:
    if limits.inline_document * 4 // 3 > limits.envelope_bytes:
        yield "limits.inline_document as base64 exceeds limits.envelope_bytes: lower the first or raise the other."
    if limits.document_bytes > limits.body_bytes:
        yield "limits.document_bytes is larger than limits.body_bytes: lower the first or raise the other."
    if limits.document_bytes > limits.spool_in_flight_bytes:
        yield "limits.document_bytes is larger than limits.spool_in_flight_bytes: lower the first or raise the other."


def _audit_conflicts(repositories: tuple[AuditRepository, ...]) -> Iterator[str]:
    for name, times in Counter(item.name for item in repositories).items():
        if times > 1:
            yield f'{times} audit_repositories have the name "{name}": give each a name of its own.'
    for number, each in enumerate(repositories):
        place = f"audit_repositories[{number}]"
        if (each.certificate is None) != (each.key is None):
            yield f"{place} has only one of certificate and key: set both, or none."
        if each.protocol == "fhir" and re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", each.url) is None:
            yield f"{place} is a FHIR server without address: set url, such as https://audit.example.org/fhir."
        if each.protocol == "fhir" and each.url.startswith("http://") and not each.loopback:
            yield f"{place}.url is http:, and patients would be named in clear on the network: write https:."


def _quoted(names: set[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))
