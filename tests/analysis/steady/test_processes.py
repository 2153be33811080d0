"""The generators that the tests rely on do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from .processes import autoregression, mm1_time, mm1_waits


def test_waits_follow_lindleys_recursion() -> None:
    generator = np.random.default_rng(5)
    services, gaps = generator.standard_exponential(200), generator.standard_exponential(200) / 0.8
    ahead = generator.standard_exponential(3).sum()
    expected = [max(ahead - gaps[0], 0.0)]
    for service, gap in zip(services[:-1], gaps[1:], strict=True):
        expected.append(max(expected[-1] + service - gap, 0.0))
    assert mm1_waits(200, 0.8, 5, jobs=3) == pytest.approx(np.array(expected), abs=1e-12)


def test_an_autoregression_has_the_variance_it_should() -> None:
    assert autoregression(200_000, 0.6, 1).var() == pytest.approx(1 / (1 - 0.36), rel=0.02)


def test_the_memory_of_mm1_is_the_published_one() -> None:
    assert [round(mm1_time(rho), 1) for rho in (0.5, 0.8, 0.9)] == [9.7, 82.3, 362.6]
