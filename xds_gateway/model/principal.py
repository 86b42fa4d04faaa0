"""Who calls, and what that caller may do."""

from typing import Literal, NamedTuple

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


class NodeIdentity(NamedTuple):
    """Whom a client certificate is of, as the row of its family reads it (`security/certificate_families.py`)."""

    kind: Literal["person", "structure", "software"]
    identifier: str
    name: str | None
    family: str


class Principal(NamedTuple):
    """A proven caller: the node that holds the TLS certificate, and the user of an assertion, if there was one.

    `node` is the subject of the client certificate (RFC 4514) or "anonymous", `identity` what its family's row makes
    of it; `address` the peer's host.
    """

    node: str
    address: str
    certificate_sha256: str | None = None
    user: User | None = None
    identity: NodeIdentity | None = None


# -- what a caller may do

Pair = tuple[str, str]  # (code, coding scheme)
Consent = Literal["regardless", "unless opposed", "if permitted"]  # of the patient's consents


class Permit(NamedTuple):
    """One way in which a document is permitted: all that is said here holds for it.

    Of `confidentiality` the document has at least one code, and no other; None asks nothing, not even for a code. It
    has one of `class_codes` or `type_codes`; both empty ask nothing. `organization` is one of its authors'.
    """

    confidentiality: tuple[Pair, ...] | None = None
    class_codes: tuple[Pair, ...] = ()
    type_codes: tuple[Pair, ...] = ()
    organization: str | None = None
    consent: Consent = "unless opposed"


class AccessFilter(NamedTuple):
    """The documents on which one caller may act: storage compiles it into every query, so that counts see only those.

    `domain` always counts. A document is permitted when one of `permits` is its; there may be none at all. `patient`
    is the only one whose documents count, None for any. `grantees` are the names that consents may call the caller by,
    `break_glass` tells an emergency, `at` is the time that consents are in force at (YYYYMMDDhhmmss, UTC).
    `rows` names the rows of the matrix that the permits come from, for the audit.
    """

    domain: str
    permits: tuple[Permit, ...]
    patient: PatientId | None = None
    grantees: tuple[str, ...] = ()
    break_glass: bool = False
    at: int = 0
    rows: tuple[str, ...] = ()

    @classmethod
    def everything(cls, domain: str) -> "AccessFilter":
        """All documents of a domain, whatever their patients say."""
        return cls(domain=domain, permits=(Permit(consent="regardless"),))

    @property
    def is_everything(self) -> bool:
        """Whether each document is permitted, as far as no consent stands against it."""
        return self.patient is None and any(
            permit[:4] == Permit()[:4] and permit.consent != "if permitted" for permit in self.permits
        )


class Access(NamedTuple):
    """What one caller may do: for each action the documents that it is permitted on.

    `feed` is about patients: it is permitted, or it is not.
    """

    find: AccessFilter
    retrieve: AccessFilter
    submit: AccessFilter
    replace: AccessFilter
    update: AccessFilter
    remove: AccessFilter
    feed: AccessFilter

    @classmethod
    def alike(cls, documents: AccessFilter) -> "Access":
        """All actions on these documents."""
        return cls(*[documents] * len(cls._fields))

    @classmethod
    def nothing(cls, domain: str) -> "Access":
        """No action on any document: a caller of whom nothing is proven yet."""
        return cls.alike(AccessFilter(domain=domain, permits=()))

    @classmethod
    def everything(cls, domain: str) -> "Access":
        """All actions on all documents of a domain."""
        return cls.alike(AccessFilter.everything(domain))

    @property
    def domain(self) -> str:
        """The domain that all of it is about."""
        return self.find.domain

    @property
    def patient(self) -> PatientId | None:
        """The only patient that the caller acts for, None for any."""
        return self.find.patient


class Call(NamedTuple):
    """One request on its way: who, what they may do, and the names that audit and log use.

    A `dry_run` is judged in full and changes nothing.
    """

    principal: Principal
    access: Access
    transaction: str
    message_id: str
    dry_run: bool = False
