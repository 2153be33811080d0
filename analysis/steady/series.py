"""What all estimates begin with: an array of finite numbers in the order of time, and its equal groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def as_series(values: npt.ArrayLike) -> FloatArray:
    """The observations in the order of time, as floats; ValueError when they are not one row of finite numbers."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"observations are one row of numbers, not an array of shape {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(f"observations are finite; number {first} is {array[first]}")
    return array


def group_means(values: FloatArray, size: int) -> FloatArray:
    """Means of successive groups of `size` values; what is left over at the end belongs to none."""
    groups = len(values) // size
    return values if size == 1 else values[: groups * size].reshape(groups, size).mean(axis=1)


def is_constant(values: FloatArray) -> bool:
    """Whether no two values differ, as in none at all."""
    return len(values) == 0 or bool(values.min() == values.max())


def check_level(level: float) -> None:
    """ValueError when a level of confidence is not within (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"a level is within (0, 1), not {level}")
