"""Read the settings once: one TOML file, then XDS_GATEWAY_* variables; each mistake is one sentence saying what to do.

A relative path in the file is taken from the file's folder; one from a variable or a default, from the working folder.
"""

from .audit import Audit, AuditRepository
from .conflicts import ports
from .domains import Domain, Mount
from .files import check_files
from .issuers import Issuer
from .limits import Limits
from .listeners import Feed, Listener, Port
from .mistakes import ConfigurationError
from .settings import Settings
from .shown import Row, describe
from .sources import LoadedSettings, load

__all__ = [
    "Audit",
    "AuditRepository",
    "ConfigurationError",
    "Domain",
    "Feed",
    "Issuer",
    "Limits",
    "Listener",
    "LoadedSettings",
    "Mount",
    "Port",
    "Row",
    "Settings",
    "check_files",
    "describe",
    "load",
    "ports",
]
