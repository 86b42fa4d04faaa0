"""`python -m xds_gateway.cli`."""

from . import main

main()
