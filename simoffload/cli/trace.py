"""`simoffload trace`: what a file of requests or of link rates holds, and the same in one of the plain formats."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from ..traces.formats import RATE_FORMATS, REQUEST_FORMATS, detect_format
from .refusals import Refused

if TYPE_CHECKING:
    from ..traces import Direction, Rates, Requests, Skipped
    from ..traces.describing import RateFigures, RequestFigures, Spread

P = ParamSpec("P")
R = TypeVar("R")
Lines = list[tuple[str, str]]


def _seconds(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """The seconds of a bare number, or of a time such as '10 min'."""
    from ..units import TIME, UnitError, parse

    try:
        seconds = float(text)
    except ValueError:
        try:
            return parse(text, TIME)
        except UnitError as error:
            hint = "" if error.suggestion is None else f"; did you mean '{error.suggestion}'?"
            raise click.BadParameter(f"{error.message}{hint}") from None
    if not seconds >= 0:
        raise click.BadParameter(f"'{text}' is not a time from 0 on")
    return seconds


def _factor(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """A number by which times can be divided."""
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1e-6 <= factor <= 1e6:
        raise click.BadParameter(f"'{text}' is not a number from 1e-6 to 1e6")
    return factor


def _refusing(command: Callable[P, R]) -> Callable[P, R]:
    """The command, with a file that cannot be read, or a name that cannot be one, as a refusal."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ..traces import TraceError

        try:
            return command(*args, **kwargs)
        except TraceError as error:
            raise Refused([str(error)]) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Refused([f"{error.filename}: {error.strerror}"]) from None

    return wrapped


_FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice([*REQUEST_FORMATS, *RATE_FORMATS]),
    help="The format of FILE, instead of the one that its first line tells.",
)
_COLUMN = click.option(
    "--column",
    type=click.Choice(["down", "up"]),
    default="down",
    show_default=True,
    help="The direction to read of rates in g-nettrack.",
)


@click.group()
def trace() -> None:
    """Look into trace files and convert them.

    Requests in the layouts of Azure's LLM traces, BurstGPT, Mooncake and ServeGen or as plain CSV; rates of links in
    two columns or as Mahimahi and G-NetTrack write them. A scenario can name any of these files.
    """


@trace.command()
@click.argument("file")
@_FORMAT
@_COLUMN
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@_refusing
def info(file: str, format_: str | None, column: Direction, as_json: bool) -> None:
    """Print what FILE holds.

    Of requests: how many there are, how bursty and how long. Of rates: how high they are and how they swing.
    """
    from ..traces import Requests
    from ..traces.describing import describe_rates, describe_requests

    found = _read(file, format_, column)
    figures: RequestFigures | RateFigures
    if isinstance(found, Requests):
        kind, figures = "requests", describe_requests(found)
        lines = _request_lines(figures, found.out_of_order)
    else:
        kind, figures = "rates", describe_rates(found)
        lines = _rate_lines(figures)
    if as_json:
        order = {"out_of_order": found.out_of_order} if isinstance(found, Requests) else {}
        skipped = {"skipped_rows": found.skipped.rows, "first_skipped_line": found.skipped.first_line or None}
        entries = {"file": file, "format": found.format, "kind": kind, **asdict(figures), **order, **skipped}
        click.echo(json.dumps(entries, indent=2, allow_nan=False))
        return
    lines = [("format", f"{found.format} ({kind})"), *lines, ("rows left out", _left_out(found.skipped))]
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        click.echo(f"{label:<{width}}  {text}")


@trace.command()
@click.argument("file")
@click.argument("out", type=click.Path(path_type=Path))
@_FORMAT
@_COLUMN
@click.option("--speed", callback=_factor, default="1", metavar="X", help="Play it X times as fast.")
@click.option("--from", "from_s", callback=_seconds, default="0", metavar="T", help="Leave out what is before T.")
@click.option("--to", "to_s", callback=_seconds, default="inf", metavar="T", help="Leave out what is from T on.")
@click.option("--force", is_flag=True, help="Write over OUT if it is there.")
@_refusing
def convert(
    file: str,
    out: Path,
    format_: str | None,
    column: Direction,
    speed: float,
    from_s: float,
    to_s: float,
    force: bool,
) -> None:
    """Write FILE to OUT in a plain format.

    Requests become CSV with time (s), prompt and output tokens; rates two columns of time (s) and Mbit/s. T is a time
    of FILE, counted from its first request or rate, in seconds or with a unit such as '10 min'.
    """
    from ..record.durable import RecordError, write_durably
    from ..traces import Requests
    from ..traces.parts import rates_between, rates_faster, requests_between, requests_faster
    from ..traces.writing import rates_text, requests_text

    if out.is_dir():
        raise Refused([f"'{out}' is a directory"])
    if out.exists() and not force:
        raise Refused([f"'{out}' is there already; --force writes over it"])
    if to_s <= from_s:
        raise Refused([f"--to ({to_s:g} s) is not after --from ({from_s:g} s)"])
    found = _read(file, format_, column)
    if found.skipped.rows:
        click.echo(f"{file}: warning: rows with an empty field are left out: {_left_out(found.skipped)}", err=True)
    if isinstance(found, Requests):
        text = requests_text(requests_faster(requests_between(found, from_s, to_s), speed))
    else:
        text = rates_text(rates_faster(rates_between(found, from_s, to_s), speed))
    try:
        write_durably(out, text.encode())
    except RecordError as error:
        raise click.ClickException(str(error)) from None


def _read(file: str, format_: str | None, column: Direction) -> Requests | Rates:
    from ..traces import read_rates, read_requests

    found = format_ or detect_format(file)
    return read_requests(file, found) if found in REQUEST_FORMATS else read_rates(file, found, column)


def _request_lines(figures: RequestFigures, out_of_order: int) -> Lines:
    dispersion = ", ".join(f"{_short(index)} ({window})" for window, index in figures.dispersion.items())
    longest = "" if figures.longest_gap_s is None else f", longest {_short(figures.longest_gap_s)} s"
    place = "" if figures.longest_gap_at_s is None else f" after {_time(figures.longest_gap_at_s)}"
    return [
        ("requests", f"{figures.requests}, {figures.without_output} without output"),
        ("span", _time(figures.span_s)),
        ("rate", f"{_short(figures.rate_per_s)} /s"),
        ("gaps", f"mean {_short(figures.gap_mean_s)} s, CV {_short(figures.gap_cv)}{longest}{place}"),
        ("gaps of 60 s and more", str(figures.gaps_of_a_minute)),
        ("index of dispersion", dispersion),
        ("prompt tokens", _spread(figures.prompt_tokens)),
        ("output tokens", _spread(figures.output_tokens)),
        (
            "distinct times",
            f"{figures.distinct_times}, median step {_short(figures.step_s)} s, at most {figures.largest_group} "
            f"requests at one",
        ),
        ("rows out of order", str(out_of_order)),
    ]


def _rate_lines(figures: RateFigures) -> Lines:
    steps = f"median length {_short(figures.step_s)} s, longest {_short(figures.longest_step_s)} s"
    return [
        ("segments", f"{figures.segments}, {steps}"),
        ("loop", _time(figures.loop_s)),
        ("rate, Mbit/s", _spread(figures.rate_bps, 1e6)),
        ("outage", f"{figures.outage_share:.2%} of the time"),
        ("lag-1 autocorrelation", _short(figures.autocorrelation)),
    ]


def _left_out(skipped: Skipped) -> str:
    return f"{skipped.rows}, the first in line {skipped.first_line}" if skipped.rows else "0"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _time(seconds: float) -> str:
    """Seconds, and what they are in a unit that one can picture."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds:.10g} s ({seconds / size:.1f} {unit})"
    return f"{seconds:.10g} s"


def _spread(spread: Spread, unit: float = 1.0) -> str:
    figures = {"mean": spread.mean, "sd": spread.sd, "min": spread.min, "p5": spread.p5, "p50": spread.p50}
    figures |= {"p95": spread.p95, "p99": spread.p99, "max": spread.max}
    return ", ".join(f"{name} {value / unit:.6g}" for name, value in figures.items())
