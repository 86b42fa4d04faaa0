"""Assertion profiles: who signs assertions for whom, read from a TOML file of its own (docs/assertion-profile.md)."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError

from ..model.principal import Coded
from .mistakes import ConfigurationError, sentences
from .sources import resolved
from .unknown import unknown_keys
from .values import OidUrn, Section, Unit

PROFILE_PAGE: Final = "docs/assertion-profile.md"


def _coded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    code, _, rest = value.partition("^")
    display, _, scheme = rest.partition("^")
    if not code or not scheme:
        raise ValueError("write CODE^DISPLAY^SCHEME, such as 309343006^Physician^2.16.840.1.113883.6.96")
    return Coded(code, scheme, display or None)


Text = Annotated[str, Field(min_length=1)]
Code = Annotated[Coded, BeforeValidator(_coded)]


class Subject(Section):
    """The user: a person, or the program that feeds."""

    name_id: Text = Field(description="NameID: how the issuer names the user.")
    name_id_format: Text | None = Field(default=None, description="Format of the NameID, a URI.")
    alias: Text | None = Field(default=None, description="SPProvidedID; audit events name the user with it.")
    name: Text | None = Field(default=None, description="Name in plain text (subject-id).")
    organization: Text | None = Field(default=None, description="Organization in plain text.")
    organization_id: Text | None = Field(default=None, description="The same as urn:oid:... or URL.")
    home_community_id: OidUrn | None = Field(default=None, description="homeCommunityId of the user's community.")
    npi: Text | None = Field(default=None, description="National provider identifier.")
    roles: tuple[Code, ...] = Field(default=(), description="Roles, each as CODE^DISPLAY^SCHEME.")


class Key(Section):
    """The key that signs: a `file`, a `pkcs12`, or on a token of a `module`; files that only their owner may open."""

    file: Path | None = Field(default=None, description="PEM or DER file of the private key.")
    certificate: Path | None = Field(
        default=None, description="Its certificate, PEM or DER; of a token's key by default the one on the token."
    )
    pkcs12: Path | None = Field(default=None, description="PKCS #12 file of key and certificate.")
    module: Path | None = Field(default=None, description="Library of a PKCS #11 token, such as libsofthsm2.so.")
    token: Text | None = Field(default=None, description="Label of the token.")
    label: Text | None = Field(default=None, description="Label of the key on the token.")
    password_file: Path | None = Field(
        default=None, description="File of the password, or of the token's PIN; the end of its line does not count."
    )
    password_variable: Text | None = Field(default=None, description="Environment variable of the same.")


class AssertionProfile(Section):
    """What the assertions say, beside the patient of a call."""

    issuer: Text = Field(description="Issuer, as the gateway's settings name it.")
    audiences: tuple[Text, ...] = Field(
        description="URIs of the services that the assertions are for; one of them must be the gateway's."
    )
    minutes: Annotated[float, Field(gt=0, le=1440), Unit("minutes")] = Field(
        default=5, description="How long an assertion is valid, from its issue instant."
    )
    purposes: tuple[Code, ...] = Field(
        default=(), description="Purposes of use, each as CODE^DISPLAY^SCHEME; a call may name others."
    )
    confirmation: Literal["bearer", "holder-of-key"] = Field(
        default="bearer",
        description='"bearer" is for whoever presents the assertion, "holder-of-key" binds it to the client '
        "certificate of the connection.",
    )
    one_time_use: bool = Field(default=False, description="Sign a new assertion, for one use, for every call.")
    authn_context: Text = Field(
        default="urn:oasis:names:tc:SAML:2.0:ac:classes:X509",
        description="How the user was authenticated, as AuthnContextClassRef.",
    )
    subject: Subject
    key: Key


def load_assertion_profile(path: Path) -> AssertionProfile:
    """The profile of a file; relative paths are taken from its folder. Raises ConfigurationError."""
    tree = _read(path)
    unknown = tuple(unknown_keys(tree, AssertionProfile, path))
    if unknown:
        raise ConfigurationError(*(each.replace("docs/settings.md", PROFILE_PAGE) for each in unknown))
    try:
        profile = AssertionProfile(**resolved(tree, path.parent, AssertionProfile))
    except ValidationError as error:
        raise ConfigurationError(*(f"{path}: {each}" for each in sentences(error, {}))) from None
    problems = tuple(_conflicts(profile))
    if problems:
        raise ConfigurationError(*(f"{path}: {each}" for each in problems))
    return profile


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"The assertion profile {path} cannot be read ({error.strerror}): correct its path or make it."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"The assertion profile {path} is not TOML: {error}.") from error


def _conflicts(profile: AssertionProfile) -> Iterator[str]:
    key = profile.key
    if not profile.audiences:
        yield "audiences is empty: write the URI of the gateway's service."
    if sum(each is not None for each in (key.file, key.pkcs12, key.module)) != 1:
        yield "[key] names no key, or several: write one of file, pkcs12 and module."
    elif key.file and not key.certificate:
        yield "[key] has no certificate: write the file of the certificate that belongs to key.file."
    elif key.module and not (key.token and key.label):
        yield "[key] has a module and not both token and label: write the label of the token and that of the key."
    elif key.module and not (key.password_file or key.password_variable):
        yield "[key] has no PIN for the token: write password_file or password_variable."
    if key.password_file and key.password_variable:
        yield "[key] has password_file and password_variable: keep one of the two."
