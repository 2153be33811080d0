"""Traces as text in the plain formats: requests as CSV, rates in two columns. Reading it gives the same numbers."""

from __future__ import annotations

from array import array
from decimal import Decimal

from .formats import LAYOUTS
from .rates import Rates, loop_end
from .requests import Requests


def requests_text(requests: Requests) -> str:
    """The requests as generic CSV."""
    columns = zip(requests.times_s, requests.prompt_tokens, requests.output_tokens, strict=True)
    rows = [f"{_plain(time)},{prompt},{output}" for time, prompt, output in columns]
    return "\n".join([LAYOUTS["csv"], *rows, ""])


def rates_text(rates: Rates) -> str:
    """The rates in two columns, s and Mbit/s; the loop's end follows alone where the median step does not tell it."""
    begins = array("d", [0.0, *rates.ends_s[:-1]])
    rows = [f"{_plain(begin)} {_megabits(rate)}" for begin, rate in zip(begins, rates.rates_bps, strict=True)]
    if len(begins) < 2 or loop_end(begins) != rates.ends_s[-1]:
        rows.append(_plain(rates.ends_s[-1]))
    return "\n".join([*rows, ""])


def _plain(value: float) -> str:
    """The shortest decimal that reads as this float, without an exponent."""
    text = repr(value)
    return f"{Decimal(text):f}" if "e" in text else text.removesuffix(".0")


def _megabits(rate_bps: float) -> str:
    """The shortest decimal whose millionfold reads as this rate."""
    return f"{Decimal(repr(rate_bps)).scaleb(-6).normalize():f}"
