"""Tests that mirror the package; no sockets."""
