"""The settings as a tree: keys, names and tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .settings import Settings
from .values import Section

PREFIX: Final = "XDS_GATEWAY_"
Key = tuple[str | int, ...]


def dotted(key: Key) -> str:
    """The dotted name of a setting, such as `listeners[0].port`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key).removeprefix(".")


def key_of(variable: str) -> Key:
    """The key that a variable sets: `XDS_GATEWAY_LISTENERS__0__PORT` is listeners, 0, port."""
    steps = variable.upper().removeprefix(PREFIX).lower().split("__")
    return tuple(int(step) if re.fullmatch("[0-9]{1,2}", step) else step for step in steps)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The table, or table of each item, that a field holds."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, Section)), None)


def is_list(field: FieldInfo) -> bool:
    """True for a setting that holds several values or tables."""
    return getattr(field.annotation, "__origin__", None) is tuple


def is_path(field: FieldInfo) -> bool:
    """True for a setting that names a file or folder."""
    return Path in (field.annotation, *get_args(field.annotation))


def fields(model: type[BaseModel] = Settings, key: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Every setting with its key, the first of each list of tables."""
    for step, field in model.model_fields.items():
        here = (*key, step, 0) if is_list(field) and section_of(field) else (*key, step)
        inner = section_of(field)
        if inner:
            yield from fields(inner, here)
        else:
            yield here, field


def masked(url: str) -> str:
    """A URL without its password; other text as it is."""
    return re.sub(r"(://[^:@/]*:)[^@]*@|((?i:password)=)[^&]*", lambda m: f"{m[1]}***@" if m[1] else f"{m[2]}***", url)
