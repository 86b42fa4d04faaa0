"""Alembic revisions: each says why, and how the previous release survives it."""
