"""`xds-gateway reset`."""

import getpass
import os
import sys
from pathlib import Path
from typing import Final

import typer

from ..administering import reset_domain
from ..config import Domain, LoadedSettings
from ..model.errors import GatewayError
from .config import read_settings
from .console import output, print_json, shown
from .failures import CommandFailed

KEYS: Final = {
    "domain": "name of the domain that is empty now",
    "removed": "object with how many there were: document_entries, submission_sets, folders, associations, patients, "
    "documents, unsent_audit_events",
}


def reset(config: Path | None, name: str | None, *, yes: bool, as_json: bool) -> None:
    """Empty a domain whose settings allow it."""
    settings = read_settings(config)
    domain = _chosen(settings, name)
    if not yes and (as_json or not (sys.stdin.isatty() and sys.stdout.isatty())):
        raise CommandFailed("usage", "Nothing was removed, because nobody can be asked here: say --yes.")
    if not yes and not typer.confirm(f"Remove everything of the domain {domain.name}?", default=False):
        output().print("Nothing was removed.")
        raise typer.Abort
    try:
        removed = reset_domain(settings, domain, administrator=f"{_user()}, process {os.getpid()}")
    except GatewayError as wrong:
        raise CommandFailed("configuration", str(wrong)) from wrong
    if as_json:
        print_json({"domain": domain.name, "removed": removed})
        return
    told = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in removed.items() if count) or "nothing"
    output().print(f"The domain {shown(domain.name)} is empty; there was {told}.", soft_wrap=True)


def _chosen(settings: LoadedSettings, name: str | None) -> Domain:
    named = [domain for domain in settings.domains if name in (None, domain.name)]
    allowed = [domain for domain in named if domain.allow_reset]
    if len(allowed) == 1:
        return allowed[0]
    if allowed:
        names = ", ".join(domain.name for domain in allowed)
        raise CommandFailed("usage", f"Several domains may be reset: say --domain with one of {names}.")
    if not named:
        raise CommandFailed("usage", f"There is no domain {name}: write one of the settings.")
    raise CommandFailed(
        "configuration",
        f"The settings do not allow a reset of {named[0].name}: a domain for tests has allow_reset = true.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return f"user {os.getuid()}"
