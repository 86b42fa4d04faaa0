"""`xds-gateway serve`."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .. import __version__
from ..config import ConfigurationError, LoadedSettings, Settings, check_files
from ..model.errors import GatewayError
from ..server.logs import start_log
from ..serving import Supervisor
from .config import misconfigured, read_settings
from .console import output, print_json
from .failures import CommandFailed

KEYS: Final = {
    "event": '"ready": one line, when every worker is ready',
    "version": "of xds-gateway",
    "process": "process id to send SIGTERM to",
    "workers": "number of worker processes",
    "endpoints": "list of objects with mount, domain, registry, repository (the addresses that the WSDLs tell too)",
    "listeners": "list of objects with url, tls",
    "data_folder": "where documents and journal are",
}


def serve(config: Path | None, *, as_json: bool) -> int:
    """Serve until told to stop; returns the exit status. Raises CommandFailed for what cannot work."""
    settings = read_settings(config)
    start_log(settings.log.level)

    def on_ready(served: Settings) -> None:
        with suppress(BrokenPipeError):  # nobody reads: serving goes on
            if as_json:
                print_json(ready(served), indent=None)
            else:
                _greet(served, settings, config)

    try:
        check_files(settings)
        return Supervisor(settings, on_ready).run()
    except ConfigurationError as wrong:
        raise misconfigured(wrong) from wrong
    except GatewayError as wrong:  # the database: each of its failures is a sentence that says what to do
        raise CommandFailed("configuration", str(wrong)) from wrong


def ready(served: Settings) -> dict[str, Any]:
    """What a program that starts a gateway wants to know."""
    return {
        "event": "ready",
        "version": __version__,
        "process": os.getpid(),
        "workers": served.workers,
        "endpoints": [
            {
                "mount": mount.path,
                "domain": mount.domain,
                "registry": f"{served.public_url}{mount.path}/registry",
                "repository": f"{served.public_url}{mount.path}/repository",
            }
            for mount in served.mounts
        ],
        "listeners": [{"url": listener.url, "tls": listener.tls} for listener in served.listeners],
        "data_folder": served.data_folder,
    }


def _greet(served: Settings, settings: LoadedSettings, config: Path | None) -> None:
    from .greeting import greeting

    output().print(greeting(served, settings, config), soft_wrap=True)
