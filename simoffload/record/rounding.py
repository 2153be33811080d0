"""Rows with fewer digits, which take a quarter less room on disk.

Numbers of 64 bits hardly compress: their last digits are noise to everybody but a test. What is rounded is the rows
alone; statistics, fingerprints and summaries are worked out before. Instants are rounded down to a grid, so that none
of them changes its order or moves from before a point of the grid to it; bills and energies to `BITS` significant bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .rows import Layout, as_array

BITS = 28
"""Significant bits of bills, energies and objectives: 4e-9 of the number at the most is lost."""
_FINEST = 100
"""Power of 1/2 s below which no instant has digits."""


def with_resolution(layout: Layout, rows: bytes, resolution_s: float) -> bytes:
    """The rows with all times on the grid of the power of two that is `resolution_s` or just below; 0: as they are."""
    if resolution_s <= 0.0:
        return rows
    array = as_array(layout, rows).copy()
    power = min(-math.floor(math.log2(resolution_s)), _FINEST)
    for column in layout.columns:
        if column.name.endswith("_s"):
            array[column.name] = _on_grid(array[column.name], power)
        elif column.name.endswith(("_usd", "_j")) or column.name == "objective":
            array[column.name] = _significant(array[column.name])
    return array.tobytes()


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
