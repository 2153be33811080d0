"""Rate paths for tests: one of each kind that varies, and a literal walk along a path in exact arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from simoffload.random_streams import Streams
from simoffload.schema.network import Channel as Spec
from simoffload.world.channels import Channel, Segments, make_channel, make_segments

READER: TypeAdapter[Any] = TypeAdapter(Spec)

SPECS: dict[str, dict[str, Any]] = {
    "two states": {
        "kind": "gilbert-elliott", "good": "20 Mbit/s", "bad": "1 Mbit/s", "mean_good": "4 s", "mean_bad": "1 s",
    },
    "outages": {"kind": "gilbert-elliott", "good": "8 Mbit/s", "bad": 0, "mean_good": "2 s", "mean_bad": "3 s"},
    "three states": {
        "kind": "markov", "rates": ["1 Mbit/s", 0, "9 Mbit/s"], "mean_sojourn": ["1 s", "300 ms", "2 s"],
        "transition": [[0, 0.25, 0.75], [1, 0, 0], [0.5, 0.5, 0]],
    },
    "equal chances": {
        "kind": "markov", "rates": ["1 Mbit/s", "5 Mbit/s", "9 Mbit/s"], "mean_sojourn": ["1 s", "2 s", "500 ms"],
    },
    "autoregression": {"kind": "ar1", "median": "10 Mbit/s", "sigma": 0.8, "rho": 0.9, "step": "500 ms"},
    "factory": {"kind": "inf", "distance": "60 m", "environment": "DL", "shadowing_time": "750 ms", "block": "100 ms"},
    "slow fading": {"kind": "inf", "distance": "100 m", "block": "2 s", "shadowing_time": "300 ms"},
}  # fmt: skip


def read(spec: Any) -> Any:
    return READER.validate_python(spec)


def channel_of(kind: str, seed: int = 1) -> Channel:
    return make_channel(read(SPECS[kind]), Streams(seed), "edge-1/uplink")


def segments_of(kind: str, seed: int = 1) -> Segments:
    return make_segments(read(SPECS[kind]), Streams(seed), "edge-1/uplink")


class LiteralPath:
    """A path kept from its beginning and walked step by step in exact arithmetic."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self.ends: list[float] = []
        self.rates: list[float] = []

    def draw_up_to(self, time_s: float) -> None:
        while not self.ends or self.ends[-1] <= time_s:
            ends, rates = self.segments.next_block()
            assert len(ends) == len(rates) > 0
            self.ends += ends
            self.rates += rates

    def rate_bps(self, time_s: float) -> float:
        self.draw_up_to(time_s)
        return self.rates[bisect_right(self.ends, time_s)]

    def finish(self, start_s: float, bits: float) -> float:
        self.draw_up_to(start_s)
        now, left = Fraction(start_s), Fraction(bits)
        number = bisect_right(self.ends, start_s)
        while True:
            self.draw_up_to(float(now))
            end, rate = Fraction(self.ends[number]), Fraction(self.rates[number])
            if rate * (end - now) >= left:
                return float(now + left / rate)
            left -= rate * (end - now)
            now = end
            number += 1
            if number == len(self.ends):
                self.draw_up_to(self.ends[-1])

    def mean_bps(self, until_s: float) -> float:
        self.draw_up_to(until_s)
        durations = np.diff([0.0, *self.ends])
        return float(np.dot(durations, self.rates) / self.ends[-1])
