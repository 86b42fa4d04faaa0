"""Names that no setting has, and what was probably meant."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .settings import Settings
from .tree import Key, dotted, fields, key_of, section_of


def unknown_keys(tree: Any, model: type[BaseModel], path: Path | None, key: Key = ()) -> Iterator[str]:
    """One sentence for each key of the file that is no setting."""
    items = enumerate(tree) if isinstance(tree, list) else ()
    for number, item in items:
        yield from unknown_keys(item, model, path, (*key, number))
    for step, value in tree.items() if isinstance(tree, dict) else ():
        field = model.model_fields.get(step)
        if field is None:
            yield f"There is no setting {dotted((*key, step))} ({path}): {_advice(step, model)}"
        elif inner := section_of(field):
            yield from unknown_keys(value, inner, path, (*key, step))


def unknown_variables(variables: Iterable[str]) -> Iterator[str]:
    """One sentence for each variable that names no setting."""
    for variable in sorted(variables):
        steps = key_of(variable)
        model: type[BaseModel] | None = Settings
        for step in steps:
            if isinstance(step, int):
                continue
            field = model.model_fields.get(step) if model else None
            if field is None:
                yield f"There is no setting {dotted(steps)} (variable {variable}): {_advice(step, model or Settings)}"
                break
            model = section_of(field)


def _advice(step: str, model: type[BaseModel]) -> str:
    everywhere = {re.sub(r"\[\d+\]", "[0]", dotted(key)): key[-1] for key, _ in fields()}
    close = get_close_matches(step, list(model.model_fields), 1)
    elsewhere = [known for known, last in everywhere.items() if last == step]
    if close or elsewhere:
        return f"did you mean {close[0] if close else elsewhere[0]}?"
    return "remove it (docs/settings.md lists all settings)."
