"""`python -m xds_gateway`."""

from .cli import main

main()
