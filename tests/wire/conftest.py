"""What several tests on the wire want."""

from collections.abc import Iterator

import pytest

from .traps import Trap, listening


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A port on which somebody would notice a call."""
    with listening() as found:
        yield found
