"""Domains: what the settings say of one, and its storage made ready."""

from pathlib import Path

from .actors.feed_policy import FeedPolicy
from .config import Domain, Settings
from .model.datatypes import Code
from .rules.engine import Profile
from .rules.ihe import IHE
from .storage.database import migrate

PROFILES: dict[str, Profile] = {"ihe": IHE}


def feed_policy(domain: Domain) -> FeedPolicy:
    """Whose identifiers a domain takes from feeds and administrators."""
    names = dict(name.rsplit("=", 1) for name in domain.authority_names)
    code, display, scheme = domain.link_change_code.split("^")
    return FeedPolicy(
        domain=domain.name,
        authorities=frozenset(domain.assigning_authorities),
        names=names,
        patients_open=domain.patients == "open",
        link_change_code=Code(code, scheme, display),
        link_change_source=domain.link_change_source,
    )


def prepare(settings: Settings) -> None:
    """Make folders and bring the database to this release's schema: once, in the parent, before workers start."""
    Path(settings.data_folder).mkdir(parents=True, exist_ok=True)
    migrate(settings.database_url)
