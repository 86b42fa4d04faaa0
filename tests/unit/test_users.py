"""What the settings say of issuers becomes keys, or a sentence that says what to correct."""

from pathlib import Path

import pytest

from tests.unit.assertions import NOW
from tests.unit.signatures import holder
from xds_gateway.config import ConfigurationError, Settings
from xds_gateway.config.domains import Mount
from xds_gateway.config.issuers import Issuer
from xds_gateway.security.issuers import MOST_CERTIFICATES
from xds_gateway.users import check_users, read_issuers


def settings(folder: Path, *contents: bytes) -> Settings:
    paths = tuple(folder / f"{number}.crt" for number in range(len(contents)))
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return Settings(issuers=(Issuer(name="idp", certificates=paths),), mounts=(Mount(assertions="required"),))


def test_keys_come_from_all_files_once_each(tmp_path: Path) -> None:
    old, new = holder("issuer"), holder("new", "P-256")
    found = read_issuers(settings(tmp_path, old.pem, new.pem + old.pem), "default").issuers
    assert found["idp"].keys_at(NOW) == (old.public_key, new.public_key)
    assert read_issuers(settings(tmp_path, old.pem), "other").issuers == {}


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ([b"no certificate"], "0.crt is no PEM file with certificates"),
        ([holder("short", size=1024).pem], "0.crt has an RSA key of 1024 bits, at least 2048"),
        ([holder("issuer").pem, b""], "1.crt is no PEM file"),
        (
            [holder(f"P-256 {number}", "P-256").pem for number in range(MOST_CERTIFICATES + 1)],
            f"has {MOST_CERTIFICATES + 1} certificates",
        ),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, contents: list[bytes], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_users(settings(tmp_path, *contents))
    assert str(refused.value).startswith("issuers[0]")
    assert problem in str(refused.value)


def test_a_good_configuration_starts(tmp_path: Path) -> None:
    check_users(settings(tmp_path, holder("issuer").pem))
    check_users(Settings(mounts=(Mount(assertions="off"),)))


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    made = settings(tmp_path, holder("issuer").pem)
    (tmp_path / "0.crt").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check_users(made)
