"""Databases that are ready: the schema is made once for each process of the tests, and copied from then on.

That takes a tenth of a second, half a one in a process of its own, and most tests are about something else.
"""

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from xds_gateway.storage.database import migrate, sqlite_path


@lru_cache(maxsize=1)
def empty_database() -> Path:
    """The file of a database without data."""
    folder = Path(tempfile.mkdtemp(prefix="empty"))
    atexit.register(shutil.rmtree, folder)
    migrate(f"sqlite:///{folder}/registry.db")
    return folder / "registry.db"


def ready(url: str) -> None:
    """Have a database of this release's schema at a URL, where there is none."""
    path = sqlite_path(url)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(empty_database(), path)
        path.chmod(0o600)
