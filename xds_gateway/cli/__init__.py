"""The program `xds-gateway`: a gateway, its demonstration and keys, and the clients of a gateway.

`commands.py` declares every command and imports what it needs when it runs, so that each starts quickly.
"""

from .program import main

__all__ = ["main"]
