"""`simoffload`: the program, which knows its commands by name and one line each, and loads the one that is called."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any

import click

from .. import __version__

COMMANDS = {
    "run": "Simulate one agent on a scenario.",
    "resume": "Finish a run that was interrupted.",
    "compare": "Simulate several agents on the same seeds and rank them.",
    "analyze": "Say what runs come to in the long run, with intervals.",
    "theory": "Compare stations with the closed forms of queueing theory.",
    "report": "Write the report of a run or a comparison again.",
    "train": "Let an agent learn on a scenario.",
    "study": "Train, measure and tabulate what a study file asks for.",
    "validate": "Check a scenario without running it.",
    "schema": "Print the JSON Schema of scenario files.",
    "scenarios": "List, show and copy the scenarios that come with simoffload.",
    "agents": "List the agents there are.",
    "trace": "Look into trace files and convert them.",
}
"""Each command's first line of help; command `x` is the attribute `x` of the module `simoffload.cli.x`."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Commands(click.Group):
    """The commands of `COMMANDS`; listing them imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"simoffload.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from .refusals import unknown

            ctx.fail(unknown("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="simoffload")
def main() -> None:
    """Simulate where a factory's LLM requests are computed: on its edge nodes or in the cloud.

    A SCENARIO is a YAML file or the name of one that comes with simoffload ('simoffload scenarios list'). To begin
    with: 'simoffload compare tiny'.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
