"""When tasks arrive: renewal, Markov-modulated and periodic processes, and the times of a recorded trace.

A process gives one absolute time after the other by `next()`, never decreasing, and inf when there is none left. The
rate of a renewal process may follow the time of day: its times are then read off a clock that runs fast when the rate
is high (time warp), so that the same draws keep their order whatever the modulation.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Protocol

from ..random_streams import Alternatives, Exponentials, Gammas, Streams, Uniforms
from ..schema.workload import (
    Arrivals,
    Diurnal,
    GammaArrivals,
    MmppArrivals,
    PeriodicArrivals,
    PoissonArrivals,
    TraceArrivals,
    WeibullArrivals,
)

_SMALLEST_CV = 1e-7
"""Gaps that vary less than this are drawn with this much."""
_PRECISION = 1e-12
"""Of the integral up to an unwarped time, relative to the period."""


class ArrivalProcess(Protocol):
    """Times of arrival in s."""

    @property
    def mean_rate(self) -> float:
        """Arrivals per second in the long run."""

    def next(self) -> float:
        """The next time; inf when there is none."""


def make_arrivals(spec: Arrivals, streams: Streams, entity: str) -> ArrivalProcess:
    """The arrival process of one source of tasks; ValueError where a trace cannot be repeated."""
    if isinstance(spec, TraceArrivals):
        return read_replay(spec)
    generator = streams.generator(entity, "arrivals")
    if isinstance(spec, MmppArrivals):
        return MarkovModulated(spec.rates, spec.mean_sojourn, Exponentials(generator), streams, entity)
    if isinstance(spec, PeriodicArrivals):
        return Periodic(spec, Uniforms(generator), streams, entity)
    process: ArrivalProcess
    if isinstance(spec, PoissonArrivals):
        process = PoissonProcess(spec.rate, Exponentials(generator))
    elif isinstance(spec, GammaArrivals):
        shape = 1 / max(spec.cv, _SMALLEST_CV) ** 2
        process = GammaRenewal(spec.rate, Gammas(generator, shape), shape)
    else:
        assert isinstance(spec, WeibullArrivals)
        process = WeibullRenewal(spec.rate, spec.cv, Exponentials(generator))
    return process if spec.modulation is None else Warped(process, spec.modulation)


class PoissonProcess:
    """Exponential gaps."""

    __slots__ = ("_exponentials", "_gap_s", "_now_s", "mean_rate")

    def __init__(self, rate: float, exponentials: Exponentials) -> None:
        self.mean_rate = rate
        self._gap_s = 1 / rate
        self._exponentials = exponentials
        self._now_s = 0.0

    def next(self) -> float:
        """The next time."""
        self._now_s += self._gap_s * self._exponentials.next()
        return self._now_s


class GammaRenewal:
    """Gamma gaps: of shape k their coefficient of variation is k**-0.5."""

    __slots__ = ("_gammas", "_now_s", "_scale_s", "mean_rate")

    def __init__(self, rate: float, gammas: Gammas, shape: float) -> None:
        self.mean_rate = rate
        self._scale_s = 1 / (rate * shape)
        self._gammas = gammas
        self._now_s = 0.0

    def next(self) -> float:
        """The next time."""
        self._now_s += self._scale_s * self._gammas.next()
        return self._now_s


class WeibullRenewal:
    """Weibull gaps: powers of exponential ones."""

    __slots__ = ("_exponentials", "_now_s", "_power", "_scale_s", "mean_rate")

    def __init__(self, rate: float, cv: float, exponentials: Exponentials) -> None:
        self.mean_rate = rate
        self._power = 1 / weibull_shape(cv)
        self._scale_s = 1 / (rate * math.gamma(1 + self._power))
        self._exponentials = exponentials
        self._now_s = 0.0

    def next(self) -> float:
        """The next time."""
        self._now_s += self._scale_s * math.pow(self._exponentials.next(), self._power)
        return self._now_s


def weibull_shape(cv: float) -> float:
    """The shape k of a Weibull law with this coefficient of variation, by bisection.

    Gamma(1 + 2/k) / Gamma(1 + 1/k)**2 = 1 + cv**2, the left-hand side falling in k.
    """
    wanted = math.log1p(cv * cv)
    low, high = 1e-2, 1e4
    while True:
        middle = math.sqrt(low * high)
        if not low < middle < high:
            return middle
        if math.lgamma(1 + 2 / middle) - 2 * math.lgamma(1 + 1 / middle) > wanted:
            low = middle
        else:
            high = middle


class MarkovModulated:
    """Poisson arrivals at the rate of a phase; phases follow in turn, each for an exponential time.

    The first phase is one that prevails at a random moment. Exact: an arrival comes when the rate's integral since the
    last one reaches a standard exponential variate.
    """

    __slots__ = ("_ends_s", "_exponentials", "_mean_sojourns", "_now_s", "_phase", "_rates", "_sojourns", "mean_rate")

    def __init__(
        self,
        rates: Sequence[float],
        mean_sojourns: Sequence[float],
        exponentials: Exponentials,
        streams: Streams,
        entity: str,
    ) -> None:
        weighted = math.fsum(rate * time for rate, time in zip(rates, mean_sojourns, strict=True))
        self.mean_rate = weighted / math.fsum(mean_sojourns)
        self._rates = list(rates)
        self._mean_sojourns = list(mean_sojourns)
        self._exponentials = exponentials
        self._sojourns = Exponentials(streams.generator(entity, "phases"))
        first = streams.generator(entity, "first phase").random()
        self._phase = Alternatives(range(len(self._rates)), mean_sojourns).pick(first)
        self._now_s = 0.0
        self._ends_s = self._mean_sojourns[self._phase] * self._sojourns.next()

    def next(self) -> float:
        """The next time."""
        left = self._exponentials.next()
        rate = self._rates[self._phase]
        while left > rate * (self._ends_s - self._now_s):
            left -= rate * (self._ends_s - self._now_s)
            self._now_s = self._ends_s
            self._phase = (self._phase + 1) % len(self._rates)
            self._ends_s += self._mean_sojourns[self._phase] * self._sojourns.next()
            rate = self._rates[self._phase]
        if left > 0:
            self._now_s = min(self._now_s + left / rate, self._ends_s)
        return self._now_s


class Periodic:
    """An arrival each period, displaced by up to the jitter either way; what would fall before time 0 is left out."""

    __slots__ = ("_jitter_s", "_last_s", "_number", "_period_s", "_phase", "_uniforms", "mean_rate")

    def __init__(self, spec: PeriodicArrivals, uniforms: Uniforms, streams: Streams, entity: str) -> None:
        self.mean_rate = 1 / spec.period
        self._period_s = spec.period
        self._jitter_s = spec.jitter
        self._phase = 0.0 if spec.aligned else streams.generator(entity, "phase").random()
        self._uniforms = uniforms
        self._number = -1
        self._last_s = 0.0

    def next(self) -> float:
        """The next time."""
        while True:
            time_s = (self._number + self._phase) * self._period_s
            if self._jitter_s > 0:
                time_s += self._jitter_s * (2 * self._uniforms.next() - 1)
            self._number += 1
            if time_s >= 0:
                self._last_s = max(self._last_s, time_s)
                return self._last_s


class Replay:
    """The requests of a trace at their recorded times, played back `speed` times as fast, once or over and over.

    Each round begins one mean gap after the last request of the round before.
    """

    __slots__ = ("_at", "_output", "_prompt", "_repeats", "_round_s", "_rounds", "_speed", "_times_s", "mean_rate")

    def __init__(
        self, times_s: Sequence[float], prompt: Sequence[int], output: Sequence[int], speed: float, repeats: bool
    ) -> None:
        gaps, span_s = len(times_s) - 1, times_s[-1] - times_s[0]
        if repeats and span_s <= 0:
            raise ValueError("a trace whose requests all come at one moment cannot be repeated")
        self.mean_rate = speed * gaps / span_s if span_s > 0 else 0.0
        self._times_s = array("d", times_s)
        self._prompt = array("q", prompt)
        self._output = array("q", output)
        self._round_s = span_s + span_s / gaps if gaps > 0 else 0.0
        self._speed = speed
        self._repeats = repeats
        self._rounds = 0
        self._at = -1

    def next(self) -> float:
        """The next time; inf once the trace has ended."""
        self._at += 1
        if self._at >= len(self._times_s):
            if not self._repeats:
                return math.inf
            self._at = 0
            self._rounds += 1
        return (self._rounds * self._round_s + self._times_s[self._at]) / self._speed

    @property
    def tokens(self) -> tuple[int, int]:
        """Prompt and output tokens of the request whose time was given last."""
        return self._prompt[self._at], self._output[self._at]


def read_replay(spec: TraceArrivals) -> Replay:
    """A replay of a trace file; ValueError where it cannot be repeated."""
    from ..traces import read_requests

    trace = read_requests(spec.file, spec.format)
    return Replay(trace.times_s, trace.prompt_tokens, trace.output_tokens, spec.speed, spec.repeat)


class Warped:
    """A process of constant rate on a clock that runs as the time of day has it.

    The rate becomes 1 + a sin(2 pi (t + phase)/P) times as high. An arrival at time s of the process is one at the
    time t at which the factor's integral from 0 to t is s.
    """

    __slots__ = ("_last_s", "_modulation", "_process")

    def __init__(self, process: ArrivalProcess, modulation: Diurnal) -> None:
        self._process = process
        self._modulation = modulation
        self._last_s = 0.0

    @property
    def mean_rate(self) -> float:
        """The factor's mean is 1."""
        return self._process.mean_rate

    def next(self) -> float:
        """The next time."""
        self._last_s = max(self._last_s, unwarp(self._process.next(), self._modulation))
        return self._last_s


def warp(time_s: float, modulation: Diurnal) -> float:
    """The integral of 1 + a sin(2 pi (u + phase)/P) over u from 0 to t."""
    period, phase = modulation.period, modulation.phase
    start = 2 * math.pi * math.fmod(phase, period) / period
    turned = 2 * math.pi * math.fmod(time_s, period) / period
    swing = modulation.amplitude * period / (2 * math.pi)
    return time_s + swing * (math.cos(start) - math.cos(start + turned))


def unwarp(warped_s: float, modulation: Diurnal) -> float:
    """The time whose `warp` this is, to 1e-12 of the period: Newton's method within bounds that bisection tightens."""
    period, amplitude = modulation.period, modulation.amplitude
    whole = math.floor(warped_s / period) * period
    wanted = warped_s - whole
    low, high = 0.0, period
    time_s = wanted
    while high - low > _PRECISION * period:
        excess = warp(time_s, modulation) - wanted
        if excess > 0:
            high = time_s
        elif excess < 0:
            low = time_s
        else:
            break
        slope = 1 + amplitude * math.sin(2 * math.pi * (time_s + modulation.phase) / period)
        step = excess / slope if slope > 0 else math.inf
        following = time_s - step
        if not low < following < high:
            following = (low + high) / 2
        elif abs(step) < _PRECISION * period / 4:
            time_s = following
            break
        time_s = following
    return whole + time_s
