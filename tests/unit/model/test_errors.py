"""Failures as values."""

import pytest

from xds_gateway.model.errors import (
    DocumentDamaged,
    ErrorCode,
    FaultCode,
    Finding,
    GatewayError,
    HttpRefused,
    RequestRefused,
    Severity,
    SoapFault,
    StorageBusy,
    StorageFull,
)

ERROR = Finding(code=ErrorCode.REGISTRY_ERROR, rule="ihe.a", sentence="Durand is wrong.", received="Durand")
WARNING = Finding(code=ErrorCode.REGISTRY_ERROR, rule="ihe.b", sentence="Odd.", severity=Severity.WARNING)


@pytest.mark.parametrize(
    "failure",
    [
        RequestRefused(ERROR),
        SoapFault(FaultCode.SENDER, "no", rule="r"),
        HttpRefused(415, "no"),
        StorageFull("no"),
        StorageBusy("no"),
        DocumentDamaged("k", 1),
    ],
)
def test_one_tree_of_failures(failure: Exception) -> None:
    assert isinstance(failure, GatewayError)
    assert str(failure)


def test_a_refusal_carries_findings_and_quotes_nothing() -> None:
    refused = RequestRefused(ERROR, WARNING)
    assert refused.findings == (ERROR, WARNING)
    assert str(refused) == "XDSRegistryError ihe.a; XDSRegistryError ihe.b"


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_reads_as_the_standard_writes_it(code: ErrorCode) -> None:
    assert str(code) == f"{code}" == code.value
    assert code.value[0].isupper()
