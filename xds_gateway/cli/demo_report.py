"""What a demonstration tells at its end: what went over the wire, how fast, and what to try next."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..actors.audit_reading import Look
from ..client.demo import DemoReport
from ..security.access_explaining import ConsideredRow
from .connecting import explain
from .console import as_plain, seconds_text, shown, size_text
from .explaining import explanation
from .greeting import program_line
from .who_looked import looks_table

_LOOKS: Final = 5  # accesses that are shown, the last ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """One run: `problems` are those of the report and of the gateway itself."""

    folder: Path
    source: str
    registry_url: str
    repository_url: str
    workers: int
    report: DemoReport
    denied: Sequence[ConsideredRow]
    looks: Sequence[Look]
    problems: tuple[str, ...]

    @property
    def medians(self) -> dict[str, float]:
        """Seconds that a submission, a search for a patient and a retrieval took, in the middle."""
        documents = self.report.documents
        return {
            "submit": median(document.submit_seconds for document in documents),
            "find": self.report.find_seconds / len(self.report.patient_ids),
            "retrieve": median(document.retrieve_seconds for document in documents),
        }


def demonstrated(made: Demonstration) -> dict[str, Any]:
    """The demonstration as `--json` writes it."""
    report = made.report
    plain: dict[str, Any] = as_plain(
        {
            "folder": made.folder,
            "source": made.source,
            "registry_url": made.registry_url,
            "repository_url": made.repository_url,
            "workers": made.workers,
            "seconds": report.seconds,
            "median_seconds": made.medians,
            "patient_ids": report.patient_ids,
            "found": report.found,
            "bytes": report.size,
            "documents": report.documents,
            "replacement": report.replacement,
            "refusal": explain(report.refusal),
            "nameless": report.nameless,
            "denied": {
                "role": "administrative",
                "document": report.replacement.new_uuid,
                "errors": explain(report.denied or ()),
                "rows": [{"row": each.row.id, "why_not": each.why_not} for each in made.denied],
            },
            "looks": made.looks,
            "problems": made.problems,
        }
    )
    return plain


def show(made: Demonstration, console: Console) -> None:
    """Print the demonstration as people read it; lines to copy are never broken."""
    console.print()
    console.rule("What happened", align="left", style="dim")
    console.print(_facts(made))
    console.print()
    console.rule("The submission with mistakes was refused, and told why", align="left", style="dim")
    console.print(explanation(explain(made.report.refusal)))
    console.rule("An administrative user asked for a document, which is unknown to it", align="left", style="dim")
    console.print(_denied(made))
    console.print()
    console.rule(f"Who looked at the record of {made.report.patient_ids[0]}", align="left", style="dim")
    console.print(_looks(made))
    console.print()
    console.rule("What to try next", align="left", style="dim")
    console.print(_next(made), soft_wrap=True)
    console.print(_verdict(made))


def _facts(made: Demonstration) -> Table:
    report, medians = made.report, made.medians
    kinds = Counter(document.mime_type for document in report.documents)
    identical = sum(document.identical for document in report.documents)
    replacement = report.replacement
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    listed = ", ".join(f"{number} {shown(kind)}" for kind, number in kinds.most_common())
    for label, text in (
        ("documents", f"{len(report.documents)} ({listed}), {size_text(report.size)} in all; {made.source}"),
        ("found", f"{report.found} of {len(report.documents)}, for {len(report.patient_ids)} patients"),
        ("came back", f"{identical} of {len(report.documents)} identical, byte for byte"),
        ("median times", ", ".join(f"{name} {seconds_text(value)}" for name, value in medians.items())),
        ("in all", f"{seconds_text(report.seconds)} over mutual TLS, {made.workers} worker processes"),
        ("registry", made.registry_url),
        ("repository", made.repository_url),
        ("replaced", shown(replacement.label)),
        ("  the old one", f"{replacement.old_uuid}  {replacement.old_status}"),
        ("  the new one", f"{replacement.new_uuid}  {replacement.new_status}"),
        ("with assertion", "every call: who calls, as whom and what for, signed by an issuer that the gateway trusts"),
        ("without", f"refused: {shown(report.nameless)}"),
        ("kept in", f"{made.folder} (keys, data, copies, log)"),
    ):
        table.add_row(label, text)
    return table


def _denied(made: Demonstration) -> Table:
    """What the user was told, and what only an administrator is told: why no row of the access matrix permits."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for error in explain(made.report.denied or ()):
        table.add_row("told", f"{error.code}: {shown(error.sentence)}")
    for each in made.denied:
        table.add_row(f"row {each.row.id}", shown("; ".join(each.why_not) or "permits"))
    return table


def _looks(made: Demonstration) -> Table:
    return looks_table(made.looks[-_LOOKS:], {})


def _next(made: Demonstration) -> Text:
    program, config = program_line(), shlex.quote(str(made.folder / "gateway.toml"))
    patient = shlex.quote(made.report.patient_ids[0])
    own = "make serve" if Path("Makefile").exists() else f"{program} pki && {program} serve"
    lines = (
        ("# The same data again, until Ctrl-C:", f"{program} serve --config {config}"),
        ("# and in another terminal:", f"{program} find --config {config} --patient {patient} --status all"),
        ("", f"{program} get --config {config} {made.report.replacement.new_uuid} --output copy.xml"),
        ("# A gateway of your own, and a document into it:", own),
        ("", f"{program} submit FILE --patient '42^^^&1.2.3&ISO'"),
    )
    text = Text()
    for comment, line in lines:
        if comment:
            text.append(f"{comment}\n", "dim")
        text.append(f"{line}\n")
    return text


def _verdict(made: Demonstration) -> Text:
    if made.problems:
        listed = "\n".join(f"  {problem}" for problem in made.problems)
        return Text(f"Not all went as it should:\n{listed}", style="bold red")
    return Text("All as it should be: every document found, identical, replaced or refused as expected.", "bold green")
