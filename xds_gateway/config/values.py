"""Kinds of values that settings have, each with the advice that a wrong one gets."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ..model.identifiers import is_oid

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


def comma_separated(value: Any) -> Any:
    """A list that a variable may give as text, with commas between."""
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


def _fingerprint(value: str) -> str:
    digits = value.replace(":", "").lower()
    if re.fullmatch("[0-9a-f]{64}", digits) is None:
        raise ValueError("write the 64 hexadecimal digits of a SHA-256 fingerprint, with or without colons")
    return digits


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as wrong:
        raise ValueError("write an address or a network, such as 192.0.2.7 or 192.0.2.0/24") from wrong


def _header_name(value: str) -> str:
    if re.fullmatch("[A-Za-z0-9-]+", value) is None:
        raise ValueError("write the name of a header, such as X-SSL-Client-Cert")
    return value.lower()


def _authority_name(value: str) -> str:
    name, _, oid = value.partition("=")
    if not name.strip() or not is_oid(oid):
        raise ValueError("write a name, = and an OID, such as HOSPITAL=1.2.3")
    return value


def _code(value: str) -> str:
    parts = value.split("^")
    if len(parts) != 3 or not parts[0] or not parts[1] or not is_oid(parts[2]):
        raise ValueError(
            "write a code, ^, its name, ^ and the OID of its scheme, such as MOVED^Moved documents^2.25.1234"
        )
    return value


ByteCount = Annotated[int, BeforeValidator(_size), Field(ge=1), Unit("bytes")]
Seconds = Annotated[float, Field(gt=0), Unit("seconds")]
Count = Annotated[int, Field(ge=1)]
Oid = Annotated[str, AfterValidator(_oid)]
OidUrn = Annotated[str, AfterValidator(_oid_urn)]
CodeText = Annotated[str, AfterValidator(_code)]
AuthorityName = Annotated[str, AfterValidator(_authority_name)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Network = Annotated[str, AfterValidator(_network)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
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
