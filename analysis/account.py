"""What a quantity comes to in the long run: mean and quantiles with their intervals, or in words why there are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simoffload.record.batches import Batches

from .numbers import counted, rounded
from .runs import Floats
from .steady.mean import mean_after
from .steady.quantiles import quantile_after
from .steady.replications import common_settling, pooled_mean, pooled_quantile, replicated_mean, replicated_quantile
from .steady.result import Flag, SteadyState
from .steady.series import as_series
from .steady.stationarity import settling
from .steady.streaming import settling_of, steady_mean_of, steady_quantile_of

SHARES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Quantiles that are told."""
ENOUGH_RUNS = 10
"""From so many runs on their means alone make the interval."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that every task, or row, has one of."""

    name: str
    """As in "latency"."""
    unit: str
    """As in "s"; empty for a pure number."""
    noun: str = "task"
    """What has one of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """A quantity in the long run."""

    quantity: Quantity
    mean: SteadyState
    quantiles: Mapping[float, SteadyState]
    """By share."""
    reason: str
    """Why no steady state was found; empty where one was."""
    one_in: int = 1
    """Of so many values of the run one is known, as its rows are a sample."""

    @property
    def flags(self) -> frozenset[Flag]:
        """All that speaks against any of the estimates."""
        return self.mean.flags.union(*(each.flags for each in self.quantiles.values()))


def account(quantity: Quantity, series: Floats, level: float = 0.95, wanted: float = 0.05) -> Account:
    """Of one run's values in the order of time; ValueError as for `steady_mean`."""
    values = as_series(series)
    settled = settling(values)
    return Account(
        quantity,
        mean_after(settled, values, level, wanted),
        {share: quantile_after(settled, values, share, level, wanted) for share in SHARES},
        settled.reason,
    )


def account_of_replications(
    quantity: Quantity, runs: Sequence[Floats], level: float = 0.95, wanted: float = 0.05
) -> Account:
    """Of several independent runs; ValueError as for `replicated_mean`.

    A few runs say little of their own scatter, so what they give rests on the batches of all.
    """
    few = len(runs) < ENOUGH_RUNS
    mean, quantile = (pooled_mean, pooled_quantile) if few else (replicated_mean, replicated_quantile)
    return Account(
        quantity,
        mean(runs, level, wanted),
        {share: quantile(runs, share, level, wanted) for share in SHARES},
        common_settling(runs).reason,
    )


def account_of_runs(quantity: Quantity, runs: Sequence[Floats], level: float, wanted: float) -> Account:
    """Of a run, or of several that then are replications."""
    if len(runs) == 1:
        return account(quantity, runs[0], level, wanted)
    return account_of_replications(quantity, runs, level, wanted)


def account_of_batches(quantity: Quantity, batches: Batches, level: float = 0.95, wanted: float = 0.05) -> Account:
    """Of a stream that was kept as batches alone."""
    return Account(
        quantity,
        steady_mean_of(batches, level, wanted),
        {share: steady_quantile_of(batches, share, level, wanted) for share in SHARES},
        settling_of(batches).reason,
    )


def share_name(share: float) -> str:
    """`p99.9`."""
    return f"p{100 * share:g}"


def remarks(account: Account) -> list[str]:
    """What must be said of an account besides its numbers, a sentence each."""
    noun = account.quantity.noun
    found = account.flags
    said = []
    if account.reason:
        said.append(f"No steady state was found: {account.reason}; so there is no interval.")
    if Flag.RARE_EVENT in found:
        said.append(f"The {account.quantity.name} hardly varies, or hangs on few rare {noun}s.")
    short = [
        (name, each)
        for name, each in [
            ("the mean", account.mean),
            *((share_name(p), each) for p, each in account.quantiles.items()),
        ]
        if Flag.TOO_SHORT in each.flags
    ]
    if short:
        said.append(_too_short(short, noun, account.one_in))
    states = (account.mean, *account.quantiles.values())
    if any(Flag.CORRELATED_BATCHES in each.flags and math.isfinite(each.half_width) for each in states):
        said.append("Neighbouring batches still resemble each other: the intervals may be a little narrow.")
    return said


def _too_short(short: Sequence[tuple[str, SteadyState]], noun: str, one_in: int) -> str:
    names = ", ".join(name for name, _ in short)
    needed = [each.needed_n for _, each in short if each.needed_n is not None]
    effective = min(each.effective_n for _, each in short)
    text = f"Too short for an interval of {names}"
    if math.isfinite(effective):
        kept = "" if one_in == 1 else " that were kept"
        text += f": its {counted(short[0][1].n, noun)}{kept} are worth {rounded(effective)} independent ones"
    return f"{text}; a run of about {_two_digits(one_in * max(needed))} would do." if needed else f"{text}."


def _two_digits(number: int) -> str:
    """A forecast is not known better: 20 million, not 20209460."""
    place = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // place) * place:,}".replace(",", "\N{THIN SPACE}")
