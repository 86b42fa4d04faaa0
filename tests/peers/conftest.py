"""Other products against a running gateway: collected only where their programs are installed."""

from .programs import MISSING

collect_ignore = list(MISSING)
