"""Every setting: its name, default, unit and meaning, as docs/settings.md shows them."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .audit import Audit, AuditRepository
from .domains import Domain, Mount
from .families import Family
from .issuers import Issuer
from .limits import Limits
from .listeners import Certificates, Feed, Listener
from .values import Count, DatabaseUrl, PublicUrl, Section, Unit


class Soap(Section):
    """How SOAP answers look."""

    sender_fault_status: Literal[400, 500] = Field(
        default=500,
        description="HTTP status of a SOAP fault that blames the sender: "
        "400 as SOAP 1.2 says, 500 for clients that drop the body of a 400.",
    )


class WireLog(Section):
    """A tap at the edge, for conformance work: it writes patient data."""

    folder: Path | None = Field(
        default=None,
        description="Folder that gets every message byte for byte, patient data included; "
        "nothing is written when not set.",
    )


class Log(Section):
    """The log: JSON lines on standard error, without content of messages."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least severity that is written.",
    )


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite:///{(data['data_folder'] / 'registry.sqlite3').as_posix()}"


def _default_issuers(data: dict[str, Any]) -> tuple[Issuer, ...]:
    """The throw-away issuer, for the default domain and where it is asked only: other domains name theirs."""
    issuer = Issuer()
    wanted = any(each.domain == issuer.domain and each.assertions != "off" for each in data.get("mounts", ()))
    return (issuer,) if wanted else ()


def _default_public_url(data: dict[str, Any]) -> str:
    listeners: tuple[Listener, ...] = data["listeners"]
    return listeners[0].url


class Settings(BaseSettings):
    """All settings of a gateway, frozen. Made by `config.load`, which also sees that they go together."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="XDS_GATEWAY_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )

    data_folder: Path = Field(
        default=Path("var/data"),
        description="Folder of documents, journal and the embedded database.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database,
        description="Database of the registry, as an SQLAlchemy URL; the default is registry.sqlite3 in data_folder.",
    )
    workers: Annotated[Count, Unit("processes")] = Field(
        default=2,
        le=64,
        description="Worker processes, about one for each core.",
    )
    listeners: tuple[Listener, ...] = Field(default=(Listener(),), min_length=1)
    public_url: PublicUrl = Field(
        default_factory=_default_public_url,
        description="Address that callers reach the gateway by, written in the WSDLs before the path of the mount; "
        "the default is made from the first listener.",
    )
    domains: tuple[Domain, ...] = Field(default=(Domain(),), min_length=1)
    mounts: tuple[Mount, ...] = Field(default=(Mount(),), min_length=1)
    feeds: tuple[Feed, ...] = ()
    issuers: tuple[Issuer, ...] = Field(default_factory=_default_issuers)
    certificates: Certificates = Certificates()
    certificate_families: tuple[Family, ...] = ()
    audit: Audit = Audit()
    audit_repositories: tuple[AuditRepository, ...] = ()
    limits: Limits = Limits()
    soap: Soap = Soap()
    wire_log: WireLog = WireLog()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the constructor is given: `load` reads file and environment, so that nothing is hidden."""
        return (init_settings,)

    def domain(self, name: str) -> Domain:
        """The domain of this name. Raises KeyError."""
        return {domain.name: domain for domain in self.domains}[name]
