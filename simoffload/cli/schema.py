"""`simoffload schema`: the JSON Schema of scenario files, by which editors check and complete them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..record.durable import RecordError, write_durably


@click.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file instead.")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of scenario files.

    With 'simoffload schema --out scenario.schema.json' beside a scenario whose first line is
    '# yaml-language-server: $schema=scenario.schema.json', editors that know YAML check it as you type.
    """
    from ..schema import json_schema

    text = json.dumps(json_schema(), indent=2)
    if out is None:
        click.echo(text)
        return
    try:
        write_durably(out, f"{text}\n".encode())
    except RecordError as error:
        raise click.ClickException(str(error)) from None
    click.echo(out)
