"""Who calls, and what that caller may see."""

from typing import NamedTuple

from .identifiers import PatientId


class Coded(NamedTuple):
    """A coded value of an assertion, such as a role or a purpose of use (ITI TF-2 3.40.4.1.2)."""

    code: str
    scheme: str
    display: str | None = None


class User(NamedTuple):
    """Who acts at the node, as a verified assertion says (ITI TF-2 3.40.4.1.2).

    `alias` is SPProvidedID, `name` the subject-id; `patient_id` is the resource-id, the only patient the assertion is
    for.
    """

    name_id: str
    issuer: str
    assertion_id: str
    alias: str | None = None
    name: str | None = None
    organization: str | None = None
    organization_id: str | None = None
    roles: tuple[Coded, ...] = ()
    purposes: tuple[Coded, ...] = ()
    patient_id: PatientId | None = None

    @property
    def audited(self) -> str:
        """The user as audit messages name it: alias<user@issuer> (ITI TF-2 3.40.4.2)."""
        return f"{self.alias or ''}<{self.name_id}@{self.issuer}>"


class Principal(NamedTuple):
    """A proven caller: the node that holds the TLS certificate, and the user of an assertion, if there was one.

    `node` is the subject of the client certificate (RFC 4514) or "anonymous"; `address` the peer's host.
    """

    node: str
    address: str
    certificate_sha256: str | None = None
    user: User | None = None


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
