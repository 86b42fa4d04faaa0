"""`xds-gateway serve`."""

import os
import sys
from pathlib import Path
from typing import Any, Final

from .. import __version__
from ..config import ConfigurationError, LoadedSettings, Settings, check_files
from ..model.errors import GatewayError
from ..server.logs import start_log
from ..serving import Supervisor
from .config import misconfigured, read_settings
from .console import output, print_json
from .ending import ending_on_sigterm
from .failures import CommandFailed, Status

KEYS: Final = {
    "event": '"ready": one line, when every worker is ready',
    "version": "of xds-gateway",
    "process": "process id to send SIGTERM to",
    "workers": "number of worker processes",
    "endpoints": "list of objects with mount, domain, registry, repository, responder (addresses as in the WSDLs)",
    "listeners": "list of objects with url, tls",
    "feeds": "list of objects with url (mllp or mllps), tls, domain",
    "data_folder": "where documents and journal are",
}


def serve(config: Path | None, *, as_json: bool) -> int:
    """Serve until told to stop; returns the exit status. Raises CommandFailed for what cannot work."""
    with ending_on_sigterm(Status.DONE):  # until the supervisor takes it over
        settings = read_settings(config)
        start_log(settings.log.level)
        try:
            check_files(settings)
            return Supervisor(settings, lambda served: _announce(served, settings, config, as_json=as_json)).run()
        except ConfigurationError as wrong:
            raise misconfigured(wrong) from wrong
        except GatewayError as wrong:  # the database: each of its failures is a sentence that says what to do
            raise CommandFailed("configuration", str(wrong)) from wrong
        except KeyboardInterrupt:
            return Status.DONE


def _announce(served: Settings, settings: LoadedSettings, config: Path | None, *, as_json: bool) -> None:
    try:
        if as_json:
            print_json(ready(served), indent=None)
        else:
            from .greeting import greeting

            output().print(greeting(served, settings, config), soft_wrap=True)
            sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes the second of the first: nobody reads, serving goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
                "responder": f"{served.public_url}{mount.path}/responder",
            }
            for mount in served.mounts
        ],
        "listeners": [{"url": listener.url, "tls": listener.tls} for listener in served.listeners],
        "feeds": [{"url": feed.url, "tls": feed.tls, "domain": feed.domain} for feed in served.feeds],
        "data_folder": served.data_folder,
    }
