"""What a proxy that ends TLS tells in headers: the certificate of a client, its chain, the addresses on the way.

form                          from
-----BEGIN%20CERTIFICATE...   nginx's $ssl_client_escaped_cert: PEM, percent-encoded
:MIIB...:                     RFC 9440, 2.1: DER as a byte sequence of RFC 8941
MIIB...                       HAProxy's ssl_c_der,base64: DER in base64
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote

_PEM: Final = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_BASE64: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):|([A-Za-z0-9+/]+={0,2})")
_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


def parse_certificate_header(value: str) -> bytes:
    """The certificate of a header, DER. Raises ValueError when it is in none of the forms."""
    if value.lstrip().startswith("-----BEGIN"):
        found = _PEM.fullmatch(unquote(value))
        body = found[1] if found else None
    else:
        plain = _BASE64.fullmatch(value.strip())
        body = (plain[1] or plain[2]) if plain else None
    if body is None:
        raise ValueError("it holds no certificate: neither percent-encoded PEM, nor RFC 9440, nor DER in base64")
    return b64decode(body)


def parse_chain_header(value: str) -> tuple[bytes, ...]:
    """The certificates of a Client-Cert-Chain header, DER each (RFC 9440, 2.3). Raises ValueError."""
    return tuple(parse_certificate_header(item) for item in value.split(",") if item.strip())


def parse_address_header(value: str) -> Sequence[IPv4Address | IPv6Address]:
    """The addresses of an X-Forwarded-For header, the nearest last; ports are dropped. Raises ValueError."""
    return [_address(item.strip()) for item in value.split(",")]


def _address(text: str) -> IPv4Address | IPv6Address:
    with_port = _WITH_PORT.fullmatch(text)
    return ip_address((with_port[1] or with_port[2]) if with_port else text)
