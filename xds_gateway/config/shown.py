"""The settings as rows, for `xds-gateway config` and the documentation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .sources import LoadedSettings
from .tree import Key, dotted, masked, section_of
from .values import Section, Unit

Scalar = str | int | float | bool | tuple[str, ...] | None


class Row(NamedTuple):
    """One setting as `xds-gateway config` shows it; `source` is "default", "file PATH" or "environment NAME"."""

    name: str
    value: Scalar
    unit: str
    default: Scalar
    source: str
    description: str


def describe(settings: LoadedSettings) -> list[Row]:
    """Every setting with its value and where it came from; passwords in the database URL are masked."""
    return list(_rows(settings, (), settings._sources))


def _rows(section: BaseModel, key: Key, sources: Mapping[str, str]) -> Iterator[Row]:
    for step, field in type(section).model_fields.items():
        value = getattr(section, step)
        if isinstance(value, Section):
            yield from _rows(value, (*key, step), sources)
        elif section_of(field):
            for number, item in enumerate(value):
                yield from _rows(item, (*key, step, number), sources)
        else:
            place = dotted((*key, step))
            yield Row(
                place,
                _shown(value),
                unit(field),
                default(field),
                sources.get(place, "default"),
                field.description or "",
            )


def unit(field: FieldInfo) -> str:
    """The unit of a number, or nothing."""
    return next((item.name for item in field.metadata if isinstance(item, Unit)), "")


def default(field: FieldInfo) -> Scalar:
    """The default of a setting; None also for one that is derived from others."""
    return None if field.default_factory or field.is_required() else _shown(field.default)


def _shown(value: Any) -> Scalar:
    if isinstance(value, tuple):
        return tuple(map(str, value))
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return tuple(map(str, value))
    return masked(value) if isinstance(value, str) else value
