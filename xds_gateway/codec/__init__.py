"""Bytes to values and back: pure functions, parse_x and render_x in pairs."""
