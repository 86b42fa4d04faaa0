"""Processes: a parent that prepares, binds and watches; workers that serve. Nothing outlives its parent.

The parent forks before it opens a database or a thread. A worker that dies is replaced; when the parent dies, its
workers see the end of a pipe, stop listening at once and end.
"""

import asyncio
import logging
import math
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvloop

from .access_files import check_access
from .audit_wiring import AuditKeeping, application_audited, check_audit
from .clock import clock
from .config import ConfigurationError, Port, Settings, ports
from .domains import prepare
from .limits import mllp_limits, serving_limits
from .model.errors import GatewayError
from .nodes import expiry_warnings, listener_socket, tls_files
from .server.listening import HttpServer, bind
from .server.logs import start_log
from .server.mllp import MllpServer
from .server.receiving import Run
from .server.tap import Tap
from .server.tls import TlsUnusable, load_tls
from .server.watching import FileWatch
from .users import check_users
from .value_set_files import load_value_sets
from .wiring import Gateway, build, check_hooks

_log = logging.getLogger("xds_gateway.serving")
_BIND_SECONDS: Final = 5.0  # workers of a parent that was killed let go of the port within this time
_LAST_SECONDS: Final = 5.0  # what a worker may need to close after its last request
_DEATHS: Final = (5, 10.0)  # so many deaths of workers in so many seconds end the gateway
_SWEEP_SECONDS: Final = 600.0
_ORPHAN_SECONDS: Final = 3600.0  # a document that no entry names is deleted after this time


class Supervisor:
    """The parent process."""

    def __init__(self, settings: Settings, on_ready: Callable[[Settings], None]) -> None:
        """`on_ready` is called once with the settings as served (real ports) when every worker serves."""
        self._settings = settings
        self._on_ready = on_ready
        self._workers: dict[int, int] = {}
        self._deaths: list[float] = []
        self._stopping = False
        self._at_terminal = os.isatty(0)
        self._patience = math.inf  # when workers that were told to end are killed

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit status. Raises ConfigurationError."""
        os.umask(0o077)  # patients' data: nobody but the gateway's own user reads it
        _allow_descriptors(self._settings.limits.connections)
        check_hooks(self._settings)
        check_users(self._settings)
        check_audit(self._settings)
        check_access(self._settings)
        prepare(self._settings)
        load_value_sets(self._settings)
        self._check_tls()
        listening = [listener for _, listener in ports(self._settings)]
        _warn_of_plain_listeners(listening)
        sockets = [_bound(listener) for listener in listening]
        self._settings = with_ports(self._settings, sockets)
        self._alive_read, self._alive_write = os.pipe()
        self._ready_read, self._ready_write = os.pipe()
        handlers = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._reload}
        previous = {name: signal.signal(name, handler) for name, handler in handlers.items()}
        try:
            with application_audited(self._settings):
                for number in range(self._settings.workers):
                    self._fork(number, sockets)
                return self._watch(sockets)
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)
            for bound in sockets:
                bound.close()
            for descriptor in (self._alive_read, self._alive_write, self._ready_read, self._ready_write):
                os.close(descriptor)

    def _check_tls(self) -> None:
        for place, listener in ports(self._settings):
            try:
                load_tls(tls_files(listener))
            except TlsUnusable as wrong:
                raise ConfigurationError(
                    f"The TLS files of {place} do not serve: {wrong}. Give a PEM certificate, its own key, the "
                    "authorities of the clients and their revocation lists."
                ) from wrong

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        self._patience = time.monotonic() + self._settings.limits.shutdown_seconds + _LAST_SECONDS
        self._signal(signal.SIGTERM)

    def _reload(self, number: int, frame: object) -> None:
        """SIGHUP: workers read their files of certificates again; from a terminal that is gone it means the end."""
        if self._at_terminal and not os.isatty(0):
            self._stop(number, frame)
        else:
            self._signal(signal.SIGHUP)

    def _signal(self, name: signal.Signals) -> None:
        for process in self._workers:
            os.kill(process, name)

    def _fork(self, number: int, sockets: Sequence[socket.socket]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            status = 1
            try:
                os.close(self._alive_write)
                status = work(self._settings, number, sockets, self._alive_read, self._ready_write)
            except Exception as failure:  # noqa: BLE001 - nobody else would tell why there is no worker
                _log.critical("worker failed", exc_info=failure, extra={"worker": number})
            finally:
                os._exit(status)
        self._workers[process] = number

    def _watch(self, sockets: Sequence[socket.socket]) -> int:
        waiting = self._settings.workers
        while self._workers:
            if waiting and select.select([self._ready_read], [], [], 0.02)[0]:
                waiting -= len(os.read(self._ready_read, 64))
                if waiting == 0:
                    self._on_ready(self._settings)
            if time.monotonic() > self._patience:
                _log.critical("workers that do not end are killed", extra={"workers": list(self._workers)})
                self._patience = math.inf
                self._signal(signal.SIGKILL)
            process, status = os.waitpid(-1, os.WNOHANG)
            if process:
                self._buried(process, status, sockets)
            elif not waiting:
                time.sleep(0.1)
        return 0 if self._stopping else 1

    def _buried(self, process: int, status: int, sockets: Sequence[socket.socket]) -> None:
        number = self._workers.pop(process)
        if self._stopping:
            return
        _log.critical("worker died", extra={"worker": number, "status": os.waitstatus_to_exitcode(status)})
        moment = time.monotonic()
        self._deaths = [death for death in self._deaths if moment - death < _DEATHS[1]] + [moment]
        if len(self._deaths) < _DEATHS[0]:
            self._fork(number, sockets)
        else:
            _log.critical("workers keep dying: giving up")
            self._signal(signal.SIGTERM)


def _allow_descriptors(connections: int) -> None:
    """Let a worker have a descriptor for each connection and as many files, as far as the system permits."""
    wanted = 2 * connections + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
        if allowed < wanted:
            _log.warning(
                "fewer descriptors than limits.connections needs", extra={"allowed": allowed, "wanted": wanted}
            )


def _warn_of_plain_listeners(listeners: Sequence[Port]) -> None:
    for listener in listeners:
        if listener.tls == "off" and not listener.loopback:
            _log.warning(
                "NO TLS: health data crosses the network in clear, anyone may read and change it",
                extra={"host": listener.host, "port": listener.port},
            )


def _bound(listener: Port) -> socket.socket:
    until = time.monotonic() + _BIND_SECONDS
    while True:
        try:
            return bind(listener.host, listener.port)
        except OSError as failure:
            if time.monotonic() > until:
                raise ConfigurationError(
                    f"Port {listener.port} of {listener.host} cannot be listened on ({failure.strerror}): "
                    "stop the program that has it, or set another port."
                ) from failure
            time.sleep(0.1)


def with_ports(settings: Settings, sockets: Sequence[socket.socket]) -> Settings:
    """The settings with the ports that were really taken, in listeners, feeds and in a derived public_url.

    `sockets` are those of the listeners, then those of the feeds.
    """
    taken = [
        listener.model_copy(update={"port": bound.getsockname()[1]})
        for (_, listener), bound in zip(ports(settings), sockets, strict=True)
    ]
    listeners, feeds = tuple(taken[: len(settings.listeners)]), tuple(taken[len(settings.listeners) :])
    derived = settings.public_url == settings.listeners[0].url
    public_url = listeners[0].url if derived else settings.public_url
    return settings.model_copy(update={"listeners": listeners, "feeds": feeds, "public_url": public_url})


def work(settings: Settings, number: int, sockets: Sequence[socket.socket], alive: int, ready: int) -> int:
    """One worker: serve until told to stop, or until the parent is gone; returns the exit status."""
    start_log(settings.log.level)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until the loop listens to it; not the parent's handler
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to read again
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, number, sockets, alive, ready))


async def _serve(settings: Settings, number: int, sockets: Sequence[socket.socket], alive: int, ready: int) -> int:
    gateway = build(settings, number)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(alive, stop.set)
    keeping = AuditKeeping(settings)
    keeping.start()
    tap = _tap(settings.wire_log.folder)
    bound = [listener_socket(place, each, sock) for (place, each), sock in zip(ports(settings), sockets, strict=True)]
    listeners, fed = bound[: len(settings.listeners)], bound[len(settings.listeners) :]
    feeds = _feeds(settings, gateway, tap)
    for feed, listener in zip(feeds, fed, strict=True):
        await feed.start(listener)
    http = HttpServer(
        gateway.application, serving_limits(settings.limits), tap=tap, tell=gateway.failures.note, now=clock
    )
    await http.start(listeners)
    watch = FileWatch(
        [*(each.tls for each in bound), *gateway.issuers],
        [http.recheck, *(feed.recheck for feed in feeds)],
        run=gateway.workers.run_apart,
        now=clock,
        seconds=settings.certificates.watch_seconds,
        warnings=expiry_warnings(settings) if number == 0 else None,
    )
    loop.add_signal_handler(signal.SIGHUP, watch.ask)
    beside = [
        loop.create_task(_sweep(gateway.sweep, gateway.workers.run_apart)),
        loop.create_task(watch.watch()),
        loop.create_task(gateway.failures.tell()),
    ]
    _announce(ready)
    await stop.wait()
    await asyncio.gather(http.finish(), *(feed.finish() for feed in feeds))
    loop.remove_reader(alive)
    for task in beside:
        task.cancel()
    await gateway.failures.finish()
    await loop.run_in_executor(None, gateway.close)
    await loop.run_in_executor(None, keeping.close)
    return 0


def _feeds(settings: Settings, gateway: Gateway, tap: Tap | None) -> Sequence[MllpServer]:
    return [
        MllpServer(
            pipeline,
            mllp_limits(feed, settings.limits),
            tap=tap,
            tell=gateway.failures.note,
            now=clock,
            identify=gateway.identify,
        )
        for pipeline, feed in zip(gateway.feeds, settings.feeds, strict=True)
    ]


def _announce(ready: int) -> None:
    os.write(ready, b".")


def _tap(folder: Path | None) -> Tap | None:
    if folder is None:
        return None
    _log.warning(
        "the wire log is ON: every message is written whole, patient data included", extra={"folder": str(folder)}
    )
    return Tap(folder)


async def _sweep(sweep: Callable[[float], int], run: Run) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            swept = await run(sweep, _ORPHAN_SECONDS)
        except GatewayError as failure:  # a busy or full disk: the next turn finds what this one has left
            _log.error("sweep failed", exc_info=failure)
            continue
        if swept:
            _log.info("swept documents that no entry names", extra={"documents": swept})
