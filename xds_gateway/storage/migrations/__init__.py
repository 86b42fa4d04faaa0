"""The schema's history. A revision is one module of `versions/`; add its id here, oldest first."""

from typing import Final

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
HEAD: Final = REVISIONS[-1]
