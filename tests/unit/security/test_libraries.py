"""The libraries under signatures are looked at before anything is served."""

import pytest
import xmlsec

from xds_gateway.security import libraries
from xds_gateway.security.libraries import SignatureLibrariesUnusable, check_libraries


def test_those_that_are_pinned_are_good() -> None:
    check_libraries()


def test_two_versions_of_libxml2_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlsec, "get_libxml_version", lambda: (2, 9, 1))
    with pytest.raises(SignatureLibrariesUnusable, match=r"xmlsec has libxml2 \(2, 9, 1\) and lxml has"):
        check_libraries()


@pytest.mark.parametrize("change", [("sample</a:Issuer>", "simple</a:Issuer>"), ("ecdsa-sha256", "ecdsa-sha512")])
def test_a_sample_that_is_judged_wrongly_is_told(monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]) -> None:
    monkeypatch.setattr(libraries, "_SAMPLE", libraries._SAMPLE.replace(*change))
    with pytest.raises(SignatureLibrariesUnusable, match="not judged as it should be"):
        check_libraries()
