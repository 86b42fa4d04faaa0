"""The access matrix of a domain: its settings in, a matrix out (called by wiring.py and before it)."""

from functools import lru_cache
from pathlib import Path

from .config import ConfigurationError, Domain, Settings
from .security.access_matrix import IHE, AccessMatrix
from .security.access_matrix_files import NotAMatrix, parse_matrix

MATRICES = {"ihe": IHE}


def access_matrix(domain: Domain) -> AccessMatrix:
    """The matrix of a domain: its own file, else that of its profile. Raises ConfigurationError."""
    return MATRICES[domain.profile] if domain.access is None else _read(domain.name, domain.access)


def check_access(settings: Settings) -> None:
    """Read every matrix in the parent: workers that are started later have what the first ones have.

    Raises ConfigurationError.
    """
    for domain in settings.domains:
        access_matrix(domain)


@lru_cache(maxsize=64)
def _read(name: str, path: Path) -> AccessMatrix:
    try:
        return parse_matrix(name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigurationError(
            f"access of the domain {name} is {path}, which cannot be read: correct the path or its permissions."
        ) from wrong
    except NotAMatrix as wrong:
        told = (f"access of the domain {name}, {path}: {mistake}." for mistake in wrong.mistakes)
        raise ConfigurationError(*told) from wrong
