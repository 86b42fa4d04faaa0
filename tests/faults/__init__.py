"""Crashes, damage and want of room."""
