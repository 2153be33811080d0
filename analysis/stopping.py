"""When to stop simulating: as soon as an estimate is as precise as was asked for, and not by a lucky moment.

Who looks at an interval again and again and stops when it is narrow stops when the variance happens to be
underestimated. So checks come at lengths that grow by a factor, an interval with any flag never counts, and one that is
narrow enough must be so again at the next check. On M/M/1 queues such intervals held the truth as often as they say
(`studies/stopping`). The same rule serves one run that is made longer and replications that become more; `StoppingRule`
only judges, and knows nothing of who runs what.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simoffload import units
from simoffload.record.batches import Batches
from simoffload.record.durable import RecordError, read_json
from simoffload.record.measures import MEASURES
from simoffload.schema.problems import Problem, nearest

from .steady.batch_means import adjusted
from .steady.result import Flag, SteadyState
from .steady.streaming import steady_mean_of, steady_quantile_of

REACHED, BUDGET, NO_STEADY_STATE = "reached", "budget", "no steady state"
NO_MORE_TASKS, INTERRUPTED = "no more tasks", "interrupted"
"""Reasons of an end."""
IN_A_ROW = 2
"""Checks at which the interval must be narrow enough."""
RISING = 6
"""Checks in a row that find the level rising after which no steady state is expected: over a tenfold length."""

_TIMES = ("latency", "waiting", "service")
_SHARES = ("mean", "p50", "p90", "p95", "p99", "p99.9")
_EXAMPLES = ("latency.p99 +- 2%", "latency.mean +- 200 ms", "objective +- 0.01")
_FORM = re.compile(r"\s*([^\s.±+]+)(?:\.([^\s±+]+))?\s*(?:\+-|\+/-|±)\s*(.+?)\s*")
_BUDGETS = {"tasks": "tasks", "task": "tasks", "replications": "replications", "replication": "replications"}


class TargetError(ValueError):
    """Text that asks for nothing that can be aimed at: what is wrong, what is allowed, perhaps what was meant."""


@dataclass(frozen=True, slots=True)
class Target:
    """How precisely what is to be known: a mean or a quantile, and half the width of its interval."""

    measure: str
    """One of `MEASURES`."""
    share: float | None
    """Of a quantile, within (0, 1); None for the mean."""
    half_width: float
    """In the measure's unit, or where `is_relative`, as a share of the estimate."""
    is_relative: bool

    def __str__(self) -> str:
        width = f"{100 * self.half_width:.15g} %" if self.is_relative else f"{self.half_width:.15g}{self._unit}"
        return f"{self.name} ± {width}"

    @property
    def name(self) -> str:
        """As in `latency.p99`."""
        return f"{self.measure}.{'mean' if self.share is None else f'p{round(100 * self.share, 10):g}'}"

    @property
    def _unit(self) -> str:
        return " s" if self.measure in _TIMES else ""

    def width_at(self, value: float) -> float:
        """The half-width wanted of an estimate of this value, in its unit."""
        return self.half_width * abs(value) if self.is_relative else self.half_width

    def is_met_by(self, state: SteadyState) -> bool:
        """Whether an interval is there, without any flag, and narrow enough."""
        return not state.flags and state.half_width <= self.width_at(state.value)


def parse_target(text: str) -> Target:
    """`latency.p99 +- 2%`: a measure, its mean (also if nothing is said) or a percentile, and a half-width.

    The half-width is a share of the estimate in %, or in the measure's unit: a time for `latency`, `waiting` and
    `service`, a number for the `objective`, and for `cost` the USD per 1000 tasks. TargetError when it is none.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise TargetError(f"'{text}' is no target; write one as in {', '.join(repr(each) for each in _EXAMPLES)}")
    measure, statistic, width = found.groups()
    if measure not in MEASURES:
        raise TargetError(_unknown("measure", measure, MEASURES))
    share = None if statistic is None else _share(statistic)
    is_relative = width.endswith("%")
    half_width = _number(width[:-1], text) / 100 if is_relative else _absolute(measure, width, text)
    if not (0 < half_width < math.inf):
        raise TargetError(f"'{text}': a half-width is more than 0, not {width}")
    if is_relative and half_width >= 1:
        raise TargetError(f"'{text}': a relative half-width is less than 100 %, not {width}")
    return Target(measure, share, half_width, is_relative)


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent; None where nothing was said."""

    tasks: int | None = None
    replications: int | None = None
    wall_s: float | None = None


def parse_budget(text: str) -> Budget:
    """`2e6 tasks`, `10 min`, `500 replications`, or two of them with a comma; TargetError for anything else."""
    given: dict[str, float] = {}
    for part in text.split(","):
        number, _, noun = part.strip().partition(" ")
        kind = _BUDGETS.get(noun.strip(), "wall_s")
        try:
            amount = units.parse(part.strip(), units.TIME) if kind == "wall_s" else float(number)
        except ValueError:
            near = nearest(noun.strip(), [*_BUDGETS, *units.TIME.units])
            hint = f"; did you mean '{number} {near}'?" if near and near != noun.strip() else ""
            raise TargetError(
                f"'{part.strip()}' is no budget; allowed: tasks, replications, a time, as in '2e6 tasks', "
                f"'500 replications', '10 min'{hint}"
            ) from None
        if kind in given:
            raise TargetError(f"'{text}' limits {'the time' if kind == 'wall_s' else kind} twice")
        if not (amount > 0 and (kind == "wall_s" or (amount <= 10**9 and amount.is_integer()))):
            raise TargetError(f"'{part.strip()}': a budget is more than 0, of tasks or replications whole, up to 1e9")
        given[kind] = amount
    tasks, replications = given.get("tasks"), given.get("replications")
    return Budget(
        None if tasks is None else int(tasks), None if replications is None else int(replications), given.get("wall_s")
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """At which lengths checks are made: `first`, and then each `growth` times as long."""

    noun: str
    first: int
    growth: float
    most: int
    """Where a budget says nothing of it."""


ONE_RUN = Pace("tasks", first=2000, growth=1.5, most=2_000_000)
REPLICATIONS = Pace("replications", first=10, growth=1.25, most=1000)


@dataclass(frozen=True, slots=True)
class Check:
    """A look at the estimate after so many tasks or replications."""

    spent: int
    wall_s: float
    state: SteadyState
    is_met: bool


@dataclass
class StoppingRule:
    """Says at each check how long to go on; afterwards, why it ended."""

    target: Target
    pace: Pace
    most: int
    """Tasks or replications that may be spent."""
    wall_s: float = math.inf
    """Time that may be spent."""
    level: float = 0.95
    checks: list[Check] = field(default_factory=list)
    reason: str = ""
    """Why it ended; empty while it goes on."""

    @property
    def measure(self) -> str:
        """What a run has to keep batches of."""
        return self.target.measure

    @property
    def first(self) -> int:
        """The length of the pilot, at which the first check is due."""
        return min(self.pace.first, self.most)

    def see_batches(self, batches: Batches, tasks: int, wall_s: float) -> int:
        """A check of one run: the number of tasks at which the next is due, `tasks` itself where this was the last."""
        share = self.target.share
        if share is None:
            return self._see(lambda wanted: steady_mean_of(batches, self.level, wanted), tasks, wall_s)
        return self._see(lambda wanted: steady_quantile_of(batches, share, self.level, wanted), tasks, wall_s)

    def see_replications(self, values: Sequence[float], wall_s: float) -> int:
        """A check of what independent runs gave, a value each; likewise the number of runs at the next."""
        return self._see(lambda wanted: replicated(values, self.level, wanted, REPLICATIONS.first), len(values), wall_s)

    def is_out_of_time(self, wall_s: float) -> bool:
        """Whether no more time may be spent."""
        return wall_s >= self.wall_s

    def end(self, reason: str) -> None:
        """It has ended for a reason from outside, unless there is one already."""
        self.reason = self.reason or reason

    def continue_from(self, saved: StoppingRule) -> None:
        """Take over the checks of a rule for the same target, which was saved with the run."""
        self.checks, self.reason = list(saved.checks), saved.reason

    @property
    def forecast(self) -> int | None:
        """Where it is expected to end, by the last check: at the second one that is long enough, or with the budget.

        None where nothing is known. Half-widths shrink with the root of the length.
        """
        if not self.checks:
            return None
        last = self.checks[-1]
        if self.reason:
            return last.spent
        if last.state.needed_n is None or not last.state.n:
            return None
        needed = last.spent * last.state.needed_n / last.state.n
        length, met = last.spent, int(last.is_met)
        while met < IN_A_ROW and length < self.most:
            length = min(math.ceil(length * self.pace.growth), self.most)
            met += length >= needed
        return self._affordable(length, last)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "target": str(self.target),
            "reason": self.reason,
            "estimate": _estimate(self.checks[-1].state) if self.checks else None,
            "budget": {self.pace.noun: self.most, "wall_s": _finite(self.wall_s)},
            "checks": [
                {
                    self.pace.noun: check.spent,
                    "wall_s": check.wall_s,
                    "value": _finite(check.state.value),
                    "half_width": _finite(check.state.half_width),
                    "flags": sorted(check.state.flags),
                    "met": check.is_met,
                }
                for check in self.checks
            ],
        }

    def _see(self, estimate: Callable[[float], SteadyState], spent: int, wall_s: float) -> int:
        state = estimate(self.target.half_width if self.target.is_relative else 1.0)
        if not self.target.is_relative and math.isfinite(state.value) and state.value != 0:
            state = estimate(self.target.half_width / abs(state.value))
        check = Check(spent, wall_s, state, self.target.is_met_by(state))
        full_step = not self.checks or spent >= self.checks[-1].spent * self.pace.growth
        self.checks.append(check)
        if full_step and len(self.checks) >= IN_A_ROW and all(each.is_met for each in self.checks[-IN_A_ROW:]):
            self.reason = REACHED
        elif len(self.checks) >= RISING and all(Flag.UNSTABLE in each.state.flags for each in self.checks[-RISING:]):
            self.reason = NO_STEADY_STATE
        following = self._affordable(min(math.ceil(spent * self.pace.growth), self.most), check)
        if not self.reason and following <= spent:
            self.reason = BUDGET
        return spent if self.reason else following

    def _affordable(self, length: int, check: Check) -> int:
        """At most so long that the time suffices, if it goes on at the pace so far."""
        if not (math.isfinite(self.wall_s) and check.wall_s > 0):
            return length
        return min(length, max(math.floor(check.spent * self.wall_s / check.wall_s), check.spent))


def stopping_rule(target: Target, pace: Pace, budget: Budget) -> StoppingRule:
    """The rule for a target within a budget; TargetError for a budget of what this pace does not spend."""
    given = {"tasks": budget.tasks, "replications": budget.replications}
    wrong = [noun for noun, amount in given.items() if amount is not None and noun != pace.noun]
    if wrong:
        raise TargetError(f"a budget of {wrong[0]} limits nothing here; allowed: {pace.noun}, a time")
    most, wall_s = given[pace.noun], budget.wall_s
    return StoppingRule(target, pace, pace.most if most is None else most, math.inf if wall_s is None else wall_s)


def read_rule(path: Path) -> StoppingRule:
    """A rule for one run as `to_dict` has told it, which has seen nothing yet; RecordError when there is none."""
    told = read_json(path)
    try:
        budget = told["budget"]
        most, wall_s = int(budget["tasks"]), budget["wall_s"]
        rule = StoppingRule(parse_target(told["target"]), ONE_RUN, most, math.inf if wall_s is None else float(wall_s))
        if not (most > 0 and rule.wall_s > 0):
            raise ValueError("a budget is more than 0")
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise RecordError(f"{path} does not say how long its run is to go on: {error}") from None
    return rule


def replicated(values: Sequence[float], level: float, wanted: float, fewest: int) -> SteadyState:
    """The mean over independent runs, with Student's interval adjusted for skewness; below `fewest`, none.

    It estimates what a run of this length gives on average, its beginning included, so no steady state is needed.
    `needed_n` is in runs. ValueError when a value is not finite.
    """
    series = np.array(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError(f"replications must give finite values, not {list(values)}")
    n = len(series)
    found = adjusted(series, 0.0, level)
    enough = n >= fewest
    low, high = (found.low, found.high) if enough else (-math.inf, math.inf)
    width = (found.high - found.low) / 2
    needed = None
    if found.mean and math.isfinite(width):
        needed = max(math.ceil(n * (width / abs(found.mean) / wanted) ** 2), fewest)
    return SteadyState(
        value=found.mean, half_width=(high - low) / 2, low=low, high=high, level=level, method="replications", n=n,
        effective_n=float(n), tau=1.0, cut=0, batches=n, lag1=math.nan,
        flags=frozenset() if enough else frozenset({Flag.TOO_SHORT}), needed_n=needed,
    )  # fmt: skip


def _estimate(state: SteadyState) -> dict[str, Any]:
    return {
        "value": _finite(state.value), "half_width": _finite(state.half_width), "low": _finite(state.low),
        "high": _finite(state.high), "level": state.level, "method": state.method, "n": state.n, "cut": state.cut,
        "effective_n": _finite(state.effective_n), "flags": sorted(state.flags), "needed_n": state.needed_n,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _share(statistic: str) -> float | None:
    """The share of a percentile, None for the mean."""
    if statistic == "mean":
        return None
    found = re.fullmatch(r"p(\d{1,2}(?:\.\d{1,6})?)", statistic)
    if found is None or float(found[1]) == 0:
        raise TargetError(_unknown("statistic", statistic, _SHARES) + "; any percentile from p0.1 to p99.999 will do")
    return float(found[1]) / 100


def _absolute(measure: str, width: str, text: str) -> float:
    if measure not in _TIMES:
        return _number(width, text)
    try:
        return units.parse(width, units.TIME)
    except units.UnitError as error:
        raise TargetError(f"'{text}': {error}; or a share of the estimate, as in 2%") from None


def _number(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise TargetError(f"'{text}': '{number.strip()}' is no number") from None


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    return Problem("", 0, 0, "", f"unknown {what} '{name}'", tuple(known), nearest(name, known)).headline
