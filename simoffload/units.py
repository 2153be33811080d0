"""Units: a closed table per dimension, read exactly and written back exactly.

A quantity in a scenario is a number and a unit, such as ``40 Mbit/s``. Only the units of its dimension are read, as
the table spells them: ``Mb`` could be bits or bytes, ``M`` a million or 2**20, so neither is guessed; the error names
the spelling that was probably meant. Factors are fractions, so ``0.1 ms`` is the float nearest to 1/10000 and not the
result of two roundings. Floats hold SI units: seconds, bytes (bit/s for link rates), joules, US dollars, tokens.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

SMALLEST = 1e-30
"""Magnitudes below this, other than 0, are taken for mistakes."""

_QUANTITY = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(.*?)\s*", re.DOTALL)


class UnitError(ValueError):
    """Text that is no quantity of its dimension: what is wrong, what is allowed, and perhaps what was meant."""

    def __init__(self, message: str, allowed: tuple[str, ...] = (), suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.allowed = allowed
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """A kind of quantity: its units with their size in SI, the largest sensible value, examples.

    `signed` ones may be negative; units in `foreign` are read, but not written.
    """

    name: str
    units: Mapping[str, Fraction]
    limit: float
    examples: tuple[str, ...]
    signed: bool = False
    foreign: frozenset[str] = frozenset()

    @property
    def si(self) -> str:
        """The unit whose factor is 1, in which floats are held."""
        return next(unit for unit, factor in self.units.items() if factor == 1)

    @property
    def phrase(self) -> str:
        """The name with its article."""
        return f"an {self.name}" if self.name[0] in "aeio" else f"a {self.name}"


def _scaled(unit: str, **prefixes: Fraction | int) -> dict[str, Fraction]:
    return {("" if prefix == "one" else prefix) + unit: Fraction(factor) for prefix, factor in prefixes.items()}


def _per(above: Mapping[str, Fraction], below: Mapping[str, Fraction]) -> dict[str, Fraction]:
    return {f"{a}/{b}": factor / per for a, factor in above.items() for b, per in below.items()}


_K, _M, _G, _T, _P, _E = (10 ** (3 * power) for power in range(1, 7))
_MILLI, _MICRO, _NANO = (Fraction(1, 10 ** (3 * power)) for power in range(1, 4))

_SECONDS = {**_scaled("s", n=_NANO, u=_MICRO, m=_MILLI, one=1), **_scaled("", min=60, h=3600, d=86400)}
_BYTES = {**_scaled("B", one=1, k=_K, M=_M, G=_G, T=_T), **_scaled("B", Ki=2**10, Mi=2**20, Gi=2**30)}
_BITS = _scaled("bit", one=1, k=_K, M=_M, G=_G, T=_T)
_TOKENS = _scaled("tok", one=1, k=_K, M=_M)
_JOULES = {
    **_scaled("J", u=_MICRO, m=_MILLI, one=1, k=_K, M=_M, G=_G),
    **_scaled("Wh", one=3600, k=3600 * _K, M=3600 * _M),
}
_USD = {"USD": Fraction(1)}
_SECOND = {"s": Fraction(1)}
_BELOW_RATE = {unit: _SECONDS[unit] for unit in ("s", "min", "h", "d")}
_YEAR = {"month": Fraction(365 * 86400, 12), "year": Fraction(365 * 86400)}
_BITS_IN_BYTES = {unit: factor / 8 for unit, factor in _BITS.items()}
_BYTES_IN_BITS = {unit: factor * 8 for unit, factor in _BYTES.items()}

TIME = Dimension("time", _SECONDS, 1e10, ("20 ms", "24 h"))
DATA = Dimension("amount of data", {**_BYTES, **_BITS_IN_BYTES}, 1e18, ("2 MB", "4 GiB"), foreign=frozenset(_BITS))
BIT_RATE = Dimension(
    "data rate",
    {**_per(_BITS, _SECOND), **_per(_BYTES_IN_BITS, _SECOND)},
    1e18,
    ("40 Mbit/s", "1 Gbit/s"),
    foreign=frozenset(_per(_BYTES, _SECOND)),
)
BYTE_RATE = Dimension(
    "data rate",
    {**_per(_BYTES, _SECOND), **_per(_BITS_IN_BYTES, _SECOND)},
    1e18,
    ("204.8 GB/s", "1 GB/s"),
    foreign=frozenset(_per(_BITS, _SECOND)),
)
COMPUTE_RATE = Dimension(
    "compute rate", _per(_scaled("FLOP", one=1, M=_M, G=_G, T=_T, P=_P, E=_E), _SECOND), 1e24, ("42 TFLOP/s",)
)
POWER = Dimension("power", _scaled("W", m=_MILLI, one=1, k=_K, M=_M), 1e12, ("40 W",))
ENERGY = Dimension("energy", _JOULES, 1e18, ("3 J", "0.2 kWh"))
ENERGY_PER_TOKEN = Dimension(
    "energy per token",
    _per({unit: _JOULES[unit] for unit in ("uJ", "mJ", "J", "kJ", "kWh")}, _TOKENS),
    1e12,
    ("0.36 J/tok",),
)
MONEY = Dimension("sum of money", _USD, 1e15, ("0.02 USD",))
PRICE_PER_TOKEN = Dimension("price per token", _per(_USD, _TOKENS), 1e9, ("0.53 USD/Mtok",))
PRICE_OF_ENERGY = Dimension(
    "price of energy",
    _per(_USD, {unit: _JOULES[unit] for unit in ("J", "kJ", "MJ", "Wh", "kWh", "MWh")}),
    1e9,
    ("0.167 USD/kWh",),
)
COST_RATE = Dimension("cost per time", _per(_USD, {**_BELOW_RATE, **_YEAR}), 1e9, ("0.05 USD/h", "500 USD/month"))
TOKENS = Dimension("number of tokens", _TOKENS, 1e12, ("120 tok",))
TOKEN_RATE = Dimension("token rate", _per(_TOKENS, _BELOW_RATE), 1e12, ("42 tok/s",))
TIME_PER_TOKEN = Dimension(
    "time per token", _per({u: _SECONDS[u] for u in ("ns", "us", "ms", "s")}, _TOKENS), 1e9, ("22 ms/tok",)
)
FREQUENCY_OF_EVENTS = Dimension("rate", _per({"": Fraction(1)}, _BELOW_RATE), 1e12, ("0.5 /s", "12 /min", "30 /h"))
FREQUENCY = Dimension("frequency", _scaled("Hz", one=1, k=_K, M=_M, G=_G, T=_T), 1e18, ("3.7 GHz",))
LENGTH = Dimension("length", _scaled("m", m=_MILLI, c=Fraction(1, 100), one=1, k=_K), 1e9, ("150 m",))
RATIO_IN_DECIBELS = Dimension("ratio in decibels", {"dB": Fraction(1)}, 1e3, ("7 dB",), signed=True)
POWER_IN_DECIBELS = Dimension("power in dBm", {"dBm": Fraction(1)}, 1e3, ("23 dBm",), signed=True)
DATA_PER_TOKEN = Dimension(
    "amount of data per token", _per(_BYTES, {"tok": Fraction(1)}), 1e15, ("4 B/tok", "128 KiB/tok")
)

_HABITS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "millis": "ms", "usec": "us", "nsec": "ns",
    "m": "min", "mins": "min", "minute": "min", "minutes": "min", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "mo": "month", "months": "month", "yr": "year", "years": "year", "y": "year", "a": "year",
    "bps": "bit/s", "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s", "tbps": "Tbit/s",
    "Bps": "B/s", "KBps": "kB/s", "kBps": "kB/s", "MBps": "MB/s", "GBps": "GB/s",
    "b": "bit", "kb": "kbit", "Kb": "kbit", "Mb": "Mbit", "Gb": "Gbit", "bits": "bit", "byte": "B", "bytes": "B",
    "K": "kB", "KB": "kB", "M": "MB", "G": "GB", "T": "TB",
    "flops": "FLOP/s", "mflops": "MFLOP/s", "gflops": "GFLOP/s", "tflops": "TFLOP/s", "pflops": "PFLOP/s",
    "gops": "GFLOP/s", "tops": "TFLOP/s", "pops": "PFLOP/s", "watt": "W", "watts": "W", "joule": "J", "joules": "J",
    "token": "tok", "tokens": "tok", "toks": "tok", "t": "tok", "mtokens": "Mtok", "ktokens": "ktok",
    "$": "USD", "dollar": "USD", "dollars": "USD", "meter": "m", "metre": "m", "meters": "m", "metres": "m",
    "hz": "/s", "1": "", "req": "", "requests": "", "task": "", "tasks": "", "jobs": "",
}  # fmt: skip
"""Spellings that people are used to, part by part of a unit, and what they are called here."""


@lru_cache(maxsize=8192)
def parse(text: str, dimension: Dimension) -> float:
    """The SI value of `text`; UnitError says what is wrong with it. A bare 0 needs no unit."""
    if len(text) > 200:
        raise UnitError(f"{text[:40]!r}... is no {dimension.name}: {len(text)} characters")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        message = f"cannot read {text!r} as {dimension.phrase}; write {_examples(dimension)}"
        raise UnitError(message, tuple(dimension.units))
    number, unit = match.groups()
    exact = _exact(number, dimension)
    if not unit and exact == 0:
        return 0.0
    factor = dimension.units.get(unit.replace("µ", "u").replace("μ", "u"))
    if factor is None:
        raise _wrong_unit(number, unit, dimension)
    return _bounded(exact * factor, text.strip(), dimension)


def bare(value: float, dimension: Dimension) -> float:
    """0 for 0; UnitError for any other number, which lacks its unit."""
    if value == 0:
        return 0.0
    raise _no_unit(repr(value)[:40], dimension)


@lru_cache(maxsize=8192)
def write(value: float, dimension: Dimension) -> str:
    """The shortest number and unit that `parse` reads as exactly `value`."""
    if value == 0:
        return f"0 {dimension.si}"
    exact = Fraction(value)
    best, best_rank = f"{value!r} {dimension.si}", (True, 99, True)
    for unit, factor in dimension.units.items():
        number = float(exact / factor)
        for digits in (f"{number:.15g}", repr(number)):
            rank = ("e" in digits, len(digits), not 1 <= abs(number) < 1000)
            if unit not in dimension.foreign and rank < best_rank and float(Fraction(digits) * factor) == value:
                best, best_rank = f"{digits} {unit}", rank
    return best


def _exact(number: str, dimension: Dimension) -> Fraction:
    mantissa, _, exponent = number.lower().partition("e")
    if exponent and (len(exponent) > 5 or abs(int(exponent)) > 400):
        raise UnitError(f"{number} is far too {'small' if '-' in exponent else 'large'} for {dimension.phrase}")
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def _bounded(exact: Fraction, text: str, dimension: Dimension) -> float:
    if exact < 0 and not dimension.signed:
        raise UnitError(f"{text} is negative; {dimension.phrase} must be 0 or more")
    value = float(exact) if abs(exact) < 10**300 else math.inf
    if abs(value) > dimension.limit:
        raise UnitError(f"{text} is too large for {dimension.phrase}; at most {write(dimension.limit, dimension)}")
    if abs(value) < SMALLEST and exact != 0:
        raise UnitError(f"{text} is too small for {dimension.phrase}; write 0 if you mean none")
    return value


def _wrong_unit(number: str, unit: str, dimension: Dimension) -> UnitError:
    if not unit:
        return _no_unit(number, dimension)
    shown = unit if len(unit) <= 40 else unit[:40] + "..."
    return UnitError(
        f"unknown unit {shown!r} for {dimension.phrase}", tuple(dimension.units), nearest_unit(unit, dimension)
    )


def _no_unit(number: str, dimension: Dimension) -> UnitError:
    message = f"{number} has no unit; write {dimension.phrase} such as {_examples(dimension)}"
    return UnitError(message, tuple(dimension.units))


def nearest_unit(unit: str, dimension: Dimension) -> str | None:
    """The unit of the dimension that a misspelled one most likely stands for."""
    usual = _HABITS.get(unit) or _HABITS.get(unit.lower()) or "/".join(_usual(part.strip()) for part in unit.split("/"))
    for guess in (usual, unit):
        if guess in dimension.units:
            return guess
        folded = [known for known in dimension.units if known.lower() == guess.lower()]
        if folded:
            return folded[0]
        longer = [known for known in dimension.units if known.startswith(f"{guess}/")]
        if longer:
            return longer[0]
    close = get_close_matches(usual, dimension.units, n=1, cutoff=0.6) or get_close_matches(unit, dimension.units, n=1)
    return close[0] if close else None


def _usual(part: str) -> str:
    return _HABITS.get(part, _HABITS.get(part.lower(), part))


def _examples(dimension: Dimension) -> str:
    return " or ".join(f"'{example}'" for example in dimension.examples)
