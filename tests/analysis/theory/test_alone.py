"""Requests take as long in arrays as one by one."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.alone import alone_s, seats, shared_s
from simoffload.laws import ServingLaw, decode_alone_s, prefill_s

LAW = ServingLaw(0.05, 0.001, 0.02, 0.003, 1e-6)


def test_alone_is_prefill_and_decode_of_the_serving_law() -> None:
    prompt, output = np.array([100.0, 7.0, 0.0]), np.array([50.0, 1.0, 0.0])
    found = alone_s(LAW, 0.5, prompt, output, np.array([0.0, 1.0, 2.0]))
    expected = [0.5 + prefill_s(LAW, 100) + decode_alone_s(LAW, 100, 50), 1.0 + 0.5 + prefill_s(LAW, 7), 2.0]
    assert found == pytest.approx(expected)
    assert shared_s(LAW, output) == pytest.approx([49 * 0.02, 0, 0])


def test_seats_are_those_that_memory_allows() -> None:
    assert seats(10, 1000.0, 300.0) == 3
    assert seats(10, float("inf"), 300.0) == 10
    assert seats(10, 100.0, 300.0) == 1
    assert seats(10, 100.0, 0.0) == 10
