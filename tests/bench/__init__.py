"""Benchmarks: CPU of each transaction beside its physical floor, and what comes over loopback with mutual TLS."""
