"""Storage in a temporary folder, closed at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.submissions import open_in
from xds_gateway.storage.opening import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_in(tmp_path)
    yield opened
    opened.close()
