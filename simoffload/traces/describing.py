"""What a trace is like, in figures: how bursty its requests are and how long; how much a link's rate swings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .rates import Rates
from .requests import Requests

WINDOWS_S = (1, 10, 60)
"""Over which requests are counted for the index of dispersion."""
LONG_GAP_S = 60.0

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, standard deviation (of the trace itself, not of a population behind it) and quantiles."""

    mean: float
    sd: float
    min: float
    p5: float
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """Of a request trace; None where there are too few requests to tell."""

    requests: int
    span_s: float
    """From the first to the last."""
    rate_per_s: float | None
    """Gaps by span."""
    gap_mean_s: float | None
    gap_cv: float | None
    """Coefficient of variation of the times between requests."""
    dispersion: dict[str, float | None]
    """Variance by mean of the number of requests in whole windows of 1, 10 and 60 s: 1 for a Poisson process."""
    distinct_times: int
    largest_group: int
    """Most requests of one time."""
    step_s: float | None
    """Median time between distinct times: 3 s for a trace that is grouped every 3 s."""
    longest_gap_s: float | None
    longest_gap_at_s: float | None
    """When it begins."""
    gaps_of_a_minute: int
    """Gaps of 60 s and more."""
    prompt_tokens: Spread
    output_tokens: Spread
    without_output: int
    """Requests of 0 output tokens."""


@dataclass(frozen=True, slots=True)
class RateFigures:
    """Of a rate trace, with weights by time."""

    segments: int
    loop_s: float
    step_s: float
    """Median length of a segment."""
    longest_step_s: float
    rate_bps: Spread
    outage_share: float
    """Share of time at rate 0."""
    autocorrelation: float | None
    """Between each segment's rate and the next one's; None where they do not vary or are too few."""


def describe_requests(requests: Requests) -> RequestFigures:
    """The figures of a request trace."""
    times = np.asarray(requests.times_s)
    gaps = np.diff(times)
    span = float(times[-1])
    distinct, sizes = np.unique(times, return_counts=True)
    longest = int(np.argmax(gaps)) if len(gaps) else None
    mean = float(gaps.mean()) if len(gaps) else None
    outputs = np.asarray(requests.output_tokens, dtype=np.float64)
    return RequestFigures(
        requests=len(times),
        span_s=span,
        rate_per_s=len(gaps) / span if span > 0 else None,
        gap_mean_s=mean,
        gap_cv=float(gaps.std()) / mean if mean else None,
        dispersion={f"{window} s": dispersion(times, window) for window in WINDOWS_S},
        distinct_times=len(distinct),
        largest_group=int(sizes.max()),
        step_s=float(np.median(np.diff(distinct))) if len(distinct) > 1 else None,
        longest_gap_s=None if longest is None else float(gaps[longest]),
        longest_gap_at_s=None if longest is None else float(times[longest]),
        gaps_of_a_minute=int((gaps >= LONG_GAP_S).sum()),
        prompt_tokens=_spread(np.asarray(requests.prompt_tokens, dtype=np.float64)),
        output_tokens=_spread(outputs),
        without_output=int((outputs == 0).sum()),
    )


def dispersion(times_s: Values, window_s: float) -> float | None:
    """Variance by mean of the number of requests in windows from the first one on; None for fewer than two."""
    windows = math.floor(times_s[-1] / window_s)
    if windows < 2:
        return None
    # Empty windows add nothing to either sum, so that only those with requests are listed, however long the trace.
    places = np.floor_divide(times_s, window_s)
    _, counts = np.unique(places[places < windows], return_counts=True)
    mean = counts.sum() / windows
    return float((counts.astype(np.float64) ** 2).sum() / windows - mean**2) / mean if mean > 0 else None


def describe_rates(rates: Rates) -> RateFigures:
    """The figures of a rate trace."""
    values = np.asarray(rates.rates_bps)
    lengths = np.diff(np.asarray(rates.ends_s), prepend=0.0)
    return RateFigures(
        segments=len(values),
        loop_s=rates.ends_s[-1],
        step_s=float(np.median(lengths)),
        longest_step_s=float(lengths.max()),
        rate_bps=_spread(values, lengths),
        outage_share=float(lengths[values == 0].sum() / lengths.sum()),
        autocorrelation=_autocorrelation(values),
    )


def _autocorrelation(values: Values) -> float | None:
    """Of lag 1: the sum of products of neighbours' deviations by the sum of squares."""
    deviations = values - values.mean()
    squares = float((deviations**2).sum())
    if len(values) < 3 or np.ptp(values) == 0:
        return None
    return float((deviations[:-1] * deviations[1:]).sum()) / squares


def _spread(values: Values, weights: Values | None = None) -> Spread:
    """Figures of values with weights, equal where left out.

    The quantile q is the least value such that it and lesser ones have the share q of the weight.
    """
    order = np.argsort(values, kind="stable")
    reached = np.arange(1, len(values) + 1) if weights is None else np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array([0.05, 0.5, 0.95, 0.99]) * reached[-1] * (1 - 1e-12))
    p5, p50, p95, p99 = values[order][places].tolist()
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights))
    return Spread(
        mean=mean,
        sd=math.sqrt(variance),
        min=float(values.min()),
        p5=p5,
        p50=p50,
        p95=p95,
        p99=p99,
        max=float(values.max()),
    )
