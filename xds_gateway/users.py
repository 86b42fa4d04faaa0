"""Users of a mount: settings and certificate files in, an X-Service Provider out (called by wiring.py only)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from lxml import etree

from .actors.ports import AccessJournal, ReplayMemory
from .actors.x_service_provider import AuthenticationPolicy, XServiceProvider
from .config import ConfigurationError, Mount, Settings
from .model.principal import User
from .security.issuers import IssuerKey, Issuers, IssuerUnusable, TrustedIssuer, issuer_keys, trusted_issuer
from .security.libraries import SignatureLibrariesUnusable, check_libraries
from .security.policies import POLICIES
from .security.saml import Circumstances, judge, verify_assertion
from .security.wss import SecuredMessage, check_alone, find_assertion
from .server.live_files import Ending, LiveFiles, Unusable

POLICY: Final = "xua"


class IssuersUnusable(Unusable):
    """Certificates of issuers that cannot be used; the text names table and file."""


class ReadIssuers(NamedTuple):
    """What the certificates of a domain's issuers say together."""

    issuers: Issuers
    endings: tuple[Ending, ...]


LiveIssuers = LiveFiles[ReadIssuers]


def live_issuers(settings: Settings) -> Mapping[str, LiveIssuers]:
    """The issuers of each domain that reads assertions, as their files have them now. Raises IssuersUnusable."""
    found = {}
    for domain in {mount.domain: None for mount in settings.mounts if mount.assertions != "off"}:
        paths = [path for issuer in settings.issuers if issuer.domain == domain for path in issuer.certificates]
        found[domain] = LiveIssuers("issuers", f"domain {domain}", paths, partial(read_issuers, settings, domain))
    return found


def x_service_provider(
    settings: Settings,
    mount: Mount,
    issuers: LiveIssuers | None,
    *,
    replays: ReplayMemory,
    journal: AccessJournal,
    clock: Callable[[], datetime],
    now: Callable[[], str],
) -> XServiceProvider | None:
    """Who authenticates the users of a mount; None for one that reads no assertions."""
    if mount.assertions == "off" or issuers is None:
        return None
    policy = AuthenticationPolicy(
        presence=mount.assertions,
        assertions=POLICIES[POLICY],
        issuers=lambda: issuers.current.issuers,
        audiences=frozenset(settings.domain(mount.domain).audiences),
    )
    return XServiceProvider(policy=policy, replays=replays, journal=journal, clock=clock, now=now)


def judge_user(
    settings: Settings, domain: str, message: SecuredMessage | etree._Element, certificate: bytes | None, now: datetime
) -> User | None:
    """Whom a domain takes a caller for that sends a message, or an assertion alone, now; None without an assertion.

    One use is not counted. `certificate` is that of the connection, DER. Raises AuthenticationRefused, IssuersUnusable.
    """
    policy = POLICIES[POLICY]
    element: etree._Element | None
    if isinstance(message, SecuredMessage):
        element = find_assertion(message, policy.limits, now, policy.skew)
    else:
        element = message
        check_alone(element)
    if element is None:
        return None
    assertion = verify_assertion(element, read_issuers(settings, domain).issuers, policy, now)
    audiences = frozenset(settings.domain(domain).audiences)
    return judge(assertion, policy, Circumstances(now, audiences, certificate))


def check_users(settings: Settings) -> None:
    """See in the parent that assertions can be verified, where a mount reads any. Raises ConfigurationError."""
    if all(mount.assertions == "off" for mount in settings.mounts):
        return
    try:
        check_libraries()
    except SignatureLibrariesUnusable as wrong:
        raise ConfigurationError(str(wrong)) from wrong
    try:
        live_issuers(settings)
    except IssuersUnusable as wrong:
        raise ConfigurationError(str(wrong)) from wrong


def read_issuers(settings: Settings, domain: str) -> ReadIssuers:
    """The issuers that a domain trusts, by name. Raises IssuersUnusable."""
    issuers: dict[str, TrustedIssuer] = {}
    endings: list[Ending] = []
    for number, issuer in enumerate(settings.issuers):
        if issuer.domain == domain:
            read = [(path, key) for path in issuer.certificates for key in _keys(number, path)]
            issuers[issuer.name] = _trusted(number, issuer.name, [key for _, key in read])
            endings += [Ending("issuer", path, issuer.name, key.not_after) for path, key in read]
    return ReadIssuers(issuers, tuple(endings))


def _trusted(number: int, name: str, keys: Sequence[IssuerKey]) -> TrustedIssuer:
    try:
        return trusted_issuer(name, keys)
    except IssuerUnusable as wrong:
        raise IssuersUnusable(f"issuers[{number}] {wrong}: list fewer.") from None


def _keys(number: int, path: Path) -> tuple[IssuerKey, ...]:
    try:
        return issuer_keys(path.read_bytes())
    except OSError as wrong:
        reason = f"cannot be read ({wrong.strerror})"
    except IssuerUnusable as wrong:
        reason = str(wrong)
    raise IssuersUnusable(f"issuers[{number}].certificates: {path} {reason}: correct it, or list another file.")
