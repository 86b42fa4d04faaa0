"""Assertions that we sign ourselves, from a profile: for those who have no identity provider (ITI TF-2 3.40.4.1.2)."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.serialization import Encoding

from ..codec.saml import render_assertion
from ..config import ConfigurationError
from ..config.assertion_profile import AssertionProfile, load_assertion_profile
from ..model import assertions as a
from ..model.assertions import Assertion, Attribute, AttributeValue, Confirmation
from ..model.principal import Coded
from ..security.keys import Signer, UnusableKey, read_certificate
from ..security.signing import sign_assertion
from .errors import KeyUnavailable, Misconfigured
from .keys import open_key, read_file

_MARGIN: Final = timedelta(seconds=30)  # at least this long, or a fifth of its life, an assertion that is sent is valid
_METHODS: Final = {"bearer": a.BEARER, "holder-of-key": a.HOLDER_OF_KEY}


class SignedAssertion(NamedTuple):
    """An assertion, and its XML with the signature."""

    assertion: Assertion
    xml: bytes


class AssertionSource:
    """Signed assertions of one profile: calling it gives one to send now, the same again while it is fresh.

    May be shared by threads.
    """

    def __init__(
        self,
        profile: AssertionProfile,
        signer: Signer,
        *,
        client_certificate: bytes | None = None,
        patient: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_uuid: Callable[[], UUID] = uuid4,
    ) -> None:
        """`client_certificate` in DER is the holder's key; `patient` as CX is the only one the assertions are for.

        Raises Misconfigured for holder-of-key without a certificate.
        """
        if profile.confirmation == "holder-of-key" and client_certificate is None:
            raise Misconfigured('the profile says confirmation = "holder-of-key": say which client certificate')
        self._profile = profile
        self._signer = signer
        self._holder = client_certificate if profile.confirmation == "holder-of-key" else None
        self._patient = patient
        self._clock = clock
        self._new_uuid = new_uuid
        self._lock = threading.Lock()
        self._kept: SignedAssertion | None = None

    def __call__(self) -> bytes:
        """An assertion for one call. Raises KeyUnavailable."""
        with self._lock:
            if self._kept is None or not self._is_fresh(self._kept.assertion):
                self._kept = self.new()
            return self._kept.xml

    def new(self) -> SignedAssertion:
        """An assertion that was never given before. Raises KeyUnavailable."""
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        assertion = make_assertion(
            self._profile, now, f"_{self._new_uuid().hex}", patient=self._patient, holder=self._holder
        )
        try:
            certificate = read_certificate(self._signer.certificate)
            if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
                raise KeyUnavailable(
                    f"the certificate of the issuer's key is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
                    f"{certificate.not_valid_after_utc:%Y-%m-%d} only: make a new one, and have the gateway trust both"
                )
            return SignedAssertion(assertion, sign_assertion(render_assertion(assertion), self._signer))
        except UnusableKey as wrong:
            raise KeyUnavailable(str(wrong)) from wrong

    def changed(
        self, *, patient: str | None = None, purposes: Sequence[Coded] = (), roles: Sequence[Coded] = ()
    ) -> "AssertionSource":
        """The same for one patient, as CX, for other purposes of use, such as an emergency, or in other roles.

        >>> source.changed(patient="42^^^&1.2.3&ISO")                                              # doctest: +SKIP
        """
        profile = self._profile.model_copy(update={"purposes": tuple(purposes)}) if purposes else self._profile
        if roles:
            subject = profile.subject.model_copy(update={"roles": tuple(roles)})
            profile = profile.model_copy(update={"subject": subject})
        return AssertionSource(
            profile,
            self._signer,
            client_certificate=self._holder,
            patient=patient or self._patient,
            clock=self._clock,
            new_uuid=self._new_uuid,
        )

    def _is_fresh(self, assertion: Assertion) -> bool:
        if assertion.one_time_use or assertion.not_on_or_after is None:
            return False
        life = assertion.not_on_or_after - assertion.issue_instant
        return assertion.issue_instant <= self._clock() < assertion.not_on_or_after - min(_MARGIN, life / 5)


def read_assertion_profile(
    path: Path, *, client_certificate: Path | None = None, environ: Mapping[str, str] = os.environ
) -> AssertionSource:
    """The source of a profile's TOML file; `client_certificate` is that of the connection, for holder-of-key.

    `environ` are the variables that a password may be in. Raises Misconfigured that names what is wrong.

    >>> Gateway(..., assertion=read_assertion_profile(Path("feeder.toml")))                          # doctest: +SKIP
    """
    try:
        profile = load_assertion_profile(path)
        holder = read_certificate(read_file(client_certificate)) if client_certificate else None
    except ConfigurationError as wrong:
        raise Misconfigured(str(wrong)) from wrong
    except UnusableKey as wrong:
        raise Misconfigured(f"{client_certificate} cannot be used: {wrong}") from wrong
    signer = open_key(profile.key, environ)
    return AssertionSource(profile, signer, client_certificate=holder.public_bytes(Encoding.DER) if holder else None)


def make_assertion(
    profile: AssertionProfile,
    now: datetime,
    identifier: str,
    *,
    patient: str | None = None,
    holder: bytes | None = None,
) -> Assertion:
    """What a profile says at an instant in UTC, for a patient as CX; NotBefore is the issue instant (3.40.4.1.2)."""
    until = now + timedelta(minutes=profile.minutes)
    method = _METHODS[profile.confirmation]
    return Assertion(
        id=identifier,
        issuer=profile.issuer,
        issue_instant=now,
        name_id=profile.subject.name_id,
        name_id_format=profile.subject.name_id_format,
        sp_provided_id=profile.subject.alias,
        confirmations=(Confirmation(method, not_on_or_after=until, certificate=holder),),
        not_before=now,
        not_on_or_after=until,
        audiences=(profile.audiences,),
        one_time_use=profile.one_time_use,
        authn_instant=now,
        authn_context=profile.authn_context,
        attributes=tuple(_attributes(profile, patient)),
    )


def _attributes(profile: AssertionProfile, patient: str | None) -> list[Attribute]:
    subject = profile.subject
    told: dict[str, tuple[AttributeValue | None, ...]] = {
        a.SUBJECT_ID: (subject.name,),
        a.ORGANIZATION: (subject.organization,),
        a.ORGANIZATION_ID: (subject.organization_id,),
        a.HOME_COMMUNITY_ID: (subject.home_community_id,),
        a.NPI: (subject.npi,),
        a.ROLE: subject.roles,
        a.PURPOSE_OF_USE: profile.purposes,
        a.RESOURCE_ID: (patient,),
    }
    read = {name: tuple(value for value in values if value is not None) for name, values in told.items()}
    return [Attribute(name, values) for name, values in read.items() if values]
