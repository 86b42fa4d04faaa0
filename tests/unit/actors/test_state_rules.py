"""Every rule about the registry's state, from both sides, in each transaction that may break it."""

import pytest

from tests.unit.actors.broken_state import STATE
from xds_gateway.rules import state
from xds_gateway.rules.ihe import IHE

CASES = [(rule, transaction) for rule, pair in STATE.items() for transaction in pair.transactions]


def test_every_state_rule_has_a_pair_of_submissions() -> None:
    assert set(STATE) == {rule.id for rule in state.RULES}


@pytest.mark.parametrize(("rule", "transaction"), CASES)
def test_a_submission_that_keeps_the_rule_is_planned(rule, transaction) -> None:
    assert STATE[rule].good.found(transaction) == set()


@pytest.mark.parametrize(("rule", "transaction"), CASES)
def test_one_that_breaks_it_gets_that_finding_and_no_other(rule, transaction) -> None:
    code = IHE.rules[rule].code(transaction)
    assert STATE[rule].bad.found(transaction) == {(rule, str(code))}
