"""`xds-gateway config`, and reading the settings for the other commands."""

import os
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from ..config import ConfigurationError, LoadedSettings, Row, describe, load
from .console import output, print_json, shown
from .failures import CommandFailed

KEYS: Final = {
    "settings": "list of objects with name, value, unit, default, source, description; "
    'source is "default", "file PATH" or "environment NAME"'
}


def read_settings(path: Path | None) -> LoadedSettings:
    """The settings of this file and of the environment. Raises CommandFailed with all that is wrong in them."""
    try:
        return load(path, os.environ)
    except ConfigurationError as wrong:
        raise misconfigured(wrong) from wrong


def misconfigured(wrong: ConfigurationError) -> CommandFailed:
    """One sentence for each mistake."""
    return CommandFailed("configuration", *wrong.problems)


def show(path: Path | None, *, as_json: bool) -> None:
    """Print every setting."""
    rows = describe(read_settings(path))
    if as_json:
        print_json({"settings": rows})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("unit", no_wrap=True, style="dim")
    table.add_column("source", overflow="fold")
    for row in rows:
        source = Text(row.source, style="dim" if row.source == "default" else "bold")
        table.add_row(row.name, shown(_value(row)), row.unit, source)
    output().print(table)


def _value(row: Row) -> str:
    if row.value is None:
        return "not set"
    if isinstance(row.value, bool):
        return str(row.value).lower()
    return ", ".join(row.value) or "empty" if isinstance(row.value, tuple) else str(row.value)
