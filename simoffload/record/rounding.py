"""Rows with fewer digits, which take a quarter less room on disk.

Numbers of 64 bits hardly compress: their last digits are noise to everybody but a test. What is rounded is the rows
alone; statistics, fingerprints and summaries are worked out before. Times are rounded down to a grid, though not below
the end of the warm-up: so none changes its order, and whoever came when tasks were measured still did. Bills and
energies are rounded to `BITS` significant bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rows import Layout, as_array

BITS = 28
"""Significant bits of bills, energies and objectives: 4e-9 of the number at the most is lost."""
_FINEST = 100
"""Power of 1/2 s below which no instant has digits."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """Times on the grid of the power of two that is `resolution_s` or just below it; 0: as they are."""

    resolution_s: float = 0.0
    warm_up_s: float = 0.0

    def of(self, layout: Layout, rows: bytes) -> bytes:
        """The rows, rounded."""
        if self.resolution_s <= 0.0:
            return rows
        array = as_array(layout, rows).copy()
        power = min(-math.floor(math.log2(self.resolution_s)), _FINEST)
        for column in layout.columns:
            values = array[column.name]
            if column.name.endswith("_s"):
                rounded = _on_grid(values, power)
                is_later = values >= self.warm_up_s
                array[column.name] = np.where(is_later, np.maximum(rounded, self.warm_up_s), rounded)
            elif column.name.endswith(("_usd", "_j")) or column.name == "objective":
                array[column.name] = _significant(values)
        return array.tobytes()


EXACT = Rounding()


def _on_grid(values: NDArray[np.float64], power: int) -> NDArray[np.float64]:
    """Rounded down to multiples of 2^-power; larger numbers than have digits there are on the grid anyway."""
    found = values.copy()
    fine = np.abs(values) < 2.0 ** (53 - power)
    found[fine] = np.ldexp(np.floor(np.ldexp(values[fine], power)), -power)
    return found


def _significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    mantissas, exponents = np.frexp(values)
    with np.errstate(over="ignore"):
        found: NDArray[np.float64] = np.ldexp(np.rint(np.ldexp(mantissas, BITS)), exponents - BITS)
    return np.where(np.isfinite(found), found, values)
