"""`simoffload agents`: who can be asked to place and order work, those of other packages included."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print names, descriptions and packages as JSON.")
def agents(as_json: bool) -> None:
    """List the agents there are.

    A package adds its own by entry points of the group 'simoffload.agents'.
    """
    from ..run.agents import describe_agents

    found = describe_agents()
    if as_json:
        keys = ("name", "description", "package")
        click.echo(json.dumps([dict(zip(keys, each, strict=True)) for each in found], indent=2))
    else:
        from .tables import print_table

        print_table(("agent", "what it does", "package"), found)
