"""A refusal as a vendor wants to read it: what is wrong where, what came, what was expected, and who says so."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..rules.explaining import ExplainedFinding
from .console import shown
from .failures import Explained


def explanation(errors: Sequence[Explained | ExplainedFinding]) -> RenderableType:
    """Each error as a numbered block that fits any width."""
    return Group(*(Padding(_block(number, error), (0, 0, 1, 0)) for number, error in enumerate(errors, 1)))


def _block(number: int, error: Explained | ExplainedFinding) -> Table:
    block = Table.grid(padding=(0, 1, 0, 0))
    block.add_column(justify="right", width=4)
    block.add_column(overflow="fold")
    block.add_row(f"{number}.", _heading(error))
    block.add_row("", Text(shown(error.sentence)))
    evidence = (
        ("hint", _hint(error)),
        ("received", error.received or ("nothing" if error.rule and error.expected else None)),
        ("expected", error.expected),
        ("clause", error.clause),
        ("rule", error.rule),
    )
    if any(value is not None for _, value in evidence):
        block.add_row("", _evidence(tuple((label, value) for label, value in evidence if value is not None)))
    return block


def _hint(error: Explained | ExplainedFinding) -> str | None:
    """The hint, and where it is from when that is known."""
    source = getattr(error, "source", None)
    return f"{error.hint} ({source})" if error.hint and source else error.hint


def _heading(error: Explained | ExplainedFinding) -> Text:
    """Code and attribute, and the object that has it where the line is long enough."""
    heading = Text(overflow="ellipsis", no_wrap=True)
    heading.append(shown(error.code), "bold red" if error.severity == "Error" else "bold yellow")
    if error.severity != "Error":
        heading.append(f" ({shown(error.severity).lower()})")
    if error.attribute is not None:
        heading.append("  ").append(shown(error.attribute), "bold")
    if error.object is not None:
        heading.append(f"  of {shown(error.object)}", "dim")
    return heading


def _evidence(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, shown(value))
    return table
