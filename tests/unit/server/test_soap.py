"""Dispatch by spyne: really through its services, and transparent to what a handler does."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lxml import etree

from xds_gateway.codec.transactions import TRANSACTIONS, TransactionRow
from xds_gateway.model.errors import ErrorCode, FaultCode, Finding, RequestRefused, SoapFault
from xds_gateway.server.soap import SoapServices

SERVICES = SoapServices(TRANSACTIONS)
EACH = pytest.mark.parametrize("row", TRANSACTIONS, ids=lambda row: row.name)
REFUSED = RequestRefused(Finding(code=ErrorCode.REGISTRY_ERROR, rule="ihe.x", sentence="No."))


@EACH
def test_a_row_reaches_its_handler_with_the_body_as_it_is(row: TransactionRow) -> None:
    body = etree.fromstring("<a><!-- kept --><b xmlns='urn:b'>c</b></a>")
    seen: list[Any] = []

    def handler(found: TransactionRow, given: etree._Element) -> str:
        seen.append((found, given))
        return "outcome"

    assert SERVICES.dispatch(row, body, handler) == "outcome"
    assert len(seen) == 1
    assert seen[0][0] is row
    assert seen[0][1] is body


@EACH
@pytest.mark.parametrize("outcome", [None, 0, "", {}])
def test_any_outcome_is_handed_back(row: TransactionRow, outcome: object) -> None:
    assert SERVICES.dispatch(row, etree.Element("x"), lambda _row, _body: outcome) == outcome


@EACH
def test_a_removed_service_row_breaks_its_call(row: TransactionRow) -> None:
    others = SoapServices(other for other in TRANSACTIONS if other is not row)
    with pytest.raises(SoapFault) as raised:
        others.dispatch(row, etree.Element("x"), lambda _row, _body: "never")
    assert raised.value.rule == "wsa.ActionNotSupported"


@pytest.mark.parametrize(
    "failure",
    [REFUSED, SoapFault(FaultCode.SENDER, "no", rule="r"), RuntimeError("Durand"), KeyError("k"), KeyboardInterrupt()],
    ids=lambda failure: type(failure).__name__,
)
def test_what_a_handler_raises_passes_untouched(failure: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def handler(row: TransactionRow, body: etree._Element) -> None:
        raise failure

    with pytest.raises(type(failure)) as raised:
        SERVICES.dispatch(TRANSACTIONS[0], etree.Element("x"), handler)
    assert raised.value is failure
    assert caplog.records == []


def test_threads_do_not_mix() -> None:
    def call(number: int) -> int:
        row = TRANSACTIONS[number % len(TRANSACTIONS)]
        body = etree.Element("x", n=str(number))
        found, got = SERVICES.dispatch(row, body, lambda r, b: (r, b.get("n")))
        assert found is row
        return int(got)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(call, range(100))) == list(range(100))
