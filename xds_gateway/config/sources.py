"""Where settings come from: one TOML file, then variables; each value remembers which."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from .conflicts import conflicts
from .mistakes import ConfigurationError, sentences
from .settings import Settings
from .shipped import SHIPPED
from .tree import PREFIX, Key, dotted, is_path, section_of
from .unknown import unknown_keys, unknown_variables

FILE_VARIABLE: Final = "XDS_GATEWAY_CONFIG"


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
    unknown = (*unknown_keys(from_file, Settings, path), *unknown_variables(variables))
    if unknown:
        raise ConfigurationError(*unknown)
    from_environment = _read_environment(variables)
    merged = _merge(resolved(from_file, path.parent, Settings) if path else {}, from_environment)
    sources = {dotted(key): f"file {path}" for key, _ in _leaves(from_file)}
    sources |= {dotted(key): f"environment {_variable(key, variables)}" for key, _ in _leaves(from_environment)}
    try:
        settings = LoadedSettings(**merged)
    except ValidationError as error:
        raise ConfigurationError(*sentences(error, sources)) from None
    problems = tuple(conflicts(settings))
    if problems:
        raise ConfigurationError(*problems)
    settings._sources.update(sources)
    return settings


def _variable(key: Key, variables: Iterable[str]) -> str:
    """The variable that set this: its own, or the one with the whole table in JSON."""
    own = PREFIX + "__".join(str(step).upper() for step in key)
    return next((variable for variable in variables if f"{own}__".startswith(f"{variable.upper()}__")), own)


def _is_setting(variable: str) -> bool:
    return variable.upper().startswith(PREFIX) and variable.upper() != FILE_VARIABLE


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if str(path) in SHIPPED and not path.exists():
            return tomllib.loads(SHIPPED[str(path)])
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


def resolved(tree: Any, folder: Path, model: type[BaseModel]) -> Any:
    """A file's tree with relative paths taken from the file's folder."""
    if isinstance(tree, list):
        return [resolved(item, folder, model) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {k: _resolved_value(v, folder, model.model_fields[k]) for k, v in tree.items()}


def _from(folder: Path, value: Any) -> Any:
    """A path, or a list of paths, taken from a folder; whatever else it is stays for the validation."""
    if isinstance(value, list):
        return [_from(folder, item) for item in value]
    return folder / value if isinstance(value, str) else value


def _resolved_value(value: Any, folder: Path, field: FieldInfo) -> Any:
    if is_path(field):
        return _from(folder, value)
    inner = section_of(field)
    return resolved(value, folder, inner) if inner else value
