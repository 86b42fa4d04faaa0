"""A domain for each test of the actors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.domains import Domain, open_domain


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[Domain]:
    with open_domain(tmp_path) as opened:
        yield opened
