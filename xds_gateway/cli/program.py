"""The outermost layer: run a command, say in one place how it failed, end with its exit status."""

import io
import json
import sys
from collections.abc import Sequence

import typer
from rich.text import Text

from .commands import app
from .console import errors, shown
from .failures import CommandFailed, Status

NAME = "xds-gateway"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `xds-gateway`; never returns."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status."""
    command = typer.main.get_command(app)
    try:
        status = command.main(list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
    except CommandFailed as failure:
        _tell(failure, as_json="--json" in arguments)
        return failure.status
    except typer.TyperException as wrong:
        _tell(_usage(wrong), as_json="--json" in arguments)
        return Status.USAGE
    except typer.Abort:
        return Status.INTERRUPTED
    return status if isinstance(status, int) else Status.DONE


def _usage(wrong: typer.TyperException) -> CommandFailed:
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context else NAME
    return CommandFailed("usage", wrong.format_message(), f"See `{path} --help`.")


def _tell(failure: CommandFailed, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(failure.as_json(), ensure_ascii=False), file=sys.stderr)
        return
    console = errors()
    for number, sentence in enumerate(failure.sentences):
        line = Text(shown(sentence))
        console.print(Text("error: ", style="bold red") + line if number == 0 else line, soft_wrap=True)
    if failure.errors:
        from .explaining import explanation

        console.print()
        console.print(explanation(failure.errors))
