"""Write the pages that are made from the program's own tables, or tell which are stale (--check)."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from xds_gateway.config.settings import Settings
from xds_gateway.config.shown import Scalar, default, unit
from xds_gateway.config.tree import section_of

FOLDER = Path(__file__).parent

SETTINGS_HEAD = """\
# Settings

One TOML file, named by `--config` or by the variable `XDS_GATEWAY_CONFIG`, then variables; a variable wins over the
file, the file over the default. `xds-gateway config` shows every setting, its value and where it came from. A name that
is not listed here is refused, with the nearest one that is.

* A variable is named after the setting, with `__` between table and name: `XDS_GATEWAY_LIMITS__XML_DEPTH=50`. Tables of
  which there may be several are numbered from 0: `XDS_GATEWAY_LISTENERS__0__PORT=9443`. An empty variable counts as not
  set.
* A relative path in the file is taken from the file's folder; one in a variable, or a default, from the working folder.
* Sizes are bytes, or text such as `"8 MiB"`. Times are seconds.

A file with the tables most installations need:

```toml
data_folder = "/var/lib/xds-gateway"
public_url = "https://gateway.example.org"

[[listeners]]
host = "0.0.0.0"
port = 443
certificate = "server.crt"
key = "server.key"
client_ca = "clients.crt"

[[domains]]
name = "hospital"
repository_unique_id = "1.2.3.4.5"

[[mounts]]
path = "/services"
domain = "hospital"
```
"""


def settings_page() -> str:
    """docs/settings.md: every setting with unit, default, variable and meaning."""
    top = {name: field for name, field in Settings.model_fields.items() if section_of(field) is None}
    parts = [SETTINGS_HEAD, "## The top of the file", "", *_table(top, "")]
    for name, field in Settings.model_fields.items():
        section = section_of(field)
        if section is None:
            continue
        several = get_args(field.annotation)
        heading = f"[[{name}]]" if several else f"[{name}]"
        prefix = f"{name}__0__" if several else f"{name}__"
        parts += ["", f"## `{heading}`", "", _meaning(section), "", *_table(section.model_fields, prefix)]
    return "\n".join(parts) + "\n"


def _meaning(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip()


def _table(fields: dict[str, FieldInfo], prefix: str) -> Iterator[str]:
    yield "| setting | default | unit | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        variable = f"XDS_GATEWAY_{prefix}{name}".upper()
        yield f"| `{name}`<br>`{variable}` | {_default(field)} | {unit(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.default_factory:
        return "derived"
    value = default(field)
    return "not set" if value is None else f"`{_as_toml(value, unit(field))}`"


def _as_toml(value: Scalar, unit_name: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and unit_name == "bytes":
        name, size = next(
            (n, s) for n, s in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)) if value % s == 0
        )
        return f'"{value // size} {name}"'
    return f'"{value}"' if isinstance(value, str) else str(list(value) if isinstance(value, tuple) else value)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
}


def main(arguments: list[str]) -> int:
    """Write all pages, or with --check name those that differ from what would be written; 1 when there is one."""
    stale = [name for name, page in PAGES.items() if _read(FOLDER / name) != page()]
    if arguments == ["--check"]:
        for name in stale:
            print(f"docs/{name} is stale: run make docs")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name} written")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
