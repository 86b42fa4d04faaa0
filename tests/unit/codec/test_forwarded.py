"""Headers of proxies: certificates in three forms, and the way of addresses."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.unit.certificates import der, make_certificate
from xds_gateway.codec.forwarded import parse_address_header, parse_certificate_header, parse_chain_header

ONE, OTHER = make_certificate(), make_certificate()
BASE64 = b64encode(der(ONE)).decode()
PEM = ONE.certificate.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("value", [quote(PEM), quote(PEM, safe="+/="), f":{BASE64}:", BASE64, f" {BASE64} "])
def test_a_certificate_in_each_form(value):
    assert parse_certificate_header(value) == der(ONE)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "(null)",
        ":",
        "::",
        "-----BEGIN CERTIFICATE-----",
        quote(PEM + PEM),
        f":{BASE64}:, :{BASE64}:",
        f"{BASE64}, {BASE64}",
        ":AAA:",  # no whole base64
        "%2D%2D",
    ],
)
def test_what_is_no_certificate(value):
    with pytest.raises(ValueError):  # noqa: PT011 - of our own or of base64
        parse_certificate_header(value)


def test_a_chain():
    other = b64encode(der(OTHER)).decode()
    assert parse_chain_header(f":{BASE64}:, :{other}:") == (der(ONE), der(OTHER))
    assert parse_chain_header("") == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("192.0.2.1", ["192.0.2.1"]),
        ("192.0.2.1, 198.51.100.7:1234", ["192.0.2.1", "198.51.100.7"]),
        ("2001:db8::1,[2001:db8::2]:80, [2001:db8::3]", ["2001:db8::1", "2001:db8::2", "2001:db8::3"]),
    ],
)
def test_addresses_without_their_ports(value, expected):
    assert list(map(str, parse_address_header(value))) == expected


@pytest.mark.parametrize("value", ["", "unknown", "192.0.2.1,", "192.0.2.300", "example.org"])
def test_what_is_no_address(value):
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library
        parse_address_header(value)
