"""How numbers are written in reports: as many digits as their intervals support, with a unit where one is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{EN DASH}"
"""Stands for a number that does not exist, such as a mean of nothing."""


def rounded(value: float, digits: int = 3) -> str:
    """The value with that many significant digits, whole part in full: 0.01235, 1.23, 1235."""
    if not math.isfinite(value):
        return UNKNOWN if math.isnan(value) else _signed("infinite", value)
    if value == 0:
        return "0"
    return decimals(value, digits - 1 - math.floor(math.log10(abs(value))))


def brief(value: float, least: float = 0.001) -> str:
    """As `rounded`, but of what is smaller than `least` and not 0 that it is."""
    return f"<{least:g}" if 0 < value < least else rounded(value)


def decimals(value: float, places: int) -> str:
    """The value with that many decimal places; with an exponent where plain figures would run to more than twelve."""
    if not -12 < places <= 12 or abs(value) >= 1e12:
        return _signed(f"{abs(value):.3g}", value)
    text = f"{abs(value):.{max(places, 0)}f}"
    return _signed(text, value if float(text) else 0.0)


def plus_minus(mean: float, half_width: float) -> str:
    """Mean and half-width to the half-width's second significant digit; without a half-width that is known, so said."""
    if not math.isfinite(mean):
        return UNKNOWN
    if not math.isfinite(half_width):
        return f"{rounded(mean)} ± ?"
    if half_width == 0:
        return f"{rounded(mean)} ± 0"
    places = 1 - math.floor(math.log10(half_width))
    if mean and places > 12:
        return f"{rounded(mean, 4)} ± {half_width:.1e}"
    return f"{decimals(mean, places)} ± {decimals(half_width, places)}"


EVEN = 1.15
"""An interval whose longer side is at most this many times its shorter one is told as if it were symmetric."""


def with_ends(value: float, low: float, high: float) -> str:
    """A value and the ends of its interval: as `plus_minus` where they are about equally far, `2.58 −0.08 +0.14` where
    they are not. What is told of an even interval is its longer side.
    """
    down, up = value - low, high - value
    if not (math.isfinite(value) and math.isfinite(down) and math.isfinite(up)):
        return plus_minus(value, math.inf)
    shorter, longer = min(down, up), max(down, up)
    if longer <= EVEN * shorter or longer <= 0:
        return plus_minus(value, longer)
    places = 1 - math.floor(math.log10((down + up) / 2))
    if places > 12:
        return f"{rounded(value, 4)} {_signed_by(f'{abs(down):.1e}', -down)} {_signed_by(f'{abs(up):.1e}', up)}"
    ends = (_signed_by(decimals(abs(each), places), sign) for each, sign in ((down, -down), (up, up)))
    return " ".join([decimals(value, places), *ends])


def plain(value: float) -> str:
    """The number in at most 4 significant digits, without an exponent from 0.0001 to 999 999."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if 1e-4 <= abs(value) < 1e6:
        text = f"{value:.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def percent(share: float, places: int = 0) -> str:
    """A share as a percentage."""
    return f"{decimals(100 * share, places)} %" if math.isfinite(share) else UNKNOWN


def counted(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _signed_by(text: str, value: float) -> str:
    return ("+" if value > 0 else MINUS) + text


def _signed(text: str, value: float) -> str:
    return MINUS + text if value < 0 else text
