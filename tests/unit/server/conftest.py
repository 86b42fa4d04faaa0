"""A pipeline for each test of the server room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.domains import open_domain
from tests.unit.server.exchanges import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_domain(tmp_path) as domain:
        yield Bench(domain)
