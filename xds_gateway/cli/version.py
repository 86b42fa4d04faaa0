"""`xds-gateway version`."""

import platform
from typing import Final

from lxml import etree

from .. import __version__
from .console import output, print_json

KEYS: Final = {
    "version": "of xds-gateway",
    "python": "version of Python",
    "lxml": "version of lxml",
    "libxml2": "version that lxml was built with",
}


def version(*, as_json: bool) -> None:
    """Print the versions that a report of a fault should name."""
    libxml2 = ".".join(map(str, etree.LIBXML_VERSION))
    lxml = ".".join(map(str, etree.LXML_VERSION[:3]))
    if as_json:
        print_json({"version": __version__, "python": platform.python_version(), "lxml": lxml, "libxml2": libxml2})
        return
    output().print(f"xds-gateway {__version__} (Python {platform.python_version()}, lxml {lxml}, libxml2 {libxml2})")
