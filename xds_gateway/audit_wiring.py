"""Where the audit meets its keys, its clock, its repositories and its threads."""

import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .actors.audit_keeping import AuditKeeper, AuditSender, KeepingPolicy
from .actors.audit_ports import AuditEntry, AuditRepository, MessageRefused
from .clock import UuidSource, now
from .codec.atna import render_syslog
from .codec.audit_messages import audit_messages
from .codec.fhir_audit import render_audit_event
from .config import AuditRepository as RepositorySettings
from .config import ConfigurationError, Settings
from .model.anchors import Anchor
from .model.audit_messages import AuditSite
from .model.errors import GatewayError
from .model.messages import AuditEvent
from .security.anchors import NoAnchorKey, anchor_key, anchor_public_key, sign_anchor, verify_anchor
from .storage.audit_opening import AuditGuard, AuditStorage, open_audit, open_journal

_log = logging.getLogger("xds_gateway.audit")
_GUARD_SECONDS: Final = 1.0  # how often a process asks whether the keeper has gone
_TURN_SECONDS: Final = 1.0
_MORE_SECONDS: Final = 0.02  # between turns while there is more: requests go first
_AFTER_FAILURE_SECONDS: Final = 5.0


# -- keys


def signing(settings: Settings) -> Callable[[bytes], bytes] | None:
    """What signs anchors, if a key is set. Raises ConfigurationError."""
    path = settings.audit.anchor_key
    if path is None:
        return None
    with _key_of("audit.anchor_key", path):
        return partial(sign_anchor, key=anchor_key(path.read_bytes()))


def verifying(settings: Settings) -> Callable[[bytes, bytes | None], Anchor]:
    """What proves anchors: by the key and those before it, or, without any, by their chain alone."""
    paths = [path for path in (settings.audit.anchor_key, *settings.audit.anchor_public_keys) if path]
    keys = []
    for path in paths:
        with _key_of("audit.anchor_key or audit.anchor_public_keys", path):
            keys.append(anchor_public_key(path.read_bytes()))
    return partial(verify_anchor, keys=keys)


@contextmanager
def _key_of(setting: str, path: Path) -> Iterator[None]:
    try:
        yield
    except (NoAnchorKey, OSError) as wrong:
        raise ConfigurationError(
            f"{setting} is {path}, and {wrong}: make a key with `openssl genpkey -algorithm ed25519` or "
            "`xds-gateway pki`."
        ) from wrong


def check_audit(settings: Settings) -> None:
    """See that keys and TLS files of the audit can be used. Raises ConfigurationError."""
    if signing(settings) is None:
        _log.warning("audit anchors are not signed: set audit.anchor_key")
    verifying(settings)
    for number, each in enumerate(settings.audit_repositories):
        try:
            _tls(each)
        except (OSError, ValueError) as wrong:
            raise ConfigurationError(
                f"The TLS files of audit_repositories[{number}] cannot be used together ({wrong}): "
                "give PEM authorities, and a certificate with its own key or none."
            ) from wrong


# -- messages


def audit_site(settings: Settings) -> AuditSite:
    """What audit messages say of this gateway."""
    paths: dict[str, str] = {}
    for mount in settings.mounts:
        paths.setdefault(mount.domain, mount.path)
    return AuditSite(
        source_id=settings.audit.source_id,
        site_id=settings.audit.enterprise_site_id,
        host=urlsplit(settings.public_url).hostname or socket.gethostname(),
        url=settings.public_url,
        paths=paths,
        homes={domain.name: domain.home_community_id for domain in settings.domains},
    )


def _connect(site: AuditSite, each: RepositorySettings) -> AuditRepository:
    """A connection; what speaks HTTP is loaded where a repository is set, which takes a quarter of a second."""
    if each.protocol == "fhir":
        from .client.audit_fhir import FhirRepository, FhirServer

        server = FhirServer(url=each.url, tls=_tls(each), step_seconds=each.step_seconds)
        return FhirRepository(server, partial(_resources, site))
    from .client.syslog import SyslogReceiver, SyslogRepository

    tls = _tls(each)
    if tls is None:
        raise AssertionError("syslog goes over TLS only")
    receiver = SyslogReceiver(
        host=each.host,
        port=each.port,
        tls=tls,
        longest=each.max_bytes,
        step_seconds=each.step_seconds,
        confirm_seconds=each.confirm_seconds,
    )
    return SyslogRepository(receiver, partial(_frames, site), time.monotonic)


def _frames(site: AuditSite, entry: AuditEntry) -> Sequence[bytes]:
    process = entry.event.process or os.getpid()
    with _rendering():
        return [
            render_syslog(message, site.host, site.source_id, process)
            for message in audit_messages(entry.id, entry.event, site)
        ]


def _resources(site: AuditSite, entry: AuditEntry) -> Sequence[bytes]:
    with _rendering():
        return [render_audit_event(message) for message in audit_messages(entry.id, entry.event, site)]


@contextmanager
def _rendering() -> Iterator[None]:
    """What somebody has made of an event that nobody wrote so must not hold up the others."""
    try:
        yield
    except (ValueError, TypeError) as wrong:
        raise MessageRefused(f"it cannot be told: {type(wrong).__name__}") from wrong


def _tls(each: RepositorySettings) -> ssl.SSLContext | None:
    if each.protocol == "fhir" and each.url.startswith("http:"):
        return None
    context = ssl.create_default_context(cafile=str(each.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if each.certificate is not None:
        context.load_cert_chain(each.certificate, each.key)
    return context


# -- keeping


class AuditKeeping:
    """A thread that keeps the audit as soon as no other process does."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Finish the turn, anchor what there is, and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        guard = AuditGuard(self._settings.data_folder)
        try:
            while not guard.taken():
                if self._stop.wait(_GUARD_SECONDS):
                    return
            while not self._stop.is_set():
                self._keep()
        finally:
            guard.close()

    def _keep(self) -> None:
        """Keep until told to stop, or until something fails that the next attempt may find mended."""
        settings = self._settings
        try:
            with open_audit(
                settings.database_url, settings.data_folder, wait_seconds=settings.limits.request_seconds
            ) as storage:
                self._keep_in(storage)
        except (GatewayError, OSError) as failure:
            _log.error("the audit is not being kept", exc_info=failure)
            self._stop.wait(_AFTER_FAILURE_SECONDS)

    def _keep_in(self, storage: AuditStorage) -> None:
        settings = self._settings
        policy = KeepingPolicy(
            anchor_seconds=settings.audit.anchor_seconds,
            retention_days=settings.audit.retention_days or None,
            sign=signing(settings),
        )
        outboxes = {each.name: storage.outbox(each.name) for each in settings.audit_repositories}
        keeper = AuditKeeper(storage.book, tuple(outboxes.values()), policy, now, time.monotonic())
        over = threading.Event()
        site = audit_site(settings)
        threads = [
            threading.Thread(
                target=_send,
                args=(AuditSender(each.name, outboxes[each.name], partial(_connect, site, each), now), over),
                name=f"audit to {each.name}",
            )
            for each in settings.audit_repositories
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._stop.is_set():
                more = keeper.turn(time.monotonic())
                self._stop.wait(_MORE_SECONDS if more else min(_TURN_SECONDS, settings.audit.anchor_seconds))
            while keeper.turn(time.monotonic()):
                pass
            keeper.anchor()
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _send(sender: AuditSender, over: threading.Event) -> None:
    pause = 0.0
    while not over.wait(pause):
        try:
            pause = sender.turn()
        except (GatewayError, OSError) as failure:
            _log.error("how far an audit repository is cannot be kept", exc_info=failure)
            pause = _AFTER_FAILURE_SECONDS
    sender.close()


# -- events of the program itself, and of those who read the audit


@contextmanager
def application_audited(settings: Settings) -> Iterator[None]:
    """Tell the audit that the gateway starts, and that it stops (ITI TF-2 3.20.4.1.1.1). Raises FolderUnusable."""
    with open_journal(settings.data_folder, "application") as journal:
        journal.record(_event("application-start", settings.audit.source_id))
        yield
        try:
            journal.record(_event("application-stop", settings.audit.source_id))
        except GatewayError as failure:
            _log.error("the end is not in the journal", exc_info=failure)


@contextmanager
def audit_of(settings: Settings) -> Iterator[AuditStorage]:
    """The audit for an administrator, beside gateways that may be serving. Raises DatabaseUnusable."""
    with open_audit(
        settings.database_url, settings.data_folder, wait_seconds=settings.limits.request_seconds
    ) as storage:
        yield storage


def record_audit_use(settings: Settings, node: str, command: str, note: str, patients: Sequence[str] = ()) -> None:
    """Tell the audit that somebody reads it (Audit Log Used). Raises FolderUnusable, StorageFull."""
    event = _event("audit", node)._replace(objects=(command,), note=note or None, patient_ids=tuple(patients))
    with open_journal(settings.data_folder, f"audit-{os.getpid()}") as journal:
        journal.record(event)


def _event(transaction: str, node: str) -> AuditEvent:
    return AuditEvent(
        at=now(),
        transaction=transaction,
        outcome="success",
        node=node,
        address="local",
        domain="",
        message_id=UuidSource()(),
    )
