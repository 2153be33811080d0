"""`simoffload resume`: finish a run that was interrupted."""

from __future__ import annotations

from pathlib import Path

import click

from ..record.durable import RecordError, contents
from .one_run import UNSTABLE, describe, print_end, resuming
from .progress import shown, watcher
from .refusals import Refused
from .stopping import Stop


@click.command()
@click.argument("directory", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--from-start", is_flag=True, help="Make the run anew, whatever there is of it, unless it is over.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of a summary in words.")
@click.option("--quiet", is_flag=True, help="Print no progress, no note and no summary.")
def resume(directory: Path, from_start: bool, as_json: bool, quiet: bool) -> None:
    """Finish a run that was interrupted.

    RUN is the directory of a run that was stopped, killed, or out of disk space. It ends as if it had never been
    interrupted, to the byte. A run that is over is left as it is.
    """
    from ..decision.tables import NowhereError
    from ..record.manifest import UNTIL_FILE, read_manifest
    from ..run.agents import AgentError
    from ..run.checkpoint import CheckpointError
    from ..run.replications import Unfinished
    from ..run.resuming import resume as go_on

    try:
        manifest = read_manifest(directory)
    except RecordError as error:
        raise Refused([str(error)]) from None
    if manifest.is_over:
        _tell_over(directory, manifest.status, manifest.reason, as_json, quiet)
        return

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    try:
        if (directory / UNTIL_FILE).exists():
            from .until import resume_rule

            resume_rule(directory, say, from_start, as_json, quiet)
            return
        with Stop() as stop, shown(quiet) as show:
            summary = go_on(directory, watcher(show, stop, describe), say=say, from_start=from_start)
    except CheckpointError as error:
        raise click.ClickException(f"{error}; to make the run anew: {resuming(directory)} --from-start") from None
    except (AgentError, NowhereError, RecordError, Unfinished) as error:
        raise click.ClickException(str(error)) from None
    print_end(summary, directory, as_json, quiet)


def _tell_over(directory: Path, status: str, reason: str | None, as_json: bool, quiet: bool) -> None:
    if as_json:
        from ..record.manifest import SUMMARY_FILE

        try:
            click.echo(contents(directory / SUMMARY_FILE), nl=False)
        except OSError as error:
            raise click.ClickException(f"cannot read {directory / SUMMARY_FILE}: {error.strerror}") from None
    elif not quiet:
        click.echo(f"the run in {directory} is over: {status}{f', {reason}' if reason else ''}")
    if status == "unstable":
        click.get_current_context().exit(UNSTABLE)
