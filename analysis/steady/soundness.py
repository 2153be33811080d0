"""From an interval to an answer: flags, the forecast of the length needed, and no interval where none is honest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .autocorrelation import VonNeumann
from .batch_means import MeanInterval, t_quantile
from .result import Flag, SteadyState
from .series import FloatArray, check_level, is_constant

SOUND = 1000.0
"""Effective observations from which the interval of a mean covers what it says; below, all known ones cover less."""
EVENTS = 30.0
"""Effective observations other than the commonest value from which the mean is more than a matter of rare events."""
MARGIN = 1.2
"""A forecast asks for this many times more, for it is uncertain itself."""
CORRELATED = 0.01
"""Chance to call independent batches correlated."""

VOID = frozenset({Flag.TOO_SHORT, Flag.NON_STATIONARY, Flag.UNSTABLE, Flag.RARE_EVENT, Flag.CUT_AT_LIMIT})
"""With one of these flags there is no interval."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an estimate rests on."""

    method: str
    n: int
    """Observations used, after the cut."""
    tau: float
    """Autocorrelation time, in observations; nan where they do not vary."""
    sound_n: float
    """Observations from which the method's intervals cover; inf or nan where the run does not tell."""
    batches: int
    neighbours: VonNeumann
    """Whether neighbouring batches resemble each other."""
    cut: int = 0
    flags: frozenset[Flag] = frozenset()


def check_wanted(level: float, wanted: float) -> None:
    """ValueError when the level is not within (0, 1) or the wanted relative half-width not positive and finite."""
    check_level(level)
    if not (wanted > 0 and math.isfinite(wanted)):
        raise ValueError(f"a wanted relative half-width is positive, as 0.05, not {wanted}")


def concluded(found: MeanInterval, evidence: Evidence, level: float, wanted: float) -> SteadyState:
    """The answer: `found` where the evidence suffices, otherwise flags and a forecast without an interval."""
    flags = set(evidence.flags)
    n, tau = evidence.n, evidence.tau
    if not n >= evidence.sound_n and Flag.RARE_EVENT not in flags:
        flags.add(Flag.TOO_SHORT)
    if evidence.neighbours.p_value < CORRELATED:
        flags.add(Flag.CORRELATED_BATCHES)
    honest = not flags & VOID
    low, high = (found.low, found.high) if honest else (-math.inf, math.inf)
    return SteadyState(
        value=found.mean, half_width=(high - low) / 2, low=low, high=high, level=level, method=evidence.method, n=n,
        effective_n=n / tau, tau=tau, cut=evidence.cut, batches=evidence.batches, lag1=evidence.neighbours.lag1,
        flags=frozenset(flags), needed_n=_needed(found, evidence, frozenset(flags), level, wanted),
    )  # fmt: skip


def rare_events(values: FloatArray, tau: float) -> tuple[frozenset[Flag], float]:
    """Whether the mean hangs on too few events, and from how many observations on it does not.

    Events are observations other than the median, where that is the commonest value, as 0 where deadlines are kept.
    """
    if len(values) < EVENTS:
        return frozenset(), math.inf
    events = 0 if is_constant(values) else int(np.count_nonzero(values != np.median(values)))
    return rare(events, len(values), tau)


def rare(events: int, count: int, tau: float) -> tuple[frozenset[Flag], float]:
    """The same of so many events among so many observations."""
    if count < EVENTS:
        return frozenset(), math.inf
    if events == 0:
        return frozenset({Flag.RARE_EVENT}), math.inf
    if events > count / 2:
        return frozenset(), 0.0
    least = EVENTS * tau * count / events
    return frozenset({Flag.RARE_EVENT} if count < least else ()), least


def _needed(found: MeanInterval, evidence: Evidence, flags: frozenset[Flag], level: float, wanted: float) -> int | None:
    """The larger of the lengths for soundness and for the wanted width, which shrinks with the root of the length.

    Twice the length at least where the level has not settled; None where it goes on rising, or nothing is known.
    """
    if Flag.UNSTABLE in flags or not found.degrees or not found.mean:
        return None
    relative = t_quantile(found.degrees, 0.5 + level / 2) * found.se / abs(found.mean) / wanted
    needed = MARGIN * max(evidence.sound_n, evidence.n * relative * relative)
    if flags & {Flag.NON_STATIONARY, Flag.CUT_AT_LIMIT}:
        needed = max(needed, 2.0 * evidence.n)
    return math.ceil(needed) if math.isfinite(needed) else None
