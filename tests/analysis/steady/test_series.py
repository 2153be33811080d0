"""Observations are one row of finite numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.steady.series import as_series, group_means, is_constant


def test_anything_that_is_a_row_of_numbers_will_do() -> None:
    assert as_series((1, 2, 3)).tolist() == [1.0, 2.0, 3.0]
    assert as_series([]).tolist() == []


@pytest.mark.parametrize("values", [3.0, [[1.0, 2.0]]])
def test_another_shape_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="one row of numbers"):
        as_series(values)  # type: ignore[arg-type]


@pytest.mark.parametrize("amiss", [math.nan, math.inf])
def test_what_is_not_finite_is_refused_with_its_place(amiss: float) -> None:
    with pytest.raises(ValueError, match=f"number 2 is {amiss}"):
        as_series([1.0, 2.0, amiss, amiss])


def test_groups_are_equal_and_leave_out_the_end() -> None:
    assert group_means(np.arange(7.0), 3).tolist() == [1.0, 4.0]
    assert group_means(np.arange(3.0), 1).tolist() == [0.0, 1.0, 2.0]


def test_no_values_do_not_vary() -> None:
    assert is_constant(np.empty(0))
    assert is_constant(np.full(3, 0.1))
    assert not is_constant(np.array([0.1, 0.2]))
