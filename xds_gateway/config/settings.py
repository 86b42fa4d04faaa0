"""Every setting: its name, default, unit and meaning, as docs/settings.md shows them."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ..model.identifiers import is_oid

DEMO_REPOSITORY_OID: Final = "2.25.301874956204417238860571940135726918043"

_SIZE = re.compile(r"([0-9]+)\s*(B|KiB|MiB|GiB)?")
_SIZE_UNITS: Final = {None: 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_MOUNT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_DOMAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_HOOK = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_DATABASE_URL = re.compile(r"sqlite:///.+|postgresql(?:\+\w+)?://.+")


class Unit(NamedTuple):
    """What a number of a setting counts, as printed in the documentation."""

    name: str


def _size(value: Any) -> Any:
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(match[1]) * _SIZE_UNITS[match[2]] if match else value


def _comma_separated(value: Any) -> Any:
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else value


def _oid(value: str) -> str:
    if not is_oid(value):
        raise ValueError("write an OID in dotted decimals, such as 2.25.1234")
    return value


def _oid_urn(value: str) -> str:
    if not value.startswith("urn:oid:") or not is_oid(value.removeprefix("urn:oid:")):
        raise ValueError("write urn:oid: and an OID, such as urn:oid:2.25.1234")
    return value


def _public_url(value: str) -> str:
    if re.fullmatch(r"https?://[^/?#\s]+(?:/[^?#\s]*)?", value) is None:
        raise ValueError("write https://, a host and perhaps a port and a path, such as https://gateway.example.org")
    return value.rstrip("/")


def _matching(pattern: re.Pattern[str], advice: str) -> AfterValidator:
    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def _authority_name(value: str) -> str:
    name, _, oid = value.partition("=")
    if not name.strip() or not is_oid(oid):
        raise ValueError("write a name, = and an OID, such as HOSPITAL=1.2.3")
    return value


ByteCount = Annotated[int, BeforeValidator(_size), Field(ge=1), Unit("bytes")]
Seconds = Annotated[float, Field(gt=0), Unit("seconds")]
Count = Annotated[int, Field(ge=1)]
Oid = Annotated[str, AfterValidator(_oid)]
OidUrn = Annotated[str, AfterValidator(_oid_urn)]
AuthorityName = Annotated[str, AfterValidator(_authority_name)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
DatabaseUrl = Annotated[
    str, _matching(_DATABASE_URL, "write sqlite:/// and the path of a file, or postgresql:// and a server")
]
MountPath = Annotated[str, _matching(_MOUNT_PATH, "write a path that begins with / and does not end with /")]
DomainName = Annotated[str, _matching(_DOMAIN_NAME, "write lower-case letters, digits, - and _")]

HookName = Annotated[str, _matching(_HOOK, "write a module, a colon and a function, such as reports.on_demand:make")]


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


class Listener(Section):
    """A port that the gateway listens on; every mount is served on every listener."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address or host name to listen on.")
    port: int = Field(default=8443, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    tls: Literal["mutual", "server", "off"] = Field(
        default="mutual",
        description='"mutual" asks for a client certificate and refuses a connection without one, '
        '"server" does not ask, "off" is plain HTTP and is accepted on loopback only.',
    )
    certificate: Path = Field(
        default=Path("var/pki/server.crt"), description="PEM file of the server certificate and its intermediates."
    )
    key: Path = Field(default=Path("var/pki/server.key"), description="PEM file of the server's private key.")
    client_ca: Path = Field(
        default=Path("var/pki/ca.crt"),
        description='PEM file of the authorities that client certificates must come from ("mutual").',
    )
    allow_plain_beyond_loopback: bool = Field(
        default=False,
        description='Accept tls = "off" on an address that other machines reach: '
        "health data goes over the network in clear.",
    )

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the listener."""
        address = _address(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)

    @property
    def url(self) -> str:
        """The address as a client on this machine writes it."""
        scheme = "http" if self.tls == "off" else "https"
        address = _address(self.host)
        host = "localhost" if self.loopback or (address and address.is_unspecified) else self.host
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"


class Feed(Listener):
    """A port that takes the messages of a patient identity feed, HL7 v2 over MLLP (ITI-8); none unless set."""

    port: int = Field(default=2575, ge=0, le=65535, description="TCP port; 0 takes any free one.")
    domain: DomainName = Field(default="default", description="Name of the domain whose patients it tells of.")
    message_bytes: ByteCount = Field(
        default=2**20, description="Longest message; above it the answer is AR and the connection is closed."
    )
    message_seconds: Seconds = Field(
        default=30, description="Time for a message to arrive, from its first byte, and for its answer to be taken."
    )
    idle_seconds: Seconds = Field(default=86_400, description="How long a connection without messages is kept.")
    connections: Annotated[Count, Unit("connections")] = Field(
        default=50, description="Most open connections in each worker process; further ones are closed at once."
    )

    @property
    def url(self) -> str:
        """The address as a sender on this machine writes it: mllp or, over TLS, mllps."""
        scheme = "mllp" if self.tls == "off" else "mllps"
        return f"{scheme}://{super().url.partition('://')[2]}"


class Domain(Section):
    """Data of its own: patients, entries and documents, with one profile and one repository."""

    name: DomainName = Field(default="default", description="Name that mounts refer to.")
    profile: Literal["ihe"] = Field(
        default="ihe",
        description='Rules that a submission must keep: "ihe" is ITI TF-3 as written.',
    )
    patients: Literal["open", "fed"] = Field(
        default="open",
        description='"open" knows a patient from the first submission, "fed" only from an identity feed '
        "(feed-patients.md).",
    )
    merged_patients: Literal["refuse", "follow"] = Field(
        default="refuse",
        description='Submissions that name a patient who was merged into another one: "refuse" answers '
        'XDSUnknownPatientId as the standard says, "follow" takes them for the surviving patient.',
    )
    repository_unique_id: Oid = Field(
        default=DEMO_REPOSITORY_OID,
        description="repositoryUniqueId of the domain's Document Repository; the default is for demonstrations, "
        "a real repository needs an OID of its own.",
    )
    home_community_id: OidUrn | None = Field(
        default=None, description="homeCommunityId put on what is returned, as urn:oid:...; none when not set."
    )
    assigning_authorities: Annotated[tuple[Oid, ...], BeforeValidator(_comma_separated)] = Field(
        default=(),
        description="OIDs of the assigning authorities whose patient identifiers are accepted (in a variable, with "
        "commas between); empty accepts all.",
    )
    authority_names: Annotated[tuple[AuthorityName, ...], BeforeValidator(_comma_separated)] = Field(
        default=(),
        description="OIDs by the names that identity feeds write instead, as NAME=OID (in a variable, with commas "
        "between).",
    )
    max_results: Annotated[Count, Unit("objects")] = Field(
        default=5000,
        description="Most objects that a query may return; above it the answer is XDSTooManyResults.",
    )
    retries: Literal["safe", "strict"] = Field(
        default="safe",
        description='"safe" answers a submission that the same caller sends again with its first outcome and stores it '
        'once (retry-safely.md), "strict" refuses it as a duplicate, as the standard\'s text says.',
    )
    allow_reset: bool = Field(
        default=False,
        description="Let `xds-gateway reset` remove everything of the domain but its audit: for tests only.",
    )
    on_demand: HookName | None = Field(
        default=None,
        description="Python function that makes the documents of on-demand entries, as module:function "
        "(on-demand.md); none are made when not set.",
    )
    on_demand_seconds: Seconds = Field(
        default=20, description="Longest time that one on-demand document may take; then it is XDSRepositoryError."
    )
    on_demand_at_once: Annotated[int, Field(ge=1, le=64), Unit("documents")] = Field(
        default=8,
        description="Most on-demand documents being made at one time in each worker process, each in a thread; further "
        "ones are answered XDSRepositoryBusy.",
    )
    on_demand_persistence: bool = Field(
        default=False,
        description="Keep each on-demand document that is given out, and register it as a snapshot before the answer.",
    )


class Mount(Section):
    """A path prefix over one domain: PATH/registry and PATH/repository are its endpoints."""

    path: MountPath = Field(default="/services", description="Path prefix of the endpoints.")
    domain: DomainName = Field(default="default", description="Name of the domain that it serves.")
    authentication: Literal["certificate", "none"] = Field(
        default="certificate",
        description='"certificate" wants a client certificate (a listener with tls = "mutual"), "none" takes anyone.',
    )
    metadata: Literal["full", "limited"] = Field(
        default="full",
        description='"limited" also accepts objects flagged as limited metadata in ITI-41 (a Document Recipient), '
        '"full" refuses them.',
    )
    dry_run: bool = Field(
        default=True,
        description="Perform the requests that ask for a dry run by the header DryRun: judged in full, nothing "
        "changed. Otherwise they are refused.",
    )


class Limits(Section):
    """What one caller may cost."""

    envelope_bytes: ByteCount = Field(
        default=8 * 2**20,
        description="Largest SOAP envelope, or root part of a multipart message.",
    )
    inline_document: ByteCount = Field(
        default=5 * 2**20,
        le=7 * 2**20,
        description="Largest document sent as base64 inside the envelope; larger ones need MTOM.",
    )
    document_bytes: ByteCount = Field(default=4 * 2**30, description="Largest document sent as an attachment.")
    body_bytes: ByteCount = Field(default=8 * 2**30, description="Largest request body.")
    spool_in_flight_bytes: ByteCount = Field(
        default=16 * 2**30, description="Most bytes of documents being received at one time, in each worker process."
    )
    xml_depth: Annotated[int, Field(ge=20, le=256), Unit("levels")] = Field(
        default=100,
        description="Deepest nesting of XML elements.",
    )
    xml_elements: Annotated[Count, Unit("elements")] = Field(
        default=200_000,
        description="Most XML elements in an envelope.",
    )
    xml_attributes: Annotated[Count, Unit("attributes")] = Field(
        default=500,
        description="Most attributes of one XML element.",
    )
    xml_namespaces: Annotated[Count, Unit("declarations")] = Field(
        default=1000, description="Most namespace declarations in an envelope."
    )
    xml_attribute_bytes: ByteCount = Field(default=64 * 2**10, description="Longest value of one XML attribute.")
    mime_parts: Annotated[Count, Unit("parts")] = Field(default=1000, description="Most parts of a multipart message.")
    mime_headers: Annotated[Count, Unit("headers")] = Field(default=50, description="Most headers of one part.")
    mime_header_bytes: ByteCount = Field(default=8 * 2**10, description="All headers of one part together.")
    http_header_bytes: ByteCount = Field(default=32 * 2**10, description="All HTTP headers of a request together.")
    header_seconds: Seconds = Field(
        default=10,
        description="Time for the TLS handshake and the HTTP headers to arrive.",
    )
    body_stall_seconds: Seconds = Field(
        default=30,
        description="Longest silence while a body is being sent or an answer taken.",
    )
    request_seconds: Seconds = Field(
        default=60, description="Longest time that a request waits for its turn to write; then the answer is Busy."
    )
    keep_alive_seconds: Seconds = Field(default=75, description="How long an idle connection is kept.")
    shutdown_seconds: Seconds = Field(
        default=30,
        description="How long running requests may take to end after SIGTERM.",
    )
    connections: Annotated[Count, Unit("connections")] = Field(
        default=1000, description="Most open connections in each worker process; further ones are answered 503."
    )


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
