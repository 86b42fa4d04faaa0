"""Who calls, and what that caller may see."""

from typing import NamedTuple


class Principal(NamedTuple):
    """A proven caller: the node that holds the TLS certificate, and later the user of an assertion.

    `node` is the subject of the client certificate (RFC 4514) or "anonymous"; `address` the peer's host.
    """

    node: str
    address: str
    certificate_sha256: str | None = None


class AccessFilter(NamedTuple):
    """What one caller may read: storage compiles it into every query, so that counts and limits see only that.

    `domain` is always applied; entries with one of `hidden_confidentiality` (code, coding scheme) are as if absent.
    """

    domain: str
    hidden_confidentiality: tuple[tuple[str, str], ...] = ()


class Call(NamedTuple):
    """One request on its way: who, what they may see, and the names that audit and log use.

    A `dry_run` is judged in full and changes nothing.
    """

    principal: Principal
    access: AccessFilter
    transaction: str
    message_id: str
    dry_run: bool = False
