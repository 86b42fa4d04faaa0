"""Settings of who may sign assertions."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from .values import DomainName, Section, comma_separated

DEMO_ISSUER: Final = "urn:xds-gateway:throw-away-issuer"
DEMO_AUDIENCE: Final = "urn:xds-gateway:throw-away-domain"


class Issuer(Section):
    """Who may sign assertions about users of a domain; nobody unless set."""

    name: str = Field(
        default=DEMO_ISSUER, min_length=1, max_length=1024, description="The Issuer that its assertions name."
    )
    certificates: Annotated[tuple[Path, ...], BeforeValidator(comma_separated)] = Field(
        default=(Path("var/pki/issuer.crt"),),
        min_length=1,
        description="PEM files of the certificates whose keys sign, RSA from 2048 bits or P-256 and up; list the old "
        "and the new one while the issuer changes its key (in a variable, with commas between).",
    )
    domain: DomainName = Field(default="default", description="Name of the domain whose users it may vouch for.")
