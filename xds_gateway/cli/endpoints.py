"""`xds-gateway endpoints`."""

from pathlib import Path
from typing import Any, Final

from rich.table import Table

from ..codec.transactions import TRANSACTIONS
from ..config import Mount, Settings
from .config import read_settings
from .console import output, print_json, shown
from .failures import CommandFailed

KEYS: Final = {
    "mounts": "list of objects, one for each mount: mount, domain, metadata, authentication, repository_unique_id, "
    "home_community_id, assigning_authorities, and transactions, an object of the address of each by its name",
    "feeds": "list of objects with url (mllp or mllps), tls, domain: where ITI-8 and ITI-64 are taken",
}


def endpoints(config: Path | None, *, as_json: bool) -> None:
    """Tell the address of each transaction, as the settings have it; no gateway is asked."""
    settings = read_settings(config)
    derived = settings.public_url == settings.listeners[0].url
    if any(listener.port == 0 for listener in (*(settings.listeners[:1] if derived else ()), *settings.feeds)):
        raise CommandFailed(
            "configuration", "A port is 0, any free one: `xds-gateway serve --json` tells the port that it took."
        )
    feeds = [{"url": feed.url, "tls": feed.tls, "domain": feed.domain} for feed in settings.feeds]
    mounts = [_mount(settings, mount) for mount in settings.mounts]
    if as_json:
        print_json({"mounts": mounts, "feeds": feeds})
        return
    for mount in mounts:
        _show(mount)
    for feed in feeds:
        output().print(f"ITI-8, ITI-64: {feed['url']}, patients of the domain {feed['domain']}", soft_wrap=True)


def _mount(settings: Settings, mount: Mount) -> dict[str, Any]:
    domain = settings.domain(mount.domain)
    return {
        "mount": mount.path,
        "domain": domain.name,
        "metadata": mount.metadata,
        "authentication": mount.authentication,
        "repository_unique_id": domain.repository_unique_id,
        "home_community_id": domain.home_community_id,
        "assigning_authorities": domain.assigning_authorities,
        "transactions": {row.name: f"{settings.public_url}{mount.path}/{row.endpoint}" for row in TRANSACTIONS},
    }


def _show(mount: dict[str, Any]) -> None:
    console = output()
    console.print(f"{mount['mount']}: domain {mount['domain']}, {mount['metadata']} metadata", soft_wrap=True)
    table = Table.grid(padding=(0, 3, 0, 2))
    for name, address in mount["transactions"].items():
        table.add_row(name, shown(address))
    table.add_row("repositoryUniqueId", mount["repository_unique_id"])
    table.add_row("homeCommunityId", mount["home_community_id"] or "none")
    table.add_row("authorities", ", ".join(mount["assigning_authorities"]) or "all")
    console.print(table)
