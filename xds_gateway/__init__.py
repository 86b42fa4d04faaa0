"""An IHE XDS.b document sharing gateway: Document Registry, Document Repository and their clients."""

__version__ = "0.1.0"
