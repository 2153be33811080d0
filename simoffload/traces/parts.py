"""Parts of traces, and the same traces faster: what `simoffload trace convert` does on the way."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import replace

from .lines import TraceError
from .rates import Rates
from .requests import Requests


def requests_between(requests: Requests, from_s: float, to_s: float = math.inf) -> Requests:
    """The requests of the times from `from_s` to before `to_s`, counted from the first of them.

    TraceError when there are none.
    """
    first, last = bisect_left(requests.times_s, from_s), bisect_left(requests.times_s, to_s)
    if first >= last:
        raise TraceError(f"no request comes from {from_s:g} s to {to_s:g} s")
    kept = slice(first, last)
    start = requests.times_s[first]
    return replace(
        requests,
        times_s=array("d", [time - start for time in requests.times_s[kept]]),
        prompt_tokens=requests.prompt_tokens[kept],
        output_tokens=requests.output_tokens[kept],
    )


def rates_between(rates: Rates, from_s: float, to_s: float = math.inf) -> Rates:
    """The rates of the times from `from_s` to `to_s`, counted from there; TraceError when the loop ends before."""
    end_s = min(to_s, rates.ends_s[-1])
    if from_s >= end_s:
        raise TraceError(f"the loop of {rates.ends_s[-1]:g} s has nothing from {from_s:g} s to {to_s:g} s")
    first, last = bisect_right(rates.ends_s, from_s), bisect_left(rates.ends_s, end_s)
    ends = [end - from_s for end in rates.ends_s[first:last]]
    return replace(rates, ends_s=array("d", [*ends, end_s - from_s]), rates_bps=rates.rates_bps[first : last + 1])


def requests_faster(requests: Requests, speed: float) -> Requests:
    """The same requests, `speed` times as fast after one another."""
    return replace(requests, times_s=array("d", [time / speed for time in requests.times_s]))


def rates_faster(rates: Rates, speed: float) -> Rates:
    """The same rates, each for a time shorter by `speed`."""
    return replace(rates, ends_s=array("d", [end / speed for end in rates.ends_s]))
