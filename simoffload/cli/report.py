"""`simoffload report`: the page of a run or comparison, made again from what is in its directory."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..record.durable import RecordError
from .refusals import Refused


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def report(directory: Path) -> None:
    """Write the report of a run or a comparison again.

    Puts report.html and figures/ into its DIRECTORY, in place of those there.
    """
    from ..analysis.report import write_report, write_run_report
    from ..record.manifest import COMPARISON_FILE, MANIFEST_FILE

    if os.path.isfile(directory / COMPARISON_FILE):
        write = write_report
    elif os.path.isfile(directory / MANIFEST_FILE):
        write = write_run_report
    else:
        raise Refused([f"'{directory}' is no result: it has neither {COMPARISON_FILE} nor {MANIFEST_FILE}"])
    try:
        click.echo(write(directory))
    except RecordError as error:
        raise click.ClickException(str(error)) from None
