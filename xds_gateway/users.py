"""Users of a mount: settings and certificate files in, an X-Service Provider out (called by wiring.py only)."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from .actors.ports import AccessJournal, ReplayMemory
from .actors.x_service_provider import AuthenticationPolicy, XServiceProvider
from .config import ConfigurationError, Issuer, Mount, Settings
from .security.issuers import IssuerKey, Issuers, IssuerUnusable, TrustedIssuer, issuer_keys, trusted_issuer
from .security.libraries import SignatureLibrariesUnusable, check_libraries
from .security.policies import POLICIES

POLICY: Final = "xua"


def x_service_provider(
    settings: Settings,
    mount: Mount,
    *,
    replays: ReplayMemory,
    journal: AccessJournal,
    clock: Callable[[], datetime],
    now: Callable[[], str],
) -> XServiceProvider | None:
    """Who authenticates the users of a mount; None for one that reads no assertions. Raises ConfigurationError."""
    if mount.assertions == "off":
        return None
    policy = AuthenticationPolicy(
        presence=mount.assertions,
        assertions=POLICIES[POLICY],
        issuers=issuers_of(settings, mount.domain),
        audiences=frozenset(settings.domain(mount.domain).audiences),
    )
    return XServiceProvider(policy=policy, replays=replays, journal=journal, clock=clock, now=now)


def check_users(settings: Settings) -> None:
    """See in the parent that assertions can be verified, where a mount reads any. Raises ConfigurationError."""
    domains = {mount.domain for mount in settings.mounts if mount.assertions != "off"}
    if not domains:
        return
    try:
        check_libraries()
    except SignatureLibrariesUnusable as wrong:
        raise ConfigurationError(str(wrong)) from wrong
    for domain in domains:
        issuers_of(settings, domain)


def issuers_of(settings: Settings, domain: str) -> Issuers:
    """The issuers that a domain trusts, by name. Raises ConfigurationError for certificates that cannot be used."""
    loaded = [_load(number, issuer) for number, issuer in enumerate(settings.issuers) if issuer.domain == domain]
    return {issuer.name: issuer for issuer in loaded}


def _load(number: int, issuer: Issuer) -> TrustedIssuer:
    read = [key for path in issuer.certificates for key in _keys(number, path)]
    try:
        return trusted_issuer(issuer.name, read)
    except IssuerUnusable as wrong:
        raise ConfigurationError(f"issuers[{number}] {wrong}: list fewer.") from None


def _keys(number: int, path: Path) -> tuple[IssuerKey, ...]:
    try:
        return issuer_keys(path.read_bytes())
    except OSError as wrong:
        reason = f"cannot be read ({wrong.strerror})"
    except IssuerUnusable as wrong:
        reason = str(wrong)
    raise ConfigurationError(f"issuers[{number}].certificates: {path} {reason}: correct it, or list another file.")
