"""What we do: one module per IHE actor, over the ports of `ports`."""
