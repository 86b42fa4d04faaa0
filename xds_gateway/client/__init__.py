"""Sockets we open: the SDK for practice software."""
