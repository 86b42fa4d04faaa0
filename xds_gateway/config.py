"""Read the settings once: one TOML file, then XDS_GATEWAY_* variables; each mistake is one sentence saying what to do.

A relative path in the file is taken from the file's folder; one from a variable or a default, from the working folder.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from .settings import Conflict, Domain, Limits, Listener, Mount, Section, Settings, Unit

PREFIX: Final = "XDS_GATEWAY_"
FILE_VARIABLE: Final = "XDS_GATEWAY_CONFIG"
Key = tuple[str | int, ...]
Scalar = str | int | float | bool | tuple[str, ...] | None

#   pydantic's error type     what the setting must be
EXPECTED: Final = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "string_too_short": "some text",
    "path_type": "a path in quotes",
    "literal_error": "{expected}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "a list, in the file as [...] or with [[...]] before each of its tables",
    "too_short": "at least one",
}

FOLLOWING: Final = ("default_factory_not_called", "too_short")  # said of a setting because another one is wrong


class ConfigurationError(Exception):
    """The gateway cannot start as configured; `problems` has one sentence for each mistake, saying what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Row(NamedTuple):
    """One setting as `xds-gateway config` shows it; `source` is "default", "file PATH" or "environment NAME"."""

    name: str
    value: Scalar
    unit: str
    default: Scalar
    source: str
    description: str


class LoadedSettings(Settings):
    """Settings and where each that is not a default came from, by dotted name."""

    _sources: dict[str, str] = {}


class _Environment(EnvSettingsSource):
    """Variables of a mapping that is handed in, not of the process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items() if value}


def load(path: Path | None, environ: Mapping[str, str]) -> LoadedSettings:
    """Settings from `path` (or what XDS_GATEWAY_CONFIG names), then from `environ`. Raises ConfigurationError."""
    if path is None and environ.get(FILE_VARIABLE):
        path = Path(environ[FILE_VARIABLE])
    variables = {name: value for name, value in environ.items() if _is_setting(name)}
    from_file = _read_file(path) if path else {}
    unknown = (*_unknown_keys(from_file, Settings, path), *_unknown_variables(variables))
    if unknown:
        raise ConfigurationError(*unknown)
    from_environment = _read_environment(variables)
    merged = _merge(_resolved(from_file, path.parent, Settings) if path else {}, from_environment)
    sources = {name(key): f"file {path}" for key, _ in _leaves(from_file)}
    sources |= {name(key): f"environment {_variable(key, variables)}" for key, _ in _leaves(from_environment)}
    try:
        settings = LoadedSettings(**merged)
    except ValidationError as error:
        raise ConfigurationError(*_sentences(error, sources)) from None
    settings._sources.update(sources)
    return settings


def name(key: Key) -> str:
    """The dotted name of a setting, such as `listeners[0].port`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key).removeprefix(".")


def _variable(key: Key, variables: Iterable[str]) -> str:
    """The variable that set this: its own, or the one with the whole table in JSON."""
    own = PREFIX + "__".join(str(step).upper() for step in key)
    return next((variable for variable in variables if f"{own}__".startswith(f"{variable.upper()}__")), own)


def _is_setting(variable: str) -> bool:
    return variable.upper().startswith(PREFIX) and variable.upper() != FILE_VARIABLE


# Reading


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise ConfigurationError(f"The configuration file {path} does not exist: correct its path or make it.")
        return TomlConfigSettingsSource(Settings, path)()
    except OSError as error:
        raise ConfigurationError(
            f"The configuration file {path} cannot be read ({error.strerror}): correct its path or its permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The configuration file {path} is not TOML: {error}.") from error


def _read_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    problems = tuple(_bad_tables(variables))
    if problems:
        raise ConfigurationError(*problems)
    return {section: _listed(value) for section, value in _Environment(variables)().items()}


def _bad_tables(variables: Mapping[str, str]) -> Iterator[str]:
    for variable, value in variables.items():
        field = Settings.model_fields.get(variable.upper().removeprefix(PREFIX).lower())
        if field is None or section_of(field) is None or not value:
            continue
        try:
            json.loads(value)
        except ValueError:
            yield f"{variable} holds a whole table and is not JSON: write JSON, or one variable for each value."
        if any(other.upper().startswith(f"{variable.upper()}__") for other in variables):
            yield f"{variable} and {variable}__... set the same table: keep one of the two forms."


def _listed(value: Any) -> Any:
    """Numbered variables (`LISTENERS__0__PORT`) as a mapping of numbers, to be laid over the file's list."""
    if not isinstance(value, dict):
        return value
    return {int(k) if str(k).isdigit() else k: _listed(v) for k, v in value.items()}


def _merge(base: Any, over: Any) -> Any:
    if isinstance(over, dict) and over and all(isinstance(k, int) for k in over):
        items = dict(enumerate(base or ()))
        return [_merge(items.get(k, {}), over.get(k, {})) for k in range(max(*items, *over, 0) + 1)]
    if isinstance(base, dict) and isinstance(over, dict):
        return {k: _merge(base.get(k), over[k]) if k in over else base[k] for k in base.keys() | over.keys()}
    return over if over != {} or base is None else base


def _leaves(tree: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    if isinstance(tree, dict):
        for step, value in tree.items():
            yield from _leaves(value, (*key, step))
    elif isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        for step, value in enumerate(tree):
            yield from _leaves(value, (*key, step))
    else:
        yield key, tree


def _resolved(tree: Any, folder: Path, model: type[BaseModel]) -> Any:
    """The file's tree with relative paths taken from the file's folder."""
    if isinstance(tree, list):
        return [_resolved(item, folder, model) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {k: _resolved_value(v, folder, model.model_fields[k]) for k, v in tree.items()}


def _resolved_value(value: Any, folder: Path, field: FieldInfo) -> Any:
    if _is_path(field) and isinstance(value, str):
        return folder / value
    inner = section_of(field)
    return _resolved(value, folder, inner) if inner else value


# Names that nobody knows


def _unknown_keys(tree: Any, model: type[BaseModel], path: Path | None, key: Key = ()) -> Iterator[str]:
    items = enumerate(tree) if isinstance(tree, list) else ()
    for number, item in items:
        yield from _unknown_keys(item, model, path, (*key, number))
    for step, value in tree.items() if isinstance(tree, dict) else ():
        field = model.model_fields.get(step)
        if field is None:
            yield f"There is no setting {name((*key, step))} ({path}): {_advice(step, model)}"
        elif inner := section_of(field):
            yield from _unknown_keys(value, inner, path, (*key, step))


def _unknown_variables(variables: Iterable[str]) -> Iterator[str]:
    for variable in sorted(variables):
        steps = _steps(variable)
        model: type[BaseModel] | None = Settings
        for step in steps:
            if isinstance(step, int):
                continue
            field = model.model_fields.get(step) if model else None
            if field is None:
                yield f"There is no setting {name(steps)} (variable {variable}): {_advice(step, model or Settings)}"
                break
            model = section_of(field)


def _advice(step: str, model: type[BaseModel]) -> str:
    everywhere = {re.sub(r"\[\d+\]", "[0]", name(key)): key[-1] for key, _ in _fields()}
    close = get_close_matches(step, list(model.model_fields), 1)
    elsewhere = [known for known, last in everywhere.items() if last == step]
    if close or elsewhere:
        return f"did you mean {close[0] if close else elsewhere[0]}?"
    return "remove it (docs/settings.md lists all settings)."


def _steps(variable: str) -> Key:
    steps = variable.upper().removeprefix(PREFIX).lower().split("__")
    return tuple(int(step) if step.isdigit() else step for step in steps)


# The tree of settings


def section_of(field: FieldInfo) -> type[Section] | None:
    """The table, or table of each item, that a field holds."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, Section)), None)


def _is_list(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple


def _is_path(field: FieldInfo) -> bool:
    return Path in (field.annotation, *get_args(field.annotation))


def _fields(model: type[BaseModel] = Settings, key: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    for step, field in model.model_fields.items():
        here = (*key, step, 0) if _is_list(field) and section_of(field) else (*key, step)
        inner = section_of(field)
        if inner:
            yield from _fields(inner, here)
        else:
            yield here, field


# Sentences


def _sentences(error: ValidationError, sources: Mapping[str, str]) -> Iterator[str]:
    for detail in error.errors():
        conflict = detail.get("ctx", {}).get("error")
        if isinstance(conflict, Conflict):
            yield from conflict.problems
        elif detail["type"] not in FOLLOWING or name(detail["loc"]) in sources:
            yield _sentence(detail, sources)


def _sentence(detail: ErrorDetails, sources: Mapping[str, str]) -> str:
    place = name(detail["loc"])
    source = sources.get(place)
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        advice = str(context["error"])
    else:
        advice = "write " + EXPECTED[detail["type"]].format(**context) if detail["type"] in EXPECTED else detail["msg"]
    return f"{place}{f' ({source})' if source else ''} {_received(detail['input'])}: {advice}."


def _received(value: Any) -> str:
    return "is wrong" if isinstance(value, dict | list | tuple) else f"is {masked(json.dumps(value, default=str))}"


# Showing and checking


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
            place = name((*key, step))
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
    if isinstance(value, Path):
        return str(value)
    return masked(value) if isinstance(value, str) else value


def masked(url: str) -> str:
    """A URL without its password; other text as it is."""
    return re.sub(r"(://[^:@/]*:)[^@]*@|((?i:password)=)[^&]*", lambda m: f"{m[1]}***@" if m[1] else f"{m[2]}***", url)


def check_files(settings: Settings) -> None:
    """See that keys, certificates and folders can be used. Raises ConfigurationError with all that cannot."""
    problems = [*_unreadable(settings), *_unwritable(settings)]
    if problems:
        raise ConfigurationError(*problems)


def _unreadable(settings: Settings) -> Iterator[str]:
    for number, listener in enumerate(settings.listeners):
        wanted = {"mutual": ("certificate", "key", "client_ca"), "server": ("certificate", "key"), "off": ()}[
            listener.tls
        ]
        for setting in wanted:
            path: Path = getattr(listener, setting)
            place = f"listeners[{number}].{setting}"
            if not path.is_file():
                yield f"{place} is {path}, which does not exist: correct it, or make test keys with `xds-gateway pki`."
            elif not os.access(path, os.R_OK):
                yield f"{place} is {path}, which cannot be read: give this user the right to read it."


def _unwritable(settings: Settings) -> Iterator[str]:
    folders = {"data_folder": settings.data_folder, "wire_log.folder": settings.wire_log.folder}
    for place, folder in folders.items():
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            yield f"{place} is {folder}, which cannot be made ({error.strerror}): correct it or make the folder."
            continue
        if not os.access(folder, os.W_OK | os.X_OK):
            yield f"{place} is {folder}, which cannot be written to: give this user the right to write there."


__all__ = [
    "ConfigurationError",
    "Domain",
    "Limits",
    "Listener",
    "LoadedSettings",
    "Mount",
    "Row",
    "Scalar",
    "Settings",
    "check_files",
    "default",
    "describe",
    "load",
    "name",
    "section_of",
    "unit",
]
